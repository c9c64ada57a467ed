// SPDX-License-Identifier: GPL-2.0
/* Check an initrd: see initrd.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "boot.h"
#include "child.h"
#include "initrd.h"
#include "root_fs.h"

#define MAX_LISTING	(64 << 20)
#define TAIL		4096

static __attribute__((format(printf, 4, 5)))
enum initrd_verdict verdict(enum initrd_verdict v, char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return v;
}

/* What an initrd begins with: Documentation/driver-api/early-userspace, lib/decompress.c */
static bool known_begin(const char *b, size_t n)
{
	static const struct {
		const char *text;
		size_t len;
	} begin[] = {
		{ "070701", 6 }, { "070702", 6 },		/* cpio */
		{ "\x1f\x8b", 2 }, { "BZh", 3 }, { "\xfd\x37zXZ", 5 },
		{ "\x28\xb5\x2f\xfd", 4 }, { "\x02\x21\x4c\x18", 4 },	/* zstd, lz4 */
		{ "\x89LZO", 4 }, { "\x5d\0\0", 3 },		/* lzop, lzma */
	};
	unsigned int i;

	for (i = 0; i < sizeof(begin) / sizeof(begin[0]); i++) {
		if (n >= begin[i].len && !memcmp(b, begin[i].text, begin[i].len))
			return true;
	}
	return false;
}

/* lsinitramfs fails if nothing compressed follows an archive: look for its end */
static bool ends_with_trailer(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char tail[TAIL];
	off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t n = end <= 0 ? 0 : pread(fd, tail, TAIL, end > TAIL ? end - TAIL : 0);

	if (fd >= 0)
		close(fd);
	return n > 0 && memmem(tail, n, "TRAILER!!!", 10);
}

/* Check whether a listing names a module's file */
static bool has_module(const char *listing, const char *file)
{
	const char *base = strrchr(file, '/') ?: file, *at = listing;
	char name[NAME_MAX + 1];

	/* The initrd may have it without, or with another, compression */
	snprintf(name, sizeof(name), "%.*s.ko", (int)(strstr(base, ".ko") - base), base);
	while ((at = strstr(at, name))) {
		at += strlen(name);
		if (*at == '\n' || *at == '.' || !*at)
			return true;
	}
	return false;
}

static enum initrd_verdict check_listing(const char *listing, const char *version, char *why,
					 size_t len)
{
	char want[256], file[PATH_MAX], missing[512] = "";
	struct root_fs fs;
	unsigned int i;
	size_t n = 0;

	if (!*version)
		return verdict(INITRD_UNCHECKED, why, len,
			       "complete; the kernel's version is not known, so its modules were not checked");
	root_fs_look(&fs);
	for (i = 0; i < fs.nr; i++) {
		/* Built in, or not needed any more */
		if (boot_module(version, fs.module[i], file, sizeof(file)))
			continue;
		if (!has_module(listing, file) && n < sizeof(missing))
			n += snprintf(missing + n, sizeof(missing) - n, "%s%s",
				      n ? ", " : "", fs.module[i]);
	}
	snprintf(want, sizeof(want), "lib/modules/%s/", version);
	if (strstr(listing, "lib/modules/") && !strstr(listing, want))
		return verdict(INITRD_LACKS, why, len,
			       "it has modules of another kernel, not of %s", version);
	if (n)
		return verdict(INITRD_LACKS, why, len, "it lacks %s, which %s on / needs",
			       missing, *fs.device ? fs.device : "the file system");
	return verdict(INITRD_GOOD, why, len, "complete, with the modules that / needs");
}

enum initrd_verdict initrd_check(const char *path, const char *version, char *why,
				 size_t len)
{
	const char *const argv[] = { "lsinitramfs", path, NULL };
	int fd = open(path, O_RDONLY | O_CLOEXEC), status;
	enum initrd_verdict v;
	char begin[16] = "";
	char *listing;
	ssize_t n;

	if (fd < 0)
		return verdict(INITRD_BAD, why, len, "%s", strerror(errno));
	n = read(fd, begin, sizeof(begin));
	if (n <= 0)
		verdict(INITRD_BAD, why, len, "%s", n ? strerror(errno) : "the file is empty");
	close(fd);
	if (n <= 0)
		return INITRD_BAD;
	if (!known_begin(begin, n))
		return verdict(INITRD_BAD, why, len, "it is not an initrd");
	status = child_read(argv, MAX_LISTING, &listing);
	if (status == 127 || status == -EFBIG) {
		free(listing);
		return verdict(INITRD_UNCHECKED, why, len,
			       "its content was not checked: install initramfs-tools-core, which has lsinitramfs");
	}
	if (status < 0)
		return verdict(INITRD_UNCHECKED, why, len, "its content was not checked: lsinitramfs: %s",
			       strerror(-status));
	if (status && !ends_with_trailer(path))
		v = verdict(INITRD_LACKS, why, len,
			    "lsinitramfs cannot read it: it is damaged or cut off, or the program that unpacks it is not installed, or /var/tmp is full");
	else
		v = check_listing(listing, version, why, len);
	free(listing);
	return v;
}
