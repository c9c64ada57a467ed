// SPDX-License-Identifier: GPL-2.0
/*
 * A pool of nearly a TiB, and one of as many ranges as the next kernel's memory map
 * can hold
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"

/* As in large.conf; the pieces are below BIG */
#define WINDOW	(8 * GIB)
#define BIG	(150 * GIB)
#define END	(904 * GIB)

static const uint64_t places[] = { 0, 350 * GIB + 77 * MIB, 700 * GIB - 4096 };

/* Run `pkramctl pool VERB` on a range; its exit status, with the output in *@out */
static int pool_range(char **out, const char *verb, uint64_t base, uint64_t size)
{
	return vm_run(out, CTL "pool %s %#llx+%lluG%s",
		      !strcmp(verb, "adopt") ? verb : "shrink --region",
		      (unsigned long long)base, (unsigned long long)(size / GIB),
		      !strcmp(verb, "adopt") ? " --format" : "");
}

static bool pool_range_says(int code, const char *text, const char *verb, uint64_t base,
			    uint64_t size)
{
	char *out;
	bool ok;

	ok = pool_range(&out, verb, base, size) == code && strstr(out, text);
	if (!ok)
		printf("# %s %#llx: %s\n", verb, (unsigned long long)base, out);
	free(out);
	return ok;
}

FIXTURE(make) {};
FIXTURE_SETUP(make) {}
FIXTURE_TEARDOWN(make) {}

TEST_F_TIMEOUT(make, hole_beyond_the_map_entries_is_refused, 300)
{
	uint64_t base;
	long long size;
	char *out;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_TRUE(pool_range_says(0, "3 GiB", "adopt", WINDOW, 3 * GIB));
	for (base = WINDOW + 4 * GIB; base < BIG; base += 2 * GIB) {
		int ret = pool_range(&out, "adopt", base, GIB);

		if (ret)
			break;
		free(out);
	}
	ASSERT_GT(BIG, base);
	TH_LOG("%d ranges: %s", (int)((base - WINDOW) / (2 * GIB)), out);
	EXPECT_NE(NULL, strstr(out, "no room for another range"));
	free(out);

	/* A hole in the first range would add two entries. */
	size = pool_number("size");
	EXPECT_TRUE(pool_range_says(1, "no room for another hole", "shrink",
				    WINDOW + GIB, GIB));
	EXPECT_EQ(size, pool_number("size"));
	EXPECT_TRUE(pool_range_says(0, "1 GiB", "shrink", base - 2 * GIB, GIB));
	EXPECT_TRUE(pool_range_says(0, "1 GiB", "shrink", WINDOW + GIB, GIB));
	EXPECT_TRUE(pool_range_says(0, "1 GiB", "shrink", base - 4 * GIB, GIB));
}

TEST_F(make, creates_an_object_of_700_gib)
{
	char buf[4096];
	int fd;

	ASSERT_TRUE(pool_range_says(0, "754 GiB", "adopt", BIG, END - BIG));
	fd = open(PKRAM_MNT "/large", O_CREAT | O_RDWR, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fallocate(fd, 0, 0, 700 * GIB));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		vm_fill(buf, sizeof(buf), i, places[i]);
		ASSERT_EQ(4096, pwrite(fd, buf, sizeof(buf), places[i]));
	}
	close(fd);
}

FIXTURE(keep) {};
FIXTURE_SETUP(keep) {}
FIXTURE_TEARDOWN(keep) {}

TEST_F(keep, object_of_700_gib_is_preserved)
{
	double begin = vm_now();
	char buf[4096];
	int fd;

	ASSERT_EQ(0, vm_insmod(PKRAM_MODULE, NULL));
	TH_LOG("attached in %.2f s", vm_now() - begin);
	ASSERT_EQ(0, vm_mount("pkramfs", PKRAM_MNT, NULL));
	EXPECT_EQ(0, pool_number("quarantined"));
	fd = open(PKRAM_MNT "/large", O_RDONLY);
	ASSERT_LE(0, fd);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		ASSERT_EQ(4096, pread(fd, buf, sizeof(buf), places[i]));
		EXPECT_EQ(-1, vm_verify(buf, sizeof(buf), i, places[i]));
	}
	close(fd);
}

TEST_HARNESS_MAIN
