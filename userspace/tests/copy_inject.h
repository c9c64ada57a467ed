/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fault injection between the copy engine and the system. The linker replaces system calls
 * by the functions of copy_inject.c (--wrap).
 */
#ifndef _TESTS_COPY_INJECT_H
#define _TESTS_COPY_INJECT_H

#include <stdbool.h>
#include <sys/types.h>

extern struct copy_inject {
	unsigned int kill_at;	/* the point at which to die, 0 for never */
	unsigned int hook_at;	/* the point at which to call @hook */
	void (*hook)(void);
	unsigned int points;
	bool shorten, repeat;
	bool no_direct;		/* requests with O_DIRECT fail with EINVAL */
	bool no_buffers;	/* buffers cannot be registered */
	int err;		/* error of a request */
	bool err_writes;	/* fail writes, not reads */
	unsigned int err_after;	/* number of the first one that fails, 0: 1 */
	unsigned int shortened;
} inject;

/* Return a pseudo-random number, the same sequence in every run. */
unsigned int copy_rnd(void);

/* The functions that --wrap replaces */
int __real_ftruncate(int fd, off_t len);
int __real_fallocate(int fd, int mode, off_t at, off_t len);
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t pos);

#endif /* _TESTS_COPY_INJECT_H */
