// SPDX-License-Identifier: GPL-2.0
/* Discard quarantined records: see discard.h. */
#include <linux/bitmap.h>
#include <linux/pkram.h>
#include <linux/slab.h>
#include "event/event.h"
#include "mem/region.h"
#include "store/commit.h"
#include "store/discard.h"
#include "store/lost.h"
#include "store/objects.h"
#include "store/space.h"
#include "store/state.h"

/*
 * Mark the units that have an owner in a bitmap of one region. The bitmap is built
 * for one region at a time, because discards are rare and regions may be large.
 */
static void discard_own_extents(const struct pkram_object *obj, u64 id,
				unsigned long *owned, u32 nr_units)
{
	u32 i;

	for (i = 0; i < obj->rec.nr_extents; i++) {
		const struct pkram_extent *e = &obj->rec.extents[i];
		u32 from = min(e->region_unit, nr_units);

		/* Extents of quarantined objects may have any values. */
		if (e->region_id == id)
			bitmap_set(owned, from,
				   min(e->nr_units, nr_units - from));
	}
}

static bool discard_own_all(struct pkram_region *r, unsigned long *owned,
			    u32 nr_units)
{
	u64 id = pkram_region_id_of(r);
	struct pkram_object *obj;
	struct rb_node *node;
	bool lost = pkram_store.region_lost;
	u32 i;

	__set_bit(0, owned);
	for (i = 0; i < r->h.nr_meta; i++)
		__set_bit(pkram_header_meta_unit(&r->h, i), owned);
	for (node = rb_first(&pkram_store.objects); node; node = rb_next(node)) {
		obj = rb_entry(node, struct pkram_object, all);
		discard_own_extents(obj, id, owned, nr_units);
		lost |= obj->lost;
	}
	list_for_each_entry(obj, &pkram_store.removed, removed_list)
		discard_own_extents(obj, id, owned, nr_units);
	pkram_space_mark_pending(r, owned);
	return lost;
}

static int discard_recount_region(struct pkram_region *r)
{
	struct pkram_alloc_region *ar =
		pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
	u32 nr = r->h.nr_gib * PKRAM_GIB_UNITS, unit;
	unsigned long *owned;
	bool lost;
	int state;

	owned = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	if (!owned)
		return -ENOMEM;
	lost = discard_own_all(r, owned, nr);
	for (unit = 0; unit < nr; unit++) {
		if (!pkram_region_present(r, unit / PKRAM_GIB_UNITS) ||
		    test_bit(unit, owned) || !test_bit(unit, ar->used) ||
		    pkram_space_leaving(r, unit))
			continue;
		/* A lost record may own it, or its state is unknown. */
		state = pkram_region_map_get(r, unit);
		if (state < 0 || (lost && state != PKRAM_UNIT_FREE))
			continue;
		pkram_space_free_units(r, unit, 1);
	}
	kvfree(owned);
	return 0;
}

int pkram_discard_recount(void)
{
	struct pkram_region *r;
	int err = 0;

	lockdep_assert_held(&pkram_store.lock);
	list_for_each_entry(r, &pkram_store.regions, list)
		err = err ?: discard_recount_region(r);
	return err;
}

int pkram_store_discard(u64 key)
{
	struct pkram_object *obj, *gone = NULL;
	int err = 0;

	pkram_space_lock_settled();
	obj = pkram_store_find_key(key);
	if (!obj)
		err = -ENOENT;
	else if (!obj->bad)
		err = -EINVAL;
	else if (pkram_store.read_only)
		err = -EROFS;
	if (!err) {
		pkram_object_erase(obj);
		pkram_object_unlink(obj);
		if (obj->rec.kind != PKRAM_KIND_DMA_TABLE)
			pkram_event_object(PKRAM_CMD_OBJECT_DISCARD_NTF, obj);
		err = pkram_discard_recount();
		gone = obj;
	}
	pkram_store_unlock();
	/* Its pair may have kept a unit of records that cannot be read. */
	if (gone)
		pkram_lost_move_records();
	pkram_object_put(gone);
	return err;
}
