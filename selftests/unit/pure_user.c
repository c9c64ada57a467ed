// SPDX-License-Identifier: GPL-2.0
/*
 * What pure_user.h declares. Plain and slow where that makes it plainly right.
 */
#include "pure.h"

void (*pkram_store_hook)(void *p, u64 v);
unsigned long pkram_alloc_count;
unsigned long pkram_alloc_fail_at;

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

#define CRC32C_POLY 0x82f63b78U

static u32 crc_table[256];

static void __attribute__((constructor)) crc_init(void)
{
	u32 i, j, c;

	for (i = 0; i < 256; i++) {
		for (c = i, j = 0; j < 8; j++)
			c = c >> 1 ^ (c & 1 ? CRC32C_POLY : 0);
		crc_table[i] = c;
	}
}

static u32 crc_plain(u32 seed, const u8 *b, size_t n)
{
	while (n--)
		seed = seed >> 8 ^ crc_table[(seed ^ *b++) & 0xff];
	return seed;
}

#ifdef __x86_64__
/* The bit-flip tests read some 100,000 images. */
__attribute__((target("sse4.2")))
static u32 crc_fast(u32 seed, const u8 *b, size_t n)
{
	u64 word;

	for (; n >= 8; n -= 8, b += 8) {
		memcpy(&word, b, 8);
		seed = (u32)__builtin_ia32_crc32di(seed, word);
	}
	return crc_plain(seed, b, n);
}
#endif

u32 pkram_crc32c(u32 seed, const void *p, size_t n)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return crc_fast(seed, p, n);
#endif
	return crc_plain(seed, p, n);
}

void *pkram_alloc_mem(size_t n)
{
	if (++pkram_alloc_count == pkram_alloc_fail_at)
		return NULL;
	return calloc(1, n);
}

void pkram_free_mem(const void *p)
{
	free((void *)p);
}
