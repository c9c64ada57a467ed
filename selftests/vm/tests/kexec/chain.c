// SPDX-License-Identifier: GPL-2.0
/*
 * A chain of five kexecs through the three kernels: each checks every byte, name, owner,
 * time and label, while other memory is filled and freed.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"

#define FILE_MODE	0640
#define FILE_UID	1234
#define FILE_GID	4321
#define MTIME		1700000000

static const struct {
	const char *path;
	uint64_t size;
} files[] = {
	{ PKRAM_MNT "/small", 4 * KIB },
	{ PKRAM_MNT "/dir/odd", 3 * MIB + 123 * 8 },
	{ PKRAM_MNT "/dir/gib", GIB },
	{ PKRAM_MNT "/large", 2560 * MIB },
};

#define NR_FILES ((int)(sizeof(files) / sizeof(files[0])))

static void check_files(struct __test_metadata *_metadata)
{
	char value[4096], label[4096];
	struct stat st;
	int i;

	for (i = 0; i < NR_FILES; i++) {
		TH_LOG("checking %s", files[i].path);
		EXPECT_EQ(0, pool_file_check(files[i].path, files[i].size, 100 + i));
		ASSERT_EQ(0, stat(files[i].path, &st));
		EXPECT_EQ(S_IFREG | FILE_MODE, st.st_mode);
		EXPECT_EQ(FILE_UID + i, st.st_uid);
		EXPECT_EQ(FILE_GID, st.st_gid);
		EXPECT_EQ(MTIME, st.st_mtim.tv_sec);
		EXPECT_EQ(987654321, st.st_mtim.tv_nsec);
		memset(label, 'a' + i, sizeof(label));
		ASSERT_EQ((ssize_t)sizeof(value),
			  getxattr(files[i].path, "user.label", value, sizeof(value)));
		EXPECT_EQ(0, memcmp(value, label, sizeof(label)));
	}
	ASSERT_EQ(0, stat(PKRAM_MNT "/dir", &st));
	EXPECT_EQ(S_IFDIR | 0711, st.st_mode);
	EXPECT_EQ(0, stat(PKRAM_MNT "/dir/empty", &st));
	EXPECT_EQ(0, st.st_size);
	EXPECT_EQ(0, pool_number("quarantined"));
	EXPECT_EQ(6, pool_number("objects"));
}

static void check_reserved(struct __test_metadata *_metadata)
{
	uint64_t start, end, total = 0;
	int i;

	for (i = 0; vm_iomem_find("pkram", i, &start, &end); i++) {
		EXPECT_FALSE(vm_iomem_touches(start, end, "System RAM"));
		total += end - start + 1;
	}
	EXPECT_EQ(5 * GIB, total);
}

/* Overwrite all memory that this kernel considers free, before the pool is attached */
static void come_back(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, pool_churn(vm_meminfo("MemAvailable") * 3 / 4, 0xff));
	ASSERT_EQ(0, pool_up(NULL));
	check_reserved(_metadata);
	check_files(_metadata);
}

STAGE(fill)

TEST_F_TIMEOUT(fill, creates_files, 300)
{
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT }, { MTIME, 987654321 }
	};
	char label[4096];
	int fd, i;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(5));
	ASSERT_EQ(0, mkdir(PKRAM_MNT "/dir", 0700));
	for (i = 0; i < NR_FILES; i++) {
		ASSERT_EQ(0, pool_file_fill(files[i].path, files[i].size, 100 + i));
		memset(label, 'a' + i, sizeof(label));
		ASSERT_EQ(0, setxattr(files[i].path, "user.label", label,
				      sizeof(label), 0));
		ASSERT_EQ(0, chown(files[i].path, FILE_UID + i, FILE_GID));
		ASSERT_EQ(0, chmod(files[i].path, FILE_MODE));
		ASSERT_EQ(0, utimensat(AT_FDCWD, files[i].path, times, 0));
	}
	fd = open(PKRAM_MNT "/dir/empty", O_CREAT | O_WRONLY, 0600);
	ASSERT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, chmod(PKRAM_MNT "/dir", 0711));
	check_files(_metadata);
	check_reserved(_metadata);
}

STAGE(hop)

TEST_F_TIMEOUT(hop, files_are_preserved, 300)
{
	come_back(_metadata);
}

STAGE(last)

TEST_F_TIMEOUT(last, files_are_preserved, 300)
{
	come_back(_metadata);
}

TEST_F_TIMEOUT(last, memory_is_returned, 300)
{
	long long before = vm_meminfo("MemTotal");

	ASSERT_EQ(0, vm_run(NULL, "rm -r " PKRAM_MNT "/*"));
	EXPECT_EQ(0, vm_run(NULL, CTL "pool shrink 5G"));
	EXPECT_LT(before + (long long)(5 * GIB) - (long long)(200 * MIB),
		  vm_meminfo("MemTotal"));
	EXPECT_EQ(0, pool_number("regions"));
	EXPECT_FALSE(vm_iomem_find("pkram", 0, &(uint64_t){ 0 }, &(uint64_t){ 0 }));
	EXPECT_EQ(0, pool_down());
}

TEST_HARNESS_MAIN
