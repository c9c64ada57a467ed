// SPDX-License-Identifier: GPL-2.0
/* Grow under pressure, shrink, and grow again */
#include <errno.h>
#include <fcntl.h>
#include <elf.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"
#include "tiny_image.h"

#define SECRET	0x5ec2e7000000beefULL

STAGE(pool)

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

static bool crash_kernel_listed(void)
{
	uint64_t start, end;

	/* The list is read in several calls, between which entries move: look twice. */
	return vm_iomem_find("Crash kernel", 0, &start, &end) ||
	       vm_iomem_find("Crash kernel", 0, &start, &end);
}

/* kdump reads the place of its memory there at any time. */
TEST_F(pool, entries_within_ram_stay_in_the_memory_map)
{
	uint64_t start, end;
	int status;
	pid_t pid;

	ASSERT_TRUE(crash_kernel_listed());
	pid = fork();
	if (!pid) {
		while (crash_kernel_listed())
			usleep(1000);
		_exit(1);
	}
	EXPECT_EQ(0, pool_grow(1));
	/* What cannot be taken (--timeout, or in use) leaves the map as it was: all, or a part. */
	EXPECT_NE(0, vm_run(NULL, CTL "pool grow 64G --timeout 1"));
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ASSERT_TRUE(vm_iomem_find("Crash kernel", 0, &start, &end));
	EXPECT_TRUE(vm_iomem_under(start, end, "System RAM"));
	EXPECT_EQ(0, vm_run(NULL, CTL "pool shrink 64G || :"));
}

TEST_F(pool, partial_grow_is_explained)
{
	long long before = pool_number("size");
	char *out;

	/* More than there is: a part is taken, the rest is refused with reasons. */
	EXPECT_EQ(3, vm_run(&out, CTL "pool grow 64G --timeout 60"));
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

#define BLOCKS		"/sys/devices/system/memory"
#define MAX_BLOCKS	1024
#define INJECT		"/sys/kernel/debug/notifier-error-inject/memory/actions/MEM_GOING_ONLINE/error"
#define OFFLINE_TEXT	"was given back but is offline"

/* Return 1 for a memory block that is online, 0 for another one, -1 if there is none */
static int block_online(int n)
{
	char path[64], *state;
	int ret = -1;

	snprintf(path, sizeof(path), BLOCKS "/memory%d/state", n);
	state = vm_read_file(path);
	if (state)
		ret = !strncmp(state, "online", strlen("online"));
	free(state);
	return ret;
}

/* Count the lines of the kernel log with a text. */
static int logged(const char *text)
{
	char *log = vm_kmsg(), *p = log;
	int n = 0;

	while (p && (p = strstr(p, text))) {
		p++;
		n++;
	}
	free(log);
	return n;
}

/*
 * Make a grow fail that has taken a GiB, by a kexec image that is loaded meanwhile, and let
 * only the first block of the GiB come online again.
 */
static void hinder_grow(const bool *blocks, int per_gib)
{
	bool taken = false;
	int first, n;

	do {
		for (n = 0; !blocks[n] || block_online(n) == 1; n = (n + 1) % MAX_BLOCKS)
			;
		first = n - n % per_gib;
		tiny_image_load();
		/* A GiB that cannot be taken comes online without having been removed. */
		while ((n = block_online(first)) != 1)
			taken |= n < 0;
	} while (!taken);
	vm_write_file(INJECT, "-12");
}

/* Grow once, hindered. Return whether only a part of a GiB is online after it */
static bool grow_leaves_part_online(bool *blocks, int per_gib, char **out)
{
	bool part = false;
	pid_t pid;
	int n;

	for (n = 0; n < MAX_BLOCKS; n++)
		blocks[n] = block_online(n) == 1;
	pid = fork();
	if (!pid) {
		hinder_grow(blocks, per_gib);
		_exit(0);
	}
	if (!vm_run(out, CTL "pool grow 1G"))
		vm_run(NULL, CTL "pool shrink 1G");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	vm_write_file(INJECT, "0");
	tiny_image_unload();
	for (n = 0; n < MAX_BLOCKS; n++)
		part |= blocks[n] && !block_online(n) && block_online(n - n % per_gib) == 1;
	return part;
}

/* Events of memory blocks, as udev receives them */
enum { EVENT_OFFLINE, EVENT_REMOVE, EVENT_OTHER, NR_EVENTS };

static int events_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT), size = MIB;

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		return -1;
	return fd;
}

static int events_read(int fd, int count[MAX_BLOCKS][NR_EVENTS])
{
	char text[4096], action[16];
	ssize_t len;
	int n;

	while ((len = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[len] = '\0';
		if (sscanf(text, "%15[a-z]@/devices/system/memory/memory%d", action, &n) != 2 ||
		    n >= MAX_BLOCKS)
			continue;
		count[n][!strcmp(action, "offline") ? EVENT_OFFLINE :
			 !strcmp(action, "remove") ? EVENT_REMOVE : EVENT_OTHER]++;
	}
	return errno == EAGAIN ? 0 : -errno;
}

/* The kernel's core sends one each when it goes offline and when it is removed (docs/kernels.md). */
TEST_F(pool, block_that_is_taken_sends_two_events)
{
	static int count[MAX_BLOCKS][NR_EVENTS];
	char *size = vm_read_file(BLOCKS "/block_size_bytes");
	int fd = events_open(), n, removed = 0;

	ASSERT_LE(0, fd);
	ASSERT_NE(NULL, size);
	if (!vm_module_loaded("pkram"))
		ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(1));
	ASSERT_EQ(0, events_read(fd, count));
	for (n = 0; n < MAX_BLOCKS; n++) {
		removed += count[n][EVENT_REMOVE];
		if (!count[n][EVENT_REMOVE])
			continue;
		EXPECT_EQ(1, count[n][EVENT_REMOVE]);
		EXPECT_EQ(1, count[n][EVENT_OFFLINE]);
		EXPECT_EQ(0, count[n][EVENT_OTHER]);
	}
	EXPECT_EQ((long)(GIB / strtoull(size, NULL, 16)), removed);
	EXPECT_EQ(0, vm_run(NULL, CTL "pool shrink 1G"));
	free(size);
	close(fd);
}

/* All blocks of the GiB are looked at, not only the first. */
TEST_F_TIMEOUT(pool, give_back_that_is_partly_offline_is_logged, 240)
{
	char *policy = vm_read_file(BLOCKS "/auto_online_blocks"), *size, *out;
	bool blocks[MAX_BLOCKS], part = false;
	int before, i, n, per_gib;

	if (access(INJECT, F_OK))
		SKIP(return, "the kernel has no memory-notifier-error-inject");
	size = vm_read_file(BLOCKS "/block_size_bytes");
	ASSERT_NE(NULL, size);
	ASSERT_NE(NULL, policy);
	per_gib = GIB / strtoull(size, NULL, 16);
	free(size);
	if (per_gib < 2)
		SKIP(return, "a memory block is a GiB");
	ASSERT_EQ(0, tiny_image_make());
	ASSERT_EQ(0, vm_write_file(BLOCKS "/auto_online_blocks", "online"));
	/* The two processes race. */
	for (i = 0; i < 8 && !part; i++) {
		before = logged(OFFLINE_TEXT);
		part = grow_leaves_part_online(blocks, per_gib, &out);
		TH_LOG("%s", out);
		if (part) {
			EXPECT_NE(NULL, strstr(out, "loaded meanwhile"));
			EXPECT_EQ(before + 1, logged(OFFLINE_TEXT));
		}
		free(out);
		for (n = 0; n < MAX_BLOCKS; n++)
			if (blocks[n] && !block_online(n)) {
				EXPECT_EQ(0, vm_run(NULL, "echo online >" BLOCKS "/memory%d/state",
						    n));
			}
	}
	EXPECT_TRUE(part);
	EXPECT_EQ(0, vm_write_file(BLOCKS "/auto_online_blocks", policy));
	free(policy);
}

/* Where grow.conf puts a DIMM that is not in the boot's memory map */
#define DIMM		0x300000000ULL

/* The next kernel would not know that memory: it is left alone, and lower memory is taken. */
TEST_F(pool, memory_added_after_the_boot_is_not_taken)
{
	char *size = vm_read_file(BLOCKS "/block_size_bytes"), *out;
	int first, n, nr;

	ASSERT_NE(NULL, size);
	first = DIMM / strtoull(size, NULL, 16);
	nr = GIB / strtoull(size, NULL, 16);
	free(size);
	if (block_online(first) < 0)
		SKIP(return, "the kernel cannot add memory by ACPI");
	for (n = first; n < first + nr; n++)
		vm_run(NULL, "echo online >" BLOCKS "/memory%d/state", n);
	EXPECT_EQ(1, block_online(first + nr - 1));
	EXPECT_EQ(0, vm_run(&out, CTL "pool grow 1G --timeout 60"));
	TH_LOG("%s", out);
	EXPECT_NE(NULL, strstr(out, "added after the boot"));
	free(out);
	EXPECT_TRUE(vm_iomem_under(DIMM, DIMM + GIB - 1, "System RAM"));
	EXPECT_EQ(0, vm_run(NULL, CTL "pool shrink 1G"));
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

STAGE(next)

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
