// SPDX-License-Identifier: LGPL-2.1-or-later
/* libpkram: files that a copy reads and writes: opening, holes, labels. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include "copy.h"
#include "read_file.h"

#define LABEL_PREFIX	"user."

static bool in_ram(int fd)
{
	struct statfs s;

	return !fstatfs(fd, &s) && (s.f_type == PKRAM_FS_MAGIC || s.f_type == TMPFS_MAGIC);
}

int pkram_copy_open(struct pkram_copy *copy, struct pkram_copy_file *f, int flags)
{
	f->fd = open(f->path, flags | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return pkram_copy_errno(copy, -errno, f->path);
	f->ram = in_ram(f->fd);
	/* Open it again with O_DIRECT. If that is refused, O_DIRECT is not used. */
	if (!f->ram && !(copy->flags & PKRAM_COPY_BUFFERED)) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
		f->direct_fd = open(path, (flags & O_ACCMODE) | O_CLOEXEC | O_DIRECT);
		f->direct = f->direct_fd >= 0;
	}
	return 0;
}

void pkram_copy_close(struct pkram_copy_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->direct_fd >= 0)
		close(f->direct_fd);
	free(f->has_data);
	f->has_data = NULL;
	f->fd = -1;
	f->direct_fd = -1;
}

int pkram_copy_lock(struct pkram_copy *copy, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st, named;
	int err = 0;

	if (fd < 0)
		return pkram_copy_errno(copy, -errno, path);
	if (flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	/* A process that held the lock may have renamed the file before we got the lock. */
	else if (fstat(fd, &st) || lstat(path, &named) || st.st_dev != named.st_dev ||
		 st.st_ino != named.st_ino)
		err = -EBUSY;
	if (!err)
		return fd;
	close(fd);
	return err == -EBUSY ?
		pkram_copy_error(copy, err, "%s: another process copies to it", path) :
		pkram_copy_errno(copy, err, path);
}

int pkram_copy_map(struct pkram_copy_file *f, const struct pkram_manifest *m)
{
	off_t data, hole;
	uint64_t i;

	if (f->has_data)
		return 0;
	f->has_data = calloc(m->nr_chunks + 1, 1);
	if (!f->has_data)
		return -ENOMEM;
	for (hole = 0; (data = lseek(f->fd, hole, SEEK_DATA)) >= 0;) {
		hole = lseek(f->fd, data, SEEK_HOLE);
		/* The last hole is at the end of the file. */
		if (hole <= data)
			return hole < 0 ? -errno : -EIO;
		for (i = data / m->chunk_size;
		     i < m->nr_chunks && i * m->chunk_size < (uint64_t)hole; i++)
			f->has_data[i] = 1;
	}
	return errno == ENXIO ? 0 : -errno;
}

uint64_t pkram_copy_count(const struct pkram_copy_file *f, const struct pkram_manifest *m,
			  uint64_t first)
{
	uint64_t i, bytes = 0;

	for (i = first; i < m->nr_chunks; i++)
		if (f->has_data[i])
			bytes += pkram_manifest_chunk_len(m, i);
	return bytes;
}

char *pkram_copy_suffix(const char *path, const char *suffix)
{
	char *s;

	return asprintf(&s, "%s%s", path, suffix) < 0 ? NULL : s;
}

int pkram_copy_sync_dir(const char *path)
{
	char *copy = strdup(path);
	int fd, err = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -errno;
	/* EINVAL: the file system needs no fsync */
	if (fsync(fd) && errno != EINVAL)
		err = -errno;
	close(fd);
	return err;
}

int pkram_copy_write_all(int fd, const void *buf, size_t len, uint64_t pos)
{
	ssize_t n;

	while (len) {
		n = pwrite(fd, buf, len, pos);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		buf = (const char *)buf + n;
		len -= n;
		pos += n;
	}
	return 0;
}

int pkram_copy_read_all(int fd, char **buf, size_t *len)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? pkram_read_fd(fd, SSIZE_MAX, buf, len) : -EINVAL;
}

bool pkram_copy_on_pkramfs(int fd)
{
	struct statfs s;

	return !fstatfs(fd, &s) && s.f_type == PKRAM_FS_MAGIC;
}

/* List all names of extended attributes, each followed by a NUL; bytes or negative errno */
static ssize_t list_names(int fd, char **names)
{
	ssize_t n = flistxattr(fd, NULL, 0);

	*names = NULL;
	/* The file system does not support labels. */
	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	*names = malloc(n + 1);
	if (!*names)
		return -ENOMEM;
	n = flistxattr(fd, *names, n);
	return n < 0 ? -errno : n;
}

static bool is_label(const char *name)
{
	return !strncmp(name, LABEL_PREFIX, strlen(LABEL_PREFIX));
}

static int get_label(int fd, const char *name, struct pkram_label *l)
{
	ssize_t n = fgetxattr(fd, name, NULL, 0);

	if (n < 0)
		return -errno;
	l->name = strdup(name);
	l->value = malloc(n + 1);
	if (!l->name || !l->value)
		return -ENOMEM;
	n = fgetxattr(fd, name, l->value, n);
	if (n < 0)
		return -errno;
	l->len = n;
	return 0;
}

int pkram_copy_get_labels(int fd, struct pkram_manifest *m)
{
	struct pkram_label *more;
	char *names, *name;
	ssize_t n;
	int err = 0;

	n = list_names(fd, &names);
	for (name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
		if (!is_label(name))
			continue;
		more = reallocarray(m->labels, m->nr_labels + 1, sizeof(*more));
		if (!more) {
			err = -ENOMEM;
			break;
		}
		m->labels = more;
		memset(&more[m->nr_labels], 0, sizeof(*more));
		err = get_label(fd, name, &more[m->nr_labels++]);
		if (err)
			break;
	}
	free(names);
	return n < 0 ? n : err;
}

int pkram_copy_set_labels(int fd, const struct pkram_manifest *m)
{
	const struct pkram_label *l;
	char *names, *name;
	int err = 0;
	ssize_t n;

	/* Remove labels that an earlier run set, from another image with that name */
	n = list_names(fd, &names);
	for (name = names; n > 0 && name < names + n && !err; name += strlen(name) + 1)
		if (is_label(name) && fremovexattr(fd, name))
			err = -errno;
	free(names);
	if (n < 0)
		return n;
	for (l = m->labels; l < m->labels + m->nr_labels && !err; l++)
		if (fsetxattr(fd, l->name, l->value, l->len, 0))
			err = -errno;
	return err;
}
