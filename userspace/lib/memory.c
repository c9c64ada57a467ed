// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libpkram: memory blocks in sysfs. The kernel adds back memory that a shrink
 * frees; whether it also starts to use it depends on the host's auto_online
 * policy and udev rules (Documentation/admin-guide/mm/memory-hotplug.rst).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"
#include "read_file.h"

#define POLL_MS	20

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int block_size(const char *sysfs, uint64_t *size)
{
	char path[512], buf[32], *end;
	int err;

	snprintf(path, sizeof(path), "%s/block_size_bytes", sysfs);
	err = pkram_read_line(path, buf, sizeof(buf));
	if (err)
		return err;
	*size = strtoull(buf, &end, 16);
	return *end || !*size ? -EINVAL : 0;
}

static int online_block(const char *state, unsigned int timeout_ms)
{
	struct timespec nap = { .tv_nsec = POLL_MS * 1000000L };
	unsigned int waited;
	char buf[32];
	int err, werr = 0;

	for (waited = 0;; waited += POLL_MS) {
		err = pkram_read_line(state, buf, sizeof(buf));
		if (err)
			return err;
		if (!strcmp(buf, "online"))
			return 0;
		/*
		 * The write returns when the block is online. It fails with EINVAL if udev
		 * was faster: therefore read the state again.
		 */
		if (!strcmp(buf, "offline") && !waited) {
			werr = write_text(state, "online");
			continue;
		}
		if (werr && waited > POLL_MS)
			return werr;
		if (waited >= timeout_ms)
			return -ETIMEDOUT;
		nanosleep(&nap, NULL);
	}
}

static const char *explain(int err)
{
	switch (err) {
	case -ENOENT:
		return "the kernel has no memory block for it";
	case -ETIMEDOUT:
		return "the memory block did not come online in time";
	default:
		return strerror(-err);
	}
}

int pkram_memory_online(const char *sysfs, uint64_t base, uint64_t size,
			unsigned int timeout_ms, struct pkram_span ***tail)
{
	uint64_t block, from = base, to, end = base + size;
	struct pkram_span *last = NULL;
	struct pkram_span **mine;
	char path[512];
	int err;

	err = block_size(sysfs, &block);
	if (err)
		return pkram_span_add(tail, base, size, -err,
				      "the kernel has no memory hotplug");

	for (; from < end; from = to) {
		to = (from / block + 1) * block;
		if (to > end)
			to = end;
		snprintf(path, sizeof(path), "%s/memory%" PRIu64 "/state",
			 sysfs, from / block);
		err = online_block(path, timeout_ms);
		if (!err)
			continue;
		if (last && last->err == -err && last->base + last->size == from) {
			last->size += to - from;
			continue;
		}
		mine = *tail;
		err = pkram_span_add(tail, from, to - from, -err, explain(err));
		if (err)
			return err;
		last = *mine;
	}
	return 0;
}
