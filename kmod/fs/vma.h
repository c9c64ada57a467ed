/* SPDX-License-Identifier: GPL-2.0 */
/* What pkram_vfio.ko may see of pkramfs: from a mapping to the open of its file. */
#ifndef _PKRAM_FS_VMA_H
#define _PKRAM_FS_VMA_H

struct pkram_open;
struct vm_area_struct;

/**
 * pkramfs_vma_open() - Get the open through which a mapping of a file was made
 * @vma: any mapping
 *
 * The file's offset of the mapping is as vm_pgoff says. Context: mmap_lock. Return:
 * open, referenced; NULL if the mapping is not of a file of pkramfs.
 */
struct pkram_open *pkramfs_vma_open(const struct vm_area_struct *vma);

#endif /* _PKRAM_FS_VMA_H */
