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
#include <linux/capability.h>
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
	if (pkram_genl_is_admin(req)) {
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

	err = pkram_genl_check_admin(req, info->extack);
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

	err = pkram_genl_check_admin(req, info->extack);
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

	err = pkram_genl_check_admin(req, info->extack);
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

	err = pkram_genl_check_admin(req, info->extack);
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

	err = pkram_genl_check_admin(req, info->extack);
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
		.dumpit = pkram_genl_region_dump,
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
		.start = pkram_genl_object_dump_start,
		.dumpit = pkram_genl_object_dump,
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
		.start = pkram_genl_object_dump_start,
		.dumpit = pkram_genl_dma_table_dump,
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
