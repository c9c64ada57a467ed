// SPDX-License-Identifier: GPL-2.0
/*
 * One mapping of a container. Pool memory is mapped by extents, other memory page by
 * page.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "store/pin.h"
#include "vfio/iommu.h"
#include "vfio/mapping.h"
#include "vfio/pages.h"

int pkram_mapping_charge(struct pkram_mapping *m)
{
	unsigned long pages = 0;
	int err;
	u32 i;

	for (i = 0; i < m->nr_segs; i++)
		if (!m->segs[i].object)
			pages += m->segs[i].len >> PAGE_SHIFT;
	err = account_locked_vm(m->mm, pages, true);
	if (!err)
		m->locked = pages;
	return err;
}

void pkram_mapping_uncharge(struct mm_struct *mm, unsigned long pages)
{
	/* A process that has exited has no limit. */
	if (pages && mmget_not_zero(mm)) {
		account_locked_vm(mm, pages, false);
		mmput(mm);
	}
}

static void mapping_unmap_seg(struct pkram_container *c, struct pkram_mapping *m, u32 i)
{
	const struct pkram_seg *seg = &m->segs[i];
	u64 iova = m->dma.first + seg->pos;
	u64 len = seg->pos < m->mapped ?
		  min(seg->len, m->mapped - seg->pos) : 0;

	if (!m->pins[i]) {
		if (len && !seg->object)
			pkram_pages_unmap(c, iova, len, m->prot);
		return;
	}
	if (!len || pkram_iommu_unmap(c, iova, len))
		pkram_pin_destroy(m->pins[i]);
}

void pkram_mapping_destroy(struct pkram_container *c, struct pkram_mapping *m)
{
	u32 i;

	for (i = 0; i < m->nr_segs; i++) {
		mapping_unmap_seg(c, m, i);
		cond_resched();
	}
	pkram_mapping_uncharge(m->mm, m->locked);
	mmdrop(m->mm);
	kvfree(m->segs);
	kvfree(m->pins);
	kfree(m);
}

struct pkram_mapping *pkram_mapping_create(u64 first, u64 last, int prot)
{
	struct pkram_mapping *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);

	if (!m)
		return NULL;
	m->dma.first = first;
	m->dma.last = last;
	m->prot = prot;
	m->mm = current->mm;
	mmgrab(m->mm);
	return m;
}

u64 pkram_mapping_extent(struct pkram_container *c, struct pkram_mapping *m,
			 u32 i, u64 pos, phys_addr_t *phys)
{
	const struct pkram_seg *seg = &m->segs[i];

	if (m->pins[i])
		return pkram_pin_extent(m->pins[i], pos - seg->pos, phys);
	return pkram_pages_extent(c, m->dma.first + pos,
				  seg->pos + seg->len - pos, phys);
}

int pkram_mapping_map_pool(struct pkram_container *c, struct pkram_mapping *m,
			   u32 i)
{
	u64 end = m->segs[i].pos + m->segs[i].len, len;
	phys_addr_t phys;
	int err;

	while (m->mapped < end) {
		len = pkram_mapping_extent(c, m, i, m->mapped, &phys);
		if (!len)
			return -EIO;
		err = pkram_iommu_map(c, m->dma.first + m->mapped, phys, len,
				      m->prot);
		if (err)
			return err;
		m->mapped += len;
	}
	return 0;
}
