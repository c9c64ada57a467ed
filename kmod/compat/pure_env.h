/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment of core/pure.h in the kernel. User space has a file of the same
 * name in selftests/unit/include, which its include path finds first.
 */
#ifndef _PKRAM_PURE_ENV_H
#define _PKRAM_PURE_ENV_H

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

/* Stores to preserved memory: not torn, in program order. x86 keeps the order of stores. */
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

#endif /* _PKRAM_PURE_ENV_H */
