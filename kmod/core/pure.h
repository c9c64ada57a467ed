/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the pure files (format, alloc, load, seal) may use of the world: fixed
 * width integers, byte order, CRC32C, memory, one ordered 64-bit store. In the
 * kernel these are the kernel's; user-space tests supply their own by
 * selftests/unit/pure_user.h.
 */
#ifndef _PKRAM_PURE_H
#define _PKRAM_PURE_H

#ifdef __KERNEL__
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/bsearch.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/types.h>
#include "compat/compat.h"

/* Stores to preserved memory: whole, in program order. x86 keeps store order. */
#define pkram_store64(p, v)				\
	do {						\
		barrier();				\
		WRITE_ONCE(*(__le64 *)(p), (v));	\
		barrier();				\
	} while (0)
#define pkram_load64(p)		READ_ONCE(*(const __le64 *)(p))
#define pkram_alloc_mem(n)	kvzalloc(n, GFP_KERNEL)
#define pkram_free_mem(p)	kvfree(p)
#define pkram_crc32c(seed, p, n) crc32c(seed, p, n)
#else
#include "pure_user.h"
#endif

#endif /* _PKRAM_PURE_H */
