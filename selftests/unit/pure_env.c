// SPDX-License-Identifier: GPL-2.0
/*
 * The functions that include/compat/pure_env.h declares, simple rather than fast.
 * pkram_crc32c() is in userspace/lib/crc32c.c.
 */
#include "core/pure.h"

void (*pkram_store_hook)(void *p, u64 v);
unsigned long pkram_alloc_count;
unsigned long pkram_alloc_fail_at;
void (*pkram_alloc_hook)(void);
void *pkram_broken_page;
unsigned long pkram_blocks;
unsigned long pkram_longest;

/* The compiler calls it in each block of code. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	pkram_blocks++;
}

void pkram_env_pause(void)
{
	static unsigned long last;

	/* A test may have set the number to 0. */
	if (pkram_blocks >= last)
		pkram_longest = max(pkram_longest, pkram_blocks - last);
	last = pkram_blocks;
}

static unsigned long find_next(const unsigned long *p, unsigned long size,
			       unsigned long from, unsigned long flip)
{
	unsigned long word;

	while (from < size) {
		word = (p[from / BITS_PER_LONG] ^ flip) >>
		       (from % BITS_PER_LONG);
		if (word) {
			from += __builtin_ctzl(word);
			return min(from, size);
		}
		from = ALIGN(from + 1, BITS_PER_LONG);
	}
	return size;
}

unsigned long find_next_bit(const unsigned long *p, unsigned long size,
			    unsigned long from)
{
	return find_next(p, size, from, 0);
}

unsigned long find_next_zero_bit(const unsigned long *p, unsigned long size,
				 unsigned long from)
{
	return find_next(p, size, from, ~0UL);
}

void bitmap_set(unsigned long *p, unsigned int start, unsigned int nr)
{
	for (; nr && start % BITS_PER_LONG; nr--)
		__set_bit(start++, p);
	for (; nr >= BITS_PER_LONG; nr -= BITS_PER_LONG, start += BITS_PER_LONG)
		p[start / BITS_PER_LONG] = ~0UL;
	while (nr--)
		__set_bit(start++, p);
}

void bitmap_clear(unsigned long *p, unsigned int start, unsigned int nr)
{
	for (; nr && start % BITS_PER_LONG; nr--)
		__clear_bit(start++, p);
	for (; nr >= BITS_PER_LONG; nr -= BITS_PER_LONG, start += BITS_PER_LONG)
		p[start / BITS_PER_LONG] = 0;
	while (nr--)
		__clear_bit(start++, p);
}

void bitmap_zero(unsigned long *p, unsigned int nr)
{
	memset(p, 0, BITS_TO_LONGS(nr) * sizeof(*p));
}

void *pkram_alloc_mem(size_t n)
{
	if (pkram_alloc_hook)
		pkram_alloc_hook();
	if (++pkram_alloc_count == pkram_alloc_fail_at)
		return NULL;
	return calloc(1, n);
}

void pkram_free_mem(const void *p)
{
	free((void *)p);
}
