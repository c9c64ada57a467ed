// SPDX-License-Identifier: GPL-2.0
/* Processes that hold an object: see holders.h. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "ctl.h"
#include "holders.h"
#include "read_file.h"

#define DELETED		" (deleted)"

/**
 * struct wanted - what is looked for
 * @st: the object's file
 * @name: last part of its path
 * @now: what is found of the process that is looked at; its id is 0 for nothing
 * @end: end of the list
 */
struct wanted {
	struct stat st;
	const char *name;
	struct holder now, **end;
};

struct search {
	struct wanted *w;
	unsigned int nr;
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Compare names before a file is looked at: some file systems hang */
static bool has_name(const char *path, const struct wanted *w)
{
	size_t len = strlen(w->name);
	const char *last = last_part(path);

	return !strncmp(last, w->name, len) && (!last[len] || !strcmp(last + len, DELETED));
}

static void look_at_file(int dir, const char *nr, const char *path, struct wanted *w)
{
	struct stat st;

	if (!has_name(path, w) || fstatat(dir, nr, &st, 0) || st.st_dev != w->st.st_dev ||
	    st.st_ino != w->st.st_ino)
		return;
	w->now.pid = 1;
	/* The mode of the link is that of the open file */
	if (!fstatat(dir, nr, &st, AT_SYMLINK_NOFOLLOW) && st.st_mode & 0200)
		w->now.writes = true;
}

/* Look at the open files of a process, whose directory in /proc is @proc */
static void look_at_files(int proc, struct search *s)
{
	int dir = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	char path[PATH_MAX];
	struct dirent *e;
	unsigned int i;
	ssize_t n;

	while (d && (e = readdir(d))) {
		n = readlinkat(dir, e->d_name, path, sizeof(path) - 1);
		if (n <= 0 || *path != '/')
			continue;
		path[n] = '\0';
		for (i = 0; i < s->nr; i++)
			look_at_file(dir, e->d_name, path, &s->w[i]);
	}
	if (d)
		closedir(d);
	else if (dir >= 0)
		close(dir);
}

/*
 * A mapping of pkramfs has an inode of its own, on another device, with the number of the object's,
 * and shows the object's name only
 */
static bool is_inner_mapping(int proc, uint64_t from, uint64_t to, uint64_t ino,
			     const char *path, const struct wanted *w)
{
	char link[64], real[PATH_MAX];
	struct statfs fs;
	int fd;

	if (ino != w->st.st_ino || !has_name(path, w) || strlen(path) < strlen(DELETED) ||
	    strcmp(path + strlen(path) - strlen(DELETED), DELETED))
		return false;
	snprintf(link, sizeof(link), "map_files/%" PRIx64 "-%" PRIx64, from, to);
	fd = openat(proc, link, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(real, sizeof(real), "/proc/self/fd/%d", fd);
	if (statfs(real, &fs))
		fs.f_type = 0;
	close(fd);
	return fs.f_type == PKRAM_FS_MAGIC;
}

static void look_at_maps(int proc, struct search *s)
{
	int fd = openat(proc, "maps", O_RDONLY | O_CLOEXEC), at;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	unsigned int maj, min, i;
	uint64_t from, to, ino;
	char *line = NULL, flags[8], *path;
	struct wanted *w;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %x:%x %" SCNu64 " %n", &from,
			   &to, flags, &maj, &min, &ino, &at) != 6)
			continue;
		path = line + at;
		path[strcspn(path, "\n")] = '\0';
		for (i = 0; i < s->nr && *path == '/'; i++) {
			w = &s->w[i];
			if ((ino != w->st.st_ino || makedev(maj, min) != w->st.st_dev) &&
			    !is_inner_mapping(proc, from, to, ino, path, w))
				continue;
			w->now.pid = 1;
			w->now.maps = true;
			w->now.writes |= flags[1] == 'w' && flags[3] == 's';
		}
	}
	free(line);
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
}

/* Append what was found of a process */
static void keep(struct search *s, const char *pid)
{
	struct wanted *w;
	char file[300];

	for (w = s->w; w < s->w + s->nr; w++) {
		if (!w->now.pid)
			continue;
		w->now.pid = atoi(pid);
		snprintf(file, sizeof(file), "/proc/%s/comm", pid);
		if (pkram_read_line(file, w->now.name, sizeof(w->now.name)))
			snprintf(w->now.name, sizeof(w->now.name), "a process");
		*w->end = ctl_must(malloc(sizeof(w->now)));
		**w->end = w->now;
		w->end = &(*w->end)->next;
		w->now = (struct holder){ 0 };
	}
}

void holders_look(struct held *held, unsigned int nr)
{
	struct search s = { .w = ctl_must(calloc(nr + 1, sizeof(*s.w))) };
	DIR *d = opendir("/proc");
	struct dirent *e;
	unsigned int i;
	int proc;

	for (i = 0; i < nr; i++) {
		held[i].list = NULL;
		if (stat(held[i].path, &s.w[s.nr].st))
			continue;
		s.w[s.nr].name = last_part(held[i].path);
		s.w[s.nr++].end = &held[i].list;
	}
	while (d && s.nr && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]) || atoi(e->d_name) == getpid())
			continue;
		proc = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0)
			continue;
		look_at_files(proc, &s);
		look_at_maps(proc, &s);
		close(proc);
		keep(&s, e->d_name);
	}
	if (d)
		closedir(d);
	free(s.w);
}

struct holder *holders_find(const char *path)
{
	struct held held = { .path = path };

	holders_look(&held, 1);
	return held.list;
}

void holders_free(struct holder *list)
{
	struct holder *next;

	for (; list; list = next) {
		next = list->next;
		free(list);
	}
}

char *holders_text(const struct holder *list, char *buf, size_t len)
{
	size_t n = 0;

	*buf = '\0';
	for (; list && n < len; list = list->next)
		n += snprintf(buf + n, len - n, "%s (PID %d)%s", list->name, (int)list->pid,
			      list->next ? ", " : "");
	return buf;
}
