// SPDX-License-Identifier: GPL-2.0
/* The clock of a guest that was resumed: see guest_clock.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_clock.h"
#include "guest_record.h"
#include "migrate.h"

#define AGENT_MS	3000	/* in all: the unit is not active before, and the guest sets the pace */
#define SYNC_TRIES	16

static struct json_object *number(const char *key, int64_t value)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, key, json_object_new_int64(value));
	return args;
}

/* A part of the exchange has only what the others left of @end, a time of mono_us() */
static bool in_time(struct qmp *q, int64_t end)
{
	int64_t left = (end - mono_us()) / 1000;

	q->timeout_ms = left > 0 ? (int)left : 0;
	return left > 0;
}

/* As qmp_command() */
static int command(struct qmp *q, int64_t end, const char *name, struct json_object *args)
{
	if (in_time(q, end))
		return qmp_command(q, name, args);
	json_object_put(args);
	return -ETIMEDOUT;
}

/*
 * The agent may still have answers to clients of before the save, and a part of a command of
 * theirs, which this byte ends. Skip them
 */
static int sync_agent(struct qmp *q, int64_t end)
{
	int64_t id = now_us() & 0x7fffffff;
	int i, err;

	if (send(q->fd, "\xff", 1, MSG_NOSIGNAL) != 1)
		return -EPIPE;
	err = qmp_send(q, "guest-sync", number("id", id));
	for (i = 0; !err && i < SYNC_TRIES; i++) {
		err = in_time(q, end) ? qmp_receive(q) : -ETIMEDOUT;
		if (!err && json_object_get_int64(q->answer) == id)
			return 0;
		json_object_put(q->answer);
		q->answer = NULL;
		/* It refused what was left of another command */
		if (err == -EREMOTEIO)
			err = 0;
	}
	return err ? err : -EPROTO;
}

/* Return 0, and by how much the clock was set, in us; or negative errno, and q->error */
static int set(struct qmp *q, int64_t *step)
{
	int64_t end = mono_us() + AGENT_MS * 1000LL;
	int err;

	err = sync_agent(q, end);
	if (!err)
		err = command(q, end, "guest-get-time", NULL);
	if (err)
		return err;
	*step = now_us() - json_object_get_int64(q->answer) / 1000;
	/* It stood still: a clock that is ahead was set by somebody, or the answer is none */
	if (*step <= 0) {
		snprintf(q->error, sizeof(q->error), "it is not behind the host's");
		return -ERANGE;
	}
	return command(q, end, "guest-set-time", number("time", now_us() * 1000));
}

void guest_clock_set(struct guest *g)
{
	struct qmp q;
	char text[768];
	const char *why;
	int64_t step = 0;
	int err;

	if (!g->file.agent || strcmp(g->status, "running"))
		return;
	err = qmp_connect(&q, g->file.agent, AGENT_MS);
	if (!err)
		err = set(&q, &step);
	if (err) {
		why = err == -ETIMEDOUT || !*q.error ? "the guest agent does not answer" : q.error;
		ctl_warn("%s: its clock is not set: %s", g->file.name, why);
		snprintf(text, sizeof(text), "not set: %s", why);
	} else {
		snprintf(text, sizeof(text), "set forward by %lld.%03d s",
			 (long long)step / 1000000, (int)(step / 1000 % 1000));
	}
	qmp_close(&q);
	record_clock(g, text);
}
