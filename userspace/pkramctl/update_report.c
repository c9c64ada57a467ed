// SPDX-License-Identifier: GPL-2.0
/*
 * pkramctl update --report: the blackouts, by phase.
 *
 * What happened before the kexec was noted by CLOCK_REALTIME of the old kernel, what came
 * after it by CLOCK_BOOTTIME of this one, which begins with the kernel. Both meet where
 * CLOCK_REALTIME of this kernel says that it began.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>
#include "child.h"
#include "ctl.h"
#include "guest_record.h"
#include "print.h"
#include "read_file.h"
#include "systemd.h"
#include "update_report.h"

#define BAR		60		/* columns of the longest bar */
#define RTC_US		1000000		/* the clock that both kernels read has seconds */
#define INIT		"] Run /init"	/* the kernel says so when the initramfs begins */

/* From klogctl(2); the C library has no names for them */
#define KLOG_READ_ALL	3
#define KLOG_SIZE	10

enum phase {
	PHASE_SAVE,
	PHASE_WAIT,
	PHASE_SHUTDOWN,
	PHASE_KEXEC,
	PHASE_KERNEL,
	PHASE_INITRAMFS,
	PHASE_UNITS,
	PHASE_ATTACH,
	PHASE_QEMU,
	PHASE_LOAD,
	NR_PHASES,
};

static const struct {
	const char *name, *title, *what;
	char letter;
} phases[NR_PHASES] = {
	[PHASE_SAVE] = { "save", "SAVE", "QEMU writes the state, the RAM is sealed", 's' },
	[PHASE_WAIT] = { "wait", "WAIT", "until the other guests were saved, or the resume began",
			 '.' },
	[PHASE_SHUTDOWN] = { "shutdown", "SHUTDOWN", "until the pool's unit was stopped", 'd' },
	[PHASE_KEXEC] = { "kexec", "KEXEC", "until the next kernel's first message", 'x' },
	[PHASE_KERNEL] = { "kernel", "KERNEL", "until its initramfs began", 'k' },
	[PHASE_INITRAMFS] = { "initramfs", "INITRAMFS", "until systemd began on the root file system",
			      'i' },
	[PHASE_UNITS] = { "units", "UNITS", "until the guest's unit began, without the attach",
			  'u' },
	[PHASE_ATTACH] = { "attach", "ATTACH", "the module reads the pool", 'a' },
	[PHASE_QEMU] = { "qemu", "QEMU", "QEMU starts", 'q' },
	[PHASE_LOAD] = { "load", "LOAD", "QEMU loads the state", 'l' },
};

/**
 * struct boot - what is known of this boot and of the end of the last one
 * @id: its boot ID
 * @down_id: boot ID of the kernel that noted @down
 * @down: when the pool's unit was stopped, in us of CLOCK_REALTIME; 0 unknown
 * @init: when the initramfs began, in us of CLOCK_BOOTTIME; -1 unknown
 * @userspace: when systemd began on the root file system, the same
 * @attach: how long the module took, in us; -1 unknown
 */
struct boot {
	char id[40], down_id[40];
	int64_t down, init, userspace, attach;
};

/**
 * struct blackout - a blackout
 * @us: of each phase; -1 unknown: it is in the next one that is known
 * @all: all of it
 * @rebooted: there is a kexec in it
 */
struct blackout {
	int64_t us[NR_PHASES], all;
	bool rebooted;
};

/* This boot */

/* Return the time of the message with @what, in us; -1: the log does not have it any more */
static int64_t time_in_log(const char *what)
{
	int size = klogctl(KLOG_SIZE, NULL, 0), len;
	const char *at, *begin;
	int64_t us = -1;
	char *text;
	double s;

	if (size <= 0)
		return -1;
	text = ctl_must(malloc(size + 1));
	len = klogctl(KLOG_READ_ALL, text, size);
	text[len > 0 ? len : 0] = '\0';
	at = strstr(text, what);
	for (begin = at; begin && begin > text && begin[-1] != '\n'; begin--)
		;
	if (begin && sscanf(begin, "<%*d>[%lf", &s) == 1)
		us = s * 1e6;
	free(text);
	return us;
}

/* Ask systemd when the parts of the boot began */
static void look_at_systemd(struct boot *b)
{
	const char *const argv[] = {
		"systemctl", "show", "--property=InitRDTimestampMonotonic",
		"--property=UserspaceTimestampMonotonic", NULL
	};
	const char *at;
	char *text;

	if (!systemd_runs() || child_read(argv, 4096, &text))
		return;
	at = strstr(text, "UserspaceTimestampMonotonic=");
	if (at)
		b->userspace = strtoll(strchr(at, '=') + 1, NULL, 10);
	if (b->userspace <= 0)
		b->userspace = -1;
	/* Only an initramfs in which systemd runs has a time; it is better than the kernel's */
	at = strstr(text, "InitRDTimestampMonotonic=");
	if (at && strtoll(strchr(at, '=') + 1, NULL, 10) > 0)
		b->init = strtoll(strchr(at, '=') + 1, NULL, 10);
	free(text);
}

static void look_at_boot(struct boot *b)
{
	struct pkram_counters *c = NULL;
	struct pkram_ctx *ctx = NULL;
	char path[4096], line[128];

	*b = (struct boot){ .init = time_in_log(INIT), .userspace = -1, .attach = -1 };
	record_boot_id(b->id);
	look_at_systemd(b);
	if (!pkram_open(&ctx) && !pkram_counters_get(ctx, &c))
		b->attach = c->attach_usecs;
	pkram_counters_free(c);
	pkram_close(ctx);
	/* By pkram-pool.service */
	snprintf(path, sizeof(path), "%s/down", ctl_env("PKRAM_NOTE_DIR", "/var/lib/pkram"));
	if (pkram_read_line(path, line, sizeof(line)) ||
	    sscanf(line, "%" SCNd64 " %39s", &b->down, b->down_id) != 2)
		b->down = 0;
}

/* Phases */

/* Whether guests were saved by one update */
static bool together(const struct guest_record *a, const struct guest_record *b)
{
	return a->batch && a->batch == b->batch && !strcmp(a->boot, b->boot);
}

/* Return when this kernel began, by its CLOCK_REALTIME */
static int64_t kernel_began(const struct guest_record *r)
{
	return r->resumed - r->ran;
}

/* Fill the phases from the one at @from up to @to, in which something begins */
static void put(struct blackout *o, enum phase p, int64_t from, int64_t to)
{
	/* A clock that was set */
	o->us[p] = to > from ? to - from : 0;
}

/**
 * find_phases() - Divide a blackout
 * @o: out
 * @r: of the guest; of the host: the times of several guests
 * @last_saved: when the last guest of its update was saved
 * @b: this boot
 *
 * Return: 0; -1: the record lacks what is needed.
 */
static int find_phases(struct blackout *o, const struct guest_record *r, int64_t last_saved,
		       const struct boot *b)
{
	int64_t init = b->init, userspace = b->userspace, units;
	enum phase p;

	for (p = 0; p < NR_PHASES; p++)
		o->us[p] = -1;
	o->all = record_blackout(r);
	if (o->all < 0 || !*r->boot || !*b->id || !r->complete || !r->began || !r->greeted)
		return -1;
	put(o, PHASE_SAVE, r->saved, r->complete);
	put(o, PHASE_QEMU, r->began, r->greeted);
	put(o, PHASE_LOAD, r->greeted, r->ran);
	o->rebooted = strcmp(r->boot, b->id);
	if (!o->rebooted) {
		put(o, PHASE_WAIT, r->complete, r->resumed - (r->ran - r->began));
		return 0;
	}
	if (last_saved > r->complete)
		put(o, PHASE_WAIT, r->complete, last_saved);
	else
		last_saved = r->complete;
	if (b->down >= last_saved && !strcmp(b->down_id, r->boot)) {
		put(o, PHASE_SHUTDOWN, last_saved, b->down);
		put(o, PHASE_KEXEC, b->down, kernel_began(r));
	} else {
		put(o, PHASE_KEXEC, last_saved, kernel_began(r));
	}
	if (userspace < 0 || userspace > r->began)
		userspace = 0;
	if (init < 0 || init > userspace)
		init = 0;
	if (init)
		put(o, PHASE_KERNEL, 0, init);
	if (userspace)
		put(o, PHASE_INITRAMFS, init, userspace);
	units = r->began - userspace;
	if (b->attach >= 0 && b->attach < units) {
		o->us[PHASE_ATTACH] = b->attach;
		units -= b->attach;
	}
	o->us[PHASE_UNITS] = units;
	return 0;
}

/* Return the record of the guest that was saved last and is resumed, or NULL */
static const struct guest_record *last_of(const struct guest_record *list, unsigned int nr)
{
	const struct guest_record *last = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (list[i].resumed && (!last || list[i].complete > last->complete))
			last = &list[i];
	}
	return last;
}

/* Return when the last guest of one update was saved */
static int64_t all_saved(const struct guest_record *list, unsigned int nr,
			 const struct guest_record *of)
{
	int64_t last = of->complete;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (together(&list[i], of) && list[i].complete > last)
			last = list[i].complete;
	}
	return last;
}

/*
 * The host's blackout: from the stop of the first guest of the last update until the last one
 * ran again. Return: it is known
 */
static bool find_host(struct blackout *o, const struct guest_record *list, unsigned int nr,
		      const struct boot *b)
{
	const struct guest_record *last = last_of(list, nr);
	struct guest_record host;
	unsigned int i;

	if (!last)
		return false;
	host = *last;
	for (i = 0; i < nr; i++) {
		if (!together(&list[i], last) || !list[i].resumed)
			continue;
		if (list[i].saved < host.saved)
			host.saved = list[i].saved;
		if (list[i].began && list[i].began < host.began)
			host.began = list[i].began;
		if (list[i].greeted > host.greeted)
			host.greeted = list[i].greeted;
		if (list[i].ran > host.ran) {
			host.resumed = list[i].resumed;
			host.ran = list[i].ran;
		}
	}
	host.complete = all_saved(list, nr, last);
	return !find_phases(o, &host, host.complete, b);
}

/* Output */

static void print_phases_json(const struct blackout *o)
{
	enum phase p;

	out_table_open("phases", NULL);
	for (p = 0; p < NR_PHASES; p++) {
		if (o->us[p] < 0)
			continue;
		out_row_open();
		out_str("phase", NULL, phases[p].name);
		out_duration("seconds", NULL, o->us[p]);
		out_row_close();
	}
	out_table_close();
}

static void print_phases_row(const char *name, const struct blackout *o)
{
	enum phase p;

	out_row_open();
	out_str(NULL, "NAME", name);
	for (p = 0; p < NR_PHASES; p++)
		out_duration(NULL, phases[p].title, o->us[p]);
	out_row_close();
}

/* Draw @o, where @longest has BAR columns */
static void print_bar(const char *name, const struct blackout *o, int64_t longest)
{
	char bar[BAR + 1];
	int64_t sum = 0;
	enum phase p;
	int n = 0;

	for (p = 0; p < NR_PHASES; p++) {
		sum += o->us[p] > 0 ? o->us[p] : 0;
		while (n < BAR && n < (sum * BAR + longest / 2) / longest)
			bar[n++] = phases[p].letter;
	}
	bar[n] = '\0';
	out_row_open();
	out_str(NULL, "NAME", name);
	out_duration(NULL, "BLACKOUT", o->all);
	out_str(NULL, "BAR", bar);
	out_row_close();
}

static void print_legend(const struct blackout *list, unsigned int nr)
{
	unsigned int i;
	char letter[2] = "";
	enum phase p;

	out_table_open(NULL, "phases of the bars:");
	for (p = 0; p < NR_PHASES; p++) {
		for (i = 0; i < nr && list[i].us[p] < 0; i++)
			;
		if (i == nr)
			continue;
		letter[0] = phases[p].letter;
		out_row_open();
		out_str(NULL, "BAR", letter);
		out_str(NULL, "PHASE", phases[p].name);
		out_str(NULL, "WHAT", phases[p].what);
		out_row_close();
	}
	out_table_close();
}

static void remark(const char *text)
{
	out_row_open();
	out_str("text", "NOTE", text);
	out_row_close();
}

/* What cannot be told, and how far the figures can be believed */
static void print_remarks(const struct blackout *host, bool unknown, const struct boot *b)
{
	out_table_open("remarks", "");
	if (unknown)
		remark("a guest without phases was saved or resumed by an older pkramctl, or the clock was set back");
	if (host && host->rebooted) {
		if (host->us[PHASE_SHUTDOWN] < 0)
			remark("the shutdown is a part of kexec: nothing noted its end, as pkram-pool.service does when it is stopped");
		if (host->us[PHASE_INITRAMFS] < 0)
			remark("kernel and initramfs are a part of units: systemd does not say when it began");
		else if (host->us[PHASE_KERNEL] < 0)
			remark("the kernel is a part of initramfs: its log does not say any more when that began");
		if (b->attach < 0)
			remark("the attach is a part of units: the module does not tell it");
		if (host->us[PHASE_KEXEC] >= 0)
			remark("kexec, and with it the blackouts, may be wrong by a second, and by what the clock was corrected since: the clock that both kernels read has whole seconds");
	}
	out_table_close();
}

static void print_row(const struct guest *g, const struct guest_record *r,
		      const struct blackout *o)
{
	out_row_open();
	out_str("name", "NAME", g->file.name);
	out_str("result", "RESULT", r->resumed ? "resumed" : *r->error ? "not resumed" : "saved");
	out_duration("blackout", "BLACKOUT", record_blackout(r));
	out_time("saved", "SAVED", r->saved ? r->saved : -1);
	out_time("resumed", "RESUMED", r->resumed ? r->resumed : -1);
	out_str("from", "FROM", *r->from ? r->from : NULL);
	out_str("to", "TO", *r->to ? r->to : NULL);
	out_str("clock", "CLOCK", *r->clock ? r->clock : NULL);
	out_str("error", "WHY", *r->error && !r->resumed ? r->error : NULL);
	if (o && out_is_json())
		print_phases_json(o);
	out_row_close();
}

/* The tables and bars for people */
static void print_text(const struct blackout *list, const char *const *names, unsigned int nr)
{
	int64_t longest = 1;
	unsigned int i;

	out_table_open(NULL, "phases:");
	for (i = 0; i < nr; i++) {
		print_phases_row(names[i], &list[i]);
		if (list[i].all > longest)
			longest = list[i].all;
	}
	out_table_close();
	out_table_open(NULL, "bars:");
	for (i = 0; i < nr; i++)
		print_bar(names[i], &list[i], longest);
	out_table_close();
	print_legend(list, nr);
}

int update_report(struct guests *gs)
{
	struct guest_record *records = ctl_must(calloc(gs->nr + 1, sizeof(*records)));
	struct blackout *list = ctl_must(calloc(gs->nr + 1, sizeof(*list))), o;
	const char **names = ctl_must(calloc(gs->nr + 1, sizeof(*names)));
	bool known, host = false, unknown = false;
	unsigned int i, nr = 0, nr_known = 0;
	struct guest *g, **of = ctl_must(calloc(gs->nr + 1, sizeof(*of)));
	struct boot b;

	look_at_boot(&b);
	for (g = gs->list; g; g = g->next) {
		if (!record_get(g, &records[nr]))
			continue;
		of[nr++] = g;
	}
	out_record_open(NULL, NULL);
	out_table_open("guests", nr ? "guests:" : NULL);
	for (i = 0; i < nr; i++) {
		known = !find_phases(&o, &records[i], all_saved(records, nr, &records[i]), &b);
		unknown |= !known && records[i].resumed;
		print_row(of[i], &records[i], known ? &o : NULL);
		if (!known)
			continue;
		names[nr_known] = of[i]->file.name;
		list[nr_known++] = o;
	}
	out_table_close();
	if (find_host(&o, records, nr, &b)) {
		host = true;
		names[nr_known] = "(host)";
		list[nr_known++] = o;
	}
	if (host && out_is_json()) {
		out_record_open("host", NULL);
		out_duration("blackout", NULL, o.all);
		print_phases_json(&o);
		out_record_close();
	}
	if (nr_known && !out_is_json())
		print_text(list, names, nr_known);
	print_remarks(host ? &o : NULL, unknown, &b);
	out_record_close();
	if (!nr)
		ctl_nothing("no guest was saved: there is nothing to report");
	free(records);
	free(list);
	free(names);
	free(of);
	return CTL_OK;
}
