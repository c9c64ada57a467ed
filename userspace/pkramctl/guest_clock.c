// SPDX-License-Identifier: GPL-2.0
/* The clock of a guest that was resumed: see guest_clock.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_clock.h"
#include "guest_record.h"
#include "migrate.h"

#define AGENT_MS	5000	/* the guest runs meanwhile */
#define SYNC_TRIES	16

static struct json_object *number(const char *key, int64_t value)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, key, json_object_new_int64(value));
	return args;
}

/*
 * The agent may still have answers to clients of before the save, and a part of a command of
 * theirs, which this byte ends. Skip them
 */
static int sync_agent(struct qmp *q)
{
	int64_t id = now_us() & 0x7fffffff;
	int i, err;

	if (send(q->fd, "\xff", 1, MSG_NOSIGNAL) != 1)
		return -EPIPE;
	err = qmp_send(q, "guest-sync", number("id", id));
	for (i = 0; !err && i < SYNC_TRIES; i++) {
		err = qmp_receive(q);
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
	int err = sync_agent(q);
	int64_t now;

	if (!err)
		err = qmp_command(q, "guest-get-time", NULL);
	if (err)
		return err;
	now = now_us();
	*step = now - json_object_get_int64(q->answer) / 1000;
	return qmp_command(q, "guest-set-time", number("time", now_us() * 1000));
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
		snprintf(text, sizeof(text), "set %s by %lld.%03d s", step < 0 ? "back" :
			 "forward", llabs(step) / 1000000, (int)(llabs(step) / 1000 % 1000));
	}
	qmp_close(&q);
	record_clock(g, text);
}
