/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libpkram: declarations shared by the files of the copy engine. */
#ifndef _PKRAM_COPY_H
#define _PKRAM_COPY_H

#include <liburing.h>
#include <sys/stat.h>
#include <time.h>
#include "manifest.h"
#include "pkram.h"

struct pkram_copy {
	uint32_t flags;
	uint32_t depth;
	uint32_t chunk_size;
	uint64_t sync_every;		/* bytes that an interrupted export may lose */
	pkram_copy_cb progress;
	void *progress_arg;
	pkram_copy_bad_cb bad;
	void *bad_arg;
	struct pkram_copy_stats stats;
	struct timespec begin;
	uint64_t told_ms;		/* time of the last progress callback */
	uint64_t rate_ms, rate_done;	/* where the rate was last measured */
	char error[1024];
};

/* copy.c */

/* Set the text of an error unless there is one already; returns @err. */
int pkram_copy_error(struct pkram_copy *copy, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Set the text "PATH: " followed by that of errno */
int pkram_copy_errno(struct pkram_copy *copy, int err, const char *path);
/* Reset the results of the last copy; @size and @chunk_size are those of the next. */
void pkram_copy_begin(struct pkram_copy *copy, uint64_t size, uint32_t chunk_size);
/* Update the statistics and report progress; returns false to stop */
bool pkram_copy_tick(struct pkram_copy *copy, bool now);

/* copy_file.c */

/*
 * A file that is read or written. Aligned requests use @direct_fd, the others (the end of
 * a file, the rest of a short read) use @fd.
 */
struct pkram_copy_file {
	const char *path;
	int fd;
	int direct_fd;		/* -1: none */
	bool direct;		/* no request with O_DIRECT has failed */
	bool ram;		/* the file is in memory: no O_DIRECT, no waiting */
	uint8_t *has_data;	/* by chunk: the chunk is not only a hole */
};

#define PKRAM_COPY_FILE(p)	{ .path = (p), .fd = -1, .direct_fd = -1 }

int pkram_copy_open(struct pkram_copy *copy, struct pkram_copy_file *f, int flags);
void pkram_copy_close(struct pkram_copy_file *f);
/* Open @path, create it if needed, and lock it against other copies to it */
int pkram_copy_lock(struct pkram_copy *copy, const char *path);
/* Find out which chunks are not only holes, if that was not done yet */
int pkram_copy_map(struct pkram_copy_file *f, const struct pkram_manifest *m);
/* Return the number of bytes in those chunks, from @first on */
uint64_t pkram_copy_count(const struct pkram_copy_file *f, const struct pkram_manifest *m,
			  uint64_t first);
/* Return PATH with a suffix, to be freed, or NULL */
char *pkram_copy_suffix(const char *path, const char *suffix);
/* Make the names in the directory of @path durable */
int pkram_copy_sync_dir(const char *path);
int pkram_copy_write_all(int fd, const void *buf, size_t len, uint64_t pos);
/* Read a regular file to its end, as pkram_read_fd() does */
int pkram_copy_read_all(int fd, char **buf, size_t *len);
bool pkram_copy_on_pkramfs(int fd);
int pkram_copy_get_labels(int fd, struct pkram_manifest *m);
int pkram_copy_set_labels(int fd, const struct pkram_manifest *m);

/* copy_ring.c */

enum pkram_verdict { PKRAM_CHUNK_SKIP, PKRAM_CHUNK_WRITE };

/**
 * struct pkram_ring_job - chunks to be copied through the ring
 * @copy: settings and statistics
 * @m: sizes of the chunks
 * @in: file to read
 * @out: file to write, or NULL
 * @first: first chunk
 * @end: chunk after the last one
 * @whole: also write zeroes inside of a chunk, because the file may have other data there;
 *	a chunk of zeroes only is never written
 * @sync_every: make data durable after this many bytes, 0: never
 * @wanted: returns whether to read a chunk; NULL: read all
 * @checked: returns what to do with a chunk, given its content; or negative errno
 * @durable: all chunks before @end are on the disk
 * @arg: argument of the callbacks
 */
struct pkram_ring_job {
	struct pkram_copy *copy;
	const struct pkram_manifest *m;
	struct pkram_copy_file *in, *out;
	uint64_t first, end;
	bool whole;
	uint64_t sync_every;
	bool (*wanted)(struct pkram_ring_job *job, uint64_t chunk);
	int (*checked)(struct pkram_ring_job *job, uint64_t chunk,
		       const struct pkram_chunk *is);
	int (*durable)(struct pkram_ring_job *job, uint64_t end);
	void *arg;
};

/*
 * Run a job. When it returns, no request is active.
 *
 * Return: 0; negative errno, with its text set
 */
int pkram_ring_run(struct pkram_ring_job *job);

#endif /* _PKRAM_COPY_H */
