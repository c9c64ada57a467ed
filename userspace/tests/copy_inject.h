/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What comes between the copy engine and the system in its self test: the linker puts
 * copy_inject.c's functions there (--wrap).
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
	bool no_direct;		/* requests with O_DIRECT are EINVAL */
	bool no_buffers;	/* nor can buffers be registered */
	int err;		/* what a request gets, */
	bool err_writes;	/* a write or a read, */
	unsigned int err_after;	/* after so many of them */
	unsigned int shortened;
} inject;

/* Numbers that are the same in every run */
unsigned int copy_rnd(void);

/* The system itself */
int __real_ftruncate(int fd, off_t len);
int __real_fallocate(int fd, int mode, off_t at, off_t len);
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t pos);

#endif /* _TESTS_COPY_INJECT_H */
