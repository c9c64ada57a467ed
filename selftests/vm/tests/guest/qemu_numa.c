// SPDX-License-Identifier: GPL-2.0
/* Guests with RAM on a given node of a host with two NUMA nodes: host-nodes= */
#include "test.h"

#include "nodes.h"
#include "tiny_vms.h"
#include <pkram.h>

#define ON_NODES(name, size, nodes, policy) \
	OBJECT("size=" size ",name=" name ",host-nodes=" nodes ",policy=" policy)

STAGE(main)

TEST_F(main, creates_a_pool_on_both_nodes)
{
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool grow 1G --node 0 --timeout 600"));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool grow 1G --node 1 --timeout 600"));
	EXPECT_LT(0, nodes_free(0));
	EXPECT_LT(0, nodes_free(1));
}

TEST_F_TIMEOUT(main, guest_ram_is_on_the_requested_node, 200)
{
	static const char * const objects[] = {
		ON_NODES("vm1", SIZE, "0", "bind"),
		ON_NODES("vm1", SIZE, "1", "bind"),
		ON_NODES("vm1", SIZE, "1", "preferred"),
		ON_NODES("vm1", SIZE, "1", "bind") ",prealloc=on",
	};
	static const int nodes[] = { 0, 1, 1, 1 };
	struct guest_state st;
	long long was[2];
	struct qemu *q;
	unsigned int i;

	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		int node = nodes[i];

		was[0] = nodes_free(0);
		was[1] = nodes_free(1);
		q = START("vm1", objects[i]);
		ASSERT_NE(NULL, q)
			TH_LOG("%s", qemu_stderr("vm1"));
		EXPECT_EQ(was[node] - 128 * (long long)MIB, nodes_free(node));
		EXPECT_EQ(was[!node], nodes_free(!node));
		ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
		/* The same arguments load it again. */
		ASSERT_EQ(0, qemu_save(q, "/tmp/vm1.state"))
			TH_LOG("%s", q->error);
		ASSERT_EQ(0, qemu_quit(q));
		q = START("vm1", objects[i], INCOMING);
		ASSERT_NE(NULL, q)
			TH_LOG("%s", qemu_stderr("vm1"));
		EXPECT_EQ(0, qemu_load(q, "/tmp/vm1.state"));
		EXPECT_EQ(0, qemu_runs_on(q, st.counter));
		EXPECT_EQ(was[!node], nodes_free(!node));
		qemu_quit(q);
		EXPECT_EQ(0, unlink(PKRAM_MNT "/vm1"));
		EXPECT_EQ(was[node], nodes_free(node));
	}
}

TEST_F(main, node_without_enough_memory_is_refused)
{
	long long was[2] = { nodes_free(0), nodes_free(1) };
	const char *big = ON_NODES("big", "1100M", "1", "preferred");
	struct qemu *q;

	EXPECT_EQ(0, REFUSED("no 128 MiB on the host-nodes= for pkram object '/dev/pkram/no'",
			     ON_NODES("no", SIZE, "7", "bind")));
	/* More than the node has, but not more than both have */
	EXPECT_EQ(0, REFUSED("no 1100 MiB on the host-nodes= for pkram object '/dev/pkram/no'; see pkramctl region show",
			     ON_NODES("no", "1100M", "1", "bind"), "-m", "1100M"));
	EXPECT_EQ(-1, access(PKRAM_MNT "/no", F_OK));
	EXPECT_EQ(was[0], nodes_free(0));
	EXPECT_EQ(was[1], nodes_free(1));
	/* Both nodes have enough if the policy is "preferred". */
	q = START("big", big, "-m", "1100M", "-S");
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("big"));
	EXPECT_EQ(was[0] + was[1] - 1100 * (long long)MIB, nodes_free(0) + nodes_free(1));
	EXPECT_EQ(0, nodes_free(1));
	qemu_quit(q);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/big"));
}

TEST_HARNESS_MAIN
