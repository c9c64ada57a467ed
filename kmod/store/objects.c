// SPDX-License-Identifier: GPL-2.0
/* Objects: look up, link and commit. See objects.h. */
#include <linux/fs.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include "store/objects.h"
#include "store/records.h"
#include "store/space.h"
#include "store/state.h"

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
static void objects_release_extents(struct pkram_object *obj)
{
	pkram_store_lock();
	list_del(&obj->removed_list);
	pkram_space_free_extents(obj->rec.extents, obj->rec.nr_extents);
	pkram_store_unlock();
}

void pkram_object_put(struct pkram_object *obj)
{
	struct pkram_object *parent;

	while (obj && refcount_dec_and_test(&obj->ref)) {
		if (obj->removed)
			objects_release_extents(obj);
		parent = obj->parent;
		iput(obj->mapping_inode);
		pkram_record_release(&obj->rec);
		kvfree(obj);
		obj = parent;
		cond_resched();
	}
}

struct pkram_time pkram_object_now(void)
{
	struct timespec64 ts;

	ktime_get_coarse_real_ts64(&ts);
	return (struct pkram_time){ .sec = ts.tv_sec, .nsec = ts.tv_nsec };
}

void pkram_object_born(struct pkram_object *obj)
{
	obj->rec.btime = pkram_object_now();
	obj->rec.atime = obj->rec.btime;
	obj->rec.mtime = obj->rec.btime;
	obj->rec.ctime = obj->rec.btime;
}

/* The tree of names, and the tree of keys */

/* Users choose names, so the hash has a random seed, and its table grows. */
static struct hlist_head *objects_bucket(const struct pkram_object *dir,
					 const char *name, u32 len)
{
	u64 key = dir->key;
	u32 hash = jhash(name, len, lower_32_bits(key) ^ pkram_store.names_seed);

	hash = jhash_1word(upper_32_bits(key), hash);
	return &pkram_store.names[hash & (pkram_store.names_size - 1)];
}

int pkram_object_reserve_names(u32 nr)
{
	u32 size = roundup_pow_of_two(max(nr, 256U)), old_size = pkram_store.names_size, i;
	struct hlist_head *old = pkram_store.names;
	struct pkram_object *obj;
	struct hlist_node *next;

	lockdep_assert_held(&pkram_store.lock);
	if (size <= old_size)
		return 0;
	pkram_store.names = kvcalloc(size, sizeof(*old), GFP_KERNEL);
	if (!pkram_store.names) {
		pkram_store.names = old;
		return -ENOMEM;
	}
	pkram_store.names_size = size;
	for (i = 0; i < old_size; i++, cond_resched())
		hlist_for_each_entry_safe(obj, next, &old[i], by_name) {
			hlist_del_init(&obj->by_name);
			hlist_add_head(&obj->by_name,
				       objects_bucket(obj->parent, obj->rec.name,
						      obj->rec.name_len));
		}
	kvfree(old);
	return 0;
}

static void objects_add_name(struct pkram_object *obj)
{
	/* Without memory for a larger table, the one there is serves as well. */
	if (++pkram_store.nr_names > pkram_store.names_size)
		pkram_object_reserve_names(pkram_store.nr_names);
	hlist_add_head(&obj->by_name, objects_bucket(obj->parent, obj->rec.name,
						     obj->rec.name_len));
}

static void objects_remove_name(struct pkram_object *obj)
{
	hlist_del_init(&obj->by_name);
	pkram_store.nr_names--;
}

struct pkram_object *pkram_object_find_name(struct pkram_object *dir,
					    const char *name, u32 len)
{
	struct pkram_object *obj, *found = NULL;

	lockdep_assert_held(&pkram_store.lock);
	hlist_for_each_entry(obj, objects_bucket(dir, name, len), by_name) {
		if (obj->parent != dir || obj->rec.name_len != len ||
		    memcmp(obj->rec.name, name, len))
			continue;
		/* At most one of several objects with one name is good: return that. */
		if (!found || !obj->bad)
			found = obj;
	}
	return found;
}

/* Two trees are sorted by key; @member: offset of a tree's node in an object */
#define OBJECTS_ALL	offsetof(struct pkram_object, all)
#define OBJECTS_SIBLING	offsetof(struct pkram_object, sibling)

static struct pkram_object *objects_of(struct rb_node *node, size_t member)
{
	return (void *)node - member;
}

static void objects_insert(struct rb_root *root, struct pkram_object *obj,
			   size_t member)
{
	struct rb_node **p = &root->rb_node, *parent = NULL;
	struct rb_node *node = (void *)obj + member;

	while (*p) {
		parent = *p;
		p = obj->key < objects_of(parent, member)->key ?
		    &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(node, parent, p);
	rb_insert_color(node, root);
}

/* Return the object with the lowest key above @key, or NULL */
static struct pkram_object *objects_after(const struct rb_root *root,
					  size_t member, u64 key)
{
	struct pkram_object *obj, *next = NULL;
	struct rb_node *node = root->rb_node;

	lockdep_assert_held(&pkram_store.lock);
	while (node) {
		obj = objects_of(node, member);
		if (obj->key > key) {
			next = obj;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return next;
}

/* As objects_after(), referenced */
static struct pkram_object *objects_next(const struct rb_root *root,
					 size_t member, u64 key)
{
	struct pkram_object *next;

	pkram_store_lock();
	next = objects_after(root, member, key);
	if (next)
		pkram_object_get(next);
	pkram_store_unlock();
	return next;
}

static u32 *objects_counter(const struct pkram_object *obj)
{
	if (obj->bad)
		return &pkram_store.nr_quarantined;
	return obj->rec.kind == PKRAM_KIND_DMA_TABLE ?
	       &pkram_store.nr_dma_tables : &pkram_store.nr_objects;
}

/* The reference to the directory stays. */
static void objects_leave(struct pkram_object *obj)
{
	struct pkram_object *dir = obj->parent;

	objects_remove_name(obj);
	rb_erase(&obj->sibling, &dir->children);
	RB_CLEAR_NODE(&obj->sibling);
	if (!obj->bad && obj->rec.kind == PKRAM_KIND_DIR)
		WRITE_ONCE(dir->nr_subdirs, dir->nr_subdirs - 1);
}

/*
 * Each object keeps the module loaded: memory of guests must not become
 * unreachable by accident.
 */
void pkram_object_link_key(struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	objects_insert(&pkram_store.objects, obj, OBJECTS_ALL);
	if (obj == pkram_store.root)
		return;
	(*objects_counter(obj))++;
	pkram_store.nr_lost += obj->lost;
	__module_get(THIS_MODULE);
}

void pkram_object_link_name(struct pkram_object *obj, struct pkram_object *dir)
{
	lockdep_assert_held(&pkram_store.lock);
	obj->parent = pkram_object_get(dir);
	objects_add_name(obj);
	objects_insert(&dir->children, obj, OBJECTS_SIBLING);
	if (!obj->bad && obj->rec.kind == PKRAM_KIND_DIR)
		WRITE_ONCE(dir->nr_subdirs, dir->nr_subdirs + 1);
}

void pkram_object_link(struct pkram_object *obj, struct pkram_object *dir)
{
	pkram_object_link_key(obj);
	if (dir)
		pkram_object_link_name(obj, dir);
}

void pkram_object_unlink(struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	rb_erase(&obj->all, &pkram_store.objects);
	RB_CLEAR_NODE(&obj->all);
	if (!hlist_unhashed(&obj->by_name))
		objects_leave(obj);
	if (obj == pkram_store.root)
		return;
	(*objects_counter(obj))--;
	pkram_store.nr_lost -= obj->lost;
	module_put(THIS_MODULE);
}

void pkram_object_relink(struct pkram_object *obj, struct pkram_object *dir)
{
	lockdep_assert_held(&pkram_store.lock);
	objects_leave(obj);
	pkram_object_link_name(obj, dir);
}

/* Looking up */

struct pkram_object *pkram_store_lookup(struct pkram_object *dir,
					const char *name, u32 len)
{
	struct pkram_object *obj;

	pkram_store_lock();
	obj = pkram_object_find_name(dir, name, len);
	if (!obj)
		obj = ERR_PTR(-ENOENT);
	else if (obj->bad)
		obj = ERR_PTR(-EUCLEAN);
	else
		pkram_object_get(obj);
	pkram_store_unlock();
	return obj;
}

struct pkram_object *pkram_store_next_child(struct pkram_object *dir,
					    u64 after)
{
	return objects_next(&dir->children, OBJECTS_SIBLING, after);
}

struct pkram_object *pkram_store_find_key(u64 key)
{
	struct rb_node *node = pkram_store.objects.rb_node;

	lockdep_assert_held(&pkram_store.lock);
	while (node) {
		struct pkram_object *obj =
			rb_entry(node, struct pkram_object, all);

		if (obj->key == key)
			return obj;
		node = key < obj->key ? node->rb_left : node->rb_right;
	}
	return NULL;
}

bool pkram_object_has_last_id(void)
{
	struct pkram_object *obj = pkram_store_find_key(pkram_store.next_id - 1);

	return obj && !obj->bad;
}

struct pkram_object *pkram_object_after(u64 key)
{
	return objects_after(&pkram_store.objects, OBJECTS_ALL, key);
}

struct pkram_object *pkram_store_next_object(u64 key)
{
	return objects_next(&pkram_store.objects, OBJECTS_ALL, key);
}

int pkram_store_look(struct pkram_object *obj,
		     int (*fn)(struct pkram_object *obj, void *arg), void *arg)
{
	int ret;

	pkram_store_lock();
	ret = fn(obj, arg);
	pkram_store_unlock();
	return ret;
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
