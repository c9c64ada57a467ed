// SPDX-License-Identifier: GPL-2.0
/* The control plane: objects, DMA tables and ranges as attributes of a message. */
#include <linux/limits.h>
#include <linux/string.h>
#include "ctl/priv.h"
#include "core/load.h"
#include "store/extents.h"
#include "store/names.h"
#include "store/objects.h"
#include "store/opens.h"

#define PUT_TEXT_LEN	128

int pkram_genl_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, PKRAM_A_PAD);
}

int pkram_genl_put_range(struct sk_buff *skb, u64 base, u64 size)
{
	return pkram_genl_put_u64(skb, PKRAM_A_BASE, base) ||
	       pkram_genl_put_u64(skb, PKRAM_A_SIZE, size) ? -EMSGSIZE : 0;
}

/* The path is written in place, because it can be as long as a message. */
int pkram_genl_put_path(struct sk_buff *skb, int attr,
			const struct pkram_object *dir, const char *name,
			u32 len)
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

static int put_name(struct sk_buff *skb, const struct pkram_object *obj)
{
	if (obj->key == PKRAM_ROOT_ID)
		return nla_put_string(skb, PKRAM_A_NAME, "/");
	return pkram_genl_put_path(skb, PKRAM_A_NAME, obj->parent,
				   obj->rec.name, obj->rec.name_len);
}

static int put_quarantine(struct sk_buff *skb, const struct pkram_object *obj)
{
	char text[PUT_TEXT_LEN];

	if (!obj->bad)
		return 0;
	if (obj->other)
		scnprintf(text, sizeof(text), "%s (object %llu)",
			  pkram_bad_text(obj->bad), obj->other);
	else
		strscpy(text, pkram_bad_text(obj->bad), sizeof(text));
	return nla_put_string(skb, PKRAM_A_QUARANTINE, text);
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
