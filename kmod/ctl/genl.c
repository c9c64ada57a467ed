// SPDX-License-Identifier: GPL-2.0
/*
 * The control plane: generic netlink family "pkram".
 *
 * Operations run in parallel: taking memory can last seconds, and must not
 * hold up every user of generic netlink. The pool and the store have locks of
 * their own; nothing here has a state but that of a dump, in its callback.
 *
 * Every attribute has been checked by a policy of its command before a
 * function here sees it; unknown ones are refused.
 */
#include <linux/bitops.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/pkram.h>
#include <linux/slab.h>
#include <net/netlink.h>
#include "ctl/genl.h"
#include "ctl/priv.h"
#include "handover/handover.h"
#include "pool/pool.h"

#define PHYS_MAX	BIT_ULL(52)		/* of the architecture */
#define CMDLINE_LEN	16384

/* Refusals */

static bool may_see(struct sk_buff *skb)
{
	return netlink_capable(skb, CAP_SYS_ADMIN);
}

static int check_admin(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (may_see(skb))
		return 0;
	NL_SET_ERR_MSG(extack, "this needs root (CAP_SYS_ADMIN)");
	return -EPERM;
}

/* What is nobody's fault has words, too. */
static int fail(struct netlink_ext_ack *extack, int err)
{
	if (err == -ENOMEM)
		NL_SET_ERR_MSG(extack, "out of memory");
	else
		NL_SET_ERR_MSG(extack, "the answer does not fit into a message");
	return err;
}

/* A physical range, as far as the numbers alone can tell. */
static int get_range(struct genl_info *info, u64 *base, u64 *size)
{
	struct nlattr **tb = info->attrs;

	if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_BASE)) {
		GENL_SET_ERR_MSG(info, "the range's base is missing");
		return -EINVAL;
	}
	if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_SIZE)) {
		GENL_SET_ERR_MSG(info, "the range's size is missing");
		return -EINVAL;
	}
	*base = nla_get_u64(tb[PKRAM_A_BASE]);
	*size = nla_get_u64(tb[PKRAM_A_SIZE]);
	if (!IS_ALIGNED(*base, PKRAM_GIB)) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_BASE],
				    "the base is not a multiple of 1 GiB");
		return -EINVAL;
	}
	if (!IS_ALIGNED(*size, PKRAM_GIB)) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_SIZE],
				    "the size is not a multiple of 1 GiB");
		return -EINVAL;
	}
	if (*size > PHYS_MAX - *base) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_SIZE],
				    "the range ends beyond physical memory");
		return -ERANGE;
	}
	return 0;
}

/* Answers */

/* Begins the one answer to a "do"; NULL: out of memory. */
static struct sk_buff *reply_new(struct genl_info *info, size_t size, u8 cmd,
				 void **hdr)
{
	struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put_reply(skb, info, &pkram_genl_family, 0, cmd);
	if (!*hdr) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

static int reply_send(struct genl_info *info, struct sk_buff *skb, void *hdr)
{
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int pool_get(struct sk_buff *req, struct genl_info *info)
{
	struct pkram_pool_info p = {};
	struct sk_buff *skb;
	void *hdr;

	skb = reply_new(info, GENLMSG_DEFAULT_SIZE, PKRAM_CMD_POOL_GET, &hdr);
	if (!skb)
		return fail(info->extack, -ENOMEM);

	pkram_store_info(&p);
	if (p.exists &&
	    (nla_put(skb, PKRAM_A_POOL_UUID, sizeof(p.uuid), p.uuid) ||
	     nla_put_u32(skb, PKRAM_A_FORMAT_VERSION, PKRAM_FORMAT_VERSION)))
		goto err_free;
	if ((p.read_only && nla_put_flag(skb, PKRAM_A_READ_ONLY)) ||
	    nla_put_u32(skb, PKRAM_A_NR_REGIONS, p.nr_regions) ||
	    nla_put_u32(skb, PKRAM_A_NR_OBJECTS, p.nr_objects) ||
	    nla_put_u32(skb, PKRAM_A_NR_QUARANTINED, p.nr_quarantined) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, p.bytes) ||
	    pkram_genl_put_u64(skb, PKRAM_A_FREE, p.free) ||
	    pkram_genl_put_u64(skb, PKRAM_A_META, p.meta) ||
	    pkram_genl_put_u64(skb, PKRAM_A_PENDING, p.pending) ||
	    nla_put_u32(skb, PKRAM_A_GIB_1G, p.gib_1g) ||
	    nla_put_u32(skb, PKRAM_A_GIB_2M, p.gib_2m))
		goto err_free;
	return reply_send(info, skb, hdr);

err_free:
	nlmsg_free(skb);
	return fail(info->extack, -EMSGSIZE);
}

static int handover_get(struct sk_buff *req, struct genl_info *info)
{
	char *cmdline = NULL;
	struct sk_buff *skb;
	void *hdr;
	int err;

	/* It is made of physical addresses. */
	if (may_see(req)) {
		cmdline = kvzalloc(CMDLINE_LEN, GFP_KERNEL);
		if (!cmdline)
			return fail(info->extack, -ENOMEM);
		err = pkram_handover_cmdline(cmdline, CMDLINE_LEN);
		if (err < 0) {
			GENL_SET_ERR_MSG(info, "more ranges than a command line can name");
			goto out_free;
		}
	}

	skb = reply_new(info, GENLMSG_DEFAULT_SIZE +
			      (cmdline ? strlen(cmdline) : 0),
			PKRAM_CMD_HANDOVER_GET, &hdr);
	if (!skb) {
		err = fail(info->extack, -ENOMEM);
		goto out_free;
	}
	if (nla_put_u32(skb, PKRAM_A_HANDOVER_MODE, pkram_handover_mode()) ||
	    (cmdline && *cmdline &&
	     nla_put_string(skb, PKRAM_A_CMDLINE, cmdline)) ||
	    (pkram_handover_guarded() &&
	     nla_put_flag(skb, PKRAM_A_KEXEC_GUARD)) ||
	    (pkram_handover_image_loaded() &&
	     nla_put_flag(skb, PKRAM_A_KEXEC_LOADED))) {
		nlmsg_free(skb);
		err = fail(info->extack, -EMSGSIZE);
		goto out_free;
	}
	err = reply_send(info, skb, hdr);
out_free:
	kvfree(cmdline);
	return err;
}

/* Growing and shrinking */

static size_t range_size(void)
{
	return nla_total_size(2 * nla_total_size_64bit(sizeof(u64)));
}

static size_t refusal_size(const struct pkram_refusal *f)
{
	return range_size() + nla_total_size(sizeof(u32)) +
	       nla_total_size(strlen(f->reason ?: "") + 1);
}

static int put_range(struct sk_buff *skb, const struct pkram_range *r)
{
	struct nlattr *nest = nla_nest_start(skb, PKRAM_A_TAKEN);

	if (!nest)
		return -EMSGSIZE;
	if (pkram_genl_put_u64(skb, PKRAM_A_BASE, r->base) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, r->size)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_refusal(struct sk_buff *skb, const struct pkram_refusal *f)
{
	struct nlattr *nest = nla_nest_start(skb, PKRAM_A_REFUSED);

	if (!nest)
		return -EMSGSIZE;
	if (pkram_genl_put_u64(skb, PKRAM_A_BASE, f->base) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, f->size) ||
	    nla_put_u32(skb, PKRAM_A_ERRNO, -f->err) ||
	    nla_put_string(skb, PKRAM_A_REASON, f->reason ?: "")) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * What was done is done: where there is no memory for the whole report, the
 * answer holds as much of it as fits, the number of GiB first.
 */
static int reply_report(struct genl_info *info, u8 cmd,
			const struct pkram_pool_report *report)
{
	u32 nr_taken = min_t(u32, report->nr_taken, ARRAY_SIZE(report->taken));
	u32 nr_refused = min_t(u32, report->nr_refused,
			       ARRAY_SIZE(report->refused));
	size_t size = nla_total_size(sizeof(u32)) + nr_taken * range_size();
	struct sk_buff *skb;
	void *hdr;
	u32 i;

	for (i = 0; i < nr_refused; i++)
		size += refusal_size(&report->refused[i]);
	skb = reply_new(info, size, cmd, &hdr);
	if (!skb)
		skb = reply_new(info, GENLMSG_DEFAULT_SIZE, cmd, &hdr);
	if (!skb)
		return fail(info->extack, -ENOMEM);

	if (nla_put_u32(skb, PKRAM_A_GIB, report->nr_gib)) {
		nlmsg_free(skb);
		return fail(info->extack, -EMSGSIZE);
	}
	for (i = 0; i < nr_taken; i++) {
		if (put_range(skb, &report->taken[i]))
			break;
	}
	for (i = 0; i < nr_refused; i++) {
		if (put_refusal(skb, &report->refused[i]))
			break;
	}
	return reply_send(info, skb, hdr);
}

/*
 * What was tried in vain is told first, then the error. The words for it are the
 * pool's, else those for the first that was tried.
 */
static int refuse_report(struct genl_info *info, u8 cmd, int err,
			 const char *text,
			 const struct pkram_pool_report *report)
{
	if (report->nr_refused)
		reply_report(info, cmd, report);
	if (!text && report->nr_refused)
		text = report->refused[0].reason;
	if (!text)
		text = err == -ENOMEM ? "out of memory" : "it failed";
	if (info->extack)
		info->extack->_msg = text;	/* lives as long as the module */
	return err;
}

static struct pkram_pool_report *report_new(void)
{
	return kvzalloc(sizeof(struct pkram_pool_report), GFP_KERNEL);
}

static int region_add(struct sk_buff *req, struct genl_info *info)
{
	struct nlattr **tb = info->attrs;
	struct pkram_pool_report *report;
	const char *text = NULL;
	int node = PKRAM_NO_NODE;
	int err;

	err = check_admin(req, info->extack);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_GIB)) {
		GENL_SET_ERR_MSG(info, "the number of GiB is missing");
		return -EINVAL;
	}
	if (tb[PKRAM_A_NODE]) {
		node = nla_get_u32(tb[PKRAM_A_NODE]);
		if (!node_online(node)) {
			NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_NODE],
					    "there is no such NUMA node");
			return -EINVAL;
		}
	}

	report = report_new();
	if (!report)
		return fail(info->extack, -ENOMEM);
	err = pkram_pool_grow(nla_get_u32(tb[PKRAM_A_GIB]), node, report,
			      &text);
	if (err)
		err = refuse_report(info, PKRAM_CMD_POOL_GROW, err, text,
				    report);
	else
		err = reply_report(info, PKRAM_CMD_POOL_GROW, report);
	kvfree(report);
	return err;
}

static int region_adopt(struct sk_buff *req, struct genl_info *info)
{
	struct pkram_pool_report *report;
	const char *text = NULL;
	u64 base, size;
	int err;

	err = check_admin(req, info->extack);
	if (err)
		return err;
	err = get_range(info, &base, &size);
	if (err)
		return err;

	report = report_new();
	if (!report)
		return fail(info->extack, -ENOMEM);
	err = pkram_pool_adopt(base, size,
			       nla_get_flag(info->attrs[PKRAM_A_FORMAT]),
			       report, &text);
	if (err)
		err = refuse_report(info, PKRAM_CMD_POOL_ADOPT, err, text,
				    report);
	else
		err = reply_report(info, PKRAM_CMD_POOL_ADOPT, report);
	kvfree(report);
	return err;
}

static int region_del(struct sk_buff *req, struct genl_info *info)
{
	struct nlattr **tb = info->attrs;
	struct pkram_pool_report *report;
	const char *text = NULL;
	u64 base = 0, size = 0;
	u32 nr_gib = 0;
	int err;

	err = check_admin(req, info->extack);
	if (err)
		return err;
	if (tb[PKRAM_A_BASE] || tb[PKRAM_A_SIZE]) {
		if (tb[PKRAM_A_GIB]) {
			NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_GIB],
					    "either a number of GiB or a range, not both");
			return -EINVAL;
		}
		err = get_range(info, &base, &size);
		if (err)
			return err;
	} else {
		if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_GIB)) {
			GENL_SET_ERR_MSG(info, "either a number of GiB or a range is needed");
			return -EINVAL;
		}
		nr_gib = nla_get_u32(tb[PKRAM_A_GIB]);
	}

	report = report_new();
	if (!report)
		return fail(info->extack, -ENOMEM);
	err = pkram_pool_shrink(nr_gib, base, size, report, &text);
	if (err)
		err = refuse_report(info, PKRAM_CMD_POOL_SHRINK, err, text,
				    report);
	else
		err = reply_report(info, PKRAM_CMD_POOL_SHRINK, report);
	kvfree(report);
	return err;
}

/* Objects */

static int object_discard(struct sk_buff *req, struct genl_info *info)
{
	struct nlattr *key = info->attrs[PKRAM_A_OBJECT_KEY];
	int err;

	err = check_admin(req, info->extack);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_OBJECT_KEY)) {
		GENL_SET_ERR_MSG(info, "the object's key is missing");
		return -EINVAL;
	}

	err = pkram_store_discard(nla_get_u64(key));
	switch (err) {
	case 0:
		return 0;
	case -ENOENT:
		NL_SET_ERR_MSG_ATTR(info->extack, key,
				    "no object has this key");
		break;
	case -EINVAL:
		NL_SET_ERR_MSG_ATTR(info->extack, key,
				    "the object is not quarantined: remove it by its name");
		break;
	case -EROFS:
		GENL_SET_ERR_MSG(info, "the pool is read-only");
		break;
	case -ENOMEM:
		GENL_SET_ERR_MSG(info, "out of memory: what it held is free at the next load");
		break;
	default:
		GENL_SET_ERR_MSG(info, "the object cannot be discarded");
		break;
	}
	return err;
}

static int dma_table_remove(struct sk_buff *req, struct genl_info *info)
{
	struct nlattr *key = info->attrs[PKRAM_A_OBJECT_KEY];
	int err;

	err = check_admin(req, info->extack);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_OBJECT_KEY)) {
		GENL_SET_ERR_MSG(info, "the container's key is missing");
		return -EINVAL;
	}

	err = pkram_store_discard_dma_table(nla_get_u64(key));
	switch (err) {
	case 0:
		return 0;
	case -ENOENT:
		NL_SET_ERR_MSG_ATTR(info->extack, key,
				    "no container has this key");
		break;
	case -EBUSY:
		NL_SET_ERR_MSG_ATTR(info->extack, key,
				    "the container is in use: it goes with the program that has it");
		break;
	default:
		GENL_SET_ERR_MSG(info, "the pool is read-only");
		break;
	}
	return err;
}

/* Dumps */

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

static int region_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct region_walk w = { .skb = skb, .cb = cb };
	struct dump *d = dump_state(cb);
	int err = 0;

	cb->seq = pkram_store_epoch();
	if (!d->begun) {
		d->see = may_see(cb->skb);
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
static int object_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = 2 * PATH_MAX;
	return 0;
}

static int object_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct object_put p = { .skb = skb, .cb = cb };
	struct dump *d = dump_state(cb);
	struct pkram_object *obj;
	int err = 0;

	cb->seq = pkram_store_epoch();
	/* Here and not at the start, where 6.1 has no extack yet. */
	if (!d->begun) {
		err = check_admin(cb->skb, cb->extack);
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

static int dma_table_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct object_put p = { .skb = skb, .cb = cb };
	struct dump *d = dump_state(cb);
	struct pkram_object *obj;
	int err = 0;

	cb->seq = pkram_store_epoch() + d->changes;
	if (!d->begun) {
		err = check_admin(cb->skb, cb->extack);
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

/* The family */

static struct netlink_range_validation gib_range __ro_after_init = {
	.min = 1, .max = PHYS_MAX >> PKRAM_GIB_SHIFT,
};

static struct netlink_range_validation base_range __ro_after_init = {
	.max = PHYS_MAX - PKRAM_GIB,
};

static struct netlink_range_validation size_range __ro_after_init = {
	.min = PKRAM_GIB, .max = PHYS_MAX,
};

static const struct nla_policy pool_grow_policy[] = {
	[PKRAM_A_GIB] = NLA_POLICY_FULL_RANGE(NLA_U32, &gib_range),
	[PKRAM_A_NODE] = NLA_POLICY_MAX(NLA_U32, MAX_NUMNODES - 1),
};

static const struct nla_policy pool_adopt_policy[] = {
	[PKRAM_A_BASE] = NLA_POLICY_FULL_RANGE(NLA_U64, &base_range),
	[PKRAM_A_SIZE] = NLA_POLICY_FULL_RANGE(NLA_U64, &size_range),
	[PKRAM_A_FORMAT] = { .type = NLA_FLAG },
};

static const struct nla_policy pool_shrink_policy[] = {
	[PKRAM_A_GIB] = NLA_POLICY_FULL_RANGE(NLA_U32, &gib_range),
	[PKRAM_A_BASE] = NLA_POLICY_FULL_RANGE(NLA_U64, &base_range),
	[PKRAM_A_SIZE] = NLA_POLICY_FULL_RANGE(NLA_U64, &size_range),
};

static const struct nla_policy object_discard_policy[] = {
	[PKRAM_A_OBJECT_KEY] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy dma_table_remove_policy[] = {
	[PKRAM_A_OBJECT_KEY] = NLA_POLICY_MIN(NLA_U64, 1),
};

/*
 * A command without a policy takes no attributes. The commands that change
 * something check for CAP_SYS_ADMIN themselves: GENL_ADMIN_PERM would ask for
 * CAP_NET_ADMIN, and say nothing.
 */
static const struct genl_ops ops[] = {
	{
		.cmd = PKRAM_CMD_POOL_GET,
		.doit = pool_get,
	}, {
		.cmd = PKRAM_CMD_REGION_GET,
		.dumpit = region_dump,
	}, {
		.cmd = PKRAM_CMD_POOL_GROW,
		.doit = region_add,
		.policy = pool_grow_policy,
		.maxattr = ARRAY_SIZE(pool_grow_policy) - 1,
	}, {
		.cmd = PKRAM_CMD_POOL_ADOPT,
		.doit = region_adopt,
		.policy = pool_adopt_policy,
		.maxattr = ARRAY_SIZE(pool_adopt_policy) - 1,
	}, {
		.cmd = PKRAM_CMD_POOL_SHRINK,
		.doit = region_del,
		.policy = pool_shrink_policy,
		.maxattr = ARRAY_SIZE(pool_shrink_policy) - 1,
	}, {
		.cmd = PKRAM_CMD_OBJECT_GET,
		.start = object_dump_start,
		.dumpit = object_dump,
	}, {
		.cmd = PKRAM_CMD_OBJECT_DISCARD,
		.doit = object_discard,
		.policy = object_discard_policy,
		.maxattr = ARRAY_SIZE(object_discard_policy) - 1,
	}, {
		.cmd = PKRAM_CMD_HANDOVER_GET,
		.doit = handover_get,
	}, {
		.cmd = PKRAM_CMD_DMA_TABLE_GET,
		.start = object_dump_start,
		.dumpit = dma_table_dump,
	}, {
		.cmd = PKRAM_CMD_DMA_TABLE_REMOVE,
		.doit = dma_table_remove,
		.policy = dma_table_remove_policy,
		.maxattr = ARRAY_SIZE(dma_table_remove_policy) - 1,
	},
};

/* Only who may list the objects hears of them. */
static const struct genl_multicast_group groups[] = {
	[PKRAM_GENL_EVENTS] = {
		.name = PKRAM_GENL_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

/* Memory belongs to no network namespace: the initial one alone has this. */
struct genl_family pkram_genl_family __ro_after_init = {
	.name = PKRAM_GENL_NAME,
	.version = PKRAM_GENL_VERSION,
	.netnsok = false,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int __init pkram_genl_init(void)
{
	int err = genl_register_family(&pkram_genl_family);

	if (!err)
		pkram_event_set(pkram_genl_send_event);
	return err;
}

void pkram_genl_exit(void)
{
	pkram_event_set(NULL);
	genl_unregister_family(&pkram_genl_family);
}
