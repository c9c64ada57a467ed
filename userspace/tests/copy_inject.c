// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fault injection between the copy engine and the system: shorten requests, change
 * results, kill the process at a given point.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <liburing.h>
#include "copy_inject.h"

#define SLOTS	64

struct copy_inject inject;

static struct io_uring_sqe asked[SLOTS];
static bool fresh[SLOTS];	/* its result was not seen yet */

unsigned int copy_rnd(void)
{
	static unsigned int seed = 1;

	seed = seed * 1103515245 + 12345;
	return seed >> 16;
}

static void point(void)
{
	inject.points++;
	if (inject.points == inject.kill_at)
		raise(SIGKILL);
	if (inject.points == inject.hook_at)
		inject.hook();
}

static bool is_write(const struct io_uring_sqe *sqe)
{
	return sqe->opcode == IORING_OP_WRITE || sqe->opcode == IORING_OP_WRITE_FIXED;
}

static void mangle_request(struct io_uring_sqe *sqe)
{
	uint32_t len = sqe->len;

	if (sqe->user_data >= SLOTS)
		return;
	if (inject.shorten && sqe->len > 4096 && copy_rnd() % 2)
		sqe->len = (1 + copy_rnd() % (sqe->len / 4096)) * 4096;
	else if (inject.shorten && sqe->len <= 4096 && sqe->len > 1 && copy_rnd() % 4 == 0)
		sqe->len = 1 + copy_rnd() % (sqe->len - 1);
	inject.shortened += sqe->len != len;
	asked[sqe->user_data] = *sqe;
	fresh[sqe->user_data] = true;
}

static void mangle_requests(struct io_uring *ring)
{
	unsigned int i;

	for (i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++)
		mangle_request(&ring->sq.sqes[i & ring->sq.ring_mask]);
}

static bool is_direct(int fd)
{
	return fcntl(fd, F_GETFL) & O_DIRECT;
}

static void mangle_result(struct io_uring_cqe *cqe)
{
	const struct io_uring_sqe *sqe;

	if (cqe->user_data >= SLOTS || !fresh[cqe->user_data])
		return;
	fresh[cqe->user_data] = false;
	sqe = &asked[cqe->user_data];
	if (inject.no_direct && is_direct(sqe->fd))
		cqe->res = -EINVAL;
	else if (inject.repeat && copy_rnd() % 3 == 0)
		cqe->res = copy_rnd() % 2 ? -EINTR : -EAGAIN;
	else if (inject.err && inject.err_writes == is_write(sqe) &&
		 (!inject.err_after || !--inject.err_after))
		cqe->res = -inject.err;
}

/*
 * Wait until each request has a result. Otherwise a result that arrives later would not be
 * changed.
 */
static void mangle_results(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned int i;

	if (!inject.err && !inject.repeat && !inject.no_direct)
		return;
	while (io_uring_smp_load_acquire(ring->cq.ktail) != *ring->sq.ktail)
		usleep(100);
	io_uring_for_each_cqe(ring, i, cqe)
		mangle_result(cqe);
}

int __real_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
					    unsigned int nr, struct __kernel_timespec *ts,
					    sigset_t *mask);
int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
					    unsigned int nr, struct __kernel_timespec *ts,
					    sigset_t *mask)
{
	int ret;

	point();
	mangle_requests(ring);
	ret = __real_io_uring_submit_and_wait_timeout(ring, cqe, nr, ts, mask);
	mangle_results(ring);
	return ret;
}

int __real_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit(struct io_uring *ring)
{
	int ret;

	point();
	mangle_requests(ring);
	ret = __real_io_uring_submit(ring);
	mangle_results(ring);
	return ret;
}

int __real_io_uring_register_buffers(struct io_uring *ring, const struct iovec *iov,
				     unsigned int nr);
int __wrap_io_uring_register_buffers(struct io_uring *ring, const struct iovec *iov,
				     unsigned int nr)
{
	return inject.no_buffers ? -ENOMEM : __real_io_uring_register_buffers(ring, iov, nr);
}

int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_unlink(const char *path);
int __real_rename(const char *from, const char *to);
int __real_renameat2(int from, const char *a, int to, const char *b, unsigned int flags);

/* Count a point before each change of a file or its name. */
#define WRAP(name, args, pass)				\
	int __wrap_##name args				\
	{						\
		point();				\
		return __real_##name pass;		\
	}

WRAP(ftruncate, (int fd, off_t len), (fd, len))
WRAP(fsync, (int fd), (fd))
WRAP(fdatasync, (int fd), (fd))
WRAP(fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(fallocate, (int fd, int mode, off_t at, off_t len), (fd, mode, at, len))
WRAP(unlink, (const char *path), (path))
WRAP(rename, (const char *from, const char *to), (from, to))
#define TWO int from, const char *a, int to, const char *b
WRAP(renameat2, (TWO, unsigned int flags), (from, a, to, b, flags))

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t pos)
{
	point();
	/* A crash may leave half of a frame. */
	if (inject.points + 1 == inject.kill_at)
		len /= 2;
	return __real_pwrite(fd, buf, len, pos);
}
