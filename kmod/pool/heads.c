// SPDX-License-Identifier: GPL-2.0
/* Heads in reserved memory: see heads.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "mem/bad.h"
#include "mem/region.h"
#include "pool/heads.h"
#include "pool/quarantine.h"
#include "store/store.h"

#define HEADS_KEYS	16

/**
 * struct heads_scan - a walk over heads
 * @range: what is asked about
 * @out: the answer
 * @keys: that are trusted; the pool's comes first
 * @nr_keys: number of them
 * @pool: there is one
 */
struct heads_scan {
	const struct pkram_range *range;
	struct pkram_heads *out;
	u8 keys[HEADS_KEYS][16];
	u32 nr_keys;
	bool pool;
};

static bool heads_has_key(const struct heads_scan *s, const u8 key[16], u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (!memcmp(s->keys[i], key, sizeof(s->keys[i])))
			return true;
	return false;
}

/* A head that was erased has no key. */
static void heads_add_key(struct heads_scan *s, const u8 key[16])
{
	if (s->nr_keys < HEADS_KEYS && memchr_inv(key, 0, sizeof(s->keys[0])) &&
	    !heads_has_key(s, key, s->nr_keys))
		memcpy(s->keys[s->nr_keys++], key, sizeof(s->keys[0]));
}

/* The key in a slot of the header, valid or not */
static void heads_slot_key(const struct pkram_region *r, int slot, u8 key[16])
{
	__le64 words[2];

	pkram_slot_copy(words, r->head + slot * PKRAM_HEADER_SLOT +
			offsetof(struct pkram_region_ser, pool_key), sizeof(words));
	memcpy(key, words, sizeof(words));
}

/* Trust the keys of a place that no guest can write to. */
static int heads_trust(struct heads_scan *s, u64 base)
{
	struct pkram_region *r = pkram_region_open(base);
	u8 key[16];
	int slot;

	if (IS_ERR(r))
		return PTR_ERR(r);
	for (slot = 0; slot < 2; slot++) {
		heads_slot_key(r, slot, key);
		heads_add_key(s, key);
	}
	heads_add_key(s, r->bad->pool_key);
	pkram_region_close(r, true);
	return 0;
}

static bool heads_inside(const struct pkram_range *range, u64 addr)
{
	return addr >= range->base && addr - range->base < range->size;
}

static bool heads_is_quarantined(u64 addr)
{
	const struct pkram_quarantine *q = NULL;

	while ((q = pkram_quarantine_next(q)))
		if (heads_inside(&q->range, addr))
			return true;
	return false;
}

static bool heads_may_merge(const void *arg, u32 unit)
{
	return unit;
}

/* Take note of a bad page that the list of a region names. */
static void heads_note(struct heads_scan *s, const struct pkram_region *r, u64 addr)
{
	if (heads_inside(s->range, addr))
		/* Into a full list it does not go, as it would not if the page broke now. */
		pkram_badpages_add(s->out->bad, (addr - s->range->base) / PKRAM_BAD_PAGE,
				   heads_may_merge, NULL);
	else if (heads_inside(s->range, r->h.base))
		s->out->elsewhere |= heads_is_quarantined(addr);
}

static void heads_note_list(struct heads_scan *s, struct pkram_region *r)
{
	u32 page = 0, nr;

	for (;;) {
		page = pkram_bad_next(r, page, PKRAM_REGION_MAX_PAGES, &nr);
		if (!nr)
			return;
		for (; nr; nr--, page++)
			heads_note(s, r, r->h.base + (u64)page * PKRAM_BAD_PAGE);
		cond_resched();
	}
}

/* A page of the header that can be read, and has no key */
static bool heads_slot_erased(struct pkram_region *r, int slot, const u8 key[16])
{
	u32 page = slot * PKRAM_HEADER_SLOT / PKRAM_BAD_PAGE, nr;

	pkram_bad_next(r, page, page + 1, &nr);
	return !nr && !memchr_inv(key, 0, 16);
}

/*
 * A region whose making was cut or failed is none: one slot of its header, or both, have
 * nothing, though its list was written already, and maybe a part of the other slot.
 */
static bool heads_is_ours(const struct heads_scan *s, struct pkram_region *r)
{
	u8 key[2][16];

	if (!s->pool || !s->nr_keys)
		return false;
	heads_slot_key(r, 0, key[0]);
	heads_slot_key(r, 1, key[1]);
	if (heads_slot_erased(r, 0, key[0]) || heads_slot_erased(r, 1, key[1]))
		return false;
	return !memcmp(s->keys[0], key[0], sizeof(key[0])) ||
	       !memcmp(s->keys[0], key[1], sizeof(key[1])) ||
	       !memcmp(s->keys[0], r->bad->pool_key, sizeof(key[0]));
}

static int heads_look(struct heads_scan *s, u64 base)
{
	struct pkram_region *r = pkram_region_open(base);

	if (IS_ERR(r))
		return PTR_ERR(r);
	if (heads_inside(s->range, base) && heads_is_ours(s, r))
		s->out->nr_regions++;
	if (heads_has_key(s, r->bad->pool_key, s->nr_keys))
		heads_note_list(s, r);
	pkram_region_close(r, true);
	return 0;
}

/*
 * Take note of a GiB that cannot be mapped, unless that may be otherwise in a moment. What
 * blocks it, such as struct pages that are left, ends with this kernel.
 */
static int heads_skip(struct heads_scan *s, u64 base, int err)
{
	if (err == -ENOMEM || heads_inside(s->range, base))
		return err;
	pr_warn("memory at %#llx cannot be read before the next boot (%d): it may have a list of bad pages\n",
		base, err);
	s->out->unread = base;
	return 0;
}

/* No list names what lies below its region. */
static int heads_look_at(struct heads_scan *s, const struct pkram_range *range)
{
	u64 end = min(range->base + range->size, s->range->base + s->range->size), base;
	int err = 0;

	/* Each GiB is mapped for that, which takes a tenth of a second. */
	for (base = range->base; !err && base < end; base += PKRAM_GIB) {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = heads_look(s, base);
		if (err)
			err = heads_skip(s, base, err);
	}
	return err;
}

static int heads_read(struct heads_scan *s)
{
	const struct pkram_quarantine *q = NULL;
	bool seen = false;
	int err = 0;

	while (!err && (q = pkram_quarantine_next(q))) {
		if (q->head)
			err = heads_trust(s, q->range.base);
		if (err)
			err = heads_skip(s, q->range.base, err);
	}
	while (!err && (q = pkram_quarantine_next(q))) {
		seen |= heads_inside(&q->range, s->range->base);
		err = heads_look_at(s, &q->range);
	}
	/* One that is reserved only since now: if it holds a region, that begins at its start. */
	return err || seen ? err : heads_look(s, s->range->base);
}

int pkram_heads_read(const struct pkram_range *range, struct pkram_heads *heads)
{
	struct heads_scan *s = kzalloc(sizeof(*s), GFP_KERNEL);
	u8 key[16];
	int err;

	memset(heads, 0, sizeof(*heads));
	heads->bad = kvzalloc(PKRAM_BAD_SLOT, GFP_KERNEL);
	if (!s || !heads->bad) {
		err = -ENOMEM;
		goto err_free;
	}
	pkram_badpages_init(heads->bad, range->base);
	s->range = range;
	s->out = heads;
	s->pool = pkram_store_exists();
	if (s->pool) {
		pkram_store_pool_key(key);
		heads_add_key(s, key);
	}
	err = heads_read(s);
	if (err)
		goto err_free;
	pkram_bad_get_loose(range->base, range->size, heads->bad);
	memcpy(heads->key, s->keys[0], sizeof(heads->key));
	kfree(s);
	return 0;

err_free:
	kfree(s);
	kvfree(heads->bad);
	heads->bad = NULL;
	return err;
}

u32 pkram_heads_nr_bad(const struct pkram_heads *heads)
{
	return pkram_badpages_count(heads->bad, 0, PKRAM_REGION_MAX_PAGES);
}
