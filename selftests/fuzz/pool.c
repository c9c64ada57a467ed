// SPDX-License-Identifier: GPL-2.0
/* Pools from a compact description: see pool.h. */
#include "pool.h"

#define SMALL_UNIT	1
#define LARGE_UNIT	2
#define USED		(LARGE_UNIT + 1)	/* units that hold metadata */
#define NR_REGIONS	2
#define PAIRS		12			/* of small records, that are used */

/* What the metadata of an empty pool is: kept, as it takes long to make */
static u8 *empty[NR_REGIONS];
static struct pkram_header empty_header[NR_REGIONS];

static void make_pool(struct image *im)
{
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, "");
	u32 i;

	image_init(im);
	for (i = 0; i < NR_REGIONS; i++)
		image_add_region(im, 1, 1);
	image_add_meta(im, 0, SMALL_UNIT, false);
	image_add_meta(im, 0, LARGE_UNIT, true);
	image_add_meta(im, 1, SMALL_UNIT, false);
	image_put(im, (struct spot){ .unit = SMALL_UNIT }, &root);
	for (i = 0; i < NR_REGIONS; i++) {
		empty[i] = malloc(USED * PKRAM_UNIT);
		memcpy(empty[i], im->mem[i], USED * PKRAM_UNIT);
		empty_header[i] = im->h[i];
	}
}

/* Put back the first @len bytes of each @step of the metadata. */
static void put_back(struct image *im, u32 n, size_t from, size_t to, size_t step, size_t len)
{
	for (; from < to; from += step)
		memcpy(im->mem[n] + from, empty[n] + from, len);
}

void fuzz_pool_init(struct image *im)
{
	u32 n;

	if (!empty[0])
		make_pool(im);
	im->nr = NR_REGIONS;
	for (n = 0; n < NR_REGIONS; n++) {
		im->h[n] = empty_header[n];
		put_back(im, n, 0, 2 * PKRAM_HEADER_SLOT, PKRAM_HEADER_SLOT,
			 PKRAM_HEADER_SLOT);
		put_back(im, n, PKRAM_HEAD_MAP_A, PKRAM_HEAD_MAP_A + 1, PKRAM_UNIT, 1024);
		put_back(im, n, PKRAM_HEAD_MAP_B, PKRAM_HEAD_MAP_B + 1, PKRAM_UNIT, 1024);
		put_back(im, n, SMALL_UNIT * PKRAM_UNIT, USED * PKRAM_UNIT, PKRAM_SMALL_SLOT,
			 1024);
	}
}

static struct spot pick_spot(struct fuzz_input *in)
{
	u8 b = fuzz_byte(in);
	struct spot at = { .region = b >> 7, .unit = SMALL_UNIT, .pair = b % PAIRS };

	if ((b & 0x7f) == 0x7f)
		at = (struct spot){ .unit = LARGE_UNIT, .large = true };
	return at;
}

static u64 pick_id(struct fuzz_input *in)
{
	static const u64 odd[] = { 0, PKRAM_ID_MAX, PKRAM_ID_MAX + 1, ~0ULL };
	u8 b = fuzz_byte(in);

	return b < 240 ? 1 + b % 12 : odd[b % 4];
}

static u32 pick_unit(struct fuzz_input *in)
{
	static const u32 odd[] = { 0, 1, 2, 511, 512, 1024, 0x7fffffff, ~0U };
	u8 b = fuzz_byte(in);

	return b < 224 ? USED + b % 40 : odd[b % 8];
}

static u32 pick_nr(struct fuzz_input *in)
{
	static const u32 odd[] = { 0, 100, 509, 512, 513, 0x80000000, ~0U, 4 };
	u8 b = fuzz_byte(in);

	return b < 224 ? 1 + b % 6 : odd[b % 8];
}

static void pick_name(struct fuzz_input *in, struct pkram_record *r)
{
	static const char *const names[] = {
		"a", "b", "vm1", "lost+5+a", "lost+5.1+a", "", ".", "..", "a/b", "lost+2+vm1",
	};
	u32 n = fuzz_below(in, 16);

	memset(r->name, 0, sizeof(r->name));
	if (n >= ARRAY_SIZE(names)) {
		r->name_len = n == 15 ? 255 : 1;
		memset(r->name, 'c' + n - ARRAY_SIZE(names), r->name_len);
		return;
	}
	r->name_len = strlen(names[n]);
	memcpy(r->name, names[n], r->name_len);
}

static void pick_extents(struct image *im, struct fuzz_input *in, struct pkram_record *r)
{
	static struct pkram_extent ext[4];
	u32 i, next = 0;
	u8 b;

	r->nr_extents = fuzz_below(in, 4);
	r->extents = ext;
	for (i = 0; i < r->nr_extents; i++) {
		b = fuzz_byte(in);
		ext[i] = (struct pkram_extent){
			.region_id = b < 250 ? im->h[b & 1].region_id : 77,
			.obj_unit = next + (b >> 1 & 3),
			.region_unit = pick_unit(in),
			.nr_units = pick_nr(in),
		};
		next = ext[i].obj_unit + ext[i].nr_units;
	}
	r->size = (u64)next << PKRAM_UNIT_SHIFT;
}

static void pick_entries(struct fuzz_input *in, struct pkram_record *r)
{
	static struct pkram_entry e[3];
	u32 i;

	r->nr_entries = fuzz_below(in, 4);
	r->entries = e;
	for (i = 0; i < r->nr_entries; i++)
		e[i] = (struct pkram_entry){
			.iova = (u64)(i + fuzz_below(in, 2)) << 16,
			.size = 4096,
			.object = pick_id(in),
			.prot = 1 + i % 3,
		};
}

/* Let the map know the units of a record, as it must. */
static void own(struct image *im, const struct pkram_record *r)
{
	const struct pkram_extent *e = r->extents;
	u32 i, n;

	for (i = 0; i < r->nr_extents; i++, e++)
		for (n = 0; n < im->nr; n++)
			if (im->h[n].region_id == e->region_id && e->region_unit >= USED &&
			    (u64)e->region_unit + e->nr_units <= PKRAM_GIB_UNITS)
				pkram_map_set(im->mem[n], e->region_id, e->region_unit,
					      e->nr_units, PKRAM_UNIT_WRITTEN);
}

static void put_record(struct image *im, struct fuzz_input *in)
{
	struct spot at = pick_spot(in);
	u8 kind = fuzz_byte(in), flags = fuzz_byte(in), seq = fuzz_byte(in);
	struct pkram_record r = image_file(pick_id(in), pick_id(in), "");
	static u8 buf[PKRAM_SMALL_SLOT] __attribute__((aligned(8)));
	size_t len;

	pick_name(in, &r);
	r.kind = kind < 120 ? PKRAM_KIND_FILE : kind < 190 ? PKRAM_KIND_DIR :
		 kind < 220 ? PKRAM_KIND_DMA_TABLE : kind < 250 ? PKRAM_KIND_FREE : kind;
	r.seq = seq >= 250 ? ~0ULL - (seq - 250) : 1 + seq % 6;
	r.btime.sec = 1 + (seq >> 6 & 1);
	if (flags & 1)
		r.replaces = pick_id(in);
	if (r.kind == PKRAM_KIND_DIR)
		r.mode = S_IFDIR | 0755;
	if (r.kind == PKRAM_KIND_DMA_TABLE) {
		r.mode = 0;
		r.parent = 0;
		r.replaces = 0;
		r.table_state = 1 + (flags >> 1 & 1);
		pick_entries(in, &r);
	}
	if (r.id == PKRAM_ROOT_ID && !(flags & 2)) {
		r.kind = PKRAM_KIND_DIR;
		r.mode = S_IFDIR | 0755;
		r.parent = 0;
		r.replaces = 0;
		r.name_len = 0;
		memset(r.name, 0, sizeof(r.name));
	}
	if (r.kind == PKRAM_KIND_FILE || (flags & 0x40 && r.kind == PKRAM_KIND_DIR))
		pick_extents(im, in, &r);
	if (!(flags & 4))
		own(im, &r);
	len = pkram_record_encode(buf, &r, im->seed);
	if (!(flags & 8))
		memcpy(image_slot(im, at, 0), buf, len);
	if (!(flags & 16))
		memcpy(image_slot(im, at, 1), buf, len);
}

/* Change a word of a slot, and make its checksum right again if @sum. */
static void poke(struct image *im, struct fuzz_input *in, bool sum)
{
	static const u32 odd[] = { 0, 1, 2, 255, 256, 512, 520, 8192, 0x7fffffff, ~0U };
	struct spot at = pick_spot(in);
	struct pkram_record_ser *ser = image_slot(im, at, fuzz_byte(in) & 1);
	u32 at_byte = 8 + fuzz_below(in, 560) / 4 * 4, value = fuzz_byte(in);

	if (value >= 200)
		value = odd[value % 10];
	memcpy((u8 *)ser + at_byte, &value, sizeof(value));
	if (!sum || ser->len < sizeof(*ser) || ser->len > PKRAM_SMALL_SLOT)
		return;
	ser->tag = 0;
	ser->tag = pkram_tag(PKRAM_RECORD_MAGIC, pkram_crc32c(im->seed, ser, ser->len));
}

static void flip(struct image *im, struct fuzz_input *in)
{
	u8 *slot = image_slot(im, pick_spot(in), fuzz_byte(in) & 1);
	u32 bit = fuzz_below(in, 512 * 8);

	slot[bit / 8] ^= 1 << bit % 8;
}

static void change_map(struct image *im, struct fuzz_input *in)
{
	u32 n = fuzz_byte(in) & 1, unit = USED + fuzz_below(in, 40), bit = fuzz_below(in, 64);
	u8 how = fuzz_byte(in);
	u64 *word;

	if (how & 4) {
		pkram_map_set(im->mem[n], im->h[n].region_id, unit, 1 + bit % 8, how & 3);
		return;
	}
	word = im->mem[n] + PKRAM_HEAD_MAP_A + unit / 16 * 8;
	if (how & 1)
		*word ^= 1ULL << bit;
	word = im->mem[n] + PKRAM_HEAD_MAP_B + unit / 16 * 8;
	if (how & 2)
		*word ^= 1ULL << bit;
}

void fuzz_pool_fill(struct image *im, struct fuzz_input *in)
{
	u32 i;

	for (i = 0; i < 64 && in->left; i++) {
		switch (fuzz_byte(in) % 16) {
		case 0:
			return;
		case 1:
			flip(im, in);
			break;
		case 2:
			change_map(im, in);
			break;
		case 3:
			poke(im, in, false);
			break;
		case 4:
		case 5:
			poke(im, in, true);
			break;
		default:
			put_record(im, in);
		}
	}
}
