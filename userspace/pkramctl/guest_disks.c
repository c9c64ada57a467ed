// SPDX-License-Identifier: GPL-2.0
/* Disks and devices that differ from those of the start: see guest_disks.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include "ctl.h"
#include "guest_devices.h"
#include "guest_disks.h"
#include "guest_started.h"

#define PERIPHERAL	"/machine/peripheral/"
#define BACKEND		"/virtio-backend"

static const char *text(struct json_object *obj, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(obj, key, &v) &&
	       json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

static void add(struct json_object *obj, const char *key, const char *value)
{
	json_object_object_add(obj, key, json_object_new_string(value));
}

static struct json_object *at(struct json_object *array, size_t i)
{
	return json_object_is_type(array, json_type_array) && i < json_object_array_length(array) ?
	       json_object_array_get_idx(array, i) : NULL;
}

/*
 * Return the file of a disk from QEMU's name for it, to be put: options turn that into
 * "json:{...}", and which ones are in there depends on jobs as well
 */
static struct json_object *file_of(const char *name)
{
	struct json_object *json, *in, *file;

	if (strncmp(name, "json:", 5))
		return json_object_new_string(name);
	json = json_tokener_parse(name + 5);
	for (in = json; json_object_object_get_ex(in, "file", &file); in = file)
		;
	file = json_object_new_string(*text(in, "filename") ? text(in, "filename") : name);
	json_object_put(json);
	return file;
}

/* Put the name of a drive for people: "/machine/peripheral/vda/virtio-backend" is vda */
static void name_drive(const char *device, const char *qdev, char *name, size_t len)
{
	size_t n;

	if (!strncmp(qdev, PERIPHERAL, strlen(PERIPHERAL)))
		qdev += strlen(PERIPHERAL);
	n = snprintf(name, len, "%s", *qdev && *qdev != '/' ? qdev : *device ? device : qdev);
	if (n < len && n > strlen(BACKEND) && !strcmp(name + n - strlen(BACKEND), BACKEND))
		name[n - strlen(BACKEND)] = '\0';
}

/* Read the drives of QEMU into an array: "drive", "name", "removable", "file" */
static int read_drives(struct guest *g, struct json_object **drives)
{
	struct json_object *answer, *block, *inserted, *drive, *removable;
	const char *qdev;
	char name[256];
	size_t i;
	int err;

	*drives = NULL;
	err = qmp_command(&g->qmp, "query-block", NULL);
	/* It has none */
	if (err == -EREMOTEIO)
		return 0;
	if (err)
		return err;
	answer = g->qmp.answer;
	*drives = json_object_new_array();
	for (i = 0; (block = at(answer, i)); i++) {
		qdev = text(block, "qdev");
		drive = json_object_new_object();
		name_drive(text(block, "device"), qdev, name, sizeof(name));
		add(drive, "drive", *qdev ? qdev : text(block, "device"));
		add(drive, "name", name);
		if (json_object_object_get_ex(block, "removable", &removable))
			json_object_object_add(drive, "removable", json_object_get(removable));
		if (json_object_object_get_ex(block, "inserted", &inserted)) {
			json_object_object_add(drive, "file", file_of(text(inserted, "file")));
			add(drive, "format", text(inserted, "drv"));
		}
		json_object_array_add(*drives, drive);
	}
	return 0;
}

void guest_disks_note(struct guest *g)
{
	struct json_object *obj = json_object_new_object(), *drives, *devices;
	int err;

	if (!read_drives(g, &drives) && !guest_devices_read(g, &devices)) {
		json_object_object_add(obj, "drives", drives);
		json_object_object_add(obj, "devices", devices);
		err = started_write(g, "disks", obj);
		if (err)
			ctl_warn("%s: its disks cannot be noted: %s", g->file.name,
				 strerror(-err));
	} else {
		json_object_put(drives);
		ctl_warn("%s: its disks cannot be noted: %s", g->file.name, g->qmp.error);
	}
	json_object_put(obj);
}

/* Return what was noted, to be put, if it is about this QEMU; or NULL */
static struct json_object *read_note(const struct guest *g)
{
	return started_read(guest_run_path(g, "disks"));
}

static struct json_object *find_drive(struct json_object *note, const char *drive)
{
	struct json_object *drives = NULL, *d;
	size_t i;

	json_object_object_get_ex(note, "drives", &drives);
	for (i = 0; (d = at(drives, i)) && strcmp(text(d, "drive"), drive); i++)
		;
	return d;
}

static bool is_removable(struct json_object *drive)
{
	struct json_object *v;

	return json_object_object_get_ex(drive, "removable", &v) && json_object_get_boolean(v);
}

/* Does an argument name the file? A comma in a value is doubled. */
static bool is_in(const char *arg, const char *file)
{
	size_t n;

	for (n = 0; file[n]; n++) {
		if (*arg != file[n])
			return false;
		arg += *arg == ',' && arg[1] == ',' ? 2 : 1;
	}
	return !*arg || (*arg == ',' && arg[1] != ',') || *arg == '"';
}

/* A file that -readconfig names may name it, too. */
static bool is_named(const struct guest_file *f, const char *file)
{
	unsigned int i;
	const char *at;

	for (i = 0; i < f->nr_args; i++) {
		if (!strcmp(f->args[i], "-readconfig"))
			return true;
		for (at = f->args[i]; (at = strchr(at, file[0])); at++) {
			if ((at == f->args[i] || strchr("=:\"", at[-1])) && is_in(at, file))
				return true;
		}
	}
	return false;
}

/* @was: NULL: nothing was noted */
static int check_drive(struct guest *g, struct json_object *drive, struct json_object *was)
{
	const char *file = text(drive, "file"), *name = text(drive, "name");

	if (is_removable(drive))
		return 0;
	if (was && strcmp(text(was, "file"), file))
		return guest_refuse(g, "its disk %s is in %s now, but the QEMU that resumes it would open %s, as at the start: bring it back there (block-commit, or a mirror), or write the file in use into its definition and restart the guest",
				    name, *file ? file : "no file",
				    *text(was, "file") ? text(was, "file") : "no file");
	/* Of other protocols QEMU builds the name */
	if (!was && *file == '/' && !is_named(&g->file, file))
		return guest_refuse(g, "its disk %s is in %s, which its command line does not name, so the QEMU that resumes it would open another: bring it back (block-commit, or a mirror), or write the file in use into its definition and restart the guest",
				    name, file);
	return 0;
}

int guest_disks_defined(struct guest *g)
{
	const struct guest_file *f = g->changed ? &g->defined : &g->file;
	struct json_object *drives, *drive;
	const char *file;
	size_t i;
	int ret;

	ret = read_drives(g, &drives) ? guest_fail(g, "%s", g->qmp.error) : 0;
	for (i = 0; !ret && (drive = at(drives, i)); i++) {
		file = text(drive, "file");
		if (!is_removable(drive) && *file == '/' && !is_named(f, file))
			ret = guest_fail(g, "its disk %s is in %s, which its definition does not name, and a start opens an older one: bring it back (block-commit, or a mirror), or write the file in use into its definition",
					 text(drive, "name"), file);
	}
	json_object_put(drives);
	return ret;
}

static int check_jobs(struct guest *g)
{
	struct json_object *job;
	int err;

	err = qmp_command(&g->qmp, "query-block-jobs", NULL);
	if (err == -EREMOTEIO)
		return 0;
	if (err)
		return guest_fail(g, "%s", g->qmp.error);
	job = at(g->qmp.answer, 0);
	if (!job)
		return 0;
	if (!strcmp(text(job, "status"), "concluded"))
		return guest_fail(g, "its block job %s (%s) is concluded, and QEMU waits until that is acknowledged: block-job-dismiss in QEMU's monitor",
				  text(job, "device"), text(job, "type"));
	return guest_fail(g, "its block job %s (%s) is under way, and would end with this QEMU: wait for its end, complete it, or cancel it (block-job-cancel)",
			  text(job, "device"), text(job, "type"));
}

int guest_disks_check(struct guest *g)
{
	struct json_object *note = read_note(g), *drives = NULL, *drive, *devices = NULL;
	size_t i;
	int ret;

	/* A disk may be where it belongs when its job has ended */
	ret = check_jobs(g);
	if (!ret && read_drives(g, &drives))
		ret = guest_fail(g, "%s", g->qmp.error);
	for (i = 0; !ret && (drive = at(drives, i)); i++)
		ret = check_drive(g, drive, find_drive(note, text(drive, "drive")));
	json_object_object_get_ex(note, "devices", &devices);
	if (!ret)
		ret = guest_devices_check(g, devices);
	json_object_put(drives);
	json_object_put(note);
	return ret;
}

int guest_disks_media(struct guest *g, struct json_object **media)
{
	struct json_object *note = read_note(g), *drives, *drive, *was;
	size_t i;
	int ret;

	*media = NULL;
	ret = read_drives(g, &drives) ? guest_fail(g, "%s", g->qmp.error) : 0;
	for (i = 0; !ret && (drive = at(drives, i)); i++) {
		was = find_drive(note, text(drive, "drive"));
		if (!is_removable(drive) || (was && !strcmp(text(was, "file"), text(drive, "file"))))
			continue;
		/* Without a note its command line says what it had */
		if (!was && (*text(drive, "file") != '/' || is_named(&g->file, text(drive, "file"))))
			continue;
		if (!*media)
			*media = json_object_new_array();
		if (!was)
			add(drive, "was", "that of its command line");
		else if (*text(was, "file"))
			add(drive, "was", text(was, "file"));
		json_object_array_add(*media, json_object_get(drive));
	}
	json_object_put(drives);
	json_object_put(note);
	return ret;
}

static int restore_one(struct guest *g, struct json_object *drive)
{
	struct json_object *args = json_object_new_object();
	const char *file = text(drive, "file");

	add(args, "id", text(drive, "drive"));
	if (*file) {
		add(args, "filename", file);
		add(args, "format", text(drive, "format"));
	} else {
		json_object_object_add(args, "force", json_object_new_boolean(true));
	}
	if (!qmp_command(&g->qmp, *file ? "blockdev-change-medium" : "eject", args))
		return 0;
	/* By itself nothing puts it back */
	return guest_refuse(g, "the medium %s, which its drive %s had at the save, cannot be put in: %s; pkramctl guest resume --as-defined %s resumes it with that of its definition",
			    *file ? file : "(none)", text(drive, "name"), g->qmp.error,
			    g->file.name);
}

int guest_disks_restore(struct guest *g)
{
	struct json_object *record, *media = NULL, *drive;
	int ret = 0;
	size_t i;

	if (g->as_defined)
		return 0;
	record = started_read(guest_info_path(g));
	json_object_object_get_ex(record, "media", &media);
	for (i = 0; !ret && (drive = at(media, i)); i++)
		ret = restore_one(g, drive);
	json_object_put(record);
	return ret;
}
