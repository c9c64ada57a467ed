/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernels for a file system. See compat.h for the rule.
 * Signatures that changed are detected by type, not by version, because stable
 * kernels get such changes too.
 */
#ifndef _PKRAM_COMPAT_FS_H
#define _PKRAM_COMPAT_FS_H

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/falloc.h>	/* of 6.1 lacks an include */
#include <linux/xattr.h>
#include "compat/compat.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define mnt_idmap	user_namespace
#define nop_mnt_idmap	init_user_ns
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define copy_splice_read	generic_file_splice_read
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define generic_fillattr(idmap, request_mask, inode, stat)	\
	generic_fillattr(idmap, inode, stat)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
/* 6.1.y has the accessors of ctime too. */
static inline struct timespec64 inode_get_mtime(const struct inode *inode)
{
	return inode->i_mtime;
}

static inline struct timespec64 inode_set_mtime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	inode->i_mtime = ts;
	return ts;
}

static inline struct timespec64 inode_get_atime(const struct inode *inode)
{
	return inode->i_atime;
}

static inline struct timespec64 inode_set_atime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	inode->i_atime = ts;
	return ts;
}

/* sb->s_xattr pointed to handlers that were not const. */
#define compat_xattr_handlers(handlers)	((const struct xattr_handler **)(handlers))
#else
#define compat_xattr_handlers(handlers)	(handlers)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
static inline void set_default_d_op(struct super_block *sb,
				    const struct dentry_operations *ops)
{
	sb->s_d_op = ops;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define inode_just_drop		generic_delete_inode
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define inode_state_read_once(inode)	READ_ONCE((inode)->i_state)
#endif

/*
 * iop_create(fn), iop_mkdir(fn): the value for that member of struct
 * inode_operations. Each needs DEFINE_COMPAT_*(fn) before it, which defines a
 * wrapper of fn with the older signature.
 */
#define compat_iop(member, fn)						\
	__builtin_choose_expr(						\
		__builtin_types_compatible_p(				\
			typeof(((const struct inode_operations *)NULL)->member), \
			typeof(*(fn)) *),				\
		fn, fn##_compat)

/* ->create() had a parameter for exclusive opens. */
#define DEFINE_COMPAT_CREATE(fn)					\
static int __maybe_unused fn##_compat(struct mnt_idmap *idmap,		\
				      struct inode *dir,		\
				      struct dentry *dentry,		\
				      umode_t mode, bool excl)		\
{									\
	return fn(idmap, dir, dentry, mode);				\
}

/* ->mkdir() returned an error code instead of a dentry. */
#define DEFINE_COMPAT_MKDIR(fn)						\
static int __maybe_unused fn##_compat(struct mnt_idmap *idmap,		\
				      struct inode *dir,		\
				      struct dentry *dentry,		\
				      umode_t mode)			\
{									\
	return PTR_ERR_OR_ZERO(fn(idmap, dir, dentry, mode));		\
}

#endif /* _PKRAM_COMPAT_FS_H */
