// SPDX-License-Identifier: GPL-2.0
/* The state of the pool, the host and the guests: see health.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "boot.h"
#include "child.h"
#include "ctl.h"
#include "guest_defs.h"
#include "guest_save.h"
#include "health.h"
#include "kexec.h"
#include "object_file.h"
#include "parse.h"
#include "print.h"
#include "read_file.h"
#include "systemd.h"

#define LOOK_MS		2000
#define MAX_CONF	65536

/* Metrics */

/* Begin a metric; its samples follow */
static void metric(struct health *h, const char *name, const char *help)
{
	if (h->metrics)
		fprintf(h->metrics, "# HELP pkram_%s %s\n# TYPE pkram_%s gauge\n", name,
			help, name);
}

/* @labels: "{...}" or "" */
static void sample(struct health *h, const char *name, const char *labels, uint64_t value)
{
	if (h->metrics)
		fprintf(h->metrics, "pkram_%s%s %" PRIu64 "\n", name, labels, value);
}

static void number(struct health *h, const char *name, const char *help, uint64_t value)
{
	metric(h, name, help);
	sample(h, name, "", value);
}

/* The pool */

static void look_at_pool(struct health *h, const struct pkram_pool *pool)
{
	struct preflight *p = &h->checks;
	char size[32], unused[32];

	number(h, "pool_size_bytes", "Memory in the pool.", pool->size);
	number(h, "pool_free_bytes", "Memory in the pool that no object uses.", pool->free);
	number(h, "pool_regions", "Ranges of memory in the pool.", pool->nr_regions);
	number(h, "pool_regions_missing", "Regions that the pool had and that are not attached.",
	       pool->nr_missing);
	number(h, "pool_read_only", "Whether the pool can only be read.", pool->read_only);
	if (pool->nr_missing)
		preflight_add(p, PREFLIGHT_REFUSE, "pool",
			      "%u of its regions %s missing: pkramctl pool adopt attaches them",
			      pool->nr_missing, pool->nr_missing == 1 ? "is" : "are");
	else if (pool->read_only)
		preflight_add(p, PREFLIGHT_WARN, "pool",
			      "it is read-only: this module does not know all of its features");
	else if (!pool->nr_regions)
		preflight_add(p, h->guests.nr ? PREFLIGHT_WARN : PREFLIGHT_OK, "pool",
			      "there is none%s", h->guests.nr ?
			      ", and guests need it: pkramctl pool grow SIZE" : "");
	else
		preflight_add(p, PREFLIGHT_OK, "pool", "%s, of which %s are free",
			      format_size(pool->size, size, sizeof(size)),
			      format_size(pool->free, unused, sizeof(unused)));
}

static void look_at_regions(struct health *h, const struct pkram_region *list, uint64_t *bad)
{
	const struct pkram_region *r;
	unsigned int quarantined = 0;

	for (r = list; r; r = r->next) {
		if (r->nr_bad_pages != PKRAM_NONE32)
			*bad += r->nr_bad_pages;
		if (!r->quarantine)
			continue;
		quarantined++;
		preflight_add(&h->checks, PREFLIGHT_WARN, "region",
			      "0x%" PRIx64 " is quarantined: %s; see troubleshooting.md", r->base,
			      r->quarantine);
	}
	number(h, "regions_quarantined", "Ranges of memory that hold no usable region.",
	       quarantined);
}

static void look_at_objects(struct health *h, const struct pkram_object *list)
{
	const struct pkram_object *o;
	unsigned int quarantined = 0;

	for (o = list; o; o = o->next)
		quarantined += !!o->quarantine;
	number(h, "objects_quarantined", "Objects whose metadata is damaged.", quarantined);
	if (quarantined)
		preflight_add(&h->checks, PREFLIGHT_WARN, "objects",
			      "%u %s quarantined: pkramctl object show has the reasons",
			      quarantined, quarantined == 1 ? "is" : "are");
}

static void look_at_bad_pages(struct health *h, uint64_t bad)
{
	number(h, "bad_pages", "Pages of 4 KiB that memory errors broke.", bad);
	if (bad)
		preflight_add(&h->checks, PREFLIGHT_WARN, "bad pages",
			      "%" PRIu64 " broke by memory errors: look at the DIMMs (ras-mc-ctl, the firmware's log), and at troubleshooting.md",
			      bad);
}

static void look_at_handover(struct health *h, const struct pkram_handover *handover)
{
	struct preflight *p = &h->checks;

	if (handover->mode == PKRAM_HANDOVER_NONE)
		preflight_add(p, PREFLIGHT_REFUSE, "handover",
			      "the next kernel would overwrite the pool; see dmesg");
	else if (!handover->kexec_guard)
		preflight_add(p, PREFLIGHT_WARN, "handover",
			      "kexec_load(2) is not guarded: load kernels with pkramctl kexec only");
}

/* Return the pool's format, 0 if there is no pool */
static uint32_t look_at_module(struct health *h, struct pkram_ctx *ctx)
{
	struct pkram_handover *handover = NULL;
	struct pkram_region *regions = NULL;
	struct pkram_object *objects = NULL;
	struct pkram_pool *pool = NULL;
	uint32_t format = 0;
	uint64_t bad = 0;
	int err;

	if (pkram_pool_get(ctx, &pool) || pkram_region_dump(ctx, &regions) ||
	    pkram_handover_get(ctx, &handover)) {
		preflight_add(&h->checks, PREFLIGHT_REFUSE, "module", "%s", pkram_strerror(ctx));
	} else {
		look_at_pool(h, pool);
		look_at_regions(h, regions, &bad);
		look_at_bad_pages(h, bad);
		if (pool->nr_regions)
			look_at_handover(h, handover);
		err = pkram_object_dump(ctx, &objects);
		h->hidden |= err == -EPERM;
		/* Only root may see them */
		if (err && err != -EPERM)
			preflight_add(&h->checks, PREFLIGHT_WARN, "objects", "%s",
				      pkram_strerror(ctx));
		else if (!err)
			look_at_objects(h, objects);
		format = pool->nr_regions ? pool->format_version : 0;
	}
	pkram_handover_free(handover);
	pkram_object_free(objects);
	pkram_region_free(regions);
	pkram_pool_free(pool);
	return format;
}

/* The host */

static void look_at_mount(struct health *h)
{
	bool mounted = !object_unmounted(object_dir());

	number(h, "mounted", "Whether pkramfs is mounted.", mounted);
	if (!mounted)
		preflight_add(&h->checks, PREFLIGHT_REFUSE, "mount", OBJECT_UNMOUNTED,
			      object_dir());
}

/* After a reboot through the firmware there is no pool, unless pool.conf has its size */
static void look_at_conf(struct health *h, uint32_t format)
{
	const char *conf = ctl_env("PKRAM_POOL_CONF", "/etc/pkram/pool.conf");
	char *text = NULL, *line;
	bool sized = false;
	size_t len, n;

	if (!format || !h->guests.nr)
		return;
	if (!pkram_read_file(conf, MAX_CONF, &text, &len)) {
		for (line = text; line; line = strchr(line, '\n')) {
			line += *line == '\n';
			/* As the script of pkram-pool.service reads it; the last one counts */
			n = strncmp(line, "SIZE=", 5) ? 0 : strspn(line + 5, "0123456789");
			if (!strncmp(line, "SIZE=", 5))
				sized = n && line[5 + n] == 'G' && strchr("\n", line[6 + n]);
		}
	}
	free(text);
	if (!sized)
		preflight_add(&h->checks, PREFLIGHT_WARN, "pool.conf",
			      "%s has no SIZE= in whole GiB, like 64G: after a reboot there is no pool, and no guest starts",
			      conf);
}

static void look_at_kernels(struct health *h, uint32_t format)
{
	char **versions = boot_versions(), label[PATH_MAX];
	unsigned int i;

	metric(h, "module_available", "Whether an installed kernel has a module that can use the pool.");
	for (i = 0; versions[i]; i++) {
		snprintf(label, sizeof(label), "{kernel=\"%s\"}", versions[i]);
		sample(h, "module_available", label,
		       kexec_check_version(&h->checks, versions[i], format));
	}
	boot_versions_free(versions);
}

/* Units */

static void look_at_units(struct health *h)
{
	char *units = systemd_runs() ? systemd_failed() : NULL, *unit, *save;
	unsigned int nr = 0;

	for (unit = units ? strtok_r(units, "\n", &save) : NULL; unit;
	     unit = strtok_r(NULL, "\n", &save)) {
		nr++;
		preflight_add(&h->checks, PREFLIGHT_WARN, "unit",
			      "%s failed: systemctl status %s has the reason, systemctl start %s tries again",
			      unit, unit, unit);
	}
	number(h, "units_failed", "Units of pkram that failed.", nr);
	free(units);
}

/* What pkram-pool.service found at a boot: when, then the guests */
static void look_at_losses(struct health *h)
{
	char path[PATH_MAX], *text = NULL, *line, *save, *when;
	unsigned int nr = 0;
	char *names = NULL;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/lost", ctl_env("PKRAM_NOTE_DIR", "/var/lib/pkram"));
	if (pkram_read_file(path, MAX_CONF, &text, &len)) {
		number(h, "guests_lost", "Saved guests that a reboot lost.", 0);
		return;
	}
	when = strtok_r(text, "\n", &save);
	f = ctl_must(open_memstream(&names, &len));
	while (when && (line = strtok_r(NULL, "\n", &save)))
		fprintf(f, "%s%s", nr++ ? ", " : "", line);
	fclose(f);
	number(h, "guests_lost", "Saved guests that a reboot lost.", nr);
	if (nr)
		preflight_add(&h->checks, PREFLIGHT_REFUSE, "lost",
			      "%s: %s saved, and lost by the reboot of %s: what %s in RAM is gone, and %s afresh. rm %s when you have seen it",
			      names, nr > 1 ? "were" : "was", when, nr > 1 ? "they had" : "it had",
			      nr > 1 ? "they start" : "it starts", path);
	free(names);
	free(text);
}

/* Guests */

static void look_at_guest(struct health *h, struct guest *g)
{
	struct preflight *p = &h->checks;
	const char *remark = guest_defs_remark(g);

	guest_look(g, LOOK_MS);
	if (remark)
		preflight_add(p, PREFLIGHT_WARN, "definition", "%s: %s", g->file.name, remark);
	switch (g->state) {
	case GUEST_SAVED:
		h->nr_saved++;
		preflight_add(p, PREFLIGHT_WARN, "guest",
			      "%s: is saved and does not run: %s", g->file.name,
			      guest_next(g));
		return;
	case GUEST_SEALED:
		preflight_add(p, PREFLIGHT_REFUSE, "guest",
			      "%s: its RAM is sealed, but there is no %s", g->file.name,
			      guest_state_path(g));
		return;
	case GUEST_HALF:
		preflight_add(p, PREFLIGHT_REFUSE, "guest",
			      "%s: only a part of its RAM is sealed: it cannot be resumed; pkramctl guest unseal %s gives it up",
			      g->file.name, g->file.name);
		return;
	case GUEST_MUTE:
	case GUEST_UNKNOWN:
		preflight_add(p, PREFLIGHT_WARN, "guest", "%s: %s", g->file.name, g->error);
		return;
	case GUEST_LIVE:
		break;
	default:
		preflight_add(p, PREFLIGHT_OK, "guest", "%s: %s", g->file.name,
			      guest_state_name(g));
		return;
	}
	h->nr_running++;
	if (guest_stands_still(g) || guest_waits(g)) {
		g->looked = true;
		preflight_add(p, PREFLIGHT_WARN, "guest", "%s: is %s: %s", g->file.name,
			      g->status, guest_next(g));
		return;
	}
	/* Who holds the lock knows more; and must not find it taken for long */
	if (!h->brief && guest_lock(g)) {
		g->failed = false;
		h->nr_busy++;
		preflight_add(p, PREFLIGHT_OK, "guest",
			      "%s: %s; another pkramctl works on it, so whether it can be saved was not looked at",
			      g->file.name, g->status);
		return;
	}
	if (!h->brief) {
		guest_savable(g);
		g->looked = true;
		close(g->lock);
		g->lock = -1;
	}
	preflight_add(p, g->failed ? PREFLIGHT_WARN : PREFLIGHT_OK, "guest", "%s: %s%s%s",
		      g->file.name, g->status, g->failed ? ", but cannot be saved: " : "",
		      g->failed ? g->error : "");
}

static void look_at_guests(struct health *h)
{
	struct guest *g;
	char label[256];

	if (h->guests.bad)
		preflight_add(&h->checks, PREFLIGHT_WARN, "definition",
			      "not all definitions of guests can be used: pkramctl guest show names them");
	for (g = h->guests.list; g; g = g->next) {
		look_at_guest(h, g);
		/* QEMU serves one connection at a time */
		qmp_close(&g->qmp);
	}
	metric(h, "guest_running", "Whether a guest has a QEMU.");
	for (g = h->guests.list; g; g = g->next) {
		snprintf(label, sizeof(label), "{guest=\"%s\"}", g->file.name);
		sample(h, "guest_running", label, g->state == GUEST_LIVE || g->state == GUEST_MUTE);
	}
	metric(h, "guest_savable", "Whether a guest that runs can be saved.");
	for (g = h->guests.list; g; g = g->next) {
		snprintf(label, sizeof(label), "{guest=\"%s\"}", g->file.name);
		/* Of one that another process has locked it is not known */
		if (g->state == GUEST_MUTE || (g->state == GUEST_LIVE && g->looked))
			sample(h, "guest_savable", label, !g->failed);
	}
}

void health_look(struct health *h, struct pkram_ctx *ctx)
{
	uint32_t format = 0;

	h->checks.quiet = true;
	/* Sockets of QEMU are for root */
	h->hidden = geteuid();
	if (!h->hidden)
		guests_load(&h->guests, NULL, 0);
	number(h, "up", "Whether the module answers.", !!ctx);
	if (ctx)
		format = look_at_module(h, ctx);
	else
		preflight_add(&h->checks, PREFLIGHT_REFUSE, "module",
			      "it does not answer: modprobe pkram; pkramctl pool show has the reason");
	look_at_mount(h);
	look_at_units(h);
	look_at_losses(h);
	look_at_guests(h);
	if (!h->brief) {
		look_at_conf(h, format);
		look_at_kernels(h, format);
	}
	number(h, "problems", "Results of pkramctl health that are not good.", health_problems(h));
}

unsigned int health_problems(const struct health *h)
{
	const struct preflight_row *row;
	unsigned int n = 0;

	for (row = h->checks.first; row; row = row->next)
		n += row->verdict != PREFLIGHT_OK;
	return n;
}

const char *health_verdict(const struct health *h)
{
	static char text[256];
	unsigned int n = health_problems(h);

	if (n)
		snprintf(text, sizeof(text), "ATTENTION: %u %s", n, n == 1 ? "problem" : "problems");
	else if (h->hidden)
		snprintf(text, sizeof(text), "OK, as far as this user may see it");
	else if (!h->guests.nr)
		snprintf(text, sizeof(text), "OK: no guests are defined");
	else
		snprintf(text, sizeof(text), "OK: %u of %u guest%s %s%s", h->nr_running,
			 h->guests.nr, h->guests.nr == 1 ? "" : "s",
			 h->nr_running == 1 ? "runs" : "run", !h->nr_running || h->brief ? "" :
			 h->nr_busy ? ", and those that no other pkramctl works on can be saved" :
			 ", and can be saved");
	return text;
}

static const char *result_text(const struct preflight_row *row)
{
	return row->verdict == PREFLIGHT_OK ? "ok" :
	       row->verdict == PREFLIGHT_WARN ? "warning" : "critical";
}

void health_print_rows(const struct health *h, bool all)
{
	const struct preflight_row *row;

	for (row = h->checks.first; row; row = row->next) {
		if (row->verdict == PREFLIGHT_OK && !all)
			continue;
		out_row_open();
		out_str("check", "CHECK", row->what);
		out_str("result", "RESULT", result_text(row));
		out_str("text", "WHAT", row->text);
		out_row_close();
	}
}

void health_free(struct health *h)
{
	preflight_free(&h->checks);
	guests_free(&h->guests);
}
