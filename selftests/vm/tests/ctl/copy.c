// SPDX-License-Identifier: GPL-2.0
/* pkramctl export, import, verify: copy objects of pkramfs to files and back */
#include "fs_fixture.h"

#include <sys/xattr.h>

#define CTL	"pkramctl.static "
#define DISK	"/tmp/disk"
#define DIR	"--dir " PKRAM_MNT "/test "

static const uint8_t vm_uuid[16] = "a guest", cookie[16] = "cookie";

/* Run the tool; its output is returned in *@out if that is not NULL, and must contain @text */
static int ctl(int want, const char *text, const char *args)
{
	char *out = NULL;
	int ret = vm_run(&out, CTL "%s", args), bad = ret != want;

	if (text && (!out || !strstr(out, text)))
		bad = 1;
	if (bad)
		printf("# pkramctl %s: status %d, %s\n", args, ret, out ? out : "");
	free(out);
	return bad;
}

/* Write data to units 0, 1 and from the middle of 7 on; punch out 2 to 6 */
static int make_sparse(const char *name)
{
	int fd = fs_file(name, 12 * UNIT), err;

	if (fd < 0)
		return -1;
	err = fs_set(fd, 0x11, 2 * UNIT, 0) ?:
	      fs_set(fd, 0x22, 3 * UNIT + 777, 7 * UNIT + UNIT / 2) ?:
	      fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * UNIT, 5 * UNIT) ?:
	      fchmod(fd, 0604) ?: fchown(fd, 12, 34) ?:
	      fsetxattr(fd, "user.os", "debian", 6, 0);
	close(fd);
	return err;
}

static bool is_sparse_one(const char *name)
{
	int fd = open(name, O_RDONLY);
	bool good;

	good = fs_size(fd) == 12 * UNIT &&
	       fs_find_other(fd, 0x11, 2 * UNIT, 0) == -1 &&
	       fs_find_other(fd, 0, 5 * UNIT + UNIT / 2, 2 * UNIT) == -1 &&
	       fs_find_other(fd, 0x22, 3 * UNIT + 777, 7 * UNIT + UNIT / 2) == -1 &&
	       fs_find_other(fd, 0, UNIT + UNIT / 2 - 777, 10 * UNIT + UNIT / 2 + 777) == -1;
	close(fd);
	return good;
}

static uint64_t blocks_of(const char *name)
{
	struct stat st;

	return stat(name, &st) ? 0 : st.st_blocks * 512ULL;
}

static void new_disk(void)
{
	mkdir(DISK, 0755);
	fs_empty(DISK);
}

/* Claim an object as QEMU does; the claim lasts until the file is closed */
static int claimed(const char *name)
{
	struct pkram_ioc_claim c = { .size = sizeof(c) };
	int fd = open(name, O_RDWR | O_EXCL | O_CLOEXEC);

	memcpy(c.vm_uuid, vm_uuid, 16);
	if (fd < 0 || ioctl(fd, PKRAM_IOC_CLAIM, &c))
		return -1;
	return fd;
}

TEST_F(main, export_and_import_keep_holes)
{
	struct stat before, after;
	uint64_t blocks;
	char label[8];

	new_disk();
	ASSERT_OK(make_sparse("vm1"));
	ASSERT_OK(stat("vm1", &before));
	blocks = blocks_of("vm1");
	EXPECT_OK(ctl(0, "ok", "export " DIR "vm1 " DISK));
	EXPECT_OK(vm_run(NULL, "cmp vm1 " DISK "/vm1"));
	EXPECT_OK(ctl(0, "ok", "verify " DISK "/vm1"));
	ASSERT_OK(unlink("vm1"));

	EXPECT_OK(ctl(0, "ok", "import " DIR DISK "/vm1"));
	EXPECT_TRUE(is_sparse_one("vm1"));
	EXPECT_ERR(ENOENT, access("vm1.part", F_OK));
	EXPECT_LE(blocks_of("vm1"), blocks);
	ASSERT_OK(stat("vm1", &after));
	EXPECT_EQ(before.st_mode, after.st_mode);
	EXPECT_EQ(before.st_uid, after.st_uid);
	EXPECT_EQ(before.st_gid, after.st_gid);
	EXPECT_EQ(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	EXPECT_EQ(6, getxattr("vm1", "user.os", label, sizeof(label)));
	EXPECT_EQ(0, memcmp(label, "debian", 6));
}

TEST_F(main, import_reserves_preallocated_memory)
{
	int fd = fs_file("vm1", 9 * UNIT);

	new_disk();
	EXPECT_OK(fs_set(fd, 0x33, UNIT, 4 * UNIT));
	close(fd);
	EXPECT_EQ(9 * UNIT, blocks_of("vm1"));
	EXPECT_OK(ctl(0, "ok", "export " DIR "vm1 " DISK));
	ASSERT_OK(unlink("vm1"));
	EXPECT_OK(ctl(0, "ok", "import " DIR DISK "/vm1"));
	EXPECT_EQ(9 * UNIT, blocks_of("vm1"));
	fd = open("vm1", O_RDONLY);
	EXPECT_EQ(-1, fs_find_other(fd, 0, 4 * UNIT, 0));
	EXPECT_EQ(-1, fs_find_other(fd, 0x33, UNIT, 4 * UNIT));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 4 * UNIT, 5 * UNIT));
	close(fd);
}

TEST_F(main, import_over_claimed_object_is_ebusy)
{
	int fd;

	new_disk();
	ASSERT_OK(make_sparse("vm1"));
	EXPECT_OK(ctl(0, "ok", "export " DIR "vm1 " DISK));
	EXPECT_OK(ctl(1, "vm1: File exists", "import " DIR DISK "/vm1"));
	fd = claimed("vm1");
	ASSERT_LE(0, fd);
	EXPECT_OK(ctl(1, "vm1: Device or resource busy",
		      "import " DIR "--force " DISK "/vm1"));
	EXPECT_ERR(ENOENT, access("vm1.part", F_OK));
	/* Export of a claimed object is allowed, with a warning. */
	EXPECT_OK(ctl(0, "is claimed", "export " DIR "--force vm1 " DISK));
	close(fd);
	EXPECT_OK(ctl(0, "ok", "import " DIR "--force " DISK "/vm1"));
	EXPECT_TRUE(is_sparse_one("vm1"));
}

TEST_F(main, sealed_object_is_exported_but_not_replaced)
{
	struct pkram_ioc_seal s = { .size = sizeof(s) };
	int fd;

	new_disk();
	ASSERT_OK(make_sparse("vm1"));
	fd = claimed("vm1");
	ASSERT_LE(0, fd);
	memcpy(s.cookie, cookie, 16);
	memcpy(s.vm_uuid, vm_uuid, 16);
	ASSERT_OK(ioctl(fd, PKRAM_IOC_SEAL, &s));
	close(fd);
	EXPECT_OK(ctl(0, "ok", "export " DIR "vm1 " DISK));
	EXPECT_OK(vm_run(NULL, "cmp vm1 " DISK "/vm1"));
	EXPECT_OK(ctl(1, "vm1: Device or resource busy",
		      "import " DIR "--force " DISK "/vm1"));
	EXPECT_TRUE(is_sparse_one("vm1"));
	EXPECT_OK(ctl(0, "ok", "import " DIR "--name vm2 " DISK "/vm1"));
	EXPECT_TRUE(is_sparse_one("vm2"));
	EXPECT_OK(ctl(0, "", "object unseal " PKRAM_MNT "/test/vm1"));
}

TEST_F(main, import_into_full_pool_fails_and_can_be_repeated)
{
	uint64_t step;
	int fill;

	new_disk();
	ASSERT_OK(make_sparse("vm1"));
	EXPECT_OK(ctl(0, "ok", "export " DIR "vm1 " DISK));
	ASSERT_OK(unlink("vm1"));
	fill = fs_file("fill", 0);
	for (step = GIB; step >= UNIT; step /= 2)
		while (!fallocate(fill, 0, fs_size(fill), step))
			;
	ASSERT_OK(ftruncate(fill, fs_size(fill) - 3 * UNIT));
	EXPECT_OK(ctl(1, "vm1.part: No space left on device", "import " DIR DISK "/vm1"));
	EXPECT_ERR(ENOENT, access("vm1", F_OK));
	close(fill);
	ASSERT_OK(unlink("fill"));
	EXPECT_OK(ctl(0, "ok", "import " DIR DISK "/vm1"));
	EXPECT_TRUE(is_sparse_one("vm1"));
}

TEST_F(main, import_of_damaged_file_leaves_no_object)
{
	int fd;

	new_disk();
	ASSERT_OK(make_sparse("vm1"));
	EXPECT_OK(ctl(0, "ok", "export " DIR "vm1 " DISK));
	fd = open(DISK "/vm1", O_RDWR);
	EXPECT_EQ(1, pwrite(fd, "x", 1, 8 * UNIT + 5));
	close(fd);
	EXPECT_OK(ctl(1, "object vm1: chunk 8, 2097152 bytes at byte 16777216, is damaged",
		      "import " DIR "--name vm2 " DISK "/vm1"));
	EXPECT_ERR(ENOENT, access("vm2", F_OK));
	EXPECT_ERR(ENOENT, access("vm2.part", F_OK));
}

TEST_HARNESS_MAIN
