// SPDX-License-Identifier: GPL-2.0
/* The list of bad pages: compare with a plain array; both slots; cuts; a full list. */
#include "core/badpages.h"
#include "image.h"
#include "tap.h"

#define BASE	IMAGE_BASE
#define PAGES	(6 * PKRAM_UNIT_PAGES)

static struct pkram_bad_ser *list, *other;
static u8 *head;
static bool mirror;

static void fresh(void)
{
	free(list);
	free(other);
	free(head);
	list = calloc(1, PKRAM_BAD_SLOT);
	other = calloc(1, PKRAM_BAD_SLOT);
	head = calloc(1, PKRAM_UNIT);
	pkram_badpages_init(list, BASE);
	pkram_badpages_write(head, list);
}

static bool may_merge(const void *arg, u32 unit)
{
	return !arg || unit != *(const u32 *)arg;
}

static int add(struct pkram_bad_ser *to, u32 page)
{
	return pkram_badpages_add(to, page, may_merge, NULL);
}

static enum pkram_bad reread(void)
{
	memset(other, 0x55, PKRAM_BAD_SLOT);
	return pkram_badpages_read(head, BASE, other, &mirror);
}

static void write_and_reread(void)
{
	pkram_badpages_write(head, list);
	CHECK_EQ(reread(), PKRAM_OK);
	CHECK(!mirror);
	CHECK_EQ(list->len, other->len);
	CHECK(!memcmp(&list->seq, &other->seq, list->len - 8));
}

static void check_model(const u8 *model, u32 from, u32 end)
{
	u32 page, nr, want, n = 0, i;

	for (want = from; want < end && !model[want]; want++)
		;
	page = pkram_badpages_next(list, from, end, &nr);
	CHECK_EQ(page, want);
	for (i = page; i < end && model[i]; i++)
		;
	CHECK_EQ(nr, i - page);
	for (i = from; i < end; i++)
		n += model[i];
	CHECK_EQ(pkram_badpages_count(list, from, end), n);
}

static void test_plain_array(void)
{
	static u8 model[PAGES];
	struct rng g = { 7 };
	u32 i, page, from;

	fresh();
	memset(model, 0, sizeof(model));
	for (i = 0; i < 600; i++) {
		page = rng_below(&g, PAGES);
		CHECK_EQ(add(list, page), !model[page]);
		model[page] = 1;
		from = rng_below(&g, PAGES);
		check_model(model, from, from + rng_below(&g, PAGES - from));
		if (i % 50 == 0)
			write_and_reread();
	}
	check_model(model, 0, PAGES);
	pkram_badpages_cut(list, PAGES / 2);
	memset(model + PAGES / 2, 0, PAGES / 2);
	check_model(model, 0, PAGES);
	write_and_reread();
}

static void test_ends(void)
{
	u32 nr;

	fresh();
	CHECK_EQ(add(list, 0), 1);
	CHECK_EQ(add(list, PKRAM_REGION_MAX_PAGES - 1), 1);
	write_and_reread();
	CHECK_EQ(pkram_badpages_next(list, 1, ~0U, &nr), PKRAM_REGION_MAX_PAGES - 1);
	CHECK_EQ(nr, 1);
	CHECK_EQ(pkram_badpages_next(list, PKRAM_REGION_MAX_PAGES, ~0U, &nr), ~0U);
	CHECK_EQ(nr, 0);
}

static void test_damage(void)
{
	size_t bit, len;

	fresh();
	add(list, 3);
	add(list, 700);
	add(list, 701);
	write_and_reread();
	len = list->len;
	for (bit = 0; bit < len * 8; bit++) {
		head[PKRAM_HEAD_BAD_A + bit / 8] ^= 1 << bit % 8;
		CHECK_EQ(reread(), PKRAM_OK);
		CHECK(mirror);
		CHECK(!memcmp(&list->seq, &other->seq, len - 8));
		head[PKRAM_HEAD_BAD_B + bit / 8] ^= 1 << bit % 8;
		CHECK(reread());
		CHECK_EQ(other->nr, 0);
		CHECK_EQ(other->len, sizeof(*other));
		head[PKRAM_HEAD_BAD_A + bit / 8] ^= 1 << bit % 8;
		CHECK_EQ(reread(), PKRAM_OK);
		CHECK(mirror);
		head[PKRAM_HEAD_BAD_B + bit / 8] ^= 1 << bit % 8;
	}
	/* It is that of another region. */
	CHECK_EQ(pkram_badpages_read(head, BASE + PKRAM_GIB, other, &mirror),
		 PKRAM_BAD_FIELD);
	memset(head, 0, PKRAM_UNIT);
	CHECK_EQ(reread(), PKRAM_BAD_CHECKSUM);
}

/* @entries: written as they are, with a valid checksum */
static enum pkram_bad read_entries(u32 nr, const u32 *entries)
{
	fresh();
	memcpy(list->entry, entries, nr * 4);
	list->nr = nr;
	list->len = ALIGN(sizeof(*list) + nr * 4, 8);
	pkram_badpages_write(head, list);
	return reread();
}

static void test_impossible(void)
{
	const u32 whole = PKRAM_BAD_WHOLE_UNIT;

	CHECK_EQ(read_entries(3, (u32[]){ 1, whole | 512, 1024 }), PKRAM_OK);
	CHECK_EQ(read_entries(2, (u32[]){ 2, 1 }), PKRAM_BAD_FIELD);
	CHECK_EQ(read_entries(2, (u32[]){ 2, 2 }), PKRAM_BAD_FIELD);
	CHECK_EQ(read_entries(2, (u32[]){ whole | 512, 600 }), PKRAM_BAD_FIELD);
	CHECK_EQ(read_entries(1, (u32[]){ whole | 513 }), PKRAM_BAD_FIELD);
	CHECK_EQ(read_entries(1, (u32[]){ PKRAM_REGION_MAX_PAGES }), PKRAM_BAD_FIELD);
	fresh();
	list->nr = 9;
	pkram_badpages_write(head, list);
	CHECK_EQ(reread(), PKRAM_BAD_FIELD);
	CHECK_EQ(other->nr, 0);
}

static void test_full(void)
{
	u32 i, nr;

	fresh();
	/* Three in unit 9, two in unit 5, else one in each */
	for (i = 0; list->nr < PKRAM_BAD_MAX; i++) {
		CHECK_EQ(add(list, i * PKRAM_UNIT_PAGES + 7), 1);
		if (i == 9 || i == 5)
			CHECK_EQ(add(list, i * PKRAM_UNIT_PAGES + 20), 1);
		if (i == 9)
			CHECK_EQ(add(list, i * PKRAM_UNIT_PAGES + 30), 1);
	}
	CHECK_EQ(list->len, PKRAM_BAD_SLOT);
	write_and_reread();
	/* A page of the unit that becomes bad as a whole */
	CHECK_EQ(add(list, 9 * PKRAM_UNIT_PAGES + 31), 1);
	CHECK_EQ(list->nr, PKRAM_BAD_MAX - 2);
	CHECK_EQ(pkram_badpages_next(list, 9 * PKRAM_UNIT_PAGES, ~0U, &nr),
		 9 * PKRAM_UNIT_PAGES);
	CHECK_EQ(nr, PKRAM_UNIT_PAGES);
	CHECK_EQ(pkram_badpages_count(list, 5 * PKRAM_UNIT_PAGES, 6 * PKRAM_UNIT_PAGES), 2);
	write_and_reread();
	CHECK_EQ(add(list, i++ * PKRAM_UNIT_PAGES), 1);
	CHECK_EQ(add(list, i++ * PKRAM_UNIT_PAGES), 1);
	/* Not if unit 5 is metadata */
	CHECK_EQ(pkram_badpages_add(list, i * PKRAM_UNIT_PAGES, may_merge, &(u32){ 5 }), -ENOSPC);
	/* Unit 5 is merged, then none has several. */
	CHECK_EQ(add(list, i++ * PKRAM_UNIT_PAGES), 1);
	CHECK_EQ(pkram_badpages_count(list, 5 * PKRAM_UNIT_PAGES, 6 * PKRAM_UNIT_PAGES),
		 PKRAM_UNIT_PAGES);
	CHECK_EQ(add(list, i++ * PKRAM_UNIT_PAGES), -ENOSPC);
	CHECK_EQ(add(list, 7), 0);
	CHECK_EQ(list->nr, PKRAM_BAD_MAX);
	write_and_reread();
}

static void write_op(void *arg)
{
	pkram_badpages_write(head, arg);
}

/* How the slots are when a list is written: which is older, and which is damaged, or -1 */
static void cut_write(int old_slot, int damaged)
{
	static const u32 at[2] = { PKRAM_HEAD_BAD_A, PKRAM_HEAD_BAD_B };
	struct pkram_bad_ser *new = malloc(PKRAM_BAD_SLOT);
	u32 n = 0, was_new = 0;
	u8 *old;
	bool cut;

	fresh();
	add(list, 5);
	old = malloc(PKRAM_UNIT);
	memcpy(old, head, PKRAM_UNIT);
	pkram_badpages_write(head, list);
	if (old_slot >= 0)
		memcpy(head + at[old_slot], old + at[old_slot], PKRAM_BAD_SLOT);
	if (damaged >= 0)
		head[at[damaged] + 9] ^= 1;
	memcpy(old, head, PKRAM_UNIT);
	do {
		memcpy(head, old, PKRAM_UNIT);
		memcpy(new, list, PKRAM_BAD_SLOT);
		add(new, 4);
		cut = cut_after(n++, write_op, new);
		CHECK_EQ(reread(), PKRAM_OK);
		CHECK_EQ(pkram_badpages_count(other, 5, 6), 1);
		CHECK(other->nr == 2 || (other->nr == 1 && !was_new));
		was_new += other->nr == 2;
		CHECK(cut || (was_new && !mirror));
	} while (cut);
	CHECK(was_new > 1);
	free(old);
	free(new);
}

static void test_cut(void)
{
	int damaged;

	/* A slot may have been damaged since the list was read. */
	for (damaged = -1; damaged < 2; damaged++)
		cut_write(-1, damaged);
	cut_write(0, -1);
	cut_write(1, -1);
	cut_write(0, 0);
	cut_write(1, 1);
}

static void test_done(void)
{
	free(list);
	free(other);
	free(head);
	list = NULL;
}

static void test_fuzz(void)
{
	struct rng g = { 99 };
	u32 i, j, n, page;
	bool empty;

	for (i = 0; i < 3000; i++) {
		fresh();
		n = rng_below(&g, 40);
		for (j = 0; j < n; j++)
			list->entry[j] = (u32)rng_next(&g) >> rng_below(&g, 32);
		list->nr = rng_below(&g, 3) ? n : (u32)rng_next(&g);
		list->len = rng_below(&g, 3) ? ALIGN(sizeof(*list) + n * 4, 8) : sizeof(*list);
		pkram_badpages_write(head, list);
		if (reread())
			CHECK_EQ(other->nr, 0);
		empty = !other->nr;
		page = empty ? 1 : other->entry[0] & ~PKRAM_BAD_WHOLE_UNIT;
		CHECK_EQ(add(other, page), empty);
	}
	test_done();
}

TAP_MAIN({ "pages that are added are found", test_plain_array },
	 { "the first and the last page", test_ends },
	 { "a damaged slot is read from the other one", test_damage },
	 { "an impossible list is refused", test_impossible },
	 { "a full list makes units bad as a whole", test_full },
	 { "a cut change leaves the old list or the new", test_cut },
	 { "lists with any content", test_fuzz },
)
