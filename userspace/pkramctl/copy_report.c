// SPDX-License-Identifier: GPL-2.0
/* pkramctl export, import, verify: report results. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "copy_plan.h"
#include "ctl.h"
#include "parse.h"
#include "print.h"

static bool resumable(int err)
{
	return err == -ECANCELED || err == -ENOSPC || err == -EDQUOT || err == -EIO ||
	       err == -EFBIG;
}

/* Escape names from a manifest, which may contain control characters. */
static const char *printable(char *s)
{
	char *p;

	for (p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return s;
}

static void tell(const struct copy_plan *plan, struct copy_task *t)
{
	const char *path = plan->kind == COPY_EXPORT || plan->kind == COPY_OBJECT ?
			   t->object : t->file;
	/* An object may have been changed since; an export must not */
	const char *what = plan->kind == COPY_OBJECT ? "differs from its export" : "is damaged";
	unsigned int i, least = plan->kind == COPY_OBJECT ? 0 : 1;
	char done[32], all[32];

	/* If there is only one, the text names it. */
	for (i = 0; t->nr_bad > least && i < t->nr_bad && i < COPY_MAX_BAD; i++)
		ctl_error("%s: chunk %" PRIu64 ", %" PRIu64 " bytes at byte %" PRIu64 ", %s",
			  path, t->bad[i].chunk, t->bad[i].len, t->bad[i].offset, what);
	if (t->nr_bad > COPY_MAX_BAD)
		ctl_error("%s: and %u more", path, t->nr_bad - COPY_MAX_BAD);
	if (t->err == -ECANCELED && !t->begun)
		ctl_error("%s: not started", path);
	else if (t->err == -ECANCELED)
		ctl_error("%s: stopped at %s of %s%s", path,
			  format_size(t->stats.done, done, sizeof(done)),
			  format_size(t->stats.data, all, sizeof(all)),
			  copy_only_reads(plan) ? "" :
			  "; the same command continues from there");
	else if (t->err == -EINVAL && !*t->why)
		ctl_error("%s: the size of a chunk must be a power of two from 4 KiB to 64 MiB",
			  copy_verb(plan));
	else if (t->err && (!t->nr_bad || plan->kind != COPY_OBJECT))
		ctl_error("%s%s", printable(t->why),
			  resumable(t->err) && !copy_only_reads(plan) ?
			  "; the same command continues from there" : "");
}

static void print_task(const struct copy_plan *plan, const struct copy_task *t)
{
	const struct pkram_copy_stats *s = &t->stats;
	uint64_t moved = s->done - s->kept, rate = PKRAM_NONE64;
	char buf[48];

	if (s->elapsed_ms && !t->err)
		rate = moved * 1000 / s->elapsed_ms;
	out_row_open();
	out_str("result", "RESULT", !t->err ? "ok" : t->err == -ECANCELED ? "stopped" :
		plan->kind == COPY_OBJECT && t->nr_bad ? "differs" : "failed");
	if (t->err)
		out_u32("errno", NULL, -t->err);
	out_str("object", "OBJECT", t->object);
	out_str("file", "FILE", t->file);
	out_size("size", "SIZE", s->size);
	out_size("data", "DATA", s->data);
	if (!copy_only_reads(plan)) {
		out_size("kept", NULL, s->kept);
		/* In text only if an earlier run was continued */
		out_size(NULL, "KEPT", s->kept ?: PKRAM_NONE64);
		out_size("written", "WRITTEN", s->written);
	} else {
		out_u64("chunks", "CHUNKS", s->nr_chunks);
		out_u64("damaged", plan->kind == COPY_OBJECT ? "DIFFERENT" : "DAMAGED", s->nr_bad);
	}
	out_u64("elapsed_ms", NULL, s->elapsed_ms);
	snprintf(buf, sizeof(buf), "%" PRIu64 ".%" PRIu64 " s", s->elapsed_ms / 1000,
		 s->elapsed_ms / 100 % 10);
	out_str(NULL, "TIME", buf);
	out_u64("rate", NULL, rate);
	out_str(NULL, "RATE", rate == PKRAM_NONE64 ? NULL :
		format_rate(rate, buf, sizeof(buf)));
	out_bool("direct_in", NULL, s->direct_in);
	if (!copy_only_reads(plan))
		out_bool("direct_out", NULL, s->direct_out);
	out_bool("registered", NULL, s->registered);
	out_str("error", NULL, t->err ? t->why : NULL);
	out_row_close();
}

int copy_report(struct copy_plan *plan)
{
	unsigned int i, failed = 0;

	out_table_open(NULL, NULL);
	for (i = 0; i < plan->nr_tasks; i++) {
		struct copy_task *t = &plan->tasks[i];

		if (!t->begun)
			t->err = -ECANCELED;
		failed += !!t->err;
		/* Failures are reported on standard error. */
		if (!t->err || out_is_json())
			print_task(plan, t);
	}
	out_table_close();
	for (i = 0; i < plan->nr_tasks; i++)
		tell(plan, &plan->tasks[i]);
	return !failed ? CTL_OK : failed < plan->nr_tasks ? CTL_PARTLY : CTL_FAILED;
}
