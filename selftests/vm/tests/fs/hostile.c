// SPDX-License-Identifier: GPL-2.0
/*
 * What users without privileges may try: buffers whose page fault does not end, as with
 * userfaultfd or FUSE, deep trees, many names, opens and netlink requests, a header of a
 * region in an object's memory, and pins of pages while the pool grows. Each ends in an
 * error or in a bounded time; others keep their objects, and do not wait.
 * (corrupt_region looks for such a header after a boot.)
 *
 * The stuck buffers are userfaultfd's, and the tests that use them are root, because the kernel's
 * own faults wait for userfaultfd only with CAP_SYS_PTRACE (vm.unprivileged_userfaultfd). A user
 * without privileges has the same by a private mapping of a file on FUSE. What pkramfs does is the
 * same in both: a fault waits, in handle_mm_fault(), at a place where pkramfs may hold no lock (in
 * read(2) and write(2): after the copy with page faults off ended early). pkramfs does not see for
 * whom it waits, and looks at no credentials on the way. What FUSE may do and userfaultfd does not
 * is to let a killed process wait for its server; that is FUSE's own, and holds up nobody else.
 */
#include "fs_fixture.h"

#include <grp.h>
#include <pthread.h>
#include <signal.h>

#include "damage.h"
#include "genl.h"
#include "pool.h"
#include "stuck.h"
#include <pkram.h>

#define RW	(PROT_READ | PROT_WRITE)
#define PAGE	4096UL
#define LEN	STUCK_LEN

static const uint8_t cookie[16] = "cookie";

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

static void others_do_not_wait(struct __test_metadata *_metadata, int what, size_t from,
			       ssize_t done)
{
	int fd = fs_file("file", 4 * UNIT), stuck;
	struct stuck_buffer b;
	struct stuck_call c;

	EXPECT_OK(fs_set(fd, 'f', 4 * UNIT, 0));
	/* A reader has its own open file, so that the other one can be claimed. */
	stuck = what == STUCK_READ || what == STUCK_MAP ? open("file", O_RDONLY) : dup(fd);
	ASSERT_OK(stuck_buffer_make(&b, from));
	ASSERT_OK(stuck_start(&c, &b, stuck, UNIT, from, what));
	ASSERT_TRUE(stuck_wait(&b));
	EXPECT_STREQ("", others_wait(fd));
	close(fd);
	if (what == STUCK_READ || what == STUCK_MAP)
		EXPECT_FALSE(unlink_waits("file"));
	EXPECT_OK(stuck_supply(&b, from, 0));
	pthread_join(c.thread, NULL);
	EXPECT_EQ(done, c.ret) {
		TH_LOG("%s", strerror(c.err));
	}
	if (what == STUCK_READ)
		EXPECT_EQ('f', b.p[LEN - 1]);
	if (what == STUCK_WRITE)
		EXPECT_EQ(-1, fs_find_other(stuck, 0, LEN - from, UNIT + from));
	close(stuck);
	close(b.uffd);
	munmap(b.p, LEN);
}

TEST_F(main, stuck_read_delays_no_other_process)
{
	others_do_not_wait(_metadata, STUCK_READ, 0, LEN);
}

TEST_F(main, stuck_read_in_the_middle_delays_no_other_process)
{
	others_do_not_wait(_metadata, STUCK_READ, UNIT + 5 * PAGE, LEN);
}

TEST_F(main, stuck_write_delays_no_other_process)
{
	others_do_not_wait(_metadata, STUCK_WRITE, 0, LEN);
}

TEST_F(main, stuck_write_in_the_middle_delays_no_other_process)
{
	others_do_not_wait(_metadata, STUCK_WRITE, UNIT + 5 * PAGE, LEN);
}

TEST_F(main, stuck_fiemap_delays_no_other_process)
{
	others_do_not_wait(_metadata, STUCK_MAP, PAGE, 0);
}

/* A stuck write beyond the end: the size is unchanged, and others may append */
TEST_F(main, stuck_append_does_not_grow_the_file)
{
	int fd = fs_file("file", 0), again = open("file", O_RDWR | O_APPEND), i;
	struct stuck_buffer b;
	struct stuck_call c;
	char byte;

	EXPECT_OK(fs_set(fd, 'f', 1000, 0));
	ASSERT_OK(stuck_buffer_make(&b, UNIT));
	ASSERT_OK(stuck_start(&c, &b, again, 0, UNIT, STUCK_APPEND));
	ASSERT_TRUE(stuck_wait(&b));
	EXPECT_EQ(1000, fs_size(fd));
	EXPECT_EQ(1, pwrite(fd, "x", 1, 1000));
	EXPECT_OK(stuck_supply(&b, UNIT, 'b'));
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
	struct stuck_buffer b;
	pid_t pid;

	for (int i = STUCK_READ; i <= STUCK_WRITE; i++) {
		ASSERT_OK(stuck_buffer_make(&b, 0));
		pid = fork();
		if (!pid) {
			/* The region belongs to the parent: register it here. */
			munmap(b.p, LEN);
			close(b.uffd);
			if (stuck_buffer_make(&b, 0))
				_exit(1);
			if (i == STUCK_READ)
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
		usleep(500);
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

/* Others */

#define LIMIT	10.0	/* seconds that they may have to wait on a busy machine */

/* What the owner of a guest does with its RAM. Return: seconds, or -1 on failure */
static double others_work(void)
{
	double begin = vm_now();
	char c = 'c';
	int fd, bad;

	fd = open(PKRAM_MNT "/other", O_RDWR | O_CREAT | O_EXCL, 0600);
	bad = fd < 0 || ftruncate(fd, 4 * UNIT) || pwrite(fd, &c, 1, UNIT) != 1 || claim(fd) ||
	      seal(fd, PKRAM_IOC_SEAL) || seal(fd, PKRAM_IOC_RESUME) ||
	      pread(fd, &c, 1, UNIT) != 1 || c != 'c';
	if (bad)
		printf("# others: %s\n", strerror(errno));
	close(fd);
	bad |= unlink(PKRAM_MNT "/other");
	return bad ? -1 : vm_now() - begin;
}

/* Return the longest time of some rounds, or -1 on failure */
static double others_wait_at_most(int rounds)
{
	double longest = 0, took;

	while (rounds--) {
		took = others_work();
		if (took < 0)
			return -1;
		if (took > longest)
			longest = took;
	}
	return longest;
}

#define EXPECT_OTHERS_WORK(rounds)					\
	do {								\
		double took_ = others_wait_at_most(rounds);		\
									\
		EXPECT_LE(0, took_);					\
		EXPECT_GT(LIMIT, took_);				\
		TH_LOG("others waited for %.3f s at most", took_);	\
	} while (0)

/* Become an unprivileged user for good */
static void drop_privileges(void)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		_exit(99);
}

/* A process of that user that attacks until it is killed; it writes a byte when it began */
static pid_t attack(void (*fn)(int ready))
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		return -1;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		/* Open files are claims. */
		if (dup2(ready[1], 3) != 3 || close_range(4, ~0U, 0))
			_exit(97);
		drop_privileges();
		fn(3);
		_exit(98);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

/* End it. Return whether it was still attacking */
static bool attack_lasted(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGKILL;
}

/* Make the user's own directory the working directory */
static int own_directory(void)
{
	return mkdir("own", 0700) ?: chown("own", NOBODY, NOBODY) ?: chdir("own");
}

#define DEPTH		1200
#define DEEP_NAME	"a-directory-with-a-long-name"

TEST_F_TIMEOUT(main, deep_tree_delays_no_other_process, 300)
{
	double begin, took[2] = {};
	int i, bad = 0;

	ASSERT_OK(own_directory());
	ASSERT_OK(become_nobody());
	begin = vm_now();
	for (i = 0; i < DEPTH && !bad; i++) {
		bad = mkdir(DEEP_NAME, 0700) ?: chdir(DEEP_NAME);
		if (i == DEPTH / 4 - 1)
			took[0] = vm_now() - begin;
		if (i == 3 * DEPTH / 4 - 1)
			begin = vm_now();
	}
	took[1] = vm_now() - begin;
	EXPECT_EQ(0, bad);
	ASSERT_OK(become_root());
	TH_LOG("the first quarter took %.2f s, the last one %.2f s", took[0], took[1]);
	EXPECT_GT(4 * took[0] + 1, took[1]);
	EXPECT_OTHERS_WORK(5);
	begin = vm_now();
	EXPECT_EQ(0, vm_run(NULL, CTL "object show >/tmp/objects"));
	EXPECT_GT(LIMIT, vm_now() - begin);
	unlink("/tmp/objects");
	for (; i > 0; i--)
		ASSERT_OK(chdir("..") ?: rmdir(DEEP_NAME));
}

#define NAMES	2400

TEST_F_TIMEOUT(main, many_names_delay_no_other_process, 300)
{
	char name[256], *number = name + 230;
	double begin, took[2] = {};
	int i, fd = 0;

	/* Names that differ in the end only, of a length that few hashes mix well */
	memset(name, 'x', sizeof(name));
	ASSERT_OK(own_directory());
	ASSERT_OK(become_nobody());
	begin = vm_now();
	for (i = 0; i < NAMES && fd >= 0; i++) {
		sprintf(number, "%d", i * 4096);
		fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
		close(fd);
		if (i == NAMES / 4 - 1)
			took[0] = vm_now() - begin;
		if (i == 3 * NAMES / 4 - 1)
			begin = vm_now();
	}
	took[1] = vm_now() - begin;
	EXPECT_LE(0, fd);
	ASSERT_OK(become_root());
	TH_LOG("the first quarter took %.2f s, the last one %.2f s", took[0], took[1]);
	EXPECT_GT(4 * took[0] + 1, took[1]);
	EXPECT_OTHERS_WORK(5);
}

/* Hold whatever a user gets of an object that all users may read. */
static void hold_opens(int ready)
{
	struct pkram_ioc_claim c = { .size = sizeof(c) };
	struct pkram_ioc_seal s = { .size = sizeof(s) };
	struct pkram_ioc_alloc a = { .size = sizeof(a), .bytes = UNIT };
	int i, fd = -1;

	for (i = 0; i < 900; i++) {
		fd = open(PKRAM_MNT "/test/public", O_RDONLY);
		if (fd < 0 || mmap(NULL, UNIT, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
			_exit(1);
	}
	memcpy(s.cookie, cookie, 16);
	if (open(PKRAM_MNT "/test/public", O_RDWR) >= 0 || errno != EACCES ||
	    open(PKRAM_MNT "/test/private", O_RDONLY) >= 0 || errno != EACCES ||
	    unlink(PKRAM_MNT "/test/public") != -1 || errno != EACCES ||
	    truncate(PKRAM_MNT "/test/public", 0) != -1 || errno != EACCES)
		_exit(2);
	if (!ioctl(fd, PKRAM_IOC_CLAIM, &c) || !ioctl(fd, PKRAM_IOC_SEAL, &s) ||
	    !ioctl(fd, PKRAM_IOC_RESUME, &s) || !ioctl(fd, PKRAM_IOC_ALLOC, &a) ||
	    mmap(NULL, UNIT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
		_exit(3);
	if (write(ready, "", 1) != 1)
		_exit(4);
	for (;;)
		pause();
}

TEST_F(main, opens_of_others_objects_hinder_no_other_user)
{
	int fd = fs_file("public", 4 * UNIT), other = fs_file("private", UNIT);
	pid_t pid;

	ASSERT_OK(chmod("public", 0644) ?: chmod("private", 0600));
	close(other);
	EXPECT_OK(fs_set(fd, 'f', 4 * UNIT, 0));
	pid = attack(hold_opens);
	ASSERT_LT(0, pid);
	EXPECT_OK(claim(fd));
	EXPECT_OK(seal(fd, PKRAM_IOC_SEAL));
	EXPECT_OK(seal(fd, PKRAM_IOC_RESUME));
	EXPECT_OK(ftruncate(fd, 2 * UNIT));
	EXPECT_EQ(-1, fs_find_other(fd, 'f', 2 * UNIT, 0));
	close(fd);
	EXPECT_OK(unlink("public"));
	EXPECT_OTHERS_WORK(5);
	EXPECT_TRUE(attack_lasted(pid));
}

static void flood(int ready)
{
	static const uint8_t cmds[] = {
		PKRAM_CMD_POOL_GET, PKRAM_CMD_REGION_GET, PKRAM_CMD_HANDOVER_GET,
		PKRAM_CMD_OBJECT_GET, PKRAM_CMD_DMA_TABLE_GET, PKRAM_CMD_COUNTERS_GET,
		PKRAM_CMD_POOL_GROW, PKRAM_CMD_MAX,
	};
	static struct nl nl;
	size_t i;
	int err;

	if (nl_open(&nl) || nl_find_family(&nl, &nl.family))
		_exit(1);
	for (i = 0;; i++) {
		uint8_t cmd = cmds[i % sizeof(cmds)];
		bool dump = cmd == PKRAM_CMD_REGION_GET || cmd == PKRAM_CMD_OBJECT_GET ||
			    cmd == PKRAM_CMD_DMA_TABLE_GET;

		err = nl_ask(&nl, cmd, dump ? NLM_F_DUMP : 0, NULL, NULL);
		/* The first three answer, and the others refuse. */
		if (!err != (i % sizeof(cmds) < 3))
			_exit(2);
		if (i == sizeof(cmds) && write(ready, "", 1) != 1)
			_exit(3);
	}
}

TEST_F(main, netlink_requests_of_users_hinder_no_other_user)
{
	pid_t pid[4];
	int i;

	for (i = 0; i < 4; i++) {
		pid[i] = attack(flood);
		EXPECT_LT(0, pid[i]);
	}
	EXPECT_OTHERS_WORK(20);
	EXPECT_LT(0, pool_number("size"));
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(attack_lasted(pid[i]));
}

/* Write the header of a region, valid but for the key, to where a region may begin. */
static void forge(char *at, uint64_t base, const uint8_t pool_uuid[16])
{
	struct pkram_header h = { .seq = 1000, .version = 1, .nr_gib = 1, .base = base };

	memcpy(h.pool_uuid, pool_uuid, 16);
	memset(h.region_uuid, 0x22, 16);
	h.region_id = pkram_region_id(h.region_uuid);
	h.present[0] = 1;
	pkram_header_encode((void *)at, &h);
	memcpy(at + PKRAM_HEADER_SLOT, at, PKRAM_HEADER_SLOT);
}

TEST_F(main, forged_header_is_not_adopted)
{
	uint8_t want[2 * PKRAM_HEADER_SLOT], uuid[16];
	long long regions = pool_number("regions");
	struct pkram_pool *pool;
	struct pkram_ctx *ctx;
	uint64_t base = 0;
	char *p, *out;
	size_t at;
	int fd;

	ASSERT_OK(own_directory());
	ASSERT_OK(become_nobody());
	/* Any user can read it. */
	ASSERT_OK(pkram_open(&ctx) ?: pkram_pool_get(ctx, &pool));
	memcpy(uuid, pool->uuid, 16);
	pkram_pool_free(pool);
	pkram_close(ctx);
	fd = open("ram", O_RDWR | O_CREAT, 0600);
	ASSERT_LE(0, fd);
	if (ftruncate(fd, GIB)) {
		EXPECT_OK(become_root());
		close(fd);
		SKIP(return, "no whole GiB of the pool is free");
	}
	ASSERT_OK(become_root());
	for (at = 0; at < GIB; at += UNIT) {
		/* Of a page of 1 GiB the kernel does not tell the address. */
		p = mmap(NULL, UNIT, RW, MAP_SHARED, fd, at);
		ASSERT_NE(MAP_FAILED, p);
		*(volatile char *)p = 1;
		base = vm_physical(p);
		if (base && base % GIB == 0)
			break;
		munmap(p, UNIT);
	}
	if (at == GIB) {
		close(fd);
		SKIP(return, "the file has no begin of a GiB");
	}
	forge(p, base, uuid);
	memcpy(want, p, sizeof(want));
	TH_LOG("forged at %#llx", (unsigned long long)base);
	EXPECT_EQ(1, vm_run(&out, CTL "pool adopt %#llx+1G", (unsigned long long)base));
	EXPECT_NE(NULL, strstr(out, "in the pool already"));
	free(out);
	EXPECT_EQ(1, vm_run(&out, CTL "pool adopt %#llx+1G --format", (unsigned long long)base));
	free(out);
	EXPECT_EQ(1, vm_run(&out, CTL "pool shrink --region %#llx+1G",
			    (unsigned long long)base));
	free(out);
	EXPECT_EQ(regions, pool_number("regions"));
	EXPECT_EQ(0, pool_number("quarantined"));
	EXPECT_EQ(0, memcmp(p, want, sizeof(want)));
	EXPECT_OTHERS_WORK(2);
	munmap(p, UNIT);
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
	for (uint64_t at = 0; at < bytes; at += 2 * MIB)
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

TEST_F_TIMEOUT(main, grow_over_pinned_pages_ends_at_its_timeout, 300)
{
	uint64_t bytes = vm_meminfo("MemAvailable") * 6 / 10;
	double longest = 0, took;
	pid_t pid, grow;
	int ready[2];
	char c, *out;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid)
		pin_pages(bytes, ready[1]);
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	fflush(NULL);
	grow = fork();
	if (!grow)
		_exit(vm_run(NULL, CTL "pool grow 64G --timeout 2 >/tmp/grow 2>&1"));
	/* Meanwhile others work. */
	do {
		took = others_work();
		if (took < 0 || took > longest)
			longest = took;
		usleep(200000);
	} while (took >= 0 && !waitpid(grow, NULL, WNOHANG));
	EXPECT_LE(0, took);
	EXPECT_GT(LIMIT, longest);
	TH_LOG("others waited for %.3f s at most", longest);
	out = vm_read_file("/tmp/grow");
	ASSERT_NE(NULL, out);
	TH_LOG("%s", out);
	EXPECT_NE(NULL, strstr(out, "pinned or not movable"));
	free(out);
	unlink("/tmp/grow");
	/* Still there, as it was */
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
}

TEST_HARNESS_MAIN
