// SPDX-License-Identifier: LGPL-2.1-or-later
/* libpkram: an exported image: open it with its manifest, verify it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "copy_image.h"

static int load_manifest(struct pkram_copy *copy, struct pkram_manifest *m,
			 const char *path)
{
	int err, fd = open(path, O_RDONLY | O_CLOEXEC);
	char *buf = NULL;
	size_t len;

	if (fd < 0)
		return pkram_copy_errno(copy, -errno, path);
	err = pkram_copy_read_all(fd, &buf, &len);
	close(fd);
	if (err)
		return pkram_copy_errno(copy, err, path);
	err = pkram_manifest_decode(m, (uint8_t *)buf, len, UINT64_MAX);
	free(buf);
	if (err == -EBADMSG)
		return pkram_copy_error(copy, err, "%s: not a manifest, or its header is damaged",
					path);
	if (err == -EOPNOTSUPP)
		return pkram_copy_error(copy, err, "%s: the format is newer than this program",
					path);
	if (err)
		return pkram_copy_errno(copy, err, path);
	if (!m->complete || m->len != len)
		return pkram_copy_error(copy, -EBADMSG, "%s: damaged or truncated after byte %zu",
					path, m->len);
	return 0;
}

int pkram_image_open(struct pkram_copy *copy, struct pkram_image *image,
		     const char *file, const char *manifest)
{
	char *path = manifest ? NULL : pkram_copy_suffix(file, ".manifest");
	struct stat st;
	int err;

	memset(image, 0, sizeof(*image));
	image->copy = copy;
	image->in = (struct pkram_copy_file)PKRAM_COPY_FILE(file);
	if (!manifest && !path)
		return pkram_copy_errno(copy, -ENOMEM, file);
	err = load_manifest(copy, &image->m, manifest ?: path);
	free(path);
	if (!err)
		err = pkram_copy_open(copy, &image->in, O_RDONLY);
	if (err)
		return err;
	if (fstat(image->in.fd, &st))
		return pkram_copy_errno(copy, -errno, file);
	if (st.st_size != (off_t)image->m.size)
		return pkram_copy_error(copy, -EBADMSG,
					"%s: has %llu bytes instead of %llu (object %s)",
					file, (unsigned long long)st.st_size,
					(unsigned long long)image->m.size, image->m.name);
	pkram_copy_begin(copy, image->m.size, image->m.chunk_size);
	err = pkram_copy_map(&image->in, &image->m);
	if (err)
		return pkram_copy_errno(copy, err, file);
	copy->stats.data = pkram_copy_count(&image->in, &image->m, 0);
	return 0;
}

void pkram_image_close(struct pkram_image *image)
{
	pkram_copy_close(&image->in);
	pkram_manifest_clear(&image->m);
}

bool pkram_image_check(struct pkram_image *image, uint64_t chunk,
		       const struct pkram_chunk *is)
{
	const struct pkram_chunk *was = &image->m.chunks[chunk];
	struct pkram_copy *c = image->copy;

	if (is->kind == was->kind && is->crc == was->crc)
		return true;
	if (c->bad)
		c->bad(chunk, chunk * image->m.chunk_size,
		       pkram_manifest_chunk_len(&image->m, chunk), c->bad_arg);
	/* Chunks complete in any order. */
	if (!c->stats.nr_bad++ || chunk < image->first_bad)
		image->first_bad = chunk;
	return false;
}

int pkram_image_damaged(struct pkram_image *image)
{
	const struct pkram_manifest *m = &image->m;
	uint64_t i = image->first_bad;

	return pkram_copy_error(image->copy, -EBADMSG,
				"%s: object %s: chunk %llu, %u bytes at byte %llu, is damaged",
				image->in.path, m->name, (unsigned long long)i,
				pkram_manifest_chunk_len(m, i),
				(unsigned long long)(i * m->chunk_size));
}

static int verify_chunk(struct pkram_ring_job *job, uint64_t chunk,
			const struct pkram_chunk *is)
{
	pkram_image_check(job->arg, chunk, is);
	return PKRAM_CHUNK_SKIP;
}

int pkram_image_verify(struct pkram_copy *copy, const char *file, const char *manifest)
{
	struct pkram_image image;
	struct pkram_ring_job job = {
		.copy = copy,
		.m = &image.m,
		.in = &image.in,
		.checked = verify_chunk,
		.arg = &image,
	};
	int err;

	err = pkram_image_open(copy, &image, file, manifest);
	if (!err) {
		job.end = image.m.nr_chunks;
		err = pkram_ring_run(&job);
	}
	if (!err && copy->stats.nr_bad)
		err = pkram_image_damaged(&image);
	pkram_image_close(&image);
	return err;
}

int pkram_copy_verify(struct pkram_copy *copy, const char *file)
{
	int err;

	pkram_copy_begin(copy, 0, 0);
	err = pkram_image_verify(copy, file, NULL);
	pkram_copy_tick(copy, true);
	return err;
}

int pkram_copy_compare(struct pkram_copy *copy, const char *object,
		       const char *file)
{
	char *manifest = pkram_copy_suffix(file, ".manifest");
	int err;

	pkram_copy_begin(copy, 0, 0);
	err = manifest ? pkram_image_verify(copy, object, manifest) :
			 pkram_copy_errno(copy, -ENOMEM, object);
	pkram_copy_tick(copy, true);
	free(manifest);
	return err;
}

int pkram_copy_name(struct pkram_copy *copy, const char *file, char **name)
{
	struct pkram_image image;
	int err;

	pkram_copy_begin(copy, 0, 0);
	err = pkram_image_open(copy, &image, file, NULL);
	if (!err) {
		*name = image.m.name;
		image.m.name = NULL;
	}
	pkram_image_close(&image);
	return err;
}
