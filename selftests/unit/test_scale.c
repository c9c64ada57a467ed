// SPDX-License-Identifier: GPL-2.0
/*
 * Large pools: many objects, many extents, TiB. What the loader does is counted in blocks of
 * its code (pkram_blocks), so that no test depends on time.
 */
#include <stdio.h>
#include "image.h"
#include "tap.h"

static struct image im;

static unsigned long counted_load(void)
{
	pkram_blocks = 0;
	CHECK_EQ(image_load(&im), 0);
	CHECK(pkram_blocks);
	return pkram_blocks;
}

static void all_good(u32 nr)
{
	u32 i;

	CHECK_EQ(im.res.nr, nr);
	for (i = 0; i < nr; i++)
		CHECK(!im.res.items[i].bad && !im.res.items[i].is_void &&
		      !im.res.items[i].orphan);
}

#define OBJECTS	8192U

/* One region of 2 TiB; units of records from 1 on. */
static void begin(u32 nr_small, u32 nr_large)
{
	u32 i;

	image_init(&im);
	image_add_region(&im, PKRAM_REGION_MAX_GIB, ~0ULL);
	for (i = 0; i < nr_small + nr_large; i++)
		image_add_meta(&im, 0, 1 + i, i >= nr_small);
}

static void test_many_objects(void)
{
	struct pkram_extent e[4];
	struct pkram_record r;
	char name[20];
	unsigned long blocks;
	u32 i, j;

	begin(OBJECTS / PKRAM_SMALL_PAIRS, 0);
	for (i = 0; i < OBJECTS; i++) {
		snprintf(name, sizeof(name), "object %u", i);
		r = image_file(2 + i, 1, name);
		r.extents = e;
		r.nr_extents = ARRAY_SIZE(e);
		for (j = 0; j < ARRAY_SIZE(e); j++)
			e[j] = (struct pkram_extent) {
				.region_id = im.h[0].region_id,
				.obj_unit = j * 10,
				.region_unit = 1000 + (j * OBJECTS + i) * 8,
				.nr_units = 7,
			};
		image_put_owned(&im, (struct spot) {
			.unit = 1 + i / PKRAM_SMALL_PAIRS,
			.pair = i % PKRAM_SMALL_PAIRS }, &r);
	}
	blocks = counted_load();
	all_good(OBJECTS);
	CHECK_EQ(im.al.nr_free, (1U << 20) - 1 - OBJECTS / PKRAM_SMALL_PAIRS -
		 OBJECTS * 7 * ARRAY_SIZE(e));
	tap_note("%u objects, %zu extents: %lu blocks", OBJECTS, OBJECTS * ARRAY_SIZE(e), blocks);
	CHECK(blocks < OBJECTS * 3000);
	image_exit(&im);
}

static void test_many_extents(void)
{
	struct pkram_record r;
	u32 i, n, max = 40000;
	unsigned long blocks;

	begin(0, 8);
	for (n = 0; n < 8; n++) {
		r = image_file(2 + n, 1, "fragmented");
		r.name[r.name_len++] = '0' + n;
		r.nr_extents = max;
		r.extents = calloc(max, sizeof(*r.extents));
		for (i = 0; i < max; i++)
			r.extents[i] = (struct pkram_extent) {
				.region_id = im.h[0].region_id,
				.obj_unit = i,
				/* In reverse order, interleaved with the other files */
				.region_unit = 1000 + (max - i) * 8 + n,
				.nr_units = 1,
			};
		image_put_owned(&im, (struct spot) { .unit = 1 + n,
				.large = true }, &r);
		free(r.extents);
	}
	blocks = counted_load();
	all_good(8);
	tap_note("%u extents: %lu blocks", 8 * max, blocks);
	CHECK(blocks < 8 * max * 500);
	image_exit(&im);
}

static unsigned long load_one(u32 gibs)
{
	struct pkram_extent e;
	struct pkram_record r = image_file(2, 1, "big");

	begin(1, 0);
	e = (struct pkram_extent) {
		.region_id = im.h[0].region_id,
		.region_unit = PKRAM_GIB_UNITS,
		.nr_units = gibs * PKRAM_GIB_UNITS,
	};
	r.extents = &e;
	r.nr_extents = 1;
	r.size = gibs * PKRAM_GIB;
	image_put_owned(&im, (struct spot) { .unit = 1 }, &r);
	return counted_load();
}

static void test_tib(void)
{
	unsigned long gib, tib;

	gib = load_one(1);
	all_good(1);
	image_exit(&im);
	tib = load_one(2000);
	all_good(1);
	CHECK_EQ(im.al.nr_free, 47 * PKRAM_GIB_UNITS + 512 - 2);
	image_exit(&im);
	tap_note("an object of 1 GiB: %lu blocks, of 2000 GiB: %lu", gib, tib);
	CHECK(tib < gib + gib / 10);
}

/* 16 TiB of eight regions of 2 TiB each, without their first GiB. */
static void test_16_tib(void)
{
	struct pkram_extent e[IMAGE_REGIONS];
	struct pkram_record r = image_file(2, 1, "sixteen");
	struct pkram_loaded *it;
	unsigned long blocks;
	u32 i;

	begin(1, 0);
	for (i = 1; i < IMAGE_REGIONS; i++)
		image_add_region(&im, PKRAM_REGION_MAX_GIB, ~0ULL);
	for (i = 0; i < IMAGE_REGIONS; i++)
		e[i] = (struct pkram_extent) {
			.region_id = im.h[i].region_id,
			.obj_unit = i << 20,
			.region_unit = PKRAM_GIB_UNITS,
			.nr_units = (1U << 20) - PKRAM_GIB_UNITS,
		};
	/* The last extent is at a high offset of the object */
	e[IMAGE_REGIONS - 1].obj_unit = (1U << 31) - 512;
	r.extents = e;
	r.nr_extents = IMAGE_REGIONS;
	r.size = (u64)((1U << 31) + (1U << 20)) * PKRAM_UNIT;
	image_put_owned(&im, (struct spot) { .unit = 1 }, &r);
	blocks = counted_load();
	all_good(1);
	it = image_find(&im, 2);
	CHECK(it && record_same(&it->rec, &r));
	CHECK_EQ(im.al.nr_free, IMAGE_REGIONS * 511 - 1);
	tap_note("an object of 16 TiB in 8 extents: %lu blocks", blocks);
	image_exit(&im);
}

static void test_many_bad(void)
{
	struct pkram_record r;
	struct pkram_extent *e;
	u32 i, n, max = 40000;
	unsigned long blocks;

	/* Every extent of every record claims the same 200 GB. */
	begin(0, 8);
	e = calloc(max, sizeof(*e));
	for (i = 0; i < max; i++)
		e[i] = (struct pkram_extent) { im.h[0].region_id, i * 100000U,
					       100, 100000 };
	for (n = 0; n < 8; n++) {
		r = image_file(2 + n, 1, "greedy");
		r.extents = e;
		r.nr_extents = max;
		image_put(&im, (struct spot) { .unit = 1 + n, .large = true },
			  &r);
	}
	pkram_map_set(im.mem[0], im.h[0].region_id, 100, 100000,
		      PKRAM_UNIT_WRITTEN);
	free(e);
	blocks = counted_load();
	for (i = 0; i < im.res.nr; i++)
		CHECK_EQ(im.res.items[i].bad, PKRAM_BAD_EXTENT);
	tap_note("%u extents that claim the same 200 GB: %lu blocks", 8 * max, blocks);
	CHECK(blocks < 8 * max * 500);
	image_exit(&im);
}

TAP_MAIN({ "8192 objects load fast", test_many_objects },
	 { "320,000 extents load fast", test_many_extents },
	 { "a TiB loads as fast as a GiB", test_tib },
	 { "an object of 16 TiB loads, with extents beyond 2^31 units",
	   test_16_tib },
	 { "records that claim the same units load fast", test_many_bad },
)
