// SPDX-License-Identifier: GPL-2.0
/* The units of records that are loaded: in a region, not shared, and taken; see load.c. */
#include "core/load.h"
#include "core/load_private.h"
#include "core/unitmap.h"

static int load_units_cmp_region(const void *a, const void *b)
{
	return pkram_load_cmp_u64(((const struct region_ref *)a)->id,
			    ((const struct region_ref *)b)->id);
}

static int load_units_cmp_run(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	pkram_env_pause();
	return pkram_load_cmp_u64(x->region, y->region) ?: pkram_load_cmp_u64(x->start, y->start) ?:
	       pkram_load_cmp_u64(x->item, y->item);
}

/* The first verdict stays: it is the closest to the cause. */
void pkram_load_condemn(struct pkram_loaded *it, enum pkram_bad bad, u64 other)
{
	if (it->bad)
		return;
	it->bad = bad;
	it->other = other;
	it->is_void = false;
}

/* Extents against regions */

static struct region_ref *load_units_find_region(struct loader *l, u64 id)
{
	struct region_ref key = { .id = id };

	return bsearch(&key, l->regions, l->nr_regions, sizeof(key),
		       load_units_cmp_region);
}

static int load_units_count_bits(struct unit_bits *b, const unsigned long *bits, u32 nr)
{
	u32 i, words = nr / BITS_PER_LONG;

	b->bits = bits;
	b->before = pkram_alloc_mem((words + 1) * sizeof(*b->before));
	if (!b->before)
		return -ENOMEM;
	b->before[0] = 0;
	for (i = 0; i < words; i++)
		b->before[i + 1] = b->before[i] + hweight_long(bits[i]);
	return 0;
}

/* How many bits are set before one */
static u32 load_units_bits_before(const struct unit_bits *b, u32 bit)
{
	u32 word = bit / BITS_PER_LONG, rest = bit % BITS_PER_LONG;

	if (!rest)
		return b->before[word];
	return b->before[word] + hweight_long(b->bits[word] & (BIT(rest) - 1));
}

static bool load_units_any_bit(const struct unit_bits *b, u32 start, u32 end)
{
	return load_units_bits_before(b, start) != load_units_bits_before(b, end);
}

void pkram_load_sort_regions(struct loader *l)
{
	sort(l->regions, l->nr_regions, sizeof(*l->regions), load_units_cmp_region, NULL);
}

/* No object has taken any unit yet. */
int pkram_load_index_region(struct region_ref *ref)
{
	u32 nr = ref->ar->nr_units, word, i, states;
	int ret;

	ret = load_units_count_bits(&ref->used, ref->ar->used, nr);
	ref->map = pkram_alloc_mem(BITS_TO_LONGS(nr) * sizeof(long));
	if (ret || !ref->map)
		return -ENOMEM;
	bitmap_zero(ref->map, nr);
	for (word = 0; word < nr / PKRAM_MAP_WORD_UNITS; word++, pkram_env_pause()) {
		if (!test_bit(word / PKRAM_GIB_MAP_WORDS, ref->ar->present))
			continue;
		if (pkram_map_word(ref->lr->base, ref->id, word, &states))
			states = 0;
		for (i = 0; i < PKRAM_MAP_WORD_UNITS; i++, states >>= 2)
			if ((states & 3) != PKRAM_UNIT_STALE &&
			    (states & 3) != PKRAM_UNIT_WRITTEN)
				__set_bit(word * PKRAM_MAP_WORD_UNITS + i, ref->map);
	}
	return load_units_count_bits(&ref->unowned, ref->map, nr);
}

static bool load_units_units_usable(const struct region_ref *ref, u32 start, u32 end)
{
	return end <= ref->ar->nr_units && !load_units_any_bit(&ref->used, start, end);
}

static enum pkram_bad load_units_check_extent(struct loader *l,
					      const struct pkram_extent *e)
{
	struct region_ref *ref = load_units_find_region(l, e->region_id);
	u32 end;

	if (!ref)
		return PKRAM_BAD_REGION;
	if (!e->nr_units ||
	    check_add_overflow(e->region_unit, e->nr_units, &end) ||
	    !load_units_units_usable(ref, e->region_unit, end))
		return PKRAM_BAD_EXTENT;
	if (load_units_any_bit(&ref->unowned, e->region_unit, end))
		return PKRAM_BAD_MAP;
	return PKRAM_OK;
}

/*
 * The object claims more units than exist, so some of them twice. Check this
 * first: looking at every unit of such a record could take too long. Extents in
 * missing regions are ignored.
 */
static bool load_units_claims_too_much(struct loader *l, const struct pkram_loaded *it)
{
	u64 total = 0, claimed = 0;
	u32 i;

	for (i = 0; i < l->nr_regions; i++)
		total += l->regions[i].ar->nr_units;
	for (i = 0; i < it->rec.nr_extents; i++, pkram_env_pause())
		if (load_units_find_region(l, it->rec.extents[i].region_id))
			claimed += it->rec.extents[i].nr_units;
	return claimed > total;
}

void pkram_load_check_extents(struct loader *l)
{
	struct pkram_loaded *it;
	u32 i, j;

	for (i = 0; i < l->res->nr; i++, pkram_env_pause()) {
		it = &l->res->items[i];
		if (load_units_claims_too_much(l, it))
			pkram_load_condemn(it, PKRAM_BAD_EXTENT, 0);
		for (j = 0; !it->bad && j < it->rec.nr_extents; j++, pkram_env_pause())
			it->bad = load_units_check_extent(l, &it->rec.extents[j]);
	}
}

/* Overlaps */

static void load_units_collect_item(struct loader *l, u32 item)
{
	struct pkram_loaded *it = &l->res->items[item];
	const struct pkram_extent *e = it->rec.extents;
	bool greedy = load_units_claims_too_much(l, it);
	struct region_ref *ref;
	bool sure;
	u64 end;
	u32 i;

	for (i = 0; i < it->rec.nr_extents; i++, e++, pkram_env_pause()) {
		ref = load_units_find_region(l, e->region_id);
		if (!ref)
			continue;
		end = (u64)e->region_unit + e->nr_units;
		sure = !greedy && e->nr_units && end <= ref->ar->nr_units &&
		       load_units_units_usable(ref, e->region_unit, (u32)end);
		it->shares |= !sure;
		if (e->region_unit >= ref->ar->nr_units || !e->nr_units)
			continue;
		end = min_t(u64, end, ref->ar->nr_units);
		l->runs[l->nr_runs++] = (struct run) {
			.region = (u32)(ref - l->regions),
			.start = e->region_unit,
			.end = (u32)end,
			.item = item,
			.sure = sure,
		};
	}
}

int pkram_load_collect_runs(struct loader *l)
{
	u64 nr = 0;
	u32 i;

	for (i = 0; i < l->res->nr; i++, pkram_env_pause())
		nr += l->res->items[i].rec.nr_extents;
	l->runs = pkram_alloc_mem((nr + 1) * sizeof(*l->runs));
	if (!l->runs)
		return -ENOMEM;
	for (i = 0; i < l->res->nr; i++, pkram_env_pause())
		if (!l->res->items[i].is_void)
			load_units_collect_item(l, i);
	sort(l->runs, l->nr_runs, sizeof(*l->runs), load_units_cmp_run, NULL);
	return 0;
}

/*
 * One sweep that remembers the run with the highest end: each run that begins
 * before that end overlaps it. Only possible extents count, so that an impossible
 * one does not affect good objects.
 */
void pkram_load_check_overlaps(struct loader *l)
{
	struct pkram_loaded *items = l->res->items;
	struct run *far = NULL, *r;

	for (r = l->runs; r < l->runs + l->nr_runs; r++, pkram_env_pause()) {
		if (!r->sure)
			continue;
		if (far && far->region == r->region && r->start < far->end) {
			pkram_load_condemn(&items[r->item], PKRAM_BAD_OVERLAP,
					   items[far->item].rec.id);
			pkram_load_condemn(&items[far->item], PKRAM_BAD_OVERLAP,
					   items[r->item].rec.id);
			if (r->end <= far->end)
				continue;
		}
		far = r;
	}
}

/* Taking units */

static void load_units_take_free(struct loader *l, struct pkram_alloc_region *ar,
				 u32 start, u32 end)
{
	u32 from, to;

	for (; start < end; start = to) {
		from = find_next_zero_bit(ar->used, end, start);
		if (from >= end)
			return;
		to = find_next_bit(ar->used, end, from);
		pkram_alloc_mark(l->al, ar->id, from, to - from);
	}
}

/* As above, with all that is claimed: what is discarded may then free no more than its own. */
static void load_units_note_shared(struct loader *l)
{
	struct pkram_loaded *items = l->res->items;
	struct run *far = NULL, *r;

	for (r = l->runs; r < l->runs + l->nr_runs; r++, pkram_env_pause()) {
		if (far && far->region == r->region && r->start < far->end) {
			items[r->item].shares = true;
			items[far->item].shares = true;
			if (r->end <= far->end)
				continue;
		}
		far = r;
	}
}

/* Runs are sorted: units below @done were processed, so each unit is seen once. */
void pkram_load_take_runs(struct loader *l)
{
	u32 region = ~0U, done = 0;
	struct run *r;

	load_units_note_shared(l);
	for (r = l->runs; r < l->runs + l->nr_runs; r++, pkram_env_pause()) {
		if (r->region != region)
			done = 0;
		region = r->region;
		done = max(done, r->start);
		if (done >= r->end)
			continue;
		load_units_take_free(l, l->regions[region].ar, done, r->end);
		done = r->end;
	}
}

static void load_units_take_unowned_word(struct loader *l, struct region_ref *ref, u32 word)
{
	u32 unit = word * PKRAM_MAP_WORD_UNITS;
	u32 states, i;

	if (pkram_map_word(ref->lr->base, ref->id, word, &states))
		states = ~0U;
	else if (!l->res->lost)
		return;
	for (i = 0; states && i < PKRAM_MAP_WORD_UNITS; i++, states >>= 2)
		if (states & 3)
			load_units_take_free(l, ref->ar, unit + i, unit + i + 1);
}

/*
 * If the map is damaged, no unit of that word can be allocated, because the bytes
 * could not be marked as old. If the extents of some record are unknown, all units
 * that the map does not mark as free may belong to it.
 */
void pkram_load_take_unowned(struct loader *l, struct region_ref *ref)
{
	u32 gib, word;

	for (gib = 0; gib < ref->ar->nr_units / PKRAM_GIB_UNITS; gib++, pkram_env_pause()) {
		if (!test_bit(gib, ref->ar->present))
			continue;
		for (word = 0; word < PKRAM_GIB_MAP_WORDS; word++)
			load_units_take_unowned_word(l, ref, gib * PKRAM_GIB_MAP_WORDS +
					       word);
	}
}
