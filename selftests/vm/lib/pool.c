// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pool.h"

/* TCG copies to a buffer of 2 MiB or more twenty times slower. */
#define PIECE	(256 * KIB)

int pool_up(const char *params)
{
	int err = vm_insmod(PKRAM_MODULE, params);

	return err ?: vm_mount("pkramfs", PKRAM_MNT, NULL);
}

int pool_down(void)
{
	int err = vm_umount(PKRAM_MNT);

	return err ?: vm_rmmod("pkram");
}

int pool_grow(int gib)
{
	/* A GiB may take long on a busy machine. */
	return vm_run(NULL, CTL "pool grow %dG --timeout 600", gib) ? -ENOMEM : 0;
}

/* Return a number in JSON, of the first key with this name after @after; -1 if absent */
static long long number_in(const char *json, const char *after, const char *name)
{
	const char *p = strstr(json, after);
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":", name);
	p = p ? strstr(p, key) : NULL;
	return p ? atoll(p + strlen(key)) : -1;
}

long long pool_number(const char *field)
{
	long long n;
	char *out;

	if (vm_run(&out, CTL "-j pool show"))
		return -1;
	n = number_in(out, "", field);
	free(out);
	return n;
}

long long pool_counter(const char *name)
{
	long long n;
	char *out;

	if (vm_run(&out, CTL "-j status --verbose"))
		return -1;
	n = number_in(out, "\"counters\":", name);
	free(out);
	return n;
}

static size_t piece_at(uint64_t size, uint64_t pos)
{
	return size - pos < PIECE ? size - pos : PIECE;
}

int pool_file_fill(const char *path, uint64_t size, uint64_t seed)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644), err = 0;
	char *buf = malloc(PIECE);
	uint64_t pos;

	if (fd < 0 || !buf)
		err = -errno;
	for (pos = 0; !err && pos < size; pos += PIECE) {
		size_t n = piece_at(size, pos);

		vm_fill(buf, n, seed, pos);
		if (write(fd, buf, n) != (ssize_t)n)
			err = -errno ?: -EIO;
	}
	free(buf);
	if (fd >= 0)
		close(fd);
	return err;
}

int pool_file_check(const char *path, uint64_t size, uint64_t seed)
{
	int fd = open(path, O_RDONLY), err = 0;
	char *buf = malloc(PIECE);
	struct stat st;
	uint64_t pos;

	if (fd < 0 || !buf || fstat(fd, &st))
		err = -errno;
	else if ((uint64_t)st.st_size != size)
		err = -EMSGSIZE;
	for (pos = 0; !err && pos < size; pos += PIECE) {
		size_t n = piece_at(size, pos);

		if (read(fd, buf, n) != (ssize_t)n)
			err = -EIO;
		else if (vm_verify(buf, n, seed, pos) >= 0)
			err = -EBADMSG;
	}
	free(buf);
	if (fd >= 0)
		close(fd);
	return err;
}

int pool_churn(uint64_t bytes, int byte)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	/* Debian's kernels use huge pages anyway; the debug kernel takes minutes without them. */
	madvise(p, bytes, MADV_HUGEPAGE);
	memset(p, byte, bytes);
	return munmap(p, bytes) ? -errno : 0;
}

int pool_make_files(void)
{
	if (mkdir(PKRAM_MNT "/d", 0755))
		return -errno;
	return pool_file_fill(PKRAM_MNT "/one", 300 * MIB, 1) ?:
	       pool_file_fill(PKRAM_MNT "/d/two", 5 * MIB + 8, 2);
}

int pool_check_files(void)
{
	return pool_file_check(PKRAM_MNT "/one", 300 * MIB, 1) ?:
	       pool_file_check(PKRAM_MNT "/d/two", 5 * MIB + 8, 2) ?:
	       (pool_number("quarantined") ? -EUCLEAN : 0);
}
