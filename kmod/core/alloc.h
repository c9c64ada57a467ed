/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The extent allocator: it knows which units of which region are free. Pure: it
 * uses neither the memory nor records, and is rebuilt from the extents at every
 * load.
 *
 * Context of every function: the caller serialises all calls on one &struct
 * pkram_alloc. Only pkram_alloc_add_region() allocates memory.
 */
#ifndef _PKRAM_ALLOC_H
#define _PKRAM_ALLOC_H

#include "core/record.h"

#define PKRAM_NO_NODE		(-1)

/**
 * struct pkram_alloc_region - one region's free space
 * @next: in order of adding
 * @id: region id
 * @node: NUMA node, or %PKRAM_NO_NODE
 * @nr_units: units of the span
 * @nr_free: number of free units
 * @used: bitmap of @nr_units bits; units of absent GiB are set
 * @bad: bitmap: units with a bad page; they do not become free
 * @present: bitmap: GiB that exist
 * @gib_free: for each GiB the number of free units
 */
struct pkram_alloc_region {
	struct pkram_alloc_region *next;
	u64 id;
	int node;
	u32 nr_units;
	u32 nr_free;
	unsigned long *used;
	unsigned long *bad;
	unsigned long *present;
	u16 *gib_free;
};

/**
 * struct pkram_alloc - all regions
 * @regions: list
 * @nr_free: number of free units in all of them
 */
struct pkram_alloc {
	struct pkram_alloc_region *regions;
	u64 nr_free;
};

/**
 * struct pkram_alloc_request - a request for units
 * @obj_unit: offset of the run in the object, in units
 * @nr_units: length, not 0
 * @node: take from this node first; %PKRAM_NO_NODE for any
 * @strict: do not take from other nodes
 */
struct pkram_alloc_request {
	u32 obj_unit;
	u32 nr_units;
	int node;
	bool strict;
};

/**
 * pkram_alloc_add_region() - Add the space of a region
 * @al: allocator
 * @id: region id, not added yet
 * @node: NUMA node or %PKRAM_NO_NODE
 * @nr_gib: GiB of the span
 * @present: bit n: GiB n exists; all its units are free
 *
 * Return: 0, -ENOMEM, -EEXIST, -EINVAL @nr_gib.
 */
int pkram_alloc_add_region(struct pkram_alloc *al, u64 id, int node,
			   u32 nr_gib, const u64 *present);

/** pkram_alloc_remove_region() - Remove a region */
void pkram_alloc_remove_region(struct pkram_alloc *al, u64 id);

/** pkram_alloc_destroy() - Remove all regions and free the allocator's memory */
void pkram_alloc_destroy(struct pkram_alloc *al);

/** pkram_alloc_find() - Find a region by its id; NULL if there is none */
struct pkram_alloc_region *pkram_alloc_find(const struct pkram_alloc *al,
					    u64 id);

/**
 * pkram_alloc_mark() - Take a given run of units
 * @al: allocator
 * @id: region id
 * @unit: first unit
 * @nr: number of units
 *
 * Return: 0; -ENOENT no such region; -ERANGE outside of it; -EEXIST a unit is
 * taken already (then nothing was taken).
 */
int pkram_alloc_mark(struct pkram_alloc *al, u64 id, u32 unit, u32 nr);

/** pkram_alloc_free() - Free a run of units, each of which must be taken; bad ones stay taken */
void pkram_alloc_free(struct pkram_alloc *al, u64 id, u32 unit, u32 nr);

/** pkram_alloc_set_bad() - Keep a unit back for good; one that is free is taken */
void pkram_alloc_set_bad(struct pkram_alloc *al, u64 id, u32 unit);

/**
 * pkram_alloc_get() - Allocate units for a run of an object
 * @al: allocator
 * @req: request
 * @out: out: extents, sorted by obj_unit, adjacent ones merged
 * @max: number of elements in @out
 *
 * Parts of the run that are whole GiB, aligned in the object, get whole free GiB
 * (aligned in the region) as long as there are some, from the top down. All other
 * parts get units from GiB that are in use already, from the bottom up, in as few
 * extents as the free runs allow; a wholly free GiB is broken only if nothing else
 * is left. GiB 0 of a region is never wholly free. The requested node comes first;
 * others follow unless the request is strict.
 *
 * All or nothing. Return: number of extents; -ENOSPC not enough free units; -EFBIG
 * more than @max extents needed (up to two that merge with a neighbour only at the
 * end count as well); -EINVAL impossible request.
 */
int pkram_alloc_get(struct pkram_alloc *al,
		    const struct pkram_alloc_request *req,
		    struct pkram_extent *out, u32 max);

/**
 * pkram_alloc_gib_idle() - Check whether GiB @gib is present, wholly free, and not GiB 0
 */
bool pkram_alloc_gib_idle(const struct pkram_alloc_region *r, u32 gib);

/**
 * pkram_alloc_set_gib() - Add a GiB to a region or remove it
 * @al: allocator
 * @id: region id
 * @gib: GiB of the span
 * @present: true: it was absent, its units become free; false: it must be idle
 *
 * Return: 0, -ENOENT, -EBUSY.
 */
int pkram_alloc_set_gib(struct pkram_alloc *al, u64 id, u32 gib, bool present);

#endif /* _PKRAM_ALLOC_H */
