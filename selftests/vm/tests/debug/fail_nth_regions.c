// SPDX-License-Identifier: GPL-2.0
/*
 * As fail_nth, for regions: adopting one that has objects, and taking note of a bad page,
 * which must not need memory. Without entries in the memory map, which handover=memmap does
 * not make, a module that is loaded again does not find the region by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "test.h"

#include "fail_nth.h"
#include "fs.h"
#include "pool.h"
#include <pkram.h>

#define BASE	0x100000000UL	/* of memory that is reserved at boot */
#define POOL	(2 * GIB)
#define LONG	10000		/* .budget is what limits a test */
#define DRIVE(...) EXPECT_EQ(0, fail_nth_drive(&(struct fail_op){ __VA_ARGS__ }))

#define NR_FILES	20
#define NR_PAGES	200

static struct pkram_ctx *ctx;
static char *map;
static int page;

static int adopt(bool format)
{
	struct pkram_resize *res = NULL;
	int err;

	err = pkram_pool_adopt(ctx, BASE, POOL, format, &res);
	pkram_resize_free(res);
	return err;
}

static int adopt_region(void)
{
	return adopt(false);
}

/* With @nr objects, none of which is quarantined */
static bool has_pool(uint64_t size, uint64_t nr)
{
	struct pkram_pool *pool;
	bool same;

	if (pkram_pool_get(ctx, &pool))
		return false;
	same = pool->size == size && pool->nr_objects == nr && !pool->nr_quarantined;
	pkram_pool_free(pool);
	return same;
}

static bool adopted(void)
{
	return has_pool(POOL, NR_FILES);
}

static bool not_adopted(void)
{
	return has_pool(0, 0);
}

static int load(void)
{
	return vm_insmod(PKRAM_MODULE, "handover=memmap") ?: pkram_open(&ctx);
}

static int detach(void)
{
	pkram_close(ctx);
	return vm_rmmod("pkram") ?: load();
}

static int break_page(void)
{
	return fail_nth_result(madvise(map + page * 4096UL, 4096, MADV_HWPOISON));
}

/* Of the file */
static uint32_t nr_bad(void)
{
	struct pkram_object *list = NULL, *o;
	uint32_t nr = 0;

	if (pkram_object_dump(ctx, &list))
		return 0;
	for (o = list; o; o = o->next)
		nr += o->nr_bad_pages;
	pkram_object_free(list);
	return nr;
}

static bool is_bad(void)
{
	return nr_bad() == (uint32_t)page + 1;
}

static bool never(void)
{
	return false;
}

static int next_page(void)
{
	return ++page == NR_PAGES;
}

static void on_bus(int sig)
{
}

FIXTURE(region) {};

FIXTURE_SETUP(region)
{
	ASSERT_EQ(0, fail_nth_setup());
	setvbuf(stdout, NULL, _IOLBF, 0);
	mlockall(MCL_CURRENT);
}

FIXTURE_TEARDOWN(region) {}

TEST_F_TIMEOUT(region, adopt_region_with_objects, LONG)
{
	char name[64];
	int i;

	ASSERT_EQ(0, load());
	ASSERT_EQ(0, adopt(true));
	ASSERT_EQ(0, fs_mount());
	for (i = 0; i < NR_FILES; i++) {
		snprintf(name, sizeof(name), PKRAM_MNT "/file%d", i);
		ASSERT_EQ(0, pool_file_fill(name, i % 2 ? 2 * UNIT : 0, i));
	}
	ASSERT_OK(umount(PKRAM_MNT));
	ASSERT_EQ(0, detach());
	ASSERT_TRUE(not_adopted());
	DRIVE(.name = "adopt a region", .run = adopt_region, .undone = not_adopted,
	      .done = adopted, .undo = detach, .budget = 300);
	ASSERT_EQ(0, adopt_region());
	ASSERT_EQ(0, fs_mount());
	for (i = 0; i < NR_FILES; i++) {
		snprintf(name, sizeof(name), PKRAM_MNT "/file%d", i);
		EXPECT_EQ(0, pool_file_check(name, i % 2 ? 2 * UNIT : 0, i));
	}
	pkram_close(ctx);
}

TEST_F_TIMEOUT(region, bad_page, LONG)
{
	int fd = open(PKRAM_MNT "/bad", O_CREAT | O_RDWR, 0600);

	ASSERT_LE(0, fd);
	ASSERT_OK(fallocate(fd, 0, 0, UNIT));
	map = mmap(NULL, UNIT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	memset(map, 1, UNIT);
	/* The kernel tells this process, too. */
	ASSERT_NE(SIG_ERR, signal(SIGBUS, on_bus));
	ASSERT_EQ(0, pkram_open(&ctx));
	DRIVE(.name = "note a bad page", .run = break_page, .undone = never, .done = is_bad,
	      .undo = next_page, .once = true, .budget = 200);
	EXPECT_LT(0, page);
	ASSERT_OK(munmap(map, UNIT));
	close(fd);
	/* Each is on the list that the region keeps. */
	ASSERT_OK(umount(PKRAM_MNT));
	ASSERT_EQ(0, detach());
	ASSERT_EQ(0, adopt_region());
	EXPECT_LE((uint32_t)page, nr_bad());
	pkram_close(ctx);
	EXPECT_EQ(0, vm_rmmod("pkram"));
}

TEST_HARNESS_MAIN
