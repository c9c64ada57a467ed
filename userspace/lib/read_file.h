/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Read whole files. The library and pkramctl both contain this code. */
#ifndef _PKRAM_READ_FILE_H
#define _PKRAM_READ_FILE_H

#include <stddef.h>

/**
 * pkram_read_fd() - Read a file or pipe to its end
 * @fd: descriptor, read from its current position
 * @max: largest number of bytes to accept
 * @buf: out: the bytes followed by a NUL, to be freed; NULL on failure
 * @len: out: number of bytes, without the NUL
 *
 * Return: 0; -EFBIG: there are more than @max bytes; -ENOMEM; an error of read(2).
 */
int pkram_read_fd(int fd, size_t max, char **buf, size_t *len);

/* Open a file and read all of it, as pkram_read_fd() does */
int pkram_read_file(const char *path, size_t max, char **buf, size_t *len);

/* Read a file of less than @len bytes into @buf, and truncate it after the first line */
int pkram_read_line(const char *path, char *buf, size_t len);

#endif /* _PKRAM_READ_FILE_H */
