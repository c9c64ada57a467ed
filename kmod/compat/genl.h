/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between the kernels for generic netlink; see compat.h */
#ifndef _PKRAM_COMPAT_GENL_H
#define _PKRAM_COMPAT_GENL_H

#include <linux/bug.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include "compat/compat.h"

/* 6.2 introduced the tables of operations that the kernel's generator prints. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
struct genl_split_ops {
	int (*doit)(struct sk_buff *skb, struct genl_info *info);
	int (*start)(struct netlink_callback *cb);
	int (*dumpit)(struct sk_buff *skb, struct netlink_callback *cb);
	const struct nla_policy *policy;
	unsigned int maxattr;
	u8 cmd;
	u8 flags;
};

#define COMPAT_GENL_OPS		16

/* Each command is a do or a dump, not both, as in the older table. */
static inline int compat_genl_register(struct genl_family *family,
				       const struct genl_split_ops *split,
				       unsigned int n)
{
	static struct genl_ops ops[COMPAT_GENL_OPS];
	unsigned int i;

	if (WARN_ON(n > COMPAT_GENL_OPS))
		return -EINVAL;
	for (i = 0; i < n; i++) {
		ops[i] = (struct genl_ops){
			.cmd = split[i].cmd,
			.doit = split[i].doit,
			.start = split[i].start,
			.dumpit = split[i].dumpit,
			.policy = split[i].policy,
			.maxattr = split[i].maxattr,
		};
	}
	family->ops = ops;
	family->n_ops = n;
	return genl_register_family(family);
}
#else
static inline int compat_genl_register(struct genl_family *family,
				       const struct genl_split_ops *split,
				       unsigned int n)
{
	family->split_ops = split;
	family->n_split_ops = n;
	return genl_register_family(family);
}
#endif

/* The range of a policy was not const, but the kernel does not write to it. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#undef NLA_POLICY_FULL_RANGE
#define NLA_POLICY_FULL_RANGE(tp, _range) {				\
	.type = NLA_ENSURE_UINT_OR_BINARY_TYPE(tp),			\
	.validation_type = NLA_VALIDATE_RANGE_PTR,			\
	.range = (struct netlink_range_validation *)(_range),		\
}
#endif

#endif /* _PKRAM_COMPAT_GENL_H */
