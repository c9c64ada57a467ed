/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment of core/pure.h in user space, the counterpart of kmod/compat/pure_env.h;
 * the include path finds it first. It has hooks by which tests cut writes and fail
 * allocations.
 */
#ifndef _PKRAM_PURE_ENV_H
#define _PKRAM_PURE_ENV_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define U16_MAX 0xffffU

#ifndef static_assert
#define static_assert _Static_assert
#endif

/* The host is little-endian, as is the format. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian host");
#define cpu_to_le16(x) ((__le16)(x))
#define cpu_to_le32(x) ((__le32)(x))
#define cpu_to_le64(x) ((__le64)(x))
#define le16_to_cpu(x) ((u16)(x))
#define le32_to_cpu(x) ((u32)(x))
#define le64_to_cpu(x) ((u64)(x))

#define BIT(n) (1UL << (n))
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define ALIGN(x, a) (((x) + (__typeof__(x))(a) - 1) & ~((__typeof__(x))(a) - 1))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define swap(a, b)							\
	do { __typeof__(a) t_ = (a); (a) = (b); (b) = t_; } while (0)
#define hweight_long(w) __builtin_popcountl(w)
#define min_t(t, a, b) min((t)(a), (t)(b))
#define max_t(t, a, b) max((t)(a), (t)(b))
#define check_add_overflow(a, b, d) __builtin_add_overflow(a, b, d)

/* Bitmaps, with the kernel's signatures */

#define BITS_PER_LONG 64
#define BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

static inline bool test_bit(long nr, const unsigned long *p)
{
	return p[nr / BITS_PER_LONG] >> (nr % BITS_PER_LONG) & 1;
}

static inline void __set_bit(long nr, unsigned long *p)
{
	p[nr / BITS_PER_LONG] |= 1UL << (nr % BITS_PER_LONG);
}

static inline void __clear_bit(long nr, unsigned long *p)
{
	p[nr / BITS_PER_LONG] &= ~(1UL << (nr % BITS_PER_LONG));
}

static inline bool __test_and_set_bit(long nr, unsigned long *p)
{
	bool was = test_bit(nr, p);

	__set_bit(nr, p);
	return was;
}

unsigned long find_next_bit(const unsigned long *p, unsigned long size,
			    unsigned long from);
unsigned long find_next_zero_bit(const unsigned long *p, unsigned long size,
				 unsigned long from);
void bitmap_set(unsigned long *p, unsigned int start, unsigned int nr);
void bitmap_clear(unsigned long *p, unsigned int start, unsigned int nr);
void bitmap_zero(unsigned long *p, unsigned int nr);

static inline void sort(void *base, size_t nr, size_t size,
			int (*cmp)(const void *, const void *),
			void (*swap)(void *, void *, int))
{
	(void)swap;
	if (nr)
		qsort(base, nr, size, cmp);
}

/* CRC32C like the kernel's crc32c(): seed as given, no inversion */
u32 pkram_crc32c(u32 seed, const void *p, size_t n);

/* Preserved memory; the hook may longjmp before the store is done */
extern void (*pkram_store_hook)(void *p, u64 v);

/* A page that has broken, or NULL: a load from it gives 0, and a store has no effect. */
extern void *pkram_broken_page;

static inline bool pkram_is_broken(const void *p)
{
	return pkram_broken_page && p >= pkram_broken_page && p < pkram_broken_page + 4096;
}

static inline void pkram_env_store64(void *p, __le64 v)
{
	if (pkram_store_hook)
		pkram_store_hook(p, v);
	if (pkram_is_broken(p))
		return;
	*(volatile __le64 *)p = v;
}

static inline __le64 pkram_env_load64(const void *p)
{
	return pkram_is_broken(p) ? 0 : READ_ONCE(*(const __le64 *)p);
}

/* Memory; allocation number pkram_alloc_fail_at (from 1) fails, 0: none */
extern unsigned long pkram_alloc_count;
extern unsigned long pkram_alloc_fail_at;
extern void (*pkram_alloc_hook)(void);		/* or NULL: called for each */

/*
 * Blocks of code that ran in kmod/core and kmod/store, where the compiler counts them (the
 * Makefile's COVER), and the most of them between two pauses
 */
extern unsigned long pkram_blocks;
extern unsigned long pkram_longest;
void pkram_env_pause(void);

void *pkram_alloc_mem(size_t n);
void pkram_free_mem(const void *p);

#endif /* _PKRAM_PURE_ENV_H */
