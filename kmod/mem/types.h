/* SPDX-License-Identifier: GPL-2.0 */
/* struct pkram_region, and functions that need nothing else. */
#ifndef _PKRAM_TYPES_H
#define _PKRAM_TYPES_H

#include <linux/atomic.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/memremap.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include "core/badpages.h"
#include "core/header.h"

#define PKRAM_SLICE_NONE	0	/* not populated */
#define PKRAM_SLICE_2M		9	/* vmemmap_shift of the pgmap */
#define PKRAM_SLICE_1G		18

/**
 * struct pkram_gib - one GiB of a region
 * @pgmap: set while populated
 * @slice: PKRAM_SLICE_*; read without lock, published with release
 * @users: tasks that are about to populate it, see pkram_store_populate(); it must not
 *	leave the region meanwhile
 * @inserts_begun: leaves that were about to be inserted; see pkram_region_pinned()
 * @inserts_done: those of them that are, or could not be
 * @leaving: for store/space.c: it is idle and taken, to be depopulated; store.lock
 */
struct pkram_gib {
	struct dev_pagemap *pgmap;
	unsigned int slice;
	atomic_t users;
	atomic_t inserts_begun;
	atomic_t inserts_done;
	bool leaving;
};

/**
 * struct pkram_region - an attached region
 * @list: in the pool's list, in order of address
 * @h: decoded header; changed under the store's lock
 * @nid: NUMA node that its memory is on
 * @head: kernel address of unit 0; unit n is at @head + n * PKRAM_UNIT, to be
 *	accessed only while its GiB is populated
 * @map_lock: serialises writers of the unit map
 * @populate_lock: serialises changes of @gib; see region.h. Order: populate_lock,
 *	then the kernel's hotplug lock
 * @gib: h.nr_gib entries
 * @resources: of kmalloc'ed struct resource, one for each run of present GiB
 * @nr_resources: number of them
 * @scratch: one header slot, for pkram_region_commit()
 * @differs: the slots of the header differ: to be written before the region is used
 * @read_only: unknown ro-compat bits: the region must not be changed
 * @bad: list of bad pages; see mem/bad.h
 * @bad_lock: @bad
 * @bad_valid: a slot of the list is valid, and has the pool's key as far as that is known
 * @bad_dirty: the slots are not as the list is
 * @nr_bad: number of its entries, to be read without lock
 * @bad_ours: the memory is a region of the pool, so that the list may be written
 */
struct pkram_region {
	struct list_head list;
	struct pkram_header h;
	int nid;
	void *head;
	spinlock_t map_lock;		/* the unit map */
	struct mutex populate_lock;	/* gib */
	struct pkram_gib *gib;
	struct resource **resources;
	u32 nr_resources;
	void *scratch;
	bool differs;
	bool read_only;
	struct pkram_bad_ser *bad;
	spinlock_t bad_lock;		/* bad */
	bool bad_valid;
	bool bad_dirty;
	u32 nr_bad;
	bool bad_ours;
};

static inline u64 pkram_region_id_of(const struct pkram_region *r)
{
	return r->h.region_id;
}

static inline bool pkram_region_present(const struct pkram_region *r, u32 gib)
{
	return pkram_header_has_gib(&r->h, gib);
}

/** pkram_region_unit_addr() - Return the kernel address of a unit, whose GiB must be populated */
static inline void *pkram_region_unit_addr(const struct pkram_region *r,
					   u32 unit)
{
	return r->head + ((unsigned long)unit << PKRAM_UNIT_SHIFT);
}

/** pkram_region_unit_phys() - Return the physical address of a unit */
static inline phys_addr_t pkram_region_unit_phys(const struct pkram_region *r,
						 u32 unit)
{
	return r->h.base + ((phys_addr_t)unit << PKRAM_UNIT_SHIFT);
}

/** pkram_region_slice() - Read how a GiB is populated now; PKRAM_SLICE_* */
static inline unsigned int pkram_region_slice(const struct pkram_region *r,
					      u32 gib)
{
	/* Pairs with populating and depopulating */
	return smp_load_acquire(&r->gib[gib].slice);
}

/**
 * struct pkram_refusal - a GiB that could not be taken or given back
 * @base: physical address
 * @size: bytes
 * @err: negative errno
 * @reason: text
 * @nr_bad: number of bad pages, if that is the reason
 */
struct pkram_refusal {
	u64 base;
	u64 size;
	int err;
	const char *reason;
	u32 nr_bad;
};

#endif /* _PKRAM_TYPES_H */
