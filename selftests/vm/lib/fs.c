// SPDX-License-Identifier: GPL-2.0
#include <grp.h>
#include <stdio.h>
#include <string.h>

#include "fs.h"

int fs_load(void)
{
	return vm_module_loaded("pkram") ? 0 : vm_insmod(PKRAM_MODULE, NULL);
}

int fs_mount(void)
{
	struct stat st, up;

	if (!stat(PKRAM_MNT, &st) && !stat(PKRAM_MNT "/..", &up) && st.st_dev != up.st_dev)
		return 0;
	return vm_mount(PKRAM_FS_NAME, PKRAM_MNT, NULL);
}

uint64_t fs_total(void)
{
	struct statvfs v;

	return statvfs(PKRAM_MNT, &v) ? 0 : v.f_blocks * v.f_frsize;
}

uint64_t fs_free(void)
{
	struct statvfs v;

	return statvfs(PKRAM_MNT, &v) ? 0 : v.f_bavail * v.f_frsize;
}

int fs_grow(void)
{
	if (!fs_total())
		vm_run(NULL, "pkramctl.static pool grow 2G --timeout 600");
	return fs_total() ? 0 : -ENOMEM;
}

static int fs_remove_one(const char *path, const struct stat *st, int type,
			 struct FTW *ftw)
{
	return ftw->level ? remove(path) : 0;
}

int fs_empty(const char *dir)
{
	return nftw(dir, fs_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

int fs_file(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd >= 0 && size && ftruncate(fd, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

off_t fs_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_size;
}

uint64_t fs_blocks(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_blocks * 512ULL;
}

int fs_set(int fd, int value, size_t len, off_t pos)
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

long long fs_find_other(int fd, int value, size_t len, off_t pos)
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

char *fs_map(const char *path, off_t offset, size_t len)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (fd >= 0)
		close(fd);
	return p;
}

int become_nobody(void)
{
	return setgroups(0, NULL) ?: setegid(NOBODY) ?: seteuid(NOBODY);
}

int become_root(void)
{
	return seteuid(0) ?: setegid(0);
}
