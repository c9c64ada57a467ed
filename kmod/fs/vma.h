/* SPDX-License-Identifier: GPL-2.0 */
/* The part of pkramfs for pkram_vfio.ko: from a mapping to the open of its file. */
#ifndef _PKRAM_FS_VMA_H
#define _PKRAM_FS_VMA_H

struct pkram_open;
struct vm_area_struct;

/**
 * pkramfs_vma_open() - Get the open through which a mapping of a file was made
 * @vma: any mapping
 *
 * vm_pgoff is the offset in the file. Context: mmap_lock. Return: open,
 * referenced; NULL if the mapping is not of a file of pkramfs.
 */
struct pkram_open *pkramfs_vma_open(const struct vm_area_struct *vma);

#endif /* _PKRAM_FS_VMA_H */
