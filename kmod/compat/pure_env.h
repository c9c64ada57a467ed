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
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/asm.h>
#include "compat/compat.h"

/*
 * Stores to preserved memory: not torn, in program order. x86 keeps the order of stores. A page
 * that breaks at this moment may lose its place in the kernel's mapping: then nothing is stored.
 */
static inline void pkram_env_store64(void *p, __le64 v)
{
	asm volatile("1:	movq	%1, %0\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_DEFAULT_MCE_SAFE)
		     : "=m" (*(u64 *)p) : "r" ((__force u64)v) : "memory");
}

/*
 * A load that is not torn, and gives 0 instead of a machine check that stops the kernel:
 * copy_mc_to_kernel() may tear, and does not recover on each CPU that could.
 */
static inline __le64 pkram_env_load64(const void *p)
{
	u64 v = 0;

	asm volatile("1:	movq	%1, %0\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_DEFAULT_MCE_SAFE)
		     : "+r" (v) : "m" (*(const u64 *)p));
	return (__force __le64)v;
}

#define pkram_alloc_mem(n)	kvzalloc(n, GFP_KERNEL)
#define pkram_free_mem(p)	kvfree(p)
#define pkram_env_pause()	cond_resched()
#define pkram_crc32c(seed, p, n) crc32c(seed, p, n)

#endif /* _PKRAM_PURE_ENV_H */
