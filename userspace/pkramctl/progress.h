/* SPDX-License-Identifier: GPL-2.0 */
/* Progress of a copy: a bar on a terminal, a line from time to time in a log. */
#ifndef _PKRAMCTL_PROGRESS_H
#define _PKRAMCTL_PROGRESS_H

#include <stdint.h>
#include <stddef.h>

struct progress {
	const char *what;	/* "vm1", "2 of 5 objects" */
	uint64_t done, all;	/* bytes */
	uint64_t rate;		/* bytes per second, 0 if unknown */
};

/**
 * progress_line() - Format "vm1: 42 % of 4 GiB, 850 MiB/s, 0:12 left"
 * @p: the progress
 * @bar: columns for a bar before that, 0 for none
 * @buf: out
 * @len: size of @buf
 *
 * Return: @buf.
 */
char *progress_line(const struct progress *p, unsigned int bar, char *buf, size_t len);

/* Print progress on standard error if it is due; call this often */
void progress_show(const struct progress *p);
/* Remove the bar, so that something else can be printed */
void progress_clear(void);

#endif /* _PKRAMCTL_PROGRESS_H */
