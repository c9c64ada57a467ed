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
		if (qmp_command(&g->qmp, "query-status", NULL))
			return guest_fail(g, "%s", g->qmp.error);
		snprintf(g->status, sizeof(g->status), "%s",
			 qmp_text(&g->qmp, "status"));
		if (!strcmp(g->status, "running") ||
		    !strcmp(g->status, "suspended"))
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

void guests_start(struct guests *gs)
{
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g))
		guest_spawn(g, false);
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		if (guest_greet(g) || wait_until_it_runs(g))
			fail_start(g);
	}
}

void guests_resume(struct guests *gs)
{
	int64_t begin = now_us();
	struct guest_record r;
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		/* The QEMU that saved it may still run */
		if (g->state == GUEST_LIVE)
			guest_cont(g);
		else
			guest_spawn(g, true);
	}
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		if (g->child && !guest_greet(g) && !migrate_set_up(g, true))
			migrate_begin(g, "migrate-incoming");
	}
	for (g = gs->list; g; g = g->next) {
		if (g->pending)
			migrate_begun(g);
	}
	migrate_wait(gs, "loading");
	for (g = gs->list; g; g = g->next) {
		if (!g->child)
			continue;
		g->pending = false;
		if (!g->failed)
			wait_until_it_runs(g);
		/* Its log may have more details than QMP */
		if (g->failed && g->pid)
			guest_add_log(g);
		record_resume(g, g->failed ? g->error : NULL);
		if (g->failed) {
			fail_start(g);
			continue;
		}
		g->took = now_us() - begin;
		/* For later migrations, as after any start */
		migrate_set_up(g, false);
		unlink(guest_state_path(g));
		unlink(guest_info_path(g));
		if (record_get(g, &r) && record_blackout(&r) > 0)
			g->blackout = record_blackout(&r);
	}
}
