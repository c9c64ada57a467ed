// SPDX-License-Identifier: GPL-2.0
/* Save a guest's state to a file and load it, by QEMU's migration. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include <time.h>
#include <unistd.h>
#include "ctl.h"
#include "live.h"
#include "migrate.h"
#include "parse.h"

#define POLL_MS		20
#define PROGRESS_US	1000000
#define PATIENT_MS	1000	/* a signal is seen then */
#define SILENT_US	30000000
#define CANCEL_TRIES	500
#define NO_LIMIT	(1ULL << 40)	/* bytes per second: faster than RAM */
#define QEMU_LIMIT	(128ULL << 20)	/* QEMU's default */

static volatile sig_atomic_t interrupted;

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

int64_t now_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

int64_t mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t boot_us(void)
{
	return clock_us(CLOCK_BOOTTIME);
}

static struct json_object *one(const char *key, struct json_object *value)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, key, value);
	return obj;
}

static struct json_object *capability(const char *name, bool on)
{
	struct json_object *obj;

	obj = one("capability", json_object_new_string(name));
	json_object_object_add(obj, "state", json_object_new_boolean(on));
	return obj;
}

static int command(struct guest *g, const char *name, struct json_object *args)
{
	if (qmp_command(&g->qmp, name, args))
		return guest_fail(g, "%s: %s", name, g->qmp.error);
	return 0;
}

int migrate_set_mode(struct guest *g, bool reboot)
{
	return command(g, "migrate-set-parameters",
		       one("mode", json_object_new_string(reboot ? "cpr-reboot" : "normal")));
}

/* QEMU limits the bandwidth of migrations; a save to RAM needs no limit */
static int set_parameters(struct guest *g, bool on)
{
	uint64_t limit = on ? NO_LIMIT : g->bandwidth ? g->bandwidth : QEMU_LIMIT;
	struct json_object *args;

	if (on) {
		if (command(g, "query-migrate-parameters", NULL))
			return CTL_FAILED;
		g->bandwidth = strtoull(qmp_text(&g->qmp, "max-bandwidth"), NULL, 10);
		/* Set by our own save that was not undone */
		if (g->bandwidth == NO_LIMIT)
			g->bandwidth = 0;
	}
	args = one("mode", json_object_new_string(on ? "cpr-reboot" : "normal"));
	json_object_object_add(args, "max-bandwidth", json_object_new_uint64(limit));
	return command(g, "migrate-set-parameters", args);
}

int migrate_set_up(struct guest *g, bool on)
{
	struct json_object *list;

	if (set_parameters(g, on))
		return CTL_FAILED;
	list = json_object_new_array();
	json_object_array_add(list, capability("x-ignore-shared", on));
	json_object_array_add(list, capability("events", on));
	return command(g, "migrate-set-capabilities", one("capabilities", list));
}

int migrate_begin(struct guest *g, const char *name)
{
	struct json_object *args;
	char uri[4200];

	snprintf(uri, sizeof(uri), "file:%s", guest_state_path(g));
	args = one("uri", json_object_new_string(uri));
	/* Without it QEMU would exit without an answer */
	if (!strcmp(name, "migrate-incoming"))
		json_object_object_add(args, "exit-on-error",
				       json_object_new_boolean(false));
	if (qmp_send(&g->qmp, name, args))
		return guest_fail(g, "%s", g->qmp.error);
	g->began = now_us();
	g->pending = true;
	return 0;
}

int migrate_begun(struct guest *g)
{
	int err, timeout_ms = g->qmp.timeout_ms;

	if (g->patient)
		g->qmp.timeout_ms = PATIENT_MS;
	err = qmp_receive(&g->qmp);
	/* A flush of its disks takes long */
	while (err == -ETIMEDOUT && g->patient && !interrupted)
		err = qmp_receive_again(&g->qmp);
	g->qmp.timeout_ms = timeout_ms;
	if (!err)
		return 0;
	/* Unless it refused, or ended, QEMU has begun, or begins when it answers again */
	g->pending = err != -EREMOTEIO && err != -EPIPE;
	return guest_fail(g, "%s", g->qmp.error);
}

/* @again: the last look has got no answer yet. Return whether this one has got none either */
static bool look(struct guest *g, bool again)
{
	const char *status, *why;
	int err;

	err = again ? qmp_receive_again(&g->qmp) : qmp_command(&g->qmp, "query-migrate", NULL);
	if (err == -ETIMEDOUT && g->patient)
		return true;
	if (err) {
		/* What QEMU does is not known */
		g->pending = err != -EPIPE;
		guest_fail(g, "%s", g->qmp.error);
		return false;
	}
	status = qmp_text(&g->qmp, "status");
	if (!strcmp(status, "completed")) {
		g->pending = false;
	} else if (!strcmp(status, "failed") || !strcmp(status, "cancelled")) {
		g->pending = false;
		why = qmp_text(&g->qmp, "error-desc");
		guest_fail(g, "%s", *why ? why : status);
	}
	return false;
}

static void tell_progress(const struct guest *g, const char *verb)
{
	uint64_t done = strtoull(qmp_text(&g->qmp, "ram.transferred"), NULL, 10);
	uint64_t left = strtoull(qmp_text(&g->qmp, "ram.remaining"), NULL, 10);
	char a[32], b[32];

	live_say("%s: %s, %s done, %s left", g->file.name, verb,
		 format_size(done, a, sizeof(a)), format_size(left, b, sizeof(b)));
}

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

void migrate_catch(bool on)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM };
	static struct sigaction old[4];
	struct sigaction action = { .sa_handler = on_signal };
	int i;

	if (on)
		interrupted = 0;
	else
		alarm(0);
	for (i = 0; i < 4; i++) {
		if (!on)
			sigaction(signals[i], &old[i], NULL);
		else if (!sigaction(signals[i], NULL, &old[i]) && old[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

void migrate_limit(unsigned int seconds)
{
	alarm(seconds);
}

bool migrate_caught(void)
{
	return interrupted;
}

void migrate_wait(struct guest *g, const char *verb, const atomic_bool *stop)
{
	int timeout_ms = g->qmp.timeout_ms;
	int64_t told = now_us();
	bool silent = false;

	if (g->patient)
		g->qmp.timeout_ms = PATIENT_MS;
	while (g->pending && !g->failed && !interrupted && !(stop && *stop)) {
		/* It has an event, or ends */
		poll(&(struct pollfd){ .fd = g->qmp.fd, .events = POLLIN }, 1, POLL_MS);
		silent = look(g, silent);
		g->took = now_us() - g->began;
		if (!g->pending || now_us() - told < PROGRESS_US)
			continue;
		if (silent && now_us() - told < SILENT_US)
			continue;
		told = now_us();
		if (silent)
			fprintf(stderr, "pkramctl: %s: %s; QEMU does not answer meanwhile\n",
				g->file.name, verb);
		else
			tell_progress(g, verb);
	}
	g->qmp.timeout_ms = timeout_ms;
	if (g->pending && interrupted)
		guest_fail(g, "interrupted");
}

void migrate_cancel(struct guest *g)
{
	int i;

	qmp_command(&g->qmp, "migrate_cancel", NULL);
	for (i = 0; g->pending && i < CANCEL_TRIES; i++) {
		poll(NULL, 0, POLL_MS);
		look(g, false);
	}
}
