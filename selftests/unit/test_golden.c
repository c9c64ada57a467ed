// SPDX-License-Identifier: GPL-2.0
/*
 * The golden image of version 1: a pool of that version, stored as data. A code change
 * that breaks it breaks every existing pool.
 */
#include "golden_text.h"
#include "image.h"
#include "tap.h"

static struct sample s;

static void golden_load(u8 *mem)
{
	FILE *in = fopen(GOLDEN_DIR "/v1.img.txt", "r");

	CHECK(in);
	CHECK(golden_parse(in, mem, GOLDEN_LEN));
	fclose(in);
}

static void test_loads(void)
{
	static struct pkram_header h;
	bool mirror;
	u32 i, gib = 0;
	int cur;

	sample_init(&s);
	memset(s.im.mem[0], 0, GOLDEN_LEN);
	golden_load(s.im.mem[0]);
	CHECK_EQ(pkram_header_read(s.im.mem[0], IMAGE_BASE, &h, &cur, &mirror),
		 PKRAM_OK);
	CHECK(!mirror);
	CHECK(!memcmp(&h, &s.im.h[0], sizeof(h)));
	sample_check(&s, -1);
	CHECK_EQ(s.im.res.nr, SAMPLE_OBJECTS);
	CHECK_EQ(s.im.res.max_id, 12);
	CHECK(!s.im.res.lost);
	for (i = 0; i < s.im.res.nr; i++)
		CHECK(!s.im.res.items[i].mirror);
	for (i = 0; i < PKRAM_GIB_UNITS; i++)
		gib += pkram_map_get(s.im.mem[0], h.region_id, i) ==
		       PKRAM_UNIT_STALE;
	CHECK_EQ(gib, 3);
	CHECK_EQ(s.im.al.nr_free, 512 - 3 - 20 - 1 - 40 - 1);
	sample_exit(&s);
}

static void test_same_bytes(void)
{
	u8 *want = calloc(1, GOLDEN_LEN), *got;
	size_t i;

	sample_init(&s);
	golden_load(want);
	got = s.im.mem[0];
	for (i = 0; i < GOLDEN_LEN; i++)
		if (want[i] != got[i])
			tap_fail(__FILE__, __LINE__,
				 "byte %#zx is %02x, not %02x", i, got[i],
				 want[i]);
	free(want);
	sample_exit(&s);
}

TAP_MAIN({ "the image of version 1 loads to exactly its objects", test_loads },
	 { "the same objects encode to the same bytes", test_same_bytes },
)
