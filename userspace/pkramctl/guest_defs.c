// SPDX-License-Identifier: GPL-2.0
/* The directory of definitions: see guest_defs.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "args.h"
#include "ctl.h"
#include "guest.h"
#include "guest_defs.h"
#include "guest_started.h"
#include "object_file.h"
#include "read_file.h"

#define SUFFIX		".conf"
#define MAX_FILE	65536
#define MAX_NAMED	8	/* guests that are named instead of one that is not there */

static const char *guests_dir(void)
{
	return ctl_env("PKRAM_GUESTS_DIR", "/etc/pkram/guests.d");
}

char *guest_defs_path(const char *name)
{
	char *path;

	return ctl_must(asprintf(&path, "%s/%s" SUFFIX, guests_dir(), name) < 0 ? NULL : path);
}

/* What is in a definition is run as root. Store in @why who else can change it */
static void check_trust(const char *path, const struct stat *st, char *why, size_t len)
{
	if (*why)
		return;
	if (st->st_uid && st->st_uid != geteuid())
		snprintf(why, len, "%s belongs to user %u, who could run programs as root by it: chown root %s",
			 path, st->st_uid, path);
	else if (st->st_mode & 022)
		snprintf(why, len, "%s can be written by others, who could run programs as root by it: chmod go-w %s",
			 path, path);
}

/* Return: 0 or negative errno */
static int read_definition(const char *path, struct guest *g, char **text, size_t *len)
{
	struct stat st;
	int fd, err;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : 0;
	if (!err)
		err = pkram_read_fd(fd, MAX_FILE, text, len);
	close(fd);
	if (err)
		return err;
	check_trust(path, &st, g->refused, sizeof(g->refused));
	if (!stat(guests_dir(), &st))
		check_trust(guests_dir(), &st, g->refused, sizeof(g->refused));
	return 0;
}

static int is_definition(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > strlen(SUFFIX) &&
	       !strcmp(d->d_name + len - strlen(SUFFIX), SUFFIX);
}

/* Report that there is no such guest, and which there are: those with a similar name first */
static int unknown_guest(const char *name)
{
	struct dirent **list = NULL, *swap;
	int nr = scandir(guests_dir(), &list, is_definition, alphasort), i, j;
	char text[MAX_NAMED * (GUEST_NAME_MAX + 2) + 32] = "";
	size_t n = 0;

	for (i = 0; i < nr; i++)
		list[i]->d_name[strlen(list[i]->d_name) - strlen(SUFFIX)] = '\0';
	for (i = 1; i < nr; i++) {
		for (j = i; j && args_distance(name, list[j]->d_name) <
				 args_distance(name, list[j - 1]->d_name); j--) {
			swap = list[j];
			list[j] = list[j - 1];
			list[j - 1] = swap;
		}
	}
	for (i = 0; i < nr && i < MAX_NAMED; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%.*s", i ? ", " : "", GUEST_NAME_MAX,
			      list[i]->d_name);
	if (nr > MAX_NAMED)
		snprintf(text + n, sizeof(text) - n, ", and %d more", nr - MAX_NAMED);
	for (i = 0; i < nr; i++)
		free(list[i]);
	free(list);
	if (nr <= 0)
		return ctl_error("there is no guest %s, and none is defined: pkramctl guest edit %s defines it",
				 name, name);
	return ctl_error("there is no guest %s; there %s %s", name, nr > 1 ? "are" : "is", text);
}

/* How to load definitions */
enum how {
	LOAD_NAMED,	/* a guest without a usable definition is taken as it was started */
	LOAD_ALL,	/* the same, but that is a failure */
	LOAD_QUIET,	/* only for a comparison with others */
};

static int load_one(struct guests *gs, const char *name, enum how how)
{
	char *path, *text = NULL, why[512] = "";
	struct guest *g, **end;
	size_t len;
	int err;

	if (!guest_name_ok(name))
		return how == LOAD_QUIET ? CTL_FAILED :
		       ctl_error("\"%s\" is not a valid name of a guest: use letters, digits and ._-, at most %d",
				 name, GUEST_NAME_MAX);
	path = guest_defs_path(name);
	g = ctl_must(malloc(sizeof(*g)));
	*g = (struct guest){ .lock = -1, .log = -1, .qmp.fd = -1 };
	err = read_definition(path, g, &text, &len);
	if (err) {
		snprintf(why, sizeof(why), "%s: %s", path, strerror(-err));
	} else {
		snprintf(why, sizeof(why), "%s:", path);
		err = guest_file_parse(&g->file, name, text, len, why + strlen(why),
				       sizeof(why) - strlen(why));
	}
	free(text);
	free(path);
	if (err && (how == LOAD_QUIET || started_only(g, name))) {
		free(g);
		return how == LOAD_QUIET ? CTL_FAILED :
		       err == -ENOENT && how == LOAD_NAMED ? unknown_guest(name) :
		       ctl_error("%s", why);
	}
	if (err)
		snprintf(g->refused, sizeof(g->refused), "its definition cannot be used: %s", why);
	for (end = &gs->list; *end; end = &(*end)->next)
		;
	*end = g;
	gs->nr++;
	if (!err)
		return 0;
	if (how == LOAD_ALL)
		return ctl_error("%s", why);
	ctl_warn("%s; the guest is taken as it was started", why);
	return 0;
}

static int load_all(struct guests *gs, enum how how)
{
	const char *dir = guests_dir();
	struct dirent **entries;
	int i, n, ret = 0;

	n = scandir(dir, &entries, is_definition, alphasort);
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0)
		return how == LOAD_QUIET ? CTL_FAILED : ctl_error("%s: %s", dir, strerror(errno));
	for (i = 0; i < n; i++) {
		char *name = entries[i]->d_name;

		name[strlen(name) - strlen(SUFFIX)] = '\0';
		if (load_one(gs, name, how))
			ret = CTL_FAILED;
		free(entries[i]);
	}
	free(entries);
	return ret;
}

/* Two paths of one file, also while there is none */
static bool same_path(const char *a, const char *b)
{
	struct stat sa, sb;

	if (!stat(a, &sa) && !stat(b, &sb))
		return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
	for (; *a && *a == *b; a++, b++) {
		while (*a == '/' && a[1] == '/')
			a++;
		while (*b == '/' && b[1] == '/')
			b++;
	}
	return *a == *b;
}

/* Return RAM that both have, or NULL; not what they share on purpose */
static const char *common_ram(const struct guest_file *a, const struct guest_file *b)
{
	unsigned int i, j;

	for (i = 0; i < a->nr_ram; i++) {
		for (j = 0; j < b->nr_ram; j++) {
			const struct guest_ram *x = &a->ram[i], *y = &b->ram[j];

			if (x->common && y->common)
				continue;
			if ((x->pkram || x->shared) && (y->pkram || y->shared) &&
			    same_path(x->path, y->path))
				return x->path;
		}
	}
	return NULL;
}

/* Two guests with one RAM would overwrite each other, and each the other's saved RAM */
static void find_clashes(struct guests *gs)
{
	struct guests all = { 0 };
	struct guest *g, *other;
	const char *ram;

	load_all(&all, LOAD_QUIET);
	for (g = gs->list; g; g = g->next) {
		for (other = all.list; other && !*g->clash; other = other->next) {
			if (!strcmp(g->file.name, other->file.name))
				continue;
			ram = common_ram(&g->file, &other->file);
			if (ram)
				snprintf(g->clash, sizeof(g->clash), "the guest %s has the same RAM, %s: change or remove one of the definitions",
					 other->file.name, ram);
			else if (!strcasecmp(g->file.uuid, other->file.uuid))
				snprintf(g->clash, sizeof(g->clash), "the guest %s has the same uuid: change one of them (uuidgen(1) makes one)",
					 other->file.name);
		}
	}
	guests_free(&all);
}

bool guest_defs_of_ram(const char *path, char name[GUEST_NAME_MAX + 1])
{
	struct guests all = { 0 };
	unsigned int i, nr = 0;
	struct guest *g;

	load_all(&all, LOAD_QUIET);
	for (g = all.list; g; g = g->next) {
		for (i = 0; i < g->file.nr_ram && !same_path(g->file.ram[i].path, path); i++)
			;
		if (i == g->file.nr_ram)
			continue;
		nr++;
		strcpy(name, g->file.name);
	}
	guests_free(&all);
	return nr == 1;
}

int guests_load(struct guests *gs, char *const *names, unsigned int nr)
{
	unsigned int i, j;
	int ret = 0;

	*gs = (struct guests){ 0 };
	if (!nr)
		ret = load_all(gs, LOAD_ALL);
	for (i = 0; i < nr; i++) {
		for (j = 0; j < i && strcmp(names[i], names[j]); j++)
			;
		if (j == i && load_one(gs, names[i], LOAD_NAMED))
			ret = CTL_FAILED;
	}
	gs->bad = ret;
	find_clashes(gs);
	return ret;
}

const char *guest_defs_remark(const struct guest *g)
{
	return *g->refused ? g->refused : *g->clash ? g->clash : NULL;
}

int guest_defs_refuse(struct guest *g)
{
	const char *why = guest_defs_remark(g);

	return why ? guest_fail(g, "%s", why) : 0;
}

int guest_defs_find_qemu(struct guest *g)
{
	const char *path = getenv("PATH"), *end;
	const char *qemu = g->changed ? g->defined.qemu : g->file.qemu;
	char file[PATH_MAX];

	if (strchr(qemu, '/'))
		return access(qemu, X_OK) ? guest_fail(g, "%s: %s", qemu, strerror(errno)) : 0;
	for (; path && *path; path = end + !!*end) {
		end = strchrnul(path, ':');
		snprintf(file, sizeof(file), "%.*s/%s", (int)(end - path), path, qemu);
		if (!access(file, X_OK))
			return 0;
	}
	return guest_fail(g, "there is no %s: install it, or name it by \"qemu = PATH\"", qemu);
}
