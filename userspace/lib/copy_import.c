// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libpkram: import an object from a file.
 *
 * OBJECT.part becomes the object; it is renamed when every chunk has been verified. Chunks
 * of an earlier run are kept if their checksum is right. The lock on the part excludes
 * other imports.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "copy_image.h"

struct import {
	struct pkram_copy *copy;
	struct pkram_image image;
	struct pkram_copy_file out;	/* the part */
	const char *object;
	bool resumed;
	uint8_t *good;			/* by chunk: the part has it already */
};

static bool is_zero_chunk(const struct pkram_manifest *m, uint64_t i)
{
	return m->chunks[i].kind == PKRAM_CHUNK_ZERO;
}

/* Check that the object to be replaced is not in use. */
static int check_old(struct import *im)
{
	struct pkram_copy *c = im->copy;
	int fd, err;

	if (!(c->flags & PKRAM_COPY_FORCE)) {
		struct stat st;

		return lstat(im->object, &st) ? 0 :
			pkram_copy_errno(c, -EEXIST, im->object);
	}
	fd = open(im->object, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	err = -errno;
	if (err == -ENOENT)
		return 0;
	if (err == -EBUSY)
		return pkram_copy_error(c, err, "%s: %s (claimed or sealed by a guest)",
					im->object, strerror(EBUSY));
	return pkram_copy_errno(c, err, im->object);
}

/*
 * Call fallocate(2) with @mode for each run of zero chunks; with @grow extend the file to the
 * end of the run first
 */
static int each_hole(struct import *im, int mode, bool grow)
{
	const struct pkram_manifest *m = &im->image.m;
	uint64_t i, from = 0, end = 0;

	for (i = 0; i < m->nr_chunks; i++) {
		if (!is_zero_chunk(m, i))
			continue;
		from = i * m->chunk_size;
		while (i + 1 < m->nr_chunks && is_zero_chunk(m, i + 1))
			i++;
		end = i * m->chunk_size + pkram_manifest_chunk_len(m, i);
		if (grow && ftruncate(im->out.fd, end))
			return -errno;
		if (mode && fallocate(im->out.fd, mode, from, end - from))
			return -errno;
	}
	return 0;
}

/*
 * Set the size and the holes of the part. Growing a file of pkramfs reserves its memory.
 * An object without holes is allocated at once, in large extents. If it has holes, the
 * memory of each hole is freed before the next part is allocated.
 */
static int lay_out(struct import *im)
{
	const struct pkram_manifest *m = &im->image.m;
	bool pkramfs = pkram_copy_on_pkramfs(im->out.fd);
	int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	int err = 0;

	if (im->resumed && im->copy->stats.size != (uint64_t)lseek(im->out.fd, 0, SEEK_END)) {
		if (ftruncate(im->out.fd, 0))
			return -errno;
		im->resumed = false;
	}
	if (pkramfs && m->allocated >= m->size) {
		if (im->resumed)
			return each_hole(im, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, false);
	} else if (im->resumed) {
		return each_hole(im, punch, false);
	} else if (pkramfs) {
		err = each_hole(im, punch, true);
	}
	if (!err && ftruncate(im->out.fd, m->size))
		err = -errno;
	return err;
}

static bool is_data_chunk(struct pkram_ring_job *job, uint64_t chunk)
{
	return !is_zero_chunk(job->m, chunk);
}

static int note_good(struct pkram_ring_job *job, uint64_t chunk,
		     const struct pkram_chunk *is)
{
	const struct pkram_chunk *was = &job->m->chunks[chunk];
	struct import *im = job->arg;

	if (is->kind == was->kind && is->crc == was->crc) {
		im->good[chunk] = 1;
		im->copy->stats.kept += pkram_manifest_chunk_len(job->m, chunk);
	}
	return PKRAM_CHUNK_SKIP;
}

/* Find the chunks that an earlier run copied */
static int find_good(struct import *im)
{
	struct pkram_ring_job job = {
		.copy = im->copy,
		.m = &im->image.m,
		.in = &im->out,
		.end = im->image.m.nr_chunks,
		.wanted = is_data_chunk,
		.checked = note_good,
		.arg = im,
	};
	int err = pkram_ring_run(&job);

	im->copy->stats.done = im->copy->stats.kept;
	return err;
}

static bool is_missing(struct pkram_ring_job *job, uint64_t chunk)
{
	struct import *im = job->arg;

	return !im->good[chunk];
}

static int check(struct pkram_ring_job *job, uint64_t chunk, const struct pkram_chunk *is)
{
	struct import *im = job->arg;

	return pkram_image_check(&im->image, chunk, is) ?
		PKRAM_CHUNK_WRITE : pkram_image_damaged(&im->image);
}

static int copy_chunks(struct import *im)
{
	struct pkram_ring_job job = {
		.copy = im->copy,
		.m = &im->image.m,
		.in = &im->image.in,
		.out = &im->out,
		.end = im->image.m.nr_chunks,
		.whole = im->resumed,
		.wanted = is_missing,
		.checked = check,
		.arg = im,
	};
	int err = 0;

	im->good = calloc(im->image.m.nr_chunks + 1, 1);
	if (!im->good)
		return pkram_copy_errno(im->copy, -ENOMEM, im->object);
	if (im->resumed)
		err = find_good(im);
	return err ? err : pkram_ring_run(&job);
}

/* Restore labels, owner, mode, times, in an order in which no step undoes another */
static int restore(struct import *im)
{
	const struct pkram_manifest *m = &im->image.m;
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_NOW },
		{ .tv_sec = m->mtime, .tv_nsec = m->mtime_nsec },
	};
	uint32_t mode = m->mode;
	int err;

	err = pkram_copy_set_labels(im->out.fd, m);
	if (err)
		return err;
	/* Without the right to chown, the caller stays the owner, and set-ID bits are dropped. */
	if (fchown(im->out.fd, m->uid, m->gid)) {
		if (errno != EPERM)
			return -errno;
		mode &= 0777;
	}
	if (fchmod(im->out.fd, mode) || futimens(im->out.fd, times) ||
	    fsync(im->out.fd))
		return -errno;
	return 0;
}

static int give_name(struct import *im)
{
	unsigned int flags = im->copy->flags & PKRAM_COPY_FORCE ? 0 : RENAME_NOREPLACE;
	int err = 0;

	if (renameat2(AT_FDCWD, im->out.path, AT_FDCWD, im->object, flags))
		err = -errno;
	if (!err)
		err = pkram_copy_sync_dir(im->object);
	return err ? pkram_copy_errno(im->copy, err, im->object) : 0;
}

static int import_to_part(struct import *im)
{
	struct pkram_copy *c = im->copy;
	int err, lock = pkram_copy_lock(c, im->out.path);
	struct stat st;

	if (lock < 0)
		return lock;
	err = pkram_copy_open(c, &im->out, O_RDWR | O_NOFOLLOW);
	if (!err) {
		im->resumed = !fstat(im->out.fd, &st) && st.st_size;
		err = lay_out(im);
		if (err)
			pkram_copy_errno(c, err, im->out.path);
	}
	if (!err)
		err = copy_chunks(im);
	if (!err) {
		err = restore(im);
		if (err)
			pkram_copy_errno(c, err, im->out.path);
	}
	if (!err)
		err = give_name(im);
	/* Remove the part if the image is damaged, or if nothing was written to it. */
	if (err == -EBADMSG || (err && !im->resumed && !c->stats.written))
		unlink(im->out.path);
	close(lock);
	return err;
}

int pkram_copy_import(struct pkram_copy *copy, const char *file, const char *object)
{
	struct import im = {
		.copy = copy,
		.out = PKRAM_COPY_FILE(NULL),
		.object = object,
	};
	char *part = pkram_copy_suffix(object, ".part");
	int err;

	pkram_copy_begin(copy, 0, 0);
	im.out.path = part;
	err = pkram_image_open(copy, &im.image, file, NULL);
	if (!err && !part)
		err = pkram_copy_errno(copy, -ENOMEM, object);
	if (!err)
		err = check_old(&im);
	if (!err)
		err = import_to_part(&im);
	pkram_copy_tick(copy, true);
	pkram_image_close(&im.image);
	pkram_copy_close(&im.out);
	free(im.good);
	free(part);
	return err;
}
