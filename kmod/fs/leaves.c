// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves of page tables that map objects: insert, remove, count.
 *
 * The size of the file alone does not describe the page tables: a 1G leaf may span
 * bytes outside the range of a munmap() or mprotect(). So a cut removes the whole
 * leaf first, and faults map the parts again by smaller leaves.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include "compat/mm.h"
#include "event/count.h"
#include "fs/fs.h"
#include "mem/bad.h"
#include "mem/region.h"
#include "store/extents.h"

bool pkramfs_leaf_fits(const struct pkram_span *span, unsigned int order)
{
	unsigned int slice = pkram_region_slice(span->region,
						span->unit / PKRAM_GIB_UNITS);

	if (order && pkram_bad_units(span->region, span->unit,
				     order == PUD_ORDER ? PKRAM_GIB_UNITS : 1))
		return false;
	switch (order) {
	case PUD_ORDER:
		return span->whole_gib && slice == PKRAM_SLICE_1G &&
		       IS_ALIGNED(span->unit, PKRAM_GIB_UNITS);
	case PMD_ORDER:
		return slice == PKRAM_SLICE_2M || PKRAM_LEAF_MAY_BE_SMALLER;
	}
	return true;
}

vm_fault_t pkramfs_leaf_prepare(struct pkram_object *obj,
				const struct pkram_span *span, u32 nr_units)
{
	int err = pkram_store_prepare(obj, span, nr_units);

	if (!err)
		return 0;
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

vm_fault_t pkramfs_leaf_insert(struct vm_fault *vmf, unsigned int order,
			       struct pkram_object *obj,
			       const struct pkram_span *span, u64 offset)
{
	u32 gib = span->unit / PKRAM_GIB_UNITS;
	vm_fault_t ret;

	if (!order && !pkram_bad_good_len(span->region, span->unit,
					  offset & (PKRAM_UNIT - 1), PAGE_SIZE))
		return VM_FAULT_HWPOISON;
	ret = pkramfs_leaf_prepare(obj, span,
				   order == PUD_ORDER ? PKRAM_GIB_UNITS : 1);
	if (ret)
		return ret;
	pkram_region_insert_begin(span->region, gib);
	ret = pkram_insert_leaf(vmf, order,
				pkram_region_unit_phys(span->region,
						       span->unit) +
				(offset & (PKRAM_UNIT - 1)));
	pkram_region_insert_end(span->region, gib);
	if (ret == VM_FAULT_NOPAGE)
		pkram_count(order == PUD_ORDER ? PKRAM_COUNT_FAULTS_1G :
			    order == PMD_ORDER ? PKRAM_COUNT_FAULTS_2M :
						 PKRAM_COUNT_FAULTS_4K);
	return ret;
}

void pkramfs_leaf_insert_1g(struct vm_area_struct *vma, unsigned long addr,
			    struct pkram_object *obj)
{
	struct vm_fault vmf = { .vma = vma, .address = addr };
	u64 offset = pkramfs_vma_offset(vma, addr);
	struct pkram_span span;
	pgd_t *pgd;
	p4d_t *p4d;

	pgd = pgd_offset(vma->vm_mm, addr);
	if (pgd_none(*pgd))
		return;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		return;
	vmf.pud = pud_offset(p4d, addr);
	if (!pud_none(*vmf.pud))
		return;
	down_read(&obj->map_sem);
	if (offset + PUD_SIZE <= round_up(obj->rec.size, PAGE_SIZE)) {
		pkram_store_find(obj, offset >> PKRAM_UNIT_SHIFT, &span);
		if (span.region && pkramfs_leaf_fits(&span, PUD_ORDER))
			pkramfs_leaf_insert(&vmf, PUD_ORDER, obj, &span,
					    offset);
	}
	up_read(&obj->map_sem);
}

/* Remove leaves */

/* Extend to whole GiB of the file, as every 1G leaf is aligned in it. */
void pkramfs_unmap_gibs(struct address_space *mapping, u64 start, u64 end)
{
	start = round_down(start, PKRAM_GIB);
	if (end)
		end = round_up(end, PKRAM_GIB);
	unmap_mapping_range(mapping, start, end ? end - start : 0, 1);
}

void pkramfs_unmap_object(struct pkram_object *obj, u32 first_unit,
			  u32 nr_units)
{
	/* Pairs with the release in mmap_inode(). */
	struct inode *inode = smp_load_acquire(&obj->mapping_inode);
	u64 start = (u64)first_unit << PKRAM_UNIT_SHIFT;

	if (inode)
		pkramfs_unmap_gibs(inode->i_mapping, start,
				   nr_units ? start + ((u64)nr_units << PKRAM_UNIT_SHIFT) : 0);
}

/* Count leaves */

struct leaves {
	u64 n4k;
	u64 n2m;
	u64 n1g;
};

static void leaves_count_ptes(pmd_t pmd, unsigned long addr, unsigned long end,
			      struct leaves *l)
{
	pte_t *pte = (pte_t *)pmd_page_vaddr(pmd) + pte_index(addr);

	for (; addr < end; addr += PAGE_SIZE, pte++)
		l->n4k += !!pte_present(READ_ONCE(*pte));
}

static void leaves_count_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
			     struct leaves *l)
{
	pmd_t entry;

	/* A table of ptes that is freed meanwhile is freed after a grace period. */
	rcu_read_lock();
	entry = READ_ONCE(*pmd);
	if (pmd_present(entry)) {
		if (pmd_leaf(entry))
			l->n2m++;
		else
			leaves_count_ptes(entry, addr, end, l);
	}
	rcu_read_unlock();
}

/* Called between two entries of a table. Return: 0, or -EINTR if the caller was killed. */
static int leaves_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static int leaves_count_pmds(pud_t pud, unsigned long addr, unsigned long end,
			     struct leaves *l)
{
	pmd_t *pmd = pud_pgtable(pud) + pmd_index(addr);
	unsigned long next;

	for (; addr < end; addr = next, pmd++) {
		next = pmd_addr_end(addr, end);
		leaves_count_pmd(pmd, addr, next, l);
		if (leaves_pause())
			return -EINTR;
	}
	return 0;
}

static int leaves_count_vma(struct vm_area_struct *vma, struct leaves *l)
{
	unsigned long addr = vma->vm_start, next;
	pgd_t *pgd;
	p4d_t *p4d;
	pud_t *pud, entry;

	for (; addr < vma->vm_end; addr = next) {
		if (leaves_pause())
			return -EINTR;
		next = pud_addr_end(addr, vma->vm_end);
		pgd = pgd_offset(vma->vm_mm, addr);
		if (pgd_none(READ_ONCE(*pgd)))
			continue;
		p4d = p4d_offset(pgd, addr);
		if (p4d_none(READ_ONCE(*p4d)))
			continue;
		pud = pud_offset(p4d, addr);
		entry = READ_ONCE(*pud);
		if (pud_none(entry) || !pud_present(entry))
			continue;
		if (pud_leaf(entry))
			l->n1g++;
		else if (leaves_count_pmds(entry, addr, next, l))
			return -EINTR;
	}
	return 0;
}

int pkramfs_count_leaves(struct pkram_object *obj, u64 *n4k, u64 *n2m,
			 u64 *n1g)
{
	/* Pairs with mmap_inode() */
	struct inode *inode = smp_load_acquire(&obj->mapping_inode);
	struct leaves l = {};
	struct rb_node *node;
	int err = 0;

	if (inode) {
		/*
		 * A vma leaves the tree, under this lock, before its page
		 * tables are freed. Only tables of ptes are freed before that.
		 */
		i_mmap_lock_read(inode->i_mapping);
		for (node = rb_first_cached(&inode->i_mapping->i_mmap);
		     node && !err; node = rb_next(node))
			err = leaves_count_vma(rb_entry(node,
							struct vm_area_struct,
							shared.rb), &l);
		i_mmap_unlock_read(inode->i_mapping);
	}
	*n4k = l.n4k;
	*n2m = l.n2m;
	*n1g = l.n1g;
	return err;
}
