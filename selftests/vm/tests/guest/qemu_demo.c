// SPDX-License-Identifier: GPL-2.0
/*
 * The demonstration: a guest lives through two replacements of its host's kernel.
 * scripts/demo.sh shows the lines that begin with "> "; otherwise it is a normal test.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "story.h"

const char * const story_object = STORY_PKRAM;

STAGE(first)

TEST_F_TIMEOUT(first, guest_runs_and_is_saved, 400)
{
	struct story_notes n;
	char *info, *line, *next;
	struct qemu *q;

	story_say_kernel("a stock Debian kernel");
	q = story_start(_metadata, &n);
	info = qemu_hmp(q, "info pkram");
	ASSERT_NE(NULL, info);
	story_say("(qemu) info pkram");
	for (line = strtok_r(info, "\r\n", &next); line; line = strtok_r(NULL, "\r\n", &next))
		story_say("    %s", line);
	free(info);
	story_save(_metadata, q, &n);
	story_say("now another kernel, by kexec: no reboot, nothing on its command line");
}

STAGE(second)

TEST_F_TIMEOUT(second, guest_resumes_and_is_saved_again, 400)
{
	story_hop(_metadata, "another");
	story_say("and another one");
}

STAGE(third)

TEST_F_TIMEOUT(third, guest_resumes, 400)
{
	struct story_notes n;
	struct qemu *q;

	story_say_kernel("a third");
	q = story_resume(_metadata, &n);
	EXPECT_EQ(2, n.hops);
	story_say("%d kernels, one guest: up %.0f s, never rebooted", n.hops + 1, n.guest.uptime);
	EXPECT_EQ(0, qemu_quit(q));
}

TEST_HARNESS_MAIN
