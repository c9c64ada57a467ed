// SPDX-License-Identifier: GPL-2.0
/* Whether a guest's storage is there after a save: see guest_storage.h. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_storage.h"

static bool is_on(struct json_object *obj, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(obj, key, &v) && json_object_get_boolean(v);
}

/* A disk in RAM: brd, or zram, whose major number is dynamic */
static bool is_ram_disk(const struct stat *st, const char *path)
{
	return S_ISBLK(st->st_mode) && (major(st->st_rdev) == RAMDISK_MAJOR ||
					!strncmp(path, "/dev/zram", 9));
}

/*
 * Look for a file among those that QEMU has open: it opens its disks before it changes its root
 * (-run-with chroot=). What was removed has no link left, and a link that says so.
 * 0, and @real is a path to it, or -ENOENT
 */
static int find_open(const struct guest *g, const char *path, char *real, size_t len)
{
	char dir[64], name[320], link[PATH_MAX];
	size_t n, want = strlen(path);
	int err = -ENOENT;
	struct dirent *e;
	struct stat st;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)g->pid);
	d = opendir(dir);
	while (err && d && (e = readdir(d))) {
		snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
		n = readlink(name, link, sizeof(link)) + 1;
		/* Of a relative path only the end is known */
		if (!n-- || n < want || memcmp(link + n - want, path, want) ||
		    (n > want && (*path == '/' || link[n - want - 1] != '/')) ||
		    stat(name, &st) || !st.st_nlink)
			continue;
		snprintf(real, len, "%s", name);
		err = 0;
	}
	if (d)
		closedir(d);
	return err;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode))
		return a->st_rdev == b->st_rdev;
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Return whether QEMU has a file open; also if that cannot be seen */
static bool has_open(const struct guest *g, const struct stat *file)
{
	char dir[64], name[320];
	bool found = false;
	struct dirent *e;
	struct stat st;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)g->pid);
	d = opendir(dir);
	if (!d)
		return true;
	while (!found && (e = readdir(d))) {
		snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
		found = !stat(name, &st) && same_file(&st, file);
	}
	closedir(d);
	return found;
}

/* @path: as QEMU sees it, which may have another root and another working directory */
static int check_file(struct guest *g, const char *path)
{
	char real[PATH_MAX + 64];
	struct statfs fs;
	struct stat st;

	/* The descriptor comes from elsewhere */
	if (!strncmp(path, "/dev/fdset/", 11))
		return 0;
	snprintf(real, sizeof(real), "/proc/%d/%s%s", (int)g->pid,
		 *path == '/' ? "root" : "cwd/", path);
	if (stat(real, &st) && errno == ENOENT && find_open(g, path, real, sizeof(real)))
		return guest_refuse(g, "its disk %s would be lost: it is a temporary file, or was removed, and ends with QEMU",
				    path);
	if (stat(real, &st))
		return 0;
	if (!has_open(g, &st)) {
		if (find_open(g, path, real, sizeof(real)) || stat(real, &st))
			return guest_refuse(g, "its disk %s is another file by now than the one that QEMU has open, which was replaced or renamed, and the QEMU that resumes it would open the other one: bring the old one back under that name",
					    path);
	}
	if (statfs(real, &fs))
		return 0;
	if (is_ram_disk(&st, path))
		return guest_refuse(g, "its disk %s would be lost: it is a disk in RAM, which ends with this kernel",
				    path);
	if (!S_ISBLK(st.st_mode) && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC))
		return guest_refuse(g, "its disk %s would be lost: it is on %s, which ends with this kernel",
				    path, fs.f_type == TMPFS_MAGIC ? "tmpfs" : "ramfs");
	return 0;
}

int guest_check_storage(struct guest *g)
{
	struct json_object *args, *nodes, *node;
	const char *driver;
	size_t i;
	int err;

	if (g->file.temporary)
		return guest_refuse(g, "what it wrote to its disks would be lost: %s lets QEMU write to a temporary file, which ends with it",
				    g->file.temporary);
	args = json_object_new_object();
	json_object_object_add(args, "flat", json_object_new_boolean(true));
	err = qmp_command(&g->qmp, "query-named-block-nodes", args);
	/* It has none */
	if (err == -EREMOTEIO)
		return 0;
	if (err)
		return guest_fail(g, "%s", g->qmp.error);
	nodes = json_object_get(g->qmp.answer);
	err = 0;
	for (i = 0; !err && json_object_is_type(nodes, json_type_array) &&
	     i < json_object_array_length(nodes); i++) {
		node = json_object_array_get_idx(nodes, i);
		driver = qmp_text_of(node, "drv");
		if (!strcmp(driver, "file") || !strcmp(driver, "host_device"))
			err = check_file(g, qmp_text_of(node, "file"));
		else if (!strcmp(driver, "vvfat") && !is_on(node, "ro"))
			err = guest_refuse(g, "its disk %s would be lost: it is a directory that QEMU shows as a disk, whose changes are in a temporary file; use an image, or fat:PATH without rw",
					   qmp_text_of(node, "file"));
	}
	json_object_put(nodes);
	return err;
}

/* Return whether a server of this host has the disk: its address, or that in QEMU's JSON */
static bool is_served_here(const char *file)
{
	static const char *const here[] = {
		"nbd+unix:", "\"type\": \"unix\"", "://localhost", "://127.", "://[::1]",
		"\"host\": \"localhost\"", "\"host\": \"127.", "\"host\": \"::1\"",
	};
	size_t i;

	for (i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
		if (strstr(file, here[i]))
			return true;
	}
	return false;
}

static int tell_tpm(struct preflight *p, struct guest *g)
{
	struct json_object *tpm, *options;
	size_t i;
	int ret = 0;

	/* A QEMU may have no TPMs */
	if (qmp_command(&g->qmp, "query-tpm", NULL))
		return 0;
	for (i = 0; json_object_is_type(g->qmp.answer, json_type_array) &&
	     i < json_object_array_length(g->qmp.answer); i++) {
		tpm = json_object_array_get_idx(g->qmp.answer, i);
		if (json_object_object_get_ex(tpm, "options", &options) &&
		    !strcmp(qmp_text_of(options, "type"), "emulator"))
			ret |= preflight_add(p, PREFLIGHT_WARN, "TPM",
					     "%s: the process that emulates its TPM %s ends with this kernel: start it again, with the same socket, before the guest is resumed",
					     g->file.name, qmp_text_of(tpm, "id"));
	}
	return ret;
}

int guest_storage_tell(struct preflight *p, struct guest *g)
{
	struct json_object *args = json_object_new_object(), *nodes, *node;
	int ret = tell_tpm(p, g);
	size_t i;

	json_object_object_add(args, "flat", json_object_new_boolean(true));
	if (qmp_command(&g->qmp, "query-named-block-nodes", args))
		return ret;
	nodes = g->qmp.answer;
	for (i = 0; json_object_is_type(nodes, json_type_array) &&
	     i < json_object_array_length(nodes); i++) {
		node = json_object_array_get_idx(nodes, i);
		if (!strcmp(qmp_text_of(node, "drv"), "nbd") && is_served_here(qmp_text_of(node, "file")))
			ret |= preflight_add(p, PREFLIGHT_WARN, "disk",
					     "%s: a server on this host has its disk %s, and ends with this kernel: it must be there again before the guest is resumed",
					     g->file.name, qmp_text_of(node, "file"));
	}
	return ret;
}
