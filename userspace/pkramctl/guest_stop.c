// SPDX-License-Identifier: GPL-2.0
/* Power guests down, and wake them up. */
#include <poll.h>
#include <string.h>
#include "guest_stop.h"
#include "migrate.h"

#define WAKE_US		10000000	/* its firmware runs first */
#define WAKE_POLL_MS	20

static void refuse_power_down(struct guest *g)
{
	if (!strcmp(g->status, "inmigrate"))
		guest_fail(g, "is inmigrate: QEMU loads it, and may have the only copy; wait: pkramctl guest resume %s waits with you",
			   g->file.name);
	else if (!strcmp(g->status, "suspended"))
		guest_fail(g, "is suspended and cannot power down; wake it first: pkramctl guest wake %s",
			   g->file.name);
	else if (!strcmp(g->status, "paused") || !strcmp(g->status, "io-error"))
		guest_fail(g, "is %s and cannot power down; continue it first: pkramctl guest wake %s",
			   g->status, g->file.name);
	else
		guest_fail(g, "is %s and cannot power down; --force ends it at once, as pulling its plug",
			   g->status);
}

void guests_stop(struct guests *gs, bool force)
{
	int64_t begin = mono_us(), left;
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		if (force)
			continue;
		if (strcmp(g->status, "running"))
			refuse_power_down(g);
		else if (qmp_command(&g->qmp, "system_powerdown", NULL))
			guest_fail(g, "%s", g->qmp.error);
	}
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		left = g->file.stop_timeout * 1000LL - (mono_us() - begin) / 1000;
		if (force)
			guest_quit(g);
		else if (guest_wait_exit(g, left > 0 ? left : 0))
			guest_fail(g, "has not powered down within %u seconds and still runs; --force ends it at once",
				   g->file.stop_timeout);
		if (!g->failed)
			g->state = GUEST_STOPPED;
	}
}

static void wait_awake(struct guest *g)
{
	int64_t end = mono_us() + WAKE_US;
	char was[sizeof(g->status)];

	strcpy(was, g->status);
	do {
		poll(NULL, 0, WAKE_POLL_MS);
		if (guest_read_status(g)) {
			guest_fail(g, "%s", g->qmp.error);
			return;
		}
		if (!strcmp(g->status, "running"))
			return;
	} while (mono_us() < end && !strcmp(g->status, was));
	guest_fail(g, "does not run: it is %s", g->status);
}

void guests_wake(struct guests *gs)
{
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		if (qmp_command(&g->qmp, !strcmp(g->status, "suspended") ? "system_wakeup" : "cont",
				NULL))
			guest_fail(g, "%s", g->qmp.error);
	}
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g))
		wait_awake(g);
}
