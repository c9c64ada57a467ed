/* SPDX-License-Identifier: GPL-2.0 */
/* How far a copy is: a bar on a terminal, a line now and then in a log. */
#ifndef _PKRAMCTL_PROGRESS_H
#define _PKRAMCTL_PROGRESS_H

#include <stdint.h>
#include <stddef.h>

struct progress {
	const char *what;	/* "vm1", "2 of 5 objects" */
	uint64_t done, all;	/* bytes */
	uint64_t rate;		/* bytes per second, 0 as long as that is not known */
};

/**
 * progress_line() - Format "vm1: 42 % of 4 GiB, 850 MiB/s, 0:12 left"
 * @p: how far
 * @bar: columns for a bar before that, 0 for none
 * @buf: out
 * @len: size of @buf
 *
 * Return: @buf.
 */
char *progress_line(const struct progress *p, unsigned int bar, char *buf, size_t len);

/* Show it on standard error, if it is time to; to be called often */
void progress_show(const struct progress *p);
/* Take the bar away, so that something else can be printed */
void progress_clear(void);

#endif /* _PKRAMCTL_PROGRESS_H */
