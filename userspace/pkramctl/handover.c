// SPDX-License-Identifier: GPL-2.0
/* pkramctl handover, pkramctl status. */
#include <errno.h>
#include <stddef.h>
#include "args.h"
#include "ctl.h"
#include "print.h"

void ctl_print_handover(const struct pkram_handover *h)
{
	out_str("mode", "handover", pkram_handover_mode_name(h->mode));
	out_str("cmdline", "command line", h->cmdline);
	out_bool("kexec_guard", "kexec_load guard", h->kexec_guard);
	out_bool("kexec_loaded", "image loaded", h->kexec_loaded);
}

static int handover_show(int argc, char **argv)
{
	struct pkram_handover *h;
	struct pkram_ctx *ctx;

	if (ctl_no_more(argc, argv))
		return CTL_USAGE;
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_handover_get(ctx, &h))
		return ctl_fail(ctx, NULL);
	out_record_open(NULL, NULL);
	ctl_print_handover(h);
	out_record_close();
	pkram_handover_free(h);
	return ctl_done(ctx);
}

static const struct ctl_verb handover_verbs[] = {
	{ "show", "", "how the next kernel learns of the regions",
	  handover_show },
	{ }
};

const struct ctl_object ctl_handover = {
	.name = "handover",
	.help = "how the next kernel learns of the pool: show",
	.verbs = handover_verbs,
};

static void print_counts(const struct pkram_object *list)
{
	unsigned int n[PKRAM_STATE_RUNNING + 1] = { 0 };
	const struct pkram_object *o;
	unsigned int i, quarantined = 0, total = 0;

	for (o = list; o; o = o->next) {
		total++;
		if (o->quarantine)
			quarantined++;
		else if (o->state <= PKRAM_STATE_RUNNING)
			n[o->state]++;
	}
	out_record_open("objects", "objects:");
	out_u32("total", "total", total);
	for (i = 0; i <= PKRAM_STATE_RUNNING; i++)
		out_u32(pkram_state_name(i), n[i] ? pkram_state_name(i) : NULL,
			n[i]);
	out_u32("quarantined", "quarantined", quarantined);
	out_record_close();

	out_table_open("quarantined", quarantined ? "quarantined:" : NULL);
	for (o = list; o; o = o->next) {
		if (!o->quarantine)
			continue;
		out_row_open();
		out_id("key", "KEY", o->key);
		out_str("name", "NAME", o->name);
		out_str("quarantine", "BECAUSE", o->quarantine);
		out_row_close();
	}
	out_table_close();
}

static void print_counters(const struct pkram_counters *c)
{
	out_record_open("counters", "counters, since the module was loaded:");
	out_u64("commits", "commits", c->commits);
	out_u64("repairs", "repairs", c->repairs);
	out_u64("faults_4k", "faults, 4K", c->faults_4k);
	out_u64("faults_2m", "faults, 2M", c->faults_2m);
	out_u64("faults_1g", "faults, 1G", c->faults_1g);
	out_u64("populates", "populates", c->populates);
	out_u64("waits", "waits", c->waits);
	out_u64("zeroed", "units zeroed", c->zeroed);
	out_u64("kexec_refused", "kexec refused", c->kexec_refused);
	out_u64("quarantined", "quarantined", c->quarantined);
	out_u64("attach_usecs", "attach, us", c->attach_usecs);
	out_u64("bad_pages", "bad pages", c->bad_pages);
	out_record_close();
}

static int status_show(int argc, char **argv)
{
	bool verbose = args_flag("--verbose", &argc, argv), secret = false;
	struct pkram_counters *counters = NULL;
	struct pkram_handover *handover = NULL;
	struct pkram_region *regions = NULL;
	struct pkram_object *objects = NULL;
	struct pkram_pool *pool = NULL;
	struct pkram_ctx *ctx;
	int err;

	if (ctl_no_more(argc, argv))
		return CTL_USAGE;
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	err = pkram_pool_get(ctx, &pool);
	if (!err)
		err = pkram_region_dump(ctx, &regions);
	if (!err) {
		/* Only root can read names and counters; the rest is printed. */
		err = pkram_object_dump(ctx, &objects);
		secret = err == -EPERM;
	}
	if (!err || secret)
		err = pkram_handover_get(ctx, &handover);
	if (!err && verbose && !secret)
		err = pkram_counters_get(ctx, &counters);
	if (!err) {
		out_record_open(NULL, NULL);
		out_record_open("pool", "pool:");
		ctl_print_pool(pool);
		out_record_close();
		ctl_print_regions(regions, "regions",
				  regions ? "regions:" : NULL);
		out_record_open("handover", "handover:");
		ctl_print_handover(handover);
		out_record_close();
		if (counters)
			print_counters(counters);
		if (secret)
			out_text(verbose ? "counters and objects: only root may see them" :
					   "objects: only root may see them");
		else
			print_counts(objects);
		out_record_close();
	}
	pkram_counters_free(counters);
	pkram_handover_free(handover);
	pkram_object_free(objects);
	pkram_region_free(regions);
	pkram_pool_free(pool);
	return err ? ctl_fail(ctx, NULL) : ctl_done(ctx);
}

static const struct ctl_verb status_verbs[] = {
	{ "", "[--verbose]", "pool, regions, handover and objects on one screen;\n"
	  "      --verbose: also how often something happened since the module was loaded",
	  status_show },
	{ }
};

const struct ctl_object ctl_status = {
	.name = "status",
	.help = "pool, regions, handover and objects",
	.verbs = status_verbs,
};
