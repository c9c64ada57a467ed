// SPDX-License-Identifier: GPL-2.0
/* Save guests, and undo a save. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_devices.h"
#include "guest_disks.h"
#include "guest_ram.h"
#include "guest_record.h"
#include "guest_save.h"
#include "guest_seal.h"
#include "guest_storage.h"
#include "live.h"
#include "migrate.h"
#include "object_file.h"

#define TOGETHER_MS	20000	/* the others stand still meanwhile */
#define CONT_TRIES	500
#define CONT_POLL_MS	20

/* It is saved as it stands, and stands still after the resume */
static bool can_be_saved(const char *status)
{
	return guest_runs(status) || !strcmp(status, "paused") || !strcmp(status, "io-error");
}

/* Of a migration that somebody else has started */
static bool is_under_way(const char *status)
{
	static const char *const over[] = { "", "none", "completed", "failed", "cancelled" };
	size_t i;

	for (i = 0; i < sizeof(over) / sizeof(over[0]); i++)
		if (!strcmp(status, over[i]))
			return false;
	return true;
}

/*
 * A VFIO device blocks a migration in mode normal, but not a save; and QEMU names what
 * blocks the current mode.
 */
static int check_blockers(struct guest *g)
{
	struct json_object *reasons;
	const char *first;

	if (qmp_command(&g->qmp, "query-migrate", NULL))
		return guest_fail(g, "%s", g->qmp.error);
	if (is_under_way(qmp_text(&g->qmp, "status")))
		return guest_fail(g, "a migration is under way: wait for its end, or cancel it");
	if (migrate_set_mode(g, true))
		return CTL_FAILED;
	if (qmp_command(&g->qmp, "query-migrate", NULL)) {
		guest_fail(g, "%s", g->qmp.error);
	} else if (json_object_object_get_ex(g->qmp.answer, "blocked-reasons", &reasons)) {
		first = json_object_get_string(json_object_array_get_idx(reasons, 0)) ?:
			"QEMU gives no reason why it cannot be saved";
		/* As a dump of its memory */
		(strstr(first, "in progress") ? guest_fail : guest_refuse)(g, "%s", first);
	}
	migrate_set_mode(g, false);
	return g->failed ? CTL_FAILED : 0;
}

int guest_savable(struct guest *g)
{
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
	if (!can_be_saved(g->status))
		return (guest_passes(g->status) ? guest_fail : guest_refuse)
			(g, "is %s: only a guest that runs, is paused or waits after an I/O error can be saved",
			 g->status);
	if (object_unmounted(guest_state_path(g)))
		return guest_fail(g, OBJECT_UNMOUNTED, object_dir());
	if (guest_check_ram(g) || guest_check_storage(g) || guest_check_devices(g) ||
	    guest_disks_check(g))
		return CTL_FAILED;
	return check_blockers(g);
}

/**
 * struct save - a save of several guests
 * @together: all, or none: where one fails, the others continue at once
 * @batch: when that began; 0: each by itself
 * @failed: one has failed
 * @left: number of those that are not saved yet
 */
struct save {
	bool together;
	int64_t batch;
	atomic_bool failed;
	atomic_uint left;
};

/* Nothing has happened to the guest yet: it runs on if this fails */
static void set_up_one(struct guest *g, void *arg)
{
	struct save *save = arg;

	g->touched = true;
	g->batch = save->batch;
	snprintf(g->was, sizeof(g->was), "%s", g->status);
	record_begin(g);
	if (save->together)
		g->qmp.timeout_ms = TOGETHER_MS;
	if (!migrate_set_up(g, true))
		return;
	save->failed = true;
	/* A part of it may be set; the failure stays */
	if (!g->qmp.owed)
		migrate_set_up(g, false);
}

/* QEMU says that it has saved the guest: nothing else is believed of it */
static void complete(struct guest *g)
{
	struct stat st;

	g->stopped = g->qmp.stopped;
	if (!stat(guest_state_path(g), &st))
		g->bytes = st.st_size;
	if (!record_save(g))
		guest_secured(g);
}

static void save_one(struct guest *g, void *arg)
{
	struct save *save = arg;

	live_step(g, LIVE_SAVING);
	if (!migrate_begin(g, "migrate") && !migrate_begun(g))
		migrate_wait(g, "saving", save->together ? &save->failed : NULL);
	if (!g->failed && !g->pending)
		complete(g);
	if (g->failed) {
		live_step(g, LIVE_FAILED);
		save->failed = true;
	} else if (!g->pending) {
		live_step(g, LIVE_SAVED);
		save->left--;
	}
	while (save->together && save->left && !save->failed && !migrate_caught())
		poll(NULL, 0, CONT_POLL_MS);
	if (save->together && (save->failed || migrate_caught())) {
		save->failed = true;
		guest_cont(g);
		return;
	}
	if (g->failed)
		guest_cont(g);
}

/* QEMU refuses "cont" while it cleans up after a failed save */
static int let_run(struct guest *g)
{
	int i, err;

	if (g->pending)
		migrate_cancel(g);
	/* The save goes on, and may still stop the guest */
	if (g->pending)
		return -ETIMEDOUT;
	for (i = 0; i < CONT_TRIES; i++) {
		if (guest_read_status(g))
			return -EPIPE;
		/* QEMU may have resumed the guest itself */
		if (guest_runs(g->status))
			return 0;
		err = qmp_command(&g->qmp, "cont", NULL);
		if (err && err != -EREMOTEIO)
			return err;
		if (err)
			poll(NULL, 0, CONT_POLL_MS);
	}
	return -ETIMEDOUT;
}

/* Only now is the state, complete or not, useless */
static void forget_state(struct guest *g)
{
	unlink(guest_state_path(g));
	unlink(guest_info_path(g));
	record_end(g);
	migrate_set_up(g, false);
}

/*
 * A guest that stood still before the save must not run after it. If the save is complete,
 * it is as if it was stopped after a save, and keeps its state.
 */
static int stay_still(struct guest *g)
{
	if (g->pending)
		migrate_cancel(g);
	if (g->pending)
		return guest_fail(g, "%s", g->qmp.error);
	if (guest_read_status(g))
		return guest_fail(g, "%s", g->qmp.error);
	if (!guest_stands_still(g))
		forget_state(g);
	return 0;
}

/*
 * A QEMU that does not answer has commands in its queue, among them the save, and executes
 * them when it wakes. A process waits for that and lets the guest run then; meanwhile it
 * holds the guest's lock.
 */
static void cont_later(struct guests *gs, struct guest *g)
{
	struct guest *other;
	pid_t pid;
	int fd;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		setsid();
		/* A reader of our output must not wait for its end */
		fd = open("/dev/null", O_RDWR);
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		for (other = gs->list; other; other = other->next) {
			if (other == g)
				continue;
			qmp_close(&other->qmp);
			if (other->lock >= 0)
				close(other->lock);
		}
		g->qmp.timeout_ms = INT_MAX;
		g->pending = true;
		if (!guest_runs(g->was))
			stay_still(g);
		else if (!let_run(g))
			forget_state(g);
		_exit(0);
	}
	g->pending = false;
	/* The answers are that process's now */
	if (pid > 0) {
		qmp_close(&g->qmp);
		g->state = GUEST_MUTE;
	}
	guest_fail(g, "QEMU does not answer");
	if (pid < 0)
		guest_explain(g, "; when it does, run pkramctl guest resume %s: %s",
			      g->file.name, strerror(errno));
	else
		guest_explain(g, "; process %d lets it continue as soon as it answers",
			      (int)pid);
}

static void cont_hanging(struct guests *gs)
{
	struct guest *g;

	for (g = gs->list; g; g = g->next) {
		if (g->touched && g->qmp.fd >= 0 && g->qmp.owed)
			cont_later(gs, g);
	}
}

int guest_cont(struct guest *g)
{
	/* cont_later() does it */
	if (g->qmp.owed)
		return guest_fail(g, "QEMU does not answer");
	if (*g->was && !guest_runs(g->was))
		return stay_still(g);
	if (!let_run(g)) {
		forget_state(g);
		if (!g->failed)
			live_step(g, LIVE_RUNS);
		return 0;
	}
	if (g->qmp.owed)
		return guest_fail(g, "QEMU does not answer");
	if (g->failed)
		guest_explain(g, "; it does not continue: %s", g->qmp.error);
	return guest_fail(g, "does not continue: %s", g->qmp.error);
}

static void cont_one(struct guest *g, void *arg)
{
	(void)arg;
	if (g->touched && g->qmp.fd >= 0)
		guest_cont(g);
}

void guests_cont(struct guests *gs)
{
	guests_each_anyhow(gs, cont_one, NULL);
	cont_hanging(gs);
}

int guests_save(struct guests *gs, bool together)
{
	struct save save = { .together = together, .batch = together ? now_us() : 0 };
	bool begun;
	struct guest *g;

	migrate_catch(true);
	save.failed = guests_each(gs, set_up_one, &save) || save.failed;
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g))
		save.left++;
	begun = (!together || !save.failed) && !guests_each(gs, save_one, &save);
	if (!begun)
		save.failed = true;
	if (together && !save.failed)
		return 0;
	migrate_catch(false);
	/* save_one() let those continue that answer */
	if (begun)
		cont_hanging(gs);
	else
		guests_cont(gs);
	return save.failed ? CTL_FAILED : 0;
}

static void check_one(struct guest *g, void *arg)
{
	(void)arg;
	if (guest_secured(g))
		guest_cont(g);
}

static void leave_one(struct guest *g, void *arg)
{
	(void)arg;
	live_step(g, LIVE_ENDING);
	guest_quit(g);
	live_step(g, LIVE_ENDED);
}

int guests_leave(struct guests *gs, bool together)
{
	bool failed = false;
	struct guest *g;

	/* One may have been continued, or reset, since it was saved */
	guests_each_anyhow(gs, check_one, NULL);
	for (g = gs->list; g; g = g->next)
		failed = failed || (g->chosen && g->failed);
	if (failed && together)
		return CTL_FAILED;
	/* Each flushes its disks */
	guests_each_anyhow(gs, leave_one, NULL);
	return failed ? CTL_FAILED : 0;
}
