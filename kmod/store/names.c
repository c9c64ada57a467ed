// SPDX-License-Identifier: GPL-2.0
/* Names and attributes of files and directories: see names.h. */
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/pkram.h>
#include <linux/slab.h>
#include "event/event.h"
#include "store/commit.h"
#include "store/names.h"
#include "store/objects.h"
#include "store/opens.h"
#include "store/state.h"

static void names_set(struct pkram_object *obj, const char *name, u32 len)
{
	memset(obj->rec.name, 0, sizeof(obj->rec.name));
	memcpy(obj->rec.name, name, len);
	obj->rec.name_len = len;
}

struct pkram_object *pkram_store_create(struct pkram_object *dir,
					const char *name, u32 len, u32 mode,
					u32 uid, u32 gid)
{
	struct pkram_object *obj;
	int err;

	if (len > PKRAM_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	obj = pkram_object_alloc();
	if (!obj)
		return ERR_PTR(-ENOMEM);
	names_set(obj, name, len);
	obj->rec.kind = S_ISDIR(mode) ? PKRAM_KIND_DIR : PKRAM_KIND_FILE;
	obj->rec.mode = mode;
	obj->rec.uid = uid;
	obj->rec.gid = gid;
	obj->rec.parent = dir->rec.id;
	pkram_object_born(obj);
	do {
		pkram_transact_begin();
		err = pkram_object_commit_new(dir, obj);
		if (!err)
			pkram_event_object(PKRAM_CMD_OBJECT_CREATE_NTF, obj);
	} while (pkram_transact_end(&err));
	if (err) {
		pkram_object_put(obj);
		return ERR_PTR(err);
	}
	return obj;
}

static int names_may_remove(struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	if (pkram_store.read_only)
		return -EROFS;
	if (!RB_EMPTY_ROOT(&obj->children))
		return -ENOTEMPTY;
	if (pkram_object_pinned(obj, 0, U64_MAX))
		return -EBUSY;
	return pkram_open_may_change(obj, NULL);
}

/* Remove a name. The caller owns the name's reference. */
static void names_remove(struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	pkram_object_erase(obj);
	pkram_object_unlink(obj);
	obj->removed = true;
	obj->rec.ctime = pkram_object_now();
	list_add_tail(&obj->removed_list, &pkram_store.removed);
	pkram_event_object(PKRAM_CMD_OBJECT_REMOVE_NTF, obj);
}

int pkram_store_unlink(struct pkram_object *obj)
{
	int err;

	pkram_store_lock();
	err = names_may_remove(obj);
	if (!err)
		names_remove(obj);
	pkram_store_unlock();
	if (!err)
		pkram_object_put(obj);
	return err;
}

struct names_old {
	char name[PKRAM_NAME_MAX + 1];
	u32 len;
	u64 parent;
	u64 replaces;
};

static void names_tell_renamed(struct pkram_object *obj,
			       struct pkram_object *old_dir,
			       const struct names_old *old)
{
	const struct pkram_event ev = {
		.cmd = PKRAM_CMD_OBJECT_RENAME_NTF,
		.obj = obj,
		.old_dir = old_dir,
		.name = old->name,
		.name_len = old->len,
	};

	pkram_event_tell(&ev);
}

static int names_rename_locked(struct pkram_object *obj,
			       struct pkram_object *dir, const char *name,
			       u32 len, struct pkram_object *victim,
			       struct names_old *old)
{
	struct pkram_object *other = pkram_object_find_name(dir, name, len);
	struct pkram_object *old_dir;
	int err;

	lockdep_assert_held(&pkram_store.lock);
	if (dir->removed)
		return -ENOENT;
	if (other && other->bad)
		return -EUCLEAN;
	if (other != victim)
		return -EEXIST;
	err = victim ? names_may_remove(victim) : 0;
	if (err)
		return err;

	memcpy(old->name, obj->rec.name, sizeof(old->name));
	old->len = obj->rec.name_len;
	old->parent = obj->rec.parent;
	old->replaces = obj->rec.replaces;
	names_set(obj, name, len);
	obj->rec.parent = dir->rec.id;
	obj->rec.replaces = victim ? victim->rec.id : 0;
	err = pkram_object_commit(obj);
	if (err) {
		names_set(obj, old->name, old->len);
		obj->rec.parent = old->parent;
		obj->rec.replaces = old->replaces;
		return err;
	}
	/* After an interruption here, the loader finds that the victim is void. */
	if (victim)
		names_remove(victim);
	old_dir = obj->parent;
	pkram_object_relink(obj, dir);
	/*
	 * The victim's record is free, so "replaces" is not needed any more. The
	 * next commit writes it as zero; until then it is harmless.
	 */
	obj->rec.replaces = 0;
	names_tell_renamed(obj, old_dir, old);
	pkram_object_put(old_dir);
	return 0;
}

int pkram_store_rename(struct pkram_object *obj, struct pkram_object *dir,
		       const char *name, u32 len, struct pkram_object *victim)
{
	struct names_old *old;
	int err;

	if (len > PKRAM_NAME_MAX)
		return -ENAMETOOLONG;
	if (victim == obj)
		return 0;
	old = kmalloc(sizeof(*old), GFP_KERNEL);
	if (!old)
		return -ENOMEM;
	do {
		pkram_transact_begin();
		err = pkram_open_may_rename(obj);
		if (!err)
			err = names_rename_locked(obj, dir, name, len, victim,
						  old);
	} while (pkram_transact_end(&err));
	kfree(old);
	if (!err && victim)
		pkram_object_put(victim);
	return err;
}

static int names_setattr_locked(struct pkram_object *obj,
				const struct pkram_setattr *attr)
{
	struct pkram_record *rec = &obj->rec;
	struct pkram_setattr old;
	int err;

	lockdep_assert_held(&pkram_store.lock);
	old = (struct pkram_setattr){
		.mode = rec->mode, .uid = rec->uid, .gid = rec->gid,
		.atime = rec->atime, .mtime = rec->mtime, .ctime = rec->ctime,
	};
	if (attr->valid & PKRAM_SET_MODE)
		rec->mode = (rec->mode & S_IFMT) | (attr->mode & ~S_IFMT);
	if (attr->valid & PKRAM_SET_UID)
		rec->uid = attr->uid;
	if (attr->valid & PKRAM_SET_GID)
		rec->gid = attr->gid;
	if (attr->valid & PKRAM_SET_ATIME)
		rec->atime = attr->atime;
	if (attr->valid & PKRAM_SET_MTIME)
		rec->mtime = attr->mtime;
	if (attr->valid & PKRAM_SET_CTIME)
		rec->ctime = attr->ctime;
	err = pkram_object_commit(obj);
	if (err) {
		rec->mode = old.mode;
		rec->uid = old.uid;
		rec->gid = old.gid;
		rec->atime = old.atime;
		rec->mtime = old.mtime;
		rec->ctime = old.ctime;
		return err;
	}
	if (rec->mode != old.mode || rec->uid != old.uid || rec->gid != old.gid)
		pkram_event_object(PKRAM_CMD_OBJECT_CHANGE_NTF, obj);
	return 0;
}

int pkram_store_setattr(struct pkram_object *obj,
			const struct pkram_setattr *attr)
{
	int err;

	/* -EAGAIN: a root directory that was replaced may have no record yet. */
	do {
		pkram_transact_begin();
		err = names_setattr_locked(obj, attr);
	} while (pkram_transact_end(&err));
	return err;
}

/* The record has its pair of slots already, so this does not wait for memory. */
static void names_touch_locked(struct pkram_object *obj, struct pkram_time now)
{
	struct pkram_time mtime = obj->rec.mtime, ctime = obj->rec.ctime;

	lockdep_assert_held(&pkram_store.lock);
	obj->rec.mtime = now;
	obj->rec.ctime = now;
	if (!pkram_object_commit(obj))
		return;
	obj->rec.mtime = mtime;
	obj->rec.ctime = ctime;
}

static bool names_same_time(struct pkram_time a, struct pkram_time b)
{
	return a.sec == b.sec && a.nsec == b.nsec;
}

void pkram_store_touch(struct pkram_object *obj, bool seconds)
{
	struct pkram_time now = pkram_object_now();

	/* A fault for each page must be cheap and must not wait for other processes. */
	if (seconds && READ_ONCE(obj->rec.mtime.sec) == now.sec &&
	    READ_ONCE(obj->rec.ctime.sec) == now.sec)
		return;
	if (!seconds)
		pkram_store_lock();
	else if (!pkram_store_trylock())
		return;
	if (!names_same_time(obj->rec.mtime, now) ||
	    !names_same_time(obj->rec.ctime, now))
		names_touch_locked(obj, now);
	pkram_store_unlock();
}

void pkram_store_times(struct pkram_object *obj, struct pkram_time *mtime,
		       struct pkram_time *ctime)
{
	pkram_store_lock();
	*mtime = obj->rec.mtime;
	*ctime = obj->rec.ctime;
	pkram_store_unlock();
}

size_t pkram_store_path_len(const struct pkram_object *dir, u32 name_len)
{
	size_t len = 1 + name_len;

	lockdep_assert_held(&pkram_store.lock);
	/* A deep tree must not cost a walk to the root for each object in it. */
	for (; dir && dir != pkram_store.root && len < PATH_MAX; dir = dir->parent)
		len += 1 + dir->rec.name_len;
	return len;
}

void pkram_store_path(const struct pkram_object *dir, const char *name,
		      u32 name_len, char *buf)
{
	char *p = buf + pkram_store_path_len(dir, name_len);

	*p = '\0';
	for (;;) {
		p -= name_len;
		memcpy(p, name, name_len);
		*--p = '/';
		if (p == buf)
			return;
		name = dir->rec.name;
		name_len = dir->rec.name_len;
		dir = dir->parent;
	}
}
