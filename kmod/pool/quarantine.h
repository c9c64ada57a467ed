/* SPDX-License-Identifier: GPL-2.0 */
/* Reserved ranges without a usable region: the operator sees them and can give them back. */
#ifndef _PKRAM_QUARANTINE_H
#define _PKRAM_QUARANTINE_H

#include <linux/list.h>
#include "handover/handover.h"

/**
 * struct pkram_quarantine - reserved memory without a usable region
 * @list: in the pool's list
 * @range: the memory
 * @reason: why
 * @head: no guest can have written what is at its start: a region must begin there
 */
struct pkram_quarantine {
	struct list_head list;
	struct pkram_range range;
	const char *reason;
	bool head;
};

/** pkram_quarantine_add() - Add a range to the list, with a warning and an event */
void pkram_quarantine_add(u64 base, u64 size, const char *reason);

/** pkram_quarantine_add_head() - Add a range at whose start a region must begin */
void pkram_quarantine_add_head(u64 base, u64 size, const char *reason);

/** pkram_quarantine_is_head() - Check whether a range on the list is such, and starts at @base */
bool pkram_quarantine_is_head(u64 base);

/** pkram_quarantine_next() - Return the first range, or the one after @q. Context: pool_lock. */
const struct pkram_quarantine *pkram_quarantine_next(const struct pkram_quarantine *q);

/** pkram_quarantine_forget() - Remove a range from the list */
void pkram_quarantine_forget(u64 base, u64 size);

/**
 * pkram_quarantine_find() - Check whether the list has exactly this range
 *
 * Context: pool_lock, so that the result stays valid.
 */
bool pkram_quarantine_find(u64 base, u64 size);

/** pkram_quarantine_any() - Check whether the list has a range. Context: pool_lock. */
bool pkram_quarantine_any(void);

/** pkram_quarantine_exit() - Empty the list, at module exit */
void pkram_quarantine_exit(void);

/** pkram_quarantine_walk() - Visit quarantined ranges; a return value other than 0 ends the walk */
int pkram_quarantine_walk(int (*fn)(const struct pkram_quarantine *b,
				    void *arg), void *arg);

#endif /* _PKRAM_QUARANTINE_H */
