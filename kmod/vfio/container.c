// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of a container: see container.h. A range of user addresses is looked up
 * once: what of it is the pool's is pinned and mapped by extents, what is not is pinned
 * page by page, as VFIO's type1 does. The address itself is not kept, as nothing
 * needs it later.
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "store/pin.h"
#include "store/dma_table.h"
#include "vfio/container.h"

struct pkram_container *pkram_container_create(u32 limit)
{
	struct pkram_container *c = kvzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return NULL;
	mutex_init(&c->lock);
	INIT_LIST_HEAD(&c->domains);
	c->table.limit = limit;
	c->pgsizes = PAGE_MASK;
	return c;
}

void pkram_container_destroy(struct pkram_container *c)
{
	WARN_ON(c->table.nr || c->saved || !list_empty(&c->domains));
	pkram_table_free(&c->table);
	pkram_runs_free(&c->open);
	mutex_destroy(&c->lock);
	kvfree(c);
}

static u64 smallest_page(const struct pkram_container *c)
{
	return 1ULL << __ffs64(c->pgsizes);
}

/* User addresses */

/**
 * struct area - a range of user addresses, looked up
 * @seg: @nr segments
 * @open: of each: by which the process reaches it, referenced; NULL: not the pool's
 * @nr: number of segments
 * @room: for how many there is room
 */
struct area {
	struct pkram_seg *seg;
	struct pkram_open **open;
	u32 nr;
	u32 room;
};

static void area_free(struct area *a)
{
	u32 i;

	for (i = 0; i < a->nr; i++)
		if (a->open[i])
			pkram_open_put(a->open[i]);
	kvfree(a->seg);
	kvfree(a->open);
}

static int area_grow(struct area *a)
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

/* Takes the reference to @open over, also on failure. */
static int area_append(struct area *a, u64 len, struct pkram_open *open,
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
 * The pages of @vma from @addr on. What a device is to write to must be writable for
 * the process, now: the open that the pin will hold then is one for writing.
 */
static int area_add_vma(struct area *a, struct vm_area_struct *vma, u64 addr,
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
		/* A device's: nobody keeps it from going away. */
		return -EOPNOTSUPP;
	}
	return area_append(a, len, open, offset);
}

/* mmap_lock held. @lax: what cannot be mapped counts as not the pool's. */
static int area_walk(struct area *a, u64 vaddr, u64 size, int prot, bool lax)
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

static int area_find(struct area *a, u64 vaddr, u64 size, int prot, bool lax)
{
	int err;

	memset(a, 0, sizeof(*a));
	/* The last byte's successor is an address, too. */
	if (!current->mm || vaddr + size < vaddr)
		return -EFAULT;
	mmap_read_lock(current->mm);
	err = area_walk(a, vaddr, size, prot, lax);
	mmap_read_unlock(current->mm);
	if (err)
		area_free(a);
	return err;
}

/* Mapping */

static void uncharge(struct mm_struct *mm, unsigned long pages)
{
	/* A process that is gone has no limit any more. */
	if (pages && mmget_not_zero(mm)) {
		account_locked_vm(mm, pages, false);
		mmput(mm);
	}
}

static void unmap_seg(struct pkram_container *c, struct pkram_mapping *m, u32 i)
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
	if (!len || pkram_domains_unmap(c, iova, len))
		pkram_pin_destroy(m->pins[i]);
}

void pkram_mapping_destroy(struct pkram_container *c, struct pkram_mapping *m)
{
	u32 i;

	for (i = 0; i < m->nr_segs; i++) {
		unmap_seg(c, m, i);
		cond_resched();
	}
	uncharge(m->mm, m->locked);
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
		err = pkram_domains_map(c, m->dma.first + m->mapped, phys, len,
					m->prot);
		if (err)
			return err;
		m->mapped += len;
	}
	return 0;
}

/* Charge the process for what is not the pool's. */
static int charge(struct pkram_mapping *m)
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

/* Pin the pool's segments, save it if it is to be, and have all in the IOMMU. */
static int fill_mapping(struct pkram_container *c, struct pkram_mapping *m,
			struct area *a, u64 vaddr)
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
	err = charge(m);
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
		err = pkram_container_save(c, m);
	for (i = 0; !err && i < m->nr_segs; i++)
		err = m->pins[i] ? pkram_mapping_map_pool(c, m, i) :
		      pkram_pages_map(c, m, vaddr + m->segs[i].pos,
				      m->segs[i].len);
	return err;
}

static int map_vaddr(struct pkram_container *c, struct pkram_mapping *m,
		     u64 vaddr)
{
	struct area a;
	int err;

	if (!pkram_runs_contain(&c->open, m->dma.first, m->dma.last))
		return -EINVAL;
	err = area_find(&a, vaddr, pkram_mapping_size(m), m->prot, false);
	if (err)
		return err;
	err = fill_mapping(c, m, &a, vaddr);
	area_free(&a);
	return err;
}

int pkram_container_map(struct pkram_container *c, u64 iova, u64 vaddr,
			u64 size, int prot)
{
	u64 pgsize = smallest_page(c), last, vlast;
	struct pkram_container_use before = pkram_container_get_use(c);
	struct pkram_mapping *m;
	bool overlaps, saved;
	int err;

	lockdep_assert_held(&c->lock);
	err = pkram_table_check(iova, size, pgsize, &last);
	if (!err)
		err = pkram_table_check(vaddr, size, pgsize, &vlast);
	if (err)
		return err;
	if (!current->mm)
		return -ENODEV;
	m = pkram_mapping_create(iova, last, prot);
	if (!m)
		return -ENOMEM;
	err = pkram_table_insert(&c->table, &m->dma);
	if (err)
		goto err_destroy;
	err = map_vaddr(c, m, vaddr);
	if (!err)
		err = pkram_container_set_running(c, true);
	if (err)
		goto err_remove;
	return 0;

err_remove:
	pkram_table_remove(&c->table, pkram_table_find(&c->table, iova, last,
						       &overlaps));
err_destroy:
	saved = pkram_container_forget(c, m);
	pkram_mapping_destroy(c, m);
	if (saved)
		pkram_dma_table_commit(c->saved);
	pkram_container_put_use(c, before);
	return err;
}

/* A new user address */

/* Whoever tells the address is charged from now on, and its opens hold the pins. */
static int change_owner(struct pkram_mapping *m, const struct area *a)
{
	u32 i, j = 0;
	int err;

	if (m->mm != current->mm) {
		err = account_locked_vm(current->mm, m->locked, true);
		if (err)
			return err;
		uncharge(m->mm, m->locked);
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
	return 0;
}

int pkram_container_set_vaddr(struct pkram_container *c, u64 iova, u64 vaddr,
			      u64 size)
{
	u64 pgsize = smallest_page(c), last, vlast;
	struct pkram_mapping *m;
	struct area a;
	int err;
	u32 i;

	lockdep_assert_held(&c->lock);
	err = pkram_table_check(iova, size, pgsize, &last);
	if (!err)
		err = pkram_table_check(vaddr, size, pgsize, &vlast);
	if (!err)
		err = pkram_table_find_invalid(&c->table, iova, last, &i);
	if (err)
		return err;
	m = pkram_mapping_of(c->table.dma[i]);
	err = area_find(&a, vaddr, size, m->prot, true);
	/* It is mapped, but not so that it could be the same. */
	if (err)
		return err == -EFAULT ? -EINVAL : err;
	err = pkram_segs_same(m->segs, m->nr_segs, a.seg, a.nr) ? 0 : -EINVAL;
	if (!err)
		err = pkram_container_set_running(c, true);
	if (!err)
		err = change_owner(m, &a);
	if (!err)
		pkram_table_revalidate(&c->table, i);
	if (!c->table.nr_invalid)
		c->adopted = false;
	area_free(&a);
	return err;
}

/* Unmapping */

/* No device reaches it any more when the table that is saved says so. */
static u64 unmap_range(struct pkram_container *c, u32 i, u32 nr)
{
	struct pkram_mapping *m;
	bool saved = false;
	u64 size = 0;

	/* From the end on, so that little has to be moved. */
	while (nr--) {
		m = pkram_mapping_of(pkram_table_remove(&c->table, i + nr));
		size += pkram_mapping_size(m);
		saved |= pkram_container_forget(c, m);
		pkram_mapping_destroy(c, m);
	}
	if (saved)
		pkram_dma_table_commit(c->saved);
	return size;
}

static u64 size_of_range(const struct pkram_container *c, u32 i, u32 nr)
{
	u64 size = 0;

	while (nr--)
		size += pkram_mapping_size(pkram_mapping_of(c->table.dma[i + nr]));
	return size;
}

int pkram_container_unmap(struct pkram_container *c, u64 iova, u64 *size,
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
		err = pkram_table_check(iova, len, smallest_page(c), &last);
	if (!err)
		err = pkram_table_whole(&c->table, iova, last, &i, &nr);
	if (err)
		return err;
	if (!vaddr_only) {
		*size = unmap_range(c, i, nr);
		return 0;
	}
	err = pkram_table_invalidate(&c->table, i, nr);
	if (err)
		return err;
	if (c->table.nr_invalid == c->table.nr && (all || nr))
		err = pkram_container_set_running(c, false);
	if (!err) {
		*size = size_of_range(c, i, nr);
		c->adopted = false;
		return 0;
	}
	while (nr--)
		pkram_table_revalidate(&c->table, i + nr);
	return err;
}

u64 pkram_container_drop(struct pkram_container *c, u64 *nr)
{
	u64 size = 0;
	u32 end, i;

	lockdep_assert_held(&c->lock);
	*nr = 0;
	for (end = c->table.nr; end; end = i) {
		for (i = end; i && c->table.dma[i - 1]->vaddr_invalid; i--)
			;
		*nr += end - i;
		size += unmap_range(c, i, end - i);
		/* That one stays. */
		if (i)
			i--;
	}
	return size;
}

void pkram_container_unmap_all(struct pkram_container *c)
{
	unmap_range(c, 0, c->table.nr);
}
