// SPDX-License-Identifier: GPL-2.0
/* Unusable ranges: see bad.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mutex.h>
#include <linux/pkram.h>
#include <linux/slab.h>
#include "event/event.h"
#include "pool/bad.h"
#include "store/store.h"

/* Changed under pool_lock (pool.c) and bad_lock, read under either. */
static DEFINE_MUTEX(bad_lock);
static LIST_HEAD(bad_regions);

/* Context: bad_lock */
static void bad_keep(u64 base, u64 size, const char *reason)
{
	struct pkram_bad_region *b;

	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return;
	b->range.base = base;
	b->range.size = size;
	b->reason = reason;
	list_add_tail(&b->list, &bad_regions);
	pkram_store_new_epoch();
}

void pkram_pool_add_bad(u64 base, u64 size, const char *reason)
{
	if (!size)
		return;
	pr_warn("memory at %#llx, %llu GiB, is reserved but holds no usable region: %s\n",
		base, size >> PKRAM_GIB_SHIFT, reason);
	mutex_lock(&bad_lock);
	bad_keep(base, size, reason);
	mutex_unlock(&bad_lock);
	pkram_event_range(PKRAM_CMD_REGION_QUARANTINE_NTF, base, size, reason);
}

int pkram_pool_walk_bad(int (*fn)(const struct pkram_bad_region *b,
				  void *arg), void *arg)
{
	struct pkram_bad_region *b;
	int ret = 0;

	mutex_lock(&bad_lock);
	list_for_each_entry(b, &bad_regions, list) {
		ret = fn(b, arg);
		if (ret)
			break;
	}
	mutex_unlock(&bad_lock);
	return ret;
}

void pkram_pool_forget_bad(u64 base, u64 size)
{
	struct pkram_bad_region *b, *next;
	u64 end = base + size, b_end;

	mutex_lock(&bad_lock);
	list_for_each_entry_safe(b, next, &bad_regions, list) {
		b_end = b->range.base + b->range.size;
		if (b_end <= base || b->range.base >= end)
			continue;
		if (b_end > end)
			bad_keep(end, b_end - end, b->reason);
		if (b->range.base < base) {
			b->range.size = base - b->range.base;
			continue;
		}
		list_del(&b->list);
		kfree(b);
	}
	pkram_store_new_epoch();
	mutex_unlock(&bad_lock);
}

bool pkram_pool_is_bad(u64 base, u64 size)
{
	struct pkram_bad_region *b;

	list_for_each_entry(b, &bad_regions, list)
		if (b->range.base == base && b->range.size == size)
			return true;
	return false;
}

bool pkram_pool_any_bad(void)
{
	return !list_empty(&bad_regions);
}

void pkram_pool_free_bad(void)
{
	struct pkram_bad_region *b, *next;

	list_for_each_entry_safe(b, next, &bad_regions, list) {
		list_del(&b->list);
		kfree(b);
	}
}
