// SPDX-License-Identifier: GPL-2.0
/*
 * The store on machines that stop between any two stores to preserved memory:
 * what the next kernel finds is what was there before, or after.
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

static void unlink_name(const char *name)
{
	struct pkram_object *obj = machine_find(name);

	CHECK_EQ(pkram_store_unlink(obj), 0);
	pkram_object_put(obj);
}

/*
 * Do @op and stop after one of its stores; @all: after each in turn, else after some of them,
 * unless PKRAM_CUT_ALL is in the environment. The next kernel must find the
 * state before or after, never the former once the latter was seen, and nothing that
 * is bad or kept back; then stop it while it repairs.
 */
static void cut_some(void (*op)(void), bool all)
{
	unsigned long nr, cut, step, repairs;
	char *before, *after, *found, *again;
	bool was_after = false;

	boot();
	before = machine_describe();
	machine_log_begin();
	op();
	nr = machine_log.nr;
	machine_check();
	after = machine_describe();
	machine_cut(0);
	/* An odd step meets each kind of store; `make fuzz` meets the rest. */
	step = all || getenv("PKRAM_CUT_ALL") ? 1 : nr / 60 | 1;
	for (cut = 0; cut <= nr; cut += step) {
		boot();
		machine_log_begin();
		op();
		machine_cut(cut);
		boot();
		repairs = machine_log.nr - cut;
		found = machine_describe();
		if (strcmp(found, before) && strcmp(found, after))
			tap_fail(__FILE__, __LINE__,
				 "cut after %lu of %lu stores: before:\n%safter:\n%sfound:\n%s",
				 cut, nr, before, after, found);
		if (strcmp(before, after)) {
			CHECK(!was_after || !strcmp(found, after));
			was_after = !strcmp(found, after);
		}
		CHECK_EQ(pkram_store.nr_quarantined, 0);
		/* A cut in the repair changes nothing. */
		machine_cut(cut + cut % 7 * repairs / 7);
		boot();
		again = machine_describe();
		CHECK(!strcmp(found, again));
		machine_cut(0);
		free(found);
		free(again);
	}
	free(before);
	free(after);
	pkram_store_hook = NULL;
}

/* After some stores, of operations that have many */
static void cut_at_times(void (*op)(void))
{
	cut_some(op, false);
}

static void cut_everywhere(void (*op)(void))
{
	cut_some(op, true);
}

static void some_pool(void)
{
	machine_pool(&im, 1);
	boot();
	machine_create("vm1", S_IFREG | 0600, 5);
	machine_create("vm2", S_IFREG | 0600, 3);
	machine_create("dir", S_IFDIR | 0700, 0);
	machine_stop();
}

static void op_create(void)
{
	machine_create("new", S_IFREG | 0600, 0);
}

static void test_create(void)
{
	some_pool();
	cut_everywhere(op_create);
	image_exit(&im);
}

/* All free records are as a new unit of records has them, or one slot is damaged. */
static void create_in_fresh_pair(int damaged)
{
	machine_pool(&im, 1);
	if (damaged >= 0)
		*(u8 *)image_slot(&im, AT(1), damaged) ^= 1;
	cut_everywhere(op_create);
	image_exit(&im);
}

static void test_create_fresh(void)
{
	create_in_fresh_pair(-1);
}

static void test_create_damaged(void)
{
	create_in_fresh_pair(0);
	create_in_fresh_pair(1);
}

/* A slot of the free pair is damaged after the load. */
static void op_create_damaged(void)
{
	__le64 *slot = image_slot(&im, AT(4), 0);

	pkram_store64(slot, *slot ^ 1);
	op_create();
}

static void test_create_damaged_late(void)
{
	some_pool();
	cut_at_times(op_create_damaged);
	image_exit(&im);
}

/* There is no pair left. */
static void test_new_unit(void)
{
	char name[8];
	u32 i;

	some_pool();
	boot();
	for (i = 0; i < PKRAM_SMALL_PAIRS - 4; i++) {
		sprintf(name, "f%u", i);
		machine_create(name, S_IFREG | 0600, 0);
	}
	machine_stop();
	cut_at_times(op_create);
	image_exit(&im);
}

static void op_unlink(void)
{
	unlink_name("vm1");
}

static void test_unlink(void)
{
	some_pool();
	cut_everywhere(op_unlink);
	image_exit(&im);
}

static void op_rename(void)
{
	struct pkram_object *a = machine_find("vm1"), *b = machine_find("vm2");

	CHECK_EQ(pkram_store_rename(a, pkram_store.root, "vm2", 3, b), 0);
	pkram_object_put(a);
	pkram_object_put(b);
}

static void test_rename(void)
{
	some_pool();
	cut_everywhere(op_rename);
	image_exit(&im);
}

static void set_label(const char *name, u32 len)
{
	struct pkram_object *obj = machine_find("vm1");
	static u8 value[9000];

	CHECK_EQ(pkram_store_set_label(obj, name, len ? value : NULL, len, 0), 0);
	pkram_object_put(obj);
}

static void op_label(void)
{
	set_label("note", 100);
}

static void op_large_label(void)
{
	set_label("note", 9000);
}

static void op_no_label(void)
{
	set_label("note", 0);
}

static void test_move(void)
{
	some_pool();
	cut_at_times(op_label);
	/* Once with a large pair there */
	boot();
	op_large_label();
	op_no_label();
	machine_stop();
	cut_at_times(op_large_label);
	boot();
	op_large_label();
	machine_stop();
	cut_at_times(op_no_label);
	image_exit(&im);
}

static void op_resize(void)
{
	struct pkram_object *obj = machine_find("vm1");

	CHECK_EQ(pkram_store_resize(obj, 9 * PKRAM_UNIT), 0);
	CHECK_EQ(pkram_store_resize(obj, 2 * PKRAM_UNIT), 0);
	pkram_object_put(obj);
}

static void op_shrink(void)
{
	struct pkram_object *obj = machine_find("vm1");

	CHECK_EQ(pkram_store_resize(obj, 2 * PKRAM_UNIT), 0);
	pkram_object_put(obj);
}

static void op_grow(void)
{
	struct pkram_object *obj = machine_find("vm1");

	CHECK_EQ(pkram_store_resize(obj, 9 * PKRAM_UNIT), 0);
	pkram_object_put(obj);
}

static void test_resize(void)
{
	some_pool();
	cut_at_times(op_grow);
	cut_at_times(op_shrink);
	boot();
	op_resize();
	machine_stop();
	image_exit(&im);
}

/* Two cuts */

static struct pkram_record sized_file(u64 id, const char *name, u32 unit, u32 nr)
{
	static struct pkram_extent e;
	struct pkram_record r = image_file(id, 1, name);

	e = (struct pkram_extent){ im.h[0].region_id, 0, unit, nr };
	r.extents = &e;
	r.nr_extents = 1;
	r.size = nr * PKRAM_UNIT;
	r.seq = 3;
	return r;
}

/* A pool with vm1, and with a file that is unlinked first */
static void pool_with_gone(void)
{
	struct pkram_record vm1 = image_file(6, 1, "vm1"), gone;

	machine_pool(&im, 1);
	image_put(&im, AT(1), &vm1);
	gone = sized_file(5, "gone", 20, 4);
	image_put_owned(&im, AT(2), &gone);
}

/* Unlink it, and stop after @cut stores. Return: false if there are less. */
static bool cut_unlink(unsigned long cut)
{
	bool less;

	boot();
	machine_log_begin();
	unlink_name("gone");
	less = machine_log.nr < cut;
	machine_cut(cut);
	return !less;
}

/* The next kernel gives all memory to vm1, makes a new file, and stops after @cut stores. */
static bool use_and_cut(unsigned long cut)
{
	struct pkram_object *vm1;
	unsigned long before;

	boot();
	if (pkram_store.nr_objects > 1) {
		machine_stop();
		return false;
	}
	vm1 = machine_find("vm1");
	CHECK_EQ(pkram_store_resize(vm1, pkram_store.al.nr_free * PKRAM_UNIT), 0);
	pkram_object_put(vm1);
	before = machine_log.nr;
	machine_create("new", S_IFREG | 0600, 0);
	before += cut;
	cut = machine_log.nr;
	machine_cut(before);
	return before <= cut;
}

/*
 * An unlink is cut; the next kernel gives the memory to vm1, and makes a new file
 * in the old one's pair; that is cut too. vm1 must not come to harm.
 */
static void test_two_cuts(void)
{
	unsigned long first, second;
	struct pkram_object *vm1;

	pool_with_gone();
	for (first = 60; cut_unlink(first); first += 7) {
		for (second = 0; use_and_cut(second); second += 9) {
			boot();
			CHECK_EQ(pkram_store.nr_quarantined, 0);
			vm1 = machine_find("vm1");
			CHECK(vm1->rec.size > 400 * PKRAM_UNIT);
			pkram_object_put(vm1);
			machine_cut(0);
			cut_unlink(first);
		}
		machine_cut(0);
	}
	machine_cut(0);
	image_exit(&im);
}

/* What was decided of a pair that differs is written by the attach. */
static void test_decisions_are_written(void)
{
	unsigned long first;

	pool_with_gone();
	for (first = 0; cut_unlink(first); first += 3) {
		boot();
		CHECK(!memcmp(image_slot(&im, AT(2), 0), image_slot(&im, AT(2), 1), 512));
		machine_cut(0);
	}
	machine_cut(0);
	image_exit(&im);
}

/* The same for an object that is quarantined */
static void test_bad_decisions_are_written(void)
{
	struct pkram_record old, new;
	u8 *a, *b;

	machine_pool(&im, 1);
	old = sized_file(5, "vm1", 20, 4);
	image_put_owned(&im, AT(2), &old);
	new = old;
	new.seq++;
	new.nr_extents = 0;
	new.size = 0;
	new.parent = 5;
	pkram_record_encode(image_slot(&im, AT(2), 1), &new, im.seed);
	boot();
	CHECK_EQ(pkram_store.nr_quarantined, 1);
	a = image_slot(&im, AT(2), 0);
	b = image_slot(&im, AT(2), 1);
	CHECK(!memcmp(a, b, 512));
	done();
}

TAP_MAIN({ "a cut create leaves the object or nothing", test_create },
	 { "so it does in a new unit of records", test_create_fresh },
	 { "so it does where a slot of the free pair was damaged", test_create_damaged },
	 { "so it does where one is damaged after the load", test_create_damaged_late },
	 { "so it does in a unit of records that was added", test_new_unit },
	 { "a cut unlink leaves the object or nothing", test_unlink },
	 { "a cut rename over a name leaves either object", test_rename },
	 { "a cut change of labels leaves the old or the new ones", test_move },
	 { "a cut resize leaves the old size or the new", test_resize },
	 { "a cut unlink does not come back when its pair is used", test_two_cuts },
	 { "the attach writes what it decided of a pair that differs",
	   test_decisions_are_written },
	 { "so it does of a quarantined object", test_bad_decisions_are_written },
)
