// SPDX-License-Identifier: LGPL-2.1-or-later
/* Read whole files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "read_file.h"

#define MIN_SIZE	4096	/* files in /proc and /sys report a size of 0 */

static size_t first_size(int fd, size_t max)
{
	struct stat st;
	size_t size = MIN_SIZE;

	/* One byte more, so that the end is found without another allocation */
	if (!fstat(fd, &st) && st.st_size >= MIN_SIZE)
		size = (size_t)st.st_size + 1;
	return size > max ? max + 1 : size;
}

int pkram_read_fd(int fd, size_t max, char **buf, size_t *len)
{
	size_t size = first_size(fd, max), got = 0;
	char *p = NULL, *more;
	ssize_t n;
	int err;

	*buf = NULL;
	for (;;) {
		/* Space for the NUL after @size bytes */
		if (!p || got == size) {
			if (p)
				size = size > max / 2 ? max + 1 : 2 * size;
			more = realloc(p, size + 1);
			if (!more) {
				err = -ENOMEM;
				break;
			}
			p = more;
		}
		n = read(fd, p + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n ? -errno : 0;
			break;
		}
		got += n;
		if (got > max) {
			err = -EFBIG;
			break;
		}
	}
	if (err) {
		free(p);
		return err;
	}
	p[got] = '\0';
	*buf = p;
	*len = got;
	return 0;
}

int pkram_read_file(const char *path, size_t max, char **buf, size_t *len)
{
	int err, fd = open(path, O_RDONLY | O_CLOEXEC);

	*buf = NULL;
	if (fd < 0)
		return -errno;
	err = pkram_read_fd(fd, max, buf, len);
	close(fd);
	return err;
}

int pkram_read_line(const char *path, char *buf, size_t len)
{
	char *text;
	size_t n;
	int err;

	err = pkram_read_file(path, len - 1, &text, &n);
	if (err)
		return err;
	memcpy(buf, text, n + 1);
	buf[strcspn(buf, "\n")] = '\0';
	free(text);
	return 0;
}
