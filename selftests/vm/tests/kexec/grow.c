// SPDX-License-Identifier: GPL-2.0
/* Grow under pressure, shrink, and grow again */
#include <errno.h>
#include <fcntl.h>
#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"

#define SECRET	0x5ec2e7000000beefULL

FIXTURE(pool) {};
FIXTURE_SETUP(pool) {}
FIXTURE_TEARDOWN(pool) {}

/* A process whose memory contains a pattern, which it verifies on request */
struct holder {
	pid_t pid;
	int ask[2], ready[2];
};

/* Start it, and wait until it has written all of its memory */
static int hold(struct holder *h, uint64_t bytes)
{
	uint64_t *p;
	char c = 1;

	if (pipe(h->ask) || pipe(h->ready))
		return -errno;
	h->pid = fork();
	if (h->pid < 0)
		return -errno;
	if (h->pid) {
		close(h->ask[0]);
		close(h->ready[1]);
		return read(h->ready[0], &c, 1) == 1 ? 0 : -EIO;
	}
	close(h->ask[1]);
	close(h->ready[0]);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		_exit(2);
	/* Debian's kernels use huge pages anyway; the debug kernel takes minutes without them. */
	madvise(p, bytes, MADV_HUGEPAGE);
	vm_fill_sparse(p, bytes, 4096, 9, 0);
	if (write(h->ready[1], &c, 1) != 1)
		_exit(3);
	while (read(h->ask[0], &c, 1) < 0)
		;
	_exit(vm_verify_sparse(p, bytes, 4096, 9, 0) == -1 ? 0 : 1);
}

static int holder_kept_all(struct holder *h)
{
	int status;

	close(h->ask[1]);
	waitpid(h->pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(pool, grow_under_memory_pressure)
{
	struct holder h;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, hold(&h, vm_meminfo("MemAvailable") * 45 / 100));
	EXPECT_EQ(0, pool_grow(1));
	EXPECT_EQ(GIB, pool_number("size"));
	EXPECT_TRUE(holder_kept_all(&h));
}

TEST_F(pool, partial_grow_is_explained)
{
	long long before = pool_number("size");
	char *out;

	/* More than there is: a part is taken, the rest is refused with reasons. */
	EXPECT_EQ(3, vm_run(&out, CTL "pool grow 64G"));
	EXPECT_NE(NULL, strstr(out, "refused"));
	EXPECT_TRUE(strstr(out, "in use by the kernel") ||
		    strstr(out, "too little memory"));
	free(out);
	EXPECT_LT(before, pool_number("size"));
	/* The system still has memory. */
	EXPECT_LT((long long)(200 * MIB), vm_meminfo("MemAvailable"));
}

TEST_F(pool, grow_that_leaves_too_little_is_refused)
{
	struct holder h;
	char *out;

	ASSERT_EQ(0, hold(&h, vm_meminfo("MemAvailable") * 7 / 10));
	EXPECT_EQ(1, vm_run(&out, CTL "pool grow 1G"));
	free(out);
	EXPECT_TRUE(holder_kept_all(&h));
}

/* Return whether a word occurs in RAM of this kernel in [start, end] */
static int ram_has(uint64_t start, uint64_t end, uint64_t secret)
{
	int fd = open("/proc/kcore", O_RDONLY), i, found = -1;
	Elf64_Phdr *ph = malloc(65536);
	uint64_t *buf = malloc(MIB), pos, k;
	Elf64_Ehdr eh;

	if (fd < 0 || read(fd, &eh, sizeof(eh)) != sizeof(eh) ||
	    pread(fd, ph, eh.e_phnum * sizeof(*ph), eh.e_phoff) < 0)
		return -1;
	for (i = 0; i < eh.e_phnum; i++) {
		if (ph[i].p_paddr == ~(Elf64_Addr)0 || ph[i].p_paddr > start ||
		    ph[i].p_paddr + ph[i].p_memsz <= end)
			continue;
		found = 0;
		for (pos = start; pos < end; pos += MIB) {
			if (pread(fd, buf, MIB, ph[i].p_offset + pos -
				  ph[i].p_paddr) != MIB)
				continue;
			for (k = 0; k < MIB / 8; k += 512)
				found += buf[k] == secret;
		}
	}
	free(ph);
	free(buf);
	close(fd);
	return found;
}

TEST_F(pool, shrink_zeroes_memory)
{
	uint64_t gone, *p, i, len;
	long long total;
	char *out;
	int fd;

	fd = open(PKRAM_MNT "/secret", O_RDWR | O_CREAT, 0600);
	ASSERT_LE(0, fd);
	len = pool_number("free") / MIB * MIB;
	ASSERT_EQ(0, ftruncate(fd, len));
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	for (i = 0; i < len / 8; i += 512)
		p[i] = SECRET;
	munmap(p, len);
	close(fd);
	ASSERT_EQ(0, unlink(PKRAM_MNT "/secret"));
	total = vm_meminfo("MemTotal");
	ASSERT_EQ(0, vm_run(&out, CTL "pool shrink 1G"));
	EXPECT_LT(total + (long long)(900 * MIB), vm_meminfo("MemTotal"));
	ASSERT_NE(NULL, strstr(out, "0x"));
	gone = strtoull(strstr(out, "0x"), NULL, 0);
	free(out);
	EXPECT_TRUE(vm_iomem_under(gone, gone + GIB - 1, "System RAM"));
	EXPECT_EQ(0, ram_has(gone, gone + GIB - 1, SECRET));
}

TEST_F(pool, regrown_memory_is_zero)
{
	uint64_t *p, i, len, bad = 0;
	int fd;

	ASSERT_EQ(0, pool_churn(GIB, 0xff));
	EXPECT_EQ(0, pool_grow(1));
	fd = open(PKRAM_MNT "/new", O_RDWR | O_CREAT, 0600);
	ASSERT_LE(0, fd);
	len = pool_number("free") / MIB * MIB;
	ASSERT_EQ(0, ftruncate(fd, len));
	p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	for (i = 0; i < len / 8; i += 64)
		bad += !!p[i];
	EXPECT_EQ(0, bad);
	munmap(p, len);
	close(fd);
	ASSERT_EQ(0, unlink(PKRAM_MNT "/new"));
}

TEST_F(pool, shrink_keeps_used_memory)
{
	char *out;

	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/keep", 8 * MIB, 5));
	/* All unused GiB may go; the file stays, and the reason is printed. */
	EXPECT_NE(0, vm_run(&out, CTL "pool shrink 64G"));
	EXPECT_TRUE(strstr(out, "head") || strstr(out, "in use"));
	TH_LOG("%s", out);
	free(out);
	EXPECT_LE((long long)GIB, pool_number("size"));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/keep", 8 * MIB, 5));
}

FIXTURE(next) {};
FIXTURE_SETUP(next) {}
FIXTURE_TEARDOWN(next) {}

TEST_F(next, memory_of_an_earlier_kernel_can_be_returned)
{
	long long total = vm_meminfo("MemTotal");

	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/keep", 8 * MIB, 5));
	ASSERT_EQ(0, unlink(PKRAM_MNT "/keep"));
	EXPECT_NE(1, vm_run(NULL, CTL "pool shrink 64G"));
	EXPECT_EQ(0, pool_number("regions"));
	EXPECT_LT(total + (long long)(900 * MIB), vm_meminfo("MemTotal"));
	EXPECT_EQ(0, pool_churn(GIB, 0xff));
	EXPECT_EQ(0, pool_down());
}

TEST_HARNESS_MAIN
