// SPDX-License-Identifier: GPL-2.0
/* A host with UEFI firmware */
#include "test.h"

#include "pool.h"

STAGE(make)

TEST_F(make, pool_grows_on_a_uefi_host)
{
	ASSERT_EQ(0, access("/sys/firmware/efi", F_OK));
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(2));
	ASSERT_EQ(0, pool_make_files());
}

STAGE(keep)

TEST_F(keep, files_are_preserved_on_a_uefi_host)
{
	ASSERT_EQ(0, pool_churn(GIB, 0xff));
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(0, pool_check_files());
}

TEST_HARNESS_MAIN
