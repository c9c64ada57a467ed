// SPDX-License-Identifier: GPL-2.0
/* Checks of a running guest before an update: see guest_check.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "child.h"
#include "ctl.h"
#include "guest_check.h"
#include "guest_disks.h"
#include "guest_rom.h"
#include "guest_started.h"
#include "guest_storage.h"
#include "guest_tools.h"
#include "parse.h"

#define MAX_VERSION	4096
#define DEVICES		(32ULL << 20)	/* a state without RAM: firmware, video memory, devices */

static int check_definition(struct preflight *p, struct guest *g)
{
	if (!g->changed)
		return 0;
	return preflight_add(p, PREFLIGHT_WARN, "definition",
			     "%s: its definition was changed since it was started: it is resumed as it was started, unless by pkramctl guest resume --as-defined %s",
			     g->file.name, g->file.name);
}

static const char *text(struct json_object *obj, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(obj, key, &v) ? json_object_get_string(v) : "(none)";
}

static int check_media(struct preflight *p, struct guest *g)
{
	struct json_object *media, *drive;
	int ret = 0;
	size_t i;

	if (guest_disks_media(g, &media))
		return preflight_add(p, PREFLIGHT_REFUSE, "medium", "%s: %s", g->file.name,
				     g->error);
	for (i = 0; media && i < json_object_array_length(media); i++) {
		drive = json_object_array_get_idx(media, i);
		ret |= preflight_add(p, PREFLIGHT_WARN, "medium",
				     "%s: the medium in its drive %s is %s, not %s as at the start: the resume puts it in again, so keep its file",
				     g->file.name, text(drive, "name"), text(drive, "file"),
				     text(drive, "was"));
	}
	json_object_put(media);
	return ret;
}

/* It is resumed with the versioned name; only a start by hand would be another machine */
static int check_machine(struct preflight *p, struct guest *g)
{
	char machine[sizeof(g->machine)], *alias;
	int ret = 0;

	if (started_machine(g, machine, sizeof(machine)))
		return preflight_add(p, PREFLIGHT_REFUSE, "machine",
				     "%s: QEMU does not tell its machine, which its resume needs: %s",
				     g->file.name, g->qmp.error);
	alias = started_alias(&g->file);
	if (!alias || strcmp(alias, machine))
		ret = preflight_add(p, PREFLIGHT_WARN, "machine",
				    "%s: its machine %s is %s in this QEMU, and may be another in the next: write -machine %s",
				    g->file.name, alias ?: "(none is named)", machine, machine);
	free(alias);
	return ret;
}

struct version {
	int major, minor, micro;
};

/* "QEMU emulator version 10.2.2 (Debian 1:10.2.2+ds-1)" */
static bool version_on_disk(const char *qemu, struct version *v)
{
	const char *const argv[] = { qemu, "--version", NULL };
	const char *at;
	char *text;
	bool good;

	*v = (struct version){ 0 };
	if (child_read(argv, MAX_VERSION, &text))
		return false;
	at = strstr(text, "version ");
	good = at && sscanf(at, "version %d.%d.%d", &v->major, &v->minor, &v->micro) >= 2;
	free(text);
	return good;
}

static int check_qemu(struct preflight *p, struct guest *g)
{
	struct version runs, disk;
	enum preflight_verdict v;
	const char *remark;

	if (qmp_command(&g->qmp, "query-version", NULL))
		return preflight_add(p, PREFLIGHT_WARN, "QEMU", "%s: %s", g->file.name,
				     g->qmp.error);
	runs.major = atoi(qmp_text(&g->qmp, "qemu.major"));
	runs.minor = atoi(qmp_text(&g->qmp, "qemu.minor"));
	runs.micro = atoi(qmp_text(&g->qmp, "qemu.micro"));
	if (!version_on_disk(g->file.qemu, &disk))
		return preflight_add(p, PREFLIGHT_REFUSE, "QEMU",
				     "%s: %s, which is to resume it, cannot be run: install it again",
				     g->file.name, g->file.qemu);
	if (disk.major < runs.major || (disk.major == runs.major && disk.minor < runs.minor)) {
		v = PREFLIGHT_REFUSE;
		remark = ", which is older and may not load its state: install the newer one";
	} else if (disk.major != runs.major || disk.minor != runs.minor) {
		v = PREFLIGHT_WARN;
		remark = ", which resumes it";
	} else {
		v = PREFLIGHT_OK;
		remark = "";
	}
	return preflight_add(p, v, "QEMU", "%s: runs in %d.%d.%d; %s is %d.%d.%d%s", g->file.name,
			     runs.major, runs.minor, runs.micro, g->file.qemu, disk.major,
			     disk.minor, disk.micro, remark);
}

/* QEMU may not start with them, which is too late after the update */
static int check_bad_pages(struct preflight *p, struct guest *g)
{
	struct pkram_ioc_info info;
	int fd, err, ret = 0;
	unsigned int i;

	for (i = 0; i < g->file.nr_ram; i++) {
		if (!g->file.ram[i].pkram || !g->file.ram[i].no_bad_pages)
			continue;
		info = (struct pkram_ioc_info){ .size = sizeof(info) };
		fd = open(g->file.ram[i].path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		err = fd < 0 ? -errno : pkram_file_info(fd, &info);
		if (fd >= 0)
			close(fd);
		if (err || !info.nr_bad_pages)
			continue;
		ret |= preflight_add(p, PREFLIGHT_REFUSE, "bad pages",
				     "%s: its RAM in %s has %" PRIu64 " bad pages, with which its QEMU does not start for a resume because of bad-pages=refuse: remove that from its definition, then run pkramctl guest save %s and pkramctl guest resume --as-defined %s",
				     g->file.name, g->file.ram[i].path,
				     (uint64_t)info.nr_bad_pages, g->file.name, g->file.name);
	}
	return ret;
}

static int check_stop(struct preflight *p, struct guest *g)
{
	const char *remark = guest_tools_stop_remark(g);

	return remark ? preflight_add(p, PREFLIGHT_WARN, "stop-timeout", "%s: %s", g->file.name,
				      remark) : 0;
}

int guest_check(struct preflight *p, struct guest *g)
{
	return check_definition(p, g) | check_stop(p, g) | guest_storage_tell(p, g) |
	       guest_rom_check(p, g) | check_machine(p, g) | check_media(p, g) |
	       check_qemu(p, g) | check_bad_pages(p, g);
}

/*
 * An upper limit, as pages of zeroes are not in it: a state has the RAM that is not in shared
 * files, and the devices.
 */
static uint64_t expect_state(struct guest *g)
{
	uint64_t ram, shared = 0;
	struct stat st;
	unsigned int i;

	if (qmp_command(&g->qmp, "query-memory-size-summary", NULL))
		return DEVICES;
	ram = strtoull(qmp_text(&g->qmp, "base-memory"), NULL, 10) +
	      strtoull(qmp_text(&g->qmp, "plugged-memory"), NULL, 10);
	for (i = 0; i < g->file.nr_ram; i++) {
		if ((g->file.ram[i].pkram || g->file.ram[i].shared) &&
		    !stat(g->file.ram[i].path, &st))
			shared += st.st_size;
	}
	return DEVICES + (ram > shared ? ram - shared : 0);
}

int guests_check_space(struct preflight *p, struct guests *gs)
{
	uint64_t need = 0, free_bytes;
	char a[32], b[32], *dir;
	struct statvfs fs;
	struct guest *g;
	int ret;

	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g))
		need += g->state == GUEST_LIVE ? expect_state(g) : 0;
	if (!need)
		return 0;
	dir = ctl_must(strdup(guest_state_path(guests_next_good(gs, NULL))));
	if (statvfs(dirname(dir), &fs)) {
		ret = preflight_add(p, PREFLIGHT_REFUSE, "space", "%s: %s", dir, strerror(errno));
		free(dir);
		return ret;
	}
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	ret = preflight_add(p, free_bytes < need ? PREFLIGHT_WARN : PREFLIGHT_OK, "space",
			    "%s: %s free; the states may need %s%s", dir,
			    format_size(free_bytes, a, sizeof(a)),
			    format_size(need, b, sizeof(b)), free_bytes < need ?
			    ": if they do not fit, the update is cancelled; grow the pool" : "");
	free(dir);
	return ret;
}
