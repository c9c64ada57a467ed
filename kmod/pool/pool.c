// SPDX-License-Identifier: GPL-2.0
/*
 * Change the size of the pool: see pool.h.
 *
 * The order of steps loses nothing on failure. Growing: take memory from the
 * system, reserve it for the next kernel, make the region. Shrinking: remove it
 * from the store, zero it, release it for the next kernel, give it to the system.
 * A range that gets stuck in between stays reserved and is added to the list of
 * quarantined ranges, where the operator sees it and can give it back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mutex.h>
#include <linux/pkram.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "event/event.h"
#include "handover/guard.h"
#include "handover/handover.h"
#include "mem/bad.h"
#include "mem/iomem.h"
#include "mem/region.h"
#include "mem/take.h"
#include "mem/zero.h"
#include "pool/attach.h"
#include "pool/heads.h"
#include "pool/quarantine.h"
#include "pool/pool.h"
#include "store/grow.h"
#include "store/load_pool.h"
#include "store/regions.h"
#include "store/store.h"

/* One change of the pool at a time; it may take minutes. */
static DEFINE_MUTEX(pool_lock);

/*
 * Messages to the operator, each on a separate line. `pkramctl pool shrink` knows those of
 * quarantined ranges that hold nothing by "growing failed" and "out of the pool,".
 */
#define TEXT_LOADED_MEANWHILE "a kexec image was loaded meanwhile: unload it (pkramctl kexec --unload), grow, load it again"
#define TEXT_IMAGE_LOADED "a kexec image is loaded, which would overwrite new memory of the pool: unload it (pkramctl kexec --unload), grow, load it again"
#define TEXT_SHRINK_LOADED "a kexec image is loaded, whose kernel expects this pool: unload it (pkramctl kexec --unload), shrink, load it again"
#define TEXT_NOT_RESERVED "the range cannot be reserved for the next kernel: it must be RAM by the firmware's map, and no kexec image may be loaded"
#define TEXT_NOT_ATTACHED "the regions found there cannot be attached: unmount pkramfs and close its files first"
#define TEXT_NO_ENTRY "the next kernel's memory map has no room for another range; adopt ranges that touch one of the pool"
#define TEXT_PARTLY_RESERVED "part of the range is reserved, and part is not; adopt a range that 'pkramctl region show' lists, then the rest"
#define TEXT_NOT_ZEROED "the range cannot be zeroed, and stays reserved; see the kernel log"
#define TEXT_BAD_PAGES "the range contains bad pages, and stays reserved"
#define TEXT_BAD_ELSEWHERE "the range holds the list of bad pages of another quarantined range, which would be lost: adopt the range together with that one, or that one first"
#define TEXT_BAD_HEAD "bad pages are where both copies of the region's metadata would be: adopt the range from its second GiB on"
#define TEXT_HEADS "what the range holds cannot be read"
#define TEXT_HEADS_UNREAD "a quarantined GiB cannot be read in this kernel, and may have a list of bad pages of the range: try again after the next boot; the kernel log has its address"
#define TEXT_BROKE "pages broke while the range was zeroed: it is an empty region of the pool now, which keeps them back"
#define TEXT_BROKE_RESERVED "pages broke when it had left the pool: still reserved, so that nothing uses them"
#define TEXT_BROKE_LAST "still in the pool: pages broke while it was given back"
#define TEXT_NOT_ADOPTED "adopting it failed; try again by its address"
#define TEXT_NO_REGION "there is no region in the range; --format makes a new one and erases the memory"
#define TEXT_GROW_FAILED "growing failed halfway"
#define TEXT_ADDED_LATER "added after the boot: the memory map that the next kernel gets does not have it"
#define TEXT_NOT_GIVEN_BACK "growing failed, and the memory could not be given back"
#define TEXT_NOT_RELEASED "still in the pool: the next kernel's memory map cannot be changed"
#define TEXT_MAP_FULL "still in the pool: the next kernel's memory map has no room for another hole in the pool; give back the GiB beside one"
#define TEXT_NOT_TAKEN_BACK "still in the pool: the memory could not be given back"
#define TEXT_LOST "out of the pool, but the memory could not be given back; it is back at the next boot"
#define TEXT_STILL_RESERVED "out of the pool, but still reserved for the next kernel; try again by its address"
#define TEXT_WHOLE_BLOCKS "base and size must be whole memory blocks of this kernel (larger than a GiB here)"

/* Growing */

/* @ntf: PKRAM_CMD_POOL_*_NTF */
static void pool_report_taken(struct pkram_pool_report *report, u8 ntf, u64 base,
			      u64 size)
{
	pkram_event_range(ntf, base, size, NULL);
	report->nr_gib += size >> PKRAM_GIB_SHIFT;
	if (report->nr_taken < PKRAM_REPORT_REFUSALS) {
		report->taken[report->nr_taken].base = base;
		report->taken[report->nr_taken++].size = size;
	}
}

static void pool_report_refused(struct pkram_pool_report *report,
				const struct pkram_refusal *refusal)
{
	if (report->nr_refused < PKRAM_REPORT_REFUSALS)
		report->refused[report->nr_refused++] = *refusal;
}

/* Make a region of reserved memory that is not System RAM. @bad: what is known of it, or NULL */
static int pool_make_region(u64 base, u64 size, const struct pkram_bad_ser *bad)
{
	struct pkram_region *r = pkram_region_open(base);
	u32 gib;
	int err;

	if (IS_ERR(r))
		return PTR_ERR(r);
	pkram_bad_replace(r, bad);
	r->h.nr_gib = size >> PKRAM_GIB_SHIFT;
	for (gib = 0; gib < r->h.nr_gib; gib++)
		r->h.present[gib / 64] |= BIT_ULL(gib % 64);
	err = pkram_region_set_span(r);
	if (!err)
		err = pkram_store_grow(r);
	if (err) {
		/* Memory that is new goes back to the system. */
		if (!bad)
			pkram_bad_loosen(r);
		pkram_region_close(r, false);
	}
	return err;
}

/* Make a region of a run of GiB that was taken from the system. */
static int pool_add_run(u64 base, u64 size, struct pkram_pool_report *report,
			const char **text)
{
	struct pkram_range range = { .base = base, .size = size };
	struct pkram_refusal refusal = { .base = base, .size = size };
	int err;

	err = pkram_handover_reserve(&range);
	if (err) {
		*text = err == -EBUSY ?
			TEXT_LOADED_MEANWHILE :
			"the next kernel's memory map cannot take another range";
		goto give;
	}
	err = pool_make_region(base, size, NULL);
	if (!err) {
		pool_report_taken(report, PKRAM_CMD_POOL_GROW_NTF, base, size);
		return 0;
	}
	*text = "the region could not be made";
	if (pkram_handover_release(&range)) {
		pkram_quarantine_add(base, size, TEXT_GROW_FAILED);
		goto refuse;
	}
give:
	/* No guest has used it yet, so it is not zeroed. */
	if (pkram_bad_get_loose(base, size, NULL) ||
	    pkram_take_give_back(base, size, pkram_take_nid(base))) {
		if (!pkram_handover_reserve(&range))
			pkram_quarantine_add(base, size, TEXT_NOT_GIVEN_BACK);
		else
			pr_warn("memory at %#llx could not be given back\n", base);
	} else if (!pkram_take_is_online(base, size)) {
		/* pkramctl puts online what a shrink gave back, but not this. */
		pr_warn("memory at %#llx was given back but is offline: unless udev does so, write online to its state in /sys/devices/system/memory\n",
			base);
	}
refuse:
	refusal.err = err;
	refusal.reason = *text;
	pool_report_refused(report, &refusal);
	return err;
}

/* Take units from the top down, that is, in falling order of address. */
static u32 pool_take_units(u32 want, int node, u32 timeout, u64 *bases,
			   struct pkram_pool_report *report)
{
	struct pkram_refusal refusal;
	u64 unit = pkram_take_unit_size(), below = U64_MAX, base;
	u32 n = 0;

	while (n < want && !fatal_signal_pending(current)) {
		base = pkram_iomem_next_ram(below, unit, node);
		if (!base)
			break;
		below = base;
		if (!pkram_handover_knows(base, unit)) {
			refusal = (struct pkram_refusal){
				.base = base,
				.size = unit,
				.err = -ENXIO,
				.reason = TEXT_ADDED_LATER,
			};
			pool_report_refused(report, &refusal);
			continue;
		}
		if (!pkram_take_unit(base, timeout, &refusal)) {
			bases[n++] = base;
			continue;
		}
		pool_report_refused(report, &refusal);
		if (refusal.err == -ENOMEM || refusal.err == -EINTR)
			break;
	}
	return n;
}

static int pool_add_units(const u64 *bases, u32 n, u64 unit,
			  struct pkram_pool_report *report, const char **text)
{
	const u64 max = (u64)PKRAM_REGION_MAX_GIB << PKRAM_GIB_SHIFT;
	u64 base, size;
	int err = 0, ret;
	u32 i;

	for (i = 0; i < n; ) {
		base = bases[i++];
		size = unit;
		while (i < n && bases[i] + unit == base && size + unit <= max) {
			base = bases[i++];
			size += unit;
		}
		ret = pool_add_run(base, size, report, text);
		err = err ?: ret;
	}
	return err;
}

int pkram_pool_grow(u32 nr_gib, int node, u32 timeout,
		    struct pkram_pool_report *report, const char **text)
{
	u64 unit = pkram_take_unit_size(), *bases;
	u32 want = DIV_ROUND_UP_ULL((u64)nr_gib << PKRAM_GIB_SHIFT, unit), n;
	int err = 0;

	memset(report, 0, sizeof(*report));
	bases = kvcalloc(want, sizeof(*bases), GFP_KERNEL);
	if (!bases)
		return -ENOMEM;
	mutex_lock(&pool_lock);
	if (pkram_guard_image_loaded()) {
		*text = TEXT_IMAGE_LOADED;
		err = -EBUSY;
	} else {
		n = pool_take_units(want, node, timeout, bases, report);
		*text = "no GiB of RAM could be taken from the system";
		if (n)
			err = pool_add_units(bases, n, unit, report, text);
		else
			err = fatal_signal_pending(current) ? -EINTR : -ENOMEM;
	}
	mutex_unlock(&pool_lock);
	kvfree(bases);
	return report->nr_gib ? 0 : err;
}

/* Adopting */

static int pool_overlaps(struct pkram_region *r, void *arg)
{
	const struct pkram_range *range = arg;
	u32 gib;

	for (gib = 0; gib < r->h.nr_gib; gib++) {
		u64 base = pkram_header_gib_addr(&r->h, gib);

		if (pkram_region_present(r, gib) && base >= range->base &&
		    base - range->base < range->size)
			return 1;
	}
	return 0;
}

struct pool_overlap {
	const struct pkram_range *range;
	u64 bytes;
};

/* Add how much of a range is quarantined. @arg: &struct pool_overlap */
static int pool_add_quarantined(const struct pkram_quarantine *u, void *arg)
{
	struct pool_overlap *overlap = arg;
	u64 base = max(u->range.base, overlap->range->base);
	u64 end = min(u->range.base + u->range.size,
		      overlap->range->base + overlap->range->size);

	if (base < end)
		overlap->bytes += end - base;
	return 0;
}

/* @reserved: by this adopt, not before; @head: see &struct pkram_quarantine; @err: why */
static void pool_undo_adopt(const struct pkram_range *range, bool reserved, bool head, int err)
{
	/* What the scan listed says more. */
	if (!reserved && err == -ENODATA)
		return;
	pkram_quarantine_forget(range->base, range->size);
	/* What was reserved before stays so: it may hold regions. */
	if (reserved && !pkram_handover_release(range))
		return;
	if (head)
		pkram_quarantine_add_head(range->base, range->size, TEXT_NOT_ADOPTED);
	else
		pkram_quarantine_add(range->base, range->size, TEXT_NOT_ADOPTED);
}

/* @nr: of the pool's missing regions, which will not come any more */
static void pool_give_up(u32 nr)
{
	if (pkram_store_give_up_lost(nr, pkram_quarantine_any()))
		pr_warn("out of memory: freed space is found at the next load\n");
}

/* Read what a range holds that is about to be taken for something else. */
static int pool_read_heads(const struct pkram_range *range, struct pkram_heads *heads,
			   const char **text)
{
	int err = pkram_heads_read(range, heads);

	*text = TEXT_HEADS;
	if (!err && heads->elsewhere) {
		*text = TEXT_BAD_ELSEWHERE;
		kvfree(heads->bad);
		heads->bad = NULL;
		err = -EHWPOISON;
	}
	return err;
}

/* Make a region of a range in which none was found. */
static int pool_format(const struct pkram_range *range, const struct pkram_heads *heads,
		       const char **text)
{
	int err;

	*text = "the region could not be made";
	pkram_quarantine_forget(range->base, range->size);
	err = pool_make_region(range->base, range->size, heads->bad);
	if (err == -EHWPOISON)
		*text = TEXT_BAD_HEAD;
	if (!err)
		pool_give_up(heads->nr_regions);
	return err;
}

/* @heads: of what it holds; @bad is NULL if nothing is to be made of it */
static int pool_adopt_reserved(const struct pkram_range *range, bool reserved,
			       const struct pkram_heads *heads,
			       struct pkram_pool_report *report, const char **text)
{
	bool head = pkram_quarantine_is_head(range->base);
	u32 found = 0;
	int err;

	pkram_quarantine_forget(range->base, range->size);
	*text = TEXT_NOT_ATTACHED;
	err = pkram_attach_ranges(range, 1, head, &found);
	if (!err && !found && !heads->bad) {
		*text = TEXT_NO_REGION;
		err = -ENODATA;
	} else if (!err && !found) {
		err = pool_format(range, heads, text);
	}
	if (err)
		pool_undo_adopt(range, reserved, head, err);
	else
		pool_report_taken(report, PKRAM_CMD_POOL_ADOPT_NTF, range->base, range->size);
	return err;
}

static int pool_adopt(const struct pkram_range *range, bool format,
		      struct pkram_pool_report *report, const char **text)
{
	struct pool_overlap quarantined = { .range = range };
	struct pkram_heads heads = {};
	bool reserved;
	int err;

	*text = "part of the range is in the pool already";
	if (pkram_store_walk_regions(pool_overlaps, (void *)range))
		return -EEXIST;
	*text = TEXT_PARTLY_RESERVED;
	pkram_quarantine_walk(pool_add_quarantined, &quarantined);
	if (quarantined.bytes && quarantined.bytes != range->size)
		return -EINVAL;
	*text = "this kernel uses part of the range as RAM; reserve it at boot (memmap=SIZE$START)";
	err = pkram_iomem_check_free(range->base, range->size);
	if (err)
		return err;
	*text = TEXT_NOT_RESERVED;
	err = pkram_handover_reserve(range);
	if (err == -ENOSPC)
		*text = TEXT_NO_ENTRY;
	if (err && err != -EEXIST)
		return err;
	reserved = !err;
	err = format ? pool_read_heads(range, &heads, text) : 0;
	if (!err)
		err = pool_adopt_reserved(range, reserved, &heads, report, text);
	else if (reserved)
		pool_undo_adopt(range, reserved, false, err);
	kvfree(heads.bad);
	return err;
}

int pkram_pool_adopt(u64 base, u64 size, bool format,
		     struct pkram_pool_report *report, const char **text)
{
	struct pkram_range range = { .base = base, .size = size };
	u64 end;
	int err;

	memset(report, 0, sizeof(*report));
	if (!size || !IS_ALIGNED(base | size, PKRAM_GIB) ||
	    check_add_overflow(base, size, &end) ||
	    size >> PKRAM_GIB_SHIFT > PKRAM_REGION_MAX_GIB) {
		*text = "base and size must be whole GiB, the size at most 2 TiB";
		return -EINVAL;
	}
	mutex_lock(&pool_lock);
	err = pool_adopt(&range, format, report, text);
	mutex_unlock(&pool_lock);
	return err;
}

/* Shrinking */

static bool pool_may_merge(const void *arg, u32 unit)
{
	return true;
}

/* Add the bad pages of a GiB to the list of a range. */
static void pool_note_broken(struct pkram_bad_ser *bad, struct pkram_region *r, u64 base)
{
	u32 first = (r->h.base - base) / PKRAM_BAD_PAGE, page = 0, nr;

	for (;;) {
		page = pkram_bad_next(r, page, PKRAM_GIB_UNITS * PKRAM_UNIT_PAGES, &nr);
		if (!nr)
			return;
		for (; nr; nr--, page++)
			pkram_badpages_add(bad, first + page, pool_may_merge, NULL);
	}
}

/* @bad: the range's list, which is empty; out: pages that broke meanwhile */
static int pool_wipe_range(u64 base, u64 size, struct pkram_bad_ser *bad)
{
	struct pkram_region *r;
	u64 addr;
	int err;

	for (addr = base; addr < base + size; addr += PKRAM_GIB) {
		r = pkram_region_open(addr);
		if (IS_ERR(r))
			return PTR_ERR(r);
		/* What looks like a list may be what a program wrote. */
		pkram_bad_replace(r, NULL);
		err = pkram_zero_gib(r, 0);
		pool_note_broken(bad, r, base);
		/* One GiB, to remove any entry that is there. */
		if (!err)
			err = pkram_region_update_span(r);
		pkram_region_close(r, false);
		if (err)
			return err;
	}
	pkram_bad_get_loose(base, size, bad);
	return 0;
}

/* Give memory that is zeroed and not in the store any more to the system. */
static int pool_give_range(const struct pkram_range *range,
			   struct pkram_refusal *refusal)
{
	int err;

	refusal->base = range->base;
	refusal->size = range->size;
	refusal->reason = TEXT_NOT_RELEASED;
	err = pkram_handover_release(range);
	if (err == -ENOSPC) {
		refusal->reason = TEXT_MAP_FULL;
	} else if (!err && pkram_bad_get_loose(range->base, range->size, NULL)) {
		refusal->reason = TEXT_BROKE_LAST;
		err = -EHWPOISON;
	} else if (!err) {
		refusal->reason = TEXT_NOT_TAKEN_BACK;
		err = pkram_take_give_back(range->base, range->size,
					   pkram_take_nid(range->base));
	}
	refusal->err = err;
	return err;
}

/* Reserve again what the system did not take. */
static bool pool_reserve_again(const struct pkram_range *range)
{
	int err = pkram_handover_reserve(range);

	return !err || err == -EEXIST;
}

/* ... and put it back to its place; @from: the region, if it still exists */
static void pool_put_back(const struct pkram_range *range, struct pkram_region *from,
			  struct pkram_refusal *refusal)
{
	if (!pool_reserve_again(range)) {
		refusal->reason = TEXT_LOST;
	} else if (from) {
		pkram_store_undo_shrink(from, range->base,
					range->size >> PKRAM_GIB_SHIFT);
	} else if (pool_make_region(range->base, range->size, NULL)) {
		refusal->reason = TEXT_STILL_RESERVED;
		pkram_quarantine_add(range->base, range->size, refusal->reason);
	}
}

static void pool_drop_unit(u64 base, u64 unit, struct pkram_pool_report *report)
{
	struct pkram_range range = { .base = base, .size = unit };
	struct pkram_refusal refusal = {};
	struct pkram_region *from;
	int err;

	err = pkram_store_shrink(base, unit >> PKRAM_GIB_SHIFT, &from, &refusal);
	if (err == -ENOTRECOVERABLE) {
		refusal.reason = TEXT_BROKE_RESERVED;
		pkram_quarantine_add_head(base, unit, refusal.reason);
	}
	if (err) {
		pool_report_refused(report, &refusal);
	} else if (pool_give_range(&range, &refusal)) {
		pool_put_back(&range, from, &refusal);
		pool_report_refused(report, &refusal);
	} else {
		pool_report_taken(report, PKRAM_CMD_POOL_SHRINK_NTF, base, unit);
	}
}

/* GiB of the pool from the top down, those with a head after the others */
struct pool_candidates {
	u64 *bases;
	u32 nr;
	u32 max;
	u64 unit;
};

static int pool_count_gib(struct pkram_region *r, void *arg)
{
	*(u32 *)arg += r->h.nr_gib;
	return 0;
}

static int pool_list_gib(struct pkram_region *r, void *arg)
{
	struct pool_candidates *c = arg;
	u32 step = c->unit >> PKRAM_GIB_SHIFT, gib;

	for (gib = 0; gib + step <= r->h.nr_gib && c->nr < c->max; gib += step)
		if (pkram_region_present(r, gib))
			c->bases[c->nr++] = pkram_header_gib_addr(&r->h, gib);
	return 0;
}

static int pool_shrink_number(u32 nr_gib, struct pkram_pool_report *report)
{
	struct pool_candidates c = { .unit = pkram_take_unit_size() };
	u32 i, before;

	pkram_store_walk_regions(pool_count_gib, &c.max);
	c.bases = kvcalloc(max(c.max, 1U), sizeof(*c.bases), GFP_KERNEL);
	if (!c.bases)
		return -ENOMEM;
	pkram_store_walk_regions(pool_list_gib, &c);
	/* Repeat, because a region with the root's record can only go last. */
	do {
		before = report->nr_gib;
		report->nr_refused = 0;
		i = c.nr;
		while (i-- && report->nr_gib < nr_gib &&
		       !fatal_signal_pending(current)) {
			u32 had = report->nr_gib;

			if (!c.bases[i])
				continue;
			pool_drop_unit(c.bases[i], c.unit, report);
			if (report->nr_gib > had)
				c.bases[i] = 0;
		}
	} while (report->nr_gib > before && report->nr_gib < nr_gib &&
		 report->nr_refused && !fatal_signal_pending(current));
	kvfree(c.bases);
	return 0;
}

/*
 * Keep what is known of a range that becomes no region: in a list at its start, with a key that
 * is trusted there.
 */
static void pool_write_list(const struct pkram_range *range, const struct pkram_heads *heads)
{
	struct pkram_region *r = pkram_region_open(range->base);

	if (IS_ERR(r)) {
		pr_err("memory at %#llx cannot be mapped (%ld): what broke there is known until the next boot only\n",
		       range->base, PTR_ERR(r));
	} else {
		memcpy(r->h.pool_key, heads->key, sizeof(r->h.pool_key));
		if (!memchr_inv(heads->key, 0, sizeof(heads->key)))
			get_random_bytes(r->h.pool_key, sizeof(r->h.pool_key));
		pkram_bad_keep(r, heads->bad);
		pkram_region_close(r, true);
	}
	pkram_quarantine_forget(range->base, range->size);
	pkram_quarantine_add_head(range->base, range->size, TEXT_BROKE_RESERVED);
}

/* Zero a quarantined range. @heads: what it holds */
static int pool_wipe_quarantined(const struct pkram_range *range,
				 const struct pkram_heads *heads, const char **text)
{
	int err;

	if (heads->unread) {
		*text = TEXT_HEADS_UNREAD;
		return -EIO;
	}
	if (pkram_heads_nr_bad(heads)) {
		*text = TEXT_BAD_PAGES;
		return -EHWPOISON;
	}
	*text = TEXT_NOT_ZEROED;
	err = pool_wipe_range(range->base, range->size, heads->bad);
	if (!pkram_heads_nr_bad(heads))
		return err;
	/*
	 * A page broke, whether all is zeroed or not. Without a pool none is made: what else is
	 * quarantined may be of another.
	 */
	err = pkram_store_exists() ? pool_format(range, heads, text) : -ENODATA;
	if (err)
		pool_write_list(range, heads);
	*text = err ? TEXT_BROKE_RESERVED : TEXT_BROKE;
	return -EHWPOISON;
}

static int pool_shrink_quarantined(const struct pkram_range *range,
				   struct pkram_pool_report *report, const char **text)
{
	struct pkram_refusal refusal = {};
	struct pkram_heads heads;
	int err;

	err = pool_read_heads(range, &heads, text);
	if (!err)
		err = pool_wipe_quarantined(range, &heads, text);
	kvfree(heads.bad);
	if (err)
		return err;
	pkram_quarantine_forget(range->base, range->size);
	if (pool_give_range(range, &refusal)) {
		refusal.reason = TEXT_LOST;
		if (pool_reserve_again(range)) {
			refusal.reason = TEXT_STILL_RESERVED;
			pkram_quarantine_add(range->base, range->size, refusal.reason);
		}
		pool_report_refused(report, &refusal);
	} else {
		pool_report_taken(report, PKRAM_CMD_POOL_SHRINK_NTF, range->base, range->size);
	}
	pool_give_up(heads.nr_regions);
	return 0;
}

static int pool_shrink_range(u64 base, u64 size, struct pkram_pool_report *report,
			     const char **text)
{
	struct pkram_range range = { .base = base, .size = size };
	u64 unit = pkram_take_unit_size(), addr;

	if (pkram_quarantine_find(base, size))
		return pool_shrink_quarantined(&range, report, text);
	for (addr = base + size; addr > base && !fatal_signal_pending(current);
	     addr -= unit)
		pool_drop_unit(addr - unit, unit, report);
	return 0;
}

int pkram_pool_give_up(u32 nr, const char **text)
{
	struct pkram_pool_info info;
	int err = 0;

	mutex_lock(&pool_lock);
	pkram_store_info(&info);
	if (!nr || nr != info.nr_missing) {
		*text = "so many regions are not missing; 'pkramctl pool show' says how many are";
		err = -EINVAL;
	} else if (info.read_only) {
		*text = "the pool is read-only: load a module that knows its features";
		err = -EROFS;
	} else {
		pool_give_up(nr);
	}
	mutex_unlock(&pool_lock);
	return err;
}

int pkram_pool_shrink(u32 nr_gib, u64 base, u64 size,
		      struct pkram_pool_report *report, const char **text)
{
	u64 unit = pkram_take_unit_size(), end;
	int err;

	memset(report, 0, sizeof(*report));
	if (size && (!IS_ALIGNED(base | size, unit) ||
		     check_add_overflow(base, size, &end))) {
		*text = unit == PKRAM_GIB ?
			"base and size must be whole GiB" :
			TEXT_WHOLE_BLOCKS;
		return -EINVAL;
	}
	mutex_lock(&pool_lock);
	if (pkram_guard_image_loaded()) {
		*text = TEXT_SHRINK_LOADED;
		err = -EBUSY;
	} else {
		*text = "no memory for the list of what to give back";
		err = size ? pool_shrink_range(base, size, report, text) :
			     pool_shrink_number(nr_gib, report);
	}
	mutex_unlock(&pool_lock);
	if (!err && !report->nr_gib) {
		*text = "nothing could be given back: no GiB of the pool is unused";
		err = -EBUSY;
	}
	return err;
}
