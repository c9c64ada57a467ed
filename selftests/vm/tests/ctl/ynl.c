// SPDX-License-Identifier: GPL-2.0
/*
 * Compare the netlink spec, uapi/pkram.yaml, with the module, by means of the kernel's own
 * client for specs (tools/net/ynl), which has no other knowledge of pkram. The checks are
 * in ynl.py.
 */
#include <stdlib.h>

#include "test.h"

#include "pool.h"

FIXTURE(spec) {};

FIXTURE_SETUP(spec)
{
	if (!vm_module_loaded("pkram"))
		ASSERT_EQ(0, pool_up(NULL));
}

FIXTURE_TEARDOWN(spec) {}

static bool agrees(const char *check)
{
	char *out;
	bool good = !vm_run(&out, "python3 /ynl/ynl.py %s", check);

	if (!good)
		printf("# %s\n", out);
	free(out);
	return good;
}

TEST_F(spec, spec_names_operations_and_groups)
{
	EXPECT_TRUE(agrees("operations"));
}

TEST_F(spec, spec_policies_match_the_module)
{
	EXPECT_TRUE(agrees("policies"));
}

TEST_F(spec, every_command_works_from_the_spec)
{
	EXPECT_TRUE(agrees("commands"));
}

TEST_F(spec, refusals_decode_with_the_spec)
{
	EXPECT_TRUE(agrees("refusals"));
}

TEST_F(spec, events_decode_with_the_spec)
{
	EXPECT_TRUE(agrees("events"));
}

TEST_HARNESS_MAIN
