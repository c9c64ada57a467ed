// SPDX-License-Identifier: GPL-2.0
/*
 * Broken pages of metadata: see broken.h. A hash table with open addressing, which readers
 * look into without a lock: an entry does not move, and a table that has become too small
 * stays as it is, for those who look into it.
 */
#include "core/broken.h"

#define BROKEN_FIRST_BITS	8
#define BROKEN_REMOVED		1UL	/* a free entry, behind which there may be others */

struct broken_table {
	struct broken_table *former;
	u32 bits;
	u32 used;		/* entries that are not 0 */
	unsigned long *page;
};

static unsigned long broken_first_pages[1 << BROKEN_FIRST_BITS];
static struct broken_table broken_first = {
	.bits = BROKEN_FIRST_BITS,
	.page = broken_first_pages,
};
static struct broken_table *broken_table = &broken_first;
unsigned int pkram_broken_nr;

static unsigned long broken_page(const void *p)
{
	return (unsigned long)p & ~4095UL;
}

static u32 broken_hash(unsigned long page, u32 bits)
{
	return (u32)((u64)page * 0x9e3779b97f4a7c15ULL >> (64 - bits));
}

/* The entry of a page, or the 0 that ends the search. At least half of the entries are 0. */
static unsigned long *broken_find(const struct broken_table *t, unsigned long page)
{
	u32 i = broken_hash(page, t->bits), mask = (1U << t->bits) - 1;
	unsigned long found;

	for (;; i++) {
		found = READ_ONCE(t->page[i & mask]);
		if (!found || found == page)
			return &t->page[i & mask];
	}
}

bool pkram_broken(const void *p)
{
	return *broken_find(READ_ONCE(broken_table), broken_page(p));
}

static void broken_insert(struct broken_table *t, unsigned long page)
{
	WRITE_ONCE(*broken_find(t, page), page);
	t->used++;
}

/* Go on in a table with room: a larger one, unless most entries were removed. */
static bool broken_grow(void)
{
	struct broken_table *old = broken_table, *t = pkram_alloc_mem(sizeof(*t));
	unsigned long page;
	u32 i;

	if (!t)
		return false;
	t->former = old;
	t->bits = old->bits + (pkram_broken_nr > old->used / 2);
	t->page = pkram_alloc_mem(sizeof(*t->page) << t->bits);
	if (!t->page) {
		pkram_free_mem(t);
		return false;
	}
	for (i = 0; i < 1U << old->bits; i++) {
		page = old->page[i];
		if (page && page != BROKEN_REMOVED)
			broken_insert(t, page);
	}
	WRITE_ONCE(broken_table, t);
	return true;
}

bool pkram_broken_add(const void *p)
{
	if (pkram_broken(p))
		return true;
	if (broken_table->used >= 1U << (broken_table->bits - 1) && !broken_grow())
		return false;
	broken_insert(broken_table, broken_page(p));
	WRITE_ONCE(pkram_broken_nr, pkram_broken_nr + 1);
	return true;
}

void pkram_broken_remove(const void *start, size_t len)
{
	struct broken_table *t = broken_table;
	unsigned long page;
	u32 i;

	for (i = 0; i < 1U << t->bits; i++) {
		page = t->page[i];
		if (page <= BROKEN_REMOVED || page - (unsigned long)start >= len)
			continue;
		WRITE_ONCE(t->page[i], BROKEN_REMOVED);
		WRITE_ONCE(pkram_broken_nr, pkram_broken_nr - 1);
	}
}

void pkram_broken_exit(void)
{
	struct broken_table *t;

	while ((t = broken_table) != &broken_first) {
		broken_table = t->former;
		pkram_free_mem(t->page);
		pkram_free_mem(t);
	}
	memset(broken_first_pages, 0, sizeof(broken_first_pages));
	broken_first.used = 0;
	pkram_broken_nr = 0;
}
