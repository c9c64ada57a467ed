/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The store: objects (files and directories), their memory, their commit.
 * The core that the file system, the control plane and others stand on.
 *
 * Locks, outermost first:
 *	inode->i_rwsem		(VFS) data and size of one file: shared to read,
 *				exclusive to write, truncate, punch
 *	mmap_lock		(mm)
 *	object->map_sem		the extents of one object: shared by faults
 *				and by whoever looks one up, exclusive to
 *				change them
 *	store.lock		names, records, allocator
 *	region->map_lock	the unit map
 * event_lock (event.h) is taken under store.lock and the locks of pool.c and
 * handover.c, and nothing under it. region->claim_lock is apart: never taken
 * under any of these but i_rwsem.
 *
 * Extents are looked up under map_sem; what was found stays the object's, and its
 * GiB stays claimed as it is, as long as map_sem or i_rwsem is held: both are
 * held exclusively by whoever takes extents away, and a claimed GiB is
 * unclaimed only when it has no owner at all. Holes may be filled under map_sem
 * alone, which replaces the list of extents.
 */
#ifndef _PKRAM_STORE_H
#define _PKRAM_STORE_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include "core/alloc.h"
#include "core/record.h"
#include "core/load.h"
#include "mem/region.h"

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
 * struct pkram_object - a file, a directory, a saved container, or a quarantined record
 * @ref: references; the name holds one
 * @rec: the record; extents and size: map_sem and store.lock to change,
 *	either to read; everything else: store.lock
 * @loc: where the record is
 * @map_sem: see above
 * @parent: directory (referenced), NULL for the root
 * @children: of a directory: by name order of id
 * @sibling: in the parent's @children
 * @all: in the store's tree of keys
 * @by_name: in the store's hash of (directory, name)
 * @key: names it for people and netlink; object id if that is unique
 * @bad: quarantined, and why; such an object has no memory and no commit
 * @other: the object it conflicts with, if any
 * @lost: quarantined, and what memory it has is not known
 * @removed: has no name any more; its memory goes with the last reference
 * @removed_list: in the store's list of such
 * @damage_told: there was an event about damage of its memory
 * @nr_writers: open files (and mappings of closed ones) that can write
 * @exclusive: the open that was made with O_EXCL, or NULL
 * @claimant: the open that holds the claim, or NULL
 * @mapping_inode: fs_mmap.c: the inode whose address space has all mappings
 * @pins: &struct pkram_pinned: ranges that are under DMA; store.lock
 * @in_use: a container: its table is that of a container of this kernel
 */
struct pkram_object {
	refcount_t ref;
	struct pkram_record rec;
	struct pkram_location loc;
	struct rw_semaphore map_sem;
	struct pkram_object *parent;
	struct rb_root children;
	struct rb_node sibling;
	struct rb_node all;
	struct hlist_node by_name;
	u64 key;
	enum pkram_bad bad;
	u64 other;
	bool lost;
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

/**
 * struct pkram_open - one open of a file: what a claim belongs to
 * @ref: the open file and each mapping made through it hold one
 * @obj: referenced
 * @writable: opened for writing
 * @exclusive: opened with O_EXCL: may open a sealed object for writing
 * @populate_err: of the last fault that found a hole and could not fill it
 */
struct pkram_open {
	refcount_t ref;
	struct pkram_object *obj;
	bool writable;
	bool exclusive;
	int populate_err;
};

/** struct pkram_pool_info - what PKRAM_CMD_POOL_GET tells */
struct pkram_pool_info {
	u8 uuid[16];
	bool exists;
	bool read_only;
	u32 nr_regions;
	u32 nr_objects;
	u32 nr_quarantined;
	u64 bytes;
	u64 free;
	u64 meta;
	u64 pending;
	u32 gib_1g;
	u32 gib_2m;
};

int pkram_store_init(void);
void pkram_store_exit(void);

/* Regions and the pool: for pool.c */

/**
 * pkram_store_attach() - load the records of newly attached regions
 * @regions: list of &struct pkram_region with valid headers, all of one pool;
 *	moved into the store on success
 * @lost: there are reserved ranges that a region of the pool may be in, but
 *	none can be read: its records may own memory in the others
 *
 * May be called again when further regions are adopted later: records that
 * were quarantined for a missing region are judged anew. Only if no file is
 * open then. Return: 0, -ENOMEM, -EBUSY.
 */
int pkram_store_attach(struct list_head *regions, bool lost);

/** pkram_store_give_up_lost() - no region is to be waited for any more */
int pkram_store_give_up_lost(void);

/**
 * pkram_store_add_region() - a new, empty region joins the pool
 * @r: open region with its span set; the header is made and written here. The
 *	first region makes the pool.
 */
int pkram_store_add_region(struct pkram_region *r);

/**
 * pkram_store_drop() - shrink: unused GiB leave the pool
 * @base: physical address of the first
 * @nr_gib: how many
 * @from: out: the region that they were part of; NULL if it went with them
 * @refusal: out: on failure, address and words
 *
 * They come back zeroed, unclaimed and without memory map entry. GiB 0 of a
 * region goes last, and takes the region with it. Return: 0; -ENOENT not in
 * the pool; -EBUSY in use; others. On failure nothing has left the pool.
 */
int pkram_store_drop(u64 base, u32 nr_gib, struct pkram_region **from,
		     struct pkram_refusal *refusal);

/**
 * pkram_store_put_back() - undo pkram_store_drop()
 * @r: what @from was; not NULL
 * @base: as there
 * @nr_gib: as there
 *
 * The memory is still zero. Context: nobody changed the pool's regions since.
 */
void pkram_store_put_back(struct pkram_region *r, u64 base, u32 nr_gib);

/**
 * pkram_store_epoch() - a number that changes when regions or unusable ranges do
 *
 * With a region that is attached all objects are made anew, and quarantined ones
 * may get another key. Never 0.
 */
u32 pkram_store_epoch(void);

/** pkram_store_new_epoch() - such a change was made; those of regions are known */
void pkram_store_new_epoch(void);

/**
 * pkram_store_walk_regions() - visit regions in order of address
 * @fn: called with the store's lock held; not 0 ends the walk
 * @arg: for @fn
 *
 * Return: what the last @fn returned.
 */
int pkram_store_walk_regions(int (*fn)(struct pkram_region *r, void *arg),
			     void *arg);

/**
 * pkram_store_region_free() - bytes of a region that can be allocated
 * @r: region; call it from pkram_store_walk_regions()'s function only
 */
u64 pkram_store_region_free(const struct pkram_region *r);

void pkram_store_info(struct pkram_pool_info *info);
bool pkram_store_exists(void);
void pkram_store_pool_uuid(u8 uuid[16]);

/* Objects */

/** pkram_object_get() / pkram_object_put() - references. put may sleep. */
struct pkram_object *pkram_object_get(struct pkram_object *obj);
void pkram_object_put(struct pkram_object *obj);

/** pkram_store_root() - the root directory, referenced. */
struct pkram_object *pkram_store_root(void);

/**
 * pkram_store_lookup() - find a name
 * Return: object, referenced; ERR_PTR: -ENOENT; -EUCLEAN quarantined.
 */
struct pkram_object *pkram_store_lookup(struct pkram_object *dir,
					const char *name, u32 len);

/**
 * pkram_store_create() - new file or directory
 * @dir: directory
 * @name: name
 * @len: its length
 * @mode: with file type, S_IFREG or S_IFDIR
 * @uid: owner
 * @gid: group
 *
 * Return: object, referenced; ERR_PTR: -EEXIST, -ENAMETOOLONG, -ENOSPC (no
 * room for a record, or no region yet), -EROFS, -ENOMEM, -EUCLEAN (a
 * quarantined object has the name).
 */
struct pkram_object *pkram_store_create(struct pkram_object *dir,
					const char *name, u32 len, u32 mode,
					u32 uid, u32 gid);

/**
 * pkram_store_unlink() - remove a name; for directories too
 * Return: 0; -ENOTEMPTY; -EBUSY claimed, sealed or under DMA; -EROFS.
 */
int pkram_store_unlink(struct pkram_object *obj);

/**
 * pkram_store_rename() - new name and directory, in one commit
 * @obj: what
 * @dir: new directory
 * @name: new name
 * @len: its length
 * @victim: object that has the name now, or NULL; is removed
 *
 * The VFS has excluded cycles. Return: as create and unlink.
 */
int pkram_store_rename(struct pkram_object *obj, struct pkram_object *dir,
		       const char *name, u32 len, struct pkram_object *victim);

#define PKRAM_SET_MODE	BIT(0)
#define PKRAM_SET_UID	BIT(1)
#define PKRAM_SET_GID	BIT(2)
#define PKRAM_SET_ATIME	BIT(3)
#define PKRAM_SET_MTIME	BIT(4)
#define PKRAM_SET_CTIME	BIT(5)

/** struct pkram_setattr - what to change; @valid: PKRAM_SET_* */
struct pkram_setattr {
	u32 valid;
	u32 mode;
	u32 uid;
	u32 gid;
	struct pkram_time atime;
	struct pkram_time mtime;
	struct pkram_time ctime;
};

/** pkram_store_setattr() - change and commit. Return: 0, -EROFS. */
int pkram_store_setattr(struct pkram_object *obj,
			const struct pkram_setattr *attr);

/**
 * pkram_store_next_child() - read a directory
 * @dir: directory
 * @after: object id to go on after; 0 to begin
 *
 * Children come by rising id, quarantined ones that have a name included.
 * Return: object, referenced, or NULL at the end.
 */
struct pkram_object *pkram_store_next_child(struct pkram_object *dir,
					    u64 after);

/**
 * pkram_store_next_object() - walk all objects, quarantined ones and containers too
 * @key: go on after this key; 0 to begin
 * Return: object, referenced, or NULL at the end.
 */
struct pkram_object *pkram_store_next_object(u64 key);

/** pkram_store_find_key() - object by key, or NULL. Context: the store's lock. */
struct pkram_object *pkram_store_find_key(u64 key);

/**
 * pkram_store_look() - call a function with the store's lock held
 * @obj: object; does not change meanwhile
 * @fn: the function
 * @arg: for @fn
 *
 * Return: what @fn returned.
 */
int pkram_store_look(struct pkram_object *obj,
		     int (*fn)(struct pkram_object *obj, void *arg), void *arg);

/**
 * pkram_store_path_len() - length of the path from the root, "/" first
 * @dir: directory; NULL: none that is good
 * @name_len: length of the name in it
 *
 * Context: the store's lock, as in pkram_store_look() and in an event.
 */
size_t pkram_store_path_len(const struct pkram_object *dir, u32 name_len);

/** pkram_store_path() - write that path and its end to @buf. Context: as there. */
void pkram_store_path(const struct pkram_object *dir, const char *name,
		      u32 name_len, char *buf);

/**
 * pkram_store_discard() - remove a quarantined file or directory for good; by key
 * Return: 0; -ENOENT; -EINVAL it is not quarantined; -EROFS; -ENOMEM it is gone,
 * but which memory is free now could not be found out.
 */
int pkram_store_discard(u64 key);

/* Saved containers: what pkram_vfio.ko does with them is in saved.h */

/** pkram_store_next_dma_table() - as pkram_store_next_object(), containers alone */
struct pkram_object *pkram_store_next_dma_table(u64 key);

/**
 * pkram_store_discard_dma_table() - remove a container's table for good; by key
 * Return: 0; -ENOENT; -EBUSY it is in use; -EROFS.
 */
int pkram_store_discard_dma_table(u64 key);

/* Labels: names without "user." */
int pkram_store_get_label(struct pkram_object *obj, const char *name,
			  void *value, size_t size);
int pkram_store_set_label(struct pkram_object *obj, const char *name,
			  const void *value, size_t size, int flags);
/* Writes "user."-prefixed, terminated names. Return: length, -ERANGE. */
ssize_t pkram_store_list_labels(struct pkram_object *obj, char *buf,
				size_t size);

/* Data. Callers hold i_rwsem exclusively where it says "changes". */

/**
 * typedef pkram_unmap_fn - unmap a range of an object from all processes
 * @obj: object
 * @first_unit: from
 * @nr_units: how many, 0 for up to the end
 */
typedef void (*pkram_unmap_fn)(struct pkram_object *obj, u32 first_unit,
			       u32 nr_units);

/** pkram_store_set_unmap() - the file system tells how; once, at init */
void pkram_store_set_unmap(pkram_unmap_fn fn);

/**
 * pkram_store_resize() - changes the size; growing reserves the memory of all
 * that is new, shrinking unmaps and frees, and zeroes the rest of the last unit
 * Return: 0, -ENOSPC, -EFBIG, -ENOMEM, -EROFS; -EBUSY what would go is under DMA.
 */
int pkram_store_resize(struct pkram_object *obj, u64 size);

/**
 * pkram_store_resize_write() - the same for a write beyond the end, of which
 * there may be thousands: without an event
 */
int pkram_store_resize_write(struct pkram_object *obj, u64 size);

/**
 * struct pkram_place - where memory is to come from
 * @node: this NUMA node first
 * @strict: no other node
 */
struct pkram_place {
	int node;
	bool strict;
};

/**
 * pkram_store_allocate() - fill the holes of a range of bytes; size unchanged
 * @obj: the object
 * @offset: in bytes
 * @len: in bytes
 * @place: where from; NULL: near this CPU
 *
 * Return: 0, -ENOSPC, -EFBIG, -ENOMEM, -EROFS.
 */
int pkram_store_allocate(struct pkram_object *obj, u64 offset, u64 len,
			 const struct pkram_place *place);

/**
 * pkram_store_punch() - changes: a range reads as zero; whole units are freed
 * Return: as pkram_store_resize().
 */
int pkram_store_punch(struct pkram_object *obj, u64 offset, u64 len);

/**
 * struct pkram_span - where an offset of an object is
 * @region: region, NULL for a hole
 * @unit: unit in the region
 * @nr_units: from there on to the end of the extent (or of the hole, to
 *	U32_MAX for the last)
 * @whole_gib: this unit is in a GiB of the object that one extent gives a
 *	whole GiB of the region to: it is, or will be, one 1G folio
 */
struct pkram_span {
	struct pkram_region *region;
	u32 unit;
	u32 nr_units;
	bool whole_gib;
};

/** pkram_store_find() - look an offset up; map_sem held. */
void pkram_store_find(struct pkram_object *obj, u32 obj_unit,
		      struct pkram_span *span);

/**
 * pkram_store_claim_span() - make the memory at a span addressable
 * @span: found
 *
 * Context: i_rwsem may be held, map_sem and mmap_lock not; see region.h. The
 * caller keeps the extent from going away. Return: 0 or negative errno.
 */
int pkram_store_claim_span(const struct pkram_span *span);

/** pkram_span_claimed() - is the span's first GiB addressable as it should? */
bool pkram_span_claimed(const struct pkram_span *span);

/**
 * pkram_store_populate() - fill the hole at a unit, if it is one, and claim
 * Context: as pkram_store_claim_span(); the caller holds a reference to @obj.
 * Return: 0, -ENOSPC, ...
 */
int pkram_store_populate(struct pkram_object *obj, u32 obj_unit);

/**
 * pkram_store_prepare() - before somebody may see the bytes of units: those
 * that are stale are zeroed and marked written
 * @span: found, claimed
 * @nr_units: from its first on
 *
 * Context: may sleep; map_sem (shared will do) or i_rwsem held. Return: 0;
 * -EUCLEAN the unit map is damaged there; -EROFS there is something to be
 * zeroed, in a pool that may only be read.
 */
int pkram_store_prepare(struct pkram_object *obj, const struct pkram_span *span,
			u32 nr_units);

/**
 * pkram_store_unit_written() - has a unit been written? (else it reads as zero)
 * @obj: whose it is
 * @span: where it is
 *
 * Return: 1, 0, or -EUCLEAN the unit map is damaged there.
 */
int pkram_store_unit_written(struct pkram_object *obj,
			     const struct pkram_span *span);

/**
 * pkram_store_all_written() - is nothing of a run left to be zeroed?
 * @span: found
 * @nr_units: from its first on
 * Return: 1, 0, or -EUCLEAN.
 */
int pkram_store_all_written(const struct pkram_span *span, u32 nr_units);

/* Opens and claims */

/**
 * pkram_open_create() - account an open of a file
 * Return: open; ERR_PTR: -EBUSY claimed or sealed, and for writing.
 */
struct pkram_open *pkram_open_create(struct pkram_object *obj, bool writable,
				     bool exclusive);
struct pkram_open *pkram_open_get(struct pkram_open *open);
void pkram_open_put(struct pkram_open *open);

/**
 * pkram_open_may_change() - may this open write, map for writing, truncate,
 * punch? @open NULL: by path
 * Return: 0 or -EBUSY.
 */
int pkram_open_may_change(struct pkram_object *obj, struct pkram_open *open);

/* The ioctls of uapi/linux/pkram.h; committed on return. */
int pkram_open_claim(struct pkram_open *open, u32 flags, const u8 vm_uuid[16],
		     u64 bytes, u64 *generation);
int pkram_open_seal(struct pkram_open *open, const u8 cookie[16],
		    const u8 vm_uuid[16], u64 *generation);
int pkram_open_resume(struct pkram_open *open, const u8 cookie[16],
		      bool check, u64 *generation);

/** pkram_object_state() - &enum pkram_state of the uapi */
u32 pkram_object_state(struct pkram_object *obj);

/** pkram_object_allocated() - bytes of memory held; takes map_sem */
u64 pkram_object_allocated(struct pkram_object *obj);

/** pkram_object_held() - the same. Context: the store's lock, or map_sem. */
u64 pkram_object_held(const struct pkram_object *obj);

#endif /* _PKRAM_STORE_H */
