// SPDX-License-Identifier: GPL-2.0
/* Labels of objects: see labels.h. */
#include <linux/pkram.h>
#include <linux/xattr.h>
#include "core/label.h"
#include "event/event.h"
#include "store/commit.h"
#include "store/labels.h"
#include "store/objects.h"
#include "store/state.h"

int pkram_store_get_label(struct pkram_object *obj, const char *name,
			  void *value, size_t size)
{
	const u8 *found;
	int len;

	pkram_store_lock();
	len = pkram_xattr_find(obj->rec.xattrs, obj->rec.xattr_len, name,
			       &found);
	if (len >= 0 && size) {
		if (len > size)
			len = -ERANGE;
		else
			memcpy(value, found, len);
	}
	pkram_store_unlock();
	return len;
}

static void labels_tell(struct pkram_object *obj, const char *name)
{
	const struct pkram_event ev = {
		.cmd = PKRAM_CMD_OBJECT_LABEL_NTF,
		.obj = obj,
		.name = name,
		.name_len = strlen(name),
	};

	pkram_event_tell(&ev);
}

static int labels_set(struct pkram_object *obj, const char *name,
		      const void *value, size_t size, int flags)
{
	struct pkram_record *rec = &obj->rec;
	u32 old_len = rec->xattr_len;
	u8 *old = rec->xattrs;
	const u8 *found;
	u8 *area;
	u32 len;
	int err;

	lockdep_assert_held(&pkram_store.lock);
	err = pkram_xattr_find(old, old_len, name, &found);
	if (err >= 0 && (flags & XATTR_CREATE))
		return -EEXIST;
	if (err < 0 && ((flags & XATTR_REPLACE) || !value))
		return -ENODATA;
	err = pkram_xattr_replace(old, old_len, name, value, size, &area, &len);
	if (err)
		return err;
	rec->xattrs = area;
	rec->xattr_len = len;
	err = pkram_object_commit(obj);
	if (err) {
		rec->xattrs = old;
		rec->xattr_len = old_len;
		pkram_free_mem(area);
		return err;
	}
	pkram_free_mem(old);
	labels_tell(obj, name);
	return 0;
}

int pkram_store_set_label(struct pkram_object *obj, const char *name,
			  const void *value, size_t size, int flags)
{
	int err;

	do {
		pkram_transact_begin();
		err = labels_set(obj, name, value, size, flags);
	} while (pkram_transact_end(&err));
	return err;
}

ssize_t pkram_store_list_labels(struct pkram_object *obj, char *buf,
				size_t size)
{
	const char *name;
	ssize_t total = 0;
	u32 pos = 0, len;

	pkram_store_lock();
	while (pkram_xattr_next(obj->rec.xattrs, obj->rec.xattr_len, &pos,
				&name, &len)) {
		size_t need = XATTR_USER_PREFIX_LEN + len + 1;

		if (size) {
			if (total + need > size) {
				total = -ERANGE;
				break;
			}
			memcpy(buf + total, XATTR_USER_PREFIX,
			       XATTR_USER_PREFIX_LEN);
			memcpy(buf + total + XATTR_USER_PREFIX_LEN, name, len);
			buf[total + need - 1] = '\0';
		}
		total += need;
	}
	pkram_store_unlock();
	return total;
}
