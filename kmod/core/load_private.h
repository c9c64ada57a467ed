/* SPDX-License-Identifier: GPL-2.0 */
/* What load.c, which judges records, uses of load_units.c, which judges their units */
#ifndef _PKRAM_LOAD_PRIVATE_H
#define _PKRAM_LOAD_PRIVATE_H

#include "core/record.h"

struct pkram_alloc;
struct pkram_alloc_region;
struct pkram_load_region;
struct pkram_load_result;
struct pkram_loaded;

/*
 * By what items are found; sorted by id, then the newest first; records of the root
 * by age before that. When copies are settled, the good one of an id is the first.
 */
struct id_key {
	u64 id;
	u64 seq;
	struct pkram_time born;
	u32 item;
};

struct name_key {
	u64 parent;
	u64 id;
	const char *name;
	u32 item;
};

/* A run of units that an item claims to own. */
struct run {
	u32 region;		/* index in loader.regions */
	u32 start;
	u32 end;
	u32 item;
	bool sure;		/* whole and possible, else the part in the region */
};

/*
 * A bit for each unit of a region, and how many are set before each word: tells how
 * many there are in a run, however long, without a look at each.
 */
struct unit_bits {
	const unsigned long *bits;
	u32 *before;
};

/*
 * @used: units that no object can have: absent, or metadata
 * @unowned: units that the unit map does not know as owned; its bits are in @map
 */
struct region_ref {
	u64 id;
	const struct pkram_load_region *lr;
	struct pkram_alloc_region *ar;
	struct unit_bits used;
	struct unit_bits unowned;
	unsigned long *map;
};

struct loader {
	struct pkram_alloc *al;
	struct pkram_load_result *res;
	struct region_ref *regions;
	u32 nr_regions;
	u32 cap;		/* number of elements that res->items has space for */
	struct id_key *ids;
	u32 nr_ids;
	u32 *next;		/* by item: the record that it replaces; later: marks of the walk */
	bool *replaced;		/* by item */
	struct name_key *names;
	struct run *runs;
	u64 nr_runs;
};

#define NO_ITEM		(~0U)

static inline int pkram_load_cmp_u64(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

/** pkram_load_condemn() - Note what is wrong with an item, unless something is already */
void pkram_load_condemn(struct pkram_loaded *it, enum pkram_bad bad, u64 other);

/** pkram_load_sort_regions() - Sort the regions, to find them by their ids */
void pkram_load_sort_regions(struct loader *l);

/** pkram_load_index_region() - Count the units of a region that no object can have */
int pkram_load_index_region(struct region_ref *ref);

/** pkram_load_check_extents() - Condemn items whose extents are not in a region */
void pkram_load_check_extents(struct loader *l);

/** pkram_load_collect_runs() - List the units of all items, sorted. Return: 0 or -ENOMEM */
int pkram_load_collect_runs(struct loader *l);

/** pkram_load_check_overlaps() - Condemn items that share units */
void pkram_load_check_overlaps(struct loader *l);

/** pkram_load_take_runs() - Take the units of all items from the allocator, and note who shares */
void pkram_load_take_runs(struct loader *l);

/**
 * pkram_load_take_unowned() - Take the units of a region that may belong to a lost record
 * @l: loader; all units that the map does not mark as free, if a record is lost
 * @ref: region
 */
void pkram_load_take_unowned(struct loader *l, struct region_ref *ref);

#endif /* _PKRAM_LOAD_PRIVATE_H */
