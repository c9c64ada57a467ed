// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of an operation on files fails once; fail_nth does the same with the pool,
 * kexec and the module. How operations are driven: fail_nth.h; here are the operations.
 */
#include "fail_nth_fixture.h"
#include <pkram.h>

#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define FILE_	PKRAM_MNT "/file"
#define OTHER	PKRAM_MNT "/other"

static bool have_file(void)
{
	struct stat st;

	return !stat(FILE_, &st) && st.st_size == 0 && st.st_blocks == 0;
}

static bool no_file(void)
{
	return gone(FILE_);
}

static int create(void)
{
	int fd = open(FILE_, O_RDWR | O_CREAT | O_EXCL, 0644);

	if (fd >= 0)
		close(fd);
	return fail_nth_result(fd);
}

static int remove_file(void)
{
	return unlink(FILE_);
}

/* The file may exist although open() failed. */
static bool no_file_or_empty(void)
{
	if (have_file())
		unlink(FILE_);
	return no_file();
}

static int make_dir(void)
{
	return fail_nth_result(mkdir(FILE_, 0755));
}

static bool have_dir(void)
{
	struct stat st;

	return !stat(FILE_, &st) && S_ISDIR(st.st_mode);
}

static int remove_dir(void)
{
	return rmdir(FILE_);
}

static int fd = -1;
static char data[3 * 2 * MIB];

static bool file_is(off_t size, uint64_t blocks)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size == size && st.st_blocks * 512ULL == blocks;
}

static bool file_empty(void)
{
	return file_is(0, 0);
}

static int cut(void)
{
	return ftruncate(fd, 0);
}

static int write_all(void)
{
	ssize_t n = pwrite(fd, data, sizeof(data), 0);

	/* A short write is valid: what was written is there. */
	if (n >= 0 && n < (ssize_t)sizeof(data)) {
		if (!file_is(n, (n + UNIT - 1) / UNIT * UNIT))
			return -EIO;
		return ftruncate(fd, 0) ? -EIO : -ENOMEM;
	}
	return fail_nth_result(n);
}

static bool written(void)
{
	return file_is(sizeof(data), sizeof(data)) &&
	       fs_find_other(fd, 0x5a, sizeof(data), 0) < 0;
}

static int grow_file(void)
{
	return fail_nth_result(ftruncate(fd, 5 * UNIT));
}

static bool grown(void)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size == 5 * UNIT;
}

static int allocate(void)
{
	return fail_nth_result(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 7 * UNIT));
}

static bool allocated(void)
{
	return file_is(0, 7 * UNIT);
}

static int deallocate(void)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 7 * UNIT);
}

static int punch(void)
{
	return fail_nth_result(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				UNIT, UNIT));
}

static bool punched(void)
{
	return file_is(sizeof(data), sizeof(data) - UNIT) &&
	       fs_find_other(fd, 0, UNIT, UNIT) < 0 &&
	       fs_find_other(fd, 0x5a, UNIT, 0) < 0 &&
	       fs_find_other(fd, 0x5a, UNIT, 2 * UNIT) < 0;
}

static int fill_again(void)
{
	return fs_set(fd, 0x5a, sizeof(data), 0);
}

static int shrink_file(void)
{
	return fail_nth_result(ftruncate(fd, UNIT + 5));
}

static bool shrunk(void)
{
	return file_is(UNIT + 5, 2 * UNIT);
}

static int set_xattr(void)
{
	return fail_nth_result(fsetxattr(fd, "user.name", data, 900, XATTR_CREATE));
}

static bool has_xattr(void)
{
	return fgetxattr(fd, "user.name", NULL, 0) == 900;
}

static bool no_xattr(void)
{
	return fgetxattr(fd, "user.name", NULL, 0) < 0 && errno == ENODATA;
}

static int remove_xattr(void)
{
	return fremovexattr(fd, "user.name");
}

static int make_other(void)
{
	int other = open(OTHER, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (other < 0 || write(other, "other", 5) != 5)
		return -1;
	return close(other);
}

static int rename_over(void)
{
	return fail_nth_result(rename(FILE_, OTHER));
}

static bool renamed(void)
{
	struct stat a, b;

	return gone(FILE_) && !stat(OTHER, &a) && !fstat(fd, &b) && a.st_ino == b.st_ino;
}

static bool not_renamed(void)
{
	struct stat a, b;

	return !stat(FILE_, &a) && !fstat(fd, &b) && a.st_ino == b.st_ino &&
	       !stat(OTHER, &a) && a.st_size == 5;
}

static int rename_back(void)
{
	return rename(OTHER, FILE_) || make_other();
}

static int unlink_it(void)
{
	return fail_nth_result(unlink(FILE_));
}

static int create_filled(void)
{
	int new = open(FILE_, O_RDWR | O_CREAT | O_EXCL, 0644), err;

	err = new < 0 || fs_set(new, 0x5a, sizeof(data), 0);
	if (new >= 0)
		close(new);
	return err;
}

static bool file_filled(void)
{
	struct stat st;

	return !stat(FILE_, &st) && st.st_size == sizeof(data);
}

static int list_dir(void)
{
	char buf[4096];
	int dir = open(PKRAM_MNT, O_RDONLY | O_DIRECTORY), err;

	err = fail_nth_result(dir);
	if (!err)
		err = fail_nth_result(syscall(SYS_getdents64, dir, buf, sizeof(buf)));
	if (dir >= 0)
		close(dir);
	return err;
}

/* Mapping, and first touch of holes */

static sigjmp_buf touched;

static void on_signal(int sig)
{
	siglongjmp(touched, sig);
}

/* Map @size bytes of the file and touch the first @nr units, one page of each */
static int map_touch_units(size_t size, int nr)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int err = 0;

	if (p == MAP_FAILED)
		return -errno;
	/* Zero a unit each time, not the whole GiB. */
	if (size == GIB)
		madvise(p, size, MADV_NOHUGEPAGE);
	sigaction(SIGBUS, &sa, NULL);
	if (sigsetjmp(touched, 1))
		err = -ENOMEM;
	else
		for (int i = 0; i < nr; i++)
			((volatile char *)p)[i * UNIT + 4096] = 0x77;
	munmap(p, size);
	return err;
}

static int map_touch(void)
{
	return map_touch_units(5 * UNIT, 5);
}

static bool mapped_data(void)
{
	char c = 0;

	for (int i = 0; i < 5; i++)
		if (pread(fd, &c, 1, i * UNIT + 4096) != 1 || c != 0x77)
			return false;
	return file_is(5 * UNIT, 5 * UNIT);
}

/* A new file, as a file keeps what was made for its first mapping */
static int other_file(off_t size)
{
	close(fd);
	if (unlink(FILE_))
		return -1;
	fd = open(FILE_, O_RDWR | O_CREAT | O_EXCL, 0644);
	return fd < 0 ? -1 : ftruncate(fd, size);
}

static int other_units(void)
{
	return other_file(5 * UNIT) ||
	       fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 5 * UNIT);
}

/* A GiB has no struct pages until it is touched. */

static int map_touch_gib(void)
{
	return map_touch_units(GIB, 1);
}

static int write_gib(void)
{
	char c = 0x77;

	return fail_nth_result(pwrite(fd, &c, 1, 4096));
}

static bool gib_touched(void)
{
	char c = 0;

	return pread(fd, &c, 1, 4096) == 1 && c == 0x77 &&
	       pool_now().gib_1g == 1;
}

/* The GiB must be idle again before it can be claimed anew. */
static int other_gib(void)
{
	return other_file(GIB) || pool_now().gib_1g;
}

/* -- tests -------------------------------------------------------------------- */

TEST_F_TIMEOUT(nth, create_mkdir_unlink, LONG)
{
	DRIVE(.name = "create", .run = create, .undone = no_file_or_empty,
	      .done = have_file, .undo = remove_file);
	DRIVE(.name = "mkdir", .run = make_dir, .undone = no_file,
	      .done = have_dir, .undo = remove_dir);
	ASSERT_EQ(0, create_filled());
	DRIVE(.name = "unlink", .run = unlink_it, .undone = file_filled,
	      .done = no_file, .undo = create_filled);
	DRIVE(.name = "readdir", .run = list_dir, .undone = always, .done = always);
	ASSERT_OK(unlink(FILE_));
}

TEST_F_TIMEOUT(nth, file_data, LONG)
{
	uint64_t free = fs_free();

	memset(data, 0x5a, sizeof(data));
	ASSERT_EQ(0, create());
	fd = open(FILE_, O_RDWR);
	ASSERT_LE(0, fd);
	DRIVE(.name = "write", .run = write_all, .undone = file_empty,
	      .done = written, .undo = cut);
	DRIVE(.name = "grow", .run = grow_file, .undone = file_empty,
	      .done = grown, .undo = cut);
	DRIVE(.name = "fallocate", .run = allocate, .undone = file_empty,
	      .done = allocated, .undo = deallocate);
	ASSERT_EQ(0, fill_again());
	DRIVE(.name = "punch", .run = punch, .undone = written,
	      .done = punched, .undo = fill_again);
	DRIVE(.name = "shrink", .run = shrink_file, .undone = written,
	      .done = shrunk, .undo = fill_again);
	ASSERT_OK(other_units());
	DRIVE(.name = "map and touch", .run = map_touch, .undone = always,
	      .done = mapped_data, .undo = other_units);
	ASSERT_OK(cut());
	DRIVE(.name = "setxattr", .run = set_xattr, .undone = no_xattr,
	      .done = has_xattr, .undo = remove_xattr);
	ASSERT_EQ(0, make_other());
	DRIVE(.name = "rename", .run = rename_over, .undone = not_renamed,
	      .done = renamed, .undo = rename_back);
	close(fd);
	ASSERT_OK(unlink(FILE_));
	ASSERT_OK(unlink(OTHER));
	EXPECT_GE(fs_free() + 16 * UNIT, free);
}

TEST_F_TIMEOUT(nth, first_touch, LONG)
{
	fd = open(FILE_, O_RDWR | O_CREAT | O_EXCL, 0644);
	ASSERT_LE(0, fd);
	ASSERT_OK(ftruncate(fd, GIB));
	ASSERT_EQ(0U, pool_now().gib_1g);
	DRIVE(.name = "write to a GiB", .run = write_gib, .undone = always,
	      .done = gib_touched, .undo = other_gib);
	DRIVE(.name = "touch a GiB", .run = map_touch_gib, .undone = always,
	      .done = gib_touched, .undo = other_gib);
	close(fd);
	ASSERT_OK(unlink(FILE_));
	EXPECT_EQ(0, pool_file_check(KEEP, 5 * UNIT, 3));
}

/* Then init looks for leaks. */
TEST_F(nth, unload)
{
	ASSERT_OK(unlink(KEEP));
	ASSERT_OK(umount(PKRAM_MNT));
	EXPECT_OK(vm_rmmod("pkram"));
}

TEST_HARNESS_MAIN
