/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fs_* scenarios do with files and with the pool; fs_fixture.h has the
 * fixture.
 */
#ifndef PKRAM_VM_FS_LIB_H
#define PKRAM_VM_FS_LIB_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/falloc.h>
#include <linux/pkram.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "vm.h"

#define UNIT	PKRAM_UNIT_SIZE
#define NOBODY	65534

static inline int fs_load(void)
{
	return vm_module_loaded("pkram") ? 0 : vm_insmod(PKRAM_MODULE, NULL);
}

static inline int fs_mount(void)
{
	struct stat st, up;

	if (!stat(PKRAM_MNT, &st) && !stat(PKRAM_MNT "/..", &up) && st.st_dev != up.st_dev)
		return 0;
	return vm_mount(PKRAM_FS_NAME, PKRAM_MNT, NULL);
}

static inline uint64_t fs_total(void)
{
	struct statvfs v;

	return statvfs(PKRAM_MNT, &v) ? 0 : v.f_blocks * v.f_frsize;
}

static inline uint64_t fs_free(void)
{
	struct statvfs v;

	return statvfs(PKRAM_MNT, &v) ? 0 : v.f_bavail * v.f_frsize;
}

/* One GiB is enough, if the kernel has no second one to give */
static inline int fs_grow(void)
{
	if (!fs_total())
		vm_run(NULL, "pkramctl.static pool grow 2G");
	return fs_total() ? 0 : -ENOMEM;
}

static inline int fs_remove_one(const char *path, const struct stat *st, int type,
				struct FTW *ftw)
{
	return ftw->level ? remove(path) : 0;
}

/* Remove all that is in a directory */
static inline int fs_empty(const char *dir)
{
	return nftw(dir, fs_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* A new file, open for reading and writing, of @size bytes that read as zero */
static inline int fs_file(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd >= 0 && size && ftruncate(fd, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline off_t fs_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_size;
}

static inline uint64_t fs_blocks(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_blocks * 512ULL;
}

/* Write @len bytes of one value; the file's pattern where nothing else matters */
static inline int fs_set(int fd, int value, size_t len, off_t pos)
{
	static char buf[2 * MIB];
	ssize_t n;

	memset(buf, value, sizeof(buf));
	for (; len; len -= n, pos += n) {
		n = pwrite(fd, buf, len < sizeof(buf) ? len : sizeof(buf), pos);
		if (n <= 0)
			return -1;
	}
	return 0;
}

/* Offset of the first byte in [pos, pos + len) that is not @value, or -1 if none */
static inline long long fs_find_other(int fd, int value, size_t len, off_t pos)
{
	static unsigned char buf[2 * MIB], want[2 * MIB];
	ssize_t n, i;

	memset(want, value, sizeof(want));
	for (; len; len -= n, pos += n) {
		n = pread(fd, buf, len < sizeof(buf) ? len : sizeof(buf), pos);
		if (n <= 0)
			return pos;
		if (!memcmp(buf, want, n))
			continue;
		for (i = 0; buf[i] == want[i]; i++)
			;
		return pos + i;
	}
	return -1;
}

#define EXPECT_ERR(err, call)						\
	do {								\
		errno = 0;						\
		EXPECT_EQ(-1, (long)(call)) {				\
			TH_LOG("%s did not fail", #call);		\
		}							\
		EXPECT_EQ(err, errno) {					\
			TH_LOG("%s: %s", #call, strerror(errno));	\
		}							\
	} while (0)

#define EXPECT_OK(call)							\
	EXPECT_EQ(0, (long)(call)) {					\
		TH_LOG("%s: %s", #call, strerror(errno));		\
	}

#define ASSERT_OK(call)							\
	ASSERT_EQ(0, (long)(call)) {					\
		TH_LOG("%s: %s", #call, strerror(errno));		\
	}

#endif
