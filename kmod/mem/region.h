/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions: physical memory taken out of System RAM, made addressable, given
 * back. Knows nothing of objects.
 *
 * Each GiB of a region is claimed (has struct pages and a kernel mapping) by
 * a dev_pagemap of its own, as one 1G folio or as 512 2M folios. GiB 0, with
 * the head, is claimed as 2M folios as long as the region is attached; the
 * others when they are touched first, so that attaching costs nothing per GiB.
 *
 * Claiming takes the kernel's memory hotplug lock, under which the kernel
 * may wait for an mmap_lock (KSM). So no function here that claims may be
 * called with an mmap_lock held, nor with a lock that is taken under one.
 */
#ifndef _PKRAM_REGION_H
#define _PKRAM_REGION_H

#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/memremap.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include "core/record.h"

#define PKRAM_SLICE_NONE	0	/* not claimed */
#define PKRAM_SLICE_2M		9	/* vmemmap_shift of the pgmap */
#define PKRAM_SLICE_1G		18

/**
 * struct pkram_gib - one GiB of a region
 * @pgmap: set while claimed
 * @slice: PKRAM_SLICE_*; read without lock, published with release
 */
struct pkram_gib {
	struct dev_pagemap *pgmap;
	unsigned int slice;
};

/**
 * struct pkram_region - an attached region
 * @list: in the pool's list, in order of address
 * @h: decoded header; changed under the store's lock
 * @cur: header slot that counts
 * @nid: NUMA node that its memory is on
 * @head: kernel address of unit 0; unit n is at @head + n * PKRAM_UNIT, to be
 *	touched only while its GiB is claimed
 * @map_lock: writers of the unit map
 * @claim_lock: changes of @gib; see the rule above. Order: claim_lock, then
 *	the kernel's hotplug lock
 * @gib: h.nr_gib entries
 * @resources: of kmalloc'ed struct resource, one for each run of present GiB
 * @nr_resources: number of them
 * @scratch: one header slot, for pkram_region_commit()
 * @read_only: unknown ro-compat bits: nothing may be changed
 */
struct pkram_region {
	struct list_head list;
	struct pkram_header h;
	int cur;
	int nid;
	void *head;
	spinlock_t map_lock;		/* the unit map */
	struct mutex claim_lock;	/* gib */
	struct pkram_gib *gib;
	struct resource **resources;
	u32 nr_resources;
	void *scratch;
	bool read_only;
};

static inline u64 pkram_region_id_of(const struct pkram_region *r)
{
	return r->h.region_id;
}

static inline bool pkram_region_present(const struct pkram_region *r, u32 gib)
{
	return gib < r->h.nr_gib && (r->h.present[gib / 64] >> (gib % 64) & 1);
}

/** pkram_region_unit_addr() - kernel address of a unit; its GiB is claimed */
static inline void *pkram_region_unit_addr(const struct pkram_region *r,
					   u32 unit)
{
	return r->head + ((unsigned long)unit << PKRAM_UNIT_SHIFT);
}

/** pkram_region_unit_phys() - physical address of a unit */
static inline phys_addr_t pkram_region_unit_phys(const struct pkram_region *r,
						 u32 unit)
{
	return r->h.base + ((phys_addr_t)unit << PKRAM_UNIT_SHIFT);
}

/** pkram_region_slice() - how a GiB is claimed now; PKRAM_SLICE_* */
static inline unsigned int pkram_region_slice(const struct pkram_region *r,
					      u32 gib)
{
	/* Pairs with claiming and unclaiming */
	return smp_load_acquire(&r->gib[gib].slice);
}

/**
 * struct pkram_refusal - a GiB that could not be taken or given back
 * @base: physical address
 * @size: bytes
 * @err: negative errno
 * @reason: words
 */
struct pkram_refusal {
	u64 base;
	u64 size;
	int err;
	const char *reason;
};

/** pkram_region_init() - once, at module load */
void pkram_region_init(void);

/**
 * pkram_region_take_unit() - bytes that can be taken at a time
 *
 * Return: the larger of 1 GiB and the kernel's memory block size.
 */
u64 pkram_region_take_unit(void);

/**
 * pkram_region_next_candidate() - RAM that could be taken, from the top down
 * @below: look below this physical address
 * @node: on this NUMA node, or PKRAM_NO_NODE
 *
 * Return: base of an aligned unit that is System RAM as a whole, or 0.
 */
u64 pkram_region_next_candidate(u64 below, int node);

/**
 * pkram_region_take() - take one unit of RAM away from the kernel
 * @base: physical address, aligned to the unit
 * @refusal: out: filled on failure
 *
 * Afterwards it is not System RAM, which is verified. Context: may sleep for
 * seconds (migrates pages). Return: 0 or negative errno.
 */
int pkram_region_take(u64 base, struct pkram_refusal *refusal);

/**
 * pkram_region_give() - make memory ordinary RAM again, online
 * @base: physical address of something that pkram_region_take() took, in this
 *	kernel or an earlier one; neither claimed nor covered by a resource
 * @size: bytes
 * @nid: node
 *
 * The caller has zeroed it, if it ever held anything. Return: 0 or negative
 * errno.
 */
int pkram_region_give(u64 base, u64 size, int nid);

/**
 * pkram_region_check_free() - is a range not used by this kernel?
 * @base: physical address
 * @size: bytes
 *
 * Return: 0; -EADDRINUSE some of it is System RAM or a device's.
 */
int pkram_region_check_free(u64 base, u64 size);

/**
 * pkram_region_open() - make a range of memory a region object
 * @base: physical address of GiB 0
 * @refusal: words for the failure, or NULL
 *
 * Claims GiB 0, so that @head can be read, and nothing else; the header is
 * not read: @h is zero but for @h.base, with nr_gib 1 and GiB 0 present.
 * Return: region, or ERR_PTR. Free by pkram_region_close().
 */
struct pkram_region *pkram_region_open(u64 base);

/**
 * pkram_region_set_span() - tell an open region its true extent
 * @r: region
 *
 * @r->h is filled in. Inserts the resources (memory map entries "pkram", busy
 * and exclusive). Return: 0, -EADDRINUSE, -ENOMEM.
 */
int pkram_region_set_span(struct pkram_region *r);

/**
 * pkram_region_update_span() - renew the memory map entries
 * @r: region whose present GiB changed; those that went are unclaimed
 *
 * Return: 0; -ENOMEM, and they are as before; -EADDRINUSE.
 */
int pkram_region_update_span(struct pkram_region *r);

/**
 * pkram_region_close() - unclaim everything and free
 * @r: region; nothing in it is mapped or referenced
 * @keep_resources: leave the memory map entries, so that nobody else takes
 *	the range while the module is away
 */
void pkram_region_close(struct pkram_region *r, bool keep_resources);

/**
 * pkram_region_claim() - claim a GiB
 * @r: region
 * @gib: which
 * @slice: %PKRAM_SLICE_2M or %PKRAM_SLICE_1G
 *
 * If it is claimed already, as whatever, it stays as it is: somebody may be
 * using it. Context: see above. Return: 0 or negative errno.
 */
int pkram_region_claim(struct pkram_region *r, u32 gib, unsigned int slice);

/** pkram_region_unclaim() - unclaim a GiB that nobody uses; see claim */
void pkram_region_unclaim(struct pkram_region *r, u32 gib);

/**
 * pkram_region_pinned() - does somebody still hold pages of a unit?
 * @r: region
 * @unit: unit
 *
 * O_DIRECT, io_uring or VFIO may hold pages of memory that is not mapped any
 * more. Such memory must not be used again. Return: true if so.
 */
bool pkram_region_pinned(const struct pkram_region *r, u32 unit);

/**
 * pkram_region_wipe() - zero a GiB that nobody uses, and unclaim it
 * @r: region
 * @gib: which
 *
 * Context: as claim. Return: 0 or negative errno, if it could not be claimed: then
 * it is not zero.
 */
int pkram_region_wipe(struct pkram_region *r, u32 gib);

/**
 * pkram_region_prepare() - zero those units of a run that are stale
 * @r: region
 * @unit: first
 * @nr: number; a long run is done by several CPUs
 *
 * And mark them written. Two callers at one unit exclude each other, so that
 * bytes written after the one's return are not zeroed by the other. Context:
 * may sleep; the GiB are claimed. Return: 0, or -EUCLEAN if the unit map is
 * damaged there.
 */
int pkram_region_prepare(struct pkram_region *r, u32 unit, u32 nr);

/** pkram_region_commit() - write the header; caller serialises per region */
void pkram_region_commit(struct pkram_region *r);

/* The unit map, serialised; see pkram_map_get() and pkram_map_set() */
int pkram_region_map_get(struct pkram_region *r, u32 unit);
int pkram_region_map_set(struct pkram_region *r, u32 unit, u32 nr, int state);

#endif /* _PKRAM_REGION_H */
