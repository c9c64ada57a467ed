/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names and attributes of files and directories. Every function commits before it
 * returns, and leaves the object unchanged if the commit fails.
 */
#ifndef _PKRAM_STORE_NAMES_H
#define _PKRAM_STORE_NAMES_H

#include "core/record.h"

struct pkram_object;

/**
 * pkram_store_create() - Create a file or directory
 * @dir: directory
 * @name: name
 * @len: its length
 * @mode: with file type, S_IFREG or S_IFDIR
 * @uid: owner
 * @gid: group
 *
 * Return: object, referenced; ERR_PTR: -EEXIST, -ENAMETOOLONG, -ENOSPC (no space
 * for a record, or no region yet), -EROFS, -ENOMEM, -EUCLEAN (a quarantined object
 * has the name).
 */
struct pkram_object *pkram_store_create(struct pkram_object *dir,
					const char *name, u32 len, u32 mode,
					u32 uid, u32 gid);

/**
 * pkram_store_unlink() - Remove a file or an empty directory
 *
 * Return: 0; -ENOTEMPTY; -EBUSY claimed, sealed or under DMA; -EROFS.
 */
int pkram_store_unlink(struct pkram_object *obj);

/**
 * pkram_store_rename() - Change name and directory in one commit
 * @obj: object
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

/** struct pkram_setattr - attributes to change; @valid: PKRAM_SET_* */
struct pkram_setattr {
	u32 valid;
	u32 mode;
	u32 uid;
	u32 gid;
	struct pkram_time atime;
	struct pkram_time mtime;
	struct pkram_time ctime;
};

/** pkram_store_setattr() - Change attributes and commit. Return: 0, -EROFS. */
int pkram_store_setattr(struct pkram_object *obj,
			const struct pkram_setattr *attr);

/**
 * pkram_store_touch() - Set mtime and ctime to now, for writes through a mapping
 * @obj: object
 * @seconds: do nothing if the times are of this second already, or if the
 *	store is busy
 *
 * Context: mmap_lock and map_sem may be held. If the commit fails, the times are
 * unchanged.
 */
void pkram_store_touch(struct pkram_object *obj, bool seconds);

/** pkram_store_times() - Get mtime and ctime, which mapped writes change at any time */
void pkram_store_times(struct pkram_object *obj, struct pkram_time *mtime,
		       struct pkram_time *ctime);

/**
 * pkram_store_path_len() - Get the length of a path from the root, "/" first
 * @dir: directory; NULL: there is no good one
 * @name_len: length of the name in it
 *
 * Context: the store's lock, as in pkram_store_look() and in an event. Return: the
 * length; PATH_MAX or more, not exact, if the path is too long to be told.
 */
size_t pkram_store_path_len(const struct pkram_object *dir, u32 name_len);

/** pkram_store_path() - Write that path and a final 0 to @buf. Context: the same. */
void pkram_store_path(const struct pkram_object *dir, const char *name,
		      u32 name_len, char *buf);

#endif /* _PKRAM_STORE_NAMES_H */
