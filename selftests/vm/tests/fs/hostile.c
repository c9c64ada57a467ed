// SPDX-License-Identifier: GPL-2.0
/*
 * What users without privileges may try: buffers whose page fault does not end, as with
 * userfaultfd or FUSE, and pins of pages while the pool grows. Others must not have to
 * wait for it.
 */
#include "fs_fixture.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "pool.h"

#define RW	(PROT_READ | PROT_WRITE)
#define PAGE	4096UL
#define LEN	(2 * UNIT)

static const uint8_t cookie[16] = "cookie";

/* A buffer of LEN bytes whose pages from @from on are missing, until supply() */
struct buffer {
	char *p;
	int uffd;
};

static int make_buffer(struct buffer *b, size_t from)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	b->p = mmap(NULL, LEN, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	b->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (b->p == MAP_FAILED || b->uffd < 0 || ioctl(b->uffd, UFFDIO_API, &api) ||
	    madvise(b->p, LEN, MADV_NOHUGEPAGE))
		return -1;
	memset(b->p, 'b', from);
	r.range.start = (uintptr_t)b->p;
	r.range.len = LEN;
	return ioctl(b->uffd, UFFDIO_REGISTER, &r);
}

/* Wait until a thread is stuck in it */
static bool is_stuck(const struct buffer *b)
{
	struct pollfd pfd = { .fd = b->uffd, .events = POLLIN };
	struct uffd_msg msg;

	return poll(&pfd, 1, 60000) == 1 && read(b->uffd, &msg, sizeof(msg)) == sizeof(msg) &&
	       msg.event == UFFD_EVENT_PAGEFAULT;
}

/* Supply all its pages from @from on, filled with @value */
static int supply(const struct buffer *b, size_t from, int value)
{
	char *page = aligned_alloc(PAGE, PAGE);
	struct uffdio_copy copy = { .src = (uintptr_t)page, .len = PAGE };

	memset(page, value, PAGE);
	for (; from < LEN; from += PAGE) {
		copy.dst = (uintptr_t)b->p + from;
		copy.copy = 0;
		if (ioctl(b->uffd, UFFDIO_COPY, &copy))
			return -1;
	}
	free(page);
	return 0;
}

/* A thread in a system call on that buffer */
struct call {
	pthread_t thread;
	struct buffer *b;
	int fd;
	off_t pos;
	size_t from;
	int what;
	ssize_t ret;
	int err;
};

enum { READ, WRITE, APPEND, MAP };

static void *call_fn(void *arg)
{
	struct call *c = arg;
	struct fiemap *map;

	switch (c->what) {
	case READ:
		c->ret = pread(c->fd, c->b->p, LEN, c->pos);
		break;
	case WRITE:
		c->ret = pwrite(c->fd, c->b->p, LEN, c->pos);
		break;
	case APPEND:
		c->ret = write(c->fd, c->b->p, LEN);
		break;
	case MAP:
		/* Its header is present; the extents are not. */
		map = (void *)(c->b->p + c->from - sizeof(*map));
		*map = (struct fiemap){ .fm_length = ~0ULL, .fm_extent_count = 1000 };
		c->ret = ioctl(c->fd, FS_IOC_FIEMAP, map);
		break;
	}
	c->err = errno;
	return NULL;
}

static int start(struct call *c, struct buffer *b, int fd, off_t pos, size_t from, int what)
{
	*c = (struct call){ .b = b, .fd = fd, .pos = pos, .from = from, .what = what };
	return pthread_create(&c->thread, NULL, call_fn, c);
}

static int claim(int fd)
{
	struct pkram_ioc_claim c = { .size = sizeof(c) };

	return ioctl(fd, PKRAM_IOC_CLAIM, &c);
}

static int seal(int fd, unsigned long cmd)
{
	struct pkram_ioc_seal s = { .size = sizeof(s) };

	memcpy(s.cookie, cookie, 16);
	return ioctl(fd, cmd, &s);
}

/*
 * Operations that must not wait. Each runs in a child, which has 10 s: a thread that is
 * stuck inside the kernel can be killed, but not one that waits for an exclusive i_rwsem.
 */
static int do_one(int i, int fd)
{
	struct pkram_ioc_info info = { .size = sizeof(info) };
	char c = 'c';

	switch (i) {
	case 0:
		return ioctl(fd, PKRAM_IOC_INFO, &info);
	case 1:
		return pread(fd, &c, 1, 7) == 1 ? 0 : -1;
	case 2:
		return pwrite(fd, &c, 1, 7) == 1 ? 0 : -1;
	case 3:
		return lseek(fd, 0, SEEK_HOLE) < 0 ? -1 : 0;
	case 4:
		return fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * UNIT, UNIT);
	case 5:
		return claim(fd);
	case 6:
		return seal(fd, PKRAM_IOC_SEAL);
	case 7:
		return seal(fd, PKRAM_IOC_RESUME);
	}
	return 1;
}

static const char *others_wait(int fd)
{
	static char text[40];
	int i, status, tenths;
	pid_t pid;

	for (i = 0; i < 8; i++) {
		pid = fork();
		if (!pid)
			_exit(do_one(i, fd) ? errno ?: 1 : 0);
		for (tenths = 0; tenths < 100; tenths++) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				break;
			usleep(100000);
		}
		if (tenths == 100)
			sprintf(text, "%d waits", i);
		else if (status)
			sprintf(text, "%d: status %#x", i, status);
		else
			continue;
		return text;
	}
	return "";
}

static bool unlink_waits(const char *path)
{
	int tenths, status;
	pid_t pid = fork();

	if (!pid)
		_exit(!!unlink(path));
	for (tenths = 0; tenths < 100; tenths++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(100000);
	}
	return true;
}

static void nobody_waits(struct __test_metadata *_metadata, int what, size_t from,
			 ssize_t done)
{
	int fd = fs_file("file", 4 * UNIT), stuck;
	struct buffer b;
	struct call c;

	EXPECT_OK(fs_set(fd, 'f', 4 * UNIT, 0));
	/* A reader has its own open file, so that the other one can be claimed. */
	stuck = what == READ || what == MAP ? open("file", O_RDONLY) : dup(fd);
	ASSERT_OK(make_buffer(&b, from));
	ASSERT_OK(start(&c, &b, stuck, UNIT, from, what));
	ASSERT_TRUE(is_stuck(&b));
	EXPECT_STREQ("", others_wait(fd));
	close(fd);
	if (what == READ || what == MAP)
		EXPECT_FALSE(unlink_waits("file"));
	EXPECT_OK(supply(&b, from, 0));
	pthread_join(c.thread, NULL);
	EXPECT_EQ(done, c.ret) {
		TH_LOG("%s", strerror(c.err));
	}
	if (what == READ)
		EXPECT_EQ('f', b.p[LEN - 1]);
	if (what == WRITE)
		EXPECT_EQ(-1, fs_find_other(stuck, 0, LEN - from, UNIT + from));
	close(stuck);
	close(b.uffd);
	munmap(b.p, LEN);
}

TEST_F(main, stuck_read_keeps_nobody_waiting)
{
	nobody_waits(_metadata, READ, 0, LEN);
}

TEST_F(main, stuck_read_in_the_middle_keeps_nobody_waiting)
{
	nobody_waits(_metadata, READ, UNIT + 5 * PAGE, LEN);
}

TEST_F(main, stuck_write_keeps_nobody_waiting)
{
	nobody_waits(_metadata, WRITE, 0, LEN);
}

TEST_F(main, stuck_write_in_the_middle_keeps_nobody_waiting)
{
	nobody_waits(_metadata, WRITE, UNIT + 5 * PAGE, LEN);
}

TEST_F(main, stuck_fiemap_keeps_nobody_waiting)
{
	nobody_waits(_metadata, MAP, PAGE, 0);
}

/* A stuck write beyond the end: the size is unchanged, and others may append */
TEST_F(main, stuck_append_does_not_grow_the_file)
{
	int fd = fs_file("file", 0), again = open("file", O_RDWR | O_APPEND), i;
	struct buffer b;
	struct call c;
	char byte;

	EXPECT_OK(fs_set(fd, 'f', 1000, 0));
	ASSERT_OK(make_buffer(&b, UNIT));
	ASSERT_OK(start(&c, &b, again, 0, UNIT, APPEND));
	ASSERT_TRUE(is_stuck(&b));
	EXPECT_EQ(1000, fs_size(fd));
	EXPECT_EQ(1, pwrite(fd, "x", 1, 1000));
	EXPECT_OK(supply(&b, UNIT, 'b'));
	pthread_join(c.thread, NULL);
	EXPECT_EQ(LEN, c.ret);
	EXPECT_EQ(1001 + LEN, fs_size(fd));
	EXPECT_EQ(-1, fs_find_other(fd, 'f', 1000, 0));
	EXPECT_EQ(-1, fs_find_other(fd, 'x', 1, 1000));
	EXPECT_EQ(-1, fs_find_other(fd, 'b', LEN, 1001));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(1, pread(fd, &byte, 1, 1001 + i * (LEN - 1)));
	close(fd);
	close(again);
	close(b.uffd);
	munmap(b.p, LEN);
}

/* A killed one ends. */
TEST_F(main, stuck_calls_can_be_killed)
{
	int fd = fs_file("file", 4 * UNIT), status;
	struct buffer b;
	pid_t pid;

	for (int i = READ; i <= WRITE; i++) {
		ASSERT_OK(make_buffer(&b, 0));
		pid = fork();
		if (!pid) {
			/* The region belongs to the parent: register it here. */
			munmap(b.p, LEN);
			close(b.uffd);
			if (make_buffer(&b, 0))
				_exit(1);
			if (i == READ)
				pread(fd, b.p, LEN, 0);
			else
				pwrite(fd, b.p, LEN, 0);
			_exit(0);
		}
		usleep(300000);
		EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
		kill(pid, SIGKILL);
		EXPECT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		close(b.uffd);
		munmap(b.p, LEN);
	}
	close(fd);
}

/* Buffers whose pages are removed all the time */

static volatile bool dropping;

static void *drop_fn(void *p)
{
	while (dropping) {
		madvise(p, LEN, MADV_DONTNEED);
		usleep(2000);
	}
	return NULL;
}

TEST_F(main, buffers_that_lose_their_pages_are_copied_whole)
{
	int fd = fs_file("file", 0), tmp = open("/tmp/buffer", O_RDWR | O_CREAT | O_TRUNC, 0600);
	pthread_t thread;
	unsigned char *p;
	size_t i;

	ASSERT_OK(ftruncate(tmp, LEN));
	p = mmap(NULL, LEN, RW, MAP_SHARED, tmp, 0);
	ASSERT_NE(MAP_FAILED, p);
	dropping = true;
	ASSERT_OK(pthread_create(&thread, NULL, drop_fn, p));
	for (i = 1; i < 12; i++) {
		memset(p, i, LEN);
		ASSERT_EQ(LEN, pwrite(fd, p, LEN, i * 1000));
		ASSERT_EQ(-1, fs_find_other(fd, i, LEN, i * 1000));
		memset(p, 0, LEN);
		ASSERT_EQ(LEN, pread(fd, p, LEN, i * 1000));
		ASSERT_EQ(i, p[0]);
		ASSERT_EQ(0, memcmp(p, p + 1, LEN - 1));
		if (i % 5 == 0)
			ASSERT_OK(ftruncate(fd, 0));
	}
	dropping = false;
	pthread_join(thread, NULL);
	munmap(p, LEN);
	close(tmp);
	unlink("/tmp/buffer");
	close(fd);
}

/* Splice a page of every 4 MiB into pipes, as any user may, and wait */
static void __attribute__((noreturn)) pin_pages(uint64_t bytes, int ready)
{
	int fds[2], n = 0;
	struct iovec iov;
	char *p;

	if (setgid(65534) || setuid(65534))
		_exit(2);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		_exit(3);
	madvise(p, bytes, MADV_HUGEPAGE);
	for (uint64_t at = 0; at < bytes; at += 4096)
		p[at] = 1;
	for (uint64_t at = 0; at < bytes; at += 4 * MIB) {
		if (n++ % 16 == 0 && pipe(fds))
			_exit(4);
		iov = (struct iovec){ .iov_base = p + at, .iov_len = 4096 };
		if (vmsplice(fds[1], &iov, 1, SPLICE_F_NONBLOCK) != 4096)
			_exit(5);
	}
	if (write(ready, "", 1) != 1)
		_exit(6);
	for (;;)
		pause();
}

TEST_F(main, grow_over_pinned_pages_ends_at_its_timeout)
{
	uint64_t bytes = vm_meminfo("MemAvailable") * 6 / 10;
	int ready[2];
	pid_t pid;
	char c, *out;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid)
		pin_pages(bytes, ready[1]);
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	vm_run(&out, CTL "pool grow 64G --timeout 2");
	TH_LOG("%s", out);
	EXPECT_NE(NULL, strstr(out, "pinned or not movable"));
	free(out);
	/* Still there, as it was */
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
}

TEST_HARNESS_MAIN
