/* SPDX-License-Identifier: GPL-2.0 */
/* The regions of the pool. */
#ifndef _PKRAM_STORE_REGIONS_H
#define _PKRAM_STORE_REGIONS_H

#include <linux/types.h>

struct pkram_region;

/**
 * pkram_store_walk_regions() - Visit all regions in order of address
 * @fn: called with the store's lock held; a result other than 0 ends the walk
 * @arg: argument of @fn
 *
 * Return: the result of the last @fn.
 */
int pkram_store_walk_regions(int (*fn)(struct pkram_region *r, void *arg),
			     void *arg);

/**
 * pkram_store_region_free() - Count the bytes of a region that can be allocated
 * @r: region
 *
 * Context: the store's lock, as in pkram_store_walk_regions().
 */
u64 pkram_store_region_free(const struct pkram_region *r);

/**
 * pkram_store_epoch() - Get a number that changes with regions and quarantined ranges
 *
 * When a region is attached all objects are loaded again, and quarantined ones may
 * get another key. Never 0.
 */
u32 pkram_store_epoch(void);

/**
 * pkram_store_new_epoch() - Change that number
 *
 * For changes of quarantined ranges; the store does it for those of regions.
 */
void pkram_store_new_epoch(void);

/* For the rest of store/ */

/**
 * pkram_regions_find() - Find a region by its id
 *
 * Context: store.lock or RCU. Return: region or NULL.
 */
struct pkram_region *pkram_regions_find(u64 id);

/** pkram_regions_insert() - Add a region to the list. Context: store.lock. */
void pkram_regions_insert(struct pkram_region *r);

/** pkram_regions_remove() - Remove a region from the list; wait for RCU. Context: store.lock. */
void pkram_regions_remove(struct pkram_region *r);

/**
 * pkram_regions_count_missing() - Find out how many regions of the pool are not there
 *
 * The header that was written last knows how many there are. Context: store.lock.
 * Return: true if the headers are to be written by pkram_regions_write_set(): a change of
 * the set was cut.
 */
bool pkram_regions_count_missing(void);

/**
 * pkram_regions_write_set() - Tell all regions that one has joined or leaves
 * @first: the one whose header is written first, or NULL
 * @leaves: the one that leaves, or NULL; its header is not written
 *
 * A cut leaves either set of regions. Context: store.lock.
 */
void pkram_regions_write_set(struct pkram_region *first, const struct pkram_region *leaves);

/**
 * pkram_regions_know_space() - Add a region's units to the allocator
 * @r: region
 *
 * All are free, except the head and the units that contain records. Context:
 * store.lock.
 * Return: as pkram_alloc_add_region().
 */
int pkram_regions_know_space(struct pkram_region *r);

#endif /* _PKRAM_STORE_REGIONS_H */
