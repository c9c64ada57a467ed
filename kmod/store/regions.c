// SPDX-License-Identifier: GPL-2.0
/* The regions of the pool: see regions.h. */
#include <linux/rculist.h>
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

	mutex_lock(&pkram_store.lock);
	list_for_each_entry(r, &pkram_store.regions, list) {
		ret = fn(r, arg);
		if (ret)
			break;
	}
	mutex_unlock(&pkram_store.lock);
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
	for (i = 0; !err && i < r->h.nr_meta; i++)
		err = pkram_alloc_mark(&pkram_store.al, id,
				       pkram_header_meta_unit(&r->h, i), 1);
	return err;
}

u64 pkram_store_region_free(const struct pkram_region *r)
{
	const struct pkram_alloc_region *ar;

	lockdep_assert_held(&pkram_store.lock);
	ar = pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
	return ar ? (u64)ar->nr_free << PKRAM_UNIT_SHIFT : 0;
}
