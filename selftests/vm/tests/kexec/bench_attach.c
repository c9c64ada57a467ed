// SPDX-License-Identifier: GPL-2.0
/*
 * Time of attaching 1,000 and 50,000 objects, in one directory and each in the one before.
 * The test only checks that all are there; bench/pool.sh prints the figures.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"

#define FEW	1000
#define MANY	50000
#define NOTE	PKRAM_MNT "/note"	/* its size: microseconds of the attach of 1,000 */
#define FLAT	PKRAM_MNT "/flat"

/*
 * Attach, and print the time. All are compared with 1,000 flat ones: later attaches read
 * the slots of objects that were removed, too.
 */
static void attach(struct __test_metadata *_metadata, const char *kind, long long objects)
{
	long long usecs, few;
	struct stat st = {};

	ASSERT_EQ(0, pool_up(NULL));
	usecs = pool_counter("attach_usecs");
	ASSERT_LT(0, usecs);
	EXPECT_EQ(0, pool_number("quarantined"));
	/* The note, and the directory of the flat ones */
	EXPECT_LE(objects, pool_number("objects"));
	EXPECT_GE(objects + 2, pool_number("objects"));
	if (objects && stat(NOTE, &st)) {
		close(open(NOTE, O_CREAT | O_WRONLY, 0600));
		ASSERT_EQ(0, truncate(NOTE, usecs));
		ASSERT_EQ(0, stat(NOTE, &st));
	}
	few = st.st_size;
	printf("# attach, %-7s %6lld objects %9.1f ms", kind, objects, usecs / 1e3);
	if (objects)
		printf(" %8.2f us each", (double)usecs / objects);
	if (objects == MANY)
		printf("   %5.2f times that of 1,000 flat",
		       (double)usecs / MANY / ((double)few / FEW));
	putchar('\n');
}

/* Make objects up to number @to in one directory. */
static void make_flat(struct __test_metadata *_metadata, int from, int to)
{
	char path[64];
	int i, fd;

	mkdir(FLAT, 0700);
	for (i = from; i < to; i++) {
		sprintf(path, FLAT "/object%d", i);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
		ASSERT_LE(0, fd);
		close(fd);
	}
}

/* Make directories, each in the one before; those below @from are there. */
static void make_nested(struct __test_metadata *_metadata, int from, int to)
{
	int i;

	ASSERT_EQ(0, chdir(PKRAM_MNT));
	for (i = 0; i < to; i++) {
		if (i >= from)
			ASSERT_EQ(0, mkdir("directory", 0700));
		ASSERT_EQ(0, chdir("directory"));
	}
}

STAGE(make)

TEST_F(make, makes_a_pool)
{
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(1));
}

STAGE(empty)

TEST_F_TIMEOUT(empty, attach_of_nothing, 600)
{
	attach(_metadata, "none", 0);
	make_flat(_metadata, 0, FEW);
}

STAGE(flat_few)

TEST_F_TIMEOUT(flat_few, attach_of_1000, 900)
{
	attach(_metadata, "flat", FEW);
	make_flat(_metadata, FEW, MANY);
}

STAGE(flat_many)

TEST_F_TIMEOUT(flat_many, attach_of_50000, 900)
{
	attach(_metadata, "flat", MANY);
	ASSERT_EQ(0, vm_run(NULL, "rm -r " FLAT));
	make_nested(_metadata, 0, FEW);
}

STAGE(nested_few)

TEST_F_TIMEOUT(nested_few, attach_of_1000, 900)
{
	attach(_metadata, "nested", FEW);
	make_nested(_metadata, FEW, MANY);
}

STAGE(nested_many)

TEST_F_TIMEOUT(nested_many, attach_of_50000, 900)
{
	attach(_metadata, "nested", MANY);
}

TEST_HARNESS_MAIN
