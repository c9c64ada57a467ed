// SPDX-License-Identifier: GPL-2.0
/* Start guests, and resume those that were saved. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_record.h"
#include "guest_resume.h"
#include "guest_save.h"
#include "migrate.h"

#define RUN_TRIES	500
#define RUN_POLL_MS	20

/* QEMU lets the guest run after the start or the load, or has a reason not to */
static int wait_until_it_runs(struct guest *g)
{
	int i;

	for (i = 0; i < RUN_TRIES; i++) {
		if (guest_read_status(g))
			return guest_fail(g, "%s", g->qmp.error);
		if (guest_runs(g->status))
			return 0;
		poll(NULL, 0, RUN_POLL_MS);
	}
	return guest_fail(g, "does not run: it is %s", g->status);
}

static void fail_start(struct guest *g)
{
	guest_quit(g);
	g->state = access(guest_state_path(g), F_OK) ? GUEST_STOPPED :
		   GUEST_SAVED;
}

static void start_one(struct guest *g, void *arg)
{
	(void)arg;
	if (guest_greet(g) || wait_until_it_runs(g))
		fail_start(g);
}

void guests_start(struct guests *gs)
{
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g))
		guest_spawn(g, false);
	guests_each_anyhow(gs, start_one, NULL);
}

/* States that QEMU leaves by itself after a load */
static bool is_loading(const char *status)
{
	return !strcmp(status, "inmigrate") || !strcmp(status, "prelaunch") ||
	       !strcmp(status, "restore-vm") || !strcmp(status, "finish-migrate");
}

/*
 * The state is loaded and the RAM in use again: from now on QEMU has the only copy of the
 * guest, and is not ended whatever the guest does.
 */
static void loaded(struct guest *g, int64_t begin)
{
	struct guest_record r;
	int i;

	for (i = 0; i < RUN_TRIES; i++) {
		if (guest_read_status(g) || !is_loading(g->status))
			break;
		poll(NULL, 0, RUN_POLL_MS);
	}
	if (!guest_runs(g->status))
		ctl_warn("%s: it is resumed and stands still, as it is %s",
			 g->file.name, g->status);
	record_resume(g, NULL);
	g->took = now_us() - begin;
	/* For later migrations, as after any start */
	migrate_set_up(g, false);
	unlink(guest_state_path(g));
	unlink(guest_info_path(g));
	if (record_get(g, &r) && record_blackout(&r) > 0)
		g->blackout = record_blackout(&r);
}

static void resume_one(struct guest *g, void *arg)
{
	const int64_t *begin = arg;

	/* The QEMU that saved it may still run */
	if (!g->child) {
		guest_cont(g);
		return;
	}
	if (!guest_greet(g) && !migrate_set_up(g, true) &&
	    !migrate_begin(g, "migrate-incoming") && !migrate_begun(g))
		migrate_wait(g, "loading", NULL);
	/* The load goes on, or is complete by now: then QEMU has the only copy of the guest */
	if (g->failed && g->pending) {
		g->pending = false;
		guest_explain(g, "; its QEMU is not ended and goes on with the load: pkramctl guest show %s says whether it runs",
			      g->file.name);
		return;
	}
	g->pending = false;
	if (!g->failed) {
		loaded(g, *begin);
		return;
	}
	/* Its log may have more details than QMP */
	if (g->pid)
		guest_add_log(g);
	record_resume(g, g->error);
	fail_start(g);
}

void guests_resume(struct guests *gs)
{
	int64_t begin = now_us();
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		if (g->state != GUEST_LIVE)
			guest_spawn(g, true);
	}
	migrate_catch(true);
	guests_each_anyhow(gs, resume_one, &begin);
	migrate_catch(false);
}
