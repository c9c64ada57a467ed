// SPDX-License-Identifier: GPL-2.0
/* Bad pages of the pool, and the objects that lose them: see lost.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pkram.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include "core/alloc.h"
#include "event/event.h"
#include "mem/bad.h"
#include "mem/mce.h"
#include "mem/region.h"
#include "store/lost.h"
#include "store/commit.h"
#include "store/objects.h"
#include "store/records.h"
#include "store/regions.h"
#include "store/state.h"

/* See pkram_store_set_lost(). */
static pkram_lost_fn lost_fn;

void pkram_store_set_lost(pkram_lost_fn fn)
{
	lost_fn = fn;
}

void pkram_lost_hold_back(struct pkram_region *r)
{
	u32 end = r->h.nr_gib * PKRAM_GIB_UNITS * PKRAM_UNIT_PAGES, page = 0, unit, nr;

	lockdep_assert_held(&pkram_store.lock);
	while ((page = pkram_bad_next(r, page, end, &nr)) < end) {
		unit = page / PKRAM_UNIT_PAGES;
		pkram_alloc_set_bad(&pkram_store.al, pkram_region_id_of(r), unit);
		page = (unit + 1) * PKRAM_UNIT_PAGES;
	}
}

/* Return whether an extent has a unit of a region. */
static bool lost_extent_has(const struct pkram_extent *e, u64 region_id, u32 unit)
{
	return e->region_id == region_id && unit >= e->region_unit &&
	       unit - e->region_unit < e->nr_units;
}

static bool lost_object_has(const struct pkram_object *obj, u64 region_id, u32 unit,
			    u32 *obj_unit)
{
	const struct pkram_extent *e = obj->rec.extents;
	u32 i;

	for (i = 0; i < obj->rec.nr_extents; i++, e++) {
		if (!lost_extent_has(e, region_id, unit))
			continue;
		*obj_unit = e->obj_unit + (unit - e->region_unit);
		return true;
	}
	return false;
}

/*
 * Find the object that owns a unit, and take a reference. There is no index: errors are rare,
 * and the walk takes milliseconds. An object whose last reference is gone has no owner any
 * more; it may wait for our lock to leave the list.
 */
static struct pkram_object *lost_find_owner(u64 region_id, u32 unit, u32 *obj_unit)
{
	struct pkram_object *obj;
	struct rb_node *node;

	lockdep_assert_held(&pkram_store.lock);
	for (node = rb_first(&pkram_store.objects); node; node = rb_next(node)) {
		obj = rb_entry(node, struct pkram_object, all);
		if (!obj->bad && lost_object_has(obj, region_id, unit, obj_unit))
			return pkram_object_get(obj);
		cond_resched();
	}
	list_for_each_entry(obj, &pkram_store.removed, removed_list)
		if (lost_object_has(obj, region_id, unit, obj_unit))
			return refcount_inc_not_zero(&obj->ref) ? obj : NULL;
	return NULL;
}

/* How many objects are looked at while the lock is held once */
#define LOST_STEP	256

/*
 * The next object after @key whose record must move, or NULL. @key: out: go on from there;
 * U64_MAX: there are no more
 */
static struct pkram_object *lost_next_record(u64 *key)
{
	struct pkram_object *obj = pkram_object_after(*key);
	struct rb_node *node;
	u32 n;

	for (n = 0; obj && n < LOST_STEP; n++) {
		if (!obj->bad && obj->loc.region_id && pkram_records_must_move(&obj->loc))
			return obj;
		*key = obj->key;
		node = rb_next(&obj->all);
		obj = node ? rb_entry(node, struct pkram_object, all) : NULL;
	}
	if (!obj)
		*key = U64_MAX;
	return NULL;
}

/* Move a record, if a pair is free. Return: 0; -EAGAIN not without a pair; others */
static int lost_move_record(u64 *key, bool *large)
{
	struct pkram_object *obj;
	int err = 0;

	pkram_store_lock();
	obj = pkram_store.read_only ? NULL : lost_next_record(key);
	if (obj) {
		*large = pkram_records_large(&obj->rec, &obj->loc);
		err = pkram_object_commit(obj);
		if (!pkram_records_must_move(&obj->loc))
			*key = obj->key;
		else if (!err)
			err = -EAGAIN;
	}
	pkram_store_unlock();
	return err;
}

/* Leave a record where it is. */
static void lost_leave_record(u64 *key, int err)
{
	struct pkram_object *obj;

	pkram_store_lock();
	obj = lost_next_record(key);
	if (obj) {
		pr_err("object %llu \"%s\": no room to move its record out of bad memory: free some memory (%d)\n",
		       obj->rec.id, obj->rec.name, err);
		*key = obj->key;
	}
	pkram_store_unlock();
}

/* Remove units without records. Return: whether one stays because it has the last id */
static bool lost_drop_units(void)
{
	struct pkram_region *r;
	bool stays = false, keep_id;

	pkram_store_lock();
	keep_id = !pkram_object_has_last_id();
	list_for_each_entry(r, &pkram_store.regions, list)
		if (!pkram_store.read_only && READ_ONCE(r->nr_bad))
			stays |= pkram_records_drop_dead(r, keep_id);
	pkram_store_unlock();
	return stays;
}

/*
 * Records that have lost a slot get two good ones, and units with a pair that has none are
 * emptied. That may need a unit, and memory for struct pages; a report of a memory error must
 * not wait for that. Nor does anybody else wait for more than one record.
 */
static void lost_move_fn(struct work_struct *work)
{
	bool large = false;
	u64 key = 0;
	int err;

	while (!READ_ONCE(pkram_store.read_only) && key != U64_MAX) {
		err = lost_move_record(&key, &large);
		if (err == -EAGAIN)
			err = pkram_records_ensure(large);
		if (err)
			lost_leave_record(&key, err);
		cond_resched();
	}
	if (lost_drop_units() && !pkram_records_ensure(false))
		lost_drop_units();
}

static DECLARE_WORK(lost_move_work, lost_move_fn);

void pkram_lost_move_records(void)
{
	schedule_work(&lost_move_work);
}

static void lost_leave_unit(struct pkram_region *r)
{
	pkram_records_hold_back(r);
	pkram_lost_move_records();
}

/* Where the object has a page */
static u64 lost_offset(u32 obj_unit, u32 page)
{
	return ((u64)obj_unit << PKRAM_UNIT_SHIFT) +
	       (u64)(page % PKRAM_UNIT_PAGES) * PKRAM_BAD_PAGE;
}

/* Take note of a bad page. Return: the object that loses it, referenced, or NULL */
static struct pkram_object *lost_note(struct pkram_region *r, u32 page)
{
	struct pkram_event ev = {
		.cmd = PKRAM_CMD_PAGE_BAD_NTF,
		.base = r->h.base + (u64)page * PKRAM_BAD_PAGE,
	};
	u32 unit = page / PKRAM_UNIT_PAGES, obj_unit;
	u64 id = pkram_region_id_of(r);

	/* It may not be part of the pool yet, or any more. */
	if (pkram_regions_find(id) != r)
		return NULL;
	pkram_alloc_set_bad(&pkram_store.al, id, unit);
	if (!unit)
		pr_err("the page holds metadata of the region: its other copy is used\n");
	else if (pkram_bad_is_meta(r, unit))
		lost_leave_unit(r);
	/* If the map does not know, it may have an owner all the same. */
	if (unit)
		ev.obj = lost_find_owner(id, unit, &obj_unit);
	if (ev.obj) {
		ev.offset = lost_offset(obj_unit, page);
		pr_err("object %llu \"%s\" loses the page at offset %#llx\n",
		       ev.obj->rec.id, ev.obj->rec.name, ev.offset);
	}
	pkram_event_tell(&ev);
	return ev.obj;
}

/* @obj: of lost_note(), or NULL */
static void lost_tell(struct pkram_object *obj, u64 region_id, u32 page, int flags)
{
	u32 obj_unit;

	if (!obj)
		return;
	/* A fault that saw the page as good has mapped it by now; later ones see that it is bad. */
	down_write(&obj->map_sem);
	/* It may have given the place up since. */
	if (lost_fn && lost_object_has(obj, region_id, page / PKRAM_UNIT_PAGES, &obj_unit))
		lost_fn(obj, lost_offset(obj_unit, page), flags);
	up_write(&obj->map_sem);
	pkram_object_put(obj);
}

static void lost_page(struct pkram_region *r, u32 page, int flags)
{
	u64 id = pkram_region_id_of(r);
	struct pkram_object *obj;

	lockdep_assert_not_held(&pkram_store.lock);
	pkram_store_lock();
	obj = lost_note(r, page);
	pkram_store_unlock();
	lost_tell(obj, id, page, flags);
}

/* The region that has an address, or NULL */
static struct pkram_region *lost_region_at(u64 phys)
{
	struct pkram_region *r;
	u64 gib;

	lockdep_assert_held(&pkram_store.lock);
	list_for_each_entry(r, &pkram_store.regions, list) {
		gib = (phys - r->h.base) >> PKRAM_GIB_SHIFT;
		if (phys >= r->h.base && gib < r->h.nr_gib && pkram_region_present(r, gib))
			return r;
	}
	return NULL;
}

/*
 * memory_failure() has run, unless @report, and found nothing if the GiB was not populated then. It
 * may be by now; so what counts is the list.
 */
static void lost_machine_check(u64 phys, bool report)
{
	struct pkram_object *obj = NULL;
	struct pkram_region *r;
	u32 page, unit, nr = 0;
	u64 id = 0;

	pkram_store_lock();
	r = lost_region_at(phys);
	page = r ? (phys - r->h.base) / PKRAM_BAD_PAGE : 0;
	unit = page / PKRAM_UNIT_PAGES;
	if (r)
		pkram_bad_next(r, page, page + 1, &nr);
	else
		pkram_bad_note_loose(phys);
	if (r && !nr) {
		pkram_bad_note(r, page);
		pkram_alloc_set_bad(&pkram_store.al, pkram_region_id_of(r), unit);
		/*
		 * An owner is told once, by lost_page(), which knows more of the processes. What
		 * is read of metadata is not reported.
		 */
		if (!report || pkram_bad_is_meta(r, unit) ||
		    !pkram_region_slice(r, unit / PKRAM_GIB_UNITS))
			obj = lost_note(r, page);
		id = pkram_region_id_of(r);
	}
	pkram_store_unlock();
	lost_tell(obj, id, page, 0);
}

void pkram_lost_init(void)
{
	pkram_bad_set_hook(lost_page);
	pkram_mce_init(lost_machine_check);
}

void pkram_lost_exit(void)
{
	pkram_mce_exit();
	pkram_bad_set_hook(NULL);
	cancel_work_sync(&lost_move_work);
}

/* The first bad page of an extent, from unit @from of the object and a page in it on */
static bool lost_next_in_extent(const struct pkram_extent *e, u64 *offset, u64 *len)
{
	u64 start = (u64)e->obj_unit << PKRAM_UNIT_SHIFT;
	u32 first = e->region_unit * PKRAM_UNIT_PAGES, page, nr;

	if (*offset > start)
		first += (*offset - start) / PKRAM_BAD_PAGE;
	page = pkram_bad_next(pkram_regions_find(e->region_id), first,
			      (e->region_unit + e->nr_units) * PKRAM_UNIT_PAGES, &nr);
	*offset = start + (u64)(page - e->region_unit * PKRAM_UNIT_PAGES) * PKRAM_BAD_PAGE;
	*len = (u64)nr * PKRAM_BAD_PAGE;
	return nr;
}

bool pkram_store_next_lost(struct pkram_object *obj, u64 *offset, u64 *len)
{
	const struct pkram_extent *e = obj->rec.extents;
	u64 at;
	u32 i;

	lockdep_assert_held(&pkram_store.lock);
	/* Extents of a quarantined object may have any values. */
	if (obj->bad)
		return false;
	for (i = 0; i < obj->rec.nr_extents; i++, e++, cond_resched()) {
		if (((u64)e->obj_unit + e->nr_units) << PKRAM_UNIT_SHIFT <= *offset)
			continue;
		at = *offset;
		if (!lost_next_in_extent(e, &at, len))
			continue;
		*offset = at;
		return true;
	}
	return false;
}

bool pkram_object_next_bad(struct pkram_object *obj, u64 *offset, u64 *len)
{
	bool found;

	pkram_store_lock();
	found = pkram_store_next_lost(obj, offset, len);
	pkram_store_unlock();
	return found;
}

u64 pkram_object_nr_bad_pages(struct pkram_object *obj)
{
	u64 offset, len, sum = 0;

	pkram_store_lock();
	for (offset = 0; pkram_store_next_lost(obj, &offset, &len); offset += len)
		sum += len / PKRAM_BAD_PAGE;
	pkram_store_unlock();
	return sum;
}
