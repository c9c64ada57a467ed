// SPDX-License-Identifier: LGPL-2.1-or-later
/* libpkram: DMA tables. */
#include <errno.h>
#include <stdlib.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include "internal.h"

#define DUMP_TRIES	8	/* of a list that changes meanwhile */

struct where {
	struct pkram_dma_table *last;
	struct pkram_dma_table **tail;
	struct pkram_dma_table_entry **entry;
};

static int add_entry(const struct nlattr *nest, struct where *w)
{
	const struct nlattr *tb[PKRAM_A_MAX + 1];
	struct pkram_dma_table_entry *e;
	int err;

	err = pkram_nl_parse_nest(nest, tb);
	if (err)
		return err;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	err = pkram_nl_str(tb[PKRAM_A_NAME], &e->name);
	if (err) {
		free(e);
		return err;
	}
	e->iova = pkram_nl_u64(tb[PKRAM_A_IOVA]);
	e->size = pkram_nl_u64(tb[PKRAM_A_SIZE]);
	e->object_id = pkram_nl_u64(tb[PKRAM_A_OBJECT_ID]);
	e->offset = pkram_nl_u64(tb[PKRAM_A_OFFSET]);
	e->prot = pkram_nl_u32(tb[PKRAM_A_PROT]);
	*w->entry = e;
	w->entry = &e->next;
	return 0;
}

static int add_dma_table(const struct nlattr *const *tb, struct where *w)
{
	struct pkram_dma_table *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->key = pkram_nl_u64(tb[PKRAM_A_OBJECT_KEY]);
	t->uid = pkram_nl_u32(tb[PKRAM_A_UID]);
	t->gid = pkram_nl_u32(tb[PKRAM_A_GID]);
	t->nr_entries = pkram_nl_u32(tb[PKRAM_A_NR_ENTRIES]);
	t->suspended = tb[PKRAM_A_SUSPENDED];
	t->in_use = tb[PKRAM_A_IN_USE];
	*w->tail = t;
	w->tail = &t->next;
	w->last = t;
	w->entry = &t->entries;
	err = pkram_nl_str(tb[PKRAM_A_DMA_TABLE], &t->name);
	return err ? err : pkram_nl_str(tb[PKRAM_A_QUARANTINE], &t->quarantine);
}

/* A DMA table with many mappings is split over several messages. */
static int dma_table_cb(const struct nlattr *const *tb, const struct nlmsghdr *msg,
			void *arg)
{
	const struct nlattr *attr;
	struct where *w = arg;
	int err = 0;

	if (!w->last || w->last->key != pkram_nl_u64(tb[PKRAM_A_OBJECT_KEY]))
		err = add_dma_table(tb, w);
	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr)) {
		if (!err && mnl_attr_get_type(attr) == PKRAM_A_ENTRY)
			err = add_entry(attr, w);
	}
	return err;
}

int pkram_dma_table_dump(struct pkram_ctx *ctx, struct pkram_dma_table **list)
{
	struct nlmsghdr *nlh;
	int tries = 0, err;

	do {
		struct where w = { .tail = list };

		*list = NULL;
		nlh = pkram_nl_request(ctx, PKRAM_CMD_DMA_TABLE_GET, NLM_F_DUMP);
		err = pkram_nl_talk(ctx, nlh, dma_table_cb, &w);
		if (err) {
			pkram_dma_table_free(*list);
			*list = NULL;
		}
	} while (err == -EAGAIN && ++tries < DUMP_TRIES);
	return err;
}

static void free_entries(struct pkram_dma_table_entry *e)
{
	struct pkram_dma_table_entry *next;

	for (; e; e = next) {
		next = e->next;
		free(e->name);
		free(e);
	}
}

void pkram_dma_table_free(struct pkram_dma_table *list)
{
	struct pkram_dma_table *next;

	for (; list; list = next) {
		next = list->next;
		free_entries(list->entries);
		free(list->name);
		free(list->quarantine);
		free(list);
	}
}

int pkram_dma_table_remove(struct pkram_ctx *ctx, uint64_t key)
{
	struct nlmsghdr *nlh =
		pkram_nl_request(ctx, PKRAM_CMD_DMA_TABLE_REMOVE, 0);

	mnl_attr_put_u64(nlh, PKRAM_A_OBJECT_KEY, key);
	return pkram_nl_talk(ctx, nlh, NULL, NULL);
}
