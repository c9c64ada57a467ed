// SPDX-License-Identifier: GPL-2.0
/* Two boots joined by a kexec, the way the preservation tests use them */
#include "test.h"

STAGE(before)

TEST_F(before, appends_to_the_next_command_line)
{
	EXPECT_EQ(0, vm_stage_index());
	EXPECT_EQ(2, vm_stages());
	EXPECT_EQ(0, vm_next_append("vmtest.word=1"));
}

STAGE(after)

TEST_F(after, command_line_has_the_appended_words)
{
	char *cmdline = vm_read_file("/proc/cmdline");

	ASSERT_NE(NULL, cmdline);
	EXPECT_EQ(1, vm_stage_index());
	EXPECT_NE(NULL, strstr(cmdline, " vmtest.word=1"));
	free(cmdline);
}

TEST_HARNESS_MAIN
