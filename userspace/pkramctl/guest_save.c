// SPDX-License-Identifier: GPL-2.0
/* Save guests, and undo a save. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_record.h"
#include "guest_save.h"
#include "migrate.h"

#define CONT_TRIES	500
#define CONT_POLL_MS	20

static bool lives(const struct guest *g)
{
	return !strcmp(g->status, "running") || !strcmp(g->status, "suspended");
}

int guest_savable(struct guest *g)
{
	struct json_object *reasons, *first;

	switch (g->state) {
	case GUEST_LIVE:
		break;
	case GUEST_SAVED:
		return guest_fail(g, "is saved already");
	case GUEST_MUTE:
		return CTL_FAILED;
	default:
		return guest_fail(g, "does not run");
	}
	if (guest_stands_still(g))
		return guest_fail(g, "is stopped after a save; pkramctl guest resume %s continues it",
				  g->file.name);
	if (!lives(g))
		return guest_fail(g, "is %s: only a guest that runs can be saved",
				  g->status);
	if (qmp_command(&g->qmp, "query-migrate", NULL))
		return guest_fail(g, "%s", g->qmp.error);
	if (!json_object_object_get_ex(g->qmp.answer, "blocked-reasons",
				       &reasons))
		return 0;
	first = json_object_array_get_idx(reasons, 0);
	return guest_fail(g, "%s", first ? json_object_get_string(first) :
			  "QEMU gives no reason why it cannot be saved");
}

void guests_save(struct guests *gs)
{
	struct stat st;
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		g->touched = true;
		migrate_set_up(g, true);
	}
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g))
		migrate_begin(g, "migrate");
	for (g = gs->list; g; g = g->next) {
		if (g->pending)
			migrate_begun(g);
	}
	migrate_wait(gs, "saving");
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		g->stopped = g->qmp.stopped;
		if (!stat(guest_state_path(g), &st))
			g->bytes = st.st_size;
		if (record_save(g))
			ctl_warn("%s: its blackout cannot be reported: %s: %s",
				 g->file.name, guest_info_path(g),
				 strerror(errno));
	}
}

/* QEMU refuses "cont" while it cleans up after a failed save */
static int let_run(struct guest *g)
{
	int i, err;

	if (g->pending)
		migrate_cancel(g);
	for (i = 0; i < CONT_TRIES; i++) {
		if (qmp_command(&g->qmp, "query-status", NULL))
			return -EPIPE;
		snprintf(g->status, sizeof(g->status), "%s",
			 qmp_text(&g->qmp, "status"));
		/* QEMU may have resumed the guest itself */
		if (lives(g))
			return 0;
		err = qmp_command(&g->qmp, "cont", NULL);
		if (err && err != -EREMOTEIO)
			return err;
		if (err)
			poll(NULL, 0, CONT_POLL_MS);
	}
	return -ETIMEDOUT;
}

int guest_cont(struct guest *g)
{
	/* Only now is the state, complete or not, useless */
	if (!let_run(g)) {
		unlink(guest_state_path(g));
		unlink(guest_info_path(g));
		migrate_set_up(g, false);
		return 0;
	}
	if (g->failed)
		guest_explain(g, "; it does not continue: %s", g->qmp.error);
	return guest_fail(g, "does not continue: %s", g->qmp.error);
}

void guests_leave(struct guests *gs)
{
	struct guest *g;

	/* Each flushes its disks; do it in parallel */
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g))
		qmp_send(&g->qmp, "quit", NULL);
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		guest_quit(g);
		g->state = GUEST_SAVED;
	}
}
