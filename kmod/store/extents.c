// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of objects: see extents.h.
 *
 * An extent list is changed in a copy, which replaces the old list when the commit
 * has succeeded. Memory becomes free after the commit that no longer names it, and
 * only when it is not pinned.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pkram.h>
#include <linux/slab.h>
#include "core/alloc.h"
#include "event/event.h"
#include "mem/bad.h"
#include "mem/region.h"
#include "mem/zero.h"
#include "store/commit.h"
#include "store/extents.h"
#include "store/objects.h"
#include "store/regions.h"
#include "store/space.h"
#include "store/state.h"

#define EXTENTS_MAX	(PKRAM_LARGE_DATA / sizeof(struct pkram_extent_ser))
#define EXTENTS_MAX_SIZE	((u64)U32_MAX << PKRAM_UNIT_SHIFT)

/* See pkram_store_set_unmap(). */
static pkram_unmap_fn extents_unmap;

void pkram_store_set_unmap(pkram_unmap_fn fn)
{
	extents_unmap = fn;
}

static u32 extents_units(u64 bytes)
{
	return DIV_ROUND_UP_ULL(bytes, PKRAM_UNIT);
}

/* Look up extents */

/* Return the index of the first extent that ends after a unit. */
static u32 extents_index(const struct pkram_record *rec, u32 obj_unit)
{
	u32 lo = 0, hi = rec->nr_extents;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		const struct pkram_extent *e = &rec->extents[mid];

		if (obj_unit - e->obj_unit < e->nr_units ||
		    obj_unit < e->obj_unit)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* Return whether one extent has a whole GiB of a region for the object's GiB at @obj_unit. */
static bool extents_cover_gib(const struct pkram_extent *e, u32 obj_unit)
{
	u32 start = round_down(obj_unit, PKRAM_GIB_UNITS);

	return start >= e->obj_unit &&
	       (u64)start + PKRAM_GIB_UNITS <= (u64)e->obj_unit + e->nr_units &&
	       IS_ALIGNED(e->region_unit + (start - e->obj_unit),
			  PKRAM_GIB_UNITS);
}

void pkram_store_find(struct pkram_object *obj, u32 obj_unit,
		      struct pkram_span *span)
{
	const struct pkram_record *rec = &obj->rec;
	u32 i = extents_index(rec, obj_unit);
	const struct pkram_extent *e = &rec->extents[i];

	lockdep_assert_held(&obj->map_sem);
	memset(span, 0, sizeof(*span));
	if (i == rec->nr_extents) {
		span->nr_units = U32_MAX;
		return;
	}
	if (obj_unit < e->obj_unit) {
		span->nr_units = e->obj_unit - obj_unit;
		return;
	}
	rcu_read_lock();
	span->region = pkram_regions_find(e->region_id);
	rcu_read_unlock();
	span->unit = e->region_unit + (obj_unit - e->obj_unit);
	span->nr_units = e->nr_units - (obj_unit - e->obj_unit);
	span->whole_gib = extents_cover_gib(e, obj_unit);
}

void pkram_store_find_span(struct pkram_object *obj, u32 obj_unit,
			   struct pkram_span *span)
{
	down_read(&obj->map_sem);
	pkram_store_find(obj, obj_unit, span);
	up_read(&obj->map_sem);
}

bool pkram_span_populated(const struct pkram_span *span)
{
	return pkram_region_slice(span->region, span->unit / PKRAM_GIB_UNITS) !=
	       PKRAM_SLICE_NONE;
}

int pkram_store_populate_span(const struct pkram_span *span)
{
	if (pkram_span_populated(span))
		return 0;
	return pkram_region_populate(span->region, span->unit / PKRAM_GIB_UNITS,
				     span->whole_gib ? PKRAM_SLICE_1G :
						    PKRAM_SLICE_2M);
}

/* The map was valid at load time, or the object would be quarantined. */
static void extents_report_damage(struct pkram_object *obj,
				  const struct pkram_span *span)
{
	const struct pkram_event ev = {
		.cmd = PKRAM_CMD_OBJECT_DAMAGE_NTF,
		.obj = obj,
		.reason = pkram_bad_text(PKRAM_BAD_MAP),
	};

	pr_warn_ratelimited("object %llu \"%s\": %s at unit %u of the region at %#llx\n",
			    obj->rec.id, obj->rec.name, ev.reason, span->unit,
			    span->region->h.base);
	pkram_store_lock();
	if (!obj->damage_told)
		pkram_event_tell(&ev);
	obj->damage_told = true;
	pkram_store_unlock();
}

int pkram_store_unit_written(struct pkram_object *obj,
			     const struct pkram_span *span)
{
	int state = pkram_region_map_get(span->region, span->unit);

	if (state == PKRAM_UNIT_WRITTEN)
		return 1;
	if (state == PKRAM_UNIT_STALE)
		return 0;
	extents_report_damage(obj, span);
	return -EUCLEAN;
}

int pkram_store_all_written(const struct pkram_span *span, u32 nr_units)
{
	int state;
	u32 i;

	for (i = 0; i < nr_units; i++) {
		state = pkram_region_map_get(span->region, span->unit + i);
		if (state != PKRAM_UNIT_WRITTEN)
			return state == PKRAM_UNIT_STALE ? 0 : -EUCLEAN;
	}
	return 1;
}

int pkram_store_prepare(struct pkram_object *obj, const struct pkram_span *span,
			u32 nr_units)
{
	int err;

	/* Nothing may be zeroed, so only written units can be shown. */
	if (span->region->read_only)
		return pkram_store_all_written(span, nr_units) > 0 ? 0 : -EROFS;
	err = pkram_zero_prepare(span->region, span->unit, nr_units);
	if (err == -EUCLEAN)
		extents_report_damage(obj, span);
	return err;
}

/* Change extents */

struct extents_list {
	struct pkram_extent *ext;
	u32 nr;
	u32 max;
};

static void extents_append(struct extents_list *l, struct pkram_extent e)
{
	struct pkram_extent *last = l->nr ? &l->ext[l->nr - 1] : NULL;

	if (!e.nr_units)
		return;
	if (last && last->region_id == e.region_id &&
	    last->obj_unit + last->nr_units == e.obj_unit &&
	    last->region_unit + last->nr_units == e.region_unit) {
		last->nr_units += e.nr_units;
		return;
	}
	if (!WARN_ON_ONCE(l->nr == l->max))
		l->ext[l->nr++] = e;
}

static struct pkram_extent extents_part(const struct pkram_extent *e, u32 from,
					u32 to)
{
	return (struct pkram_extent){
		.region_id = e->region_id,
		.obj_unit = from,
		.region_unit = e->region_unit + (from - e->obj_unit),
		.nr_units = to - from,
	};
}

static int extents_alloc_list(struct extents_list *l, u32 max)
{
	l->nr = 0;
	l->max = max;
	l->ext = kvcalloc(max(max, 1U), sizeof(*l->ext), GFP_KERNEL);
	return l->ext ? 0 : -ENOMEM;
}

/* Make @l the extents of an object; on failure nothing has changed. */
static int extents_commit(struct pkram_object *obj, struct extents_list *l,
			  u64 size)
{
	struct pkram_record *rec = &obj->rec;
	struct pkram_extent *old = rec->extents;
	u32 old_nr = rec->nr_extents;
	u64 old_size = rec->size;
	int err;

	lockdep_assert_held_write(&obj->map_sem);
	rec->extents = l->ext;
	rec->nr_extents = l->nr;
	rec->size = size;
	err = pkram_object_commit(obj);
	if (err) {
		rec->extents = old;
		rec->nr_extents = old_nr;
		rec->size = old_size;
		return err;
	}
	l->ext = NULL;
	kvfree(old);
	return 0;
}

/* Old bytes must not be visible: mark units stale before a record names them. */
static int extents_mark_stale(const struct pkram_extent *ext, int nr)
{
	int i, err = 0;

	for (i = 0; !err && i < nr; i++)
		err = pkram_region_map_set(pkram_regions_find(ext[i].region_id),
					   ext[i].region_unit, ext[i].nr_units,
					   PKRAM_UNIT_STALE);
	return err;
}

/* Allocate memory for one hole, and append it to @got. */
static int extents_fill_hole(struct extents_list *got, u32 from, u32 to,
			     const struct pkram_place *place)
{
	struct pkram_alloc_request req = {
		.obj_unit = from,
		.nr_units = to - from,
		.node = place ? place->node : numa_mem_id(),
		.strict = place && place->strict,
	};
	int n;

	/*
	 * Units that cannot be written in the unit map stay taken and are not
	 * used; the loader would keep them back too. Try other memory.
	 */
	do {
		n = pkram_alloc_get(&pkram_store.al, &req, got->ext + got->nr,
				    got->max - got->nr);
		if (n < 0)
			return n;
	} while (extents_mark_stale(got->ext + got->nr, n));
	got->nr += n;
	return 0;
}

/* Fill the holes in [from, to); @got: list of what was added */
static int extents_fill_holes(const struct pkram_record *rec, u32 from, u32 to,
			      const struct pkram_place *place,
			      struct extents_list *got)
{
	u32 i, unit = from;
	int err;

	for (i = extents_index(rec, from); unit < to; i++) {
		const struct pkram_extent *e =
			i < rec->nr_extents ? &rec->extents[i] : NULL;
		u32 end = e ? min(e->obj_unit, to) : to;

		if (unit < end) {
			err = extents_fill_hole(got, unit, end, place);
			if (err)
				return err;
		}
		if (!e)
			break;
		unit = max(unit, e->obj_unit + e->nr_units);
	}
	return 0;
}

/* Merge two sorted lists. */
static void extents_merge(const struct pkram_record *rec,
			  const struct extents_list *got,
			  struct extents_list *out)
{
	u32 i = 0, j = 0;

	while (i < rec->nr_extents || j < got->nr) {
		if (j == got->nr || (i < rec->nr_extents &&
				     rec->extents[i].obj_unit <
				     got->ext[j].obj_unit))
			extents_append(out, rec->extents[i++]);
		else
			extents_append(out, got->ext[j++]);
	}
}

/* Try once to fill [from, to) and to set the size; map_sem and store.lock are held. */
static int extents_try_fill(struct pkram_object *obj, u32 from, u32 to,
			    u64 size, const struct pkram_place *place)
{
	struct extents_list got, out = {};
	u32 i, max;
	int err;

	max = min_t(u64, (u64)to - from,
		    EXTENTS_MAX - min_t(u32, obj->rec.nr_extents,
					EXTENTS_MAX));
	err = extents_alloc_list(&got, max);
	if (err)
		return err;
	err = extents_fill_holes(&obj->rec, from, to, place, &got);
	if (!err)
		err = extents_alloc_list(&out, obj->rec.nr_extents + got.nr);
	if (!err) {
		extents_merge(&obj->rec, &got, &out);
		err = extents_commit(obj, &out, size);
	}
	if (err)
		for (i = 0; i < got.nr; i++)
			pkram_alloc_free(&pkram_store.al, got.ext[i].region_id,
					 got.ext[i].region_unit,
					 got.ext[i].nr_units);
	kvfree(got.ext);
	kvfree(out.ext);
	return err;
}

/* Return whether the holes in [from, to) need GiB that are about to become free. */
static bool extents_must_wait(const struct pkram_record *rec, u32 from, u32 to)
{
	u32 i, unit = from, first, last, nr_gib = 0;
	u64 nr_units = 0;

	for (i = extents_index(rec, from); unit < to; i++) {
		const struct pkram_extent *e =
			i < rec->nr_extents ? &rec->extents[i] : NULL;
		u32 end = e ? min(e->obj_unit, to) : to;

		if (unit < end) {
			nr_units += end - unit;
			first = DIV_ROUND_UP_ULL((u64)unit, PKRAM_GIB_UNITS);
			last = end / PKRAM_GIB_UNITS;
			nr_gib += first < last ? last - first : 0;
		}
		if (!e)
			break;
		unit = max(unit, e->obj_unit + e->nr_units);
	}
	return pkram_space_worth_waiting(nr_units, nr_gib);
}

/*
 * As extents_try_fill(). -EINPROGRESS: call pkram_space_wait() without the locks. -ERESTART:
 * release the locks and come again. @left: of pkram_space_reap()
 */
static int extents_fill_locked(struct pkram_object *obj, u32 from, u32 to, u64 size,
			       const struct pkram_place *place, u32 *left)
{
	int err = -EINPROGRESS;

	if (!extents_must_wait(&obj->rec, from, to))
		err = extents_try_fill(obj, from, to, size, place);
	/* What is pinned is looked at only when it is needed, and in parts: it may be much. */
	if (err == -ENOSPC && pkram_space_reap(left))
		err = extents_must_wait(&obj->rec, from, to) ? -EINPROGRESS :
		      extents_try_fill(obj, from, to, size, place);
	if (err == -ENOSPC && *left)
		return -ERESTART;
	/* What is about to become free may be on the node that has to give it. */
	if (err == -ENOSPC && pkram_space_worth_waiting(U64_MAX, 0))
		err = -EINPROGRESS;
	return err;
}

static int extents_fill(struct pkram_object *obj, u32 from, u32 to, u64 size,
			bool set_size, const struct pkram_place *place)
{
	u32 left = U32_MAX;
	bool again;
	int err;

	do {
		down_write(&obj->map_sem);
		pkram_transact_begin();
		if (!set_size)
			size = obj->rec.size;
		err = pkram_store.read_only ? -EROFS :
		      extents_fill_locked(obj, from, to, size, place, &left);
		up_write(&obj->map_sem);
		again = pkram_transact_end(&err) || err == -ERESTART;
		cond_resched();
		if (err == -EINPROGRESS) {
			pkram_space_wait();
			again = true;
		}
	} while (again);
	return err;
}

/* Try once to remove [from, to); map_sem and store.lock are held. */
static int extents_try_cut(struct pkram_object *obj, u32 from, u32 to, u64 size)
{
	struct pkram_record *rec = &obj->rec;
	struct extents_list out, gone;
	u32 i;
	int err;

	err = extents_alloc_list(&out, rec->nr_extents + 1);
	if (err)
		return err;
	err = extents_alloc_list(&gone, rec->nr_extents);
	for (i = 0; !err && i < rec->nr_extents; i++) {
		const struct pkram_extent *e = &rec->extents[i];
		u32 end = e->obj_unit + e->nr_units;
		u32 a = clamp(from, e->obj_unit, end);
		u32 b = clamp(to, a, end);

		extents_append(&out, extents_part(e, e->obj_unit, a));
		if (a < b)
			gone.ext[gone.nr++] = extents_part(e, a, b);
		extents_append(&out, extents_part(e, b, end));
	}
	if (!err)
		err = extents_commit(obj, &out, size);
	if (!err)
		pkram_space_free_extents(gone.ext, gone.nr);
	kvfree(out.ext);
	kvfree(gone.ext);
	return err;
}

/*
 * Remove units. They are unmapped under map_sem, so that no fault maps them again
 * before the extents are removed. With a new size, the part of the last unit
 * beyond it is unmapped as well.
 */
static int extents_cut(struct pkram_object *obj, u32 from, u32 to, u64 size,
		       bool set_size)
{
	u64 gone_from = set_size ? size : (u64)from << PKRAM_UNIT_SHIFT;
	u64 gone_to = set_size ? U64_MAX : (u64)to << PKRAM_UNIT_SHIFT;
	u32 unmap_from = gone_from >> PKRAM_UNIT_SHIFT;
	int err;

	do {
		down_write(&obj->map_sem);
		if (extents_unmap)
			extents_unmap(obj, unmap_from,
				      set_size ? 0 : to - from);
		pkram_transact_begin();
		if (!set_size)
			size = obj->rec.size;
		err = pkram_store.read_only ? -EROFS :
		      pkram_object_pinned(obj, gone_from, gone_to) ? -EBUSY :
		      extents_try_cut(obj, from, to, size);
		up_write(&obj->map_sem);
	} while (pkram_transact_end(&err));
	return err;
}

/* Zero bytes inside one unit, if it is written. */
static int extents_zero_part(struct pkram_object *obj, u64 from, u64 to)
{
	struct pkram_span span;
	int ret;

	if (from >= to)
		return 0;
	/* i_rwsem is held: the extent stays. */
	pkram_store_find_span(obj, from >> PKRAM_UNIT_SHIFT, &span);
	if (!span.region)
		return 0;
	ret = pkram_store_populate_span(&span);
	if (ret)
		return ret;
	ret = pkram_store_unit_written(obj, &span);
	if (ret <= 0)
		return ret;
	pkram_bad_zero(span.region, span.unit, from & (PKRAM_UNIT - 1), to - from);
	return 0;
}

/* Return whether there is memory at @unit or beyond */
static bool extents_beyond(struct pkram_object *obj, u32 unit)
{
	bool beyond;

	down_read(&obj->map_sem);
	beyond = extents_index(&obj->rec, unit) < obj->rec.nr_extents;
	up_read(&obj->map_sem);
	return beyond;
}

/* @sparse: a size that is larger needs no memory */
static int extents_resize(struct pkram_object *obj, u64 size, bool sparse)
{
	u64 old = obj->rec.size;
	int err = 0;

	if (size > EXTENTS_MAX_SIZE)
		return -EFBIG;
	if (obj->bad)
		return -EUCLEAN;
	if (READ_ONCE(pkram_store.read_only))
		return -EROFS;
	if (size <= old) {
		if (size < old || extents_beyond(obj, extents_units(size)))
			err = extents_cut(obj, extents_units(size), U32_MAX,
					  size, true);
		/* A mapping shows all of the last page, and may have written to it. */
		old = min(round_up(old, PAGE_SIZE), round_up(size, PKRAM_UNIT));
		return err ?: extents_zero_part(obj, size, old);
	}
	/* More than the last page, if a cut was interrupted before it zeroed the rest. */
	err = extents_zero_part(obj, old, min(round_up(size, PAGE_SIZE),
					      round_up(old, PKRAM_UNIT)));
	if (err)
		return err;
	return extents_fill(obj, sparse ? 0 : old >> PKRAM_UNIT_SHIFT,
			    sparse ? 0 : extents_units(size), size, true, NULL);
}

int pkram_store_resize_write(struct pkram_object *obj, u64 size)
{
	return extents_resize(obj, size, false);
}

static int extents_resize_tell(struct pkram_object *obj, u64 size, bool sparse)
{
	u64 old = obj->rec.size;
	int err;

	err = extents_resize(obj, size, sparse);
	if (obj->rec.size == old)
		return err;
	/* i_rwsem is held: the size has not changed since. */
	pkram_store_lock();
	pkram_event_object(PKRAM_CMD_OBJECT_CHANGE_NTF, obj);
	pkram_store_unlock();
	return err;
}

int pkram_store_resize(struct pkram_object *obj, u64 size)
{
	return extents_resize_tell(obj, size, false);
}

int pkram_store_resize_sparse(struct pkram_object *obj, u64 size)
{
	return size > obj->rec.size ? extents_resize_tell(obj, size, true) : 0;
}

int pkram_store_allocate(struct pkram_object *obj, u64 offset, u64 len,
			 const struct pkram_place *place)
{
	u64 end;

	if (check_add_overflow(offset, len, &end) || end > EXTENTS_MAX_SIZE)
		return -EFBIG;
	if (obj->bad)
		return -EUCLEAN;
	return extents_fill(obj, offset >> PKRAM_UNIT_SHIFT, extents_units(end),
			    0, false, place);
}

int pkram_store_punch(struct pkram_object *obj, u64 offset, u64 len)
{
	u64 end, first, last;
	int err;

	if (check_add_overflow(offset, len, &end))
		end = U64_MAX;
	end = min_t(u64, end, EXTENTS_MAX_SIZE);
	if (offset >= end)
		return 0;
	first = round_up(offset, PKRAM_UNIT);
	last = round_down(end, PKRAM_UNIT);
	if (first > last)
		return extents_zero_part(obj, offset, end);
	/* First do what may fail, then what destroys data. */
	err = first == last ? 0 :
	      extents_cut(obj, first >> PKRAM_UNIT_SHIFT,
			  last >> PKRAM_UNIT_SHIFT, 0, false);
	if (!err)
		err = extents_zero_part(obj, offset, first);
	return err ?: extents_zero_part(obj, last, end);
}

int pkram_store_populate(struct pkram_object *obj, u32 obj_unit)
{
	struct pkram_span span;
	int err;

	err = extents_fill(obj, obj_unit, obj_unit + 1, 0, false, NULL);
	if (err)
		return err;
	/*
	 * The extent may be removed before it is populated. Then its GiB is populated
	 * needlessly, and the fault is repeated; but it must not leave the pool.
	 */
	down_read(&obj->map_sem);
	pkram_store_find(obj, obj_unit, &span);
	if (span.region)
		atomic_inc(&span.region->gib[span.unit / PKRAM_GIB_UNITS].users);
	up_read(&obj->map_sem);
	if (!span.region)
		return 0;
	err = pkram_store_populate_span(&span);
	atomic_dec(&span.region->gib[span.unit / PKRAM_GIB_UNITS].users);
	return err;
}

u64 pkram_object_held(const struct pkram_object *obj)
{
	u64 units = 0;
	u32 i;

	lockdep_assert(lockdep_is_held(&obj->map_sem) ||
		       lockdep_is_held(&pkram_store.lock));
	for (i = 0; i < obj->rec.nr_extents; i++)
		units += obj->rec.extents[i].nr_units;
	return units << PKRAM_UNIT_SHIFT;
}

u64 pkram_object_allocated(struct pkram_object *obj)
{
	u64 bytes;

	down_read(&obj->map_sem);
	bytes = pkram_object_held(obj);
	up_read(&obj->map_sem);
	return bytes;
}
