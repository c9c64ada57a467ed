// SPDX-License-Identifier: GPL-2.0
/* Update the whole host by pkramctl update, with tiny guests defined in guests.d */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "guests_d.h"

#define NOTES	PKRAM_MNT "/notes"

static const char * const names[] = { "vm1", "vm2" };

struct notes {
	unsigned long long counters[2];
	double leaving;			/* qemu_clock() */
};

static int update(char **out)
{
	return vm_run(out, CTL "update --kernel %s --initrd %s --command-line '%s'",
		      vm_next_kernel(), vm_next_initrd(), vm_next_cmdline());
}

STAGE(before)

TEST_F_TIMEOUT(before, guests_are_started, 300)
{
	struct guest_state st;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(1));
	ASSERT_EQ(0, guests_d_define("vm1", ""));
	ASSERT_EQ(0, guests_d_define("vm2", ""));
	ASSERT_EQ(0, vm_run(NULL, CTL "guest start --all"));
	for (int i = 0; i < 2; i++) {
		struct qemu *q = guests_d_find(names[i]);

		ASSERT_NE(NULL, q);
		ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
		EXPECT_STREQ("ok", st.pattern);
	}
}

/* Both guests run as if nothing had happened. */
static void expect_untouched(struct __test_metadata *_metadata)
{
	struct guest_state st;
	struct qemu *q;

	for (int i = 0; i < 2; i++) {
		q = guests_d_find(names[i]);
		ASSERT_NE(NULL, q);
		ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
		EXPECT_EQ(0, qemu_runs_on(q, st.counter));
		EXPECT_TRUE(object_is(names[i], PKRAM_STATE_CLAIMED));
	}
	EXPECT_EQ(0, vm_run(NULL, "! ls " PKRAM_MNT "/*.state*"));
	EXPECT_STREQ("0\n", vm_read_file("/sys/kernel/kexec_loaded"));
}

TEST_F_TIMEOUT(before, unsavable_guest_stops_the_update, 400)
{
	char *out;

	ASSERT_EQ(0, guests_d_define("vm3",
				     "-object memory-backend-file,id=shm,share=on,size=16M,mem-path=/dev/shm/x\n"
			    "-device pc-dimm,memdev=shm,id=dimm0"));
	ASSERT_EQ(0, vm_run(NULL, CTL "guest start vm3"));
	EXPECT_EQ(1, update(&out));
	TH_LOG("%s", out);
	EXPECT_NE(NULL, strstr(out, "its RAM would be lost: /dev/shm/x is on tmpfs"));
	expect_untouched(_metadata);
	EXPECT_EQ(0, vm_run(NULL, CTL "guest stop --force vm3"));
	EXPECT_EQ(0, vm_run(NULL, "rm " PKRAM_MNT "/vm3 " GUESTS "/vm3.conf"));
}

TEST_F_TIMEOUT(before, failed_save_takes_the_update_back, 400)
{
	char *out;

	ASSERT_EQ(0, mkdir(PKRAM_MNT "/vm2.state", 0755));
	EXPECT_EQ(1, update(&out));
	TH_LOG("%s", out);
	EXPECT_NE(NULL, strstr(out, "update cancelled"));
	ASSERT_EQ(0, rmdir(PKRAM_MNT "/vm2.state"));
	expect_untouched(_metadata);
}

TEST_F_TIMEOUT(before, update_saves_guests_and_reboots, 300)
{
	struct notes notes;
	struct guest_state st;
	FILE *f;

	ASSERT_EQ(0, vm_run(NULL, CTL "guest show"));
	for (int i = 0; i < 2; i++) {
		struct qemu *q = guests_d_find(names[i]);

		ASSERT_NE(NULL, q);
		ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
		notes.counters[i] = st.counter;
	}
	notes.leaving = qemu_clock();
	f = fopen(NOTES, "w");
	ASSERT_NE(NULL, f);
	EXPECT_EQ(1, fwrite(&notes, sizeof(notes), 1, f));
	ASSERT_EQ(0, fclose(f));
	vm_leaving();
	EXPECT_EQ(0, update(NULL));
	/* It does not return. */
	ASSERT_TRUE(false);
}

STAGE(after)

TEST_F_TIMEOUT(after, saved_guests_are_preserved, 300)
{
	char *out;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, guests_d_define("vm1", ""));
	ASSERT_EQ(0, guests_d_define("vm2", ""));
	ASSERT_EQ(0, vm_run(&out, CTL "guest show"));
	TH_LOG("%s", out);
	for (int i = 0; i < 2; i++)
		EXPECT_TRUE(object_is(names[i], PKRAM_STATE_SEALED));
	EXPECT_EQ(1, vm_run(&out, CTL "guest start vm1"));
	EXPECT_NE(NULL, strstr(out, "is saved")) TH_LOG("%s", out);
}

TEST_F_TIMEOUT(after, guest_with_damaged_state_stays_saved, 300)
{
	char *out;

	ASSERT_EQ(0, vm_run(NULL, "cp " PKRAM_MNT "/vm1.state /tmp/kept"));
	ASSERT_EQ(0, vm_run(NULL, "head -c 1000 /tmp/kept >" PKRAM_MNT "/vm1.state"));
	EXPECT_EQ(1, vm_run(&out, CTL "guest resume vm1"));
	TH_LOG("%s", out);
	EXPECT_NE(NULL, strstr(out, "run pkramctl guest resume vm1"));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	ASSERT_EQ(0, vm_run(NULL, "head -c 1000 /tmp/kept | cmp - " PKRAM_MNT "/vm1.state"));
	ASSERT_EQ(0, vm_run(NULL, "cp /tmp/kept " PKRAM_MNT "/vm1.state"));
}

TEST_F_TIMEOUT(after, guests_resume, 400)
{
	struct json_object *report, *row, *v;
	struct notes notes;
	struct qemu *q;
	char *out;
	FILE *f;

	f = fopen(NOTES, "r");
	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fread(&notes, sizeof(notes), 1, f));
	fclose(f);
	ASSERT_EQ(0, vm_run(NULL, CTL "guest resume --all"));
	TH_LOG("they go on %.1f s after the update began", qemu_clock() - notes.leaving);
	for (int i = 0; i < 2; i++) {
		q = guests_d_find(names[i]);
		ASSERT_NE(NULL, q);
		EXPECT_EQ(0, qemu_runs_on(q, notes.counters[i])) TH_LOG("%s", q->error);
		EXPECT_TRUE(object_is(names[i], PKRAM_STATE_CLAIMED));
	}
	EXPECT_EQ(0, vm_run(NULL, "! ls " PKRAM_MNT "/*.state*"));

	ASSERT_EQ(0, vm_run(NULL, CTL "update --report"));
	ASSERT_EQ(0, vm_run(&out, CTL "-j update --report"));
	ASSERT_TRUE(json_object_object_get_ex(json_tokener_parse(out), "guests", &report));
	ASSERT_EQ(2, json_object_array_length(report));
	for (int i = 0; i < 2; i++) {
		row = json_object_array_get_idx(report, i);
		ASSERT_TRUE(json_object_object_get_ex(row, "name", &v));
		EXPECT_STREQ(names[i], json_object_get_string(v));
		ASSERT_TRUE(json_object_object_get_ex(row, "result", &v));
		EXPECT_STREQ("resumed", json_object_get_string(v));
		/*
		 * Measured by the RTC, which follows the time outside of the VM, where the
		 * boot takes longer than inside.
		 */
		ASSERT_TRUE(json_object_object_get_ex(row, "blackout", &v));
		EXPECT_LT(0, json_object_get_double(v));
		EXPECT_GT(1200, json_object_get_double(v));
	}
}

TEST_F_TIMEOUT(after, used_state_is_refused, 300)
{
	char *out;

	ASSERT_EQ(0, vm_run(NULL, CTL "guest stop --all --force"));
	EXPECT_EQ(1, vm_run(&out, CTL "guest resume vm1"));
	EXPECT_NE(NULL, strstr(out, "is not saved")) TH_LOG("%s", out);
	/* An old copy of the state is refused. */
	ASSERT_EQ(0, vm_run(NULL, "cp /tmp/kept " PKRAM_MNT "/vm1.state"));
	EXPECT_EQ(1, vm_run(&out, CTL "guest resume vm1"));
	EXPECT_NE(NULL, strstr(out, "its RAM was used after the save")) TH_LOG("%s", out);
	EXPECT_EQ(0, vm_run(&out, CTL "guest up vm1"));
	EXPECT_NE(NULL, strstr(out, "removed the stale state")) TH_LOG("%s", out);
	EXPECT_NE(0, access(PKRAM_MNT "/vm1.state", F_OK));
	EXPECT_EQ(0, vm_run(NULL, CTL "guest stop vm1 --force"));
}

TEST_HARNESS_MAIN
