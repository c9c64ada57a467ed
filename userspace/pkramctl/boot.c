// SPDX-License-Identifier: GPL-2.0
/* Kernels that this host can boot. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "boot.h"
#include "child.h"
#include "ctl.h"

#define IMAGE		"vmlinuz-"
#define FORMAT_FIELD	"pkram_format"
#define MAX_FIELD	4096

static const char *boot_dir(void)
{
	return ctl_env("PKRAM_BOOT_DIR", "/boot");
}

/* Return the next word of *@s, or NULL; *@s then points to the rest */
static char *next_word(char **s)
{
	return strtok_r(NULL, " \t\n", s);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Ignore options with variables or quotes: only the boot loader can expand them */
static void take_options(struct boot_entry *e, char *rest, const char *source)
{
	size_t len;

	rest += strspn(rest, " \t");
	len = strcspn(rest, "\n");
	while (len && strchr(" \t", rest[len - 1]))
		len--;
	rest[len] = '\0';
	if (!len || strpbrk(rest, "$'\"\\"))
		return;
	e->options = ctl_must(strdup(rest));
	snprintf(e->source, sizeof(e->source), "%s", source);
}

/* GRUB: lines of "linux PATH WORDS"; use the first one without "recovery" */
static void read_grub(struct boot_entry *e, const char *path, const char *version)
{
	char *line = NULL, *copy, *rest, *word;
	FILE *f = fopen(path, "re");
	size_t size = 0;
	char image[256];

	if (!f)
		return;
	snprintf(image, sizeof(image), "vmlinuz-%s", version);
	while (!e->options && getline(&line, &size, f) > 0) {
		copy = ctl_must(strdup(line));
		word = strtok_r(copy, " \t\n", &rest);
		if (word && (!strcmp(word, "linux") || !strcmp(word, "linuxefi"))) {
			word = next_word(&rest);
			if (word && !strcmp(last_part(word), image))
				take_options(e, rest, path);
		}
		free(copy);
	}
	free(line);
	fclose(f);
}

/* Build a path from one in an entry, which is relative to the root of its partition, @root */
static void take_path(char to[PATH_MAX], const char *root, const char *path)
{
	snprintf(to, PATH_MAX, "%s/%s", root, path + (*path == '/'));
	if (access(to, F_OK))
		snprintf(to, PATH_MAX, "%s", path);
}

/* Read one entry of the Boot Loader Specification; true if it is for @version */
static bool read_entry(struct boot_entry *e, const char *root, const char *path,
		       const char *version)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, *key, *rest;
	unsigned int initrds = 0;
	bool right = false;
	size_t size = 0;

	*e = (struct boot_entry){ 0 };
	if (!f)
		return false;
	while (getline(&line, &size, f) > 0) {
		key = strtok_r(line, " \t\n", &rest);
		if (!key || *key == '#')
			continue;
		if (!strcmp(key, "options") && !e->options)
			take_options(e, rest, path);
		else if (!strcmp(key, "version"))
			right = !strcmp(next_word(&rest) ?: "", version);
		else if (!strcmp(key, "linux"))
			take_path(e->kernel, root, next_word(&rest) ?: "");
		else if (!strcmp(key, "initrd") && ++initrds)
			take_path(e->initrd, root, next_word(&rest) ?: "");
	}
	free(line);
	fclose(f);
	/* The others are mostly microcode updates, which come first */
	if (right && initrds > 1)
		ctl_warn("%s has %u initrds; kexec loads only one: %s", path, initrds,
			 e->initrd);
	if (right && *e->kernel)
		return true;
	boot_entry_free(e);
	return false;
}

static int is_entry(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 5 && !strcmp(d->d_name + len - 5, ".conf");
}

static bool read_entries(struct boot_entry *e, const char *root, const char *version)
{
	char dir[PATH_MAX], path[2 * PATH_MAX];
	struct dirent **entries;
	bool found = false;
	int i, n;

	snprintf(dir, sizeof(dir), "%s/loader/entries", root);
	n = scandir(dir, &entries, is_entry, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		found = found || read_entry(e, root, path, version);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return found;
}

static int is_image(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	/* What dpkg leaves is no kernel */
	return !strncmp(d->d_name, IMAGE, strlen(IMAGE)) && len > strlen(IMAGE) &&
	       (len < 9 || (strcmp(d->d_name + len - 9, ".dpkg-bak") &&
			    strcmp(d->d_name + len - 9, ".dpkg-new")));
}

char **boot_versions(void)
{
	struct dirent **entries;
	char **versions;
	int i, n;

	n = scandir(boot_dir(), &entries, is_image, versionsort);
	versions = ctl_must(calloc(n > 0 ? n + 1 : 1, sizeof(*versions)));
	for (i = 0; i < n; i++) {
		versions[i] = ctl_must(strdup(entries[i]->d_name + strlen(IMAGE)));
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return versions;
}

void boot_versions_free(char **versions)
{
	char **v;

	for (v = versions; *v; v++)
		free(*v);
	free(versions);
}

/* "6.1" begins 6.1.0-9-amd64, but not 6.12 */
static bool begins(const char *version, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(version, word, len) && !isdigit((unsigned char)version[len]);
}

/* Look for the one kernel whose version begins with @word, or list those that there are */
static int find_beginning(struct boot_entry *e, const char *word)
{
	char **versions = boot_versions(), **v, *one = NULL, list[1024] = "";
	unsigned int nr = 0;
	size_t n = 0;
	int ret;

	for (v = versions; *v; v++) {
		if (!begins(*v, word) || !strcmp(*v, word))
			continue;
		one = *v;
		nr++;
	}
	for (v = versions; *v && n < sizeof(list); v++) {
		if (!nr || begins(*v, word))
			n += snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", *v);
	}
	if (nr == 1) {
		ctl_warn("there is no kernel %s: taking %s, the only one that begins so",
			 word, one);
		ret = boot_find(e, one);
	} else if (nr) {
		ret = ctl_error("%u kernels begin with %s: name one of %s", nr, word, list);
	} else {
		ret = ctl_error("there is no kernel %s: found neither %s/vmlinuz-%s nor an entry of the boot loader (the name of a file needs a /); there is %s",
				word, boot_dir(), word, *list ? list : "none");
	}
	boot_versions_free(versions);
	return ret;
}

int boot_find(struct boot_entry *e, const char *version)
{
	const char *dir = boot_dir();
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/efi", dir);
	if (!read_entries(e, dir, version) && !read_entries(e, path, version))
		*e = (struct boot_entry){ 0 };
	if (!e->options) {
		snprintf(path, sizeof(path), "%s/grub/grub.cfg", dir);
		read_grub(e, path, version);
	}
	/* Debian's kernels install their files in /boot under these names */
	snprintf(path, sizeof(path), "%s/vmlinuz-%s", dir, version);
	if (!access(path, F_OK)) {
		strcpy(e->kernel, path);
		snprintf(path, sizeof(path), "%s/initrd.img-%s", dir, version);
		if (!access(path, F_OK))
			strcpy(e->initrd, path);
	}
	if (*e->kernel)
		return 0;
	boot_entry_free(e);
	return find_beginning(e, version);
}

void boot_entry_free(struct boot_entry *e)
{
	free(e->options);
	e->options = NULL;
}

/* Offsets: Documentation/arch/x86/boot.rst */
bool boot_is_kernel(int fd)
{
	uint8_t magic[8];

	/* A signature, a jump, another signature */
	return pread(fd, magic, sizeof(magic), 0x1fe) == sizeof(magic) &&
	       magic[0] == 0x55 && magic[1] == 0xaa && !memcmp(magic + 4, "HdrS", 4);
}

int boot_version(int fd, char *buf, size_t len)
{
	uint8_t at[2];
	ssize_t n;

	if (!boot_is_kernel(fd) || pread(fd, at, 2, 0x20e) != 2 || !(at[0] | at[1]))
		return -EINVAL;
	n = pread(fd, buf, len - 1, 0x200 + (at[0] | at[1] << 8));
	if (n <= 0)
		return -EINVAL;
	/* "6.12.9-amd64 (who built it) #1 SMP ..." */
	buf[n] = '\0';
	buf[strcspn(buf, "\n ")] = '\0';
	return *buf && !strchr(buf, '/') ? 0 : -EINVAL;
}

/* Compare a module's name with a file's, in which - and _ are the same */
static bool is_module_file(const char *file, const char *name)
{
	for (; *name; name++, file++) {
		if (*file != *name && !(*file == '-' && *name == '_') &&
		    !(*file == '_' && *name == '-'))
			return false;
	}
	return !strncmp(file, ".ko", 3);
}

int boot_module(const char *version, const char *name, char *path, size_t len)
{
	const char *dir = ctl_env("PKRAM_MODULES_DIR", "/lib/modules");
	char *line = NULL, *end;
	int ret = -ENODATA;
	size_t size = 0;
	FILE *f;

	snprintf(path, len, "%s/%s/modules.dep", dir, version);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (ret && getline(&line, &size, f) > 0) {
		end = strchr(line, ':');
		if (!end)
			continue;
		*end = '\0';
		if (!is_module_file(last_part(line), name))
			continue;
		if (*line == '/')
			snprintf(path, len, "%s", line);
		else
			snprintf(path, len, "%s/%s/%s", dir, version, line);
		ret = 0;
	}
	free(line);
	fclose(f);
	if (!ret && access(path, R_OK))
		ret = -errno;
	return ret;
}

int boot_knows_format(const char *module, uint32_t format)
{
	const char *const argv[] = { "modinfo", "-F", FORMAT_FIELD, module, NULL };
	char *text, *word, *rest, *end;
	int ret;

	ret = child_read(argv, MAX_FIELD, &text);
	if (ret >= 0)
		ret = ret == 127 ? -ENOENT : -ENODATA;
	for (word = text && ret == -ENODATA ? strtok_r(text, " ,\n", &rest) : NULL; word;
	     word = strtok_r(NULL, " ,\n", &rest)) {
		ret = strtoul(word, &end, 10) == format && !*end;
		if (ret)
			break;
	}
	free(text);
	return ret;
}
