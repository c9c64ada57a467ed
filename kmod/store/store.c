// SPDX-License-Identifier: GPL-2.0
/* The store as a whole: see store.h. */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "mem/bad.h"
#include "mem/region.h"
#include "mem/zero.h"
#include "store/load_pool.h"
#include "store/lost.h"
#include "store/objects.h"
#include "store/root.h"
#include "store/space.h"
#include "store/state.h"
#include "store/store.h"

static void store_count_slices(const struct pkram_region *r,
			       struct pkram_pool_info *info)
{
	u32 gib;

	for (gib = 0; gib < r->h.nr_gib; gib++) {
		if (!pkram_region_present(r, gib))
			continue;
		info->bytes += PKRAM_GIB;
		switch (pkram_region_slice(r, gib)) {
		case PKRAM_SLICE_1G:
			info->gib_1g++;
			break;
		case PKRAM_SLICE_2M:
			info->gib_2m++;
			break;
		}
	}
}

void pkram_store_settle(void)
{
	pkram_space_settle();
}

void pkram_store_info(struct pkram_pool_info *info)
{
	struct pkram_region *r;
	u32 left = U32_MAX;

	memset(info, 0, sizeof(*info));
	pkram_store_lock();
	/* Any user may ask, so only some are looked at. */
	pkram_space_reap(&left);
	info->exists = pkram_store.exists;
	info->read_only = pkram_store.read_only;
	memcpy(info->uuid, pkram_store.uuid, sizeof(info->uuid));
	list_for_each_entry(r, &pkram_store.regions, list) {
		info->nr_regions++;
		info->meta += (u64)(r->h.nr_meta + 1) << PKRAM_UNIT_SHIFT;
		store_count_slices(r, info);
	}
	info->nr_missing = pkram_store.nr_missing;
	info->nr_objects = pkram_store.nr_objects;
	info->nr_quarantined = pkram_store.nr_quarantined;
	info->free = (pkram_store.al.nr_free << PKRAM_UNIT_SHIFT) +
		     (u64)pkram_store.nr_leaving * PKRAM_GIB;
	info->pending = pkram_store.nr_pending << PKRAM_UNIT_SHIFT;
	pkram_store_unlock();
}

bool pkram_store_exists(void)
{
	return READ_ONCE(pkram_store.exists);
}

void pkram_store_pool_uuid(u8 uuid[16])
{
	pkram_store_lock();
	memcpy(uuid, pkram_store.uuid, 16);
	pkram_store_unlock();
}

void pkram_store_pool_key(u8 key[16])
{
	struct pkram_region *r;

	pkram_store_lock();
	r = list_first_entry_or_null(&pkram_store.regions, struct pkram_region, list);
	if (r)
		memcpy(key, r->h.pool_key, 16);
	else
		memset(key, 0, 16);
	pkram_store_unlock();
}

/*
 * Tell lockdep that memory reclaim may wait for these locks, by a write to a loop device whose
 * file is in the pool. Then an allocation under one of them that may wait for I/O is reported
 * at once.
 */
static void store_teach_lockdep(struct pkram_object *obj)
{
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&obj->map_sem);
	might_lock(&pkram_store.lock);
	fs_reclaim_release(GFP_KERNEL);
}

int pkram_store_init(void)
{
	int err;

	err = pkram_zero_init();
	if (err)
		return err;
	mutex_init(&pkram_store.lock);
	INIT_LIST_HEAD(&pkram_store.regions);
	pkram_store.metas = RB_ROOT;
	INIT_LIST_HEAD(&pkram_store.metas_with_room[0]);
	INIT_LIST_HEAD(&pkram_store.metas_with_room[1]);
	INIT_LIST_HEAD(&pkram_store.pending);
	INIT_LIST_HEAD(&pkram_store.removed);
	pkram_store.names_seed = get_random_u32();
	pkram_store.objects = RB_ROOT;
	pkram_store.next_id = PKRAM_ROOT_ID + 1;
	pkram_store.next_bad_key = PKRAM_BAD_KEY;
	atomic_set(&pkram_store.epoch, 1);
	pkram_store.scratch = vzalloc(PKRAM_LARGE_SLOT);
	pkram_store.free_record = kzalloc(sizeof(*pkram_store.free_record),
					  GFP_KERNEL);
	pkram_store.root = pkram_root_make();
	pkram_store.dma_tables = pkram_object_alloc();
	pkram_store_lock();
	err = pkram_object_reserve_names(1);
	pkram_store_unlock();
	if (err || !pkram_store.scratch || !pkram_store.free_record ||
	    !pkram_store.root || !pkram_store.dma_tables) {
		kvfree(pkram_store.names);
		kvfree(pkram_store.dma_tables);
		kvfree(pkram_store.root);
		kfree(pkram_store.free_record);
		vfree(pkram_store.scratch);
		pkram_zero_exit();
		return -ENOMEM;
	}
	store_teach_lockdep(pkram_store.root);
	pkram_store.dma_tables->rec.kind = PKRAM_KIND_DIR;
	pkram_lost_init();
	pkram_store_lock();
	pkram_object_link(pkram_store.root, NULL);
	pkram_store_unlock();
	return 0;
}

void pkram_store_exit(void)
{
	struct pkram_region *r, *next;

	pkram_space_stop_reaping();
	/* What breaks from now on is noted, and records move in the next kernel. */
	pkram_lost_exit();
	pkram_space_settle();
	pkram_store_lock();
	pkram_load_pool_forget();
	pkram_store_unlock();
	list_for_each_entry_safe(r, next, &pkram_store.regions, list) {
		list_del(&r->list);
		pkram_region_close(r, true);
	}
	pkram_bad_exit();
	pkram_object_put(pkram_store.dma_tables);
	kvfree(pkram_store.names);
	kfree(pkram_store.free_record);
	vfree(pkram_store.scratch);
	pkram_zero_exit();
}
