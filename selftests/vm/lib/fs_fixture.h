/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fixture of the fs_* scenarios: a pool of 1 or 2 GiB, pkramfs mounted, and an empty
 * directory in it as the working directory.
 */
#ifndef PKRAM_VM_FS_FIXTURE_H
#define PKRAM_VM_FS_FIXTURE_H

#include "test.h"

#include "fs.h"

FIXTURE(main)
{
	uint64_t free;
};

FIXTURE_SETUP(main)
{
	ASSERT_OK(fs_load());
	ASSERT_OK(fs_mount());
	ASSERT_OK(fs_grow());
	umask(022);
	/* Remove what an aborted test left behind. */
	ASSERT_OK(fs_empty(PKRAM_MNT));
	ASSERT_OK(mkdir(PKRAM_MNT "/test", 0755));
	ASSERT_OK(chdir(PKRAM_MNT "/test"));
	self->free = fs_free();
	ASSERT_LT(GIB - 64 * MIB, self->free);
}

FIXTURE_TEARDOWN(main)
{
	EXPECT_OK(chdir("/"));
	EXPECT_OK(fs_empty(PKRAM_MNT));
	/*
	 * Nothing leaks. Units of records stay allocated. A GiB that became idle is not
	 * free while it is prepared for other use.
	 */
	VM_WAIT(fs_free() + 64 * UNIT >= self->free);
	EXPECT_GE(fs_free() + 64 * UNIT, self->free);
}

#endif
