// SPDX-License-Identifier: GPL-2.0
/* The control plane: dumps of regions, objects and DMA tables. */
#include <linux/bitops.h>
#include <linux/limits.h>
#include <linux/pkram.h>
#include "ctl/priv.h"
#include "pool/pool.h"

/**
 * struct dump - where a dump is, in its callback
 * @next: go on at this address, or after this key
 * @begun: the rights of who asked have been looked at
 * @see: physical addresses may be told
 * @bad: all regions are told, the unusable ranges follow
 * @entry: of a container: mappings that were told, the rest follows
 * @key: of that container
 * @seq: of its record then
 * @changes: how often it was another when it went on
 *
 * An object that is there from the begin to the end of a dump is told once,
 * whatever comes and goes meanwhile. When regions change, what was told may be
 * out of date: then the rest is marked NLM_F_DUMP_INTR, also of objects, as all
 * of them are made anew when a region is attached.
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

static void *dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &pkram_genl_family,
				NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

struct region_walk {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct pkram_bad_region lowest;
};

static u64 region_bytes(const struct pkram_region *r)
{
	u64 gib = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(r->h.present); i++)
		gib += hweight64(r->h.present[i]);
	return gib << PKRAM_GIB_SHIFT;
}

static u32 region_slices(const struct pkram_region *r, unsigned int slice)
{
	u32 nr = 0, gib;

	for (gib = 0; gib < r->h.nr_gib; gib++)
		nr += pkram_region_slice(r, gib) == slice;
	return nr;
}

static int region_put(struct pkram_region *r, void *arg)
{
	struct region_walk *w = arg;
	struct dump *d = dump_state(w->cb);
	u64 meta = (1 + (u64)r->h.nr_meta) << PKRAM_UNIT_SHIFT;
	struct sk_buff *skb = w->skb;
	void *hdr;

	if (r->h.base < d->next)
		return 0;
	hdr = dump_put(skb, w->cb, PKRAM_CMD_REGION_GET);
	if (!hdr)
		return -EMSGSIZE;
	if ((d->see && pkram_genl_put_u64(skb, PKRAM_A_BASE, r->h.base)) ||
	    nla_put_u32(skb, PKRAM_A_GIB, r->h.nr_gib) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, region_bytes(r)) ||
	    nla_put(skb, PKRAM_A_REGION_UUID, sizeof(r->h.region_uuid),
		    r->h.region_uuid) ||
	    nla_put_u32(skb, PKRAM_A_FORMAT_VERSION, r->h.version) ||
	    (r->nid >= 0 && nla_put_u32(skb, PKRAM_A_NODE, r->nid)) ||
	    (r->read_only && nla_put_flag(skb, PKRAM_A_READ_ONLY)) ||
	    pkram_genl_put_u64(skb, PKRAM_A_FREE, pkram_store_region_free(r)) ||
	    pkram_genl_put_u64(skb, PKRAM_A_META, meta) ||
	    nla_put_u32(skb, PKRAM_A_GIB_1G,
			region_slices(r, PKRAM_SLICE_1G)) ||
	    nla_put_u32(skb, PKRAM_A_GIB_2M,
			region_slices(r, PKRAM_SLICE_2M))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	d->next = r->h.base + 1;
	return 0;
}

/* The lowest unusable range that has not been told yet; they have no order. */
static int bad_pick(const struct pkram_bad_region *b, void *arg)
{
	struct region_walk *w = arg;

	if (b->range.base >= dump_state(w->cb)->next &&
	    (!w->lowest.reason || b->range.base < w->lowest.range.base)) {
		w->lowest.range = b->range;
		w->lowest.reason = b->reason;
	}
	return 0;
}

/* Return: 1 put, 0 there is none left, -EMSGSIZE */
static int bad_put_next(struct region_walk *w)
{
	struct dump *d = dump_state(w->cb);
	struct sk_buff *skb = w->skb;
	void *hdr;

	w->lowest.reason = NULL;
	pkram_pool_walk_bad(bad_pick, w);
	if (!w->lowest.reason)
		return 0;
	hdr = dump_put(skb, w->cb, PKRAM_CMD_REGION_GET);
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

int pkram_genl_region_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct region_walk w = { .skb = skb, .cb = cb };
	struct dump *d = dump_state(cb);
	int err = 0;

	cb->seq = pkram_store_epoch();
	if (!d->begun) {
		d->see = pkram_genl_is_admin(cb->skb);
		d->begun = true;
	}
	if (!d->bad) {
		err = pkram_store_walk_regions(region_put, &w);
		if (!err) {
			d->bad = true;
			d->next = 0;
		}
	}
	if (d->bad) {
		do {
			err = bad_put_next(&w);
		} while (err > 0);
	}
	return skb->len ?: err;
}

struct object_put {
	struct sk_buff *skb;
	struct netlink_callback *cb;
};

/* Under the store's lock: an object is told as it is at one moment. */
static int object_put(struct pkram_object *obj, void *arg)
{
	struct object_put *p = arg;
	void *hdr = dump_put(p->skb, p->cb, PKRAM_CMD_OBJECT_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (pkram_genl_put_object(p->skb, obj)) {
		genlmsg_cancel(p->skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(p->skb, hdr);
	return 0;
}

/* One message holds a path of any length that a name is told with. */
int pkram_genl_object_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = 2 * PATH_MAX;
	return 0;
}

int pkram_genl_object_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct object_put p = { .skb = skb, .cb = cb };
	struct dump *d = dump_state(cb);
	struct pkram_object *obj;
	int err = 0;

	cb->seq = pkram_store_epoch();
	/* Here and not at the start, where 6.1 has no extack yet. */
	if (!d->begun) {
		err = pkram_genl_check_admin(cb->skb, cb->extack);
		if (err)
			return err;
		d->begun = true;
	}

	while (!err && (obj = pkram_store_next_object(d->next))) {
		/* The root is no object of the user's, and is not counted. */
		if (obj->key != PKRAM_ROOT_ID &&
		    obj->rec.kind != PKRAM_KIND_DMA_TABLE)
			err = pkram_store_look(obj, object_put, &p);
		if (!err)
			d->next = obj->key;
		pkram_object_put(obj);
	}
	return skb->len ?: err;
}

/* As many of its mappings as fit; all that is left in messages that follow. */
static int put_entries(struct sk_buff *skb, struct dump *d,
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

/* Under the store's lock. Return: 0; 1 there is more of it; -EMSGSIZE */
static int dma_table_put(struct pkram_object *obj, void *arg)
{
	struct object_put *p = arg;
	struct dump *d = dump_state(p->cb);
	void *hdr;
	int ret;

	if (d->entry && (d->key != obj->key || d->seq != obj->rec.seq)) {
		d->changes++;
		p->cb->seq++;
		d->entry = 0;
	}
	hdr = dump_put(p->skb, p->cb, PKRAM_CMD_DMA_TABLE_GET);
	if (!hdr)
		return -EMSGSIZE;
	ret = pkram_genl_put_dma_table(p->skb, obj);
	if (!ret)
		ret = put_entries(p->skb, d, &obj->rec);
	if (ret < 0) {
		genlmsg_cancel(p->skb, hdr);
		return ret;
	}
	genlmsg_end(p->skb, hdr);
	d->key = obj->key;
	d->seq = obj->rec.seq;
	return ret;
}

int pkram_genl_dma_table_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct object_put p = { .skb = skb, .cb = cb };
	struct dump *d = dump_state(cb);
	struct pkram_object *obj;
	int err = 0;

	cb->seq = pkram_store_epoch() + d->changes;
	if (!d->begun) {
		err = pkram_genl_check_admin(cb->skb, cb->extack);
		if (err)
			return err;
		d->begun = true;
	}

	while (!err && (obj = pkram_store_next_dma_table(d->next))) {
		err = pkram_store_look(obj, dma_table_put, &p);
		if (!err)
			d->next = obj->key;
		pkram_object_put(obj);
	}
	return skb->len ?: err;
}
