/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two stages that many scenarios share: "make" grows a pool and makes files, "keep"
 * finds them after a kexec. The scenarios differ in the machine.
 */
#ifndef PKRAM_VM_KEEP_H
#define PKRAM_VM_KEEP_H

#include <sys/stat.h>
#include <unistd.h>

#include "pool.h"

#ifndef KEEP_GIB
#define KEEP_GIB	2
#endif

static inline void keep_make(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, mkdir(PKRAM_MNT "/d", 0755));
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/one", 300 * MIB, 1));
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/d/two", 5 * MIB + 8, 2));
}

static inline void keep_check(struct __test_metadata *_metadata)
{
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/one", 300 * MIB, 1));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/d/two", 5 * MIB + 8, 2));
	EXPECT_EQ(0, pool_number("quarantined"));
}

#endif
