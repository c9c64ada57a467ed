// SPDX-License-Identifier: GPL-2.0
/* Memory reserved at boot: adopt it, preserve it, refuse it if it contains no pool */
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "pool.h"
#include "trace.h"

/* As in adopt.conf */
#define RANGE	"0x100000000+2G"
#define OTHER	"0x180000000+1G"

static bool run_says(int code, const char *text, const char *command)
{
	char *out;
	bool ok;

	ok = vm_run(&out, CTL "%s", command) == code && strstr(out, text);
	if (!ok)
		printf("# %s: %s\n", command, out);
	free(out);
	return ok;
}

STAGE(make)

TEST_F(make, format_needs_the_option)
{
	char *trace;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, trace_start());
	EXPECT_TRUE(run_says(1, "there is no region in the range", "pool adopt " RANGE));
	trace = trace_stop();
	ASSERT_NE(NULL, trace);
	EXPECT_LT(0, trace_count(trace, "range_quarantine",
				 "base=0x100000000 size=0x80000000 reason="));
	EXPECT_EQ(1, trace_count(trace, "attach", "found=0 objects=0 quarantined=0 err=0"));
	free(trace);
	EXPECT_EQ(0, pool_number("regions"));
}

TEST_F(make, adopt_of_ram_in_use_is_refused)
{
	EXPECT_TRUE(run_says(1, "this kernel uses part of the range",
			     "pool adopt 0x0+1G --format"));
	EXPECT_TRUE(run_says(1, "cannot be reserved", "pool adopt 0xc0000000+1G --format"));
}

TEST_F(make, adopt_format_creates_a_pool)
{
	EXPECT_TRUE(run_says(0, "2 GiB", "pool adopt " RANGE " --format"));
	EXPECT_TRUE(run_says(1, "in the pool already", "pool adopt " RANGE));
	ASSERT_EQ(0, pool_make_files());
}

STAGE(keep)

FIXTURE(join) {};
FIXTURE_SETUP(join) {}
FIXTURE_TEARDOWN(join) {}

TEST_F(keep, pool_is_found_without_parameters)
{
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(0, pool_check_files());
	EXPECT_EQ(1, pool_number("regions"));
}

TEST_F(join, attach_parameter_adds_to_the_memory_map)
{
	ASSERT_EQ(0, pool_up("attach=" OTHER));
	EXPECT_EQ(0, pool_check_files());
	EXPECT_EQ(1, pool_number("regions"));
	EXPECT_TRUE(run_says(0, "0x180000000", "region show"));
}

TEST_F(join, shrink_gives_adopted_memory_to_the_system)
{
	long long before = vm_meminfo("MemTotal");

	ASSERT_EQ(0, vm_run(NULL, "rm -r " PKRAM_MNT "/*"));
	ASSERT_TRUE(run_says(0, "2 GiB", "pool shrink --region " RANGE));
	EXPECT_LT(before + (long long)GIB * 18 / 10, vm_meminfo("MemTotal"));
	EXPECT_EQ(0, pool_down());
}

STAGE(none)

/* The memory after a boot without the reservation: it was used meanwhile */
TEST_F(none, missing_pool_needs_format)
{
	ASSERT_EQ(0, pool_up("attach=" OTHER));
	EXPECT_TRUE(vm_kmsg_has("there is none in it"));
	EXPECT_EQ(0, pool_number("regions"));
	EXPECT_TRUE(run_says(0, "checksum", "region show"));
	EXPECT_EQ(-ENOSPC, pool_file_fill(PKRAM_MNT "/x", 8, 1));
	EXPECT_TRUE(run_says(1, "checksum): adopt it without --format",
			     "pool adopt " OTHER " --format"));
	EXPECT_EQ(0, pool_number("regions"));
	EXPECT_TRUE(run_says(0, "1 GiB", "pool adopt " OTHER " --format --erase"));
	EXPECT_EQ(0, pool_file_fill(PKRAM_MNT "/x", 8, 1));
}

TEST_HARNESS_MAIN
