// SPDX-License-Identifier: GPL-2.0
/* pkramctl dma-table: mappings of objects for the devices of guests. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ctl.h"
#include "parse.h"
#include "print.h"

static void print_dma_table(const struct pkram_dma_table *t)
{
	const char *state = t->quarantine ? "quarantined" :
			    t->suspended ? "suspended" : "running";
	char owner[32];

	snprintf(owner, sizeof(owner), "%" PRIu32 ":%" PRIu32, t->uid, t->gid);
	out_id("key", "KEY", t->key);
	out_str("state", "STATE", state);
	out_bool("in_use", NULL, t->in_use);
	out_str(NULL, "IN USE", t->in_use ? "yes" : "no");
	out_u32("mappings", "MAPPINGS", t->nr_entries);
	out_u32("uid", NULL, t->uid);
	out_u32("gid", NULL, t->gid);
	out_str(NULL, "OWNER", owner);
	out_str("name", "NAME", t->name);
	out_str("quarantine", "QUARANTINED BECAUSE", t->quarantine);
}

static void print_entry(const struct pkram_dma_table_entry *e)
{
	static const char *const prot[] = { NULL, "r", "w", "rw" };

	out_id("iova", "ADDRESS", e->iova);
	out_size("size", "SIZE", e->size);
	out_str("access", "ACCESS", e->prot < 4 ? prot[e->prot] : NULL);
	out_u64("object", "OBJECT", e->object_id);
	out_id("offset", "AT", e->offset);
	out_str("name", "NAME", e->name);
}

static int show_all(void)
{
	struct pkram_dma_table *list, *t;
	struct pkram_ctx *ctx;

	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_dma_table_dump(ctx, &list))
		return ctl_fail(ctx, NULL);
	out_table_open(NULL, NULL);
	for (t = list; t; t = t->next) {
		out_row_open();
		print_dma_table(t);
		out_row_close();
	}
	out_table_close();
	if (!list)
		ctl_nothing("there are no DMA tables");
	pkram_dma_table_free(list);
	return ctl_done(ctx);
}

/* If several have the same name, all but one are quarantined; @quarantined: prefer those */
static const struct pkram_dma_table *
find_dma_table(const struct pkram_dma_table *list, const char *word, bool quarantined)
{
	const struct pkram_dma_table *t, *found = NULL;
	uint64_t key = PKRAM_NONE64;
	bool by_key = parse_key(word, &key);

	for (t = list; t; t = t->next) {
		if (by_key ? t->key != key : !t->name || strcmp(t->name, word))
			continue;
		if (!found || !t->quarantine == !quarantined)
			found = t;
	}
	return found;
}

/**
 * struct named - the DMA table that the argument of a verb names
 * @ctx: connection
 * @list: all DMA tables, including @t
 * @t: the one found
 */
struct named {
	struct pkram_ctx *ctx;
	struct pkram_dma_table *list;
	const struct pkram_dma_table *t;
};

/* Return: %CTL_OK; on failure the reason was reported and everything is closed. */
static int named_open(struct named *n, const char *verb, bool quarantined, int argc,
		      char **argv)
{
	if (!argc)
		return ctl_usage("dma-table %s: no DMA table given; pkramctl dma-table show lists them",
				 verb);
	if (ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
	n->ctx = ctl_open();
	if (!n->ctx)
		return CTL_FAILED;
	if (pkram_dma_table_dump(n->ctx, &n->list))
		return ctl_fail(n->ctx, NULL);
	n->t = find_dma_table(n->list, argv[0], quarantined);
	if (n->t)
		return CTL_OK;
	pkram_dma_table_free(n->list);
	pkram_close(n->ctx);
	return ctl_error("%s: no such DMA table; pkramctl dma-table show lists them", argv[0]);
}

static int dma_table_show(int argc, char **argv)
{
	const struct pkram_dma_table_entry *e;
	struct named n;
	int ret;

	if (!argc)
		return show_all();
	ret = named_open(&n, "show", false, argc, argv);
	if (ret)
		return ret;
	out_record_open(NULL, NULL);
	print_dma_table(n.t);
	out_table_open("entries", "");
	for (e = n.t->entries; e; e = e->next) {
		out_row_open();
		print_entry(e);
		out_row_close();
	}
	out_table_close();
	out_record_close();
	pkram_dma_table_free(n.list);
	return ctl_done(n.ctx);
}

static int dma_table_remove(int argc, char **argv)
{
	struct named n;
	uint64_t key;
	int ret;

	ret = named_open(&n, "remove", false, argc, argv);
	if (ret)
		return ret;
	key = n.t->key;
	pkram_dma_table_free(n.list);
	if (pkram_dma_table_remove(n.ctx, key))
		return ctl_fail(n.ctx, argv[0]);
	out_record_open(NULL, NULL);
	out_id("removed", "removed", key);
	out_record_close();
	return ctl_done(n.ctx);
}

static int dma_table_discard(int argc, char **argv)
{
	struct named n;
	uint64_t key;
	int ret;

	ret = named_open(&n, "discard", true, argc, argv);
	if (ret)
		return ret;
	key = n.t->key;
	pkram_dma_table_free(n.list);
	if (pkram_object_discard(n.ctx, key))
		return ctl_fail(n.ctx, argv[0]);
	out_record_open(NULL, NULL);
	out_id("discarded", "discarded", key);
	out_record_close();
	return ctl_done(n.ctx);
}

static const struct ctl_verb dma_table_verbs[] = {
	{ "show", "[NAME | KEY]",
	  "list DMA tables, including quarantined ones, or show one with its\n"
	  "      mappings",
	  dma_table_show },
	{ "remove", "NAME | KEY",
	  "remove one that no VFIO container uses; no program can restore it then",
	  dma_table_remove },
	{ "discard", "NAME | KEY", "remove a quarantined one", dma_table_discard },
	{ }
};

const struct ctl_object ctl_dma_table = {
	.name = "dma-table",
	.help = "preserved mappings of VFIO containers: show, remove, discard",
	.verbs = dma_table_verbs,
};
