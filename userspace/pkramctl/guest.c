// SPDX-License-Identifier: GPL-2.0
/* Guests: their definitions, their current state, their QEMU. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "ctl.h"
#include "guest.h"
#include "guest_defs.h"
#include "guest_seal.h"
#include "guest_started.h"
#include "migrate.h"
#include "object_file.h"
#include "print.h"
#include "read_file.h"
#include "systemd.h"

#define SOCKET		"qmp"
#define OWN_SOCKET	"qmp-pkramctl"
#define MAX_FILE	65536
#define MAX_LOG		800		/* bytes of QEMU's log to print */
#define WRONG_SIZE	"bytes, but size= says"	/* of memory-backend-pkram */
#define ROTATE_LOG	(1 << 20)	/* a log of this size gets another name at the next start */
#define GREET_MS	200		/* a signal is seen then */
#define TELL_US		30000000
#define QUIT_MS		30000
#define POLL_MS		10
#define OOM_SCORE_ADJ	"-900"		/* as in pkram-guest@.service */

/* Paths */

static const char *run_dir(void)
{
	return ctl_env("PKRAM_RUN_DIR", "/run/pkram");
}

static __attribute__((format(printf, 1, 2)))
const char *make_path(const char *fmt, ...)
{
	static _Thread_local char path[5][4096];
	static _Thread_local unsigned int i;
	va_list ap;

	i = (i + 1) % 5;
	va_start(ap, fmt);
	vsnprintf(path[i], sizeof(path[i]), fmt, ap);
	va_end(ap);
	return path[i];
}

const char *guest_run_path(const struct guest *g, const char *what)
{
	return make_path("%s/%s/%s", run_dir(), g->file.name, what);
}

const char *guest_state_path(const struct guest *g)
{
	return make_path("%s/%s.state", ctl_env("PKRAM_STATE_DIR", object_dir()),
			 g->file.name);
}

const char *guest_log_path(const struct guest *g)
{
	return make_path("%s/%s.log", ctl_env("PKRAM_LOG_DIR", "/var/log/pkram"), g->file.name);
}

const char *guest_info_path(const struct guest *g)
{
	return make_path("%s.info", guest_state_path(g));
}

static void fail_with(struct guest *g, bool final, const char *fmt, va_list ap)
{
	if (g->failed)
		return;
	vsnprintf(g->error, sizeof(g->error), fmt, ap);
	g->failed = true;
	g->final = final;
}

int guest_fail(struct guest *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_with(g, false, fmt, ap);
	va_end(ap);
	return CTL_FAILED;
}

int guest_refuse(struct guest *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_with(g, true, fmt, ap);
	va_end(ap);
	return CTL_FAILED;
}

void guest_explain(struct guest *g, const char *fmt, ...)
{
	size_t used = strlen(g->error);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(g->error + used, sizeof(g->error) - used, fmt, ap);
	va_end(ap);
}

void guests_free(struct guests *gs)
{
	struct guest *g, *next;

	for (g = gs->list; g; g = next) {
		next = g->next;
		qmp_close(&g->qmp);
		if (g->lock >= 0)
			close(g->lock);
		guest_file_free(&g->file);
		guest_file_free(&g->defined);
		free(g);
	}
	*gs = (struct guests){ 0 };
}

/**
 * struct work - what guests_each() does
 * @gate: closed until all threads are there
 * @off: they are not: nothing is done
 */
struct work {
	void (*fn)(struct guest *g, void *arg);
	void *arg;
	pthread_mutex_t gate;
	bool off;
};

struct worker {
	pthread_t thread;
	struct guest *guest;
	struct work *work;
};

static void *work_on_one(void *arg)
{
	struct worker *w = arg;
	bool off;

	pthread_mutex_lock(&w->work->gate);
	off = w->work->off;
	pthread_mutex_unlock(&w->work->gate);
	if (!off)
		w->work->fn(w->guest, w->work->arg);
	return NULL;
}

int guests_each(struct guests *gs, void (*fn)(struct guest *g, void *arg), void *arg)
{
	struct work work = { .fn = fn, .arg = arg, .gate = PTHREAD_MUTEX_INITIALIZER };
	struct worker *w = ctl_must(calloc(gs->nr + 1, sizeof(*w)));
	unsigned int i, nr = 0;
	struct guest *g;

	pthread_mutex_lock(&work.gate);
	for (g = guests_next_good(gs, NULL); g && !work.off; g = guests_next_good(gs, g)) {
		w[nr].guest = g;
		w[nr].work = &work;
		work.off = pthread_create(&w[nr].thread, NULL, work_on_one, &w[nr]);
		nr += !work.off;
	}
	pthread_mutex_unlock(&work.gate);
	for (i = 0; i < nr; i++)
		pthread_join(w[i].thread, NULL);
	free(w);
	return work.off ? ctl_error("no memory for threads") : 0;
}

void guests_each_anyhow(struct guests *gs, void (*fn)(struct guest *g, void *arg), void *arg)
{
	struct guest *g, *next;

	if (!guests_each(gs, fn, arg))
		return;
	for (g = guests_next_good(gs, NULL); g; g = next) {
		next = guests_next_good(gs, g);
		fn(g, arg);
	}
}

struct guest *guests_next_good(const struct guests *gs, const struct guest *g)
{
	struct guest *next = g ? g->next : gs->list;

	while (next && (!next->chosen || next->failed))
		next = next->next;
	return next;
}

/* State */

/* Return whether its state or RAM is where pkramfs is not mounted */
static bool out_of_sight(const struct guest *g)
{
	unsigned int i;

	if (object_unmounted(guest_state_path(g)))
		return true;
	for (i = 0; i < g->file.nr_ram && !object_unmounted(g->file.ram[i].path); i++)
		;
	return i < g->file.nr_ram;
}

/* The state of a guest without a QEMU: what its RAM says, not only whether there is a file */
static enum guest_state rest_state(struct guest *g)
{
	bool file = !access(guest_state_path(g), F_OK);

	started_drop(g);
	if (out_of_sight(g))
		return GUEST_UNKNOWN;
	if (file)
		started_take(g, true);
	switch (guest_seals(g, NULL)) {
	case SEALS_NONE:
		/* It starts afresh */
		started_drop(g);
		return file ? GUEST_STALE : GUEST_STOPPED;
	case SEALS_SOME:
		return GUEST_HALF;
	case SEALS_ALL:
		return file ? GUEST_SAVED : GUEST_SEALED;
	default:
		return file ? GUEST_SAVED : GUEST_STOPPED;
	}
}

/*
 * Return the process that wrote the guest's pidfile, which our command line names; 0 if it
 * is gone. The number may belong to another process meanwhile.
 */
static pid_t pid_in_file(const struct guest *g)
{
	const char *file = guest_run_path(g, "pid");
	char line[32], *text = NULL;
	size_t len;
	pid_t pid;

	if (pkram_read_line(file, line, sizeof(line)))
		return 0;
	pid = atoi(line);
	if (pid <= 0 ||
	    pkram_read_file(make_path("/proc/%d/cmdline", pid), MAX_FILE, &text, &len) ||
	    !memmem(text, len, file, strlen(file) + 1))
		pid = 0;
	free(text);
	return pid;
}

/*
 * Return the path of QEMU's socket: a client of the other one, which operators use, does not keep
 * this one busy. A QEMU that an older pkramctl started has only the other
 */
static const char *socket_path(const struct guest *g)
{
	const char *path = guest_run_path(g, OWN_SOCKET);

	return access(path, F_OK) ? guest_run_path(g, SOCKET) : path;
}

static void remove_sockets(const struct guest *g)
{
	unlink(guest_run_path(g, SOCKET));
	unlink(guest_run_path(g, OWN_SOCKET));
}

void guest_look(struct guest *g, int timeout_ms)
{
	int err, waited;

	g->pid = 0;
	g->failed = false;
	g->final = false;
	g->error[0] = '\0';
	/* A QEMU that starts has no socket yet */
	for (waited = 0; ; waited += POLL_MS) {
		qmp_close(&g->qmp);
		err = qmp_open(&g->qmp, socket_path(g), timeout_ms);
		if (err != -ENOENT && err != -ECONNREFUSED)
			break;
		g->pid = pid_in_file(g);
		if (!g->pid) {
			g->state = rest_state(g);
			if (g->state == GUEST_UNKNOWN)
				guest_fail(g, OBJECT_UNMOUNTED, object_dir());
			return;
		}
		if (waited >= timeout_ms)
			break;
		poll(NULL, 0, POLL_MS);
	}
	started_drop(g);
	started_take(g, false);
	g->state = GUEST_MUTE;
	g->pid = g->qmp.peer ? g->qmp.peer : pid_in_file(g);
	if (err || guest_read_status(g)) {
		guest_fail(g, "%s", g->qmp.error);
		return;
	}
	g->state = GUEST_LIVE;
	g->qmp.timeout_ms = QMP_TIMEOUT_MS;
}

int guest_read_status(struct guest *g)
{
	int err = qmp_command(&g->qmp, "query-status", NULL);

	if (!err)
		snprintf(g->status, sizeof(g->status), "%s", qmp_text(&g->qmp, "status"));
	return err;
}

bool guest_runs(const char *status)
{
	return !strcmp(status, "running") || !strcmp(status, "suspended");
}

bool guest_passes(const char *status)
{
	return !strcmp(status, "inmigrate") || !strcmp(status, "prelaunch") ||
	       !strcmp(status, "restore-vm") || !strcmp(status, "finish-migrate") ||
	       !strcmp(status, "save-vm");
}

const char *guest_state_name(const struct guest *g)
{
	switch (g->state) {
	case GUEST_STOPPED:
		return "stopped";
	case GUEST_SAVED:
		return "saved";
	case GUEST_STALE:
		return "stopped (with a stale state)";
	case GUEST_SEALED:
		return "sealed (its state is missing)";
	case GUEST_HALF:
		return "sealed in part (cannot be resumed)";
	case GUEST_UNKNOWN:
		return "unknown";
	case GUEST_LIVE:
		return g->status;
	default:
		return "no answer";
	}
}

void guest_print(const struct guest *g)
{
	out_row_open();
	out_str("name", "NAME", g->file.name);
	out_str("state", "STATE", guest_state_name(g));
	out_duration("seconds", "TOOK", g->took ? g->took : -1);
	out_duration("blackout", "BLACKOUT", g->blackout ? g->blackout : -1);
	out_size("bytes", "STATE SIZE", g->bytes ? g->bytes : PKRAM_NONE64);
	out_str("error", "WHY", g->failed ? g->error : NULL);
	out_row_close();
}

bool guest_stands_still(const struct guest *g)
{
	return g->state == GUEST_LIVE && !strcmp(g->status, "postmigrate") &&
	       !access(guest_state_path(g), F_OK);
}

bool guest_waits(const struct guest *g)
{
	return g->state == GUEST_LIVE && !strcmp(g->status, "inmigrate") &&
	       !access(guest_state_path(g), F_OK);
}

const char *guest_unit(const struct guest *g)
{
	static _Thread_local char unit[GUEST_NAME_MAX + 32];

	snprintf(unit, sizeof(unit), "pkram-guest@%s.service", g->file.name);
	return unit;
}

/*
 * By its unit, if that is enabled, so that its QEMU is in the unit. One that has a QEMU goes on
 * where that is.
 */
const char *guest_command(const struct guest *g, const char *verb)
{
	static _Thread_local char command[GUEST_NAME_MAX + 64];

	if (g->state != GUEST_LIVE && g->state != GUEST_MUTE && systemd_runs() &&
	    systemd_enabled(guest_unit(g)))
		snprintf(command, sizeof(command), "systemctl start pkram-guest@%s", g->file.name);
	else
		snprintf(command, sizeof(command), "pkramctl guest %s %s", verb, g->file.name);
	return command;
}

const char *guest_next(const struct guest *g)
{
	if (g->state == GUEST_SAVED || guest_stands_still(g) || guest_waits(g))
		return guest_command(g, "resume");
	return g->state == GUEST_STALE ? guest_command(g, "start") : NULL;
}

int guest_lock(struct guest *g)
{
	const char *dir = make_path("%s/%s", run_dir(), g->file.name);

	if ((mkdir(run_dir(), 0755) && errno != EEXIST) ||
	    (mkdir(dir, 0700) && errno != EEXIST))
		return guest_refuse(g, "%s: %s", dir, strerror(errno));
	g->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->lock < 0)
		return guest_refuse(g, "%s: %s", dir, strerror(errno));
	if (!flock(g->lock, LOCK_EX | LOCK_NB))
		return 0;
	close(g->lock);
	g->lock = -1;
	return guest_fail(g, "another pkramctl is working on it");
}

int guest_wait_lock(struct guest *g, int timeout_ms)
{
	int waited;

	for (waited = 0; guest_lock(g); waited += POLL_MS) {
		if (waited >= timeout_ms)
			return CTL_FAILED;
		g->failed = false;
		poll(NULL, 0, POLL_MS);
	}
	return 0;
}

/* QEMU */

/*
 * Its output, of each start, in a file that the next kernel has, too. logrotate(8) keeps it small
 * while QEMU runs; here it is kept small without that
 */
static int open_log(const struct guest *g)
{
	const char *path = guest_log_path(g), *dir = ctl_env("PKRAM_LOG_DIR", "/var/log/pkram");
	struct stat st;
	int fd;

	mkdir(dir, 0750);
	if (!lstat(path, &st) && st.st_size > ROTATE_LOG)
		rename(path, make_path("%s.1", path));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* The disk is full, or read-only: a guest starts all the same */
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return fd;
}

static void note_start(int fd, bool incoming)
{
	time_t now = time(NULL);
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	dprintf(fd, "--- %s: %s by pkramctl\n", text, incoming ? "resumed" : "started");
}

static void exec_qemu(const struct guest *g, bool incoming)
{
	const struct guest_file *f = &g->file;
	static const int ignored[] = { SIGHUP, SIGPIPE, SIGINT, SIGTERM };
	char *argv[f->nr_args + 16], qmp[4200], own[4200], machine[sizeof(g->machine) + 8];
	unsigned int i;
	int fd, n = 0;

	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", guest_run_path(g, SOCKET));
	snprintf(own, sizeof(own), "unix:%s,server=on,wait=off", guest_run_path(g, OWN_SOCKET));
	argv[n++] = f->qemu;
	argv[n++] = "-name";
	argv[n++] = (char *)f->name;
	argv[n++] = "-uuid";
	argv[n++] = (char *)f->uuid;
	argv[n++] = "-qmp";
	argv[n++] = qmp;
	argv[n++] = "-qmp";
	argv[n++] = own;
	argv[n++] = "-pidfile";
	argv[n++] = (char *)guest_run_path(g, "pid");
	memcpy(argv + n, f->args, f->nr_args * sizeof(*argv));
	n += f->nr_args;
	/* An alias ("q35"), or the default, may be another version now. The last one counts */
	if (incoming && *g->machine) {
		snprintf(machine, sizeof(machine), "type=%s", g->machine);
		argv[n++] = "-machine";
		argv[n++] = machine;
	}
	if (incoming) {
		argv[n++] = "-incoming";
		argv[n++] = "defer";
	}
	argv[n] = NULL;

	setsid();
	/* Signals that an update ignores */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_DFL);
	fd = open("/dev/null", O_RDONLY);
	dup2(fd, STDIN_FILENO);
	dup2(g->log, STDOUT_FILENO);
	dup2(g->log, STDERR_FILENO);
	/* QEMU writes the same number later; if we are killed, this tells that there is one */
	fd = open(guest_run_path(g, "pid"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dprintf(fd, "%d\n", (int)getpid());
	close(fd);
	/* As the unit has it, for one that is started by hand; it needs CAP_SYS_RESOURCE */
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	dprintf(fd, OOM_SCORE_ADJ);
	close(fd);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int guest_spawn(struct guest *g, bool incoming)
{
	if (!(incoming && g->noted) && guest_defs_refuse(g))
		return CTL_FAILED;
	/* Remove the sockets of a killed QEMU: the new one's must be waited for */
	remove_sockets(g);
	if (incoming && g->changed)
		ctl_warn("%s: its definition was changed since it was started: it is resumed as it was started, and what was changed counts from the next start; pkramctl guest resume --as-defined %s would resume it as it is defined now",
			 g->file.name, g->file.name);
	started_note(g);
	g->log = open_log(g);
	note_start(g->log, incoming);
	g->log_begin = lseek(g->log, 0, SEEK_END);
	fflush(NULL);
	g->pid = fork();
	if (g->pid) {
		close(g->log);
		g->log = -1;
	}
	if (g->pid < 0) {
		g->pid = 0;
		return guest_fail(g, "fork: %s", strerror(errno));
	}
	if (!g->pid)
		exec_qemu(g, incoming);
	g->child = true;
	return 0;
}

void guest_add_log(struct guest *g)
{
	int fd = open(guest_log_path(g), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t len = 0, skip = 0;
	char *text = NULL;

	/* Of this start */
	if (fd >= 0 && lseek(fd, g->log_begin, SEEK_SET) >= 0)
		pkram_read_fd(fd, MAX_FILE, &text, &len);
	if (fd >= 0)
		close(fd);
	while (len && text[len - 1] == '\n')
		len--;
	if (len > MAX_LOG)
		skip = len - MAX_LOG;
	if (len)
		guest_explain(g, ": %.*s", (int)(len - skip), text + skip);
	if (len && strstr(text + skip, WRONG_SIZE))
		guest_explain(g, "\n  The object of its RAM was made with another size: write that as size= and -m, or, if nothing in it is needed, remove the object (pkramctl object remove); QEMU makes it anew");
	free(text);
}

/* Connect to QEMU once it listens, and negotiate the protocol once it answers: as qmp_open() */
static int greet(struct guest *g)
{
	int err;

	if (g->qmp.fd >= 0)
		return qmp_greet(&g->qmp);
	err = qmp_connect(&g->qmp, guest_run_path(g, OWN_SOCKET), GREET_MS);
	if (err)
		return err == -ENOENT || err == -ECONNREFUSED ? -ETIMEDOUT : err;
	return qmp_greet(&g->qmp);
}

/*
 * QEMU allocates RAM and sets up devices after it has its socket, and before it answers, which
 * takes minutes with hundreds of GiB. It is waited for as long as it lives.
 */
int guest_greet(struct guest *g)
{
	int64_t begin = now_us(), told = begin, now;
	int err;

	for (;;) {
		err = greet(g);
		if (!err) {
			g->qmp.timeout_ms = QMP_TIMEOUT_MS;
			g->state = GUEST_LIVE;
			return 0;
		}
		/* QEMU may exit after it has created the socket */
		if (err == -EPIPE)
			guest_wait_exit(g, QUIT_MS);
		else if (err != -ETIMEDOUT)
			return guest_fail(g, "%s", g->qmp.error);
		if (!guest_wait_exit(g, POLL_MS)) {
			guest_fail(g, "QEMU ended");
			guest_add_log(g);
			return CTL_FAILED;
		}
		if (migrate_caught()) {
			g->kept = true;
			g->state = GUEST_MUTE;
			return guest_fail(g, "interrupted; its QEMU is not ended, as it still starts: pkramctl guest show %s says whether it runs",
					  g->file.name);
		}
		now = now_us();
		if (now - told < TELL_US)
			continue;
		told = now;
		fprintf(stderr, "pkramctl: %s: QEMU starts; it has not answered for %d s. It is waited for; its log is %s\n",
			g->file.name, (int)((now - begin) / 1000000), guest_log_path(g));
	}
}

int guest_wait_exit(struct guest *g, int timeout_ms)
{
	struct pollfd fd = { .events = POLLIN };
	int ready;

	if (!g->pid)
		return 0;
	fd.fd = pidfd_open(g->pid, 0);
	if (fd.fd >= 0) {
		do {
			ready = poll(&fd, 1, timeout_ms);
		} while (ready < 0 && errno == EINTR);
		close(fd.fd);
		if (!ready)
			return -ETIMEDOUT;
	}
	if (g->child)
		waitpid(g->pid, NULL, 0);
	g->child = false;
	g->pid = 0;
	return 0;
}

void guest_quit(struct guest *g)
{
	if (g->qmp.fd >= 0)
		qmp_command(&g->qmp, "quit", NULL);
	qmp_close(&g->qmp);
	/* One that does not answer is not asked */
	if (g->state == GUEST_MUTE || guest_wait_exit(g, QUIT_MS)) {
		if (g->pid)
			kill(g->pid, SIGKILL);
		guest_wait_exit(g, QUIT_MS);
	}
	remove_sockets(g);
	g->state = rest_state(g);
}
