/* SPDX-License-Identifier: GPL-2.0 */
/* Declarations of the files of ctl/, grouped by file; no other layer includes this. */
#ifndef _PKRAM_CTL_PRIV_H
#define _PKRAM_CTL_PRIV_H

#include <net/genetlink.h>
#include "ctl/generated/pkram_nl.h"
#include "event/event.h"
#include "store/objects.h"

/* genl.c */

extern struct genl_family pkram_genl_family;

/**
 * pkram_genl_is_admin() - Check whether the sender of a message has CAP_SYS_ADMIN
 * @skb: the request
 */
bool pkram_genl_is_admin(struct sk_buff *skb);

/**
 * pkram_genl_check_admin() - Refuse a request without CAP_SYS_ADMIN
 * @skb: the request
 * @extack: out: the text
 *
 * Return: 0 or -EPERM.
 */
int pkram_genl_check_admin(struct sk_buff *skb, struct netlink_ext_ack *extack);

/* put.c: attributes of a message. All return 0 or -EMSGSIZE. */

/** pkram_genl_put_u64() - Put a 64-bit attribute, padded */
int pkram_genl_put_u64(struct sk_buff *skb, int attr, u64 value);

/** pkram_genl_put_range() - Put a range of memory: base and size */
int pkram_genl_put_range(struct sk_buff *skb, u64 base, u64 size);

/**
 * pkram_genl_put_path() - Put a path, unless it is lost or longer than PATH_MAX
 * @skb: message
 * @attr: attribute
 * @dir: directory of the last component
 * @name: last component
 * @len: length of @name; 0: it was lost
 *
 * Context: store.lock.
 */
int pkram_genl_put_path(struct sk_buff *skb, int attr,
			const struct pkram_object *dir, const char *name,
			u32 len);

/**
 * pkram_genl_put_object() - Put all attributes of an object
 * @skb: message
 * @obj: the object
 *
 * On failure some of them may have been put. Context: store.lock, so that they are
 * consistent.
 */
int pkram_genl_put_object(struct sk_buff *skb, struct pkram_object *obj);

/**
 * pkram_genl_put_dma_table() - Put all attributes of a DMA table except its
 * mappings
 * @skb: message
 * @obj: the DMA table
 *
 * Context: store.lock.
 */
int pkram_genl_put_dma_table(struct sk_buff *skb, const struct pkram_object *obj);

/**
 * pkram_genl_put_entry() - Put one mapping of a DMA table as a nest, or put
 * nothing
 * @skb: message
 * @e: the mapping
 *
 * Context: store.lock.
 */
int pkram_genl_put_entry(struct sk_buff *skb, const struct pkram_entry *e);

/* event.c */

/** pkram_genl_send_event() - Send an event to its listeners; a &pkram_event_fn */
void pkram_genl_send_event(const struct pkram_event *ev);

#endif /* _PKRAM_CTL_PRIV_H */
