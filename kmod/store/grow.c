// SPDX-License-Identifier: GPL-2.0
/* Grow and shrink the pool: see grow.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/rculist.h>
#include <linux/random.h>
#include <linux/uuid.h>
#include "core/unitmap.h"
#include "mem/bad.h"
#include "mem/region.h"
#include "mem/zero.h"
#include "store/commit.h"
#include "store/grow.h"
#include "store/lost.h"
#include "store/objects.h"
#include "store/records.h"
#include "store/regions.h"
#include "store/root.h"
#include "store/space.h"
#include "store/state.h"

static void grow_name_region(struct pkram_region *r)
{
	generate_random_uuid(r->h.region_uuid);
	r->h.region_id = pkram_region_id(r->h.region_uuid);
	if (!pkram_store.exists) {
		generate_random_uuid(pkram_store.uuid);
		pkram_store.seed = pkram_pool_seed(pkram_store.uuid);
		get_random_bytes(r->h.pool_key, sizeof(r->h.pool_key));
	} else {
		memcpy(r->h.pool_key, list_first_entry(&pkram_store.regions, struct pkram_region,
						       list)->h.pool_key,
		       sizeof(r->h.pool_key));
	}
	memcpy(r->h.pool_uuid, pkram_store.uuid, sizeof(r->h.pool_uuid));
	r->h.version = PKRAM_FORMAT_VERSION;
	r->h.created = ktime_get_real_seconds();
}

/* Zero a head, except for the list of bad pages, unless that is empty. */
static void grow_zero_head(struct pkram_region *r)
{
	size_t end = PKRAM_HEAD_BAD_B + PKRAM_BAD_SLOT;

	pkram_bad_zero(r, 0, 0, PKRAM_HEAD_BAD_A);
	if (!READ_ONCE(r->nr_bad))
		pkram_bad_zero(r, 0, PKRAM_HEAD_BAD_A, end - PKRAM_HEAD_BAD_A);
	pkram_bad_zero(r, 0, end, PKRAM_UNIT - end);
}

/*
 * The list may be all that is known of the bad pages. If it was there before, there is
 * one at each moment: of the former region until its header is gone, then the new one.
 */
static void grow_init_head(struct pkram_region *r)
{
	u32 i;

	grow_zero_head(r);
	pkram_bad_write(r);
	for (i = 0; i < r->h.nr_gib; i++)
		pkram_map_init(r->head, r->h.region_id, i);
	pkram_map_set(r->head, r->h.region_id, 0, 1, PKRAM_UNIT_META);
}

/* The first region of a pool has the root's record, which may have changed before. */
static int grow_write_root(struct pkram_region *r)
{
	struct pkram_object *root = pkram_store.root;
	int err;

	err = pkram_records_start(r, &root->rec);
	return err ?: pkram_records_write(&root->rec, &root->loc);
}

/*
 * Make an empty region. It is not visible, neither here nor in a later kernel, before
 * all of it is there: its header is written last.
 */
static int grow_make_region(struct pkram_region *r)
{
	int err;

	/* What broke while the memory was in no region; from here on it is found in this one. */
	pkram_bad_merge_loose(r);
	/* Nothing that is written there would be found again. */
	if (!pkram_bad_head_usable(r))
		return -EHWPOISON;
	grow_name_region(r);
	/* Without memory for that, what the head holds is as it was. */
	err = pkram_regions_know_space(r);
	if (!err) {
		pkram_lost_hold_back(r);
		grow_init_head(r);
	}
	if (!err && !pkram_store.exists) {
		err = grow_write_root(r);
		if (err)
			grow_zero_head(r);
	}
	if (err) {
		pkram_records_drop(r);
		pkram_alloc_remove_region(&pkram_store.al, pkram_region_id_of(r));
		return err;
	}
	pkram_regions_insert(r);
	pkram_regions_write_set(r, NULL);
	pkram_store.exists = true;
	return 0;
}

int pkram_store_grow(struct pkram_region *r)
{
	struct pkram_region *other;
	int err = -EROFS;

	pkram_store_lock();
	list_for_each_entry(other, &pkram_store.regions, list)
		r->h.index = max(r->h.index, other->h.index + 1);
	if (!pkram_store.read_only)
		err = grow_make_region(r);
	pkram_store_unlock();
	return err;
}

/* Shrinking */

/* A bad page is not used again, and the system would not know that it is bad. */
static int grow_check_bad(struct pkram_region *r, u32 first, u32 nr,
			  struct pkram_refusal *refusal)
{
	u32 gib;

	for (gib = first; gib < first + nr; gib++) {
		refusal->nr_bad = pkram_bad_count(r, gib * PKRAM_GIB_UNITS, PKRAM_GIB_UNITS);
		if (!refusal->nr_bad)
			continue;
		refusal->base = pkram_header_gib_addr(&r->h, gib);
		refusal->size = PKRAM_GIB;
		refusal->reason = "contains bad pages";
		return -EHWPOISON;
	}
	return 0;
}

static int grow_may_drop(struct pkram_region *r, u32 first, u32 nr, bool whole,
			 struct pkram_refusal *refusal)
{
	struct pkram_alloc_region *ar =
		pkram_alloc_find(&pkram_store.al, pkram_region_id_of(r));
	u32 gib, used;

	for (gib = first; gib < first + nr; gib++) {
		refusal->base = pkram_header_gib_addr(&r->h, gib);
		refusal->size = PKRAM_GIB;
		if (!pkram_region_present(r, gib)) {
			refusal->reason = "not part of the pool";
			return -ENOENT;
		}
		if (grow_check_bad(r, gib, 1, refusal))
			return -EHWPOISON;
		/* The memory that it is for has been freed since. */
		refusal->reason = "in use by a page fault";
		if (atomic_read(&r->gib[gib].users))
			return -EBUSY;
		/* The next pool writes a new root directory. */
		used = PKRAM_GIB_UNITS - ar->gib_free[gib];
		if (!used || (gib == 0 && whole && used == 1))
			continue;
		refusal->reason = gib ? "in use by objects" : whole ?
			"in use by objects or their records" :
			"holds the region's head: the region's other GiB go first";
		return -EBUSY;
	}
	return 0;
}

/*
 * Erase the root's record if the pool's last region has no other object. Return: whether that
 * ends the pool
 */
static bool grow_erase_root(void)
{
	if (pkram_store.nr_objects || pkram_store.nr_dma_tables ||
	    pkram_store.nr_quarantined ||
	    pkram_store.regions.next != pkram_store.regions.prev)
		return false;
	pkram_object_erase(pkram_store.root);
	return true;
}

static u32 grow_nr_present(const struct pkram_region *r)
{
	u32 gib, n = 0;

	for (gib = 0; gib < r->h.nr_gib; gib++)
		n += pkram_region_present(r, gib);
	return n;
}

static struct pkram_region *grow_region_at(u64 base)
{
	struct pkram_region *r;

	list_for_each_entry(r, &pkram_store.regions, list)
		if (base >= r->h.base &&
		    pkram_region_present(r,
					 (base - r->h.base) >> PKRAM_GIB_SHIFT))
			return r;
	return NULL;
}

/* Remove GiB that are not in use from a region's header. */
static void grow_cut_region(struct pkram_region *r, u32 first, u32 nr)
{
	u32 gib;

	for (gib = first; gib < first + nr; gib++) {
		pkram_alloc_set_gib(&pkram_store.al, pkram_region_id_of(r), gib,
				    false);
		r->h.present[gib / 64] &= ~BIT_ULL(gib % 64);
	}
	while (!pkram_region_present(r, r->h.nr_gib - 1))
		r->h.nr_gib--;
	pkram_region_commit(r);
	pkram_store_new_epoch();
}

/* Prevent the units of GiB that will be removed from being allocated. */
static void grow_hold_units(struct pkram_region *r, u32 unit, u32 nr, bool hold)
{
	u64 id = pkram_region_id_of(r);

	if (hold) {
		/* grow_may_drop() saw that they are free. */
		WARN_ON(pkram_alloc_mark(&pkram_store.al, id, unit, nr));
		pkram_store.nr_in_transit++;
	} else {
		pkram_alloc_free(&pkram_store.al, id, unit, nr);
		pkram_store.nr_in_transit--;
	}
}

static void grow_drop_region(struct pkram_region *r)
{
	lockdep_assert_held(&pkram_store.lock);
	pkram_regions_write_set(NULL, r);
	pkram_regions_remove(r);
	pkram_alloc_remove_region(&pkram_store.al, pkram_region_id_of(r));
	pkram_store.exists = !list_empty(&pkram_store.regions);
	if (!pkram_store.exists)
		pkram_store.nr_missing = 0;
}

/*
 * A page broke when the region was gone already, and its head with the list of such pages
 * zeroed. In a new region it is kept back.
 */
static int grow_make_again(struct pkram_region *r)
{
	int err = pkram_region_populate(r, 0, PKRAM_SLICE_2M);

	if (err)
		return err;
	err = pkram_store_grow(r);
	/* Without a region, the list is at least where the next attempt looks for one. */
	if (err)
		pkram_bad_write(r);
	return err;
}

int pkram_store_shrink(u64 base, u32 nr_gib, struct pkram_region **from,
		       struct pkram_refusal *refusal)
{
	u32 first = 0, gib, unit = 0, nr = 0;
	struct pkram_region *r;
	bool whole = false, ends;
	int err;

	pkram_space_settle();
	pkram_store_lock();
	pkram_space_reap_all();
	r = grow_region_at(base);
	refusal->base = base;
	refusal->size = (u64)nr_gib << PKRAM_GIB_SHIFT;
	refusal->reason = "not part of the pool";
	err = !r ? -ENOENT : pkram_store.read_only ? -EROFS : 0;
	if (!err) {
		first = (base - r->h.base) >> PKRAM_GIB_SHIFT;
		whole = first == 0 && grow_nr_present(r) == nr_gib;
		ends = whole && grow_erase_root();
		pkram_records_trim(r, !ends && !pkram_object_has_last_id());
		err = grow_may_drop(r, first, nr_gib, whole, refusal);
	}
	if (!err) {
		/* Unit 0 of a region is its head. */
		unit = max(first * PKRAM_GIB_UNITS, 1U);
		nr = (first + nr_gib) * PKRAM_GIB_UNITS - unit;
		grow_hold_units(r, unit, nr, true);
	}
	pkram_store_unlock();
	if (err)
		goto out;

	/* The head is populated, so zeroing it cannot fail: do it last. */
	for (gib = max(first, 1U); !err && gib < first + nr_gib; gib++)
		err = pkram_zero_gib(r, gib);
	pkram_store_lock();
	grow_hold_units(r, unit, nr, false);
	/* A page may have become bad meanwhile. */
	refusal->reason = "could not be zeroed and released";
	if (!err)
		err = grow_check_bad(r, first, nr_gib, refusal);
	if (!err && whole)
		grow_drop_region(r);
	else if (!err)
		grow_cut_region(r, first, nr_gib);
	pkram_store_unlock();
	if (err)
		goto out;

	if (whole) {
		synchronize_rcu();
		pkram_zero_gib(r, 0);
		*from = NULL;
		err = grow_check_bad(r, first, nr_gib, refusal);
		if (!err || grow_make_again(r)) {
			pkram_region_close(r, false);
			err = err ? -ENOTRECOVERABLE : 0;
		}
		if (!err)
			return 0;
		goto out;
	}
	err = pkram_region_update_span(r);
	if (err)
		pkram_store_undo_shrink(r, base, nr_gib);
	*from = r;
out:
	/* The root's record may have been erased: write it again. */
	if (err && whole && pkram_root_commit())
		pr_warn("the root directory's record could not be written\n");
	refusal->err = err;
	return err;
}

void pkram_store_undo_shrink(struct pkram_region *r, u64 base, u32 nr_gib)
{
	u32 first = (base - r->h.base) >> PKRAM_GIB_SHIFT, gib;

	pkram_store_lock();
	for (gib = first; gib < first + nr_gib; gib++) {
		r->h.present[gib / 64] |= BIT_ULL(gib % 64);
		pkram_alloc_set_gib(&pkram_store.al, pkram_region_id_of(r), gib,
				    true);
	}
	r->h.nr_gib = max(r->h.nr_gib, first + nr_gib);
	pkram_region_commit(r);
	/* What broke meanwhile */
	pkram_bad_mirror(r);
	pkram_lost_hold_back(r);
	pkram_store_new_epoch();
	pkram_store_unlock();
	if (pkram_region_update_span(r))
		pr_warn("memory at %#llx has no entry in the memory map\n", base);
}
