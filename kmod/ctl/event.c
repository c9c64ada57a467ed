// SPDX-License-Identifier: GPL-2.0
/*
 * The control plane: objects and containers as messages, and the events.
 *
 * An event is sent from within the change, under event_lock and whatever else the
 * one that makes the change holds: nothing here takes a lock of this module or of
 * generic netlink. Whom an event did not reach, for lack of memory here or of
 * room there, gets ENOBUFS from its socket.
 */
#include <linux/limits.h>
#include <linux/pkram.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "ctl/priv.h"

#define TEXT_LEN	128
#define FIXED_LEN	512	/* of an event, all but paths and texts */

int pkram_genl_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, PKRAM_A_PAD);
}

/*
 * A path, in place. One that PATH_MAX does not hold is left out, as is a name that
 * was lost.
 */
static int put_path(struct sk_buff *skb, int attr,
		    const struct pkram_object *dir, const char *name, u32 len)
{
	size_t size = pkram_store_path_len(dir, len) + 1;
	struct nlattr *nla;

	if (!len || size > PATH_MAX)
		return 0;
	nla = nla_reserve(skb, attr, size);
	if (!nla)
		return -EMSGSIZE;
	pkram_store_path(dir, name, len, nla_data(nla));
	return 0;
}

static int put_quarantine(struct sk_buff *skb, const struct pkram_object *obj)
{
	char text[TEXT_LEN];

	if (!obj->bad)
		return 0;
	if (obj->other)
		scnprintf(text, sizeof(text), "%s (object %llu)",
			  pkram_bad_text(obj->bad), obj->other);
	else
		strscpy(text, pkram_bad_text(obj->bad), sizeof(text));
	return nla_put_string(skb, PKRAM_A_QUARANTINE, text);
}

static int put_name(struct sk_buff *skb, const struct pkram_object *obj)
{
	if (obj->key == PKRAM_ROOT_ID)
		return nla_put_string(skb, PKRAM_A_NAME, "/");
	return put_path(skb, PKRAM_A_NAME, obj->parent, obj->rec.name,
			obj->rec.name_len);
}

int pkram_genl_put_object(struct sk_buff *skb, struct pkram_object *obj)
{
	const struct pkram_record *rec = &obj->rec;

	if (pkram_genl_put_u64(skb, PKRAM_A_OBJECT_KEY, obj->key) ||
	    pkram_genl_put_u64(skb, PKRAM_A_OBJECT_ID, rec->id) ||
	    put_name(skb, obj) ||
	    nla_put_u32(skb, PKRAM_A_MODE, rec->mode) ||
	    nla_put_u32(skb, PKRAM_A_UID, rec->uid) ||
	    nla_put_u32(skb, PKRAM_A_GID, rec->gid) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, rec->size) ||
	    pkram_genl_put_u64(skb, PKRAM_A_ALLOCATED, pkram_object_held(obj)) ||
	    nla_put_u32(skb, PKRAM_A_NR_EXTENTS, rec->nr_extents) ||
	    nla_put_u32(skb, PKRAM_A_STATE, pkram_object_state(obj)) ||
	    pkram_genl_put_u64(skb, PKRAM_A_GENERATION, rec->seal.generation) ||
	    put_quarantine(skb, obj))
		return -EMSGSIZE;
	return 0;
}

int pkram_genl_put_dma_table(struct sk_buff *skb, const struct pkram_object *obj)
{
	const struct pkram_record *rec = &obj->rec;

	if (pkram_genl_put_u64(skb, PKRAM_A_OBJECT_KEY, obj->key) ||
	    (rec->name_len && nla_put_string(skb, PKRAM_A_DMA_TABLE, rec->name)) ||
	    nla_put_u32(skb, PKRAM_A_UID, rec->uid) ||
	    nla_put_u32(skb, PKRAM_A_GID, rec->gid) ||
	    nla_put_u32(skb, PKRAM_A_NR_ENTRIES, rec->nr_entries) ||
	    (rec->table_state == PKRAM_DMA_TABLE_SUSPENDED &&
	     nla_put_flag(skb, PKRAM_A_SUSPENDED)) ||
	    (obj->in_use && nla_put_flag(skb, PKRAM_A_IN_USE)) ||
	    put_quarantine(skb, obj))
		return -EMSGSIZE;
	return 0;
}

static int put_entry(struct sk_buff *skb, const struct pkram_entry *e)
{
	const struct pkram_object *obj = pkram_store_find_key(e->object);

	if (pkram_genl_put_u64(skb, PKRAM_A_IOVA, e->iova) ||
	    pkram_genl_put_u64(skb, PKRAM_A_SIZE, e->size) ||
	    pkram_genl_put_u64(skb, PKRAM_A_OBJECT_ID, e->object) ||
	    (obj && obj->rec.kind == PKRAM_KIND_FILE && put_name(skb, obj)) ||
	    pkram_genl_put_u64(skb, PKRAM_A_OFFSET, e->offset) ||
	    nla_put_u32(skb, PKRAM_A_PROT, e->prot))
		return -EMSGSIZE;
	return 0;
}

int pkram_genl_put_entry(struct sk_buff *skb, const struct pkram_entry *e)
{
	struct nlattr *nest = nla_nest_start(skb, PKRAM_A_ENTRY);

	if (!nest)
		return -EMSGSIZE;
	if (put_entry(skb, e)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* Events */

/* Room that an event needs, more or less */
static size_t event_size(const struct pkram_event *ev)
{
	size_t size = FIXED_LEN + ev->name_len +
		      (ev->reason ? strlen(ev->reason) : 0);

	if (ev->obj)
		size += pkram_store_path_len(ev->obj->parent,
					     ev->obj->rec.name_len);
	if (ev->cmd == PKRAM_CMD_OBJECT_RENAME_NTF)
		size += pkram_store_path_len(ev->old_dir, ev->name_len);
	return size;
}

static int put_range(struct sk_buff *skb, const struct pkram_event *ev)
{
	return pkram_genl_put_u64(skb, PKRAM_A_BASE, ev->base) ||
	       pkram_genl_put_u64(skb, PKRAM_A_SIZE, ev->size) ? -EMSGSIZE : 0;
}

/* The attributes of an event; those of its object are there */
static int put_rest(struct sk_buff *skb, const struct pkram_event *ev)
{
	switch (ev->cmd) {
	case PKRAM_CMD_POOL_GROW_NTF:
	case PKRAM_CMD_POOL_ADOPT_NTF:
	case PKRAM_CMD_POOL_SHRINK_NTF:
		return put_range(skb, ev);
	case PKRAM_CMD_REGION_QUARANTINE_NTF:
		return put_range(skb, ev) ?:
		       nla_put_string(skb, PKRAM_A_QUARANTINE, ev->reason);
	case PKRAM_CMD_HANDOVER_NTF:
		return nla_put_u32(skb, PKRAM_A_HANDOVER_MODE, ev->mode);
	case PKRAM_CMD_KEXEC_REFUSE_NTF:
	case PKRAM_CMD_OBJECT_DAMAGE_NTF:
		return nla_put_string(skb, PKRAM_A_REASON, ev->reason);
	case PKRAM_CMD_OBJECT_RENAME_NTF:
		return put_path(skb, PKRAM_A_OLD_NAME, ev->old_dir, ev->name,
				ev->name_len);
	case PKRAM_CMD_OBJECT_LABEL_NTF:
		return nla_put_string(skb, PKRAM_A_LABEL, ev->name);
	}
	return 0;
}

static int send(const struct pkram_event *ev)
{
	struct sk_buff *skb = genlmsg_new(event_size(ev), GFP_KERNEL);
	void *hdr;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &pkram_genl_family, 0, ev->cmd);
	if (!hdr || (ev->obj && pkram_genl_put_object(skb, ev->obj)) ||
	    put_rest(skb, ev)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	/* Not GFP_KERNEL: it would give up the CPU to who is slow to listen. */
	genlmsg_multicast(&pkram_genl_family, skb, 0, PKRAM_GENL_EVENTS,
			  GFP_NOWAIT | __GFP_NOWARN);
	return 0;
}

void pkram_genl_send_event(const struct pkram_event *ev)
{
	if (!genl_has_listeners(&pkram_genl_family, &init_net,
				PKRAM_GENL_EVENTS))
		return;
	if (send(ev))
		genl_set_err(&pkram_genl_family, &init_net, 0,
			     PKRAM_GENL_EVENTS, -ENOBUFS);
}
