// SPDX-License-Identifier: GPL-2.0
/* Tests of the tiny guest itself, and of what the other tests need from it and from QEMU */
#include "test.h"

#include "pool.h"
#include "qemu.h"

FIXTURE(tiny)
{
	struct qemu *q;
	struct guest_state st;
};

FIXTURE_SETUP(tiny)
{
	self->q = qemu_find("tiny");
}

FIXTURE_TEARDOWN(tiny)
{
}

TEST_F(tiny, guest_starts)
{
	double t = vm_now();
	char *text;

	TH_LOG("accelerator: %s", qemu_accel());
	self->q = qemu_start("tiny", QEMU_TINY, "-machine", "q35", "-m", "256M", NULL);
	text = qemu_stderr("tiny");
	ASSERT_NE(NULL, self->q) TH_LOG("%s", text);
	TH_LOG("QMP after %.2f s", vm_now() - t);
	ASSERT_EQ(0, guest_wait(self->q, 0, &self->st, 30));
	TH_LOG("%s after %.2f s", self->st.line, vm_now() - t);
	EXPECT_STREQ("ok", self->st.pattern);
	EXPECT_EQ(254, self->st.mib);
	EXPECT_STREQ("", text);
}

TEST_F(tiny, guest_answers_commands)
{
	double t = vm_now();
	char *text;

	ASSERT_NE(NULL, self->q);
	EXPECT_EQ(0, guest_verify(self->q));
	TH_LOG("verified in %.2f s", vm_now() - t);
	text = guest_ask(self->q, "counter", 10);
	ASSERT_NE(NULL, text);
	TH_LOG("%s", text);
	text = qemu_hmp(self->q, "info status");
	ASSERT_NE(NULL, text);
	EXPECT_STREQ("VM status: running\r\n", text);
	EXPECT_EQ(0, qemu_command(self->q, "query-status", NULL));
	EXPECT_STREQ("running", qemu_answer(self->q, "status"));
	EXPECT_EQ(-EREMOTEIO, qemu_command(self->q, "no-such-thing", NULL));
	EXPECT_STREQ("The command no-such-thing has not been found", self->q->error);
	EXPECT_EQ(0, qemu_command(self->q, "stop", NULL));
	EXPECT_EQ(0, qemu_wait_event(self->q, "STOP", 5));
	EXPECT_EQ(-ETIMEDOUT, qemu_wait_event(self->q, "STOP", 1));
	EXPECT_EQ(0, qemu_command(self->q, "cont", NULL));
	TH_LOG("2M pages %lld, 1G %lld", qemu_kvm_stat(self->q, "pages_2m"),
	       qemu_kvm_stat(self->q, "pages_1g"));
}

TEST_F(tiny, guest_finds_corrupted_memory)
{
	char *text;

	ASSERT_NE(NULL, self->q);
	text = guest_ask(self->q, "dirty", 10);
	ASSERT_NE(NULL, text);
	EXPECT_STREQ("ok seed=2", text);
	EXPECT_EQ(0, guest_verify(self->q));
	text = guest_ask(self->q, "corrupt", 10);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(-EBADMSG, guest_verify(self->q));
	TH_LOG("%s", self->q->error);
	ASSERT_EQ(0, guest_wait(self->q, 0, &self->st, 30));
}

TEST_F(tiny, guest_quits)
{
	ASSERT_NE(NULL, self->q);
	EXPECT_TRUE(qemu_alive(self->q));
	EXPECT_EQ(0, qemu_quit(self->q));
	EXPECT_FALSE(qemu_alive(self->q));
	EXPECT_EQ(NULL, qemu_find("tiny"));
}

TEST_HARNESS_MAIN
