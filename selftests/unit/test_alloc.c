// SPDX-License-Identifier: GPL-2.0
/*
 * Compare the allocator with a model of plain arrays: random operations on several regions
 * and nodes, with GiB that are added and removed.
 */
#include "image.h"
#include "tap.h"

#define REGIONS		4
#define GIBS		6
#define UNITS		(GIBS * PKRAM_GIB_UNITS)
#define MAX_RUNS	4096

enum { FREE, USED, ABSENT };

static struct pkram_alloc al;
static u8 model[REGIONS][UNITS];
static const u64 ids[REGIONS] = { 77, 5, 0, ~0ULL };
static const int nodes[REGIONS] = { 0, 1, 0, 2 };
static const u64 presents[REGIONS] = { 0x3f, 0x35, 0x01, 0x23 };
static const u32 spans[REGIONS] = { 6, 6, 1, 6 };

struct held {
	u64 id;
	u32 unit;
	u32 nr;
};

static struct held held[MAX_RUNS];
static u32 nr_held;
static struct pkram_extent out[8192];

static int region_of(u64 id)
{
	int r;

	for (r = 0; r < REGIONS; r++)
		if (ids[r] == id)
			return r;
	tap_fail(__FILE__, __LINE__, "unknown region");
}

static void begin(void)
{
	int r;
	u32 u;

	nr_held = 0;
	memset(model, ABSENT, sizeof(model));
	for (r = 0; r < REGIONS; r++) {
		CHECK_EQ(pkram_alloc_add_region(&al, ids[r], nodes[r], spans[r],
						&presents[r]), 0);
		for (u = 0; u < spans[r] * PKRAM_GIB_UNITS; u++)
			if (presents[r] >> (u / PKRAM_GIB_UNITS) & 1)
				model[r][u] = FREE;
		CHECK_EQ(pkram_alloc_mark(&al, ids[r], 0, 1), 0);
		model[r][0] = USED;
	}
}

static u32 model_gib_free(int r, u32 gib)
{
	u32 u, n = 0;

	for (u = 0; u < PKRAM_GIB_UNITS; u++)
		n += model[r][gib * PKRAM_GIB_UNITS + u] == FREE;
	return n;
}

static bool model_idle(int r, u32 gib)
{
	return gib && model_gib_free(r, gib) == PKRAM_GIB_UNITS;
}

static void check_counts(void)
{
	struct pkram_alloc_region *ar;
	u32 gib, u, n, in_region, total = 0;
	int r;

	for (r = 0; r < REGIONS; r++) {
		ar = pkram_alloc_find(&al, ids[r]);
		CHECK(ar && ar->node == nodes[r]);
		for (gib = 0, in_region = 0; gib < spans[r]; gib++) {
			n = model_gib_free(r, gib);
			CHECK_EQ(ar->gib_free[gib], n);
			CHECK_EQ(pkram_alloc_gib_idle(ar, gib),
				 model_idle(r, gib));
			in_region += n;
		}
		CHECK_EQ(ar->nr_free, in_region);
		for (u = 0; u < spans[r] * PKRAM_GIB_UNITS; u++)
			CHECK_EQ(test_bit(u, ar->used), model[r][u] != FREE);
		total += in_region;
	}
	CHECK_EQ(al.nr_free, total);
}

static void model_set(u64 id, u32 unit, u32 nr, u8 from, u8 to)
{
	int r = region_of(id);

	CHECK(unit < UNITS && nr <= UNITS - unit);
	for (; nr; nr--, unit++) {
		CHECK_EQ(model[r][unit], from);
		model[r][unit] = to;
	}
}

/* Free units by class and node, in the terms of the allocator's rules */
struct room {
	u32 idle;		/* wholly free GiB */
	u32 partial;		/* units free in other GiB */
	u32 near_idle;		/* the same, on the requested node */
	u32 near_partial;
};

static struct room room_of(int node)
{
	struct room m = { 0 };
	bool near;
	u32 gib;
	int r;

	for (r = 0; r < REGIONS; r++) {
		near = node == PKRAM_NO_NODE || nodes[r] == node;
		for (gib = 0; gib < spans[r]; gib++) {
			if (model_idle(r, gib)) {
				m.idle++;
				m.near_idle += near;
			} else {
				m.partial += model_gib_free(r, gib);
				m.near_partial += near * model_gib_free(r, gib);
			}
		}
	}
	return m;
}

static int cmp_desc(const void *a, const void *b)
{
	return *(const u32 *)b > *(const u32 *)a ? 1 : -1;
}

/* Return the minimal number of extents for @want units in runs of a class. */
static u32 fewest(bool idle, bool near, int node, u32 *want)
{
	static u32 runs[REGIONS * UNITS];
	u32 u, n = 0, len, i;
	int r;

	for (r = 0; r < REGIONS; r++) {
		if (near != (node == PKRAM_NO_NODE || nodes[r] == node))
			continue;
		for (u = 0, len = 0; u <= UNITS; u++) {
			if (u < UNITS && model[r][u] == FREE &&
			    model_idle(r, u / PKRAM_GIB_UNITS) == idle) {
				len++;
				continue;
			}
			if (len)
				runs[n++] = len;
			len = 0;
		}
	}
	qsort(runs, n, sizeof(*runs), cmp_desc);
	for (i = 0; i < n && *want; i++)
		*want -= min(*want, runs[i]);
	return i;
}

static u32 fewest_extents(u32 want, int node)
{
	u32 n = 0;

	n += fewest(false, true, node, &want);
	n += fewest(false, false, node, &want);
	n += fewest(true, true, node, &want);
	n += fewest(true, false, node, &want);
	return n;
}

/* Runs of whole GiB, aligned in object and region. */
static u32 whole_gibs(int n, int *foreign, int node)
{
	u32 gibs = 0, got;
	int i;

	*foreign = 0;
	for (i = 0; i < n; i++) {
		if (out[i].obj_unit % PKRAM_GIB_UNITS !=
		    out[i].region_unit % PKRAM_GIB_UNITS)
			continue;
		got = (out[i].obj_unit + out[i].nr_units) / PKRAM_GIB_UNITS -
		      (out[i].obj_unit + PKRAM_GIB_UNITS - 1) / PKRAM_GIB_UNITS;
		if ((int)got <= 0)
			continue;
		gibs += got;
		if (node != PKRAM_NO_NODE &&
		    nodes[region_of(out[i].region_id)] != node)
			*foreign += got;
	}
	return gibs;
}

static void check_shape(const struct pkram_alloc_request *req, int n)
{
	u32 obj = req->obj_unit;
	int i;

	for (i = 0; i < n; i++) {
		CHECK_EQ(out[i].obj_unit, obj);
		CHECK(out[i].nr_units);
		obj += out[i].nr_units;
		CHECK(!i || out[i - 1].region_id != out[i].region_id ||
		      out[i - 1].region_unit + out[i - 1].nr_units !=
		      out[i].region_unit);
	}
	CHECK_EQ(obj, req->obj_unit + req->nr_units);
}

/* Check a grant against the rules, given the free space before. */
static void check_rules(const struct pkram_alloc_request *req, int n,
			const struct room *was, u32 few)
{
	u32 first = ALIGN(req->obj_unit, PKRAM_GIB_UNITS);
	u32 last = (req->obj_unit + req->nr_units) / PKRAM_GIB_UNITS *
		   PKRAM_GIB_UNITS;
	u32 want = first < last ? (last - first) / PKRAM_GIB_UNITS : 0;
	u32 got = min(want, was->idle), rest;
	struct room now = room_of(req->node);
	int foreign, in_whole;

	in_whole = whole_gibs(n, &foreign, req->node);
	CHECK(in_whole >= (int)got);
	rest = req->nr_units - got * PKRAM_GIB_UNITS;
	if (got == want)
		CHECK_EQ(in_whole, got);
	if (got == want && req->node != PKRAM_NO_NODE)
		CHECK_EQ(foreign, got - min(got, was->near_idle));
	/* Idle GiB are broken only if nothing else is left. */
	if (rest <= was->partial)
		CHECK_EQ(now.idle, was->idle - got);
	else
		CHECK_EQ(now.near_partial + now.partial ? 1 : 0,
			 now.partial ? 1 : 0);
	if (!want)
		CHECK(n <= (int)few);
	/* The requested node is used first. */
	if (!want && rest <= was->near_partial)
		CHECK_EQ(now.near_partial, was->near_partial - rest);
}

static void get(struct rng *g)
{
	struct pkram_alloc_request req = {
		.obj_unit = rng_below(g, 3) * 256 * rng_below(g, 5),
		.nr_units = 1 + rng_below(g, rng_below(g, 4) ? 60 : 2000),
		.node = (int)rng_below(g, 5) - 1,
	};
	struct room was;
	u32 few, max = 8192;
	int n, i;

	req.strict = rng_below(g, 3) == 0;
	if (rng_below(g, 4) == 0)
		req.nr_units = ALIGN(req.nr_units, 512);
	if (rng_below(g, 8) == 0)
		max = rng_below(g, 4);
	was = room_of(req.node);
	few = fewest_extents(req.nr_units, req.node);
	n = pkram_alloc_get(&al, &req, out, max);
	if (req.node == PKRAM_NO_NODE)
		req.strict = false;
	if ((req.strict ? was.near_idle * PKRAM_GIB_UNITS + was.near_partial :
			  was.idle * PKRAM_GIB_UNITS + was.partial) <
	    req.nr_units) {
		/* -ENOSPC is certain only for the whole pool; for a node, -EFBIG may come first. */
		CHECK(n == -ENOSPC || (n == -EFBIG && req.strict && max < 4));
		return;
	}
	if (n < 0) {
		CHECK(n == -EFBIG && max < 4);
		return;
	}
	CHECK(n <= (int)max);
	for (i = 0; i < n; i++) {
		model_set(out[i].region_id, out[i].region_unit, out[i].nr_units,
			  FREE, USED);
		if (nr_held < MAX_RUNS)
			held[nr_held++] = (struct held) { out[i].region_id,
				out[i].region_unit, out[i].nr_units };
	}
	check_shape(&req, n);
	if (!req.strict)
		check_rules(&req, n, &was, few);
	for (i = 0; req.strict && i < n; i++)
		CHECK_EQ(nodes[region_of(out[i].region_id)], req.node);
}

/* Free a run, or a part of one. */
static void put(struct rng *g)
{
	struct held *h;
	u32 nr;

	if (!nr_held)
		return;
	h = &held[rng_below(g, nr_held)];
	nr = rng_below(g, 3) ? h->nr : 1 + rng_below(g, h->nr);
	pkram_alloc_free(&al, h->id, h->unit, nr);
	model_set(h->id, h->unit, nr, USED, FREE);
	h->unit += nr;
	h->nr -= nr;
	if (!h->nr)
		*h = held[--nr_held];
}

static void mark(struct rng *g)
{
	int r = rng_below(g, REGIONS);
	u32 unit = rng_below(g, UNITS + 20), nr = 1 + rng_below(g, 30), u;
	int want = 0;

	if (unit + nr > spans[r] * PKRAM_GIB_UNITS)
		want = -ERANGE;
	for (u = unit; !want && u < unit + nr; u++)
		if (model[r][u] != FREE)
			want = -EEXIST;
	CHECK_EQ(pkram_alloc_mark(&al, ids[r], unit, nr), want);
	if (want)
		return;
	model_set(ids[r], unit, nr, FREE, USED);
	if (nr_held < MAX_RUNS)
		held[nr_held++] = (struct held) { ids[r], unit, nr };
}

static void set_gib(struct rng *g)
{
	int r = rng_below(g, REGIONS);
	u32 gib = rng_below(g, spans[r]), u = gib * PKRAM_GIB_UNITS;
	bool absent = model[r][u] == ABSENT;
	bool present = rng_below(g, 2);
	int want;

	if (present)
		want = absent ? 0 : -EBUSY;
	else
		want = model_idle(r, gib) ? 0 : -EBUSY;
	CHECK_EQ(pkram_alloc_set_gib(&al, ids[r], gib, present), want);
	if (!want)
		memset(&model[r][u], present ? FREE : ABSENT, PKRAM_GIB_UNITS);
}

static void test_traces(void)
{
	struct rng g = { 42 };
	u32 seed, i;

	for (seed = 0; seed < 4; seed++) {
		begin();
		for (i = 0; i < 1500; i++) {
			switch (rng_below(&g, 10)) {
			case 0 ... 3:
				get(&g);
				break;
			case 4 ... 7:
				put(&g);
				break;
			case 8:
				mark(&g);
				break;
			default:
				set_gib(&g);
			}
			if (i % 8 == 0)
				check_counts();
		}
		check_counts();
		pkram_alloc_destroy(&al);
		CHECK(!al.nr_free && !al.regions);
	}
}

static int take(u32 obj, u32 nr, int node, u32 max)
{
	struct pkram_alloc_request req = { obj, nr, node, false };

	return pkram_alloc_get(&al, &req, out, max);
}

static void test_full_and_empty(void)
{
	u32 all, i, n;

	begin();
	all = al.nr_free;
	CHECK_EQ(take(0, all + 1, 0, 8192), -ENOSPC);
	CHECK_EQ(al.nr_free, all);
	n = take(0, all, PKRAM_NO_NODE, 8192);
	CHECK((int)n > 0 && !al.nr_free);
	CHECK_EQ(take(0, 1, PKRAM_NO_NODE, 8192), -ENOSPC);
	for (i = 0; i < n; i++)
		pkram_alloc_free(&al, out[i].region_id, out[i].region_unit,
				 out[i].nr_units);
	CHECK_EQ(al.nr_free, all);
	check_counts();
	pkram_alloc_destroy(&al);
}

static void test_one_unit_at_a_time(void)
{
	u32 n, all;

	begin();
	all = al.nr_free;
	for (n = 0; n < all; n++) {
		CHECK_EQ(take(n, 1, 1, 1), 1);
		model_set(out[0].region_id, out[0].region_unit, 1, FREE, USED);
	}
	CHECK_EQ(take(0, 1, 1, 1), -ENOSPC);
	check_counts();
	pkram_alloc_destroy(&al);
}

static void test_too_many_extents(void)
{
	u32 u, all;

	begin();
	for (u = 2; u < 200; u += 2) {
		CHECK_EQ(pkram_alloc_mark(&al, 0, u, 1), 0);
		model_set(0, u, 1, FREE, USED);
	}
	all = al.nr_free;
	/* The free space has more extents than allowed. */
	CHECK_EQ(take(0, all, 0, 20), -EFBIG);
	CHECK_EQ(take(0, 1, 0, 0), -EFBIG);
	check_counts();
	CHECK(take(0, all, 0, 200) > 20);
	pkram_alloc_destroy(&al);
}

static void test_big_object(void)
{
	const u64 present = 0x1f;

	/* Whole GiB from the top, in one extent; the rest from the bottom. */
	CHECK_EQ(pkram_alloc_add_region(&al, 9, 0, 5, &present), 0);
	pkram_alloc_mark(&al, 9, 0, 3);
	CHECK_EQ(take(0, 2 * 512 + 10, 0, 8), 2);
	CHECK_EQ(out[0].obj_unit, 0);
	CHECK_EQ(out[0].region_unit, 3 * 512);
	CHECK_EQ(out[0].nr_units, 2 * 512);
	CHECK_EQ(out[1].region_unit, 3);
	CHECK_EQ(out[1].nr_units, 10);
	/* Two more GiB: whole ones as far as possible. */
	CHECK_EQ(take(512, 2 * 512 - 13, 0, 8), 2);
	CHECK_EQ(out[0].region_unit, 2 * 512);
	CHECK_EQ(out[1].region_unit, 13);
	CHECK_EQ(out[1].nr_units, 499);
	CHECK_EQ(al.nr_free, 512);
	/* Nothing else is left: a whole GiB is broken. */
	CHECK_EQ(take(7, 1, 0, 8), 1);
	CHECK_EQ(out[0].region_unit, 512);
	pkram_alloc_destroy(&al);
}

/* Units with a bad page are never granted again, and no GiB that has one is idle. */
static void test_bad_units(void)
{
	struct pkram_alloc_request req = { .node = PKRAM_NO_NODE, .strict = false };
	const u32 gib = PKRAM_GIB_UNITS;
	struct pkram_alloc_region *r;
	u64 present = 0x3;
	int i, n;

	CHECK_EQ(pkram_alloc_add_region(&al, 9, 0, 3, &present), 0);
	r = pkram_alloc_find(&al, 9);
	CHECK_EQ(pkram_alloc_mark(&al, 9, 10, 5), 0);
	pkram_alloc_set_bad(&al, 9, 12);		/* owned */
	pkram_alloc_set_bad(&al, 9, gib + 7);		/* free */
	pkram_alloc_set_bad(&al, 9, 2 * gib + 7);	/* absent */
	pkram_alloc_set_bad(&al, 9, gib + 7);
	pkram_alloc_set_bad(&al, 9, 3 * gib);
	pkram_alloc_set_bad(&al, 8, 1);
	CHECK_EQ(al.nr_free, 2 * gib - 6);
	CHECK(!pkram_alloc_gib_idle(r, 1));
	pkram_alloc_free(&al, 9, 10, 5);
	CHECK_EQ(al.nr_free, 2 * gib - 2);
	pkram_alloc_free(&al, 9, 0, 2 * gib);
	CHECK_EQ(al.nr_free, 2 * gib - 2);
	CHECK_EQ(pkram_alloc_set_gib(&al, 9, 2, true), 0);
	CHECK_EQ(al.nr_free, 3 * gib - 3);
	CHECK_EQ(pkram_alloc_set_gib(&al, 9, 2, false), -EBUSY);
	req.nr_units = al.nr_free;
	n = pkram_alloc_get(&al, &req, out, 8192);
	CHECK(n > 0);
	for (i = 0; i < n; i++) {
		CHECK(out[i].region_unit > 12 || out[i].region_unit + out[i].nr_units <= 12);
	}
	CHECK(test_bit(gib + 7, r->used) && test_bit(2 * gib + 7, r->used));
	CHECK_EQ(al.nr_free, 0);
	pkram_alloc_destroy(&al);
}

static void test_wrong_requests(void)
{
	struct pkram_alloc_region *r;
	const u64 present = 1;
	u32 free_units;

	begin();
	free_units = al.nr_free;
	CHECK_EQ(take(0, 0, 0, 8), -EINVAL);
	CHECK_EQ(take(~0U, 1, 0, 8), -EINVAL);
	CHECK_EQ(take(10, ~0U - 5, 0, 8), -EINVAL);
	CHECK_EQ(pkram_alloc_add_region(&al, 5, 0, 1, &present), -EEXIST);
	CHECK_EQ(pkram_alloc_add_region(&al, 6, 0, 0, &present), -EINVAL);
	CHECK_EQ(pkram_alloc_add_region(&al, 6, 0, PKRAM_REGION_MAX_GIB + 1,
					&present), -EINVAL);
	CHECK_EQ(pkram_alloc_mark(&al, 6, 0, 1), -ENOENT);
	CHECK_EQ(pkram_alloc_mark(&al, 5, ~0U, 2), -ERANGE);
	CHECK_EQ(pkram_alloc_mark(&al, 5, 1, ~0U), -ERANGE);
	CHECK_EQ(pkram_alloc_set_gib(&al, 6, 0, true), -ENOENT);
	CHECK_EQ(pkram_alloc_set_gib(&al, 5, 6, true), -ENOENT);
	CHECK_EQ(pkram_alloc_set_gib(&al, 5, ~0U, false), -ENOENT);
	CHECK_EQ(pkram_alloc_set_gib(&al, 5, 0, false), -EBUSY);
	/* Freeing units that are free, absent or out of range changes nothing. */
	pkram_alloc_free(&al, 5, 1, 100);
	pkram_alloc_free(&al, 5, 512, 512);
	pkram_alloc_free(&al, 5, ~0U - 1, 9);
	pkram_alloc_free(&al, 6, 0, 1);
	CHECK_EQ(al.nr_free, free_units);
	check_counts();
	/* GiB 0 has the head, whether or not it was marked as taken. */
	CHECK_EQ(pkram_alloc_add_region(&al, 6, 0, 1, &present), 0);
	CHECK(!pkram_alloc_gib_idle(pkram_alloc_find(&al, 6), 0));
	CHECK_EQ(pkram_alloc_set_gib(&al, 6, 0, false), -EBUSY);
	pkram_alloc_remove_region(&al, 6);
	r = pkram_alloc_find(&al, 77);
	pkram_alloc_remove_region(&al, 77);
	pkram_alloc_remove_region(&al, 77);
	CHECK(r && !pkram_alloc_find(&al, 77));
	CHECK_EQ(al.nr_free, free_units - (6 * 512 - 1));
	pkram_alloc_destroy(&al);
}

TAP_MAIN({ "units with bad pages are kept back", test_bad_units },
	 { "random traces agree with a model and keep the rules", test_traces },
	 { "every unit can be allocated once and freed", test_full_and_empty },
	 { "single units are distinct", test_one_unit_at_a_time },
	 { "a request that needs too many extents takes nothing", test_too_many_extents },
	 { "whole GiB come from the top in one extent, the rest from the bottom",
	   test_big_object },
	 { "invalid requests are refused and change nothing", test_wrong_requests },
)
