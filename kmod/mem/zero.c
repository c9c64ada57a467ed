// SPDX-License-Identifier: GPL-2.0
/* Zeroing: see zero.h. */
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "event/count.h"
#include "mem/bad.h"
#include "mem/region.h"
#include "mem/zero.h"

#define ZERO_WORKERS		8
#define ZERO_UNITS_PER_WORKER	16U
#define ZERO_LOCKS		64

struct zero_work {
	struct work_struct work;
	struct pkram_region *r;
	u32 unit;
	u32 nr;
	bool always;
	int err;
};

static struct mutex zero_locks[ZERO_LOCKS];

struct workqueue_struct *pkram_wq;

int pkram_zero_init(void)
{
	int i;

	pkram_wq = alloc_workqueue("pkram", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!pkram_wq)
		return -ENOMEM;
	for (i = 0; i < ZERO_LOCKS; i++)
		mutex_init(&zero_locks[i]);
	return 0;
}

void pkram_zero_exit(void)
{
	destroy_workqueue(pkram_wq);
}

static int zero_prepare_unit(struct pkram_region *r, u32 unit)
{
	struct mutex *lock = &zero_locks[unit % ZERO_LOCKS];
	int state = pkram_region_map_get(r, unit);

	if (state == PKRAM_UNIT_WRITTEN)
		return 0;
	mutex_lock(lock);
	state = pkram_region_map_get(r, unit);
	if (state == PKRAM_UNIT_STALE) {
		pkram_bad_zero(r, unit, 0, PKRAM_UNIT);
		state = pkram_region_map_set(r, unit, 1, PKRAM_UNIT_WRITTEN);
		pkram_count(PKRAM_COUNT_ZEROED);
	} else if (state == PKRAM_UNIT_WRITTEN) {
		state = 0;
	} else {
		/* Owned units have one of the two states: the map is wrong. */
		state = -EUCLEAN;
	}
	mutex_unlock(lock);
	return state;
}

int pkram_zero_begin(struct pkram_region *r, u32 unit)
{
	int state;

	mutex_lock(&zero_locks[unit % ZERO_LOCKS]);
	state = pkram_region_map_get(r, unit);
	if (state == PKRAM_UNIT_STALE)
		return 1;
	mutex_unlock(&zero_locks[unit % ZERO_LOCKS]);
	return state == PKRAM_UNIT_WRITTEN ? 0 : -EUCLEAN;
}

int pkram_zero_end(struct pkram_region *r, u32 unit)
{
	int err = pkram_region_map_set(r, unit, 1, PKRAM_UNIT_WRITTEN);

	mutex_unlock(&zero_locks[unit % ZERO_LOCKS]);
	return err;
}

static void zero_run_work(struct work_struct *work)
{
	struct zero_work *w = container_of(work, struct zero_work, work);
	u32 unit;

	for (unit = w->unit; unit < w->unit + w->nr && !w->err; unit++) {
		if (w->always)
			pkram_bad_zero(w->r, unit, 0, PKRAM_UNIT);
		else
			w->err = zero_prepare_unit(w->r, unit);
		cond_resched();
	}
}

/* Distribute a run of units among CPUs, including this one. */
static int zero_run(struct pkram_region *r, u32 unit, u32 nr, bool always)
{
	struct zero_work alone = {}, *works;
	u32 nr_workers, share, i;
	int err = 0;

	nr_workers = min3((u32)ZERO_WORKERS, (u32)num_online_cpus(),
			  nr / ZERO_UNITS_PER_WORKER);
	/* Called under map_sem: see pkram_store_lock(). */
	works = nr_workers > 1 ?
		kcalloc(nr_workers, sizeof(*works), GFP_NOIO) : NULL;
	if (!works) {
		works = &alone;
		nr_workers = 1;
	}
	share = nr / nr_workers;
	for (i = 0; i < nr_workers; i++) {
		works[i].r = r;
		works[i].unit = unit + i * share;
		works[i].nr = i < nr_workers - 1 ? share : nr - i * share;
		works[i].always = always;
		if (i == nr_workers - 1)
			break;
		INIT_WORK(&works[i].work, zero_run_work);
		queue_work(pkram_wq, &works[i].work);
	}
	zero_run_work(&works[nr_workers - 1].work);
	for (i = 0; i < nr_workers; i++) {
		if (i < nr_workers - 1)
			flush_work(&works[i].work);
		if (works[i].err)
			err = works[i].err;
	}
	if (works != &alone)
		kfree(works);
	return err;
}

int pkram_zero_prepare(struct pkram_region *r, u32 unit, u32 nr)
{
	if (nr == 1)
		return zero_prepare_unit(r, unit);
	return zero_run(r, unit, nr, false);
}

int pkram_zero_gib(struct pkram_region *r, u32 gib)
{
	int err;

	/*
	 * Even if this kernel has not populated it, it may contain old bytes: an
	 * earlier kernel may have written them.
	 */
	err = pkram_region_populate(r, gib, PKRAM_SLICE_1G);
	if (!err)
		err = zero_run(r, gib * PKRAM_GIB_UNITS, PKRAM_GIB_UNITS, true);
	if (!err)
		pkram_count_add(PKRAM_COUNT_ZEROED, PKRAM_GIB_UNITS);
	pkram_region_depopulate(r, gib);
	return err;
}
