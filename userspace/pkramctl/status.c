// SPDX-License-Identifier: GPL-2.0
/* pkramctl status: the pool, the host and the guests on one screen, the verdict first. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "args.h"
#include "ctl.h"
#include "health.h"
#include "object_file.h"
#include "parse.h"
#include "print.h"
#include "read_file.h"

#define MAX_MEMINFO	65536

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

/* What is not good, and what to do about it */
static void print_attention(const struct health *h)
{
	out_table_open("attention", health_problems(h) ? "attention:" : NULL);
	health_print_rows(h, false);
	out_table_close();
}

/* Return a figure of /proc/meminfo in bytes */
static uint64_t meminfo(const char *text, const char *key)
{
	const char *at = text ? strstr(text, key) : NULL;

	return at ? strtoull(at + strlen(key), NULL, 10) << 10 : PKRAM_NONE64;
}

static void print_host(void)
{
	char crash[8] = "", *text = NULL;
	size_t len;

	pkram_read_file("/proc/meminfo", MAX_MEMINFO, &text, &len);
	pkram_read_line("/sys/kernel/kexec_crash_loaded", crash, sizeof(crash));
	out_record_open("host", "host:");
	out_size("ram", "RAM", meminfo(text, "MemTotal:"));
	out_size("available", "available", meminfo(text, "MemAvailable:"));
	out_str("mount", "pool mounted on", object_unmounted(object_dir()) ? NULL : object_dir());
	out_bool("crash_kernel", "crash kernel", *crash == '1');
	out_record_close();
	free(text);
}

static void print_guests(const struct health *h)
{
	const struct guest *g;
	uint64_t ram;
	unsigned int i;
	struct stat st;

	out_table_open("guests", h->guests.list ? "guests:" : NULL);
	for (g = h->guests.list; g; g = g->next) {
		ram = 0;
		for (i = 0; i < g->file.nr_ram; i++)
			ram += stat(g->file.ram[i].path, &st) ? 0 : st.st_size;
		out_row_open();
		out_str("name", "NAME", g->file.name);
		out_str("state", "STATE", guest_state_name(g));
		out_size("ram", "RAM", ram ? ram : PKRAM_NONE64);
		out_str("next", "NEXT", guest_next(g));
		out_row_close();
	}
	out_table_close();
}

static int status_show(int argc, char **argv)
{
	bool verbose = args_flag("--verbose", &argc, argv), secret = false;
	struct pkram_counters *counters = NULL;
	struct pkram_handover *handover = NULL;
	struct pkram_region *regions = NULL;
	struct pkram_object *objects = NULL;
	struct pkram_pool *pool = NULL;
	struct health h = { .brief = true };
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
		health_look(&h, ctx);
		out_record_open(NULL, NULL);
		out_bool("healthy", NULL, !health_problems(&h));
		out_str("verdict", "health", health_verdict(&h));
		print_attention(&h);
		print_host();
		print_guests(&h);
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
	health_free(&h);
	pkram_counters_free(counters);
	pkram_handover_free(handover);
	pkram_object_free(objects);
	pkram_region_free(regions);
	pkram_pool_free(pool);
	return err ? ctl_fail(ctx, NULL) : ctl_done(ctx);
}

static const struct ctl_verb status_verbs[] = {
	{ "", "[--verbose]", "a verdict, what needs attention, the host, guests, pool, regions, handover\n"
	  "      and objects on one screen; --verbose: also how often something happened since the module was loaded",
	  status_show },
	{ }
};

const struct ctl_object ctl_status = {
	.name = "status",
	.help = "whether all is well; pool, guests and objects",
	.verbs = status_verbs,
};
