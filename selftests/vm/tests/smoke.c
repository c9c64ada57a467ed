// SPDX-License-Identifier: GPL-2.0
/* The VM is what the other tests take for granted */
#include <sys/utsname.h>

#include "lib.h"

TEST(boots_with_the_memory_it_was_given)
{
	struct utsname uts;

	ASSERT_EQ(0, uname(&uts));
	EXPECT_EQ(0, vm_stage_index());
	EXPECT_LT(3 * GIB, vm_meminfo("MemTotal"));
	EXPECT_TRUE(vm_iomem_under(16 * MIB, 32 * MIB, "System RAM"));
	EXPECT_FALSE(vm_iomem_touches(0xfee00000, 0xfee00fff, "System RAM"));
}

TEST(pattern_tells_misplaced_words)
{
	static uint64_t buf[4096];

	vm_fill(buf, sizeof(buf), 7, 4096);
	EXPECT_EQ(-1, vm_verify(buf, sizeof(buf), 7, 4096));
	EXPECT_EQ(0, vm_verify(buf, sizeof(buf), 8, 4096));
	EXPECT_EQ(0, vm_verify(buf, sizeof(buf), 7, 0));
	buf[99]++;
	EXPECT_EQ(99 * 8, vm_verify(buf, sizeof(buf), 7, 4096));
	memset(buf, 0, sizeof(buf));
	EXPECT_EQ(0, vm_verify(buf, sizeof(buf), 7, 4096));
	EXPECT_EQ(-1, vm_verify_zero(buf, sizeof(buf)));
}

TEST(commands_run_in_a_shell)
{
	char *out;

	EXPECT_EQ(3, vm_run(&out, "echo %s; exit 3", "hello"));
	EXPECT_STREQ("hello\n", out);
	free(out);
}

TEST_HARNESS_MAIN
