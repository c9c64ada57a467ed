// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stuck.h"

#define PAGE	4096UL

int stuck_buffer_make(struct stuck_buffer *b, size_t from)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	b->p = mmap(NULL, STUCK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	b->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (b->p == MAP_FAILED || b->uffd < 0 || ioctl(b->uffd, UFFDIO_API, &api) ||
	    madvise(b->p, STUCK_LEN, MADV_NOHUGEPAGE))
		return -1;
	memset(b->p, 'b', from);
	r.range.start = (uintptr_t)b->p;
	r.range.len = STUCK_LEN;
	return ioctl(b->uffd, UFFDIO_REGISTER, &r);
}

bool stuck_wait(const struct stuck_buffer *b)
{
	struct pollfd pfd = { .fd = b->uffd, .events = POLLIN };
	struct uffd_msg msg;

	return poll(&pfd, 1, 60000) == 1 && read(b->uffd, &msg, sizeof(msg)) == sizeof(msg) &&
	       msg.event == UFFD_EVENT_PAGEFAULT;
}

int stuck_supply(const struct stuck_buffer *b, size_t from, int value)
{
	char *page = aligned_alloc(PAGE, PAGE);
	struct uffdio_copy copy = { .src = (uintptr_t)page, .len = PAGE };

	memset(page, value, PAGE);
	for (; from < STUCK_LEN; from += PAGE) {
		copy.dst = (uintptr_t)b->p + from;
		copy.copy = 0;
		if (ioctl(b->uffd, UFFDIO_COPY, &copy))
			return -1;
	}
	free(page);
	return 0;
}

static void *call_fn(void *arg)
{
	struct stuck_call *c = arg;
	struct fiemap *map;

	switch (c->what) {
	case STUCK_READ:
		c->ret = pread(c->fd, c->b->p, STUCK_LEN, c->pos);
		break;
	case STUCK_WRITE:
		c->ret = pwrite(c->fd, c->b->p, STUCK_LEN, c->pos);
		break;
	case STUCK_APPEND:
		c->ret = write(c->fd, c->b->p, STUCK_LEN);
		break;
	case STUCK_MAP:
		/* Its header is present; the extents are not. */
		map = (void *)(c->b->p + c->from - sizeof(*map));
		*map = (struct fiemap){ .fm_length = ~0ULL, .fm_extent_count = 1000 };
		c->ret = ioctl(c->fd, FS_IOC_FIEMAP, map);
		break;
	}
	c->err = errno;
	return NULL;
}

int stuck_start(struct stuck_call *c, struct stuck_buffer *b, int fd, off_t pos, size_t from,
		int what)
{
	*c = (struct stuck_call){ .b = b, .fd = fd, .pos = pos, .from = from, .what = what };
	return pthread_create(&c->thread, NULL, call_fn, c);
}
