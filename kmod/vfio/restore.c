// SPDX-License-Identifier: GPL-2.0
/*
 * Map everything that a DMA table lists. All memory is pinned before any of it is
 * mapped.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched.h>
#include <linux/slab.h>
#include "store/dma_table.h"
#include "store/pin.h"
#include "vfio/iommu.h"
#include "vfio/map.h"
#include "vfio/mapping.h"
#include "vfio/restore.h"

/* Pin the memory of an entry. Reuses @open if it is an open of the same object. */
static struct pkram_pin *restore_pin_entry(const struct pkram_entry *e, u64 *id,
					   struct pkram_open **open)
{
	/* An open for writing can also read. */
	u64 key = e->object << 1 | (e->prot & PKRAM_ENTRY_WRITE ? 1 : 0);
	struct pkram_pin *pin;

	if (!*open || *id != key) {
		if (*open)
			pkram_open_put(*open);
		*id = key;
		*open = pkram_dma_table_open(e->object, key & 1);
		if (IS_ERR(*open)) {
			pin = ERR_CAST(*open);
			*open = NULL;
			return pin;
		}
	}
	pin = pkram_pin_create(*open, e->offset, e->size);
	if (IS_ERR(pin)) {
		/* The object was truncated, or is damaged. */
		if (PTR_ERR(pin) == -EFAULT || PTR_ERR(pin) == -EUCLEAN)
			return ERR_PTR(-ESTALE);
	} else if (!pkram_pin_object_id(pin)) {
		pkram_pin_destroy(pin);
		return ERR_PTR(-ESTALE);
	}
	return pin;
}

static int restore_add_pinned(struct pkram_container *c, const struct pkram_entry *e,
			      struct pkram_pin *pin, const void *object)
{
	struct pkram_mapping *m;
	int err = -ENOMEM;

	m = pkram_mapping_create(e->iova, e->iova + e->size - 1, e->prot);
	if (!m) {
		pkram_pin_destroy(pin);
		return -ENOMEM;
	}
	m->segs = kvcalloc(1, sizeof(*m->segs), GFP_KERNEL_ACCOUNT);
	m->pins = kvcalloc(1, sizeof(*m->pins), GFP_KERNEL_ACCOUNT);
	if (m->segs && m->pins) {
		m->segs[0].len = e->size;
		m->segs[0].object = object;
		m->segs[0].offset = e->offset;
		m->pins[0] = pin;
		m->nr_segs = 1;
		m->dma.vaddr_invalid = true;
		m->saved = true;
		err = pkram_iova_map_insert(&c->table, &m->dma);
		if (err)
			pkram_mapping_destroy(c, m);
		return err;
	}
	pkram_pin_destroy(pin);
	pkram_mapping_destroy(c, m);
	return -ENOMEM;
}

static bool restore_may_map(struct pkram_container *c, const struct pkram_entry *e)
{
	u64 pgsize = pkram_iommu_page_size(c);

	return IS_ALIGNED(e->iova | e->size | e->offset, pgsize) &&
	       pkram_runs_contain(&c->open, e->iova, e->iova + e->size - 1);
}

/* Pin all memory of the table; no device can reach it yet. */
static int restore_pin_all(struct pkram_container *c, const struct pkram_entry *e, u32 nr,
			   u32 *bad)
{
	struct pkram_open *open = NULL;
	struct pkram_pin *pin;
	u64 id = 0;
	int err = 0;
	u32 i;

	for (i = 0; !err && i < nr; i++, e++) {
		*bad = i;
		if (!restore_may_map(c, e)) {
			err = -ERANGE;
			break;
		}
		pin = restore_pin_entry(e, &id, &open);
		err = IS_ERR(pin) ? PTR_ERR(pin) :
		      restore_add_pinned(c, e, pin, pkram_open_object(open));
		cond_resched();
	}
	if (open)
		pkram_open_put(open);
	return err;
}

static int restore_map_all(struct pkram_container *c, u32 *bad)
{
	int err = 0;
	u32 i;

	for (i = 0; !err && i < c->table.nr; i++) {
		*bad = i;
		err = pkram_mapping_map_pool(c, pkram_mapping_of(c->table.dma[i]), 0);
		cond_resched();
	}
	return err;
}

int pkram_restore_table(struct pkram_container *c, const char *name, bool force)
{
	const struct pkram_entry *e;
	struct pkram_object *table;
	u32 nr, bad = 0;
	int err;

	lockdep_assert_held(&c->lock);
	if (c->dma_table || c->table.nr)
		return -EINVAL;
	if (!current->mm)
		return -ENODEV;
	table = pkram_dma_table_restore(name, force);
	if (IS_ERR(table))
		return PTR_ERR(table);
	nr = pkram_dma_table_entries(table, &e);
	err = restore_pin_all(c, e, nr, &bad);
	if (!err)
		err = restore_map_all(c, &bad);
	if (err) {
		pr_info_ratelimited("cannot restore DMA table \"%*pE\": mapping of %#llx bytes at %#llx, object %llu at %#llx: error %d\n",
				    (int)strlen(name), name, e[bad].size, e[bad].iova,
				    e[bad].object, e[bad].offset, err);
		pkram_map_unmap_all(c);
		pkram_dma_table_put(table, true);
		return err;
	}
	c->dma_table = table;
	c->running = false;
	c->restored = true;
	return 0;
}
