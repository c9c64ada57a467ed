// SPDX-License-Identifier: GPL-2.0
/* pkramfs: attributes that other files change too: see attr.h. */
#include <linux/cred.h>
#include "compat/fs.h"
#include "fs/attr.h"
#include "fs/fs.h"
#include "store/extents.h"
#include "store/names.h"
#include "store/objects.h"

void pkramfs_refresh(struct inode *inode)
{
	struct pkram_object *obj = pkramfs_object(inode);
	const struct pkram_record *rec = &obj->rec;

	inode->i_mode = rec->mode;
	inode->i_uid = make_kuid(&init_user_ns, rec->uid);
	inode->i_gid = make_kgid(&init_user_ns, rec->gid);
	inode_set_atime_to_ts(inode, pkramfs_from_time(&rec->atime));
	inode_set_mtime_to_ts(inode, pkramfs_from_time(&rec->mtime));
	inode_set_ctime_to_ts(inode, pkramfs_from_time(&rec->ctime));
	i_size_write(inode, rec->size);
	inode->i_blocks = pkram_object_allocated(obj) >> PKRAMFS_BLOCK_SHIFT;
	/* pkramfs_getattr() counts subdirectories. */
	if (READ_ONCE(obj->removed))
		clear_nlink(inode);
	else
		set_nlink(inode, 1);
}

int pkramfs_stamp(struct inode *inode, u32 which)
{
	struct timespec64 now = current_time(inode);
	struct timespec64 mtime = inode_get_mtime(inode);
	struct timespec64 ctime = inode_get_ctime(inode);
	struct pkram_setattr set = {
		.mtime = pkramfs_to_time(now),
		.ctime = pkramfs_to_time(now),
	};
	int err;

	if ((which & PKRAM_SET_MTIME) && !timespec64_equal(&mtime, &now))
		set.valid |= PKRAM_SET_MTIME;
	if ((which & PKRAM_SET_CTIME) && !timespec64_equal(&ctime, &now))
		set.valid |= PKRAM_SET_CTIME;
	if (!set.valid)
		return 0;
	err = pkram_store_setattr(pkramfs_object(inode), &set);
	if (err)
		return err;
	if (set.valid & PKRAM_SET_MTIME)
		inode_set_mtime_to_ts(inode, now);
	if (set.valid & PKRAM_SET_CTIME)
		inode_set_ctime_to_ts(inode, now);
	return 0;
}

int pkramfs_touch(struct inode *inode)
{
	return pkramfs_stamp(inode, PKRAM_SET_MTIME | PKRAM_SET_CTIME);
}
