// SPDX-License-Identifier: GPL-2.0
/* How a guest was started: see guest_started.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_cpu.h"
#include "guest_disks.h"
#include "guest_started.h"
#include "read_file.h"

#define MAX_NOTE	(1 << 20)
#define SUFFIX		"-machine"	/* of the names of QOM's types */

static void add(struct json_object *obj, const char *key, const char *value)
{
	json_object_object_add(obj, key, json_object_new_string(value));
}

static struct json_object *to_json(const struct guest_file *f)
{
	struct json_object *obj = json_object_new_object(), *args = json_object_new_array();
	unsigned int i;

	add(obj, "uuid", f->uuid);
	add(obj, "qemu", f->qemu);
	for (i = 0; i < f->nr_args; i++)
		json_object_array_add(args, json_object_new_string(f->args[i]));
	json_object_object_add(obj, "args", args);
	return obj;
}

int started_write(const struct guest *g, const char *what, struct json_object *obj)
{
	const char *path = guest_run_path(g, what);
	int fd, n = -1, err;

	/* Options may have passwords */
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		n = dprintf(fd, "%s\n", json_object_to_json_string(obj));
		err = -errno;
		close(fd);
	} else {
		err = -errno;
	}
	return n < 0 ? err : 0;
}

void started_note(const struct guest *g)
{
	struct json_object *obj = to_json(&g->file);
	int err;

	/* What another QEMU had */
	unlink(guest_run_path(g, "disks"));
	unlink(guest_run_path(g, "cpu"));
	err = started_write(g, "started", obj);
	if (err)
		ctl_warn("%s: how it is started cannot be noted, so do not change its definition while it runs: %s: %s",
			 g->file.name, guest_run_path(g, "started"), strerror(-err));
	json_object_put(obj);
}

/* Its command line is run as this user: a file that another user may write is not read. */
struct json_object *started_read(const char *path)
{
	struct json_object *obj = NULL;
	char *text = NULL;
	struct stat st;
	size_t len;
	int fd;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & 022) && !pkram_read_fd(fd, MAX_NOTE, &text, &len))
		obj = json_tokener_parse(text);
	free(text);
	close(fd);
	if (json_object_is_type(obj, json_type_object))
		return obj;
	json_object_put(obj);
	return NULL;
}

static const char *member(struct json_object *obj, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(obj, key, &v) &&
	       json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

/* Build a definition from a note and from what the definition of now says otherwise */
static int from_json(struct guest_file *f, struct json_object *obj, const struct guest_file *now)
{
	const char *qemu = member(obj, "qemu"), *uuid = member(obj, "uuid"), *word;
	struct json_object *args;
	size_t i, nr;
	char **words;
	int err;

	if (!qemu || !uuid || strlen(uuid) >= sizeof(f->uuid) ||
	    !json_object_object_get_ex(obj, "args", &args) ||
	    !json_object_is_type(args, json_type_array))
		return -EINVAL;
	nr = json_object_array_length(args);
	words = ctl_must(calloc(nr + 1, sizeof(*words)));
	for (i = 0; i < nr; i++) {
		word = json_object_get_string(json_object_array_get_idx(args, i));
		words[i] = ctl_must(strdup(word ?: ""));
	}
	*f = (struct guest_file){ .stop_timeout = now->stop_timeout };
	f->agent = now->agent ? ctl_must(strdup(now->agent)) : NULL;
	strcpy(f->name, now->name);
	strcpy(f->uuid, uuid);
	f->qemu = ctl_must(strdup(qemu));
	err = guest_file_set_args(f, words, nr);
	if (err)
		guest_file_free(f);
	return err;
}

static bool same(const struct guest_file *a, const struct guest_file *b)
{
	unsigned int i;

	if (a->nr_args != b->nr_args || strcmp(a->qemu, b->qemu) || strcmp(a->uuid, b->uuid))
		return false;
	for (i = 0; i < a->nr_args && !strcmp(a->args[i], b->args[i]); i++)
		;
	return i == a->nr_args;
}

void started_take(struct guest *g, bool saved)
{
	struct json_object *obj = started_read(saved ? guest_info_path(g) :
					    guest_run_path(g, "started"));
	const char *machine = obj && saved ? member(obj, "machine") : NULL;
	struct guest_file f;

	snprintf(g->machine, sizeof(g->machine), "%s", machine ?: "");
	if (!obj || from_json(&f, obj, &g->file)) {
		json_object_put(obj);
		return;
	}
	json_object_put(obj);
	g->noted = true;
	if (same(&f, &g->file)) {
		guest_file_free(&f);
		return;
	}
	g->defined = g->file;
	g->file = f;
	g->changed = true;
}

void started_drop(struct guest *g)
{
	g->machine[0] = '\0';
	g->noted = false;
	if (!g->changed)
		return;
	guest_file_free(&g->file);
	g->file = g->defined;
	g->defined = (struct guest_file){ 0 };
	g->changed = false;
}

int started_only(struct guest *g, const char *name)
{
	struct guest_file now = { .stop_timeout = GUEST_STOP_TIMEOUT };
	struct json_object *obj;
	int err = -ENOENT;

	snprintf(now.name, sizeof(now.name), "%s", name);
	g->file = now;
	obj = started_read(guest_run_path(g, "started"));
	if (!obj)
		obj = started_read(guest_info_path(g));
	if (obj)
		err = from_json(&g->file, obj, &now);
	json_object_put(obj);
	return err;
}

static bool has_ram(const struct guest_file *f, const struct guest_ram *ram)
{
	unsigned int i;

	for (i = 0; i < f->nr_ram; i++) {
		if (f->ram[i].pkram == ram->pkram && f->ram[i].shared == ram->shared &&
		    !strcmp(f->ram[i].path, ram->path))
			return true;
	}
	return false;
}

/* Return a file with RAM of @a that @b does not have, or NULL */
static const char *missing_ram(const struct guest_file *a, const struct guest_file *b)
{
	unsigned int i;

	for (i = 0; i < a->nr_ram && has_ram(b, &a->ram[i]); i++)
		;
	return i < a->nr_ram ? a->ram[i].path : NULL;
}

int started_redefine(struct guest *g)
{
	const char *ram;

	g->noted = false;
	if (!g->changed)
		return 0;
	if (strcasecmp(g->file.uuid, g->defined.uuid))
		return guest_fail(g, "its definition has the uuid %s, but it was saved as %s: write that uuid",
				  g->defined.uuid, g->file.uuid);
	ram = missing_ram(&g->file, &g->defined);
	if (ram)
		return guest_fail(g, "its definition does not have its RAM in %s in the same way as it was saved: write that -object as it was",
				  ram);
	ram = missing_ram(&g->defined, &g->file);
	if (ram)
		return guest_fail(g, "its definition has RAM in %s, which is not in its state: remove that -object until it is resumed",
				  ram);
	guest_file_free(&g->file);
	g->file = g->defined;
	g->defined = (struct guest_file){ 0 };
	g->changed = false;
	return 0;
}

int started_machine(struct guest *g, char *name, size_t len)
{
	size_t n;
	int err;

	*name = '\0';
	err = qmp_qom_get(&g->qmp, "/machine", "type");
	if (err)
		return err;
	if (!json_object_is_type(g->qmp.answer, json_type_string)) {
		snprintf(g->qmp.error, sizeof(g->qmp.error), "it has no name");
		return -EPROTO;
	}
	snprintf(name, len, "%s", json_object_get_string(g->qmp.answer));
	n = strlen(name);
	if (n > strlen(SUFFIX) && !strcmp(name + n - strlen(SUFFIX), SUFFIX))
		name[n - strlen(SUFFIX)] = '\0';
	return 0;
}

int started_add(struct guest *g, struct json_object *record)
{
	char machine[sizeof(g->machine)];
	struct json_object *obj, *media;

	if (started_machine(g, machine, sizeof(machine)))
		return guest_fail(g, "QEMU does not tell its machine, which its resume needs: %s",
				  g->qmp.error);
	/* Something may have happened since the last look */
	if (guest_disks_check(g) || guest_disks_media(g, &media))
		return CTL_FAILED;
	if (media)
		json_object_object_add(record, "media", media);
	add(record, "machine", machine);
	guest_cpu_add(g, record);
	obj = to_json(&g->file);
	json_object_object_foreach(obj, key, value)
		json_object_object_add(record, key, json_object_get(value));
	json_object_put(obj);
	return 0;
}

/* Return the type in "[type=]TYPE,KEY=VALUE,...": with its key it may be anywhere; or NULL */
static const char *find_type(const char *value, size_t *len)
{
	const char *word, *end, *type = NULL;

	for (word = value; ; word = end + 1) {
		/* A doubled comma is a part of a value */
		for (end = word; *end && (*end != ',' || end[1] == ','); end++)
			end += *end == ',';
		if (!strncmp(word, "type=", 5)) {
			type = word + 5;
			*len = end - type;
		} else if (word == value && end > word && !memchr(word, '=', end - word)) {
			type = word;
			*len = end - word;
		}
		if (!*end)
			return type;
	}
}

char *started_alias(const struct guest_file *f)
{
	const char *option, *type, *last = NULL;
	size_t len, last_len = 0;
	unsigned int i;

	for (i = 0; i + 1 < f->nr_args; i++) {
		if (*f->args[i] != '-')
			continue;
		option = f->args[i] + 1 + (f->args[i][1] == '-');
		if (strcmp(option, "machine") && strcmp(option, "M"))
			continue;
		type = find_type(f->args[++i], &len);
		if (type) {
			last = type;
			last_len = len;
		}
	}
	return last ? ctl_must(strndup(last, last_len)) : NULL;
}
