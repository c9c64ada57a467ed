// SPDX-License-Identifier: GPL-2.0
/*
 * How much the store does for pools of any shape, and how much of it without a pause for
 * others. The compiler counts the blocks of code that run (pkram_blocks), so that no test
 * depends on time.
 */
#include <linux/limits.h>
#include "machine.h"
#include "tap.h"
#include "store/state.h"

static struct image im;

/* A kernel with voluntary preemption runs so many in a tenth of a millisecond or so. */
#define FEW_BLOCKS	10000

/* Pools */

enum shape { FLAT, NESTED, COLLIDING, ORPHANS, QUARANTINED, NR_SHAPES };

static const char *const shape_name[NR_SHAPES] = {
	"flat", "nested", "colliding names", "orphans", "quarantined",
};

/* As the store does, but in a table of 4,096 buckets, and with a seed that is known */
static u32 old_bucket(const char *name)
{
	return jhash_1word(0, jhash(name, strlen(name), PKRAM_ROOT_ID)) & 4095;
}

/* The next name that is in one bucket with the others */
static const char *colliding_name(bool first)
{
	static char name[12];
	u32 i;

	if (first)
		strcpy(name, "aaaaaaaaaa");
	do {
		for (i = 0; ++name[i] > 'z'; i++)
			name[i] = 'a';
	} while (old_bucket(name));
	return name;
}

static struct pkram_record record(enum shape shape, u32 i)
{
	char name[16];

	snprintf(name, sizeof(name), "file%u", i);
	if (shape == NESTED)
		return image_dir(2 + i, i ? 1 + i : PKRAM_ROOT_ID, name);
	if (shape == ORPHANS)
		return image_file(2 + i, 1000000, name);
	if (shape == COLLIDING)
		return image_file(2 + i, PKRAM_ROOT_ID, colliding_name(!i));
	return image_file(2 + i, PKRAM_ROOT_ID, name);
}

/* Units of the region that objects have */
#define DATA	400

/* A pool of @nr records, on @gibs GiB. Quarantined ones each have a unit that the map calls free. */
static void make_pool(enum shape shape, u32 nr, u32 gibs)
{
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, ""), r;
	struct pkram_extent e = { .nr_units = 1 };
	u32 i, at;

	image_init(&im);
	image_add_region(&im, gibs, ~0ULL);
	for (i = 0; i <= nr / PKRAM_SMALL_PAIRS; i++)
		image_add_meta(&im, 0, 1 + i, false);
	image_put(&im, (struct spot){ .unit = 1 }, &root);
	e.region_id = im.h[0].region_id;
	for (i = 0; i < nr; i++) {
		r = record(shape, i);
		e.region_unit = DATA + i;
		r.extents = &e;
		r.nr_extents = shape == QUARANTINED;
		at = 1 + i;
		image_put(&im, (struct spot){ .unit = 1 + at / PKRAM_SMALL_PAIRS,
					      .pair = at % PKRAM_SMALL_PAIRS }, &r);
	}
}

static void done(void)
{
	machine_stop();
	image_exit(&im);
}

/* Count from here on. What ran before is no part of the way to the next pause. */
static void count_begin(void)
{
	pkram_blocks = 0;
	pkram_env_pause();
	pkram_longest = 0;
}

static unsigned long blocks_of_attach(void)
{
	machine_attaching = count_begin;
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	machine_attaching = NULL;
	pkram_env_pause();
	CHECK(pkram_blocks);
	return pkram_blocks;
}

/* Attach */

static unsigned long blocks_of_shape(enum shape shape, u32 nr, unsigned long *longest)
{
	unsigned long blocks;

	make_pool(shape, nr, shape == QUARANTINED ? 128 : 1);
	blocks = blocks_of_attach();
	*longest = pkram_longest;
	CHECK_EQ(shape == QUARANTINED ? pkram_store.nr_quarantined : pkram_store.nr_objects, nr);
	done();
	return blocks;
}

static void test_attach(void)
{
	unsigned long few, many, longest_few, longest;
	enum shape shape;

	for (shape = 0; shape < NR_SHAPES; shape++) {
		u32 nr = shape == COLLIDING ? 4096 : 50000;

		few = blocks_of_shape(shape, 1000, &longest_few) / 1000;
		many = blocks_of_shape(shape, nr, &longest) / nr;
		tap_note("%s: %lu blocks of code for each of 1000 objects, %lu for each of %u; at most %lu, %lu without a pause",
			 shape_name[shape], few, many, nr, longest_few, longest);
		CHECK(many <= 2 * few);
		CHECK(longest < FEW_BLOCKS);
	}
}

/* The store's map of 2 TiB, and a record with as many extents as one can have */
static void test_attach_large(void)
{
	static struct pkram_extent e[40000];
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, "");
	struct pkram_record r = image_file(2, PKRAM_ROOT_ID, "fragmented");
	u32 i;

	image_init(&im);
	image_add_region(&im, PKRAM_REGION_MAX_GIB, ~0ULL);
	image_add_meta(&im, 0, 1, false);
	image_add_meta(&im, 0, 2, true);
	image_put(&im, (struct spot){ .unit = 1 }, &root);
	for (i = 0; i < ARRAY_SIZE(e); i++)
		e[i] = (struct pkram_extent) {
			.region_id = im.h[0].region_id,
			.obj_unit = i,
			.region_unit = 1000 + (ARRAY_SIZE(e) - i) * 8,
			.nr_units = 1,
		};
	r.extents = e;
	r.nr_extents = ARRAY_SIZE(e);
	image_put_owned(&im, (struct spot){ .unit = 2, .large = true }, &r);
	blocks_of_attach();
	CHECK_EQ(pkram_store.nr_objects, 1);
	tap_note("2 TiB, %zu extents: at most %lu blocks without a pause", ARRAY_SIZE(e),
		 pkram_longest);
	CHECK(pkram_longest < 150 * FEW_BLOCKS);
	done();
}

/* Names */

static unsigned long blocks_of_lookup(enum shape shape, u32 nr)
{
	struct pkram_record r;
	unsigned long blocks;
	u32 i;

	make_pool(shape, nr, 1);
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	pkram_blocks = 0;
	for (i = 0; i < 500; i++) {
		r = record(shape, i);
		pkram_object_put(machine_find(r.name));
	}
	blocks = pkram_blocks;
	done();
	return blocks;
}

/* Who knows the hash, but not its seed, cannot make a long chain. */
static void test_colliding_names(void)
{
	unsigned long plain = blocks_of_lookup(FLAT, 4096);
	unsigned long colliding = blocks_of_lookup(COLLIDING, 4096);

	/* The kernel's, by an example of its author */
	CHECK_EQ(jhash("Four score and seven years ago", 30, 0), 0x17770551);
	tap_note("500 look-ups: %lu blocks, %lu of names that collide without a seed", plain,
		 colliding);
	CHECK(plain && colliding < 2 * plain);
}

/* An object in a deep directory: nobody can use a path that is longer than PATH_MAX. */
static void test_path(void)
{
	struct pkram_object *dir;
	size_t len;

	make_pool(NESTED, 16000, 1);
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	pkram_store_lock();
	dir = pkram_store_find_key(2 + 15999);
	CHECK(dir);
	pkram_blocks = 0;
	len = pkram_store_path_len(dir, 1);
	tap_note("16000 levels: %lu blocks", pkram_blocks);
	CHECK(len >= PATH_MAX);
	/* At most two blocks for each step, of at least two bytes */
	CHECK(pkram_blocks && pkram_blocks < PATH_MAX);
	pkram_store_unlock();
	done();
}

/* Discard */

static void test_discard(void)
{
	const u32 nr[] = { 20, 2000 }, gibs[] = { 1, 2048 };
	unsigned long blocks[2];
	u64 nr_free;
	u32 i;

	for (i = 0; i < 2; i++) {
		make_pool(QUARANTINED, nr[i], gibs[i]);
		CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
		CHECK_EQ(pkram_store.nr_quarantined, nr[i]);
		nr_free = pkram_store.al.nr_free;
		pkram_blocks = 0;
		CHECK_EQ(pkram_store_discard(2 + 7), 0);
		blocks[i] = pkram_blocks;
		CHECK_EQ(pkram_store.al.nr_free, nr_free + 1);
		tap_note("discard one of %u: %lu blocks", nr[i], blocks[i]);
		machine_check();
		done();
	}
	CHECK(blocks[0] && blocks[1] < 3 * blocks[0]);
}

/* Who shares a unit frees what it alone has; the rest is free with the other one. */
static void test_discard_shared(void)
{
	struct pkram_record r = image_file(2, PKRAM_ROOT_ID, "vm0");
	struct pkram_extent e = { .region_unit = 20, .nr_units = 5 };
	u64 nr_free;

	machine_pool(&im, 1);
	e.region_id = im.h[0].region_id;
	r.extents = &e;
	r.nr_extents = 1;
	image_put_owned(&im, (struct spot){ .unit = 1, .pair = 1 }, &r);
	r = image_file(3, PKRAM_ROOT_ID, "vm1");
	e.region_unit = 23;
	r.extents = &e;
	r.nr_extents = 1;
	image_put_owned(&im, (struct spot){ .unit = 1, .pair = 2 }, &r);
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	machine_check();
	CHECK_EQ(pkram_store.nr_quarantined, 2);
	nr_free = pkram_store.al.nr_free;
	CHECK_EQ(pkram_store_discard(2), 0);
	machine_check();
	CHECK_EQ(pkram_store.al.nr_free, nr_free + 3);
	CHECK_EQ(pkram_store_discard(3), 0);
	machine_check();
	CHECK_EQ(pkram_store.al.nr_free, nr_free + 8);
	done();
}

/* What any object may have is looked at with pauses. */
static void test_recount_pauses(void)
{
	make_pool(FLAT, 2000, 2048);
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	pkram_store_lock();
	count_begin();
	CHECK_EQ(pkram_discard_recount(), 0);
	pkram_env_pause();
	pkram_store_unlock();
	tap_note("2 TiB: at most %lu blocks without a pause", pkram_longest);
	CHECK(pkram_longest && pkram_longest < FEW_BLOCKS);
	machine_check();
	done();
}

TAP_MAIN({ "attach does as much for each of many objects as of few, and pauses", test_attach },
	 { "attach of 2 TiB and many extents pauses", test_attach_large },
	 { "names that collide without the seed are found as fast as others",
	   test_colliding_names },
	 { "the path of a deep directory is not walked to the end", test_path },
	 { "discard does as much in a large pool as in a small one", test_discard },
	 { "discard of one that shares memory frees the rest of it", test_discard_shared },
	 { "counting the units of all objects pauses", test_recount_pauses },
)
