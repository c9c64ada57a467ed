// SPDX-License-Identifier: GPL-2.0
/* Whether a guest's RAM is there after a save: see guest_ram.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "ctl.h"
#include "guest_ram.h"

/* A kexec ends file systems in RAM; others have the file afterwards. @real: where we see it */
static int check_file(struct guest *g, const char *path, const char *real)
{
	struct statfs fs;
	struct stat st;

	if (stat(real, &st) || statfs(real, &fs))
		return guest_refuse(g, "its RAM would be lost: %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return guest_refuse(g, "its RAM would be lost: QEMU removes its file in the directory %s; name a file",
				    path);
	if (fs.f_type == TMPFS_MAGIC || fs.f_type == HUGETLBFS_MAGIC || fs.f_type == RAMFS_MAGIC)
		return guest_refuse(g, "its RAM would be lost: %s is on %s, which ends with this kernel; put it into pkram, or use share=off",
				    path, fs.f_type == TMPFS_MAGIC ? "tmpfs" :
				    fs.f_type == RAMFS_MAGIC ? "ramfs" : "hugetlbfs");
	return 0;
}

static int lost(struct guest *g, const char *type)
{
	return guest_refuse(g, "its RAM in a %s would be lost: it is shared, so the state does not contain it; use share=off, or put it into pkram",
			    type);
}

static int check_words(struct guest *g)
{
	const struct guest_ram *ram;
	unsigned int i;

	if (g->file.lost)
		return lost(g, g->file.lost);
	for (i = 0; i < g->file.nr_ram; i++) {
		ram = &g->file.ram[i];
		if (!ram->pkram && ram->shared && check_file(g, ram->path, ram->path))
			return CTL_FAILED;
	}
	return 0;
}

/* Ask for a property of a backend, which is then in g->qmp.answer: as qmp_command() */
static int get(struct guest *g, const char *id, const char *property)
{
	char path[512];

	snprintf(path, sizeof(path), "/objects/%s", id);
	return qmp_qom_get(&g->qmp, path, property);
}

/* It has a working directory, and may have a root, of its own */
static int check_backend_file(struct guest *g, const char *path)
{
	char real[PATH_MAX + 64];
	struct stat st;

	snprintf(real, sizeof(real), "/proc/%d/%s%s", (int)g->pid,
		 *path == '/' ? "root" : "cwd/", path);
	/* It opened the file before it changed its root */
	if (*path == '/' && stat(real, &st))
		snprintf(real, sizeof(real), "%s", path);
	return check_file(g, path, real);
}

static int check_backend(struct guest *g, const char *id)
{
	char type[64], path[PATH_MAX];

	if (get(g, id, "type"))
		return guest_fail(g, "asking QEMU for its RAM %s: %s", id, g->qmp.error);
	snprintf(type, sizeof(type), "%s", json_object_get_string(g->qmp.answer));
	/* pkram's are sealed, which is looked at after the save */
	if (!strcmp(type, "memory-backend-pkram"))
		return 0;
	if (strcmp(type, "memory-backend-file"))
		return lost(g, type);
	if (get(g, id, "mem-path"))
		return guest_fail(g, "asking QEMU for its RAM %s: %s", id, g->qmp.error);
	snprintf(path, sizeof(path), "%s", json_object_get_string(g->qmp.answer));
	return check_backend_file(g, path);
}

static bool is_shared(struct json_object *backend)
{
	struct json_object *v;

	return json_object_object_get_ex(backend, "share", &v) && json_object_get_boolean(v);
}

int guest_check_ram(struct guest *g)
{
	struct json_object *list, *backend, *id;
	int ret;
	size_t i;

	if (check_words(g))
		return CTL_FAILED;
	/* Backends may be in a file that -readconfig names, or were added since */
	ret = qmp_command(&g->qmp, "query-memdev", NULL);
	/* An old QEMU */
	if (ret == -EREMOTEIO)
		return 0;
	if (ret)
		return guest_fail(g, "%s", g->qmp.error);
	list = json_object_get(g->qmp.answer);
	for (i = 0; !ret && json_object_is_type(list, json_type_array) &&
	     i < json_object_array_length(list); i++) {
		backend = json_object_array_get_idx(list, i);
		if (is_shared(backend) && json_object_object_get_ex(backend, "id", &id))
			ret = check_backend(g, json_object_get_string(id));
	}
	json_object_put(list);
	return ret;
}
