/* SPDX-License-Identifier: GPL-2.0 */
/* Find regions of an earlier kernel in reserved memory, and attach them. */
#ifndef _PKRAM_ATTACH_H
#define _PKRAM_ATTACH_H

#include "handover/handover.h"

/**
 * pkram_attach_ranges() - Attach the regions in reserved ranges
 * @ranges: where to look
 * @nr: number of them
 * @heads: each begins where a region must begin, if it holds any
 * @found: out: number of regions
 *
 * The rest of the ranges is added to the list of quarantined ranges. Context:
 * pool_lock, or module load. Return: 0, also if there is none; -ENOMEM; as
 * pkram_store_attach().
 */
int pkram_attach_ranges(const struct pkram_range *ranges, int nr, bool heads, u32 *found);

/**
 * pkram_attach_init() - Find and load the pool that an earlier kernel left
 * @attach: module parameter: "BASE+SIZE,...", or NULL
 *
 * Context: module load. Return: 0, also if there is none or part of it is damaged
 * (logged, see pkram_quarantine_walk()); -EINVAL bad parameter; -ENOMEM.
 */
int pkram_attach_init(const char *attach);

/** pkram_attach_exit() - Forget the quarantined ranges, at module exit; they stay reserved */
void pkram_attach_exit(void);

#endif /* _PKRAM_ATTACH_H */
