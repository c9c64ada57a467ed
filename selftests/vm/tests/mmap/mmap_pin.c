// SPDX-License-Identifier: GPL-2.0
/* Mappings used by others: direct I/O, pins, access by other processes, core dumps */
#include <elf.h>
#include <liburing.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/user.h>

#include "mmap_fixture.h"

#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* One mapping of each leaf size */

struct mapping {
	const char *name;
	size_t len, skew;
	int fd;
	char *p;
	uint64_t g, m;		/* number of 1G and 2M leaves after the first access */
};

static struct mapping kinds[] = {
	{ .name = "1g", .len = GIB, .skew = 0, .g = 1 },
	{ .name = "2m", .len = 8 * UNIT, .skew = 0, .m = 8 },
	{ .name = "4k", .len = 8 * UNIT, .skew = PAGE },
};

/* Map a file whose memory was not touched; of the 1G mapping not even since the pool was grown */
static struct mapping *make_mapping(struct __test_metadata *_metadata, int i)
{
	struct mapping *k = &kinds[i];
	char *at = reserve(k->len, k->skew);

	k->fd = fs_file(k->name, k->len);
	ASSERT_LE(0, k->fd);
	k->p = map_file_at(k->fd, at, k->len, 0);
	ASSERT_EQ(at, k->p);
	return k;
}

static void drop_mapping(struct __test_metadata *_metadata, struct mapping *k)
{
	EXPECT_OK(munmap(k->p, k->len));
	EXPECT_LEAVES(k->fd, 0, 0, 0);
	close(k->fd);
	EXPECT_OK(unlink(k->name));
}

#define FOR_EACH_KIND(k)						\
	for (int i_ = 0; i_ < 3 && (k = make_mapping(_metadata, i_));	\
	     drop_mapping(_metadata, k), i_++)

/* Direct I/O */

/* Between @k and a file, from and to the middle, across the boundary of two units */
static void direct_io(struct __test_metadata *_metadata, struct mapping *k, int fd)
{
	size_t at = k->len / 2 - 5 * PAGE, n = 64 * PAGE;
	char *buf = aligned_alloc(PAGE, n), *p = k->p + at;

	/* The kernel is the first to touch the memory. */
	vm_fill(buf, n, 1, 0);
	EXPECT_EQ(n, pwrite(fd, buf, n, 0));
	EXPECT_EQ(n, pread(fd, p, n, 0)) {
		TH_LOG("%s: %s", k->name, strerror(errno));
	}
	EXPECT_EQ(-1, vm_verify(p, n, 1, 0));
	EXPECT_EQ(-1, vm_verify_zero(p - PAGE, PAGE));
	EXPECT_EQ(-1, vm_verify_zero(p + n, PAGE));
	/* Read from it */
	vm_fill(p, n, 2, 0);
	EXPECT_EQ(n, pwrite(fd, p, n, 0));
	memset(buf, 0, n);
	EXPECT_EQ(n, pread(fd, buf, n, 0));
	EXPECT_EQ(-1, vm_verify(buf, n, 2, 0));
	/* Memory without write permission is not written. */
	EXPECT_OK(mprotect(p, n, PROT_READ));
	EXPECT_ERR(EFAULT, pread(fd, p, n, 0));
	EXPECT_EQ(n, pwrite(fd, p, n, 0));
	EXPECT_OK(mprotect(p, n, RW));
	EXPECT_EQ(-1, vm_verify(p, n, 2, 0));
	free(buf);
}

static void direct_io_with(struct __test_metadata *_metadata, const char *path)
{
	int fd = open(path, O_RDWR | O_DIRECT | O_CREAT, 0644);
	struct mapping *k;

	ASSERT_LE(0, fd) {
		TH_LOG("%s: %s", path, strerror(errno));
	}
	FOR_EACH_KIND(k)
		direct_io(_metadata, k, fd);
	close(fd);
	EXPECT_EQ(0, pool_number("pending"));
}

/*
 * A disk whose driver copies. A kernel without brd, such as the debug kernel, uses a loop
 * device.
 */
TEST_F(map, direct_io_with_a_ram_disk)
{
	const char *disk = "/dev/ram0";

	if (access(disk, F_OK)) {
		disk = "/dev/loop0";
		ASSERT_OK(vm_run(NULL, "truncate -s 1M /tmp/disk && losetup %s /tmp/disk",
				 disk));
	}
	direct_io_with(_metadata, disk);
}

TEST_F(map, direct_io_with_a_virtio_disk)
{
	direct_io_with(_metadata, "/dev/vda");
}

TEST_F(map, direct_io_with_pkramfs)
{
	direct_io_with(_metadata, "another");
}

/* Other processes */

TEST_F(map, process_vm_readv_and_writev)
{
	struct mapping *k;
	char *buf = malloc(UNIT);
	pid_t pid;

	FOR_EACH_KIND(k) {
		size_t at = k->len / 2 - UNIT / 2;
		struct iovec l = { buf, UNIT }, r = { k->p + at, UNIT };

		IN_CHILD(pid) {
			pause();
		}
		memset(buf, 0xff, UNIT);
		EXPECT_EQ(UNIT, process_vm_readv(pid, &l, 1, &r, 1, 0));
		EXPECT_EQ(-1, vm_verify_zero(buf, UNIT));
		vm_fill(buf, UNIT, 3, 0);
		EXPECT_EQ(UNIT, process_vm_writev(pid, &l, 1, &r, 1, 0));
		kill(pid, SIGKILL);
		wait_for(pid);
		EXPECT_EQ(-1, vm_verify(k->p + at, UNIT, 3, 0));
	}
	free(buf);
}

/* A child that stops, then answers whether the word at @at is @want */
static pid_t traced_child(char *at, uint64_t want)
{
	pid_t pid;

	IN_CHILD(pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(*(volatile uint64_t *)at != want);
	}
	waitpid(pid, NULL, 0);
	return pid;
}

static long peek(pid_t pid, void *at)
{
	errno = 0;
	return ptrace(PTRACE_PEEKDATA, pid, at, NULL);
}

static void trace(struct __test_metadata *_metadata, struct mapping *k)
{
	char *at = k->p + k->len / 2 + 8, path[64];
	pid_t pid = traced_child(at, 0x1234567);
	uint64_t v = 0xff;
	int fd;

	/* Not touched in this kernel yet */
	EXPECT_EQ(0, peek(pid, at));
	EXPECT_EQ(0, errno) {
		TH_LOG("%s: peek: %s", k->name, strerror(errno));
	}
	EXPECT_OK(ptrace(PTRACE_POKEDATA, pid, at, 0x1234567));
	EXPECT_EQ(0x1234567, peek(pid, at));
	/* A hole */
	EXPECT_OK(fallocate(k->fd, PUNCH, UNIT, UNIT));
	EXPECT_EQ(0, peek(pid, k->p + UNIT + 8));
	EXPECT_EQ(0, errno);
	EXPECT_OK(fallocate(k->fd, PUNCH, UNIT, UNIT));
	EXPECT_OK(ptrace(PTRACE_POKEDATA, pid, k->p + UNIT + 8, 77));
	EXPECT_EQ(77, *(uint64_t *)(k->p + UNIT + 8));
	/* Across the boundary of a present page and a missing one */
	EXPECT_OK(fallocate(k->fd, PUNCH, UNIT, UNIT));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(8, pwrite(fd, "abcdefgh", 8, (uintptr_t)k->p + UNIT - 4));
	EXPECT_EQ(8, pread(fd, &v, 8, (uintptr_t)k->p + UNIT - 4));
	EXPECT_EQ(0, memcmp(&v, "abcdefgh", 8));
	EXPECT_EQ(0, memcmp(k->p + UNIT - 4, "abcdefgh", 8));
	close(fd);
	/* Tracers may read memory without read permission, but not write to shared memory. */
	EXPECT_OK(ptrace(PTRACE_CONT, pid, NULL, NULL));
	EXPECT_EQ(0, wait_for(pid));
	EXPECT_OK(mprotect(k->p, k->len, PROT_NONE));
	EXPECT_OK(fallocate(k->fd, PUNCH, UNIT, UNIT));
	pid = traced_child(at, 0);
	EXPECT_EQ(0x1234567, peek(pid, at));
	EXPECT_EQ(0, peek(pid, k->p + UNIT));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, at, 1));
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, k->p + UNIT + PAGE, 1));
	kill(pid, SIGKILL);
	wait_for(pid);
	EXPECT_OK(mprotect(k->p, k->len, RW));
	EXPECT_EQ(0x1234567, *(uint64_t *)at);
}

TEST_F(map, ptrace_reads_and_writes)
{
	struct mapping *k;

	FOR_EACH_KIND(k)
		trace(_metadata, k);
}

TEST_F(map, ptrace_past_eof_is_eio)
{
	int fd = fs_file("file", 100);
	char *p = map_file(fd, UNIT);
	pid_t pid = traced_child(p, 0);

	EXPECT_EQ(0, peek(pid, p));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(-1, peek(pid, p + PAGE));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, p + PAGE, 1));
	EXPECT_OK(ptrace(PTRACE_CONT, pid, NULL, NULL));
	EXPECT_EQ(0, wait_for(pid));
	close(fd);
}

/* Long-term pins */

/*
 * Delete the file of @k, which is pinned: pinned memory must not be reused. All other
 * memory of the pool is filled with a taint.
 *
 * Return: number of pending bytes
 */
static uint64_t delete_pinned(struct __test_metadata *_metadata, struct mapping *k)
{
	long long pending;
	size_t n;
	int fd;

	EXPECT_OK(munmap(k->p, k->len));
	close(k->fd);
	EXPECT_OK(unlink(k->name));
	pending = pool_number("pending");
	EXPECT_LE(UNIT, pending);
	EXPECT_GE(k->len, pending);
	fd = fs_file("secret", 0);
	for (n = fs_free() / UNIT * UNIT; n >= UNIT && ftruncate(fd, n); n -= UNIT)
		;
	taint(fd);
	close(fd);
	EXPECT_EQ(pending, pool_number("pending"));
	return pending;
}

static void all_came_back(struct __test_metadata *_metadata, uint64_t free)
{
	EXPECT_OK(unlink("secret"));
	EXPECT_EQ(0, pool_number("pending"));
	EXPECT_EQ(free, fs_free());
}

TEST_F(map, vmsplice_pins_memory_of_unlinked_file)
{
	for (int i = 0; i < 3; i++) {
		uint64_t free_before = fs_free();
		struct mapping *k = make_mapping(_metadata, i);
		char *buf = malloc(8 * PAGE);
		struct iovec iov = { k->p + 3 * UNIT, 8 * PAGE };
		int pipes[2];

		vm_fill(k->p + 3 * UNIT, 8 * PAGE, 4, 0);
		ASSERT_OK(pipe(pipes));
		ASSERT_EQ(8 * PAGE, vmsplice(pipes[1], &iov, 1, 0));
		delete_pinned(_metadata, k);
		EXPECT_EQ(8 * PAGE, read(pipes[0], buf, 8 * PAGE));
		EXPECT_EQ(-1, vm_verify(buf, 8 * PAGE, 4, 0));
		close(pipes[0]);
		close(pipes[1]);
		free(buf);
		all_came_back(_metadata, free_before);
	}
}

TEST_F(map, pinned_memory_blocks_rmmod)
{
	struct mapping *k = make_mapping(_metadata, 1);
	struct iovec iov = { k->p, PAGE };
	int pipes[2];

	*k->p = 1;
	ASSERT_OK(pipe(pipes));
	ASSERT_EQ(PAGE, vmsplice(pipes[1], &iov, 1, 0));
	munmap(k->p, k->len);
	close(k->fd);
	ASSERT_OK(chdir("/"));
	ASSERT_OK(fs_empty(PKRAM_MNT));
	ASSERT_OK(vm_umount(PKRAM_MNT));
	EXPECT_EQ(-EAGAIN, vm_rmmod("pkram"));
	close(pipes[0]);
	close(pipes[1]);
	/* The memory becomes free without further action. */
	VM_WAIT(!vm_rmmod("pkram"));
	EXPECT_FALSE(vm_module_loaded("pkram"));
	ASSERT_OK(pool_up(NULL));
}

/* Registered buffers: the memory is pinned long-term. @fd is a device. */
static int fixed_io(struct io_uring *ring, bool write, int fd, void *p, size_t n)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int ret;

	if (write)
		io_uring_prep_write_fixed(sqe, fd, p, n, 0, 0);
	else
		io_uring_prep_read_fixed(sqe, fd, p, n, 0, 0);
	ret = io_uring_submit_and_wait(ring, 1);
	if (ret < 0)
		return ret;
	ret = io_uring_wait_cqe(ring, &cqe);
	if (ret < 0)
		return ret;
	ret = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

TEST_F(map, io_uring_registered_buffers)
{
	int disk = open("/dev/vda", O_RDWR | O_DIRECT);

	ASSERT_LE(0, disk);
	for (int i = 0; i < 3; i++) {
		uint64_t free_before = fs_free();
		struct mapping *k = make_mapping(_metadata, i);
		size_t at = 3 * UNIT - 8 * PAGE, n = 16 * PAGE;
		struct iovec iov = { k->p + at, n };
		char *buf = aligned_alloc(PAGE, n);
		struct io_uring ring;
		int ret;

		ASSERT_OK(io_uring_queue_init(4, &ring, 0));
		/* It does not wait for faults: missing pages are EFAULT. */
		if (is_6_1())
			memset(k->p + at, 1, n);
		ret = io_uring_register_buffers(&ring, &iov, 1);
		if (is_6_1()) {
			/* 6.1 accepts only files of shmem and hugetlbfs. */
			EXPECT_EQ(-EOPNOTSUPP, ret);
			io_uring_queue_exit(&ring);
			drop_mapping(_metadata, k);
			free(buf);
			EXPECT_EQ(0, pool_number("pending"));
			continue;
		}
		ASSERT_EQ(0, ret) {
			TH_LOG("%s: %s", k->name, strerror(-ret));
		}
		vm_fill(k->p + at, n, 5, 0);
		EXPECT_EQ(n, fixed_io(&ring, true, disk, k->p + at, n));
		memset(k->p + at, 0, n);
		EXPECT_EQ(n, fixed_io(&ring, false, disk, k->p + at, n));
		EXPECT_EQ(-1, vm_verify(k->p + at, n, 5, 0));
		delete_pinned(_metadata, k);
		/* The ring still has the buffer under its old address. */
		EXPECT_EQ(n, fixed_io(&ring, true, disk, k->p + at, n));
		EXPECT_EQ(n, pread(disk, buf, n, 0));
		EXPECT_EQ(-1, vm_verify(buf, n, 5, 0));
		/* The device writes to memory that is not reused. */
		EXPECT_EQ(n, fixed_io(&ring, false, disk, k->p + at, n));
		ret = open("secret", O_RDWR);
		EXPECT_EQ(-1, tainted(ret));
		close(ret);
		io_uring_queue_exit(&ring);
		/* A work queue frees rings. */
		VM_WAIT(!pool_number("pending"));
		all_came_back(_metadata, free_before);
		free(buf);
	}
	close(disk);
}

/* Core dumps */

/* Return the offset in a core of the memory at @at, *@len bytes of it; -1: not in it */
static off_t find_in_core(int fd, char *at, size_t *len)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	int i;

	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh))
		return -1;
	for (i = 0; i < eh.e_phnum; i++) {
		if (pread(fd, &ph, sizeof(ph), eh.e_phoff + i * sizeof(ph)) != sizeof(ph))
			return -1;
		if (ph.p_type == PT_LOAD && ph.p_vaddr == (uintptr_t)at) {
			*len = ph.p_filesz;
			return ph.p_offset;
		}
	}
	return -1;
}

static int dump_core(const char *filter)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int status;
	pid_t pid;

	unlink("/tmp/core");
	fflush(NULL);
	IN_CHILD(pid) {
		vm_write_file("/proc/self/coredump_filter", filter);
		setrlimit(RLIMIT_CORE, &unlimited);
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	if (waitpid(pid, &status, 0) != pid || !WCOREDUMP(status))
		return -1;
	return open("/tmp/core", O_RDONLY);
}

TEST_F(map, core_dump_contains_the_mapping)
{
	size_t len = 4 * UNIT + 3 * PAGE, n = 0;
	int fd = fs_file("file", len), core;
	char *p = map_file(fd, len), *buf = malloc(len);
	off_t at;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_OK(vm_write_file("/proc/sys/kernel/core_pattern", "/tmp/core"));
	mark(p, len, 6);
	ASSERT_OK(fallocate(fd, PUNCH, UNIT, UNIT));
	/* Guest memory is left out unless requested. */
	core = dump_core("0x33");
	ASSERT_LE(0, core);
	at = find_in_core(core, p, &n);
	EXPECT_TRUE(at < 0 || n == 0);
	close(core);
	core = dump_core("0x133");
	ASSERT_LE(0, core);
	at = find_in_core(core, p, &n);
	ASSERT_LE(0, at);
	ASSERT_EQ(len, n);
	EXPECT_EQ(len, pread(core, buf, len, at));
	EXPECT_MARKED(buf, UNIT, 6, 0);
	EXPECT_EQ(-1, vm_verify_zero(buf + UNIT, UNIT));
	EXPECT_MARKED(buf + 2 * UNIT, len - 2 * UNIT, 6, 2 * UNIT);
	close(core);
	/* MADV_DONTDUMP leaves it out even if requested. */
	ASSERT_OK(madvise(p, len, MADV_DONTDUMP));
	core = dump_core("0x133");
	ASSERT_LE(0, core);
	at = find_in_core(core, p, &n);
	EXPECT_TRUE(at < 0 || n == 0);
	close(core);
	unlink("/tmp/core");
	free(buf);
	close(fd);
}

TEST_HARNESS_MAIN
