// SPDX-License-Identifier: GPL-2.0
/* The ROMs of a guest: see guest_rom.h. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include <sys/stat.h>
#include "child.h"
#include "ctl.h"
#include "guest_rom.h"

#define MAX_DIRS	65536
#define BIOS		" pc.bios "

/* Return the directories in which the QEMU on disk looks for ROMs, one a line, or NULL */
static char *data_dirs(const struct guest *g)
{
	const char **argv = ctl_must(calloc(g->file.nr_args + 4, sizeof(*argv)));
	unsigned int i, n = 0;
	char *text = NULL;

	argv[n++] = g->file.qemu;
	for (i = 0; i + 1 < g->file.nr_args; i++) {
		if (strcmp(g->file.args[i], "-L"))
			continue;
		argv[n++] = "-L";
		argv[n++] = g->file.args[++i];
	}
	argv[n++] = "-L";
	argv[n] = "help";
	if (child_read(argv, MAX_DIRS, &text)) {
		free(text);
		text = NULL;
	}
	free(argv);
	return text;
}

/* Return the size of a ROM's file, as QEMU would find it; -1: there is none */
static int64_t size_on_disk(const char *dirs, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	size_t len;

	if (*name == '/')
		return stat(name, &st) ? -1 : st.st_size;
	for (; *dirs; dirs += len + (dirs[len] == '\n')) {
		len = strcspn(dirs, "\n");
		snprintf(path, sizeof(path), "%.*s/%s", (int)len, dirs, name);
		if (!stat(path, &st))
			return st.st_size;
	}
	return -1;
}

static int compare(struct preflight *p, struct guest *g, const char *what, const char *name,
		   int64_t has, int64_t disk)
{
	if (disk < 0)
		return preflight_add(p, PREFLIGHT_REFUSE, "ROM",
				     "%s: the ROM %s of its %s is not there any more, and QEMU would not start for its resume: install it again",
				     g->file.name, name, what);
	if (disk == has)
		return 0;
	return preflight_add(p, PREFLIGHT_REFUSE, "ROM",
			     "%s: the ROM of its %s has %lld bytes, but that on disk, %s, has another size (%lld) by now, and the QEMU that resumes it would refuse its state: install the package that it had, or stop the guest and start it again",
			     g->file.name, what, (long long)has, name, (long long)disk);
}

static bool says_size(const struct guest *g)
{
	unsigned int i;

	for (i = 0; i < g->file.nr_args; i++) {
		if (strstr(g->file.args[i], "romsize"))
			return true;
	}
	return false;
}

/* QEMU rounds the size of a device's ROM up to a power of two */
static int check_device(struct preflight *p, struct guest *g, const char *dirs, const char *path)
{
	char name[PATH_MAX], what[PATH_MAX];
	int64_t has, disk, size = 1;

	if (qmp_qom_get(&g->qmp, path, "romfile") || !json_object_is_type(g->qmp.answer, json_type_string))
		return 0;
	snprintf(name, sizeof(name), "%s", json_object_get_string(g->qmp.answer));
	if (!*name || qmp_qom_get(&g->qmp, path, "romsize"))
		return 0;
	has = json_object_get_int64(g->qmp.answer);
	/* Without a BAR it has none of its own */
	if (has <= 0 || has >= UINT32_MAX)
		return 0;
	disk = size_on_disk(dirs, name);
	/* Its options may say a size, in which the file has room */
	if (disk >= 0 && disk <= has && says_size(g))
		return 0;
	while (disk >= 0 && size < disk)
		size *= 2;
	snprintf(what, sizeof(what), "device %s", strrchr(path, '/') + 1);
	return compare(p, g, what, name, has, disk < 0 ? disk : size);
}

static int check_directory(struct preflight *p, struct guest *g, const char *dirs,
			   const char *directory)
{
	struct json_object *args = json_object_new_object(), *list, *o, *name, *type;
	char path[512];
	int ret = 0;
	size_t i;

	json_object_object_add(args, "path", json_object_new_string(directory));
	if (qmp_command(&g->qmp, "qom-list", args))
		return 0;
	list = json_object_get(g->qmp.answer);
	for (i = 0; json_object_is_type(list, json_type_array) &&
	     i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (!json_object_object_get_ex(o, "name", &name) ||
		    !json_object_object_get_ex(o, "type", &type) ||
		    strncmp(json_object_get_string(type), "child<", 6))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, json_object_get_string(name));
		ret |= check_device(p, g, dirs, path);
	}
	json_object_put(list);
	return ret;
}

/* The machine's firmware: "  pc.bios  4 KiB  OFFSET  USED  ..." is the line of its RAM */
static int check_firmware(struct preflight *p, struct guest *g, const char *dirs)
{
	struct json_object *args = json_object_new_object();
	char name[PATH_MAX];
	const char *line;
	uint64_t has;

	json_object_object_add(args, "command-line", json_object_new_string("info ramblock"));
	if (qmp_command(&g->qmp, "human-monitor-command", args))
		return 0;
	line = strstr(json_object_get_string(g->qmp.answer) ?: "", BIOS);
	/* There is none, as with pflash */
	if (!line || sscanf(line, "%*s %*u %*s %*x %" SCNx64, &has) != 1 ||
	    qmp_qom_get(&g->qmp, "/machine", "firmware") ||
	    !json_object_is_type(g->qmp.answer, json_type_string))
		return 0;
	snprintf(name, sizeof(name), "%s", json_object_get_string(g->qmp.answer));
	return *name ? compare(p, g, "firmware", name, has, size_on_disk(dirs, name)) : 0;
}

int guest_rom_check(struct preflight *p, struct guest *g)
{
	static const char *const directories[] = {
		"/machine/peripheral", "/machine/peripheral-anon", "/machine/unattached",
	};
	char *dirs = data_dirs(g);
	int ret = 0;
	size_t i;

	/* guest_check() tells of a QEMU that cannot be run */
	if (!dirs)
		return 0;
	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		ret |= check_directory(p, g, dirs, directories[i]);
	ret |= check_firmware(p, g, dirs);
	free(dirs);
	return ret;
}
