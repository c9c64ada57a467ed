// SPDX-License-Identifier: GPL-2.0
/* pkramctl guest up, down: the verbs of units, which do not know the state of the guest. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctl.h"
#include "guest.h"
#include "guest_cmd.h"
#include "guest_record.h"
#include "guest_resume.h"
#include "guest_save.h"
#include "guest_stop.h"
#include "kexec.h"
#include "migrate.h"
#include "systemd.h"

/* How long before the end of the unit's TimeoutStopSec systemd must have the answer */
#define STOP_MARGIN_S	60
#define RETRY_MS	2000
/* A resume that failed */
#define RETRY_POLL_MS	100
#define MAX_RETRY_S	30

/*
 * A guest whose records are in a region that is not attached looks as if it had never been
 * saved. Units must not start it afresh before the operator has looked.
 */
static int can_start_unattended(struct guest *g)
{
	struct pkram_pool *pool = NULL;
	struct pkram_ctx *ctx = NULL;
	unsigned int nr = 0, i;

	if (!pkram_open(&ctx) && !pkram_pool_get(ctx, &pool)) {
		nr = pool->nr_missing;
	} else {
		for (i = 0; i < g->file.nr_ram; i++) {
			if (g->file.ram[i].pkram)
				guest_fail(g, "the module does not say whether regions of the pool are missing, where this guest may be saved: %s; pkramctl guest start %s starts it afresh",
					   pkram_strerror(ctx), g->file.name);
		}
	}
	pkram_pool_free(pool);
	pkram_close(ctx);
	if (g->failed)
		return CTL_FAILED;
	if (!nr)
		return 0;
	return guest_fail(g, "%u of the pool's regions %s missing, and this guest may be saved there: attach or give up what is missing (pkramctl pool show), or start it afresh with pkramctl guest start %s",
			  nr, nr == 1 ? "is" : "are", g->file.name);
}

/*
 * Return whether a resume failed for a reason that may pass, and the guest is as it was. QEMU and
 * its log say why in words only
 */
static bool may_pass(const struct guest *g)
{
	static const int passing[] = {
		EBUSY, ENOENT, ENOMEM, EAGAIN, ENXIO, ENODEV, ETIMEDOUT, ECONNREFUSED,
		EHOSTUNREACH, ENETUNREACH,
	};
	size_t i;

	if (!g->failed || g->final || g->kept || g->state != GUEST_SAVED)
		return false;
	for (i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		if (strstr(g->error, strerror(passing[i])))
			return true;
	}
	/* Of pkram's objects, and of images */
	return strstr(g->error, "is in use by another process") ||
	       strstr(g->error, "lock\nIs another process using the image");
}

/* Wait, without the guest's lock, so that an operator can resume it: 0, or a signal ends that */
static int wait_again(struct guest *g, int *seconds)
{
	int64_t end = mono_us() + *seconds * 1000000LL;

	if (g->lock < 0)
		ctl_warn("%s: it is not up yet, which is tried again in %d s: %s", g->file.name,
			 *seconds, g->error);
	else
		ctl_warn("%s: it is not resumed yet, which is tried again in %d s, as its RAM and state are unchanged: %s",
			 g->file.name, *seconds, g->error);
	if (g->lock >= 0)
		close(g->lock);
	g->lock = -1;
	migrate_catch(true);
	while (mono_us() < end && !migrate_caught())
		poll(NULL, 0, RETRY_POLL_MS);
	migrate_catch(false);
	if (migrate_caught())
		return CTL_FAILED;
	*seconds = *seconds < MAX_RETRY_S / 2 ? 2 * *seconds : MAX_RETRY_S;
	return 0;
}

/* Resume, or start, a guest. Return whether another attempt makes sense */
static bool try_up(struct guest_request *r, bool *resumed)
{
	struct guest *g = r->guests.list;

	g->failed = false;
	/* An update, a check or a rehearsal has the locks of all guests for a while */
	if (guest_wait_lock(g, GUEST_LOCK_MS))
		return !g->final;
	guest_look(g, GUEST_LOOK_MS);
	if (guest_host_leaves()) {
		guest_fail(g, GUEST_HOST_LEAVES);
		return false;
	}
	if (g->state == GUEST_SAVED || guest_stands_still(g) || guest_waits(g)) {
		*resumed = true;
		guests_resume(&r->guests);
		/* A signal ends the attempts, not only the pauses between them */
		return may_pass(g) && !migrate_caught();
	}
	/* It was given up meanwhile, or was resumed and has ended */
	if (*resumed && !g->failed && g->state != GUEST_LIVE)
		guest_fail(g, "is %s by now, and is not started: %s does that",
			   guest_state_name(g), guest_command(g, "start"));
	if (!g->failed && g->state != GUEST_LIVE && !can_start_unattended(g) && !guest_can_start(g))
		guests_start(&r->guests);
	return false;
}

int guest_up(int argc, char **argv)
{
	int ret, seconds = 1;
	bool resumed = false;
	struct guest_request r;
	struct guest *g;

	ret = guest_request_one(&r, "up", argc, argv);
	if (ret)
		return ret;
	g = r.guests.list;
	while (try_up(&r, &resumed) && !wait_again(g, &seconds))
		;
	guest_hint_retry(&r.guests);
	/* systemd would kill what is left of a unit that fails to start */
	if (g->failed && g->kept) {
		ctl_warn("%s: %s", g->file.name, g->error);
		g->failed = false;
	}
	return guest_request_finish(&r, 0);
}

/*
 * Remove --main-pid=PID from the arguments, which may be empty: systemd knows no main process of
 * the unit any more. Return: NULL: it was not there
 */
static const char *take_main_pid(int *argc, char **argv)
{
	static const char option[] = "--main-pid=";
	const char *value;
	int i;

	for (i = 0; i < *argc && strncmp(argv[i], option, strlen(option)); i++)
		;
	if (i == *argc)
		return NULL;
	value = argv[i] + strlen(option);
	(*argc)--;
	memmove(argv + i, argv + i + 1, (*argc - i) * sizeof(*argv));
	return value;
}

/* Return when systemd is about to kill QEMU, as mono_us() */
static int64_t end_of_stop(const struct guest *g, int64_t begin)
{
	int64_t seconds = systemd_stop_timeout(guest_unit(g), GUEST_UNIT_STOP_S);

	/* The host is not kept from its end for ever */
	if (seconds == INT_MAX)
		seconds = GUEST_UNIT_STOP_S;
	return begin + (seconds > 2 * STOP_MARGIN_S ? seconds - STOP_MARGIN_S : seconds / 2) *
	       1000000;
}

/* Return the time until @end in ms */
static int ms_left(int64_t end)
{
	int64_t left = (end - mono_us()) / 1000;

	return left < GUEST_LOOK_MS ? GUEST_LOOK_MS : left > INT_MAX ? INT_MAX : (int)left;
}

/*
 * A unit is also stopped when its QEMU has ended, a little later: by then the guest may run
 * again, in a QEMU that is not the unit's, or may be saved in an update, which holds its lock.
 */
static bool is_ours(const struct guest *g, const char *main_pid)
{
	return !main_pid || (g->pid && g->pid == atoi(main_pid));
}

/* Look at a guest that goes down, and lock it. Return whether it is live, and ours */
static bool look_and_lock(struct guest *g, const char *main_pid, int64_t end)
{
	guest_look(g, ms_left(end));
	if (g->failed || g->state != GUEST_LIVE || !is_ours(g, main_pid))
		return false;
	if (g->lock >= 0)
		return true;
	/* Whoever has the lock may need the only connection */
	qmp_close(&g->qmp);
	if (guest_wait_lock(g, ms_left(end)))
		return false;
	guest_look(g, ms_left(end));
	return !g->failed && g->state == GUEST_LIVE && is_ours(g, main_pid);
}

/*
 * The process that saved it was ended before it had ended QEMU, which is left to do. If the save is
 * void after all, the guest continues
 */
static void finish_save(struct guests *gs)
{
	struct guest *g = gs->list;

	record_was(g);
	if (access(guest_info_path(g), F_OK))
		record_save(g);
	guests_leave(gs, false);
}

/*
 * Save a guest before a kexec. What fails for a while (a QEMU that is silent, a disk that is slow,
 * a job, a migration) is waited for, as long as there is time to power it down instead. Return
 * whether it can only be powered down
 */
static bool save_before(struct guest_request *r, const char *main_pid, int64_t end)
{
	struct guest *g = r->guests.list;
	int64_t last = end - g->file.stop_timeout * 1000000LL;
	char told[sizeof(g->error)] = "";

	for (;;) {
		if (look_and_lock(g, main_pid, end)) {
			/* QEMU may answer when its disks are flushed */
			g->patient = true;
			g->qmp.timeout_ms = ms_left(end);
			if (guest_stands_still(g)) {
				finish_save(&r->guests);
			} else if (!guest_savable(g)) {
				migrate_limit(ms_left(end) / 1000);
				guests_save_and_leave(&r->guests);
			}
			if (!g->failed)
				return false;
			/* One that does not answer cannot be asked to power down */
			if (g->state == GUEST_LIVE && !g->qmp.owed &&
			    (g->final || mono_us() >= last))
				return true;
		}
		if (!g->failed || mono_us() >= end || g->state == GUEST_UNKNOWN)
			return false;
		if (strcmp(told, g->error))
			ctl_warn("%s: it is not saved yet, and that is tried again: %s", g->file.name,
				 g->error);
		snprintf(told, sizeof(told), "%s", g->error);
		poll(NULL, 0, RETRY_MS);
	}
}

int guest_down(int argc, char **argv)
{
	bool lost, kexec, power = true;
	const char *main_pid = take_main_pid(&argc, argv);
	int64_t end, begin = mono_us();
	struct guest_request r;
	struct guest *g;
	int ret;

	ret = guest_request_one(&r, "down", argc, argv);
	if (ret)
		return ret;
	g = r.guests.list;
	if (main_pid && !*main_pid) {
		guests_free(&r.guests);
		return CTL_OK;
	}
	kexec = systemd_kexec_pending();
	lost = kexec && !kexec_may_boot();
	kexec = kexec && !lost;
	end = end_of_stop(g, begin);
	if (kexec)
		power = save_before(&r, main_pid, end);
	else
		power = look_and_lock(g, main_pid, end);
	/* There is no QEMU */
	if (g->state == GUEST_UNKNOWN)
		g->failed = false;
	if (!power)
		return guest_request_finish(&r, 0);
	if (kexec)
		ctl_warn("%s cannot be saved and is powered down instead: %s", g->file.name,
			 g->error);
	if (lost)
		ctl_warn("%s is powered down: a kexec is pending, but no kernel is loaded, and the host would reboot through its firmware, which loses what is saved",
			 g->file.name);
	g->failed = false;
	guests_stop(&r.guests, false);
	return guest_request_finish(&r, 0);
}
