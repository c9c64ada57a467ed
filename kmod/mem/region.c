// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: see region.h. This file makes memory addressable; taking it from
 * the system and giving it back is region_take.c.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "mem/region.h"
#include "mem/take.h"

struct pkram_region *pkram_region_open(u64 base)
{
	struct pkram_region *r;
	int err;

	r = kvzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&r->list);
	spin_lock_init(&r->map_lock);
	mutex_init(&r->claim_lock);
	r->nid = pkram_take_nid(base);
	r->head = __va(base);
	r->h.base = base;
	r->h.nr_gib = 1;
	r->h.present[0] = 1;
	r->gib = kvcalloc(1, sizeof(*r->gib), GFP_KERNEL);
	r->scratch = kvzalloc(PKRAM_HEADER_SLOT, GFP_KERNEL);
	if (!r->gib || !r->scratch) {
		err = -ENOMEM;
		goto err_free;
	}
	err = pkram_region_claim(r, 0, PKRAM_SLICE_2M);
	if (err)
		goto err_free;
	return r;

err_free:
	kvfree(r->scratch);
	kvfree(r->gib);
	kvfree(r);
	return ERR_PTR(err);
}

int pkram_region_set_span(struct pkram_region *r)
{
	struct pkram_gib *gib;

	gib = kvcalloc(r->h.nr_gib, sizeof(*gib), GFP_KERNEL);
	if (!gib) {
		/* There is @gib for one, and that is what closing goes by. */
		r->h.nr_gib = 1;
		return -ENOMEM;
	}
	gib[0] = r->gib[0];
	kvfree(r->gib);
	r->gib = gib;
	return pkram_take_insert_resources(r);
}

int pkram_region_update_span(struct pkram_region *r)
{
	return pkram_take_insert_resources(r);
}

void pkram_region_close(struct pkram_region *r, bool keep_resources)
{
	u32 i;

	for (i = 0; i < r->h.nr_gib; i++)
		pkram_region_unclaim(r, i);
	if (!keep_resources)
		pkram_take_remove_resources(r);
	kfree(r->resources);
	kvfree(r->scratch);
	kvfree(r->gib);
	mutex_destroy(&r->claim_lock);
	kvfree(r);
}

/*
 * What struct pages and page tables of a GiB need, and what must then be left: if
 * there is too little the kernel stops half way, and warns.
 */
static bool enough_memory(unsigned int slice)
{
	unsigned long pages = SZ_16M >> PAGE_SHIFT;

	/* Of the struct pages of a folio the first two pages are not shared. */
	pages += 2 << (PKRAM_SLICE_1G - slice);
	return si_mem_available() >= (long)pages;
}

static int gib_claim(struct pkram_region *r, u32 gib, unsigned int slice)
{
	u64 base = r->h.base + ((u64)gib << PKRAM_GIB_SHIFT);
	struct dev_pagemap *pgmap;
	bool clean;
	void *addr;
	int err;

	lockdep_assert_held(&r->claim_lock);
	/* Claiming System RAM would warn, and lose: look first. */
	err = pkram_region_check_free(base, PKRAM_GIB);
	if (err)
		return err;
	if (!enough_memory(slice))
		return -ENOMEM;
	pgmap = kzalloc(sizeof(*pgmap), GFP_KERNEL);
	if (!pgmap)
		return -ENOMEM;
	pgmap->type = MEMORY_DEVICE_GENERIC;
	pgmap->range.start = base;
	pgmap->range.end = base + PKRAM_GIB - 1;
	pgmap->nr_range = 1;
	pgmap->vmemmap_shift = slice;
	clean = !pkram_take_has_memmap(base, PKRAM_GIB);
	addr = memremap_pages(pgmap, r->nid);
	if (IS_ERR(addr)) {
		kfree(pgmap);
		if (clean)
			pkram_take_clean_up(base, PKRAM_GIB);
		/* What was left there before: not until the next boot */
		return clean ? PTR_ERR(addr) : -EIO;
	}
	r->gib[gib].pgmap = pgmap;
	/* Its struct pages come first; pairs with pkram_region_slice() */
	smp_store_release(&r->gib[gib].slice, slice);
	return 0;
}

static void gib_unclaim(struct pkram_region *r, u32 gib)
{
	struct pkram_gib *g = &r->gib[gib];

	lockdep_assert_held(&r->claim_lock);
	if (!g->pgmap)
		return;
	/* Pairs with pkram_region_slice() */
	smp_store_release(&g->slice, PKRAM_SLICE_NONE);
	memunmap_pages(g->pgmap);
	kfree(g->pgmap);
	g->pgmap = NULL;
}

int pkram_region_claim(struct pkram_region *r, u32 gib, unsigned int slice)
{
	int err = 0;

	mutex_lock(&r->claim_lock);
	if (!r->gib[gib].pgmap)
		err = gib_claim(r, gib, slice);
	mutex_unlock(&r->claim_lock);
	return err;
}

void pkram_region_unclaim(struct pkram_region *r, u32 gib)
{
	mutex_lock(&r->claim_lock);
	gib_unclaim(r, gib);
	mutex_unlock(&r->claim_lock);
}

bool pkram_region_pinned(const struct pkram_region *r, u32 unit)
{
	struct page *page;

	if (pkram_region_slice(r, unit / PKRAM_GIB_UNITS) == PKRAM_SLICE_NONE)
		return false;
	/* An idle folio of a generic device has one reference, its own. */
	page = pfn_to_page(PHYS_PFN(pkram_region_unit_phys(r, unit)));
	return folio_ref_count(page_folio(page)) > 1;
}

/* Zeroing */

#define ZERO_WORKERS		8
#define ZERO_UNITS_PER_WORKER	16U
#define PREPARE_LOCKS		64

struct zero_work {
	struct work_struct work;
	struct pkram_region *r;
	u32 unit;
	u32 nr;
	bool always;
	int err;
};

static struct mutex prepare_locks[PREPARE_LOCKS];

void pkram_region_init(void)
{
	int i;

	for (i = 0; i < PREPARE_LOCKS; i++)
		mutex_init(&prepare_locks[i]);
}

static int prepare_unit(struct pkram_region *r, u32 unit)
{
	struct mutex *lock = &prepare_locks[unit % PREPARE_LOCKS];
	int state = pkram_region_map_get(r, unit);

	if (state == PKRAM_UNIT_WRITTEN)
		return 0;
	mutex_lock(lock);
	state = pkram_region_map_get(r, unit);
	if (state == PKRAM_UNIT_STALE) {
		memset(pkram_region_unit_addr(r, unit), 0, PKRAM_UNIT);
		state = pkram_region_map_set(r, unit, 1, PKRAM_UNIT_WRITTEN);
	} else if (state == PKRAM_UNIT_WRITTEN) {
		state = 0;
	} else {
		/* Owned units are one of the two: the map is wrong. */
		state = -EUCLEAN;
	}
	mutex_unlock(lock);
	return state;
}

static void zero_work_fn(struct work_struct *work)
{
	struct zero_work *w = container_of(work, struct zero_work, work);
	u32 unit;

	for (unit = w->unit; unit < w->unit + w->nr && !w->err; unit++) {
		if (w->always)
			memset(pkram_region_unit_addr(w->r, unit), 0,
			       PKRAM_UNIT);
		else
			w->err = prepare_unit(w->r, unit);
		cond_resched();
	}
}

/* Share a run of units out among CPUs, this one included. */
static int zero_run(struct pkram_region *r, u32 unit, u32 nr, bool always)
{
	struct zero_work alone = {}, *works;
	u32 nr_workers, share, i;
	int err = 0;

	nr_workers = min3((u32)ZERO_WORKERS, (u32)num_online_cpus(),
			  nr / ZERO_UNITS_PER_WORKER);
	works = nr_workers > 1 ?
		kcalloc(nr_workers, sizeof(*works), GFP_KERNEL) : NULL;
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
		INIT_WORK(&works[i].work, zero_work_fn);
		queue_work(system_unbound_wq, &works[i].work);
	}
	zero_work_fn(&works[nr_workers - 1].work);
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

int pkram_region_prepare(struct pkram_region *r, u32 unit, u32 nr)
{
	if (nr == 1)
		return prepare_unit(r, unit);
	return zero_run(r, unit, nr, false);
}

int pkram_region_wipe(struct pkram_region *r, u32 gib)
{
	int err;

	/*
	 * Claimed by this kernel or not, it may hold old bytes: the claim that
	 * made them visible may have been another kernel's.
	 */
	err = pkram_region_claim(r, gib, PKRAM_SLICE_1G);
	if (!err)
		err = zero_run(r, gib * PKRAM_GIB_UNITS, PKRAM_GIB_UNITS, true);
	pkram_region_unclaim(r, gib);
	return err;
}

/* Header and unit map */

void pkram_region_commit(struct pkram_region *r)
{
	struct pkram_region_ser *ser = r->scratch;

	r->h.seq++;
	pkram_header_encode(ser, &r->h);
	pkram_pair_commit(r->head, r->head + PKRAM_HEADER_SLOT,
			  r->cur, ser, PKRAM_HEADER_SLOT);
	r->cur = 0;
}

int pkram_region_map_get(struct pkram_region *r, u32 unit)
{
	return pkram_map_get(r->head, r->h.region_id, unit);
}

int pkram_region_map_set(struct pkram_region *r, u32 unit, u32 nr, int state)
{
	int err;

	spin_lock(&r->map_lock);
	err = pkram_map_set(r->head, r->h.region_id, unit, nr, state);
	spin_unlock(&r->map_lock);
	return err;
}
