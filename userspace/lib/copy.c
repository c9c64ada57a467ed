// SPDX-License-Identifier: LGPL-2.1-or-later
/* libpkram: a copier: settings, progress, errors. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "copy.h"

#define DEPTH		16
#define DEPTH_MAX	1024
#define CHUNK_SIZE	(2U << 20)	/* the allocation unit of pkramfs */
#define SYNC_EVERY	(256U << 20)
#define TELL_MS		100
#define RATE_MS		1000		/* interval for measuring the rate */

int pkram_copy_create(struct pkram_copy **copy)
{
	*copy = calloc(1, sizeof(**copy));
	if (!*copy)
		return -ENOMEM;
	(*copy)->depth = DEPTH;
	(*copy)->chunk_size = CHUNK_SIZE;
	(*copy)->sync_every = SYNC_EVERY;
	return 0;
}

void pkram_copy_free(struct pkram_copy *copy)
{
	free(copy);
}

int pkram_copy_set_flags(struct pkram_copy *copy, uint32_t flags)
{
	if (flags & ~(PKRAM_COPY_FORCE | PKRAM_COPY_BUFFERED))
		return -EINVAL;
	copy->flags = flags;
	return 0;
}

int pkram_copy_set_depth(struct pkram_copy *copy, uint32_t depth)
{
	if (!depth || depth > DEPTH_MAX)
		return -EINVAL;
	copy->depth = depth;
	return 0;
}

int pkram_copy_set_chunk(struct pkram_copy *copy, uint32_t size)
{
	if (size < PKRAM_CHUNK_MIN || size > PKRAM_CHUNK_MAX || size & (size - 1))
		return -EINVAL;
	copy->chunk_size = size;
	return 0;
}

void pkram_copy_on_progress(struct pkram_copy *copy, pkram_copy_cb cb, void *arg)
{
	copy->progress = cb;
	copy->progress_arg = arg;
}

void pkram_copy_on_bad(struct pkram_copy *copy, pkram_copy_bad_cb cb, void *arg)
{
	copy->bad = cb;
	copy->bad_arg = arg;
}

const struct pkram_copy_stats *pkram_copy_stats(const struct pkram_copy *copy)
{
	return &copy->stats;
}

const char *pkram_copy_strerror(const struct pkram_copy *copy)
{
	return copy ? copy->error : strerror(ENOMEM);
}

int pkram_copy_error(struct pkram_copy *copy, int err, const char *fmt, ...)
{
	va_list ap;

	/* Only the first error is reported; later ones follow from it. */
	if (copy->error[0])
		return err;
	va_start(ap, fmt);
	vsnprintf(copy->error, sizeof(copy->error), fmt, ap);
	va_end(ap);
	return err;
}

int pkram_copy_errno(struct pkram_copy *copy, int err, const char *path)
{
	return pkram_copy_error(copy, err, "%s: %s", path, strerror(-err));
}

void pkram_copy_begin(struct pkram_copy *copy, uint64_t size, uint32_t chunk_size)
{
	copy->error[0] = '\0';
	copy->stats = (struct pkram_copy_stats){
		.size = size,
		.chunk_size = chunk_size,
		.nr_chunks = chunk_size ? size / chunk_size +
			     !!(size % chunk_size) : 0,
		.left_s = PKRAM_NONE32,
	};
	copy->told_ms = 0;
	copy->rate_ms = 0;
	copy->rate_done = 0;
	clock_gettime(CLOCK_MONOTONIC, &copy->begin);
}

static void measure(struct pkram_copy *copy)
{
	struct pkram_copy_stats *s = &copy->stats;
	uint64_t ms = s->elapsed_ms - copy->rate_ms, now;

	if (ms < RATE_MS)
		return;
	now = (s->done - copy->rate_done) * 1000 / ms;
	s->rate = s->rate ? (s->rate * 3 + now) / 4 : now;
	copy->rate_ms = s->elapsed_ms;
	copy->rate_done = s->done;
}

bool pkram_copy_tick(struct pkram_copy *copy, bool now)
{
	struct pkram_copy_stats *s = &copy->stats;
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	s->elapsed_ms = (t.tv_sec - copy->begin.tv_sec) * 1000 +
			(t.tv_nsec - copy->begin.tv_nsec) / 1000000;
	if (!now && s->elapsed_ms - copy->told_ms < TELL_MS)
		return true;
	copy->told_ms = s->elapsed_ms;
	measure(copy);
	s->left_s = s->rate && s->data >= s->done ?
		(s->data - s->done) / s->rate : PKRAM_NONE32;
	return !copy->progress || copy->progress(s, copy->progress_arg);
}
