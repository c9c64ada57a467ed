/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the files of ctl/; nobody else includes this. */
#ifndef _PKRAM_GENL_PRIV_H
#define _PKRAM_GENL_PRIV_H

#include <net/genetlink.h>
#include "event/event.h"
#include "store/store.h"

/* Order of the multicast groups */
enum { PKRAM_GENL_EVENTS };

extern struct genl_family pkram_genl_family;

/** pkram_genl_is_admin() - does the sender of a message have CAP_SYS_ADMIN? */
bool pkram_genl_is_admin(struct sk_buff *skb);

/** pkram_genl_check_admin() - 0, or -EPERM in words */
int pkram_genl_check_admin(struct sk_buff *skb, struct netlink_ext_ack *extack);

/* Callbacks of the dumps */
int pkram_genl_region_dump(struct sk_buff *skb, struct netlink_callback *cb);
int pkram_genl_object_dump_start(struct netlink_callback *cb);
int pkram_genl_object_dump(struct sk_buff *skb, struct netlink_callback *cb);
int pkram_genl_dma_table_dump(struct sk_buff *skb, struct netlink_callback *cb);

int pkram_genl_put_u64(struct sk_buff *skb, int attr, u64 value);

/** pkram_genl_put_path() - a path, in place; nothing if PATH_MAX cannot hold it */
int pkram_genl_put_path(struct sk_buff *skb, int attr,
			const struct pkram_object *dir, const char *name,
			u32 len);

/**
 * pkram_genl_put_object() - put all that is told of an object
 *
 * Context: store.lock: so it is what the object was at one moment. Return: 0
 * or -EMSGSIZE; then some may have been put.
 */
int pkram_genl_put_object(struct sk_buff *skb, struct pkram_object *obj);

/** pkram_genl_put_dma_table() - the same of a container, without its mappings */
int pkram_genl_put_dma_table(struct sk_buff *skb, const struct pkram_object *obj);

/** pkram_genl_put_entry() - one of these, or nothing. Context: store.lock */
int pkram_genl_put_entry(struct sk_buff *skb, const struct pkram_entry *e);

/** pkram_genl_send_event() - tell whoever listens; a &pkram_event_fn */
void pkram_genl_send_event(const struct pkram_event *ev);

#endif /* _PKRAM_GENL_PRIV_H */
