/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of objects. Functions that change it say so; their callers hold
 * i_rwsem exclusively. For the locks see store/objects.h.
 */
#ifndef _PKRAM_STORE_EXTENTS_H
#define _PKRAM_STORE_EXTENTS_H

#include <linux/types.h>

struct pkram_object;
struct pkram_region;

/**
 * typedef pkram_unmap_fn - unmap a range of an object from all processes
 * @obj: object
 * @first_unit: from
 * @nr_units: how many, 0 for up to the end
 */
typedef void (*pkram_unmap_fn)(struct pkram_object *obj, u32 first_unit,
			       u32 nr_units);

/** pkram_store_set_unmap() - set the file system's function for that; once, at init */
void pkram_store_set_unmap(pkram_unmap_fn fn);

/**
 * pkram_store_resize() - change the size (changes)
 *
 * Growing allocates all of the new range. Shrinking unmaps and frees, and zeroes the
 * rest of the last page. The same size frees what is beyond it. Return: 0, -ENOSPC,
 * -EFBIG, -ENOMEM, -EROFS; -EBUSY a part that would be freed is under DMA.
 */
int pkram_store_resize(struct pkram_object *obj, u64 size);

/**
 * pkram_store_resize_write() - grow for a write beyond the end (changes)
 *
 * As pkram_store_resize(), but without an event, as there may be thousands.
 */
int pkram_store_resize_write(struct pkram_object *obj, u64 size);

/**
 * struct pkram_place - where memory is to come from
 * @node: this NUMA node first
 * @strict: no other node
 */
struct pkram_place {
	int node;
	bool strict;
};

/**
 * pkram_store_allocate() - fill the holes of a range of bytes; size unchanged
 * @obj: the object
 * @offset: in bytes
 * @len: in bytes
 * @place: where from; NULL: near this CPU
 *
 * Return: 0, -ENOSPC, -EFBIG, -ENOMEM, -EROFS.
 */
int pkram_store_allocate(struct pkram_object *obj, u64 offset, u64 len,
			 const struct pkram_place *place);

/**
 * pkram_store_punch() - make a range read as zero, free whole units (changes)
 *
 * Return: as pkram_store_resize().
 */
int pkram_store_punch(struct pkram_object *obj, u64 offset, u64 len);

/**
 * struct pkram_span - where an offset of an object is
 * @region: region, NULL for a hole
 * @unit: unit in the region
 * @nr_units: from there on to the end of the extent (or of the hole, to
 *	U32_MAX for the last)
 * @whole_gib: one extent gives the whole GiB of the object around this unit a
 *	whole GiB of the region: it is, or will be, one 1G folio
 */
struct pkram_span {
	struct pkram_region *region;
	u32 unit;
	u32 nr_units;
	bool whole_gib;
};

/** pkram_store_find() - look up the span at a unit. Context: map_sem. */
void pkram_store_find(struct pkram_object *obj, u32 obj_unit,
		      struct pkram_span *span);

/**
 * pkram_store_find_span() - the same, taking map_sem for the look
 *
 * Faults may fill holes meanwhile. The caller keeps an extent that is found from
 * going away: by i_rwsem, or by a pin. Context: without map_sem.
 */
void pkram_store_find_span(struct pkram_object *obj, u32 obj_unit,
			   struct pkram_span *span);

/**
 * pkram_store_claim_span() - make the memory at a span addressable
 * @span: found
 *
 * Context: i_rwsem may be held, map_sem and mmap_lock not; see mem/region.h. The
 * caller keeps the extent from going away. Return: 0 or negative errno.
 */
int pkram_store_claim_span(const struct pkram_span *span);

/** pkram_span_claimed() - is the span's first GiB addressable? */
bool pkram_span_claimed(const struct pkram_span *span);

/**
 * pkram_store_populate() - fill the hole at a unit, if it is one, and claim
 *
 * Context: as pkram_store_claim_span(); the caller holds a reference to @obj.
 * Return: 0, -ENOSPC, ...
 */
int pkram_store_populate(struct pkram_object *obj, u32 obj_unit);

/**
 * pkram_store_prepare() - zero the stale units of a span and mark them written
 * @obj: the object
 * @span: found, claimed
 * @nr_units: from its first on
 *
 * To be called before the bytes are shown to anybody. Context: may sleep; map_sem
 * (shared will do) or i_rwsem held. Return: 0; -EUCLEAN the unit map is damaged
 * there; -EROFS a unit is stale, and the pool is read-only.
 */
int pkram_store_prepare(struct pkram_object *obj, const struct pkram_span *span,
			u32 nr_units);

/**
 * pkram_store_unit_written() - has a unit been written? (else it reads as zero)
 * @obj: the object
 * @span: where the unit is
 *
 * Return: 1, 0, or -EUCLEAN the unit map is damaged there.
 */
int pkram_store_unit_written(struct pkram_object *obj,
			     const struct pkram_span *span);

/**
 * pkram_store_all_written() - are all units of a run written?
 * @span: found
 * @nr_units: from its first on
 *
 * Return: 1, 0, or -EUCLEAN.
 */
int pkram_store_all_written(const struct pkram_span *span, u32 nr_units);

/** pkram_object_allocated() - count the bytes of memory held. Takes map_sem. */
u64 pkram_object_allocated(struct pkram_object *obj);

/** pkram_object_held() - the same. Context: the store's lock, or map_sem. */
u64 pkram_object_held(const struct pkram_object *obj);

#endif /* _PKRAM_STORE_EXTENTS_H */
