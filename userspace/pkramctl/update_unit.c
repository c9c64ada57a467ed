// SPDX-License-Identifier: GPL-2.0
/* An update in a unit of its own: see update_unit.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "child.h"
#include "ctl.h"
#include "live.h"
#include "migrate.h"
#include "print.h"
#include "read_file.h"
#include "systemd.h"
#include "update_unit.h"

#define UNIT		"pkram-update.service"
#define IN_UNIT		"PKRAM_UPDATE_UNIT"	/* set in its environment */
#define POLL_MS		100
#define ALIVE_US	1000000
#define END_TRIES	50
#define MAX_ARGS	66
#define MAX_LINES	(1 << 20)

extern char **environ;

/* Return the path of one of its files; no guest has a name that begins with a dot */
static const char *path_of(const char *file)
{
	static char path[4][PATH_MAX];
	static unsigned int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/.update/%s",
		 ctl_env("PKRAM_RUN_DIR", "/run/pkram"), file);
	return path[i];
}

static int make_dir(void)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", ctl_env("PKRAM_RUN_DIR", "/run/pkram"));
	if (mkdir(dir, 0755) && errno != EEXIST)
		return ctl_error("%s: %s", dir, strerror(errno));
	snprintf(dir, sizeof(dir), "%s", path_of(""));
	if (mkdir(dir, 0700) && errno != EEXIST)
		return ctl_error("%s: %s", dir, strerror(errno));
	return 0;
}

int update_unit_lock(void)
{
	/* A lock of this kind is not inherited by what is forked */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const char *path = path_of("lock");
	int fd;

	if (make_dir())
		return CTL_FAILED;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return ctl_error("%s: %s", path, strerror(errno));
	/* It stays open until the program ends */
	if (!fcntl(fd, F_SETLK, &lock))
		return 0;
	close(fd);
	return ctl_error("another update is under way: process %d; pkramctl update --watch shows it if it has a unit",
			 (int)update_unit_holder());
}

pid_t update_unit_holder(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path_of("lock"), O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		lock.l_pid = 0;
	if (fd >= 0)
		close(fd);
	return lock.l_pid;
}

const char *update_unit_dir(void)
{
	static char dir[PATH_MAX];

	if (!getenv(IN_UNIT))
		return NULL;
	snprintf(dir, sizeof(dir), "%s", path_of(""));
	return dir;
}

void update_unit_end(int status)
{
	char temp[PATH_MAX];
	FILE *f;

	if (!getenv(IN_UNIT))
		return;
	snprintf(temp, sizeof(temp), "%s", path_of("exit.new"));
	f = fopen(temp, "we");
	if (!f)
		return;
	fprintf(f, "%d\n", status);
	if (!fclose(f))
		rename(temp, path_of("exit"));
}

/* What the terminal sees */

struct watch {
	const char *file;
	FILE *to;
	int fd;
};

/* Print what was added */
static void pump(struct watch *w)
{
	char buf[4096];
	ssize_t n;

	if (w->fd < 0)
		w->fd = open(path_of(w->file), O_RDONLY | O_CLOEXEC);
	while (w->fd >= 0 && (n = read(w->fd, buf, sizeof(buf))) > 0) {
		live_erase();
		fwrite(buf, 1, n, w->to);
	}
	fflush(w->to);
}

/* Draw the guests' lines, until they stay. Return: they may change */
static bool pump_lines(void)
{
	bool goes_on = true;
	char *text;
	size_t len;

	if (pkram_read_file(path_of(LIVE_LINES), MAX_LINES, &text, &len))
		return true;
	if (len) {
		live_draw(text + 1);
		goes_on = *text == LIVE_GO_ON;
	}
	if (!goes_on)
		live_draw(NULL);
	free(text);
	return goes_on;
}

static volatile sig_atomic_t stopped;

static void on_int(int sig)
{
	(void)sig;
	stopped = 1;
}

static int watch(void)
{
	struct watch out = { "out", stdout, -1 }, err = { "err", stderr, -1 };
	struct watch events = { LIVE_EVENTS, stderr, -1 };
	bool terminal = live_terminal() && !out_is_json(), draws = terminal;
	struct sigaction action = { .sa_handler = on_int };
	int64_t looked = now_us();
	bool ended = false, dead = false;
	char line[16];
	int ret;

	sigaction(SIGINT, &action, NULL);
	for (;;) {
		/* What was printed before the end is printed here before it, too */
		ended = !pkram_read_line(path_of("exit"), line, sizeof(line));
		if (terminal)
			draws = draws && pump_lines();
		else
			pump(&events);
		pump(&err);
		pump(&out);
		if (ended || dead || stopped)
			break;
		if (now_us() - looked > ALIVE_US) {
			dead = !systemd_active(UNIT);
			looked = now_us();
		}
		poll(NULL, 0, POLL_MS);
	}
	if (ended)
		ret = atoi(line);
	else if (stopped)
		ret = ctl_error("the update goes on in %s; pkramctl update --watch shows it again, systemctl stop %s takes it back while guests are being saved",
				UNIT, UNIT);
	else
		ret = ctl_error("the update ended without a result: see journalctl -u " UNIT " and pkramctl guest show");
	if (out.fd >= 0)
		close(out.fd);
	if (err.fd >= 0)
		close(err.fd);
	if (events.fd >= 0)
		close(events.fd);
	return ret;
}

int update_unit_watch(void)
{
	if (access(path_of("out"), F_OK))
		return ctl_error("no update runs, and none has since the boot");
	return watch();
}

static char *setting(const char *fmt, const char *value)
{
	char *text;

	if (asprintf(&text, fmt, value) < 0)
		text = NULL;
	return ctl_must(text);
}

/* systemd expands variables in arguments */
static char *escape(const char *arg)
{
	char *text = ctl_must(malloc(2 * strlen(arg) + 1)), *to = text;

	for (; *arg; arg++) {
		if (*arg == '$')
			*to++ = '$';
		*to++ = *arg;
	}
	*to = '\0';
	return text;
}

static bool is_wanted(const char *variable)
{
	static const char *const names[] = { "PKRAM_", "LC_", "LANG=", "TZ=", "PATH=" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strncmp(variable, names[i], strlen(names[i])))
			return true;
	}
	return false;
}

int update_unit_run(int argc, char **argv)
{
	const char *args[argc + MAX_ARGS];
	char self[PATH_MAX], dir[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int i, n = 0, fd, ret;
	char **v;

	if (len < 0 || !getcwd(dir, sizeof(dir)))
		return ctl_error("update: %s", strerror(errno));
	self[len] = '\0';
	if (make_dir())
		return CTL_FAILED;
	/* Of two that begin at the same time, one must not remove the files of the other */
	fd = open(path_of(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ctl_error("%s: %s", path_of(""), strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return ctl_error("another update is being started");
	}
	/* One that has left its result is about to end */
	for (i = 0; i < END_TRIES && !access(path_of("exit"), F_OK) && systemd_active(UNIT); i++)
		poll(NULL, 0, POLL_MS);
	if (update_unit_holder() || systemd_active(UNIT)) {
		close(fd);
		return ctl_error("another update is under way, in " UNIT " or with --no-unit, or systemd does not answer: pkramctl update --watch shows one in its unit");
	}
	/* Those of the last one */
	unlink(path_of("exit"));
	unlink(path_of("out"));
	unlink(path_of("err"));
	unlink(path_of(LIVE_LINES));
	unlink(path_of(LIVE_EVENTS));
	args[n++] = "systemd-run";
	args[n++] = "--quiet";
	args[n++] = "--collect";
	args[n++] = "--unit=" UNIT;
	args[n++] = "--description=pkramctl update";
	/* If the host goes down, it may have to resume guests, and to power them down */
	args[n++] = "--property=After=network.target remote-fs.target dev-pkram.mount pkram-pool.service";
	/* A QEMU that it resumes, and what waits for one that hangs, go on after its end */
	args[n++] = "--property=KillMode=process";
	/* To take back what was saved, or to resume it, before the unit is killed */
	args[n++] = "--property=TimeoutStopSec=15min";
	args[n++] = setting("--property=StandardOutput=truncate:%s", path_of("out"));
	args[n++] = setting("--property=StandardError=truncate:%s", path_of("err"));
	args[n++] = setting("--working-directory=%s", dir);
	args[n++] = "--setenv=" IN_UNIT "=1";
	for (v = environ; *v && n < MAX_ARGS - 8; v++) {
		if (is_wanted(*v))
			args[n++] = setting("--setenv=%s", *v);
	}
	args[n++] = "--";
	args[n++] = self;
	args[n++] = "update";
	for (i = 0; i < argc; i++)
		args[n++] = escape(argv[i]);
	if (out_is_json())
		args[n++] = "--json";
	args[n++] = "--no-unit";
	args[n++] = "--yes";
	args[n] = NULL;
	ret = child_run(args);
	close(fd);
	if (ret)
		return ctl_error("update: its unit cannot be started (%s, exit status %d); --no-unit does the work in this terminal",
				 args[0], ret);
	fprintf(stderr, "pkramctl: the update runs in " UNIT "; pkramctl update --watch shows it in another terminal\n");
	return watch();
}
