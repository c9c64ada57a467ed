/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of objects. Functions that change it are marked; their callers hold
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
 * @first_unit: first unit
 * @nr_units: number of units, 0 for all up to the end
 */
typedef void (*pkram_unmap_fn)(struct pkram_object *obj, u32 first_unit,
			       u32 nr_units);

/** pkram_store_set_unmap() - Set the file system's unmap function; once, at init */
void pkram_store_set_unmap(pkram_unmap_fn fn);

/**
 * pkram_store_resize() - Change the size (changes)
 *
 * Growing allocates all of the new range. Shrinking unmaps and frees, and zeroes the
 * rest of the last page. The same size frees memory beyond it. Return: 0, -ENOSPC,
 * -EFBIG, -ENOMEM, -EROFS; -EBUSY a part that would be freed is under DMA.
 */
int pkram_store_resize(struct pkram_object *obj, u64 size);

/**
 * pkram_store_resize_sparse() - Grow without memory (changes)
 *
 * A size that is not larger changes nothing. Return: as pkram_store_resize().
 */
int pkram_store_resize_sparse(struct pkram_object *obj, u64 size);

/**
 * pkram_store_resize_write() - Grow for a write beyond the end (changes)
 *
 * As pkram_store_resize(), but without an event, because there may be thousands.
 */
int pkram_store_resize_write(struct pkram_object *obj, u64 size);

/**
 * struct pkram_place - preference for the memory to allocate
 * @node: this NUMA node first
 * @strict: no other node
 */
struct pkram_place {
	int node;
	bool strict;
};

/**
 * pkram_store_allocate() - Fill the holes of a range of bytes; size unchanged
 * @obj: the object
 * @offset: in bytes
 * @len: in bytes
 * @place: preferred memory; NULL: near this CPU
 *
 * Return: 0, -ENOSPC, -EFBIG, -ENOMEM, -EROFS.
 */
int pkram_store_allocate(struct pkram_object *obj, u64 offset, u64 len,
			 const struct pkram_place *place);

/**
 * pkram_store_punch() - Make a range read as zero, free whole units (changes)
 *
 * Return: as pkram_store_resize().
 */
int pkram_store_punch(struct pkram_object *obj, u64 offset, u64 len);

/**
 * struct pkram_span - the memory at an offset of an object
 * @region: region, NULL for a hole
 * @unit: unit in the region
 * @nr_units: from there on to the end of the extent (or of the hole, to
 *	U32_MAX for the last)
 * @whole_gib: one extent has a whole GiB of the region for the object's whole
 *	GiB around this unit: it is, or will be, one 1G folio
 */
struct pkram_span {
	struct pkram_region *region;
	u32 unit;
	u32 nr_units;
	bool whole_gib;
};

/** pkram_store_find() - Look up the span at a unit. Context: map_sem. */
void pkram_store_find(struct pkram_object *obj, u32 obj_unit,
		      struct pkram_span *span);

/**
 * pkram_store_find_span() - Look up the span at a unit, taking map_sem
 *
 * Faults may fill holes meanwhile. The caller keeps the extent that is found from
 * being removed, by i_rwsem or by a pin. Context: without map_sem.
 */
void pkram_store_find_span(struct pkram_object *obj, u32 obj_unit,
			   struct pkram_span *span);

/**
 * pkram_store_populate_span() - Make the memory at a span addressable
 * @span: result of a look-up
 *
 * Context: i_rwsem may be held, map_sem and mmap_lock not; see mem/region.h. The
 * caller keeps the extent from being removed. Return: 0 or negative errno.
 */
int pkram_store_populate_span(const struct pkram_span *span);

/** pkram_span_populated() - Check whether the span's first GiB is addressable */
bool pkram_span_populated(const struct pkram_span *span);

/**
 * pkram_store_populate() - Fill the hole at a unit, if it is one, and populate
 *
 * Context: as pkram_store_populate_span(); the caller holds a reference to @obj.
 * Return: 0, -ENOSPC, ...
 */
int pkram_store_populate(struct pkram_object *obj, u32 obj_unit);

/**
 * pkram_store_prepare() - Zero the stale units of a span and mark them written
 * @obj: the object
 * @span: result of a look-up, populated
 * @nr_units: number of units, from its first on
 *
 * To be called before the bytes are visible to any process. Context: may sleep;
 * map_sem (shared is sufficient) or i_rwsem held. Return: 0; -EUCLEAN the unit map
 * is damaged there; -EROFS a unit is stale, and the pool is read-only.
 */
int pkram_store_prepare(struct pkram_object *obj, const struct pkram_span *span,
			u32 nr_units);

/**
 * pkram_store_unit_written() - Check whether a unit was written (else it reads as
 * zero)
 * @obj: the object
 * @span: the unit's span
 *
 * Return: 1, 0, or -EUCLEAN the unit map is damaged there.
 */
int pkram_store_unit_written(struct pkram_object *obj,
			     const struct pkram_span *span);

/**
 * pkram_store_all_written() - Check whether all units of a run were written
 * @span: result of a look-up
 * @nr_units: number of units, from its first on
 *
 * Return: 1, 0, or -EUCLEAN.
 */
int pkram_store_all_written(const struct pkram_span *span, u32 nr_units);

/** pkram_object_allocated() - Count the bytes of memory held. Takes map_sem. */
u64 pkram_object_allocated(struct pkram_object *obj);

/** pkram_object_held() - Count the same. Context: the store's lock, or map_sem. */
u64 pkram_object_held(const struct pkram_object *obj);

#endif /* _PKRAM_STORE_EXTENTS_H */
