/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU's monitor protocol, as a client: one command at a time, over a socket. */
#ifndef _PKRAMCTL_QMP_H
#define _PKRAMCTL_QMP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct json_object;

#define QMP_TIMEOUT_MS	60000	/* stopping a guest flushes its disks */

/**
 * struct qmp - a connection
 * @fd: the socket, -1 if there is none
 * @timeout_ms: how long to wait for an answer
 * @stopped: when the guest last stopped, in us of CLOCK_REALTIME; 0 unknown
 * @resumed: when it last began to run, the same
 * @answer: what the last command returned
 * @error: why the last call failed
 * @buf: input that no line end was seen of yet
 * @used: bytes of it
 * @size: of @buf
 */
struct qmp {
	int fd;
	int timeout_ms;
	int64_t stopped, resumed;
	struct json_object *answer;
	char error[512];
	char *buf;
	size_t used, size;
};

/**
 * qmp_open() - Connect and negotiate the protocol
 * @q: out: closed again on failure
 * @path: of the socket
 * @timeout_ms: for this and what follows; a socket that serves another client
 *	accepts, and says nothing until that one goes
 *
 * Return: 0; -ENOENT, -ECONNREFUSED nobody is there; else as qmp_command().
 */
int qmp_open(struct qmp *q, const char *path, int timeout_ms);
void qmp_close(struct qmp *q);

/**
 * qmp_command() - Run a command and wait for its answer
 * @q: the connection
 * @name: of the command
 * @args: its arguments, which are given away; NULL for none
 *
 * Return: 0, and @q->answer; -EREMOTEIO QEMU says no; -EPIPE QEMU is gone;
 * -ETIMEDOUT; -EPROTO what came is no QMP. @q->error says it for people.
 */
int qmp_command(struct qmp *q, const char *name, struct json_object *args);

/* The two halves of it: for several QEMUs to work at the same time */
int qmp_send(struct qmp *q, const char *name, struct json_object *args);
int qmp_receive(struct qmp *q);

/**
 * qmp_text() - Return a part of the last answer
 * @q: the connection
 * @path: its name, or the names on the way to it: "ram.total"
 *
 * Return: its text, valid until the next command; "" if there is none.
 */
const char *qmp_text(const struct qmp *q, const char *path);

/**
 * qmp_pid() - Return the process at the other end
 * @q: the connection
 *
 * Return: the process that made the socket; 0 if that cannot be told.
 */
pid_t qmp_pid(const struct qmp *q);

#endif /* _PKRAMCTL_QMP_H */
