// SPDX-License-Identifier: GPL-2.0
/* Commits of objects: see commit.h. */
#include "store/commit.h"
#include "store/objects.h"
#include "store/records.h"
#include "store/state.h"

void pkram_transact_begin(void)
{
	pkram_store_lock();
}

bool pkram_transact_end(int *err)
{
	pkram_store_unlock();
	if (*err != -EAGAIN)
		return false;
	*err = pkram_records_ensure_wanted();
	return !*err;
}

int pkram_object_commit(struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	/* Before there is a pool only the root exists, in memory. */
	if (obj->removed || !pkram_store.exists)
		return 0;
	if (pkram_store.read_only)
		return -EROFS;
	/* A root that stands in for one that may come back is not written. */
	if (obj == pkram_store.root && !obj->loc.region_id &&
	    pkram_store.region_lost)
		return 0;
	return pkram_records_write(&obj->rec, &obj->loc);
}

int pkram_object_commit_new(struct pkram_object *dir, struct pkram_object *obj)
{
	struct pkram_object *other;
	int err;

	lockdep_assert_held(&pkram_store.lock);
	if (!pkram_store.exists)
		return -ENOSPC;
	if (dir->removed)
		return -ENOENT;
	other = pkram_object_find_name(dir, obj->rec.name, obj->rec.name_len);
	if (other)
		return other->bad ? -EUCLEAN : -EEXIST;
	if (pkram_store.next_id > PKRAM_ID_MAX)
		return -ENOSPC;
	obj->rec.id = pkram_store.next_id;
	obj->key = obj->rec.id;
	err = pkram_object_commit(obj);
	if (err)
		return err;
	pkram_store.next_id++;
	pkram_object_get(obj);
	pkram_object_link(obj, dir);
	return 0;
}

void pkram_object_erase(struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	if (!obj->loc.region_id)
		return;
	pkram_records_free(&obj->loc, obj->rec.id);
	obj->loc.region_id = 0;
}
