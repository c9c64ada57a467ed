// SPDX-License-Identifier: GPL-2.0
/* pkramfs: mounts, names, attributes, permissions, labels */
#include "test.h"

#include "fs.h"

#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>

/* Runs first, and creates the pool that the fixture main needs */
FIXTURE(empty) {};

FIXTURE_SETUP(empty)
{
	ASSERT_OK(fs_load());
	ASSERT_OK(fs_mount());
	if (fs_total())
		SKIP(return, "there is a pool already");
}

FIXTURE_TEARDOWN(empty) {}

TEST_F(empty, mount_without_pool_creates_no_files)
{
	struct stat st;

	EXPECT_OK(stat(PKRAM_MNT, &st));
	EXPECT_EQ(S_IFDIR | 0755, st.st_mode);
	EXPECT_EQ(0, fs_free());
	EXPECT_ERR(ENOSPC, open(PKRAM_MNT "/file", O_RDWR | O_CREAT, 0644));
	EXPECT_ERR(ENOSPC, mkdir(PKRAM_MNT "/dir", 0755));
	EXPECT_ERR(ENOENT, open(PKRAM_MNT "/file", O_RDONLY));
}

TEST_F(empty, pool_grows_while_mounted)
{
	struct statfs before, after;
	int dir = open(PKRAM_MNT, O_RDONLY | O_DIRECTORY);

	ASSERT_LE(0, dir);
	ASSERT_OK(fstatfs(dir, &before));
	ASSERT_OK(fs_grow());
	ASSERT_OK(fstatfs(dir, &after));
	EXPECT_EQ(0, before.f_blocks);
	EXPECT_LE(GIB / 4096, after.f_blocks);
	EXPECT_EQ(0, after.f_blocks % (GIB / 4096));
	EXPECT_OK(mkdirat(dir, "here", 0755));
	EXPECT_OK(rmdir(PKRAM_MNT "/here"));
}

/* Fixtures run in the order of their definition. */
#include "fs_fixture.h"

/* Run @fn as another user and return its result, an errno */
static int as_nobody(int (*fn)(const char *), const char *path)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(255);
		_exit(fn(path));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int try_read(const char *path)
{
	return open(path, O_RDONLY) < 0 ? errno : 0;
}

static int try_write(const char *path)
{
	return open(path, O_WRONLY) < 0 ? errno : 0;
}

static int try_create(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_EXCL, 0640) < 0 ? errno : 0;
}

static int try_mkdir(const char *path)
{
	return mkdir(path, 0775) ? errno : 0;
}

static int try_unlink(const char *path)
{
	return unlink(path) ? errno : 0;
}

static int try_chmod(const char *path)
{
	return chmod(path, 0666) ? errno : 0;
}

static int try_truncate(const char *path)
{
	return truncate(path, 0) ? errno : 0;
}

static int try_append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	return fd < 0 || write(fd, "x", 1) != 1 ? errno : 0;
}

/* Mounts */

TEST_F(main, statfs_reports_the_pool)
{
	struct statfs s;

	ASSERT_OK(statfs(".", &s));
	EXPECT_EQ(PKRAM_FS_MAGIC, s.f_type);
	EXPECT_EQ(4096, s.f_bsize);
	EXPECT_LE(GIB / 4096, s.f_blocks);
	EXPECT_LT(s.f_bavail, s.f_blocks);
	EXPECT_EQ(255, s.f_namelen);
	EXPECT_LT(100, s.f_ffree);
	EXPECT_NE(0, s.f_fsid.__val[0] | s.f_fsid.__val[1]);
}

TEST_F(main, several_mounts_show_one_file_system)
{
	struct stat a, b;
	int fd;

	fd = fs_file("file", 0);
	ASSERT_LE(0, fd);
	ASSERT_OK(vm_mount(PKRAM_FS_NAME, "/mnt/second", NULL));
	EXPECT_OK(stat("file", &a));
	EXPECT_OK(stat("/mnt/second/test/file", &b));
	EXPECT_EQ(a.st_ino, b.st_ino);
	EXPECT_EQ(a.st_dev, b.st_dev);
	EXPECT_EQ(3, write(fd, "abc", 3));
	EXPECT_OK(stat("/mnt/second/test/file", &b));
	EXPECT_EQ(3, b.st_size);
	EXPECT_OK(unlink("/mnt/second/test/file"));
	EXPECT_ERR(ENOENT, stat("file", &a));
	close(fd);
	EXPECT_OK(vm_umount("/mnt/second"));
}

TEST_F(main, read_only_mount_does_not_affect_others)
{
	int fd;

	mkdir("/mnt/ro", 0755);
	ASSERT_OK(mount("pkram", "/mnt/ro", PKRAM_FS_NAME, MS_RDONLY, NULL));
	EXPECT_ERR(EROFS, open("/mnt/ro/test/file", O_RDWR | O_CREAT, 0644));
	fd = fs_file("file", 0);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_ERR(EROFS, truncate("/mnt/ro/test/file", 5));
	EXPECT_ERR(EROFS, unlink("/mnt/ro/test/file"));
	EXPECT_OK(vm_umount("/mnt/ro"));
}

TEST_F(main, unknown_mount_options_are_refused)
{
	mkdir("/mnt/bad", 0755);
	EXPECT_ERR(EINVAL, mount("pkram", "/mnt/bad", PKRAM_FS_NAME, 0, "mode=0700"));
	EXPECT_ERR(EINVAL, mount("pkram", "/mnt/bad", PKRAM_FS_NAME, 0, "size=1G"));
	EXPECT_ERR(EINVAL, mount("pkram", "/mnt/bad", PKRAM_FS_NAME, 0, "nonsense"));
}

TEST_F(main, files_survive_unmount_and_mount)
{
	struct stat before, after;
	char value[8] = "";
	int fd;

	fd = fs_file("file", 3 * MIB + 5);
	ASSERT_LE(0, fd);
	EXPECT_OK(fs_set(fd, 0x5a, 1000, 2 * MIB - 500));
	EXPECT_OK(fchmod(fd, 04751));
	EXPECT_OK(fchown(fd, 12, 34));
	EXPECT_OK(fsetxattr(fd, "user.label", "value", 5, 0));
	EXPECT_OK(fstat(fd, &before));
	close(fd);
	EXPECT_OK(chdir("/"));
	ASSERT_OK(vm_umount(PKRAM_MNT));
	ASSERT_OK(fs_mount());
	ASSERT_OK(chdir(PKRAM_MNT "/test"));
	ASSERT_OK(stat("file", &after));
	EXPECT_EQ(before.st_ino, after.st_ino);
	EXPECT_EQ(before.st_mode, after.st_mode);
	EXPECT_EQ(before.st_uid, after.st_uid);
	EXPECT_EQ(before.st_gid, after.st_gid);
	EXPECT_EQ(before.st_size, after.st_size);
	EXPECT_EQ(before.st_blocks, after.st_blocks);
	EXPECT_EQ(0, memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)));
	EXPECT_EQ(0, memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)));
	EXPECT_EQ(5, getxattr("file", "user.label", value, sizeof(value)));
	EXPECT_STREQ("value", value);
	fd = open("file", O_RDONLY);
	EXPECT_EQ(-1, fs_find_other(fd, 0, 2 * MIB - 500, 0));
	EXPECT_EQ(-1, fs_find_other(fd, 0x5a, 1000, 2 * MIB - 500));
	EXPECT_EQ(-1, fs_find_other(fd, 0, MIB - 500, 2 * MIB + 500));
	close(fd);
}

/* Names */

TEST_F(main, new_file_is_empty_and_owned_by_its_creator)
{
	struct statx x;
	int fd;

	umask(027);
	fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0666);
	ASSERT_LE(0, fd);
	ASSERT_OK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &x));
	EXPECT_EQ(S_IFREG | 0640, x.stx_mode);
	EXPECT_EQ(0, x.stx_uid);
	EXPECT_EQ(0, x.stx_size);
	EXPECT_EQ(0, x.stx_blocks);
	EXPECT_EQ(1, x.stx_nlink);
	EXPECT_EQ(UNIT, x.stx_blksize);
	EXPECT_EQ(STATX_BTIME, x.stx_mask & STATX_BTIME);
	EXPECT_LE(0, time(NULL) - x.stx_btime.tv_sec);
	EXPECT_GT(60, time(NULL) - x.stx_btime.tv_sec);
	EXPECT_ERR(EEXIST, open("file", O_RDWR | O_CREAT | O_EXCL, 0666));
	close(fd);
}

TEST_F(main, unlinked_open_file_stays_usable)
{
	char name[] = "tmpXXXXXX", buf[4];
	int fd = mkstemp(name), other;

	ASSERT_LE(0, fd);
	other = open(name, O_RDWR);
	EXPECT_LE(0, other);
	EXPECT_OK(unlink(name));
	EXPECT_EQ(4, write(fd, "data", 4));
	EXPECT_EQ(4, pread(other, buf, 4, 0));
	EXPECT_EQ(0, memcmp(buf, "data", 4));
	close(other);
	close(fd);
}

TEST_F(main, directories_nest_and_rmdir_needs_empty)
{
	struct stat st;

	EXPECT_OK(mkdir("a", 0750));
	EXPECT_OK(mkdir("a/b", 0755));
	EXPECT_OK(mkdir("a/b/c", 0755));
	EXPECT_OK(stat("a", &st));
	EXPECT_EQ(S_IFDIR | 0750, st.st_mode);
	EXPECT_ERR(EEXIST, mkdir("a/b", 0755));
	EXPECT_ERR(ENOTEMPTY, rmdir("a/b"));
	EXPECT_ERR(EISDIR, unlink("a/b/c"));
	EXPECT_OK(rmdir("a/b/c"));
	EXPECT_OK(rmdir("a/b"));
	EXPECT_OK(rmdir("a"));
	EXPECT_ERR(ENOENT, stat("a", &st));
}

TEST_F(main, create_in_removed_directory_is_enoent)
{
	int dir;

	ASSERT_OK(mkdir("gone", 0755));
	dir = open("gone", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, dir);
	EXPECT_OK(rmdir("gone"));
	EXPECT_ERR(ENOENT, openat(dir, "file", O_RDWR | O_CREAT, 0644));
	EXPECT_ERR(ENOENT, mkdirat(dir, "dir", 0755));
	close(dir);
}

TEST_F(main, links_and_device_nodes_are_refused)
{
	int fd = fs_file("file", 0);

	EXPECT_ERR(EPERM, link("file", "link"));
	EXPECT_ERR(EPERM, symlink("file", "symlink"));
	EXPECT_ERR(EPERM, mknod("fifo", S_IFIFO | 0644, 0));
	EXPECT_ERR(EOPNOTSUPP, open(".", O_TMPFILE | O_RDWR, 0644));
	close(fd);
}

TEST_F(main, unlink_frees_space_on_last_close)
{
	int fd = fs_file("file", 64 * MIB), again;

	ASSERT_LE(0, fd);
	EXPECT_OK(fs_set(fd, 1, 4 * MIB, 0));
	again = open("file", O_RDONLY);
	EXPECT_LE(fs_free() + 64 * MIB, self->free);
	EXPECT_OK(unlink("file"));
	EXPECT_ERR(ENOENT, open("file", O_RDONLY));
	EXPECT_LE(fs_free() + 64 * MIB, self->free);
	close(fd);
	EXPECT_EQ(-1, fs_find_other(again, 1, 4 * MIB, 0));
	EXPECT_LE(fs_free() + 64 * MIB, self->free);
	close(again);
	EXPECT_GE(fs_free() + 4 * MIB, self->free);
}

TEST_F(main, rename_moves_within_and_across_directories)
{
	struct stat before, after;
	int fd = fs_file("a", 4096);

	EXPECT_OK(fstat(fd, &before));
	EXPECT_OK(mkdir("dir", 0755));
	EXPECT_OK(rename("a", "b"));
	EXPECT_ERR(ENOENT, stat("a", &after));
	EXPECT_OK(rename("b", "dir/c"));
	EXPECT_ERR(ENOENT, stat("b", &after));
	EXPECT_OK(stat("dir/c", &after));
	EXPECT_EQ(before.st_ino, after.st_ino);
	EXPECT_EQ(4096, after.st_size);
	EXPECT_OK(mkdir("dir2", 0755));
	EXPECT_OK(rename("dir", "dir2/dir"));
	EXPECT_OK(stat("dir2/dir/c", &after));
	EXPECT_EQ(before.st_ino, after.st_ino);
	EXPECT_ERR(EINVAL, rename("dir2", "dir2/dir/x"));
	EXPECT_ERR(ENOENT, rename("nothing", "x"));
	close(fd);
}

TEST_F(main, rename_replaces_and_frees_the_old_file)
{
	struct stat st;
	int new = fs_file("new", 4096), old = fs_file("old", 32 * MIB);

	EXPECT_OK(fs_set(new, 'n', 4096, 0));
	EXPECT_OK(fs_set(old, 'o', 4096, 0));
	EXPECT_OK(rename("new", "old"));
	EXPECT_ERR(ENOENT, stat("new", &st));
	EXPECT_OK(stat("old", &st));
	EXPECT_EQ(4096, st.st_size);
	/* A process that has the old file open still sees it. */
	EXPECT_EQ(-1, fs_find_other(old, 'o', 4096, 0));
	EXPECT_OK(fstat(old, &st));
	EXPECT_EQ(0, st.st_nlink);
	EXPECT_LE(fs_free() + 32 * MIB, self->free);
	close(old);
	EXPECT_GE(fs_free() + 8 * MIB, self->free);
	close(new);
}

TEST_F(main, rename_over_wrong_type_is_refused)
{
	struct stat st;

	close(fs_file("file", 0));
	close(fs_file("file2", 0));
	EXPECT_OK(mkdir("dir", 0755));
	EXPECT_OK(mkdir("full", 0755));
	EXPECT_OK(mkdir("full/x", 0755));
	EXPECT_ERR(EISDIR, rename("file", "dir"));
	EXPECT_ERR(ENOTDIR, rename("dir", "file"));
	EXPECT_ERR(ENOTEMPTY, rename("dir", "full"));
	EXPECT_ERR(EEXIST, renameat2(AT_FDCWD, "file", AT_FDCWD, "file2", RENAME_NOREPLACE));
	EXPECT_OK(renameat2(AT_FDCWD, "file", AT_FDCWD, "file3", RENAME_NOREPLACE));
	EXPECT_ERR(EINVAL, renameat2(AT_FDCWD, "file2", AT_FDCWD, "file3", RENAME_EXCHANGE));
	EXPECT_ERR(EINVAL, renameat2(AT_FDCWD, "file2", AT_FDCWD, "file4", RENAME_WHITEOUT));
	EXPECT_OK(stat("file2", &st));
	EXPECT_OK(stat("file3", &st));
	EXPECT_OK(rename("full/x", "dir"));
}

TEST_F(main, names_are_limited_to_255_bytes)
{
	char name[257];
	struct stat st;
	int fd;

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	EXPECT_ERR(ENAMETOOLONG, open(name, O_RDWR | O_CREAT, 0644));
	EXPECT_ERR(ENAMETOOLONG, mkdir(name, 0755));
	name[255] = '\0';
	fd = fs_file(name, 0);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_OK(stat(name, &st));
	EXPECT_OK(rename(name, "short"));
	EXPECT_OK(rename("short", name));
	name[255] = 'n';
	EXPECT_ERR(ENAMETOOLONG, stat(name, &st));
	close(fs_file("short", 0));
	EXPECT_ERR(ENAMETOOLONG, rename("short", name));
	EXPECT_OK(stat("short", &st));
	name[255] = '\0';
	EXPECT_OK(unlink(name));
	/* Any byte except a slash is valid. */
	fd = fs_file("\x01\xff\x20\n\"'", 0);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_OK(stat("\x01\xff\x20\n\"'", &st));
}

#define MANY 3000

TEST_F(main, readdir_lists_thousands_of_files_once_each)
{
	static unsigned char seen[MANY];
	struct dirent *d;
	int i, fd, dots = 0;
	char name[32];
	DIR *dir;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		fd = fs_file(name, 0);
		ASSERT_LE(0, fd);
		close(fd);
	}
	ASSERT_OK(mkdir("sub", 0755));
	dir = opendir(".");
	ASSERT_NE(NULL, dir);
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.') {
			dots++;
		} else if (!strcmp(d->d_name, "sub")) {
			EXPECT_EQ(DT_DIR, d->d_type);
		} else {
			EXPECT_EQ(DT_REG, d->d_type);
			i = atoi(d->d_name + 1);
			ASSERT_GT(MANY, i);
			seen[i]++;
		}
	}
	EXPECT_EQ(2, dots);
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(1, seen[i]);
	closedir(dir);
}

TEST_F(main, readdir_is_consistent_during_unlink)
{
	int i, fd, n = 0, left = 0;
	struct dirent *d;
	char name[32];
	DIR *dir;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		fd = fs_file(name, 0);
		ASSERT_LE(0, fd);
		close(fd);
	}
	dir = opendir(".");
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		n++;
		ASSERT_OK(unlink(d->d_name));
	}
	EXPECT_EQ(MANY, n);
	rewinddir(dir);
	while ((d = readdir(dir)))
		left++;
	EXPECT_EQ(2, left);
	closedir(dir);
}

TEST_F(main, seekdir_returns_to_a_position)
{
	char name[32], third[256];
	struct dirent *d;
	long pos = 0;
	DIR *dir;
	int i;

	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		close(fs_file(name, 0));
	}
	dir = opendir(".");
	for (i = 0; i < 5; i++) {
		d = readdir(dir);
		ASSERT_NE(NULL, d);
		if (i == 3)
			pos = telldir(dir);
	}
	strcpy(third, d->d_name);
	while (readdir(dir))
		;
	seekdir(dir, pos);
	d = readdir(dir);
	ASSERT_NE(NULL, d);
	EXPECT_STREQ(third, d->d_name);
	/* The file at the position is gone: the next one is returned. */
	EXPECT_OK(unlink(third));
	seekdir(dir, pos);
	d = readdir(dir);
	ASSERT_NE(NULL, d);
	EXPECT_STRNE(third, d->d_name);
	closedir(dir);
}

/* Attributes */

TEST_F(main, timestamps_follow_changes_and_can_be_set)
{
	struct timespec set[2] = { { 1000000000, 123456789 }, { -5, 987654321 } };
	struct stat a, b, dir;
	int fd;

	fd = fs_file("file", 0);
	ASSERT_LE(0, fd);
	EXPECT_OK(futimens(fd, set));
	EXPECT_OK(fstat(fd, &a));
	EXPECT_EQ(1000000000, a.st_atim.tv_sec);
	EXPECT_EQ(123456789, a.st_atim.tv_nsec);
	EXPECT_EQ(-5, a.st_mtim.tv_sec);
	EXPECT_EQ(987654321, a.st_mtim.tv_nsec);
	EXPECT_LT(1000000000, a.st_ctim.tv_sec);
	EXPECT_EQ(1, write(fd, "x", 1));
	EXPECT_OK(fstat(fd, &b));
	EXPECT_LE(a.st_ctim.tv_sec, b.st_mtim.tv_sec);
	EXPECT_EQ(a.st_atim.tv_sec, b.st_atim.tv_sec);
	EXPECT_OK(futimens(fd, set));
	EXPECT_OK(truncate("file", 0));
	EXPECT_OK(fstat(fd, &b));
	EXPECT_LE(a.st_ctim.tv_sec, b.st_mtim.tv_sec);
	EXPECT_OK(utimensat(AT_FDCWD, ".", set, 0));
	EXPECT_OK(unlink("file"));
	EXPECT_OK(stat(".", &dir));
	EXPECT_LE(a.st_ctim.tv_sec, dir.st_mtim.tv_sec);
	close(fd);
}

TEST_F(main, permissions_apply_to_other_users)
{
	close(fs_file("mine", 4096));
	EXPECT_OK(chmod("mine", 0600));
	EXPECT_EQ(EACCES, as_nobody(try_read, "mine"));
	EXPECT_EQ(EACCES, as_nobody(try_write, "mine"));
	EXPECT_EQ(EACCES, as_nobody(try_truncate, "mine"));
	EXPECT_EQ(EPERM, as_nobody(try_chmod, "mine"));
	EXPECT_EQ(EACCES, as_nobody(try_unlink, "mine"));
	EXPECT_EQ(EACCES, as_nobody(try_create, "new"));
	EXPECT_EQ(EACCES, as_nobody(try_mkdir, "newdir"));
	EXPECT_OK(chmod("mine", 0644));
	EXPECT_EQ(0, as_nobody(try_read, "mine"));
	EXPECT_EQ(EACCES, as_nobody(try_write, "mine"));
	EXPECT_OK(chown("mine", NOBODY, NOBODY));
	EXPECT_EQ(0, as_nobody(try_write, "mine"));
	EXPECT_EQ(0, as_nobody(try_chmod, "mine"));
	EXPECT_OK(chmod(".", 0777));
	EXPECT_EQ(0, as_nobody(try_create, "new"));
	EXPECT_EQ(0, as_nobody(try_unlink, "new"));
	EXPECT_OK(chmod(".", 01777));
	close(fs_file("sticky", 0));
	EXPECT_EQ(EPERM, as_nobody(try_unlink, "sticky"));
}

TEST_F(main, set_id_bits_are_inherited_and_dropped)
{
	struct stat st;
	int fd;

	EXPECT_OK(mkdir("group", 0777));
	EXPECT_OK(chown("group", 0, 77));
	EXPECT_OK(chmod("group", 02777));
	fd = fs_file("group/file", 0);
	EXPECT_OK(fstat(fd, &st));
	EXPECT_EQ(77, st.st_gid);
	EXPECT_EQ(S_IFREG | 0644, st.st_mode);
	close(fd);
	EXPECT_OK(mkdir("group/dir", 0755));
	EXPECT_OK(stat("group/dir", &st));
	EXPECT_EQ(77, st.st_gid);
	EXPECT_EQ(S_IFDIR | 02755, st.st_mode);
	EXPECT_OK(chmod("group/file", 06777));
	EXPECT_EQ(0, as_nobody(try_append, "group/file"));
	EXPECT_OK(stat("group/file", &st));
	EXPECT_EQ(S_IFREG | 0777, st.st_mode);
	EXPECT_OK(chmod("group/file", 06755));
	EXPECT_OK(chown("group/file", NOBODY, NOBODY));
	EXPECT_OK(stat("group/file", &st));
	EXPECT_EQ(S_IFREG | 0755, st.st_mode);
}

/* Labels */

TEST_F(main, xattrs_are_set_listed_and_removed)
{
	static char big[4096], back[8192];
	char list[64];
	int fd = fs_file("file", 0);
	ssize_t n;

	memset(big, 'v', sizeof(big));
	EXPECT_OK(fsetxattr(fd, "user.a", "1", 1, 0));
	EXPECT_OK(fsetxattr(fd, "user.big", big, sizeof(big), XATTR_CREATE));
	EXPECT_ERR(EEXIST, fsetxattr(fd, "user.a", "2", 1, XATTR_CREATE));
	EXPECT_ERR(ENODATA, fsetxattr(fd, "user.c", "2", 1, XATTR_REPLACE));
	EXPECT_OK(fsetxattr(fd, "user.a", "22", 2, XATTR_REPLACE));
	EXPECT_EQ(2, fgetxattr(fd, "user.a", NULL, 0));
	EXPECT_EQ(2, fgetxattr(fd, "user.a", back, sizeof(back)));
	EXPECT_EQ(0, memcmp(back, "22", 2));
	EXPECT_EQ(4096, fgetxattr(fd, "user.big", back, sizeof(back)));
	EXPECT_EQ(0, memcmp(back, big, sizeof(big)));
	EXPECT_ERR(ERANGE, fgetxattr(fd, "user.big", back, 4095));
	EXPECT_EQ(strlen("user.a") + 1 + strlen("user.big") + 1, flistxattr(fd, NULL, 0));
	n = flistxattr(fd, list, sizeof(list));
	EXPECT_EQ(16, n);
	EXPECT_NE(NULL, memmem(list, n, "user.a", 7));
	EXPECT_NE(NULL, memmem(list, n, "user.big", 9));
	EXPECT_ERR(ERANGE, flistxattr(fd, list, 15));
	EXPECT_OK(fremovexattr(fd, "user.a"));
	EXPECT_ERR(ENODATA, fremovexattr(fd, "user.a"));
	EXPECT_ERR(ENODATA, fgetxattr(fd, "user.a", back, sizeof(back)));
	EXPECT_OK(fsetxattr(fd, "user.empty", "", 0, 0));
	EXPECT_EQ(0, fgetxattr(fd, "user.empty", back, sizeof(back)));
	close(fd);
}

TEST_F(main, xattrs_beyond_the_limits_are_refused)
{
	static char value[65536], back[65536];
	char name[300] = "user.";
	int fd = fs_file("file", 0), i, err = 0;
	char small[32];

	EXPECT_ERR(EOPNOTSUPP, fsetxattr(fd, "trusted.a", "1", 1, 0));
	EXPECT_ERR(EOPNOTSUPP, fgetxattr(fd, "security.capability", back, 1));
	memset(name + 5, 'n', sizeof(name) - 6);
	name[255] = '\0';
	EXPECT_OK(fsetxattr(fd, name, "1", 1, 0));
	name[255] = 'n';
	EXPECT_ERR(ERANGE, fsetxattr(fd, name, "1", 1, 0));
	/* Fill the space: the label that does not fit changes nothing. */
	memset(value, 'x', sizeof(value));
	for (i = 0; i < 100 && !err; i++) {
		snprintf(small, sizeof(small), "user.n%d", i);
		if (fsetxattr(fd, small, value, 4000, 0))
			err = errno;
	}
	EXPECT_EQ(ENOSPC, err);
	EXPECT_LT(10, i);
	EXPECT_ERR(ENODATA, fgetxattr(fd, small, back, sizeof(back)));
	EXPECT_EQ(4000, fgetxattr(fd, "user.n0", back, sizeof(back)));
	EXPECT_EQ(0, memcmp(back, value, 4000));
	EXPECT_OK(fremovexattr(fd, "user.n0"));
	EXPECT_OK(fsetxattr(fd, small, value, 4000, 0));
	close(fd);
}

TEST_F(main, sync_and_fsync_succeed)
{
	int fd = fs_file("file", 4096);
	int dir = open(".", O_RDONLY);

	EXPECT_OK(fsync(fd));
	EXPECT_OK(fdatasync(fd));
	EXPECT_OK(fsync(dir));
	EXPECT_OK(syncfs(fd));
	close(dir);
	close(fd);
}

TEST_HARNESS_MAIN
