// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the pool: see load_pool.h. Each record that the loader (core/load.h)
 * found becomes an object, a quarantined one if it is bad. What a cut left is
 * repaired.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pkram.h>
#include <linux/slab.h>
#include "core/load.h"
#include "core/unitmap.h"
#include "event/event.h"
#include "mem/region.h"
#include "store/discard.h"
#include "store/load_pool.h"
#include "store/objects.h"
#include "store/records.h"
#include "store/regions.h"
#include "store/root.h"
#include "store/space.h"
#include "store/state.h"

static void load_pool_name_orphan(struct pkram_object *obj)
{
	char prefix[32];
	int n;

	n = scnprintf(prefix, sizeof(prefix), "lost+%llu+", obj->rec.id);
	memmove(obj->rec.name + n, obj->rec.name, PKRAM_NAME_MAX - n);
	memcpy(obj->rec.name, prefix, n);
	obj->rec.name_len = min_t(u32, obj->rec.name_len + n, PKRAM_NAME_MAX);
	obj->rec.name[obj->rec.name_len] = '\0';
	obj->rec.parent = PKRAM_ROOT_ID;
}

static void load_pool_report_bad(const struct pkram_object *obj)
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

/* Turn a loaded item into an object that is not linked yet. */
static int load_pool_make_object(struct pkram_loaded *item,
				 struct pkram_object **out)
{
	struct pkram_object *obj = pkram_object_alloc();

	if (!obj)
		return -ENOMEM;
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
	obj->key = obj->rec.id;
	if (item->orphan)
		load_pool_name_orphan(obj);
	*out = obj;
	return 0;
}

/* Good objects come first, and have their ids as keys. */
static void load_pool_link_object(struct pkram_object *obj,
				  struct pkram_object *dir)
{
	if (obj->bad) {
		if (obj->key <= PKRAM_ROOT_ID || obj->key >= PKRAM_BAD_KEY ||
		    pkram_store_find_key(obj->key))
			obj->key = pkram_store.next_bad_key++;
		load_pool_report_bad(obj);
	}
	pkram_object_link(obj, dir);
	if (obj->bad && obj->rec.kind != PKRAM_KIND_DMA_TABLE)
		pkram_event_object(PKRAM_CMD_OBJECT_QUARANTINE_NTF, obj);
}

static struct pkram_object *load_pool_find_dir(const struct pkram_object *obj)
{
	return obj->rec.kind == PKRAM_KIND_DMA_TABLE ? pkram_store.dma_tables :
	       pkram_store_find_key(obj->rec.parent);
}

/*
 * Link parents before children. A directory's id does not tell its depth, so go
 * round until nothing is left. That ends, because the loader made an orphan of
 * each object that is not below the root.
 */
static void load_pool_link_objects(struct pkram_object **objs, u32 nr)
{
	struct pkram_object *dir;
	bool progress = true;
	u32 i;

	while (progress) {
		progress = false;
		for (i = 0; i < nr; i++) {
			if (!objs[i])
				continue;
			dir = load_pool_find_dir(objs[i]);
			if (!dir || dir->bad || dir->rec.kind != PKRAM_KIND_DIR)
				continue;
			load_pool_link_object(objs[i], dir);
			objs[i] = NULL;
			progress = true;
		}
	}
	/* The rest is quarantined and has no good directory. */
	for (i = 0; i < nr; i++)
		if (objs[i])
			load_pool_link_object(objs[i], NULL);
}

/* A bad record that is the root's without doubt */
static bool load_pool_root_is_spoilt(const struct pkram_loaded *item)
{
	return item->bad && item->rec.id == PKRAM_ROOT_ID &&
	       item->rec.kind == PKRAM_KIND_DIR && !item->rec.nr_extents;
}

/*
 * Replace the root's record, which is lost. The permissions are not known, so only
 * user 0 gets any.
 */
static int load_pool_remake_root(struct pkram_load_result *res)
{
	struct pkram_object *root = pkram_root_make();
	u32 i;

	if (!root)
		return -ENOMEM;
	root->rec.mode = S_IFDIR | 0700;
	pkram_store.root = root;
	pkram_object_link(root, NULL);
	pr_warn("the root directory's record is lost: replaced, only root has access\n");
	for (i = 0; i < res->nr && !pkram_store.read_only; i++) {
		struct pkram_loaded *item = &res->items[i];

		if (load_pool_root_is_spoilt(item))
			pkram_records_free(&item->loc, item->rec.seq + 1,
					   PKRAM_ROOT_ID);
	}
	return 0;
}

/* Good objects first: see load_pool_link_object(). */
static int load_pool_make_objects(struct pkram_load_result *res,
				  struct pkram_object **objs, u32 *nr)
{
	int pass, err;
	u32 i;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < res->nr; i++) {
			struct pkram_loaded *item = &res->items[i];

			if (item->stale || load_pool_root_is_spoilt(item) ||
			    !!pass != !!item->bad)
				continue;
			if (!pass && item->rec.id == PKRAM_ROOT_ID) {
				err = load_pool_make_object(item,
							    &pkram_store.root);
				if (err)
					return err;
				pkram_object_link(pkram_store.root, NULL);
				continue;
			}
			err = load_pool_make_object(item, &objs[*nr]);
			if (err)
				return err;
			(*nr)++;
		}
	}
	return 0;
}

/* Free stale records, and make slots equal that a cut or a bit flip left different. */
static void load_pool_repair(struct pkram_load_result *res)
{
	struct pkram_object *obj;
	u32 i;

	if (pkram_store.read_only)
		return;
	for (i = 0; i < res->nr; i++) {
		struct pkram_loaded *item = &res->items[i];

		if (item->stale) {
			pkram_records_free(&item->loc, item->rec.seq + 1,
					   item->rec.id);
		} else if (item->mirror && !item->bad) {
			obj = pkram_store_find_key(item->rec.id);
			if (obj && pkram_object_commit(obj))
				pr_warn("object %llu: slots differ and could not be repaired\n",
					obj->rec.id);
		}
	}
}

static int load_pool_records(void)
{
	struct pkram_load_region *lr;
	struct pkram_load_result res = {};
	struct pkram_object **objs = NULL;
	struct pkram_region *r;
	u32 i, nr = 0, nr_regions = 0;
	int err;

	list_for_each_entry(r, &pkram_store.regions, list)
		nr_regions++;
	lr = kvcalloc(nr_regions, sizeof(*lr), GFP_KERNEL);
	if (!lr)
		return -ENOMEM;
	i = 0;
	list_for_each_entry(r, &pkram_store.regions, list) {
		lr[i].h = &r->h;
		lr[i++].base = r->head;
	}
	err = pkram_load(lr, nr_regions, &pkram_store.al, &res);
	if (!err && pkram_store.region_lost)
		pkram_load_keep(lr, nr_regions, &pkram_store.al);
	kvfree(lr);
	if (err)
		return err;
	for (i = 0; i < res.nr; i++)
		pkram_records_use(&res.items[i].loc);
	objs = kvcalloc(max(res.nr, 1U), sizeof(*objs), GFP_KERNEL);
	err = objs ? load_pool_make_objects(&res, objs, &nr) : -ENOMEM;
	if (!err && !pkram_store.root)
		err = load_pool_remake_root(&res);
	if (!err) {
		load_pool_link_objects(objs, nr);
		pkram_store.next_id = max_t(u64, res.max_id,
					    PKRAM_ROOT_ID) + 1;
		if (res.lost)
			pr_warn("a record is lost: memory that it may own is kept back until the object is discarded\n");
		if (pkram_store.region_lost)
			pr_warn("a region may be missing: memory that its objects may own is kept back until the region is attached or given back\n");
		load_pool_repair(&res);
	} else {
		for (i = 0; i < nr; i++)
			pkram_object_put(objs[i]);
	}
	kvfree(objs);
	pkram_load_release(&res);
	return err;
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

	pkram_space_reap();
	if (!list_empty(&pkram_store.removed) ||
	    !list_empty(&pkram_store.pending))
		return false;
	for (node = rb_first(&pkram_store.objects); node; node = rb_next(node)) {
		struct pkram_object *obj =
			rb_entry(node, struct pkram_object, all);
		unsigned int refs = 1;
		struct rb_node *child;

		for (child = rb_first(&obj->children); child;
		     child = rb_next(child))
			refs++;
		if (refcount_read(&obj->ref) != refs)
			return false;
	}
	return true;
}

/* After an interruption, one copy of a word of the map may be newer than the other. */
static void load_pool_mirror_map(struct pkram_region *r)
{
	u32 gib;

	for (gib = 0; gib < r->h.nr_gib; gib++)
		if (pkram_region_present(r, gib))
			pkram_map_mirror(r->head, pkram_region_id_of(r), gib);
}

static int load_pool_all(void)
{
	struct pkram_region *r;
	int err;

	list_for_each_entry(r, &pkram_store.regions, list) {
		if (!pkram_store.read_only)
			load_pool_mirror_map(r);
		err = pkram_regions_know_space(r);
		if (!err)
			err = pkram_records_load(r);
		if (err)
			return err;
	}
	return load_pool_records();
}

static int load_pool_claim_metas(struct pkram_region *r)
{
	int err = 0;
	u32 i;

	for (i = 0; !err && i < r->h.nr_meta; i++)
		err = pkram_region_claim(r, pkram_header_meta_unit(&r->h, i) /
					 PKRAM_GIB_UNITS, PKRAM_SLICE_2M);
	return err;
}

int pkram_store_attach(struct list_head *regions, bool lost)
{
	struct pkram_region *r, *next;
	int err;

	list_for_each_entry(r, regions, list) {
		err = load_pool_claim_metas(r);
		if (err)
			return err;
	}
	mutex_lock(&pkram_store.lock);
	if (!load_pool_idle()) {
		err = -EBUSY;
		goto unlock;
	}
	pkram_load_pool_forget();
	r = list_first_entry(regions, struct pkram_region, list);
	memcpy(pkram_store.uuid, r->h.pool_uuid, sizeof(pkram_store.uuid));
	pkram_store.seed = pkram_pool_seed(pkram_store.uuid);
	list_for_each_entry_safe(r, next, regions, list) {
		pkram_store.read_only |= r->read_only;
		list_del(&r->list);
		pkram_regions_insert(r);
	}
	/* Objects may be in several regions: if one is read-only, all are. */
	list_for_each_entry(r, &pkram_store.regions, list)
		r->read_only = pkram_store.read_only;
	pkram_store.exists = true;
	pkram_store.region_lost = lost;
	err = load_pool_all();
unlock:
	mutex_unlock(&pkram_store.lock);
	if (!err && !pkram_store.read_only && !pkram_store.root->loc.region_id)
		err = pkram_root_commit();
	/* A full pool must load as well. */
	if (err == -ENOSPC) {
		pr_warn("no room for the root directory's record: free some memory; it is written with its next change\n");
		err = 0;
	}
	return err;
}

int pkram_store_give_up_lost(void)
{
	int err = 0;

	pkram_space_lock_settled();
	if (pkram_store.region_lost) {
		pkram_store.region_lost = false;
		if (!pkram_store.read_only)
			err = pkram_discard_recount();
	}
	mutex_unlock(&pkram_store.lock);
	return err;
}
