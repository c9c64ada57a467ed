// SPDX-License-Identifier: GPL-2.0
/* The machine stops between any two stores: the old state or the new one is found. */
#include "image.h"
#include "tap.h"

static struct sample s;

#define SAVED (3 * PKRAM_UNIT)

/* The memory before the operation, restored for each attempt. */
static u8 *saved;

static void save(void)
{
	saved = malloc(SAVED);
	memcpy(saved, s.im.mem[0], SAVED);
}

static void restore(u32 region, size_t off, size_t len)
{
	memcpy(s.im.mem[region] + off, saved + off, len);
}

static void done(void)
{
	free(saved);
	saved = NULL;
	sample_exit(&s);
}

static void header_op(void *arg)
{
	struct pkram_region_ser *ser = arg;
	void *head = s.im.mem[0];

	pkram_pair_commit(head, head + PKRAM_HEADER_SLOT, 0, ser, sizeof(*ser));
}

static void test_header(void)
{
	struct pkram_region_ser *ser = malloc(sizeof(*ser));
	static struct pkram_header old, new, h;
	unsigned long n = 0, was_new = 0;
	bool cut, mirror;
	int cur;

	sample_init(&s);
	save();
	old = s.im.h[0];
	new = old;
	new.seq++;
	new.meta[new.nr_meta++] = 77;
	new.index = 5;
	pkram_header_encode(ser, &new);
	do {
		restore(0, 0, 2 * PKRAM_HEADER_SLOT);
		cut = cut_after(n++, header_op, ser);
		CHECK_EQ(pkram_header_read(s.im.mem[0], IMAGE_BASE, &h, &cur,
					   &mirror), PKRAM_OK);
		CHECK(!memcmp(&h, h.seq == old.seq ? &old : &new, sizeof(h)));
		CHECK(h.seq == new.seq || !was_new);
		was_new += h.seq == new.seq;
		CHECK(cut || (h.seq == new.seq && !mirror));
	} while (cut);
	CHECK_EQ(n - 1, 2 * (1 + PKRAM_HEADER_SLOT / 8));
	CHECK_EQ(was_new, n / 2 + 1);
	free(ser);
	done();
}

static void header_commit(void *arg)
{
	static struct pkram_region_ser image;

	pkram_header_commit(s.im.mem[0], arg, &image);
}

/* One slot was damaged since the last commit; the next one is cut. */
static void test_damaged_header(void)
{
	static struct pkram_header old, new, h;
	unsigned long n;
	bool cut, mirror;
	int cur, slot;

	sample_init(&s);
	save();
	old = s.im.h[0];
	for (slot = 0; slot < 2; slot++) {
		n = 0;
		do {
			new = old;
			new.meta[new.nr_meta++] = 77;
			restore(0, 0, 2 * PKRAM_HEADER_SLOT);
			*(u8 *)(s.im.mem[0] + slot * PKRAM_HEADER_SLOT + 600) ^= 1;
			cut = cut_after(n++, header_commit, &new);
			CHECK_EQ(pkram_header_read(s.im.mem[0], IMAGE_BASE, &h, &cur,
						   &mirror), PKRAM_OK);
			CHECK(!memcmp(&h, h.seq == old.seq ? &old : &new, sizeof(h)));
			CHECK(cut || (h.seq == new.seq && !mirror));
		} while (cut);
	}
	done();
}

/* The header in memory is older than what is in the slots: its number goes on from theirs. */
static void test_header_number(void)
{
	static struct pkram_header newer, h;
	struct pkram_region_ser *ser = malloc(sizeof(*ser));
	bool mirror;
	int cur;

	sample_init(&s);
	save();
	newer = s.im.h[0];
	newer.seq += 7;
	newer.index = 5;
	pkram_header_encode(ser, &newer);
	pkram_slot_write(s.im.mem[0] + PKRAM_HEADER_SLOT, ser, sizeof(*ser));
	header_commit(&s.im.h[0]);
	CHECK_EQ(s.im.h[0].seq, newer.seq + 1);
	CHECK_EQ(pkram_header_read(s.im.mem[0], IMAGE_BASE, &h, &cur, &mirror), PKRAM_OK);
	CHECK(h.index == s.im.h[0].index && !mirror);
	free(ser);
	done();
}

struct record_op {
	struct spot at;
	int cur;
	u8 *image;
	size_t len;
};

static struct record_op record_op(struct spot at, const struct pkram_record *r)
{
	struct record_op op = { .at = at, .len = pkram_record_len(r) };

	op.image = malloc(op.len);
	pkram_record_encode(op.image, r, s.im.seed);
	return op;
}

static void record_run(void *arg)
{
	struct record_op *op = arg;

	pkram_pair_commit(image_slot(&s.im, op->at, 0),
			  image_slot(&s.im, op->at, 1), op->cur, op->image,
			  op->len);
}

/* @lone: damage the slot that is not in use first */
static void cut_record_from(u32 i, const struct pkram_record *new, int cur,
			    bool lone)
{
	struct record_op op = record_op(s.spot[i], new);
	unsigned long n = 0;
	bool cut, was_new = false, now_new;
	struct pkram_loaded *it;

	op.cur = cur;
	do {
		restore(0, PKRAM_UNIT, SAVED - PKRAM_UNIT);
		if (lone)
			memset(image_slot(&s.im, s.spot[i], !cur), 0xee, 99);
		cut = cut_after(n++, record_run, &op);
		CHECK_EQ(image_load(&s.im), 0);
		it = image_at(&s.im, s.spot[i]);
		CHECK(it && !it->bad);
		now_new = it->rec.seq == new->seq;
		CHECK(record_same(&it->rec, now_new ? new : &s.rec[i]));
		CHECK(now_new || !was_new);
		was_new = now_new;
		CHECK(cut || (was_new && !it->mirror));
		CHECK_EQ(image_nr(&s.im), SAMPLE_OBJECTS);
	} while (cut);
	free(op.image);
}

static void cut_record(u32 i, const struct pkram_record *new)
{
	cut_record_from(i, new, 0, false);
	cut_record_from(i, new, 1, false);
	cut_record_from(i, new, 0, true);
	cut_record_from(i, new, 1, true);
}

static void test_record(void)
{
	struct pkram_record new;

	sample_init(&s);
	save();
	/* Shorter, longer, and another name */
	new = s.rec[2];
	new.seq++;
	new.nr_extents = 1;
	cut_record(2, &new);
	new = s.rec[1];
	new.seq += 10;
	new.xattr_len = s.rec[2].xattr_len;
	new.xattrs = s.rec[2].xattrs;
	cut_record(1, &new);
	new = s.rec[4];
	new.seq++;
	new.name_len = 5;
	strcpy(new.name, "other");
	memset(new.name + 5, 0, sizeof(new.name) - 5);
	new.xattr_len = 0;
	cut_record(4, &new);
	/* A DMA table loses a mapping and is running. */
	new = s.rec[7];
	new.seq++;
	new.nr_entries--;
	new.table_state = PKRAM_DMA_TABLE_RUNNING;
	cut_record(7, &new);
	done();
}

static void test_create_and_remove(void)
{
	struct pkram_record new = image_file(20, 2, "created"), empty;
	struct record_op op[2];
	struct pkram_loaded *it;
	unsigned long n;
	bool cut;
	u32 i;

	sample_init(&s);
	save();
	/* The seq of a new object is unrelated to the pair's old one. */
	new.seq = 1;
	image_free_pair(&s.im, (struct spot) { .unit = 1, .pair = 50 }, 99, 7);
	memcpy(saved, s.im.mem[0], SAVED);
	empty = (struct pkram_record) { .kind = PKRAM_KIND_FREE, .seq = 2,
					.id = s.rec[6].id };
	op[0] = record_op((struct spot) { .unit = 1, .pair = 50 }, &new);
	op[1] = record_op(s.spot[6], &empty);
	for (i = 0; i < 2; i++) {
		n = 0;
		do {
			restore(0, PKRAM_UNIT, PKRAM_UNIT);
			cut = cut_after(n++, record_run, &op[i]);
			CHECK_EQ(image_load(&s.im), 0);
			CHECK(!s.im.res.lost);
			it = image_at(&s.im, op[i].at);
			CHECK(!it || record_same(&it->rec, i ? &s.rec[6] : &new));
			CHECK(cut || (i ? !it : !!it));
			CHECK_EQ(image_nr(&s.im), SAMPLE_OBJECTS - i + !!it);
		} while (cut);
		free(op[i].image);
	}
	done();
}

struct map_op {
	u32 unit;
	u32 nr;
	int state;
};

static void map_run(void *arg)
{
	struct map_op *op = arg;

	pkram_map_set(s.im.mem[0], s.im.h[0].region_id, op->unit, op->nr,
		      op->state);
}

static void test_map(void)
{
	struct map_op op = { 20, 60, PKRAM_UNIT_STALE };
	u64 id;
	unsigned long n = 0;
	u8 old[PKRAM_GIB_UNITS];
	bool cut, is_new[5];
	u32 unit;
	int state;

	sample_init(&s);
	save();
	id = s.im.h[0].region_id;
	for (unit = 0; unit < PKRAM_GIB_UNITS; unit++)
		old[unit] = pkram_map_get(s.im.mem[0], id, unit);
	do {
		restore(0, PKRAM_HEAD_MAP_A, PKRAM_UNIT - PKRAM_HEAD_MAP_A);
		cut = cut_after(n++, map_run, &op);
		memset(is_new, 0, sizeof(is_new));
		for (unit = 0; unit < PKRAM_GIB_UNITS; unit++) {
			state = pkram_map_get(s.im.mem[0], id, unit);
			if (unit < 20 || unit >= 80) {
				CHECK_EQ(state, old[unit]);
				continue;
			}
			if (state != old[unit]) {
				CHECK_EQ(state, PKRAM_UNIT_STALE);
				is_new[unit / 16] = true;
			}
		}
		/* A word is consistent: all old or all new. */
		for (unit = 20; unit < 80; unit++)
			CHECK_EQ(pkram_map_get(s.im.mem[0], id, unit),
				 is_new[unit / 16] ? PKRAM_UNIT_STALE :
				 old[unit]);
		/* After that both copies agree. */
		pkram_map_mirror(s.im.mem[0], id, 0);
		CHECK(!memcmp(s.im.mem[0] + PKRAM_HEAD_MAP_A,
			      s.im.mem[0] + PKRAM_HEAD_MAP_B,
			      PKRAM_GIB_MAP_WORDS * 8));
	} while (cut);
	CHECK_EQ(n - 1, 2 * 4);
	done();
}

/* Write two records, one after the other, as an operation with several steps does. */
static void two_run(void *arg)
{
	struct record_op *op = arg;

	record_run(&op[0]);
	record_run(&op[1]);
}

/* Rename vm1.state (object 3) over vm1 (object 2), both in one directory. */
static void test_rename_over(void)
{
	struct pkram_record new, empty;
	struct record_op op[2];
	struct pkram_loaded *a, *b;
	unsigned long n = 0, seen[4] = { 0 };
	bool cut;

	sample_init(&s);
	save();
	new = s.rec[3];
	new.seq++;
	new.replaces = s.rec[2].id;
	memcpy(new.name, s.rec[2].name, sizeof(new.name));
	new.name_len = s.rec[2].name_len;
	empty = (struct pkram_record) { .kind = PKRAM_KIND_FREE, .id = 3,
					.seq = s.rec[2].seq + 1 };
	op[0] = record_op(s.spot[3], &new);
	op[1] = record_op(s.spot[2], &empty);
	do {
		restore(0, PKRAM_UNIT, PKRAM_UNIT);
		cut = cut_after(n++, two_run, op);
		CHECK_EQ(image_load(&s.im), 0);
		a = image_at(&s.im, s.spot[3]);
		b = image_at(&s.im, s.spot[2]);
		CHECK(a && !a->bad && !a->is_void);
		CHECK(!b || (!b->bad && record_same(&b->rec, &s.rec[2])));
		if (record_same(&a->rec, &s.rec[3])) {
			CHECK(b && !b->is_void);
			seen[0]++;
		} else {
			CHECK(record_same(&a->rec, &new));
			CHECK(!b || b->is_void);
			seen[b ? 1 : 2]++;
			/* The memory of the replaced object is free. */
			CHECK_EQ(pkram_alloc_mark(&s.im.al,
						  s.im.h[0].region_id, 16, 10),
				 0);
		}
	} while (cut);
	CHECK(seen[0] && seen[1] && seen[2]);
	free(op[0].image);
	free(op[1].image);
	done();
}

/* Move a record to a slot of the other size: commit there, free here. */
static void move(u32 i, struct spot to)
{
	struct pkram_record new = s.rec[i], empty;
	struct record_op op[2];
	struct pkram_loaded *a, *b;
	unsigned long n = 0, seen[3] = { 0 };
	bool cut;

	new.seq++;
	new.size = 4711;
	empty = (struct pkram_record) { .kind = PKRAM_KIND_FREE, .id = new.id,
					.seq = s.rec[i].seq + 1 };
	op[0] = record_op(to, &new);
	op[1] = record_op(s.spot[i], &empty);
	do {
		restore(0, PKRAM_UNIT, SAVED - PKRAM_UNIT);
		cut = cut_after(n++, two_run, op);
		CHECK_EQ(image_load(&s.im), 0);
		CHECK(!s.im.res.lost);
		a = image_at(&s.im, s.spot[i]);
		b = image_at(&s.im, to);
		CHECK(a || b);
		CHECK(!a || (!a->bad && record_same(&a->rec, &s.rec[i])));
		CHECK(!b || (!b->bad && !b->is_void && record_same(&b->rec, &new)));
		CHECK(!a || a->is_void == !!b);
		seen[!b ? 0 : a ? 1 : 2]++;
		CHECK(cut || !a);
		/* Both records name the same memory. */
		CHECK_EQ(s.im.al.nr_free, 512 - 3 - 20 - 1 - 40 - 1);
	} while (cut);
	CHECK(seen[0] && seen[1] && seen[2]);
	free(op[0].image);
	free(op[1].image);
}

static void test_move(void)
{
	struct record_op op;
	struct pkram_record empty = { .kind = PKRAM_KIND_FREE, .seq = ~0ULL };

	sample_init(&s);
	save();
	/* Large to small, and after a cleanup there small to large */
	move(4, (struct spot) { .unit = 1, .pair = 99 });
	op = record_op(s.spot[4], &empty);
	image_put(&s.im, (struct spot) { .unit = 1, .pair = 77 }, &s.rec[4]);
	record_run(&op);
	free(op.image);
	memcpy(saved, s.im.mem[0], SAVED);
	move(2, (struct spot) { .unit = 2, .large = true });
	done();
}

TAP_MAIN({ "a cut header update leaves the old header or the new", test_header },
	 { "so it does where a slot of it was damaged before", test_damaged_header },
	 { "a header's number goes on from the highest of its slots",
	   test_header_number },
	 { "a cut record update leaves the old record or the new", test_record },
	 { "a cut create or remove leaves the object or none",
	   test_create_and_remove },
	 { "a cut change of the unit map leaves each word old or new", test_map },
	 { "a cut rename over a name leaves one of both objects there",
	   test_rename_over },
	 { "a cut move between slot sizes leaves one object", test_move },
)
