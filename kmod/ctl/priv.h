/* SPDX-License-Identifier: GPL-2.0 */
/* What genl.c and genl_event.c share; nobody else includes this. */
#ifndef _PKRAM_GENL_PRIV_H
#define _PKRAM_GENL_PRIV_H

#include <net/genetlink.h>
#include "event/event.h"
#include "store/store.h"

/* Order of the multicast groups */
enum { PKRAM_GENL_EVENTS };

extern struct genl_family pkram_genl_family;

int pkram_genl_put_u64(struct sk_buff *skb, int attr, u64 value);

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
