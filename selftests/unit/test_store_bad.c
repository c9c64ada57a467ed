// SPDX-License-Identifier: GPL-2.0
/* Memory errors in the pool of a machine: in objects, in free memory, in metadata */
#include <sys/mman.h>
#include "machine.h"
#include "tap.h"
#include "core/badpages.h"
#include "core/badset.h"
#include "mem/bad.h"
#include "store/lost.h"
#include "store/objects.h"
#include "store/records.h"
#include "store/state.h"

static struct image im;

static struct pkram_region *region(void)
{
	return list_first_entry(&pkram_store.regions, struct pkram_region, list);
}

static void boot(void)
{
	CHECK_EQ(machine_boot(&im, 0, 1, false), 0);
	machine_check();
}

static void reboot(void)
{
	machine_stop();
	CHECK_EQ(pkram_badset_nr, 0);
	boot();
}

static void start(void)
{
	machine_pool(&im, 1);
	boot();
}

static void done(void)
{
	machine_stop();
	image_exit(&im);
}

static void break_page(u32 page)
{
	struct dev_pagemap pgmap = { .owner = region() };

	CHECK_EQ(pkram_bad_pgmap_ops.memory_failure(&pgmap, PHYS_PFN(IMAGE_BASE) + page, 1, 0),
		 0);
}

static u64 nr_free(void)
{
	return pkram_store.al.nr_free;
}

/* The bytes that an object lost, and the offset of the first ones */
static u64 lost(const char *name, u64 *first)
{
	struct pkram_object *obj = machine_find(name);
	u64 offset = 0, len, sum = 0;

	pkram_store_lock();
	for (; pkram_store_next_lost(obj, &offset, &len); offset += len) {
		if (!sum)
			*first = offset;
		sum += len;
	}
	pkram_store_unlock();
	pkram_object_put(obj);
	return sum;
}

static u32 unit_of(const char *name)
{
	struct pkram_object *obj = machine_find(name);
	u32 unit = obj->rec.extents[0].region_unit;

	pkram_object_put(obj);
	return unit;
}

static void unlink_file(const char *name)
{
	struct pkram_object *obj = machine_find(name);

	CHECK_EQ(pkram_store_unlink(obj), 0);
	pkram_object_put(obj);
}

static void test_owner(void)
{
	u64 before, first = 0;
	u32 unit;

	start();
	machine_create("vm1", 0100600, 4);
	unit = unit_of("vm1");
	break_page((unit + 2) * PKRAM_UNIT_PAGES + 7);
	break_page((unit + 2) * PKRAM_UNIT_PAGES + 8);
	CHECK(strstr(shim_log, "loses the page at offset 0x407000"));
	CHECK_EQ(lost("vm1", &first), 8192);
	CHECK_EQ(first, 0x407000);
	reboot();
	CHECK_EQ(lost("vm1", &first), 8192);
	before = nr_free();
	unlink_file("vm1");
	/* Its own unit is kept back, in this kernel and the next. */
	CHECK_EQ(nr_free(), before + 3);
	machine_check();
	reboot();
	CHECK_EQ(nr_free(), before + 3);
	machine_create("vm2", 0100600, nr_free());
	CHECK_EQ(lost("vm2", &first), 0);
	CHECK_EQ(nr_free(), 0);
	reboot();
	CHECK_EQ(lost("vm2", &first), 0);
	done();
}

static void test_free_unit(void)
{
	u64 before;

	start();
	before = nr_free();
	break_page(300 * PKRAM_UNIT_PAGES);
	CHECK_EQ(nr_free(), before - 1);
	break_page(300 * PKRAM_UNIT_PAGES + 511);
	break_page(300 * PKRAM_UNIT_PAGES);
	CHECK_EQ(nr_free(), before - 1);
	CHECK_EQ(pkram_bad_count(region(), 0, PKRAM_GIB_UNITS), 2);
	reboot();
	CHECK_EQ(nr_free(), before - 1);
	done();
}

/* What a page holds when it breaks stays there: nothing writes it. */
static void spoil(u32 page, u8 *old)
{
	memset(im.mem[0] + page * 4096UL, 0xaa, 4096);
	memcpy(old, im.mem[0] + page * 4096UL, 4096);
}

static bool in_two_slots(const char *name)
{
	struct pkram_object *obj = machine_find(name);
	bool good;

	pkram_store_lock();
	good = !pkram_records_in_bad(&obj->loc);
	pkram_store_unlock();
	pkram_object_put(obj);
	return good;
}

static void test_metadata(void)
{
	/* Headers, lists, the map; slot A of the root's record, and B of the next one's */
	static const u32 pages[] = { 0, 0x10, 0x40, PKRAM_UNIT_PAGES, PKRAM_UNIT_PAGES + 6 };
	u8 old[ARRAY_SIZE(pages)][4096];
	char name[16];
	u64 first;
	u32 i;

	start();
	machine_create("vm0", 0100600, 1);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		break_page(pages[i]);
		spoil(pages[i], old[i]);
	}
	CHECK_EQ(pkram_badset_nr, ARRAY_SIZE(pages));
	shim_sleep();
	CHECK(in_two_slots("") && in_two_slots("vm0"));
	for (i = 1; i < 20; i++) {
		sprintf(name, "vm%u", i);
		machine_create(name, 0100600, i % 3);
	}
	unlink_file("vm7");
	machine_check();
	for (i = 0; i < 3; i++) {
		reboot();
		CHECK_EQ(pkram_badset_nr, ARRAY_SIZE(pages));
		CHECK_EQ(pkram_store.nr_quarantined, 0);
		CHECK_EQ(pkram_store.nr_objects, 19 + i);
		CHECK_EQ(lost("vm8", &first), 0);
		sprintf(name, "new%u", i);
		machine_create(name, 0100600, 1);
	}
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		CHECK(!memcmp(old[i], im.mem[0] + pages[i] * 4096UL, 4096));
	done();
}

static void set_label(const char *name, u32 len)
{
	struct pkram_object *obj = machine_find(name);
	static u8 value[9000];

	CHECK_EQ(pkram_store_set_label(obj, "note", value, len, 0), 0);
	pkram_object_put(obj);
}

/* Use all pairs of the first unit of records. */
static void fill_pairs(void)
{
	char name[16];
	u32 i;

	for (i = 1; i < PKRAM_SMALL_PAIRS; i++) {
		sprintf(name, "f%u", i);
		machine_create(name, 0100600, 0);
	}
	CHECK_EQ(region()->h.nr_meta, 1);
}

/* The page of slot A of an object's record */
static u32 slot_page(const char *name)
{
	struct pkram_object *obj = machine_find(name);
	struct pkram_location at = obj->loc;

	pkram_object_put(obj);
	return at.unit * PKRAM_UNIT_PAGES +
	       at.pair * 2 * (at.large ? PKRAM_LARGE_SLOT : PKRAM_SMALL_SLOT) / 4096;
}

static void test_record_moves(void)
{
	start();
	fill_pairs();
	break_page(slot_page("f7"));
	CHECK(!in_two_slots("f7"));
	shim_sleep();
	CHECK(in_two_slots("f7"));
	machine_check();
	/* A large record: its unit has a single pair. */
	set_label("f9", 9000);
	break_page(slot_page("f9"));
	shim_sleep();
	CHECK(in_two_slots("f9"));
	reboot();
	CHECK(in_two_slots("f7") && in_two_slots("f9"));
	/* The machine stops before the record has moved. */
	break_page(slot_page("f9") + 1);
	reboot();
	shim_sleep();
	CHECK(in_two_slots("f9"));
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	done();
}

/* Slot A of each pair of the first unit of records, and some of the second unit */
static void test_many_pages(void)
{
	u32 nr = 0, i, page, at[2 * PKRAM_SMALL_PAIRS + 60];
	u8 *old = malloc(sizeof(at) / 4 * 4096);
	char name[16];

	start();
	machine_create("vm0", 0100600, 1);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		page = PKRAM_UNIT_PAGES + i / 2 * 4 + i % 2;
		if (i == 2 * PKRAM_SMALL_PAIRS)
			shim_sleep();
		if (i >= 2 * PKRAM_SMALL_PAIRS)
			page += slot_page("vm0") / PKRAM_UNIT_PAGES * PKRAM_UNIT_PAGES -
				2 * PKRAM_UNIT_PAGES + 80;
		break_page(page);
		spoil(page, old + nr * 4096);
		at[nr++] = page;
	}
	CHECK_EQ(pkram_badset_nr, nr);
	for (i = 1; i < 60; i++) {
		sprintf(name, "vm%u", i);
		machine_create(name, 0100600, 0);
	}
	machine_check();
	CHECK(!strstr(shim_log, "still used"));
	reboot();
	CHECK_EQ(pkram_badset_nr, nr);
	CHECK_EQ(pkram_store.nr_objects, 60);
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	unlink_file("vm3");
	for (i = 0; i < nr; i++)
		CHECK(!memcmp(old + i * 4096, im.mem[0] + at[i] * 4096UL, 4096));
	free(old);
	done();
}

static u32 taken;

/* Break a page of the unit of GiB 1 that is in use. */
static void break_taken(void)
{
	struct pkram_alloc_region *ar = pkram_alloc_find(&pkram_store.al, region()->h.region_id);

	taken = find_next_bit(ar->used, ar->nr_units, PKRAM_GIB_UNITS);
	CHECK(taken < ar->nr_units);
	memset(im.mem[0] + taken * PKRAM_UNIT, 0xaa, PKRAM_UNIT);
	break_page(taken * PKRAM_UNIT_PAGES + 5);
}

/* A page breaks while its unit is being made one of records. */
static void test_new_records_unit(void)
{
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, "");
	struct pkram_object *obj;
	u8 *page;

	image_init(&im);
	image_add_region(&im, 2, 3);
	image_add_meta(&im, 0, 1, false);
	image_put(&im, (struct spot){ .unit = 1 }, &root);
	boot();
	fill_pairs();
	obj = machine_find("f1");
	CHECK_EQ(pkram_store_resize(obj, (PKRAM_GIB_UNITS - 2) * PKRAM_UNIT), 0);
	pkram_object_put(obj);
	CHECK_EQ(nr_free(), PKRAM_GIB_UNITS);
	machine_populating = break_taken;
	machine_create("new", 0100600, 0);
	CHECK(!machine_populating);
	machine_check();
	CHECK(in_two_slots("new"));
	obj = machine_find("new");
	CHECK(obj->loc.unit >= PKRAM_GIB_UNITS && obj->loc.unit != taken);
	pkram_object_put(obj);
	page = im.mem[0] + taken * PKRAM_UNIT + 5 * 4096;
	CHECK(*page == 0xaa && !memcmp(page, page + 1, 4095));
	reboot();
	CHECK(in_two_slots("new"));
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	done();
}

/* All records of a unit: one after the other, and others need not wait for all of them. */
static void test_all_records_move(void)
{
	unsigned long locks;

	start();
	fill_pairs();
	break_page(slot_page("f7"));
	break_page(slot_page("f7") + PKRAM_SMALL_SLOT / 4096);
	locks = shim_locks;
	shim_steps = 0;
	shim_sleep();
	CHECK(shim_locks - locks > PKRAM_SMALL_PAIRS);
	CHECK(shim_steps < 60 * PKRAM_SMALL_PAIRS);
	CHECK(in_two_slots("f7") && in_two_slots("f100"));
	CHECK_EQ(region()->h.nr_meta, 1);
	machine_check();
	reboot();
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	done();
}

static u32 nr_told;

static void count_told(struct pkram_object *obj, u64 offset, int flags)
{
	(void)obj;
	(void)flags;
	CHECK_EQ(offset, 4096);
	nr_told++;
}

static bool punch;

/* The owner gives the place up before its processes are told. */
static void punch_when_noted(void)
{
	struct pkram_object *obj;

	if (punch && !lockdep_is_held(&pkram_store.lock) &&
	    strstr(shim_log, "loses the page at offset 0x1000")) {
		punch = false;
		obj = machine_find("vm1");
		CHECK_EQ(pkram_store_punch(obj, 0, PKRAM_UNIT), 0);
		pkram_object_put(obj);
	}
	shim_unlocked = punch_when_noted;
}

static void tell_of_page(bool punched)
{
	start();
	machine_create("vm1", 0100600, 2);
	pkram_store_set_lost(count_told);
	punch = punched;
	shim_unlocked = punch_when_noted;
	break_page(unit_of("vm1") * PKRAM_UNIT_PAGES + 1);
	shim_unlocked = NULL;
	pkram_store_set_lost(NULL);
	CHECK(!punch);
	done();
}

static void test_place_given_up(void)
{
	nr_told = 0;
	tell_of_page(false);
	CHECK_EQ(nr_told, 1);
	tell_of_page(true);
	CHECK_EQ(nr_told, 1);
}

/* Give up units of records that are not needed: @nr_meta stay, and the last id is known */
static void trim_keeps_last_id(u32 nr_meta)
{
	u64 id = pkram_store.next_id;

	pkram_store_lock();
	pkram_records_trim(region(), !pkram_object_has_last_id());
	pkram_store_unlock();
	CHECK_EQ(region()->h.nr_meta, nr_meta);
	reboot();
	CHECK_EQ(pkram_store.next_id, id);
}

/* The unit that is given up has the last id, and the other units are full. */
static void test_last_id(void)
{
	char name[16];
	u64 id;
	u32 i;

	start();
	fill_pairs();
	for (i = 0; i < 3; i++) {
		sprintf(name, "more%u", i);
		machine_create(name, 0100600, 0);
	}
	CHECK_EQ(region()->h.nr_meta, 2);
	for (i = 0; i < 3; i++) {
		sprintf(name, "more%u", i);
		unlink_file(name);
	}
	trim_keeps_last_id(2);
	/* With another place for it, the unit goes. */
	unlink_file("f9");
	trim_keeps_last_id(1);
	done();
	/* So it is if the unit is given up because of a bad pair. */
	start();
	fill_pairs();
	for (i = 0; i < PKRAM_SMALL_PAIRS; i++) {
		sprintf(name, "more%u", i);
		machine_create(name, 0100600, 0);
	}
	CHECK_EQ(region()->h.nr_meta, 2);
	machine_create("last", 0100600, 0);
	unlink_file("last");
	id = pkram_store.next_id;
	break_page(region()->h.meta[2] * PKRAM_UNIT_PAGES + 20);
	break_page(region()->h.meta[2] * PKRAM_UNIT_PAGES + 20 + PKRAM_SMALL_SLOT / 4096);
	shim_sleep();
	machine_check();
	for (i = 0; i < 2; i++) {
		reboot();
		CHECK_EQ(pkram_store.nr_quarantined, 0);
		CHECK(!strstr(shim_log, "a record is lost"));
		CHECK_EQ(pkram_store.next_id, id);
	}
	done();
}

/* It moves when there is room. */
static void test_record_waits_for_room(void)
{
	struct pkram_object *obj;

	start();
	fill_pairs();
	obj = machine_find("f1");
	CHECK_EQ(pkram_store_resize(obj, nr_free() * PKRAM_UNIT), 0);
	pkram_object_put(obj);
	CHECK_EQ(nr_free(), 0);
	break_page(slot_page("f7"));
	shim_sleep();
	CHECK(!in_two_slots("f7"));
	CHECK(strstr(shim_log, "no room to move"));
	unlink_file("f1");
	set_label("f7", 10);
	CHECK(in_two_slots("f7"));
	done();
}

/* Both slots of a record: the object is lost, and nothing else. */
static void test_both_slots(void)
{
	start();
	machine_create("vm0", 0100600, 1);
	machine_create("vm1", 0100600, 1);
	machine_stop();
	/* As if both had broken while no kernel looked */
	memset(im.mem[0] + PKRAM_UNIT + 2 * 2 * PKRAM_SMALL_SLOT, 0xaa, 2 * PKRAM_SMALL_SLOT);
	boot();
	CHECK_EQ(pkram_store.nr_quarantined, 1);
	CHECK_EQ(pkram_store.nr_objects, 1);
	done();
}

/* No process has touched the GiB since the boot, so that the kernel knows no page there. */
static void test_unpopulated_gib(void)
{
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, "");
	u64 first = 0, at;
	u32 unit;

	image_init(&im);
	image_add_region(&im, 2, 3);
	image_add_meta(&im, 0, 1, false);
	image_put(&im, (struct spot){ .unit = 1 }, &root);
	boot();
	machine_create("vm1", 0100600, PKRAM_GIB_UNITS);
	unit = unit_of("vm1");
	CHECK_EQ(unit, PKRAM_GIB_UNITS);
	at = IMAGE_BASE + (unit + 3) * PKRAM_UNIT + 5 * 4096;
	machine_check_at(at, true);
	CHECK_EQ(lost("vm1", &first), 4096);
	CHECK(strstr(shim_log, "loses the page at offset 0x605000"));
	CHECK_EQ(first, 3 * PKRAM_UNIT + 5 * 4096);
	/* Not in the pool */
	machine_check_at(IMAGE_BASE - 4096, true);
	machine_check_at(IMAGE_BASE + 2 * PKRAM_GIB, false);
	CHECK_EQ(pkram_bad_count(region(), 0, 2 * PKRAM_GIB_UNITS), 1);
	machine_check();
	reboot();
	CHECK_EQ(lost("vm1", &first), 4096);
	done();
}

/*
 * The GiB has struct pages, but had none when the kernel looked; or the kernel never looked. Once
 * noted it is known. If the task that met the error reports it too, that tells the owner.
 */
static void test_populated_gib(void)
{
	u64 first = 0, free_before;
	u32 unit;

	start();
	machine_create("vm1", 0100600, 4);
	unit = unit_of("vm1");
	machine_check_at(IMAGE_BASE + (unit + 1) * PKRAM_UNIT + 5 * 4096, false);
	CHECK_EQ(lost("vm1", &first), 4096);
	CHECK_EQ(first, PKRAM_UNIT + 5 * 4096);
	CHECK(strstr(shim_log, "loses the page at offset 0x205000"));
	shim_log[0] = '\0';
	machine_check_at(IMAGE_BASE + (unit + 1) * PKRAM_UNIT + 5 * 4096, false);
	CHECK(!shim_log[0]);
	machine_check_at(IMAGE_BASE + (unit + 2) * PKRAM_UNIT, true);
	CHECK(!strstr(shim_log, "loses"));
	CHECK_EQ(pkram_bad_count(region(), unit, 4), 2);
	break_page((unit + 2) * PKRAM_UNIT_PAGES);
	CHECK(strstr(shim_log, "loses the page at offset 0x400000"));
	/* What the kernel reads of metadata is not reported otherwise. */
	machine_check_at(IMAGE_BASE + slot_page("vm1") * 4096ULL, true);
	CHECK(!in_two_slots("vm1"));
	shim_sleep();
	CHECK(in_two_slots("vm1"));
	/* Without that report, as if its GiB had been depopulated before: its unit is not used again. */
	free_before = nr_free();
	machine_check_at(IMAGE_BASE + 300 * PKRAM_UNIT, true);
	CHECK_EQ(nr_free(), free_before - 1);
	machine_check();
	reboot();
	CHECK_EQ(lost("vm1", &first), 2 * 4096);
	CHECK_EQ(pkram_bad_count(region(), 300, 1), 1);
	done();
}

static u32 pair_page(u32 pair)
{
	return PKRAM_UNIT_PAGES + pair * 2 * PKRAM_SMALL_SLOT / 4096;
}

/* Both slots of pair @pair of the first unit of records */
static void break_pair(u32 pair)
{
	break_page(pair_page(pair));
	break_page(pair_page(pair) + PKRAM_SMALL_SLOT / 4096);
}

static void check_nothing_lost(u32 nr_objects, u64 nr)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		reboot();
		CHECK_EQ(pkram_store.nr_quarantined, 0);
		CHECK_EQ(pkram_store.nr_objects, nr_objects);
		CHECK_EQ(nr_free(), nr);
		CHECK(!strstr(shim_log, "a record is lost"));
		CHECK(in_two_slots("") && in_two_slots("vm1"));
	}
}

/* Nothing was in that pair: no later kernel takes it for a lost object. */
static void test_free_pair(void)
{
	u32 nr_meta;
	u64 nr;

	start();
	machine_create("vm0", 0100600, 1);
	machine_create("vm1", 0100600, 1);
	unlink_file("vm0");
	nr = nr_free();
	nr_meta = region()->h.nr_meta;
	break_pair(9);
	shim_sleep();
	machine_check();
	/* The records are in another unit, and this one is kept back. */
	CHECK_EQ(region()->h.nr_meta, nr_meta);
	check_nothing_lost(1, nr - 1);
	done();
}

/* One of them breaks when its record has moved already. */
static void test_pair_breaks_in_turn(void)
{
	u64 nr;

	start();
	machine_create("vm0", 0100600, 1);
	machine_create("vm1", 0100600, 1);
	nr = nr_free();
	break_page(slot_page("vm0"));
	shim_sleep();
	CHECK(in_two_slots("vm0"));
	break_page(pair_page(1) + PKRAM_SMALL_SLOT / 4096);
	shim_sleep();
	check_nothing_lost(2, nr - 1);
	/* Before it has moved: it is in memory yet. */
	break_page(slot_page("vm1"));
	break_page(slot_page("vm1") + PKRAM_SMALL_SLOT / 4096);
	shim_sleep();
	check_nothing_lost(2, nr - 2);
	done();
}

/* The machine stops before it has moved: it is lost, at each boot until it is discarded. */
static void test_lost_is_reported(void)
{
	struct pkram_object *obj;
	u64 key = 0, nr;
	u32 i;

	start();
	machine_create("vm0", 0100600, 1);
	machine_create("vm1", 0100600, 1);
	nr = nr_free();
	break_pair(1);
	for (i = 0; i < 3; i++) {
		reboot();
		CHECK_EQ(pkram_store.nr_quarantined, 1);
		CHECK_EQ(pkram_store.nr_objects, 1);
		CHECK(strstr(shim_log, "a record is lost"));
		if (i)
			shim_sleep();
	}
	while ((obj = pkram_store_next_object(key)) && !obj->bad) {
		key = obj->key;
		pkram_object_put(obj);
	}
	CHECK(obj);
	key = obj->key;
	pkram_object_put(obj);
	CHECK_EQ(pkram_store_discard(key), 0);
	shim_sleep();
	machine_check();
	check_nothing_lost(1, nr);
	done();
}

/* Without room for its records the unit stays, and is given up when there is room. */
static void test_free_pair_in_full_pool(void)
{
	struct pkram_object *obj;

	start();
	machine_create("vm1", 0100600, 0);
	obj = machine_find("vm1");
	CHECK_EQ(pkram_store_resize(obj, nr_free() * PKRAM_UNIT), 0);
	pkram_object_put(obj);
	break_pair(9);
	shim_sleep();
	CHECK(strstr(shim_log, "no room to move"));
	machine_check();
	/* Until then a good pair of it is better than one that breaks. */
	break_page(slot_page("vm1"));
	shim_sleep();
	CHECK(in_two_slots("vm1"));
	machine_create("vm2", 0100600, 0);
	CHECK(in_two_slots("vm2"));
	machine_check();
	obj = machine_find("vm1");
	CHECK_EQ(pkram_store_resize(obj, 5 * PKRAM_UNIT), 0);
	pkram_object_put(obj);
	pkram_lost_move_records();
	shim_sleep();
	CHECK_EQ(region()->h.nr_meta, 1);
	check_nothing_lost(2, nr_free());
	done();
}

/* What a next kernel would find of it */
static void check_state(const char *name, u32 state, u32 len)
{
	struct pkram_object *obj = machine_find(name);

	CHECK_EQ(obj->rec.seal.state, state);
	CHECK_EQ(obj->rec.xattr_len > 4096, len > 4096);
	pkram_object_put(obj);
}

/* Nothing of a record could be written: what would be told as done is not stored anywhere. */
static void test_no_slot_left(void)
{
	static const u8 uuid[16] = { 7 }, cookie[16] = { 8 }, value[6000];
	struct pkram_object *obj, *other;
	struct pkram_open *open;
	u64 generation;
	u32 page;

	start();
	fill_pairs();
	set_label("f2", 5000);
	other = machine_find("f1");
	CHECK_EQ(pkram_store_resize(other, nr_free() * PKRAM_UNIT), 0);
	obj = machine_find("f2");
	open = pkram_open_create(obj, true, false);
	CHECK_EQ(pkram_open_claim(open, 0, uuid, 0, &generation), 0);
	/* Each slot has lost a page, but not the same one. */
	page = slot_page("f2");
	break_page(page);
	break_page(page + PKRAM_SMALL_SLOT / 4096 + 1);
	shim_sleep();
	CHECK(!in_two_slots("f2"));
	CHECK_EQ(pkram_open_seal(open, cookie, uuid, &generation), -ENOSPC);
	check_state("f2", PKRAM_SEAL_RUNNING, 5000);
	CHECK_EQ(pkram_store_set_label(obj, "note", value, 6000, 0), -ENOSPC);
	check_state("f2", PKRAM_SEAL_RUNNING, 5000);
	pkram_object_put(obj);
	/* With room for it, it is sealed. */
	CHECK_EQ(pkram_store_resize(other, 0), 0);
	pkram_object_put(other);
	CHECK_EQ(pkram_open_seal(open, cookie, uuid, &generation), 0);
	pkram_open_put(open);
	CHECK(in_two_slots("f2"));
	reboot();
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	check_state("f2", PKRAM_SEAL_SEALED, 5000);
	done();
}

static int unlocks_before;	/* that the page breaks */

/* At one moment of an unload a page of a record breaks; works run at each later one. */
static void break_in_unload(void)
{
	/* A report would wait for the lock. */
	if (!lockdep_is_held(&pkram_store.lock) && !list_empty(&pkram_store.regions)) {
		if (!unlocks_before)
			break_page(PKRAM_UNIT_PAGES + 40);
		if (unlocks_before-- <= 0)
			shim_run_works();
	}
	shim_unlocked = break_in_unload;
}

static void test_unload(void)
{
	u32 moment;

	for (moment = 0; ; moment++) {
		start();
		machine_create("vm1", 0100600, 1);
		unlocks_before = moment;
		shim_unlocked = break_in_unload;
		machine_stop();
		shim_unlocked = NULL;
		if (unlocks_before >= 0)
			break;
		boot();
		CHECK_EQ(pkram_bad_count(region(), 0, PKRAM_GIB_UNITS), 1);
		CHECK_EQ(pkram_store.nr_objects, 1);
		CHECK_EQ(pkram_store.nr_quarantined, 0);
		done();
	}
	CHECK(moment > 0);
	image_exit(&im);
}

/* The kernel unmaps a page that was reported, so nobody may be writing to it then. */
static void test_writers(void)
{
	unsigned long nr;

	start();
	nr = shim_srcu_reads;
	pkram_bad_zero(region(), 300, 0, PKRAM_UNIT);
	CHECK_EQ(shim_srcu_reads, nr + 1);
	nr = shim_srcu_waits;
	break_page(300 * PKRAM_UNIT_PAGES + 7);
	CHECK_EQ(shim_srcu_waits, nr + 1);
	nr = shim_srcu_reads;
	CHECK(pkram_bad_zero(region(), 300, 0, PKRAM_UNIT));
	CHECK(shim_srcu_reads > nr + 1);
	CHECK_EQ(shim_srcu_held, 0);
	done();
}

static void test_no_list(void)
{
	start();
	break_page(300 * PKRAM_UNIT_PAGES);
	machine_stop();
	memset(im.mem[0] + PKRAM_HEAD_BAD_A, 0xff, 100);
	boot();
	CHECK(strstr(shim_log, "kept back"));
	machine_stop();
	memset(im.mem[0] + PKRAM_HEAD_BAD_A, 0xff, 100);
	memset(im.mem[0] + PKRAM_HEAD_BAD_B, 0xff, 100);
	boot();
	CHECK(strstr(shim_log, "cannot be read"));
	CHECK_EQ(pkram_bad_count(region(), 0, PKRAM_GIB_UNITS), 0);
	reboot();
	CHECK(!strstr(shim_log, "cannot be read"));
	done();
}

/* Load a pool with a page that breaks when it is read. Any other access ends the program. */
static void boot_with_broken(u32 page, const char *before)
{
	char *after;

	pkram_broken_page = im.mem[0] + page * 4096UL;
	CHECK_EQ(mprotect(pkram_broken_page, 4096, PROT_NONE), 0);
	boot();
	CHECK_EQ(pkram_store.nr_quarantined, 0);
	CHECK(!strstr(shim_log, "a record is lost"));
	after = machine_describe();
	if (strcmp(before, after))
		tap_fail(__FILE__, __LINE__, "page %#x is broken: %s, not %s", page, after, before);
	free(after);
	machine_stop();
	CHECK_EQ(mprotect(pkram_broken_page, 4096, PROT_READ | PROT_WRITE), 0);
	pkram_broken_page = NULL;
}

static void test_unknown_page(void)
{
	u32 pages[] = { 0, PKRAM_HEADER_SLOT / 4096, PKRAM_HEAD_BAD_A / 4096,
			PKRAM_HEAD_BAD_B / 4096, PKRAM_HEAD_MAP_A / 4096, PKRAM_HEAD_MAP_B / 4096,
			0, 0, 0, 0, 0 }, n = 6;
	char *before;
	u32 i;

	start();
	machine_create("vm0", 0100600, 2);
	machine_create("vm1", 0100600, 1);
	set_label("vm1", 9000);
	break_page(300 * PKRAM_UNIT_PAGES);
	pages[n++] = slot_page("vm0");
	pages[n++] = slot_page("vm0") + PKRAM_SMALL_SLOT / 4096;
	pages[n++] = slot_page("vm1");
	pages[n++] = slot_page("vm1") + 1;
	pages[n++] = slot_page("vm1") + PKRAM_LARGE_SLOT / 4096 + 1;
	CHECK_EQ(n, ARRAY_SIZE(pages));
	before = machine_describe();
	machine_stop();
	for (i = 0; i < n; i++)
		boot_with_broken(pages[i], before);
	boot();
	CHECK_EQ(pkram_bad_count(region(), 0, PKRAM_GIB_UNITS), 1);
	free(before);
	done();
}

TAP_MAIN({ "a page that an object loses is not used again", test_owner },
	 { "a free unit with a bad page is not used", test_free_unit },
	 { "metadata in bad pages is read from its other copy", test_metadata },
	 { "a record that loses a slot soon has two again", test_record_moves },
	 { "a unit that breaks when it is to hold records does not", test_new_records_unit },
	 { "many bad pages of metadata are all left alone", test_many_pages },
	 { "all records of a unit move, one at a time", test_all_records_move },
	 { "nobody is told of a page whose place was given up", test_place_given_up },
	 { "no id is used twice when a unit is given up", test_last_id },
	 { "one without room moves when there is some", test_record_waits_for_room },
	 { "a record that loses both slots is quarantined alone", test_both_slots },
	 { "an error in a GiB without struct pages is noted", test_unpopulated_gib },
	 { "so is one that the kernel does not report, with struct pages", test_populated_gib },
	 { "a free pair that loses both slots is no lost object", test_free_pair },
	 { "nor is one that a record has left, or leaves now", test_pair_breaks_in_turn },
	 { "a record that was lost is reported until it is discarded", test_lost_is_reported },
	 { "a full pool settles it when there is room", test_free_pair_in_full_pool },
	 { "a commit that no slot can take fails", test_no_slot_left },
	 { "a page of a record may break while the module is unloaded", test_unload },
	 { "a report of an error waits for who writes there", test_writers },
	 { "metadata that breaks when it is read is read from its other copy", test_unknown_page },
	 { "a list that cannot be read is made anew", test_no_list },
)
