// SPDX-License-Identifier: GPL-2.0
/*
 * The unit map of a region, see unitmap.h: states of units in words with
 * checksums, each stored in two copies.
 */
#include "core/unitmap.h"

#define MAP_STATE_BITS		2
#define MAP_LOW_BITS		0x55555555U	/* low bit of each state */

static u64 unitmap_make_word(u64 region_id, u32 word, u32 states)
{
	struct {
		__le64 region_id;
		__le32 word;
		__le32 states;
	} in = {
		.region_id = cpu_to_le64(region_id),
		.word = cpu_to_le32(word),
		.states = cpu_to_le32(states),
	};

	return states | (u64)pkram_crc32c(PKRAM_CRC_SEED, &in, sizeof(in)) << 32;
}

static bool unitmap_read_copy(const void *copy, u64 region_id, u32 word,
			      u32 *states)
{
	u64 v = le64_to_cpu(pkram_load64(copy + (size_t)word * 8));

	*states = (u32)v;
	return v == unitmap_make_word(region_id, word, *states);
}

/* Store only if it differs: most words of a long run do not change. */
static void unitmap_write_word(void *head, u64 region_id, u32 word, u32 states)
{
	__le64 v = cpu_to_le64(unitmap_make_word(region_id, word, states));
	void *a = head + PKRAM_HEAD_MAP_A + (size_t)word * 8;
	void *b = head + PKRAM_HEAD_MAP_B + (size_t)word * 8;

	if (pkram_load64(a) != v)
		pkram_store64(a, v);
	if (pkram_load64(b) != v)
		pkram_store64(b, v);
}

int pkram_map_word(const void *head, u64 region_id, u32 word, u32 *states)
{
	*states = 0;
	if (word >= PKRAM_MAP_WORDS_MAX)
		return -EUCLEAN;
	if (unitmap_read_copy(head + PKRAM_HEAD_MAP_A, region_id, word, states) ||
	    unitmap_read_copy(head + PKRAM_HEAD_MAP_B, region_id, word, states))
		return 0;
	return -EUCLEAN;
}

int pkram_map_get(const void *head, u64 region_id, u32 unit)
{
	u32 states;

	if (pkram_map_word(head, region_id, unit / PKRAM_MAP_WORD_UNITS,
			   &states))
		return -EUCLEAN;
	return states >> (unit % PKRAM_MAP_WORD_UNITS * MAP_STATE_BITS) & 3;
}

/* Return a mask of the state bits of word @word that a run covers. */
static u32 unitmap_mask(u32 word, u32 unit, u32 nr)
{
	u64 first = (u64)word * PKRAM_MAP_WORD_UNITS;
	u64 from = max_t(u64, unit, first) - first;
	u64 to = min_t(u64, (u64)unit + nr, first + PKRAM_MAP_WORD_UNITS) -
		 first;

	return (u32)((1ULL << (to * MAP_STATE_BITS)) -
		     (1ULL << (from * MAP_STATE_BITS)));
}

static bool unitmap_run_ok(u32 unit, u32 nr)
{
	return nr && (u64)unit + nr <= (u64)PKRAM_MAP_WORDS_MAX * PKRAM_MAP_WORD_UNITS;
}

int pkram_map_set(void *head, u64 region_id, u32 unit, u32 nr, int state)
{
	u32 fill = (state & 3) * MAP_LOW_BITS;
	u32 word, states, mask;
	int ret = 0;

	if (!nr)
		return 0;
	if (!unitmap_run_ok(unit, nr))
		return -ERANGE;
	for (word = unit / PKRAM_MAP_WORD_UNITS;
	     word <= (unit + nr - 1) / PKRAM_MAP_WORD_UNITS; word++) {
		mask = unitmap_mask(word, unit, nr);
		if (pkram_map_word(head, region_id, word, &states)) {
			ret = -EUCLEAN;
			if (mask != ~0U)
				continue;
			states = 0;
		}
		unitmap_write_word(head, region_id, word,
				   (states & ~mask) | (fill & mask));
	}
	return ret;
}

void pkram_map_mirror(void *head, u64 region_id, u32 gib)
{
	u32 word = gib * PKRAM_GIB_MAP_WORDS;
	u32 i, states;

	if (gib >= PKRAM_REGION_MAX_GIB)
		return;
	for (i = 0; i < PKRAM_GIB_MAP_WORDS; i++, word++)
		if (!pkram_map_word(head, region_id, word, &states))
			unitmap_write_word(head, region_id, word, states);
}

void pkram_map_init(void *head, u64 region_id, u32 gib)
{
	u32 word = gib * PKRAM_GIB_MAP_WORDS;
	u32 i;

	if (gib >= PKRAM_REGION_MAX_GIB)
		return;
	for (i = 0; i < PKRAM_GIB_MAP_WORDS; i++, word++)
		unitmap_write_word(head, region_id, word, 0);
}
