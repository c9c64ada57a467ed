// SPDX-License-Identifier: GPL-2.0
/*
 * Fail each allocation in turn: -ENOMEM, nothing changed, nothing leaked (LeakSanitizer
 * checks).
 */
#include "image.h"
#include "tap.h"

static struct sample s;

static void test_load(void)
{
	struct pkram_load_region lr;
	unsigned long n;
	u64 free_units;
	int ret;

	sample_init(&s);
	image_prepare_alloc(&s.im);
	free_units = s.im.al.nr_free;
	lr = (struct pkram_load_region) { .h = &s.im.h[0], .base = s.im.mem[0] };
	for (n = 1;; n++) {
		pkram_alloc_count = 0;
		pkram_alloc_fail_at = n;
		ret = pkram_load(&lr, 1, &s.im.al, &s.im.res);
		pkram_alloc_fail_at = 0;
		if (!ret)
			break;
		CHECK_EQ(ret, -ENOMEM);
		CHECK(!s.im.res.items && !s.im.res.nr);
		CHECK_EQ(s.im.al.nr_free, free_units);
		CHECK_EQ(s.im.al.regions->nr_free, free_units);
	}
	CHECK_EQ(pkram_alloc_count, n - 1);
	CHECK(n > 200);
	tap_note("%lu allocations", n - 1);
	CHECK_EQ(s.im.res.nr, SAMPLE_OBJECTS);
	sample_exit(&s);
}

static void test_record(void)
{
	struct pkram_record r;
	unsigned long n;
	bool mirror;
	int cur, ret;

	sample_init(&s);
	for (n = 1;; n++) {
		pkram_alloc_count = 0;
		pkram_alloc_fail_at = n;
		ret = pkram_record_read(image_slot(&s.im, s.spot[2], 0),
					PKRAM_SMALL_SLOT, s.im.seed, &r, &cur,
					&mirror);
		pkram_alloc_fail_at = 0;
		if (!ret)
			break;
		CHECK_EQ(ret, -ENOMEM);
		CHECK(!r.xattrs && !r.extents);
	}
	CHECK_EQ(n, 5);
	CHECK(record_same(&r, &s.rec[2]));
	pkram_record_release(&r);
	sample_exit(&s);
}

static void test_small_ones(void)
{
	struct pkram_alloc al = { 0 };
	const u64 present = 1;
	u8 *out;
	u32 len;

	pkram_alloc_count = 0;
	pkram_alloc_fail_at = 1;
	CHECK_EQ(pkram_alloc_add_region(&al, 1, 0, 1, &present), -ENOMEM);
	CHECK(!al.regions && !al.nr_free);
	pkram_alloc_count = 0;
	CHECK_EQ(pkram_xattr_replace(NULL, 0, "a", "b", 1, &out, &len),
		 -ENOMEM);
	CHECK(!out && !len);
	pkram_alloc_fail_at = 0;
}

TAP_MAIN({ "the loader fails cleanly at each allocation", test_load },
	 { "reading a record fails cleanly at each allocation", test_record },
	 { "the allocator and the labels fail cleanly", test_small_ones },
)
