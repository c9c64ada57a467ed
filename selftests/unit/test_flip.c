// SPDX-License-Identifier: GPL-2.0
/*
 * Flip bits: a single wrong bit of the metadata loses nothing. If both slots of a record
 * are damaged, only that object is lost, and its memory is not allocated again.
 */
#include "image.h"
#include "tap.h"

static struct sample s;
static struct pkram_header h;

static void flip(void *at, u32 bit)
{
	((u8 *)at)[bit / 8] ^= 1U << (bit % 8);
}

static void test_header_bits(void)
{
	bool mirror;
	u32 bit;
	int cur;

	sample_init(&s);
	for (bit = 0; bit < 2 * PKRAM_HEADER_SLOT * 8; bit++) {
		flip(s.im.mem[0], bit);
		CHECK_EQ(pkram_header_read(s.im.mem[0], IMAGE_BASE, &h, &cur,
					   &mirror), PKRAM_OK);
		CHECK(mirror);
		CHECK_EQ(cur, bit < PKRAM_HEADER_SLOT * 8);
		CHECK(!memcmp(&h, &s.im.h[0], sizeof(h)));
		flip(s.im.mem[0], bit);
	}
	sample_check(&s, -1);
	sample_exit(&s);
}

static void test_map_bits(void)
{
	u8 want[PKRAM_GIB_UNITS];
	u64 id;
	u32 copy, bit, unit, n;
	void *map;

	sample_init(&s);
	id = s.im.h[0].region_id;
	for (unit = 0; unit < PKRAM_GIB_UNITS; unit++)
		want[unit] = pkram_map_get(s.im.mem[0], id, unit);
	for (copy = 0; copy < 2; copy++) {
		map = s.im.mem[0] + (copy ? PKRAM_HEAD_MAP_B : PKRAM_HEAD_MAP_A);
		for (bit = 0; bit < PKRAM_GIB_MAP_WORDS * 64; bit++) {
			flip(map, bit);
			sample_check(&s, -1);
			for (n = 0; n < PKRAM_MAP_WORD_UNITS; n++) {
				unit = bit / 64 * PKRAM_MAP_WORD_UNITS + n;
				CHECK_EQ(pkram_map_get(s.im.mem[0], id, unit),
					 want[unit]);
			}
			flip(map, bit);
		}
	}
	sample_exit(&s);
}

static void flip_pair(struct spot at, u32 len, bool used)
{
	struct pkram_loaded *it;
	u32 slot, bit;
	u8 *p;

	for (slot = 0; slot < 2; slot++) {
		p = image_slot(&s.im, at, slot);
		for (bit = 0; bit < len * 8; bit++) {
			flip(p, bit);
			sample_check(&s, -1);
			CHECK_EQ(image_nr(&s.im), SAMPLE_OBJECTS);
			it = image_at(&s.im, at);
			if (used) {
				CHECK(it->mirror);
				CHECK_EQ(it->loc.cur, !slot);
			}
			flip(p, bit);
		}
		/* Bits beyond the record's length are not read. */
		for (; bit < PKRAM_SMALL_SLOT * 8; bit += 1009) {
			flip(p, bit);
			sample_check(&s, -1);
			CHECK(!used || !image_at(&s.im, at)->mirror);
			flip(p, bit);
		}
	}
}

static void test_record_bits(void)
{
	u32 i;

	sample_init(&s);
	for (i = 0; i < SAMPLE_OBJECTS; i++)
		flip_pair(s.spot[i], pkram_record_len(&s.rec[i]), true);
	sample_exit(&s);
}

static void test_free_pair_bits(void)
{
	static const u32 pair[] = { 1, 20, PKRAM_SMALL_PAIRS - 1 };
	u32 i;

	sample_init(&s);
	for (i = 0; i < ARRAY_SIZE(pair); i++)
		flip_pair((struct spot) { .unit = 1, .pair = pair[i] }, 64,
			  false);
	sample_exit(&s);
}

/* The old content is used only if the new one was not completed. */
static void test_bit_in_unfinished_update(void)
{
	struct pkram_record r, old;
	struct pkram_loaded *it;
	void *buf;
	size_t len;
	u32 bit;

	sample_init(&s);
	old = s.rec[2];
	r = old;
	r.seq++;
	r.size = 1;
	len = pkram_record_len(&r);
	buf = malloc(len);
	pkram_record_encode(buf, &r, s.im.seed);
	pkram_slot_write(image_slot(&s.im, s.spot[2], 1), buf, len);
	free(buf);
	for (bit = 0; bit < len * 8; bit += 3) {
		flip(image_slot(&s.im, s.spot[2], 0), bit);
		CHECK_EQ(image_load(&s.im), 0);
		it = image_at(&s.im, s.spot[2]);
		CHECK(it->mirror && !it->bad && record_same(&it->rec, &r));
		flip(image_slot(&s.im, s.spot[2], 0), bit);
	}
	sample_exit(&s);
}

/* Allocate all free memory; none of it may belong to @r. */
static void check_not_handed_out(const struct pkram_record *r)
{
	struct pkram_alloc_request req = {
		.nr_units = s.im.al.nr_free,
		.node = PKRAM_NO_NODE,
	};
	struct pkram_extent out[64];
	const struct pkram_extent *e;
	int i, n;
	u32 j;

	n = pkram_alloc_get(&s.im.al, &req, out, 64);
	CHECK(n > 0);
	for (i = 0; i < n; i++)
		for (j = 0; j < r->nr_extents; j++) {
			e = &r->extents[j];
			CHECK(out[i].region_unit >= e->region_unit + e->nr_units ||
			      e->region_unit >= out[i].region_unit +
						out[i].nr_units);
		}
}

static void test_both_slots(void)
{
	struct rng g = { 3 };
	struct pkram_loaded *it;
	u32 i, round, free_units, bits[2];
	u8 *p[2];

	sample_init(&s);
	sample_check(&s, -1);
	free_units = s.im.al.nr_free;
	for (i = 0; i < SAMPLE_OBJECTS; i++)
		for (round = 0; round < 200; round++) {
			p[0] = image_slot(&s.im, s.spot[i], 0);
			p[1] = image_slot(&s.im, s.spot[i], 1);
			bits[0] = rng_below(&g, pkram_record_len(&s.rec[i]) * 8);
			bits[1] = rng_below(&g, pkram_record_len(&s.rec[i]) * 8);
			flip(p[0], bits[0]);
			flip(p[1], bits[1]);
			sample_check(&s, i);
			it = image_at(&s.im, s.spot[i]);
			CHECK_EQ(it->bad, PKRAM_BAD_CHECKSUM);
			CHECK(s.im.res.lost);
			CHECK_EQ(image_nr(&s.im), SAMPLE_OBJECTS);
			CHECK_EQ(s.im.al.nr_free, free_units);
			check_not_handed_out(&s.rec[i]);
			flip(p[0], bits[0]);
			flip(p[1], bits[1]);
		}
	sample_exit(&s);
}

static void test_both_slots_and_map(void)
{
	u64 *a, *b;

	/* Record and map are both unreadable: no unit of the word is allocated. */
	sample_init(&s);
	memset(image_slot(&s.im, s.spot[3], 0), 0x5a, 64);
	memset(image_slot(&s.im, s.spot[3], 1), 0x5a, 64);
	a = s.im.mem[0] + PKRAM_HEAD_MAP_A;
	b = s.im.mem[0] + PKRAM_HEAD_MAP_B;
	a[60 / 16] ^= 2;
	b[60 / 16] ^= 4;
	CHECK_EQ(image_load(&s.im), 0);
	CHECK_EQ(image_at(&s.im, s.spot[3])->bad, PKRAM_BAD_CHECKSUM);
	check_not_handed_out(&s.rec[3]);
	CHECK(pkram_alloc_mark(&s.im.al, s.im.h[0].region_id, 63, 1));
	sample_exit(&s);
}

static void test_map_word_in_both_copies(void)
{
	u64 *a, *b;

	/* Units 32 to 47 contain two extents of the guest and nothing else. */
	sample_init(&s);
	a = s.im.mem[0] + PKRAM_HEAD_MAP_A;
	b = s.im.mem[0] + PKRAM_HEAD_MAP_B;
	a[2] ^= 1ULL << 40;
	b[2] ^= 1;
	sample_check(&s, 2);
	CHECK_EQ(image_at(&s.im, s.spot[2])->bad, PKRAM_BAD_MAP);
	CHECK(!s.im.res.lost);
	check_not_handed_out(&s.rec[2]);
	CHECK_EQ(pkram_alloc_mark(&s.im.al, s.im.h[0].region_id, 47, 1),
		 -EEXIST);
	sample_exit(&s);
	/* A word of units without an owner: they are kept back, no object is affected. */
	sample_init(&s);
	a = s.im.mem[0] + PKRAM_HEAD_MAP_A;
	b = s.im.mem[0] + PKRAM_HEAD_MAP_B;
	a[20] = 0;
	b[20] = ~0ULL;
	sample_check(&s, -1);
	CHECK_EQ(s.im.al.nr_free, 512 - 3 - 20 - 1 - 40 - 1 - 16);
	sample_exit(&s);
}

TAP_MAIN({ "any one bit of the header does no harm", test_header_bits },
	 { "any one bit of the unit map does no harm", test_map_bits },
	 { "any one bit of a record does no harm", test_record_bits },
	 { "any one bit of a free pair does no harm", test_free_pair_bits },
	 { "any one bit of the older slot does no harm",
	   test_bit_in_unfinished_update },
	 { "damage to both slots loses that object only and keeps its memory",
	   test_both_slots },
	 { "memory is kept back if slots and map are damaged",
	   test_both_slots_and_map },
	 { "damage to both copies of a map word affects only its owner",
	   test_map_word_in_both_copies },
)
