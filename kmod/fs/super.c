// SPDX-License-Identifier: GPL-2.0
/*
 * pkramfs: the file system type and its one superblock. There is one pool, so
 * there is one superblock, however often and wherever it is mounted.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/fs_context.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pkram.h>
#include <linux/statfs.h>
#include "compat/fs.h"
#include "fs/fs.h"
#include "store/dma_table.h"
#include "store/objects.h"
#include "store/root.h"
#include "store/store.h"

#define PKRAMFS_MAX_SIZE	((loff_t)BIT_ULL(49))

static int pkramfs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct pkram_pool_info info;

	/* Query each time: the pool grows and shrinks while it is mounted. */
	pkram_store_info(&info);
	buf->f_type = PKRAM_FS_MAGIC;
	buf->f_bsize = PAGE_SIZE;
	buf->f_frsize = PAGE_SIZE;
	buf->f_blocks = info.bytes >> PAGE_SHIFT;
	buf->f_bfree = info.free >> PAGE_SHIFT;
	buf->f_bavail = buf->f_bfree;
	/* A further object takes at least one pair of record slots. */
	buf->f_ffree = info.free / (2 * PKRAM_SMALL_SLOT);
	buf->f_files = info.nr_objects + buf->f_ffree;
	buf->f_namelen = PKRAM_NAME_MAX;
	if (info.exists)
		buf->f_fsid = uuid_to_fsid(info.uuid);
	return 0;
}

static void pkramfs_evict_inode(struct inode *inode)
{
	struct pkram_object *obj = pkramfs_object(inode);

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	/* The last reference to an object without a name frees its memory. */
	if (obj)
		pkram_object_put(obj);
}

static const struct super_operations pkramfs_super_ops = {
	.statfs		= pkramfs_statfs,
	.drop_inode	= inode_just_drop,
	.evict_inode	= pkramfs_evict_inode,
};

/*
 * Names and their absence are not cached after use. A lookup in the store is
 * equally cheap, the memory of a removed object becomes free at the last close,
 * and objects that are created or removed without the VFS (a region is adopted, a
 * quarantined object is discarded) are visible at once.
 */
static int pkramfs_d_delete(const struct dentry *dentry)
{
	return 1;
}

static const struct dentry_operations pkramfs_dentry_ops = {
	.d_delete	= pkramfs_d_delete,
};

static bool super_pool_read_only(void)
{
	struct pkram_pool_info info;

	pkram_store_info(&info);
	return info.read_only;
}

static int pkramfs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct inode *root;

	sb->s_magic = PKRAM_FS_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	/*
	 * More than any machine has, and far below the limit of extents: a size that
	 * is too large to be meant is EFBIG, not ENOSPC.
	 */
	sb->s_maxbytes = PKRAMFS_MAX_SIZE;
	sb->s_time_gran = 1;
	sb->s_op = &pkramfs_super_ops;
	sb->s_xattr = compat_xattr_handlers(pkramfs_xattr_handlers);
	set_default_d_op(sb, &pkramfs_dentry_ops);
	/* No security labels are stored, so no file has capabilities. */
	sb->s_flags |= SB_NOATIME | SB_NOSEC;
	/* Executing a file needs private mappings, which are refused: see mmap.c. */
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;

	/*
	 * "mount -o ro" makes that mount read-only, which the VFS handles, but not
	 * the superblock, which other mounts share.
	 */
	if (super_pool_read_only())
		sb->s_flags |= SB_RDONLY;
	else
		sb->s_flags &= ~SB_RDONLY;

	root = pkramfs_iget(sb, pkram_store_root());
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int pkramfs_get_tree(struct fs_context *fc)
{
	return get_tree_single(fc, pkramfs_fill_super);
}

static int pkramfs_reconfigure(struct fs_context *fc)
{
	bool change = fc->sb_flags_mask & SB_RDONLY;
	bool writable = change && !(fc->sb_flags & SB_RDONLY);

	/*
	 * "mount -o remount,ro" changes one mount, which the VFS makes read-only
	 * next; others stay writable. An emergency remount (sysrq-u) changes all.
	 */
	if (change && !writable && !(fc->sb_flags & SB_FORCE) &&
	    !sb_rdonly(fc->root->d_sb))
		fc->sb_flags_mask &= ~SB_RDONLY;
	if (writable && super_pool_read_only()) {
		errorf(fc, "pkramfs: the pool is read-only: load a module that knows its features");
		return -EROFS;
	}
	return 0;
}

static int pkramfs_parse_param(struct fs_context *fc, struct fs_parameter *p)
{
	/* Options known from tmpfs; the VFS refuses others with a message. */
	if (!strcmp(p->key, "uid") || !strcmp(p->key, "gid") ||
	    !strcmp(p->key, "mode"))
		return invalf(fc, "pkramfs: no option '%s': use chown and chmod, which last",
			      p->key);
	if (!strcmp(p->key, "size"))
		return invalf(fc, "pkramfs: no option 'size': use pkramctl pool grow");
	return -ENOPARAM;
}

static const struct fs_context_operations pkramfs_context_ops = {
	.parse_param	= pkramfs_parse_param,
	.get_tree	= pkramfs_get_tree,
	.reconfigure	= pkramfs_reconfigure,
};

static int pkramfs_init_fs_context(struct fs_context *fc)
{
	fc->ops = &pkramfs_context_ops;
	return 0;
}

static struct file_system_type pkramfs_type = {
	.owner			= THIS_MODULE,
	.name			= PKRAM_FS_NAME,
	.init_fs_context	= pkramfs_init_fs_context,
	.kill_sb		= kill_anon_super,
};

struct super_question {
	struct pkram_object *obj;
	int mask;
	bool asked;
	int err;
};

static void super_ask(struct super_block *sb, void *arg)
{
	struct super_question *q = arg;
	struct inode *inode = pkramfs_iget(sb, pkram_object_get(q->obj));

	q->asked = true;
	if (IS_ERR(inode)) {
		q->err = PTR_ERR(inode);
		return;
	}
	q->err = inode_permission(&nop_mnt_idmap, inode, q->mask);
	iput(inode);
}

/*
 * Check whether the calling process may open an object by its id. The permissions
 * of directories are not checked. While the file system is not mounted there is no
 * inode to check: then only a process that bypasses all modes may.
 */
static int super_permission(struct pkram_object *obj, bool write)
{
	struct super_question q = {
		.obj = obj,
		.mask = MAY_OPEN | MAY_READ | (write ? MAY_WRITE : 0),
	};

	iterate_supers_type(&pkramfs_type, super_ask, &q);
	if (!q.asked)
		return capable(CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	return q.err;
}

int __init pkramfs_init(void)
{
	int err;

	err = pkramfs_mmap_init();
	if (err)
		return err;
	err = register_filesystem(&pkramfs_type);
	if (err)
		pkramfs_mmap_exit();
	else
		pkram_dma_table_set_permission(super_permission);
	return err;
}

/* Also called when the module's init fails further on, so not __exit. */
void pkramfs_exit(void)
{
	pkram_dma_table_set_permission(NULL);
	unregister_filesystem(&pkramfs_type);
	pkramfs_mmap_exit();
}
