/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loader: it reads and verifies every record of a pool, and reports for each
 * whether it is good or what is wrong with it. Pure; writes nothing.
 */
#ifndef _PKRAM_LOAD_H
#define _PKRAM_LOAD_H

#include "core/header.h"
#include "core/record.h"
#include "core/alloc.h"

/**
 * struct pkram_load_region - a region whose header was read
 * @h: its header
 * @base: address of unit 0; unit n is at @base + n * PKRAM_UNIT. The loader
 *	accesses only the head and the units of @h->meta.
 */
struct pkram_load_region {
	const struct pkram_header *h;
	void *base;
};

/**
 * struct pkram_location - position of a record's pair of slots
 * @region_id: region
 * @unit: unit in it
 * @pair: number of the pair; 0 for large records
 * @large: size of the slots
 * @cur: 0 or 1, the slot in use
 */
struct pkram_location {
	u64 region_id;
	u32 unit;
	u16 pair;
	bool large;
	u8 cur;
};

/**
 * struct pkram_loaded - one record that is not free, or a pair that is half free
 * @rec: the record; with %PKRAM_BAD_CHECKSUM empty
 * @loc: its position
 * @bad: verdict
 * @other: with %PKRAM_BAD_OVERLAP, %PKRAM_BAD_DUP_ID and %PKRAM_BAD_DUP_NAME:
 *	id of the other object
 * @lost: bad, and its extents are unknown
 * @mirror: slots differ: pkram_record_mirror() is to be called before anything
 *	relies on what this item says, be it good or bad
 * @is_void: replaced by another object, or an older copy of the same one
 *	elsewhere. To be set free. A record of kind free with @mirror is one as
 *	well: its pair is free, but for what a cut left in the other slot.
 * @orphan: good, but its directory is missing: to be shown at the root
 * @shares: a unit that it claims may have another owner, or is none that an object can have
 */
struct pkram_loaded {
	struct pkram_record rec;
	struct pkram_location loc;
	enum pkram_bad bad;
	u64 other;
	bool lost;
	bool mirror;
	bool is_void;
	bool orphan;
	bool shares;
};

/**
 * struct pkram_load_result - result of the loader
 * @items: @nr records, from pkram_alloc_mem()
 * @nr: number of them
 * @max_id: highest object id that any record names (also as parent or
 *	replaced), or that a good DMA table maps, at most %PKRAM_ID_MAX
 * @lost: a record was found whose extents are unknown (no slot is valid, or
 *	it is inconsistent): units without an owner may belong to it
 */
struct pkram_load_result {
	struct pkram_loaded *items;
	u32 nr;
	u64 max_id;
	bool lost;
};

/**
 * pkram_load() - Read and verify all records of a pool
 * @regions: regions, all of one pool
 * @nr_regions: number of them
 * @al: allocator that knows these regions, all free except heads and meta units;
 *	on return the units of every good record are taken, and those that a
 *	bad record claims as well, where that is possible
 * @res: out; see pkram_load_release()
 *
 * Rules:
 * - Several records with one id: those of one kind and btime are versions of one
 *   object. The one with the highest seq counts, the others are void, even if bad
 *   (a record that moved between slot sizes). If the highest seq occurs twice, or
 *   the newest is bad: all of them are bad. If there are good ones that differ in
 *   kind or btime: all are bad; but of the root the one that is oldest by btime
 *   stays. A bad record condemns no other but its own older versions.
 * - A record that another, good one replaces and that has its parent and name
 *   is void.
 * - Records whose extents overlap are bad (the owner of the memory is unknown).
 * - Of several with one parent and name all except the lowest id are bad.
 * - A missing region, an extent outside its region, in an absent GiB or over
 *   metadata: bad. So is an extent over units that the unit map does not mark
 *   as owned: the map is set before a record names a unit, and set free after.
 * - A record whose parent is not a good directory is an orphan; of a cycle of
 *   directories the one with the lowest id is. Objects below an orphan
 *   directory are not orphans. The root always counts as existing. A DMA table
 *   has no parent.
 * - Units whose map state is unknown (a word damaged in both copies) are taken,
 *   and if @res->lost also those whose state is not free and that have no owner,
 *   so that they are not reused.
 *
 * Context: allocates memory, may sleep. Time grows with the number of records and
 * extents, and with one word of the map for each 32 MiB.
 * Return: 0; or -ENOMEM, then @al is unchanged and @res empty.
 */
int pkram_load(const struct pkram_load_region *regions, u32 nr_regions,
	       struct pkram_alloc *al, struct pkram_load_result *res);

/**
 * pkram_load_keep() - Take units that the map does not mark as free and that have
 * no owner
 * @regions: as for pkram_load(), which was called before
 * @nr_regions: number of them
 * @al: allocator
 *
 * For a pool with a lost region: records in it may own memory in the others.
 * pkram_load() does the same if it finds a lost record.
 */
void pkram_load_keep(const struct pkram_load_region *regions, u32 nr_regions,
		     struct pkram_alloc *al);

/** pkram_load_release() - Free a result, including the buffers of its records */
void pkram_load_release(struct pkram_load_result *res);

#endif /* _PKRAM_LOAD_H */
