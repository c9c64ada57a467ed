/* SPDX-License-Identifier: GPL-2.0 */
/* Bad pages of the pool (mem/bad.h), and the objects that lose them. */
#ifndef _PKRAM_STORE_LOST_H
#define _PKRAM_STORE_LOST_H

#include <linux/types.h>

struct pkram_object;
struct pkram_region;

/**
 * typedef pkram_lost_fn - take a page from the processes that map it, and tell them
 * @obj: object
 * @offset: of the page in the object
 * @flags: MF_* of memory_failure()
 *
 * Context: map_sem is held exclusively.
 */
typedef void (*pkram_lost_fn)(struct pkram_object *obj, u64 offset, int flags);

/** pkram_store_set_lost() - Set the file system's function; once, at init */
void pkram_store_set_lost(pkram_lost_fn fn);

/** pkram_lost_init() - Act on memory errors from now on */
void pkram_lost_init(void);

/** pkram_lost_exit() - Leave objects and records alone from now on; pages are still noted */
void pkram_lost_exit(void);

/** pkram_lost_move_records() - Move records out of bad pages, soon. Context: any */
void pkram_lost_move_records(void);

/**
 * pkram_lost_hold_back() - Do not allocate the units of a region's bad pages
 * @r: region
 *
 * Context: store.lock.
 */
void pkram_lost_hold_back(struct pkram_region *r);

/**
 * pkram_store_next_lost() - Find bytes of an object that are lost, in bad pages
 * @obj: object
 * @offset: look from there on; out: of what was found
 * @len: out: number of bytes
 *
 * Units that have no data yet count as well. Context: store.lock. Return: false if there
 * are no more.
 */
bool pkram_store_next_lost(struct pkram_object *obj, u64 *offset, u64 *len);

/** pkram_object_next_bad() - pkram_store_next_lost(), without a lock */
bool pkram_object_next_bad(struct pkram_object *obj, u64 *offset, u64 *len);

/** pkram_object_nr_bad_pages() - Count the bad pages of an object */
u64 pkram_object_nr_bad_pages(struct pkram_object *obj);

#endif /* _PKRAM_STORE_LOST_H */
