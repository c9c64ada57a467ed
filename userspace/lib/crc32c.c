// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CRC32C. No library that Debian provides for static linking has it. The CPU's instruction
 * has a latency of three cycles and a throughput of one per cycle: therefore three pieces
 * are computed in parallel and their checksums are combined. The table is for CPUs without
 * the instruction.
 */
#include <pthread.h>
#include <string.h>
#include "crc32c.h"

#define POLYNOMIAL	0x82f63b78u
#define PIECE		4096U		/* bytes */

/* table[k][b]: byte b, k bytes before the end of a word */
static uint32_t table[8][256];
/* shift[k][b]: the contribution of byte k of the register after PIECE zero bytes */
static uint32_t shift[4][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void shift_init(void)
{
	unsigned int bit, b, i;
	uint32_t crc;

	/* A register is the sum of its bits. */
	for (bit = 0; bit < 32; bit++) {
		crc = 1U << bit;
		for (i = 0; i < PIECE; i++)
			crc = crc >> 8 ^ table[0][crc & 0xff];
		for (b = 0; b < 256; b++)
			if (b & 1U << bit % 8)
				shift[bit / 8][b] ^= crc;
	}
}

static void table_init(void)
{
	unsigned int b, k;

	for (b = 0; b < 256; b++) {
		uint32_t crc = b;

		for (k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[0][b] = crc;
	}
	for (b = 0; b < 256; b++)
		for (k = 1; k < 8; k++)
			table[k][b] = table[k - 1][b] >> 8 ^
				      table[0][table[k - 1][b] & 0xff];
	shift_init();
}

uint32_t pkram_crc32c_table(uint32_t crc, const void *p, size_t n)
{
	const unsigned char *b = p;
	unsigned int k;

	pthread_once(&table_once, table_init);
	for (; n >= 8; n -= 8, b += 8) {
		uint32_t next = 0;

		for (k = 0; k < 8; k++)
			next ^= table[7 - k][b[k] ^
					     (k < 4 ? crc >> 8 * k & 0xff : 0)];
		crc = next;
	}
	while (n--)
		crc = crc >> 8 ^ table[0][(crc ^ *b++) & 0xff];
	return crc;
}

#ifdef __x86_64__
static uint32_t shifted(uint32_t crc)
{
	return shift[0][crc & 0xff] ^ shift[1][crc >> 8 & 0xff] ^
	       shift[2][crc >> 16 & 0xff] ^ shift[3][crc >> 24];
}

static uint64_t word(const unsigned char *b)
{
	uint64_t v;

	memcpy(&v, b, 8);
	return v;
}

__attribute__((target("sse4.2")))
static uint32_t crc_sse42(uint32_t crc, const unsigned char *b, size_t n)
{
	uint64_t x = crc, y, z;
	unsigned int i;

	if (n >= 3 * PIECE)
		pthread_once(&table_once, table_init);
	for (; n >= 3 * PIECE; n -= 3 * PIECE, b += 3 * PIECE) {
		y = 0;
		z = 0;
		for (i = 0; i < PIECE; i += 8) {
			x = __builtin_ia32_crc32di(x, word(b + i));
			y = __builtin_ia32_crc32di(y, word(b + PIECE + i));
			z = __builtin_ia32_crc32di(z, word(b + 2 * PIECE + i));
		}
		x = shifted(shifted(x) ^ y) ^ z;
	}
	for (; n >= 8; n -= 8, b += 8)
		x = __builtin_ia32_crc32di(x, word(b));
	for (crc = x; n; n--)
		crc = __builtin_ia32_crc32qi(crc, *b++);
	return crc;
}
#endif

uint32_t pkram_crc32c(uint32_t crc, const void *p, size_t n)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return crc_sse42(crc, p, n);
#endif
	return pkram_crc32c_table(crc, p, n);
}
