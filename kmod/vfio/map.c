// SPDX-License-Identifier: GPL-2.0
/*
 * Map and unmap memory of processes. Pool memory is pinned and mapped by extents, other
 * memory is pinned page by page, as in VFIO's type1.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "store/dma_table.h"
#include "store/pin.h"
#include "vfio/area.h"
#include "vfio/iommu.h"
#include "vfio/map.h"
#include "vfio/mapping.h"
#include "vfio/pages.h"
#include "vfio/save.h"

/* Pin the segments in the pool, add the mapping to the DMA table, and map it. */
static int map_fill(struct pkram_container *c, struct pkram_mapping *m,
		    struct pkram_area *a, u64 vaddr)
{
	struct pkram_pin *pin;
	int err;
	u32 i;

	m->pins = kvcalloc(a->nr, sizeof(*m->pins), GFP_KERNEL_ACCOUNT);
	if (!m->pins)
		return -ENOMEM;
	m->segs = a->seg;
	m->nr_segs = a->nr;
	a->seg = NULL;
	err = pkram_mapping_charge(m);
	for (i = 0; !err && i < m->nr_segs; i++) {
		if (!a->open[i])
			continue;
		pin = pkram_pin_create(a->open[i], m->segs[i].offset,
				       m->segs[i].len);
		if (IS_ERR(pin))
			err = PTR_ERR(pin);
		else
			m->pins[i] = pin;
	}
	if (!err)
		err = pkram_save_add(c, m);
	for (i = 0; !err && i < m->nr_segs; i++)
		err = m->pins[i] ? pkram_mapping_map_pool(c, m, i) :
		      pkram_pages_map(c, m, vaddr + m->segs[i].pos,
				      m->segs[i].len);
	return err;
}

static int map_vaddr(struct pkram_container *c, struct pkram_mapping *m,
		     u64 vaddr)
{
	struct pkram_area a;
	int err;

	if (!pkram_runs_contain(&c->open, m->dma.first, m->dma.last))
		return -EINVAL;
	err = pkram_area_find(&a, vaddr, pkram_mapping_size(m), m->prot, false);
	if (err)
		return err;
	err = map_fill(c, m, &a, vaddr);
	pkram_area_free(&a);
	return err;
}

int pkram_map_add(struct pkram_container *c, u64 iova, u64 vaddr,
		  u64 size, int prot)
{
	u64 pgsize = pkram_iommu_page_size(c), last, vlast;
	struct pkram_save_state before = pkram_save_get_state(c);
	struct pkram_mapping *m;
	bool overlaps, saved;
	int err;
	u32 i;

	lockdep_assert_held(&c->lock);
	err = pkram_iova_map_check(iova, size, pgsize, &last);
	if (!err)
		err = pkram_iova_map_check(vaddr, size, pgsize, &vlast);
	if (err)
		return err;
	if (!current->mm)
		return -ENODEV;
	m = pkram_mapping_create(iova, last, prot);
	if (!m)
		return -ENOMEM;
	err = pkram_iova_map_insert(&c->table, &m->dma);
	if (err)
		goto err_destroy;
	err = map_vaddr(c, m, vaddr);
	if (!err)
		err = pkram_save_set_running(c, true);
	if (err)
		goto err_remove;
	return 0;

err_remove:
	i = pkram_iova_map_find(&c->table, iova, last, &overlaps);
	pkram_iova_map_remove(&c->table, i);
err_destroy:
	saved = pkram_save_forget(c, m);
	pkram_mapping_destroy(c, m);
	if (saved)
		pkram_dma_table_commit(c->dma_table);
	pkram_save_set_state(c, before);
	return err;
}

/* A new user address */

/* Charge the calling process, if it is not charged yet. */
static int map_charge_caller(const struct pkram_mapping *m)
{
	if (m->mm == current->mm)
		return 0;
	return account_locked_vm(current->mm, m->locked, true);
}

static void map_uncharge_caller(const struct pkram_mapping *m)
{
	if (m->mm != current->mm)
		pkram_mapping_uncharge(current->mm, m->locked);
}

/* Make the calling process, which is charged, the owner of the mapping. */
static void map_change_owner(struct pkram_mapping *m, const struct pkram_area *a)
{
	u32 i, j = 0;

	if (m->mm != current->mm) {
		pkram_mapping_uncharge(m->mm, m->locked);
		mmdrop(m->mm);
		m->mm = current->mm;
		mmgrab(m->mm);
	}
	for (i = 0; i < m->nr_segs; i++) {
		while (a->seg[j].pos + a->seg[j].len <= m->segs[i].pos)
			j++;
		if (m->pins[i])
			pkram_pin_move(m->pins[i], a->open[j]);
	}
}

int pkram_map_set_vaddr(struct pkram_container *c, u64 iova, u64 vaddr,
			u64 size)
{
	u64 pgsize = pkram_iommu_page_size(c), last, vlast;
	struct pkram_mapping *m;
	struct pkram_area a;
	int err;
	u32 i;

	lockdep_assert_held(&c->lock);
	err = pkram_iova_map_check(iova, size, pgsize, &last);
	if (!err)
		err = pkram_iova_map_check(vaddr, size, pgsize, &vlast);
	if (!err)
		err = pkram_iova_map_find_invalid(&c->table, iova, last, &i);
	if (err)
		return err;
	m = pkram_mapping_of(c->table.dma[i]);
	err = pkram_area_find(&a, vaddr, size, m->prot, true);
	/* Other memory than that of the mapping: a wrong address, not a bad one. */
	if (err)
		return err == -EFAULT ? -EINVAL : err;
	err = pkram_segs_same(m->segs, m->nr_segs, a.seg, a.nr) ? 0 : -EINVAL;
	if (!err)
		err = map_charge_caller(m);
	if (err)
		goto out_free;
	/* Nothing can fail after this: a refused address must not end the suspension. */
	err = pkram_save_set_running(c, true);
	if (err) {
		map_uncharge_caller(m);
		goto out_free;
	}
	map_change_owner(m, &a);
	pkram_iova_map_revalidate(&c->table, i);
	if (!c->table.nr_invalid)
		c->restored = false;
out_free:
	pkram_area_free(&a);
	return err;
}

/* Unmapping */

/* Commit the DMA table when no device can reach the memory any more. */
static u64 map_unmap_range(struct pkram_container *c, u32 i, u32 nr)
{
	struct pkram_mapping *m;
	bool saved = false;
	u64 size = 0;

	/* Start at the end: removing the last entry moves no others. */
	while (nr--) {
		m = pkram_mapping_of(pkram_iova_map_remove(&c->table, i + nr));
		size += pkram_mapping_size(m);
		saved |= pkram_save_forget(c, m);
		pkram_mapping_destroy(c, m);
	}
	if (saved)
		pkram_dma_table_commit(c->dma_table);
	return size;
}

static u64 map_range_size(const struct pkram_container *c, u32 i, u32 nr)
{
	u64 size = 0;

	while (nr--)
		size += pkram_mapping_size(pkram_mapping_of(c->table.dma[i + nr]));
	return size;
}

int pkram_map_unmap(struct pkram_container *c, u64 iova, u64 *size,
		    bool all, bool vaddr_only)
{
	u64 len = *size, last = U64_MAX;
	int err = 0;
	u32 i, nr;

	lockdep_assert_held(&c->lock);
	*size = 0;
	if (all)
		err = iova || len ? -EINVAL : 0;
	else
		err = pkram_iova_map_check(iova, len, pkram_iommu_page_size(c), &last);
	if (!err)
		err = pkram_iova_map_whole(&c->table, iova, last, &i, &nr);
	if (err)
		return err;
	if (!vaddr_only) {
		*size = map_unmap_range(c, i, nr);
		return 0;
	}
	err = pkram_iova_map_invalidate(&c->table, i, nr);
	if (err)
		return err;
	if (c->table.nr_invalid == c->table.nr && (all || nr))
		err = pkram_save_set_running(c, false);
	if (!err) {
		*size = map_range_size(c, i, nr);
		c->restored = false;
		return 0;
	}
	while (nr--)
		pkram_iova_map_revalidate(&c->table, i + nr);
	return err;
}

u64 pkram_map_unmap_stale(struct pkram_container *c, u64 *nr)
{
	u64 size = 0;
	u32 end, i;

	lockdep_assert_held(&c->lock);
	*nr = 0;
	for (end = c->table.nr; end; end = i) {
		for (i = end; i && c->table.dma[i - 1]->vaddr_invalid; i--)
			;
		*nr += end - i;
		size += map_unmap_range(c, i, end - i);
		/* Entry i - 1 has a user address: keep it. */
		if (i)
			i--;
	}
	return size;
}

void pkram_map_unmap_all(struct pkram_container *c)
{
	map_unmap_range(c, 0, c->table.nr);
}
