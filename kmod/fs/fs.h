/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pkramfs: the objects of the store as files. Internal to fs/, grouped by file;
 * other layers call only pkramfs_init() and pkramfs_exit(), and vfio uses vma.h.
 */
#ifndef _PKRAM_FS_H
#define _PKRAM_FS_H

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include "store/names.h"
#include "store/objects.h"

struct pkram_span;

/* super.c */

/** pkramfs_init() - Register the file system. Return: 0 or negative errno. */
int pkramfs_init(void);

/** pkramfs_exit() - Unregister the file system, which is not mounted */
void pkramfs_exit(void);

/* inode.c */

/**
 * pkramfs_iget() - Get the inode of an object
 * @sb: the only superblock
 * @obj: object; takes over a reference, also on failure
 *
 * Return: inode, or ERR_PTR.
 */
struct inode *pkramfs_iget(struct super_block *sb, struct pkram_object *obj);

/** pkramfs_object() - Get the object of an inode, which exists as long as the inode */
static inline struct pkram_object *pkramfs_object(const struct inode *inode)
{
	return inode->i_private;
}

extern const struct inode_operations pkramfs_dir_iops;
extern const struct inode_operations pkramfs_file_iops;
extern const struct file_operations pkramfs_dir_fops;

/* xattr.c */

extern const struct xattr_handler * const pkramfs_xattr_handlers[];

/** pkramfs_listxattr() - List the labels of an object: an &inode_operations.listxattr */
ssize_t pkramfs_listxattr(struct dentry *dentry, char *buf, size_t size);

/* ioctl.c */

/** pkramfs_ioctl() - Serve the ioctls of uapi/linux/pkram.h: a &file_operations.unlocked_ioctl */
long pkramfs_ioctl(struct file *file, unsigned int cmd, unsigned long uarg);

/* file.c: read, write, allocate, seek */

extern const struct file_operations pkramfs_file_fops;

/** pkramfs_fiemap() - Tell where in physical memory a file is: an &inode_operations.fiemap */
int pkramfs_fiemap(struct inode *inode, struct fiemap_extent_info *info,
		   u64 start, u64 len);

/* mmap.c: mappings and faults */

/** pkramfs_mmap_init() - Make what all mappings share. Return: 0 or negative errno. */
int pkramfs_mmap_init(void);

/** pkramfs_mmap_exit() - Undo that; there are no mappings */
void pkramfs_mmap_exit(void);

/* Operations of &pkramfs_file_fops; file->private_data is a &struct pkram_open */

/** pkramfs_mmap() - Map a file by an inner file of its own: a &file_operations.mmap */
int pkramfs_mmap(struct file *file, struct vm_area_struct *vma);

/** pkramfs_get_unmapped_area() - Find an address that allows large leaves */
unsigned long pkramfs_get_unmapped_area(struct file *file, unsigned long addr,
					unsigned long len, unsigned long pgoff,
					unsigned long flags);

/* leaves.c: leaves of page tables */

/** pkramfs_vma_offset() - Compute the offset in the file of a mapped address */
static inline u64 pkramfs_vma_offset(const struct vm_area_struct *vma,
				     unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

/**
 * pkramfs_leaf_fits() - Check whether memory can be mapped by one leaf
 * @span: the memory, from its first byte on
 * @order: 0, PMD_ORDER or PUD_ORDER
 *
 * The caller checks the alignment of the address and of the offset.
 */
bool pkramfs_leaf_fits(const struct pkram_span *span, unsigned int order);

/**
 * pkramfs_leaf_prepare() - Zero stale memory before it is mapped
 * @obj: object
 * @span: its memory
 * @nr_units: number of units
 *
 * Context: map_sem. Return: 0, or what the fault returns.
 */
vm_fault_t pkramfs_leaf_prepare(struct pkram_object *obj,
				const struct pkram_span *span, u32 nr_units);

/**
 * pkramfs_leaf_insert() - Prepare memory and insert the leaf that maps it
 * @vmf: the fault
 * @order: order of the leaf, which fits
 * @obj: object
 * @span: its memory at @offset
 * @offset: offset in the file where the leaf begins
 *
 * Context: map_sem. Return: what the fault returns.
 */
vm_fault_t pkramfs_leaf_insert(struct vm_fault *vmf, unsigned int order,
			       struct pkram_object *obj,
			       const struct pkram_span *span, u64 offset);

/**
 * pkramfs_leaf_insert_1g() - Insert a 1G leaf, if it fits and nothing is there
 * @vma: mapping
 * @addr: address in it, aligned to 1G
 * @obj: object
 *
 * Context: mmap_lock and the vma are locked to write; takes map_sem.
 */
void pkramfs_leaf_insert_1g(struct vm_area_struct *vma, unsigned long addr,
			    struct pkram_object *obj);

/**
 * pkramfs_unmap_gibs() - Remove all leaves of the GiB that a range touches
 * @mapping: address space of all mappings of an object
 * @start: offset in the file
 * @end: end of the range; 0: the end of the file
 */
void pkramfs_unmap_gibs(struct address_space *mapping, u64 start, u64 end);

/**
 * pkramfs_unmap_object() - Remove the leaves of a range of an object
 * @obj: object
 * @first_unit: start of the range
 * @nr_units: length of the range; 0: up to the end
 *
 * The store calls it before it removes memory from an object.
 */
void pkramfs_unmap_object(struct pkram_object *obj, u32 first_unit,
			  u32 nr_units);

/* lost.c: pages that objects lose */

/** pkramfs_page_lost() - Unmap a page, and tell the processes that map it; a &pkram_lost_fn */
void pkramfs_page_lost(struct pkram_object *obj, u64 offset, int flags);

/* leaves.c again */

/**
 * pkramfs_count_leaves() - Count the page-table leaves that map an object
 * @obj: object
 * @n4k: out: number of 4K leaves
 * @n2m: out: number of 2M leaves
 * @n1g: out: number of 1G leaves
 *
 * Return: 0, or -EINTR if the caller was killed.
 */
int pkramfs_count_leaves(struct pkram_object *obj, u64 *n4k, u64 *n2m,
			 u64 *n1g);

#endif /* _PKRAM_FS_H */
