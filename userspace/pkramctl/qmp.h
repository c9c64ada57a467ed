/* SPDX-License-Identifier: GPL-2.0 */
/* A client of QEMU's monitor protocol: one command at a time, over a socket. */
#ifndef _PKRAMCTL_QMP_H
#define _PKRAMCTL_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct json_object;

#define QMP_TIMEOUT_MS	60000	/* stopping a guest flushes its disks */

/**
 * struct qmp - a connection
 * @fd: the socket, -1 if there is none
 * @timeout_ms: how long to wait for an answer
 * @peer: process that created the socket, also after the connection ended; 0 unknown
 * @stopped: when the guest last stopped, in us of CLOCK_REALTIME; 0 unknown
 * @resumed: when it last began to run, the same
 * @answer: answer to the last command
 * @error: why the last call failed
 * @greeted: QEMU has sent its greeting
 * @owed: answers that did not come in time, and are thrown away when they come
 * @buf: input without a line end so far
 * @used: bytes of it
 * @size: of @buf
 */
struct qmp {
	int fd;
	int timeout_ms;
	pid_t peer;
	int64_t stopped, resumed;
	struct json_object *answer;
	char error[512];
	char *buf;
	size_t used, size;
	bool greeted;
	unsigned int owed;
};

/**
 * qmp_open() - Connect and negotiate the protocol
 * @q: out: closed again on failure
 * @path: of the socket
 * @timeout_ms: for this and later calls; a socket that serves another client accepts the
 *	connection, but does not answer until that client disconnects
 *
 * Return: 0; -ENOENT, -ECONNREFUSED no server; else as qmp_command().
 */
int qmp_open(struct qmp *q, const char *path, int timeout_ms);
void qmp_close(struct qmp *q);

/**
 * qmp_connect() - Connect only: the first half of qmp_open()
 * @q: out: closed again on failure
 * @path: of the socket, to which QEMU listens long before it answers
 * @timeout_ms: for this and later calls
 *
 * Return: as qmp_open().
 */
int qmp_connect(struct qmp *q, const char *path, int timeout_ms);

/**
 * qmp_greet() - Negotiate the protocol: the second half
 * @q: the connection, which is not closed on failure
 *
 * Return: as qmp_open(). After -ETIMEDOUT it may be called again, and goes on.
 */
int qmp_greet(struct qmp *q);

/**
 * qmp_command() - Run a command and wait for its answer
 * @q: the connection
 * @name: of the command
 * @args: its arguments, which are given away; NULL for none
 *
 * Return: 0, and @q->answer; -EREMOTEIO QEMU refused; -EPIPE QEMU has ended; -ETIMEDOUT;
 * -EPROTO the answer is not QMP. @q->error has a text for people.
 */
int qmp_command(struct qmp *q, const char *name, struct json_object *args);

/* The two halves of it, so that several QEMUs can work in parallel */
int qmp_send(struct qmp *q, const char *name, struct json_object *args);
int qmp_receive(struct qmp *q);

/* Wait once more for an answer, after a call that returned -ETIMEDOUT */
int qmp_receive_again(struct qmp *q);

/**
 * qmp_text() - Return a part of the last answer
 * @q: the connection
 * @path: a member, or the members on the path to it: "ram.total"
 *
 * Return: its text, valid until the next command; "" if there is none.
 */
const char *qmp_text(const struct qmp *q, const char *path);

/**
 * qmp_text_of() - Return a member of a part of an answer
 * @obj: the part; NULL has no members
 * @key: of the member
 *
 * Return: its text, valid as long as @obj; "" if there is none.
 */
const char *qmp_text_of(struct json_object *obj, const char *key);

/**
 * qmp_qom_get() - Ask for a property of one of QEMU's objects
 * @q: the connection
 * @path: of the object
 * @property: its name
 *
 * Return: as qmp_command().
 */
int qmp_qom_get(struct qmp *q, const char *path, const char *property);

/* The same for the list of an object's properties */
int qmp_qom_list(struct qmp *q, const char *path);

/**
 * qmp_pid() - Return the process at the other end
 * @q: the connection
 *
 * Return: the process that created the socket; 0 if unknown.
 */
pid_t qmp_pid(const struct qmp *q);

#endif /* _PKRAMCTL_QMP_H */
