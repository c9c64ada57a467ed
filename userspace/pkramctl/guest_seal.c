// SPDX-License-Identifier: GPL-2.0
/* What a saved guest consists of: see guest_seal.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_seal.h"
#include "holders.h"

/* QEMU's migration/savevm.h */
#define VM_FILE_MAGIC		"QEVM"
#define VM_EOF			0x00
#define VM_VMDESCRIPTION	0x06
#define MAX_DESCRIPTION		(16 << 20)

#define TRIES			500
#define POLL_MS			20
#define HELD_POLL_MS		100

/* Return the state of an object, or negative errno */
static int object_state(const char *path)
{
	struct pkram_ioc_info info = { .size = sizeof(info) };
	int fd, err;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = pkram_file_info(fd, &info);
	close(fd);
	return err ? err : (int)info.state;
}

enum guest_seals guest_seals(const struct guest *g, const char **open)
{
	unsigned int i, sealed = 0, others = 0;
	int state;

	if (open)
		*open = NULL;
	for (i = 0; i < g->file.nr_ram; i++) {
		/* Other backends do not seal: their state is unknown */
		if (!g->file.ram[i].pkram)
			continue;
		state = object_state(g->file.ram[i].path);
		if (state < 0)
			continue;
		if (state == PKRAM_STATE_SEALED) {
			sealed++;
			continue;
		}
		others++;
		if (open)
			*open = g->file.ram[i].path;
	}
	if (sealed)
		return others ? SEALS_SOME : SEALS_ALL;
	return others ? SEALS_NONE : SEALS_UNKNOWN;
}

/* Look for the description at the end of @tail, whose last byte is that of the file */
static bool ends_well(const uint8_t *tail, size_t len)
{
	size_t at, size;

	for (at = 1; at + 5 < len; at++) {
		if (tail[at] != VM_VMDESCRIPTION || tail[at - 1] != VM_EOF)
			continue;
		size = (size_t)tail[at + 1] << 24 | tail[at + 2] << 16 |
		       tail[at + 3] << 8 | tail[at + 4];
		if (at + 5 + size == len && tail[at + 5] == '{' && tail[len - 1] == '}')
			return true;
	}
	return false;
}

int guest_state_whole(const char *path)
{
	uint8_t *tail = NULL;
	struct stat st;
	ssize_t n = 0;
	char magic[4];
	size_t len;
	int fd, err = -EINVAL;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode) || pread(fd, magic, sizeof(magic), 0) != sizeof(magic) ||
	    memcmp(magic, VM_FILE_MAGIC, sizeof(magic)))
		goto out;
	len = st.st_size < MAX_DESCRIPTION ? st.st_size : MAX_DESCRIPTION;
	tail = ctl_must(malloc(len));
	n = pread(fd, tail, len, st.st_size - len);
	if (n == (ssize_t)len && ends_well(tail, len))
		err = 0;
out:
	if (fd >= 0)
		close(fd);
	free(tail);
	return err;
}

/* Write a file, or a directory, to its medium: 0 or negative errno */
static int sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), err = 0;

	if (fd < 0 || fsync(fd))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* The state, its record, and the directory that has both: 0 or negative errno */
static int sync_state(const struct guest *g)
{
	char *dir = ctl_must(strdup(guest_state_path(g)));
	int err;

	err = sync_path(guest_state_path(g));
	if (!err)
		err = sync_path(guest_info_path(g));
	if (!err)
		err = sync_path(dirname(dir));
	free(dir);
	return err;
}

int guest_secured(struct guest *g)
{
	const char *open;
	int err, tries = 0;

	/* QEMU says "completed" a moment before it leaves this status */
	do {
		if (tries)
			poll(NULL, 0, POLL_MS);
		if (guest_read_status(g))
			return guest_fail(g, "%s", g->qmp.error);
	} while (!strcmp(g->status, "finish-migrate") && tries++ < TRIES);
	if (strcmp(g->status, "postmigrate"))
		return guest_fail(g, "is %s after the save, which is void: something else continued it",
				  g->status);
	switch (guest_seals(g, &open)) {
	case SEALS_NONE:
	case SEALS_SOME:
		return guest_fail(g, "QEMU says that the save is complete, but its RAM in %s is not sealed; was the guest reset during the save?",
				  open);
	default:
		break;
	}
	err = guest_state_whole(guest_state_path(g));
	if (err)
		return guest_fail(g, "QEMU says that the save is complete, but %s: %s",
				  guest_state_path(g), err == -EINVAL ?
				  "the state is not whole" : strerror(-err));
	err = sync_state(g);
	if (err)
		return guest_fail(g, "writing %s to its medium: %s", guest_state_path(g),
				  strerror(-err));
	return 0;
}

static bool is_a_qemu(const struct guests *gs, pid_t pid)
{
	const struct guest *g;

	for (g = gs->list; g && g->pid != pid; g = g->next)
		;
	return g;
}

static bool held_by_others(const struct guests *gs, const char *path, char *text, size_t len)
{
	struct holder *list = holders_find(path), **at = &list, *h;

	while ((h = *at)) {
		if (h->writes && !is_a_qemu(gs, h->pid)) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		free(h);
	}
	holders_text(list, text, len);
	holders_free(list);
	return *text;
}

const char *guest_ram_held(const struct guests *gs, const struct guest *g, int wait_ms)
{
	static char text[1024];
	char who[512] = "";
	unsigned int i;
	int waited;

	for (i = 0; i < g->file.nr_ram; i++) {
		if (!g->file.ram[i].pkram)
			continue;
		for (waited = 0; held_by_others(gs, g->file.ram[i].path, who, sizeof(who));
		     waited += HELD_POLL_MS) {
			if (waited >= wait_ms) {
				snprintf(text, sizeof(text), "%s is held by %s",
					 g->file.ram[i].path, who);
				return text;
			}
			poll(NULL, 0, HELD_POLL_MS);
		}
	}
	return NULL;
}
