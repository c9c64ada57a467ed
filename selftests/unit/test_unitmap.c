// SPDX-License-Identifier: GPL-2.0
/* The unit map: compare with a plain array; damage; the other copy. */
#include "image.h"
#include "tap.h"

#define ID	0x1122334455667788ULL
#define GIBS	4
#define UNITS	(GIBS * PKRAM_GIB_UNITS)
#define LAST	(PKRAM_REGION_MAX_GIB * PKRAM_GIB_UNITS - 1)

static u8 *head;

static u64 *word_at(int copy, u32 word)
{
	return (u64 *)(head + (copy ? PKRAM_HEAD_MAP_B : PKRAM_HEAD_MAP_A)) +
	       word;
}

static void fresh(void)
{
	u32 i;

	free(head);
	head = calloc(1, PKRAM_UNIT);
	for (i = 0; i < GIBS; i++)
		pkram_map_init(head, ID, i);
	pkram_map_init(head, ID, PKRAM_REGION_MAX_GIB - 1);
}

static void test_plain_array(void)
{
	static u8 model[UNITS];
	struct rng g = { 2 };
	u32 i, j, unit, nr, state;

	fresh();
	memset(model, 0, sizeof(model));
	for (i = 0; i < 3000; i++) {
		unit = rng_below(&g, UNITS);
		nr = rng_below(&g, rng_below(&g, 2) ? 40 : 700);
		nr = min(nr, UNITS - unit);
		state = rng_below(&g, 4);
		CHECK_EQ(pkram_map_set(head, ID, unit, nr, state), 0);
		memset(model + unit, state, nr);
		for (j = i % 7; j < UNITS; j += 7)
			CHECK_EQ(pkram_map_get(head, ID, j), model[j]);
	}
	for (i = 0; i < GIBS * PKRAM_GIB_MAP_WORDS; i++)
		CHECK_EQ(*word_at(0, i), *word_at(1, i));
}

static void test_ends(void)
{
	fresh();
	CHECK_EQ(pkram_map_set(head, ID, LAST, 1, PKRAM_UNIT_WRITTEN), 0);
	CHECK_EQ(pkram_map_get(head, ID, LAST), PKRAM_UNIT_WRITTEN);
	CHECK_EQ(pkram_map_get(head, ID, LAST - 1), PKRAM_UNIT_FREE);
	CHECK_EQ(pkram_map_set(head, ID, LAST, 2, PKRAM_UNIT_STALE), -ERANGE);
	CHECK_EQ(pkram_map_set(head, ID, ~0U, ~0U, PKRAM_UNIT_STALE), -ERANGE);
	CHECK_EQ(pkram_map_set(head, ID, ~0U, 0, PKRAM_UNIT_STALE), 0);
	CHECK_EQ(pkram_map_get(head, ID, LAST + 1), -EUCLEAN);
	CHECK_EQ(pkram_map_get(head, ID, ~0U), -EUCLEAN);
	pkram_map_init(head, ID, PKRAM_REGION_MAX_GIB);
	pkram_map_init(head, ID, ~0U);
	pkram_map_mirror(head, ID, ~0U);
}

static void test_never_written(void)
{
	fresh();
	CHECK_EQ(pkram_map_get(head, ID, UNITS), -EUCLEAN);
	/* Words of another region or from another position are invalid. */
	CHECK_EQ(pkram_map_get(head, ID + 1, 0), -EUCLEAN);
	*word_at(0, 7) = *word_at(0, 8);
	*word_at(1, 7) = *word_at(1, 8);
	CHECK_EQ(pkram_map_get(head, ID, 7 * 16), -EUCLEAN);
}

static void test_one_bit(void)
{
	u32 copy, bit, i;

	fresh();
	for (i = 0; i < 16; i++)
		pkram_map_set(head, ID, 32 + i, 1, i % 4);
	for (copy = 0; copy < 2; copy++)
		for (bit = 0; bit < 64; bit++) {
			*word_at(copy, 2) ^= 1ULL << bit;
			for (i = 0; i < 16; i++)
				CHECK_EQ(pkram_map_get(head, ID, 32 + i), i % 4);
			pkram_map_mirror(head, ID, 0);
			CHECK_EQ(*word_at(0, 2), *word_at(1, 2));
		}
}

static void test_both_copies(void)
{
	fresh();
	pkram_map_set(head, ID, 0, 64, PKRAM_UNIT_WRITTEN);
	*word_at(0, 1) ^= 1;
	*word_at(1, 1) ^= 2;
	CHECK_EQ(pkram_map_get(head, ID, 15), PKRAM_UNIT_WRITTEN);
	CHECK_EQ(pkram_map_get(head, ID, 16), -EUCLEAN);
	CHECK_EQ(pkram_map_get(head, ID, 31), -EUCLEAN);
	CHECK_EQ(pkram_map_get(head, ID, 32), PKRAM_UNIT_WRITTEN);
	pkram_map_mirror(head, ID, 0);
	CHECK_EQ(pkram_map_get(head, ID, 16), -EUCLEAN);
	/* Setting a part of a damaged word does not validate the rest. */
	CHECK_EQ(pkram_map_set(head, ID, 10, 21, PKRAM_UNIT_STALE), -EUCLEAN);
	CHECK_EQ(pkram_map_get(head, ID, 10), PKRAM_UNIT_STALE);
	CHECK_EQ(pkram_map_get(head, ID, 16), -EUCLEAN);
	/* Setting all of it does, but the damage is still reported. */
	CHECK_EQ(pkram_map_set(head, ID, 16, 16, PKRAM_UNIT_FREE), -EUCLEAN);
	CHECK_EQ(pkram_map_get(head, ID, 16), PKRAM_UNIT_FREE);
	CHECK_EQ(pkram_map_set(head, ID, 16, 16, PKRAM_UNIT_STALE), 0);
	free(head);
	head = NULL;
}

TAP_MAIN({ "random runs agree with a plain array", test_plain_array },
	 { "runs stay within the map", test_ends },
	 { "words that were never written are invalid", test_never_written },
	 { "any one bit of either copy does no harm", test_one_bit },
	 { "a word damaged in both copies stays damaged until all of it is set",
	   test_both_copies },
)
