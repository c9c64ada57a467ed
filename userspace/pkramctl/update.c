// SPDX-License-Identifier: GPL-2.0
/*
 * pkramctl update: boot another kernel on the host and preserve its guests.
 *
 * Steps that can fail come first: the image is loaded, then all guests are saved, and only
 * then their QEMUs end. Until then everything can be undone.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "ctl.h"
#include "guest_check.h"
#include "guest_defs.h"
#include "guest_record.h"
#include "guest_resume.h"
#include "guest_save.h"
#include "guest_seal.h"
#include "guest_stop.h"
#include "inhibitors.h"
#include "kexec.h"
#include "live.h"
#include "migrate.h"
#include "object_file.h"
#include "print.h"
#include "systemd.h"
#include "update_report.h"
#include "update_unit.h"

#define LOOK_MS		10000
#define LOCK_MS		10000	/* that pkramctl health has to end */
#define REHEARSE_S	20
#define UNIT_US		60000000	/* that units of guests have for a resume */
#define UNIT_POLL_MS	100
#define HELD_MS		5000	/* that a vhost-user backend has to let go of RAM */

/* Return whether one of the guests to be saved has its RAM in @object, a path from pkramfs' root */
static bool is_guests_ram(struct guests *gs, const char *object)
{
	char *path = path_join(object_dir(), object + (*object == '/'));
	struct stat st, ram;
	bool found = false;
	struct guest *g;
	unsigned int i;

	/* A guest may name another mount, or have a link on its way */
	if (!stat(path, &st)) {
		for (g = guests_next_good(gs, NULL); g && !found; g = guests_next_good(gs, g)) {
			for (i = 0; i < g->file.nr_ram && !found; i++)
				found = !stat(g->file.ram[i].path, &ram) &&
					ram.st_dev == st.st_dev && ram.st_ino == st.st_ino;
		}
	}
	free(path);
	return found;
}

/* Guests that are saved already keep their QEMU until the boot */
static int check_holders(struct kexec_plan *plan, struct pkram_object *list, struct guests *gs)
{
	pid_t *pids = ctl_must(calloc(gs->nr + 1, sizeof(*pids)));
	unsigned int nr = 0;
	struct guest *g;
	int ret;

	for (g = gs->list; g; g = g->next) {
		if (g->pid)
			pids[nr++] = g->pid;
	}
	ret = kexec_check_holders(plan, list, pids, nr);
	free(pids);
	return ret;
}

/*
 * Refuse if an object is claimed by a process that will not be saved. @gs: guests that
 * will be saved; NULL: no object may be claimed.
 */
static int check_objects(struct kexec_plan *plan, struct pkram_ctx *ctx, struct guests *gs)
{
	struct pkram_object *list, *o;
	int ret = CTL_OK;

	if (pkram_object_dump(ctx, &list))
		return ctl_error("%s", pkram_strerror(ctx));
	for (o = list; o; o = o->next) {
		if (o->state != PKRAM_STATE_CLAIMED ||
		    (gs && o->name && is_guests_ram(gs, o->name)))
			continue;
		ret = preflight_add(&plan->checks, PREFLIGHT_REFUSE, "object",
				    "%s is claimed by a process that is not a guest in guests.d; end the process, or define the guest",
				    o->name ? o->name : "(no name)");
	}
	/* Afterwards all QEMUs still hold their RAM: check_held() looks when they have ended */
	if (gs)
		ret |= check_holders(plan, list, gs);
	pkram_object_free(list);
	return ret;
}

/* Return whether a device of one of the guests to be saved has the DMA table */
static bool is_guests_table(struct guests *gs, const char *name)
{
	size_t len = strlen(name);
	const char *at, *key = "pkram-dma-table=";
	struct guest *g;
	unsigned int i;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		for (i = 0; i < g->file.nr_args; i++) {
			at = strstr(g->file.args[i], key);
			at = at ? at + strlen(key) : "";
			if (!strncmp(at, name, len) && (!at[len] || at[len] == ','))
				return true;
		}
	}
	return false;
}

/* The mappings of a process that is no guest are not suspended by anybody */
static int check_tables(struct kexec_plan *plan, struct pkram_ctx *ctx, struct guests *gs)
{
	struct preflight *p = &plan->checks;
	struct pkram_dma_table *list, *t;
	unsigned int used = 0, waiting = 0;
	int ret = 0;

	if (pkram_dma_table_dump(ctx, &list))
		return ctl_error("%s", pkram_strerror(ctx));
	for (t = list; t; t = t->next) {
		if (t->quarantine || !t->name)
			continue;
		used += t->in_use;
		waiting += !t->in_use;
		if (t->in_use && !t->suspended && !is_guests_table(gs, t->name))
			ret |= preflight_add(p, PREFLIGHT_WARN, "DMA tables",
					     "%s is in use by a process that is not a guest in guests.d, and its device may do DMA until the kexec: end it, or define the guest",
					     t->name);
	}
	pkram_dma_table_free(list);
	if (used || waiting)
		ret |= preflight_add(p, PREFLIGHT_OK, "DMA tables", "%u in use, %u suspended",
				     used, waiting);
	return ret;
}

/* Choose all running guests; each must be one that can be saved */
static int choose(struct kexec_plan *plan, struct guests *gs)
{
	struct preflight *p = &plan->checks;
	const char *held;
	struct guest *g;
	int ret = 0;

	if (gs->bad)
		ret = preflight_add(p, PREFLIGHT_REFUSE, "definition",
				    "not all definitions of guests can be used, see above: mend or remove them");
	for (g = gs->list; g; g = g->next) {
		if (guest_defs_remark(g))
			preflight_add(p, PREFLIGHT_WARN, "definition", "%s: %s", g->file.name,
				      guest_defs_remark(g));
		if (guest_wait_lock(g, LOCK_MS)) {
			ret = preflight_add(p, PREFLIGHT_REFUSE, "guest", "%s: %s",
					    g->file.name, g->error);
			continue;
		}
		guest_look(g, LOOK_MS);
		/* Its unit may be about to resume or to start it */
		if (plan->dry_run && !g->pid) {
			close(g->lock);
			g->lock = -1;
		}
		if (g->state == GUEST_UNKNOWN) {
			preflight_add(p, PREFLIGHT_WARN, "guest", "%s: %s", g->file.name,
				      g->error);
			continue;
		}
		if (guest_stands_still(g)) {
			preflight_add(p, PREFLIGHT_OK, "guest",
				      "%s: is saved already; its QEMU ends with this kernel",
				      g->file.name);
			continue;
		}
		g->chosen = g->state == GUEST_LIVE || g->state == GUEST_MUTE;
		if (g->chosen && guest_savable(g))
			ret = preflight_add(p, PREFLIGHT_REFUSE, "guest", "%s: %s",
					    g->file.name, g->error);
		else
			preflight_add(p, PREFLIGHT_OK, "guest", "%s: %s%s", g->file.name,
				      guest_state_name(g), g->chosen ? ", can be saved" : "");
		if (g->state == GUEST_LIVE && !g->failed)
			ret |= guest_check(p, g);
	}
	/* Now the QEMUs of all are known */
	for (g = gs->list; g; g = g->next) {
		held = g->chosen ? guest_ram_held(gs, g, 0) : NULL;
		if (held)
			preflight_add(p, PREFLIGHT_WARN, "guest",
				      "%s: %s, which may write to it: if it does not let go when QEMU ends, the update is cancelled",
				      g->file.name, held);
	}
	return ret | guests_check_space(p, gs);
}

static void print_guests(struct guests *gs)
{
	struct guest *g;

	out_table_open("guests", "guests:");
	for (g = gs->list; g; g = g->next)
		guest_print(g);
	out_table_close();
}

static void print_all(const struct kexec_plan *plan, struct guests *gs,
		      const char *then, const char *done)
{
	out_record_open(NULL, NULL);
	kexec_print(plan, then);
	print_guests(gs);
	if (done)
		out_bool(done, NULL, true);
	out_record_close();
}

/* The guests are not saved, or continue: report, and unload the image */
static int take_back(struct kexec_plan *plan, struct guests *gs)
{
	struct guest *g;

	kexec_unload();
	print_all(plan, gs, "nothing", NULL);
	for (g = gs->list; g; g = g->next) {
		if (g->chosen && !guest_runs(g->status))
			ctl_error("%s does not run: %s", g->file.name, g->error);
	}
	return ctl_error("update cancelled: a guest could not be saved; the saved guests continue");
}

static int save_all(struct kexec_plan *plan, struct guests *gs,
		    struct pkram_ctx *ctx)
{
	struct guest *g;
	int ret;

	live_begin(gs, update_unit_dir());
	ret = guests_save(gs, true);
	if (ret) {
		live_end();
		if (migrate_caught())
			ctl_error("interrupted");
	}
	for (g = gs->list; g; g = g->next) {
		if (g->chosen && g->failed)
			ret = ctl_error("%s: %s", g->file.name, g->error);
	}
	if (!ret) {
		/* An object may have been claimed meanwhile */
		ret = check_objects(plan, ctx, NULL);
		if (!ret)
			return 0;
		guests_cont(gs);
		live_end();
	}
	return take_back(plan, gs);
}

/* End all QEMUs, or none */
static int leave_all(struct kexec_plan *plan, struct guests *gs)
{
	struct guest *g;
	int ret;

	ret = guests_leave(gs, true);
	live_end();
	if (!ret)
		return 0;
	for (g = gs->list; g; g = g->next) {
		if (g->chosen && g->failed)
			ctl_error("%s: %s", g->file.name, g->error);
	}
	guests_cont(gs);
	return take_back(plan, gs);
}

/* Warn of guests that no unit resumes in the next kernel */
static void check_units(struct kexec_plan *plan, struct guests *gs)
{
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g && systemd_runs(); g = guests_next_good(gs, g)) {
		if (!systemd_enabled(guest_unit(g)))
			preflight_add(&plan->checks, PREFLIGHT_WARN, "unit",
				      "%s: its unit %s is not enabled; in the next kernel run pkramctl guest resume %s",
				      g->file.name, guest_unit(g), g->file.name);
	}
}

/*
 * Let the units resume the guests, so that their QEMUs are in the units, all at the same time: a unit
 * goes on for as long as it takes
 */
static void start_units(struct guests *gs)
{
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		/* The unit takes it */
		if (g->lock >= 0)
			close(g->lock);
		g->lock = -1;
	}
	for (g = guests_next_good(gs, NULL); g && systemd_runs(); g = guests_next_good(gs, g)) {
		if (systemd_enabled(guest_unit(g)))
			systemd_start(guest_unit(g));
	}
}

/*
 * Whether its unit has resumed the guest, the guest says. The unit is waited for until @end, a time
 * of mono_us(). Return: it still is to be resumed
 */
static bool unit_left(struct guest *g, int64_t end)
{
	bool starts;

	for (;;) {
		/* In this order: it may be over in between */
		starts = systemd_runs() && systemd_starts(guest_unit(g));
		if (!starts)
			break;
		if (mono_us() >= end) {
			guest_fail(g, "its unit still tries to resume it: systemctl status pkram-guest@%s",
				   g->file.name);
			return false;
		}
		poll(NULL, 0, UNIT_POLL_MS);
	}
	if (guest_wait_lock(g, LOCK_MS))
		return false;
	guest_look(g, LOOK_MS);
	if (g->failed || g->state == GUEST_SAVED || guest_stands_still(g) || guest_waits(g))
		return !g->failed;
	if (g->state != GUEST_LIVE)
		guest_fail(g, "is %s", guest_state_name(g));
	return false;
}

/*
 * The host goes down, and not by a kexec: the units cannot be started, and what is saved is lost
 * with the pool
 */
static void power_down_all(struct guests *gs)
{
	struct guest *g;

	ctl_warn("this host goes down, and not by a kexec, which would lose the guests: they are resumed, and powered down");
	guests_resume(gs);
	guests_stop(gs, false);
	for (g = gs->list; g; g = g->next) {
		if (g->chosen && g->failed)
			ctl_error("%s: %s", g->file.name, g->error);
	}
}

/* The kexec failed: resume all guests that were saved, unless it happens nevertheless */
static int resume_all(struct guests *gs)
{
	enum systemd_end what = systemd_end();
	bool failed = false;
	struct guest *g;
	int64_t end;

	if (what == SYSTEMD_KEXEC && kexec_may_boot())
		return ctl_error("the guests stay saved: systemd is about to boot the loaded kernel, which resumes them");
	if (what == SYSTEMD_MUTE)
		return ctl_error("update cancelled: systemd does not say whether it boots another kernel; the guests stay saved, and the image loaded. If systemctl list-jobs has no kexec.target: pkramctl kexec --unload, and pkramctl guest resume --all");
	if (what != SYSTEMD_STAYS) {
		power_down_all(gs);
		return ctl_error("update cancelled: the host goes down");
	}
	kexec_unload();
	start_units(gs);
	end = mono_us() + UNIT_US;
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g))
		g->touched = unit_left(g, end);
	for (g = gs->list; g; g = g->next) {
		g->chosen = g->chosen && (g->touched || g->failed);
		g->touched = false;
	}
	guests_resume(gs);
	for (g = gs->list; g; g = g->next) {
		if (!g->chosen || !g->failed)
			continue;
		ctl_error("%s: %s", g->file.name, g->error);
		failed = true;
	}
	return ctl_error("update cancelled; the guests were resumed%s",
			 failed ? ", except those named above: pkramctl guest show" : "");
}

/* What has begun to go down resumes no guest that is taken back */
static int check_end(struct kexec_plan *plan)
{
	enum systemd_end end = systemd_end();

	if (end == SYSTEMD_STAYS)
		return 0;
	return preflight_add(&plan->checks, PREFLIGHT_REFUSE, "host", end == SYSTEMD_MUTE ?
			     "systemd does not answer: systemctl list-jobs" :
			     "it goes down already: systemctl list-jobs");
}

/* All checks; a dry run continues after errors */
static int check_all(struct kexec_plan *plan, struct guests *gs, struct pkram_ctx *ctx)
{
	int ret;

	ret = check_end(plan);
	if (!ret || plan->dry_run)
		ret |= choose(plan, gs);
	if (!ret || plan->dry_run)
		ret |= check_objects(plan, ctx, gs);
	if (!ret || plan->dry_run)
		ret |= check_tables(plan, ctx, gs);
	if (!ret || plan->dry_run)
		ret |= plan->kernel ? kexec_prepare(plan, ctx) :
		       kexec_check_handover(plan, ctx);
	if (!ret || plan->dry_run)
		check_units(plan, gs);
	if ((!ret || plan->dry_run) && systemd_runs())
		inhibitors_check(&plan->checks);
	return ret;
}

/* What writes to RAM that is sealed would make the resume go wrong */
static int check_held(struct guests *gs)
{
	const char *held;
	struct guest *g;
	int ret = 0;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		held = guest_ram_held(gs, g, HELD_MS);
		if (held)
			ret = ctl_error("%s: %s, which may write to it although the guest is saved: end it",
					g->file.name, held);
	}
	return ret;
}

static int update_with(struct kexec_plan *plan, struct guests *gs,
		       struct pkram_ctx *ctx)
{
	int ret;

	if (!plan->dry_run && update_unit_lock())
		return CTL_FAILED;
	ret = check_all(plan, gs, ctx);
	if (ret && !plan->dry_run)
		return ret;
	if (plan->dry_run) {
		print_all(plan, gs, ret ? "nothing: it is refused" : kexec_way(),
			  "dry_run");
		return ret;
	}
	/* The terminal may go away: an update that has begun is carried out, or taken back */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	ret = kexec_load(plan, ctx);
	if (!ret)
		ret = save_all(plan, gs, ctx);
	if (!ret)
		ret = leave_all(plan, gs);
	if (ret)
		return ret;
	ret = check_held(gs);
	/* Another program may have unloaded or replaced the image meanwhile */
	if (!ret)
		ret = kexec_verify(plan, ctx);
	if (ret)
		return resume_all(gs);
	print_all(plan, gs, kexec_way(), NULL);
	/* systemd may end this program at any time from now on */
	out_fini();
	ret = kexec_go();
	return ret ? resume_all(gs) : CTL_OK;
}

/* Steps of a rehearsal */
struct step {
	const char *name;
	int64_t us;
};

/*
 * Return how long the guest's next update may take: as the last one, or, if there was none,
 * the save, this kernel's boot, and as long as the save for the load; -1 unknown
 */
static int64_t expected(const struct guest *g, const char **from)
{
	const char *const argv[] = {
		"systemctl", "show", "--property=FinishTimestampMonotonic", "--value", NULL
	};
	struct guest_record r;
	int64_t boot = 0;
	char *text;

	*from = "the last update";
	if (record_get(g, &r) && record_blackout(&r) > 0)
		return record_blackout(&r);
	*from = "the boot of this kernel, without a shutdown";
	if (!systemd_runs() || child_read(argv, 64, &text))
		return -1;
	boot = strtoll(text, NULL, 10);
	free(text);
	return boot ? 2 * g->took + boot : -1;
}

static void print_rehearsal(struct guests *gs, const struct step *steps, unsigned int nr)
{
	const char *from;
	struct guest *g;
	unsigned int i;
	int64_t us;

	out_record_open(NULL, NULL);
	out_table_open("guests", "guests:");
	for (g = gs->list; g; g = g->next) {
		us = g->touched ? expected(g, &from) : -1;
		out_row_open();
		out_str("name", "NAME", g->file.name);
		out_str("state", "STATE", guest_state_name(g));
		out_duration("seconds", "SAVED IN", g->touched && g->took ? g->took : -1);
		out_size("bytes", "STATE SIZE", g->bytes ? g->bytes : PKRAM_NONE64);
		out_duration("stood", "STOOD STILL", g->touched && g->qmp.resumed > g->stopped &&
			     g->stopped ? g->qmp.resumed - g->stopped : -1);
		out_duration("expected", "EXPECTED BLACKOUT", us);
		out_str("expected_from", "ESTIMATED FROM", us < 0 ? NULL : from);
		out_str("error", "WHY", g->failed ? g->error : NULL);
		out_row_close();
	}
	out_table_close();
	out_table_open("steps", "steps:");
	for (i = 0; i < nr; i++) {
		out_row_open();
		out_str("step", "STEP", steps[i].name);
		out_duration("seconds", "TOOK", steps[i].us);
		out_row_close();
	}
	out_table_close();
	out_record_close();
}

/* A guest that stands still would be loaded by another QEMU afterwards: it is left alone */
static void leave_out(struct guests *gs)
{
	struct guest *g;

	for (g = gs->list; g; g = g->next) {
		if (!g->chosen || guest_runs(g->status))
			continue;
		g->chosen = false;
		ctl_warn("%s is %s: it is left out of the rehearsal, because it would have to be loaded again",
			 g->file.name, g->status);
	}
}

/* Everything up to the boot, and back */
static int rehearse(struct kexec_plan *plan, struct guests *gs, struct pkram_ctx *ctx)
{
	struct step steps[5];
	unsigned int nr = 0;
	int64_t begin = now_us(), now;
	struct guest *g;
	int ret;

#define STEP(what) do { \
	now = now_us(); \
	steps[nr++] = (struct step){ what, now - begin }; \
	begin = now; \
} while (0)
	if (plan->kernel && kexec_is_loaded())
		return ctl_error("a kexec image is loaded, which a rehearsal with --kernel would replace, and then unload: unload it (pkramctl kexec --unload), or rehearse without --kernel");
	if (update_unit_lock())
		return CTL_FAILED;
	ret = check_all(plan, gs, ctx);
	STEP("check");
	if (ret)
		return ret;
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (plan->kernel) {
		ret = kexec_load(plan, ctx);
		STEP("load the kernel");
		if (!ret)
			ret = kexec_unload();
		if (ret)
			return ret;
	}
	leave_out(gs);
	fprintf(stderr, "pkramctl: rehearsal: the guests are saved now, stand still for it, and go on at once; a save that takes longer than %d s is cancelled\n",
		REHEARSE_S);
	begin = now_us();
	/* Those that are not saved by then continue, and the rehearsal has failed */
	migrate_limit(REHEARSE_S);
	live_begin(gs, NULL);
	ret = guests_save(gs, true);
	STEP("save and seal");
	if (ret && migrate_caught())
		ctl_error("rehearsal: it was interrupted, or took longer than %d s", REHEARSE_S);
	if (!ret)
		guests_cont(gs);
	live_end();
	migrate_catch(false);
	STEP("take back");
	for (g = gs->list; g; g = g->next) {
		if (g->chosen && g->failed)
			ret = ctl_error("%s: %s", g->file.name, g->error);
	}
	print_rehearsal(gs, steps, nr);
	if (!ret && !out_is_json())
		fprintf(stderr, "pkramctl: rehearsal done: %s\n", plan->kernel ?
			"every guest that was saved runs again, the kernel was loaded and unloaded, and none was booted" :
			"every guest that was saved runs again, and no kernel was loaded");
	return ret;
#undef STEP
}

static int update_run(int argc, char **argv);

/* Print the plan, with all checks, in a process of its own, which locks the guests; and ask */
static int confirm(const struct kexec_plan *plan, int argc, char **argv)
{
	char *args[argc + 1], option[] = "--dry-run";
	int status, ret;
	pid_t pid;

	if (!kexec_asks(plan))
		return 0;
	memcpy(args, argv, argc * sizeof(*args));
	args[argc] = option;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		ret = update_run(argc + 1, args);
		out_fini();
		fflush(NULL);
		_exit(ret);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return ctl_error("update: %s", strerror(errno));
	ret = WIFEXITED(status) ? WEXITSTATUS(status) : CTL_FAILED;
	return ret ? ret : kexec_confirm(plan, "Save these guests and boot this kernel now?");
}

static int update_run(int argc, char **argv)
{
	struct kexec_plan plan = { .kernel_fd = -1, .initrd_fd = -1 };
	struct pkram_ctx *ctx;
	struct guests gs;
	int ret;

	ret = kexec_parse(&plan, "update", argc, argv);
	if (ret)
		return ret;
	if (plan.help) {
		ctl_help(&ctl_update, NULL);
		return CTL_OK;
	}
	if (plan.watch)
		return argc == 1 ? update_unit_watch() :
		       ctl_usage("update: --watch excludes all other options");
	if (plan.report && (plan.kernel || plan.rehearse))
		return ctl_usage("update: --report excludes --kernel and --rehearse");
	if (plan.rehearse && plan.dry_run)
		return ctl_usage("update: --rehearse and --dry-run exclude each other");
	if (!plan.kernel && !plan.report && !plan.rehearse)
		return ctl_usage("update: no kernel given; use --kernel VERSION, or --report");
	if (plan.json || plan.pretty)
		out_init(true, plan.pretty);
	if (!plan.report && !plan.rehearse && !plan.dry_run) {
		ret = confirm(&plan, argc, argv);
		if (ret)
			return ret;
		if (!plan.no_unit && systemd_runs())
			return update_unit_run(argc, argv);
	}
	ret = guests_load(&gs, NULL, 0);
	if (plan.report) {
		if (update_report(&gs))
			ret = CTL_FAILED;
	} else if (!ret || plan.dry_run) {
		ctx = ctl_open();
		ret |= !ctx ? CTL_FAILED : plan.rehearse ? rehearse(&plan, &gs, ctx) :
		       update_with(&plan, &gs, ctx);
		kexec_plan_free(&plan);
		pkram_close(ctx);
	}
	guests_free(&gs);
	return ret;
}

static int check_run(int argc, char **argv)
{
	struct kexec_plan plan = {
		.kernel_fd = -1, .initrd_fd = -1, .dry_run = true, .checks.quiet = true,
	};
	struct pkram_ctx *ctx;
	struct guests gs;
	int ret;

	ret = kexec_parse(&plan, "check", argc, argv);
	if (ret)
		return ret;
	if (plan.help) {
		ctl_help(&ctl_check, NULL);
		return CTL_OK;
	}
	if (plan.json || plan.pretty)
		out_init(true, plan.pretty);
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	ret = guests_load(&gs, NULL, 0);
	ret |= check_all(&plan, &gs, ctx);
	/* Which one is next is not known: all that are installed */
	if (!plan.kernel)
		ret |= kexec_check_kernels(&plan.checks, ctx);
	preflight_print(&plan.checks);
	kexec_plan_free(&plan);
	guests_free(&gs);
	pkram_close(ctx);
	return ret ? CTL_FAILED : CTL_OK;
}

static const struct ctl_verb update_verbs[] = {
	{ "", "--kernel VERSION|FILE [--initrd FILE | --no-initrd] [--append STR]\n"
	      "      [--command-line STR | --reuse-cmdline] [--dry-run] [--force] [--yes] [--no-unit]",
	  "save all guests and boot another kernel, in which they are resumed. If one\n"
	  "      cannot be saved, the update is cancelled and all continue. --dry-run: only\n"
	  "      check. --force: boot although the checks of its module or initrd fail, as\n"
	  "      pkramctl-kexec(8) lists them. The work is done by the unit\n"
	  "      pkram-update.service, which goes on without the terminal; --no-unit: by this\n"
	  "      process. --yes: do not ask on a terminal. The other options are those of kexec",
	  update_run },
	{ "", "--watch", "show the output of the update that runs", update_run },
	{ "", "--rehearse [--kernel VERSION|FILE ...]",
	  "save all guests and let them continue at once: everything but the boot, with\n"
	  "      the time of each step. They stand still for the save, which is cancelled after 20 s",
	  update_run },
	{ "", "--report",
	  "show which guests were resumed, and their blackouts, by phase and as bars",
	  update_run },
	{ }
};

const struct ctl_object ctl_update = {
	.name = "update",
	.help = "boot another kernel and keep the guests",
	.verbs = update_verbs,
	.raw = "",
};

static const struct ctl_verb check_verbs[] = {
	{ "", "[--kernel VERSION|FILE] [--initrd FILE | --no-initrd] [--append STR]\n"
	      "      [--command-line STR | --reuse-cmdline]",
	  "run all checks of update, and print their results as a table. Without a\n"
	  "      kernel: only those of the guests and the pool. Exit status 1 if one\n"
	  "      would refuse the update",
	  check_run },
	{ }
};

const struct ctl_object ctl_check = {
	.name = "check",
	.help = "whether an update would go through",
	.verbs = check_verbs,
	.raw = "",
};
