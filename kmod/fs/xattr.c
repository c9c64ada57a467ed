// SPDX-License-Identifier: GPL-2.0
/*
 * pkramfs: extended attributes. Those of the namespace "user." are labels of
 * the object; there are no others.
 */

#include <linux/xattr.h>
#include "compat/fs.h"
#include "fs/attr.h"
#include "fs/fs.h"
#include "store/labels.h"

static int pkramfs_xattr_get(const struct xattr_handler *handler,
			     struct dentry *dentry, struct inode *inode,
			     const char *name, void *value, size_t size)
{
	return pkram_store_get_label(pkramfs_object(inode), name, value, size);
}

static int pkramfs_xattr_set(const struct xattr_handler *handler,
			     struct mnt_idmap *idmap, struct dentry *dentry,
			     struct inode *inode, const char *name,
			     const void *value, size_t size, int flags)
{
	int err;

	err = pkram_store_set_label(pkramfs_object(inode), name, value, size,
				    flags);
	/* The label is committed, whether or not the time can be. */
	if (!err)
		pkramfs_stamp(inode, PKRAM_SET_CTIME);
	return err;
}

static const struct xattr_handler pkramfs_user_handler = {
	.prefix	= XATTR_USER_PREFIX,
	.get	= pkramfs_xattr_get,
	.set	= pkramfs_xattr_set,
};

const struct xattr_handler * const pkramfs_xattr_handlers[] = {
	&pkramfs_user_handler,
	NULL
};

ssize_t pkramfs_listxattr(struct dentry *dentry, char *buf, size_t size)
{
	return pkram_store_list_labels(pkramfs_object(d_inode(dentry)), buf,
				       size);
}
