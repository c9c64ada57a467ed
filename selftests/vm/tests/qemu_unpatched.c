// SPDX-License-Identifier: GPL-2.0
/*
 * A guest under a QEMU without our patches, its RAM an ordinary shared file on pkramfs,
 * outlives the host's kernel: other VMMs can be served the same way. What this lacks is
 * the safety: nothing here would notice another VM's RAM, or a state loaded twice.
 */
#include <sys/utsname.h>
#include <unistd.h>

#include "pool.h"
#include "qemu.h"

#define RAM	PKRAM_MNT "/vm1"
#define STATE	PKRAM_MNT "/vm1.state"
#define NOTES	PKRAM_MNT "/notes"
#define MIBS	"400"

/*
 * The same before and after. Without align= the file is mapped by 4K leaves. A machine of
 * a later version has offloads that 6.1's tap has not, and its state does not load there.
 */
#define GUEST								\
	QEMU_LINUX(GUEST_NET " guest.mib=" MIBS), QEMU_NET,		\
	"-machine", "pc-q35-8.1,memory-backend=ram0", "-m", "1G",		\
	"-object", "memory-backend-file,id=ram0,size=1G,align=1G,share=on,mem-path=" RAM

/* What the test remembers across the kexec */
struct notes {
	struct guest_state guest;
	struct peer_state peer;
	int lines;			/* of the guest's kernel log */
	double stopping, stopped, leaving;	/* by qemu_clock() */
};

static int notes_save(const struct notes *n)
{
	FILE *f = fopen(NOTES, "w");
	int err = !f || fwrite(n, sizeof(*n), 1, f) != 1 ? -errno : 0;

	return f && fclose(f) ? -errno : err;
}

static int notes_load(struct notes *n)
{
	FILE *f = fopen(NOTES, "r");
	int err = !f || fread(n, sizeof(*n), 1, f) != 1 ? -EIO : 0;

	if (f)
		fclose(f);
	return err;
}

static void say_kernel(void)
{
	struct utsname uts;

	uname(&uts);
	printf("> === Linux %s, guests by %s\n", uts.release, qemu_accel());
	if (strcmp(qemu_accel(), "kvm"))
		printf("> NOTE: no nested KVM in this VM\n");
}

/* Lines and boots in the guest's kernel log */
static int guest_log(struct qemu *q, int *lines, int *boots)
{
	char *text = guest_ask(q, "dmesg", 60);
	int err = -EIO;

	if (!text)
		return -ETIMEDOUT;
	printf("> guest's kernel log: %s\n", text);
	if (sscanf(text, "lines=%d boots=%d", lines, boots) == 2)
		err = 0;
	free(text);
	return err;
}

/* Wait until the peer has got a counter above @above */
static int peer_wait(unsigned long long above, struct peer_state *p)
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

FIXTURE(before) {};
FIXTURE_SETUP(before) {}
FIXTURE_TEARDOWN(before) {}

TEST_F_TIMEOUT(before, guest_runs_and_is_saved, 300)
{
	double t = vm_now();
	struct notes n = {};
	long long large;
	struct qemu *q;
	int boots;

	say_kernel();
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(2));
	ASSERT_EQ(0, guest_net_up());
	q = qemu_start("vm1", GUEST, NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 0, &n.guest, 120))
		TH_LOG("%s", qemu_console("vm1"));
	printf("> guest up after %.1f s: %s\n", vm_now() - t, n.guest.line);
	EXPECT_STREQ("up", n.guest.net);
	ASSERT_EQ(0, peer_wait(0, &n.peer));
	ASSERT_EQ(0, guest_verify(q));
	ASSERT_EQ(0, guest_log(q, &n.lines, &boots));
	EXPECT_EQ(1, boots);
	large = qemu_kvm_stat(q, "pages_2m") + qemu_kvm_stat(q, "pages_1g");
	printf("> guest's memory in KVM: %lld pages of 1G, %lld of 2M, %lld of 4K\n",
	       qemu_kvm_stat(q, "pages_1g"), qemu_kvm_stat(q, "pages_2m"),
	       qemu_kvm_stat(q, "pages_4k"));
	EXPECT_TRUE(large > 0 || strcmp(qemu_accel(), "kvm"));

	/* In the middle of a conversation */
	ASSERT_EQ(0, peer_wait(20, &n.peer));
	n.stopping = qemu_clock();
	ASSERT_EQ(0, qemu_save(q, STATE))
		TH_LOG("%s", q->error);
	n.stopped = qemu_clock();
	/* It went on until the save stopped it. */
	guest_wait(q, 0, &n.guest, 0);
	ASSERT_EQ(0, qemu_quit(q));
	n.leaving = qemu_clock();
	printf("> saved in %.3f s, with %s\n", n.stopped - n.stopping, n.guest.line);
	EXPECT_STREQ("ok", n.guest.pattern);
	EXPECT_EQ(1, n.peer.accepts);
	EXPECT_EQ(0, n.peer.closes);
	ASSERT_EQ(0, notes_save(&n));
}

FIXTURE(after) {};
FIXTURE_SETUP(after) {}
FIXTURE_TEARDOWN(after) {}

TEST_F_TIMEOUT(after, guest_goes_on, 300)
{
	double boot = qemu_clock(), attach, start, load;
	struct peer_state peer;
	struct guest_state st;
	int lines, boots;
	struct notes n;
	struct qemu *q;

	say_kernel();
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, notes_load(&n));
	attach = qemu_clock();
	ASSERT_EQ(0, guest_net_up());
	q = qemu_start("vm1", GUEST, "-incoming", "defer", NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	start = qemu_clock();
	ASSERT_EQ(0, qemu_load(q, STATE))
		TH_LOG("%s %s", q->error, qemu_stderr("vm1"));
	load = qemu_clock();
	ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
	printf("> it goes on: %s\n", st.line);
	printf("> save %.3f s, quit %.1f, kexec and boot %.1f, attach %.3f, start of QEMU %.1f, load %.3f\n",
	       n.stopped - n.stopping, n.leaving - n.stopped, boot - n.leaving,
	       attach - boot, start - attach, load - start);
	printf("> blackout %.1f s of this VM's time\n", load - n.stopping);

	/* It counts from where it was; the first lines may come before the port is open. */
	EXPECT_LT(n.guest.counter, st.counter);
	EXPECT_GE(n.guest.counter + 50, st.counter);
	EXPECT_STREQ(n.guest.boot_id, st.boot_id);
	EXPECT_LE(n.guest.uptime, st.uptime);
	EXPECT_STREQ("ok", st.pattern);
	EXPECT_EQ(n.guest.mib, st.mib);
	EXPECT_EQ(n.guest.seed, st.seed);
	EXPECT_EQ(0, guest_verify(q))
		TH_LOG("%s", q->error);
	ASSERT_EQ(0, guest_log(q, &lines, &boots));
	EXPECT_EQ(1, boots);
	EXPECT_LE(n.lines, lines);

	/* The connection is the one it was, and works both ways. */
	ASSERT_EQ(0, peer_wait(n.guest.counter, &peer))
		TH_LOG("counter %llu, guest's %llu", peer.counter, n.guest.counter);
	printf("> the peer saw %d connection, silent for %.1f s by its own clock\n",
	       peer.accepts, peer.gap);
	EXPECT_EQ(1, peer.accepts);
	EXPECT_EQ(0, peer.closes);
	EXPECT_TRUE(peer.rising);
	do {
		ASSERT_EQ(0, guest_wait(q, st.counter, &st, 30));
	} while (st.acked <= n.guest.acked && st.counter < n.guest.counter + 600);
	EXPECT_LT(n.guest.acked, st.acked);
	EXPECT_STREQ("up", st.net);
}

TEST_F_TIMEOUT(after, guest_memory_takes_a_new_pattern, 120)
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
