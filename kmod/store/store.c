// SPDX-License-Identifier: GPL-2.0
/*
 * The store: which objects and regions there are. How they are made from what an
 * earlier kernel left is store_load.c; names are store_names.c, memory of objects
 * store_data.c, free space store_space.c, records in their slots store_commit.c,
 * claims store_claim.c, saved containers store_dma_table.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/pkram.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include "event/event.h"
#include "store/priv.h"

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
	INIT_LIST_HEAD(&obj->pins);
	RB_CLEAR_NODE(&obj->sibling);
	RB_CLEAR_NODE(&obj->all);
	return obj;
}

struct pkram_object *pkram_object_get(struct pkram_object *obj)
{
	refcount_inc(&obj->ref);
	return obj;
}

/* Free the memory of a removed object. */
static void release_extents(struct pkram_object *obj)
{
	mutex_lock(&pkram_store.lock);
	list_del(&obj->removed_list);
	pkram_store_free_extents(obj->rec.extents, obj->rec.nr_extents);
	mutex_unlock(&pkram_store.lock);
}

void pkram_object_put(struct pkram_object *obj)
{
	struct pkram_object *parent;

	while (obj && refcount_dec_and_test(&obj->ref)) {
		if (obj->removed)
			release_extents(obj);
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

static u32 *counter_of(const struct pkram_object *obj)
{
	if (obj->bad)
		return &pkram_store.nr_quarantined;
	return obj->rec.kind == PKRAM_KIND_DMA_TABLE ?
	       &pkram_store.nr_dma_tables : &pkram_store.nr_objects;
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
	(*counter_of(obj))++;
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
	(*counter_of(obj))--;
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

struct pkram_object *pkram_store_find_key(u64 key)
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

bool pkram_object_pinned(const struct pkram_object *obj, u64 from, u64 to)
{
	const struct pkram_pinned *pin;

	lockdep_assert_held(&pkram_store.lock);
	list_for_each_entry(pin, &obj->pins, list)
		if (pin->offset < to && from < pin->offset + pin->len)
			return true;
	return false;
}

int pkram_store_commit(struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	/* Before there is a pool only the root is there, in memory. */
	if (obj->removed || !pkram_store.exists)
		return 0;
	if (pkram_store.read_only)
		return -EROFS;
	return pkram_store_write_record(&obj->rec, &obj->loc);
}

void pkram_store_erase(struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	if (!obj->loc.region_id)
		return;
	pkram_store_free_pair_at(&obj->loc, obj->rec.seq + 1, obj->rec.id);
	obj->loc.region_id = 0;
}

int pkram_store_discard(u64 key)
{
	struct pkram_object *obj, *gone = NULL;
	int err = 0;

	pkram_store_lock_settled();
	obj = pkram_store_find_key(key);
	if (!obj || obj->rec.kind == PKRAM_KIND_DMA_TABLE)
		err = -ENOENT;
	else if (!obj->bad)
		err = -EINVAL;
	else if (pkram_store.read_only)
		err = -EROFS;
	if (!err) {
		pkram_store_erase(obj);
		pkram_object_unlink(obj);
		pkram_event_object(PKRAM_CMD_OBJECT_DISCARD_NTF, obj);
		err = pkram_store_recount();
		gone = obj;
	}
	mutex_unlock(&pkram_store.lock);
	pkram_object_put(gone);
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

void pkram_store_insert_region(struct pkram_region *r)
{
	struct pkram_region *pos;

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

/* Make a region's space known: all free but the head and the records. */
int pkram_store_know_space(struct pkram_region *r)
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

struct pkram_time pkram_store_now(void)
{
	struct timespec64 ts;

	ktime_get_coarse_real_ts64(&ts);
	return (struct pkram_time){ .sec = ts.tv_sec, .nsec = ts.tv_nsec };
}

void pkram_object_born(struct pkram_object *obj)
{
	obj->rec.btime = pkram_store_now();
	obj->rec.atime = obj->rec.btime;
	obj->rec.mtime = obj->rec.btime;
	obj->rec.ctime = obj->rec.btime;
}

struct pkram_object *pkram_store_make_root(void)
{
	struct pkram_object *root = pkram_object_alloc();

	if (!root)
		return NULL;
	root->key = PKRAM_ROOT_ID;
	root->rec.id = PKRAM_ROOT_ID;
	root->rec.kind = PKRAM_KIND_DIR;
	root->rec.mode = S_IFDIR | 0755;
	pkram_object_born(root);
	return root;
}

/* Write the root's record when the pool begins, or when it was lost. */
int pkram_store_commit_root(void)
{
	int err;

	do {
		mutex_lock(&pkram_store.lock);
		err = pkram_store_commit(pkram_store.root);
		mutex_unlock(&pkram_store.lock);
	} while (err == -EAGAIN && !(err = pkram_store_ensure_wanted()));
	return err;
}

static void name_region(struct pkram_region *r)
{
	generate_random_uuid(r->h.region_uuid);
	r->h.region_id = pkram_region_id(r->h.region_uuid);
	if (!pkram_store.exists) {
		generate_random_uuid(pkram_store.uuid);
		pkram_store.seed = pkram_pool_seed(pkram_store.uuid);
	}
	memcpy(r->h.pool_uuid, pkram_store.uuid, sizeof(r->h.pool_uuid));
	r->h.version = PKRAM_FORMAT_VERSION;
	r->h.created = ktime_get_real_seconds();
}

static void write_head(struct pkram_region *r)
{
	u32 i;

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
	name_region(r);
	err = pkram_store_know_space(r);
	if (!err) {
		write_head(r);
		pkram_store_insert_region(r);
		pkram_store.exists = true;
	} else {
		pkram_alloc_remove_region(&pkram_store.al,
					  pkram_region_id_of(r));
	}
unlock:
	mutex_unlock(&pkram_store.lock);
	if (err || !first)
		return err;

	err = pkram_store_commit_root();
	if (!err)
		return 0;
	mutex_lock(&pkram_store.lock);
	/* No region is to be found where there is none. */
	memset(r->head, 0, PKRAM_UNIT);
	list_del_rcu(&r->list);
	pkram_store_new_epoch();
	pkram_store_drop_metas(r);
	pkram_alloc_remove_region(&pkram_store.al, pkram_region_id_of(r));
	pkram_store.exists = false;
	mutex_unlock(&pkram_store.lock);
	synchronize_rcu();
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
	if (pkram_store.nr_objects || pkram_store.nr_dma_tables ||
	    pkram_store.nr_quarantined ||
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
	pkram_store_new_epoch();
}

/* The units of GiB that are to go: nobody gets them meanwhile. */
static void hold_units(struct pkram_region *r, u32 unit, u32 nr, bool hold)
{
	u64 id = pkram_region_id_of(r);

	if (hold) {
		/* may_drop() saw that they are free. */
		WARN_ON(pkram_alloc_mark(&pkram_store.al, id, unit, nr));
		pkram_store.nr_in_transit++;
	} else {
		pkram_alloc_free(&pkram_store.al, id, unit, nr);
		pkram_store.nr_in_transit--;
	}
}

static void drop_region(struct pkram_region *r)
{
	lockdep_assert_held(&pkram_store.lock);
	list_del_rcu(&r->list);
	pkram_store_new_epoch();
	pkram_alloc_remove_region(&pkram_store.al, pkram_region_id_of(r));
	pkram_store.exists = !list_empty(&pkram_store.regions);
}

int pkram_store_drop(u64 base, u32 nr_gib, struct pkram_region **from,
		     struct pkram_refusal *refusal)
{
	u32 first = 0, gib, unit = 0, nr = 0;
	struct pkram_region *r;
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
	if (!err) {
		/* Unit 0 of a region is its head's. */
		unit = max(first * PKRAM_GIB_UNITS, 1U);
		nr = (first + nr_gib) * PKRAM_GIB_UNITS - unit;
		hold_units(r, unit, nr, true);
	}
	mutex_unlock(&pkram_store.lock);
	if (err)
		goto out;

	/* The head goes last, when nothing can fail any more: it is claimed. */
	for (gib = max(first, 1U); !err && gib < first + nr_gib; gib++)
		err = pkram_region_wipe(r, gib);
	mutex_lock(&pkram_store.lock);
	hold_units(r, unit, nr, false);
	if (!err && whole)
		drop_region(r);
	else if (!err)
		cut_region(r, first, nr_gib);
	mutex_unlock(&pkram_store.lock);
	refusal->reason = "could not be zeroed and released";
	if (err)
		goto out;

	if (whole) {
		synchronize_rcu();
		pkram_region_wipe(r, 0);
		pkram_region_close(r, false);
		*from = NULL;
		return 0;
	}
	err = pkram_region_update_span(r);
	if (err)
		pkram_store_put_back(r, base, nr_gib);
	*from = r;
out:
	/* If the root was let go, or never was: write it again. */
	if (err && whole && pkram_store_commit_root())
		pr_warn("the root directory's record could not be written\n");
	refusal->err = err;
	return err;
}

void pkram_store_put_back(struct pkram_region *r, u64 base, u32 nr_gib)
{
	u32 first = (base - r->h.base) >> PKRAM_GIB_SHIFT, gib;

	mutex_lock(&pkram_store.lock);
	for (gib = first; gib < first + nr_gib; gib++) {
		r->h.present[gib / 64] |= BIT_ULL(gib % 64);
		pkram_alloc_set_gib(&pkram_store.al, pkram_region_id_of(r), gib,
				    true);
	}
	r->h.nr_gib = max(r->h.nr_gib, first + nr_gib);
	pkram_region_commit(r);
	pkram_store_new_epoch();
	mutex_unlock(&pkram_store.lock);
	if (pkram_region_update_span(r))
		pr_warn("memory at %#llx has no entry in the memory map\n", base);
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
	atomic_set(&pkram_store.epoch, 1);
	pkram_store.scratch = vzalloc(PKRAM_LARGE_SLOT);
	pkram_store.free_record = kzalloc(sizeof(*pkram_store.free_record),
					  GFP_KERNEL);
	pkram_store.root = pkram_store_make_root();
	pkram_store.dma_tables = pkram_object_alloc();
	if (!pkram_store.scratch || !pkram_store.free_record ||
	    !pkram_store.root || !pkram_store.dma_tables) {
		kvfree(pkram_store.dma_tables);
		kvfree(pkram_store.root);
		kfree(pkram_store.free_record);
		vfree(pkram_store.scratch);
		return -ENOMEM;
	}
	pkram_store.dma_tables->rec.kind = PKRAM_KIND_DIR;
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
	pkram_store_forget_pool();
	mutex_unlock(&pkram_store.lock);
	list_for_each_entry_safe(r, next, &pkram_store.regions, list) {
		list_del(&r->list);
		pkram_region_close(r, true);
	}
	pkram_object_put(pkram_store.dma_tables);
	kfree(pkram_store.free_record);
	vfree(pkram_store.scratch);
}
