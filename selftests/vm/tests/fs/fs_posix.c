// SPDX-License-Identifier: GPL-2.0
/* pkramfs: behaviour that programs expect of any file system, checked as public test suites do */
#include "fs_fixture.h"

#include <sys/xattr.h>
#include <time.h>

#define RW	(PROT_READ | PROT_WRITE)
#define PAGE	4096UL

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* Return whether mtime and ctime are later than in @old, and update @old */
static bool times_moved(int fd, struct stat *old)
{
	struct stat st;
	bool moved;

	if (fstat(fd, &st))
		return false;
	moved = is_later(&st.st_mtim, &old->st_mtim) && is_later(&st.st_ctim, &old->st_ctim);
	*old = st;
	/* Longer than a tick, so that the next change is visible */
	usleep(30000);
	return moved;
}

static bool times_same(int fd, const struct stat *old)
{
	struct stat st;

	return !fstat(fd, &st) && !is_later(&st.st_mtim, &old->st_mtim) &&
	       !is_later(&st.st_ctim, &old->st_ctim);
}

/* Mapped writes */

TEST_F(main, mapped_write_changes_the_times)
{
	int fd = fs_file("file", 4 * UNIT);
	struct stat st;
	char *p;

	ASSERT_OK(fstat(fd, &st));
	usleep(30000);
	p = mmap(NULL, 4 * UNIT, RW, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(times_same(fd, &st));
	p[0] = 1;
	EXPECT_TRUE(times_moved(fd, &st));
	/* A write through an existing leaf: the next msync() updates the times */
	p[1] = 2;
	EXPECT_OK(msync(p, 4 * UNIT, MS_SYNC));
	EXPECT_TRUE(times_moved(fd, &st));
	/* ... or the end of the mapping does */
	p[2] = 3;
	munmap(p, 4 * UNIT);
	EXPECT_TRUE(times_moved(fd, &st));
	EXPECT_EQ(4 * UNIT, st.st_size);
	close(fd);
	fd = open("file", O_RDONLY);
	EXPECT_TRUE(times_same(fd, &st));
	close(fd);
}

TEST_F(main, write_to_a_page_mapped_for_reading_changes_the_times)
{
	int fd = fs_file("file", UNIT);
	char *p = mmap(NULL, UNIT, PROT_READ, MAP_SHARED, fd, 0);
	struct stat st;

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, *(volatile char *)p);
	ASSERT_OK(fstat(fd, &st));
	usleep(30000);
	ASSERT_OK(mprotect(p, UNIT, RW));
	p[5] = 1;
	EXPECT_TRUE(times_moved(fd, &st));
	munmap(p, UNIT);
	close(fd);
}

TEST_F(main, mapped_write_after_close_changes_the_times_at_exit)
{
	int fd = fs_file("file", UNIT), status;
	struct stat st;
	pid_t pid;

	close(fd);
	pid = fork();
	if (!pid) {
		char *p;

		fd = open("file", O_RDWR);
		p = mmap(NULL, UNIT, RW, MAP_SHARED, fd, 0);
		close(fd);
		p[0] = 1;
		fd = open("file", O_RDONLY);
		if (p == MAP_FAILED || fstat(fd, &st))
			_exit(1);
		usleep(30000);
		p[0] = 2;
		kill(getpid(), SIGKILL);
	}
	fd = open("file", O_RDONLY);
	ASSERT_OK(fstat(fd, &st));
	waitpid(pid, &status, 0);
	EXPECT_TRUE(times_moved(fd, &st));
	close(fd);
}

TEST_F(main, mapped_read_keeps_the_times)
{
	int fd = fs_file("file", UNIT);
	struct stat st;
	char *p;

	ASSERT_OK(fstat(fd, &st));
	usleep(30000);
	p = mmap(NULL, UNIT, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, *(volatile char *)p);
	EXPECT_OK(msync(p, UNIT, MS_SYNC));
	munmap(p, UNIT);
	EXPECT_TRUE(times_same(fd, &st));
	close(fd);
}

/* The part of the last page beyond the end */

#define TAIL	8392

static char *map_with_tail(int fd)
{
	char *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		p[TAIL] = 'x';
	return p;
}

TEST_F(main, truncate_zeroes_the_tail_that_a_mapping_wrote)
{
	int fd = fs_file("file", 8292);
	char *p = map_with_tail(fd);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_OK(ftruncate(fd, 50));
	EXPECT_OK(ftruncate(fd, 8342));
	EXPECT_EQ(0, p[TAIL]);
	/* Within the page */
	p[TAIL] = 'x';
	EXPECT_OK(ftruncate(fd, 8300));
	EXPECT_EQ(0, p[TAIL]);
	munmap(p, 3 * PAGE);
	close(fd);
}

TEST_F(main, growing_zeroes_the_tail_that_a_mapping_wrote)
{
	int fd = fs_file("file", 8292);
	char *p = map_with_tail(fd);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_OK(ftruncate(fd, 8342));
	EXPECT_EQ(0, p[TAIL]);
	p[TAIL] = 'x';
	EXPECT_EQ(1, pwrite(fd, "a", 1, 8350));
	EXPECT_EQ(0, p[TAIL]);
	p[TAIL] = 'x';
	EXPECT_OK(fallocate(fd, 0, 0, 8360));
	EXPECT_EQ(0, p[TAIL]);
	p[TAIL] = 'x';
	EXPECT_EQ(1, pwrite(fd, "a", 1, 2 * UNIT));
	EXPECT_EQ(0, p[TAIL]);
	munmap(p, 3 * PAGE);
	close(fd);
}

/* Programs */

TEST_F(main, execve_is_eacces)
{
	int fd, status;
	pid_t pid;

	ASSERT_EQ(0, vm_run(NULL, "cp /proc/%d/exe " PKRAM_MNT "/test/program", getpid()));
	ASSERT_OK(chmod("program", 0755));
	fd = open("script", O_WRONLY | O_CREAT, 0755);
	EXPECT_EQ(10, write(fd, "#!/bin/sh\n", 10));
	close(fd);
	for (int i = 0; i < 2; i++) {
		pid = fork();
		if (!pid) {
			const char *name = i ? "./script" : "./program";

			execl(name, name, "--list", NULL);
			_exit(errno == EACCES ? 7 : 1);
		}
		waitpid(pid, &status, 0);
		EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) {
			TH_LOG("status %#x", status);
		}
	}
}

TEST_F(main, executable_mappings_are_refused)
{
	int fd = fs_file("file", UNIT);
	char *p;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, UNIT, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));
	EXPECT_EQ(EPERM, errno);
	p = mmap(NULL, UNIT, RW, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_ERR(EACCES, mprotect(p, UNIT, PROT_READ | PROT_EXEC));
	munmap(p, UNIT);
	close(fd);
}

/* Leases and mounts */

TEST_F(main, leases_can_be_taken)
{
	int fd = fs_file("file", 0);

	EXPECT_OK(fcntl(fd, F_SETLEASE, F_WRLCK));
	EXPECT_EQ(F_WRLCK, fcntl(fd, F_GETLEASE));
	EXPECT_OK(fcntl(fd, F_SETLEASE, F_UNLCK));
	close(fd);
	fd = open("file", O_RDONLY);
	EXPECT_OK(fcntl(fd, F_SETLEASE, F_RDLCK));
	EXPECT_EQ(F_RDLCK, fcntl(fd, F_GETLEASE));
	close(fd);
}

#define SECOND	"/mnt/second"

static bool can_create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644);

	if (fd < 0)
		return false;
	close(fd);
	return !unlink(path);
}

TEST_F(main, read_only_remount_concerns_one_mount)
{
	ASSERT_OK(vm_mount(PKRAM_FS_NAME, SECOND, NULL));
	EXPECT_TRUE(can_create(SECOND "/test/file"));
	ASSERT_OK(mount(NULL, SECOND, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_FALSE(can_create(SECOND "/test/file"));
	EXPECT_EQ(EROFS, errno);
	EXPECT_TRUE(can_create("file"));
	EXPECT_OK(vm_umount(SECOND));
	EXPECT_TRUE(can_create("file"));
	ASSERT_OK(vm_mount(PKRAM_FS_NAME, SECOND, NULL));
	EXPECT_TRUE(can_create(SECOND "/test/file"));
	EXPECT_OK(vm_umount(SECOND));
	/* Writable again, and with mount(8), which may use newer system calls */
	ASSERT_OK(vm_mount(PKRAM_FS_NAME, SECOND, NULL));
	ASSERT_EQ(0, vm_run(NULL, "mount -o remount,ro " SECOND));
	EXPECT_FALSE(can_create(SECOND "/test/file"));
	EXPECT_TRUE(can_create("file"));
	ASSERT_EQ(0, vm_run(NULL, "mount -o remount,rw " SECOND));
	EXPECT_TRUE(can_create(SECOND "/test/file"));
	EXPECT_OK(vm_umount(SECOND));
}

/* Limits and counts */

TEST_F(main, size_beyond_the_limit_is_efbig)
{
	int fd = fs_file("file", UNIT);

	EXPECT_ERR(ENOSPC, ftruncate(fd, 1LL << 49));
	EXPECT_ERR(EFBIG, ftruncate(fd, (1LL << 49) + 1));
	EXPECT_ERR(EFBIG, truncate("file", 999999999999999));
	EXPECT_ERR(EFBIG, pwrite(fd, "x", 1, 1LL << 49));
	EXPECT_ERR(EFBIG, fallocate(fd, 0, 1LL << 49, UNIT));
	EXPECT_EQ(UNIT, fs_size(fd));
	close(fd);
}

TEST_F(main, truncate_to_the_same_size_frees_what_is_beyond)
{
	int fd = fs_file("file", 100);

	EXPECT_OK(fs_set(fd, 1, 100, 0));
	EXPECT_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 * UNIT));
	EXPECT_EQ(4 * UNIT, fs_blocks(fd));
	EXPECT_OK(ftruncate(fd, 100));
	EXPECT_EQ(UNIT, fs_blocks(fd));
	EXPECT_EQ(-1, fs_find_other(fd, 1, 100, 0));
	EXPECT_EQ(100, fs_size(fd));
	close(fd);
}

static int nlink_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : (int)st.st_nlink;
}

TEST_F(main, directory_links_count_subdirectories)
{
	struct stat st;
	int dir;

	EXPECT_EQ(2, nlink_of("."));
	EXPECT_OK(mkdir("a", 0755));
	EXPECT_EQ(3, nlink_of("."));
	EXPECT_EQ(2, nlink_of("a"));
	close(fs_file("a/file", 0));
	EXPECT_EQ(2, nlink_of("a"));
	EXPECT_OK(mkdir("b", 0755));
	EXPECT_EQ(4, nlink_of("."));
	EXPECT_OK(rename("b", "a/b"));
	EXPECT_EQ(3, nlink_of("."));
	EXPECT_EQ(3, nlink_of("a"));
	EXPECT_EQ(2, nlink_of("a/b"));
	/* One directory replaces another. */
	EXPECT_OK(mkdir("a/c", 0755));
	EXPECT_EQ(4, nlink_of("a"));
	EXPECT_OK(rename("a/c", "a/b"));
	EXPECT_EQ(3, nlink_of("a"));
	dir = open("a/b", O_RDONLY | O_DIRECTORY);
	EXPECT_OK(rmdir("a/b"));
	EXPECT_EQ(2, nlink_of("a"));
	EXPECT_OK(fstat(dir, &st));
	EXPECT_EQ(0, st.st_nlink);
	close(dir);
	EXPECT_OK(unlink("a/file"));
	EXPECT_EQ(3, nlink_of(PKRAM_MNT));
}

TEST_F(main, xattr_values_fill_the_record)
{
	/* 64 KiB minus the name and the 4 bytes before it */
	size_t most = 65536 - 4 - strlen("a");
	char *value = malloc(65536), *back = malloc(65536);
	int fd = fs_file("file", 0);

	memset(value, 'v', 65536);
	EXPECT_OK(fsetxattr(fd, "user.a", value, 5000, 0));
	EXPECT_EQ(5000, fgetxattr(fd, "user.a", back, 65536));
	EXPECT_OK(fsetxattr(fd, "user.a", value, most, 0));
	EXPECT_EQ(most, fgetxattr(fd, "user.a", back, 65536));
	EXPECT_EQ(0, memcmp(value, back, most));
	EXPECT_ERR(ENOSPC, fsetxattr(fd, "user.a", value, most + 1, 0));
	EXPECT_ERR(ENOSPC, fsetxattr(fd, "user.a", value, 65536, 0));
	EXPECT_EQ(most, fgetxattr(fd, "user.a", NULL, 0));
	EXPECT_ERR(ENOSPC, fsetxattr(fd, "user.b", "1", 1, 0));
	EXPECT_OK(fremovexattr(fd, "user.a"));
	close(fd);
	free(value);
	free(back);
}

/* A full pool */

/* Leave a pool with no free unit and no free small pair of slots; fds stay open */
static void fill_pool(int fill)
{
	uint64_t step;
	char name[32];
	int fd, i;

	for (step = GIB; step >= UNIT; step /= 2)
		while (!fallocate(fill, 0, fs_size(fill), step))
			;
	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		fd = open(name, O_WRONLY | O_CREAT, 0644);
		if (fd < 0)
			break;
		close(fd);
	}
}

TEST_F(main, large_record_becomes_small_in_a_full_pool)
{
	static char value[20000];
	int fd = fs_file("file", 0), labels = fs_file("labels", 0), fill = fs_file("fill", 0);
	int i;

	/* Every other unit: more extents than a small record has space for */
	for (i = 0; i < 400; i++)
		ASSERT_OK(fallocate(fd, 0, 2 * i * UNIT, UNIT));
	for (i = 0; i < 400; i++)
		ASSERT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    (2 * i + 1) * UNIT, UNIT));
	EXPECT_OK(fsetxattr(labels, "user.a", value, sizeof(value), 0));
	fill_pool(fill);
	ASSERT_EQ(ENOSPC, errno);
	EXPECT_OK(fremovexattr(labels, "user.a"));
	EXPECT_OK(ftruncate(fd, 0));
	EXPECT_EQ(0, fs_blocks(fd));
	/* The memory that it had is available to others. */
	EXPECT_OK(ftruncate(fd, 100 * UNIT));
	close(fd);
	close(labels);
	close(fill);
}

TEST_HARNESS_MAIN
