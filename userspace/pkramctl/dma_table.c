// SPDX-License-Identifier: GPL-2.0
/* pkramctl container: the containers of VFIO that have a name, and what they map. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ctl.h"
#include "parse.h"
#include "print.h"

static void print_dma_table(const struct pkram_dma_table *c)
{
	const char *state = c->quarantine ? "quarantined" :
			    c->suspended ? "suspended" : "running";
	char owner[32];

	snprintf(owner, sizeof(owner), "%" PRIu32 ":%" PRIu32, c->uid, c->gid);
	out_id("key", "KEY", c->key);
	out_str("state", "STATE", state);
	out_bool("in_use", NULL, c->in_use);
	out_str(NULL, "IN USE", c->in_use ? "yes" : "no");
	out_u32("mappings", "MAPPINGS", c->nr_entries);
	out_u32("uid", NULL, c->uid);
	out_u32("gid", NULL, c->gid);
	out_str(NULL, "OWNER", owner);
	out_str("name", "NAME", c->name);
	out_str("quarantine", "QUARANTINED BECAUSE", c->quarantine);
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

static int dma_table_list(int argc, char **argv)
{
	struct pkram_dma_table *list, *c;
	struct pkram_ctx *ctx;

	if (ctl_no_more(argc, argv))
		return CTL_USAGE;
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_dma_table_dump(ctx, &list))
		return ctl_fail(ctx, NULL);
	out_table_open(NULL, NULL);
	for (c = list; c; c = c->next) {
		out_row_open();
		print_dma_table(c);
		out_row_close();
	}
	out_table_close();
	pkram_dma_table_free(list);
	return ctl_done(ctx);
}

/* Of several with one name all but one are quarantined: that one */
static const struct pkram_dma_table *
find_dma_table(const struct pkram_dma_table *list, const char *word)
{
	const struct pkram_dma_table *c, *found = NULL;
	uint64_t key = PKRAM_NONE64;
	bool by_key = parse_key(word, &key);

	for (c = list; c; c = c->next) {
		if (by_key ? c->key != key : !c->name || strcmp(c->name, word))
			continue;
		if (!found || !c->quarantine)
			found = c;
	}
	return found;
}

/**
 * struct named - the container that the arguments of a verb name
 * @ctx: connection
 * @list: all, which @c is one of
 * @c: found
 */
struct named {
	struct pkram_ctx *ctx;
	struct pkram_dma_table *list;
	const struct pkram_dma_table *c;
};

/* CTL_OK, or said why not, and nothing is left open */
static int named_open(struct named *n, const char *verb, int argc, char **argv)
{
	if (!argc)
		return ctl_usage("container %s: which one? (NAME or KEY of container list)",
				 verb);
	if (ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
	n->ctx = ctl_open();
	if (!n->ctx)
		return CTL_FAILED;
	if (pkram_dma_table_dump(n->ctx, &n->list))
		return ctl_fail(n->ctx, NULL);
	n->c = find_dma_table(n->list, argv[0]);
	if (n->c)
		return CTL_OK;
	pkram_dma_table_free(n->list);
	pkram_close(n->ctx);
	return ctl_error("%s: there is no such container", argv[0]);
}

static int dma_table_show(int argc, char **argv)
{
	const struct pkram_dma_table_entry *e;
	struct named n;
	int ret;

	ret = named_open(&n, "show", argc, argv);
	if (ret)
		return ret;
	out_record_open(NULL, NULL);
	print_dma_table(n.c);
	out_table_open("entries", "");
	for (e = n.c->entries; e; e = e->next) {
		out_row_open();
		print_entry(e);
		out_row_close();
	}
	out_table_close();
	out_record_close();
	pkram_dma_table_free(n.list);
	return ctl_done(n.ctx);
}

static int dma_table_discard(int argc, char **argv)
{
	struct named n;
	uint64_t key;
	int ret;

	ret = named_open(&n, "discard", argc, argv);
	if (ret)
		return ret;
	key = n.c->key;
	pkram_dma_table_free(n.list);
	if (pkram_dma_table_remove(n.ctx, key))
		return ctl_fail(n.ctx, argv[0]);
	out_record_open(NULL, NULL);
	out_id("discarded", "discarded", key);
	out_record_close();
	return ctl_done(n.ctx);
}

static const struct ctl_verb dma_table_verbs[] = {
	{ "list", "", "the containers of VFIO that have a name, quarantined ones included",
	  dma_table_list },
	{ "show", "NAME | KEY", "all about one, with its mappings", dma_table_show },
	{ "discard", "NAME | KEY",
	  "remove what is kept of one that is not in use: nobody can adopt it any more",
	  dma_table_discard },
	{ }
};

const struct ctl_object ctl_dma_table = {
	.name = "container",
	.help = "what devices of VFIO reach, kept across a kexec",
	.verbs = dma_table_verbs,
};
