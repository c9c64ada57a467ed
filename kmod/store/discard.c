// SPDX-License-Identifier: GPL-2.0
/* Discard quarantined records: see discard.h. */
#include <linux/bitmap.h>
#include <linux/pkram.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "event/event.h"
#include "mem/region.h"
#include "store/commit.h"
#include "store/discard.h"
#include "store/lost.h"
#include "store/objects.h"
#include "store/regions.h"
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
		cond_resched();
	}
}

static void discard_own_all(struct pkram_region *r, unsigned long *owned,
			    u32 nr_units)
{
	u64 id = pkram_region_id_of(r);
	struct pkram_object *obj;
	struct rb_node *node;
	u32 i;

	__set_bit(0, owned);
	for (i = 0; i < r->h.nr_meta; i++)
		__set_bit(pkram_header_meta_unit(&r->h, i), owned);
	for (node = rb_first(&pkram_store.objects); node; node = rb_next(node)) {
		obj = rb_entry(node, struct pkram_object, all);
		discard_own_extents(obj, id, owned, nr_units);
		cond_resched();
	}
	list_for_each_entry(obj, &pkram_store.removed, removed_list)
		discard_own_extents(obj, id, owned, nr_units);
	pkram_space_mark_pending(r, owned);
}

/* Any unit whose state is not free may belong to a record that cannot be read, or is not there. */
static bool discard_keeps_back(void)
{
	return pkram_store.region_lost || pkram_store.nr_lost;
}

/* Return whether a unit that has no owner any more may be free: its state is known. */
static bool discard_may_free(struct pkram_region *r, u32 unit, bool keep)
{
	int state = pkram_region_map_get(r, unit);

	return state >= 0 && (!keep || state == PKRAM_UNIT_FREE);
}

static int discard_recount_region(struct pkram_region *r)
{
	struct pkram_alloc_region *ar =
		pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
	u32 nr = r->h.nr_gib * PKRAM_GIB_UNITS, unit;
	bool keep = discard_keeps_back();
	unsigned long *owned;

	owned = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	if (!owned)
		return -ENOMEM;
	discard_own_all(r, owned, nr);
	for (unit = 0; unit < nr; unit++) {
		if (unit % PKRAM_GIB_UNITS == 0)
			cond_resched();
		if (!pkram_region_present(r, unit / PKRAM_GIB_UNITS) ||
		    test_bit(unit, owned) || !test_bit(unit, ar->used) ||
		    pkram_space_leaving(r, unit))
			continue;
		if (discard_may_free(r, unit, keep))
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

/* Free the units of an extent, which no other record names. */
static void discard_free_extent(struct pkram_region *r, const struct pkram_extent *e)
{
	u32 unit = e->region_unit, end = unit + e->nr_units, from;
	bool keep = discard_keeps_back();

	while (unit < end) {
		from = unit;
		while (unit < end && discard_may_free(r, unit, keep))
			if (++unit % PKRAM_GIB_UNITS == 0)
				cond_resched();
		if (unit > from)
			pkram_space_free_units(r, from, unit - from);
		else
			unit++;
		cond_resched();
	}
}

/* Free the memory of an object that is not in the tree any more. */
static int discard_free(const struct pkram_object *obj)
{
	const struct pkram_extent *e = obj->rec.extents;
	struct pkram_region *r;
	u32 i;

	/* Memory that was kept back for it may be anywhere. */
	if (obj->shares || (obj->lost && !discard_keeps_back()))
		return pkram_discard_recount();
	for (i = 0; i < obj->rec.nr_extents; i++, e++) {
		r = pkram_regions_find(e->region_id);
		if (r)
			discard_free_extent(r, e);
	}
	return 0;
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
		err = discard_free(obj);
		gone = obj;
	}
	pkram_store_unlock();
	/* Its pair may have kept a unit of records that cannot be read. */
	if (gone)
		pkram_lost_move_records();
	pkram_object_put(gone);
	return err;
}
