// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the pool: see load_pool.h. Each record that the loader (core/load.h)
 * found becomes an object, a quarantined one if it is bad. What a cut left is
 * repaired.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pkram.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "core/load.h"
#include "core/unitmap.h"
#include "event/count.h"
#include "event/event.h"
#include "event/trace.h"
#include "mem/bad.h"
#include "mem/region.h"
#include "store/discard.h"
#include "store/load_pool.h"
#include "store/lost.h"
#include "store/objects.h"
#include "store/records.h"
#include "store/regions.h"
#include "store/root.h"
#include "store/space.h"
#include "store/state.h"

/**
 * struct load_pool - what a load found, before it replaces what the store knew
 * @res: of the loader
 * @objs: an object for each record that stays: those in good directories, then
 *	orphans, then bad ones
 * @end: where each of these three ends in @objs
 * @root: the root directory
 */
struct load_pool {
	struct pkram_load_result res;
	struct pkram_object **objs;
	u32 end[3];
	struct pkram_object *root;
};

enum { LOAD_POOL_PLACED, LOAD_POOL_ORPHAN, LOAD_POOL_BAD };

/* A serial console takes milliseconds for each line, and the lock is held: name so many. */
#define LOAD_POOL_NAMED		16U

static void load_pool_print_bad(const struct pkram_object *obj)
{
	char other[40] = "";

	if (obj->other)
		snprintf(other, sizeof(other), " (object %#llx)", obj->other);
	/* Print the key, by which it is discarded. Escape the name: it may be damaged. */
	pr_warn("%s %#llx \"%*pE\" quarantined: %s%s\n",
		obj->rec.kind == PKRAM_KIND_DMA_TABLE ? "DMA table" : "object",
		obj->key, obj->rec.name_len, obj->rec.name,
		pkram_bad_text(obj->bad), other);
}

/* @nr: of those that were reported before */
static void load_pool_report_bad(const struct pkram_object *obj, u32 nr)
{
	if (nr < LOAD_POOL_NAMED)
		load_pool_print_bad(obj);
	pkram_count(PKRAM_COUNT_QUARANTINED);
	trace_pkram_quarantine(obj->key, obj->rec.kind, pkram_bad_text(obj->bad));
}

/* Turn a loaded item into an object that is not linked yet. */
static struct pkram_object *load_pool_make_object(struct pkram_loaded *item)
{
	struct pkram_object *obj = pkram_object_alloc();

	if (!obj)
		return NULL;
	obj->rec = item->rec;
	item->rec.xattrs = NULL;
	item->rec.extents = NULL;
	item->rec.entries = NULL;
	item->rec.xattr_len = 0;
	item->rec.nr_extents = 0;
	item->rec.nr_entries = 0;
	obj->loc = item->loc;
	obj->bad = item->bad;
	obj->other = item->other;
	obj->lost = item->lost;
	obj->shares = item->shares;
	obj->key = obj->rec.id;
	return obj;
}

static int load_pool_class(const struct pkram_loaded *item)
{
	return item->bad ? LOAD_POOL_BAD :
	       item->orphan ? LOAD_POOL_ORPHAN : LOAD_POOL_PLACED;
}

/* A damaged record of the root: it owns nothing, so that it may be replaced */
static bool load_pool_root_is_spoilt(const struct pkram_loaded *item)
{
	return item->bad && item->rec.id == PKRAM_ROOT_ID &&
	       item->rec.kind == PKRAM_KIND_DIR && !item->rec.nr_extents;
}

/*
 * They are void: decided before objects take over what records own. But where one is
 * good in itself they are kept, as it would count if the others were gone.
 */
static void load_pool_void_roots(struct pkram_load_result *res)
{
	u32 i;

	for (i = 0; i < res->nr; i++, cond_resched())
		if (res->items[i].rec.id == PKRAM_ROOT_ID &&
		    res->items[i].bad == PKRAM_BAD_DUP_ID)
			return;
	for (i = 0; i < res->nr; i++, cond_resched())
		res->items[i].is_void |= load_pool_root_is_spoilt(&res->items[i]);
}

static int load_pool_make_class(struct load_pool *lp, int class, u32 *nr)
{
	struct pkram_loaded *item;
	struct pkram_object *obj;
	u32 i;

	for (i = 0; i < lp->res.nr; i++, cond_resched()) {
		item = &lp->res.items[i];
		if (item->is_void || load_pool_class(item) != class)
			continue;
		obj = load_pool_make_object(item);
		if (!obj)
			return -ENOMEM;
		if (class == LOAD_POOL_PLACED && obj->key == PKRAM_ROOT_ID)
			lp->root = obj;
		else
			lp->objs[(*nr)++] = obj;
	}
	return 0;
}

static int load_pool_make_objects(struct load_pool *lp)
{
	int class, err = 0;
	u32 nr = 0;

	lp->objs = kvcalloc(max(lp->res.nr, 1U), sizeof(*lp->objs), GFP_KERNEL);
	if (!lp->objs)
		return -ENOMEM;
	for (class = 0; class <= LOAD_POOL_BAD; class++) {
		if (!err)
			err = load_pool_make_class(lp, class, &nr);
		lp->end[class] = nr;
	}
	return err;
}

/*
 * The root's record is lost, or is in a region that is not there. The permissions are
 * not known, so only user 0 gets any.
 */
static int load_pool_replace_root(struct load_pool *lp)
{
	lp->root = pkram_root_make();
	if (!lp->root)
		return -ENOMEM;
	lp->root->rec.mode = S_IFDIR | 0700;
	if (pkram_store.region_lost)
		pr_warn("the root directory's record is missing: only root has access until its region is attached\n");
	else
		pr_warn("the root directory's record is lost: replaced, only root has access\n");
	return 0;
}

/* Put what was found into the store */

/* The name of an orphan in the root: one that no other object has */
static void load_pool_name_orphan(struct pkram_object *obj)
{
	struct pkram_record *rec = &obj->rec;
	u32 len = rec->name_len, n, try = 0;
	char name[PKRAM_NAME_MAX + 1];

	memcpy(name, rec->name, sizeof(name));
	do {
		if (try)
			n = scnprintf(rec->name, sizeof(rec->name), "lost+%llu.%u+",
				      rec->id, try);
		else
			n = scnprintf(rec->name, sizeof(rec->name), "lost+%llu+",
				      rec->id);
		try++;
		cond_resched();
		rec->name_len = min_t(u32, n + len, PKRAM_NAME_MAX);
		memcpy(rec->name + n, name, rec->name_len - n);
		memset(rec->name + rec->name_len, 0,
		       sizeof(rec->name) - rec->name_len);
	} while (pkram_object_find_name(pkram_store.root, rec->name, rec->name_len));
	rec->parent = PKRAM_ROOT_ID;
}

static struct pkram_object *load_pool_find_dir(const struct pkram_object *obj)
{
	struct pkram_object *dir;

	if (obj->rec.kind == PKRAM_KIND_DMA_TABLE)
		return pkram_store.dma_tables;
	dir = pkram_store_find_key(obj->rec.parent);
	return dir && !dir->bad && dir->rec.kind == PKRAM_KIND_DIR ? dir : NULL;
}

static void load_pool_link_bad(struct pkram_object *obj, u32 nr)
{
	if (obj->key <= PKRAM_ROOT_ID || obj->key >= PKRAM_BAD_KEY ||
	    pkram_store_find_key(obj->key))
		obj->key = pkram_store.next_bad_key++;
	load_pool_report_bad(obj, nr);
	pkram_object_link(obj, load_pool_find_dir(obj));
	if (obj->rec.kind != PKRAM_KIND_DMA_TABLE)
		pkram_event_object(PKRAM_CMD_OBJECT_QUARANTINE_NTF, obj);
}

/*
 * All good objects get their keys first, so that each finds its directory, whatever
 * the order is. Orphans get names when all others have theirs. Bad ones come last:
 * good ones have their ids as keys.
 */
static void load_pool_link_objects(struct load_pool *lp)
{
	u32 nr_bad = 0, i;

	pkram_store.root = lp->root;
	lp->root = NULL;
	pkram_object_link(pkram_store.root, NULL);
	for (i = 0; i < lp->end[LOAD_POOL_ORPHAN]; i++, cond_resched())
		pkram_object_link_key(lp->objs[i]);
	for (i = 0; i < lp->end[LOAD_POOL_PLACED]; i++, cond_resched())
		/* The loader made an orphan of each that has no directory. */
		pkram_object_link_name(lp->objs[i], load_pool_find_dir(lp->objs[i]));
	for (; i < lp->end[LOAD_POOL_ORPHAN]; i++, cond_resched()) {
		load_pool_name_orphan(lp->objs[i]);
		pkram_object_link_name(lp->objs[i], pkram_store.root);
	}
	for (; i < lp->end[LOAD_POOL_BAD]; i++, cond_resched())
		load_pool_link_bad(lp->objs[i], nr_bad++);
	if (nr_bad > LOAD_POOL_NAMED)
		pr_warn("%u more are quarantined: pkramctl object show and dma-table show list them\n",
			nr_bad - LOAD_POOL_NAMED);
}

/*
 * Free void records, and make slots equal that a cut or a bit flip left different.
 * What they say now must not depend on a slot that may be damaged later: the other
 * one has what the store took no notice of.
 */
static void load_pool_repair(const struct pkram_load_result *res)
{
	const struct pkram_loaded *item;
	const char *how;
	u32 i;

	if (pkram_store.read_only)
		return;
	for (i = 0; i < res->nr; i++, cond_resched()) {
		item = &res->items[i];
		/* A damaged root stays until no other can come any more. */
		if (item->is_void && item->bad && pkram_store.region_lost)
			continue;
		if (item->is_void && item->rec.kind != PKRAM_KIND_FREE) {
			pkram_records_free(&item->loc, item->rec.id);
			how = "freed a void record";
		} else if (item->mirror) {
			pkram_records_mirror(&item->loc);
			how = "made the slots equal";
		} else {
			continue;
		}
		pkram_count(PKRAM_COUNT_REPAIRS);
		trace_pkram_repair(item->rec.id, item->rec.kind, how);
	}
}

static int load_pool_read_records(struct load_pool *lp)
{
	struct pkram_load_region *lr;
	struct pkram_region *r;
	u32 nr = 0;
	int err;

	list_for_each_entry(r, &pkram_store.regions, list)
		nr++;
	lr = kvcalloc(nr, sizeof(*lr), GFP_KERNEL);
	if (!lr)
		return -ENOMEM;
	nr = 0;
	list_for_each_entry(r, &pkram_store.regions, list) {
		lr[nr].h = &r->h;
		lr[nr++].base = r->head;
	}
	err = pkram_load(lr, nr, &pkram_store.al, &lp->res);
	if (!err && pkram_store.region_lost)
		pkram_load_keep(lr, nr, &pkram_store.al);
	/* After the loader, which refuses extents with units that are taken already. */
	list_for_each_entry(r, &pkram_store.regions, list)
		pkram_lost_hold_back(r);
	kvfree(lr);
	return err;
}

/* All that may fail; objects and records that the store knows stay as they are. */
static int load_pool_read(struct load_pool *lp)
{
	int err = load_pool_read_records(lp);

	load_pool_void_roots(&lp->res);
	if (!err)
		err = load_pool_make_objects(lp);
	if (!err && !lp->root)
		err = load_pool_replace_root(lp);
	return err ?: pkram_object_reserve_names(lp->res.nr);
}

/* Regions that are not there may have objects with higher ids: leave a gap for them. */
#define LOAD_POOL_ID_GAP	BIT_ULL(32)

static void load_pool_set_next_id(u64 max_id)
{
	if (pkram_store.region_lost && max_id < PKRAM_ID_MAX - LOAD_POOL_ID_GAP)
		max_id += LOAD_POOL_ID_GAP;
	pkram_store.next_id = max_t(u64, max_id, PKRAM_ROOT_ID) + 1;
}

static void load_pool_use(struct load_pool *lp)
{
	struct pkram_region *r;
	u32 i;

	pkram_records_forget_use();
	for (i = 0; i < lp->res.nr; i++, cond_resched())
		if (lp->res.items[i].rec.kind != PKRAM_KIND_FREE ||
		    lp->res.items[i].bad)
			pkram_records_use(&lp->res.items[i].loc);
	list_for_each_entry(r, &pkram_store.regions, list) {
		pkram_records_hold_back(r);
		if (READ_ONCE(r->nr_bad))
			pkram_lost_move_records();
	}
	load_pool_link_objects(lp);
	load_pool_set_next_id(lp->res.max_id);
	if (lp->res.lost)
		pr_warn("a record is lost: memory that it may own is kept back until the object is discarded\n");
	if (pkram_store.nr_missing)
		pr_warn("%u region(s) of the pool are missing: memory that their objects may own is kept back until they are attached or given up\n",
			pkram_store.nr_missing);
	else if (pkram_store.region_lost)
		pr_warn("a region may be missing: memory that its objects may own is kept back until the region is attached or given back\n");
	load_pool_repair(&lp->res);
}

static void load_pool_release(struct load_pool *lp, bool used)
{
	u32 i;

	for (i = 0; !used && i < lp->end[LOAD_POOL_BAD]; i++, cond_resched())
		pkram_object_put(lp->objs[i]);
	pkram_object_put(lp->root);
	kvfree(lp->objs);
	pkram_load_release(&lp->res);
}

/* Forget all objects, in memory. There are no references to them. */
static void load_pool_forget_objects(void)
{
	struct pkram_object *obj;
	struct rb_node *node;

	while ((node = rb_last(&pkram_store.objects))) {
		obj = rb_entry(node, struct pkram_object, all);
		pkram_object_unlink(obj);
		pkram_object_put(obj);
		cond_resched();
	}
	pkram_store.root = NULL;
}

void pkram_load_pool_forget(void)
{
	struct pkram_region *r;

	lockdep_assert_held(&pkram_store.lock);
	load_pool_forget_objects();
	list_for_each_entry(r, &pkram_store.regions, list)
		pkram_records_drop(r);
	pkram_alloc_destroy(&pkram_store.al);
}

/* Return whether no file is open and no memory of a removed object is in use. */
static bool load_pool_idle(void)
{
	struct rb_node *node;

	pkram_space_reap_all();
	if (!list_empty(&pkram_store.removed) ||
	    !list_empty(&pkram_store.pending))
		return false;
	for (node = rb_first(&pkram_store.objects); node; node = rb_next(node)) {
		struct pkram_object *obj =
			rb_entry(node, struct pkram_object, all);
		unsigned int refs = 1;
		struct rb_node *child;

		for (child = rb_first(&obj->children); child;
		     child = rb_next(child)) {
			refs++;
			cond_resched();
		}
		if (refcount_read(&obj->ref) != refs)
			return false;
		cond_resched();
	}
	return true;
}

/*
 * After an interruption, one slot of the header, or one copy of a word of the map, may
 * be newer than the other.
 */
static void load_pool_mirror_head(struct pkram_region *r)
{
	u32 gib;

	if (r->differs) {
		pkram_region_commit(r);
		pkram_count(PKRAM_COUNT_REPAIRS);
	}
	r->differs = false;
	pkram_bad_mirror(r);
	for (gib = 0; gib < r->h.nr_gib; gib++, cond_resched())
		if (pkram_region_present(r, gib))
			pkram_map_mirror(r->head, pkram_region_id_of(r), gib);
}

static int load_pool_populate_metas(struct pkram_region *r)
{
	int err = 0;
	u32 i;

	for (i = 0; !err && i < r->h.nr_meta; i++)
		err = pkram_region_populate(r, pkram_header_meta_unit(&r->h, i) /
					    PKRAM_GIB_UNITS, PKRAM_SLICE_2M);
	return err;
}

/* Extents name regions by their ids. */
static int load_pool_check_ids(const struct list_head *regions)
{
	struct pkram_region *r, *other;

	list_for_each_entry(r, regions, list) {
		if (pkram_regions_find(pkram_region_id_of(r)))
			return -EEXIST;
		list_for_each_entry(other, regions, list)
			if (other != r &&
			    pkram_region_id_of(other) == pkram_region_id_of(r))
				return -EEXIST;
	}
	return 0;
}

/**
 * struct load_pool_before - the store before an attach, to go back to
 * @al: free space
 * @uuid: of the pool
 * @exists: there was one
 * @read_only: it was
 * @region_lost: as in the store
 * @nr_missing: as in the store
 * @set_seq: as in the store
 */
struct load_pool_before {
	struct pkram_alloc al;
	u8 uuid[16];
	bool exists;
	bool read_only;
	bool region_lost;
	u32 nr_missing;
	u64 set_seq;
};

static void load_pool_set_uuid(const u8 uuid[16])
{
	memcpy(pkram_store.uuid, uuid, sizeof(pkram_store.uuid));
	pkram_store.seed = pkram_pool_seed(pkram_store.uuid);
}

static void load_pool_set_read_only(bool read_only)
{
	struct pkram_region *r;

	pkram_store.read_only = read_only;
	/* Objects may be in several regions: if one is read-only, all are. */
	list_for_each_entry(r, &pkram_store.regions, list)
		r->read_only = read_only;
}

/* Add regions to the store, without their records. Return: a change of their set was cut */
static bool load_pool_add_regions(struct list_head *regions, bool lost,
				  struct load_pool_before *before)
{
	bool read_only = pkram_store.read_only;
	struct pkram_region *r, *next;
	bool cut;

	before->al = pkram_store.al;
	before->exists = pkram_store.exists;
	before->read_only = pkram_store.read_only;
	before->region_lost = pkram_store.region_lost;
	before->nr_missing = pkram_store.nr_missing;
	before->set_seq = pkram_store.set_seq;
	memcpy(before->uuid, pkram_store.uuid, sizeof(before->uuid));
	memset(&pkram_store.al, 0, sizeof(pkram_store.al));
	load_pool_set_uuid(list_first_entry(regions, struct pkram_region,
					    list)->h.pool_uuid);
	list_for_each_entry_safe(r, next, regions, list) {
		read_only |= r->read_only;
		list_del(&r->list);
		pkram_regions_insert(r);
	}
	load_pool_set_read_only(read_only);
	pkram_store.exists = true;
	cut = pkram_regions_count_missing();
	pkram_store.region_lost = lost || pkram_store.nr_missing;
	return cut;
}

/* Undo that; the regions are on the caller's list again. */
static void load_pool_remove_regions(struct list_head *regions,
				     struct load_pool_before *before)
{
	struct pkram_region *r, *next;

	pkram_alloc_destroy(&pkram_store.al);
	pkram_store.al = before->al;
	pkram_store.exists = before->exists;
	pkram_store.region_lost = before->region_lost;
	pkram_store.nr_missing = before->nr_missing;
	pkram_store.set_seq = before->set_seq;
	load_pool_set_uuid(before->uuid);
	list_for_each_entry_safe(r, next, &pkram_store.regions, list) {
		if (pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r)))
			continue;
		pkram_records_drop(r);
		list_del_rcu(&r->list);
		synchronize_rcu();
		list_add_tail(&r->list, regions);
	}
	pkram_store_new_epoch();
	load_pool_set_read_only(before->read_only);
}

static int load_pool_know_regions(const struct pkram_alloc *before)
{
	struct pkram_region *r;
	int err = 0;

	list_for_each_entry(r, &pkram_store.regions, list) {
		pkram_bad_merge_loose(r);
		if (!pkram_store.read_only)
			load_pool_mirror_head(r);
		err = pkram_regions_know_space(r);
		if (!err && !pkram_alloc_find(before, pkram_region_id_of(r)))
			err = pkram_records_load(r);
		if (err)
			break;
	}
	return err;
}

/* The record of a root that was made anew. A full pool must load as well. */
static void load_pool_write_root(void)
{
	int err;

	if (pkram_store.read_only || pkram_store.region_lost ||
	    pkram_store.root->loc.region_id)
		return;
	err = pkram_root_commit();
	if (err)
		pr_warn("no room for the root directory's record (%d): free some memory; it is written with its next change\n",
			err);
}

int pkram_store_attach(struct list_head *regions, bool lost)
{
	struct load_pool_before before;
	struct load_pool lp = {};
	struct pkram_region *r;
	bool cut;
	int err;

	list_for_each_entry(r, regions, list) {
		err = load_pool_populate_metas(r);
		if (err)
			return err;
	}
	pkram_space_lock_settled();
	err = load_pool_check_ids(regions);
	if (!err && !load_pool_idle())
		err = -EBUSY;
	if (err)
		goto unlock;
	cut = load_pool_add_regions(regions, lost, &before);
	err = load_pool_know_regions(&before.al);
	if (!err)
		err = load_pool_read(&lp);
	if (!err) {
		load_pool_forget_objects();
		pkram_alloc_destroy(&before.al);
		load_pool_use(&lp);
		if (cut && !pkram_store.read_only)
			pkram_regions_write_set(NULL, NULL);
	}
	load_pool_release(&lp, !err);
	if (err)
		load_pool_remove_regions(regions, &before);
unlock:
	pkram_store_unlock();
	if (!err)
		load_pool_write_root();
	return err;
}

int pkram_store_give_up_lost(u32 nr, bool ranges)
{
	int err = 0;

	pkram_space_lock_settled();
	nr = min(nr, pkram_store.nr_missing);
	if (nr && !pkram_store.read_only) {
		pkram_store.nr_missing -= nr;
		pkram_regions_write_set(NULL, NULL);
	}
	if (pkram_store.region_lost && !ranges && !pkram_store.nr_missing) {
		pkram_store.region_lost = false;
		if (!pkram_store.read_only)
			err = pkram_discard_recount();
	}
	pkram_store_unlock();
	load_pool_write_root();
	return err;
}
