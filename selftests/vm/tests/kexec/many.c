// SPDX-License-Identifier: GPL-2.0
/*
 * Many objects, long names, large records, very many extents: all found again, in a
 * time that is measured, and all memory back in the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"

#define DIRS		64
#define FILES_PER_DIR	66
#define OBJECTS		(DIRS + DIRS * FILES_PER_DIR)	/* 4,288 */
#define POOL_GIB	8
#define UNIT		(2 * MIB)
#define FRAG_UNITS	3600
#define LABELS		12
#define LABEL_SIZE	1500

static void dir_path(char *p, int d)
{
	sprintf(p, PKRAM_MNT "/d%d", d);
}

/* Names of all lengths from a few bytes up to 255 */
static void file_path(char *p, int d, int f)
{
	int n = (d * FILES_PER_DIR + f) % 256, len;

	p += sprintf(p, PKRAM_MNT "/d%d/", d);
	len = sprintf(p, "%d.", f);
	for (; len < n; len++)
		p[len] = 'a' + (len + d + f) % 26;
	p[len] = '\0';
}

static bool has_data(int f)
{
	return f == 7;
}

static void check_objects(struct __test_metadata *_metadata)
{
	char path[400];
	struct stat st;
	int d, f;

	EXPECT_EQ(0, pool_number("quarantined"));
	for (d = 0; d < DIRS; d++) {
		dir_path(path, d);
		ASSERT_EQ(0, stat(path, &st));
		EXPECT_EQ(S_IFDIR | 0750, st.st_mode);
		for (f = 0; f < FILES_PER_DIR; f++) {
			file_path(path, d, f);
			ASSERT_EQ(0, stat(path, &st)) {
				TH_LOG("%s: %m", path);
			}
			EXPECT_EQ(d * 1000 + f, st.st_uid);
			EXPECT_EQ(has_data(f) ? 4096 : 0, st.st_size);
			if (has_data(f))
				EXPECT_EQ(0, pool_file_check(path, 4096, d));
		}
	}
}

/* Load the module, and print the time. */
static void load(struct __test_metadata *_metadata)
{
	double begin = vm_now(), end;

	ASSERT_EQ(0, vm_insmod(PKRAM_MODULE, NULL));
	end = vm_now();
	ASSERT_EQ(0, vm_mount("pkramfs", PKRAM_MNT, NULL));
	TH_LOG("loaded %lld objects in %.0f ms", pool_number("objects"),
	       (end - begin) * 1000);
}

static void set_labels(struct __test_metadata *_metadata, int seed)
{
	char name[32], value[LABEL_SIZE];
	int i;

	for (i = 0; i < LABELS; i++) {
		sprintf(name, "user.label%d", i);
		memset(value, seed + i, sizeof(value));
		ASSERT_EQ(0, setxattr(PKRAM_MNT "/labels", name, value, sizeof(value), 0));
	}
}

static void check_labels(struct __test_metadata *_metadata, int seed)
{
	char name[32], value[LABEL_SIZE], want[LABEL_SIZE];
	int i;

	for (i = 0; i < LABELS; i++) {
		sprintf(name, "user.label%d", i);
		memset(want, seed + i, sizeof(want));
		ASSERT_EQ(LABEL_SIZE, getxattr(PKRAM_MNT "/labels", name, value,
					       sizeof(value)));
		EXPECT_EQ(0, memcmp(value, want, sizeof(want)));
	}
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/labels", 3 * MIB, 5));
}

static void remove_labels(struct __test_metadata *_metadata)
{
	char name[32];
	int i;

	for (i = 0; i < LABELS; i++) {
		sprintf(name, "user.label%d", i);
		ASSERT_EQ(0, removexattr(PKRAM_MNT "/labels", name));
	}
}

/* Every second unit of the file is allocated; of these one in 31 has data. */
static void check_fragments(struct __test_metadata *_metadata)
{
	static char buf[4096];
	int fd = open(PKRAM_MNT "/fragments", O_RDONLY), i;
	struct stat st;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(FRAG_UNITS * UNIT, st.st_size);
	EXPECT_EQ(FRAG_UNITS / 2 * UNIT, st.st_blocks * 512);
	for (i = 0; i < FRAG_UNITS; i += 31) {
		ASSERT_EQ(4096, pread(fd, buf, sizeof(buf), i * UNIT + 8192));
		if (i % 62) {
			EXPECT_EQ(-1, vm_verify(buf, sizeof(buf), 9, i * UNIT));
		} else {
			EXPECT_EQ(-1, vm_verify_zero(buf, sizeof(buf)));
		}
		if (i % 2) {
			EXPECT_EQ(i * (off_t)UNIT, lseek(fd, (i - 1) * UNIT, SEEK_DATA));
		}
	}
	close(fd);
}

/* Load the module and check all that the first boot made; labels have @seed. */
static void load_and_check(struct __test_metadata *_metadata, int seed)
{
	load(_metadata);
	EXPECT_EQ(OBJECTS + 3, pool_number("objects"));
	check_objects(_metadata);
	check_fragments(_metadata);
	check_labels(_metadata, seed);
}

STAGE(make)

TEST_F_TIMEOUT(make, creates_many_objects, 400)
{
	char path[400];
	int d, f, fd;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(POOL_GIB));
	for (d = 0; d < DIRS; d++) {
		dir_path(path, d);
		ASSERT_EQ(0, mkdir(path, 0750));
		for (f = 0; f < FILES_PER_DIR; f++) {
			file_path(path, d, f);
			if (has_data(f))
				ASSERT_EQ(0, pool_file_fill(path, 4096, d));
			fd = open(path, O_CREAT | O_WRONLY, 0600);
			ASSERT_LE(0, fd) {
				TH_LOG("%s: %m", path);
			}
			ASSERT_EQ(0, fchown(fd, d * 1000 + f, 1));
			close(fd);
		}
	}
	EXPECT_EQ(OBJECTS, pool_number("objects"));
	check_objects(_metadata);
}

TEST_F_TIMEOUT(make, creates_a_fragmented_file, 300)
{
	int fd = open(PKRAM_MNT "/fragments", O_CREAT | O_RDWR, 0600), i;
	static char buf[4096];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fallocate(fd, 0, 0, FRAG_UNITS * UNIT));
	for (i = 0; i < FRAG_UNITS; i++) {
		if (i % 2) {
			if (i % 31 || !(i % 62))
				continue;
			vm_fill(buf, sizeof(buf), 9, i * UNIT);
			ASSERT_EQ(4096, pwrite(fd, buf, sizeof(buf), i * UNIT + 8192));
			continue;
		}
		ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				       i * UNIT, UNIT));
	}
	close(fd);
	check_fragments(_metadata);
}

TEST_F_TIMEOUT(make, creates_a_file_with_labels, 200)
{
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/labels", 3 * MIB, 5));
	set_labels(_metadata, 'A');
	check_labels(_metadata, 'A');
}

/* The id of the last object must not be used again. */
TEST_F(make, creates_and_removes_the_last_object)
{
	struct stat st;
	int fd, note;

	note = open(PKRAM_MNT "/note", O_CREAT | O_WRONLY, 0600);
	fd = open(PKRAM_MNT "/last", O_CREAT | O_WRONLY, 0600);
	ASSERT_EQ(0, fstat(fd, &st));
	ASSERT_EQ(sizeof(st.st_ino), write(note, &st.st_ino, sizeof(st.st_ino)));
	close(fd);
	close(note);
	ASSERT_EQ(0, unlink(PKRAM_MNT "/last"));
}

STAGE(one)

TEST_F_TIMEOUT(one, objects_are_preserved, 300)
{
	load_and_check(_metadata, 'A');
}

TEST_F(one, object_ids_are_not_reused)
{
	struct stat st;
	ino_t last;
	int fd;

	fd = open(PKRAM_MNT "/note", O_RDONLY);
	ASSERT_EQ(sizeof(last), read(fd, &last, sizeof(last)));
	close(fd);
	fd = open(PKRAM_MNT "/new", O_CREAT | O_WRONLY, 0600);
	ASSERT_EQ(0, fstat(fd, &st));
	close(fd);
	EXPECT_LT(last, st.st_ino);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/new"));
}

TEST_F(one, large_record_becomes_small)
{
	remove_labels(_metadata);
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/labels", 3 * MIB, 5));
}

STAGE(two)

TEST_F_TIMEOUT(two, small_record_becomes_large, 300)
{
	char list[100];

	load(_metadata);
	EXPECT_EQ(0, pool_number("quarantined"));
	EXPECT_EQ(0, listxattr(PKRAM_MNT "/labels", list, sizeof(list)));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/labels", 3 * MIB, 5));
	set_labels(_metadata, 'a');
	check_fragments(_metadata);
}

STAGE(last)

TEST_F_TIMEOUT(last, objects_are_preserved, 300)
{
	load_and_check(_metadata, 'a');
}

TEST_F_TIMEOUT(last, all_objects_can_be_removed, 400)
{
	char path[400];
	long long size;
	int d, f;

	EXPECT_EQ(0, unlink(PKRAM_MNT "/fragments"));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/labels"));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/note"));
	for (d = 0; d < DIRS; d++) {
		for (f = 0; f < FILES_PER_DIR; f++) {
			file_path(path, d, f);
			ASSERT_EQ(0, unlink(path));
		}
		dir_path(path, d);
		ASSERT_EQ(0, rmdir(path));
	}
	EXPECT_EQ(0, pool_number("objects"));
	size = pool_number("size");
	TH_LOG("%lld MiB for records, unused now", pool_number("meta") >> 20);
	EXPECT_EQ(size - pool_number("meta"), pool_number("free"));
	/* Units without records are given back with their GiB. */
	EXPECT_EQ(0, vm_run(NULL, CTL "pool shrink %dG", POOL_GIB));
	EXPECT_EQ(0, pool_number("regions"));
	EXPECT_EQ(0, pool_number("meta"));
}

TEST_HARNESS_MAIN
