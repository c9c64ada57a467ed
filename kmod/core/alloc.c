// SPDX-License-Identifier: GPL-2.0
/*
 * The extent allocator. It keeps whole GiB free as long as possible, because only
 * these give 1G leaves and only these can be given back to the kernel.
 */
#include "core/alloc.h"

static u32 alloc_gib_of(u32 unit)
{
	return unit / PKRAM_GIB_UNITS;
}

static u32 alloc_region_gibs(const struct pkram_alloc_region *r)
{
	return alloc_gib_of(r->nr_units);
}

/* Regions */

/* Allocate the struct, the bitmaps and the counters as one piece of memory. */
static struct pkram_alloc_region *alloc_region_new(u32 nr_gib)
{
	u32 nr_units = nr_gib * PKRAM_GIB_UNITS;
	size_t used = BITS_TO_LONGS(nr_units) * sizeof(long);
	size_t present = BITS_TO_LONGS(nr_gib) * sizeof(long);
	struct pkram_alloc_region *r;

	r = pkram_alloc_mem(sizeof(*r) + 2 * used + present +
			    nr_gib * sizeof(*r->gib_free));
	if (!r)
		return NULL;
	memset(r, 0, sizeof(*r));
	r->used = (void *)(r + 1);
	r->bad = (void *)r->used + used;
	r->present = (void *)r->bad + used;
	r->gib_free = (void *)r->present + present;
	r->nr_units = nr_units;
	return r;
}

struct pkram_alloc_region *pkram_alloc_find(const struct pkram_alloc *al,
					    u64 id)
{
	struct pkram_alloc_region *r;

	for (r = al->regions; r; r = r->next)
		if (r->id == id)
			return r;
	return NULL;
}

int pkram_alloc_add_region(struct pkram_alloc *al, u64 id, int node,
			   u32 nr_gib, const u64 *present)
{
	struct pkram_alloc_region *r, **link;
	u32 gib;

	if (!nr_gib || nr_gib > PKRAM_REGION_MAX_GIB)
		return -EINVAL;
	if (pkram_alloc_find(al, id))
		return -EEXIST;
	r = alloc_region_new(nr_gib);
	if (!r)
		return -ENOMEM;
	r->id = id;
	r->node = node;
	bitmap_set(r->used, 0, r->nr_units);
	bitmap_zero(r->bad, r->nr_units);
	bitmap_zero(r->present, nr_gib);
	memset(r->gib_free, 0, nr_gib * sizeof(*r->gib_free));
	for (link = &al->regions; *link; link = &(*link)->next)
		;
	*link = r;
	for (gib = 0; gib < nr_gib; gib++)
		if (present[gib / 64] >> (gib % 64) & 1)
			pkram_alloc_set_gib(al, id, gib, true);
	return 0;
}

void pkram_alloc_remove_region(struct pkram_alloc *al, u64 id)
{
	struct pkram_alloc_region *r, **link;

	for (link = &al->regions; *link; link = &(*link)->next) {
		r = *link;
		if (r->id != id)
			continue;
		*link = r->next;
		al->nr_free -= r->nr_free;
		pkram_free_mem(r);
		return;
	}
}

void pkram_alloc_destroy(struct pkram_alloc *al)
{
	while (al->regions)
		pkram_alloc_remove_region(al, al->regions->id);
}

bool pkram_alloc_gib_idle(const struct pkram_alloc_region *r, u32 gib)
{
	return gib && gib < alloc_region_gibs(r) &&
	       r->gib_free[gib] == PKRAM_GIB_UNITS;
}

static void alloc_count_free(struct pkram_alloc *al, struct pkram_alloc_region *r,
			     u32 gib, int delta)
{
	r->gib_free[gib] += delta;
	r->nr_free += delta;
	al->nr_free += delta;
}

int pkram_alloc_set_gib(struct pkram_alloc *al, u64 id, u32 gib, bool present)
{
	struct pkram_alloc_region *r = pkram_alloc_find(al, id);

	if (!r || gib >= alloc_region_gibs(r))
		return -ENOENT;
	if (present) {
		if (__test_and_set_bit(gib, r->present))
			return -EBUSY;
		pkram_alloc_free(al, id, gib * PKRAM_GIB_UNITS, PKRAM_GIB_UNITS);
		return 0;
	}
	if (!pkram_alloc_gib_idle(r, gib))
		return -EBUSY;
	__clear_bit(gib, r->present);
	bitmap_set(r->used, gib * PKRAM_GIB_UNITS, PKRAM_GIB_UNITS);
	alloc_count_free(al, r, gib, -(int)PKRAM_GIB_UNITS);
	return 0;
}

/* Marking runs */

static bool alloc_run_in_region(const struct pkram_alloc_region *r, u32 unit, u32 nr)
{
	return unit < r->nr_units && nr <= r->nr_units - unit;
}

/* Flip a run that is all free or all taken, GiB by GiB to update the counters. */
static void alloc_flip_run(struct pkram_alloc *al, struct pkram_alloc_region *r,
			   u32 unit, u32 nr, bool take)
{
	u32 n;

	for (; nr; unit += n, nr -= n) {
		n = min(nr, PKRAM_GIB_UNITS - unit % PKRAM_GIB_UNITS);
		if (take)
			bitmap_set(r->used, unit, n);
		else
			bitmap_clear(r->used, unit, n);
		alloc_count_free(al, r, alloc_gib_of(unit), take ? -(int)n : (int)n);
	}
}

int pkram_alloc_mark(struct pkram_alloc *al, u64 id, u32 unit, u32 nr)
{
	struct pkram_alloc_region *r = pkram_alloc_find(al, id);

	if (!r)
		return -ENOENT;
	if (!alloc_run_in_region(r, unit, nr))
		return -ERANGE;
	if (find_next_bit(r->used, unit + nr, unit) < unit + nr)
		return -EEXIST;
	alloc_flip_run(al, r, unit, nr, true);
	return 0;
}

void pkram_alloc_free(struct pkram_alloc *al, u64 id, u32 unit, u32 nr)
{
	struct pkram_alloc_region *r = pkram_alloc_find(al, id);
	u32 end, from, to;

	if (!r || !alloc_run_in_region(r, unit, nr))
		return;
	/*
	 * Ignore units that are free or absent already: a wrong caller must not
	 * cause memory to be allocated twice, or absent memory to be allocated.
	 */
	for (end = unit + nr; unit < end; unit = to) {
		from = find_next_bit(r->used, end, unit);
		if (from >= end)
			return;
		to = find_next_zero_bit(r->used, end, from);
		to = min(to, (alloc_gib_of(from) + 1) * PKRAM_GIB_UNITS);
		if (test_bit(from, r->bad)) {
			to = from + 1;
			continue;
		}
		to = find_next_bit(r->bad, to, from);
		if (test_bit(alloc_gib_of(from), r->present))
			alloc_flip_run(al, r, from, to - from, false);
	}
}

void pkram_alloc_set_bad(struct pkram_alloc *al, u64 id, u32 unit)
{
	struct pkram_alloc_region *r = pkram_alloc_find(al, id);

	if (!r || unit >= r->nr_units || __test_and_set_bit(unit, r->bad))
		return;
	if (!test_bit(unit, r->used))
		alloc_flip_run(al, r, unit, 1, true);
}

/* Searching */

struct grant {
	struct pkram_alloc *al;
	struct pkram_extent *out;
	u32 nr;
	u32 max;
};

static int alloc_grant_add(struct grant *g, struct pkram_alloc_region *r,
			   u32 obj_unit, u32 unit, u32 nr)
{
	struct pkram_extent *e = g->nr ? &g->out[g->nr - 1] : NULL;

	if (e && e->region_id == r->id && e->region_unit + e->nr_units == unit &&
	    e->obj_unit + e->nr_units == obj_unit) {
		e->nr_units += nr;
	} else {
		if (g->nr == g->max)
			return -EFBIG;
		g->out[g->nr++] = (struct pkram_extent) {
			.region_id = r->id,
			.obj_unit = obj_unit,
			.region_unit = unit,
			.nr_units = nr,
		};
	}
	alloc_flip_run(g->al, r, unit, nr, true);
	return 0;
}

static void alloc_grant_undo(struct grant *g)
{
	struct pkram_extent *e;

	for (e = g->out; e < g->out + g->nr; e++)
		pkram_alloc_free(g->al, e->region_id, e->region_unit,
				 e->nr_units);
}

static int alloc_cmp_obj_unit(const void *a, const void *b)
{
	u32 x = ((const struct pkram_extent *)a)->obj_unit;
	u32 y = ((const struct pkram_extent *)b)->obj_unit;

	return x < y ? -1 : x > y;
}

/* Parts of a run are found in order of size, not of offset: sort them. */
static u32 alloc_grant_finish(struct grant *g)
{
	struct pkram_extent *to = g->out, *e;

	sort(g->out, g->nr, sizeof(*g->out), alloc_cmp_obj_unit, NULL);
	for (e = g->out + 1; e < g->out + g->nr; e++) {
		if (to->region_id == e->region_id &&
		    to->obj_unit + to->nr_units == e->obj_unit &&
		    to->region_unit + to->nr_units == e->region_unit)
			to->nr_units += e->nr_units;
		else
			*++to = *e;
	}
	return to - g->out + 1;
}

/*
 * Take whole GiB of one region for up to @want GiB of the object from @obj_unit
 * on. The highest run of idle GiB is used first, but ascending within it, so that
 * it becomes one extent.
 * Return: number of GiB taken, or -EFBIG.
 */
static int alloc_get_gibs_region(struct grant *g, struct pkram_alloc_region *r,
				 u32 obj_unit, u32 want)
{
	u32 top, n, got = 0;
	int err;

	for (top = alloc_region_gibs(r); top && got < want; ) {
		if (!pkram_alloc_gib_idle(r, top - 1)) {
			top--;
			continue;
		}
		for (n = 1; n < want - got &&
		     pkram_alloc_gib_idle(r, top - n - 1); n++)
			;
		top -= n;
		err = alloc_grant_add(g, r, obj_unit + got * PKRAM_GIB_UNITS,
				      top * PKRAM_GIB_UNITS, n * PKRAM_GIB_UNITS);
		if (err)
			return err;
		got += n;
	}
	return (int)got;
}

/* First the regions of the requested node (@near), then the others. */
static bool alloc_region_in_turn(const struct pkram_alloc_region *r, int node,
				 bool near)
{
	return near == (node == PKRAM_NO_NODE || r->node == node);
}

static int alloc_get_gibs(struct grant *g, u32 obj_unit, u32 want,
			  const struct pkram_alloc_request *req)
{
	struct pkram_alloc_region *r;
	int turn, ret, got = 0;

	for (turn = 0; turn < (req->strict ? 1 : 2); turn++)
		for (r = g->al->regions; r; r = r->next) {
			if (!alloc_region_in_turn(r, req->node, !turn))
				continue;
			ret = alloc_get_gibs_region(g, r, obj_unit +
						    got * PKRAM_GIB_UNITS, want - got);
			if (ret < 0)
				return ret;
			got += ret;
		}
	return got;
}

/* Free runs in a set of regions and GiB. */
struct pick {
	struct pkram_alloc *al;
	int node;
	bool near;
	bool idle;		/* in wholly free GiB, else in the others */
	struct pkram_alloc_region *r;
	u32 pos;
};

static void alloc_pick_start(struct pick *p)
{
	p->r = p->al->regions;
	p->pos = 0;
}

/* Find the next free run, from the bottom up. */
static bool alloc_pick_next(struct pick *p, u32 *start, u32 *len)
{
	struct pkram_alloc_region *r;
	u32 u, end;

	for (; p->r; p->r = p->r->next, p->pos = 0) {
		r = p->r;
		if (!alloc_region_in_turn(r, p->node, p->near))
			continue;
		for (;;) {
			u = find_next_zero_bit(r->used, r->nr_units, p->pos);
			if (u >= r->nr_units)
				break;
			p->pos = (alloc_gib_of(u) + 1) * PKRAM_GIB_UNITS;
			if (pkram_alloc_gib_idle(r, alloc_gib_of(u)) != p->idle)
				continue;
			end = find_next_bit(r->used, p->pos, u);
			/* Continue into the following GiB if they are in the same set. */
			while (end == p->pos && end < r->nr_units &&
			       pkram_alloc_gib_idle(r, alloc_gib_of(end)) == p->idle) {
				p->pos += PKRAM_GIB_UNITS;
				end = find_next_bit(r->used, p->pos, end);
			}
			p->pos = end;
			*start = u;
			*len = end - u;
			return true;
		}
	}
	return false;
}

/* Count the units in runs of at least @min units; stop at @enough. */
static u64 alloc_pick_sum(struct pick *p, u32 min, u64 enough)
{
	u32 start, len;
	u64 sum = 0;

	alloc_pick_start(p);
	while (sum < enough && alloc_pick_next(p, &start, &len))
		if (len >= min)
			sum += len;
	return sum;
}

/*
 * Take up to @want units, in as few extents as possible: use the longest runs, and
 * of equal ones the lowest. If a single run is sufficient, use the lowest such
 * run. Return: number of units taken, or -EFBIG.
 */
static s64 alloc_get_units_of(struct grant *g, struct pick *p, u32 obj_unit, u32 want)
{
	u32 take = (u32)min_t(u64, alloc_pick_sum(p, 1, want), want);
	u32 lo = 1, hi = take, mid, start, len, n, got = 0, equals;
	int err;

	if (!take)
		return 0;
	/* Find the greatest length for which runs of at least this length are sufficient. */
	while (lo < hi) {
		mid = hi - (hi - lo) / 2;
		if (alloc_pick_sum(p, mid, take) >= take)
			lo = mid;
		else
			hi = mid - 1;
	}
	/* Units to take from runs of exactly that length; longer ones are taken whole. */
	equals = take;
	if (lo < take)
		equals -= (u32)alloc_pick_sum(p, lo + 1, take);

	alloc_pick_start(p);
	while (got < take && alloc_pick_next(p, &start, &len)) {
		if (len < lo)
			continue;
		n = min(len, take - got);
		if (len == lo && lo < take) {
			n = min(n, equals);
			equals -= n;
		}
		if (!n)
			continue;
		err = alloc_grant_add(g, p->r, obj_unit + got, start, n);
		if (err)
			return err;
		got += n;
	}
	return got;
}

/* Use units in GiB that are in use already; break idle GiB last. */
static int alloc_get_units(struct grant *g, u32 obj_unit, u32 want,
			   const struct pkram_alloc_request *req)
{
	struct pick p = { .al = g->al, .node = req->node };
	int turn;
	s64 got;

	for (turn = 0; turn < 4 && want; turn++) {
		p.idle = turn & 2;
		p.near = !(turn & 1);
		if (req->strict && !p.near)
			continue;
		got = alloc_get_units_of(g, &p, obj_unit, want);
		if (got < 0)
			return (int)got;
		obj_unit += (u32)got;
		want -= (u32)got;
	}
	return want ? -ENOSPC : 0;
}

static int alloc_get_parts(struct grant *g, const struct pkram_alloc_request *req)
{
	u64 end = (u64)req->obj_unit + req->nr_units;
	u64 first = ALIGN((u64)req->obj_unit, PKRAM_GIB_UNITS);
	u64 last = end / PKRAM_GIB_UNITS * PKRAM_GIB_UNITS;
	int ret;

	if (first >= last)
		return alloc_get_units(g, req->obj_unit, req->nr_units, req);
	ret = alloc_get_gibs(g, (u32)first, (u32)((last - first) / PKRAM_GIB_UNITS),
			     req);
	if (ret < 0)
		return ret;
	last = first + (u64)ret * PKRAM_GIB_UNITS;
	ret = alloc_get_units(g, req->obj_unit, (u32)(first - req->obj_unit),
			      req);
	if (ret)
		return ret;
	return alloc_get_units(g, (u32)last, (u32)(end - last), req);
}

int pkram_alloc_get(struct pkram_alloc *al,
		    const struct pkram_alloc_request *req,
		    struct pkram_extent *out, u32 max)
{
	struct grant g = { .al = al, .out = out, .max = max };
	u32 end;
	int err;

	if (!req->nr_units ||
	    check_add_overflow(req->obj_unit, req->nr_units, &end))
		return -EINVAL;
	if (al->nr_free < req->nr_units)
		return -ENOSPC;
	err = alloc_get_parts(&g, req);
	if (err) {
		alloc_grant_undo(&g);
		return err;
	}
	return (int)alloc_grant_finish(&g);
}
