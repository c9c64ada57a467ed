// SPDX-License-Identifier: GPL-2.0
/* pkramctl guest: the verbs of operators; guest_unit.c has those of units. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "args.h"
#include "ctl.h"
#include "guest.h"
#include "guest_cmd.h"
#include "guest_defs.h"
#include "guest_disks.h"
#include "guest_record.h"
#include "guest_resume.h"
#include "guest_save.h"
#include "guest_seal.h"
#include "guest_started.h"
#include "guest_stop.h"
#include "guest_tools.h"
#include "kexec.h"
#include "object_file.h"
#include "print.h"
#include "systemd.h"

/* Verbs that the state of a guest allows */

static bool live(const struct guest *g)
{
	return g->state == GUEST_LIVE;
}

/* Nothing can bring it back: QEMU was killed, and the rest of its RAM is not sealed */
static int refuse_half(struct guest *g)
{
	const char *open;

	guest_seals(g, &open);
	return guest_fail(g, "only a part of its RAM is sealed, and %s is not: its QEMU was killed while it sealed that, so it cannot be resumed; pkramctl guest unseal %s gives it up, and then it can be started afresh",
			  open ?: "another part", g->file.name);
}

int guest_can_start(struct guest *g)
{
	if (g->state == GUEST_HALF)
		return refuse_half(g);
	if (g->state == GUEST_SAVED)
		return guest_fail(g, "is saved; %s continues it, pkramctl guest unseal %s gives it up",
				  guest_command(g, "resume"), g->file.name);
	if (live(g))
		return guest_fail(g, "already has a QEMU, which is %s", g->status);
	if (g->state == GUEST_SEALED)
		return guest_fail(g, "its RAM is sealed, but there is no %s: put the state back, or give it up with pkramctl guest unseal %s",
				  guest_state_path(g), g->file.name);
	if (guest_defs_refuse(g))
		return CTL_FAILED;
	if (g->state == GUEST_STALE) {
		ctl_warn("%s: removed the stale state %s: its RAM was used after the save",
			 g->file.name, guest_state_path(g));
		unlink(guest_state_path(g));
		unlink(guest_info_path(g));
	}
	return 0;
}

static int can_resume(struct guest *g)
{
	if (g->state == GUEST_SAVED || guest_stands_still(g) || guest_waits(g))
		return 0;
	if (live(g))
		return guest_fail(g, "already has a QEMU, which is %s", g->status);
	if (g->state == GUEST_HALF)
		return refuse_half(g);
	if (g->state == GUEST_STALE)
		return guest_fail(g, "its state is stale, because its RAM was used after the save; %s starts it afresh",
				  guest_command(g, "start"));
	return guest_fail(g, "is not saved: there is no %s%s", guest_state_path(g),
			  g->state == GUEST_SEALED ? ", although its RAM is sealed" : "");
}

/* A QEMU that has it goes on with the options that it has */
static int can_resume_as_defined(struct guest *g)
{
	if (can_resume(g))
		return CTL_FAILED;
	if (live(g))
		return guest_fail(g, "already has a QEMU, which is %s and has its options: pkramctl guest resume %s continues it",
				  g->status, g->file.name);
	if (guest_defs_refuse(g))
		return CTL_FAILED;
	g->as_defined = true;
	return started_redefine(g);
}

static int can_unseal(struct guest *g)
{
	/* It may be the other one's */
	if (*g->clash)
		return guest_fail(g, "%s", g->clash);
	if (g->state == GUEST_SAVED || g->state == GUEST_STALE || g->state == GUEST_SEALED ||
	    g->state == GUEST_HALF)
		return 0;
	return guest_fail(g, "is not saved; there is nothing to give up");
}

static int can_stop(struct guest *g)
{
	return live(g) ? 0 : guest_fail(g, "does not run");
}

bool guest_host_leaves(void)
{
	return systemd_end() == SYSTEMD_KEXEC && kexec_may_boot();
}

/* Refuse for all chosen guests */
static void refuse_to_leave(struct guests *gs)
{
	struct guest *g = guests_next_good(gs, NULL);

	if (!g || !guest_host_leaves())
		return;
	for (; g; g = guests_next_good(gs, g))
		guest_fail(g, GUEST_HOST_LEAVES);
}

/* Selection */

static int parse_request(struct guest_request *r, const char *verb, int argc,
			 char **argv)
{
	*r = (struct guest_request){ .names = argv };
	r->all = args_flag("--all", &argc, argv);
	r->force = args_flag("--force", &argc, argv);
	r->as_defined = args_flag("--as-defined", &argc, argv);
	r->any_cpu = !strcmp(verb, "resume") && args_flag("--any-cpu", &argc, argv);
	r->nr_names = argc;
	if (r->all && r->nr_names)
		return ctl_usage("guest %s: --all and names exclude each other", verb);
	if (r->all && r->as_defined)
		return ctl_usage("guest %s: --all and --as-defined exclude each other", verb);
	if (!r->all && !r->nr_names && strcmp(verb, "show") &&
	    strcmp(verb, "validate"))
		return ctl_usage("guest %s: no guest given; pkramctl guest show lists them",
				 verb);
	return 0;
}

static int can_wake(struct guest *g);

/* Return whether --all means this guest: one to which the verb does not apply is skipped */
static bool applies(const struct guest *g, int (*can)(struct guest *g))
{
	if (can == guest_can_start)
		return g->state == GUEST_STOPPED || g->state == GUEST_STALE;
	if (can == can_resume || can == can_wake)
		return false;
	return live(g) && !guest_stands_still(g) && !guest_waits(g);
}

/*
 * Load guests and choose those that @can accepts. With --all those are skipped to which the
 * verb does not apply; if they were named, they are failures.
 */
static int choose(struct guest_request *r, int (*can)(struct guest *g))
{
	struct guest *g;
	int ret;

	ret = guests_load(&r->guests, r->names, r->nr_names);
	for (g = r->guests.list; g; g = g->next) {
		g->chosen = true;
		if (guest_wait_lock(g, GUEST_LOCK_MS))
			continue;
		guest_look(g, GUEST_LOOK_MS);
		/* What does not answer can still be killed */
		if (g->state == GUEST_MUTE && g->pid && can == can_stop && r->force) {
			g->failed = false;
			continue;
		}
		if (g->failed || !can(g) || !r->all || applies(g, can))
			continue;
		g->chosen = false;
		g->failed = false;
	}
	return ret;
}

int guest_request_finish(struct guest_request *r, int ret)
{
	unsigned int good = 0, bad = 0;
	struct guest *g;

	out_table_open(NULL, NULL);
	for (g = r->guests.list; g; g = g->next) {
		if (!g->chosen)
			continue;
		good += !g->failed;
		/* Failures are reported on standard error */
		if (!g->failed || out_is_json())
			guest_print(g);
	}
	out_table_close();
	for (g = r->guests.list; g; g = g->next) {
		if (!g->chosen || !g->failed)
			continue;
		bad++;
		ctl_error("%s: %s", g->file.name, g->error);
	}
	guests_free(&r->guests);
	if (!bad && ret == CTL_OK)
		return CTL_OK;
	return good ? CTL_PARTLY : CTL_FAILED;
}

int guest_request_one(struct guest_request *r, const char *verb, int argc, char **argv)
{
	if (parse_request(r, verb, argc, argv))
		return CTL_USAGE;
	if (r->nr_names != 1)
		return ctl_usage("guest %s: name one guest", verb);
	if (guests_load(&r->guests, r->names, 1) || !r->guests.list) {
		guests_free(&r->guests);
		return CTL_FAILED;
	}
	r->guests.list->chosen = true;
	return 0;
}

/* Verbs */

/* Return since when it is saved, or its QEMU runs, in us; -1 unknown */
static int64_t since(const struct guest *g)
{
	char path[64];
	struct stat st;
	int err;

	if (g->state == GUEST_SAVED) {
		err = stat(guest_state_path(g), &st);
	} else if (g->pid) {
		snprintf(path, sizeof(path), "/proc/%d", (int)g->pid);
		err = stat(path, &st);
	} else {
		return -1;
	}
	return err ? -1 : st.st_mtim.tv_sec * 1000000LL + st.st_mtim.tv_nsec / 1000;
}

static void print_guest(const struct guest *g)
{
	char ram[1024] = "";
	uint64_t size = 0;
	unsigned int i;
	struct stat st;
	size_t n = 0;

	for (i = 0; i < g->file.nr_ram; i++) {
		if (!stat(g->file.ram[i].path, &st))
			size += st.st_size;
		if (n < sizeof(ram))
			n += snprintf(ram + n, sizeof(ram) - n, "%s%s", i ? " " : "",
				      g->file.ram[i].path);
	}
	out_row_open();
	out_str("name", "NAME", g->file.name);
	out_str("state", "STATE", guest_state_name(g));
	out_u32("pid", "PID", g->pid ? (uint32_t)g->pid : PKRAM_NONE32);
	out_str("uuid", "UUID", g->file.uuid);
	out_str("ram", "RAM", *ram ? ram : NULL);
	out_size("size", "SIZE", size ? size : PKRAM_NONE64);
	out_time("since", "SINCE", since(g));
	out_str("next", "NEXT", guest_next(g));
	out_str("error", "WHY", g->failed ? g->error : guest_defs_remark(g));
	out_row_close();
}

/* Return whether a guest is in a state, of which the first word is enough */
static bool in_state(const struct guest *g, const char *state)
{
	const char *name = guest_state_name(g);
	size_t len = strlen(state);

	return !strncmp(name, state, len) && (!name[len] || name[len] == ' ');
}

static int guest_show(int argc, char **argv)
{
	const char *state;
	struct guest_request r;
	struct guest *g;
	bool found = false;
	int ret;

	if (args_value("--state", &argc, argv, &state) || ctl_columns(&argc, argv) ||
	    parse_request(&r, "show", argc, argv))
		return CTL_USAGE;
	ret = guests_load(&r.guests, r.names, r.nr_names);
	out_table_open(NULL, NULL);
	for (g = r.guests.list; g; g = g->next) {
		guest_look(g, GUEST_LOOK_MS);
		if (state && !in_state(g, state))
			continue;
		found = true;
		print_guest(g);
	}
	out_table_close();
	if (!r.guests.list && !ret)
		ctl_nothing("no guests are defined: pkram-guests(5) says how, and has an example");
	else if (!found && !ret)
		ctl_nothing("no guest is in that state");
	guests_free(&r.guests);
	return ret;
}

/* What is started here is in the operator's session, and its unit knows nothing of it */
static void hint_unit(struct guests *gs)
{
	struct guest *g;

	for (g = guests_next_good(gs, NULL); g && systemd_runs(); g = guests_next_good(gs, g)) {
		if (g->child && systemd_enabled(guest_unit(g)) && !systemd_active(guest_unit(g)))
			ctl_warn("%s: its QEMU is not in its unit, which is enabled: systemctl kexec, reboot and poweroff neither save it nor power it down, pkramctl update saves it; to move it there: pkramctl guest save %s, then systemctl start pkram-guest@%s",
				 g->file.name, g->file.name, g->file.name);
	}
}

static int guest_start(int argc, char **argv)
{
	struct guest_request r;
	int ret;

	if (parse_request(&r, "start", argc, argv))
		return CTL_USAGE;
	if (guest_host_leaves())
		return ctl_error(GUEST_HOST_LEAVES);
	ret = choose(&r, guest_can_start);
	refuse_to_leave(&r.guests);
	guests_start(&r.guests);
	hint_unit(&r.guests);
	return guest_request_finish(&r, ret);
}

void guest_hint_retry(struct guests *gs)
{
	struct guest *g;

	for (g = gs->list; g; g = g->next) {
		if (!g->chosen || !g->failed || g->kept)
			continue;
		if (g->state == GUEST_SAVED)
			guest_explain(g, "\n  Its RAM and %s are unchanged. To try again, run %s; with other options: change its definition, and run pkramctl guest resume --as-defined %s",
				      guest_state_path(g), guest_command(g, "resume"),
				      g->file.name);
		else if (g->state == GUEST_STALE)
			guest_explain(g, "\n  Its RAM was used meanwhile and does not match %s any more",
				      guest_state_path(g));
	}
}

static int guest_resume(int argc, char **argv)
{
	struct guest_request r;
	struct guest *g;
	int ret;

	if (parse_request(&r, "resume", argc, argv))
		return CTL_USAGE;
	if (guest_host_leaves())
		return ctl_error(GUEST_HOST_LEAVES);
	ret = choose(&r, r.as_defined ? can_resume_as_defined : can_resume);
	refuse_to_leave(&r.guests);
	for (g = r.guests.list; g; g = g->next)
		g->any_cpu = r.any_cpu;
	guests_resume(&r.guests);
	guest_hint_retry(&r.guests);
	hint_unit(&r.guests);
	return guest_request_finish(&r, ret);
}

void guests_save_and_leave(struct guests *gs)
{
	guests_save(gs, false);
	guests_leave(gs, false);
}

static int guest_save(int argc, char **argv)
{
	struct guest_request r;
	int ret;

	if (parse_request(&r, "save", argc, argv))
		return CTL_USAGE;
	ret = choose(&r, guest_savable);
	guests_save_and_leave(&r.guests);
	return guest_request_finish(&r, ret);
}

static int guest_stop(int argc, char **argv)
{
	struct guest_request r;
	struct guest *g;
	int ret;

	if (parse_request(&r, "stop", argc, argv))
		return CTL_USAGE;
	ret = choose(&r, can_stop);
	/* Once it has ended, nobody knows which files it had */
	for (g = guests_next_good(&r.guests, NULL); g; g = guests_next_good(&r.guests, g)) {
		if (!live(g) || !guest_disks_defined(g))
			continue;
		ctl_warn("%s: %s", g->file.name, g->error);
		g->failed = false;
	}
	guests_stop(&r.guests, r.force);
	return guest_request_finish(&r, ret);
}

static int can_wake(struct guest *g)
{
	if (!live(g))
		return guest_fail(g, "does not run");
	if (guest_stands_still(g) || guest_waits(g))
		return guest_fail(g, "is %s; pkramctl guest resume %s continues it", g->status,
				  g->file.name);
	if (!strcmp(g->status, "suspended") || !strcmp(g->status, "paused") ||
	    !strcmp(g->status, "io-error"))
		return 0;
	return guest_fail(g, "is %s: only one that is suspended, paused or waits after an I/O error can be woken",
			  g->status);
}

static int guest_wake(int argc, char **argv)
{
	struct guest_request r;
	int ret;

	if (parse_request(&r, "wake", argc, argv))
		return CTL_USAGE;
	ret = choose(&r, can_wake);
	guests_wake(&r.guests);
	return guest_request_finish(&r, ret);
}

/* A guest that runs is powered down first; what is saved is not touched */
static int check_restart(struct guest *g, bool forced)
{
	/* Its unit ends with its QEMU, and would stop the next one */
	if (live(g) && systemd_runs() && systemd_active(guest_unit(g)))
		return guest_fail(g, "its unit runs it: systemctl restart pkram-guest@%s",
				  g->file.name);
	/* It must be possible to start it again */
	if (live(g) && !guest_stands_still(g) && !guest_waits(g))
		return guest_defs_refuse(g) || guest_defs_find_qemu(g) ||
		       (!forced && guest_disks_defined(g)) ? CTL_FAILED : 0;
	if (live(g))
		return guest_fail(g, "is %s; pkramctl guest resume %s continues it", g->status,
				  g->file.name);
	return guest_can_start(g);
}

static int can_restart(struct guest *g)
{
	return check_restart(g, false);
}

static int can_restart_by_force(struct guest *g)
{
	return check_restart(g, true);
}

static int guest_restart(int argc, char **argv)
{
	struct guest_request r;
	struct guest *g;
	int ret;

	if (parse_request(&r, "restart", argc, argv))
		return CTL_USAGE;
	if (guest_host_leaves())
		return ctl_error(GUEST_HOST_LEAVES);
	ret = choose(&r, r.force ? can_restart_by_force : can_restart);
	refuse_to_leave(&r.guests);
	/* --all restarts, and starts none */
	for (g = r.guests.list; g && r.all; g = g->next)
		g->chosen = g->chosen && (live(g) || g->failed);
	for (g = r.guests.list; g; g = g->next)
		g->touched = g->chosen && !g->failed && !live(g);
	for (g = r.guests.list; g; g = g->next)
		g->chosen = g->chosen && !g->touched;
	guests_stop(&r.guests, r.force);
	for (g = r.guests.list; g; g = g->next) {
		g->chosen = g->chosen || g->touched;
		g->touched = false;
		if (!g->chosen || g->failed)
			continue;
		/* Its definition counts again */
		guest_look(g, GUEST_LOOK_MS);
		if (!g->failed)
			guest_can_start(g);
	}
	/* To power down takes long */
	refuse_to_leave(&r.guests);
	guests_start(&r.guests);
	return guest_request_finish(&r, ret);
}

/* Print the end of a file on standard output */
static int print_log(const struct guest *g)
{
	const char *path = guest_log_path(g);
	char buf[4096];
	size_t n;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ?
		       ctl_error("%s: there is no %s: it was not started yet", g->file.name, path) :
		       ctl_error("%s: %s", path, strerror(errno));
	/* It has what the guest wrote on its serial port */
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		out_raw(stdout, buf, n);
	fclose(f);
	return CTL_OK;
}

static int guest_log(int argc, char **argv)
{
	struct guest_request r;
	int ret;

	ret = guest_request_one(&r, "log", argc, argv);
	if (ret)
		return ret;
	if (out_is_json()) {
		out_record_open(NULL, NULL);
		out_str("log", NULL, guest_log_path(r.guests.list));
		out_record_close();
	} else {
		ret = print_log(r.guests.list);
	}
	guests_free(&r.guests);
	return ret;
}

static int guest_edit(int argc, char **argv)
{
	if (!argc)
		return ctl_usage("guest edit: no guest given; pkramctl guest show lists them");
	if (ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
	if (!guest_name_ok(argv[0]))
		return ctl_usage("guest edit: \"%s\" is not a valid name of a guest", argv[0]);
	return guest_tools_edit(argv[0]);
}

static int guest_console(int argc, char **argv)
{
	struct guest_request r;
	struct guest *g;
	char *path;
	int ret;

	ret = guest_request_one(&r, "console", argc, argv);
	if (ret)
		return ret;
	g = r.guests.list;
	guest_look(g, GUEST_LOOK_MS);
	path = guest_tools_console(g);
	if (!path) {
		ret = ctl_error("%s: it has no console: its definition needs -serial unix:PATH,server=on,wait=off",
				g->file.name);
	} else if (out_is_json()) {
		out_record_open(NULL, NULL);
		out_str("console", NULL, path);
		out_record_close();
	} else if (!g->pid) {
		ret = ctl_error("%s: it does not run", g->file.name);
	} else {
		ret = guest_tools_connect(path);
	}
	free(path);
	guests_free(&r.guests);
	return ret;
}

/* Definitions: what a start would say, without a start */
static int guest_validate(int argc, char **argv)
{
	const char *remark;
	struct guest_request r;
	struct guest *g;
	int ret;

	if (parse_request(&r, "validate", argc, argv))
		return CTL_USAGE;
	ret = guests_load(&r.guests, r.names, r.nr_names);
	out_table_open(NULL, NULL);
	for (g = r.guests.list; g; g = g->next) {
		if (guest_defs_refuse(g) || guest_defs_find_qemu(g))
			ret = CTL_FAILED;
		out_row_open();
		out_str("name", "NAME", g->file.name);
		out_str("result", "RESULT", g->failed ? "refused" : "ok");
		out_str("error", "WHY", g->failed ? g->error : NULL);
		out_row_close();
		remark = guest_tools_stop_remark(g);
		if (remark)
			ctl_warn("%s: %s", g->file.name, remark);
	}
	out_table_close();
	if (!r.guests.list && !ret)
		ctl_nothing("no guests are defined: pkram-guests(5) says how, and has an example");
	guests_free(&r.guests);
	return ret;
}

/* Remove the RAM first: a state without it is known to be stale */
static void unseal(struct guest *g)
{
	unsigned int i;
	int err;

	for (i = 0; i < g->file.nr_ram; i++) {
		const struct guest_ram *ram = &g->file.ram[i];

		err = ram->pkram ? object_drop_seal(ram->path) : 0;
		if (err && err != -ENODATA && err != -ENOENT) {
			guest_fail(g, "%s: %s", ram->path, strerror(-err));
			return;
		}
	}
	if (unlink(guest_state_path(g)) && errno != ENOENT)
		guest_fail(g, "%s: %s", guest_state_path(g), strerror(errno));
	unlink(guest_info_path(g));
	if (!g->failed)
		g->state = GUEST_STOPPED;
}

static int guest_unseal(int argc, char **argv)
{
	struct guest_request r;
	struct guest *g;
	int ret;

	if (parse_request(&r, "unseal", argc, argv))
		return CTL_USAGE;
	ret = choose(&r, can_unseal);
	for (g = guests_next_good(&r.guests, NULL); g; g = guests_next_good(&r.guests, g))
		unseal(g);
	return guest_request_finish(&r, ret);
}

static const struct ctl_verb guest_verbs[] = {
	{ "show", "[NAME...] [--state STATE] [--columns LIST]",
	  "the guests and their states; --state: only those in it, such as saved;\n"
	  "      --columns: these headings, separated by commas", guest_show },
	{ "start", "NAME... | --all",
	  "start QEMU; refused for a guest that is saved", guest_start },
	{ "save", "NAME... | --all",
	  "save it for a resume, in this kernel or the next, and end QEMU; if that\n"
	  "      fails, it continues",
	  guest_save },
	{ "resume", "NAME... [--as-defined] [--any-cpu] | --all [--any-cpu]",
	  "resume a saved guest, as it was started; --as-defined: with the options\n"
	  "      that its definition has now; --any-cpu: although its CPU lacks a feature",
	  guest_resume },
	{ "unseal", "NAME...",
	  "give up a saved guest: remove its state and unseal its RAM",
	  guest_unseal },
	{ "stop", "NAME... [--force] | --all [--force]",
	  "power it down; --force: end QEMU at once", guest_stop },
	{ "restart", "NAME... [--force] | --all [--force]",
	  "power it down and start it again, as it is defined now", guest_restart },
	{ "wake", "NAME... | --all",
	  "let it run if it is suspended to RAM, paused, or waits after an I/O error",
	  guest_wake },
	{ "log", "NAME", "print what its QEMU wrote, of all starts", guest_log },
	{ "console", "NAME", "connect the terminal with its serial port; ^] ends that",
	  guest_console },
	{ "edit", "NAME", "edit its definition, and check it before it is used", guest_edit },
	{ "validate", "[NAME...]", "check definitions without a start", guest_validate },
	{ "up", "NAME",
	  "resume it if it is saved, and try that again if it fails for a reason that may\n"
	  "      pass; else start it",
	  guest_up },
	{ "down", "NAME [--main-pid PID]",
	  "save it if systemd is about to kexec, else stop it; --main-pid: if its QEMU is\n"
	  "      this process", guest_down },
	{ }
};

const struct ctl_object ctl_guest = {
	.name = "guest",
	.help = "virtual machines that are defined in guests.d",
	.verbs = guest_verbs,
};
