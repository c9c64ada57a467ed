// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that was suspended to RAM (S3) before the save is still suspended after the
 * kexec, until it is woken up. Its RAM has two pages of 1G. KVM maps only the second one
 * as a 1G page, because the first one contains the PC's holes.
 */
#include "test.h"

#include "tiny_vms.h"

#define STATE	PKRAM_MNT "/vm1.state"
#define GUEST								\
	QEMU_LINUX("guest.mib=300"), QEMU_SUSPENDS,			\
	"-machine", "pc-q35-8.1,memory-backend=ram0", "-m", "2G",	\
	"-object", "memory-backend-pkram,id=ram0,size=2G,name=vm1,pagesize=1G"

static bool status_is(struct qemu *q, const char *status)
{
	if (qemu_command(q, "query-status", NULL))
		return false;
	if (!strcmp(qemu_answer(q, "status"), status))
		return true;
	printf("# status: %s\n", qemu_answer(q, "status"));
	return false;
}

STAGE(before)

TEST_F_TIMEOUT(before, suspended_guest_is_saved, 400)
{
	struct guest_state st;
	struct qemu *q;
	FILE *f;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(3));
	q = qemu_start("vm1", GUEST, NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 5, &st, 200))
		TH_LOG("%s", qemu_console("vm1"));
	EXPECT_STREQ("ok", st.pattern);
	/* KVM uses the leaves that were requested. */
	ASSERT_EQ(0, qemu_command(q, "query-pkram", NULL));
	EXPECT_NE(NULL, strstr(qemu_answer(q, ""), "\"leaves-1g\": 2"))
		TH_LOG("%s", qemu_answer(q, ""));
	EXPECT_LE(1, qemu_kvm_stat(q, "pages_1g"));

	/* The guest suspends instead of answering. */
	free(guest_ask(q, "suspend", 1));
	ASSERT_EQ(0, qemu_wait_event(q, "SUSPEND", 60))
		TH_LOG("%s", qemu_console("vm1"));
	EXPECT_TRUE(status_is(q, "suspended"));
	guest_wait(q, 0, &st, 0);
	ASSERT_EQ(0, qemu_save(q, STATE))
		TH_LOG("%s", q->error);
	ASSERT_EQ(0, qemu_quit(q));
	f = fopen(PKRAM_MNT "/notes", "w");
	ASSERT_NE(NULL, f);
	EXPECT_EQ(1, fwrite(&st, sizeof(st), 1, f));
	EXPECT_EQ(0, fclose(f));
}

STAGE(after)

TEST_F_TIMEOUT(after, guest_is_still_suspended_and_wakes_up, 400)
{
	struct guest_state was, st;
	struct qemu *q;
	FILE *f;

	ASSERT_EQ(0, pool_up(NULL));
	f = fopen(PKRAM_MNT "/notes", "r");
	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fread(&was, sizeof(was), 1, f));
	fclose(f);
	q = qemu_start("vm1", GUEST, "-incoming", "defer", NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, qemu_load(q, STATE))
		TH_LOG("%s %s", q->error, qemu_stderr("vm1"));
	EXPECT_TRUE(status_is(q, "suspended"));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	/* It prints nothing until it is woken up. */
	EXPECT_NE(0, guest_wait(q, 0, &st, 3));
	ASSERT_EQ(0, qemu_command(q, "system_wakeup", NULL))
		TH_LOG("%s", q->error);
	ASSERT_EQ(0, guest_wait(q, was.counter, &st, 100))
		TH_LOG("%s", qemu_console("vm1"));
	EXPECT_TRUE(status_is(q, "running"));
	EXPECT_STREQ(was.boot_id, st.boot_id);
	EXPECT_STREQ("ok", st.pattern);
	EXPECT_EQ(0, guest_verify(q))
		TH_LOG("%s", q->error);
	EXPECT_EQ(0, qemu_quit(q));
}

TEST_HARNESS_MAIN
