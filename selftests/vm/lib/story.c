// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The harness defines this symbol in each file that includes it, so in the test as well. */
#define _fixture_global story_fixture_global
#include "test.h"

#include "pool.h"
#include "qemu.h"
#include "story.h"

#define STORY_STATE	PKRAM_MNT "/vm1.state"
#define STORY_NOTES	PKRAM_MNT "/notes"

/*
 * The arguments before and after must be the same. A later machine has offloads that the
 * tap of 6.1 does not have; its state does not load there.
 */
#define STORY_GUEST							\
	QEMU_LINUX(GUEST_NET " guest.mib=400"), QEMU_NET,		\
	"-machine", "pc-q35-8.1,memory-backend=ram0", "-m", "1G", "-object", story_object

void story_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("> ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
}

static int story_put_notes(const struct story_notes *n)
{
	FILE *f = fopen(STORY_NOTES, "w");
	int err = !f || fwrite(n, sizeof(*n), 1, f) != 1 ? -EIO : 0;

	return f && fclose(f) ? -EIO : err;
}

static int story_get_notes(struct story_notes *n)
{
	FILE *f = fopen(STORY_NOTES, "r");
	int err = !f || fread(n, sizeof(*n), 1, f) != 1 ? -EIO : 0;

	if (f)
		fclose(f);
	return err;
}

void story_say_kernel(const char *what)
{
	struct utsname uts;

	uname(&uts);
	story_say(" ");
	story_say("=== %s: Linux %s, guests by %s ===", what, uts.release, qemu_accel());
	if (strcmp(qemu_accel(), "kvm"))
		story_say("NOTE: no nested KVM in this VM");
}

/* Return the numbers of lines and of boots in the guest's kernel log */
static int story_guest_log(struct qemu *q, int *lines, int *boots)
{
	char *text = guest_ask(q, "dmesg", 60);
	int err = -EIO;

	if (!text)
		return -ETIMEDOUT;
	story_say("guest's kernel log: %s", text);
	if (sscanf(text, "lines=%d boots=%d", lines, boots) == 2)
		err = 0;
	free(text);
	return err;
}

/* Wait until the peer has received a counter above @above */
static int story_wait_peer(unsigned long long above, struct peer_state *p)
{
	double until = vm_now() + 60;
	int err;

	do {
		err = peer_state(p);
		if (!err && p->counter > above)
			return 0;
		usleep(200000);
	} while (vm_now() < until);
	return err ?: -ETIMEDOUT;
}

void story_save(struct __test_metadata *_metadata, struct qemu *q,
		struct story_notes *n)
{
	ASSERT_EQ(0, story_wait_peer(n->peer.counter + 20, &n->peer));
	n->stopping = qemu_clock();
	ASSERT_EQ(0, qemu_save(q, STORY_STATE))
		TH_LOG("%s", q->error);
	n->stopped = qemu_clock();
	/* The guest ran on until the save stopped it. */
	guest_wait(q, 0, &n->guest, 0);
	ASSERT_EQ(0, qemu_quit(q));
	n->leaving = qemu_clock();
	story_say("(qemu) migrate file:" STORY_STATE "      (%.3f s)",
		  n->stopped - n->stopping);
	story_say("saved:    %s", n->guest.line);
	EXPECT_STREQ("ok", n->guest.pattern);
	EXPECT_EQ(1, n->peer.accepts);
	EXPECT_EQ(0, n->peer.closes);
	ASSERT_EQ(0, story_put_notes(n));
}

struct qemu *story_start(struct __test_metadata *_metadata, struct story_notes *n)
{
	double t = vm_now();
	struct qemu *q;
	int boots;

	memset(n, 0, sizeof(*n));
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(2));
	ASSERT_EQ(0, guest_net_up());
	story_say("host# insmod pkram.ko; pkramctl pool grow 2G; mount -t pkramfs pkram "
		  PKRAM_MNT);
	story_say("host# qemu-system-x86_64 -machine pc-q35-8.1,memory-backend=ram0 -object %s ...",
		  story_object);
	q = qemu_start("vm1", STORY_GUEST, NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 0, &n->guest, 120))
		TH_LOG("%s", qemu_console("vm1"));
	story_say("guest up after %.1f s, with 400 MiB of pattern, a counter and a TCP connection:",
		  vm_now() - t);
	story_say("          %s", n->guest.line);
	EXPECT_STREQ("up", n->guest.net);
	ASSERT_EQ(0, story_wait_peer(0, &n->peer));
	ASSERT_EQ(0, guest_verify(q));
	ASSERT_EQ(0, story_guest_log(q, &n->lines, &boots));
	EXPECT_EQ(1, boots);
	story_say("pages by which KVM maps it: 2M %lld, 1G %lld", qemu_kvm_stat(q, "pages_2m"),
		  qemu_kvm_stat(q, "pages_1g"));
	return q;
}

struct qemu *story_resume(struct __test_metadata *_metadata, struct story_notes *n)
{
	double boot = qemu_clock(), attach, start, load;
	struct guest_state st, was;
	struct peer_state peer;
	int lines, boots;
	struct qemu *q;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, story_get_notes(n));
	was = n->guest;
	attach = qemu_clock();
	ASSERT_EQ(0, guest_net_up());
	story_say("host# insmod pkram.ko; mount -t pkramfs pkram " PKRAM_MNT);
	story_say("host# qemu-system-x86_64 -machine pc-q35-8.1,memory-backend=ram0 -object %s ... -incoming defer",
		  story_object);
	q = qemu_start("vm1", STORY_GUEST, "-incoming", "defer", NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	start = qemu_clock();
	ASSERT_EQ(0, qemu_load(q, STORY_STATE))
		TH_LOG("%s %s", q->error, qemu_stderr("vm1"));
	load = qemu_clock();
	story_say("(qemu) migrate_incoming file:" STORY_STATE);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
	story_say("goes on:  %s", st.line);
	story_say("timeline: save %.3f s, quit %.1f, kexec and boot %.1f, attach %.3f, start QEMU %.1f, load %.3f",
		  n->stopped - n->stopping, n->leaving - n->stopped, boot - n->leaving,
	    attach - boot, start - attach, load - start);
	story_say("blackout: %.1f s, nearly all of it the boot of the kernel", load - n->stopping);

	/* The counter continues; the first lines may be lost before the port is open. */
	EXPECT_LT(was.counter, st.counter);
	EXPECT_GE(was.counter + 50, st.counter);
	EXPECT_STREQ(was.boot_id, st.boot_id);
	EXPECT_LE(was.uptime, st.uptime);
	EXPECT_STREQ("ok", st.pattern);
	EXPECT_EQ(was.mib, st.mib);
	EXPECT_EQ(was.seed, st.seed);
	ASSERT_EQ(0, guest_verify(q))
		TH_LOG("%s; QEMU %s: %s%s", q->error, qemu_alive(q) ? "lives" : "is gone",
		       qemu_stderr("vm1"), qemu_console("vm1"));
	story_say("all of its pattern is as it was");
	ASSERT_EQ(0, story_guest_log(q, &lines, &boots));
	EXPECT_EQ(1, boots);
	EXPECT_LE(n->lines, lines);

	/* The connection is still the same one and works in both directions. */
	ASSERT_EQ(0, story_wait_peer(was.counter, &peer))
		TH_LOG("counter %llu, guest's %llu", peer.counter, was.counter);
	story_say("its TCP peer saw %d connection, silent for %.1f s by its own clock",
		  peer.accepts, peer.gap);
	EXPECT_EQ(1, peer.accepts);
	EXPECT_EQ(0, peer.closes);
	EXPECT_TRUE(peer.rising);
	do {
		ASSERT_EQ(0, guest_wait(q, st.counter, &st, 30));
	} while (st.acked <= was.acked && st.counter < was.counter + 600);
	EXPECT_LT(was.acked, st.acked);
	EXPECT_STREQ("up", st.net);
	n->guest = st;
	n->peer = peer;
	n->lines = lines;
	n->hops++;
	return q;
}

void story_hop(struct __test_metadata *_metadata, const char *what)
{
	struct story_notes n;
	struct qemu *q;

	story_say_kernel(what);
	q = story_resume(_metadata, &n);
	story_save(_metadata, q, &n);
}
