// SPDX-License-Identifier: GPL-2.0
/*
 * Free space: when memory that no record names any more becomes free, what
 * happens to GiB that are wholly free, and what a discard sets free.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "compat/mm.h"
#include "store/priv.h"

static void idle_work_fn(struct work_struct *work);
static DECLARE_WORK(idle_work, idle_work_fn);
static void reap_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(reap_work, reap_work_fn);

/**
 * struct pending_run - units that are nobody's, but still pinned
 * @list: in store.pending
 * @r: region
 * @unit: first
 * @nr: number
 */
struct pending_run {
	struct list_head list;
	struct pkram_region *r;
	u32 unit;
	u32 nr;
};

/* Units from @unit on, at most @nr, that are all pinned or all not. */
static u32 same_pins(const struct pkram_region *r, u32 unit, u32 nr,
		     bool *pinned)
{
	u32 n;

	*pinned = pkram_region_pinned(r, unit);
	for (n = 1; n < nr; n++)
		if (pkram_region_pinned(r, unit + n) != *pinned)
			break;
	return n;
}

/* Put a pinned run aside; without memory for that it stays taken for good. */
static void add_pending(struct pkram_region *r, u32 unit, u32 nr)
{
	struct pending_run *p = kmalloc(sizeof(*p), GFP_KERNEL);

	if (!p) {
		/* What is told is not the lack of memory, but what it costs. */
		pr_warn("%u units at %#llx are pinned: lost until the next load\n",
			nr, pkram_region_unit_phys(r, unit));
		return;
	}
	p->r = r;
	p->unit = unit;
	p->nr = nr;
	/* Without the module its struct pages would go, under the pins. */
	__module_get(THIS_MODULE);
	list_add_tail(&p->list, &pkram_store.pending);
	pkram_store.nr_pending += nr;
	schedule_delayed_work(&reap_work, HZ);
}

/*
 * GiB that nobody uses any more are unclaimed by a work, so that they can be
 * claimed in the other way next time: claiming and unclaiming need locks that
 * whoever frees may not take.
 */
static void give_back(struct pkram_region *r, u32 unit, u32 nr)
{
	pkram_alloc_free(&pkram_store.al, pkram_region_id_of(r), unit, nr);
	schedule_work(&idle_work);
}

/* store.lock held; no record names these units any more */
static void free_units(struct pkram_region *r, u32 unit, u32 nr)
{
	bool pinned;
	u32 n;

	lockdep_assert_held(&pkram_store.lock);
	pkram_region_map_set(r, unit, nr, PKRAM_UNIT_FREE);
	for (; nr; unit += n, nr -= n) {
		n = same_pins(r, unit, nr, &pinned);
		if (pinned)
			add_pending(r, unit, n);
		else
			give_back(r, unit, n);
	}
}

void pkram_store_reap(void)
{
	struct pending_run *p, *next;
	LIST_HEAD(old);

	lockdep_assert_held(&pkram_store.lock);
	list_splice_init(&pkram_store.pending, &old);
	pkram_store.nr_pending = 0;
	list_for_each_entry_safe(p, next, &old, list) {
		free_units(p->r, p->unit, p->nr);
		kfree(p);
		module_put(THIS_MODULE);
	}
}

static void reap_work_fn(struct work_struct *work)
{
	mutex_lock(&pkram_store.lock);
	pkram_store_reap();
	mutex_unlock(&pkram_store.lock);
}

void pkram_store_stop_reaping(void)
{
	cancel_delayed_work_sync(&reap_work);
	WARN_ON(!list_empty(&pkram_store.pending));
}

void pkram_store_free_extents(const struct pkram_extent *ext, u32 nr)
{
	u32 i;

	if (nr)
		compat_flush_before_free();
	for (i = 0; i < nr; i++)
		free_units(pkram_store_region(ext[i].region_id),
			   ext[i].region_unit, ext[i].nr_units);
}

/* Idle GiB */

static bool find_idle_claimed(struct pkram_region **rp, u32 *gib)
{
	struct pkram_alloc_region *ar;
	struct pkram_region *r;

	list_for_each_entry(r, &pkram_store.regions, list) {
		ar = pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
		if (!ar)
			continue;
		for (*gib = 1; *gib < r->h.nr_gib; (*gib)++) {
			if (pkram_region_slice(r, *gib) == PKRAM_SLICE_NONE ||
			    !pkram_alloc_gib_idle(ar, *gib))
				continue;
			*rp = r;
			return true;
		}
	}
	return false;
}

static void idle_work_fn(struct work_struct *work)
{
	struct pkram_region *r;
	u32 gib;

	mutex_lock(&pkram_store.lock);
	while (find_idle_claimed(&r, &gib)) {
		u64 id = pkram_region_id_of(r);
		u32 unit = gib * PKRAM_GIB_UNITS;

		/* Nobody gets it, and the region stays, while it is taken. */
		if (pkram_alloc_mark(&pkram_store.al, id, unit,
				     PKRAM_GIB_UNITS))
			break;
		pkram_store.nr_in_transit++;
		mutex_unlock(&pkram_store.lock);
		pkram_region_unclaim(r, gib);
		mutex_lock(&pkram_store.lock);
		pkram_store.nr_in_transit--;
		pkram_alloc_free(&pkram_store.al, id, unit, PKRAM_GIB_UNITS);
	}
	mutex_unlock(&pkram_store.lock);
}

void pkram_store_settle(void)
{
	flush_work(&idle_work);
}

/* After a discard */

/*
 * Who owns what, as one bitmap a region; built for one region at a time, as
 * discards are rare and regions may be large.
 */
static void own_extents(const struct pkram_object *obj, u64 id,
			unsigned long *owned, u32 nr_units)
{
	u32 i;

	for (i = 0; i < obj->rec.nr_extents; i++) {
		const struct pkram_extent *e = &obj->rec.extents[i];
		u32 from = min(e->region_unit, nr_units);

		/* Extents of quarantined objects may say anything. */
		if (e->region_id == id)
			bitmap_set(owned, from,
				   min(e->nr_units, nr_units - from));
	}
}

static bool own_all(struct pkram_region *r, unsigned long *owned, u32 nr_units)
{
	u64 id = pkram_region_id_of(r);
	struct pkram_object *obj;
	struct pending_run *p;
	struct rb_node *node;
	bool lost = pkram_store.region_lost;
	u32 i;

	__set_bit(0, owned);
	for (i = 0; i < r->h.nr_meta; i++)
		__set_bit(r->h.meta[i] & ~PKRAM_META_LARGE, owned);
	for (node = rb_first(&pkram_store.objects); node; node = rb_next(node)) {
		obj = rb_entry(node, struct pkram_object, all);
		own_extents(obj, id, owned, nr_units);
		lost |= obj->lost;
	}
	list_for_each_entry(obj, &pkram_store.removed, removed_list)
		own_extents(obj, id, owned, nr_units);
	list_for_each_entry(p, &pkram_store.pending, list)
		if (p->r == r)
			bitmap_set(owned, p->unit, p->nr);
	return lost;
}

static int recount_region(struct pkram_region *r)
{
	struct pkram_alloc_region *ar =
		pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
	u32 nr = r->h.nr_gib * PKRAM_GIB_UNITS, unit;
	unsigned long *owned;
	bool lost;
	int state;

	owned = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	if (!owned)
		return -ENOMEM;
	lost = own_all(r, owned, nr);
	for (unit = 0; unit < nr; unit++) {
		if (!pkram_region_present(r, unit / PKRAM_GIB_UNITS) ||
		    test_bit(unit, owned) || !test_bit(unit, ar->used))
			continue;
		/* It may be a lost record's; or nobody can say what it is. */
		state = pkram_region_map_get(r, unit);
		if (state < 0 || (lost && state != PKRAM_UNIT_FREE))
			continue;
		free_units(r, unit, 1);
	}
	kvfree(owned);
	return 0;
}

void pkram_store_lock_settled(void)
{
	mutex_lock(&pkram_store.lock);
	while (pkram_store.nr_in_transit) {
		mutex_unlock(&pkram_store.lock);
		fsleep(1000);
		mutex_lock(&pkram_store.lock);
	}
}

int pkram_store_recount(void)
{
	struct pkram_region *r;
	int err = 0;

	lockdep_assert_held(&pkram_store.lock);
	list_for_each_entry(r, &pkram_store.regions, list)
		err = err ?: recount_region(r);
	return err;
}
