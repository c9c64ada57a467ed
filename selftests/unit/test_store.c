// SPDX-License-Identifier: GPL-2.0
/*
 * The store on damaged pools, on pools of which a region is missing, and without
 * memory. test_store_cut.c has machines that stop.
 */
#include "machine.h"
#include "tap.h"
#include "core/unitmap.h"
#include "store/state.h"

static struct image im;

#define AT(n)	((struct spot){ .unit = 1, .pair = (n) })

static void boot(void)
{
	CHECK_EQ(machine_boot(&im, 0, im.nr, false), 0);
	machine_check();
}

static void done(void)
{
	machine_stop();
	image_exit(&im);
}

/* Boot again and again: nothing changes. */
static void check_stable(void)
{
	char *first = machine_describe(), *again;
	int i;

	for (i = 0; i < 2; i++) {
		machine_stop();
		boot();
		again = machine_describe();
		if (strcmp(first, again))
			tap_fail(__FILE__, __LINE__, "first load:\n%snext load:\n%s",
				 first, again);
		free(again);
	}
	free(first);
}

static void put_bad_extent(u64 id, u32 pair, struct pkram_record r, u32 unit)
{
	struct pkram_extent e = { im.h[0].region_id, 0, unit, 1 };

	r.extents = &e;
	r.nr_extents = 1;
	r.id = id;
	image_put_owned(&im, AT(pair), &r);
}

/* The root */

/* Make the root other than a new one would be. */
static struct pkram_record own_root(void)
{
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, "");

	root.mode = S_IFDIR | 01777;
	root.uid = 64055;
	return root;
}

static void check_own_root(void)
{
	CHECK_EQ(pkram_store.root->rec.mode, S_IFDIR | 01777);
	CHECK_EQ(pkram_store.root->rec.uid, 64055);
}

static void set_root_mode(u32 mode)
{
	const struct pkram_setattr attr = { .valid = PKRAM_SET_MODE, .mode = mode };

	CHECK_EQ(pkram_store_setattr(pkram_store.root, &attr), 0);
}

static void test_root_with_extents(void)
{
	machine_pool(&im, 1);
	put_bad_extent(PKRAM_ROOT_ID, 0, image_dir(PKRAM_ROOT_ID, 0, ""), 20);
	boot();
	machine_create("vm1", S_IFREG | 0600, 0);
	set_root_mode(0755);
	machine_check();
	CHECK_EQ(pkram_store.nr_quarantined, 1);
	CHECK_EQ(pkram_store_discard(PKRAM_BAD_KEY), 0);
	machine_create("vm2", S_IFREG | 0600, 100);
	set_root_mode(0711);
	machine_check();
	check_stable();
	pkram_object_put(machine_find("vm2"));
	done();
}

static void test_bad_root_keeps_no_memory(void)
{
	struct pkram_record root = own_root();
	u64 nr_free;

	machine_pool(&im, 1);
	root.size = 1;	/* which a directory has not */
	image_put(&im, AT(0), &root);
	pkram_map_set(im.mem[0], im.h[0].region_id, 20, 5, PKRAM_UNIT_STALE);
	boot();
	nr_free = pkram_store.al.nr_free;
	CHECK_EQ(nr_free, PKRAM_GIB_UNITS - 2);
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	check_stable();
	CHECK_EQ(pkram_store.al.nr_free, nr_free);
	done();
}

static void test_bad_record_with_root_id(void)
{
	struct pkram_record root = own_root(), bad = image_file(PKRAM_ROOT_ID, 1, "x");

	machine_pool(&im, 1);
	image_put(&im, AT(0), &root);
	bad.seq = 9;
	image_put(&im, AT(3), &bad);
	boot();
	check_own_root();
	CHECK_EQ(pkram_store.nr_quarantined, 1);
	check_stable();
	set_root_mode(01777);
	machine_stop();
	boot();
	check_own_root();
	done();
}

/* Two roots of which none can be told to be the true one: a new one is made, once. */
static void test_contested_root(void)
{
	struct pkram_record root = own_root(), other = root;

	machine_pool(&im, 1);
	image_put(&im, AT(0), &root);
	other.uid = 3;
	image_put(&im, AT(1), &other);
	boot();
	CHECK_EQ(pkram_store.root->rec.mode, S_IFDIR | 0700);
	CHECK_EQ(pkram_store.nr_quarantined, 2);
	set_root_mode(0711);
	check_stable();
	CHECK_EQ(pkram_store.root->rec.mode, S_IFDIR | 0711);
	done();
}

/* The newest version of the root is damaged; the older one must not come back. */
static void test_damaged_newest_root(void)
{
	struct pkram_record root = own_root(), bad = root;

	machine_pool(&im, 1);
	image_put(&im, AT(0), &root);
	bad.seq = 9;
	bad.size = 1;
	image_put(&im, AT(1), &bad);
	boot();
	CHECK_EQ(pkram_store.root->rec.mode, S_IFDIR | 0700);
	check_stable();
	done();
}

/* A damaged record with the id of a directory is newer than that. */
static void test_bad_record_with_dir_id(void)
{
	struct pkram_record dir = image_dir(5, 1, "dir"), bad = image_file(5, 5, "x"),
			    file = image_file(6, 5, "file");

	machine_pool(&im, 1);
	image_put(&im, AT(1), &dir);
	bad.seq = 9;
	image_put(&im, AT(2), &bad);
	image_put(&im, AT(3), &file);
	boot();
	CHECK_EQ(pkram_store.nr_quarantined, 1);
	pkram_object_put(machine_find("dir/file"));
	check_stable();
	done();
}

/* Region 1 has the root's record, region 0 none. */
static void split_pool(void)
{
	struct pkram_record root = own_root(), vm1 = image_file(5, 1, "vm1");
	u8 *area;

	machine_pool(&im, 2);
	image_free_pair(&im, AT(0), 2, 0);
	CHECK_EQ(pkram_xattr_replace(NULL, 0, "site", "a", 1, &area, &root.xattr_len), 0);
	root.xattrs = area;
	image_put(&im, (struct spot){ .region = 1, .unit = 1 }, &root);
	image_put(&im, AT(1), &vm1);
	free(area);
}

static void check_root_comes_back(bool lost)
{
	char *whole, *again;

	split_pool();
	boot();
	check_own_root();
	whole = machine_describe();
	machine_stop();
	CHECK_EQ(machine_boot(&im, 0, 1, lost), 0);
	machine_check();
	CHECK_EQ(pkram_store.root->rec.mode, S_IFDIR | 0700);
	machine_create("other", S_IFREG | 0600, 1);
	set_root_mode(0750);
	CHECK_EQ(pkram_store_unlink(machine_find("other")), 0);
	pkram_object_put(list_first_entry(&pkram_store.removed, struct pkram_object,
					  removed_list));
	CHECK_EQ(machine_adopt(&im, 1, 1, false), 0);
	machine_check();
	check_own_root();
	CHECK_EQ(pkram_store.root->rec.xattr_len, 9);
	again = machine_describe();
	CHECK(!lost || !strcmp(whole, again));
	check_stable();
	check_own_root();
	free(whole);
	free(again);
	done();
}

static void test_root_comes_late(void)
{
	check_root_comes_back(true);
}

static void test_root_comes_unexpected(void)
{
	check_root_comes_back(false);
}

static void test_root_given_up(void)
{
	split_pool();
	CHECK_EQ(machine_boot(&im, 0, 1, true), 0);
	CHECK(!pkram_store.root->loc.region_id);
	CHECK_EQ(pkram_store_give_up_lost(0, false), 0);
	machine_check();
	set_root_mode(0711);
	machine_stop();
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	CHECK_EQ(pkram_store.root->rec.mode, S_IFDIR | 0711);
	done();
}

/* Verdicts */

static void test_orphan_name(void)
{
	struct pkram_record orphan = image_file(5, 77, "a"),
			    other = image_file(6, 1, "lost+5+a"), none = {
		.kind = PKRAM_KIND_FREE, .seq = 0,
	};
	struct pkram_object *obj;

	machine_pool(&im, 1);
	/* One slot differs, so that the orphan is written again. */
	image_put(&im, AT(1), &orphan);
	pkram_record_encode(image_slot(&im, AT(1), 1), &none, im.seed);
	image_put(&im, AT(2), &other);
	boot();
	CHECK_EQ(pkram_store.nr_objects, 2);
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	obj = machine_find("lost+5+a");
	CHECK_EQ(obj->rec.id, 6);
	pkram_object_put(obj);
	check_stable();
	/* And with that name written */
	obj = pkram_store_next_object(4);
	CHECK_EQ(obj->rec.id, 5);
	CHECK_EQ(pkram_store_setattr(obj, &(struct pkram_setattr){
					     .valid = PKRAM_SET_UID, .uid = 3 }), 0);
	pkram_object_put(obj);
	check_stable();
	done();
}

static void test_bad_older_copy(void)
{
	struct pkram_record new = image_file(5, 1, "vm1"), old = new;

	machine_pool(&im, 1);
	new.seq = 7;
	image_put(&im, AT(1), &new);
	old.seq = 3;
	old.parent = 5;		/* its own */
	image_put(&im, AT(2), &old);
	boot();
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	pkram_object_put(machine_find("vm1"));
	check_stable();
	done();
}

/* The newest version is damaged: an older one must not take its place. */
static void test_bad_newest_copy(void)
{
	struct pkram_record new = image_file(5, 1, "vm1"), old = new;

	machine_pool(&im, 1);
	old.seq = 3;
	image_put(&im, AT(1), &old);
	new.seq = 7;
	new.parent = 5;
	image_put(&im, AT(2), &new);
	boot();
	CHECK_EQ(pkram_store.nr_objects, 0);
	CHECK_EQ(pkram_store.nr_quarantined, 2);
	check_stable();
	done();
}

static void test_free_record_with_long_name(void)
{
	struct pkram_record_ser *ser;
	int slot;

	machine_pool(&im, 1);
	for (slot = 0; slot < 2; slot++) {
		ser = image_slot(&im, AT(1), slot);
		ser->name_len = 300;
		ser->flags = 1;
		ser->tag = 0;
		ser->tag = pkram_tag(PKRAM_RECORD_MAGIC, pkram_crc32c(im.seed, ser, ser->len));
	}
	boot();
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	done();
}

/* Headers */

/* The last commit of region 1's header was cut between its slots. */
static void cut_header(void)
{
	struct pkram_region_ser *ser = malloc(sizeof(*ser));
	struct pkram_header h = im.h[1];

	h.seq++;
	pkram_header_encode(ser, &h);
	pkram_slot_write(im.mem[1], ser, sizeof(*ser));
	free(ser);
}

static bool header_differs(void)
{
	return memcmp(im.mem[1], im.mem[1] + PKRAM_HEADER_SLOT, PKRAM_HEADER_SLOT);
}

static void test_header_repaired(void)
{
	machine_pool(&im, 2);
	cut_header();
	boot();
	CHECK(!header_differs());
	done();
}

/* Features of one region forbid writing to all of the pool. */
static void test_header_not_repaired(void)
{
	machine_pool(&im, 2);
	cut_header();
	im.h[0].ro_compat = 1;
	image_write_header(&im, 0);
	CHECK_EQ(machine_boot(&im, 0, 2, false), 0);
	CHECK(pkram_store.read_only && header_differs());
	done();
}

/* Adopting */

static void test_adopt_without_memory(void)
{
	struct pkram_record far = image_file(6, 1, "far");
	unsigned long n;
	char *before, *after;
	int err;

	machine_pool(&im, 2);
	image_put(&im, (struct spot){ .region = 1, .unit = 1 }, &far);
	CHECK_EQ(machine_boot(&im, 0, 1, true), 0);
	machine_create("vm1", S_IFREG | 0600, 7);
	machine_create("dir", S_IFDIR | 0700, 0);
	for (n = 1; ; n++) {
		u64 nr_free = pkram_store.al.nr_free;

		before = machine_describe();
		pkram_alloc_count = 0;
		pkram_alloc_fail_at = n;
		err = machine_adopt(&im, 1, 1, false);
		pkram_alloc_fail_at = 0;
		if (!err)
			break;
		CHECK_EQ(err, -ENOMEM);
		machine_check();
		after = machine_describe();
		CHECK(!strcmp(before, after));
		CHECK_EQ(pkram_store.al.nr_free, nr_free);
		CHECK(pkram_store.region_lost);
		CHECK_EQ(list_next(list_first_entry(&pkram_store.regions,
						    struct pkram_region, list),
				   list)->list.next == &pkram_store.regions, false);
		free(before);
		free(after);
		/* It can be used. */
		machine_create("new", S_IFREG | 0600, 3);
		CHECK_EQ(pkram_store_unlink(machine_find("new")), 0);
		pkram_object_put(list_first_entry(&pkram_store.removed,
						  struct pkram_object, removed_list));
	}
	tap_note("%lu allocations", n - 1);
	CHECK(n > 5);
	free(before);
	machine_check();
	CHECK(!pkram_store.region_lost);
	pkram_object_put(machine_find("far"));
	pkram_object_put(machine_find("vm1"));
	check_stable();
	done();
}

static void test_adopt_twice(void)
{
	struct pkram_record vm1 = image_file(5, 1, "vm1");
	char *before, *after;

	machine_pool(&im, 2);
	image_put(&im, AT(1), &vm1);
	memcpy(im.h[1].region_uuid, im.h[0].region_uuid, 16);
	image_write_header(&im, 1);
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	before = machine_describe();
	CHECK_EQ(machine_adopt(&im, 1, 1, false), -EEXIST);
	machine_check();
	after = machine_describe();
	CHECK(!strcmp(before, after));
	free(before);
	free(after);
	/* Both at once are refused as well. */
	machine_stop();
	CHECK_EQ(machine_boot(&im, 0, 2, false), -EEXIST);
	done();
}

/* Before there is a pool, the root exists in memory; its labels need a large record. */
static void start_without_pool(void)
{
	static u8 value[9000];

	shim_log[0] = '\0';
	memset(&pkram_store, 0, sizeof(pkram_store));
	CHECK_EQ(pkram_store_init(), 0);
	CHECK_EQ(pkram_store_set_label(pkram_store.root, "site", value, sizeof(value), 0), 0);
}

/* Memory that becomes free */

/* One region of @nr_gib GiB, of which only the first has bytes */
static void large_pool(u32 nr_gib)
{
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, "");

	image_init(&im);
	image_add_region(&im, nr_gib, (1ULL << nr_gib) - 1);
	image_add_meta(&im, 0, 1, false);
	image_put(&im, AT(0), &root);
	boot();
}

static struct pkram_object *touched_file(const char *name, u32 nr_gib)
{
	struct pkram_object *obj;
	u32 i;

	machine_create(name, S_IFREG | 0600, nr_gib * PKRAM_GIB_UNITS);
	obj = machine_find(name);
	for (i = 0; i < nr_gib; i++)
		CHECK_EQ(pkram_store_populate(obj, i * PKRAM_GIB_UNITS), 0);
	return obj;
}

static void remove_file(struct pkram_object *obj)
{
	CHECK_EQ(pkram_store_unlink(obj), 0);
	pkram_object_put(obj);
}

/* GiB are depopulated one by one, which takes long. Only a caller that needs them waits. */
static void test_free_without_waiting(void)
{
	struct pkram_object *obj, *other;
	struct pkram_pool_info info;
	u64 nr_free;

	large_pool(9);
	nr_free = pkram_store.al.nr_free;
	other = touched_file("other", 1);
	remove_file(touched_file("gone", 5));
	shim_waits = 0;
	machine_check();
	pkram_store_info(&info);
	CHECK_EQ(info.free >> PKRAM_UNIT_SHIFT, nr_free - PKRAM_GIB_UNITS);
	/* Two GiB are free meanwhile. */
	obj = touched_file("new", 2);
	CHECK_EQ(pkram_store_resize(other, PKRAM_GIB + 9 * PKRAM_UNIT), 0);
	CHECK_EQ(pkram_store_populate(other, PKRAM_GIB_UNITS), 0);
	CHECK_EQ(shim_waits, 0);
	machine_check();
	remove_file(obj);
	/* Whole GiB that are depopulated in time are not replaced by parts of others. */
	obj = touched_file("large", 6);
	CHECK(shim_waits > 0);
	CHECK_EQ(obj->rec.nr_extents, 1);
	CHECK_EQ(pkram_region_slice(pkram_regions_find(obj->rec.extents[0].region_id),
				    obj->rec.extents[0].region_unit / PKRAM_GIB_UNITS),
		 PKRAM_SLICE_1G);
	machine_check();
	pkram_object_put(obj);
	pkram_object_put(other);
	done();
}

static void truncate_and_shrink(void)
{
	struct pkram_object *obj = machine_find("vm1");
	struct pkram_refusal refusal;
	struct pkram_region *from;

	CHECK_EQ(pkram_store_resize(obj, 0), 0);
	pkram_object_put(obj);
	CHECK_EQ(pkram_store_shrink(im.h[1].base, 1, &from, &refusal), -EBUSY);
	CHECK(strstr(refusal.reason, "page fault"));
}

/* A fault waits to populate memory, while that is cut from the file and the pool shrinks. */
static void test_shrink_during_fault(void)
{
	struct pkram_extent e = { .region_unit = 100, .nr_units = 7 };
	struct pkram_record vm1 = image_file(5, 1, "vm1");
	struct pkram_refusal refusal;
	struct pkram_region *from;
	struct pkram_object *obj;

	machine_pool(&im, 2);
	e.region_id = im.h[1].region_id;
	vm1.extents = &e;
	vm1.nr_extents = 1;
	vm1.size = 7 * PKRAM_UNIT;
	image_put_owned(&im, AT(1), &vm1);
	boot();
	obj = machine_find("vm1");
	pkram_regions_find(e.region_id)->gib[0].slice = PKRAM_SLICE_NONE;
	machine_populating = truncate_and_shrink;
	CHECK_EQ(pkram_store_populate(obj, 3), 0);
	CHECK(!machine_populating);
	pkram_object_put(obj);
	machine_check();
	CHECK_EQ(pkram_store_shrink(im.h[1].base, 1, &from, &refusal), 0);
	machine_check();
	done();
}

/* Missing regions, of which only the headers of the others tell */

/* Region 1 has the record of vm1, whose memory is in region 0; of vm2 it is the other way. */
static void shared_pool(void)
{
	struct pkram_record vm1 = image_file(5, 1, "vm1"), vm2 = image_file(6, 1, "vm2");
	struct pkram_extent e;
	u32 i;

	machine_pool(&im, 2);
	for (i = 0; i < 2; i++) {
		im.h[i].set_seq = 3;
		im.h[i].nr_regions = 2;
		image_write_header(&im, i);
	}
	e = (struct pkram_extent){ im.h[0].region_id, 0, 20, 100 };
	vm1.extents = &e;
	vm1.nr_extents = 1;
	vm1.size = 100 * PKRAM_UNIT;
	image_put_owned(&im, (struct spot){ .region = 1, .unit = 1 }, &vm1);
	e.region_id = im.h[1].region_id;
	vm2.extents = &e;
	vm2.nr_extents = 1;
	vm2.size = 100 * PKRAM_UNIT;
	image_put_owned(&im, AT(1), &vm2);
}

static void check_both_there(void)
{
	struct pkram_object *obj;

	machine_check();
	CHECK_EQ(pkram_store.nr_missing, 0);
	if (pkram_store.nr_quarantined)
		tap_fail(__FILE__, __LINE__, "found:\n%s", machine_describe());
	obj = machine_find("vm1");
	CHECK_EQ(obj->rec.extents[0].region_id, im.h[0].region_id);
	pkram_object_put(obj);
	pkram_object_put(machine_find("vm2"));
}

static void test_adopt_one_by_one(void)
{
	u32 first;

	for (first = 0; first < 2; first++) {
		shared_pool();
		CHECK_EQ(machine_boot(&im, first, 1, false), 0);
		machine_check();
		CHECK_EQ(pkram_store.nr_missing, 1);
		/* All memory that can be had is used before the other region comes. */
		machine_create("other", S_IFREG | 0600, pkram_store.al.nr_free);
		CHECK_EQ(machine_adopt(&im, !first, 1, false), 0);
		check_both_there();
		pkram_object_put(machine_find("other"));
		check_stable();
		done();
	}
}

static void test_missing_given_up(void)
{
	u64 nr_free;

	shared_pool();
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	nr_free = pkram_store.al.nr_free;
	CHECK_EQ(pkram_store_give_up_lost(0, false), 0);
	CHECK_EQ(pkram_store.al.nr_free, nr_free);
	CHECK_EQ(pkram_store_give_up_lost(1, true), 0);
	CHECK_EQ(pkram_store.al.nr_free, nr_free);
	CHECK_EQ(pkram_store.nr_missing, 0);
	CHECK_EQ(pkram_store_give_up_lost(0, false), 0);
	CHECK_EQ(pkram_store.al.nr_free, nr_free + 100);
	machine_stop();
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	machine_check();
	CHECK(!pkram_store.nr_missing && !pkram_store.region_lost);
	/* It comes after all: what was given up is lost, and the headers learn of it. */
	CHECK_EQ(machine_adopt(&im, 1, 1, false), 0);
	machine_check();
	CHECK_EQ(pkram_store.nr_quarantined, 1);
	pkram_object_put(machine_find("vm2"));
	check_stable();
	CHECK_EQ(list_first_entry(&pkram_store.regions, struct pkram_region,
				  list)->h.nr_regions, 2);
	done();
}

static void op_grow_pool(void)
{
	CHECK_EQ(machine_grow(&im, 1), 0);
}

static void op_shrink_pool(void)
{
	struct pkram_refusal refusal;
	struct pkram_region *from;

	CHECK_EQ(pkram_store_shrink(im.h[1].base, 1, &from, &refusal), 0);
}

/* Stop a change of the set of regions after each of its stores that counts. */
static void cut_set(void (*op)(void), u32 before)
{
	u8 *saved = malloc(2 * 2 * PKRAM_HEADER_SLOT);
	unsigned long nr, cut;
	struct pkram_header h;
	bool mirror;
	int cur;
	u32 i;

	for (i = 0; i < 2; i++)
		memcpy(saved + i * 2 * PKRAM_HEADER_SLOT, im.mem[i], 2 * PKRAM_HEADER_SLOT);
	for (cut = 0, nr = 0; cut <= nr; cut += nr / 60 | 1) {
		CHECK_EQ(machine_boot(&im, 0, before, false), 0);
		machine_log_begin();
		op();
		nr = machine_log.nr;
		machine_cut(cut);
		pkram_store_hook = NULL;
		/* Of two regions each that has a header is attached, or the first alone. */
		i = !pkram_header_read(im.mem[1], im.h[1].base, &h, &cur, &mirror);
		CHECK_EQ(machine_boot(&im, 0, 1 + i, false), 0);
		machine_check();
		CHECK(!pkram_store.nr_missing && !pkram_store.region_lost);
		machine_stop();
		for (i = 0; i < 2; i++)
			memcpy(im.mem[i], saved + i * 2 * PKRAM_HEADER_SLOT,
			       2 * PKRAM_HEADER_SLOT);
	}
	free(saved);
}

static void test_set_cut(void)
{
	machine_pool(&im, 2);
	memset(im.mem[0], 0, 2 * PKRAM_UNIT);
	memset(im.mem[1], 0, 2 * PKRAM_UNIT);
	start_without_pool();
	CHECK_EQ(machine_grow(&im, 0), 0);
	machine_stop();
	cut_set(op_grow_pool, 1);
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	op_grow_pool();
	machine_stop();
	/* The other region is missed. */
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	CHECK_EQ(pkram_store.nr_missing, 1);
	machine_stop();
	cut_set(op_shrink_pool, 2);
	CHECK_EQ(machine_boot(&im, 0, 2, false), 0);
	op_shrink_pool();
	machine_stop();
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	CHECK_EQ(pkram_store.nr_missing, 0);
	done();
}

/* Growing */

static void create_now(void)
{
	unsigned long fail_at = pkram_alloc_fail_at, count = pkram_alloc_count;

	pkram_alloc_fail_at = 0;
	if (pkram_store_exists())
		machine_create("vm1", S_IFREG | 0600, 1);
	else
		shim_unlocked = create_now;	/* it was another lock */
	pkram_alloc_fail_at = fail_at;
	pkram_alloc_count = count;
}

/* Another task makes a file as soon as there is a pool. */
static void test_first_region(void)
{
	struct pkram_header h;
	bool mirror;
	int err, cur;
	u32 n;

	machine_pool(&im, 1);
	for (n = 1; ; n++) {
		memset(im.mem[0], 0xff, 3 * PKRAM_UNIT);
		start_without_pool();
		shim_unlocked = create_now;
		pkram_alloc_count = 0;
		pkram_alloc_fail_at = n;
		err = machine_grow(&im, 0);
		pkram_alloc_fail_at = 0;
		shim_unlocked = NULL;
		machine_check();
		if (!err)
			break;
		CHECK_EQ(err, -ENOMEM);
		CHECK(!pkram_store_exists() && list_empty(&pkram_store.regions));
		CHECK_EQ(pkram_store.nr_objects, 0);
		CHECK_EQ(pkram_header_read(im.mem[0], im.h[0].base, &h, &cur, &mirror),
			 PKRAM_BAD_CHECKSUM);
		machine_stop();
	}
	CHECK(n > 2);
	pkram_object_put(machine_find("vm1"));
	CHECK_EQ(pkram_store.root->rec.xattr_len, 9008);
	check_stable();
	done();
}

/* Stopped while its first region is made, a pool is whole or is not there. */
static void test_first_region_cut(void)
{
	unsigned long cut, nr;
	struct pkram_header h;
	bool mirror;
	int cur;

	machine_pool(&im, 1);
	memset(im.mem[0], 0, 3 * PKRAM_UNIT);
	for (cut = 0, nr = 0; cut <= nr; cut += nr / 60 | 1) {
		start_without_pool();
		machine_log_begin();
		CHECK_EQ(machine_grow(&im, 0), 0);
		nr = machine_log.nr;
		machine_cut(cut);
		if (!pkram_header_read(im.mem[0], im.h[0].base, &h, &cur, &mirror)) {
			boot();
			CHECK_EQ(pkram_store.root->rec.mode, S_IFDIR | 0755);
			CHECK_EQ(pkram_store.root->rec.xattr_len, 9008);
			machine_stop();
		}
		pkram_store_hook = NULL;
		memset(im.mem[0], 0, 3 * PKRAM_UNIT);
	}
	image_exit(&im);
}

TAP_MAIN({ "the pair of a damaged root is not used again", test_root_with_extents },
	 { "a damaged root keeps no memory back", test_bad_root_keeps_no_memory },
	 { "a bad record with the root's id does not condemn the root",
	   test_bad_record_with_root_id },
	 { "a new root is made once where two roots contend", test_contested_root },
	 { "an older version of a damaged root does not come back",
	   test_damaged_newest_root },
	 { "a bad record with a directory's id leaves what is in it there",
	   test_bad_record_with_dir_id },
	 { "the root comes back when its region is adopted", test_root_comes_late },
	 { "the root comes back from a region that was not known to be missing",
	   test_root_comes_unexpected },
	 { "a new root is written when missing regions are given up",
	   test_root_given_up },
	 { "an orphan does not take the name of another object", test_orphan_name },
	 { "a bad older copy is void", test_bad_older_copy },
	 { "a bad newest copy condemns the older ones", test_bad_newest_copy },
	 { "of a free record only kind, seq, len and id count",
	   test_free_record_with_long_name },
	 { "a header whose slots differ is repaired by the attach", test_header_repaired },
	 { "but not in a pool that is read-only", test_header_not_repaired },
	 { "an adopt that runs out of memory changes nothing", test_adopt_without_memory },
	 { "a region with the id of another is refused", test_adopt_twice },
	 { "only callers that need memory that becomes free wait for it",
	   test_free_without_waiting },
	 { "memory that a page fault waits for does not leave the pool",
	   test_shrink_during_fault },
	 { "regions may be adopted one by one, in any order", test_adopt_one_by_one },
	 { "memory of missing regions' objects is free when they are given up",
	   test_missing_given_up },
	 { "a cut change of the set of regions leaves either set", test_set_cut },
	 { "a pool that cannot be made is not visible", test_first_region },
	 { "a pool whose making is cut is whole or is not there", test_first_region_cut },
)
