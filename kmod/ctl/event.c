// SPDX-License-Identifier: GPL-2.0
/*
 * The control plane: events.
 *
 * An event is sent during the change, under event_lock and all locks that the
 * change holds: this file takes no lock of this module or of generic netlink. A
 * listener that misses an event, because memory is short or its socket is full,
 * gets ENOBUFS from the socket.
 */
#include <net/net_namespace.h>
#include <net/sock.h>
#include "ctl/priv.h"
#include "store/names.h"

#define EVENT_FIXED_LEN		512	/* everything except paths and texts */

/* Estimate the space that an event needs */
static size_t event_size(const struct pkram_event *ev)
{
	size_t size = EVENT_FIXED_LEN + ev->name_len +
		      (ev->reason ? strlen(ev->reason) : 0);

	if (ev->obj)
		size += pkram_store_path_len(ev->obj->parent,
					     ev->obj->rec.name_len);
	if (ev->cmd == PKRAM_CMD_OBJECT_RENAME_NTF)
		size += pkram_store_path_len(ev->old_dir, ev->name_len);
	return size;
}

/* Put the attributes of an event that are not those of its object */
static int event_put(struct sk_buff *skb, const struct pkram_event *ev)
{
	switch (ev->cmd) {
	case PKRAM_CMD_POOL_GROW_NTF:
	case PKRAM_CMD_POOL_ADOPT_NTF:
	case PKRAM_CMD_POOL_SHRINK_NTF:
		return pkram_genl_put_range(skb, ev->base, ev->size);
	case PKRAM_CMD_REGION_QUARANTINE_NTF:
		return pkram_genl_put_range(skb, ev->base, ev->size) ?:
		       nla_put_string(skb, PKRAM_A_QUARANTINE, ev->reason);
	case PKRAM_CMD_PAGE_BAD_NTF:
		return pkram_genl_put_u64(skb, PKRAM_A_BASE, ev->base) ?:
		       (ev->obj ? pkram_genl_put_u64(skb, PKRAM_A_OFFSET, ev->offset) : 0);
	case PKRAM_CMD_HANDOVER_NTF:
		return nla_put_u32(skb, PKRAM_A_HANDOVER_MODE, ev->mode);
	case PKRAM_CMD_KEXEC_REFUSE_NTF:
	case PKRAM_CMD_OBJECT_DAMAGE_NTF:
		return nla_put_string(skb, PKRAM_A_REASON, ev->reason);
	case PKRAM_CMD_OBJECT_RENAME_NTF:
		return pkram_genl_put_path(skb, PKRAM_A_OLD_NAME, ev->old_dir,
					   ev->name, ev->name_len);
	case PKRAM_CMD_OBJECT_LABEL_NTF:
		return nla_put_string(skb, PKRAM_A_LABEL, ev->name);
	}
	return 0;
}

static int event_send(const struct pkram_event *ev)
{
	struct sk_buff *skb = genlmsg_new(event_size(ev), GFP_KERNEL);
	void *hdr;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &pkram_genl_family, 0, ev->cmd);
	if (!hdr || (ev->obj && pkram_genl_put_object(skb, ev->obj)) ||
	    event_put(skb, ev)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	/* Not GFP_KERNEL, which would yield the CPU to a slow listener. */
	genlmsg_multicast(&pkram_genl_family, skb, 0, PKRAM_NLGRP_EVENTS,
			  GFP_NOWAIT | __GFP_NOWARN);
	return 0;
}

void pkram_genl_send_event(const struct pkram_event *ev)
{
	if (!genl_has_listeners(&pkram_genl_family, &init_net,
				PKRAM_NLGRP_EVENTS))
		return;
	if (event_send(ev))
		genl_set_err(&pkram_genl_family, &init_net, 0,
			     PKRAM_NLGRP_EVENTS, -ENOBUFS);
}
