// SPDX-License-Identifier: GPL-2.0
/*
 * Records that are valid individually but contradict each other: the loader's verdict on
 * each, on the others, and the memory that is kept.
 */
#include "image.h"
#include "tap.h"

static struct image im;
static u64 ida, idb;

#define A(n) ((struct spot) { .unit = 1, .pair = (n) })
#define LARGE ((struct spot) { .unit = 2, .large = true })

/* Region A: GiB 0, 1 and 3 of 4; region B: one GiB. A has the metadata. */
static void begin(void)
{
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, "");

	image_init(&im);
	image_add_region(&im, 4, 0xb);
	image_add_region(&im, 1, 1);
	image_add_meta(&im, 0, 1, false);
	image_add_meta(&im, 0, 2, true);
	ida = im.h[0].region_id;
	idb = im.h[1].region_id;
	image_put(&im, A(0), &root);
}

static void put_file(struct spot at, struct pkram_record r,
		     struct pkram_extent *e, u32 nr)
{
	r.extents = e;
	r.nr_extents = nr;
	image_put_owned(&im, at, &r);
}

static void file(u32 pair, u64 id, const char *name, struct pkram_extent e)
{
	put_file(A(pair), image_file(id, PKRAM_ROOT_ID, name), &e, 1);
}

static void load(void)
{
	CHECK_EQ(image_load(&im), 0);
}

static void is_at(struct spot at, enum pkram_bad want, int line)
{
	struct pkram_loaded *it = image_at(&im, at);

	if (!it)
		tap_fail(__FILE__, line, "there is no record");
	if (it->bad != want || it->is_void)
		tap_fail(__FILE__, line, "\"%s\"%s, not \"%s\"",
			 pkram_bad_text(it->bad), it->is_void ? ", void" : "",
			 pkram_bad_text(want));
}

#define IS(pair, want) is_at(A(pair), want, __LINE__)

static bool taken(u64 id, u32 unit)
{
	return test_bit(unit, pkram_alloc_find(&im.al, id)->used);
}

#define E(id, obj, unit, nr) ((struct pkram_extent) { id, obj, unit, nr })

static void test_overlaps(void)
{
	struct pkram_extent twice[] = { E(idb, 0, 100, 4), E(idb, 9, 102, 4) };

	begin();
	twice[0].region_id = idb;
	twice[1].region_id = idb;
	file(1, 11, "same", E(ida, 0, 10, 5));
	file(2, 12, "same2", E(ida, 0, 10, 5));
	file(3, 13, "left", E(ida, 0, 20, 5));
	file(4, 14, "right", E(ida, 0, 24, 5));
	file(5, 15, "outer", E(ida, 0, 40, 50));
	file(6, 16, "inner", E(ida, 0, 50, 1));
	file(7, 17, "inner2", E(ida, 0, 60, 1));
	file(8, 18, "next", E(ida, 0, 90, 10));
	file(9, 19, "other region", E(idb, 0, 10, 60));
	put_file(A(10), image_file(20, 1, "itself"), twice, 2);
	load();
	IS(0, PKRAM_OK);
	IS(1, PKRAM_BAD_OVERLAP);
	IS(2, PKRAM_BAD_OVERLAP);
	CHECK_EQ(image_at(&im, A(1))->other, 12);
	CHECK_EQ(image_at(&im, A(2))->other, 11);
	IS(3, PKRAM_BAD_OVERLAP);
	IS(4, PKRAM_BAD_OVERLAP);
	IS(5, PKRAM_BAD_OVERLAP);
	IS(6, PKRAM_BAD_OVERLAP);
	IS(7, PKRAM_BAD_OVERLAP);
	IS(8, PKRAM_OK);
	IS(9, PKRAM_OK);
	IS(10, PKRAM_BAD_OVERLAP);
	CHECK_EQ(image_at(&im, A(10))->other, 20);
	/* Units that bad records claim are not allocated. */
	CHECK(taken(ida, 10) && taken(ida, 14) && taken(ida, 20));
	CHECK(taken(ida, 28) && taken(ida, 40) && taken(ida, 89));
	CHECK(taken(idb, 105) && !taken(idb, 106) && !taken(ida, 29));
	CHECK_EQ(im.al.nr_free, 4 * 512 - 4 - 5 - 9 - 60 - 60 - 6);
	CHECK(!im.res.lost);
	image_exit(&im);
}

static void test_extents_outside(void)
{
	begin();
	file(1, 11, "unknown region", E(ida + 1, 0, 10, 5));
	file(2, 12, "beyond the end", E(ida, 0, 2046, 3));
	file(3, 13, "far beyond", E(idb, 0, 1U << 31, 1));
	file(4, 14, "absent", E(ida, 0, 1024, 1));
	file(5, 15, "into absent", E(ida, 0, 1000, 25));
	file(6, 16, "across absent", E(ida, 0, 900, 700));
	file(7, 17, "head", E(ida, 0, 0, 1));
	file(8, 18, "head of the other", E(idb, 0, 0, 512));
	file(9, 19, "small metadata", E(ida, 0, 1, 1));
	file(10, 20, "over large metadata", E(ida, 0, 2, 8));
	file(11, 21, "good", E(ida, 0, 1536, 512));
	file(12, 22, "good too", E(ida, 0, 10, 20));
	load();
	IS(1, PKRAM_BAD_REGION);
	IS(2, PKRAM_BAD_EXTENT);
	IS(3, PKRAM_BAD_EXTENT);
	IS(4, PKRAM_BAD_EXTENT);
	IS(5, PKRAM_BAD_EXTENT);
	IS(6, PKRAM_BAD_EXTENT);
	IS(7, PKRAM_BAD_EXTENT);
	IS(8, PKRAM_BAD_EXTENT);
	IS(9, PKRAM_BAD_EXTENT);
	IS(10, PKRAM_BAD_EXTENT);
	/* An impossible extent does not affect other objects. */
	IS(11, PKRAM_OK);
	IS(12, PKRAM_OK);
	CHECK(taken(ida, 1000) && taken(ida, 1023) && taken(ida, 900));
	CHECK(taken(idb, 511) && taken(ida, 9) && !taken(ida, 30));
	image_exit(&im);
}

static void test_map_disagrees(void)
{
	begin();
	file(1, 11, "good", E(ida, 0, 10, 5));
	file(2, 12, "one free", E(ida, 0, 20, 5));
	file(3, 13, "one meta", E(ida, 0, 30, 5));
	pkram_map_set(im.mem[0], ida, 24, 1, PKRAM_UNIT_FREE);
	pkram_map_set(im.mem[0], ida, 30, 1, PKRAM_UNIT_META);
	load();
	IS(1, PKRAM_OK);
	IS(2, PKRAM_BAD_MAP);
	IS(3, PKRAM_BAD_MAP);
	CHECK(taken(ida, 24) && taken(ida, 30));
	image_exit(&im);
}

static void test_left_overs(void)
{
	/* Units marked in the map without an owner are free, unless a record is lost. */
	begin();
	file(1, 11, "good", E(ida, 0, 10, 5));
	pkram_map_set(im.mem[0], ida, 100, 10, PKRAM_UNIT_STALE);
	load();
	CHECK(!taken(ida, 100));
	memset(image_slot(&im, A(50), 0), 0xee, 16);
	load();
	CHECK(!im.res.lost);
	memset(image_slot(&im, A(50), 1), 0xee, 16);
	load();
	CHECK(im.res.lost);
	CHECK(taken(ida, 100) && taken(ida, 109) && !taken(ida, 110));
	IS(1, PKRAM_OK);
	image_exit(&im);
}

static void test_same_id(void)
{
	struct pkram_record r;
	struct pkram_extent e = E(0, 0, 10, 5), e2 = E(0, 0, 40, 5);

	/* The newer of two copies is used, whichever comes first. */
	begin();
	e.region_id = ida;
	e2.region_id = ida;
	r = image_file(11, 1, "copy");
	put_file(A(1), r, &e, 1);
	r.seq = 9;
	put_file(LARGE, r, &e, 1);
	r = image_file(12, 1, "copy2");
	r.seq = 9;
	put_file(A(2), r, &e2, 1);
	r.seq = 8;
	put_file(A(3), r, &e2, 1);
	r.seq = 7;
	memcpy(r.name, "older name", 10);
	r.name_len = 10;
	put_file(A(4), r, NULL, 0);
	load();
	CHECK(image_at(&im, A(1))->is_void && !image_at(&im, A(1))->bad);
	is_at(LARGE, PKRAM_OK, __LINE__);
	IS(2, PKRAM_OK);
	CHECK(image_at(&im, A(3))->is_void && image_at(&im, A(4))->is_void);
	CHECK_EQ(im.al.nr_free, 4 * 512 - 4 - 10);

	/* With the same seq neither is used. */
	r = image_file(12, 1, "copy2");
	r.seq = 9;
	put_file(A(3), r, &e2, 1);
	load();
	IS(2, PKRAM_BAD_DUP_ID);
	IS(3, PKRAM_BAD_DUP_ID);
	IS(4, PKRAM_BAD_DUP_ID);
	is_at(LARGE, PKRAM_OK, __LINE__);
	CHECK(taken(ida, 40));
	image_exit(&im);
}

static void test_same_id_impostor(void)
{
	struct pkram_extent e = E(0, 0, 10, 5), out = E(0, 0, 1024, 1);
	struct pkram_record r;

	/* A different object with the same id is not a copy: neither is dropped. */
	begin();
	e.region_id = ida;
	out.region_id = ida;
	put_file(A(1), image_file(11, 1, "victim"), &e, 1);
	r = image_file(11, 1, "impostor");
	r.seq = 100;
	r.btime.sec++;
	put_file(A(2), r, NULL, 0);
	load();
	IS(1, PKRAM_BAD_DUP_ID);
	IS(2, PKRAM_BAD_DUP_ID);
	CHECK(taken(ida, 10));
	/* The old content is not used if the new one is bad. */
	r = image_file(11, 1, "victim");
	r.seq = 2;
	put_file(A(2), r, &out, 1);
	load();
	IS(1, PKRAM_BAD_DUP_ID);
	IS(2, PKRAM_BAD_EXTENT);
	image_exit(&im);
}

static void test_same_name(void)
{
	struct pkram_record d = image_dir(20, 1, "twice");

	begin();
	file(1, 13, "name", E(ida, 0, 10, 5));
	file(2, 11, "name", E(ida, 0, 20, 5));
	file(3, 12, "name", E(ida, 0, 30, 5));
	file(4, 14, "Name", E(ida, 0, 40, 5));
	image_put(&im, A(5), &d);
	d = image_dir(19, 1, "twice");
	image_put(&im, A(6), &d);
	put_file(A(7), image_file(30, 20, "in 20"), NULL, 0);
	put_file(A(8), image_file(31, 19, "name"), NULL, 0);
	load();
	IS(1, PKRAM_BAD_DUP_NAME);
	IS(2, PKRAM_OK);
	IS(3, PKRAM_BAD_DUP_NAME);
	CHECK_EQ(image_at(&im, A(1))->other, 11);
	CHECK_EQ(image_at(&im, A(3))->other, 11);
	IS(4, PKRAM_OK);
	IS(5, PKRAM_BAD_DUP_NAME);
	IS(6, PKRAM_OK);
	IS(7, PKRAM_OK);
	CHECK(image_at(&im, A(7))->orphan);
	CHECK(!image_at(&im, A(8))->orphan);
	CHECK(taken(ida, 10) && taken(ida, 30));
	image_exit(&im);
}

static void put_dir(u32 pair, u64 id, u64 parent, const char *name)
{
	struct pkram_record r = image_dir(id, parent, name);

	image_put(&im, A(pair), &r);
}

static void put_replacing(u32 pair, u64 id, const char *name, u64 replaces)
{
	struct pkram_record r = image_file(id, 1, name);

	r.replaces = replaces;
	image_put(&im, A(pair), &r);
}

static void stale_is(u32 pair, bool want, int line)
{
	struct pkram_loaded *it = image_at(&im, A(pair));

	if (it->bad || it->is_void != want)
		tap_fail(__FILE__, line, "%s, void %d",
			 pkram_bad_text(it->bad), it->is_void);
}

#define STALE(pair, want) stale_is(pair, want, __LINE__)

static void test_replaced(void)
{
	begin();
	file(1, 11, "over", E(ida, 0, 10, 5));
	put_replacing(2, 12, "over", 11);
	/* The name differs now: nothing is void. */
	file(3, 13, "elsewhere", E(ida, 0, 20, 5));
	put_replacing(4, 14, "here", 13);
	/* A chain */
	put_replacing(5, 15, "chain", 0);
	put_replacing(6, 16, "chain", 15);
	put_replacing(7, 17, "chain", 16);
	/* An id that does not exist */
	put_replacing(8, 18, "alone", 999);
	/* The same name, but in another directory */
	put_dir(9, 19, 1, "dir");
	put_file(A(10), image_file(20, 19, "moved"), NULL, 0);
	put_replacing(11, 21, "moved", 20);
	load();
	STALE(1, true);
	STALE(2, false);
	STALE(3, false);
	STALE(4, false);
	STALE(5, true);
	STALE(6, true);
	STALE(7, false);
	STALE(8, false);
	STALE(10, false);
	STALE(11, false);
	CHECK(!taken(ida, 10) && taken(ida, 20));
	CHECK_EQ(im.res.max_id, 999);
	image_exit(&im);
}

static void test_replaced_by_bad(void)
{
	struct pkram_record r = image_file(12, 1, "over");
	struct pkram_extent e = E(0, 0, 1024, 1);

	/* A bad record voids nothing. */
	begin();
	e.region_id = ida;
	file(1, 11, "over", E(ida, 0, 10, 5));
	r.replaces = 11;
	put_file(A(2), r, &e, 1);
	load();
	STALE(1, false);
	IS(2, PKRAM_BAD_EXTENT);
	/* Rings void nothing either, but a tail that leads into one does. */
	put_replacing(3, 13, "ring", 14);
	put_replacing(4, 14, "ring", 15);
	put_replacing(5, 15, "ring", 13);
	put_replacing(6, 16, "tail", 17);
	put_replacing(7, 17, "tail", 18);
	put_replacing(8, 18, "tail", 17);
	load();
	IS(3, PKRAM_BAD_DUP_NAME);
	IS(4, PKRAM_BAD_DUP_NAME);
	IS(5, PKRAM_BAD_DUP_NAME);
	STALE(6, false);
	STALE(7, true);
	STALE(8, true);
	image_exit(&im);
}

static void orphan_is(u32 pair, bool want, int line)
{
	struct pkram_loaded *it = image_at(&im, A(pair));

	if (it->bad || it->is_void || it->orphan != want)
		tap_fail(__FILE__, line, "%s, orphan %d",
			 pkram_bad_text(it->bad), it->orphan);
}

#define ORPHAN(pair, want) orphan_is(pair, want, __LINE__)

static void test_parents(void)
{
	begin();
	put_dir(1, 11, 1, "dir");
	put_dir(2, 12, 11, "sub");
	put_file(A(3), image_file(13, 12, "deep"), NULL, 0);
	put_file(A(4), image_file(14, 500, "missing"), NULL, 0);
	put_dir(5, 15, 501, "missing dir");
	put_file(A(6), image_file(16, 15, "below"), NULL, 0);
	put_file(A(7), image_file(17, 13, "parent is a file"), NULL, 0);
	/* Rings of two and of three, children below, and a path into one */
	put_dir(8, 21, 22, "ring a");
	put_dir(9, 22, 21, "ring b");
	put_dir(10, 33, 31, "ring c");
	put_dir(11, 31, 32, "ring d");
	put_dir(12, 32, 33, "ring e");
	put_file(A(13), image_file(40, 32, "in a ring"), NULL, 0);
	put_dir(14, 2, 33, "a way in");
	load();
	ORPHAN(0, false);
	ORPHAN(1, false);
	ORPHAN(2, false);
	ORPHAN(3, false);
	ORPHAN(4, true);
	ORPHAN(5, true);
	ORPHAN(6, false);
	ORPHAN(7, true);
	ORPHAN(8, true);
	ORPHAN(9, false);
	ORPHAN(10, false);
	ORPHAN(11, true);
	ORPHAN(12, false);
	ORPHAN(13, false);
	ORPHAN(14, false);
	CHECK_EQ(im.res.max_id, 501);
	/* Without a root, all other objects are still found. */
	memset(image_slot(&im, A(0), 0), 0, 8);
	memset(image_slot(&im, A(0), 1), 0, 8);
	load();
	IS(0, PKRAM_BAD_CHECKSUM);
	ORPHAN(1, false);
	ORPHAN(3, false);
	image_exit(&im);
}

static void test_deep_directories(void)
{
	u32 i;

	begin();
	for (i = 1; i < 120; i++)
		put_dir(i, 1000 - i, i == 119 ? 1 : 999 - i, "d");
	load();
	for (i = 1; i < 120; i++)
		ORPHAN(i, false);
	/* One large ring: it is cut once. */
	put_dir(119, 881, 999, "d");
	load();
	for (i = 1; i < 120; i++)
		ORPHAN(i, i == 119);
	image_exit(&im);
}

static void test_dma_tables(void)
{
	struct pkram_entry e = { 0, 4096, 70, 0, 3 };
	struct pkram_record r;

	begin();
	r = image_dma_table(21, "same");
	r.entries = &e;
	r.nr_entries = 1;
	image_put(&im, A(1), &r);
	/* DMA tables have a name space of their own. */
	file(2, 22, "same", E(ida, 0, 10, 5));
	r = image_dma_table(23, "same");
	image_put(&im, A(3), &r);
	/* A DMA table is not a directory. */
	r = image_file(24, 21, "in a DMA table");
	image_put(&im, A(4), &r);
	/* A file and a DMA table with one id */
	r = image_dma_table(25, "id");
	r.seq = 9;
	image_put(&im, A(5), &r);
	file(6, 25, "id", E(ida, 0, 20, 5));
	/* Bad, but known to be a DMA table: no memory is kept back for it. */
	r = image_dma_table(26, "bad");
	r.entries = &e;
	r.nr_entries = 1;
	e.prot = 8;
	e.object = 71;
	image_put(&im, A(7), &r);
	pkram_map_set(im.mem[0], ida, 100, 10, PKRAM_UNIT_STALE);
	load();
	IS(1, PKRAM_OK);
	ORPHAN(1, false);
	IS(2, PKRAM_OK);
	IS(3, PKRAM_BAD_DUP_NAME);
	CHECK_EQ(image_at(&im, A(3))->other, 21);
	IS(4, PKRAM_OK);
	ORPHAN(4, true);
	IS(5, PKRAM_BAD_DUP_ID);
	IS(6, PKRAM_BAD_DUP_ID);
	IS(7, PKRAM_BAD_ENTRY);
	CHECK(!strcmp(image_at(&im, A(7))->rec.name, "bad"));
	CHECK(!im.res.lost && !taken(ida, 100));
	/* The id of a missing object that a good one names is not reused. */
	CHECK_EQ(im.res.max_id, 70);
	image_exit(&im);
}

static void test_empty_pool(void)
{
	image_init(&im);
	CHECK_EQ(image_load(&im), 0);
	CHECK(!im.res.nr && !im.res.max_id);
	image_unload(&im);
	image_add_region(&im, 1, 1);
	CHECK_EQ(image_load(&im), 0);
	CHECK(!im.res.nr && im.al.nr_free == 511);
	image_exit(&im);
}

TAP_MAIN({ "extents that overlap condemn their objects, and no other", test_overlaps },
	 { "extents outside their region, in absent GiB or over metadata are bad",
	   test_extents_outside },
	 { "extents over units that the map has as free are bad",
	   test_map_disagrees },
	 { "units without an owner are free unless a record is lost",
	   test_left_overs },
	 { "the newer of two copies of an object is used", test_same_id },
	 { "an object with another object's id does not void it",
	   test_same_id_impostor },
	 { "of two objects with one name the lower id stays", test_same_name },
	 { "a replaced object is void", test_replaced },
	 { "bad records and rings replace nothing", test_replaced_by_bad },
	 { "only the topmost object without a path to the root is an orphan",
	   test_parents },
	 { "directories nest a hundred deep", test_deep_directories },
	 { "DMA tables have a name space of their own and no memory", test_dma_tables },
	 { "a pool without objects or regions loads", test_empty_pool },
)
