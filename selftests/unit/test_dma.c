// SPDX-License-Identifier: GPL-2.0
/* The table of a VFIO container: rules for map, unmap, and changes of user addresses */
#include <stdio.h>
#include "core/iova_map.h"
#include "image.h"
#include "tap.h"

#define PAGE	4096ULL
#define TOP	(~0ULL)

static struct pkram_iova_map t = { .limit = 1000 };

static struct pkram_dma *make(u64 first, u64 last)
{
	struct pkram_dma *dma = calloc(1, sizeof(*dma));

	dma->first = first;
	dma->last = last;
	return dma;
}

static int map(u64 first, u64 last)
{
	struct pkram_dma *dma = make(first, last);
	int err = pkram_iova_map_insert(&t, dma);

	if (err)
		free(dma);
	return err;
}

static void clear(void)
{
	while (t.nr)
		free(pkram_iova_map_remove(&t, t.nr - 1));
	CHECK_EQ(t.nr_invalid, 0);
	pkram_iova_map_free(&t);
	t.limit = 1000;
}

static int unmap(u64 first, u64 last)
{
	u32 i, nr, n;
	int err = pkram_iova_map_whole(&t, first, last, &i, &nr);

	if (err)
		return err;
	for (n = 0; n < nr; n++)
		free(pkram_iova_map_remove(&t, i));
	return nr;
}

static int give_up(u64 first, u64 last)
{
	u32 i, nr;
	int err = pkram_iova_map_whole(&t, first, last, &i, &nr);

	return err ? err : pkram_iova_map_invalidate(&t, i, nr);
}

static int renew(u64 first, u64 last)
{
	u32 i;
	int err = pkram_iova_map_find_invalid(&t, first, last, &i);

	if (!err)
		pkram_iova_map_revalidate(&t, i);
	return err;
}

static void test_numbers(void)
{
	u64 last;

	CHECK_EQ(pkram_iova_map_check(0, PAGE, PAGE, &last), 0);
	CHECK_EQ(last, PAGE - 1);
	CHECK_EQ(pkram_iova_map_check(0, 0, PAGE, &last), -EINVAL);
	CHECK_EQ(pkram_iova_map_check(1, PAGE, PAGE, &last), -EINVAL);
	CHECK_EQ(pkram_iova_map_check(0, PAGE + 1, PAGE, &last), -EINVAL);
	CHECK_EQ(pkram_iova_map_check(TOP - PAGE + 1, PAGE, PAGE, &last), 0);
	CHECK(last == TOP);
	CHECK_EQ(pkram_iova_map_check(TOP - PAGE + 1, 2 * PAGE, PAGE, &last),
		 -EOVERFLOW);
	/* Overflow is checked before alignment, as type1 does. */
	CHECK_EQ(pkram_iova_map_check(TOP, 2, PAGE, &last), -EOVERFLOW);
	CHECK_EQ(pkram_iova_map_check(0, PAGE, 2 * PAGE, &last), -EINVAL);
}

static void test_overlaps(void)
{
	CHECK_EQ(map(0x2000, 0x2fff), 0);
	CHECK_EQ(map(0x4000, 0x7fff), 0);
	CHECK_EQ(map(0x2000, 0x2fff), -EEXIST);
	CHECK_EQ(map(0, TOP), -EEXIST);
	CHECK_EQ(map(0x1000, 0x2fff), -EEXIST);
	CHECK_EQ(map(0x2000, 0x4fff), -EEXIST);
	CHECK_EQ(map(0x7000, 0x8fff), -EEXIST);
	CHECK_EQ(map(0x5000, 0x5fff), -EEXIST);
	CHECK_EQ(map(0x3000, 0x3fff), 0);
	CHECK_EQ(map(0, 0x1fff), 0);
	CHECK_EQ(map(0x8000, TOP), 0);
	CHECK_EQ(t.nr, 5);
	CHECK_EQ(map(TOP - 0xfff, TOP), -EEXIST);
	clear();
}

static void test_unmap(void)
{
	CHECK_EQ(unmap(0, TOP), 0);
	CHECK_EQ(map(0x1000, 0x2fff), 0);
	CHECK_EQ(map(0x3000, 0x3fff), 0);
	CHECK_EQ(map(0x8000, 0x9fff), 0);
	/* A mapping that is only partly in the range is not cut, and the others stay too. */
	CHECK_EQ(unmap(0x2000, 0x3fff), -EINVAL);
	CHECK_EQ(unmap(0x1000, 0x1fff), -EINVAL);
	CHECK_EQ(unmap(0, 0x8fff), -EINVAL);
	CHECK_EQ(unmap(0x9000, 0x9fff), -EINVAL);
	CHECK_EQ(t.nr, 3);
	CHECK_EQ(unmap(0x4000, 0x7fff), 0);
	CHECK_EQ(unmap(0xa000, TOP), 0);
	CHECK_EQ(unmap(0, 0x3fff), 2);
	CHECK_EQ(t.nr, 1);
	CHECK_EQ(unmap(0, TOP), 1);
	CHECK_EQ(map(TOP - 0xfff, TOP), 0);
	CHECK_EQ(unmap(TOP - 0x1fff, TOP - 1), -EINVAL);
	CHECK_EQ(unmap(TOP - 0x1fff, TOP), 1);
	clear();
}

static void test_limit(void)
{
	u64 i;

	t.limit = 40;
	for (i = 0; i < 40; i++)
		CHECK_EQ(map(i * PAGE, i * PAGE + PAGE - 1), 0);
	CHECK_EQ(map(40 * PAGE, 41 * PAGE - 1), -ENOSPC);
	/* An overlap is reported before the limit. */
	CHECK_EQ(map(0, PAGE - 1), -EEXIST);
	CHECK_EQ(unmap(0, PAGE - 1), 1);
	CHECK_EQ(map(40 * PAGE, 41 * PAGE - 1), 0);
	clear();
}

static void test_vaddr(void)
{
	CHECK_EQ(map(0x1000, 0x1fff), 0);
	CHECK_EQ(map(0x2000, 0x3fff), 0);
	CHECK_EQ(map(0x8000, 0x8fff), 0);
	CHECK_EQ(renew(0x5000, 0x5fff), -ENOENT);
	CHECK_EQ(renew(0x1000, 0x1fff), -EINVAL);
	CHECK_EQ(give_up(0x3000, 0x8fff), -EINVAL);
	CHECK_EQ(t.nr_invalid, 0);
	CHECK_EQ(give_up(0x2000, 0x3fff), 0);
	CHECK_EQ(t.nr_invalid, 1);
	/* One of three has no address: the others are unchanged. */
	CHECK_EQ(give_up(0, TOP), -EINVAL);
	CHECK_EQ(t.nr_invalid, 1);
	CHECK(!t.dma[0]->vaddr_invalid && !t.dma[2]->vaddr_invalid);
	CHECK_EQ(renew(0x2000, 0x2fff), -EINVAL);
	CHECK_EQ(renew(0x3000, 0x3fff), -EINVAL);
	CHECK_EQ(renew(0x2000, 0x4fff), -EINVAL);
	CHECK_EQ(renew(0x1000, 0x3fff), -EINVAL);
	CHECK_EQ(renew(0x2000, 0x3fff), 0);
	CHECK_EQ(renew(0x2000, 0x3fff), -EINVAL);
	CHECK_EQ(give_up(0, TOP), 0);
	CHECK_EQ(t.nr_invalid, 3);
	CHECK_EQ(unmap(0x2000, 0x3fff), 1);
	CHECK_EQ(t.nr_invalid, 2);
	CHECK_EQ(renew(0x2000, 0x3fff), -ENOENT);
	clear();
}

#define SLOTS	64

/* Compare with a plain array of pages */
static void test_random(void)
{
	struct rng g = { 7 };
	int owner[SLOTS] = { 0 }, next = 1, i, n, cut, many;
	u32 a, b;

	for (n = 0; n < 20000; n++) {
		a = rng_below(&g, SLOTS);
		b = a + rng_below(&g, 6);
		if (b >= SLOTS)
			b = SLOTS - 1;
		many = 0;
		for (i = a; i <= (int)b; i++)
			if (owner[i] && (i == (int)a || owner[i] != owner[i - 1]))
				many++;
		cut = (a && owner[a] && owner[a] == owner[a - 1]) ||
		      (b + 1 < SLOTS && owner[b] && owner[b] == owner[b + 1]);
		if (rng_below(&g, 2)) {
			CHECK_EQ(map(a * PAGE, b * PAGE + PAGE - 1),
				 many ? -EEXIST : 0);
			if (many)
				continue;
			for (i = a; i <= (int)b; i++)
				owner[i] = next;
			next++;
		} else {
			CHECK_EQ(unmap(a * PAGE, b * PAGE + PAGE - 1),
				 cut ? -EINVAL : many);
			if (cut)
				continue;
			for (i = a; i <= (int)b; i++)
				owner[i] = 0;
		}
	}
	clear();
}

static void test_runs(void)
{
	struct pkram_runs r = { 0 };
	u32 i;

	CHECK_EQ(pkram_runs_set(&r, 0, TOP), 0);
	CHECK(pkram_runs_contain(&r, 0, TOP));
	CHECK_EQ(pkram_runs_exclude(&r, 0xfee00000, 0xfeefffff), 0);
	CHECK_EQ(r.nr, 2);
	CHECK(pkram_runs_contain(&r, 0, 0xfedfffff));
	CHECK(!pkram_runs_contain(&r, 0, 0xfee00000));
	CHECK(!pkram_runs_contain(&r, 0xfeefffff, TOP));
	CHECK(pkram_runs_contain(&r, 0xfef00000, TOP));
	/* The same range again, its edges, and a larger range */
	CHECK_EQ(pkram_runs_exclude(&r, 0xfee00000, 0xfeefffff), 0);
	CHECK_EQ(r.nr, 2);
	CHECK_EQ(pkram_runs_exclude(&r, 0xfed00000, 0xfef00fff), 0);
	CHECK_EQ(r.nr, 2);
	CHECK(pkram_runs_contain(&r, 0, 0xfecfffff));
	CHECK(!pkram_runs_contain(&r, 0xfed00000, 0xfed00000));
	CHECK(pkram_runs_contain(&r, 0xfef01000, TOP));
	/* The ends */
	CHECK_EQ(pkram_runs_exclude(&r, 0, 0xfff), 0);
	CHECK_EQ(pkram_runs_exclude(&r, 1ULL << 48, TOP), 0);
	CHECK_EQ(r.nr, 2);
	CHECK_EQ(r.run[0].first, 0x1000);
	CHECK_EQ(r.run[1].last, (1ULL << 48) - 1);
	/* Many */
	for (i = 0; i < 100; i++)
		CHECK_EQ(pkram_runs_exclude(&r, 0x10000 + i * 0x2000,
					    0x10fff + i * 0x2000), 0);
	CHECK_EQ(r.nr, 102);
	for (i = 0; i + 1 < r.nr; i++)
		CHECK(r.run[i].last < r.run[i + 1].first);
	CHECK_EQ(pkram_runs_exclude(&r, 0, TOP), 0);
	CHECK_EQ(r.nr, 0);
	CHECK(!pkram_runs_contain(&r, 0x2000, 0x2000));
	pkram_runs_free(&r);
}

static void test_fit(void)
{
	struct pkram_runs r = { 0 };

	CHECK_EQ(map(0x1000, 0x1fff), 0);
	CHECK_EQ(map(0x8000, 0x9fff), 0);
	CHECK_EQ(pkram_runs_set(&r, 0x1000, 0x9fff), 0);
	CHECK(pkram_runs_fit(&r, &t));
	CHECK_EQ(pkram_runs_exclude(&r, 0x2000, 0x7fff), 0);
	CHECK(pkram_runs_fit(&r, &t));
	CHECK_EQ(pkram_runs_exclude(&r, 0x9000, 0x9000), 0);
	CHECK(!pkram_runs_fit(&r, &t));
	pkram_runs_free(&r);
	clear();
}

static void test_segs(void)
{
	const struct pkram_seg whole[] = { { 0, 8, "o", 100 } };
	const struct pkram_seg cut[] = { { 0, 3, whole[0].object, 100 },
					 { 3, 5, whole[0].object, 103 } };
	const struct pkram_seg moved[] = { { 0, 3, whole[0].object, 100 },
					   { 3, 5, whole[0].object, 104 } };
	const struct pkram_seg other[] = { { 0, 3, whole[0].object, 100 },
					   { 3, 5, "p", 103 } };
	const struct pkram_seg mixed[] = { { 0, 3, whole[0].object, 100 },
					   { 3, 5, NULL, 0 } };
	const struct pkram_seg mixed2[] = { { 0, 3, whole[0].object, 100 },
					    { 3, 1, NULL, 0 }, { 4, 4, NULL, 0 } };
	const struct pkram_seg back[] = { { 0, 8, whole[0].object, 99 } };

	CHECK(pkram_segs_same(whole, 1, whole, 1));
	CHECK(pkram_segs_same(whole, 1, cut, 2));
	CHECK(pkram_segs_same(cut, 2, whole, 1));
	CHECK(!pkram_segs_same(whole, 1, moved, 2));
	CHECK(!pkram_segs_same(cut, 2, other, 2));
	CHECK(!pkram_segs_same(whole, 1, mixed, 2));
	CHECK(!pkram_segs_same(mixed, 2, cut, 2));
	CHECK(pkram_segs_same(mixed, 2, mixed2, 3));
	CHECK(!pkram_segs_same(whole, 1, back, 1));
	CHECK(!pkram_segs_same(whole, 1, cut, 1));
}

static void test_nomem(void)
{
	struct pkram_runs r = { 0 };
	u64 i;

	for (i = 0; i < 16; i++)
		CHECK_EQ(map(i * PAGE, i * PAGE + PAGE - 1), 0);
	pkram_alloc_fail_at = pkram_alloc_count + 1;
	CHECK_EQ(map(16 * PAGE, 17 * PAGE - 1), -ENOMEM);
	CHECK_EQ(t.nr, 16);
	CHECK_EQ(map(16 * PAGE, 17 * PAGE - 1), 0);
	pkram_alloc_fail_at = pkram_alloc_count + 1;
	CHECK_EQ(pkram_runs_set(&r, 0, TOP), -ENOMEM);
	CHECK_EQ(pkram_runs_set(&r, 0, TOP), 0);
	for (i = 0; i < 15; i++)
		CHECK_EQ(pkram_runs_exclude(&r, i * 2 * PAGE, i * 2 * PAGE), 0);
	CHECK_EQ(r.nr, 15);
	CHECK_EQ(pkram_runs_exclude(&r, 40 * PAGE, 40 * PAGE), 0);
	pkram_alloc_fail_at = pkram_alloc_count + 1;
	CHECK_EQ(pkram_runs_exclude(&r, 50 * PAGE, 50 * PAGE), -ENOMEM);
	CHECK_EQ(r.nr, 16);
	CHECK(pkram_runs_contain(&r, 50 * PAGE, 50 * PAGE));
	pkram_alloc_fail_at = 0;
	pkram_runs_free(&r);
	clear();
}

TAP_MAIN({ "numbers that make no sense are refused", test_numbers },
	 { "mappings do not overlap", test_overlaps },
	 { "a mapping that a range cuts is not unmapped", test_unmap },
	 { "the limit of mappings holds", test_limit },
	 { "user addresses are invalidated and renewed by the rules", test_vaddr },
	 { "random changes agree with an array of pages", test_random },
	 { "ranges are closed", test_runs },
	 { "mappings outside the open ranges are detected", test_fit },
	 { "segments are compared by object and offset", test_segs },
	 { "a failed allocation changes nothing", test_nomem },
)
