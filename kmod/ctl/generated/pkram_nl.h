/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	uapi/pkram.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: scripts/netlink-code.py */

#ifndef _LINUX_PKRAM_GEN_H
#define _LINUX_PKRAM_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <linux/pkram_netlink.h>
#include <compat/genl.h>
#include <linux/pkram.h>

/* Ops table for pkram */
extern const struct genl_split_ops pkram_nl_ops[11];

int pkram_nl_objects_start(struct netlink_callback *cb);

int pkram_nl_pool_get_doit(struct sk_buff *skb, struct genl_info *info);
int pkram_nl_region_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int pkram_nl_pool_grow_doit(struct sk_buff *skb, struct genl_info *info);
int pkram_nl_pool_adopt_doit(struct sk_buff *skb, struct genl_info *info);
int pkram_nl_pool_shrink_doit(struct sk_buff *skb, struct genl_info *info);
int pkram_nl_object_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int pkram_nl_object_discard_doit(struct sk_buff *skb, struct genl_info *info);
int pkram_nl_handover_get_doit(struct sk_buff *skb, struct genl_info *info);
int pkram_nl_dma_table_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb);
int pkram_nl_dma_table_remove_doit(struct sk_buff *skb, struct genl_info *info);
int pkram_nl_counters_get_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	PKRAM_NLGRP_EVENTS,
};

#endif /* _LINUX_PKRAM_GEN_H */
