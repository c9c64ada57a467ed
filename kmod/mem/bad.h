/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bad pages: memory errors in the pool. The kernel reports one to the dev_pagemap of the
 * GiB. The page is put on the region's list (core/badpages.h), which the next kernel
 * reads, and from then on this module neither reads nor writes it.
 *
 * The page flag HWPoison is not set. The struct pages of a folio's tail are shared, so
 * the flag of one would name thousands of pages; and only this module and its users'
 * mappings reach the memory.
 */
#ifndef _PKRAM_BAD_H
#define _PKRAM_BAD_H

#include "mem/types.h"

extern const struct dev_pagemap_ops pkram_bad_pgmap_ops;

/**
 * typedef pkram_bad_fn - act on a page that has become bad
 * @r: its region, which may not be in the store (yet)
 * @page: number of the page in the region; it is on the list already
 * @flags: MF_* of memory_failure()
 *
 * Context: may sleep. The page's GiB is not depopulated meanwhile: must not wait for that.
 */
typedef void (*pkram_bad_fn)(struct pkram_region *r, u32 page, int flags);

/**
 * pkram_bad_set_hook() - Set the store's function, at init, or remove it (NULL)
 *
 * Context: may sleep; on return the one before is not called any more. Pages are noted without it.
 */
void pkram_bad_set_hook(pkram_bad_fn fn);

/**
 * pkram_bad_note() - Put a page on the list
 * @r: region
 * @page: number of the page
 *
 * The kernel's reports of memory errors do that, and call the store's function. Context: may sleep.
 */
void pkram_bad_note(struct pkram_region *r, u32 page);

/**
 * pkram_bad_note_loose() - Note a page that is in no region
 * @phys: its physical address
 *
 * It is kept in this kernel only, and put on the list of a region that gets the page. Context:
 * may sleep; store.lock is held since it was seen that no region has it.
 */
void pkram_bad_note_loose(u64 phys);

/**
 * pkram_bad_merge_loose() - Put pages that broke before on the list of a region
 * @r: region with its full extent, about to be added to the store or to get memory
 *
 * Context: store.lock, so that pages that break later are found to be the region's.
 */
void pkram_bad_merge_loose(struct pkram_region *r);

/** pkram_bad_loosen() - Keep what is known of the pages of a region that could not be made */
void pkram_bad_loosen(struct pkram_region *r);

/**
 * pkram_bad_get_loose() - Find pages that broke while they were in no region
 * @base: start of a range
 * @size: its bytes
 * @list: of a region that begins at @base, to add them to; or NULL
 *
 * Return: whether there are some. If there were too many to keep, there are in any range.
 */
bool pkram_bad_get_loose(u64 base, u64 size, struct pkram_bad_ser *list);

/** pkram_bad_exit() - Forget what is known of pages, at exit */
void pkram_bad_exit(void);

/** pkram_bad_alloc() - Allocate the list of a new region object. Return: 0 or -ENOMEM. */
int pkram_bad_alloc(struct pkram_region *r);

/** pkram_bad_free() - Free the list of a region */
void pkram_bad_free(struct pkram_region *r);

/**
 * pkram_bad_read() - Read the list that is in a region's head, before anything else there
 * @r: region, whose GiB 0 is populated
 */
void pkram_bad_read(struct pkram_region *r);

/**
 * pkram_bad_replace() - Set the list of a region that is about to be made
 * @r: region
 * @list: what is known of its pages; NULL: nothing, and what its head holds is no list
 */
void pkram_bad_replace(struct pkram_region *r, const struct pkram_bad_ser *list);

/**
 * pkram_bad_keep() - Write a list into memory that is no region
 * @r: region object with the key that the list gets
 * @list: its pages may be beyond @r
 */
void pkram_bad_keep(struct pkram_region *r, const struct pkram_bad_ser *list);

/**
 * pkram_bad_accept() - Write the list when it changes, from now on
 * @r: region with a valid header
 *
 * Entries outside of the region are dropped; all are if the list lacks the pool's key.
 */
void pkram_bad_accept(struct pkram_region *r);

/**
 * pkram_bad_mirror() - Write the list if it has to be
 * @r: region with an accepted list
 *
 * Its slots are different, or could not be read, or pages broke before it was accepted.
 */
void pkram_bad_mirror(struct pkram_region *r);

/** pkram_bad_write() - Write the list into a new head, over what list is there, and accept it */
void pkram_bad_write(struct pkram_region *r);

/**
 * pkram_bad_head_usable() - Check whether one copy of each piece of metadata in a head is good
 * @r: region, that is about to be made
 */
bool pkram_bad_head_usable(struct pkram_region *r);

/**
 * pkram_bad_is_meta() - Check whether a unit is a head, or holds records as far as is known
 *
 * Context: any; what is being made a unit of records counts from the moment on at which the
 * unit map says so.
 */
bool pkram_bad_is_meta(const struct pkram_region *r, u32 unit);

/**
 * pkram_bad_next() - Find bad pages
 * @r: region
 * @from: first page to look at
 * @end: end of the range
 * @nr: out: as pkram_badpages_next()
 *
 * Return: the first bad page in the range, or @end.
 */
u32 pkram_bad_next(struct pkram_region *r, u32 from, u32 end, u32 *nr);

/** pkram_bad_count() - Count the bad pages of a run of units */
u32 pkram_bad_count(struct pkram_region *r, u32 unit, u32 nr);

/** pkram_bad_units() - Check whether a run of units has a bad page */
static inline bool pkram_bad_units(struct pkram_region *r, u32 unit, u32 nr)
{
	return READ_ONCE(r->nr_bad) && pkram_bad_count(r, unit, nr);
}

/**
 * pkram_bad_good_len() - Count the bytes before the next bad page
 * @r: region
 * @unit: unit
 * @off: offset in it
 * @len: do not look further than this
 *
 * Return: 0 if the byte at @off is in a bad page.
 */
size_t pkram_bad_good_len(struct pkram_region *r, u32 unit, size_t off, size_t len);

/**
 * pkram_bad_begin_write() - Begin to write to memory of the pool
 *
 * Pages that are looked up from now on, and are good, may be written until pkram_bad_end_write().
 * A page that breaks meanwhile stays in the kernel's mapping for so long; a report of a memory
 * error waits for that: take no lock, and no page fault. Reading needs copy_mc_to_kernel(), and
 * not this. Return: for pkram_bad_end_write().
 */
int pkram_bad_begin_write(void);

/** pkram_bad_end_write() - End what pkram_bad_begin_write() began. @idx: what that returned */
void pkram_bad_end_write(int idx);

/** pkram_bad_zero() - Zero a part of a unit, except its bad pages. Return: whether it has some. */
bool pkram_bad_zero(struct pkram_region *r, u32 unit, size_t off, size_t len);

#endif /* _PKRAM_BAD_H */
