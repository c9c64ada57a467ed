// SPDX-License-Identifier: GPL-2.0
/*
 * pkramfs: inodes and names. Inodes show the state of the store: every
 * change is committed there first, and then copied to the inode.
 */

#include <linux/cred.h>
#include <linux/pagemap.h>
#include <linux/stat.h>
#include "compat/fs.h"
#include "fs/attr.h"
#include "fs/fs.h"
#include "store/extents.h"
#include "store/names.h"
#include "store/objects.h"
#include "store/opens.h"

/* mmap.c has the mappings; the page cache is always empty. */
static const struct address_space_operations pkramfs_aops = {
	.dirty_folio	= noop_dirty_folio,
};

static int inode_shows(struct inode *inode, void *obj)
{
	return inode->i_private == obj;
}

static int inode_show(struct inode *inode, void *data)
{
	struct pkram_object *obj = data;

	inode->i_private = obj;
	inode->i_ino = obj->rec.id;
	return 0;
}

struct inode *pkramfs_iget(struct super_block *sb, struct pkram_object *obj)
{
	struct inode *inode;

	inode = iget5_locked(sb, obj->rec.id, inode_shows, inode_show, obj);
	if (!inode) {
		pkram_object_put(obj);
		return ERR_PTR(-ENOMEM);
	}
	if (!(inode_state_read_once(inode) & I_NEW)) {
		/* The inode holds a reference already. */
		pkram_object_put(obj);
		return inode;
	}

	pkramfs_refresh(inode);
	if (S_ISDIR(inode->i_mode)) {
		inode->i_op = &pkramfs_dir_iops;
		inode->i_fop = &pkramfs_dir_fops;
	} else {
		inode->i_op = &pkramfs_file_iops;
		inode->i_fop = &pkramfs_file_fops;
	}
	inode->i_mapping->a_ops = &pkramfs_aops;
	unlock_new_inode(inode);
	return inode;
}

static int pkramfs_getattr(struct mnt_idmap *idmap, const struct path *path,
			   struct kstat *stat, u32 request_mask,
			   unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct pkram_object *obj = pkramfs_object(inode);
	struct pkram_time mtime, ctime;

	generic_fillattr(idmap, request_mask, inode, stat);
	/* Page faults fill holes, write, and do not update the inode. */
	stat->blocks = pkram_object_allocated(obj) >> PKRAMFS_BLOCK_SHIFT;
	pkram_store_times(obj, &mtime, &ctime);
	stat->mtime = pkramfs_from_time(&mtime);
	stat->ctime = pkramfs_from_time(&ctime);
	/* As on other file systems, "." and each ".." are links. */
	if (S_ISDIR(inode->i_mode) && inode->i_nlink)
		stat->nlink = 2 + READ_ONCE(obj->nr_subdirs);
	/* cp and others read and write this much at a time: saves zeroing. */
	if (S_ISREG(inode->i_mode))
		stat->blksize = PKRAM_UNIT;
	stat->btime = pkramfs_from_time(&obj->rec.btime);
	stat->result_mask |= STATX_BTIME;
	return 0;
}

/* Change the size. While there is a claim, only its open may. */
static int pkramfs_setsize(struct inode *inode, const struct iattr *attr)
{
	struct pkram_object *obj = pkramfs_object(inode);
	struct pkram_open *open = NULL;
	int err;

	if (!S_ISREG(inode->i_mode))
		return -EISDIR;
	if ((attr->ia_valid & ATTR_FILE) &&
	    attr->ia_file->f_op == &pkramfs_file_fops)
		open = attr->ia_file->private_data;
	err = pkram_open_may_change(obj, open);
	if (err)
		return err;
	return pkram_store_resize(obj, attr->ia_size);
}

static int pkramfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			   struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct pkram_setattr set = {};
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		err = pkramfs_setsize(inode, attr);
		if (err)
			return err;
		/* truncate(2) leaves the times to the file system. */
		attr->ia_valid |= ATTR_MTIME | ATTR_CTIME;
	}

	/* Let the VFS compute the attributes of the inode, then store just those. */
	setattr_copy(idmap, inode, attr);
	if (attr->ia_valid & ATTR_MODE)
		set.valid |= PKRAM_SET_MODE;
	if (attr->ia_valid & ATTR_UID)
		set.valid |= PKRAM_SET_UID;
	if (attr->ia_valid & ATTR_GID)
		set.valid |= PKRAM_SET_GID;
	if (attr->ia_valid & ATTR_ATIME)
		set.valid |= PKRAM_SET_ATIME;
	if (attr->ia_valid & ATTR_MTIME)
		set.valid |= PKRAM_SET_MTIME;
	if (attr->ia_valid & ATTR_CTIME)
		set.valid |= PKRAM_SET_CTIME;
	set.mode = inode->i_mode;
	set.uid = from_kuid(&init_user_ns, inode->i_uid);
	set.gid = from_kgid(&init_user_ns, inode->i_gid);
	set.atime = pkramfs_to_time(inode_get_atime(inode));
	set.mtime = pkramfs_to_time(inode_get_mtime(inode));
	set.ctime = pkramfs_to_time(inode_get_ctime(inode));
	err = pkram_store_setattr(pkramfs_object(inode), &set);
	/* Even after a failure, the inode shows the state of the store. */
	pkramfs_refresh(inode);
	return err;
}

static struct dentry *pkramfs_lookup(struct inode *dir, struct dentry *dentry,
				     unsigned int flags)
{
	const struct qstr *name = &dentry->d_name;
	struct pkram_object *obj;
	struct inode *inode = NULL;

	if (name->len > PKRAM_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	obj = pkram_store_lookup(pkramfs_object(dir), name->name, name->len);
	if (!IS_ERR(obj))
		inode = pkramfs_iget(dir->i_sb, obj);
	else if (PTR_ERR(obj) != -ENOENT)
		return ERR_CAST(obj);
	return d_splice_alias(inode, dentry);
}

/* Create an object in @dir. The VFS has applied the umask to @mode. */
static int pkramfs_add(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	const struct qstr *name = &dentry->d_name;
	kgid_t gid = current_fsgid();
	struct pkram_object *obj;
	struct inode *inode;

	/* The rule of BSD for directories with the set-group-ID bit. */
	if (dir->i_mode & S_ISGID) {
		gid = dir->i_gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
	}
	obj = pkram_store_create(pkramfs_object(dir), name->name, name->len,
				 mode, from_kuid(&init_user_ns, current_fsuid()),
				 from_kgid(&init_user_ns, gid));
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	pkram_object_get(obj);
	inode = pkramfs_iget(dir->i_sb, obj);
	if (IS_ERR(inode)) {
		pkram_store_unlink(obj);
		pkram_object_put(obj);
		return PTR_ERR(inode);
	}
	pkram_object_put(obj);
	/*
	 * Here and below: the name is committed. The operation succeeds even if
	 * the times of the directory cannot be committed.
	 */
	pkramfs_touch(dir);
	d_instantiate(dentry, inode);
	return 0;
}

static int pkramfs_create(struct mnt_idmap *idmap, struct inode *dir,
			  struct dentry *dentry, umode_t mode)
{
	return pkramfs_add(dir, dentry, mode | S_IFREG);
}

DEFINE_COMPAT_CREATE(pkramfs_create)

static struct dentry *pkramfs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				    struct dentry *dentry, umode_t mode)
{
	return ERR_PTR(pkramfs_add(dir, dentry, mode | S_IFDIR));
}

DEFINE_COMPAT_MKDIR(pkramfs_mkdir)

/* Remove a file or directory; the store refuses one that is not empty. */
static int pkramfs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = pkram_store_unlink(pkramfs_object(inode));
	if (err)
		return err;
	clear_nlink(inode);
	inode_set_ctime_to_ts(inode, current_time(inode));
	pkramfs_touch(dir);
	return 0;
}

static int pkramfs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
			  struct dentry *old_dentry, struct inode *new_dir,
			  struct dentry *new_dentry, unsigned int flags)
{
	struct inode *inode = d_inode(old_dentry);
	struct inode *victim = d_inode(new_dentry);
	const struct qstr *name = &new_dentry->d_name;
	int err;

	/* The VFS implements RENAME_NOREPLACE: then there is no victim. */
	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	err = pkram_store_rename(pkramfs_object(inode), pkramfs_object(new_dir),
				 name->name, name->len,
				 victim ? pkramfs_object(victim) : NULL);
	if (err)
		return err;
	if (victim) {
		clear_nlink(victim);
		inode_set_ctime_to_ts(victim, current_time(victim));
	}
	pkramfs_stamp(inode, PKRAM_SET_CTIME);
	pkramfs_touch(old_dir);
	if (new_dir != old_dir)
		pkramfs_touch(new_dir);
	return 0;
}

/*
 * A quarantined object may have any name. A name that the VFS refuses would hide
 * all other entries.
 */
static bool inode_name_listable(const struct pkram_record *rec)
{
	u32 len = rec->name_len;

	return len && len <= PKRAM_NAME_MAX && !memchr(rec->name, '/', len) &&
	       !memchr(rec->name, 0, len);
}

/*
 * A position is an object's key, which is its id and above those of "." and "..",
 * so it stays valid even if objects are created or removed meanwhile. Keys of
 * damaged objects may have bit 63 set, which a position cannot: it uses bit 62.
 */
static loff_t inode_key_to_pos(u64 key)
{
	return key & BIT_ULL(63) ? key ^ BIT_ULL(63) ^ BIT_ULL(62) : key;
}

static u64 inode_pos_to_key(loff_t pos)
{
	return pos & BIT_ULL(62) ? pos ^ BIT_ULL(62) ^ BIT_ULL(63) : pos;
}

static int pkramfs_readdir(struct file *file, struct dir_context *ctx)
{
	struct pkram_object *dir = pkramfs_object(file_inode(file));
	struct pkram_object *obj;
	bool more = true;

	BUILD_BUG_ON(PKRAM_ROOT_ID != 1);
	if (!dir_emit_dots(file, ctx))
		return 0;
	while (more) {
		obj = pkram_store_next_child(dir, inode_pos_to_key(ctx->pos - 1));
		if (!obj)
			break;
		ctx->pos = inode_key_to_pos(obj->key);
		if (inode_name_listable(&obj->rec))
			more = dir_emit(ctx, obj->rec.name, obj->rec.name_len,
					obj->key, obj->bad ? DT_UNKNOWN :
					fs_umode_to_dtype(obj->rec.mode));
		if (more)
			ctx->pos++;
		pkram_object_put(obj);
		cond_resched();
	}
	return 0;
}

/* As generic_file_llseek(), but a position is not limited like a size. */
static loff_t pkramfs_dir_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_file_llseek_size(file, offset, whence, LLONG_MAX, 0);
}

const struct inode_operations pkramfs_dir_iops = {
	.lookup		= pkramfs_lookup,
	.create		= compat_iop(create, pkramfs_create),
	.mkdir		= compat_iop(mkdir, pkramfs_mkdir),
	.unlink		= pkramfs_unlink,
	.rmdir		= pkramfs_unlink,
	.rename		= pkramfs_rename,
	.getattr	= pkramfs_getattr,
	.setattr	= pkramfs_setattr,
	.listxattr	= pkramfs_listxattr,
};

const struct inode_operations pkramfs_file_iops = {
	.getattr	= pkramfs_getattr,
	.setattr	= pkramfs_setattr,
	.listxattr	= pkramfs_listxattr,
	.fiemap		= pkramfs_fiemap,
};

const struct file_operations pkramfs_dir_fops = {
	.llseek		= pkramfs_dir_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= pkramfs_readdir,
	.fsync		= noop_fsync,
};
