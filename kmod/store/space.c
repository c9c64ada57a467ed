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
#include "mem/zero.h"
#include "store/regions.h"
#include "store/space.h"
#include "store/state.h"

static void space_idle_work_fn(struct work_struct *work);
static DECLARE_WORK(space_idle_work, space_idle_work_fn);
static void space_reap_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(space_reap_work, space_reap_work_fn);

/* Units of one &struct space_pending, and those that a call looks at, about */
#define SPACE_RUN	2048U
#define SPACE_REAP	4096U

/**
 * struct space_pending - units without an owner that are still pinned
 * @list: in store.pending, those first that were looked at longest ago
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
static void space_add_run(struct pkram_region *r, u32 unit, u32 nr)
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
	pkram_store.nr_pending_runs++;
}

static void space_add_pending(struct pkram_region *r, u32 unit, u32 nr)
{
	u32 n;

	for (; nr; unit += n, nr -= n) {
		n = min(nr, SPACE_RUN);
		space_add_run(r, unit, n);
	}
	schedule_delayed_work(&space_reap_work, HZ);
}

/* Take an idle GiB until it is depopulated. It is not allocated meanwhile, and the region stays. */
static bool space_leave(struct pkram_region *r, u32 gib)
{
	if (pkram_alloc_mark(&pkram_store.al, pkram_region_id_of(r),
			     gib * PKRAM_GIB_UNITS, PKRAM_GIB_UNITS))
		return false;
	r->gib[gib].leaving = true;
	pkram_store.nr_leaving++;
	pkram_store.nr_in_transit++;
	return true;
}

static bool space_is_idle(const struct pkram_region *r,
			  const struct pkram_alloc_region *ar, u32 gib)
{
	return pkram_region_slice(r, gib) != PKRAM_SLICE_NONE &&
	       pkram_alloc_gib_idle(ar, gib);
}

/*
 * A work depopulates GiB that are not used any more, so that they can be populated in
 * the other way next time. Depopulating needs locks that must not be taken here, and a
 * grace period for each: until then they are taken, so that others need not wait.
 */
static void space_give_back(struct pkram_region *r, u32 unit, u32 nr)
{
	struct pkram_alloc_region *ar =
		pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
	u32 gib;

	pkram_alloc_free(&pkram_store.al, pkram_region_id_of(r), unit, nr);
	for (gib = unit / PKRAM_GIB_UNITS;
	     gib <= (unit + nr - 1) / PKRAM_GIB_UNITS; gib++)
		if (space_is_idle(r, ar, gib) && space_leave(r, gib))
			queue_work(pkram_wq, &space_idle_work);
}

bool pkram_space_leaving(const struct pkram_region *r, u32 unit)
{
	lockdep_assert_held(&pkram_store.lock);
	return r->gib[unit / PKRAM_GIB_UNITS].leaving;
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

/* Free what is not pinned any more, and put the rest at the end of the list. Return: units */
static u32 space_reap_run(struct space_pending *p)
{
	u32 unit = p->unit, nr = p->nr, n, nr_freed = 0;
	bool pinned, kept = false;

	list_del(&p->list);
	pkram_store.nr_pending -= nr;
	pkram_store.nr_pending_runs--;
	for (; nr; unit += n, nr -= n) {
		n = space_same_pins(p->r, unit, nr, &pinned);
		if (!pinned) {
			space_give_back(p->r, unit, n);
			nr_freed += n;
		} else if (kept) {
			space_add_run(p->r, unit, n);
		} else {
			p->unit = unit;
			p->nr = n;
			kept = true;
		}
	}
	if (!kept) {
		kfree(p);
		module_put(THIS_MODULE);
		return nr_freed;
	}
	list_add_tail(&p->list, &pkram_store.pending);
	pkram_store.nr_pending += p->nr;
	pkram_store.nr_pending_runs++;
	return nr_freed;
}

bool pkram_space_reap(u32 *left)
{
	u32 nr_freed = 0, looked = 0;
	struct space_pending *p;

	lockdep_assert_held(&pkram_store.lock);
	*left = min(*left, pkram_store.nr_pending_runs);
	while (*left && looked < SPACE_REAP) {
		p = list_first_entry(&pkram_store.pending, struct space_pending, list);
		looked += p->nr;
		nr_freed += space_reap_run(p);
		(*left)--;
	}
	return nr_freed;
}

void pkram_space_reap_all(void)
{
	u32 left = U32_MAX;

	do {
		pkram_space_reap(&left);
	} while (left);
}

static void space_reap_work_fn(struct work_struct *work)
{
	u32 left = U32_MAX;

	do {
		pkram_store_lock();
		pkram_space_reap(&left);
		if (!left && pkram_store.nr_pending)
			schedule_delayed_work(&space_reap_work, HZ);
		pkram_store_unlock();
		cond_resched();
	} while (left);
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

/* GiB that a failed change left idle and populated are found here too. */
static bool space_find_leaving(struct pkram_region **rp, u32 *gib)
{
	struct pkram_alloc_region *ar;
	struct pkram_region *r;

	list_for_each_entry(r, &pkram_store.regions, list) {
		ar = pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
		if (!ar)
			continue;
		for (*gib = 1; *gib < r->h.nr_gib; (*gib)++) {
			if (!r->gib[*gib].leaving &&
			    (!space_is_idle(r, ar, *gib) || !space_leave(r, *gib)))
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

	pkram_store_lock();
	while (space_find_leaving(&r, &gib)) {
		pkram_store_unlock();
		pkram_region_depopulate(r, gib);
		pkram_store_lock();
		r->gib[gib].leaving = false;
		pkram_store.nr_leaving--;
		pkram_store.nr_in_transit--;
		pkram_alloc_free(&pkram_store.al, pkram_region_id_of(r),
				 gib * PKRAM_GIB_UNITS, PKRAM_GIB_UNITS);
	}
	pkram_store_unlock();
}

static u32 space_nr_idle(void)
{
	struct pkram_alloc_region *ar;
	u32 nr = 0, gib;

	for (ar = pkram_store.al.regions; ar; ar = ar->next)
		for (gib = 1; gib < ar->nr_units / PKRAM_GIB_UNITS; gib++)
			nr += pkram_alloc_gib_idle(ar, gib);
	return nr;
}

bool pkram_space_worth_waiting(u64 nr_units, u32 nr_gib)
{
	lockdep_assert_held(&pkram_store.lock);
	return pkram_store.nr_leaving &&
	       (pkram_store.al.nr_free < nr_units || (nr_gib && space_nr_idle() < nr_gib));
}

void pkram_space_wait(void)
{
	pkram_count(PKRAM_COUNT_WAITS);
	fsleep(1000);
}

void pkram_space_settle(void)
{
	if (flush_work(&space_idle_work))
		pkram_count(PKRAM_COUNT_WAITS);
}

void pkram_space_lock_settled(void)
{
	pkram_space_settle();
	pkram_store_lock();
	while (pkram_store.nr_in_transit) {
		pkram_store_unlock();
		fsleep(1000);
		pkram_store_lock();
	}
}
