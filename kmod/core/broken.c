// SPDX-License-Identifier: GPL-2.0
/* Broken pages of metadata: see broken.h. */
#include "core/broken.h"

/* Readers take no lock: an entry does not move, and a free one is 0. */
static unsigned long broken_pages[PKRAM_BROKEN_MAX];
static unsigned int broken_end;		/* entries that were ever used */
unsigned int pkram_broken_nr;

static unsigned long broken_page(const void *p)
{
	return (unsigned long)p & ~4095UL;
}

bool pkram_broken(const void *p)
{
	unsigned int i;

	for (i = 0; i < READ_ONCE(broken_end); i++)
		if (READ_ONCE(broken_pages[i]) == broken_page(p))
			return true;
	return false;
}

bool pkram_broken_add(const void *p)
{
	unsigned int i;

	if (pkram_broken(p))
		return true;
	for (i = 0; i < broken_end && broken_pages[i]; i++)
		;
	if (i == PKRAM_BROKEN_MAX)
		return false;
	WRITE_ONCE(broken_pages[i], broken_page(p));
	WRITE_ONCE(broken_end, max(broken_end, i + 1));
	WRITE_ONCE(pkram_broken_nr, pkram_broken_nr + 1);
	return true;
}

void pkram_broken_remove(const void *start, size_t len)
{
	unsigned int i;

	for (i = 0; i < broken_end; i++) {
		if (!broken_pages[i] || broken_pages[i] - (unsigned long)start >= len)
			continue;
		WRITE_ONCE(broken_pages[i], 0);
		WRITE_ONCE(pkram_broken_nr, pkram_broken_nr - 1);
	}
}
