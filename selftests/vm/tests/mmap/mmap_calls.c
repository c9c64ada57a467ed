// SPDX-License-Identifier: GPL-2.0
/* Mappings: system calls that give advice, lock, query, or are refused */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "mmap_fixture.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#define ADV_DONTNEED_LOCKED	24
#define ADV_COLLAPSE		25
#define ADV_SOFT_OFFLINE	101
#define ADV_GUARD_INSTALL	102

#define MUST_FAIL	-1
#define MAY_FAIL	-2

static const struct {
	const char *name;
	int advice, result;
} advices[] = {
	{ "NORMAL", MADV_NORMAL },
	{ "RANDOM", MADV_RANDOM },
	{ "SEQUENTIAL", MADV_SEQUENTIAL },
	{ "WILLNEED", MADV_WILLNEED },
	{ "DONTNEED", MADV_DONTNEED },
	{ "DONTNEED_LOCKED", ADV_DONTNEED_LOCKED },
	{ "FREE", MADV_FREE, MUST_FAIL },
	/* The file inside is not a regular one; otherwise this would punch guest RAM. */
	{ "REMOVE", MADV_REMOVE, MUST_FAIL },
	{ "DONTFORK", MADV_DONTFORK },
	/* 7.3 refuses DOFORK with VM_DONTEXPAND, and all kernels refuse DODUMP. */
	{ "DOFORK", MADV_DOFORK, MAY_FAIL },
	{ "MERGEABLE", MADV_MERGEABLE },
	{ "UNMERGEABLE", MADV_UNMERGEABLE },
	{ "NOHUGEPAGE", MADV_NOHUGEPAGE },
	{ "HUGEPAGE", MADV_HUGEPAGE },
	{ "DONTDUMP", MADV_DONTDUMP },
	{ "DODUMP", MADV_DODUMP, MAY_FAIL },
	{ "WIPEONFORK", MADV_WIPEONFORK, MUST_FAIL },
	{ "KEEPONFORK", MADV_KEEPONFORK },
	{ "COLD", MADV_COLD },
	{ "PAGEOUT", MADV_PAGEOUT },
	{ "COLLAPSE", ADV_COLLAPSE, MUST_FAIL },
	{ "POPULATE_READ", MADV_POPULATE_READ },
	{ "POPULATE_WRITE", MADV_POPULATE_WRITE },
	{ "GUARD_INSTALL", ADV_GUARD_INSTALL, MUST_FAIL },
	{ "SOFT_OFFLINE", ADV_SOFT_OFFLINE, MUST_FAIL },
	/*
	 * HWPOISON is missing: it marks memory of this VM as broken that stays in use, and
	 * may kill its owner.
	 */
};

/* Give each advice about @n bytes at @at, which are populated */
static void advise(struct __test_metadata *_metadata, char *p, size_t len, size_t at,
		   size_t n)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		int ret = madvise(p + at, n, advices[i].advice);

		if (advices[i].result != MAY_FAIL) {
			EXPECT_EQ(advices[i].result, ret) {
				TH_LOG("%s: %s", advices[i].name, strerror(errno));
			}
		}
		EXPECT_EQ(-1, marked(p, len, 1, 0)) {
			TH_LOG("%s: data", advices[i].name);
		}
		EXPECT_EQ(0, try_write(p + at + 8, i)) {
			TH_LOG("%s: write", advices[i].name);
		}
	}
}

static void advise_leaf(struct __test_metadata *_metadata, size_t len, size_t skew)
{
	int fd = fs_file("file", len);
	char *p = map_file_at(fd, reserve(len, skew), len, 0);

	ASSERT_NE(MAP_FAILED, p);
	mark(p, len, 1);
	advise(_metadata, p, len, 0, len);
	advise(_metadata, p, len, len / 2 + 3 * PAGE, PAGE);
	EXPECT_EQ(len, fs_blocks(fd));
	munmap(p, len);
	EXPECT_LEAVES(fd, 0, 0, 0);
	close(fd);
	unlink("file");
	EXPECT_EQ(0, pool_number("pending"));
}

TEST_F(map, madvise_1g)
{
	advise_leaf(_metadata, GIB, 0);
}

TEST_F(map, madvise_2m)
{
	advise_leaf(_metadata, 4 * UNIT, 0);
}

TEST_F(map, madvise_4k)
{
	advise_leaf(_metadata, 4 * UNIT, PAGE);
}

TEST_F(map, map_populate)
{
	int fd = fs_file("file", GIB + 2 * UNIT), i;
	size_t len = GIB + 2 * UNIT;
	char *p;

	for (i = 0; i < 4; i++) {
		p = mmap(NULL, len, i ? RW : PROT_READ,
			 MAP_SHARED | (i == 3 ? MAP_POPULATE : 0), fd, 0);
		ASSERT_NE(MAP_FAILED, p);
		if (i < 2)
			EXPECT_OK(madvise(p, len, i ? MADV_POPULATE_WRITE : MADV_POPULATE_READ));
		if (i == 2)
			EXPECT_OK(mlock(p, len));
		EXPECT_LEAVES(fd, 1, 2, 0);
		EXPECT_EQ(-1, vm_verify_zero(p, PAGE));
		EXPECT_OK(munlock(p, len));
		munmap(p, len);
	}
	close(fd);
}

TEST_F(map, madvise_dontneed_drops_leaves)
{
	int fd = fs_file("file", GIB);
	char *p = map_file(fd, GIB);

	mark(p, GIB, 1);
	EXPECT_LEAVES(fd, 1, 0, 0);
	EXPECT_OK(madvise(p, GIB, MADV_DONTNEED));
	EXPECT_LEAVES(fd, 0, 0, 0);
	EXPECT_MARKED(p, GIB, 1, 0);
	EXPECT_OK(madvise(p + UNIT, PAGE, MADV_DONTNEED));
	EXPECT_MARKED(p, GIB, 1, 0);
	close(fd);
}

TEST_F(map, madvise_dontfork)
{
	int fd = fs_file("file", GIB);
	char *p = map_file(fd, GIB);
	pid_t pid;

	mark(p, GIB, 1);
	EXPECT_OK(madvise(p + GIB / 2, PAGE, MADV_DONTFORK));
	IN_CHILD(pid) {
		if (try_read(p + GIB / 2, NULL) != SIGSEGV)
			_exit(1);
		if (marked(p, GIB / 2, 1, 0) >= 0)
			_exit(2);
	}
	EXPECT_EQ(0, wait_for(pid));
	EXPECT_MARKED(p, GIB, 1, 0);
	close(fd);
}

TEST_F(map, mlock_and_mincore)
{
	static unsigned char vec[GIB / PAGE];
	int fd = fs_file("file", GIB);
	char *p = map_file(fd, GIB);

	mark(p, GIB, 1);
	EXPECT_OK(mlock(p + GIB / 2, PAGE));
	EXPECT_OK(mlock(p, GIB));
	EXPECT_OK(mincore(p, GIB, vec));
	EXPECT_MARKED(p, GIB, 1, 0);
	EXPECT_OK(munlock(p, GIB));
	EXPECT_OK(mlockall(MCL_CURRENT | MCL_FUTURE));
	EXPECT_OK(munlockall());
	EXPECT_MARKED(p, GIB, 1, 0);
	close(fd);
}

TEST_F(map, msync_succeeds)
{
	int fd = fs_file("file", 2 * UNIT);
	char *p = map_file(fd, 2 * UNIT);

	mark(p, 2 * UNIT, 1);
	EXPECT_OK(msync(p, 2 * UNIT, MS_SYNC));
	EXPECT_OK(msync(p + PAGE, PAGE, MS_SYNC | MS_INVALIDATE));
	EXPECT_OK(msync(p, 2 * UNIT, MS_ASYNC));
	EXPECT_MARKED(p, 2 * UNIT, 1, 0);
	close(fd);
}

TEST_F(map, times_follow_writes_through_any_leaf)
{
	static const struct {
		size_t len, skew;
	} cases[] = { { GIB, 0 }, { 2 * UNIT, 0 }, { 2 * UNIT, PAGE } };

	for (int i = 0; i < 3; i++) {
		int fd = fs_file("file", cases[i].len);
		char *p = map_file_at(fd, reserve(cases[i].len, cases[i].skew),
				      cases[i].len, 0);
		struct stat before, after;

		ASSERT_OK(fstat(fd, &before));
		usleep(30000);
		*p = 1;
		ASSERT_OK(fstat(fd, &after));
		EXPECT_NE(0, memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)));
		EXPECT_NE(0, memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)));
		usleep(30000);
		p[1] = 2;
		munmap(p, cases[i].len);
		ASSERT_OK(fstat(fd, &before));
		EXPECT_NE(0, memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)));
		close(fd);
		unlink("file");
	}
}

TEST_F(map, private_mappings_are_refused)
{
	int fd = fs_file("file", 2 * UNIT);

	EXPECT_ERR(EINVAL, mmap(NULL, UNIT, PROT_READ, MAP_PRIVATE, fd, 0));
	EXPECT_ERR(EINVAL, mmap(NULL, UNIT, RW, MAP_PRIVATE, fd, 0));
	close(fd);
}

TEST_F(map, read_only_file_cannot_be_mapped_writable)
{
	int fd = fs_file("file", 2 * UNIT), ro = open("file", O_RDONLY);
	char *p, *q = map_file(fd, 2 * UNIT);

	EXPECT_EQ(MAP_FAILED, mmap(NULL, UNIT, RW, MAP_SHARED, ro, 0));
	EXPECT_EQ(EACCES, errno);
	p = mmap(NULL, 2 * UNIT, PROT_READ, MAP_SHARED, ro, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_ERR(EACCES, mprotect(p, UNIT, RW));
	EXPECT_EQ(0, try_read(p, NULL));
	EXPECT_EQ(SIGSEGV, try_write(p, 1));
	EXPECT_EQ(SIGSEGV, try_write(p + UNIT, 1));
	EXPECT_LEAVES(fd, 0, 1, 0);
	*q = 5;
	EXPECT_EQ(5, *p);
	close(ro);
	close(fd);
	/* The mappings keep their references. */
	q[UNIT] = 6;
	EXPECT_EQ(6, p[UNIT]);
}

TEST_F(map, mapping_cannot_be_made_executable)
{
	int fd = fs_file("file", GIB);
	char *p = map_file(fd, GIB);

	EXPECT_EQ(0, try_write(p, 1));
	EXPECT_ERR(EACCES, mprotect(p, GIB, PROT_READ | PROT_EXEC));
	EXPECT_ERR(EACCES, mprotect(p + UNIT, PAGE, RW | PROT_EXEC));
	EXPECT_EQ(0, try_write(p, 2));
	close(fd);
}

/* A thread that goes before all others of its CPU, and how late it got that at most */
static volatile double latest;
static volatile bool watching;

static void *watch_cpu(void *arg)
{
	struct timespec step = { .tv_nsec = 200000 };
	double before;

	while (watching) {
		before = vm_now();
		nanosleep(&step, NULL);
		if (vm_now() - before > latest)
			latest = vm_now() - before;
	}
	return NULL;
}

static double time_leaves(int fd)
{
	double before = vm_now();

	leaves(fd);
	return vm_now() - before;
}

TEST_F(map, counting_leaves_yields_the_cpu)
{
	struct sched_param param = { .sched_priority = 10 };
	int fd = fs_file("file", GIB), i;
	double took = 1e9, late = 1e9, t;
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t cpu;
	char *p;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	ASSERT_OK(sched_setaffinity(0, sizeof(cpu), &cpu));
	for (i = 0; i < 2; i++) {
		p = map_file_at(fd, reserve(GIB, PAGE), GIB, 0);
		ASSERT_NE(MAP_FAILED, p);
		ASSERT_OK(madvise(p, GIB, MADV_POPULATE_WRITE));
	}
	EXPECT_LEAVES(fd, 0, 0, 2 * GIB / PAGE);
	for (i = 0; i < 5; i++) {
		t = time_leaves(fd);
		took = t < took ? t : took;
	}
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	watching = true;
	ASSERT_EQ(0, pthread_create(&thread, &attr, watch_cpu, NULL));
	/* The machine may be busy at times. */
	for (i = 0; i < 20; i++) {
		latest = 0;
		time_leaves(fd);
		late = latest < late ? latest : late;
	}
	watching = false;
	pthread_join(thread, NULL);
	printf("# counting took %.0f us, the other thread waited %.0f us\n", took * 1e6,
	       late * 1e6);
	EXPECT_LT(late, took / 2);
	close(fd);
}

TEST_F(map, proc_files_can_be_read)
{
	static const char *const files[] = { "maps", "smaps", "smaps_rollup", "numa_maps",
					     "status", "oom_score" };
	int fd = fs_file("file", GIB + 2 * UNIT), pagemap;
	size_t len = GIB + 2 * UNIT, i;
	uint64_t *entries = malloc(len / PAGE * 8);
	char *p = map_file(fd, len), *text, path[64];

	mark(p, len, 1);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", files[i]);
		text = vm_read_file(path);
		/* Some kernels have no numa_maps. */
		EXPECT_TRUE(text || errno == ENOENT) {
			TH_LOG("%s", path);
		}
		if (!i)
			EXPECT_NE(NULL, strstr(text, "file"));
		free(text);
		EXPECT_MARKED(p, len, 1, 0);
	}
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	EXPECT_EQ(len / PAGE * 8, pread(pagemap, entries, len / PAGE * 8,
					(uintptr_t)p / PAGE * 8));
	close(pagemap);
	EXPECT_OK(vm_write_file("/proc/self/clear_refs", "1"));
	EXPECT_OK(vm_write_file("/proc/self/clear_refs", "4"));
	mark(p, len, 2);
	EXPECT_MARKED(p, len, 2, 0);
	free(entries);
	close(fd);
}

TEST_F(map, userfaultfd_is_refused)
{
	static const uint64_t modes[] = { UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP,
					  UFFDIO_REGISTER_MODE_MINOR };
	struct uffdio_api api = { .api = UFFD_API };
	int fd = fs_file("file", GIB), uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char *p = map_file(fd, GIB);

	ASSERT_LE(0, uffd);
	ASSERT_OK(ioctl(uffd, UFFDIO_API, &api));
	mark(p, GIB, 1);
	for (int i = 0; i < 3; i++) {
		struct uffdio_register r = {
			.range = { (uintptr_t)p + UNIT, UNIT },
			.mode = modes[i],
		};

		EXPECT_ERR(EINVAL, ioctl(uffd, UFFDIO_REGISTER, &r));
	}
	EXPECT_MARKED(p, GIB, 1, 0);
	EXPECT_LEAVES(fd, 1, 0, 0);
	close(uffd);
	close(fd);
}

TEST_F(map, mapping_pins_mount_and_module)
{
	int fd = fs_file("file", UNIT);
	char *p = map_file(fd, UNIT);

	*p = 1;
	close(fd);
	EXPECT_OK(unlink("file"));
	ASSERT_OK(chdir("/"));
	ASSERT_OK(fs_empty(PKRAM_MNT));
	vm_umount(PKRAM_MNT);
	EXPECT_EQ(-EAGAIN, vm_rmmod("pkram"));
	EXPECT_EQ(1, *p);
	p[PAGE] = 2;
	ASSERT_OK(munmap(p, UNIT));
	ASSERT_OK(vm_rmmod("pkram"));
	ASSERT_OK(pool_up(NULL));
}

TEST_HARNESS_MAIN
