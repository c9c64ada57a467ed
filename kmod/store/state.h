/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of the store, and its lock. For the files of store/ only.
 *
 * Within store/ a file includes and calls only files named before it here:
 *	regions, space, records, objects
 *	commit
 *	labels, extents, opens, names, pin, dma_table
 *	lost, root, discard, grow, load_pool, store
 */
#ifndef _PKRAM_STORE_STATE_H
#define _PKRAM_STORE_STATE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/sched/mm.h>
#include "core/alloc.h"

struct pkram_object;
struct pkram_record;

/**
 * struct pkram_store - the one store
 * @lock: protects everything here; taken by pkram_store_lock(); its order is in
 *	store/objects.h
 * @noio: of the task that holds @lock: whether its allocations waited for I/O before
 * @regions: &struct pkram_region by address
 * @metas: &struct pkram_meta by region id and unit
 * @metas_with_room: those with a free pair; of small slots, of large ones
 * @pending: &struct space_pending: freed units that are still pinned
 * @removed: objects without a name that are still referenced
 * @al: free space
 * @objects: all objects by key
 * @names: hash table of objects by directory and name
 * @names_size: its buckets, a power of two
 * @names_seed: random, of the hash
 * @nr_names: objects in it
 * @root: the root directory, never NULL after init
 * @dma_tables: directory of the DMA tables; it has no record
 * @uuid: of the pool
 * @seed: of the pool's checksums
 * @exists: there is a region, so there is a pool
 * @read_only: nothing may be changed
 * @nr_missing: regions of the pool that are not attached, by what its headers say
 * @set_seq: of the set of regions, in the headers
 * @region_lost: a region is missing, or a reserved range may hold one: units without an
 *	owner may belong to its objects
 * @next_id: for the next object
 * @next_bad_key: for the next object that has no usable id
 * @nr_objects: files and directories, without the root and quarantined ones
 * @nr_dma_tables: without quarantined ones
 * @nr_quarantined: quarantined records of any kind
 * @nr_lost: those whose memory is not known
 * @nr_pending: units on @pending
 * @nr_pending_runs: entries of @pending
 * @nr_leaving: GiB that are taken until they are depopulated
 * @nr_in_transit: runs of units that are taken but have no owner, because
 *	@lock was dropped while they are worked on
 * @scratch: room for one encoded record of any size
 * @free_record: a record of kind free, to encode
 * @epoch: see pkram_store_epoch(); not under @lock
 * @wanted_large: size of the pair that the last commit needed and did not get
 */
struct pkram_store {
	struct mutex lock;	/* protects all of it */
	unsigned int noio;
	struct list_head regions;
	struct rb_root metas;
	struct list_head metas_with_room[2];
	struct list_head pending;
	struct list_head removed;
	struct pkram_alloc al;
	struct rb_root objects;
	struct hlist_head *names;
	u32 names_size;
	u32 names_seed;
	u32 nr_names;
	struct pkram_object *root;
	struct pkram_object *dma_tables;
	u8 uuid[16];
	u32 seed;
	bool exists;
	bool read_only;
	u32 nr_missing;
	u64 set_seq;
	bool region_lost;
	u64 next_id;
	u64 next_bad_key;
	u32 nr_objects;
	u32 nr_dma_tables;
	u32 nr_quarantined;
	u32 nr_lost;
	u64 nr_pending;
	u32 nr_pending_runs;
	u32 nr_leaving;
	u32 nr_in_transit;
	void *scratch;
	struct pkram_record *free_record;
	atomic_t epoch;
	bool wanted_large;
};

extern struct pkram_store pkram_store;

/**
 * pkram_store_lock() - Take the store's lock
 *
 * What is allocated under it does not wait for I/O. That may be to a loop device, or a LIO
 * target, whose file is in the pool, and its next write needs this lock. The same holds for
 * bad_mutex, event_lock, populate_lock, and map_sem, under which only page faults allocate
 * without this lock. Not for the kernel's hotplug lock, which populating a GiB takes: see
 * docs/kernels.md.
 */
static inline void pkram_store_lock(void)
{
	mutex_lock(&pkram_store.lock);
	pkram_store.noio = memalloc_noio_save();
}

/** pkram_store_trylock() - Take the store's lock if it is free. Return: whether it was */
static inline bool pkram_store_trylock(void)
{
	if (!mutex_trylock(&pkram_store.lock))
		return false;
	pkram_store.noio = memalloc_noio_save();
	return true;
}

/** pkram_store_unlock() - Release the store's lock */
static inline void pkram_store_unlock(void)
{
	unsigned int noio = pkram_store.noio;

	mutex_unlock(&pkram_store.lock);
	memalloc_noio_restore(noio);
}

#endif /* _PKRAM_STORE_STATE_H */
