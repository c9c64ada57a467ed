// SPDX-License-Identifier: GPL-2.0
/* Start QEMU, speak QMP, save and load; guest.c has the guest's side */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qemu.h"
#include "qemu_priv.h"
#include "vm.h"

#define RUN		"/run/qemu"
#define PROGRAM		"/bin/qemu-system-x86_64"
#define MAX_ARGS	128
#define START_SECONDS	30
#define COMMAND_SECONDS	60
#define SAVE_SECONDS	60

double qemu_deadline(int seconds)
{
	static int scale;

	if (!scale)
		scale = access("/sys/kernel/debug/kmemleak", F_OK) ? 1 : 4;
	return vm_now() + seconds * scale;
}

void qemu_nap(void)
{
	usleep(10000);
}

char *qemu_path(const char *name, const char *what)
{
	static char path[4][108];	/* maximum length of a socket's path */
	static int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), RUN "/%s.%s", name, what);
	return path[i];
}

char *qemu_log_path(const char *name, int port)
{
	return qemu_path(name, port ? "port1.log" : "port0");
}

const char *qemu_accel(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return "tcg";
	close(fd);
	return "kvm";
}

int qemu_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Start and end */

static bool given(const char * const argv[], const char *option)
{
	for (; *argv; argv++)
		if (!strcmp(*argv, option))
			return true;
	return false;
}

static pid_t spawn(const char *name, const char * const argv[])
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	setsid();
	for (fd = 3; fd < 256; fd++)
		close(fd);
	dup2(open("/dev/null", O_RDONLY), 0);
	fd = open(qemu_path(name, "stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	execv(argv[0], (char * const *)argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static struct qemu *new_qemu(const char *name, pid_t pid)
{
	struct qemu *q = calloc(1, sizeof(*q));

	snprintf(q->name, sizeof(q->name), "%s", name);
	q->pid = pid;
	q->qmp = -1;
	q->events = json_object_new_array();
	return q;
}

/* Connect to QMP and negotiate capabilities */
static int shake_hands(struct qemu *q)
{
	double until = qemu_deadline(START_SECONDS);

	while (vm_now() < until && qemu_alive(q)) {
		q->qmp = qemu_connect(qemu_path(q->name, "qmp"));
		if (q->qmp >= 0)
			return qemu_command(q, "qmp_capabilities", NULL);
		qemu_nap();
	}
	return -EPIPE;
}

struct qemu *qemu_startv(const char *name, const char * const argv[], bool wait)
{
	const char *all[MAX_ARGS] = {
		PROGRAM, "-nodefaults", "-no-user-config", "-display", "none",
		"-no-reboot", "-L", GUEST_DIR "/roms", "-name", name,
	};
	char chardev[3][256], qmp[160], text[16];
	struct qemu *q;
	int n = 0;

	mkdir(RUN, 0755);
	while (all[n])
		n++;
	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", qemu_path(name, "qmp"));
	all[n++] = "-qmp";
	all[n++] = qmp;
	unlink(qemu_path(name, "qmp"));
	unlink(qemu_path(name, "port1"));
	snprintf(chardev[0], sizeof(chardev[0]), "file,id=port0,path=%s", qemu_log_path(name, 0));
	snprintf(chardev[1], sizeof(chardev[1]),
		 "socket,id=port1,path=%s,server=on,wait=off,logfile=%s",
		 qemu_path(name, "port1"), qemu_log_path(name, 1));
	snprintf(chardev[2], sizeof(chardev[2]), "file,id=console,path=%s",
		 qemu_path(name, "console"));
	for (int i = 0; i < 3; i++) {
		unlink(qemu_log_path(name, i % 2));
		all[n++] = "-chardev";
		all[n++] = chardev[i];
	}
	if (!given(argv, "-accel")) {
		all[n++] = "-accel";
		all[n++] = qemu_accel();
	}
	if (!given(argv, "-cpu")) {
		all[n++] = "-cpu";
		all[n++] = GUEST_CPU;
	}
	while (*argv && n < MAX_ARGS - 1)
		all[n++] = *argv++;
	q = new_qemu(name, spawn(name, all));
	if (q->pid < 0)
		return NULL;
	snprintf(text, sizeof(text), "%d", q->pid);
	vm_write_file(qemu_path(name, "pid"), text);
	if (wait && shake_hands(q)) {
		qemu_kill(q);
		return NULL;
	}
	return q;
}

struct qemu *qemu_start(const char *name, ...)
{
	const char *argv[MAX_ARGS];
	va_list ap;
	int n = 0;

	va_start(ap, name);
	do
		argv[n] = va_arg(ap, const char *);
	while (argv[n++] && n < MAX_ARGS);
	va_end(ap);
	argv[n - 1] = NULL;
	return qemu_startv(name, argv, true);
}

struct qemu *qemu_find(const char *name)
{
	char *text = vm_read_file(qemu_path(name, "pid"));
	struct qemu *q = text ? new_qemu(name, atoi(text)) : NULL;

	free(text);
	return q && qemu_alive(q) && !shake_hands(q) ? q : NULL;
}

char *qemu_stderr(const char *name)
{
	return vm_read_file(qemu_path(name, "stderr")) ?: strdup("");
}

char *qemu_console(const char *name)
{
	return vm_read_file(qemu_path(name, "console")) ?: strdup("");
}

/* Wait up to @until for the end of QEMU, which may not be our child */
static bool gone(struct qemu *q, double until)
{
	struct pollfd fd = { .events = POLLIN };
	double left = until - vm_now();

	if (q->pid <= 0)
		return true;
	fd.fd = syscall(SYS_pidfd_open, q->pid, 0);
	if (fd.fd >= 0) {
		if (poll(&fd, 1, left > 0 ? left * 1000 : 0) <= 0) {
			close(fd.fd);
			return false;
		}
		close(fd.fd);
	}
	waitpid(q->pid, NULL, WNOHANG);
	q->pid = 0;
	return true;
}

bool qemu_alive(struct qemu *q)
{
	return !gone(q, 0);
}

static void hang_up(struct qemu *q)
{
	if (q->qmp >= 0)
		close(q->qmp);
	q->qmp = -1;
}

int qemu_wait_exit(struct qemu *q, int seconds)
{
	if (!gone(q, qemu_deadline(seconds)))
		return -ETIMEDOUT;
	hang_up(q);
	return 0;
}

int qemu_kill(struct qemu *q)
{
	if (q->pid > 0)
		kill(q->pid, SIGKILL);
	return qemu_wait_exit(q, COMMAND_SECONDS);
}

int qemu_quit(struct qemu *q)
{
	qemu_command(q, "quit", NULL);
	return qemu_wait_exit(q, COMMAND_SECONDS);
}

/* QMP */

/* Receive and parse the next line of QMP: 0, or -errno */
static int receive(struct qemu *q, struct json_object **msg, double until)
{
	struct pollfd fd = { .fd = q->qmp, .events = POLLIN };
	double left;
	ssize_t n;
	char *eol;

	if (q->qmp < 0)
		return -EPIPE;
	for (;;) {
		eol = memchr(q->input, '\n', q->used);
		if (eol) {
			*eol++ = '\0';
			*msg = json_tokener_parse(q->input);
			q->used -= eol - q->input;
			memmove(q->input, eol, q->used);
			return *msg ? 0 : -EPROTO;
		}
		if (q->used == sizeof(q->input))
			return -EMSGSIZE;
		left = until - vm_now();
		if (poll(&fd, 1, left > 0 ? left * 1000 : 0) <= 0)
			return -ETIMEDOUT;
		n = read(q->qmp, q->input + q->used, sizeof(q->input) - q->used);
		if (n <= 0) {
			hang_up(q);
			return -EPIPE;
		}
		q->used += n;
	}
}

static struct json_object *member(struct json_object *obj, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(obj, json_type_object))
		json_object_object_get_ex(obj, key, &value);
	return value;
}

/* Receive until there is an answer; store events */
static int receive_answer(struct qemu *q, double until)
{
	struct json_object *msg, *part;
	int err;

	for (;;) {
		err = receive(q, &msg, until);
		if (err)
			return err;
		if (member(msg, "event")) {
			json_object_array_add(q->events, msg);
			continue;
		}
		part = member(msg, "error");
		if (part)
			snprintf(q->error, sizeof(q->error), "%s",
				 json_object_get_string(member(part, "desc")));
		else
			q->answer = json_object_get(member(msg, "return"));
		err = part ? -EREMOTEIO : 0;
		/* The greeting has neither member. */
		part = part ?: member(msg, "return");
		json_object_put(msg);
		if (part)
			return err;
	}
}

static int command(struct qemu *q, const char *name, struct json_object *args, int seconds)
{
	struct json_object *msg = json_object_new_object();
	const char *text;
	int err = 0;
	size_t len;

	json_object_put(q->answer);
	q->answer = NULL;
	q->error[0] = '\0';
	json_object_object_add(msg, "execute", json_object_new_string(name));
	if (args)
		json_object_object_add(msg, "arguments", args);
	text = json_object_to_json_string(msg);
	len = strlen(text);
	if (q->qmp < 0 || send(q->qmp, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		err = -EPIPE;
	json_object_put(msg);
	return err ?: receive_answer(q, qemu_deadline(seconds));
}

int qemu_command(struct qemu *q, const char *name, const char *args, ...)
{
	struct json_object *obj = NULL;
	char *text;
	va_list ap;

	if (args) {
		va_start(ap, args);
		if (vasprintf(&text, args, ap) < 0)
			text = NULL;
		va_end(ap);
		obj = text ? json_tokener_parse(text) : NULL;
		free(text);
		if (!obj)
			return -EINVAL;
	}
	return command(q, name, obj, COMMAND_SECONDS);
}

const char *qemu_answer(struct qemu *q, const char *field)
{
	char *path = strdup(field), *word, *save;
	struct json_object *obj = q->answer;

	for (word = strtok_r(path, ".", &save); word; word = strtok_r(NULL, ".", &save))
		obj = member(obj, word);
	free(path);
	return obj ? json_object_get_string(obj) : "";
}

bool qemu_has_command(struct qemu *q, const char *name)
{
	struct json_object *one;

	if (qemu_command(q, "query-commands", NULL))
		return false;
	for (size_t i = 0; i < json_object_array_length(q->answer); i++) {
		one = json_object_array_get_idx(q->answer, i);
		if (!strcmp(name, json_object_get_string(member(one, "name"))))
			return true;
	}
	return false;
}

char *qemu_hmp(struct qemu *q, const char *fmt, ...)
{
	struct json_object *args = json_object_new_object();
	char *text;
	va_list ap;
	int err;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	json_object_object_add(args, "command-line", json_object_new_string(text ?: ""));
	free(text);
	err = command(q, "human-monitor-command", args, COMMAND_SECONDS);
	return err ? NULL : strdup(qemu_answer(q, ""));
}

/* Remove an event from the list of received events */
static bool take_event(struct qemu *q, const char *event)
{
	size_t n = json_object_array_length(q->events);
	struct json_object *e;

	for (size_t i = 0; i < n; i++) {
		e = json_object_array_get_idx(q->events, i);
		if (strcmp(event, json_object_get_string(member(e, "event"))))
			continue;
		json_object_array_del_idx(q->events, i, 1);
		return true;
	}
	return false;
}

int qemu_wait_event(struct qemu *q, const char *event, int seconds)
{
	double until = qemu_deadline(seconds);
	struct json_object *msg;
	int err;

	while (!take_event(q, event)) {
		err = receive(q, &msg, until);
		if (err)
			return err;
		json_object_array_add(q->events, msg);
	}
	return 0;
}

/* Migration */

int qemu_wait_migration(struct qemu *q, int seconds)
{
	double until = qemu_deadline(seconds);
	const char *status;
	char error[512];
	int err;

	while (vm_now() < until) {
		err = qemu_command(q, "query-migrate", NULL);
		if (err)
			return err;
		status = qemu_answer(q, "status");
		if (!strcmp(status, "completed"))
			return 0;
		if (!strcmp(status, "failed") || !strcmp(status, "cancelled")) {
			snprintf(error, sizeof(error), "%s", qemu_answer(q, "error-desc"));
			snprintf(q->error, sizeof(q->error), "%s", error);
			return -EREMOTEIO;
		}
		qemu_nap();
	}
	return -ETIMEDOUT;
}

bool qemu_has_cpr(struct qemu *q)
{
	return !qemu_command(q, "query-migrate-parameters", NULL) &&
	       *qemu_answer(q, "mode");
}

int qemu_ignore_shared(struct qemu *q, bool on)
{
	return qemu_command(q, "migrate-set-capabilities",
			    "{'capabilities': [{'capability': 'x-ignore-shared', 'state': %s}]}",
			    on ? "true" : "false");
}

static int set_up_migration(struct qemu *q)
{
	int err = 0;

	if (qemu_has_cpr(q))
		err = qemu_command(q, "migrate-set-parameters", "{'mode': 'cpr-reboot'}");
	return err ?: qemu_ignore_shared(q, true);
}

/* QEMU 7.2 cannot write to a file; a program does it */
static int migrate(struct qemu *q, const char *verb, const char *path, bool out)
{
	if (qemu_has_cpr(q))
		return qemu_command(q, verb, "{'uri': 'file:%s'}", path);
	return qemu_command(q, verb, "{'uri': 'exec:cat %s %s'}", out ? ">" : "", path);
}

int qemu_save(struct qemu *q, const char *path)
{
	int err = set_up_migration(q);

	err = err ?: migrate(q, "migrate", path, true);
	return err ?: qemu_wait_migration(q, SAVE_SECONDS);
}

int qemu_load(struct qemu *q, const char *path)
{
	int err = set_up_migration(q);

	err = err ?: migrate(q, "migrate-incoming", path, false);
	return err ?: qemu_wait_migration(q, SAVE_SECONDS);
}
