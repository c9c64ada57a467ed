// SPDX-License-Identifier: GPL-2.0
/*
 * The control plane: generic netlink family "pkram".
 *
 * Operations run in parallel: taking memory can last seconds and must not delay
 * all users of generic netlink. The pool and the store have their own locks; only
 * dumps have state here, in their callbacks.
 *
 * The table of operations and the policies are generated from uapi/pkram.yaml.
 * Attributes were checked against the policy of their command before a function
 * here sees them, and unknown ones were refused.
 */
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/pkram.h>
#include <linux/slab.h>
#include <net/netlink.h>
#include "compat/genl.h"
#include "ctl/genl.h"
#include "ctl/priv.h"
#include "event/count.h"
#include "handover/guard.h"
#include "handover/handover.h"
#include "pool/pool.h"
#include "store/discard.h"
#include "store/dma_table.h"
#include "store/store.h"

#define GENL_PHYS_MAX		BIT_ULL(52)	/* of the architecture */
#define GENL_CMDLINE_LEN	16384

/* Refusals */

bool pkram_genl_is_admin(struct sk_buff *skb)
{
	return netlink_capable(skb, CAP_SYS_ADMIN);
}

int pkram_genl_check_admin(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (pkram_genl_is_admin(skb))
		return 0;
	NL_SET_ERR_MSG(extack, "this needs root (CAP_SYS_ADMIN)");
	return -EPERM;
}

/* Failures that the request did not cause have a text, too. */
static int genl_fail(struct netlink_ext_ack *extack, int err)
{
	if (err == -ENOMEM)
		NL_SET_ERR_MSG(extack, "out of memory");
	else
		NL_SET_ERR_MSG(extack, "the reply does not fit into a message");
	return err;
}

/* Read a physical range and check what can be checked without the pool. */
static int genl_range(struct genl_info *info, u64 *base, u64 *size)
{
	struct nlattr **tb = info->attrs;

	if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_BASE)) {
		GENL_SET_ERR_MSG(info, "the range's base is missing: name base and size");
		return -EINVAL;
	}
	if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_SIZE)) {
		GENL_SET_ERR_MSG(info, "the range's size is missing: name base and size");
		return -EINVAL;
	}
	*base = nla_get_u64(tb[PKRAM_A_BASE]);
	*size = nla_get_u64(tb[PKRAM_A_SIZE]);
	if (!IS_ALIGNED(*base, PKRAM_GIB)) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_BASE],
				    "the base is not a multiple of 1 GiB: name whole GiB");
		return -EINVAL;
	}
	if (!IS_ALIGNED(*size, PKRAM_GIB)) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_SIZE],
				    "the size is not a multiple of 1 GiB: name whole GiB");
		return -EINVAL;
	}
	if (*size > GENL_PHYS_MAX - *base) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_SIZE],
				    "the range ends beyond physical memory: correct base or size");
		return -ERANGE;
	}
	return 0;
}

/* Replies */

/* Allocate the only reply to a "do". Return: message; NULL: out of memory */
static struct sk_buff *genl_reply_new(struct genl_info *info, size_t size,
				      u8 cmd, void **hdr)
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

static int genl_reply_send(struct genl_info *info, struct sk_buff *skb,
			   void *hdr)
{
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

int pkram_nl_pool_get_doit(struct sk_buff *req, struct genl_info *info)
{
	struct pkram_pool_info p = {};
	struct sk_buff *skb;
	void *hdr;

	skb = genl_reply_new(info, GENLMSG_DEFAULT_SIZE, PKRAM_CMD_POOL_GET, &hdr);
	if (!skb)
		return genl_fail(info->extack, -ENOMEM);

	/* The counts of GiB by their pages are exact then. */
	pkram_store_settle();
	pkram_store_info(&p);
	if (p.exists &&
	    (nla_put(skb, PKRAM_A_POOL_UUID, sizeof(p.uuid), p.uuid) ||
	     nla_put_u32(skb, PKRAM_A_FORMAT_VERSION, PKRAM_FORMAT_VERSION)))
		goto err_free;
	if ((p.read_only && nla_put_flag(skb, PKRAM_A_READ_ONLY)) ||
	    nla_put_u32(skb, PKRAM_A_NR_REGIONS, p.nr_regions) ||
	    (p.nr_missing &&
	     nla_put_u32(skb, PKRAM_A_NR_MISSING, p.nr_missing)) ||
	    nla_put_u32(skb, PKRAM_A_NR_OBJECTS, p.nr_objects) ||
	    nla_put_u32(skb, PKRAM_A_NR_QUARANTINED, p.nr_quarantined) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, p.bytes) ||
	    pkram_genl_put_u64(skb, PKRAM_A_FREE, p.free) ||
	    pkram_genl_put_u64(skb, PKRAM_A_META, p.meta) ||
	    pkram_genl_put_u64(skb, PKRAM_A_PENDING, p.pending) ||
	    nla_put_u32(skb, PKRAM_A_GIB_1G, p.gib_1g) ||
	    nla_put_u32(skb, PKRAM_A_GIB_2M, p.gib_2m))
		goto err_free;
	return genl_reply_send(info, skb, hdr);

err_free:
	nlmsg_free(skb);
	return genl_fail(info->extack, -EMSGSIZE);
}

int pkram_nl_handover_get_doit(struct sk_buff *req, struct genl_info *info)
{
	char *cmdline = NULL;
	struct sk_buff *skb;
	void *hdr;
	int err;

	/* The words contain physical addresses. */
	if (pkram_genl_is_admin(req)) {
		cmdline = kvzalloc(GENL_CMDLINE_LEN, GFP_KERNEL);
		if (!cmdline)
			return genl_fail(info->extack, -ENOMEM);
		err = pkram_handover_cmdline(cmdline, GENL_CMDLINE_LEN);
		if (err < 0) {
			GENL_SET_ERR_MSG(info,
					 "too many ranges for a command line: shrink the pool");
			goto out_free;
		}
	}

	skb = genl_reply_new(info, GENLMSG_DEFAULT_SIZE +
			     (cmdline ? strlen(cmdline) : 0),
			     PKRAM_CMD_HANDOVER_GET, &hdr);
	if (!skb) {
		err = genl_fail(info->extack, -ENOMEM);
		goto out_free;
	}
	if (nla_put_u32(skb, PKRAM_A_HANDOVER_MODE, pkram_handover_mode()) ||
	    (cmdline && *cmdline &&
	     nla_put_string(skb, PKRAM_A_CMDLINE, cmdline)) ||
	    (pkram_handover_guarded() &&
	     nla_put_flag(skb, PKRAM_A_KEXEC_GUARD)) ||
	    (pkram_guard_image_loaded() &&
	     nla_put_flag(skb, PKRAM_A_KEXEC_LOADED))) {
		nlmsg_free(skb);
		err = genl_fail(info->extack, -EMSGSIZE);
		goto out_free;
	}
	err = genl_reply_send(info, skb, hdr);
out_free:
	kvfree(cmdline);
	return err;
}

static const u16 genl_counters[PKRAM_NR_COUNTS] = {
	[PKRAM_COUNT_COMMITS] = PKRAM_A_COMMITS,
	[PKRAM_COUNT_REPAIRS] = PKRAM_A_REPAIRS,
	[PKRAM_COUNT_FAULTS_4K] = PKRAM_A_FAULTS_4K,
	[PKRAM_COUNT_FAULTS_2M] = PKRAM_A_FAULTS_2M,
	[PKRAM_COUNT_FAULTS_1G] = PKRAM_A_FAULTS_1G,
	[PKRAM_COUNT_POPULATES] = PKRAM_A_POPULATES,
	[PKRAM_COUNT_WAITS] = PKRAM_A_WAITS,
	[PKRAM_COUNT_ZEROED] = PKRAM_A_ZEROED,
	[PKRAM_COUNT_KEXEC_REFUSED] = PKRAM_A_KEXEC_REFUSED,
	[PKRAM_COUNT_QUARANTINED] = PKRAM_A_QUARANTINED,
	[PKRAM_COUNT_ATTACH_USECS] = PKRAM_A_ATTACH_USECS,
	[PKRAM_COUNT_BAD_PAGES] = PKRAM_A_BAD_PAGES,
};

int pkram_nl_counters_get_doit(struct sk_buff *req, struct genl_info *info)
{
	struct pkram_counts counts;
	struct sk_buff *skb;
	void *hdr;
	int err, i;

	/* How much others fault and commit is theirs alone to know. */
	err = pkram_genl_check_admin(req, info->extack);
	if (err)
		return err;
	skb = genl_reply_new(info, GENLMSG_DEFAULT_SIZE, PKRAM_CMD_COUNTERS_GET, &hdr);
	if (!skb)
		return genl_fail(info->extack, -ENOMEM);
	pkram_count_sum(&counts);
	for (i = 0; i < PKRAM_NR_COUNTS; i++) {
		if (pkram_genl_put_u64(skb, genl_counters[i], counts.n[i])) {
			nlmsg_free(skb);
			return genl_fail(info->extack, -EMSGSIZE);
		}
	}
	return genl_reply_send(info, skb, hdr);
}

/* Growing and shrinking */

static size_t genl_range_size(void)
{
	return nla_total_size(2 * nla_total_size_64bit(sizeof(u64)));
}

#define GENL_REASON_LEN	128

static const char *genl_reason(const struct pkram_refusal *f, char text[GENL_REASON_LEN])
{
	if (!f->nr_bad)
		return f->reason ?: "";
	snprintf(text, GENL_REASON_LEN, "contains %u bad page%s, see pkramctl region show",
		 f->nr_bad, f->nr_bad > 1 ? "s" : "");
	return text;
}

static size_t genl_refusal_size(const struct pkram_refusal *f)
{
	char text[GENL_REASON_LEN];

	return genl_range_size() + nla_total_size(sizeof(u32)) +
	       nla_total_size(strlen(genl_reason(f, text)) + 1);
}

static int genl_put_taken(struct sk_buff *skb, const struct pkram_range *r)
{
	struct nlattr *nest = nla_nest_start(skb, PKRAM_A_TAKEN);

	if (!nest)
		return -EMSGSIZE;
	if (pkram_genl_put_range(skb, r->base, r->size)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int genl_put_refusal(struct sk_buff *skb, const struct pkram_refusal *f)
{
	struct nlattr *nest = nla_nest_start(skb, PKRAM_A_REFUSED);
	char text[GENL_REASON_LEN];

	if (!nest)
		return -EMSGSIZE;
	if (pkram_genl_put_range(skb, f->base, f->size) ||
	    nla_put_u32(skb, PKRAM_A_ERRNO, -f->err) ||
	    nla_put_string(skb, PKRAM_A_REASON, genl_reason(f, text))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * The pool has changed already, and this cannot be undone. Without memory for the
 * whole report, the reply has as much of it as fits, the number of GiB first.
 */
static int genl_reply_report(struct genl_info *info, u8 cmd,
			     const struct pkram_pool_report *report)
{
	u32 nr_taken = min_t(u32, report->nr_taken, ARRAY_SIZE(report->taken));
	u32 nr_refused = min_t(u32, report->nr_refused,
			       ARRAY_SIZE(report->refused));
	size_t size = nla_total_size(sizeof(u32)) + nr_taken * genl_range_size();
	struct sk_buff *skb;
	void *hdr;
	u32 i;

	for (i = 0; i < nr_refused; i++)
		size += genl_refusal_size(&report->refused[i]);
	skb = genl_reply_new(info, size, cmd, &hdr);
	if (!skb)
		skb = genl_reply_new(info, GENLMSG_DEFAULT_SIZE, cmd, &hdr);
	if (!skb)
		return genl_fail(info->extack, -ENOMEM);

	if (nla_put_u32(skb, PKRAM_A_GIB, report->nr_gib)) {
		nlmsg_free(skb);
		return genl_fail(info->extack, -EMSGSIZE);
	}
	for (i = 0; i < nr_taken; i++) {
		if (genl_put_taken(skb, &report->taken[i]))
			break;
	}
	for (i = 0; i < nr_refused; i++) {
		if (genl_put_refusal(skb, &report->refused[i]))
			break;
	}
	return genl_reply_send(info, skb, hdr);
}

/*
 * Send the ranges that could not be taken, then fail. The text is that of the
 * pool, else that of the first such range.
 */
static int genl_refuse_report(struct genl_info *info, u8 cmd, int err,
			      const char *text,
			      const struct pkram_pool_report *report)
{
	if (report->nr_refused)
		genl_reply_report(info, cmd, report);
	if (!text && report->nr_refused)
		text = report->refused[0].reason;
	if (!text)
		text = err == -ENOMEM ? "out of memory" : "the pool cannot be changed";
	if (info->extack)
		info->extack->_msg = text;	/* lives as long as the module */
	return err;
}

static struct pkram_pool_report *genl_report_new(void)
{
	return kvzalloc(sizeof(struct pkram_pool_report), GFP_KERNEL);
}

/* Answer a request with its result, and free the report. */
static int genl_report(struct genl_info *info, u8 cmd, int err,
		       const char *text, struct pkram_pool_report *report)
{
	if (err)
		err = genl_refuse_report(info, cmd, err, text, report);
	else
		err = genl_reply_report(info, cmd, report);
	kvfree(report);
	return err;
}

int pkram_nl_pool_grow_doit(struct sk_buff *req, struct genl_info *info)
{
	struct nlattr **tb = info->attrs;
	struct pkram_pool_report *report;
	const char *text = NULL;
	u32 timeout = PKRAM_GROW_TIMEOUT;
	int node = PKRAM_NO_NODE;
	int err;

	err = pkram_genl_check_admin(req, info->extack);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_GIB)) {
		GENL_SET_ERR_MSG(info, "the number of GiB is missing: name 1 or more");
		return -EINVAL;
	}
	if (tb[PKRAM_A_NODE]) {
		node = nla_get_u32(tb[PKRAM_A_NODE]);
		if (node >= MAX_NUMNODES || !node_online(node)) {
			NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_NODE],
					    "no such NUMA node: see /sys/devices/system/node/online");
			return -EINVAL;
		}
	}

	if (tb[PKRAM_A_TIMEOUT])
		timeout = nla_get_u32(tb[PKRAM_A_TIMEOUT]);

	report = genl_report_new();
	if (!report)
		return genl_fail(info->extack, -ENOMEM);
	err = pkram_pool_grow(nla_get_u32(tb[PKRAM_A_GIB]), node, timeout,
			      report, &text);
	return genl_report(info, PKRAM_CMD_POOL_GROW, err, text, report);
}

int pkram_nl_pool_adopt_doit(struct sk_buff *req, struct genl_info *info)
{
	struct pkram_pool_report *report;
	const char *text = NULL;
	u64 base, size;
	int err;

	err = pkram_genl_check_admin(req, info->extack);
	if (err)
		return err;
	err = genl_range(info, &base, &size);
	if (err)
		return err;

	report = genl_report_new();
	if (!report)
		return genl_fail(info->extack, -ENOMEM);
	err = pkram_pool_adopt(base, size,
			       nla_get_flag(info->attrs[PKRAM_A_FORMAT]),
			       report, &text);
	return genl_report(info, PKRAM_CMD_POOL_ADOPT, err, text, report);
}

int pkram_nl_pool_shrink_doit(struct sk_buff *req, struct genl_info *info)
{
	struct nlattr **tb = info->attrs;
	struct pkram_pool_report *report;
	const char *text = NULL;
	u64 base = 0, size = 0;
	u32 nr_gib = 0;
	int err;

	err = pkram_genl_check_admin(req, info->extack);
	if (err)
		return err;
	if (tb[PKRAM_A_NR_MISSING]) {
		if (tb[PKRAM_A_BASE] || tb[PKRAM_A_SIZE] || tb[PKRAM_A_GIB]) {
			GENL_SET_ERR_MSG(info,
					 "either memory or missing regions, not both: leave one out");
			return -EINVAL;
		}
	} else if (tb[PKRAM_A_BASE] || tb[PKRAM_A_SIZE]) {
		if (tb[PKRAM_A_GIB]) {
			NL_SET_ERR_MSG_ATTR(info->extack, tb[PKRAM_A_GIB],
					    "either a number of GiB or a range, not both: leave one out");
			return -EINVAL;
		}
		err = genl_range(info, &base, &size);
		if (err)
			return err;
	} else {
		if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_GIB)) {
			GENL_SET_ERR_MSG(info,
					 "no memory given: give either a number of GiB or a range");
			return -EINVAL;
		}
		nr_gib = nla_get_u32(tb[PKRAM_A_GIB]);
	}

	report = genl_report_new();
	if (!report)
		return genl_fail(info->extack, -ENOMEM);
	if (tb[PKRAM_A_NR_MISSING])
		err = pkram_pool_give_up(nla_get_u32(tb[PKRAM_A_NR_MISSING]), &text);
	else
		err = pkram_pool_shrink(nr_gib, base, size, report, &text);
	return genl_report(info, PKRAM_CMD_POOL_SHRINK, err, text, report);
}

/* Objects and DMA tables */

/* Check that the sender may change something, and read the key of the object. */
static int genl_get_key(struct sk_buff *req, struct genl_info *info, u64 *key)
{
	int err = pkram_genl_check_admin(req, info->extack);

	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, PKRAM_A_OBJECT_KEY)) {
		GENL_SET_ERR_MSG(info,
				 "the key is missing: object-get and dma-table-get list the keys");
		return -EINVAL;
	}
	*key = nla_get_u64(info->attrs[PKRAM_A_OBJECT_KEY]);
	return 0;
}

int pkram_nl_object_discard_doit(struct sk_buff *req, struct genl_info *info)
{
	struct nlattr *at = info->attrs[PKRAM_A_OBJECT_KEY];
	u64 key;
	int err;

	err = genl_get_key(req, info, &key);
	if (err)
		return err;
	err = pkram_store_discard(key);
	switch (err) {
	case 0:
		return 0;
	case -ENOENT:
		NL_SET_ERR_MSG_ATTR(info->extack, at,
				    "no object has this key, and no DMA table: list them again");
		break;
	case -EINVAL:
		NL_SET_ERR_MSG_ATTR(info->extack, at,
				    "it is not quarantined: remove it by its name");
		break;
	case -EROFS:
		GENL_SET_ERR_MSG(info,
				 "the pool is read-only: load a module that knows its features");
		break;
	case -ENOMEM:
		GENL_SET_ERR_MSG(info, "out of memory: its space is free after the next load");
		break;
	default:
		GENL_SET_ERR_MSG(info, "the object cannot be discarded");
		break;
	}
	return err;
}

int pkram_nl_dma_table_remove_doit(struct sk_buff *req, struct genl_info *info)
{
	struct nlattr *at = info->attrs[PKRAM_A_OBJECT_KEY];
	u64 key;
	int err;

	err = genl_get_key(req, info, &key);
	if (err)
		return err;
	err = pkram_dma_table_remove(key);
	switch (err) {
	case 0:
		return 0;
	case -ENOENT:
		NL_SET_ERR_MSG_ATTR(info->extack, at,
				    "no DMA table has this key: list the DMA tables again");
		break;
	case -EBUSY:
		NL_SET_ERR_MSG_ATTR(info->extack, at,
				    "the DMA table is in use: end the program that uses it");
		break;
	case -EUCLEAN:
		NL_SET_ERR_MSG_ATTR(info->extack, at,
				    "the DMA table is quarantined: discard it (pkramctl dma-table discard)");
		break;
	default:
		GENL_SET_ERR_MSG(info,
				 "the pool is read-only: load a module that knows its features");
		break;
	}
	return err;
}

/* The family */

static struct genl_split_ops genl_ops[ARRAY_SIZE(pkram_nl_ops)] __ro_after_init;

/* The policy of a command without attributes, as in the kernel's own policy */
static const struct nla_policy genl_reject_all[] = {
	{ .type = NLA_REJECT },
	{ .type = NLA_REJECT },
};

/*
 * The generator gives no policy to a command without attributes. In a table of
 * this kind, unlike in the older ones, that means: accept everything.
 */
static void __init genl_init_ops(void)
{
	size_t i;

	memcpy(genl_ops, pkram_nl_ops, sizeof(genl_ops));
	for (i = 0; i < ARRAY_SIZE(genl_ops); i++) {
		if (genl_ops[i].policy)
			continue;
		genl_ops[i].policy = genl_reject_all;
		genl_ops[i].maxattr = ARRAY_SIZE(genl_reject_all) - 1;
	}
}

/* Events name objects, so they need the right to list objects. */
static const struct genl_multicast_group genl_groups[] = {
	[PKRAM_NLGRP_EVENTS] = {
		.name = PKRAM_GENL_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

/*
 * Not generated: memory belongs to no network namespace, so only the initial one
 * has the family. The handlers check for CAP_SYS_ADMIN: GENL_ADMIN_PERM would
 * require CAP_NET_ADMIN and refuse without a text.
 */
struct genl_family pkram_genl_family __ro_after_init = {
	.name = PKRAM_GENL_NAME,
	.version = PKRAM_GENL_VERSION,
	.netnsok = false,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.mcgrps = genl_groups,
	.n_mcgrps = ARRAY_SIZE(genl_groups),
};

int __init pkram_genl_init(void)
{
	int err;

	genl_init_ops();
	err = compat_genl_register(&pkram_genl_family, genl_ops,
				   ARRAY_SIZE(genl_ops));
	if (!err)
		pkram_event_set(pkram_genl_send_event);
	return err;
}

void pkram_genl_exit(void)
{
	pkram_event_set(NULL);
	genl_unregister_family(&pkram_genl_family);
}
