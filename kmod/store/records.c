// SPDX-License-Identifier: GPL-2.0
/*
 * Records in their slots: free pairs, and the commit. docs/format.md describes
 * what a commit writes, and in which order.
 */
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "core/alloc.h"
#include "core/load.h"
#include "event/count.h"
#include "event/trace.h"
#include "mem/bad.h"
#include "mem/region.h"
#include "store/records.h"
#include "store/regions.h"
#include "store/space.h"
#include "store/state.h"

/**
 * struct pkram_meta - a unit that contains records
 * @node: in store.metas
 * @room: in store.metas_with_room, if a pair is free
 * @r: region
 * @unit: unit in it
 * @large: one pair of large slots, instead of many small ones
 * @dead: a pair cannot hold even a free record: the next kernel would take it for a lost one
 * @nr_used: number of pairs in @used
 * @nr_held: number of pairs in @held
 * @used: pairs in use, or not to be used
 * @held: pairs without a record that are not to be used
 */
struct pkram_meta {
	struct rb_node node;
	struct list_head room;
	struct pkram_region *r;
	u32 unit;
	bool large;
	bool dead;
	u32 nr_used;
	u32 nr_held;
	DECLARE_BITMAP(used, PKRAM_SMALL_PAIRS);
	DECLARE_BITMAP(held, PKRAM_SMALL_PAIRS);
};

static u32 records_pairs(const struct pkram_meta *m)
{
	return m->large ? 1 : PKRAM_SMALL_PAIRS;
}

static u32 records_slot_size(bool large)
{
	return large ? PKRAM_LARGE_SLOT : PKRAM_SMALL_SLOT;
}

static struct pkram_meta *records_entry(struct rb_node *node)
{
	return node ? rb_entry(node, struct pkram_meta, node) : NULL;
}

/* What units are sorted by */
struct records_key {
	u64 region_id;
	u32 unit;
};

static int records_cmp(const void *key, const struct rb_node *node)
{
	const struct pkram_meta *m = rb_entry(node, struct pkram_meta, node);
	const struct records_key *k = key;
	u64 id = pkram_region_id_of(m->r);

	if (k->region_id != id)
		return k->region_id < id ? -1 : 1;
	return k->unit < m->unit ? -1 : k->unit > m->unit;
}

static bool records_less(struct rb_node *node, const struct rb_node *other)
{
	const struct pkram_meta *m = rb_entry(node, struct pkram_meta, node);
	struct records_key key = { pkram_region_id_of(m->r), m->unit };

	return records_cmp(&key, other) < 0;
}

static struct pkram_meta *records_find_meta(u64 region_id, u32 unit)
{
	struct records_key key = { region_id, unit };

	return records_entry(rb_find(&key, &pkram_store.metas, records_cmp));
}

static struct pkram_meta *records_first_meta(void)
{
	return records_entry(rb_first(&pkram_store.metas));
}

/* A region has room for 832, so that each walk lets others have the CPU. */
static struct pkram_meta *records_next_meta(struct pkram_meta *m)
{
	cond_resched();
	return records_entry(rb_next(&m->node));
}

/*
 * Pairs that are in use, or are free again. Units that are in part use come first, and
 * empty ones last, so that these can be given back.
 */
static void records_set_used(struct pkram_meta *m, u32 pair, bool used)
{
	struct list_head *with_room = &pkram_store.metas_with_room[m->large];

	if (used == test_bit(pair, m->used))
		return;
	if (used) {
		__set_bit(pair, m->used);
		if (++m->nr_used == records_pairs(m))
			list_del_init(&m->room);
		else if (m->nr_used == 1)
			list_move(&m->room, with_room);
	} else {
		__clear_bit(pair, m->used);
		if (--m->nr_used)
			list_move(&m->room, with_room);
		else
			list_move_tail(&m->room, with_room);
	}
}

static void *records_slot_a(const struct pkram_meta *m, u32 pair)
{
	return pkram_region_unit_addr(m->r, m->unit) +
	       (size_t)pair * 2 * records_slot_size(m->large);
}

static u32 records_slot_pages(const struct pkram_meta *m)
{
	return records_slot_size(m->large) / PKRAM_BAD_PAGE;
}

/* The first page of slot A of a pair, in the region */
static u32 records_pair_page(const struct pkram_meta *m, u32 pair)
{
	return m->unit * PKRAM_UNIT_PAGES + pair * 2 * records_slot_pages(m);
}

static bool records_pages_bad(const struct pkram_meta *m, u32 first, u32 pages)
{
	u32 nr;

	pkram_bad_next(m->r, first, first + pages, &nr);
	return nr;
}

/* Return whether a slot of a pair has a bad page. */
static bool records_pair_bad(const struct pkram_meta *m, u32 pair)
{
	return records_pages_bad(m, records_pair_page(m, pair), 2 * records_slot_pages(m));
}

/* Return whether one slot of a pair, or both, can hold a record of @len bytes. */
static bool records_pair_holds(const struct pkram_meta *m, u32 pair, u32 len)
{
	u32 a = records_pair_page(m, pair), pages = DIV_ROUND_UP(len, PKRAM_BAD_PAGE);

	return !records_pages_bad(m, a, pages) ||
	       !records_pages_bad(m, a + records_slot_pages(m), pages);
}

/* Return whether a free record can be read from neither slot of a pair. */
static bool records_pair_dead(const struct pkram_meta *m, u32 pair)
{
	return !records_pair_holds(m, pair, 1);
}

/*
 * Write a record to both slots of a pair. What is in them says which is written first,
 * and what the number goes on from: whatever the pair held before, and whatever happened
 * to its slots since, a cut leaves the old content or the new.
 */
static void records_write_pair(const struct pkram_meta *m, u32 pair,
			       struct pkram_record *rec)
{
	u32 size = records_slot_size(m->large);
	void *a = records_slot_a(m, pair);
	size_t len;
	u64 last;
	int cur;

	last = pkram_record_last_seq(a, size, pkram_store.seed, &cur);
	rec->seq = max(rec->seq, last) + 1;
	len = pkram_record_encode(pkram_store.scratch, rec, pkram_store.seed);
	pkram_pair_commit(a, a + size, cur, pkram_store.scratch, len);
}

/* Do not use a pair that has no record. */
static void records_hold(struct pkram_meta *m, u32 pair)
{
	records_set_used(m, pair, true);
	if (!__test_and_set_bit(pair, m->held))
		m->nr_held++;
}

/* @id: of the last object there, so that a later kernel does not reuse it */
static void records_write_free(const struct pkram_meta *m, u32 pair, u64 id)
{
	struct pkram_record *rec = pkram_store.free_record;

	rec->kind = PKRAM_KIND_FREE;
	rec->seq = 0;
	rec->id = id;
	records_write_pair(m, pair, rec);
}

static struct pkram_meta *records_meta_with_room(bool large)
{
	return list_first_entry_or_null(&pkram_store.metas_with_room[large],
					struct pkram_meta, room);
}

static struct pkram_meta *records_add_meta(struct pkram_region *r, u32 unit,
					   bool large)
{
	struct pkram_meta *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	m->r = r;
	m->unit = unit;
	m->large = large;
	rb_add(&m->node, &pkram_store.metas, records_less);
	list_add_tail(&m->room, &pkram_store.metas_with_room[large]);
	return m;
}

static void records_drop_meta(struct pkram_meta *m)
{
	rb_erase(&m->node, &pkram_store.metas);
	list_del_init(&m->room);
	kfree(m);
}

/*
 * Allocate a unit for records; prefers GiB that are populated already. -ERESTART: release the
 * lock and come again. @left: of pkram_space_reap()
 */
static int records_take_meta_unit(struct pkram_region **rp, u32 *unit, u32 *left)
{
	struct pkram_alloc_request req = {
		.obj_unit = 1,	/* not the start of a GiB */
		.nr_units = 1,
		.node = PKRAM_NO_NODE,
	};
	struct pkram_extent ext;
	struct pkram_region *r;
	int n;

	if (!pkram_store.al.nr_free && !pkram_space_reap(left) && *left)
		return -ERESTART;
	if (pkram_space_worth_waiting(1, 0))
		return -EINPROGRESS;
	n = pkram_alloc_get(&pkram_store.al, &req, &ext, 1);
	if (n < 0)
		return n;
	r = pkram_regions_find(ext.region_id);
	if (r->h.nr_meta >= PKRAM_REGION_MAX_META) {
		pkram_alloc_free(&pkram_store.al, ext.region_id,
				 ext.region_unit, 1);
		return -ENOSPC;
	}
	*rp = r;
	*unit = ext.region_unit;
	return 0;
}

/*
 * Fill a unit with free records, and add it to the header, which the caller writes. A page
 * that breaks once the map calls the unit metadata is not accessed any more.
 * Return: 0; -EHWPOISON one has broken before; others
 */
static int records_format_meta_unit(struct pkram_region *r, u32 unit,
				    bool large)
{
	struct pkram_meta *m;
	u32 pair;
	int err;

	m = records_add_meta(r, unit, large);
	if (!m)
		return -ENOMEM;
	err = pkram_region_map_set(r, unit, 1, PKRAM_UNIT_META);
	if (!err && pkram_bad_units(r, unit, 1)) {
		pkram_region_map_set(r, unit, 1, PKRAM_UNIT_FREE);
		err = -EHWPOISON;
	}
	if (err) {
		records_drop_meta(m);
		return err;
	}
	pkram_bad_zero(r, unit, 0, PKRAM_UNIT);
	for (pair = 0; pair < records_pairs(m); pair++)
		records_write_free(m, pair, 0);
	r->h.meta[r->h.nr_meta++] = unit | (large ? PKRAM_META_LARGE : 0);
	return 0;
}

int pkram_records_start(struct pkram_region *r, const struct pkram_record *rec)
{
	u32 unit = 1;
	int err;

	lockdep_assert_held(&pkram_store.lock);
	/* In the GiB of the head, which is populated */
	while (unit < PKRAM_GIB_UNITS && pkram_bad_units(r, unit, 1))
		unit++;
	if (unit == PKRAM_GIB_UNITS)
		return -ENOSPC;
	err = pkram_alloc_mark(&pkram_store.al, pkram_region_id_of(r), unit, 1);
	return err ?: records_format_meta_unit(r, unit, pkram_record_len(rec) >
					       PKRAM_SMALL_SLOT);
}

/* Take a unit for records unless a pair is free. Return: 1: one was taken; 0; or error */
static int records_ensure_unit(bool large, struct pkram_region **r, u32 *unit, u32 *left)
{
	int err;

	pkram_store_lock();
	if (records_meta_with_room(large)) {
		pkram_store_unlock();
		return 0;
	}
	err = pkram_store.read_only ? -EROFS : records_take_meta_unit(r, unit, left);
	if (!err)
		pkram_store.nr_in_transit++;
	pkram_store_unlock();
	return err ?: 1;
}

/* Make a unit of records of one that was taken. Return: 1: it broke meanwhile; 0; or error */
static int records_add_unit(struct pkram_region *r, u32 unit, bool large)
{
	int err;

	/* The unit is taken, so its GiB stays populated the same way. */
	err = pkram_region_populate(r, unit / PKRAM_GIB_UNITS, PKRAM_SLICE_2M);

	pkram_store_lock();
	pkram_store.nr_in_transit--;
	if (!err)
		err = records_format_meta_unit(r, unit, large);
	/* The unit is valid before the header names it: a cut leaves a free unit. */
	if (!err) {
		pkram_region_commit(r);
	} else {
		if (pkram_bad_units(r, unit, 1)) {
			pkram_alloc_set_bad(&pkram_store.al, pkram_region_id_of(r), unit);
			err = 1;
		}
		pkram_alloc_free(&pkram_store.al, pkram_region_id_of(r), unit, 1);
	}
	pkram_store_unlock();
	return err;
}

int pkram_records_ensure(bool large)
{
	u32 unit, left = U32_MAX;
	struct pkram_region *r;
	int err;

	do {
		cond_resched();
		err = records_ensure_unit(large, &r, &unit, &left);
		if (err == -EINPROGRESS)
			pkram_space_wait();
		else if (err > 0)
			err = records_add_unit(r, unit, large);
	} while (err > 0 || err == -EINPROGRESS || err == -ERESTART);
	return err;
}

int pkram_records_ensure_wanted(void)
{
	return pkram_records_ensure(READ_ONCE(pkram_store.wanted_large));
}

/* Find a good pair in a unit that is to be given up. */
static struct pkram_meta *records_find_spare(bool large, u32 *pair)
{
	struct pkram_meta *m;

	for (m = records_first_meta(); m; m = records_next_meta(m)) {
		if (m->large != large || !m->nr_held)
			continue;
		for (*pair = 0; *pair < records_pairs(m); (*pair)++)
			if (test_bit(*pair, m->held) && !records_pair_bad(m, *pair))
				return m;
	}
	return NULL;
}

/* @last: one in a unit that is to be given up will do if no memory is left for another unit */
static int records_take_pair(bool large, bool last, struct pkram_location *loc)
{
	struct pkram_meta *m = records_meta_with_room(large);
	u32 pair;

	if (m) {
		pair = find_first_zero_bit(m->used, records_pairs(m));
		records_set_used(m, pair, true);
	} else if (last && !pkram_store.al.nr_free && !pkram_store.nr_leaving) {
		m = records_find_spare(large, &pair);
		if (m) {
			__clear_bit(pair, m->held);
			m->nr_held--;
		}
	}
	if (!m) {
		pkram_store.wanted_large = large;
		return -EAGAIN;
	}
	*loc = (struct pkram_location){
		.region_id = pkram_region_id_of(m->r),
		.unit = m->unit,
		.pair = pair,
		.large = large,
	};
	return 0;
}

void pkram_records_free(const struct pkram_location *loc, u64 id)
{
	struct pkram_meta *m = records_find_meta(loc->region_id, loc->unit);

	lockdep_assert_held(&pkram_store.lock);
	records_write_free(m, loc->pair, id);
	pkram_count(PKRAM_COUNT_COMMITS);
	trace_pkram_commit(id, PKRAM_KIND_FREE, pkram_store.free_record->seq, m->large, false);
	if (m->dead || records_pair_bad(m, loc->pair))
		records_hold(m, loc->pair);
	else
		records_set_used(m, loc->pair, false);
}

bool pkram_records_in_bad(const struct pkram_location *loc)
{
	return records_pair_bad(records_find_meta(loc->region_id, loc->unit), loc->pair);
}

bool pkram_records_must_move(const struct pkram_location *loc)
{
	const struct pkram_meta *m = records_find_meta(loc->region_id, loc->unit);

	return m->dead || records_pair_bad(m, loc->pair);
}

void pkram_records_hold_back(struct pkram_region *r)
{
	struct pkram_meta *m;
	u32 pair;

	lockdep_assert_held(&pkram_store.lock);
	for (m = records_first_meta(); m; m = records_next_meta(m)) {
		if (m->r != r || !pkram_bad_units(r, m->unit, 1))
			continue;
		for (pair = 0; pair < records_pairs(m); pair++)
			m->dead |= records_pair_dead(m, pair);
		for (pair = 0; pair < records_pairs(m); pair++)
			if (!test_bit(pair, m->used) &&
			    (m->dead || records_pair_bad(m, pair)))
				records_hold(m, pair);
	}
}

void pkram_records_forget_use(void)
{
	struct pkram_meta *m;

	lockdep_assert_held(&pkram_store.lock);
	for (m = records_first_meta(); m; m = records_next_meta(m)) {
		bitmap_zero(m->used, PKRAM_SMALL_PAIRS);
		bitmap_zero(m->held, PKRAM_SMALL_PAIRS);
		m->nr_used = 0;
		m->nr_held = 0;
		m->dead = false;
		list_move_tail(&m->room, &pkram_store.metas_with_room[m->large]);
	}
}

void pkram_records_use(const struct pkram_location *loc)
{
	struct pkram_meta *m = records_find_meta(loc->region_id, loc->unit);

	lockdep_assert_held(&pkram_store.lock);
	records_set_used(m, loc->pair, true);
}

void pkram_records_mirror(const struct pkram_location *loc)
{
	struct pkram_meta *m = records_find_meta(loc->region_id, loc->unit);

	lockdep_assert_held(&pkram_store.lock);
	pkram_record_mirror(records_slot_a(m, loc->pair), records_slot_size(m->large),
			    pkram_store.seed, pkram_store.scratch);
}

bool pkram_records_large(const struct pkram_record *rec, const struct pkram_location *at)
{
	/* A DMA table that loses entries must not need a new pair for that. */
	return pkram_record_len(rec) > PKRAM_SMALL_SLOT ||
	       (at->large && rec->kind == PKRAM_KIND_DMA_TABLE);
}

/*
 * Without another pair a record stays that became small, because cutting needs no memory;
 * and so does one with a bad page, if that leaves a slot for it.
 */
static bool records_may_stay(const struct pkram_location *at, bool large, u32 len)
{
	return at->region_id && (at->large || !large) &&
	       records_pair_holds(records_find_meta(at->region_id, at->unit), at->pair, len);
}

int pkram_records_write(struct pkram_record *rec,
			struct pkram_location *at)
{
	struct pkram_location old = *at, loc = *at;
	bool large = pkram_records_large(rec, at), stays, moves;
	u32 len = pkram_record_len(rec);
	int err;

	lockdep_assert_held(&pkram_store.lock);
	if (len > PKRAM_LARGE_SLOT)
		return -EFBIG;
	/* A cut would leave nothing of a record that has only one slot. */
	moves = !old.region_id || old.large != large || pkram_records_must_move(&old);
	if (moves) {
		stays = records_may_stay(&old, large, len);
		err = records_take_pair(large, !stays || pkram_records_in_bad(&old), &loc);
		if (err && !stays)
			return err;
		moves = !err;
	}
	records_write_pair(records_find_meta(loc.region_id, loc.unit), loc.pair, rec);
	pkram_count(PKRAM_COUNT_COMMITS);
	trace_pkram_commit(rec->id, rec->kind, rec->seq, loc.large, moves);
	*at = loc;
	/* A cut here leaves two records of one id; the higher seq counts. */
	if (moves && old.region_id)
		pkram_records_free(&old, rec->id);
	return 0;
}

int pkram_records_load(struct pkram_region *r)
{
	u32 i;

	lockdep_assert_held(&pkram_store.lock);
	for (i = 0; i < r->h.nr_meta; i++, cond_resched())
		if (!records_add_meta(r, pkram_header_meta_unit(&r->h, i),
				      pkram_header_meta_large(&r->h, i)))
			return -ENOMEM;
	return 0;
}

/* Return whether a unit is to leave the region's list. */
static bool records_useless(const struct pkram_meta *m, bool dead)
{
	return dead ? m->dead && m->nr_used == m->nr_held : !m->nr_used;
}

static void records_write_last_id(const struct pkram_meta *m, u32 pair)
{
	records_write_free(m, pair, pkram_store.next_id - 1);
}

/*
 * Keep the highest id when units are freed that have it in a free pair. Return: false there is no
 * other place for it
 */
static bool records_keep_last_id(bool dead)
{
	struct pkram_meta *m;
	u32 pair;

	for (m = records_first_meta(); m; m = records_next_meta(m)) {
		if (records_useless(m, dead) || m->nr_used == records_pairs(m))
			continue;
		pair = find_first_zero_bit(m->used, records_pairs(m));
		records_write_last_id(m, pair);
		return true;
	}
	return false;
}

/* A unit of a region that is to leave its list, or NULL */
static struct pkram_meta *records_find_useless(struct pkram_region *r, bool dead)
{
	struct pkram_meta *m;

	for (m = records_first_meta(); m; m = records_next_meta(m))
		if (m->r == r && records_useless(m, dead))
			return m;
	return NULL;
}

/*
 * Free those units of a region that contain no record: the dead ones, or the others.
 * @keep_id: see pkram_records_trim(). Return: whether one stays for the last id
 */
static bool records_free_units(struct pkram_region *r, bool dead, bool keep_id)
{
	struct pkram_meta *m, *next, *stays = NULL;
	u32 i, pair = 0, n = 0;

	lockdep_assert_held(&pkram_store.lock);
	m = records_find_useless(r, dead);
	if (!m)
		return false;
	if (keep_id && !records_keep_last_id(dead)) {
		stays = m;
		while (pair + 1 < records_pairs(m) && records_pair_bad(m, pair))
			pair++;
		records_write_last_id(m, pair);
	}
	for (i = 0; i < r->h.nr_meta; i++, cond_resched()) {
		m = records_find_meta(pkram_region_id_of(r),
				      pkram_header_meta_unit(&r->h, i));
		if (m == stays || !records_useless(m, dead))
			r->h.meta[n++] = r->h.meta[i];
	}
	r->h.nr_meta = n;
	pkram_region_commit(r);
	for (m = records_first_meta(); m; m = next) {
		next = records_next_meta(m);
		if (m->r != r || m == stays || !records_useless(m, dead))
			continue;
		pkram_region_map_set(r, m->unit, 1, PKRAM_UNIT_FREE);
		/* One with a bad page stays taken. */
		pkram_alloc_free(&pkram_store.al, pkram_region_id_of(r),
				 m->unit, 1);
		records_drop_meta(m);
	}
	return stays;
}

void pkram_records_trim(struct pkram_region *r, bool keep_id)
{
	records_free_units(r, false, keep_id);
}

bool pkram_records_drop_dead(struct pkram_region *r, bool keep_id)
{
	return records_free_units(r, true, keep_id);
}

void pkram_records_drop(struct pkram_region *r)
{
	struct pkram_meta *m, *next;

	lockdep_assert_held(&pkram_store.lock);
	for (m = records_first_meta(); m; m = next) {
		next = records_next_meta(m);
		if (m->r == r)
			records_drop_meta(m);
	}
}
