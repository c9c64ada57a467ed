// SPDX-License-Identifier: GPL-2.0
/* One guest through five kexecs of its host */
#include "test.h"

#include "story.h"

const char * const story_object =
	"memory-backend-pkram,id=ram0,size=1G,name=vm1";

FIXTURE(first) {};
FIXTURE_SETUP(first) {}
FIXTURE_TEARDOWN(first) {}

TEST_F_TIMEOUT(first, guest_runs_and_is_saved, 400)
{
	struct story_notes n;
	struct qemu *q;

	story_say_kernel("first");
	q = story_start(_metadata, &n);
	story_save(_metadata, q, &n);
}

FIXTURE(hop) {};
FIXTURE_SETUP(hop) {}
FIXTURE_TEARDOWN(hop) {}

TEST_F_TIMEOUT(hop, guest_resumes_and_is_saved_again, 400)
{
	story_hop(_metadata, "next");
}

FIXTURE(last) {};
FIXTURE_SETUP(last) {}
FIXTURE_TEARDOWN(last) {}

TEST_F_TIMEOUT(last, guest_resumes_after_five_kexecs, 400)
{
	struct story_notes n;
	struct qemu *q;

	story_say_kernel("last");
	q = story_go_on(_metadata, &n);
	EXPECT_EQ(5, n.hops);
	EXPECT_EQ(0, qemu_quit(q));
}

TEST_HARNESS_MAIN
