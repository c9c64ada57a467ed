// SPDX-License-Identifier: GPL-2.0
/* Bad pages: see bad.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include "core/badset.h"
#include "core/unitmap.h"
#include "event/count.h"
#include "event/trace.h"
#include "mem/bad.h"

/* Serialises changes of lists, and of the set in core/badset.h; its place: store/objects.h */
static DEFINE_MUTEX(bad_mutex);
static unsigned int bad_noio;	/* of the task that holds it */
static pkram_bad_fn bad_hook;
DEFINE_STATIC_SRCU(bad_srcu);	/* calls of it, and who writes to pages that were good */

/*
 * Broken pages that are on no list in memory: of GiB that are in no region yet or any more, and
 * of regions whose list may not be written. They are few, and known in this kernel only.
 */
#define BAD_LOOSE	256
static u64 bad_loose[BAD_LOOSE];	/* physical addresses; bad_mutex */
static u32 bad_nr_loose;
static bool bad_loose_full;		/* there were more */

/* It is taken under the store's lock: see pkram_store_lock(). */
static void bad_lock_lists(void)
{
	mutex_lock(&bad_mutex);
	bad_noio = memalloc_noio_save();
}

static void bad_unlock_lists(void)
{
	unsigned int noio = bad_noio;

	mutex_unlock(&bad_mutex);
	memalloc_noio_restore(noio);
}

void pkram_bad_set_hook(pkram_bad_fn fn)
{
	WRITE_ONCE(bad_hook, fn);
	synchronize_srcu(&bad_srcu);
}

int pkram_bad_alloc(struct pkram_region *r)
{
	spin_lock_init(&r->bad_lock);
	r->bad = kvzalloc(PKRAM_BAD_SLOT, GFP_KERNEL);
	if (!r->bad)
		return -ENOMEM;
	pkram_badpages_init(r->bad, r->h.base);
	return 0;
}

void pkram_bad_free(struct pkram_region *r)
{
	bad_lock_lists();
	pkram_badset_remove(r->head, (size_t)r->h.nr_gib << PKRAM_GIB_SHIFT);
	bad_unlock_lists();
	kvfree(r->bad);
}

/* Context: bad_mutex; and bad_lock, unless the region is not in use yet */
static void bad_count_entries(struct pkram_region *r)
{
	lockdep_assert_held(&bad_mutex);
	WRITE_ONCE(r->nr_bad, le32_to_cpu(r->bad->nr));
}

static const void *bad_addr(const struct pkram_region *r, u32 page)
{
	return r->head + (unsigned long)page * PKRAM_BAD_PAGE;
}

static void bad_add_to_set(const struct pkram_region *r, u32 page)
{
	lockdep_assert_held(&bad_mutex);
	if (!pkram_badset_add(bad_addr(r, page)))
		pr_err("out of memory: the bad page with metadata at %#llx is still used\n",
		       r->h.base + (u64)page * PKRAM_BAD_PAGE);
}

/* Do not access the bad pages of a unit of metadata. Context: bad_mutex. */
static void bad_avoid_unit(struct pkram_region *r, u32 unit)
{
	u32 page = unit * PKRAM_UNIT_PAGES, end = page + PKRAM_UNIT_PAGES, nr;

	while ((page = pkram_badpages_next(r->bad, page, end, &nr)) < end)
		for (; nr; nr--)
			bad_add_to_set(r, page++);
}

static bool bad_may_merge(const void *r, u32 unit)
{
	return !pkram_bad_is_meta(r, unit);
}

/* Loose pages */

/* Unit 0 becomes a head. */
static bool bad_may_merge_loose(const void *arg, u32 unit)
{
	return unit;
}

static void bad_add_loose(u64 phys)
{
	u32 i;

	lockdep_assert_held(&bad_mutex);
	for (i = 0; i < bad_nr_loose; i++)
		if (bad_loose[i] == phys)
			return;
	if (bad_nr_loose < BAD_LOOSE) {
		bad_loose[bad_nr_loose++] = phys;
		return;
	}
	if (!bad_loose_full)
		pr_err("too many memory errors outside of regions: no memory is given back before the next boot\n");
	bad_loose_full = true;
}

static bool bad_in_region(const struct pkram_region *r, u64 phys)
{
	u64 gib = (phys - r->h.base) >> PKRAM_GIB_SHIFT;

	return phys >= r->h.base && gib < r->h.nr_gib && pkram_region_present(r, gib);
}

/* Put loose pages of a region on its list. */
static void bad_merge_loose(struct pkram_region *r)
{
	u32 i, page;

	lockdep_assert_held(&bad_mutex);
	for (i = 0; i < bad_nr_loose; i++) {
		if (!bad_in_region(r, bad_loose[i]))
			continue;
		page = (bad_loose[i] - r->h.base) / PKRAM_BAD_PAGE;
		if (pkram_bad_is_meta(r, page / PKRAM_UNIT_PAGES))
			bad_add_to_set(r, page);
		spin_lock(&r->bad_lock);
		r->bad_dirty |= pkram_badpages_add(r->bad, page, bad_may_merge, r) > 0;
		bad_count_entries(r);
		spin_unlock(&r->bad_lock);
	}
}

/* The region's list is in memory. */
static void bad_drop_loose(const struct pkram_region *r)
{
	u32 i, n = 0;

	lockdep_assert_held(&bad_mutex);
	for (i = 0; i < bad_nr_loose; i++)
		if (!bad_in_region(r, bad_loose[i]))
			bad_loose[n++] = bad_loose[i];
	bad_nr_loose = n;
}

void pkram_bad_note_loose(u64 phys)
{
	bad_lock_lists();
	bad_add_loose(phys);
	bad_unlock_lists();
	trace_pkram_bad_page(phys, "in no region");
	pkram_count(PKRAM_COUNT_BAD_PAGES);
	pr_err("memory error at %#llx: if the page becomes part of the pool, it is not used\n", phys);
}

void pkram_bad_merge_loose(struct pkram_region *r)
{
	bad_lock_lists();
	bad_merge_loose(r);
	bad_unlock_lists();
}

void pkram_bad_loosen(struct pkram_region *r)
{
	u32 page = 0, nr;

	bad_lock_lists();
	while ((page = pkram_badpages_next(r->bad, page, PKRAM_REGION_MAX_PAGES, &nr)) <
	       PKRAM_REGION_MAX_PAGES)
		for (; nr; nr--, page++)
			bad_add_loose(r->h.base + (u64)page * PKRAM_BAD_PAGE);
	bad_unlock_lists();
}

bool pkram_bad_get_loose(u64 base, u64 size, struct pkram_bad_ser *list)
{
	bool found;
	u32 i;

	bad_lock_lists();
	found = bad_loose_full;
	for (i = 0; i < bad_nr_loose; i++) {
		if (bad_loose[i] < base || bad_loose[i] - base >= size)
			continue;
		found = true;
		/* Into a full list it does not go, as it would not if the page broke now. */
		if (list)
			pkram_badpages_add(list, (bad_loose[i] - base) / PKRAM_BAD_PAGE,
					   bad_may_merge_loose, NULL);
	}
	bad_unlock_lists();
	return found;
}

void pkram_bad_exit(void)
{
	pkram_badset_exit();
	bad_nr_loose = 0;
	bad_loose_full = false;
}

/* Lists in heads */

void pkram_bad_read(struct pkram_region *r)
{
	bad_lock_lists();
	/* Pages may have been noted since the GiB is populated: those are loose. */
	r->bad_valid = !pkram_badpages_read(r->head, r->h.base, r->bad, &r->bad_dirty);
	r->bad_dirty |= !r->bad_valid;
	bad_count_entries(r);
	bad_merge_loose(r);
	bad_avoid_unit(r, 0);
	bad_unlock_lists();
}

/* Context: bad_mutex */
static void bad_replace(struct pkram_region *r, const struct pkram_bad_ser *list)
{
	lockdep_assert_held(&bad_mutex);
	pkram_badset_remove(r->head, PKRAM_UNIT);
	if (list)
		memcpy(r->bad, list, le32_to_cpu(list->len));
	else
		pkram_badpages_init(r->bad, r->h.base);
	bad_count_entries(r);
	bad_merge_loose(r);
	bad_avoid_unit(r, 0);
	r->bad_dirty = true;
}

void pkram_bad_replace(struct pkram_region *r, const struct pkram_bad_ser *list)
{
	bad_lock_lists();
	bad_replace(r, list);
	bad_unlock_lists();
}

/* Context: bad_mutex. Return: whether it was written */
static bool bad_write(struct pkram_region *r)
{
	lockdep_assert_held(&bad_mutex);
	if (!r->bad_ours || r->read_only) {
		r->bad_dirty = true;
		return false;
	}
	spin_lock(&r->bad_lock);
	memcpy(r->bad->pool_key, r->h.pool_key, sizeof(r->bad->pool_key));
	pkram_badpages_write(r->head, r->bad);
	r->bad_valid = true;
	r->bad_dirty = false;
	spin_unlock(&r->bad_lock);
	bad_drop_loose(r);
	return true;
}

void pkram_bad_write(struct pkram_region *r)
{
	bad_lock_lists();
	pkram_badpages_cut(r->bad, r->h.nr_gib * PKRAM_GIB_UNITS * PKRAM_UNIT_PAGES);
	bad_count_entries(r);
	r->bad_ours = true;
	bad_write(r);
	bad_unlock_lists();
}

void pkram_bad_keep(struct pkram_region *r, const struct pkram_bad_ser *list)
{
	bad_lock_lists();
	bad_replace(r, list);
	r->bad_ours = true;
	bad_write(r);
	bad_unlock_lists();
}

void pkram_bad_accept(struct pkram_region *r)
{
	u32 end = r->h.nr_gib * PKRAM_GIB_UNITS * PKRAM_UNIT_PAGES, i, nr;

	bad_lock_lists();
	if (memcmp(r->bad->pool_key, r->h.pool_key, sizeof(r->bad->pool_key))) {
		bad_replace(r, NULL);
		r->bad_valid = false;
	}
	pkram_badpages_cut(r->bad, end);
	bad_count_entries(r);
	for (i = 0; i < r->h.nr_meta; i++)
		bad_avoid_unit(r, pkram_header_meta_unit(&r->h, i));
	nr = pkram_badpages_count(r->bad, 0, end);
	r->bad_ours = true;
	if (!r->bad_valid)
		pr_err("region at %#llx: its list of memory errors cannot be read, and is made anew\n",
		       r->h.base);
	else if (nr)
		pr_warn("region at %#llx: %u page(s) with memory errors are kept back\n",
			r->h.base, nr);
	bad_unlock_lists();
}

void pkram_bad_mirror(struct pkram_region *r)
{
	bad_lock_lists();
	bad_merge_loose(r);
	if (r->bad_dirty)
		bad_write(r);
	bad_unlock_lists();
}

/* Look-up */

u32 pkram_bad_next(struct pkram_region *r, u32 from, u32 end, u32 *nr)
{
	*nr = 0;
	if (!READ_ONCE(r->nr_bad))
		return end;
	spin_lock(&r->bad_lock);
	from = pkram_badpages_next(r->bad, from, end, nr);
	spin_unlock(&r->bad_lock);
	return from;
}

static bool bad_page(struct pkram_region *r, u32 page)
{
	u32 nr;

	pkram_bad_next(r, page, page + 1, &nr);
	return nr;
}

u32 pkram_bad_count(struct pkram_region *r, u32 unit, u32 nr)
{
	u32 n;

	spin_lock(&r->bad_lock);
	n = pkram_badpages_count(r->bad, unit * PKRAM_UNIT_PAGES,
				 (unit + nr) * PKRAM_UNIT_PAGES);
	spin_unlock(&r->bad_lock);
	return n;
}

size_t pkram_bad_good_len(struct pkram_region *r, u32 unit, size_t off, size_t len)
{
	u32 first = unit * PKRAM_UNIT_PAGES, page, nr;

	page = pkram_bad_next(r, first + off / PKRAM_BAD_PAGE,
			      first + DIV_ROUND_UP(off + len, PKRAM_BAD_PAGE), &nr);
	if (!nr)
		return len;
	return max((size_t)(page - first) * PKRAM_BAD_PAGE, off) - off;
}

int pkram_bad_begin_write(void)
{
	return srcu_read_lock(&bad_srcu);
}

void pkram_bad_end_write(int idx)
{
	srcu_read_unlock(&bad_srcu, idx);
}

bool pkram_bad_zero(struct pkram_region *r, u32 unit, size_t off, size_t len)
{
	void *addr = pkram_region_unit_addr(r, unit);
	size_t end = off + len, n;
	bool bad = false;
	int idx;

	for (; off < end; off += n) {
		idx = pkram_bad_begin_write();
		n = pkram_bad_good_len(r, unit, off, end - off);
		memset(addr + off, 0, n);
		pkram_bad_end_write(idx);
		if (!n) {
			bad = true;
			n = min(end, round_down(off, PKRAM_BAD_PAGE) + PKRAM_BAD_PAGE) - off;
		}
	}
	return bad;
}

bool pkram_bad_head_usable(struct pkram_region *r)
{
	u32 slot = PKRAM_BAD_SLOT / PKRAM_BAD_PAGE, a = PKRAM_HEAD_BAD_A / PKRAM_BAD_PAGE;
	u32 b = PKRAM_HEAD_BAD_B / PKRAM_BAD_PAGE, nr, page;

	if (bad_page(r, 0) && bad_page(r, PKRAM_HEADER_SLOT / PKRAM_BAD_PAGE))
		return false;
	pkram_bad_next(r, a, a + slot, &nr);
	if (nr)
		pkram_bad_next(r, b, b + slot, &nr);
	if (nr)
		return false;
	a = PKRAM_HEAD_MAP_A / PKRAM_BAD_PAGE;
	b = PKRAM_HEAD_MAP_B / PKRAM_BAD_PAGE;
	for (page = 0; page < PKRAM_MAP_WORDS_MAX * 8 / PKRAM_BAD_PAGE; page++)
		if (bad_page(r, a + page) && bad_page(r, b + page))
			return false;
	return true;
}

/* Memory errors */

bool pkram_bad_is_meta(const struct pkram_region *r, u32 unit)
{
	int state = pkram_map_get(r->head, r->h.region_id, unit);

	return !unit || state < 0 || state == PKRAM_UNIT_META;
}

void pkram_bad_note(struct pkram_region *r, u32 page)
{
	u64 phys = r->h.base + (u64)page * PKRAM_BAD_PAGE;
	int ret;

	bad_lock_lists();
	/* First, as it may be a page of the list. */
	if (pkram_bad_is_meta(r, page / PKRAM_UNIT_PAGES))
		bad_add_to_set(r, page);
	spin_lock(&r->bad_lock);
	ret = pkram_badpages_add(r->bad, page, bad_may_merge, r);
	bad_count_entries(r);
	spin_unlock(&r->bad_lock);
	if (ret > 0 && !bad_write(r))
		bad_add_loose(phys);
	bad_unlock_lists();

	trace_pkram_bad_page(phys, ret > 0 ? "noted" : ret < 0 ? "list full" : "known");
	if (ret)
		pkram_count(PKRAM_COUNT_BAD_PAGES);
	if (ret > 0)
		pr_err("memory error at %#llx: the page is not used again\n", phys);
	else if (ret < 0)
		pr_err("memory error at %#llx: the list of such pages is full, the next kernel will not know of it\n",
		       phys);
}

static void bad_mark(struct pkram_region *r, u32 page, int flags)
{
	pkram_bad_fn hook;
	int idx;

	pkram_bad_note(r, page);
	idx = srcu_read_lock(&bad_srcu);
	hook = READ_ONCE(bad_hook);
	if (hook)
		hook(r, page, flags);
	srcu_read_unlock(&bad_srcu, idx);
}

/* Context: may sleep; memory_failure()'s own mutex, and no other lock */
static int bad_memory_failure(struct dev_pagemap *pgmap, unsigned long pfn,
			      unsigned long nr_pages, int flags)
{
	struct pkram_region *r = pgmap->owner;
	u32 page = pfn - PHYS_PFN(r->h.base);

	for (; nr_pages; nr_pages--)
		bad_mark(r, page++, flags);
	/*
	 * The kernel takes the page out of its mapping after that (set_mce_nospec()), where a
	 * write that has begun would oops. Those that begin now leave the page out.
	 */
	synchronize_srcu(&bad_srcu);
	return 0;
}

const struct dev_pagemap_ops pkram_bad_pgmap_ops = {
	.memory_failure = bad_memory_failure,
};
