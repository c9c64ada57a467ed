// SPDX-License-Identifier: GPL-2.0
/* Unusable ranges: see unusable.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mutex.h>
#include <linux/pkram.h>
#include <linux/slab.h>
#include "event/event.h"
#include "pool/unusable.h"
#include "store/store.h"

/* Changed under pool_lock (pool.c) and unusable_lock, read under either. */
static DEFINE_MUTEX(unusable_lock);
static LIST_HEAD(unusable_ranges);

/* Context: unusable_lock */
static void unusable_keep(u64 base, u64 size, const char *reason)
{
	struct pkram_unusable *b;

	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return;
	b->range.base = base;
	b->range.size = size;
	b->reason = reason;
	list_add_tail(&b->list, &unusable_ranges);
	pkram_store_new_epoch();
}

void pkram_unusable_add(u64 base, u64 size, const char *reason)
{
	if (!size)
		return;
	pr_warn("memory at %#llx, %llu GiB, is reserved but holds no usable region: %s\n",
		base, size >> PKRAM_GIB_SHIFT, reason);
	mutex_lock(&unusable_lock);
	unusable_keep(base, size, reason);
	mutex_unlock(&unusable_lock);
	pkram_event_range(PKRAM_CMD_REGION_QUARANTINE_NTF, base, size, reason);
}

int pkram_unusable_walk(int (*fn)(const struct pkram_unusable *b,
				  void *arg), void *arg)
{
	struct pkram_unusable *b;
	int ret = 0;

	mutex_lock(&unusable_lock);
	list_for_each_entry(b, &unusable_ranges, list) {
		ret = fn(b, arg);
		if (ret)
			break;
	}
	mutex_unlock(&unusable_lock);
	return ret;
}

void pkram_unusable_forget(u64 base, u64 size)
{
	struct pkram_unusable *b, *next;
	u64 end = base + size, b_end;

	mutex_lock(&unusable_lock);
	list_for_each_entry_safe(b, next, &unusable_ranges, list) {
		b_end = b->range.base + b->range.size;
		if (b_end <= base || b->range.base >= end)
			continue;
		if (b_end > end)
			unusable_keep(end, b_end - end, b->reason);
		if (b->range.base < base) {
			b->range.size = base - b->range.base;
			continue;
		}
		list_del(&b->list);
		kfree(b);
	}
	pkram_store_new_epoch();
	mutex_unlock(&unusable_lock);
}

bool pkram_unusable_find(u64 base, u64 size)
{
	struct pkram_unusable *b;

	list_for_each_entry(b, &unusable_ranges, list)
		if (b->range.base == base && b->range.size == size)
			return true;
	return false;
}

bool pkram_unusable_any(void)
{
	return !list_empty(&unusable_ranges);
}

void pkram_unusable_exit(void)
{
	struct pkram_unusable *b, *next;

	list_for_each_entry_safe(b, next, &unusable_ranges, list) {
		list_del(&b->list);
		kfree(b);
	}
}
