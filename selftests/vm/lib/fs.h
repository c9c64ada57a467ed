/* SPDX-License-Identifier: GPL-2.0 */
/* File and pool helpers of the fs_* scenarios; the fixture is in fs_fixture.h. */
#ifndef PKRAM_VM_FS_H
#define PKRAM_VM_FS_H

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

int fs_load(void);

int fs_mount(void);

uint64_t fs_total(void);

uint64_t fs_free(void);

/* Grow the pool by 2 GiB, or by 1 GiB if the kernel cannot give more */
int fs_grow(void);

/* Remove everything in a directory */
int fs_empty(const char *dir);

/* Create and open a file of @size bytes that read as zero */
int fs_file(const char *path, off_t size);

/* Map a part of a file, readable and writable. Return: MAP_FAILED on error */
char *fs_map(const char *path, off_t offset, size_t len);

off_t fs_size(int fd);

uint64_t fs_blocks(int fd);

/* Write @len bytes of the same value, for tests that do not need a pattern */
int fs_set(int fd, int value, size_t len, off_t pos);

/* Return the offset of the first byte in [pos, pos + len) that is not @value, or -1 */
long long fs_find_other(int fd, int value, size_t len, off_t pos);

/* Go on as an unprivileged user, until become_root() */
int become_nobody(void);

int become_root(void);

#endif
