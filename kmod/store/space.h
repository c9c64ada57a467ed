/* SPDX-License-Identifier: GPL-2.0 */
/* Free space: how units become free, for the rest of store/. */
#ifndef _PKRAM_STORE_SPACE_H
#define _PKRAM_STORE_SPACE_H

#include <linux/types.h>

struct pkram_extent;
struct pkram_region;

/**
 * pkram_space_free_units() - Free units that no record names any more
 * @r: region
 * @unit: first
 * @nr: number
 *
 * Units that are pinned become free later. Context: store.lock.
 */
void pkram_space_free_units(struct pkram_region *r, u32 unit, u32 nr);

/** pkram_space_free_extents() - Free the units of a list of extents */
void pkram_space_free_extents(const struct pkram_extent *ext, u32 nr);

/**
 * pkram_space_reap() - Free pending units whose pins are gone
 * @left: number of runs to look at; %U32_MAX: all. Out: how many were not looked at: any user
 *	can make many, so release the lock before the next call
 *
 * Context: store.lock. Return: true if units became free.
 */
bool pkram_space_reap(u32 *left);

/** pkram_space_reap_all() - Look at all, for administrators only. Context: store.lock. */
void pkram_space_reap_all(void);

/** pkram_space_leaving() - Check whether a free unit is taken until its GiB is depopulated */
bool pkram_space_leaving(const struct pkram_region *r, u32 unit);

/**
 * pkram_space_worth_waiting() - Check whether GiB that will be depopulated are needed
 * @nr_units: number of units to allocate
 * @nr_gib: whole GiB that they contain
 *
 * Only a caller that gets too little without them waits for them. Context: store.lock.
 */
bool pkram_space_worth_waiting(u64 nr_units, u32 nr_gib);

/**
 * pkram_space_wait() - Wait for a while, in which GiB are depopulated
 *
 * Context: as pkram_space_settle().
 */
void pkram_space_wait(void);

/**
 * pkram_space_mark_pending() - Set the bits of a region's pending units
 * @r: region
 * @map: a bit for each unit of it
 *
 * Context: store.lock.
 */
void pkram_space_mark_pending(const struct pkram_region *r, unsigned long *map);

/** pkram_space_stop_reaping() - Stop the work that reaps, at exit */
void pkram_space_stop_reaping(void);

/**
 * pkram_space_settle() - Wait until idle GiB are depopulated
 *
 * Then memory that is allocated next can be populated in either way. Context:
 * store.lock, map_sem and mmap_lock are not held.
 */
void pkram_space_settle(void);

/** pkram_space_lock_settled() - Take store.lock while no units are in transit */
void pkram_space_lock_settled(void);

#endif /* _PKRAM_STORE_SPACE_H */
