// SPDX-License-Identifier: GPL-2.0
/* The regions of the pool: see regions.h. */
#include <linux/rculist.h>
#include <linux/sched.h>
#include "core/alloc.h"
#include "mem/region.h"
#include "store/regions.h"
#include "store/state.h"

struct pkram_store pkram_store;

struct pkram_region *pkram_regions_find(u64 id)
{
	struct pkram_region *r;

	list_for_each_entry_rcu(r, &pkram_store.regions, list,
				lockdep_is_held(&pkram_store.lock))
		if (pkram_region_id_of(r) == id)
			return r;
	return NULL;
}

void pkram_regions_insert(struct pkram_region *r)
{
	struct pkram_region *pos;

	lockdep_assert_held(&pkram_store.lock);
	list_for_each_entry(pos, &pkram_store.regions, list)
		if (pos->h.base > r->h.base)
			break;
	list_add_tail_rcu(&r->list, &pos->list);
	pkram_store_new_epoch();
}

void pkram_regions_remove(struct pkram_region *r)
{
	lockdep_assert_held(&pkram_store.lock);
	list_del_rcu(&r->list);
	pkram_store_new_epoch();
}

bool pkram_regions_count_missing(void)
{
	u32 nr = 0, nr_regions = 0;
	struct pkram_region *r;
	bool differ = false;
	u64 seq = 0;

	lockdep_assert_held(&pkram_store.lock);
	list_for_each_entry(r, &pkram_store.regions, list) {
		differ |= nr && r->h.set_seq != seq;
		nr++;
		if (r->h.set_seq < seq)
			continue;
		seq = r->h.set_seq;
		nr_regions = r->h.nr_regions;
	}
	pkram_store.set_seq = seq;
	pkram_store.nr_missing = nr_regions > nr ? nr_regions - nr : 0;
	return nr_regions && (differ || nr > nr_regions);
}

static void regions_write_set(struct pkram_region *r, u32 nr)
{
	r->h.set_seq = pkram_store.set_seq;
	r->h.nr_regions = nr;
	pkram_region_commit(r);
}

void pkram_regions_write_set(struct pkram_region *first, const struct pkram_region *leaves)
{
	u32 nr = pkram_store.nr_missing;
	struct pkram_region *r;

	lockdep_assert_held(&pkram_store.lock);
	pkram_store.set_seq++;
	list_for_each_entry(r, &pkram_store.regions, list)
		nr += r != leaves;
	if (first)
		regions_write_set(first, nr);
	list_for_each_entry(r, &pkram_store.regions, list)
		if (r != first && r != leaves)
			regions_write_set(r, nr);
}

u32 pkram_store_epoch(void)
{
	return (u32)atomic_read(&pkram_store.epoch) ?: 1;
}

void pkram_store_new_epoch(void)
{
	atomic_inc(&pkram_store.epoch);
}

int pkram_store_walk_regions(int (*fn)(struct pkram_region *r, void *arg),
			     void *arg)
{
	struct pkram_region *r;
	int ret = 0;

	pkram_store_lock();
	list_for_each_entry(r, &pkram_store.regions, list) {
		ret = fn(r, arg);
		if (ret)
			break;
	}
	pkram_store_unlock();
	return ret;
}

int pkram_regions_know_space(struct pkram_region *r)
{
	u64 id = pkram_region_id_of(r);
	u32 i;
	int err;

	lockdep_assert_held(&pkram_store.lock);
	err = pkram_alloc_add_region(&pkram_store.al, id, r->nid, r->h.nr_gib,
				     r->h.present);
	if (err)
		return err;
	err = pkram_alloc_mark(&pkram_store.al, id, 0, 1);
	for (i = 0; !err && i < r->h.nr_meta; i++, cond_resched())
		err = pkram_alloc_mark(&pkram_store.al, id,
				       pkram_header_meta_unit(&r->h, i), 1);
	return err;
}

u64 pkram_store_region_free(const struct pkram_region *r)
{
	const struct pkram_alloc_region *ar;
	u64 nr_leaving = 0;
	u32 gib;

	lockdep_assert_held(&pkram_store.lock);
	ar = pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
	if (!ar)
		return 0;
	for (gib = 0; gib < r->h.nr_gib; gib++)
		nr_leaving += r->gib[gib].leaving;
	return ((u64)ar->nr_free << PKRAM_UNIT_SHIFT) + nr_leaving * PKRAM_GIB;
}
