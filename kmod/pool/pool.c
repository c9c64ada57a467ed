// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's life: see pool.h.
 *
 * The order that loses nothing. Growing: take from the system, reserve for
 * the next kernel, make the region. Shrinking: out of the store, zero, let the
 * next kernel have it, give to the system. A range that gets stuck in between
 * is kept in the list of unusable ranges, reserved, where the operator
 * sees it and can give it back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mutex.h>
#include <linux/pkram.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "event/event.h"
#include "pool/pool.h"
#include "mem/iomem.h"
#include "mem/region.h"
#include "mem/take.h"
#include "store/store.h"

/*
 * pool_lock: one change of the pool at a time, which may take minutes;
 * bad_lock, inside it: the list, for those who only look.
 */
static DEFINE_MUTEX(pool_lock);
static DEFINE_MUTEX(bad_lock);
static LIST_HEAD(bad_regions);

/* What the operator is told, each on a line of its own */
#define TEXT_LOADED_MEANWHILE "a kexec image was loaded meanwhile: unload it (kexec -u), grow, load it again"
#define TEXT_IMAGE_LOADED "a kexec image is loaded, and was placed without knowing of the pool: unload it (kexec -u), grow, load it again"
#define TEXT_NOT_RESERVED "the range cannot be reserved for the next kernel: it must be RAM by the firmware's map, and no kexec image may be loaded"
#define TEXT_NOT_ATTACHED "the regions found there cannot be attached: unmount pkramfs and close its files first"
#define TEXT_NO_REGION "no region is there; to make a new one, losing what is in that memory, say format"
#define TEXT_NOT_GIVEN_BACK "growing failed, and the system would not take it back"
#define TEXT_NOT_RELEASED "still in the pool: the next kernel's memory map cannot be changed"
#define TEXT_NOT_TAKEN_BACK "still in the pool: the system would not take it"
#define TEXT_TAKEN_BY_NOBODY "out of the pool, but the system would not take it; it is back at the next boot"
#define TEXT_STILL_RESERVED "out of the pool, but still reserved for the next kernel; try again by its address"
#define TEXT_WHOLE_BLOCKS "base and size must be whole memory blocks of this kernel (larger than a GiB here)"

/* Unusable ranges */

/* Context: bad_lock */
static void keep_bad(u64 base, u64 size, const char *reason)
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

static void add_bad(u64 base, u64 size, const char *reason)
{
	if (!size)
		return;
	pr_warn("memory at %#llx, %llu GiB, is reserved but holds no usable region: %s\n",
		base, size >> PKRAM_GIB_SHIFT, reason);
	mutex_lock(&bad_lock);
	keep_bad(base, size, reason);
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

/* Attaching */

/**
 * struct scan - regions found so far
 * @regions: &struct pkram_region, spans set
 * @uuid: of the pool, once @known
 * @known: a header that can be trusted was seen, or a pool is there
 * @hints: what unusable headers in places that can be trusted say the pool is
 * @nr_hints: number of them
 * @damaged: there was such a one: where a range begins need not be where a region
 *	begins, as absent GiB split regions
 * @nr: number of regions found
 * @refused: a region is by its version or features not for this module: why
 * @refused_uuid: its pool
 */
struct scan {
	struct list_head regions;
	u8 uuid[16];
	bool known;
	u8 hints[8][16];
	u32 nr_hints;
	bool damaged;
	u32 nr;
	const char *refused;
	u8 refused_uuid[16];
};

static bool in_ranges(const struct pkram_range *ranges, int nr, u64 base)
{
	int i;

	for (i = 0; i < nr; i++)
		if (base >= ranges[i].base &&
		    base - ranges[i].base < ranges[i].size)
			return true;
	return false;
}

static bool covered(const struct scan *s, u64 base)
{
	struct pkram_region *r;

	list_for_each_entry(r, &s->regions, list)
		if (base >= r->h.base &&
		    pkram_region_present(r, (base - r->h.base) >>
					 PKRAM_GIB_SHIFT))
			return true;
	return false;
}

/* Does all that a header claims lie in reserved memory, and nobody else's? */
static const char *check_span(const struct scan *s, const struct pkram_header *h,
			      const struct pkram_range *ranges, int nr)
{
	struct pkram_region *other;
	u64 base;
	u32 gib;

	for (gib = 0; gib < h->nr_gib; gib++) {
		if (!(h->present[gib / 64] >> (gib % 64) & 1))
			continue;
		base = h->base + ((u64)gib << PKRAM_GIB_SHIFT);
		if (!in_ranges(ranges, nr, base))
			return "its header claims memory that is not reserved";
		if (covered(s, base))
			return "its header claims memory of another region";
	}
	list_for_each_entry(other, &s->regions, list)
		if (other->h.region_id == h->region_id)
			return "its id is that of another region";
	return NULL;
}

static bool hinted(const struct scan *s, const u8 uuid[16])
{
	u32 i;

	for (i = 0; i < s->nr_hints; i++)
		if (!memcmp(s->hints[i], uuid, 16))
			return true;
	return false;
}

/*
 * No guest can write where this header is. So the UUID in it, in either slot, is
 * the pool's, or is damaged and then is nobody's.
 */
static void take_hints(struct scan *s, const void *head)
{
	const void *uuid = head + offsetof(struct pkram_region_ser, pool_uuid);
	u32 slot;

	s->damaged = true;
	for (slot = 0; slot < 2; slot++, uuid += PKRAM_HEADER_SLOT)
		if (s->nr_hints < ARRAY_SIZE(s->hints) &&
		    memchr_inv(uuid, 0, 16))
			memcpy(s->hints[s->nr_hints++], uuid, 16);
}

/*
 * Look for a region at @base. A header is believed where a region must begin:
 * at the start of a reserved range, or right behind a region (@trusted). Behind
 * a damaged one it must name the pool, as what looks like a header there may be
 * what a guest wrote into its RAM; guests do not know the pool's UUID.
 *
 * Return: NULL if a region was found, else why not.
 */
static const char *probe(struct scan *s, u64 base, bool trusted,
			 const struct pkram_range *ranges, int nr, int *err)
{
	struct pkram_region *r = pkram_region_open(base);
	const char *reason = NULL;
	enum pkram_bad bad;
	bool mirror = false;

	if (IS_ERR(r)) {
		if (PTR_ERR(r) == -ENOMEM)
			*err = -ENOMEM;
		return "it cannot be mapped";
	}
	trusted &= !s->damaged;
	bad = pkram_header_read(r->head, base, &r->h, &r->cur, &mirror);
	if (bad)
		reason = pkram_bad_text(bad);
	if ((bad == PKRAM_BAD_VERSION || bad == PKRAM_BAD_FEATURE) &&
	    (trusted || (s->known && !memcmp(s->uuid, r->h.pool_uuid, 16)))) {
		s->refused = reason;
		memcpy(s->refused_uuid, r->h.pool_uuid, 16);
	}
	if (bad)
		;
	else if (!s->known && !trusted && !hinted(s, r->h.pool_uuid))
		reason = "it lies behind a damaged region, and no other names its pool";
	else if (s->known && memcmp(s->uuid, r->h.pool_uuid, sizeof(s->uuid)))
		reason = "it belongs to another pool";
	else
		reason = check_span(s, &r->h, ranges, nr);
	if (reason) {
		if (bad && trusted)
			take_hints(s, r->head);
		/* The header cannot be trusted to say what is claimed. */
		r->h.nr_gib = 1;
		pkram_region_close(r, false);
		return reason;
	}
	r->read_only = r->h.ro_compat & ~PKRAM_RO_COMPAT_KNOWN;
	*err = pkram_region_set_span(r);
	if (*err) {
		pkram_region_close(r, false);
		return "its memory map entry cannot be made";
	}
	if (mirror && !r->read_only)
		pkram_region_commit(r);
	memcpy(s->uuid, r->h.pool_uuid, sizeof(s->uuid));
	s->known = true;
	s->nr++;
	list_add_tail(&r->list, &s->regions);
	return NULL;
}

/* Find the regions in one reserved range; what is left over is bad. */
static int scan_range(struct scan *s, const struct pkram_range *range,
		      const struct pkram_range *ranges, int nr)
{
	u64 base = range->base, end = base + range->size, bad_from = 0;
	const char *reason, *bad_reason = NULL;
	bool trusted = true;
	int err = 0;

	for (; base < end && err != -ENOMEM; base += PKRAM_GIB) {
		if (covered(s, base)) {
			trusted = true;
			continue;
		}
		reason = probe(s, base, trusted, ranges, nr, &err);
		trusted = !reason;
		if (reason && !bad_from) {
			bad_from = base;
			bad_reason = reason;
		} else if (!reason && bad_from) {
			add_bad(bad_from, base - bad_from, bad_reason);
			bad_from = 0;
		}
	}
	if (bad_from)
		add_bad(bad_from, base - bad_from, bad_reason);
	return err == -ENOMEM ? err : 0;
}

/*
 * A pool of which one region is not for this module is left alone as a whole:
 * what it means by its records is not known.
 */
static void refuse_scan(struct scan *s)
{
	struct pkram_region *r;
	u32 gib, end;

	list_for_each_entry(r, &s->regions, list) {
		for (gib = 0; gib < r->h.nr_gib; gib = end + 1) {
			for (end = gib; pkram_region_present(r, end); end++)
				;
			add_bad(r->h.base + ((u64)gib << PKRAM_GIB_SHIFT),
				(u64)(end - gib) << PKRAM_GIB_SHIFT,
				"another region of its pool cannot be used");
		}
	}
	s->nr = 0;
}

static void drop_scan(struct scan *s)
{
	struct pkram_region *r, *next;

	list_for_each_entry_safe(r, next, &s->regions, list) {
		list_del(&r->list);
		pkram_region_close(r, true);
	}
}

static int parse_attach(const char *attach, struct pkram_range **ranges)
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

/* Attach what is in @ranges to what is there already. */
static int attach_ranges(const struct pkram_range *ranges, int nr, u32 *found)
{
	struct scan s = { .regions = LIST_HEAD_INIT(s.regions) };
	int i, err = 0;

	s.known = pkram_store_exists();
	if (s.known)
		pkram_store_pool_uuid(s.uuid);
	for (i = 0; i < nr && !err; i++)
		err = scan_range(&s, &ranges[i], ranges, nr);
	if (s.refused && s.nr && !pkram_store_exists() &&
	    !memcmp(s.refused_uuid, s.uuid, sizeof(s.uuid)))
		refuse_scan(&s);
	*found = s.nr;
	if (!err && s.nr)
		err = pkram_store_attach(&s.regions, !list_empty(&bad_regions));
	/* Empty if they are in the store now. */
	drop_scan(&s);
	return err;
}

/* Ranges by parameter are not in the map: keep the next kernel off them too. */
static int reserve_all(const struct pkram_range *ranges, int nr)
{
	int i, err;

	for (i = 0; i < nr; i++) {
		err = pkram_region_check_free(ranges[i].base, ranges[i].size);
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

int pkram_pool_attach(const char *attach)
{
	struct pkram_range *ranges = NULL;
	struct pkram_pool_info info;
	u32 found = 0;
	int nr, err;

	nr = pkram_handover_found(&ranges);
	if (nr >= 0 && attach && *attach) {
		kfree(ranges);
		ranges = NULL;
		nr = parse_attach(attach, &ranges);
		if (nr > 0) {
			err = reserve_all(ranges, nr);
			if (err)
				nr = err;
		}
	}
	if (nr <= 0) {
		kfree(ranges);
		return nr;
	}
	mutex_lock(&pool_lock);
	err = attach_ranges(ranges, nr, &found);
	mutex_unlock(&pool_lock);
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

void pkram_pool_detach(void)
{
	struct pkram_bad_region *b, *next;

	list_for_each_entry_safe(b, next, &bad_regions, list) {
		list_del(&b->list);
		kfree(b);
	}
}

/* Growing */

/* @ntf: PKRAM_CMD_POOL_*_NTF */
static void report_taken(struct pkram_pool_report *report, u8 ntf, u64 base,
			 u64 size)
{
	pkram_event_range(ntf, base, size, NULL);
	report->nr_gib += size >> PKRAM_GIB_SHIFT;
	if (report->nr_taken < PKRAM_REPORT_REFUSALS) {
		report->taken[report->nr_taken].base = base;
		report->taken[report->nr_taken++].size = size;
	}
}

static void report_refused(struct pkram_pool_report *report,
			   const struct pkram_refusal *refusal)
{
	if (report->nr_refused < PKRAM_REPORT_REFUSALS)
		report->refused[report->nr_refused++] = *refusal;
}

/* Make a region of memory that is not System RAM, and reserved. */
static int make_region(u64 base, u64 size)
{
	struct pkram_region *r = pkram_region_open(base);
	u32 gib;
	int err;

	if (IS_ERR(r))
		return PTR_ERR(r);
	r->h.nr_gib = size >> PKRAM_GIB_SHIFT;
	for (gib = 0; gib < r->h.nr_gib; gib++)
		r->h.present[gib / 64] |= BIT_ULL(gib % 64);
	err = pkram_region_set_span(r);
	if (!err)
		err = pkram_store_add_region(r);
	if (err)
		pkram_region_close(r, false);
	return err;
}

/* One run of GiB that was taken from the system becomes a region. */
static int add_run(u64 base, u64 size, struct pkram_pool_report *report,
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
	err = make_region(base, size);
	if (!err) {
		report_taken(report, PKRAM_CMD_POOL_GROW_NTF, base, size);
		return 0;
	}
	*text = "the region could not be made";
	if (pkram_handover_release(&range)) {
		add_bad(base, size, "growing failed halfway");
		goto refuse;
	}
give:
	/* Nothing of a guest was in it yet. */
	if (pkram_region_give(base, size, pkram_take_nid(base))) {
		if (!pkram_handover_reserve(&range))
			add_bad(base, size, TEXT_NOT_GIVEN_BACK);
		else
			pr_warn("memory at %#llx could not be given back\n", base);
	}
refuse:
	refusal.err = err;
	refusal.reason = *text;
	report_refused(report, &refusal);
	return err;
}

/* Take units from the top down; they come in falling order of address. */
static u32 take_units(u32 want, int node, u64 *bases,
		      struct pkram_pool_report *report)
{
	struct pkram_refusal refusal;
	u64 unit = pkram_region_take_unit(), below = U64_MAX, base;
	u32 n = 0;

	while (n < want && !fatal_signal_pending(current)) {
		base = pkram_region_next_candidate(below, unit, node);
		if (!base)
			break;
		below = base;
		if (!pkram_region_take(base, &refusal)) {
			bases[n++] = base;
			continue;
		}
		report_refused(report, &refusal);
		if (refusal.err == -ENOMEM || refusal.err == -EINTR)
			break;
	}
	return n;
}

static int add_units(const u64 *bases, u32 n, u64 unit,
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
		ret = add_run(base, size, report, text);
		err = err ?: ret;
	}
	return err;
}

int pkram_pool_grow(u32 nr_gib, int node, struct pkram_pool_report *report,
		    const char **text)
{
	u64 unit = pkram_region_take_unit(), *bases;
	u32 want = DIV_ROUND_UP_ULL((u64)nr_gib << PKRAM_GIB_SHIFT, unit), n;
	int err = 0;

	memset(report, 0, sizeof(*report));
	bases = kvcalloc(want, sizeof(*bases), GFP_KERNEL);
	if (!bases)
		return -ENOMEM;
	mutex_lock(&pool_lock);
	if (pkram_handover_image_loaded()) {
		*text = TEXT_IMAGE_LOADED;
		err = -EBUSY;
	} else {
		n = take_units(want, node, bases, report);
		*text = "no GiB of RAM could be taken from the system";
		if (n)
			err = add_units(bases, n, unit, report, text);
		else
			err = fatal_signal_pending(current) ? -EINTR : -ENOMEM;
	}
	mutex_unlock(&pool_lock);
	kvfree(bases);
	return report->nr_gib ? 0 : err;
}

/* Adopting */

static struct pkram_bad_region *find_bad(u64 base, u64 size)
{
	struct pkram_bad_region *b;

	list_for_each_entry(b, &bad_regions, list)
		if (b->range.base == base && b->range.size == size)
			return b;
	return NULL;
}

/* A range is not unusable any more: cut it out of those that are. */
static void forget_bad(u64 base, u64 size)
{
	struct pkram_bad_region *b, *next;
	u64 end = base + size, b_end;

	mutex_lock(&bad_lock);
	list_for_each_entry_safe(b, next, &bad_regions, list) {
		b_end = b->range.base + b->range.size;
		if (b_end <= base || b->range.base >= end)
			continue;
		if (b_end > end)
			keep_bad(end, b_end - end, b->reason);
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

static int in_pool(struct pkram_region *r, void *arg)
{
	const struct pkram_range *range = arg;
	u32 gib;

	for (gib = 0; gib < r->h.nr_gib; gib++) {
		u64 base = r->h.base + ((u64)gib << PKRAM_GIB_SHIFT);

		if (pkram_region_present(r, gib) && base >= range->base &&
		    base - range->base < range->size)
			return 1;
	}
	return 0;
}

static int adopt(const struct pkram_range *range, bool format,
		 struct pkram_pool_report *report, const char **text)
{
	bool reserved;
	u32 found = 0;
	int err;

	*text = "part of the range is in the pool already";
	if (pkram_store_walk_regions(in_pool, (void *)range))
		return -EEXIST;
	*text = "this kernel uses part of the range as RAM; reserve it at boot (memmap=SIZE$START)";
	err = pkram_region_check_free(range->base, range->size);
	if (err)
		return err;
	*text = TEXT_NOT_RESERVED;
	err = pkram_handover_reserve(range);
	if (err && err != -EEXIST)
		return err;
	reserved = !err;
	forget_bad(range->base, range->size);
	*text = TEXT_NOT_ATTACHED;
	err = attach_ranges(range, 1, &found);
	if (!err && found) {
		report_taken(report, PKRAM_CMD_POOL_ADOPT_NTF, range->base, range->size);
		return 0;
	}
	if (!err && !format) {
		*text = TEXT_NO_REGION;
		err = -ENODATA;
	}
	if (!err) {
		*text = "the region could not be made";
		forget_bad(range->base, range->size);
		err = make_region(range->base, range->size);
		if (!err)
			report_taken(report, PKRAM_CMD_POOL_ADOPT_NTF, range->base, range->size);
	}
	/* Old contents of unknown kind stay reserved only if they were. */
	if (err && reserved) {
		forget_bad(range->base, range->size);
		pkram_handover_release(range);
	}
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
	err = adopt(&range, format, report, text);
	mutex_unlock(&pool_lock);
	return err;
}

/* Shrinking */

static int wipe_range(u64 base, u64 size)
{
	struct pkram_region *r;
	u64 addr;
	int err;

	for (addr = base; addr < base + size; addr += PKRAM_GIB) {
		r = pkram_region_open(addr);
		if (IS_ERR(r))
			return PTR_ERR(r);
		err = pkram_region_wipe(r, 0);
		/* One GiB, to clear the way of whatever entry is there. */
		if (!err)
			err = pkram_region_update_span(r);
		pkram_region_close(r, false);
		if (err)
			return err;
	}
	return 0;
}

/* Memory that is out of the store and zero goes back to the system. */
static int give_range(const struct pkram_range *range,
		      struct pkram_refusal *refusal)
{
	int err;

	refusal->base = range->base;
	refusal->size = range->size;
	refusal->reason = TEXT_NOT_RELEASED;
	err = pkram_handover_release(range);
	if (!err) {
		refusal->reason = TEXT_NOT_TAKEN_BACK;
		err = pkram_region_give(range->base, range->size,
					pkram_take_nid(range->base));
	}
	refusal->err = err;
	return err;
}

/* What the system did not take is reserved again. */
static bool reserve_again(const struct pkram_range *range)
{
	int err = pkram_handover_reserve(range);

	return !err || err == -EEXIST;
}

/* ... and goes back to where it was; @from: the region, if it is still there */
static void put_back(const struct pkram_range *range, struct pkram_region *from,
		     struct pkram_refusal *refusal)
{
	if (!reserve_again(range)) {
		refusal->reason = TEXT_TAKEN_BY_NOBODY;
	} else if (from) {
		pkram_store_put_back(from, range->base,
				     range->size >> PKRAM_GIB_SHIFT);
	} else if (make_region(range->base, range->size)) {
		refusal->reason = TEXT_STILL_RESERVED;
		add_bad(range->base, range->size, refusal->reason);
	}
}

static void drop_one(u64 base, u64 unit, struct pkram_pool_report *report)
{
	struct pkram_range range = { .base = base, .size = unit };
	struct pkram_refusal refusal = {};
	struct pkram_region *from;

	if (pkram_store_drop(base, unit >> PKRAM_GIB_SHIFT, &from, &refusal)) {
		report_refused(report, &refusal);
	} else if (give_range(&range, &refusal)) {
		put_back(&range, from, &refusal);
		report_refused(report, &refusal);
	} else {
		report_taken(report, PKRAM_CMD_POOL_SHRINK_NTF, base, unit);
	}
}

/* GiB of the pool from the top down, those that hold a head after the others */
struct candidates {
	u64 *bases;
	u32 nr;
	u32 max;
	u64 unit;
};

static int count_gib(struct pkram_region *r, void *arg)
{
	*(u32 *)arg += r->h.nr_gib;
	return 0;
}

static int list_gib(struct pkram_region *r, void *arg)
{
	struct candidates *c = arg;
	u32 step = c->unit >> PKRAM_GIB_SHIFT, gib;

	for (gib = 0; gib + step <= r->h.nr_gib && c->nr < c->max; gib += step)
		if (pkram_region_present(r, gib))
			c->bases[c->nr++] = r->h.base +
					    ((u64)gib << PKRAM_GIB_SHIFT);
	return 0;
}

static int shrink_by_number(u32 nr_gib, struct pkram_pool_report *report)
{
	struct candidates c = { .unit = pkram_region_take_unit() };
	u32 i, before;

	pkram_store_walk_regions(count_gib, &c.max);
	c.bases = kvcalloc(max(c.max, 1U), sizeof(*c.bases), GFP_KERNEL);
	if (!c.bases)
		return -ENOMEM;
	pkram_store_walk_regions(list_gib, &c);
	/* Again, as a region that holds the root's record can only go last. */
	do {
		before = report->nr_gib;
		report->nr_refused = 0;
		i = c.nr;
		while (i-- && report->nr_gib < nr_gib &&
		       !fatal_signal_pending(current)) {
			u32 had = report->nr_gib;

			if (!c.bases[i])
				continue;
			drop_one(c.bases[i], c.unit, report);
			if (report->nr_gib > had)
				c.bases[i] = 0;
		}
	} while (report->nr_gib > before && report->nr_gib < nr_gib &&
		 report->nr_refused && !fatal_signal_pending(current));
	kvfree(c.bases);
	return 0;
}

static int shrink_range(u64 base, u64 size, struct pkram_pool_report *report)
{
	struct pkram_range range = { .base = base, .size = size };
	struct pkram_bad_region *b = find_bad(base, size);
	u64 unit = pkram_region_take_unit(), addr;
	struct pkram_refusal refusal = {};
	int err;

	if (b) {
		err = wipe_range(base, size);
		if (err)
			return err;
		forget_bad(base, size);
		if (give_range(&range, &refusal)) {
			refusal.reason = TEXT_TAKEN_BY_NOBODY;
			if (reserve_again(&range)) {
				refusal.reason = TEXT_STILL_RESERVED;
				add_bad(base, size, refusal.reason);
			}
			report_refused(report, &refusal);
		} else {
			report_taken(report, PKRAM_CMD_POOL_SHRINK_NTF, base, size);
		}
		if (list_empty(&bad_regions) && pkram_store_give_up_lost())
			pr_warn("no memory to look for what is free now: it is at the next load\n");
		return 0;
	}
	for (addr = base + size; addr > base && !fatal_signal_pending(current);
	     addr -= unit)
		drop_one(addr - unit, unit, report);
	return 0;
}

int pkram_pool_shrink(u32 nr_gib, u64 base, u64 size,
		      struct pkram_pool_report *report, const char **text)
{
	u64 unit = pkram_region_take_unit(), end;
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
	*text = "no memory for the list of what to give back";
	err = size ? shrink_range(base, size, report) :
		     shrink_by_number(nr_gib, report);
	mutex_unlock(&pool_lock);
	if (!err && !report->nr_gib) {
		*text = "nothing could be given back: no GiB of the pool is unused";
		err = -EBUSY;
	}
	return err;
}
