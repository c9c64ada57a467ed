// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	uapi/pkram.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: scripts/netlink-code.py */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "pkram_nl.h"

#include <linux/pkram_netlink.h>
#include <compat/genl.h>
#include <linux/pkram.h>

/* Integer value ranges */
static const struct netlink_range_validation pkram_a_gib_range = {
	.min	= 1ULL,
	.max	= 4194304ULL,
};

static const struct netlink_range_validation pkram_a_base_range = {
	.max	= 4503598553628672ULL,
};

static const struct netlink_range_validation pkram_a_size_range = {
	.min	= 1073741824ULL,
	.max	= 4503599627370496ULL,
};

/* PKRAM_CMD_POOL_GROW - do */
static const struct nla_policy pkram_pool_grow_nl_policy[PKRAM_A_TIMEOUT + 1] = {
	[PKRAM_A_GIB] = NLA_POLICY_FULL_RANGE(NLA_U32, &pkram_a_gib_range),
	[PKRAM_A_NODE] = NLA_POLICY_MAX(NLA_U32, 1023),
	[PKRAM_A_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* PKRAM_CMD_POOL_ADOPT - do */
static const struct nla_policy pkram_pool_adopt_nl_policy[PKRAM_A_FORMAT + 1] = {
	[PKRAM_A_BASE] = NLA_POLICY_FULL_RANGE(NLA_U64, &pkram_a_base_range),
	[PKRAM_A_SIZE] = NLA_POLICY_FULL_RANGE(NLA_U64, &pkram_a_size_range),
	[PKRAM_A_FORMAT] = { .type = NLA_FLAG, },
};

/* PKRAM_CMD_POOL_SHRINK - do */
static const struct nla_policy pkram_pool_shrink_nl_policy[PKRAM_A_NR_MISSING + 1] = {
	[PKRAM_A_GIB] = NLA_POLICY_FULL_RANGE(NLA_U32, &pkram_a_gib_range),
	[PKRAM_A_BASE] = NLA_POLICY_FULL_RANGE(NLA_U64, &pkram_a_base_range),
	[PKRAM_A_SIZE] = NLA_POLICY_FULL_RANGE(NLA_U64, &pkram_a_size_range),
	[PKRAM_A_NR_MISSING] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* PKRAM_CMD_OBJECT_DISCARD - do */
static const struct nla_policy pkram_object_discard_nl_policy[PKRAM_A_OBJECT_KEY + 1] = {
	[PKRAM_A_OBJECT_KEY] = NLA_POLICY_MIN(NLA_U64, 1),
};

/* PKRAM_CMD_DMA_TABLE_REMOVE - do */
static const struct nla_policy pkram_dma_table_remove_nl_policy[PKRAM_A_OBJECT_KEY + 1] = {
	[PKRAM_A_OBJECT_KEY] = NLA_POLICY_MIN(NLA_U64, 1),
};

/* Ops table for pkram */
const struct genl_split_ops pkram_nl_ops[11] = {
	{
		.cmd	= PKRAM_CMD_POOL_GET,
		.doit	= pkram_nl_pool_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PKRAM_CMD_REGION_GET,
		.dumpit	= pkram_nl_region_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PKRAM_CMD_POOL_GROW,
		.doit		= pkram_nl_pool_grow_doit,
		.policy		= pkram_pool_grow_nl_policy,
		.maxattr	= PKRAM_A_TIMEOUT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PKRAM_CMD_POOL_ADOPT,
		.doit		= pkram_nl_pool_adopt_doit,
		.policy		= pkram_pool_adopt_nl_policy,
		.maxattr	= PKRAM_A_FORMAT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PKRAM_CMD_POOL_SHRINK,
		.doit		= pkram_nl_pool_shrink_doit,
		.policy		= pkram_pool_shrink_nl_policy,
		.maxattr	= PKRAM_A_NR_MISSING,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PKRAM_CMD_OBJECT_GET,
		.start	= pkram_nl_objects_start,
		.dumpit	= pkram_nl_object_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PKRAM_CMD_OBJECT_DISCARD,
		.doit		= pkram_nl_object_discard_doit,
		.policy		= pkram_object_discard_nl_policy,
		.maxattr	= PKRAM_A_OBJECT_KEY,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PKRAM_CMD_HANDOVER_GET,
		.doit	= pkram_nl_handover_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PKRAM_CMD_DMA_TABLE_GET,
		.start	= pkram_nl_objects_start,
		.dumpit	= pkram_nl_dma_table_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PKRAM_CMD_DMA_TABLE_REMOVE,
		.doit		= pkram_nl_dma_table_remove_doit,
		.policy		= pkram_dma_table_remove_nl_policy,
		.maxattr	= PKRAM_A_OBJECT_KEY,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PKRAM_CMD_COUNTERS_GET,
		.doit	= pkram_nl_counters_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
};
