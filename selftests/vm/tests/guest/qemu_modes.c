// SPDX-License-Identifier: GPL-2.0
/*
 * The other ways to move a guest with its RAM in pkram to another QEMU; several guests at
 * once; and a QEMU that is killed at any moment.
 */
#include <signal.h>

#include "test.h"

#include "tiny_vms.h"

STAGE(main)

TEST_F(main, creates_a_pool)
{
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(1));
}

/* qemu_suspend tests 1G leaves, as its guest has whole GiB of RAM. */
TEST_F(main, kvm_maps_guest_with_2m_leaves)
{
	struct qemu *q = START("vm1", VM("vm1"));
	struct guest_state st;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_STREQ("kvm", qemu_accel());
	EXPECT_LE(1, qemu_kvm_stat(q, "pages_2m"));
	ASSERT_EQ(0, qemu_command(q, "query-pkram", NULL));
	EXPECT_NE(NULL, strstr(qemu_answer(q, ""), "\"leaves-1g\": 0"))
		TH_LOG("%s", qemu_answer(q, ""));
	qemu_kill(q);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/vm1"));
}

TEST_F(main, cpr_transfer_hands_the_object_over)
{
	struct qemu *q = START("from", VM("vm1"), "-machine", "aux-ram-share=on"), *to;
	struct guest_state st;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	to = transfer(q, "to", (const char * const []){ MACHINE, "-object", VM("vm1"),
		      "-machine", "aux-ram-share=on", TRANSFERRED, NULL });
	ASSERT_NE(NULL, to)
		TH_LOG("%s", qemu_stderr("to"));
	EXPECT_EQ(0, qemu_runs_on(to, st.counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	EXPECT_EQ(0, REFUSED("is in use by another process", VM("vm1")));
	/* The new QEMU can save it. */
	ASSERT_EQ(0, guest_wait(to, 0, &st, 30));
	ASSERT_EQ(0, qemu_save(to, PKRAM_MNT "/vm1.state"))
		TH_LOG("%s", to->error);
	EXPECT_EQ(0, qemu_quit(to));
	EXPECT_EQ(0, load_saved("vm1", NULL, st.counter));
}

TEST_F(main, cpr_exec_keeps_the_object)
{
	struct qemu *q = START("vm1", VM("vm1"), "-machine", "aux-ram-share=on");
	struct guest_state st;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	if (set_mode(q, "cpr-exec")) {
		qemu_kill(q);
		SKIP(return, "this QEMU has no cpr-exec");
	}
	q = exec_again(q, "/tmp/exec.state");
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	qemu_kill(q);
}

TEST_F(main, ordinary_migration_copies_ram)
{
	struct qemu *q = START("from", VM("vm1")), *to;
	struct guest_state st;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	/* Migrate into another object, which the destination creates. */
	to = START("to", VM("vm2") ",receive=on", "-incoming", "unix:" SOCKET("live"));
	ASSERT_NE(NULL, to)
		TH_LOG("%s", qemu_stderr("to"));
	ASSERT_EQ(0, qemu_command(q, "migrate", "{'uri': 'unix:" SOCKET("live") "'}"));
	ASSERT_EQ(0, qemu_wait_migration(q, 60))
		TH_LOG("%s", q->error);
	qemu_quit(q);
	EXPECT_EQ(0, qemu_runs_on(to, st.counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_RUNNING));
	EXPECT_TRUE(object_is("vm2", PKRAM_STATE_CLAIMED));
	/* Migrate to ordinary RAM. */
	ASSERT_EQ(0, guest_wait(to, 0, &st, 30));
	q = START("plain", "memory-backend-ram,id=ram0,size=" SIZE, "-incoming",
		  "unix:" SOCKET("out"));
	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, qemu_command(to, "migrate", "{'uri': 'unix:" SOCKET("out") "'}"));
	ASSERT_EQ(0, qemu_wait_migration(to, 60))
		TH_LOG("%s", to->error);
	qemu_quit(to);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	/* Migrate back, but never over a saved guest. */
	ASSERT_EQ(0, make_saved("vm1", NULL, &st.counter));
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/vm1' holds a saved guest",
			     VM("vm1") ",receive=on", INCOMING));
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	to = START("to", VM("vm2") ",receive=on", "-incoming", "unix:" SOCKET("back"));
	ASSERT_NE(NULL, to);
	ASSERT_EQ(0, qemu_command(q, "migrate", "{'uri': 'unix:" SOCKET("back") "'}"));
	ASSERT_EQ(0, qemu_wait_migration(q, 60));
	EXPECT_EQ(0, qemu_runs_on(to, st.counter));
	qemu_kill(q);
	qemu_kill(to);
	EXPECT_EQ(0, vm_run(NULL, CTL "object unseal " PKRAM_MNT "/vm1"));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/vm2"));
}

TEST_F(main, two_guests_are_saved_and_loaded)
{
	struct qemu *a = START("a", VM("a")), *b = START("b", VM("b"));
	struct guest_state at, bt;

	ASSERT_NE(NULL, a);
	ASSERT_NE(NULL, b);
	ASSERT_EQ(0, guest_wait(a, 0, &at, 30));
	ASSERT_EQ(0, guest_wait(b, 0, &bt, 30));
	ASSERT_EQ(0, qemu_save(a, PKRAM_MNT "/a.state"));
	ASSERT_EQ(0, qemu_save(b, PKRAM_MNT "/b.state"));
	EXPECT_EQ(0, qemu_quit(a));
	EXPECT_EQ(0, qemu_quit(b));
	a = START("a", VM("a"), INCOMING);
	b = START("b", VM("b"), INCOMING);
	ASSERT_NE(NULL, a);
	ASSERT_NE(NULL, b);
	EXPECT_EQ(0, qemu_load(b, PKRAM_MNT "/b.state"));
	EXPECT_EQ(0, qemu_load(a, PKRAM_MNT "/a.state"));
	EXPECT_EQ(0, qemu_runs_on(a, at.counter));
	EXPECT_EQ(0, qemu_runs_on(b, bt.counter));
	qemu_kill(a);
	qemu_kill(b);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/a"));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/b"));
}

/* RAM in two objects: each is sealed, and both are needed to resume. */
TEST_F(main, guest_with_two_objects_is_saved_and_loaded)
{
	const char *numa[] = { MACHINE, "-object", VM("two0"), "-m", SIZE ",slots=1,maxmem=1G",
			       "-object", "memory-backend-pkram,id=ram1,size=64M,name=two1",
			       "-device", "pc-dimm,memdev=ram1,id=dimm0", NULL, NULL, NULL };
	int end = sizeof(numa) / sizeof(numa[0]) - 3;
	struct guest_state st;
	struct qemu *q = qemu_startv("two", numa, true);

	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("two"));
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_save(q, PKRAM_MNT "/two.state"))
		TH_LOG("%s", q->error);
	EXPECT_EQ(0, qemu_quit(q));
	EXPECT_TRUE(object_is("two0", PKRAM_STATE_SEALED));
	EXPECT_TRUE(object_is("two1", PKRAM_STATE_SEALED));
	numa[end] = "-incoming";
	numa[end + 1] = "defer";
	q = qemu_startv("two", numa, true);
	ASSERT_NE(NULL, q);
	EXPECT_EQ(0, qemu_load(q, PKRAM_MNT "/two.state"));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	EXPECT_TRUE(object_is("two0", PKRAM_STATE_CLAIMED));
	EXPECT_TRUE(object_is("two1", PKRAM_STATE_CLAIMED));
	qemu_kill(q);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/two0"));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/two1"));
}

/* Killed this many microseconds after the start of a save: running or sealed */
TEST_F_TIMEOUT(main, qemu_killed_during_save, 300)
{
	static const int delays[] = { 0, 2000, 5000, 8000, 12000, 20000, 30000, 50000 };
	int sealed = 0, running = 0, loaded = 0;
	unsigned int i;

	for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		struct qemu *q = START("vm1", VM("vm1"));
		struct guest_state st;
		int state;

		ASSERT_NE(NULL, q)
			TH_LOG("%s", qemu_stderr("vm1"));
		ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
		ASSERT_EQ(0, set_mode(q, "cpr-reboot"));
		ASSERT_EQ(0, qemu_ignore_shared(q, true));
		ASSERT_EQ(0, qemu_command(q, "migrate", "{'uri': 'file:" PKRAM_MNT
					  "/vm1.state'}"));
		usleep(delays[i]);
		qemu_kill(q);
		state = object_state("vm1");
		ASSERT_LE(0, state);
		if (state == PKRAM_STATE_SEALED) {
			sealed++;
			q = START("vm1", VM("vm1"), INCOMING);
			ASSERT_NE(NULL, q);
			if (!qemu_load(q, PKRAM_MNT "/vm1.state")) {
				loaded++;
				EXPECT_EQ(0, qemu_runs_on(q, st.counter));
				qemu_kill(q);
			} else {
				/* The stream is incomplete; no guest ran on the RAM. */
				qemu_kill(q);
				EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
				EXPECT_EQ(0, vm_run(NULL, CTL "object unseal " PKRAM_MNT "/vm1"));
			}
		} else {
			EXPECT_EQ(PKRAM_STATE_RUNNING, state);
			running++;
			EXPECT_EQ(0, REFUSED("holds no saved guest", VM("vm1"), INCOMING));
		}
	}
	TH_LOG("%d killed before the seal, %d after it, of which %d could be resumed", running,
	       sealed, loaded);
	EXPECT_LT(0, running);
}

/* Killed while it loads: the object stays sealed until the guest has run */
TEST_F_TIMEOUT(main, qemu_killed_during_load, 300)
{
	static const int delays[] = { 0, 3000, 10000, 30000 };
	unsigned long long counter;
	int sealed = 0, ran = 0, state;
	unsigned int i;
	struct qemu *q;

	for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		ASSERT_EQ(0, make_saved("vm1", NULL, &counter));
		q = START("vm1", VM("vm1"), INCOMING);
		ASSERT_NE(NULL, q);
		ASSERT_EQ(0, qemu_ignore_shared(q, true));
		ASSERT_EQ(0, qemu_command(q, "migrate-incoming", "{'uri': 'file:" PKRAM_MNT
					  "/vm1.state'}"));
		usleep(delays[i]);
		qemu_kill(q);
		state = object_state("vm1");
		ASSERT_LE(0, state);
		if (state == PKRAM_STATE_SEALED) {
			sealed++;
			EXPECT_EQ(0, load_saved("vm1", NULL, counter));
		} else {
			EXPECT_EQ(PKRAM_STATE_RUNNING, state);
			ran++;
		}
	}
	TH_LOG("%d killed before the guest ran, %d after", sealed, ran);
}

TEST_HARNESS_MAIN
