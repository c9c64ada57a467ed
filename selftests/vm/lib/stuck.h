/* SPDX-License-Identifier: GPL-2.0 */
/* System calls with a buffer whose page faults do not end, as with FUSE */
#ifndef PKRAM_VM_STUCK_H
#define PKRAM_VM_STUCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define STUCK_LEN	(4 * 1024 * 1024UL)

/* A buffer of STUCK_LEN bytes whose last pages are missing, until stuck_supply() */
struct stuck_buffer {
	char *p;
	int uffd;
};

/* Make one that has its first @from bytes: 0, or -1 and errno */
int stuck_buffer_make(struct stuck_buffer *b, size_t from);

/* Wait until a thread is stuck in it */
bool stuck_wait(const struct stuck_buffer *b);

/* Supply all its pages from @from on, filled with @value: 0, or -1 and errno */
int stuck_supply(const struct stuck_buffer *b, size_t from, int value);

enum { STUCK_READ, STUCK_WRITE, STUCK_APPEND, STUCK_MAP };

/* A thread in a system call on that buffer */
struct stuck_call {
	pthread_t thread;
	struct stuck_buffer *b;
	int fd;
	off_t pos;
	size_t from;
	int what;
	ssize_t ret;
	int err;
};

/* Start it: 0 or an errno */
int stuck_start(struct stuck_call *c, struct stuck_buffer *b, int fd, off_t pos, size_t from,
		int what);

#endif
