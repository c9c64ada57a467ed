// SPDX-License-Identifier: GPL-2.0
/* The control plane: dumps of regions, objects and DMA tables. */
#include <linux/bitops.h>
#include <linux/limits.h>
#include "ctl/priv.h"
#include "mem/bad.h"
#include "mem/region.h"
#include "pool/quarantine.h"
#include "store/dma_table.h"
#include "store/lost.h"
#include "store/names.h"
#include "store/objects.h"
#include "store/regions.h"

/* So that they fit into a message beside the longest path */
#define DUMP_BAD_RANGES		64

/**
 * struct dump - state of a dump, kept in its callback
 * @next: continue at this address, or after this key
 * @begun: the rights of the sender were checked
 * @see: the sender may see physical addresses
 * @bad: all regions were put, the quarantined ranges follow
 * @entry: of a DMA table: number of mappings that were put, the rest follows
 * @key: of that DMA table
 * @seq: of its record at that time
 * @changes: how often the DMA table had changed when the dump continued
 *
 * An object that exists from the start to the end of a dump is put once, even if
 * others are created or removed meanwhile. When regions change, the messages that
 * were sent may be out of date: then the rest is marked NLM_F_DUMP_INTR, also of
 * objects, because attaching a region loads all objects again.
 */
struct dump {
	u64 next;
	bool begun;
	bool see;
	bool bad;
	u32 entry;
	u64 key;
	u64 seq;
	u32 changes;
};

static struct dump *dump_state(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct dump) > sizeof(cb->ctx));
	return (struct dump *)cb->ctx;
}

static void *dump_message(struct sk_buff *skb, struct netlink_callback *cb,
			  u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &pkram_genl_family,
				NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

/* Not in the start callback, in which 6.1 has no extack yet */
static int dump_check_admin(struct netlink_callback *cb)
{
	struct dump *d = dump_state(cb);
	int err = 0;

	if (!d->begun)
		err = pkram_genl_check_admin(cb->skb, cb->extack);
	d->begun = true;
	return err;
}

/* Bad pages */

/* @attr: PKRAM_A_BASE of a region, PKRAM_A_OFFSET of an object */
static int dump_bad_range(struct sk_buff *skb, int attr, u64 start, u64 size)
{
	struct nlattr *nest = nla_nest_start(skb, PKRAM_A_BAD_RANGE);

	if (!nest)
		return -EMSGSIZE;
	if (pkram_genl_put_u64(skb, attr, start) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, size))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int dump_nr_bad(struct sk_buff *skb, u32 nr)
{
	return nr ? nla_put_u32(skb, PKRAM_A_NR_BAD_PAGES, nr) : 0;
}

static int dump_bad_of_region(struct sk_buff *skb, struct pkram_region *r, bool see)
{
	u32 units = r->h.nr_gib * PKRAM_GIB_UNITS, end = units * PKRAM_UNIT_PAGES;
	u32 page = 0, nr, n;

	if (dump_nr_bad(skb, pkram_bad_count(r, 0, units)))
		return -EMSGSIZE;
	for (n = 0; see && n < DUMP_BAD_RANGES; n++, page += nr) {
		page = pkram_bad_next(r, page, end, &nr);
		if (!nr)
			break;
		if (dump_bad_range(skb, PKRAM_A_BASE, r->h.base + (u64)page * PKRAM_BAD_PAGE,
				   (u64)nr * PKRAM_BAD_PAGE))
			return -EMSGSIZE;
	}
	return 0;
}

static int dump_bad_of_object(struct sk_buff *skb, struct pkram_object *obj)
{
	u64 offset, len;
	u32 nr = 0, n = 0;

	for (offset = 0; pkram_store_next_lost(obj, &offset, &len); offset += len) {
		nr += len / PKRAM_BAD_PAGE;
		if (n++ < DUMP_BAD_RANGES && dump_bad_range(skb, PKRAM_A_OFFSET, offset, len))
			return -EMSGSIZE;
	}
	return dump_nr_bad(skb, nr);
}

/* Regions */

struct dump_regions {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct pkram_quarantine lowest;
};

static u64 dump_region_bytes(const struct pkram_region *r)
{
	u64 gib = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(r->h.present); i++)
		gib += hweight64(r->h.present[i]);
	return gib << PKRAM_GIB_SHIFT;
}

static u32 dump_region_slices(const struct pkram_region *r, unsigned int slice)
{
	u32 nr = 0, gib;

	for (gib = 0; gib < r->h.nr_gib; gib++)
		nr += pkram_region_slice(r, gib) == slice;
	return nr;
}

static int dump_region(struct pkram_region *r, void *arg)
{
	struct dump_regions *w = arg;
	struct dump *d = dump_state(w->cb);
	u64 meta = (1 + (u64)r->h.nr_meta) << PKRAM_UNIT_SHIFT;
	struct sk_buff *skb = w->skb;
	void *hdr;

	if (r->h.base < d->next)
		return 0;
	hdr = dump_message(skb, w->cb, PKRAM_CMD_REGION_GET);
	if (!hdr)
		return -EMSGSIZE;
	if ((d->see && pkram_genl_put_u64(skb, PKRAM_A_BASE, r->h.base)) ||
	    nla_put_u32(skb, PKRAM_A_GIB, r->h.nr_gib) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, dump_region_bytes(r)) ||
	    nla_put(skb, PKRAM_A_REGION_UUID, sizeof(r->h.region_uuid),
		    r->h.region_uuid) ||
	    nla_put_u32(skb, PKRAM_A_FORMAT_VERSION, r->h.version) ||
	    (r->nid >= 0 && nla_put_u32(skb, PKRAM_A_NODE, r->nid)) ||
	    (r->read_only && nla_put_flag(skb, PKRAM_A_READ_ONLY)) ||
	    pkram_genl_put_u64(skb, PKRAM_A_FREE, pkram_store_region_free(r)) ||
	    pkram_genl_put_u64(skb, PKRAM_A_META, meta) ||
	    nla_put_u32(skb, PKRAM_A_GIB_1G,
			dump_region_slices(r, PKRAM_SLICE_1G)) ||
	    nla_put_u32(skb, PKRAM_A_GIB_2M,
			dump_region_slices(r, PKRAM_SLICE_2M)) ||
	    dump_bad_of_region(skb, r, d->see)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	d->next = r->h.base + 1;
	return 0;
}

/* Find the lowest quarantined range that was not put yet; their list is not sorted. */
static int dump_pick_bad(const struct pkram_quarantine *b, void *arg)
{
	struct dump_regions *w = arg;

	if (b->range.base >= dump_state(w->cb)->next &&
	    (!w->lowest.reason || b->range.base < w->lowest.range.base)) {
		w->lowest.range = b->range;
		w->lowest.reason = b->reason;
	}
	return 0;
}

/* Return: 1: one was put; 0: none is left; -EMSGSIZE */
static int dump_next_bad(struct dump_regions *w)
{
	struct dump *d = dump_state(w->cb);
	struct sk_buff *skb = w->skb;
	void *hdr;

	w->lowest.reason = NULL;
	pkram_quarantine_walk(dump_pick_bad, w);
	if (!w->lowest.reason)
		return 0;
	hdr = dump_message(skb, w->cb, PKRAM_CMD_REGION_GET);
	if (!hdr)
		return -EMSGSIZE;
	if ((d->see && pkram_genl_put_u64(skb, PKRAM_A_BASE, w->lowest.range.base)) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, w->lowest.range.size) ||
	    nla_put_string(skb, PKRAM_A_QUARANTINE, w->lowest.reason)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	d->next = w->lowest.range.base + 1;
	return 1;
}

int pkram_nl_region_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_regions w = { .skb = skb, .cb = cb };
	struct dump *d = dump_state(cb);
	int err = 0;

	cb->seq = pkram_store_epoch();
	if (!d->begun) {
		d->see = pkram_genl_is_admin(cb->skb);
		d->begun = true;
	}
	if (!d->bad) {
		err = pkram_store_walk_regions(dump_region, &w);
		if (!err) {
			d->bad = true;
			d->next = 0;
		}
	}
	if (d->bad) {
		do {
			err = dump_next_bad(&w);
		} while (err > 0);
	}
	return skb->len ?: err;
}

/* Objects */

struct dump_objects {
	struct sk_buff *skb;
	struct netlink_callback *cb;
};

/* Called under the store's lock, so that the attributes are consistent */
static int dump_object(struct pkram_object *obj, void *arg)
{
	struct dump_objects *p = arg;
	void *hdr = dump_message(p->skb, p->cb, PKRAM_CMD_OBJECT_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (pkram_genl_put_object(p->skb, obj) || dump_bad_of_object(p->skb, obj)) {
		genlmsg_cancel(p->skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(p->skb, hdr);
	return 0;
}

/* One message must have space for the longest path that is put. */
int pkram_nl_objects_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = 2 * PATH_MAX;
	return 0;
}

int pkram_nl_object_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_objects p = { .skb = skb, .cb = cb };
	struct dump *d = dump_state(cb);
	struct pkram_object *obj;
	int err;

	cb->seq = pkram_store_epoch();
	err = dump_check_admin(cb);
	if (err)
		return err;

	while (!err && (obj = pkram_store_next_object(d->next))) {
		/* The root is not an object of the user, and is not counted. */
		if (obj->key != PKRAM_ROOT_ID &&
		    obj->rec.kind != PKRAM_KIND_DMA_TABLE)
			err = pkram_store_look(obj, dump_object, &p);
		if (!err)
			d->next = obj->key;
		pkram_object_put(obj);
	}
	return skb->len ?: err;
}

/* DMA tables */

/* Put as many mappings as fit. Return: 0: all; 1: some are left; -EMSGSIZE */
static int dump_entries(struct sk_buff *skb, struct dump *d,
			const struct pkram_record *rec)
{
	u32 begin = d->entry;

	while (d->entry < rec->nr_entries) {
		if (pkram_genl_put_entry(skb, &rec->entries[d->entry]))
			return d->entry == begin ? -EMSGSIZE : 1;
		d->entry++;
	}
	d->entry = 0;
	return 0;
}

/* Called under the store's lock. Return: as dump_entries() */
static int dump_dma_table(struct pkram_object *obj, void *arg)
{
	struct dump_objects *p = arg;
	struct dump *d = dump_state(p->cb);
	void *hdr;
	int ret;

	if (d->entry && (d->key != obj->key || d->seq != obj->rec.seq)) {
		d->changes++;
		p->cb->seq++;
		d->entry = 0;
	}
	hdr = dump_message(p->skb, p->cb, PKRAM_CMD_DMA_TABLE_GET);
	if (!hdr)
		return -EMSGSIZE;
	ret = pkram_genl_put_dma_table(p->skb, obj);
	if (!ret)
		ret = dump_entries(p->skb, d, &obj->rec);
	if (ret < 0) {
		genlmsg_cancel(p->skb, hdr);
		return ret;
	}
	genlmsg_end(p->skb, hdr);
	d->key = obj->key;
	d->seq = obj->rec.seq;
	return ret;
}

int pkram_nl_dma_table_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb)
{
	struct dump_objects p = { .skb = skb, .cb = cb };
	struct dump *d = dump_state(cb);
	struct pkram_object *obj;
	int err;

	cb->seq = pkram_store_epoch() + d->changes;
	err = dump_check_admin(cb);
	if (err)
		return err;

	while (!err && (obj = pkram_store_next_dma_table(d->next))) {
		err = pkram_store_look(obj, dump_dma_table, &p);
		if (!err)
			d->next = obj->key;
		pkram_object_put(obj);
	}
	return skb->len ?: err;
}
