// SPDX-License-Identifier: GPL-2.0
/*
 * Work of the store that must not grow with what the pool holds: entries of lists and
 * trees that it looks at are counted (shim_steps), so that no test depends on time.
 */
#include "machine.h"
#include "tap.h"
#include "store/state.h"
#include "store/store.h"

static struct image im;

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

/* Units of records */

#define LABEL	9000		/* too large for a small slot */

/* @nr units of large records, each with a file, behind one of small records */
static void pool_of_large_records(u32 nr)
{
	static u8 label[4 + 1 + LABEL] = { 1, 0, LABEL & 0xff, LABEL >> 8, 'a' };
	struct pkram_record r;
	char name[16];
	u32 i;

	machine_pool(&im, 1);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "file%u", i);
		r = image_file(2 + i, PKRAM_ROOT_ID, name);
		r.xattrs = label;
		r.xattr_len = sizeof(label);
		image_add_meta(&im, 0, 2 + i, true);
		image_put(&im, (struct spot){ .unit = 2 + i, .large = true }, &r);
	}
	boot();
}

/* Steps of a commit to the last unit of records */
static unsigned long steps_of_commit(u32 nr)
{
	const struct pkram_setattr attr = { .valid = PKRAM_SET_MODE, .mode = 0640 };
	struct pkram_object *obj;
	char name[16];

	snprintf(name, sizeof(name), "file%u", nr - 1);
	obj = machine_find(name);
	shim_steps = 0;
	CHECK_EQ(pkram_store_setattr(obj, &attr), 0);
	pkram_object_put(obj);
	return shim_steps;
}

/* Steps of a commit that looks for a free pair, and finds none */
static unsigned long steps_of_new_unit(void)
{
	static u8 value[LABEL];
	struct pkram_object *obj;

	machine_create("new", S_IFREG | 0600, 0);
	obj = machine_find("new");
	shim_steps = 0;
	CHECK_EQ(pkram_store_set_label(obj, "a", value, sizeof(value), 0), 0);
	CHECK(obj->loc.large);
	pkram_object_put(obj);
	return shim_steps;
}

static void test_units_of_records(void)
{
	unsigned long commit, new_unit, many;

	pool_of_large_records(4);
	commit = steps_of_commit(4);
	new_unit = steps_of_new_unit();
	done();

	pool_of_large_records(400);
	many = steps_of_commit(400);
	tap_note("a commit: %lu steps with 4 units of records, %lu with 400", commit, many);
	CHECK(many < commit + 100);
	many = steps_of_new_unit();
	tap_note("a new unit: %lu steps with 4, %lu with 400", new_unit, many);
	CHECK(many < new_unit + 100);
	machine_check();
	done();
}

/* Pairs that become free are found, those of a unit in part use before others. */
static void test_room(void)
{
	struct pkram_object *obj;
	char name[16];
	u32 i;

	pool_of_large_records(4);
	/* 127 files fill the unit of the root: the next one is in a new unit. */
	for (i = 0; i < PKRAM_SMALL_PAIRS; i++) {
		snprintf(name, sizeof(name), "small%u", i);
		machine_create(name, S_IFREG | 0600, 0);
	}
	obj = machine_find("small127");
	CHECK(obj->loc.unit != 1);
	pkram_object_put(obj);
	obj = machine_find("small5");
	CHECK_EQ(obj->loc.unit, 1);
	CHECK_EQ(pkram_store_unlink(obj), 0);
	pkram_object_put(obj);
	machine_create("again", S_IFREG | 0600, 0);
	obj = machine_find("again");
	CHECK_EQ(obj->loc.unit, 1);
	pkram_object_put(obj);
	machine_check();
	done();
}

/* Pending units */

#define GIBS	64U

/*
 * A file has all units of 62 GiB, and each other one is pinned when it is removed, as any user
 * can do. Nobody else waits until all of them have been looked at.
 */
static void test_pending(void)
{
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, "");
	struct pkram_object *obj, *other;
	struct pkram_pool_info info;
	u32 i, nr = (GIBS - 2) * PKRAM_GIB_UNITS;

	image_init(&im);
	image_add_region(&im, GIBS, ~0ULL);
	image_add_meta(&im, 0, 1, false);
	image_put(&im, (struct spot){ .unit = 1 }, &root);
	boot();
	machine_create("vm1", S_IFREG | 0600, nr);
	machine_create("vm2", S_IFREG | 0600, 0);
	obj = machine_find("vm1");
	for (i = 0; i < nr; i += PKRAM_GIB_UNITS)
		CHECK_EQ(pkram_store_populate(obj, i), 0);
	machine_pinned = true;
	machine_pinned_step = 2;
	CHECK_EQ(pkram_store_unlink(obj), 0);
	pkram_object_put(obj);
	CHECK_EQ(pkram_store.nr_pending, nr / 2);
	machine_check();

	other = machine_find("vm2");
	machine_max_looks = 0;
	pkram_store_info(&info);
	CHECK_EQ(info.pending >> PKRAM_UNIT_SHIFT, nr / 2);
	CHECK_EQ(pkram_store_resize(other, (nr + 1000) * PKRAM_UNIT), -ENOSPC);
	tap_note("%u pinned units: %lu are looked at while others wait", nr / 2,
		 machine_max_looks);
	CHECK(machine_max_looks < 5000);
	CHECK_EQ(pkram_store.nr_pending, nr / 2);
	machine_check();

	/* As soon as the last one is not pinned, all of it can be had. */
	machine_pinned = false;
	CHECK_EQ(pkram_store_resize(other, nr * PKRAM_UNIT), 0);
	machine_check();
	CHECK_EQ(pkram_store_resize(other, 0), 0);
	pkram_object_put(other);
	machine_pinned_step = 0;
	done();
}

/* DMA tables */

static struct pkram_object *make_table(u32 n, u32 nr_entries)
{
	static struct pkram_entry e[300];
	char name[16];
	u32 i;

	for (i = 0; i < nr_entries; i++)
		e[i] = (struct pkram_entry){
			.iova = i * 8192ULL, .size = 4096, .object = 5, .prot = 3,
		};
	snprintf(name, sizeof(name), "table%u", n);
	return pkram_dma_table_create(name, e, nr_entries);
}

/* A table that stays when its container ends */
static void keep_table(u32 n, u32 nr_entries)
{
	struct pkram_object *table = make_table(n, nr_entries);

	CHECK(!IS_ERR(table));
	pkram_dma_table_put(table, true);
}

static void test_quota(void)
{
	struct pkram_entry more = { .iova = 1ULL << 40, .size = 4096, .object = 5, .prot = 3 };
	struct pkram_object *table, *small;
	u32 n;

	machine_pool(&im, 1);
	boot();
	shim_euid = 64055;
	shim_capable = false;
	/* 192 entries fit in a small slot. */
	small = make_table(1000, 192);
	CHECK(!IS_ERR(small) && !small->loc.large);
	keep_table(1001, 1);
	for (n = 0; n < 127; n++)
		keep_table(n, 200);
	CHECK_EQ(PTR_ERR(make_table(n, 200)), -EDQUOT);
	/* Nor may one be replaced by a larger one, but a large one may. */
	CHECK_EQ(pkram_dma_table_may_replace("table1001", 200), -EDQUOT);
	CHECK_EQ(pkram_dma_table_may_replace("table1001", 192), 0);
	CHECK_EQ(pkram_dma_table_may_replace("table3", 200), 0);
	CHECK_EQ(pkram_dma_table_may_replace("new", 200), -EDQUOT);
	/* Nor may one grow that is there. */
	CHECK_EQ(pkram_dma_table_add(small, &more), -EDQUOT);
	CHECK_EQ(small->rec.nr_entries, 192);
	machine_check();
	for (; n < 127 + 126; n++)
		keep_table(n, 1);
	CHECK_EQ(PTR_ERR(make_table(n, 1)), -EDQUOT);
	/* Another user, and one who may */
	shim_euid = 1000;
	keep_table(n++, 1);
	shim_euid = 64055;
	shim_capable = true;
	keep_table(n++, 200);
	CHECK_EQ(pkram_dma_table_add(small, &more), 0);
	CHECK(small->loc.large);
	pkram_dma_table_put(small, false);
	/* The next kernel counts them as well. */
	machine_stop();
	boot();
	shim_capable = false;
	CHECK_EQ(PTR_ERR(make_table(n, 1)), -EDQUOT);
	for (n = 0; n < 2; n++) {
		char name[16];

		snprintf(name, sizeof(name), "table%u", n);
		table = pkram_dma_table_restore(name, true);
		CHECK(!IS_ERR(table));
		pkram_dma_table_put(table, false);
	}
	keep_table(0, 1);
	shim_capable = true;
	shim_euid = 0;
	machine_check();
	done();
}

/* Messages */

/* A pool of files, the last @nr_bad of which have an extent that no region has */
static void pool_of_files(u32 nr, u32 nr_bad)
{
	struct pkram_extent e = { .region_id = 0xbad, .region_unit = 1, .nr_units = 1 };
	struct pkram_record r;
	char name[16];
	u32 i, spot;

	machine_pool(&im, 1);
	for (i = 1; i <= nr / PKRAM_SMALL_PAIRS; i++)
		image_add_meta(&im, 0, 1 + i, false);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "file%u", i);
		r = image_file(2 + i, PKRAM_ROOT_ID, name);
		r.extents = &e;
		r.nr_extents = i >= nr - nr_bad;
		spot = 1 + i;
		image_put(&im, (struct spot){ .unit = 1 + spot / PKRAM_SMALL_PAIRS,
					      .pair = spot % PKRAM_SMALL_PAIRS }, &r);
	}
}

static u32 lines_with(const char *text)
{
	const char *p = shim_log;
	u32 nr = 0;

	while ((p = strstr(p, text))) {
		p++;
		nr++;
	}
	return nr;
}

/* A serial console takes 10 ms for a line, and nobody else gets the lock meanwhile. */
static void test_few_messages(void)
{
	pool_of_files(1000, 1000);
	shim_messages = 0;
	boot();
	CHECK_EQ(pkram_store.nr_quarantined, 1000);
	CHECK_EQ(shim_messages, 17);
	CHECK_EQ(lines_with("quarantined: an extent"), 16);
	CHECK(strstr(shim_log, "984 more are quarantined"));
	done();
	/* So many are all named, and no more are spoken of. */
	pool_of_files(20, 16);
	shim_messages = 0;
	boot();
	CHECK_EQ(pkram_store.nr_quarantined, 16);
	CHECK_EQ(shim_messages, 16);
	done();
}

TAP_MAIN({ "a commit takes as long with many units as with few", test_units_of_records },
	 { "a pair that becomes free is used again", test_room },
	 { "the DMA tables of a user have a limit", test_quota },
	 { "of many quarantined records the log has a few, and how many", test_few_messages },
	 { "no task waits until all pinned units were looked at", test_pending },
)
