// SPDX-License-Identifier: GPL-2.0
/*
 * The store: regions, objects, and how they are made from what an earlier
 * kernel left. Names are store_names.c, memory of objects store_data.c,
 * records in their slots store_commit.c, claims store_claim.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include "store_priv.h"

struct pkram_store pkram_store;

/* Objects */

struct pkram_object *pkram_object_alloc(void)
{
	struct pkram_object *obj = kvzalloc(sizeof(*obj), GFP_KERNEL);

	if (!obj)
		return NULL;
	refcount_set(&obj->ref, 1);
	init_rwsem(&obj->map_sem);
	obj->children = RB_ROOT;
	INIT_HLIST_NODE(&obj->by_name);
	RB_CLEAR_NODE(&obj->sibling);
	RB_CLEAR_NODE(&obj->all);
	return obj;
}

struct pkram_object *pkram_object_get(struct pkram_object *obj)
{
	refcount_inc(&obj->ref);
	return obj;
}

void pkram_object_put(struct pkram_object *obj)
{
	struct pkram_object *parent;

	while (obj && refcount_dec_and_test(&obj->ref)) {
		if (obj->removed)
			pkram_store_release_extents(obj);
		parent = obj->parent;
		iput(obj->mapping_inode);
		pkram_record_release(&obj->rec);
		kvfree(obj);
		obj = parent;
	}
}

static u32 name_hash(u64 dir, const char *name, u32 len)
{
	return jhash(name, len, lower_32_bits(dir) ^ upper_32_bits(dir));
}

struct pkram_object *pkram_store_find_name(struct pkram_object *dir,
					   const char *name, u32 len)
{
	u32 hash = name_hash(dir->key, name, len);
	struct pkram_object *obj, *found = NULL;

	lockdep_assert_held(&pkram_store.lock);
	hash_for_each_possible(pkram_store.names, obj, by_name, hash) {
		if (obj->parent != dir || obj->rec.name_len != len ||
		    memcmp(obj->rec.name, name, len))
			continue;
		/* Of several with one name one is good at most: that one. */
		if (!found || !obj->bad)
			found = obj;
	}
	return found;
}

static void add_child(struct pkram_object *dir, struct pkram_object *obj)
{
	struct rb_node **p = &dir->children.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		p = obj->key < rb_entry(parent, struct pkram_object, sibling)->key ?
		    &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&obj->sibling, parent, p);
	rb_insert_color(&obj->sibling, &dir->children);
}

static void add_key(struct pkram_object *obj)
{
	struct rb_node **p = &pkram_store.objects.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		p = obj->key < rb_entry(parent, struct pkram_object, all)->key ?
		    &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&obj->all, parent, p);
	rb_insert_color(&obj->all, &pkram_store.objects);
}

/*
 * Make an object part of the tree. It takes over the caller's reference as
 * that of its name, and keeps the module loaded: memory of guests must not
 * become unreachable by a slip.
 */
void pkram_object_link(struct pkram_object *obj, struct pkram_object *dir)
{
	u32 hash;

	lockdep_assert_held(&pkram_store.lock);
	add_key(obj);
	if (dir) {
		obj->parent = pkram_object_get(dir);
		hash = name_hash(dir->key, obj->rec.name, obj->rec.name_len);
		hash_add(pkram_store.names, &obj->by_name, hash);
		add_child(dir, obj);
	}
	if (obj == pkram_store.root)
		return;
	if (obj->bad)
		pkram_store.nr_quarantined++;
	else
		pkram_store.nr_objects++;
	__module_get(THIS_MODULE);
}

/* Take an object out of the tree; the reference of its name is the caller's. */
void pkram_object_unlink(struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	rb_erase(&obj->all, &pkram_store.objects);
	RB_CLEAR_NODE(&obj->all);
	if (!hlist_unhashed(&obj->by_name)) {
		hash_del(&obj->by_name);
		rb_erase(&obj->sibling, &obj->parent->children);
		RB_CLEAR_NODE(&obj->sibling);
	}
	if (obj == pkram_store.root)
		return;
	if (obj->bad)
		pkram_store.nr_quarantined--;
	else
		pkram_store.nr_objects--;
	module_put(THIS_MODULE);
}

void pkram_object_relink(struct pkram_object *obj, struct pkram_object *dir)
{
	lockdep_assert_held(&pkram_store.lock);
	hash_del(&obj->by_name);
	rb_erase(&obj->sibling, &obj->parent->children);
	obj->parent = pkram_object_get(dir);
	hash_add(pkram_store.names, &obj->by_name,
		 name_hash(dir->key, obj->rec.name, obj->rec.name_len));
	add_child(dir, obj);
}

struct pkram_object *pkram_store_root(void)
{
	struct pkram_object *root;

	mutex_lock(&pkram_store.lock);
	root = pkram_object_get(pkram_store.root);
	mutex_unlock(&pkram_store.lock);
	return root;
}

static struct pkram_object *find_key(u64 key)
{
	struct rb_node *node = pkram_store.objects.rb_node;

	while (node) {
		struct pkram_object *obj =
			rb_entry(node, struct pkram_object, all);

		if (obj->key == key)
			return obj;
		node = key < obj->key ? node->rb_left : node->rb_right;
	}
	return NULL;
}

struct pkram_object *pkram_store_next_object(u64 key)
{
	struct rb_node *node;
	struct pkram_object *best = NULL;

	mutex_lock(&pkram_store.lock);
	node = pkram_store.objects.rb_node;
	while (node) {
		struct pkram_object *obj =
			rb_entry(node, struct pkram_object, all);

		if (obj->key > key) {
			best = obj;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	if (best)
		pkram_object_get(best);
	mutex_unlock(&pkram_store.lock);
	return best;
}

/* store.lock, at a time when all units that are taken belong to somebody */
static void lock_for_recount(void)
{
	mutex_lock(&pkram_store.lock);
	while (pkram_store.nr_in_transit) {
		mutex_unlock(&pkram_store.lock);
		msleep(1);
		mutex_lock(&pkram_store.lock);
	}
}

int pkram_store_discard(u64 key)
{
	struct pkram_object *obj;
	int err = 0;

	lock_for_recount();
	obj = find_key(key);
	if (!obj)
		err = -ENOENT;
	else if (!obj->bad)
		err = -EINVAL;
	else if (pkram_store.read_only)
		err = -EROFS;
	if (!err) {
		pkram_store_erase(obj);
		pkram_object_unlink(obj);
		err = pkram_store_recount();
	}
	mutex_unlock(&pkram_store.lock);
	if (!err)
		pkram_object_put(obj);
	return err;
}

/* Regions */

struct pkram_region *pkram_store_region(u64 id)
{
	struct pkram_region *r;

	list_for_each_entry_rcu(r, &pkram_store.regions, list,
				lockdep_is_held(&pkram_store.lock))
		if (pkram_region_id_of(r) == id)
			return r;
	return NULL;
}

static void insert_region(struct pkram_region *r)
{
	struct pkram_region *pos;

	list_for_each_entry(pos, &pkram_store.regions, list)
		if (pos->h.base > r->h.base)
			break;
	list_add_tail_rcu(&r->list, &pos->list);
}

int pkram_store_for_each_region(int (*fn)(struct pkram_region *r, void *arg),
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

/* Make a region's space known: all free but the head and the records. */
static int know_space(struct pkram_region *r)
{
	u64 id = pkram_region_id_of(r);
	u32 i;
	int err;

	err = pkram_alloc_add_region(&pkram_store.al, id, r->nid, r->h.nr_gib,
				     r->h.present);
	if (err)
		return err;
	err = pkram_alloc_mark(&pkram_store.al, id, 0, 1);
	for (i = 0; !err && i < r->h.nr_meta; i++)
		err = pkram_alloc_mark(&pkram_store.al, id,
				       r->h.meta[i] & ~PKRAM_META_LARGE, 1);
	return err;
}

static struct pkram_time now(void)
{
	struct timespec64 ts;

	ktime_get_real_ts64(&ts);
	return (struct pkram_time){ .sec = ts.tv_sec, .nsec = ts.tv_nsec };
}

static struct pkram_object *make_root(void)
{
	struct pkram_object *root = pkram_object_alloc();

	if (!root)
		return NULL;
	root->key = PKRAM_ROOT_ID;
	root->rec.id = PKRAM_ROOT_ID;
	root->rec.kind = PKRAM_KIND_DIR;
	root->rec.mode = S_IFDIR | 0755;
	root->rec.btime = now();
	root->rec.atime = root->rec.btime;
	root->rec.mtime = root->rec.btime;
	root->rec.ctime = root->rec.btime;
	return root;
}

/* Write the root's record when the pool begins, or when it was lost. */
static int commit_root(void)
{
	int err;

	do {
		mutex_lock(&pkram_store.lock);
		err = pkram_store_commit(pkram_store.root);
		mutex_unlock(&pkram_store.lock);
	} while (err == -EAGAIN && !(err = pkram_store_ensure_wanted()));
	return err;
}

static void make_header(struct pkram_region *r)
{
	u32 i;

	generate_random_uuid(r->h.region_uuid);
	r->h.region_id = pkram_region_id(r->h.region_uuid);
	if (!pkram_store.exists) {
		generate_random_uuid(pkram_store.uuid);
		pkram_store.seed = pkram_pool_seed(pkram_store.uuid);
	}
	memcpy(r->h.pool_uuid, pkram_store.uuid, sizeof(r->h.pool_uuid));
	r->h.version = PKRAM_FORMAT_VERSION;
	r->h.created = ktime_get_real_seconds();
	memset(r->head, 0, PKRAM_UNIT);
	for (i = 0; i < r->h.nr_gib; i++)
		pkram_map_init(r->head, r->h.region_id, i);
	pkram_map_set(r->head, r->h.region_id, 0, 1, PKRAM_UNIT_META);
	r->cur = 0;
	pkram_region_commit(r);
}

int pkram_store_add_region(struct pkram_region *r)
{
	struct pkram_region *other;
	bool first;
	int err;

	mutex_lock(&pkram_store.lock);
	first = !pkram_store.exists;
	if (pkram_store.read_only) {
		err = -EROFS;
		goto unlock;
	}
	list_for_each_entry(other, &pkram_store.regions, list)
		r->h.index = max(r->h.index, other->h.index + 1);
	make_header(r);
	err = know_space(r);
	if (!err) {
		insert_region(r);
		pkram_store.exists = true;
	} else {
		pkram_alloc_remove_region(&pkram_store.al,
					  pkram_region_id_of(r));
	}
unlock:
	mutex_unlock(&pkram_store.lock);
	if (err || !first)
		return err;

	err = commit_root();
	if (!err)
		return 0;
	mutex_lock(&pkram_store.lock);
	list_del_rcu(&r->list);
	pkram_store_drop_metas(r);
	pkram_alloc_remove_region(&pkram_store.al, pkram_region_id_of(r));
	pkram_store.exists = false;
	mutex_unlock(&pkram_store.lock);
	synchronize_rcu();
	return err;
}

/* Loading */

static void name_orphan(struct pkram_object *obj)
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

static void report_bad(const struct pkram_object *obj)
{
	char other[40] = "";

	if (obj->other)
		snprintf(other, sizeof(other), " (object %#llx)", obj->other);
	/* By the key that it is discarded by; names may hold anything. */
	pr_warn("object %#llx \"%*pE\" quarantined: %s%s\n", obj->key,
		obj->rec.name_len, obj->rec.name, pkram_bad_text(obj->bad),
		other);
}

/* Turn a loaded item into an object, not linked yet. */
static int make_object(struct pkram_loaded *item, struct pkram_object **out)
{
	struct pkram_object *obj = pkram_object_alloc();

	if (!obj)
		return -ENOMEM;
	obj->rec = item->rec;
	item->rec.xattrs = NULL;
	item->rec.extents = NULL;
	item->rec.xattr_len = 0;
	item->rec.nr_extents = 0;
	obj->loc = item->loc;
	obj->bad = item->bad;
	obj->other = item->other;
	obj->lost = item->lost;
	obj->key = obj->rec.id;
	if (item->orphan)
		name_orphan(obj);
	*out = obj;
	return 0;
}

/* Bad ones come after the good, whose ids are their keys. */
static void link_object(struct pkram_object *obj, struct pkram_object *dir)
{
	if (obj->bad) {
		if (obj->key <= PKRAM_ROOT_ID || obj->key >= PKRAM_BAD_KEY ||
		    find_key(obj->key))
			obj->key = pkram_store.next_bad_key++;
		report_bad(obj);
	}
	pkram_object_link(obj, dir);
}

/*
 * Link parents before children: a directory's id says nothing of its depth,
 * so go round until nothing is left. Depth is bounded by the loader, which
 * made orphans of everything that does not hang from the root.
 */
static void link_objects(struct pkram_object **objs, u32 nr)
{
	struct pkram_object *dir;
	bool progress = true;
	u32 i;

	while (progress) {
		progress = false;
		for (i = 0; i < nr; i++) {
			if (!objs[i])
				continue;
			dir = find_key(objs[i]->rec.parent);
			if (!dir || dir->bad || dir->rec.kind != PKRAM_KIND_DIR)
				continue;
			link_object(objs[i], dir);
			objs[i] = NULL;
			progress = true;
		}
	}
	/* What is left is quarantined and has no directory that is good. */
	for (i = 0; i < nr; i++)
		if (objs[i])
			link_object(objs[i], NULL);
}

/* A record that is the root's without doubt, but not fit to be used. */
static bool spoilt_root(const struct pkram_loaded *item)
{
	return item->bad && item->rec.id == PKRAM_ROOT_ID &&
	       item->rec.kind == PKRAM_KIND_DIR && !item->rec.nr_extents;
}

/*
 * The root's record is lost: a new one takes its place. Who was allowed to look
 * is not known, so nobody but root is.
 */
static int remake_root(struct pkram_load_result *res)
{
	struct pkram_object *root = make_root();
	u32 i;

	if (!root)
		return -ENOMEM;
	root->rec.mode = S_IFDIR | 0700;
	pkram_store.root = root;
	pkram_object_link(root, NULL);
	pr_warn("the root directory's record is lost: made anew, for root alone\n");
	for (i = 0; i < res->nr && !pkram_store.read_only; i++) {
		struct pkram_loaded *item = &res->items[i];

		if (spoilt_root(item))
			pkram_store_free_pair_at(&item->loc, item->rec.seq + 1,
						 PKRAM_ROOT_ID);
	}
	return 0;
}

/* Good objects first: see link_object(). */
static int make_objects(struct pkram_load_result *res,
			struct pkram_object **objs, u32 *nr)
{
	int pass, err;
	u32 i;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < res->nr; i++) {
			struct pkram_loaded *item = &res->items[i];

			if (item->stale || spoilt_root(item) ||
			    (pass == 1) != (item->bad != PKRAM_OK))
				continue;
			if (!pass && item->rec.id == PKRAM_ROOT_ID) {
				err = make_object(item, &pkram_store.root);
				if (err)
					return err;
				pkram_object_link(pkram_store.root, NULL);
				continue;
			}
			err = make_object(item, &objs[*nr]);
			if (err)
				return err;
			(*nr)++;
		}
	}
	return 0;
}

/* Repair what a cut or a flipped bit left: stale records, slots that differ. */
static void repair(struct pkram_load_result *res)
{
	struct pkram_object *obj;
	u32 i;

	if (pkram_store.read_only)
		return;
	for (i = 0; i < res->nr; i++) {
		struct pkram_loaded *item = &res->items[i];

		if (item->stale) {
			pkram_store_free_pair_at(&item->loc, item->rec.seq + 1,
						 item->rec.id);
		} else if (item->mirror && !item->bad) {
			obj = find_key(item->rec.id);
			if (obj && pkram_store_commit(obj))
				pr_warn("object %llu: slots differ and could not be repaired\n",
					obj->rec.id);
		}
	}
}

static int load_records(void)
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
		pkram_store_use_pair(&res.items[i].loc);
	objs = kvcalloc(max(res.nr, 1U), sizeof(*objs), GFP_KERNEL);
	err = objs ? make_objects(&res, objs, &nr) : -ENOMEM;
	if (!err && !pkram_store.root)
		err = remake_root(&res);
	if (!err) {
		link_objects(objs, nr);
		pkram_store.next_id = max_t(u64, res.max_id,
					    PKRAM_ROOT_ID) + 1;
		if (res.lost)
			pr_warn("a record was lost: memory that may be its is kept until the object is discarded\n");
		if (pkram_store.region_lost)
			pr_warn("a region may be missing: memory that may be its objects' is kept until the region is attached or given back\n");
		repair(&res);
	} else {
		for (i = 0; i < nr; i++)
			pkram_object_put(objs[i]);
	}
	kvfree(objs);
	pkram_load_release(&res);
	return err;
}

/* Forget all objects, in memory. Nobody holds a reference. */
static void forget_objects(void)
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

static void forget_pool(void)
{
	struct pkram_region *r;

	forget_objects();
	list_for_each_entry(r, &pkram_store.regions, list)
		pkram_store_drop_metas(r);
	pkram_alloc_destroy(&pkram_store.al);
}

/* No file is open, and no memory is in use without a name. */
static bool objects_idle(void)
{
	struct rb_node *node;

	pkram_store_reap();
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

/* A cut may have left a word of the map newer in one copy than in the other. */
static void mirror_map(struct pkram_region *r)
{
	u32 gib;

	for (gib = 0; gib < r->h.nr_gib; gib++)
		if (pkram_region_present(r, gib))
			pkram_map_mirror(r->head, pkram_region_id_of(r), gib);
}

static int load_pool(void)
{
	struct pkram_region *r;
	int err;

	list_for_each_entry(r, &pkram_store.regions, list) {
		if (!pkram_store.read_only)
			mirror_map(r);
		err = know_space(r);
		if (!err)
			err = pkram_store_load_metas(r);
		if (err)
			return err;
	}
	return load_records();
}

static int claim_metas(struct pkram_region *r)
{
	int err = 0;
	u32 i;

	for (i = 0; !err && i < r->h.nr_meta; i++)
		err = pkram_region_claim(r, (r->h.meta[i] & ~PKRAM_META_LARGE) /
					 PKRAM_GIB_UNITS, PKRAM_SLICE_2M);
	return err;
}

int pkram_store_attach(struct list_head *regions, bool lost)
{
	struct pkram_region *r, *next;
	int err;

	list_for_each_entry(r, regions, list) {
		err = claim_metas(r);
		if (err)
			return err;
	}
	mutex_lock(&pkram_store.lock);
	if (!objects_idle()) {
		err = -EBUSY;
		goto unlock;
	}
	forget_pool();
	r = list_first_entry(regions, struct pkram_region, list);
	memcpy(pkram_store.uuid, r->h.pool_uuid, sizeof(pkram_store.uuid));
	pkram_store.seed = pkram_pool_seed(pkram_store.uuid);
	list_for_each_entry_safe(r, next, regions, list) {
		pkram_store.read_only |= r->read_only;
		list_del(&r->list);
		insert_region(r);
	}
	/* Objects may be in several: what one of them forbids holds for all. */
	list_for_each_entry(r, &pkram_store.regions, list)
		r->read_only = pkram_store.read_only;
	pkram_store.exists = true;
	pkram_store.region_lost = lost;
	err = load_pool();
unlock:
	mutex_unlock(&pkram_store.lock);
	if (!err && !pkram_store.read_only && !pkram_store.root->loc.region_id)
		err = commit_root();
	/* A pool that is full must load all the same. */
	if (err == -ENOSPC) {
		pr_warn("no room for the root directory's record: it is written with its next change\n");
		err = 0;
	}
	return err;
}

int pkram_store_give_up_lost(void)
{
	int err = 0;

	lock_for_recount();
	if (pkram_store.region_lost) {
		pkram_store.region_lost = false;
		if (!pkram_store.read_only)
			err = pkram_store_recount();
	}
	mutex_unlock(&pkram_store.lock);
	return err;
}

/* Shrinking */

static int may_drop(struct pkram_region *r, u32 first, u32 nr, bool whole,
		    struct pkram_refusal *refusal)
{
	struct pkram_alloc_region *ar =
		pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
	u32 gib, used;

	for (gib = first; gib < first + nr; gib++) {
		refusal->base = r->h.base + ((u64)gib << PKRAM_GIB_SHIFT);
		refusal->size = PKRAM_GIB;
		if (!pkram_region_present(r, gib)) {
			refusal->reason = "not part of the pool";
			return -ENOENT;
		}
		/* The root is written anew where the pool begins again. */
		used = PKRAM_GIB_UNITS - ar->gib_free[gib];
		if (!used || (gib == 0 && whole && used == 1))
			continue;
		refusal->reason = gib ? "in use by objects" : whole ?
			"in use by objects or their records" :
			"holds the region's head: the region's other GiB go first";
		return -EBUSY;
	}
	return 0;
}

/* Without objects the root's record is all that is left of a pool: let go. */
static void let_root_go(void)
{
	if (pkram_store.nr_objects || pkram_store.nr_quarantined ||
	    pkram_store.regions.next != pkram_store.regions.prev)
		return;
	pkram_store_erase(pkram_store.root);
}

static u32 nr_present(const struct pkram_region *r)
{
	u32 gib, n = 0;

	for (gib = 0; gib < r->h.nr_gib; gib++)
		n += pkram_region_present(r, gib);
	return n;
}

static struct pkram_region *region_at(u64 base)
{
	struct pkram_region *r;

	list_for_each_entry(r, &pkram_store.regions, list)
		if (base >= r->h.base &&
		    pkram_region_present(r, (base - r->h.base) >> PKRAM_GIB_SHIFT))
			return r;
	return NULL;
}

/* Take GiB out of a region's header; nothing of them is in use. */
static void cut_region(struct pkram_region *r, u32 first, u32 nr)
{
	u32 gib;

	for (gib = first; gib < first + nr; gib++) {
		pkram_alloc_set_gib(&pkram_store.al, pkram_region_id_of(r), gib,
				    false);
		r->h.present[gib / 64] &= ~BIT_ULL(gib % 64);
	}
	while (!pkram_region_present(r, r->h.nr_gib - 1))
		r->h.nr_gib--;
	pkram_region_commit(r);
}

int pkram_store_drop(u64 base, u32 nr_gib, struct pkram_refusal *refusal)
{
	struct pkram_region *r;
	u32 first = 0, gib;
	bool whole = false;
	int err;

	pkram_store_settle();
	mutex_lock(&pkram_store.lock);
	pkram_store_reap();
	r = region_at(base);
	refusal->base = base;
	refusal->size = (u64)nr_gib << PKRAM_GIB_SHIFT;
	refusal->reason = "not part of the pool";
	err = !r ? -ENOENT : pkram_store.read_only ? -EROFS : 0;
	if (!err) {
		first = (base - r->h.base) >> PKRAM_GIB_SHIFT;
		whole = first == 0 && nr_present(r) == nr_gib;
		if (whole)
			let_root_go();
		pkram_store_trim_metas(r);
		err = may_drop(r, first, nr_gib, whole, refusal);
	}
	if (!err && whole) {
		list_del_rcu(&r->list);
		pkram_alloc_remove_region(&pkram_store.al,
					  pkram_region_id_of(r));
		pkram_store.exists = !list_empty(&pkram_store.regions);
	} else if (!err) {
		cut_region(r, first, nr_gib);
	}
	mutex_unlock(&pkram_store.lock);
	if (err) {
		/* If the root was let go, or never was: write it again. */
		if (r && whole && commit_root())
			pr_warn("the root directory's record could not be written\n");
		goto out;
	}

	if (whole)
		synchronize_rcu();
	for (gib = first; !err && gib < first + nr_gib; gib++)
		err = pkram_region_wipe(r, gib);
	if (whole)
		pkram_region_close(r, false);
	else if (!err)
		err = pkram_region_update_span(r);
	refusal->reason = "could not be zeroed and released";
out:
	refusal->err = err;
	return err;
}

/* What is there */

static void count_slices(const struct pkram_region *r,
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

u64 pkram_store_region_free(const struct pkram_region *r)
{
	const struct pkram_alloc_region *ar;

	lockdep_assert_held(&pkram_store.lock);
	ar = pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
	return ar ? (u64)ar->nr_free << PKRAM_UNIT_SHIFT : 0;
}

void pkram_store_info(struct pkram_pool_info *info)
{
	struct pkram_region *r;

	memset(info, 0, sizeof(*info));
	/* GiB that are being unclaimed count as taken for that moment. */
	pkram_store_settle();
	mutex_lock(&pkram_store.lock);
	pkram_store_reap();
	info->exists = pkram_store.exists;
	info->read_only = pkram_store.read_only;
	memcpy(info->uuid, pkram_store.uuid, sizeof(info->uuid));
	list_for_each_entry(r, &pkram_store.regions, list) {
		info->nr_regions++;
		info->meta += (u64)(r->h.nr_meta + 1) << PKRAM_UNIT_SHIFT;
		count_slices(r, info);
	}
	info->nr_objects = pkram_store.nr_objects;
	info->nr_quarantined = pkram_store.nr_quarantined;
	info->free = pkram_store.al.nr_free << PKRAM_UNIT_SHIFT;
	info->pending = pkram_store.nr_pending << PKRAM_UNIT_SHIFT;
	mutex_unlock(&pkram_store.lock);
}

bool pkram_store_exists(void)
{
	return READ_ONCE(pkram_store.exists);
}

void pkram_store_pool_uuid(u8 uuid[16])
{
	mutex_lock(&pkram_store.lock);
	memcpy(uuid, pkram_store.uuid, 16);
	mutex_unlock(&pkram_store.lock);
}

void pkram_store_set_unmap(pkram_unmap_fn fn)
{
	pkram_store.unmap = fn;
}

int pkram_store_init(void)
{
	mutex_init(&pkram_store.lock);
	INIT_LIST_HEAD(&pkram_store.regions);
	INIT_LIST_HEAD(&pkram_store.metas);
	INIT_LIST_HEAD(&pkram_store.pending);
	INIT_LIST_HEAD(&pkram_store.removed);
	hash_init(pkram_store.names);
	pkram_store.objects = RB_ROOT;
	pkram_store.next_id = PKRAM_ROOT_ID + 1;
	pkram_store.next_bad_key = PKRAM_BAD_KEY;
	pkram_store.scratch = vzalloc(PKRAM_LARGE_SLOT);
	pkram_store.free_record = kzalloc(sizeof(*pkram_store.free_record),
					  GFP_KERNEL);
	pkram_store.root = make_root();
	if (!pkram_store.scratch || !pkram_store.free_record ||
	    !pkram_store.root) {
		kvfree(pkram_store.root);
		kfree(pkram_store.free_record);
		vfree(pkram_store.scratch);
		return -ENOMEM;
	}
	pkram_region_init();
	mutex_lock(&pkram_store.lock);
	pkram_object_link(pkram_store.root, NULL);
	mutex_unlock(&pkram_store.lock);
	return 0;
}

/* The module can go only without objects; regions stay reserved. */
void pkram_store_exit(void)
{
	struct pkram_region *r, *next;

	pkram_store_stop_reaping();
	pkram_store_settle();
	mutex_lock(&pkram_store.lock);
	forget_pool();
	mutex_unlock(&pkram_store.lock);
	list_for_each_entry_safe(r, next, &pkram_store.regions, list) {
		list_del(&r->list);
		pkram_region_close(r, true);
	}
	kfree(pkram_store.free_record);
	vfree(pkram_store.scratch);
}
