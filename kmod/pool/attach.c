// SPDX-License-Identifier: GPL-2.0
/* Attach the pool that an earlier kernel left: see attach.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>
#include "event/count.h"
#include "event/trace.h"
#include "handover/handover.h"
#include "mem/bad.h"
#include "mem/iomem.h"
#include "mem/region.h"
#include "pool/attach.h"
#include "pool/quarantine.h"
#include "store/load_pool.h"
#include "store/regions.h"
#include "store/store.h"

/* What names a pool: a UUID that user space can read, and a key that it cannot */
struct attach_id {
	u8 uuid[16] __aligned(8);
	u8 key[16];
};

/**
 * struct attach_scan - regions found so far
 * @regions: &struct pkram_region, spans set
 * @id: of the pool, once @known
 * @heads: a range begins where a region must begin, as long as nothing is @damaged
 * @known: a trusted header was seen, or there is a pool already
 * @hints: UUIDs and keys of pools in unusable headers at trusted places
 * @nr_hints: number of them
 * @damaged: there was such a header: ranges need not begin where regions do, because absent GiB
 *	split regions
 * @nr: number of regions found
 * @refused: why the version or features of a region are not supported
 * @refused_uuid: its pool
 */
struct attach_scan {
	struct list_head regions;
	struct attach_id id;
	bool heads;
	bool known;
	struct attach_id hints[8];
	u32 nr_hints;
	bool damaged;
	u32 nr;
	const char *refused;
	u8 refused_uuid[16];
};

static bool attach_in_ranges(const struct pkram_range *ranges, int nr, u64 base)
{
	int i;

	for (i = 0; i < nr; i++)
		if (base >= ranges[i].base &&
		    base - ranges[i].base < ranges[i].size)
			return true;
	return false;
}

static bool attach_covered(const struct attach_scan *s, u64 base)
{
	struct pkram_region *r;

	list_for_each_entry(r, &s->regions, list)
		if (base >= r->h.base &&
		    pkram_region_present(r, (base - r->h.base) >>
					 PKRAM_GIB_SHIFT))
			return true;
	return false;
}

static int attach_has_id(struct pkram_region *r, void *arg)
{
	return pkram_region_id_of(r) == *(const u64 *)arg;
}

/* Check that everything a header claims is reserved, and not part of another region. */
static const char *attach_check_span(const struct attach_scan *s, const struct pkram_header *h,
				     const struct pkram_range *ranges, int nr)
{
	struct pkram_region *other;
	u64 base;
	u32 gib;

	for (gib = 0; gib < h->nr_gib; gib++) {
		if (!pkram_header_has_gib(h, gib))
			continue;
		base = pkram_header_gib_addr(h, gib);
		if (!attach_in_ranges(ranges, nr, base))
			return "its header claims memory that is not reserved";
		if (attach_covered(s, base))
			return "its header claims memory of another region";
	}
	list_for_each_entry(other, &s->regions, list)
		if (other->h.region_id == h->region_id)
			return "its id is that of another region";
	if (pkram_store_walk_regions(attach_has_id, (void *)&h->region_id))
		return "its id is that of another region";
	return NULL;
}

static struct attach_id attach_id(const struct pkram_header *h)
{
	struct attach_id id;

	memcpy(id.uuid, h->pool_uuid, sizeof(id.uuid));
	memcpy(id.key, h->pool_key, sizeof(id.key));
	return id;
}

static bool attach_hinted(const struct attach_scan *s, const struct attach_id *id)
{
	u32 i;

	for (i = 0; i < s->nr_hints; i++)
		if (!memcmp(&s->hints[i], id, sizeof(*id)))
			return true;
	return false;
}

/*
 * No guest can write to this header's place. So the UUID and the key in either
 * slot are the pool's, or are damaged and match no pool.
 */
static void attach_take_hints(struct attach_scan *s, const void *head)
{
	struct attach_id *hint;
	u32 slot;

	s->damaged = true;
	for (slot = 0; slot < 2; slot++, head += PKRAM_HEADER_SLOT) {
		if (s->nr_hints == ARRAY_SIZE(s->hints))
			return;
		hint = &s->hints[s->nr_hints];
		pkram_slot_copy((void *)hint->uuid,
				head + offsetof(struct pkram_region_ser, pool_uuid),
				sizeof(hint->uuid));
		pkram_slot_copy((void *)hint->key,
				head + offsetof(struct pkram_region_ser, pool_key),
				sizeof(hint->key));
		s->nr_hints += !!memchr_inv(hint->uuid, 0, sizeof(hint->uuid));
	}
}

/*
 * Look for a region at @base. A header is trusted where a region must begin: at
 * the start of a reserved range, or directly after a region (@trusted). After a
 * damaged one it must have the pool's key, because a program may have written
 * something like a header to an object; user space does not know the key.
 *
 * Return: NULL if a region was found, else why not.
 */
static const char *attach_probe(struct attach_scan *s, u64 base, bool trusted,
				const struct pkram_range *ranges, int nr, int *err)
{
	struct pkram_region *r = pkram_region_open(base);
	const char *reason = NULL;
	struct attach_id id;
	enum pkram_bad bad;
	int cur;

	if (IS_ERR(r)) {
		if (PTR_ERR(r) == -ENOMEM)
			*err = -ENOMEM;
		return "it cannot be mapped";
	}
	bad = pkram_header_read(r->head, base, &r->h, &cur, &r->differs);
	trusted &= !s->damaged;
	if (bad)
		reason = pkram_bad_text(bad);
	id = attach_id(&r->h);
	if ((bad == PKRAM_BAD_VERSION || bad == PKRAM_BAD_FEATURE) &&
	    (trusted || (s->known && !memcmp(&s->id, &id, sizeof(id))))) {
		s->refused = reason;
		memcpy(s->refused_uuid, r->h.pool_uuid, 16);
	}
	if (bad)
		;
	else if (!s->known && !trusted && !attach_hinted(s, &id))
		reason = "it lies behind a damaged region, and no other names its pool";
	else if (s->known && memcmp(s->id.uuid, id.uuid, sizeof(id.uuid)))
		reason = "it belongs to another pool";
	else if (s->known && memcmp(s->id.key, id.key, sizeof(id.key)))
		reason = "it does not have the key of its pool: it is forged or damaged";
	else
		reason = attach_check_span(s, &r->h, ranges, nr);
	if (reason) {
		if (bad && trusted)
			attach_take_hints(s, r->head);
		/* The header's claims cannot be trusted. */
		r->h.nr_gib = 1;
		pkram_region_close(r, false);
		return reason;
	}
	r->read_only = r->h.ro_compat & ~PKRAM_RO_COMPAT_KNOWN;
	pkram_bad_accept(r);
	*err = pkram_region_set_span(r);
	if (*err) {
		pkram_region_close(r, false);
		return "its memory map entry cannot be made";
	}
	s->id = id;
	s->known = true;
	s->nr++;
	list_add_tail(&r->list, &s->regions);
	return NULL;
}

static void attach_quarantine(u64 base, u64 size, const char *reason, bool head)
{
	if (head)
		pkram_quarantine_add_head(base, size, reason);
	else
		pkram_quarantine_add(base, size, reason);
}

/* Find the regions in one reserved range; the rest is quarantined. */
static int attach_scan_range(struct attach_scan *s, const struct pkram_range *range,
			     const struct pkram_range *ranges, int nr)
{
	u64 base = range->base, end = base + range->size, bad_from = 0;
	const char *reason, *bad_reason = NULL;
	bool trusted = true, bad_head = false, head;
	int err = 0;

	for (; base < end && err != -ENOMEM; base += PKRAM_GIB) {
		head = trusted && !s->damaged && (s->heads || base > range->base);
		reason = attach_covered(s, base) ? NULL :
			 attach_probe(s, base, trusted, ranges, nr, &err);
		trusted = !reason;
		if (reason && !bad_from) {
			bad_from = base;
			bad_reason = reason;
			bad_head = head;
		} else if (!reason && bad_from) {
			attach_quarantine(bad_from, base - bad_from, bad_reason, bad_head);
			bad_from = 0;
		}
	}
	if (bad_from)
		attach_quarantine(bad_from, base - bad_from, bad_reason, bad_head);
	return err == -ENOMEM ? err : 0;
}

/*
 * If the version or features of one region are not supported, leave the whole pool
 * alone: the meaning of its records is unknown.
 */
static void attach_refuse_scan(struct attach_scan *s)
{
	struct pkram_region *r;
	u32 gib, end;

	list_for_each_entry(r, &s->regions, list) {
		for (gib = 0; gib < r->h.nr_gib; gib = end + 1) {
			for (end = gib; pkram_region_present(r, end); end++)
				;
			pkram_quarantine_add(pkram_header_gib_addr(&r->h, gib),
					     (u64)(end - gib) << PKRAM_GIB_SHIFT,
					   "another region of its pool cannot be used");
		}
	}
	s->nr = 0;
}

static void attach_drop_scan(struct attach_scan *s)
{
	struct pkram_region *r, *next;

	list_for_each_entry_safe(r, next, &s->regions, list) {
		list_del(&r->list);
		pkram_region_close(r, true);
	}
}

static int attach_parse(const char *attach, struct pkram_range **ranges)
{
	struct pkram_range *list;
	const char *p;
	int nr = 1;
	char *end;

	for (p = attach; *p; p++)
		nr += *p == ',';
	list = kcalloc(nr, sizeof(*list), GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	for (p = attach, nr = 0; *p; nr++) {
		list[nr].base = memparse(p, &end);
		if (end == p || *end != '+')
			goto bad;
		p = end + 1;
		list[nr].size = memparse(p, &end);
		if (end == p || (*end && *end != ','))
			goto bad;
		p = *end ? end + 1 : end;
		if (!list[nr].size ||
		    !IS_ALIGNED(list[nr].base | list[nr].size, PKRAM_GIB))
			goto bad;
	}
	*ranges = list;
	return nr;
bad:
	pr_err("attach=%s: want BASE+SIZE[,BASE+SIZE...] in whole GiB\n",
	       attach);
	kfree(list);
	return -EINVAL;
}

static void attach_trace(u32 found, int err, u64 begin)
{
	struct pkram_pool_info info;

	if (!trace_pkram_attach_enabled())
		return;
	pkram_store_info(&info);
	trace_pkram_attach(found, info.nr_objects, info.nr_quarantined, err, begin);
}

int pkram_attach_ranges(const struct pkram_range *ranges, int nr, bool heads, u32 *found)
{
	struct attach_scan s = { .regions = LIST_HEAD_INIT(s.regions) };
	u64 begin = ktime_get_ns();
	int i, err = 0;

	s.heads = heads;
	s.known = pkram_store_exists();
	if (s.known) {
		pkram_store_pool_uuid(s.id.uuid);
		pkram_store_pool_key(s.id.key);
	}
	for (i = 0; i < nr && !err; i++)
		err = attach_scan_range(&s, &ranges[i], ranges, nr);
	if (s.refused && s.nr && !pkram_store_exists() &&
	    !memcmp(s.refused_uuid, s.id.uuid, sizeof(s.id.uuid)))
		attach_refuse_scan(&s);
	*found = s.nr;
	if (!err && s.nr)
		err = pkram_store_attach(&s.regions, pkram_quarantine_any());
	/* Empty if the regions are in the store now. */
	attach_drop_scan(&s);
	pkram_count_add(PKRAM_COUNT_ATTACH_USECS, (ktime_get_ns() - begin) / 1000);
	attach_trace(*found, err, begin);
	return err;
}

/* Ranges from the parameter are not in the map: reserve them for the next kernel too. */
static int attach_reserve(const struct pkram_range *ranges, int nr)
{
	int i, err;

	for (i = 0; i < nr; i++) {
		err = pkram_iomem_check_free(ranges[i].base, ranges[i].size);
		if (err) {
			pr_err("attach: memory at %#llx is in use by this kernel; it needs memmap= on the command line\n",
			       ranges[i].base);
			return err;
		}
		err = pkram_handover_reserve(&ranges[i]);
		if (err && err != -EEXIST) {
			pr_err("attach: memory at %#llx cannot be reserved for the next kernel (%d)\n",
			       ranges[i].base, err);
			return err;
		}
	}
	return 0;
}

/*
 * Add to @ranges, of which there are @nr, what is in @more and not in them. Keep pieces
 * of different ranges apart: a region begins where a range begins.
 * Return: the new number, or -ENOMEM; @ranges is freed then.
 */
static int attach_join(struct pkram_range **ranges, int nr,
		       const struct pkram_range *more, int nr_more)
{
	/* Each of @more is cut into @nr + 1 pieces at most. */
	int i, n = nr, max = nr + nr_more * (nr + 1);
	struct pkram_range *list;
	u64 base, end;
	bool open;

	list = krealloc_array(*ranges, max, sizeof(*list), GFP_KERNEL);
	if (!list) {
		kfree(*ranges);
		return -ENOMEM;
	}
	for (i = 0; i < nr_more; i++) {
		end = more[i].base + more[i].size;
		open = false;
		for (base = more[i].base; base < end; base += PKRAM_GIB) {
			if (attach_in_ranges(list, n, base)) {
				open = false;
				continue;
			}
			if (!open) {
				list[n].base = base;
				list[n++].size = 0;
			}
			list[n - 1].size += PKRAM_GIB;
			open = true;
		}
	}
	*ranges = list;
	return n;
}

/* Add what the parameter says to what the memory map says. Return: as attach_join() */
static int attach_add_parameter(const char *attach, struct pkram_range **ranges, int nr)
{
	struct pkram_range *more = NULL;
	int nr_more, err;

	nr_more = attach_parse(attach, &more);
	err = nr_more < 0 ? nr_more : attach_reserve(more, nr_more);
	if (err) {
		kfree(*ranges);
		nr = err;
	} else {
		nr = attach_join(ranges, nr, more, nr_more);
	}
	kfree(more);
	return nr;
}

int pkram_attach_init(const char *attach)
{
	struct pkram_range *ranges = NULL;
	struct pkram_pool_info info;
	u32 found = 0;
	int nr, err;

	nr = pkram_handover_found(&ranges);
	if (nr >= 0 && attach && *attach) {
		nr = attach_add_parameter(attach, &ranges, nr);
		if (nr < 0)
			ranges = NULL;
	}
	if (nr <= 0) {
		kfree(ranges);
		return nr;
	}
	/* There is no control plane yet that could change the pool. */
	err = pkram_attach_ranges(ranges, nr, true, &found);
	kfree(ranges);
	if (err)
		return err;
	pkram_store_info(&info);
	if (found)
		pr_info("pool %pUb attached%s: %u region(s), %llu GiB, %u object(s), %u quarantined\n",
			info.uuid, info.read_only ? " read-only" : "",
			info.nr_regions, info.bytes >> PKRAM_GIB_SHIFT,
			info.nr_objects, info.nr_quarantined);
	else
		pr_warn("memory is reserved for a pool, but there is none in it\n");
	return 0;
}

void pkram_attach_exit(void)
{
	pkram_quarantine_exit();
}
