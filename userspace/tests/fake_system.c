// SPDX-License-Identifier: GPL-2.0
/*
 * What pkramctl kexec does to the system, noted in the file PKRAM_FAKE_LOG
 * instead of done. Preloaded with fake_kernel.c.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/reboot.h>
#include <sys/syscall.h>
#include "fake_kernel.h"

static void note(const char *fmt, ...)
{
	const char *path = getenv("PKRAM_FAKE_LOG");
	va_list ap;
	FILE *f;

	f = fopen(path ? path : "/dev/null", "a");
	if (!f)
		abort();
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

long syscall(long nr, ...)
{
	const char *fail = getenv("PKRAM_FAKE_KEXEC_ERRNO");
	long a[5];
	va_list ap;
	int i;

	va_start(ap, nr);
	for (i = 0; i < 5; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (nr) {
	case SYS_kexec_file_load:
		if (a[4] & 1) {
			note("unload\n");
			fake_image_loaded = false;
			return 0;
		}
		if (fail) {
			errno = atoi(fail);
			return -1;
		}
		note("load initrd=%s cmdline_len=%ld nul=%d flags=%lx: %s\n",
		     (int)a[1] < 0 ? "no" : "yes", a[2],
		     !((char *)a[3])[a[2] - 1], a[4], (char *)a[3]);
		fake_image_loaded = true;
		return 0;
	case SYS_reboot:
		note("reboot %s\n",
		     a[2] == LINUX_REBOOT_CMD_KEXEC ? "kexec" : "something else");
		errno = EINVAL;
		return -1;
	default:
		abort();
	}
}

int access(const char *path, int mode)
{
	const char *systemd = getenv("PKRAM_FAKE_SYSTEMD");

	if (!strcmp(path, "/run/systemd/system")) {
		errno = ENOENT;
		return systemd ? 0 : -1;
	}
	if (!strncmp(path, "/sys/module/", 12)) {
		errno = ENOENT;
		return getenv("PKRAM_FAKE_MODULE") ? 0 : -1;
	}
	return faccessat(AT_FDCWD, path, mode, 0);
}

int open(const char *path, int flags, ...)
{
	const char *cmdline = getenv("PKRAM_FAKE_CMDLINE");
	int fd[2];

	if (!strcmp(path, "/sys/kernel/kexec_loaded")) {
		if (pipe(fd) ||
		    write(fd[1], fake_image_loaded ? "1\n" : "0\n", 2) != 2)
			abort();
	} else if (!strcmp(path, "/proc/cmdline") && cmdline) {
		if (pipe(fd) || write(fd[1], cmdline, strlen(cmdline)) < 0)
			abort();
	} else {
		return openat(AT_FDCWD, path, flags, 0600);
	}
	close(fd[1]);
	return fd[0];
}
