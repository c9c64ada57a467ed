// SPDX-License-Identifier: GPL-2.0
/* pkramctl health: for people and for monitoring. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "args.h"
#include "ctl.h"
#include "health.h"
#include "print.h"

static void print(const struct health *h)
{
	out_record_open(NULL, NULL);
	out_bool("healthy", NULL, !health_problems(h));
	out_str("verdict", "health", health_verdict(h));
	out_table_open("checks", "");
	health_print_rows(h, true);
	out_table_close();
	out_record_close();
}

/* Its reader finds the old file or the new one, whole */
static int write_metrics(const char *path, const char *text)
{
	char *temporary;
	int ret = CTL_OK;
	FILE *f;

	/* The collector reads *.prom only */
	ctl_must(asprintf(&temporary, "%s.%d", path, (int)getpid()) < 0 ? NULL : temporary);
	f = fopen(temporary, "wxe");
	if (!f || fputs(text, f) < 0 || fchmod(fileno(f), 0644) || fclose(f) ||
	    rename(temporary, path)) {
		ret = ctl_error("%s: %s", path, strerror(errno));
		unlink(temporary);
	}
	free(temporary);
	return ret;
}

static int health_run(int argc, char **argv)
{
	struct health h = { 0 };
	struct pkram_ctx *ctx = NULL;
	char *metrics = NULL;
	const char *file;
	size_t len;
	int ret = CTL_OK;

	if (args_value("--textfile", &argc, argv, &file) || ctl_no_more(argc, argv))
		return CTL_USAGE;
	if (file)
		h.metrics = ctl_must(open_memstream(&metrics, &len));
	if (pkram_open(&ctx)) {
		pkram_close(ctx);
		ctx = NULL;
	}
	health_look(&h, ctx);
	if (h.metrics) {
		fprintf(h.metrics, "# HELP pkram_health_time_seconds When this was written.\n# TYPE pkram_health_time_seconds gauge\npkram_health_time_seconds %lld\n",
			(long long)time(NULL));
		fclose(h.metrics);
		ret = write_metrics(file, metrics);
	}
	print(&h);
	if (health_problems(&h))
		ret = CTL_FAILED;
	free(metrics);
	health_free(&h);
	pkram_close(ctx);
	return ret;
}

static const struct ctl_verb health_verbs[] = {
	{ "", "[--textfile FILE]",
	  "look at the pool, what is quarantined, bad pages, the module of each installed\n"
	  "      kernel, and whether each guest could be saved. Exit status 1 if something\n"
	  "      needs attention. --textfile: also write it for node_exporter's collector",
	  health_run },
	{ }
};

const struct ctl_object ctl_health = {
	.name = "health",
	.help = "what needs attention, for monitoring",
	.verbs = health_verbs,
};
