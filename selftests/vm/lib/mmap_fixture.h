/* SPDX-License-Identifier: GPL-2.0 */
/* Fixture of the mmap_* scenarios: a pool of whole GiB, and an empty directory */
#ifndef PKRAM_VM_MMAP_FIXTURE_H
#define PKRAM_VM_MMAP_FIXTURE_H

#include "test.h"

#include "mmap.h"

/* n1g, n2m, n4k */
#define EXPECT_LEAVES(fd, g, m, k)					\
	do {								\
		struct pkram_ioc_leaves l_ = leaves(fd);			\
		EXPECT_EQ((uint64_t)(g), l_.leaves_1g) { TH_LOG("1G leaves"); } \
		EXPECT_EQ((uint64_t)(m), l_.leaves_2m) { TH_LOG("2M leaves"); } \
		EXPECT_EQ((uint64_t)(k), l_.leaves_4k) { TH_LOG("4K leaves"); } \
	} while (0)

#define EXPECT_MARKED(p, len, seed, pos)				\
	EXPECT_EQ(-1, marked(p, len, seed, pos)) {			\
		TH_LOG("%s differs at %#llx", #p,			\
		       marked(p, len, seed, pos));			\
	}

FIXTURE(map)
{
	uint64_t free;
};

FIXTURE_SETUP(map)
{
	ASSERT_OK(fs_load());
	ASSERT_OK(fs_mount());
	if (!fs_total())
		ASSERT_OK(pool_grow(POOL_GIB));
	/* Remove the files of a test that died. */
	ASSERT_OK(fs_empty(PKRAM_MNT));
	umask(022);
	ASSERT_OK(mkdir(PKRAM_MNT "/test", 0755));
	ASSERT_OK(chdir(PKRAM_MNT "/test"));
	self->free = fs_free();
	catch_faults();
}

/* The mappings of the test still exist; so may its pins. */
FIXTURE_TEARDOWN(map)
{
	EXPECT_OK(chdir("/"));
	EXPECT_OK(fs_empty(PKRAM_MNT));
}

#endif
