/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions: physical memory taken out of System RAM, made addressable, given back.
 * This file does not know objects.
 *
 * Each GiB of a region is populated (has struct pages and a kernel mapping) by a
 * separate dev_pagemap, as one 1G folio or as 512 2M folios. GiB 0, with the head,
 * is populated as 2M folios as long as the region is attached; the others are
 * populated when they are touched first, so that attaching costs nothing per GiB.
 *
 * Populating takes the kernel's memory hotplug lock, under which the kernel may wait
 * for an mmap_lock (KSM). Therefore functions that populate must not be called with
 * an mmap_lock held, nor with a lock that is taken under one.
 */
#ifndef _PKRAM_REGION_H
#define _PKRAM_REGION_H

#include "mem/types.h"

/**
 * pkram_region_open() - Create a region object for a range of memory
 * @base: physical address of GiB 0
 *
 * Populates only GiB 0, so that @head can be read, and reads the list of bad pages. The
 * header is not read: @h is zero except for @h.base, with nr_gib 1 and GiB 0 present.
 * Return: region, or ERR_PTR. Free by pkram_region_close().
 */
struct pkram_region *pkram_region_open(u64 base);

/**
 * pkram_region_set_span() - Set the true extent of an open region
 * @r: region
 *
 * @r->h must be filled in. Inserts the resources (memory map entries "pkram", busy
 * and exclusive). Return: 0, -EADDRINUSE, -ENOMEM.
 */
int pkram_region_set_span(struct pkram_region *r);

/**
 * pkram_region_update_span() - Renew the memory map entries
 * @r: region whose present GiB changed; GiB that were removed are depopulated
 *
 * Return: 0; -ENOMEM, with the old entries still in place; -EADDRINUSE.
 */
int pkram_region_update_span(struct pkram_region *r);

/**
 * pkram_region_close() - Depopulate all GiB of a region and free it
 * @r: region; nothing in it is mapped or referenced
 * @keep_resources: leave the memory map entries, so that no other driver
 *	takes the range while the module is not loaded
 */
void pkram_region_close(struct pkram_region *r, bool keep_resources);

/**
 * pkram_region_populate() - Populate a GiB
 * @r: region
 * @gib: GiB of the region
 * @slice: %PKRAM_SLICE_2M or %PKRAM_SLICE_1G
 *
 * If it is populated already, in either way, it is not changed, because it may be in
 * use.
 * Context: see above. Return: 0 or negative errno.
 */
int pkram_region_populate(struct pkram_region *r, u32 gib, unsigned int slice);

/** pkram_region_depopulate() - Depopulate a GiB that is not in use; see pkram_region_populate() */
void pkram_region_depopulate(struct pkram_region *r, u32 gib);

/**
 * pkram_region_pinned() - Check whether pages of a unit are still referenced
 * @r: region
 * @unit: unit
 *
 * O_DIRECT, io_uring or VFIO may hold pages of memory that is not mapped any more.
 * Such memory must not be reused. A GiB that is one folio has one count for all its units:
 * leaves of page tables do not count, so that its free units need not wait until the others
 * are unmapped. No leaf maps @unit. Return: true if pages are referenced.
 */
bool pkram_region_pinned(const struct pkram_region *r, u32 unit);

/**
 * pkram_region_insert_begin() - Announce that a leaf will be inserted in a page table
 * @r: region
 * @gib: GiB of the leaf's memory
 */
void pkram_region_insert_begin(struct pkram_region *r, u32 gib);

/** pkram_region_insert_end() - End what pkram_region_insert_begin() began */
void pkram_region_insert_end(struct pkram_region *r, u32 gib);

/** pkram_region_commit() - Write the header; the caller serialises per region */
void pkram_region_commit(struct pkram_region *r);

/** pkram_region_map_get() - Read the state of a unit, as pkram_map_get() */
int pkram_region_map_get(struct pkram_region *r, u32 unit);

/** pkram_region_map_set() - Set the state of units as pkram_map_set(), one caller at a time */
int pkram_region_map_set(struct pkram_region *r, u32 unit, u32 nr, int state);

#endif /* _PKRAM_REGION_H */
