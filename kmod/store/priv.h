/* SPDX-License-Identifier: GPL-2.0 */
/* What the store_*.c files share; nobody else includes this. */
#ifndef _PKRAM_STORE_PRIV_H
#define _PKRAM_STORE_PRIV_H

#include <linux/hashtable.h>
#include "store/store.h"

/**
 * struct pkram_meta - a unit that holds records
 * @list: in store.metas
 * @r: region
 * @unit: unit in it
 * @large: one pair of large slots, instead of many small ones
 * @nr_used: pairs in use
 * @used: which
 */
struct pkram_meta {
	struct list_head list;
	struct pkram_region *r;
	u32 unit;
	bool large;
	u32 nr_used;
	DECLARE_BITMAP(used, PKRAM_SMALL_PAIRS);
};

/**
 * struct pkram_store - the one store
 * @lock: see store.h; protects everything here
 * @regions: &struct pkram_region by address
 * @metas: &struct pkram_meta
 * @pending: &struct pending_run: freed, still pinned by somebody
 * @removed: objects without name that somebody still uses
 * @al: free space
 * @objects: all objects by key
 * @names: objects by directory and name
 * @root: the root directory, always there
 * @dma_tables: what DMA tables have for a directory; never in a record
 * @uuid: of the pool
 * @seed: of the pool's checksums
 * @exists: there is a region, so there is a pool
 * @read_only: nothing may be changed
 * @region_lost: a region is not there: memory without an owner may be that of
 *	its objects
 * @next_id: for the next object
 * @next_bad_key: for the next object that has no usable id
 * @nr_objects: files and directories, without root and quarantined ones
 * @nr_dma_tables: without quarantined ones
 * @nr_quarantined: quarantined ones
 * @nr_pending: units on @pending
 * @nr_in_transit: runs of units that are taken and belong to nobody: somebody
 *	is at work on them, without the lock
 * @scratch: room for one encoded record of any size
 * @free_record: a record of kind free, to encode
 * @epoch: see pkram_store_epoch(); without @lock
 * @wanted_large: size of the pair that a commit wanted last and did not get
 */
struct pkram_store {
	struct mutex lock;	/* all of it */
	struct list_head regions;
	struct list_head metas;
	struct list_head pending;
	struct list_head removed;
	struct pkram_alloc al;
	struct rb_root objects;
	DECLARE_HASHTABLE(names, 12);
	struct pkram_object *root;
	struct pkram_object *dma_tables;
	u8 uuid[16];
	u32 seed;
	bool exists;
	bool read_only;
	bool region_lost;
	u64 next_id;
	u64 next_bad_key;
	u32 nr_objects;
	u32 nr_dma_tables;
	u32 nr_quarantined;
	u64 nr_pending;
	u32 nr_in_transit;
	void *scratch;
	struct pkram_record *free_record;
	atomic_t epoch;
	bool wanted_large;
};

extern struct pkram_store pkram_store;

#define PKRAM_BAD_KEY	BIT_ULL(63)	/* keys of objects without usable id */

/* store.c */

/** pkram_store_region() - by id. Context: store.lock or RCU. */
struct pkram_region *pkram_store_region(u64 id);

/* All of these: context: store.lock, but pkram_store_commit_root(). */

/** pkram_store_insert_region() - into the list, by address */
void pkram_store_insert_region(struct pkram_region *r);
/** pkram_store_know_space() - a region's units: all free but head and records */
int pkram_store_know_space(struct pkram_region *r);
/** pkram_store_make_root() - a new root directory, not linked; or NULL */
struct pkram_object *pkram_store_make_root(void);
/**
 * pkram_store_commit_root() - write the root's record when the pool begins, or
 * when it was lost. Context: without store.lock; may claim memory.
 */
int pkram_store_commit_root(void);

/* store_load.c */

/** pkram_store_forget_pool() - all objects and free space, in memory */
void pkram_store_forget_pool(void);

/* store_commit.c */

/**
 * pkram_store_ensure_pair() - make sure that a pair of slots is free
 * @large: of which size
 *
 * Context: store.lock, map_sem and mmap_lock not held (may claim memory).
 * Return: 0; -ENOSPC; others.
 */
int pkram_store_ensure_pair(bool large);

/** pkram_store_ensure_wanted() - a pair of the size that -EAGAIN was about */
int pkram_store_ensure_wanted(void);

/**
 * pkram_store_write_record() - write a record to a pair of slots
 * @rec: record
 * @at: its pair; a new record (no region id in it) gets one
 *
 * Context: store.lock. Return: 0; -EFBIG; -EAGAIN. See pkram_store_commit().
 */
int pkram_store_write_record(struct pkram_record *rec,
			     struct pkram_location *at);

/**
 * pkram_store_commit() - write an object's record
 * @obj: object; new ones (no region id in @obj->loc) get a pair
 *
 * Context: store.lock. Return: 0; -EROFS; -EFBIG too many extents or labels;
 * -EAGAIN there is no free pair of the size needed: call
 * pkram_store_ensure_wanted() without the lock and come again. On failure
 * nothing was written.
 */
int pkram_store_commit(struct pkram_object *obj);

/** pkram_store_erase() - set an object's pair free. Context: store.lock. */
void pkram_store_erase(struct pkram_object *obj);

/**
 * pkram_store_load_metas() - account the units of records of a region
 * Return: 0 or -ENOMEM.
 */
int pkram_store_load_metas(struct pkram_region *r);
/** pkram_store_use_pair() - mark a loaded record's pair as used */
void pkram_store_use_pair(const struct pkram_location *loc);
/** pkram_store_free_pair_at() - set a record's pair free; @id: of its object */
void pkram_store_free_pair_at(const struct pkram_location *loc, u64 seq,
			      u64 id);
/** pkram_store_trim_metas() - give back units of records that hold none */
void pkram_store_trim_metas(struct pkram_region *r);
/** pkram_store_drop_metas() - forget the units of a region that goes away */
void pkram_store_drop_metas(struct pkram_region *r);

/* store.c: the time, to the tick, as files have it. Context: any */
struct pkram_time pkram_store_now(void);

/* store.c: objects. Context: store.lock */
struct pkram_object *pkram_object_alloc(void);
/* All its times are now. Context: any, nobody else has it. */
void pkram_object_born(struct pkram_object *obj);
void pkram_object_link(struct pkram_object *obj, struct pkram_object *dir);
void pkram_object_unlink(struct pkram_object *obj);
/* Name or directory changed; the reference to the old one is the caller's. */
void pkram_object_relink(struct pkram_object *obj, struct pkram_object *dir);
struct pkram_object *pkram_store_find_name(struct pkram_object *dir,
					   const char *name, u32 len);

/**
 * pkram_store_commit_new() - a new object gets its id, its record and its name
 * @dir: directory
 * @obj: filled, but for the id; not linked
 *
 * Context: store.lock. The name takes a reference. Return: as pkram_store_create(), and
 * as pkram_store_commit().
 */
int pkram_store_commit_new(struct pkram_object *dir, struct pkram_object *obj);

/* store_claim.c: is it free to get another name? Context: store.lock */
int pkram_open_may_rename(const struct pkram_object *obj);

/* store.c: is some of a range of bytes under DMA? Context: store.lock */
bool pkram_object_pinned(const struct pkram_object *obj, u64 from, u64 to);

/* store_space.c */

/** pkram_store_reap() - free pending memory that nobody pins any more */
void pkram_store_reap(void);
/** pkram_store_lock_settled() - take store.lock when no GiB is being unclaimed */
void pkram_store_lock_settled(void);
/**
 * pkram_store_recount() - free what no object owns any more, after a discard
 *
 * As long as a lost record or region is left, what the unit map says is owned is
 * kept; and always units whose state is not known.
 */
int pkram_store_recount(void);

/** pkram_store_free_extents() - nobody's any more. Context: store.lock. */
void pkram_store_free_extents(const struct pkram_extent *ext, u32 nr);
/**
 * pkram_store_settle() - wait until idle GiB are unclaimed
 *
 * So that what is allocated next can be claimed as it suits. Context: as
 * claiming.
 */
void pkram_store_settle(void);
/** pkram_store_stop_reaping() - at exit; pending memory holds the module */
void pkram_store_stop_reaping(void);

#endif /* _PKRAM_STORE_PRIV_H */
