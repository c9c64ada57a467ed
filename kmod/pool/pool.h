/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool: attach at load, grow, adopt, shrink. This file combines regions
 * (memory), handover (the next kernel) and store (objects), in an order in which a
 * failure at any step loses nothing.
 */
#ifndef _PKRAM_POOL_H
#define _PKRAM_POOL_H

#include "handover/handover.h"
#include "mem/types.h"

#define PKRAM_REPORT_REFUSALS	256

/* Milliseconds that taking a unit may last, if the command does not say */
#define PKRAM_GROW_TIMEOUT	10000

/**
 * struct pkram_pool_report - result of a change of size
 * @nr_gib: number of GiB taken or given back
 * @nr_taken: entries of @taken
 * @nr_refused: entries of @refused
 * @taken: ranges that were taken or given back
 * @refused: GiB that were tried without success (only the first ones)
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
 * @nr_gib: number of GiB
 * @node: from this NUMA node, or PKRAM_NO_NODE
 * @timeout: milliseconds for each unit that is tried
 * @report: out
 * @text: out: text on failure
 *
 * Return: 0 if at least one GiB was taken; -EBUSY a kexec image is loaded; -ENOMEM
 * none could be taken; others.
 */
int pkram_pool_grow(u32 nr_gib, int node, u32 timeout,
		    struct pkram_pool_report *report, const char **text);

/**
 * pkram_pool_adopt() - Attach, or format, a range that is not System RAM
 * @base: GiB aligned
 * @size: whole GiB
 * @format: make a new region if there is none
 * @report: out
 * @text: out: text on failure
 */
int pkram_pool_adopt(u64 base, u64 size, bool format,
		     struct pkram_pool_report *report, const char **text);

/**
 * pkram_pool_give_up() - Stop waiting for the pool's missing regions
 * @nr: number of them, as pkram_store_info() has it
 * @text: out: text on failure
 *
 * Memory that their objects may own becomes free. Return: 0; -EINVAL another number is
 * missing; -EROFS.
 */
int pkram_pool_give_up(u32 nr, const char **text);

/**
 * pkram_pool_shrink() - Give unused GiB back to the system
 * @nr_gib: number of GiB, if @size is 0
 * @base: start of the range
 * @size: bytes from @base
 * @report: out
 * @text: out: text on failure
 *
 * A range of reserved memory without a usable region is given back too, if @base
 * and @size match it exactly.
 */
int pkram_pool_shrink(u32 nr_gib, u64 base, u64 size,
		      struct pkram_pool_report *report, const char **text);

#endif /* _PKRAM_POOL_H */
