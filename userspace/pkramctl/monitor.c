// SPDX-License-Identifier: GPL-2.0
/* pkramctl monitor: print events, one per line. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "args.h"
#include "ctl.h"
#include "parse.h"
#include "print.h"

struct monitor {
	bool timestamp;
	uint64_t count;		/* events left to print, 0: no end */
};

static int parse_args(struct monitor *m, int argc, char **argv)
{
	const char *count;

	if (args_value("--count", &argc, argv, &count))
		return CTL_USAGE;
	if (count && (parse_number(count, &m->count) || !m->count))
		return ctl_usage("monitor: --count \"%s\" is not a number of events", count);
	m->timestamp = args_flag("--timestamp", &argc, argv);
	return ctl_no_more(argc, argv);
}

/* In UTC with microseconds, to be compared with other logs */
static void print_now(void)
{
	char buf[64], *end;
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (!gmtime_r(&ts.tv_sec, &tm))
		return;
	end = buf + strftime(buf, sizeof(buf) - 16, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(end, 16, ".%06uZ", (unsigned int)ts.tv_nsec / 1000 % 1000000);
	out_str("time", "", buf);
}

static void print_object(const struct pkram_object *o)
{
	if (out_is_json()) {
		out_record_open("object", NULL);
		ctl_print_object(o);
		out_record_close();
		return;
	}
	if (o->name)
		out_str(NULL, "", o->name);
	else
		out_id(NULL, "key", o->key);
	out_str(NULL, "state", o->quarantine ? "quarantined" : pkram_state_name(o->state));
	out_size(NULL, "size", o->size);
	out_mode(NULL, "mode", o->mode);
	out_str(NULL, "because:", o->quarantine);
}

static void print_event(const struct monitor *m, const struct pkram_event *ev)
{
	out_line_open();
	if (m->timestamp)
		print_now();
	out_str("event", "", ev ? pkram_event_name(ev->kind) : "lost");
	if (!ev) {
		out_str("reason", "because:", "events came faster than they were read; list the objects again");
		out_line_close();
		return;
	}
	if (ev->object)
		print_object(ev->object);
	out_str("old_name", "from", ev->old_name);
	out_str("label", "label", ev->label);
	out_address("base", "base", ev->base);
	out_address("offset", "offset", ev->offset);
	out_size("size", "size", ev->size);
	if (ev->handover_mode != PKRAM_NONE32)
		out_str("mode", "mode", pkram_handover_mode_name(ev->handover_mode));
	out_str("reason", "because:", ev->reason);
	out_line_close();
}

static int monitor(int argc, char **argv)
{
	struct monitor m = { 0 };
	struct pkram_event *ev;
	struct pkram_ctx *ctx;
	struct pollfd p;
	uint64_t n = 0;
	int err;

	if (parse_args(&m, argc, argv))
		return CTL_USAGE;
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_event_listen(ctx))
		return ctl_fail(ctx, NULL);
	p = (struct pollfd){ .fd = pkram_event_fd(ctx), .events = POLLIN };
	while (!m.count || n < m.count) {
		err = pkram_event_next(ctx, &ev);
		if (err == -EAGAIN) {
			poll(&p, 1, -1);
			continue;
		}
		if (err && err != -ENOBUFS)
			return ctl_fail(ctx, NULL);
		print_event(&m, ev);
		pkram_event_free(ev);
		n++;
	}
	return ctl_done(ctx);
}

static const struct ctl_verb monitor_verbs[] = {
	{ "", "[--timestamp] [--count N]",
	  "print events until interrupted, or N events; with -j one object per line",
	  monitor },
	{ }
};

const struct ctl_object ctl_monitor = {
	.name = "monitor",
	.help = "print events",
	.verbs = monitor_verbs,
};
