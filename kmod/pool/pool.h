/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool's life: attach at load, grow, adopt, shrink. Brings together
 * regions (memory), the handover (the next kernel) and the store (objects),
 * in an order in which a failure at any step loses nothing.
 */
#ifndef _PKRAM_POOL_H
#define _PKRAM_POOL_H

#include "handover/handover.h"
#include "mem/types.h"

#define PKRAM_REPORT_REFUSALS	256

/**
 * struct pkram_pool_report - what a grow or a shrink did
 * @nr_gib: GiB got
 * @nr_taken: entries of @taken
 * @nr_refused: entries of @refused
 * @taken: ranges that were got
 * @refused: GiB that were tried in vain (the first so many)
 */
struct pkram_pool_report {
	u32 nr_gib;
	u32 nr_taken;
	u32 nr_refused;
	struct pkram_range taken[PKRAM_REPORT_REFUSALS];
	struct pkram_refusal refused[PKRAM_REPORT_REFUSALS];
};

/**
 * pkram_pool_grow() - Take RAM from the system
 * @nr_gib: how much
 * @node: from this NUMA node, or PKRAM_NO_NODE
 * @report: out
 * @text: out: words on failure
 *
 * Return: 0 if something was got; -EBUSY a kexec image is loaded; -ENOMEM
 * nothing could be got; others.
 */
int pkram_pool_grow(u32 nr_gib, int node, struct pkram_pool_report *report,
		    const char **text);

/**
 * pkram_pool_adopt() - Attach, or format, a range that is not System RAM
 * @base: GiB aligned
 * @size: whole GiB
 * @format: make a new region if none is there
 * @report: out
 * @text: out: words on failure
 */
int pkram_pool_adopt(u64 base, u64 size, bool format,
		     struct pkram_pool_report *report, const char **text);

/**
 * pkram_pool_shrink() - Give unused GiB back to the system
 * @nr_gib: how many, if @size is 0
 * @base: or which
 * @size: bytes from @base
 * @report: out
 * @text: out: words on failure
 *
 * Also gives back reserved memory in which no usable region is, if it is
 * named exactly.
 */
int pkram_pool_shrink(u32 nr_gib, u64 base, u64 size,
		      struct pkram_pool_report *report, const char **text);

#endif /* _PKRAM_POOL_H */
