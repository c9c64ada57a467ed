// SPDX-License-Identifier: GPL-2.0
/* A host with two NUMA nodes, and a third that has 1 GiB, which is reserved, and no CPU */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "test.h"

#include "pool.h"
#include "nodes.h"
#include <pkram.h>

/* Return JSON of all regions, compact */
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

STAGE(make)

TEST_F(make, grow_takes_the_requested_node)
{
	char *out;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool grow 1G --node 0 --timeout 600"));
	out = regions();
	EXPECT_EQ(1, count(out, "\"node\":0"));
	free(out);
	ASSERT_EQ(0, vm_run(NULL, CTL "pool grow 1G --node 1 --timeout 600"));
	out = regions();
	EXPECT_EQ(1, count(out, "\"node\":0"));
	EXPECT_EQ(1, count(out, "\"node\":1"));
	free(out);
	ASSERT_EQ(0, pool_make_files());
}

TEST_F(make, grow_from_node_without_memory_is_refused)
{
	char *out;

	EXPECT_EQ(1, vm_run(&out, CTL "pool grow 1G --node 7"));
	EXPECT_NE(NULL, strstr(out, "there is no node 7; this host has 0"));
	free(out);
}

/* Create a file with memory of a node: 0 or -errno */
static int place(const char *name, uint64_t bytes, uint32_t node, uint32_t flags)
{
	struct pkram_ioc_alloc a = { .size = sizeof(a), .flags = flags,
				      .bytes = bytes, .node = node };
	int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600), ret;

	ret = ioctl(fd, PKRAM_IOC_ALLOC, &a) ? -errno : 0;
	if (!ret && ftruncate(fd, bytes))
		ret = -errno;
	close(fd);
	return ret;
}

TEST_F(make, object_is_on_the_requested_node)
{
	long long was[2];
	uint32_t node;

	for (node = 0; node < 2; node++) {
		was[0] = nodes_free(0);
		was[1] = nodes_free(1);
		ASSERT_EQ(0, place(PKRAM_MNT "/placed", 64 * MIB, node,
				   PKRAM_ALLOC_STRICT));
		EXPECT_EQ(was[node] - 64 * (long long)MIB, nodes_free(node));
		EXPECT_EQ(was[!node], nodes_free(!node));
		EXPECT_EQ(0, unlink(PKRAM_MNT "/placed"));
		/* more than the node has */
		EXPECT_EQ(-ENOSPC, place(PKRAM_MNT "/placed", was[node] + 64 * MIB, node,
					 PKRAM_ALLOC_STRICT));
		EXPECT_EQ(was[node], nodes_free(node));
		EXPECT_EQ(0, unlink(PKRAM_MNT "/placed"));
		EXPECT_EQ(0, place(PKRAM_MNT "/placed", was[node] + 64 * MIB, node, 0));
		EXPECT_EQ(0, unlink(PKRAM_MNT "/placed"));
	}
	EXPECT_EQ(-ENOSPC, place(PKRAM_MNT "/placed", 2 * MIB, 7, PKRAM_ALLOC_STRICT));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/placed"));
	EXPECT_EQ(-EINVAL, place(PKRAM_MNT "/placed", 2 * MIB, 0, PKRAM_ALLOC_SPARSE << 1));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/placed"));
}

/* Memory of node 2, which numa.conf reserves */
static char *far_memory(void)
{
	static char base[32];
	char *cmdline = vm_read_file("/proc/cmdline"), *word = strstr(cmdline, "memmap=1G$");

	word += strlen("memmap=1G$");
	word[strcspn(word, "\n ")] = '\0';
	snprintf(base, sizeof(base), "%s", word);
	free(cmdline);
	return base;
}

TEST_F(make, memory_of_a_node_without_cpus_is_of_that_node)
{
	char *out;

	ASSERT_EQ(0, vm_run(NULL, CTL "pool adopt %s+1G --format", far_memory()));
	out = regions();
	EXPECT_EQ(1, count(out, "\"node\":2"));
	free(out);
	EXPECT_EQ(0, place(PKRAM_MNT "/placed", 64 * MIB, 2, PKRAM_ALLOC_STRICT));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/placed"));
}

STAGE(keep)

TEST_F(keep, files_and_nodes_are_preserved)
{
	char *out;

	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(0, pool_check_files());
	out = regions();
	EXPECT_EQ(1, count(out, "\"node\":0"));
	EXPECT_EQ(1, count(out, "\"node\":1"));
	EXPECT_EQ(1, count(out, "\"node\":2"));
	free(out);
}

TEST_F(keep, shrink_returns_memory_to_a_node_that_has_no_other)
{
	char *out;

	ASSERT_EQ(0, vm_run(NULL, CTL "pool shrink --region %s+1G", far_memory()));
	ASSERT_EQ(0, vm_run(&out, "cat /sys/devices/system/node/node2/meminfo"));
	EXPECT_NE(NULL, strstr(out, "MemTotal:        1048576 kB"));
	TH_LOG("%s", out);
	free(out);
}

TEST_F(keep, shrink_returns_memory_to_its_node)
{
	long long before = vm_meminfo("MemTotal");

	ASSERT_EQ(0, vm_run(NULL, "rm -r " PKRAM_MNT "/*"));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool shrink 2G"));
	EXPECT_LT(before + (long long)GIB * 18 / 10, vm_meminfo("MemTotal"));
}

TEST_HARNESS_MAIN
