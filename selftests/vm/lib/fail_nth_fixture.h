/* SPDX-License-Identifier: GPL-2.0 */
/* Fixture of the fail_nth* scenarios: a mounted pool with a file, and faults prepared */
#ifndef PKRAM_VM_FAIL_NTH_FIXTURE_H
#define PKRAM_VM_FAIL_NTH_FIXTURE_H

#include <stdio.h>
#include <sys/mman.h>

#include "test.h"

#include "fail_nth.h"
#include "fs.h"
#include "pool.h"
#include <pkram.h>

#define BASE	0x100000000UL	/* of memory that is reserved at boot */
#define POOL	(2 * GIB)	/* what is in the pool all the time */
#define KEEP	PKRAM_MNT "/keep"
#define LONG	10000	/* @budget is what limits a test */

#define DRIVE(...) EXPECT_EQ(0, fail_nth_drive(&(struct fail_op){ __VA_ARGS__ }))

/* Bytes in the pool, as a test knows them */
static uint64_t in_pool;

/* Get the state of the pool; all is zero on failure. */
static inline struct pkram_pool pool_now(void)
{
	struct pkram_pool *pool, ret = {};
	struct pkram_ctx *c;

	if (pkram_open(&c))
		return ret;
	if (!pkram_pool_get(c, &pool)) {
		ret = *pool;
		pkram_pool_free(pool);
	}
	pkram_close(c);
	return ret;
}

static inline bool gone(const char *path)
{
	struct stat st;

	return lstat(path, &st) && errno == ENOENT;
}

static inline bool always(void)
{
	return true;
}

/* Make the mounted pool with a file, unless an earlier test left it. */
static inline int need_pool(void)
{
	if (fs_load() || fs_mount())
		return -1;
	if (!pool_now().size &&
	    vm_run(NULL, CTL "pool adopt %#lx+%luG --format", BASE, POOL / GIB))
		return -1;
	if (gone(KEEP) && pool_file_fill(KEEP, 5 * UNIT, 3))
		return -1;
	in_pool = pool_now().size;
	return 0;
}

FIXTURE(nth) {};

FIXTURE_SETUP(nth)
{
	ASSERT_EQ(0, need_pool());
	ASSERT_EQ(0, fail_nth_setup());
	/* The output must be visible while a long test runs. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(022);
	/* Memory of the test itself must not fail. */
	mlockall(MCL_CURRENT);
}

FIXTURE_TEARDOWN(nth) {}

#endif
