// SPDX-License-Identifier: GPL-2.0
/* QEMU's monitor protocol: lines of JSON; answers, with events in between. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "qmp.h"

#define MAX_LINE	(1 << 20)

static __attribute__((format(printf, 3, 4)))
int fail(struct qmp *q, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(q->error, sizeof(q->error), fmt, ap);
	va_end(ap);
	return err;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static struct json_object *member(struct json_object *obj, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(obj, json_type_object))
		json_object_object_get_ex(obj, key, &v);
	return v;
}

/* Read more input, enlarging the buffer: 0 or negative errno */
static int read_more(struct qmp *q, int64_t until)
{
	struct pollfd fd = { .fd = q->fd, .events = POLLIN };
	int64_t left = until - now_ms();
	ssize_t n;
	char *p;

	if (q->size - q->used < 4096) {
		if (q->size >= MAX_LINE)
			return fail(q, -EPROTO, "QEMU sent a line that is too long");
		p = realloc(q->buf, q->size + 65536);
		if (!p)
			return fail(q, -ENOMEM, "out of memory");
		q->buf = p;
		q->size += 65536;
	}
	n = poll(&fd, 1, left > 0 ? left : 0);
	if (!n)
		return fail(q, -ETIMEDOUT, "QEMU does not answer");
	if (n > 0)
		n = recv(q->fd, q->buf + q->used, q->size - q->used, 0);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return fail(q, -EPIPE, "QEMU has ended");
	q->used += n;
	return 0;
}

/* Return the next line, parsed */
static int next_message(struct qmp *q, struct json_object **msg, int64_t until)
{
	char *eol;
	int err;

	while (!(eol = q->used ? memchr(q->buf, '\n', q->used) : NULL)) {
		err = read_more(q, until);
		if (err)
			return err;
	}
	*eol++ = '\0';
	*msg = json_tokener_parse(q->buf);
	if (!json_object_is_type(*msg, json_type_object)) {
		json_object_put(*msg);
		return fail(q, -EPROTO, "this is not QMP: %.100s", q->buf);
	}
	q->used -= eol - q->buf;
	memmove(q->buf, eol, q->used);
	return 0;
}

static void note_event(struct qmp *q, struct json_object *msg)
{
	struct json_object *at = member(msg, "timestamp");
	const char *name = json_object_get_string(member(msg, "event"));
	int64_t us;

	/* What is no time is as if it were not there. */
	if (__builtin_mul_overflow(json_object_get_int64(member(at, "seconds")),
				   1000000, &us) ||
	    __builtin_add_overflow(us, json_object_get_int64(member(at, "microseconds")),
				   &us) || us < 0)
		us = 0;
	if (name && !strcmp(name, "STOP"))
		q->stopped = us;
	else if (name && !strcmp(name, "RESUME"))
		q->resumed = us;
}

/* Read messages until one is an answer: 0, with @msg, or as next_message() */
static int next_answer(struct qmp *q, struct json_object **msg, int64_t until)
{
	int err;

	for (;;) {
		err = next_message(q, msg, until);
		if (err || member(*msg, "error") || member(*msg, "return"))
			return err;
		note_event(q, *msg);
		json_object_put(*msg);
	}
}

int qmp_receive(struct qmp *q)
{
	int64_t until = now_ms() + q->timeout_ms;
	struct json_object *msg, *error;
	const char *text;
	int err;

	/* Answers come in order: first those of commands that were given up */
	q->owed++;
	do {
		err = next_answer(q, &msg, until);
		if (err)
			return err;
		if (--q->owed)
			json_object_put(msg);
	} while (q->owed);
	error = member(msg, "error");
	if (error) {
		text = json_object_get_string(member(error, "desc"));
		err = fail(q, -EREMOTEIO, "%s",
			   text ? text : "QEMU gives no reason");
	} else {
		q->answer = json_object_get(member(msg, "return"));
	}
	json_object_put(msg);
	return err;
}

int qmp_send(struct qmp *q, const char *name, struct json_object *args)
{
	struct json_object *msg = json_object_new_object();
	const char *text;
	size_t len;
	ssize_t n;

	json_object_put(q->answer);
	q->answer = NULL;
	q->error[0] = '\0';
	json_object_object_add(msg, "execute", json_object_new_string(name));
	if (args)
		json_object_object_add(msg, "arguments", args);
	text = json_object_to_json_string_length(msg, JSON_C_TO_STRING_PLAIN,
						 &len);
	/* A command fits into any socket's buffer: a short write is an error */
	n = send(q->fd, text, len, MSG_NOSIGNAL);
	json_object_put(msg);
	if (n != (ssize_t)len)
		return fail(q, -EPIPE, "QEMU has ended");
	return 0;
}

int qmp_command(struct qmp *q, const char *name, struct json_object *args)
{
	int err = qmp_send(q, name, args);

	return err ? err : qmp_receive(q);
}

int qmp_receive_again(struct qmp *q)
{
	q->owed--;
	return qmp_receive(q);
}

/* Read QEMU's greeting */
static int greeting(struct qmp *q)
{
	struct json_object *msg;
	int err;

	err = next_message(q, &msg, now_ms() + q->timeout_ms);
	if (err == -ETIMEDOUT)
		return fail(q, err, "QEMU does not answer, or another program is connected to its QMP socket");
	if (err)
		return err;
	if (!member(msg, "QMP"))
		err = fail(q, -EPROTO, "this is not QMP: %.100s",
			   json_object_get_string(msg));
	json_object_put(msg);
	return err;
}

int qmp_connect(struct qmp *q, const char *path, int timeout_ms)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval wait = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	int err;

	*q = (struct qmp){ .fd = -1, .timeout_ms = timeout_ms };
	if (strlen(path) >= sizeof(addr.sun_path))
		return fail(q, -ENAMETOOLONG, "%s: too long for a socket", path);
	strcpy(addr.sun_path, path);
	q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* A QEMU that hangs accepts nothing: connecting waits when its queue is full */
	if (q->fd >= 0)
		setsockopt(q->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (q->fd < 0 ||
	    connect(q->fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = errno == EAGAIN ?
		      fail(q, -ETIMEDOUT, "QEMU does not answer, nor accept connections") :
		      fail(q, -errno, "%s: %s", path, strerror(errno));
	} else {
		q->peer = qmp_pid(q);
		return 0;
	}
	qmp_close(q);
	return err;
}

int qmp_greet(struct qmp *q)
{
	int err;

	if (q->greeted)
		return qmp_receive_again(q);
	err = greeting(q);
	if (err)
		return err;
	q->greeted = true;
	return qmp_command(q, "qmp_capabilities", NULL);
}

int qmp_open(struct qmp *q, const char *path, int timeout_ms)
{
	int err;

	err = qmp_connect(q, path, timeout_ms);
	if (err)
		return err;
	err = qmp_greet(q);
	if (err)
		qmp_close(q);
	return err;
}

void qmp_close(struct qmp *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	json_object_put(q->answer);
	q->answer = NULL;
	free(q->buf);
	q->buf = NULL;
	q->used = 0;
	q->size = 0;
}

const char *qmp_text(const struct qmp *q, const char *path)
{
	struct json_object *obj = q->answer;
	const char *end;
	char key[64];
	size_t len;

	do {
		end = strchrnul(path, '.');
		len = end - path;
		if (len >= sizeof(key))
			return "";
		memcpy(key, path, len);
		key[len] = '\0';
		obj = member(obj, key);
		path = end + 1;
	} while (*end);
	return obj ? json_object_get_string(obj) : "";
}

const char *qmp_text_of(struct json_object *obj, const char *key)
{
	const char *text = json_object_get_string(member(obj, key));

	return text ?: "";
}

static int ask_qom(struct qmp *q, const char *command, const char *path, const char *property)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string(path));
	if (property)
		json_object_object_add(args, "property", json_object_new_string(property));
	return qmp_command(q, command, args);
}

int qmp_qom_get(struct qmp *q, const char *path, const char *property)
{
	return ask_qom(q, "qom-get", path, property);
}

int qmp_qom_list(struct qmp *q, const char *path)
{
	return ask_qom(q, "qom-list", path, NULL);
}

pid_t qmp_pid(const struct qmp *q)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (q->fd < 0 ||
	    getsockopt(q->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return 0;
	return peer.pid;
}
