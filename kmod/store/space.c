// SPDX-License-Identifier: GPL-2.0
/*
 * Free space: when units that no record names any more become free, and the
 * handling of GiB that are wholly free.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "compat/mm.h"
#include "event/count.h"
#include "mem/region.h"
#include "store/regions.h"
#include "store/space.h"
#include "store/state.h"

static void space_idle_work_fn(struct work_struct *work);
static DECLARE_WORK(space_idle_work, space_idle_work_fn);
static void space_reap_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(space_reap_work, space_reap_work_fn);

/**
 * struct space_pending - units without an owner that are still pinned
 * @list: in store.pending
 * @r: region
 * @unit: first
 * @nr: number
 */
struct space_pending {
	struct list_head list;
	struct pkram_region *r;
	u32 unit;
	u32 nr;
};

/* Count the units from @unit on, at most @nr, that are all pinned or all not. */
static u32 space_same_pins(const struct pkram_region *r, u32 unit, u32 nr,
			   bool *pinned)
{
	u32 n;

	*pinned = pkram_region_pinned(r, unit);
	for (n = 1; n < nr; n++) {
		if (pkram_region_pinned(r, unit + n) != *pinned)
			break;
		if (n % PKRAM_GIB_UNITS == 0)
			cond_resched();
	}
	return n;
}

/* Put a pinned run aside. Without memory for the list it stays taken until the next load. */
static void space_add_pending(struct pkram_region *r, u32 unit, u32 nr)
{
	struct space_pending *p = kmalloc(sizeof(*p), GFP_KERNEL);

	if (!p) {
		/* The log has the allocation failure already: print its effect. */
		pr_warn("%u units at %#llx are pinned: lost until the next load\n",
			nr, pkram_region_unit_phys(r, unit));
		return;
	}
	p->r = r;
	p->unit = unit;
	p->nr = nr;
	/* The struct pages under the pins exist only as long as the module does. */
	__module_get(THIS_MODULE);
	list_add_tail(&p->list, &pkram_store.pending);
	pkram_store.nr_pending += nr;
	schedule_delayed_work(&space_reap_work, HZ);
}

/*
 * A work depopulates GiB that are not used any more, so that they can be populated in
 * the other way next time. Depopulating needs locks that must not be taken here.
 */
static void space_give_back(struct pkram_region *r, u32 unit, u32 nr)
{
	pkram_alloc_free(&pkram_store.al, pkram_region_id_of(r), unit, nr);
	schedule_work(&space_idle_work);
}

void pkram_space_free_units(struct pkram_region *r, u32 unit, u32 nr)
{
	bool pinned;
	u32 n;

	lockdep_assert_held(&pkram_store.lock);
	pkram_region_map_set(r, unit, nr, PKRAM_UNIT_FREE);
	for (; nr; unit += n, nr -= n) {
		n = space_same_pins(r, unit, nr, &pinned);
		if (pinned)
			space_add_pending(r, unit, n);
		else
			space_give_back(r, unit, n);
	}
}

void pkram_space_reap(void)
{
	struct space_pending *p, *next;
	LIST_HEAD(old);

	lockdep_assert_held(&pkram_store.lock);
	list_splice_init(&pkram_store.pending, &old);
	pkram_store.nr_pending = 0;
	list_for_each_entry_safe(p, next, &old, list) {
		pkram_space_free_units(p->r, p->unit, p->nr);
		kfree(p);
		module_put(THIS_MODULE);
	}
}

static void space_reap_work_fn(struct work_struct *work)
{
	mutex_lock(&pkram_store.lock);
	pkram_space_reap();
	mutex_unlock(&pkram_store.lock);
}

void pkram_space_mark_pending(const struct pkram_region *r, unsigned long *map)
{
	struct space_pending *p;

	lockdep_assert_held(&pkram_store.lock);
	list_for_each_entry(p, &pkram_store.pending, list)
		if (p->r == r)
			bitmap_set(map, p->unit, p->nr);
}

void pkram_space_stop_reaping(void)
{
	cancel_delayed_work_sync(&space_reap_work);
	WARN_ON(!list_empty(&pkram_store.pending));
}

void pkram_space_free_extents(const struct pkram_extent *ext, u32 nr)
{
	u32 i;

	if (nr)
		compat_flush_before_free();
	for (i = 0; i < nr; i++)
		pkram_space_free_units(pkram_regions_find(ext[i].region_id),
				       ext[i].region_unit, ext[i].nr_units);
}

/* Idle GiB */

static bool space_find_idle_populated(struct pkram_region **rp, u32 *gib)
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

static void space_idle_work_fn(struct work_struct *work)
{
	struct pkram_region *r;
	u32 gib;

	mutex_lock(&pkram_store.lock);
	while (space_find_idle_populated(&r, &gib)) {
		u64 id = pkram_region_id_of(r);
		u32 unit = gib * PKRAM_GIB_UNITS;

		/* While it is taken it is not allocated, and the region stays. */
		if (pkram_alloc_mark(&pkram_store.al, id, unit,
				     PKRAM_GIB_UNITS))
			break;
		pkram_store.nr_in_transit++;
		mutex_unlock(&pkram_store.lock);
		pkram_region_depopulate(r, gib);
		mutex_lock(&pkram_store.lock);
		pkram_store.nr_in_transit--;
		pkram_alloc_free(&pkram_store.al, id, unit, PKRAM_GIB_UNITS);
	}
	mutex_unlock(&pkram_store.lock);
}

void pkram_space_settle(void)
{
	if (flush_work(&space_idle_work))
		pkram_count(PKRAM_COUNT_WAITS);
}

void pkram_space_lock_settled(void)
{
	mutex_lock(&pkram_store.lock);
	while (pkram_store.nr_in_transit) {
		mutex_unlock(&pkram_store.lock);
		fsleep(1000);
		mutex_lock(&pkram_store.lock);
	}
}
