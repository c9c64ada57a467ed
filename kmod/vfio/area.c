// SPDX-License-Identifier: GPL-2.0
/*
 * Look up a range of user addresses: which parts are pool memory, and through which
 * open the process maps them. Nothing needs the addresses after that.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "core/iova_map.h"
#include "fs/vma.h"
#include "store/pin.h"
#include "vfio/area.h"

void pkram_area_free(struct pkram_area *a)
{
	u32 i;

	for (i = 0; i < a->nr; i++)
		if (a->open[i])
			pkram_open_put(a->open[i]);
	kvfree(a->seg);
	kvfree(a->open);
}

static int area_grow(struct pkram_area *a)
{
	u32 room = max(2 * a->room, 4U);
	struct pkram_open **open;
	struct pkram_seg *seg;

	if (a->nr < a->room)
		return 0;
	seg = kvcalloc(room, sizeof(*seg), GFP_KERNEL_ACCOUNT);
	open = kvcalloc(room, sizeof(*open), GFP_KERNEL_ACCOUNT);
	if (!seg || !open) {
		kvfree(seg);
		kvfree(open);
		return -ENOMEM;
	}
	if (a->nr) {
		memcpy(seg, a->seg, a->nr * sizeof(*seg));
		memcpy(open, a->open, a->nr * sizeof(*open));
	}
	kvfree(a->seg);
	kvfree(a->open);
	a->seg = seg;
	a->open = open;
	a->room = room;
	return 0;
}

/* Consumes the reference to @open, also on failure. */
static int area_append(struct pkram_area *a, u64 len, struct pkram_open *open,
		       u64 offset)
{
	struct pkram_seg *last = a->nr ? &a->seg[a->nr - 1] : NULL;
	u64 pos = last ? last->pos + last->len : 0;
	int err;

	if (last && a->open[a->nr - 1] == open &&
	    (!open || last->offset + last->len == offset)) {
		last->len += len;
		if (open)
			pkram_open_put(open);
		return 0;
	}
	err = area_grow(a);
	if (err) {
		if (open)
			pkram_open_put(open);
		return err;
	}
	a->seg[a->nr] = (struct pkram_seg){
		.pos = pos,
		.len = len,
		.object = open ? pkram_open_object(open) : NULL,
		.offset = offset,
	};
	a->open[a->nr++] = open;
	return 0;
}

/*
 * Add the pages of @vma from @addr on. If a device shall write, the process must be
 * allowed to write now; this makes the open that the pin holds one for writing.
 */
static int area_add_vma(struct pkram_area *a, struct vm_area_struct *vma, u64 addr,
			u64 len, int prot)
{
	struct pkram_open *open = pkramfs_vma_open(vma);
	unsigned long need = prot & IOMMU_WRITE ? VM_WRITE : VM_READ;
	u64 offset = 0;

	if (open) {
		if (!(vma->vm_flags & need)) {
			pkram_open_put(open);
			return -EFAULT;
		}
		offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) +
			 (addr - vma->vm_start);
	} else if (vma->vm_flags & (VM_IO | VM_PFNMAP)) {
		/* Memory of a device: nothing keeps it from going away. */
		return -EOPNOTSUPP;
	}
	return area_append(a, len, open, offset);
}

/* Context: mmap_lock held. */
static int area_walk(struct pkram_area *a, u64 vaddr, u64 size, int prot, bool lax)
{
	u64 addr = vaddr, end = vaddr + size, next;
	struct vm_area_struct *vma;
	int err;

	for (; addr < end; addr = next) {
		vma = find_vma(current->mm, addr);
		next = min_t(u64, end, vma ? vma->vm_end : end);
		if (!vma || vma->vm_start > addr) {
			if (!lax)
				return -EFAULT;
			if (vma)
				next = min_t(u64, end, vma->vm_start);
			err = area_append(a, next - addr, NULL, 0);
		} else {
			err = area_add_vma(a, vma, addr, next - addr, prot);
			if (err == -EOPNOTSUPP && lax)
				err = area_append(a, next - addr, NULL, 0);
		}
		if (err)
			return err;
	}
	return 0;
}

int pkram_area_find(struct pkram_area *a, u64 vaddr, u64 size, int prot, bool lax)
{
	int err;

	memset(a, 0, sizeof(*a));
	/* The end of the range must be an address as well. */
	if (!current->mm || vaddr + size < vaddr)
		return -EFAULT;
	mmap_read_lock(current->mm);
	err = area_walk(a, vaddr, size, prot, lax);
	mmap_read_unlock(current->mm);
	if (err)
		pkram_area_free(a);
	return err;
}
