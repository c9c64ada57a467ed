// SPDX-License-Identifier: GPL-2.0
/*
 * Bad pages of metadata: see badset.h. A hash table with open addressing, which readers
 * look into without a lock: an entry does not move, and a table that has become too small
 * stays as it is for its readers.
 */
#include "core/badset.h"

#define BADSET_FIRST_BITS	8
#define BADSET_REMOVED		1UL	/* a free entry, behind which there may be others */

struct badset_table {
	struct badset_table *former;
	u32 bits;
	u32 used;		/* entries that are not 0 */
	unsigned long *page;
};

static unsigned long badset_first_pages[1 << BADSET_FIRST_BITS];
static struct badset_table badset_first = {
	.bits = BADSET_FIRST_BITS,
	.page = badset_first_pages,
};

static struct badset_table *badset_table = &badset_first;
unsigned int pkram_badset_nr;

static unsigned long badset_page(const void *p)
{
	return (unsigned long)p & ~4095UL;
}

static u32 badset_hash(unsigned long page, u32 bits)
{
	return (u32)((u64)page * 0x9e3779b97f4a7c15ULL >> (64 - bits));
}

/* The entry of a page, or the 0 that ends the search. At least half of the entries are 0. */
static unsigned long *badset_find(const struct badset_table *t, unsigned long page)
{
	u32 i = badset_hash(page, t->bits), mask = (1U << t->bits) - 1;
	unsigned long found;

	for (;; i++) {
		found = READ_ONCE(t->page[i & mask]);
		if (!found || found == page)
			return &t->page[i & mask];
	}
}

bool pkram_badset_has(const void *p)
{
	return *badset_find(READ_ONCE(badset_table), badset_page(p));
}

static void badset_insert(struct badset_table *t, unsigned long page)
{
	WRITE_ONCE(*badset_find(t, page), page);
	t->used++;
}

/* Go on in a table with room: a larger one, unless most entries were removed. */
static bool badset_grow(void)
{
	struct badset_table *old = badset_table, *t = pkram_alloc_mem(sizeof(*t));
	unsigned long page;
	u32 i;

	if (!t)
		return false;
	t->former = old;
	t->bits = old->bits + (pkram_badset_nr > old->used / 2);
	t->page = pkram_alloc_mem(sizeof(*t->page) << t->bits);
	if (!t->page) {
		pkram_free_mem(t);
		return false;
	}
	for (i = 0; i < 1U << old->bits; i++) {
		page = old->page[i];
		if (page && page != BADSET_REMOVED)
			badset_insert(t, page);
	}
	WRITE_ONCE(badset_table, t);
	return true;
}

bool pkram_badset_add(const void *p)
{
	if (pkram_badset_has(p))
		return true;
	if (badset_table->used >= 1U << (badset_table->bits - 1) && !badset_grow())
		return false;
	badset_insert(badset_table, badset_page(p));
	WRITE_ONCE(pkram_badset_nr, pkram_badset_nr + 1);
	return true;
}

void pkram_badset_remove(const void *start, size_t len)
{
	struct badset_table *t = badset_table;
	unsigned long page;
	u32 i;

	for (i = 0; i < 1U << t->bits; i++) {
		page = t->page[i];
		if (page <= BADSET_REMOVED || page - (unsigned long)start >= len)
			continue;
		WRITE_ONCE(t->page[i], BADSET_REMOVED);
		WRITE_ONCE(pkram_badset_nr, pkram_badset_nr - 1);
	}
}

void pkram_badset_exit(void)
{
	struct badset_table *t;

	while ((t = badset_table) != &badset_first) {
		badset_table = t->former;
		pkram_free_mem(t->page);
		pkram_free_mem(t);
	}
	memset(badset_first_pages, 0, sizeof(badset_first_pages));
	badset_first.used = 0;
	pkram_badset_nr = 0;
}
