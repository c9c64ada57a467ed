/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pkramfs: the objects of the store as files. Internal to the fs_*.c files,
 * grouped by file; the rest of the module calls the first two only.
 */
#ifndef _PKRAM_FS_H
#define _PKRAM_FS_H

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include "store/store.h"

/* fs_super.c */
int pkramfs_init(void);
void pkramfs_exit(void);

/* fs_inode.c */

/**
 * pkramfs_iget() - the inode of an object
 * @sb: the one superblock
 * @obj: object; a reference is taken over, also on failure
 *
 * Return: inode, or ERR_PTR.
 */
struct inode *pkramfs_iget(struct super_block *sb, struct pkram_object *obj);

/** pkramfs_object() - object of an inode; lives as long as the inode */
static inline struct pkram_object *pkramfs_object(const struct inode *inode)
{
	return inode->i_private;
}

/** pkramfs_refresh() - copy size, times, owner, mode, blocks to the inode */
void pkramfs_refresh(struct inode *inode);

/**
 * pkramfs_stamp() - set times of an inode and its object to now
 * @inode: inode
 * @which: PKRAM_SET_MTIME, PKRAM_SET_CTIME
 *
 * Commits only if the clock has ticked since, so many small writes cost few
 * commits. Context: i_rwsem exclusive. Return: as pkram_store_setattr().
 */
int pkramfs_stamp(struct inode *inode, u32 which);

/** pkramfs_touch() - the data of a file changed: mtime and ctime are now */
int pkramfs_touch(struct inode *inode);

extern const struct inode_operations pkramfs_dir_iops;
extern const struct inode_operations pkramfs_file_iops;
extern const struct file_operations pkramfs_dir_fops;

/* fs_xattr.c */
extern const struct xattr_handler * const pkramfs_xattr_handlers[];
ssize_t pkramfs_listxattr(struct dentry *dentry, char *buf, size_t size);

/* fs_ioctl.c */
long pkramfs_ioctl(struct file *file, unsigned int cmd, unsigned long uarg);

/* fs_file.c: read, write, allocate, seek */
extern const struct file_operations pkramfs_file_fops;
int pkramfs_fiemap(struct inode *inode, struct fiemap_extent_info *info,
		   u64 start, u64 len);

/* fs_mmap.c: mappings and faults */

int pkramfs_mmap_init(void);
void pkramfs_mmap_exit(void);

/* Operations of &pkramfs_file_fops; file->private_data is a &struct pkram_open */
int pkramfs_mmap(struct file *file, struct vm_area_struct *vma);
unsigned long pkramfs_get_unmapped_area(struct file *file, unsigned long addr,
					unsigned long len, unsigned long pgoff,
					unsigned long flags);

/** pkramfs_vma_offset() - where in the file an address of a mapping is */
static inline u64 pkramfs_vma_offset(const struct vm_area_struct *vma,
				     unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

/* fs_leaves.c: leaves of page tables */

bool pkramfs_leaf_fits(const struct pkram_span *span, unsigned int order);
vm_fault_t pkramfs_leaf_prepare(struct pkram_object *obj,
				const struct pkram_span *span, u32 nr_units);
vm_fault_t pkramfs_leaf_insert(struct vm_fault *vmf, unsigned int order,
			       struct pkram_object *obj,
			       const struct pkram_span *span, u64 offset);
void pkramfs_leaf_insert_1g(struct vm_area_struct *vma, unsigned long addr,
			    struct pkram_object *obj);
void pkramfs_unmap_gibs(struct address_space *mapping, u64 start, u64 end);
void pkramfs_unmap_object(struct pkram_object *obj, u32 first_unit,
			  u32 nr_units);

/**
 * pkramfs_count_leaves() - page-table leaves that map an object
 * @obj: object
 * @n4k: out
 * @n2m: out
 * @n1g: out
 */
void pkramfs_count_leaves(struct pkram_object *obj, u64 *n4k, u64 *n2m,
			  u64 *n1g);

#endif /* _PKRAM_FS_H */
