// SPDX-License-Identifier: GPL-2.0
/* The root file system: see root_fs.h. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "read_file.h"
#include "root_fs.h"

#define MAX_DEPTH	8	/* of block devices on block devices */

static void add_module(struct root_fs *fs, const char *name)
{
	unsigned int i;

	for (i = 0; i < fs->nr && strcmp(fs->module[i], name); i++)
		;
	if (i < fs->nr || fs->nr == ROOT_FS_MODULES)
		return;
	snprintf(fs->module[fs->nr++], sizeof(fs->module[0]), "%s", name);
}

/* Add the module of the driver of a device in sysfs, if it has one */
static void add_driver(struct root_fs *fs, const char *dir)
{
	char path[PATH_MAX + 32], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/driver/module", dir);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	add_module(fs, strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

/* Device mapper and md have no drivers that sysfs shows */
static void add_virtual(struct root_fs *fs, const char *dir)
{
	char path[PATH_MAX + 32], text[64];

	snprintf(path, sizeof(path), "%s/dm/uuid", dir);
	if (!pkram_read_line(path, text, sizeof(text))) {
		add_module(fs, "dm_mod");
		if (!strncmp(text, "CRYPT-", 6))
			add_module(fs, "dm_crypt");
	}
	snprintf(path, sizeof(path), "%s/md/level", dir);
	if (!pkram_read_line(path, text, sizeof(text)))
		add_module(fs, text);
}

/* A block device: the devices that it is part of, and those that it is made of */
static void add_block_device(struct root_fs *fs, const char *name, unsigned int depth)
{
	char path[PATH_MAX + 32], dir[PATH_MAX], *slash;
	struct dirent *d;
	DIR *slaves;

	snprintf(path, sizeof(path), "/sys/%s", name);
	if (depth == MAX_DEPTH || !realpath(path, dir))
		return;
	add_virtual(fs, dir);
	snprintf(path, sizeof(path), "%s/slaves", dir);
	slaves = opendir(path);
	while (slaves && (d = readdir(slaves))) {
		if (*d->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "class/block/%.255s", d->d_name);
		add_block_device(fs, path, depth + 1);
	}
	if (slaves)
		closedir(slaves);
	while ((slash = strrchr(dir, '/')) && slash - dir > (long)strlen("/sys")) {
		add_driver(fs, dir);
		*slash = '\0';
	}
}

void root_fs_look(struct root_fs *fs)
{
	char *line = NULL, name[64], type[64], where[8];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned int major, minor;
	const char *rest;
	size_t size = 0;
	struct stat st;

	*fs = (struct root_fs){ 0 };
	/* The last line for / is the one on top */
	while (f && getline(&line, &size, f) > 0) {
		if (sscanf(line, "%*d %*d %u:%u %*s %7s", &major, &minor, where) != 3 ||
		    strcmp(where, "/"))
			continue;
		rest = strstr(line, " - ");
		if (!rest || sscanf(rest, " - %63s %255s", type, fs->device) != 2)
			continue;
		fs->nr = 0;
		add_module(fs, type);
		/* btrfs has a device number of its own */
		if (!major && !stat(fs->device, &st) && S_ISBLK(st.st_mode)) {
			major = major(st.st_rdev);
			minor = minor(st.st_rdev);
		}
		if (!major)
			continue;
		snprintf(name, sizeof(name), "dev/block/%u:%u", major, minor);
		add_block_device(fs, name, 0);
	}
	free(line);
	if (f)
		fclose(f);
}
