// SPDX-License-Identifier: GPL-2.0
/* Start guests, and resume those that were saved. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_clock.h"
#include "guest_cpu.h"
#include "guest_disks.h"
#include "guest_record.h"
#include "guest_resume.h"
#include "guest_save.h"
#include "guest_seal.h"
#include "migrate.h"

#define RUN_TRIES	500
#define RUN_POLL_MS	20

/*
 * QEMU lets the guest run after the start or the load, or has a reason not to, which is no
 * failure of ours: an I/O error, for example. 0, or QEMU cannot be asked
 */
static int settle(struct guest *g, const char *what)
{
	int i, err;

	for (i = 0; i < RUN_TRIES; i++) {
		err = guest_read_status(g);
		if (err)
			return err;
		if (!guest_passes(g->status))
			break;
		poll(NULL, 0, RUN_POLL_MS);
	}
	if (!guest_runs(g->status))
		ctl_warn("%s: it is %s and stands still, as it is %s",
			 g->file.name, what, g->status);
	return 0;
}

static void start_one(struct guest *g, void *arg)
{
	struct json_object *cpu;

	(void)arg;
	if (!guest_greet(g)) {
		guest_disks_note(g);
		cpu = guest_cpu_read(g);
		guest_cpu_note(g, cpu);
		json_object_put(cpu);
		if (settle(g, "started"))
			guest_fail(g, "%s", g->qmp.error);
	}
	if (g->failed && !g->kept)
		guest_quit(g);
}

void guests_start(struct guests *gs)
{
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g))
		guest_spawn(g, false);
	migrate_catch(true);
	guests_each_anyhow(gs, start_one, NULL);
	migrate_catch(false);
}

/*
 * The state is loaded and the RAM in use again: from now on QEMU has the only copy of the
 * guest, and is not ended whatever the guest does.
 */
static void loaded(struct guest *g, int64_t begin)
{
	struct guest_record r;

	settle(g, "resumed");
	record_resume(g, NULL);
	record_end(g);
	g->took = now_us() - begin;
	/* For later migrations, as after any start */
	migrate_set_up(g, false);
	unlink(guest_state_path(g));
	unlink(guest_info_path(g));
	if (record_get(g, &r) && record_blackout(&r) > 0)
		g->blackout = record_blackout(&r);
	guest_clock_set(g);
}

/* Another process began the load: 1 it is complete, 0 it is not begun, or %CTL_FAILED */
static int join_load(struct guest *g)
{
	const char *status;

	if (qmp_command(&g->qmp, "query-migrate", NULL))
		return guest_fail(g, "%s", g->qmp.error);
	status = qmp_text(&g->qmp, "status");
	if (!*status || !strcmp(status, "none") || !strcmp(status, "failed"))
		return 0;
	g->pending = strcmp(status, "completed");
	migrate_wait(g, "loading", NULL);
	return g->failed ? CTL_FAILED : 1;
}

/* End a QEMU that has nothing which the state does not have, and start another one */
static int start_again(struct guest *g)
{
	enum guest_seals seals = guest_seals(g, NULL);

	if (seals == SEALS_NONE || seals == SEALS_SOME)
		return guest_fail(g, "its QEMU, which is %s, uses the RAM already, and is not ended",
				  g->status);
	guest_quit(g);
	g->failed = false;
	if (g->state != GUEST_SAVED)
		return guest_fail(g, "its RAM does not match its state");
	return guest_spawn(g, true);
}

/*
 * The QEMU that saved it is still there, or one that was to load it. Return: 0: there is a
 * new one now; 1: all is done, or has failed
 */
static int take_over(struct guest *g, int64_t begin)
{
	int ret;

	if (guest_waits(g)) {
		g->patient = true;
		ret = join_load(g);
		if (ret == 1)
			loaded(g, begin);
		return ret || start_again(g);
	}
	record_was(g);
	if (!*g->was || guest_runs(g->was)) {
		guest_cont(g);
		return 1;
	}
	/* The process that began the save may have been killed before it wrote this */
	if (access(guest_info_path(g), F_OK) && record_save(g))
		return 1;
	/* "cont" would let it run: only a load leaves it as it was */
	return guest_secured(g) || start_again(g);
}

/*
 * A load has failed. QEMU may end if that is certain: it says so, or it has ended, and the
 * RAM is as the save left it.
 */
static bool may_end(struct guest *g)
{
	enum guest_seals seals = guest_seals(g, NULL);

	if (g->pending)
		return false;
	return seals == SEALS_ALL || seals == SEALS_UNKNOWN || !guest_wait_exit(g, 0);
}

/* In a QEMU that has not loaded the state yet: it has what the state needs */
static void prepare(struct guest *g)
{
	struct json_object *cpu;

	guest_disks_note(g);
	cpu = guest_cpu_read(g);
	if (!guest_cpu_check(g, cpu) && !guest_disks_restore(g))
		guest_cpu_note(g, cpu);
	json_object_put(cpu);
}

static void resume_one(struct guest *g, void *arg)
{
	const int64_t *begin = arg;

	if (!g->child && take_over(g, *begin))
		return;
	/* QEMU answers nothing while it loads */
	g->patient = true;
	if (!guest_greet(g))
		prepare(g);
	g->greeted = boot_us();
	if (!g->failed && !migrate_set_up(g, true) &&
	    !migrate_begin(g, "migrate-incoming") && !migrate_begun(g))
		migrate_wait(g, "loading", NULL);
	if (!g->failed) {
		loaded(g, *begin);
		return;
	}
	if (g->kept)
		return;
	if (!may_end(g)) {
		/* The load goes on, or is complete by now: QEMU has the only copy */
		guest_explain(g, "; its QEMU is not ended, as it %s: pkramctl guest show %s says whether it runs",
			      g->pending ? "goes on with the load" : "uses the RAM already",
			      g->file.name);
		g->pending = false;
		g->kept = true;
		return;
	}
	/* Its log may have more details than QMP */
	if (g->pid)
		guest_add_log(g);
	record_resume(g, g->error);
	guest_quit(g);
}

void guests_resume(struct guests *gs)
{
	int64_t begin = now_us();
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		g->load_began = boot_us();
		if (g->state != GUEST_LIVE)
			guest_spawn(g, true);
	}
	migrate_catch(true);
	guests_each_anyhow(gs, resume_one, &begin);
	migrate_catch(false);
}
