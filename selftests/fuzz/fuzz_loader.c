// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: the loader on a pool of any content. oracle.c, which reads
 * docs/format.md on its own, must come to the same verdicts; after the repairs that
 * follow from them it must as well.
 */
#include <string.h>
#include "fuzz.h"
#include "oracle.h"
#include "pool.h"

static struct image im;

static void set_free(void *a, u32 size, u64 id)
{
	static u8 buf[PKRAM_SMALL_SLOT] __attribute__((aligned(8)));
	struct pkram_record r = { .kind = PKRAM_KIND_FREE, .id = id };
	size_t len;
	int cur;

	r.seq = pkram_record_last_seq(a, size, im.seed, &cur) + 1;
	len = pkram_record_encode(buf, &r, im.seed);
	pkram_pair_commit(a, a + size, cur, buf, len);
}

/* As kmod/store/load_pool.c does */
static void repair(void)
{
	static u8 buf[PKRAM_LARGE_SLOT] __attribute__((aligned(8)));
	struct pkram_loaded *it;
	struct spot at;
	u32 i, n, size;
	void *a;

	for (i = 0; i < im.res.nr; i++) {
		it = &im.res.items[i];
		for (n = 0; im.h[n].region_id != it->loc.region_id; n++)
			;
		size = it->loc.large ? PKRAM_LARGE_SLOT : PKRAM_SMALL_SLOT;
		at = (struct spot){ n, it->loc.unit, it->loc.pair, it->loc.large };
		a = image_slot(&im, at, 0);
		if (it->is_void && it->rec.kind != PKRAM_KIND_FREE)
			set_free(a, size, it->rec.id);
		else if (it->mirror)
			pkram_record_mirror(a, size, im.seed, buf);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	u8 flags = fuzz_byte(&in);

	fuzz_pool_init(&im);
	fuzz_pool_fill(&im, &in);
	if (flags & 2)
		im.nr = 1;
	if (flags & 1) {
		/* The allocator's own memory, which comes first, does not fail. */
		pkram_alloc_count = 0;
		pkram_alloc_fail_at = im.nr + 1 + fuzz_below(&in, 300);
		if (image_load(&im))
			REQUIRE(!im.res.items && !im.res.nr);
		pkram_alloc_fail_at = 0;
	}
	REQUIRE(!image_load(&im));
	oracle_compare(&im);
	repair();
	REQUIRE(!image_load(&im));
	oracle_compare(&im);
	image_unload(&im);
	return 0;
}
