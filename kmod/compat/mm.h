/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernels for mappings of device memory. See compat.h for
 * the rule. docs/kernels.md describes the behaviour of each kernel.
 */
#ifndef _PKRAM_COMPAT_MM_H
#define _PKRAM_COMPAT_MM_H

#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/smp.h>
#include <asm/tlbflush.h>
#include "compat/compat.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma,
				unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma,
				  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
/* Older kernels have no locks of single vmas. */
static inline void vma_start_write(struct vm_area_struct *vma)
{
	mmap_assert_write_locked(vma->vm_mm);
}

static inline void release_fault_lock(struct vm_fault *vmf)
{
	mmap_read_unlock(vmf->vma->vm_mm);
}

static inline void compat_lock_vmas_of(struct mm_struct *mm, struct file *file)
{
	mmap_assert_write_locked(mm);
}
#else
/* Exclude faults in the mappings of a file; mmap_lock is held for writing. */
static inline void compat_lock_vmas_of(struct mm_struct *mm, struct file *file)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma)
		if (vma->vm_file == file)
			vma_start_write(vma);
}
#endif

/* The argument of ->huge_fault() as an order. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define PMD_ORDER		(PMD_SHIFT - PAGE_SHIFT)
#define PUD_ORDER		(PUD_SHIFT - PAGE_SHIFT)
#define compat_fault_size	enum page_entry_size
static inline unsigned int compat_fault_order(enum page_entry_size size)
{
	return size == PE_SIZE_PUD ? PUD_ORDER :
	       size == PE_SIZE_PMD ? PMD_ORDER : 0;
}
#else
#define compat_fault_size	unsigned int
#define compat_fault_order(order) (order)
#endif

/*
 * Return whether the fault is a write to an existing leaf. Only then tell the
 * kernel that it is a write: a new leaf of a shared mapping is writable anyway,
 * and if a concurrent fault has inserted a page table, the kernel warns about a
 * write.
 */
static inline bool compat_leaf_write(struct vm_fault *vmf, unsigned int order)
{
	if (!(vmf->flags & FAULT_FLAG_WRITE))
		return false;
	return order == PUD_ORDER ? pud_leaf(READ_ONCE(*vmf->pud)) :
	       order == PMD_ORDER ? pmd_leaf(READ_ONCE(*vmf->pmd)) : true;
}

/*
 * Leaves. Up to 6.16 device memory is mapped by "devmap" entries, which count no
 * references and need VM_MIXEDMAP; a leaf may be smaller than the folio. Since
 * 6.17 leaves are those of ordinary file folios, and must be as large as the
 * folio, or 4K.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)

#define PKRAM_VM_FLAGS		(VM_DONTEXPAND | VM_HUGEPAGE)
#define PKRAM_LEAF_MAY_BE_SMALLER 0

static inline vm_fault_t pkram_insert_leaf(struct vm_fault *vmf,
					   unsigned int order, phys_addr_t phys)
{
	bool write = compat_leaf_write(vmf, order);
	struct page *page = pfn_to_page(PHYS_PFN(phys));

	if (order == PUD_ORDER)
		return vmf_insert_folio_pud(vmf, page_folio(page), write);
	if (order == PMD_ORDER)
		return vmf_insert_folio_pmd(vmf, page_folio(page), write);
	return vmf_insert_page_mkwrite(vmf, page, write);
}

/* Does a leaf hold a reference of its folio? */
#define COMPAT_LEAVES_HOLD_FOLIOS	1

/* Leaves that hold references of a folio */
static inline int compat_folio_leaves(struct folio *folio)
{
	return folio_mapcount(folio);
}

#else

#include <linux/pfn_t.h>

#define PKRAM_VM_FLAGS		(VM_MIXEDMAP | VM_DONTEXPAND | VM_HUGEPAGE)
#define PKRAM_LEAF_MAY_BE_SMALLER 1

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define vmf_insert_pfn_pmd(vmf, pfn, write) \
	vmf_insert_pfn_pmd_prot(vmf, pfn, (vmf)->vma->vm_page_prot, write)
#define vmf_insert_pfn_pud(vmf, pfn, write) \
	vmf_insert_pfn_pud_prot(vmf, pfn, (vmf)->vma->vm_page_prot, write)
#endif

static inline vm_fault_t pkram_insert_leaf(struct vm_fault *vmf,
					   unsigned int order, phys_addr_t phys)
{
	bool write = compat_leaf_write(vmf, order);
	pfn_t pfn = phys_to_pfn_t(phys, PFN_DEV | PFN_MAP);

	if (order == PUD_ORDER)
		return vmf_insert_pfn_pud(vmf, pfn, write);
	if (order == PMD_ORDER)
		return vmf_insert_pfn_pmd(vmf, pfn, write);
	return vmf_insert_mixed(vmf->vma, vmf->address, pfn);
}

#define COMPAT_LEAVES_HOLD_FOLIOS	0

static inline int compat_folio_leaves(struct folio *folio)
{
	return 0;
}

#endif

/*
 * Called before memory is reused. On 6.1 MADV_COLD and MADV_PAGEOUT treat a 2M
 * leaf of device memory as a bad page table and clear it without a TLB flush;
 * unmapping then finds no leaf and does not flush either.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static inline void compat_flush_one(void *unused)
{
	__flush_tlb_all();
}

static inline void compat_flush_before_free(void)
{
	on_each_cpu(compat_flush_one, NULL, 1);
}
#else
static inline void compat_flush_before_free(void)
{
}
#endif

/* Before 6.12 mprotect() treated a 1G leaf as a page table. */
#define PKRAM_MPROTECT_KNOWS_1G	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define mm_get_unmapped_area(file, addr, len, pgoff, flags) \
	(current->mm->get_unmapped_area(file, addr, len, pgoff, flags))
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define mm_get_unmapped_area(file, addr, len, pgoff, flags) \
	(mm_get_unmapped_area)(current->mm, file, addr, len, pgoff, flags)
#endif

#endif /* _PKRAM_COMPAT_MM_H */
