// SPDX-License-Identifier: LGPL-2.1-or-later
/* Self test of the copy engine with ordinary files and the faults of copy_inject.c */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include "copy.h"
#include "copy_inject.h"
#include "tap.h"

#define CHUNK	(128U << 10)

/* Files */

static char dir[64];

#define SOURCE	"source/vm1"
#define IMAGE	"image/vm1"
#define BACK	"back/vm1"

static void go_to(const char *template)
{
	strcpy(dir, template);
	if (!mkdtemp(dir) || chdir(dir) || mkdir("source", 0755) || mkdir("image", 0755) ||
	    mkdir("back", 0755))
		abort();
}

static void leave(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (chdir("/") || system(cmd))
		abort();
}

static void fill(int fd, off_t pos, size_t len)
{
	unsigned char *buf = malloc(len);
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = 1 + copy_rnd() % 255;
	if (!buf || __real_pwrite(fd, buf, len, pos) != (ssize_t)len)
		abort();
	free(buf);
}

/* Write data at the start of every other chunk and at the end; the rest are holes */
static void make_source(off_t size)
{
	int fd = open(SOURCE, O_RDWR | O_CREAT | O_TRUNC, 0640);
	off_t pos;

	if (fd < 0 || __real_ftruncate(fd, size))
		abort();
	for (pos = 0; pos + CHUNK < size; pos += 2 * CHUNK)
		fill(fd, pos, pos / CHUNK % 3 ? 65536 : CHUNK);
	if (size)
		fill(fd, size > 4321 ? size - 4321 : 0, size > 4321 ? 4321 : size);
	fsetxattr(fd, "user.os", "debian", 6, 0);
	close(fd);
}

static void poke(const char *path, off_t pos, const char *byte)
{
	int fd = open(path, O_RDWR);

	if (fd < 0 || __real_pwrite(fd, byte, 1, pos) != 1)
		abort();
	close(fd);
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static bool same(const char *a, const char *b)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "cmp -s %s %s", a, b);
	return !system(cmd);
}

static uint64_t blocks(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_blocks * 512ULL;
}

static void clean(const char *what)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s/* 2>/dev/null", what);
	if (system(cmd))
		abort();
}

static struct pkram_copy *copier(unsigned int depth)
{
	struct pkram_copy *c;

	if (pkram_copy_create(&c) || pkram_copy_set_chunk(c, CHUNK) ||
	    pkram_copy_set_depth(c, depth))
		abort();
	c->sync_every = 2 * CHUNK;
	return c;
}

static void reset(void)
{
	memset(&inject, 0, sizeof(inject));
}

static int do_export(struct pkram_copy *c)
{
	return pkram_copy_export(c, SOURCE, IMAGE);
}

static int do_import(struct pkram_copy *c)
{
	return pkram_copy_import(c, IMAGE, BACK);
}

/* The tests */

static void there_and_back(void)
{
	static const off_t sizes[] = { 0, 1, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1,
				       21 * CHUNK, 20 * CHUNK + 777 };
	struct pkram_copy *c = copier(4);
	struct stat a, b;
	unsigned int i;
	char label[8];

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		clean("image");
		clean("back");
		make_source(sizes[i]);
		ok(!do_export(c) && same(SOURCE, IMAGE) && exists(IMAGE ".manifest") &&
		   !exists(IMAGE ".part") && !exists(IMAGE ".manifest.part"),
		   "export of %lld bytes", (long long)sizes[i]);
		ok(!pkram_copy_verify(c, IMAGE) && !do_import(c) && same(SOURCE, BACK) &&
		   !exists(BACK ".part"), "verify and import of the same");
	}
	ok(!stat(SOURCE, &a) && !stat(BACK, &b) && a.st_mode == b.st_mode &&
	   a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec,
	   "import restores mode and time");
	ok(getxattr(SOURCE, "user.os", label, 8) < 0 ||
	   (getxattr(BACK, "user.os", label, 8) == 6 && !memcmp(label, "debian", 6)),
	   "import restores labels");
	ok(!stat(IMAGE, &b) && (b.st_mode & 07777) == 0600 &&
	   !stat(IMAGE ".manifest", &b) && (b.st_mode & 07777) == 0600,
	   "an image is readable by its owner only");
	ok(c->stats.done == c->stats.data && c->stats.data < c->stats.size &&
	   c->stats.nr_chunks == 21, "statistics are consistent");
	pkram_copy_free(c);
}

static void holes(void)
{
	struct pkram_copy *c = copier(4);
	uint64_t image, back;
	int fd;

	clean("image");
	clean("back");
	make_source(40 * CHUNK);
	ok(!do_export(c) && !do_import(c), "an object with holes is copied");
	image = blocks(IMAGE);
	back = blocks(BACK);
	ok(image <= blocks(SOURCE) + 65536 && back <= blocks(SOURCE) + 65536,
	   "holes are preserved in the image and the imported object");
	ok(c->stats.data < c->stats.size, "holes are not read");

	clean("image");
	fd = open(SOURCE, O_RDWR);
	/* Written zeroes: a chunk, and part of one */
	if (fd < 0 || posix_fallocate(fd, 0, 40 * CHUNK))
		abort();
	close(fd);
	ok(blocks(SOURCE) >= 40 * CHUNK && !do_export(c) && same(SOURCE, IMAGE) &&
	   blocks(IMAGE) <= image + 65536, "zeroes become holes");
	pkram_copy_free(c);
}

static void rough_waters(void)
{
	struct pkram_copy *c = copier(4);

	make_source(20 * CHUNK + 777);
	clean("image");
	clean("back");
	inject.shorten = true;
	ok(!do_export(c) && same(SOURCE, IMAGE) && !pkram_copy_verify(c, IMAGE) &&
	   inject.shortened > 10, "export handles short reads and writes");
	ok(!do_import(c) && same(SOURCE, BACK), "import handles short reads and writes");
	reset();
	clean("image");
	clean("back");
	inject.repeat = true;
	ok(!do_export(c) && same(SOURCE, IMAGE) && !pkram_copy_verify(c, IMAGE) &&
	   !do_import(c) && same(SOURCE, BACK), "EINTR and EAGAIN are retried");
	reset();
	clean("image");
	inject.no_direct = true;
	ok(!do_export(c) && same(SOURCE, IMAGE) && !c->stats.direct_in &&
	   !c->stats.direct_out, "requests that O_DIRECT refuses are repeated without it");
	reset();
	clean("image");
	inject.no_buffers = true;
	ok(!do_export(c) && same(SOURCE, IMAGE) && !c->stats.registered,
	   "export works without registered buffers");
	reset();
	clean("image");
	pkram_copy_set_flags(c, PKRAM_COPY_BUFFERED);
	ok(!do_export(c) && same(SOURCE, IMAGE) && !c->stats.direct_out,
	   "O_DIRECT can be disabled");
	pkram_copy_free(c);
}

static bool stop_late(const struct pkram_copy_stats *stats, void *arg)
{
	(void)arg;
	/*
	 * Progress is reported ten times a second. Here that would be after the end, so
	 * stop() changes the time.
	 */
	return stats->done < stats->data / 2;
}

static struct pkram_copy *stopping;

static void stop(void)
{
	/* Make the start old, so that progress is reported with the next request */
	stopping->begin.tv_sec -= 1000;
}

static void failures(void)
{
	static const struct {
		int err;
		bool writes;
		const char *text;
	} t[] = {
		{ ENOSPC, true, "image/vm1.part: writing at byte" },
		{ EIO, true, "Input/output error" },
		{ EIO, false, "source/vm1: reading at byte" },
	};
	struct pkram_copy *c = copier(1);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		make_source(40 * CHUNK);
		clean("image");
		inject.err = t[i].err;
		inject.err_writes = t[i].writes;
		inject.err_after = 12;
		ok(do_export(c) == -t[i].err && strstr(pkram_copy_strerror(c), t[i].text) &&
		   !exists(IMAGE) && !exists(IMAGE ".manifest"), "%s fails an export: %s",
		   strerror(t[i].err), pkram_copy_strerror(c));
		reset();
		ok(!do_export(c) && c->stats.kept && same(SOURCE, IMAGE) &&
		   !pkram_copy_verify(c, IMAGE), "export continues after a failure");
		clean("back");
		inject.err = t[i].err;
		inject.err_writes = t[i].writes;
		inject.err_after = 12;
		ok(do_import(c) == -t[i].err && !exists(BACK), "import fails with the error: %s",
		   pkram_copy_strerror(c));
		reset();
		ok(!do_import(c) && c->stats.kept && same(SOURCE, BACK),
		   "import continues after a failure");
	}

	clean("image");
	clean("back");
	stopping = c;
	reset();
	inject.hook = stop;
	inject.hook_at = 70;
	pkram_copy_on_progress(c, stop_late, NULL);
	ok(do_export(c) == -ECANCELED && !exists(IMAGE), "an export can be cancelled");
	reset();
	pkram_copy_on_progress(c, NULL, NULL);
	ok(!do_export(c) && c->stats.kept && c->stats.written < blocks(IMAGE) &&
	   same(SOURCE, IMAGE), "a cancelled export continues, and writes only the rest");
	pkram_copy_free(c);
}

static void disk_full(void)
{
	struct pkram_copy *c = copier(4);

	clean("image");
	make_source(40 * CHUNK);
	if (mount("tmpfs", "image", "tmpfs", 0, "size=1m")) {
		ok(true, "a full disk # SKIP no mount");
		return;
	}
	ok(do_export(c) == -ENOSPC && strstr(pkram_copy_strerror(c), "No space left"),
	   "a full disk is reported: %s", pkram_copy_strerror(c));
	if (mount("tmpfs", "image", "tmpfs", MS_REMOUNT, "size=64m"))
		abort();
	ok(!do_export(c) && c->stats.kept && same(SOURCE, IMAGE),
	   "export continues with more space");
	umount("image");
	pkram_copy_free(c);
}

/* Run @what in a process that is killed at point @at; return true if it completed */
static bool dies(int (*what)(struct pkram_copy *), unsigned int at, uint32_t flags)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct pkram_copy *c = copier(1);

		pkram_copy_set_flags(c, flags);
		reset();
		inject.kill_at = at;
		_exit(what(c) ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		abort();
	return WIFEXITED(status);
}

/* A complete manifest must match its image. */
static bool no_lie(struct pkram_copy *c)
{
	return !exists(IMAGE ".manifest") || !pkram_copy_verify(c, IMAGE);
}

static void killed(void)
{
	unsigned int at, bad = 0, kept = 0;
	struct pkram_copy *c = copier(4);

	/* Use tmpfs, where a sync is cheap: there are many. */
	go_to("/dev/shm/pkram-copy-XXXXXX");
	make_source(20 * CHUNK + 777);
	for (at = 1;; at++) {
		clean("image");
		if (dies(do_export, at, 0))
			break;
		bad += !no_lie(c);
		if (!exists(IMAGE ".manifest"))
			bad += !!do_export(c);
		kept += c->stats.kept > 0;
		bad += !same(SOURCE, IMAGE) || pkram_copy_verify(c, IMAGE);
	}
	ok(at > 20 && !bad && kept, "an export killed at any of %u points continues", at - 1);

	/* Kill it repeatedly, a little later each time. */
	clean("image");
	for (at = 1; !exists(IMAGE ".manifest") && !dies(do_export, at, 0); at++)
		bad += !no_lie(c);
	ok(!bad && same(SOURCE, IMAGE) && no_lie(c),
	   "an export killed %u times in a row completes", at - 1);

	bad = 0;
	for (at = 1;; at++) {
		bool old;

		clean("image");
		make_source(9 * CHUNK);
		bad += !!do_export(c);
		make_source(12 * CHUNK);
		if (dies(do_export, at, PKRAM_COPY_FORCE))
			break;
		bad += !no_lie(c);
		old = exists(IMAGE ".manifest");
		pkram_copy_set_flags(c, PKRAM_COPY_FORCE);
		bad += (!old && do_export(c)) || (old && do_export(c)) ||
		       !same(SOURCE, IMAGE) || !no_lie(c);
		pkram_copy_set_flags(c, 0);
	}
	ok(at > 20 && !bad,
	   "an image killed at any of %u points of a replacement is the old or the new one",
	   at - 1);

	kept = 0;
	for (at = 1;; at++) {
		clean("back");
		if (dies(do_import, at, 0))
			break;
		bad += exists(BACK) && !same(SOURCE, BACK);
		bad += !exists(BACK) && (do_import(c) || !same(SOURCE, BACK));
		kept += c->stats.kept > 0;
	}
	ok(at > 10 && !bad && kept, "an import killed at any of %u points continues", at - 1);
	leave();
	pkram_copy_free(c);
}

static void touch_source(void)
{
	poke(SOURCE, 30000, "\0");
	/* Timestamps of file systems may be coarse. */
	utimensat(AT_FDCWD, SOURCE, (struct timespec[]){ { 0 }, { .tv_sec = 1 } }, 0);
}

static void cut_source(void)
{
	if (truncate(SOURCE, 5 * CHUNK))
		abort();
}

static void changes(void)
{
	struct pkram_copy *c = copier(1);
	struct timespec times[2];
	struct stat st;
	int fd;

	/* Change data between two runs. A write through mmap does not change the time either. */
	make_source(40 * CHUNK);
	clean("image");
	dies(do_export, 25, 0);
	if (stat(SOURCE, &st))
		abort();
	poke(SOURCE, 4 * CHUNK + 100, "\0");
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	utimensat(AT_FDCWD, SOURCE, times, 0);
	ok(!do_export(c) && same(SOURCE, IMAGE) && !pkram_copy_verify(c, IMAGE),
	   "data changed between two runs is copied");
	/* The killed run wrote data past the last frame of its manifest. */
	make_source(40 * CHUNK);
	clean("image");
	dies(do_export, 25, 0);
	fd = open(SOURCE, O_RDWR);
	if (fd < 0 || __real_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				       2 * CHUNK, 30 * CHUNK))
		abort();
	close(fd);
	ok(!do_export(c) && same(SOURCE, IMAGE) && !pkram_copy_verify(c, IMAGE),
	   "data punched out between two runs is a hole in the image");
	clean("image");
	dies(do_export, 25, 0);
	touch_source();
	ok(!do_export(c) && same(SOURCE, IMAGE) && !c->stats.kept,
	   "an object with another time is copied from the start");
	clean("image");
	make_source(40 * CHUNK);
	reset();
	inject.hook = touch_source;
	inject.hook_at = 20;
	ok(do_export(c) == -ESTALE && !exists(IMAGE) &&
	   strstr(pkram_copy_strerror(c), "changed"), "a change during the export is reported");
	reset();
	clean("image");
	reset();
	inject.hook = cut_source;
	inject.hook_at = 12;
	ok(do_export(c) == -ENODATA && !exists(IMAGE) &&
	   strstr(pkram_copy_strerror(c), "source/vm1: ends at byte"),
	   "an object truncated during the export is reported: %s", pkram_copy_strerror(c));
	reset();

	/* A partial file of another image: its data must not show up in the holes of this one. */
	make_source(20 * CHUNK);
	clean("image");
	clean("back");
	if (do_export(c))
		abort();
	fd = open(BACK ".part", O_RDWR | O_CREAT, 0600);
	fill(fd, 0, 20 * CHUNK);
	fsetxattr(fd, "user.old", "x", 1, 0);
	close(fd);
	ok(!do_import(c) && same(SOURCE, BACK) && getxattr(BACK, "user.old", NULL, 0) < 0,
	   "data and labels of another partial file are removed");
	pkram_copy_free(c);
}

struct seen {
	unsigned int nr;
	uint64_t chunk, offset, len;
};

static void see(uint64_t chunk, uint64_t offset, uint64_t len, void *arg)
{
	struct seen *s = arg;

	s->nr++;
	s->chunk = chunk;
	s->offset = offset;
	s->len = len;
}

static void damage(void)
{
	struct pkram_copy *c = copier(4);
	struct seen seen = { 0 };
	char *name;

	make_source(20 * CHUNK + 777);
	clean("image");
	clean("back");
	if (do_export(c))
		abort();
	pkram_copy_on_bad(c, see, &seen);
	ok(!pkram_copy_name(c, IMAGE, &name) && !strcmp(name, "vm1"),
	   "the name of an image is read");
	free(name);
	poke(IMAGE, 6 * CHUNK + 5, "\0");
	ok(pkram_copy_verify(c, IMAGE) == -EBADMSG && seen.nr == 1 && seen.chunk == 6 &&
	   seen.offset == 6 * CHUNK && seen.len == CHUNK && c->stats.nr_bad == 1 &&
	   strstr(pkram_copy_strerror(c), "object vm1: chunk 6, 131072 bytes at byte 786432"),
	   "a damaged chunk is reported: %s", pkram_copy_strerror(c));
	ok(do_import(c) == -EBADMSG && !exists(BACK) && !exists(BACK ".part") &&
	   strstr(pkram_copy_strerror(c), "chunk 6"), "a damaged image is not imported");
	poke(IMAGE, 3 * CHUNK + 5, "x");
	poke(IMAGE, 20 * CHUNK + 776, "\0");
	seen.nr = 0;
	ok(pkram_copy_verify(c, IMAGE) == -EBADMSG && seen.nr == 3 && c->stats.nr_bad == 3 &&
	   strstr(pkram_copy_strerror(c), "chunk 3,"),
	   "data in a hole is damage, and all damaged chunks are reported");
	if (truncate(IMAGE, 20 * CHUNK))
		abort();
	ok(pkram_copy_verify(c, IMAGE) == -EBADMSG &&
	   strstr(pkram_copy_strerror(c), "instead of"), "an image that is too short is reported");
	poke(IMAGE ".manifest", 20, "\7");
	ok(pkram_copy_verify(c, IMAGE) == -EBADMSG &&
	   strstr(pkram_copy_strerror(c), "header is damaged"), "a damaged header is reported");
	clean("image");
	if (do_export(c) || truncate(IMAGE ".manifest", 300))
		abort();
	ok(do_import(c) == -EBADMSG && !exists(BACK) &&
	   strstr(pkram_copy_strerror(c), "truncated after byte"),
	   "a truncated manifest is reported");
	unlink(IMAGE ".manifest");
	ok(do_import(c) == -ENOENT && strstr(pkram_copy_strerror(c), ".manifest"),
	   "a missing manifest is reported");
	pkram_copy_free(c);
}

static void refusals(void)
{
	struct pkram_copy *c = copier(4);
	int fd;

	make_source(9 * CHUNK);
	clean("image");
	clean("back");
	if (do_export(c) || do_import(c))
		abort();
	make_source(10 * CHUNK);
	ok(do_export(c) == -EEXIST && !same(SOURCE, IMAGE) && !exists(IMAGE ".manifest.part"),
	   "an image is not replaced");
	ok(do_import(c) == -EEXIST && !exists(BACK ".part"), "an object is not replaced");
	pkram_copy_set_flags(c, PKRAM_COPY_FORCE);
	ok(!do_export(c) && same(SOURCE, IMAGE) && !do_import(c) && same(SOURCE, BACK),
	   "PKRAM_COPY_FORCE replaces");
	unlink(IMAGE ".manifest");
	pkram_copy_set_flags(c, 0);
	ok(do_export(c) == -EEXIST && exists(IMAGE), "a file that is not an image is not replaced");
	clean("image");
	fd = open(IMAGE ".manifest.part", O_RDWR | O_CREAT, 0600);
	flock(fd, LOCK_EX);
	ok(do_export(c) == -EBUSY && strstr(pkram_copy_strerror(c), "another process"),
	   "two exports to one file are refused");
	close(fd);
	if (do_export(c))
		abort();
	clean("back");
	fd = open(BACK ".part", O_RDWR | O_CREAT, 0600);
	flock(fd, LOCK_EX);
	ok(do_import(c) == -EBUSY && exists(BACK ".part"), "two imports to one object are refused");
	close(fd);
	ok(pkram_copy_export(c, "source", IMAGE "2") == -EINVAL, "a directory is refused");
	ok(pkram_copy_export(c, "source/none", IMAGE "2") == -ENOENT &&
	   !exists(IMAGE "2.manifest.part") && strstr(pkram_copy_strerror(c), "source/none"),
	   "a missing file is named");
	ok(pkram_copy_set_chunk(c, 5000) == -EINVAL && pkram_copy_set_chunk(c, 2048) == -EINVAL &&
	   pkram_copy_set_depth(c, 0) == -EINVAL && pkram_copy_set_flags(c, 1U << 31) == -EINVAL,
	   "invalid settings are refused");
	ok(*pkram_copy_strerror(NULL), "pkram_copy_create returns ENOMEM");
	pkram_copy_free(c);
}

int main(void)
{
	go_to("/tmp/pkram-copy-XXXXXX");
	there_and_back();
	holes();
	rough_waters();
	failures();
	disk_full();
	changes();
	damage();
	refusals();
	leave();
	killed();
	return tap_finish();
}
