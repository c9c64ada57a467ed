// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libpkram: export an object to a file.
 *
 * FILE.part becomes the image, FILE.manifest.part the manifest. A frame is appended to the
 * manifest when the chunks that it describes are on the disk, so it is valid whenever the
 * export ends. At the end the image is renamed first, then the manifest: if the manifest
 * has its final name, the image is complete. The lock on the unfinished manifest excludes
 * other exports.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "copy.h"
#include "copy_image.h"

#define FRAME_CHUNKS	65536U

struct export {
	struct pkram_copy *copy;
	struct pkram_copy_file in, out;
	struct stat st;			/* the object at the start */
	char *file, *manifest, *part, *manifest_part;
	int mfd;			/* manifest_part, locked */
	struct pkram_manifest m;
};

/* Fill in the object's properties */
static int describe(struct export *e)
{
	struct pkram_manifest *m = &e->m;
	char *path = strdup(e->in.path);
	int err;

	if (path)
		m->name = strdup(basename(path));
	free(path);
	if (!m->name)
		return -ENOMEM;
	m->size = e->st.st_size;
	m->allocated = e->st.st_blocks * 512ULL;
	m->mtime = e->st.st_mtim.tv_sec;
	m->mtime_nsec = e->st.st_mtim.tv_nsec;
	m->chunk_size = e->copy->chunk_size;
	m->mode = e->st.st_mode & 07777;
	m->uid = e->st.st_uid;
	m->gid = e->st.st_gid;
	err = pkram_copy_get_labels(e->in.fd, m);
	if (err)
		return err;
	m->nr_chunks = m->size / m->chunk_size + !!(m->size % m->chunk_size);
	m->chunks = calloc(m->nr_chunks + 1, sizeof(*m->chunks));
	return m->chunks ? 0 : -ENOMEM;
}

static int open_object(struct export *e)
{
	struct pkram_copy *c = e->copy;
	int err;

	err = pkram_copy_open(c, &e->in, O_RDONLY);
	if (err)
		return err;
	if (fstat(e->in.fd, &e->st))
		return pkram_copy_errno(c, -errno, e->in.path);
	if (!S_ISREG(e->st.st_mode))
		return pkram_copy_error(c, -EINVAL, "%s: not a regular file", e->in.path);
	pkram_copy_begin(c, e->st.st_size, c->chunk_size);
	err = describe(e);
	if (!err)
		err = pkram_copy_map(&e->in, &e->m);
	if (err)
		return pkram_copy_errno(c, err, e->in.path);
	c->stats.data = pkram_copy_count(&e->in, &e->m, 0);
	return 0;
}

/* Append a frame for the chunks that are on the disk. */
static int append(struct export *e, uint64_t end)
{
	uint64_t at = e->m.len;
	uint8_t *buf;
	size_t len;
	int err;

	err = pkram_manifest_frame(&e->m, end, &buf, &len);
	if (!err) {
		err = pkram_copy_write_all(e->mfd, buf, len, at);
		free(buf);
	}
	return err ? pkram_copy_errno(e->copy, err, e->manifest_part) : 0;
}

static int durable(struct pkram_ring_job *job, uint64_t end)
{
	struct export *e = job->arg;
	uint64_t next;
	int err = 0;

	for (; e->m.nr_known < end && !err; err = append(e, next))
		next = end - e->m.nr_known < FRAME_CHUNKS ? end :
			e->m.nr_known + FRAME_CHUNKS;
	return err;
}

static int note(struct pkram_ring_job *job, uint64_t chunk, const struct pkram_chunk *is)
{
	struct export *e = job->arg;

	e->m.chunks[chunk] = *is;
	return PKRAM_CHUNK_WRITE;
}

/* Compare the object with what an earlier run copied */

struct compare {
	const struct pkram_manifest *old;
	uint64_t same;		/* number of chunks before the first that differs */
};

static int compare(struct pkram_ring_job *job, uint64_t chunk, const struct pkram_chunk *is)
{
	struct compare *cmp = job->arg;
	const struct pkram_chunk *was = &cmp->old->chunks[chunk];

	if (is->kind == was->kind && is->crc == was->crc)
		return PKRAM_CHUNK_SKIP;
	/* This ends the job; an earlier chunk may still be found to differ. */
	if (chunk < cmp->same)
		cmp->same = chunk;
	return -ESTALE;
}

static int count_same(struct export *e, const struct pkram_manifest *old, uint64_t *same)
{
	struct compare cmp = { .old = old, .same = old->nr_known };
	struct pkram_ring_job job = {
		.copy = e->copy,
		.m = &e->m,
		.in = &e->in,
		.end = old->nr_known,
		.checked = compare,
		.arg = &cmp,
	};
	int err = pkram_ring_run(&job);

	*same = cmp.same;
	return err == -ESTALE ? 0 : err;
}

/*
 * Use the valid frames of an unfinished manifest, if its header matches the object now.
 * Afterwards @e->m describes what the file has.
 */
static int take_over(struct export *e, const uint8_t *header, size_t header_len,
		     const uint8_t *buf, size_t len)
{
	struct pkram_manifest old;
	uint64_t same = 0;
	int err;

	if (len < header_len || memcmp(buf, header, header_len))
		return 0;
	err = pkram_manifest_decode(&old, buf, len, UINT64_MAX);
	if (!err)
		err = count_same(e, &old, &same);
	if (!err && same < old.nr_chunks) {
		/* Go back to the end of the last frame before that chunk */
		pkram_manifest_clear(&old);
		err = pkram_manifest_decode(&old, buf, len, same);
	}
	if (!err) {
		memcpy(e->m.chunks, old.chunks, old.nr_known * sizeof(*old.chunks));
		e->m.nr_known = old.nr_known;
		e->m.complete = old.complete;
		e->m.len = old.len;
		e->m.crc = old.crc;
	}
	pkram_manifest_clear(&old);
	return err;
}

/* Truncate the manifest before chunks that it describes are written again. */
static int cut_back(struct export *e, const uint8_t *header, size_t header_len)
{
	uint64_t kept = e->m.nr_known * e->m.chunk_size;
	bool fresh = e->m.len == header_len;
	int err = 0;

	if (kept > e->m.size)
		kept = e->m.size;
	if (ftruncate(e->mfd, fresh ? 0 : e->m.len) || fdatasync(e->mfd))
		return pkram_copy_errno(e->copy, -errno, e->manifest_part);
	/* Data after this point may be anything; truncate it, so that holes read as zero. */
	if (ftruncate(e->out.fd, kept) || ftruncate(e->out.fd, e->m.size))
		return pkram_copy_errno(e->copy, -errno, e->part);
	if (fresh)
		err = pkram_copy_write_all(e->mfd, header, header_len, 0);
	return err ? pkram_copy_errno(e->copy, err, e->manifest_part) : 0;
}

/* Continue an earlier run, or start from the beginning */
static int resume(struct export *e)
{
	struct pkram_copy *c = e->copy;
	uint8_t *header = NULL;
	char *buf = NULL;
	size_t header_len, len;
	struct stat st;
	int err;

	err = pkram_manifest_header(&e->m, &header, &header_len);
	if (err)
		return pkram_copy_error(c, err, "%s: its name or labels do not fit into a manifest: %s",
					e->in.path, strerror(-err));
	err = pkram_copy_read_all(e->mfd, &buf, &len);
	if (err) {
		pkram_copy_errno(c, err, e->manifest_part);
		goto out;
	}
	e->out.path = e->part;
	err = pkram_copy_open(c, &e->out, O_RDWR | O_CREAT | O_NOFOLLOW);
	if (err)
		goto out;
	/* If the length of the image changed, the manifest does not match it. */
	if (!fstat(e->out.fd, &st) && st.st_size == (off_t)e->m.size)
		err = take_over(e, header, header_len, (uint8_t *)buf, len);
	if (!err && !e->m.complete)
		err = cut_back(e, header, header_len);
	if (!err)
		c->stats.kept = c->stats.data - pkram_copy_count(&e->in, &e->m, e->m.nr_known);
	c->stats.done = c->stats.kept;
out:
	free(header);
	free(buf);
	return err;
}

/* Check that the object has not changed since the start. */
static int check_unchanged(struct export *e)
{
	struct stat st;

	if (fstat(e->in.fd, &st))
		return pkram_copy_errno(e->copy, -errno, e->in.path);
	if (st.st_size != e->st.st_size || st.st_mtim.tv_sec != e->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != e->st.st_mtim.tv_nsec)
		return pkram_copy_error(e->copy, -ESTALE, "%s: it changed during the export",
					e->in.path);
	return 0;
}

/* All data is durable under the temporary names: rename. */
static int finish(struct export *e)
{
	struct pkram_copy *c = e->copy;
	int err;

	if (!e->m.complete) {
		err = append(e, e->m.nr_known);
		if (err)
			return err;
	}
	if (fsync(e->out.fd))
		return pkram_copy_errno(c, -errno, e->part);
	if (fsync(e->mfd))
		return pkram_copy_errno(c, -errno, e->manifest_part);
	/* The manifest of the replaced image does not match this one. */
	if (unlink(e->manifest) && errno != ENOENT)
		return pkram_copy_errno(c, -errno, e->manifest);
	if (rename(e->part, e->file))
		return pkram_copy_errno(c, -errno, e->file);
	err = pkram_copy_sync_dir(e->file);
	if (!err && rename(e->manifest_part, e->manifest))
		err = -errno;
	if (!err)
		err = pkram_copy_sync_dir(e->file);
	return err ? pkram_copy_errno(c, err, e->manifest) : 0;
}

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

/*
 * Check whether an earlier run was killed after it renamed the image and before it renamed
 * the manifest. Then the manifest is complete and matches; verify it, as the image may be
 * another.
 */
static int finish_killed(struct export *e)
{
	struct pkram_copy *c = e->copy;
	uint64_t size = c->stats.size, data = c->stats.data;
	pkram_copy_bad_cb bad = c->bad;
	struct stat st;
	int err;

	if (exists(e->part) || exists(e->manifest) || !exists(e->file) ||
	    fstat(e->mfd, &st) || !st.st_size)
		return 0;
	c->bad = NULL;
	err = pkram_image_verify(c, e->file, e->manifest_part);
	c->bad = bad;
	if (!err && rename(e->file, e->part))
		return pkram_copy_errno(c, -errno, e->file);
	if (err && err != -EBADMSG)
		return err;
	/* Statistics and error text were those of the verification. */
	pkram_copy_begin(c, size, c->chunk_size);
	c->stats.data = data;
	return 0;
}

static int export_locked(struct export *e)
{
	struct pkram_ring_job job = {
		.copy = e->copy,
		.m = &e->m,
		.in = &e->in,
		.out = &e->out,
		.sync_every = e->copy->sync_every,
		.checked = note,
		.durable = durable,
		.arg = e,
	};
	int err;

	err = finish_killed(e);
	if (err)
		return err;
	if (!(e->copy->flags & PKRAM_COPY_FORCE) && (exists(e->file) || exists(e->manifest)))
		return pkram_copy_error(e->copy, -EEXIST, "%s: %s",
					exists(e->file) ? e->file : e->manifest,
					strerror(EEXIST));
	err = resume(e);
	if (err)
		return err;
	job.first = e->m.nr_known;
	job.end = e->m.nr_chunks;
	if (!e->m.complete)
		err = pkram_ring_run(&job);
	if (!err)
		err = check_unchanged(e);
	return err ? err : finish(e);
}

int pkram_copy_export(struct pkram_copy *copy, const char *object, const char *file)
{
	struct export e = {
		.copy = copy,
		.in = PKRAM_COPY_FILE(object),
		.out = PKRAM_COPY_FILE(NULL),
		.mfd = -1,
		.file = pkram_copy_suffix(file, ""),
		.manifest = pkram_copy_suffix(file, ".manifest"),
		.part = pkram_copy_suffix(file, ".part"),
		.manifest_part = pkram_copy_suffix(file, ".manifest.part"),
	};
	int err;

	pkram_copy_begin(copy, 0, 0);
	if (!e.file || !e.manifest || !e.part || !e.manifest_part)
		err = pkram_copy_errno(copy, -ENOMEM, file);
	else
		err = open_object(&e);
	if (!err) {
		e.mfd = pkram_copy_lock(copy, e.manifest_part);
		err = e.mfd < 0 ? e.mfd : export_locked(&e);
	}
	/* Remove an unused manifest; the lock is still held. */
	if (e.mfd >= 0 && err && !lseek(e.mfd, 0, SEEK_END))
		unlink(e.manifest_part);
	pkram_copy_tick(copy, true);
	if (e.mfd >= 0)
		close(e.mfd);
	pkram_copy_close(&e.in);
	pkram_copy_close(&e.out);
	pkram_manifest_clear(&e.m);
	free(e.file);
	free(e.manifest);
	free(e.part);
	free(e.manifest_part);
	return err;
}
