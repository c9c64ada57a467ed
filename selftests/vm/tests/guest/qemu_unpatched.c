// SPDX-License-Identifier: GPL-2.0
/*
 * A guest under an unpatched QEMU survives the kexec, with its RAM in an ordinary shared
 * file on pkramfs. Other VMMs can be used the same way. The safety checks are missing:
 * nothing here would detect the RAM of another VM, or a state that is loaded twice.
 */
#include "test.h"

#include "story.h"

/* Without align= the file is mapped by 4K leaves. */
const char * const story_object =
	"memory-backend-file,id=ram0,size=1G,align=1G,share=on,mem-path=/dev/pkram/vm1";

STAGE(before)

TEST_F_TIMEOUT(before, guest_runs_and_is_saved, 300)
{
	struct story_notes n;
	struct qemu *q;

	story_say_kernel("before");
	q = story_start(_metadata, &n);
	story_save(_metadata, q, &n);
}

STAGE(after)

TEST_F_TIMEOUT(after, guest_resumes, 300)
{
	struct story_notes n;

	story_say_kernel("after");
	story_resume(_metadata, &n);
}

TEST_F_TIMEOUT(after, guest_memory_is_writable, 120)
{
	struct qemu *q = qemu_find("vm1");
	struct guest_state st;
	char *text;

	ASSERT_NE(NULL, q);
	text = guest_ask(q, "dirty", 60);
	ASSERT_NE(NULL, text);
	EXPECT_STREQ("ok seed=2", text);
	free(text);
	EXPECT_EQ(0, guest_verify(q))
		TH_LOG("%s", q->error);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	EXPECT_STREQ("ok", st.pattern);
	EXPECT_EQ(0, qemu_quit(q));
}

TEST_HARNESS_MAIN
