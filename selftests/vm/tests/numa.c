// SPDX-License-Identifier: GPL-2.0
/* A host with two NUMA nodes */
#include <stdlib.h>
#include <string.h>

#include "keep.h"

/* JSON of all regions, compact */
static char *regions(void)
{
	char *out = NULL;

	vm_run(&out, CTL "-j region show");
	return out;
}

static int count(const char *text, const char *what)
{
	int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

FIXTURE(make) {};
FIXTURE_SETUP(make) {}
FIXTURE_TEARDOWN(make) {}

TEST_F(make, grows_from_the_node_asked_for)
{
	char *out;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool grow 1G node 0"));
	out = regions();
	EXPECT_EQ(1, count(out, "\"node\":0"));
	free(out);
	ASSERT_EQ(0, vm_run(NULL, CTL "pool grow 1G node 1"));
	out = regions();
	EXPECT_EQ(1, count(out, "\"node\":0"));
	EXPECT_EQ(1, count(out, "\"node\":1"));
	free(out);
	keep_make(_metadata);
}

TEST_F(make, refuses_a_node_that_has_no_memory)
{
	char *out;

	EXPECT_EQ(1, vm_run(&out, CTL "pool grow 1G node 7"));
	EXPECT_NE(NULL, strstr(out, "no such NUMA node"));
	free(out);
}

FIXTURE(keep) {};
FIXTURE_SETUP(keep) {}
FIXTURE_TEARDOWN(keep) {}

TEST_F(keep, finds_files_and_nodes)
{
	char *out;

	ASSERT_EQ(0, pool_up(NULL));
	keep_check(_metadata);
	out = regions();
	EXPECT_EQ(1, count(out, "\"node\":0"));
	EXPECT_EQ(1, count(out, "\"node\":1"));
	free(out);
}

TEST_F(keep, shrinks_back_to_the_node)
{
	long long before = vm_meminfo("MemTotal");

	ASSERT_EQ(0, vm_run(NULL, "rm -r " PKRAM_MNT "/*"));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool shrink 2G"));
	EXPECT_LT(before + (long long)GIB * 18 / 10, vm_meminfo("MemTotal"));
}

TEST_HARNESS_MAIN
