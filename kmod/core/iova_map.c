// SPDX-License-Identifier: GPL-2.0
/* The mappings and ranges of a VFIO container: see iova_map.h. */
#include "core/iova_map.h"

/* An array of pointers is sufficient: even a guest with hundreds of mappings changes few. */
#define FIRST_ROOM	16

void pkram_iova_map_free(struct pkram_iova_map *t)
{
	pkram_free_mem(t->dma);
	t->dma = NULL;
	t->nr = 0;
	t->room = 0;
	t->nr_invalid = 0;
}

u32 pkram_iova_map_find(const struct pkram_iova_map *t, u64 first, u64 last,
			bool *overlaps)
{
	u32 lo = 0, hi = t->nr;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (t->dma[mid]->last < first)
			lo = mid + 1;
		else
			hi = mid;
	}
	*overlaps = lo < t->nr && t->dma[lo]->first <= last;
	return lo;
}

int pkram_iova_map_check(u64 first, u64 size, u64 pgsize, u64 *last)
{
	if (!size)
		return -EINVAL;
	if (check_add_overflow(first, size - 1, last))
		return -EOVERFLOW;
	return (first | size) & (pgsize - 1) ? -EINVAL : 0;
}

/* Return @array or a larger copy with space for one more than @nr; NULL: no memory */
static void *iova_map_with_room(void *array, u32 nr, u32 *room, size_t size)
{
	u32 more = max(2 * *room, (u32)FIRST_ROOM);
	void *new;

	if (nr < *room)
		return array;
	new = pkram_alloc_mem(more * size);
	if (!new)
		return NULL;
	if (nr)
		memcpy(new, array, nr * size);
	pkram_free_mem(array);
	*room = more;
	return new;
}

int pkram_iova_map_insert(struct pkram_iova_map *t, struct pkram_dma *dma)
{
	struct pkram_dma **array;
	bool overlaps;
	u32 i;

	i = pkram_iova_map_find(t, dma->first, dma->last, &overlaps);
	if (overlaps)
		return -EEXIST;
	if (t->nr >= t->limit)
		return -ENOSPC;
	array = iova_map_with_room(t->dma, t->nr, &t->room, sizeof(*array));
	if (!array)
		return -ENOMEM;
	t->dma = array;
	memmove(t->dma + i + 1, t->dma + i, (t->nr - i) * sizeof(*t->dma));
	t->dma[i] = dma;
	t->nr++;
	t->nr_invalid += dma->vaddr_invalid;
	return 0;
}

struct pkram_dma *pkram_iova_map_remove(struct pkram_iova_map *t, u32 i)
{
	struct pkram_dma *dma = t->dma[i];

	t->nr--;
	t->nr_invalid -= dma->vaddr_invalid;
	memmove(t->dma + i, t->dma + i + 1, (t->nr - i) * sizeof(*t->dma));
	return dma;
}

int pkram_iova_map_whole(const struct pkram_iova_map *t, u64 first, u64 last,
			 u32 *i, u32 *nr)
{
	bool overlaps;
	u32 end;

	*i = pkram_iova_map_find(t, first, last, &overlaps);
	*nr = 0;
	if (!overlaps)
		return 0;
	if (t->dma[*i]->first < first)
		return -EINVAL;
	end = pkram_iova_map_find(t, last, last, &overlaps);
	if (overlaps) {
		if (t->dma[end]->last > last)
			return -EINVAL;
		end++;
	}
	*nr = end - *i;
	return 0;
}

int pkram_iova_map_invalidate(struct pkram_iova_map *t, u32 i, u32 nr)
{
	u32 j;

	for (j = i; j < i + nr; j++)
		if (t->dma[j]->vaddr_invalid)
			return -EINVAL;
	for (j = i; j < i + nr; j++)
		t->dma[j]->vaddr_invalid = true;
	t->nr_invalid += nr;
	return 0;
}

int pkram_iova_map_find_invalid(const struct pkram_iova_map *t, u64 first,
				u64 last, u32 *i)
{
	const struct pkram_dma *dma;
	bool overlaps;

	*i = pkram_iova_map_find(t, first, last, &overlaps);
	if (!overlaps)
		return -ENOENT;
	dma = t->dma[*i];
	return dma->vaddr_invalid && dma->first == first && dma->last == last ?
	       0 : -EINVAL;
}

void pkram_iova_map_revalidate(struct pkram_iova_map *t, u32 i)
{
	t->dma[i]->vaddr_invalid = false;
	t->nr_invalid--;
}

/* Open ranges */

void pkram_runs_free(struct pkram_runs *r)
{
	pkram_free_mem(r->run);
	r->run = NULL;
	r->nr = 0;
	r->room = 0;
}

static int iova_map_make_room(struct pkram_runs *r)
{
	struct pkram_run *run;

	run = iova_map_with_room(r->run, r->nr, &r->room, sizeof(*run));
	if (!run)
		return -ENOMEM;
	r->run = run;
	return 0;
}

static void iova_map_insert_run(struct pkram_runs *r, u32 i, u64 first, u64 last)
{
	memmove(r->run + i + 1, r->run + i, (r->nr - i) * sizeof(*r->run));
	r->run[i].first = first;
	r->run[i].last = last;
	r->nr++;
}

int pkram_runs_set(struct pkram_runs *r, u64 first, u64 last)
{
	int err;

	r->nr = 0;
	err = iova_map_make_room(r);
	if (!err)
		iova_map_insert_run(r, 0, first, last);
	return err;
}

int pkram_runs_exclude(struct pkram_runs *r, u64 first, u64 last)
{
	u32 i = 0;
	int err;

	while (i < r->nr) {
		struct pkram_run old = r->run[i];

		if (old.last < first || old.first > last) {
			i++;
			continue;
		}
		/* At most one range becomes two: make space for it before anything changes. */
		err = iova_map_make_room(r);
		if (err)
			return err;
		r->nr--;
		memmove(r->run + i, r->run + i + 1,
			(r->nr - i) * sizeof(*r->run));
		if (old.first < first)
			iova_map_insert_run(r, i++, old.first, first - 1);
		if (old.last > last)
			iova_map_insert_run(r, i++, last + 1, old.last);
	}
	return 0;
}

bool pkram_runs_contain(const struct pkram_runs *r, u64 first, u64 last)
{
	u32 i;

	for (i = 0; i < r->nr; i++)
		if (r->run[i].first <= first && last <= r->run[i].last)
			return true;
	return false;
}

bool pkram_runs_fit(const struct pkram_runs *r, const struct pkram_iova_map *t)
{
	u32 i;

	for (i = 0; i < t->nr; i++)
		if (!pkram_runs_contain(r, t->dma[i]->first, t->dma[i]->last))
			return false;
	return true;
}

/* Segments */

bool pkram_segs_same(const struct pkram_seg *a, u32 nr_a,
		     const struct pkram_seg *b, u32 nr_b)
{
	u32 i = 0, j = 0;

	while (i < nr_a && j < nr_b) {
		u64 end_a = a[i].pos + a[i].len, end_b = b[j].pos + b[j].len;

		if (a[i].object != b[j].object)
			return false;
		/* One of them is split: compare their offsets at the same position */
		if (a[i].object &&
		    a[i].offset - a[i].pos != b[j].offset - b[j].pos)
			return false;
		i += end_a <= end_b;
		j += end_b <= end_a;
	}
	return i == nr_a && j == nr_b;
}
