/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ranges that are reserved but hold no usable region: the operator sees them and can
 * give them back.
 */
#ifndef _PKRAM_BAD_H
#define _PKRAM_BAD_H

#include <linux/list.h>
#include "handover/handover.h"

/**
 * struct pkram_bad_region - reserved memory in which no usable region is
 * @list: in the pool's list
 * @range: where
 * @reason: why
 */
struct pkram_bad_region {
	struct list_head list;
	struct pkram_range range;
	const char *reason;
};

/** pkram_pool_add_bad() - a range is unusable: warn, list it, send an event */
void pkram_pool_add_bad(u64 base, u64 size, const char *reason);

/** pkram_pool_forget_bad() - a range is not unusable any more: cut it out of the list */
void pkram_pool_forget_bad(u64 base, u64 size);

/**
 * pkram_pool_is_bad() - is exactly this range in the list?
 *
 * Context: pool_lock, so that the answer stays true.
 */
bool pkram_pool_is_bad(u64 base, u64 size);

/** pkram_pool_any_bad() - is there an unusable range? Context: as above. */
bool pkram_pool_any_bad(void);

/** pkram_pool_free_bad() - empty the list, at module exit */
void pkram_pool_free_bad(void);

/** pkram_pool_walk_bad() - visit unusable ranges; not 0 ends the walk */
int pkram_pool_walk_bad(int (*fn)(const struct pkram_bad_region *b,
				  void *arg), void *arg);

#endif /* _PKRAM_BAD_H */
