/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct pkram_object: a file, a directory or a DMA table, each with one record.
 *
 * Locks, outermost first:
 *	mf_mutex		(mm) a memory error is reported
 *	inode->i_rwsem		(VFS) data and size of one file: shared to read,
 *				exclusive to write, truncate, punch
 *	mmap_lock		(mm)
 *	object->map_sem		the extents of one object: shared for faults
 *				and to look an extent up, exclusive to change
 *				them
 *	mapping->i_mmap_rwsem	(mm) the mappings of one object
 *	store.lock		names, records, allocator
 *	bad_mutex		(mem/bad.c) changes of lists of bad pages
 *	region->bad_lock	the list of one region: spins
 *	region->map_lock	the unit map: spins
 * Of i_mmap_rwsem and store.lock none is taken under the other, nor of bad_lock and map_lock.
 * event_lock (event/event.h) is taken under store.lock and under the locks of
 * pool/ and handover/, and nothing is taken under it. region->populate_lock is
 * taken under none of these but i_rwsem; while a GiB is depopulated under it, a memory error in
 * that GiB is waited for, which needs the others.
 *
 * Nothing is allocated under map_sem, store.lock, bad_mutex, event_lock or populate_lock that
 * waits for I/O: pkram_store_lock() says why.
 *
 * Extents are looked up under map_sem. The extent found stays the object's, and
 * its GiB stays populated as it is, as long as map_sem or i_rwsem is held: both are
 * held exclusively while extents are taken away, and a populated GiB is depopulated
 * only when it has no owner at all. Holes may be filled under map_sem alone,
 * which replaces the list of extents.
 */
#ifndef _PKRAM_STORE_OBJECTS_H
#define _PKRAM_STORE_OBJECTS_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include "core/load.h"
#include "core/record.h"

struct inode;
struct pkram_open;

/**
 * struct pkram_pinned - a range of an object that is under DMA
 * @list: in the object's @pins; store.lock
 * @offset: in the object
 * @len: in bytes
 */
struct pkram_pinned {
	struct list_head list;
	u64 offset;
	u64 len;
};

/**
 * struct pkram_object - a file, a directory, a DMA table, or a quarantined record
 * @ref: references; the name holds one
 * @rec: the record; extents and size: map_sem and store.lock to change,
 *	either to read; everything else: store.lock
 * @loc: where the record is
 * @map_sem: see above
 * @parent: directory (referenced), NULL for the root
 * @children: of a directory: its objects by key
 * @nr_subdirs: how many of them are directories that are not quarantined
 * @sibling: in the parent's @children
 * @all: in the store's tree of keys
 * @by_name: in the store's hash of (directory, name)
 * @key: names it for people and netlink; the object id if that is unique
 * @bad: why it is quarantined, or 0; a quarantined object has no memory and
 *	cannot be committed
 * @other: the object that it conflicts with, if any
 * @lost: quarantined, and its memory is not known
 * @shares: quarantined, and units that it claims may not be its own alone
 * @removed: has no name any more; its memory is freed with the last reference
 * @removed_list: in the store's list of removed objects
 * @damage_told: there was an event about damage of its memory
 * @nr_writers: open files (and mappings of closed ones) that can write
 * @exclusive: the open that was made with O_EXCL, or NULL
 * @claimant: the open that holds the claim, or NULL
 * @mapping_inode: fs/mmap.c: the inode whose address space has all mappings
 * @pins: &struct pkram_pinned: ranges that are under DMA; store.lock
 * @in_use: of a DMA table: a container of this kernel uses it
 */
struct pkram_object {
	refcount_t ref;
	struct pkram_record rec;
	struct pkram_location loc;
	struct rw_semaphore map_sem;
	struct pkram_object *parent;
	struct rb_root children;
	u32 nr_subdirs;
	struct rb_node sibling;
	struct rb_node all;
	struct hlist_node by_name;
	u64 key;
	enum pkram_bad bad;
	u64 other;
	bool lost;
	bool shares;
	bool removed;
	struct list_head removed_list;
	bool damage_told;
	u32 nr_writers;
	struct pkram_open *exclusive;
	struct pkram_open *claimant;
	struct inode *mapping_inode;
	struct list_head pins;
	bool in_use;
};

#define PKRAM_BAD_KEY	BIT_ULL(63)	/* keys of objects without usable id */

/** pkram_object_get() - Take a reference */
struct pkram_object *pkram_object_get(struct pkram_object *obj);

/** pkram_object_put() - Drop a reference; NULL is allowed. Context: may sleep. */
void pkram_object_put(struct pkram_object *obj);

/**
 * pkram_store_lookup() - Look up an object by directory and name
 *
 * Return: object, referenced; ERR_PTR: -ENOENT; -EUCLEAN quarantined.
 */
struct pkram_object *pkram_store_lookup(struct pkram_object *dir,
					const char *name, u32 len);

/**
 * pkram_store_next_child() - Read a directory
 * @dir: directory
 * @after: continue after this object key; 0 to begin
 *
 * Children are returned by rising key, including quarantined ones that have a
 * name. Return: object, referenced, or NULL at the end.
 */
struct pkram_object *pkram_store_next_child(struct pkram_object *dir,
					    u64 after);

/**
 * pkram_store_next_object() - Walk all objects
 * @key: continue after this key; 0 to begin
 *
 * DMA tables and quarantined records are included. Return: object, referenced, or
 * NULL at the end.
 */
struct pkram_object *pkram_store_next_object(u64 key);

/** pkram_object_has_last_id() - Check whether an object has the highest id. Context: store.lock. */
bool pkram_object_has_last_id(void);

/** pkram_object_after() - As pkram_store_next_object(), not referenced. Context: store.lock. */
struct pkram_object *pkram_object_after(u64 key);

/** pkram_store_find_key() - Find an object by key, or NULL. Context: store.lock. */
struct pkram_object *pkram_store_find_key(u64 key);

/**
 * pkram_store_look() - Call a function with the store's lock held
 * @obj: object; does not change meanwhile
 * @fn: the function
 * @arg: argument of @fn
 *
 * Return: the result of @fn.
 */
int pkram_store_look(struct pkram_object *obj,
		     int (*fn)(struct pkram_object *obj, void *arg), void *arg);

/* For the rest of store/. Context: store.lock, except for alloc, born and now. */

/** pkram_object_alloc() - Allocate an empty object that is not linked, or NULL */
struct pkram_object *pkram_object_alloc(void);

/** pkram_object_born() - Set all times of a new object to now */
void pkram_object_born(struct pkram_object *obj);

/** pkram_object_now() - Get the time with the resolution of file times */
struct pkram_time pkram_object_now(void);

/**
 * pkram_object_link() - Make an object part of the tree
 * @obj: object, with key and name
 * @dir: its directory, or NULL
 *
 * Takes over the caller's reference as that of the name.
 */
void pkram_object_link(struct pkram_object *obj, struct pkram_object *dir);

/** pkram_object_link_key() - Add an object to the tree without adding it to its directory */
void pkram_object_link_key(struct pkram_object *obj);

/** pkram_object_link_name() - Add a linked object to its directory */
void pkram_object_link_name(struct pkram_object *obj, struct pkram_object *dir);

/**
 * pkram_object_reserve_names() - Make the hash of names large enough
 * @nr: for so many names
 *
 * Return: 0; -ENOMEM, and it is as it was.
 */
int pkram_object_reserve_names(u32 nr);

/** pkram_object_unlink() - Take an object out of the tree; its name's reference stays */
void pkram_object_unlink(struct pkram_object *obj);

/**
 * pkram_object_relink() - Move an object whose name or directory changed
 * @obj: object, with its new name
 * @dir: its new directory; the caller owns the reference to the old one
 */
void pkram_object_relink(struct pkram_object *obj, struct pkram_object *dir);

/** pkram_object_find_name() - Find an object by name, or NULL */
struct pkram_object *pkram_object_find_name(struct pkram_object *dir,
					    const char *name, u32 len);

/** pkram_object_pinned() - Check whether a part of a range of bytes is under DMA */
bool pkram_object_pinned(const struct pkram_object *obj, u64 from, u64 to);

#endif /* _PKRAM_STORE_OBJECTS_H */
