// SPDX-License-Identifier: GPL-2.0
/*
 * Keep the mappings of a container in a DMA table, which survives the container and the
 * kernel. A mapping is kept if its memory is one run of one object that has a name; the
 * others end with the container, as with type1.
 */
#include <linux/slab.h>
#include "store/dma_table.h"
#include "store/pin.h"
#include "vfio/mapping.h"
#include "vfio/save.h"

static_assert(IOMMU_READ == PKRAM_ENTRY_READ && IOMMU_WRITE == PKRAM_ENTRY_WRITE);

/* Return: true if the mapping can be kept. */
static bool save_make_entry(const struct pkram_mapping *m, struct pkram_entry *e)
{
	const struct pkram_seg *seg = m->segs;
	u32 i;

	for (i = 0; i < m->nr_segs; i++)
		if (!m->pins[i] || seg[i].object != seg[0].object ||
		    seg[i].offset - seg[i].pos != seg[0].offset)
			return false;
	*e = (struct pkram_entry){
		.iova = m->dma.first,
		.size = pkram_mapping_size(m),
		.object = pkram_pin_object_id(m->pins[0]),
		.offset = seg[0].offset,
		.prot = m->prot,
	};
	return e->object;
}

int pkram_save_add(struct pkram_container *c, struct pkram_mapping *m)
{
	struct pkram_entry e;
	int err;

	if (!c->dma_table || !save_make_entry(m, &e))
		return 0;
	err = pkram_dma_table_add(c->dma_table, &e);
	if (err)
		return err;
	c->running = true;
	m->saved = true;
	return 0;
}

bool pkram_save_forget(struct pkram_container *c, const struct pkram_mapping *m)
{
	if (!c->dma_table || !m->saved)
		return false;
	pkram_dma_table_forget(c->dma_table, m->dma.first, m->dma.last);
	return true;
}

int pkram_save_set_running(struct pkram_container *c, bool running)
{
	int err = c->dma_table ? pkram_dma_table_set_running(c->dma_table, running) : 0;

	if (!err)
		c->running = running;
	return err;
}

struct pkram_save_state pkram_save_get_state(const struct pkram_container *c)
{
	return (struct pkram_save_state){
		.running = c->running,
		.saved = c->dma_table && pkram_dma_table_running(c->dma_table),
	};
}

void pkram_save_set_state(struct pkram_container *c, struct pkram_save_state state)
{
	if (c->dma_table)
		pkram_dma_table_set_running(c->dma_table, state.saved);
	c->running = state.running;
}

/* Remove a table, if there is one, whatever it maps, unless a saved guest needs it. */
static int save_remove_unused(const char *name)
{
	struct pkram_object *table = pkram_dma_table_restore(name, true);
	bool waits;

	if (IS_ERR(table))
		return PTR_ERR(table) == -ENOENT ? 0 : PTR_ERR(table);
	waits = pkram_dma_table_waits(table);
	pkram_dma_table_put(table, waits);
	return waits ? -EEXIST : 0;
}

int pkram_save_create(struct pkram_container *c, const char *name, bool replace)
{
	struct pkram_object *table;
	struct pkram_mapping *m;
	struct pkram_entry *e;
	u32 i, nr = 0;
	int err;

	lockdep_assert_held(&c->lock);
	if (c->dma_table)
		return -EINVAL;
	e = kvcalloc(max(c->table.nr, 1U), sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	for (i = 0; i < c->table.nr; i++) {
		m = pkram_mapping_of(c->table.dma[i]);
		m->saved = save_make_entry(m, &e[nr]);
		nr += m->saved;
	}
	/* What is there stays unless it can be replaced. */
	err = replace ? pkram_dma_table_may_replace(name, nr) : 0;
	if (!err && replace)
		err = save_remove_unused(name);
	table = err ? ERR_PTR(err) : pkram_dma_table_create(name, e, nr);
	kvfree(e);
	if (IS_ERR(table))
		return PTR_ERR(table);
	c->dma_table = table;
	c->running = true;
	return 0;
}
