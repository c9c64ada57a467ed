// SPDX-License-Identifier: GPL-2.0
/* A guest lives through five kexecs of its host. */
#include "test.h"

#include "story.h"

const char * const story_object = STORY_PKRAM;

STAGE(first)

TEST_F_TIMEOUT(first, guest_runs_and_is_saved, 400)
{
	struct story_notes n;
	struct qemu *q;

	story_say_kernel("first");
	q = story_start(_metadata, &n);
	story_save(_metadata, q, &n);
}

STAGE(hop)

TEST_F_TIMEOUT(hop, guest_resumes_and_is_saved_again, 400)
{
	story_hop(_metadata, "next");
}

STAGE(last)

TEST_F_TIMEOUT(last, guest_resumes_after_five_kexecs, 400)
{
	struct story_notes n;
	struct qemu *q;

	story_say_kernel("last");
	q = story_resume(_metadata, &n);
	EXPECT_EQ(5, n.hops);
	EXPECT_EQ(0, qemu_quit(q));
}

TEST_HARNESS_MAIN
