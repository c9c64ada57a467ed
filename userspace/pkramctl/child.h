/* SPDX-License-Identifier: GPL-2.0 */
/* Run other programs and read what they print. */
#ifndef _PKRAMCTL_CHILD_H
#define _PKRAMCTL_CHILD_H

#include <stddef.h>

/* Run a program, whose output goes to standard error: its exit status, 127 if it cannot be run */
int child_run(const char *const argv[]);

/**
 * child_read() - Run a program and read its standard output
 * @argv: program, which is looked for in PATH, /usr/sbin and /sbin, and its arguments; NULL
 *	at the end. Its standard error is thrown away.
 * @max: largest number of bytes to accept
 * @text: out: the output followed by a NUL, to be freed; NULL on failure
 *
 * Return: the exit status, 127 if there is no such program; or negative errno: -EFBIG, -EIO
 * it was killed by a signal.
 */
int child_read(const char *const argv[], size_t max, char **text);

#endif /* _PKRAMCTL_CHILD_H */
