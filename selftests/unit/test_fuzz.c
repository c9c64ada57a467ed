// SPDX-License-Identifier: GPL-2.0
/*
 * Random damage with a correct checksum, as a faulty program would leave it: the loader
 * must stay within bounds and its verdicts must be consistent.
 */
#include "image.h"
#include "tap.h"

#define ROUNDS 20000

static struct sample s;
static u8 *saved;

static u64 odd_value(struct rng *g)
{
	static const u64 odd[] = { 0, 1, 2, 3, 7, 8, 255, 256, 511, 512, 4096,
		8192, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32,
		~0ULL >> 1, 1ULL << 63, ~0ULL };

	switch (rng_below(g, 3)) {
	case 0:
		return odd[rng_below(g, ARRAY_SIZE(odd))];
	case 1:
		return rng_below(g, 600);
	}
	return rng_next(g);
}

static void damage(struct rng *g, u8 *slot, u32 slot_size)
{
	struct pkram_record_ser *ser = (void *)slot;
	u32 i, off, len = min(ser->len, slot_size), size;
	u64 v;

	for (i = rng_below(g, 4) + 1; i; i--) {
		size = 1U << rng_below(g, 4);
		off = rng_below(g, rng_below(g, 2) ? 256 : len);
		off -= off % size;
		if (off < 16 && rng_below(g, 8))
			off += 16;
		v = rng_below(g, 2) ? odd_value(g) :
		    (u64)slot[off] + rng_below(g, 5) - 2;
		memcpy(slot + off, &v, size);
	}
	len = ser->len;
	if (len > slot_size || len < 16)
		return;
	ser->tag = 0;
	ser->tag = PKRAM_RECORD_MAGIC |
		   (u64)pkram_crc32c(s.im.seed, slot, len) << 32;
}

static void check_entries(const struct pkram_record *r)
{
	u64 next = 0;
	u32 i;

	CHECK(!r->nr_entries || r->kind == PKRAM_KIND_DMA_TABLE);
	for (i = 0; i < r->nr_entries; i++) {
		CHECK(r->entries[i].iova >= next && r->entries[i].size);
		next = r->entries[i].iova + r->entries[i].size;
		CHECK(next > r->entries[i].iova || (!next && i == r->nr_entries - 1));
		CHECK(r->entries[i].object <= s.im.res.max_id);
	}
}

/* A record called good must be consistent. */
static void check_good(void)
{
	static u8 owner[PKRAM_GIB_UNITS];
	struct pkram_alloc_region *ar = s.im.al.regions;
	struct pkram_loaded *a, *b;
	const struct pkram_extent *e;
	u32 i, j, u, free_units = 0;

	memset(owner, 0, sizeof(owner));
	for (i = 0; i < s.im.res.nr; i++) {
		a = &s.im.res.items[i];
		if (a->bad || a->is_void)
			continue;
		CHECK(a->rec.id && a->rec.id <= s.im.res.max_id);
		check_entries(&a->rec);
		for (j = 0; j < a->rec.nr_extents; j++) {
			e = &a->rec.extents[j];
			CHECK_EQ(e->region_id, ar->id);
			CHECK((u64)e->region_unit + e->nr_units <=
			      PKRAM_GIB_UNITS);
			for (u = 0; u < e->nr_units; u++) {
				CHECK(e->region_unit + u > 2);
				CHECK(!owner[e->region_unit + u]++);
				CHECK(test_bit(e->region_unit + u, ar->used));
			}
		}
		for (j = 0; j < i; j++) {
			b = &s.im.res.items[j];
			if (b->bad || b->is_void)
				continue;
			CHECK(a->rec.id != b->rec.id);
			CHECK(a->rec.parent != b->rec.parent ||
			      strcmp(a->rec.name, b->rec.name));
		}
	}
	for (u = 0; u < PKRAM_GIB_UNITS; u++)
		free_units += !test_bit(u, ar->used);
	CHECK_EQ(free_units, s.im.al.nr_free);
}

/* Records that were not changed are good, or conflict with changed ones. */
static void check_others(u32 touched)
{
	struct pkram_loaded *it;
	u32 i;

	for (i = 0; i < SAMPLE_OBJECTS; i++) {
		if (i == touched)
			continue;
		it = image_at(&s.im, s.spot[i]);
		CHECK(it && !it->is_void && record_same(&it->rec, &s.rec[i]));
		CHECK(!it->bad || it->bad == PKRAM_BAD_OVERLAP ||
		      it->bad == PKRAM_BAD_DUP_ID ||
		      it->bad == PKRAM_BAD_DUP_NAME);
	}
}

static void test_records(void)
{
	struct rng g = { 2024 };
	struct pkram_loaded *it;
	u32 round, i, size, verdicts[__PKRAM_BAD_MAX] = { 0 };
	u8 *a;

	sample_init(&s);
	saved = malloc(2 * PKRAM_LARGE_SLOT);
	for (round = 0; round < ROUNDS; round++) {
		i = rng_below(&g, SAMPLE_OBJECTS);
		size = s.spot[i].large ? PKRAM_LARGE_SLOT : PKRAM_SMALL_SLOT;
		a = image_slot(&s.im, s.spot[i], 0);
		memcpy(saved, a, 4096);
		memcpy(saved + 4096, a + size, 4096);
		damage(&g, a, size);
		if (rng_below(&g, 4))
			memcpy(a + size, a, 4096);
		else
			damage(&g, a + size, size);
		CHECK_EQ(image_load(&s.im), 0);
		check_good();
		check_others(i);
		it = image_at(&s.im, s.spot[i]);
		verdicts[it ? it->bad : 0]++;
		memcpy(a, saved, 4096);
		memcpy(a + size, saved + 4096, 4096);
	}
	for (i = 0; i < __PKRAM_BAD_MAX; i++)
		if (verdicts[i])
			tap_note("%u times: %s", verdicts[i], pkram_bad_text(i));
	/* The deeper checks were reached. */
	CHECK(verdicts[PKRAM_BAD_FIELD] && verdicts[PKRAM_BAD_NAME]);
	CHECK(verdicts[PKRAM_BAD_XATTR] && verdicts[PKRAM_BAD_EXTENT]);
	CHECK(verdicts[PKRAM_BAD_REGION] && verdicts[PKRAM_BAD_OVERLAP]);
	CHECK(verdicts[PKRAM_BAD_DUP_ID] && verdicts[PKRAM_BAD_KIND]);
	CHECK(verdicts[PKRAM_BAD_MAP] && verdicts[PKRAM_BAD_PARENT]);
	CHECK(verdicts[PKRAM_BAD_ENTRY]);
	free(saved);
	sample_exit(&s);
}

static void header_is_possible(const struct pkram_header *h)
{
	u32 i, unit;

	CHECK(h->version == 1 && !h->incompat);
	CHECK(h->nr_gib && h->nr_gib <= PKRAM_REGION_MAX_GIB);
	CHECK(h->present[0] & 1);
	CHECK(h->nr_meta <= PKRAM_REGION_MAX_META);
	for (i = 0; i < h->nr_meta; i++) {
		unit = h->meta[i] & ~PKRAM_META_LARGE;
		CHECK(unit && unit / PKRAM_GIB_UNITS < h->nr_gib);
		CHECK(h->present[unit / PKRAM_GIB_UNITS / 64] >>
		      (unit / PKRAM_GIB_UNITS % 64) & 1);
	}
}

static void test_headers(void)
{
	static struct pkram_header h;
	static struct pkram_region_ser good;
	struct pkram_region_ser *ser;
	struct rng g = { 7 };
	u32 round, i, off, verdicts[__PKRAM_BAD_MAX] = { 0 };
	bool mirror;
	int bad, cur;
	u64 v;

	sample_init(&s);
	ser = s.im.mem[0];
	good = ser[0];
	for (round = 0; round < ROUNDS; round++) {
		ser[0] = good;
		for (i = rng_below(&g, 3) + 1; i; i--) {
			off = 8 + rng_below(&g, rng_below(&g, 3) ? 104 - 8 :
					    4096 - 8);
			v = odd_value(&g);
			memcpy((u8 *)ser + (off & ~3U), &v, 4);
		}
		ser->tag = 0;
		ser->tag = PKRAM_REGION_MAGIC |
			   (u64)pkram_crc32c(PKRAM_CRC_SEED, ser, 4096) << 32;
		ser[1] = ser[0];
		bad = pkram_header_read(ser, IMAGE_BASE, &h, &cur, &mirror);
		verdicts[bad]++;
		if (!bad)
			header_is_possible(&h);
	}
	CHECK(verdicts[PKRAM_OK] && verdicts[PKRAM_BAD_FIELD]);
	CHECK(verdicts[PKRAM_BAD_VERSION] && verdicts[PKRAM_BAD_FEATURE]);
	sample_exit(&s);
}

static void test_garbage(void)
{
	struct rng g = { 11 };
	u32 round, i, j;
	u8 *p;

	sample_init(&s);
	saved = malloc(3 * PKRAM_UNIT);
	memcpy(saved, s.im.mem[0], 3 * PKRAM_UNIT);
	for (round = 0; round < 300; round++) {
		for (i = 0; i < 40; i++) {
			p = s.im.mem[0] + PKRAM_HEAD_MAP_A +
			    rng_below(&g, 3 * PKRAM_UNIT - PKRAM_HEAD_MAP_A - 64);
			if (rng_below(&g, 2))
				p = image_slot(&s.im, (struct spot) { .unit = 1,
					       .pair = rng_below(&g, 24) },
					       rng_below(&g, 2));
			for (j = 0; j < 64; j++)
				p[j] = rng_next(&g);
		}
		CHECK_EQ(image_load(&s.im), 0);
		check_good();
		memcpy(s.im.mem[0], saved, 3 * PKRAM_UNIT);
	}
	free(saved);
	sample_exit(&s);
}

TAP_MAIN({ "records of any content get sensible verdicts", test_records },
	 { "random headers are refused or valid", test_headers },
	 { "garbage in the metadata does no harm", test_garbage },
)
