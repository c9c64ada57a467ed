/* SPDX-License-Identifier: GPL-2.0 */
/* Reserved ranges without a usable region: the operator sees them and can give them back. */
#ifndef _PKRAM_UNUSABLE_H
#define _PKRAM_UNUSABLE_H

#include <linux/list.h>
#include "handover/handover.h"

/**
 * struct pkram_unusable - reserved memory without a usable region
 * @list: in the pool's list
 * @range: the memory
 * @reason: why
 */
struct pkram_unusable {
	struct list_head list;
	struct pkram_range range;
	const char *reason;
};

/** pkram_unusable_add() - Add a range to the list, with a warning and an event */
void pkram_unusable_add(u64 base, u64 size, const char *reason);

/** pkram_unusable_forget() - Remove a range from the list */
void pkram_unusable_forget(u64 base, u64 size);

/**
 * pkram_unusable_find() - Check whether the list has exactly this range
 *
 * Context: pool_lock, so that the result stays valid.
 */
bool pkram_unusable_find(u64 base, u64 size);

/** pkram_unusable_any() - Check whether the list has a range. Context: pool_lock. */
bool pkram_unusable_any(void);

/** pkram_unusable_exit() - Empty the list, at module exit */
void pkram_unusable_exit(void);

/** pkram_unusable_walk() - Visit unusable ranges; a return value other than 0 ends the walk */
int pkram_unusable_walk(int (*fn)(const struct pkram_unusable *b,
				  void *arg), void *arg);

#endif /* _PKRAM_UNUSABLE_H */
