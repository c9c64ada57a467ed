// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libpkram: copy chunks through an io_uring. There is one request for each buffer at a
 * time: read until the chunk is complete, check it, write the parts that need to be
 * written. A file in RAM is copied synchronously instead: the ring would pass its requests
 * to a single kernel thread, and the writes to the disk would wait in the same queue.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include "copy.h"
#include "crc32c.h"

#define DIRECT_ALIGN	4096U
#define GRAIN		(64U << 10)	/* runs of zeroes of this size are not written */
#define WAIT_NS		100000000L	/* maximum time between two progress callbacks */
#define SYNC_MS		5000
#define SYNC_DATA	(-1ULL)		/* user_data of the fdatasync */

enum slot_state { SLOT_FREE, SLOT_READ, SLOT_WRITE };

struct slot {
	enum slot_state state;
	bool direct;
	uint64_t chunk;
	uint64_t pos;		/* offset of the chunk in the file */
	uint32_t len;		/* length of the chunk */
	uint32_t at, end;	/* part of the chunk that the request is for */
	char *buf;
};

struct ring {
	struct io_uring uring;
	struct pkram_ring_job *job;
	struct slot *slots;
	uint32_t nr_slots, busy;
	char *buffers;
	uint64_t next;		/* next chunk to start */
	uint64_t stop;		/* the first chunk that failed */
	bool syncing;
	uint64_t sync_end, synced, sync_ms;
	uint64_t written;	/* bytes written since the last sync started */
	int err;		/* the first error: no new chunk is started */
	bool broken;		/* the ring itself failed */
};

static void fail(struct ring *r, int err, uint64_t chunk)
{
	if (!r->err)
		r->err = err;
	if (chunk < r->stop)
		r->stop = chunk;
}

static bool is_zero(const char *p, size_t n)
{
	return !*p && !memcmp(p, p + 1, n - 1);
}

static bool grain_is_zero(const struct slot *s, uint32_t at)
{
	uint32_t n = s->len - at < GRAIN ? s->len - at : GRAIN;

	return is_zero(s->buf + at, n);
}

/* Find the next part of the buffer to write, from @at on; false if there is none */
static bool next_piece(struct slot *s, uint32_t at, bool whole)
{
	while (!whole && at < s->len && grain_is_zero(s, at))
		at += GRAIN;
	s->at = at;
	while (at < s->len && (whole || !grain_is_zero(s, at)))
		at += GRAIN;
	s->end = at < s->len ? at : s->len;
	return s->at < s->end;
}

/* Return the number of the first chunk that is not complete. */
static uint64_t finished(const struct ring *r)
{
	uint64_t end = r->next < r->stop ? r->next : r->stop;
	uint32_t i;

	for (i = 0; i < r->nr_slots; i++)
		if (r->slots[i].state != SLOT_FREE && r->slots[i].chunk < end)
			end = r->slots[i].chunk;
	return end;
}

static struct pkram_copy_file *file_of(const struct ring *r, const struct slot *s)
{
	return s->state == SLOT_READ ? r->job->in : r->job->out;
}

/* The queue has room: one request per slot, and one sync. */
static void submit(struct ring *r, struct slot *s)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);
	struct pkram_copy_file *f = file_of(r, s);
	uint32_t len = s->end - s->at;
	uint64_t pos = s->pos + s->at;
	char *buf = s->buf + s->at;
	int i = s - r->slots, fd;

	s->direct = f->direct && !((pos | len) % DIRECT_ALIGN);
	fd = s->direct ? f->direct_fd : f->fd;
	if (r->job->copy->stats.registered && s->state == SLOT_READ)
		io_uring_prep_read_fixed(sqe, fd, buf, len, pos, i);
	else if (r->job->copy->stats.registered)
		io_uring_prep_write_fixed(sqe, fd, buf, len, pos, i);
	else if (s->state == SLOT_READ)
		io_uring_prep_read(sqe, fd, buf, len, pos);
	else
		io_uring_prep_write(sqe, fd, buf, len, pos);
	io_uring_sqe_set_data64(sqe, i);
}

static void slot_done(struct ring *r, struct slot *s)
{
	r->job->copy->stats.done += s->len;
	s->state = SLOT_FREE;
	r->busy--;
}

static void slot_fail(struct ring *r, struct slot *s, int err)
{
	fail(r, err, s->chunk);
	s->state = SLOT_FREE;
	r->busy--;
}

/* The chunk was read: decide whether to write it */
static bool look_at(struct ring *r, struct slot *s)
{
	struct pkram_chunk is = { .kind = PKRAM_CHUNK_DATA };
	int verdict;

	if (is_zero(s->buf, s->len))
		is.kind = PKRAM_CHUNK_ZERO;
	else
		is.crc = ~pkram_crc32c(~0U, s->buf, s->len);
	verdict = r->job->checked(r->job, s->chunk, &is);
	if (verdict < 0)
		slot_fail(r, s, verdict);
	else if (verdict == PKRAM_CHUNK_SKIP || is.kind == PKRAM_CHUNK_ZERO)
		slot_done(r, s);
	else
		return true;
	return false;
}

/* Prepare the next request of a slot; false if the chunk is complete */
static bool next_request(struct ring *r, struct slot *s)
{
	if (s->state == SLOT_READ) {
		if (!look_at(r, s))
			return false;
		s->state = SLOT_WRITE;
		s->end = 0;
	}
	if (next_piece(s, s->end, r->job->whole))
		return true;
	slot_done(r, s);
	return false;
}

static void io_error(struct ring *r, struct slot *s, int err)
{
	struct pkram_copy_file *f = file_of(r, s);
	uint64_t pos = s->pos + s->at;

	if (!err && s->state == SLOT_WRITE)
		err = -EIO;
	/* The file is shorter than when it was opened */
	if (!err)
		pkram_copy_error(r->job->copy, -ENODATA,
				 "%s: ends at byte %llu; it was longer before",
				 f->path, (unsigned long long)pos);
	else
		pkram_copy_error(r->job->copy, err, "%s: %s at byte %llu: %s", f->path,
				 s->state == SLOT_READ ? "reading" : "writing",
				 (unsigned long long)pos, strerror(-err));
	slot_fail(r, s, err ?: -ENODATA);
}

static void count(struct ring *r, struct slot *s, uint32_t bytes)
{
	s->at += bytes;
	if (s->state == SLOT_WRITE) {
		r->job->copy->stats.written += bytes;
		r->written += bytes;
	}
}

/* Copy from or to RAM; returns false on failure */
static bool copy_now(struct ring *r, struct slot *s)
{
	int fd = file_of(r, s)->fd;
	ssize_t n;

	while (s->at < s->end) {
		if (s->state == SLOT_READ)
			n = pread(fd, s->buf + s->at, s->end - s->at, s->pos + s->at);
		else
			n = pwrite(fd, s->buf + s->at, s->end - s->at, s->pos + s->at);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0) {
			io_error(r, s, n ? -errno : 0);
			return false;
		}
		count(r, s, n);
	}
	return true;
}

/* Process a chunk until it must wait for a disk or is complete */
static void ring_continue(struct ring *r, struct slot *s)
{
	do {
		if (!file_of(r, s)->ram) {
			submit(r, s);
			return;
		}
	} while (copy_now(r, s) && next_request(r, s));
}

static void completed(struct ring *r, struct slot *s, int res)
{
	/*
	 * The file accepted O_DIRECT when it was opened but refuses requests. Keep the
	 * descriptor open: other requests may still use it.
	 */
	if (res == -EINVAL && s->direct) {
		file_of(r, s)->direct = false;
	} else if (res > 0) {
		count(r, s, res);
	} else if (res != -EINTR && res != -EAGAIN) {
		io_error(r, s, res);
		return;
	}
	if (s->at < s->end || next_request(r, s))
		ring_continue(r, s);
}

/* A hole needs no buffer. */
static void begin_hole(struct ring *r, uint64_t chunk)
{
	struct pkram_chunk is = { .kind = PKRAM_CHUNK_ZERO };
	int verdict = r->job->checked(r->job, chunk, &is);

	if (verdict < 0)
		fail(r, verdict, chunk);
}

static void begin_chunk(struct ring *r, struct slot *s)
{
	struct pkram_ring_job *job = r->job;
	uint64_t chunk = r->next++;

	if (job->wanted && !job->wanted(job, chunk))
		return;
	if (!job->in->has_data[chunk]) {
		begin_hole(r, chunk);
		return;
	}
	s->state = SLOT_READ;
	s->chunk = chunk;
	s->pos = chunk * job->m->chunk_size;
	s->len = pkram_manifest_chunk_len(job->m, chunk);
	s->at = 0;
	s->end = s->len;
	r->busy++;
	ring_continue(r, s);
}

static bool more(const struct ring *r)
{
	return r->next < r->job->end && !r->err;
}

/* Start a chunk for each free buffer */
static void begin_chunks(struct ring *r)
{
	uint32_t i;

	for (i = 0; i < r->nr_slots && more(r); i++) {
		if (r->slots[i].state != SLOT_FREE)
			continue;
		begin_chunk(r, &r->slots[i]);
		/* Submit now: copying the next chunk takes time, which the disk can use. */
		if (r->job->in->ram)
			io_uring_submit(&r->uring);
	}
}

/* Make complete chunks durable while others are copied. */
static void begin_sync(struct ring *r, bool now)
{
	struct pkram_ring_job *job = r->job;
	struct io_uring_sqe *sqe;
	uint64_t end;

	if (!job->sync_every || r->syncing)
		return;
	if (!now && r->written < job->sync_every &&
	    job->copy->stats.elapsed_ms - r->sync_ms < SYNC_MS)
		return;
	end = finished(r);
	if (end == r->synced)
		return;
	r->syncing = true;
	r->sync_end = end;
	r->sync_ms = job->copy->stats.elapsed_ms;
	r->written = 0;
	sqe = io_uring_get_sqe(&r->uring);
	io_uring_prep_fsync(sqe, job->out->fd, IORING_FSYNC_DATASYNC);
	io_uring_sqe_set_data64(sqe, SYNC_DATA);
}

static void completed_sync(struct ring *r, int res)
{
	struct pkram_ring_job *job = r->job;
	int err = 0;

	r->syncing = false;
	if (res == -EINTR || res == -EAGAIN) {
		begin_sync(r, true);
		return;
	}
	if (res < 0) {
		err = pkram_copy_errno(job->copy, res, job->out->path);
	} else {
		err = job->durable(job, r->sync_end);
		r->synced = r->sync_end;
	}
	/* Chunks after this one must not be reported as durable. */
	if (err)
		fail(r, err, r->synced);
}

/*
 * Checking a chunk takes as long as reading one. Therefore submit its next request before
 * the next chunk is checked, so that the disk is not idle.
 */
static void reap(struct ring *r)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&r->uring, &cqe)) {
		uint64_t data = io_uring_cqe_get_data64(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&r->uring, cqe);
		if (data == SYNC_DATA)
			completed_sync(r, res);
		else
			completed(r, &r->slots[data], res);
		begin_chunks(r);
		/* An error is reported by the next wait. */
		io_uring_submit(&r->uring);
	}
}

static void wait_for_some(struct ring *r)
{
	struct __kernel_timespec ts = { .tv_nsec = WAIT_NS };
	struct io_uring_cqe *cqe;
	int ret;

	ret = io_uring_submit_and_wait_timeout(&r->uring, &cqe, 1, &ts, NULL);
	/* EBUSY, EAGAIN: too many requests; completions make room. */
	if (ret < 0 && ret != -ETIME && ret != -EINTR && ret != -EAGAIN &&
	    ret != -EBUSY) {
		fail(r, pkram_copy_errno(r->job->copy, ret, "io_uring"), r->synced);
		r->broken = true;
	}
}

static void run(struct ring *r)
{
	while (!r->broken) {
		begin_chunks(r);
		/* At the end, even after an error, make complete chunks durable. */
		begin_sync(r, !r->busy && !more(r));
		if (r->busy || r->syncing)
			wait_for_some(r);
		else if (!more(r))
			break;
		reap(r);
		if (!pkram_copy_tick(r->job->copy, false) && !r->err)
			fail(r, pkram_copy_error(r->job->copy, -ECANCELED, "stopped"),
			     r->next);
	}
}

static int setup(struct ring *r)
{
	struct pkram_ring_job *job = r->job;
	size_t size = (size_t)r->nr_slots * job->m->chunk_size;
	struct iovec *iov = NULL;
	uint32_t i;

	r->slots = calloc(r->nr_slots, sizeof(*r->slots));
	iov = calloc(r->nr_slots, sizeof(*iov));
	r->buffers = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!r->slots || !iov || r->buffers == MAP_FAILED) {
		free(iov);
		return pkram_copy_error(job->copy, -ENOMEM, "%s", strerror(ENOMEM));
	}
	madvise(r->buffers, size, MADV_HUGEPAGE);
	for (i = 0; i < r->nr_slots; i++) {
		r->slots[i].buf = r->buffers + (size_t)i * job->m->chunk_size;
		iov[i].iov_base = r->slots[i].buf;
		iov[i].iov_len = job->m->chunk_size;
	}
	/* If RLIMIT_MEMLOCK is too low, each request pins its buffer instead. */
	job->copy->stats.registered =
		!io_uring_register_buffers(&r->uring, iov, r->nr_slots);
	free(iov);
	return 0;
}

int pkram_ring_run(struct pkram_ring_job *job)
{
	struct pkram_copy *copy = job->copy;
	struct ring r = {
		.job = job,
		.nr_slots = copy->depth,
		.next = job->first,
		.stop = UINT64_MAX,
		.synced = job->first,
		.sync_ms = copy->stats.elapsed_ms,
	};
	int err;

	/* Chunks kept from earlier runs must not count for the rate. */
	copy->rate_ms = copy->stats.elapsed_ms;
	copy->rate_done = copy->stats.done;
	copy->stats.rate = 0;
	if (r.nr_slots > job->end - job->first)
		r.nr_slots = job->end - job->first ?: 1;
	err = pkram_copy_map(job->in, job->m);
	if (err)
		return pkram_copy_errno(copy, err, job->in->path);
	err = io_uring_queue_init(r.nr_slots + 1, &r.uring, 0);
	if (err)
		return pkram_copy_error(copy, err, "io_uring: %s%s", strerror(-err),
					err == -EPERM ? " (sysctl kernel.io_uring_disabled?)" : "");
	err = setup(&r);
	if (!err) {
		run(&r);
		err = r.err;
		copy->stats.direct_in = job->in->direct;
		copy->stats.direct_out = job->out && job->out->direct;
	}
	/* Close the ring first: it may still use the buffers. */
	io_uring_queue_exit(&r.uring);
	if (r.buffers && r.buffers != MAP_FAILED)
		munmap(r.buffers, (size_t)r.nr_slots * job->m->chunk_size);
	free(r.slots);
	return err;
}
