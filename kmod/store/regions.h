/* SPDX-License-Identifier: GPL-2.0 */
/* The regions of the pool. */
#ifndef _PKRAM_STORE_REGIONS_H
#define _PKRAM_STORE_REGIONS_H

#include <linux/types.h>

struct pkram_region;

/**
 * pkram_store_walk_regions() - visit all regions in order of address
 * @fn: called with the store's lock held; a result other than 0 ends the walk
 * @arg: for @fn
 *
 * Return: the result of the last @fn.
 */
int pkram_store_walk_regions(int (*fn)(struct pkram_region *r, void *arg),
			     void *arg);

/**
 * pkram_store_region_free() - count the bytes of a region that can be allocated
 * @r: region
 *
 * Context: the store's lock, as in pkram_store_walk_regions().
 */
u64 pkram_store_region_free(const struct pkram_region *r);

/**
 * pkram_store_epoch() - get a number that changes with regions and bad ranges
 *
 * When a region is attached all objects are made anew, and quarantined ones may
 * get another key. Never 0.
 */
u32 pkram_store_epoch(void);

/**
 * pkram_store_new_epoch() - change that number
 *
 * For changes of bad ranges; the store does it for those of regions.
 */
void pkram_store_new_epoch(void);

/* For the rest of store/ */

/**
 * pkram_regions_find() - find a region by its id
 *
 * Context: store.lock or RCU. Return: region or NULL.
 */
struct pkram_region *pkram_regions_find(u64 id);

/** pkram_regions_insert() - add a region to the list. Context: store.lock. */
void pkram_regions_insert(struct pkram_region *r);

/**
 * pkram_regions_know_space() - make a region's units known to the allocator
 * @r: region
 *
 * All are free, but the head and the units that hold records. Context: store.lock.
 * Return: as pkram_alloc_add_region().
 */
int pkram_regions_know_space(struct pkram_region *r);

#endif /* _PKRAM_STORE_REGIONS_H */
