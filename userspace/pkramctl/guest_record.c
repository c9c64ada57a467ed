// SPDX-License-Identifier: GPL-2.0
/* The record of a save and of the resume that follows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "guest_record.h"
#include "guest_started.h"
#include "migrate.h"
#include "read_file.h"

static void kernel_release(char to[65])
{
	struct utsname uts;

	uname(&uts);
	strcpy(to, uts.release);
}

void record_boot_id(char to[40])
{
	if (pkram_read_line("/proc/sys/kernel/random/boot_id", to, 40))
		*to = '\0';
}

static void add_number(struct json_object *obj, const char *key, int64_t v)
{
	if (v)
		json_object_object_add(obj, key, json_object_new_int64(v));
}

static void add_string(struct json_object *obj, const char *key, const char *v)
{
	if (*v)
		json_object_object_add(obj, key, json_object_new_string(v));
}

/* Write a file as a whole, and to its medium, or not at all: 0 or negative errno */
static int write_file(const char *path, const char *text)
{
	char temp[4200];
	int fd, err = 0;

	snprintf(temp, sizeof(temp), "%s.new", path);
	/* The command line may have passwords, and another user must not change it. */
	unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s\n", text) < 0 || fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}

/* @g: also write how it was started, or NULL. 0, or negative errno, or guest_fail() */
static int put(const char *path, const struct guest_record *r, struct guest *g)
{
	struct json_object *obj = json_object_new_object();
	int ret = 0;

	json_object_object_add(obj, "saved", json_object_new_int64(r->saved));
	json_object_object_add(obj, "resumed",
			       json_object_new_int64(r->resumed));
	add_number(obj, "complete", r->complete);
	add_number(obj, "batch", r->batch);
	add_number(obj, "began", r->began);
	add_number(obj, "greeted", r->greeted);
	add_number(obj, "ran", r->ran);
	add_string(obj, "boot", r->boot);
	add_string(obj, "from", r->from);
	add_string(obj, "to", r->to);
	add_string(obj, "error", r->error);
	add_string(obj, "clock", r->clock);
	if (g)
		ret = started_add(g, obj);
	if (!ret)
		ret = write_file(path, json_object_to_json_string(obj));
	json_object_put(obj);
	return ret;
}

static void get_string(struct json_object *obj, const char *key, char *to,
		       size_t len)
{
	struct json_object *v;

	if (json_object_object_get_ex(obj, key, &v))
		snprintf(to, len, "%s", json_object_get_string(v));
}

static int64_t get_number(struct json_object *obj, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(obj, key, &v) ?
		json_object_get_int64(v) : 0;
}

static bool get(const char *path, struct guest_record *r)
{
	struct json_object *obj = NULL;

	memset(r, 0, sizeof(*r));
	/* json-c prints an error to stderr if the file is missing */
	if (!access(path, R_OK))
		obj = json_object_from_file(path);
	if (!json_object_is_type(obj, json_type_object)) {
		json_object_put(obj);
		return false;
	}
	r->saved = get_number(obj, "saved");
	r->resumed = get_number(obj, "resumed");
	r->complete = get_number(obj, "complete");
	r->batch = get_number(obj, "batch");
	r->began = get_number(obj, "began");
	r->greeted = get_number(obj, "greeted");
	r->ran = get_number(obj, "ran");
	get_string(obj, "boot", r->boot, sizeof(r->boot));
	get_string(obj, "from", r->from, sizeof(r->from));
	get_string(obj, "to", r->to, sizeof(r->to));
	get_string(obj, "error", r->error, sizeof(r->error));
	get_string(obj, "clock", r->clock, sizeof(r->clock));
	json_object_put(obj);
	return true;
}

void record_begin(const struct guest *g)
{
	FILE *f = fopen(guest_run_path(g, "was"), "we");

	if (!f)
		return;
	fprintf(f, "%s\n", g->was);
	fclose(f);
}

void record_was(struct guest *g)
{
	if (!*g->was && pkram_read_line(guest_run_path(g, "was"), g->was, sizeof(g->was)))
		g->was[0] = '\0';
}

void record_end(const struct guest *g)
{
	unlink(guest_run_path(g, "was"));
}

int record_save(struct guest *g)
{
	struct guest_record r = { .saved = g->stopped, .complete = now_us(), .batch = g->batch };
	int err;

	kernel_release(r.from);
	record_boot_id(r.boot);
	err = put(guest_info_path(g), &r, g);
	/* guest_fail() keeps the first reason */
	return err ? guest_fail(g, "writing %s, without which it might be resumed in another way: %s",
				guest_info_path(g), strerror(-err)) : 0;
}

void record_resume(const struct guest *g, const char *error)
{
	struct guest_record r;

	get(guest_info_path(g), &r);
	kernel_release(r.to);
	if (error) {
		snprintf(r.error, sizeof(r.error), "%s", error);
	} else {
		r.resumed = g->qmp.resumed ? g->qmp.resumed : now_us();
		r.began = g->load_began;
		r.greeted = g->greeted;
		/* QEMU tells the time by the clock that may be set */
		r.ran = boot_us() - (now_us() - r.resumed);
	}
	/* Only the report uses it, so a failure is ignored */
	put(guest_run_path(g, "report"), &r, NULL);
}

void record_clock(const struct guest *g, const char *text)
{
	struct guest_record r;

	if (!get(guest_run_path(g, "report"), &r))
		return;
	snprintf(r.clock, sizeof(r.clock), "%s", text);
	put(guest_run_path(g, "report"), &r, NULL);
}

bool record_get(const struct guest *g, struct guest_record *r)
{
	struct guest_record tried;
	bool known;

	known = get(guest_run_path(g, "report"), &tried);
	if (!get(guest_info_path(g), r)) {
		if (known)
			*r = tried;
		return known;
	}
	/* Still saved: add the error of a failed resume */
	if (known && tried.saved == r->saved && *tried.error)
		*r = tried;
	return true;
}

int64_t record_blackout(const struct guest_record *r)
{
	/* Unknown if the clock was set back */
	if (!r->saved || !r->resumed || r->resumed < r->saved)
		return -1;
	return r->resumed - r->saved;
}
