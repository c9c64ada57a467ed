// SPDX-License-Identifier: GPL-2.0
/*
 * Headers and records: they are read back as written; newer and impossible ones are
 * distinguished.
 */
#include "image.h"
#include "tap.h"

static struct image im;
static struct pkram_header got;
static int cur;
static bool mirror;

static enum pkram_bad header_read(void)
{
	return pkram_header_read(im.mem[0], IMAGE_BASE, &got, &cur, &mirror);
}

static void one_region(u32 nr_gib)
{
	image_exit(&im);
	image_init(&im);
	image_add_region(&im, nr_gib, ~0ULL);
}

static void test_header_round_trip(void)
{
	struct pkram_header *h;
	u32 i;

	one_region(PKRAM_REGION_MAX_GIB);
	h = &im.h[0];
	h->index = 77;
	h->compat = 1ULL << 63;
	h->created = ~0ULL;
	h->set_seq = 1ULL << 62;
	h->nr_regions = 99;
	h->nr_meta = PKRAM_REGION_MAX_META;
	for (i = 0; i < h->nr_meta; i++)
		h->meta[i] = (1 + i * 1000) | (i % 3 ? 0 : PKRAM_META_LARGE);
	image_write_header(&im, 0);
	CHECK_EQ(header_read(), PKRAM_OK);
	CHECK(!mirror);
	CHECK(!memcmp(&got, h, sizeof(got)));
}

static void write_slot(int slot)
{
	struct pkram_region_ser *ser = malloc(sizeof(*ser));

	pkram_header_encode(ser, &im.h[0]);
	pkram_slot_write(im.mem[0] + slot * PKRAM_HEADER_SLOT, ser,
			 sizeof(*ser));
	free(ser);
}

static void test_header_higher_seq_counts(void)
{
	one_region(1);
	im.h[0].seq = 5;
	write_slot(0);
	im.h[0].seq = 6;
	write_slot(1);
	CHECK_EQ(header_read(), PKRAM_OK);
	CHECK(cur == 1 && mirror && got.seq == 6);
	im.h[0].seq = ~0ULL;
	write_slot(0);
	CHECK_EQ(header_read(), PKRAM_OK);
	CHECK(cur == 0 && mirror && got.seq == ~0ULL);
}

static void test_header_same_seq_other_content(void)
{
	one_region(1);
	im.h[0].index = 4;
	write_slot(0);
	CHECK_EQ(header_read(), PKRAM_BAD_FIELD);
}

static void test_header_newer_version(void)
{
	one_region(1);
	im.h[0].version = PKRAM_FORMAT_VERSION + 1;
	image_write_header(&im, 0);
	CHECK_EQ(header_read(), PKRAM_BAD_VERSION);
	CHECK_EQ(got.version, 2);
	CHECK(!memcmp(got.pool_uuid, im.h[0].pool_uuid, 16));
	CHECK_EQ(got.region_id, im.h[0].region_id);
	CHECK_EQ(got.nr_meta, 0);
}

static void test_header_features(void)
{
	one_region(1);
	im.h[0].incompat = 1;
	image_write_header(&im, 0);
	CHECK_EQ(header_read(), PKRAM_BAD_FEATURE);
	CHECK_EQ(got.incompat, 1);
	im.h[0].incompat = 0;
	im.h[0].ro_compat = 1ULL << 50;
	im.h[0].compat = 1;
	image_write_header(&im, 0);
	CHECK_EQ(header_read(), PKRAM_OK);
	CHECK(got.ro_compat == 1ULL << 50 && got.compat == 1);
}

static void header_refused(const struct pkram_header *h)
{
	im.h[0] = *h;
	image_write_header(&im, 0);
	CHECK_EQ(header_read(), PKRAM_BAD_FIELD);
}

static void test_header_impossible(void)
{
	static struct pkram_header good, h;

	one_region(3);
	good = im.h[0];
#define TRY(change) do { h = good; change; header_refused(&h); } while (0)
	TRY(h.version = 0);
	TRY(h.nr_gib = 0);
	TRY(h.nr_gib = PKRAM_REGION_MAX_GIB + 1);
	TRY(h.nr_gib = ~0U);
	TRY(h.nr_gib = 2);		/* a GiB beyond the end is present */
	TRY(h.present[0] = 6);		/* GiB 0 is absent */
	TRY(h.present[31] = 1ULL << 63);
	TRY(h.base += PKRAM_GIB);	/* at another address */
	TRY(h.nr_meta = PKRAM_REGION_MAX_META + 1);
	TRY(h.nr_meta = ~0U);
	TRY(h.nr_meta = 1; h.meta[0] = 0);
	TRY(h.nr_meta = 1; h.meta[0] = 3 * PKRAM_GIB_UNITS);
	TRY(h.nr_meta = 1; h.meta[0] = PKRAM_META_LARGE - 1);
	TRY(h.nr_meta = 1; h.present[0] = 5; h.meta[0] = PKRAM_GIB_UNITS + 1);
	TRY(h.nr_meta = 2; h.meta[0] = 9; h.meta[1] = 9 | PKRAM_META_LARGE);
#undef TRY
	im.h[0] = good;
	image_write_header(&im, 0);
	CHECK_EQ(header_read(), PKRAM_OK);
	CHECK_EQ(pkram_header_read(im.mem[0], good.base + 4096, &got, &cur,
				   &mirror), PKRAM_BAD_FIELD);
	/* A base that makes the end wrap around */
	im.h[0].base = ~0ULL << PKRAM_GIB_SHIFT;
	im.h[0].nr_gib = 3;
	image_write_header(&im, 0);
	CHECK_EQ(pkram_header_read(im.mem[0], im.h[0].base, &got, &cur,
				   &mirror), PKRAM_BAD_FIELD);
}

static void test_header_garbage(void)
{
	struct rng g = { 1 };
	u32 i, j;

	one_region(1);
	for (i = 0; i < 100; i++) {
		for (j = 0; j < 2 * PKRAM_HEADER_SLOT; j += 8)
			*(u64 *)(im.mem[0] + j) = rng_next(&g);
		CHECK_EQ(header_read(), PKRAM_BAD_CHECKSUM);
	}
	memset(im.mem[0], 0, 2 * PKRAM_HEADER_SLOT);
	CHECK_EQ(header_read(), PKRAM_BAD_CHECKSUM);
	memset(im.mem[0], 0xff, 2 * PKRAM_HEADER_SLOT);
	CHECK_EQ(header_read(), PKRAM_BAD_CHECKSUM);
}

/* Records */

static u8 *slots;
static u32 slot_size;

static int commit_and_read(const struct pkram_record *r, u32 size,
			   struct pkram_record *out)
{
	void *buf = malloc(pkram_record_len(r));
	size_t len = pkram_record_encode(buf, r, 99);

	CHECK_EQ(len, pkram_record_len(r));
	CHECK_EQ(len % 8, 0);
	slot_size = size;
	free(slots);
	slots = calloc(2, size);
	pkram_pair_commit(slots, slots + size, 0, buf, len);
	free(buf);
	return pkram_record_read(slots, size, 99, out, &cur, &mirror);
}

static void round_trip(const struct pkram_record *r, u32 size)
{
	struct pkram_record out;

	CHECK_EQ(commit_and_read(r, size, &out), PKRAM_OK);
	CHECK(!mirror);
	CHECK(record_same(r, &out));
	pkram_record_release(&out);
	/* The checksum depends on the pool. */
	CHECK_EQ(pkram_record_read(slots, size, 98, &out, &cur, &mirror),
		 PKRAM_BAD_CHECKSUM);
	free(slots);
	slots = NULL;
}

static void test_record_empty(void)
{
	struct pkram_record r = image_file(2, 1, "a");

	CHECK_EQ(pkram_record_len(&r), 512);
	round_trip(&r, PKRAM_SMALL_SLOT);
	round_trip(&r, PKRAM_LARGE_SLOT);
	r = image_dir(PKRAM_ROOT_ID, 0, "");
	round_trip(&r, PKRAM_SMALL_SLOT);
	r = (struct pkram_record) { .seq = 4, .kind = PKRAM_KIND_FREE, .id = 9 };
	round_trip(&r, PKRAM_SMALL_SLOT);
}

static void test_record_longest_name(void)
{
	struct pkram_record r = image_file(PKRAM_ID_MAX, PKRAM_ID_MAX - 1, "");

	r.name_len = PKRAM_NAME_MAX;
	memset(r.name, 0xff, PKRAM_NAME_MAX);
	round_trip(&r, PKRAM_SMALL_SLOT);
}

static void test_record_most_labels(void)
{
	struct pkram_record r = image_file(2, 1, "labels");
	static u8 value[65535];
	u8 *area;

	memset(value, 7, sizeof(value));
	CHECK_EQ(pkram_xattr_replace(NULL, 0, "n", value, 65531, &area,
				     &r.xattr_len), 0);
	CHECK_EQ(r.xattr_len, PKRAM_XATTR_AREA_MAX);
	r.xattrs = area;
	round_trip(&r, PKRAM_LARGE_SLOT);
	/* A length that needs padding */
	CHECK_EQ(pkram_xattr_replace(NULL, 0, "n", value, 2, &r.xattrs,
				     &r.xattr_len), 0);
	free(area);
	CHECK_EQ(pkram_record_len(&r), 520);
	round_trip(&r, PKRAM_SMALL_SLOT);
	free(r.xattrs);
}

static void test_record_most_extents(void)
{
	struct pkram_record r = image_file(2, 1, "extents");
	u32 i, max = PKRAM_LARGE_DATA / sizeof(struct pkram_extent_ser);

	CHECK_EQ(max, 43669);
	r.extents = calloc(max, sizeof(*r.extents));
	for (i = 0; i < max; i++)
		r.extents[i] = (struct pkram_extent) { ~0ULL - i, 3 * i, i, 2 };
	r.nr_extents = max;
	round_trip(&r, PKRAM_LARGE_SLOT);
	r.nr_extents = PKRAM_SMALL_DATA / sizeof(struct pkram_extent_ser);
	CHECK_EQ(r.nr_extents, 320);
	round_trip(&r, PKRAM_SMALL_SLOT);
	free(r.extents);
}

static void test_record_16_tib_and_beyond(void)
{
	struct pkram_extent e[] = {
		{ 5, 0, 512, 1U << 20 },
		{ 6, (1U << 23) - 1, 0x000fffff, 1 },
		{ 6, 1U << 23, 0, 1U << 20 },
		{ 7, (1U << 31) - 2, 7, 4 },
		{ 8, ~0U - 9, ~0U - 9, 9 },
	};
	struct pkram_record r = image_file(2, 1, "beyond");

	r.size = (1ULL << 63) - 1;
	r.extents = e;
	r.nr_extents = ARRAY_SIZE(e);
	round_trip(&r, PKRAM_SMALL_SLOT);
}

static void test_record_higher_seq_counts(void)
{
	struct pkram_record r = image_file(2, 1, "old"), out;
	void *buf = malloc(512);

	commit_and_read(&r, PKRAM_SMALL_SLOT, &out);
	CHECK_EQ(cur, 0);
	memcpy(r.name, "new", 3);
	r.seq++;
	pkram_record_encode(buf, &r, 99);
	pkram_slot_write(slots + PKRAM_SMALL_SLOT, buf, 512);
	CHECK_EQ(pkram_record_read(slots, slot_size, 99, &out, &cur, &mirror), 0);
	CHECK(cur == 1 && mirror && !strcmp(out.name, "new"));
	/* Two contents with one number: neither is used */
	r.seq--;
	pkram_record_encode(buf, &r, 99);
	pkram_slot_write(slots + PKRAM_SMALL_SLOT, buf, 512);
	CHECK_EQ(pkram_record_read(slots, slot_size, 99, &out, &cur, &mirror),
		 PKRAM_BAD_FIELD);
	free(buf);
	free(slots);
	slots = NULL;
}

static void record_is(const struct pkram_record *r, int want, int line)
{
	struct pkram_record out;
	int bad = commit_and_read(r, PKRAM_SMALL_SLOT, &out);

	if (bad != want)
		tap_fail(__FILE__, line, "verdict is \"%s\", not \"%s\"",
			 pkram_bad_text(bad), pkram_bad_text(want));
	pkram_record_release(&out);
	free(slots);
	slots = NULL;
}

#define TRY(want, change)						\
	do {								\
		r = good;						\
		change;							\
		record_is(&r, want, __LINE__);				\
	} while (0)

static void test_record_impossible_fields(void)
{
	struct pkram_record good = image_file(7, 1, "name"), r;

	TRY(PKRAM_OK, (void)0);
	TRY(PKRAM_BAD_KIND, r.kind = 0);
	TRY(PKRAM_BAD_KIND, r.kind = 5);
	TRY(PKRAM_BAD_KIND, r.kind = 0xffff);
	TRY(PKRAM_BAD_FIELD, r.id = 0);
	TRY(PKRAM_BAD_FIELD, r.id = PKRAM_ID_MAX + 1);
	TRY(PKRAM_BAD_FIELD, r.id = PKRAM_ROOT_ID);
	TRY(PKRAM_BAD_FIELD, r.replaces = PKRAM_ID_MAX + 1);
	TRY(PKRAM_BAD_FIELD, r.replaces = 7);
	TRY(PKRAM_BAD_FIELD, r.replaces = PKRAM_ROOT_ID);
	TRY(PKRAM_BAD_PARENT, r.parent = 0);
	TRY(PKRAM_BAD_PARENT, r.parent = 7);
	TRY(PKRAM_BAD_PARENT, r.parent = ~0ULL);
	TRY(PKRAM_BAD_FIELD, r.mode = S_IFDIR | 0644);
	TRY(PKRAM_BAD_FIELD, r.mode = 0644);
	TRY(PKRAM_BAD_FIELD, r.mode |= 1U << 16);
	TRY(PKRAM_BAD_FIELD, r.atime.nsec = 1000000000);
	TRY(PKRAM_BAD_FIELD, r.mtime.nsec = 1000000000);
	TRY(PKRAM_BAD_FIELD, r.ctime.nsec = 1000000000);
	TRY(PKRAM_BAD_FIELD, r.btime.nsec = ~0U);
	TRY(PKRAM_OK, r.size = ~0ULL >> 1);
	TRY(PKRAM_BAD_SIZE, r.size = 1ULL << 63);
	TRY(PKRAM_BAD_SIZE, r.size = ~0ULL);
	good = image_dir(7, 1, "name");
	TRY(PKRAM_OK, (void)0);
	TRY(PKRAM_BAD_SIZE, r.size = 1);
	TRY(PKRAM_BAD_FIELD, r.mode = S_IFREG);
	TRY(PKRAM_BAD_FIELD, r.seal.state = PKRAM_SEAL_RUNNING);
	TRY(PKRAM_BAD_FIELD, r.table_state = PKRAM_DMA_TABLE_SUSPENDED);
	good = image_dir(PKRAM_ROOT_ID, 0, "");
	TRY(PKRAM_OK, (void)0);
	TRY(PKRAM_BAD_NAME, r.name_len = 1; r.name[0] = 'r');
	TRY(PKRAM_BAD_PARENT, r.parent = 2);
	TRY(PKRAM_BAD_PARENT, r.replaces = 2);
}

static void test_record_impossible_names(void)
{
	struct pkram_record good = image_file(7, 1, "name"), r;

#define NAME(n, s) (r.name_len = (n), memcpy(r.name, s, n))
	TRY(PKRAM_BAD_NAME, r.name_len = 0);
	TRY(PKRAM_BAD_NAME, r.name_len = 256);
	TRY(PKRAM_BAD_NAME, r.name_len = 0xffff);
	TRY(PKRAM_BAD_NAME, memset(r.name, 0, 5); NAME(1, "."));
	TRY(PKRAM_BAD_NAME, memset(r.name, 0, 5); NAME(2, ".."));
	TRY(PKRAM_BAD_NAME, NAME(3, "a/b"));
	TRY(PKRAM_BAD_NAME, NAME(3, "a\0b"));
	TRY(PKRAM_BAD_NAME, r.name_len = 5);
	TRY(PKRAM_OK, NAME(4, "...."));
}

static void test_record_impossible_seals(void)
{
	struct pkram_record good = image_file(7, 1, "name"), r;

	TRY(PKRAM_OK, r.seal.state = PKRAM_SEAL_RUNNING);
	TRY(PKRAM_OK, r.seal.generation = ~0ULL);
	TRY(PKRAM_BAD_FIELD, r.seal.state = 3);
	TRY(PKRAM_BAD_FIELD, r.seal.state = ~0U);
	TRY(PKRAM_BAD_FIELD, r.seal.cookie[15] = 1);
	TRY(PKRAM_BAD_FIELD, r.seal.vm_uuid[0] = 1);
	TRY(PKRAM_BAD_FIELD, r.seal.state = PKRAM_SEAL_SEALED);
	TRY(PKRAM_BAD_FIELD, r.table_state = PKRAM_DMA_TABLE_RUNNING);
	good.seal.state = PKRAM_SEAL_SEALED;
	TRY(PKRAM_OK, r.seal.cookie[0] = 1);
}

static void test_record_impossible_extents(void)
{
	struct pkram_extent e[3];
	struct pkram_record good = image_file(7, 1, "name"), r;

	good.extents = e;
	good.nr_extents = 3;
#define EXT(i, field, v)						\
	do {								\
		e[0] = (struct pkram_extent) { 1, 0, 10, 5 };		\
		e[1] = (struct pkram_extent) { 1, 5, 20, 5 };		\
		e[2] = (struct pkram_extent) { 1, 10, 30, 5 };		\
		e[i].field = v;						\
	} while (0)
	TRY(PKRAM_OK, EXT(0, nr_units, 5));
	TRY(PKRAM_BAD_EXTENT, EXT(1, nr_units, 0));
	TRY(PKRAM_BAD_EXTENT, EXT(0, nr_units, 6));
	TRY(PKRAM_BAD_EXTENT, EXT(1, obj_unit, 4));
	TRY(PKRAM_BAD_EXTENT, EXT(1, obj_unit, 100));
	TRY(PKRAM_BAD_EXTENT, EXT(2, obj_unit, ~0U - 4));
	TRY(PKRAM_BAD_EXTENT, EXT(2, nr_units, ~0U - 9));
	TRY(PKRAM_BAD_EXTENT, EXT(1, region_unit, ~0U));
	TRY(PKRAM_OK, EXT(2, obj_unit, ~0U - 5));
	EXT(0, nr_units, 5);
	good.kind = PKRAM_KIND_DIR;
	good.mode = S_IFDIR;
	TRY(PKRAM_BAD_SIZE, (void)0);
}

static void test_record_most_entries(void)
{
	struct pkram_record r = image_dma_table(2, "entries");
	u32 i;

	round_trip(&r, PKRAM_SMALL_SLOT);
	CHECK_EQ(PKRAM_MAX_ENTRIES, 26201);
	r.entries = calloc(PKRAM_MAX_ENTRIES, sizeof(*r.entries));
	for (i = 0; i < PKRAM_MAX_ENTRIES; i++)
		r.entries[i] = (struct pkram_entry) { i * 8192ULL, 4096, 2 + i,
						      i * 4096ULL, 1 + i % 3 };
	r.nr_entries = PKRAM_MAX_ENTRIES;
	round_trip(&r, PKRAM_LARGE_SLOT);
	r.nr_entries = PKRAM_SMALL_DATA / sizeof(struct pkram_entry_ser);
	CHECK_EQ(r.nr_entries, 192);
	round_trip(&r, PKRAM_SMALL_SLOT);
	free(r.entries);
}

static void test_record_impossible_dma_tables(void)
{
	struct pkram_record good = image_dma_table(7, "name"), r;
	struct pkram_entry e[3];

	good.entries = e;
	good.nr_entries = 3;
#define ENT(i, field, v)						\
	do {								\
		e[0] = (struct pkram_entry) { 0, 8192, 9, 0, 3 };	\
		e[1] = (struct pkram_entry) { 8192, 4096, 9, 8192, 1 };	\
		e[2] = (struct pkram_entry) { 1 << 20, 1 << 20, 8, 0, 2 }; \
		e[i].field = v;						\
	} while (0)
	TRY(PKRAM_OK, ENT(0, prot, 3));
	TRY(PKRAM_OK, r.table_state = PKRAM_DMA_TABLE_RUNNING);
	TRY(PKRAM_OK, r.nr_entries = 0);
	TRY(PKRAM_BAD_FIELD, r.table_state = 0);
	TRY(PKRAM_BAD_FIELD, r.table_state = 3);
	TRY(PKRAM_BAD_FIELD, r.table_state = ~0U);
	TRY(PKRAM_BAD_FIELD, r.seal.state = PKRAM_SEAL_RUNNING);
	TRY(PKRAM_BAD_FIELD, r.seal.generation = 1);
	TRY(PKRAM_BAD_FIELD, r.seal.cookie[3] = 1);
	TRY(PKRAM_BAD_FIELD, r.seal.vm_uuid[3] = 1);
	TRY(PKRAM_BAD_FIELD, r.id = 0);
	TRY(PKRAM_BAD_FIELD, r.id = PKRAM_ROOT_ID);
	TRY(PKRAM_BAD_FIELD, r.mode = S_IFREG);
	TRY(PKRAM_BAD_PARENT, r.parent = PKRAM_ROOT_ID);
	TRY(PKRAM_BAD_PARENT, r.replaces = 3);
	TRY(PKRAM_BAD_SIZE, r.size = 1);
	TRY(PKRAM_BAD_FIELD, r.ctime.nsec = ~0U);
	TRY(PKRAM_BAD_NAME, r.name_len = 0);
	TRY(PKRAM_BAD_NAME, r.name[1] = '/');
	TRY(PKRAM_BAD_ENTRY, ENT(0, size, 0));
	TRY(PKRAM_BAD_ENTRY, ENT(0, size, 12288));	/* overlaps the next one */
	TRY(PKRAM_BAD_ENTRY, ENT(1, iova, 4096));
	TRY(PKRAM_BAD_ENTRY, ENT(1, iova, 1 << 21));	/* after the next one */
	TRY(PKRAM_BAD_ENTRY, ENT(2, iova, (1 << 20) + 2048));
	TRY(PKRAM_BAD_ENTRY, ENT(2, size, 4097));
	TRY(PKRAM_BAD_ENTRY, ENT(2, offset, 512));
	TRY(PKRAM_BAD_ENTRY, ENT(2, offset, 1ULL << 63));
	TRY(PKRAM_BAD_ENTRY, ENT(2, offset, -4096ULL));
	TRY(PKRAM_BAD_ENTRY, ENT(2, offset, (1ULL << 63) - (1 << 20)));
	TRY(PKRAM_BAD_ENTRY, ENT(2, size, -4096ULL));
	TRY(PKRAM_BAD_ENTRY, ENT(2, iova, 4096 - (1ULL << 20)));	/* wraps around */
	TRY(PKRAM_OK, ENT(2, iova, -(1ULL << 20)));
	TRY(PKRAM_BAD_ENTRY, ENT(1, iova, -4096ULL));	/* overlaps the first one */
	TRY(PKRAM_BAD_ENTRY, ENT(0, object, 0));
	TRY(PKRAM_BAD_ENTRY, ENT(0, object, PKRAM_ROOT_ID));
	TRY(PKRAM_BAD_ENTRY, ENT(0, object, PKRAM_ID_MAX + 1));
	TRY(PKRAM_BAD_ENTRY, ENT(0, prot, 0));
	TRY(PKRAM_BAD_ENTRY, ENT(0, prot, 4));
	ENT(0, prot, 3);
	/* Only a DMA table has entries, and it has nothing else. */
	TRY(PKRAM_BAD_FIELD, r.kind = PKRAM_KIND_FILE; r.mode = S_IFREG; r.parent = 1);
}

/* Change bytes in both slots and correct the checksums. */
static void poke(u32 off, u32 size, u64 v)
{
	struct pkram_record_ser *ser = (void *)slots;
	u32 len;

	memcpy(slots + off, &v, size);
	len = min(ser->len, slot_size);
	ser->tag = 0;
	ser->tag = PKRAM_RECORD_MAGIC | (u64)pkram_crc32c(99, ser, len) << 32;
	memcpy(slots + slot_size, slots, slot_size);
}

static void poked_is(const struct pkram_record *r, u32 off, u32 size, u64 v,
		     int want, int line)
{
	struct pkram_record out;
	int bad;

	commit_and_read(r, PKRAM_SMALL_SLOT, &out);
	pkram_record_release(&out);
	poke(off, size, v);
	bad = pkram_record_read(slots, slot_size, 99, &out, &cur, &mirror);
	pkram_record_release(&out);
	if (bad != want)
		tap_fail(__FILE__, line, "verdict is \"%s\", not \"%s\"",
			 pkram_bad_text(bad), pkram_bad_text(want));
	free(slots);
	slots = NULL;
}

#define OFF(f) offsetof(struct pkram_record_ser, f)
#define POKE(want, off, size, v) poked_is(&r, off, size, v, want, __LINE__)

static void test_record_impossible_lengths(void)
{
	struct pkram_extent e[2] = { { 1, 0, 10, 5 }, { 1, 5, 20, 5 } };
	struct pkram_record r = image_file(7, 1, "name");

	CHECK_EQ(pkram_xattr_replace(NULL, 0, "n", "abc", 3, &r.xattrs,
				     &r.xattr_len), 0);
	r.extents = e;
	r.nr_extents = 2;
	POKE(PKRAM_BAD_CHECKSUM, OFF(len), 4, 0);
	POKE(PKRAM_BAD_CHECKSUM, OFF(len), 4, 511);
	POKE(PKRAM_BAD_CHECKSUM, OFF(len), 4, 504);
	POKE(PKRAM_BAD_CHECKSUM, OFF(len), 4, 513);
	POKE(PKRAM_BAD_CHECKSUM, OFF(len), 4, PKRAM_SMALL_SLOT + 8);
	POKE(PKRAM_BAD_CHECKSUM, OFF(len), 4, ~0U);
	POKE(PKRAM_BAD_FIELD, OFF(len), 4, 512);
	POKE(PKRAM_BAD_FIELD, OFF(len), 4, 576);
	POKE(PKRAM_BAD_FIELD, OFF(flags), 2, 1);
	POKE(PKRAM_BAD_FIELD, OFF(xattr_len), 4, 0);
	POKE(PKRAM_BAD_FIELD, OFF(xattr_len), 4, ~0U);
	POKE(PKRAM_BAD_FIELD, OFF(xattr_len), 4, 512);
	POKE(PKRAM_BAD_XATTR, OFF(xattr_len), 4, 7);
	POKE(PKRAM_BAD_FIELD, OFF(nr_extents), 4, 3);
	POKE(PKRAM_BAD_FIELD, OFF(nr_extents), 4, 1);
	POKE(PKRAM_BAD_FIELD, OFF(nr_extents), 4, ~0U);
	POKE(PKRAM_BAD_FIELD, OFF(nr_extents), 4, 0x20000002U);
	POKE(PKRAM_BAD_XATTR, 512, 2, 0);
	POKE(PKRAM_BAD_XATTR, 512, 2, 2);
	POKE(PKRAM_BAD_XATTR, 512, 2, 0xffff);
	POKE(PKRAM_BAD_XATTR, 514, 2, 4);
	POKE(PKRAM_BAD_XATTR, 516, 1, 0);
	POKE(PKRAM_BAD_EXTENT, 520 + 20, 4, 1);
	/* Reserved bytes are ignored, for later versions. */
	POKE(PKRAM_OK, OFF(reserved), 8, ~0ULL);
	/* A name that fills its field has no terminating NUL. */
	r.name_len = 256;
	memset(r.name, 'n', sizeof(r.name));
	POKE(PKRAM_BAD_NAME, OFF(name) + 248, 8, 0x6e6e6e6e6e6e6e6eULL);
	pkram_free_mem(r.xattrs);
}

static void test_record_impossible_entry_lengths(void)
{
	struct pkram_entry e[2] = { { 0, 8192, 9, 0, 3 }, { 8192, 4096, 9, 0, 3 } };
	struct pkram_record r = image_dma_table(7, "name");

	r.entries = e;
	r.nr_entries = 2;
	POKE(PKRAM_OK, OFF(reserved), 8, ~0ULL);
	POKE(PKRAM_BAD_FIELD, OFF(len), 4, 552);
	POKE(PKRAM_BAD_FIELD, OFF(nr_extents), 4, 1);
	POKE(PKRAM_BAD_FIELD, OFF(nr_extents), 4, 3);
	POKE(PKRAM_BAD_FIELD, OFF(nr_extents), 4, ~0U);
	/* 40 times this wraps around to 80. */
	POKE(PKRAM_BAD_FIELD, OFF(nr_extents), 4, 0x20000002U);
	POKE(PKRAM_BAD_FIELD, OFF(xattr_len), 4, 8);
	POKE(PKRAM_BAD_FIELD, OFF(flags), 2, 1);
	POKE(PKRAM_BAD_ENTRY, 512 + 36, 4, 1);
	POKE(PKRAM_BAD_ENTRY, 512 + 40 + 36, 4, 1U << 31);
}

static void test_bad_texts(void)
{
	int i;

	for (i = 0; i < __PKRAM_BAD_MAX; i++)
		CHECK(pkram_bad_text(i) && *pkram_bad_text(i));
	CHECK(pkram_bad_text(-1));
	CHECK(pkram_bad_text(__PKRAM_BAD_MAX));
	image_exit(&im);
}

TAP_MAIN({ "a full header is read back", test_header_round_trip },
	 { "the header slot with the higher seq is used", test_header_higher_seq_counts },
	 { "two different headers with one seq are refused",
	   test_header_same_seq_other_content },
	 { "a newer version is reported with its fixed fields", test_header_newer_version },
	 { "only unknown incompat bits are refused", test_header_features },
	 { "a header with an impossible field is refused", test_header_impossible },
	 { "garbage is not taken for a header", test_header_garbage },
	 { "records without data are read back", test_record_empty },
	 { "a name of 255 bytes is read back", test_record_longest_name },
	 { "64 KiB of labels are read back", test_record_most_labels },
	 { "320 and 43669 extents are read back", test_record_most_extents },
	 { "extents beyond 16 TiB are read back", test_record_16_tib_and_beyond },
	 { "the record slot with the higher seq is used", test_record_higher_seq_counts },
	 { "impossible fields are refused", test_record_impossible_fields },
	 { "impossible names are refused", test_record_impossible_names },
	 { "impossible seals are refused", test_record_impossible_seals },
	 { "impossible extents are refused", test_record_impossible_extents },
	 { "impossible lengths are refused", test_record_impossible_lengths },
	 { "192 and 26201 mappings are read back", test_record_most_entries },
	 { "impossible DMA tables are refused", test_record_impossible_dma_tables },
	 { "impossible lengths of DMA tables are refused",
	   test_record_impossible_entry_lengths },
	 { "every verdict has a text", test_bad_texts },
)
