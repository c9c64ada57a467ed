/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mappings of a VFIO container by IOVA, the ranges that may be mapped, and the
 * rules of VFIO's type1 (version 2) for both. Pure: uses neither memory nor IOMMU.
 *
 * Ranges are inclusive, first to last, so that a range can end with the last byte
 * of the address space. Context of every function: the caller serialises all calls
 * on one map.
 */
#ifndef _PKRAM_IOVA_MAP_H
#define _PKRAM_IOVA_MAP_H

#include "core/pure.h"

/**
 * struct pkram_dma - a mapping
 * @first: IOVA
 * @last: IOVA of its last byte
 * @vaddr_invalid: it has no user address at present
 */
struct pkram_dma {
	u64 first;
	u64 last;
	bool vaddr_invalid;
};

/**
 * struct pkram_iova_map - the mappings of a VFIO container
 * @dma: in order of IOVA, without overlaps
 * @nr: number of mappings
 * @room: number of elements that @dma has space for
 * @limit: maximum of @nr
 * @nr_invalid: number of mappings without a user address
 */
struct pkram_iova_map {
	struct pkram_dma **dma;
	u32 nr;
	u32 room;
	u32 limit;
	u32 nr_invalid;
};

/** struct pkram_run - an inclusive range of IOVA */
struct pkram_run {
	u64 first;
	u64 last;
};

/**
 * struct pkram_runs - the ranges that may be mapped
 * @run: in order, not adjacent
 * @nr: number of ranges
 * @room: number of elements that @run has space for
 */
struct pkram_runs {
	struct pkram_run *run;
	u32 nr;
	u32 room;
};

/**
 * struct pkram_seg - a part of a mapping within one object
 * @pos: its start in the mapping
 * @len: in bytes
 * @object: the mapped object; NULL: memory outside of the pool
 * @offset: in the object
 */
struct pkram_seg {
	u64 pos;
	u64 len;
	const void *object;
	u64 offset;
};

/** pkram_iova_map_free() - Free the array of a table; the mappings are not touched */
void pkram_iova_map_free(struct pkram_iova_map *t);

/**
 * pkram_iova_map_find() - Find the lowest mapping that overlaps a range
 * @t: table
 * @first: range
 * @last: range
 * @overlaps: out: there is one
 *
 * Return: index of the first mapping that ends at @first or later, @t->nr if none
 * does.
 */
u32 pkram_iova_map_find(const struct pkram_iova_map *t, u64 first, u64 last,
			bool *overlaps);

/**
 * pkram_iova_map_check() - Validate an IOVA and a size
 * @first: IOVA
 * @size: in bytes
 * @pgsize: smallest page of the IOMMU
 * @last: out
 *
 * Return: 0; -EINVAL empty or not aligned; -EOVERFLOW it wraps around.
 */
int pkram_iova_map_check(u64 first, u64 size, u64 pgsize, u64 *last);

/**
 * pkram_iova_map_insert() - Add a mapping
 * @t: table
 * @dma: with its range
 *
 * Return: 0; -EEXIST the range overlaps a mapping; -ENOSPC the limit is reached;
 * -ENOMEM.
 */
int pkram_iova_map_insert(struct pkram_iova_map *t, struct pkram_dma *dma);

/** pkram_iova_map_remove() - Remove mapping number @i and return it */
struct pkram_dma *pkram_iova_map_remove(struct pkram_iova_map *t, u32 i);

/**
 * pkram_iova_map_whole() - Find the mappings in a range; fail if the range cuts
 * one
 * @t: table
 * @first: range
 * @last: range
 * @i: out: index of the first
 * @nr: out: number of mappings
 *
 * Return: 0, also if there are none; -EINVAL a mapping is only partly in the
 * range.
 */
int pkram_iova_map_whole(const struct pkram_iova_map *t, u64 first, u64 last,
			 u32 *i, u32 *nr);

/**
 * pkram_iova_map_invalidate() - Mark the user addresses of mappings as invalid
 * @t: table
 * @i: index of the first
 * @nr: number of mappings
 *
 * Return: 0; -EINVAL one is invalid already: then nothing is changed.
 */
int pkram_iova_map_invalidate(struct pkram_iova_map *t, u32 i, u32 nr);

/**
 * pkram_iova_map_find_invalid() - Find the mapping that gets a new user address
 * @t: table
 * @first: its range
 * @last: its range
 * @i: out: its index
 *
 * Return: 0; -ENOENT there is no mapping; -EINVAL its range differs, or it has an
 * address.
 */
int pkram_iova_map_find_invalid(const struct pkram_iova_map *t, u64 first,
				u64 last, u32 *i);

/** pkram_iova_map_revalidate() - Mark the user address of mapping number @i as valid again */
void pkram_iova_map_revalidate(struct pkram_iova_map *t, u32 i);

/** pkram_runs_free() - Free the list; no range is open then */
void pkram_runs_free(struct pkram_runs *r);

/** pkram_runs_set() - Open one range and close all others. Return: 0 or -ENOMEM. */
int pkram_runs_set(struct pkram_runs *r, u64 first, u64 last);

/** pkram_runs_exclude() - Close a range. Return: 0 or -ENOMEM. */
int pkram_runs_exclude(struct pkram_runs *r, u64 first, u64 last);

/** pkram_runs_contain() - Check whether all of a range is open */
bool pkram_runs_contain(const struct pkram_runs *r, u64 first, u64 last);

/** pkram_runs_fit() - Check whether each mapping lies in an open range */
bool pkram_runs_fit(const struct pkram_runs *r, const struct pkram_iova_map *t);

/**
 * pkram_segs_same() - Check whether two lists describe the same memory
 * @a: segments without gaps, from 0 on
 * @nr_a: number of segments
 * @b: the other list
 * @nr_b: number of segments
 *
 * The lists may be split at different positions. All memory outside of the pool is
 * considered the same.
 */
bool pkram_segs_same(const struct pkram_seg *a, u32 nr_a,
		     const struct pkram_seg *b, u32 nr_b);

#endif /* _PKRAM_IOVA_MAP_H */
