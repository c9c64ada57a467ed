/* SPDX-License-Identifier: GPL-2.0 */
/* Load the pool that an earlier kernel left, for pool/. */
#ifndef _PKRAM_STORE_LOAD_POOL_H
#define _PKRAM_STORE_LOAD_POOL_H

#include <linux/types.h>

struct list_head;

/**
 * pkram_store_attach() - Load the records of newly attached regions
 * @regions: list of &struct pkram_region with valid headers, all of one pool;
 *	moved into the store on success
 * @lost: there are reserved ranges that may hold a region of the pool, but no
 *	header in them can be read: its records may own memory in the others. So
 *	they may if the headers say that regions are missing
 *
 * May be called again when further regions are adopted later: records that
 * were quarantined for a missing region are judged anew. Only if no file is
 * open then. Return: 0, -ENOMEM, -EBUSY, -EEXIST a region has the id of another. On
 * failure the store is as it was.
 */
int pkram_store_attach(struct list_head *regions, bool lost);

/**
 * pkram_store_give_up_lost() - Stop waiting for missing regions
 * @nr: number of regions that will not come any more, of those that are missing
 * @ranges: there still are reserved ranges that may hold others
 *
 * When there can be no other, what may belong to their objects becomes free, and if the
 * root directory's record was in one, the root that replaced it is written.
 * Return: as pkram_discard_recount().
 */
int pkram_store_give_up_lost(u32 nr, bool ranges);

/**
 * pkram_load_pool_forget() - Free all objects and the allocator, in memory
 *
 * Context: store.lock; there are no references to objects.
 */
void pkram_load_pool_forget(void);

#endif /* _PKRAM_STORE_LOAD_POOL_H */
