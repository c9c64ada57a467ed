// SPDX-License-Identifier: GPL-2.0
/* Regions: see region.h. This file makes memory addressable. */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "compat/mm.h"
#include "core/unitmap.h"
#include "event/count.h"
#include "event/trace.h"
#include "mem/bad.h"
#include "mem/iomem.h"
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
	mutex_init(&r->populate_lock);
	r->nid = pkram_take_nid(base);
	r->head = __va(base);
	r->h.base = base;
	r->h.nr_gib = 1;
	r->h.present[0] = 1;
	r->gib = kvcalloc(1, sizeof(*r->gib), GFP_KERNEL);
	r->scratch = kvzalloc(PKRAM_HEADER_SLOT, GFP_KERNEL);
	err = pkram_bad_alloc(r);
	if (err || !r->gib || !r->scratch) {
		err = -ENOMEM;
		goto err_free;
	}
	err = pkram_region_populate(r, 0, PKRAM_SLICE_2M);
	if (err)
		goto err_free;
	pkram_bad_read(r);
	return r;

err_free:
	pkram_bad_free(r);
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
		/* There is @gib for one GiB, which is what close uses. */
		r->h.nr_gib = 1;
		return -ENOMEM;
	}
	gib[0] = r->gib[0];
	kvfree(r->gib);
	r->gib = gib;
	return pkram_iomem_insert(r);
}

int pkram_region_update_span(struct pkram_region *r)
{
	return pkram_iomem_insert(r);
}

void pkram_region_close(struct pkram_region *r, bool keep_resources)
{
	u32 i;

	/* GiB 0 last: an error in another GiB meanwhile is written into the head. */
	for (i = r->h.nr_gib; i--;)
		pkram_region_depopulate(r, i);
	if (!keep_resources)
		pkram_iomem_remove(r);
	pkram_bad_free(r);
	kfree(r->resources);
	kvfree(r->scratch);
	kvfree(r->gib);
	mutex_destroy(&r->populate_lock);
	kvfree(r);
}

/*
 * Memory that struct pages and page tables of a GiB need, and memory that must be
 * left: with too little the kernel stops half way and warns.
 */
static bool region_enough_memory(unsigned int slice)
{
	unsigned long pages = SZ_16M >> PAGE_SHIFT;

	/* The first two pages of struct pages of a folio are not shared. */
	pages += 2 << (PKRAM_SLICE_1G - slice);
	return si_mem_available() >= (long)pages;
}

static int region_populate_gib(struct pkram_region *r, u32 gib, unsigned int slice)
{
	u64 base = pkram_header_gib_addr(&r->h, gib);
	struct dev_pagemap *pgmap;
	bool clean;
	void *addr;
	int err;

	lockdep_assert_held(&r->populate_lock);
	/* Populating System RAM would warn and fail: check first. */
	err = pkram_iomem_check_free(base, PKRAM_GIB);
	if (err)
		return err;
	if (!region_enough_memory(slice))
		return -ENOMEM;
	pgmap = kzalloc(sizeof(*pgmap), GFP_KERNEL);
	if (!pgmap)
		return -ENOMEM;
	pgmap->type = MEMORY_DEVICE_GENERIC;
	pgmap->range.start = base;
	pgmap->range.end = base + PKRAM_GIB - 1;
	pgmap->nr_range = 1;
	pgmap->vmemmap_shift = slice;
	pgmap->ops = &pkram_bad_pgmap_ops;
	pgmap->owner = r;
	clean = !pkram_take_has_memmap(base, PKRAM_GIB);
	addr = memremap_pages(pgmap, node_online(r->nid) ? r->nid : NUMA_NO_NODE);
	if (IS_ERR(addr)) {
		kfree(pgmap);
		if (clean)
			pkram_take_clean_up(base, PKRAM_GIB);
		/* Leftover struct pages: unusable until reboot */
		return clean ? PTR_ERR(addr) : -EIO;
	}
	r->gib[gib].pgmap = pgmap;
	pkram_count(PKRAM_COUNT_POPULATES);
	/* Publish the struct pages first; pairs with pkram_region_slice() */
	smp_store_release(&r->gib[gib].slice, slice);
	return 0;
}

static void region_depopulate_gib(struct pkram_region *r, u32 gib)
{
	struct pkram_gib *g = &r->gib[gib];

	lockdep_assert_held(&r->populate_lock);
	if (!g->pgmap)
		return;
	/* Pairs with pkram_region_slice() */
	smp_store_release(&g->slice, PKRAM_SLICE_NONE);
	memunmap_pages(g->pgmap);
	kfree(g->pgmap);
	g->pgmap = NULL;
}

int pkram_region_populate(struct pkram_region *r, u32 gib, unsigned int slice)
{
	u64 begin = ktime_get_ns();
	unsigned int noio;
	int err = 0;

	mutex_lock(&r->populate_lock);
	/* A write to a loop device may wait for this lock: see pkram_store_lock(). */
	noio = memalloc_noio_save();
	if (!r->gib[gib].pgmap) {
		err = region_populate_gib(r, gib, slice);
		trace_pkram_populate(pkram_header_gib_addr(&r->h, gib), PKRAM_GIB, err,
				     slice == PKRAM_SLICE_1G ? "as 1G" : "as 2M", begin);
	}
	memalloc_noio_restore(noio);
	mutex_unlock(&r->populate_lock);
	return err;
}

void pkram_region_depopulate(struct pkram_region *r, u32 gib)
{
	mutex_lock(&r->populate_lock);
	region_depopulate_gib(r, gib);
	mutex_unlock(&r->populate_lock);
}

void pkram_region_insert_begin(struct pkram_region *r, u32 gib)
{
	atomic_inc(&r->gib[gib].inserts_begun);
	/* Before the leaf counts; pairs with region_gib_pinned() */
	smp_mb__after_atomic();
}

void pkram_region_insert_end(struct pkram_region *r, u32 gib)
{
	/* After the leaf counts; pairs with region_gib_pinned() */
	smp_mb__before_atomic();
	atomic_inc(&r->gib[gib].inserts_done);
}

/*
 * Since 6.17 each leaf holds a reference of its folio, which it drops after it has ceased to
 * count as a leaf. No leaf appears while none is being inserted, but for a fork that copies
 * leaves (userfaultfd). So if there are as many leaves before and afterwards, these were the
 * references at that time; unless in between one leaf went and a fork copied another, in which
 * case one reference of somebody else is not seen.
 */
static bool region_gib_pinned(const struct pkram_gib *g, struct folio *folio)
{
	int done = atomic_read(&g->inserts_done), refs, leaves, before;

	/* Pairs with pkram_region_insert_begin() and pkram_region_insert_end() */
	smp_rmb();
	before = compat_folio_leaves(folio);
	/* As below */
	smp_rmb();
	refs = folio_ref_count(folio);
	/* As above, and with the kernel's removal of leaves */
	smp_rmb();
	leaves = compat_folio_leaves(folio);
	/* As above */
	smp_rmb();
	return atomic_read(&g->inserts_begun) != done || before != leaves || refs > 1 + leaves;
}

bool pkram_region_pinned(const struct pkram_region *r, u32 unit)
{
	u32 gib = unit / PKRAM_GIB_UNITS, slice = pkram_region_slice(r, gib);
	struct folio *folio;

	if (slice == PKRAM_SLICE_NONE)
		return false;
	/* An idle folio of a generic device has one reference, its own. */
	folio = page_folio(pfn_to_page(PHYS_PFN(pkram_region_unit_phys(r, unit))));
	if (COMPAT_LEAVES_HOLD_FOLIOS && slice == PKRAM_SLICE_1G)
		return region_gib_pinned(&r->gib[gib], folio);
	return folio_ref_count(folio) > 1;
}

/* Header and unit map */

void pkram_region_commit(struct pkram_region *r)
{
	pkram_header_commit(r->head, &r->h, r->scratch);
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
