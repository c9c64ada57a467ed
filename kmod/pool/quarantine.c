// SPDX-License-Identifier: GPL-2.0
/* Quarantined ranges: see quarantine.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mutex.h>
#include <linux/pkram.h>
#include <linux/slab.h>
#include "core/layout.h"
#include "event/count.h"
#include "event/event.h"
#include "event/trace.h"
#include "pool/quarantine.h"
#include "store/regions.h"

/* Changed under pool_lock (pool.c) and quarantine_lock, read under either. */
static DEFINE_MUTEX(quarantine_lock);
static LIST_HEAD(quarantine_ranges);

/* Context: quarantine_lock */
static void quarantine_keep(u64 base, u64 size, const char *reason, bool head)
{
	struct pkram_quarantine *b;

	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return;
	b->range.base = base;
	b->range.size = size;
	b->reason = reason;
	b->head = head;
	list_add_tail(&b->list, &quarantine_ranges);
	pkram_store_new_epoch();
}

static void quarantine_add(u64 base, u64 size, const char *reason, bool head)
{
	if (!size)
		return;
	pr_warn("memory at %#llx, %llu GiB, is reserved but holds no usable region: %s\n",
		base, size >> PKRAM_GIB_SHIFT, reason);
	pkram_count(PKRAM_COUNT_QUARANTINED);
	trace_pkram_range_quarantine(base, size, reason);
	mutex_lock(&quarantine_lock);
	quarantine_keep(base, size, reason, head);
	mutex_unlock(&quarantine_lock);
	pkram_event_range(PKRAM_CMD_REGION_QUARANTINE_NTF, base, size, reason);
}

void pkram_quarantine_add(u64 base, u64 size, const char *reason)
{
	quarantine_add(base, size, reason, false);
}

void pkram_quarantine_add_head(u64 base, u64 size, const char *reason)
{
	quarantine_add(base, size, reason, true);
}

int pkram_quarantine_walk(int (*fn)(const struct pkram_quarantine *b,
				    void *arg), void *arg)
{
	struct pkram_quarantine *b;
	int ret = 0;

	mutex_lock(&quarantine_lock);
	list_for_each_entry(b, &quarantine_ranges, list) {
		ret = fn(b, arg);
		if (ret)
			break;
	}
	mutex_unlock(&quarantine_lock);
	return ret;
}

void pkram_quarantine_forget(u64 base, u64 size)
{
	struct pkram_quarantine *b, *next;
	u64 end = base + size, b_end;

	mutex_lock(&quarantine_lock);
	list_for_each_entry_safe(b, next, &quarantine_ranges, list) {
		b_end = b->range.base + b->range.size;
		if (b_end <= base || b->range.base >= end)
			continue;
		if (b_end > end)
			quarantine_keep(end, b_end - end, b->reason, false);
		if (b->range.base < base) {
			b->range.size = base - b->range.base;
			continue;
		}
		list_del(&b->list);
		kfree(b);
	}
	pkram_store_new_epoch();
	mutex_unlock(&quarantine_lock);
}

bool pkram_quarantine_find(u64 base, u64 size)
{
	struct pkram_quarantine *b;

	list_for_each_entry(b, &quarantine_ranges, list)
		if (b->range.base == base && b->range.size == size)
			return true;
	return false;
}

bool pkram_quarantine_is_head(u64 base)
{
	struct pkram_quarantine *b;

	list_for_each_entry(b, &quarantine_ranges, list)
		if (b->range.base == base)
			return b->head;
	return false;
}

const struct pkram_quarantine *pkram_quarantine_next(const struct pkram_quarantine *q)
{
	if (!q)
		return list_first_entry_or_null(&quarantine_ranges, struct pkram_quarantine, list);
	return list_is_last(&q->list, &quarantine_ranges) ? NULL : list_next_entry(q, list);
}

bool pkram_quarantine_any(void)
{
	return !list_empty(&quarantine_ranges);
}

void pkram_quarantine_exit(void)
{
	struct pkram_quarantine *b, *next;

	list_for_each_entry_safe(b, next, &quarantine_ranges, list) {
		list_del(&b->list);
		kfree(b);
	}
}
