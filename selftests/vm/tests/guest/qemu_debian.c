// SPDX-License-Identifier: GPL-2.0
/*
 * A Debian host with systemd and pkram's packages. Two guests run as units; they survive
 * updates from 6.1 to 6.12 and to 7.x and a systemctl kexec, and do not survive a power cut.
 */
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "test.h"

#include "guests_d.h"

#define NOTES	"/var/lib/vmtest/notes"	/* on disk, as the pool is lost at the end */
#define CUT	"/run/vmtest.cut"	/* see debian-image */
#define UNITS	"pkram-guest@a pkram-guest@b"

static const char * const names[] = { "a", "b" };

struct notes {
	unsigned long long counters[2];
	char boot_ids[2][sizeof(((struct guest_state *)NULL)->boot_id)];
	char uuid[64];			/* of the pool */
};

/* Return the installed kernel of a series, such as "6.12", in static memory. */
static const char *kernel(const char *series)
{
	static char version[128];
	char *out;

	version[0] = '\0';
	if (!vm_run(&out, "cd /boot && ls vmlinuz-%s.*", series))
		sscanf(out, "vmlinuz-%127s", version);
	return version;
}

static int pool_uuid(char uuid[64])
{
	struct json_object *pool, *v;
	char *out;

	if (vm_run(&out, CTL "-j pool show"))
		return -EIO;
	pool = json_tokener_parse(out);
	if (!json_object_object_get_ex(pool, "uuid", &v))
		return -EBADMSG;
	snprintf(uuid, 64, "%s", json_object_get_string(v));
	return 0;
}

static int note(struct notes *notes)
{
	struct guest_state st;
	struct qemu *q;
	int err;
	FILE *f;

	memset(notes, 0, sizeof(*notes));
	for (int i = 0; i < 2; i++) {
		q = guests_d_find(names[i]);
		err = q ? guest_wait(q, 0, &st, 60) : -ENOENT;
		if (err)
			return err;
		notes->counters[i] = st.counter;
		strcpy(notes->boot_ids[i], st.boot_id);
	}
	err = pool_uuid(notes->uuid);
	if (err)
		return err;
	f = fopen(NOTES, "w");
	if (!f || fwrite(notes, sizeof(*notes), 1, f) != 1 || fclose(f))
		return -EIO;
	/* A power cut may follow. */
	sync();
	return 0;
}

static int notes_of_before(struct notes *notes)
{
	FILE *f = fopen(NOTES, "r");
	int ret = f && fread(notes, sizeof(*notes), 1, f) == 1 ? 0 : -EIO;

	if (f)
		fclose(f);
	return ret;
}

/* Return when a unit became active, in us since boot; LLONG_MAX if it did not. */
static long long active_since(const char *unit)
{
	long long t = 0;
	char *out;

	if (!vm_run(&out, "systemctl show -P ActiveEnterTimestampMonotonic %s", unit))
		t = atoll(out);
	return t ?: LLONG_MAX;
}

static bool is_up_before(const char *first, const char *second)
{
	long long a = active_since(first), b = active_since(second);

	printf("# %s at %lld, %s at %lld us\n", first, a, second, b);
	return a != LLONG_MAX && a <= b;
}

/* Check the kernel, systemd, the module that DKMS built, and that no unit failed. */
static void host_is_up(struct __test_metadata *_metadata, const char *series)
{
	struct utsname uts;
	char *out;

	ASSERT_EQ(0, uname(&uts));
	EXPECT_STREQ(kernel(series), uts.release);
	EXPECT_STREQ("systemd\n", vm_read_file("/proc/1/comm"));
	EXPECT_EQ(0, vm_run(&out, "systemctl is-system-running --wait")) TH_LOG("%s", out);
	vm_run(&out, "systemctl --failed --plain --no-legend");
	EXPECT_STREQ("", out);
	EXPECT_EQ(0, vm_run(NULL, "modinfo -F filename pkram | grep /updates/dkms/"));
	EXPECT_EQ(0, vm_run(NULL, "grep '^pkram %s pkramfs rw,nosuid,nodev,noexec' /proc/mounts",
			    PKRAM_MNT));
	EXPECT_EQ(0, vm_run(NULL, "dpkg-query -W pkram-dkms pkram-tools libpkram1"));
	/* The pool is mounted before local-fs.target. */
	EXPECT_TRUE(is_up_before("systemd-modules-load.service", "dev-pkram.mount"));
	EXPECT_TRUE(is_up_before("dev-pkram.mount", "local-fs.target"));
	EXPECT_TRUE(is_up_before("dev-pkram.mount", "pkram-pool.service"));
	EXPECT_TRUE(is_up_before("pkram-pool.service", "sysinit.target"));
}

/* Check that both guests continue as units, and that the report says so. */
static void expect_guests_running(struct __test_metadata *_metadata, const char *from)
{
	struct json_object *report, *row, *v;
	struct notes notes;
	struct utsname uts;
	char *out, uuid[64];

	ASSERT_EQ(0, notes_of_before(&notes));
	ASSERT_EQ(0, pool_uuid(uuid));
	EXPECT_STREQ(notes.uuid, uuid);
	EXPECT_TRUE(is_up_before("pkram-pool.service", "pkram-guest@a.service"));
	EXPECT_EQ(0, vm_run(&out, "systemctl is-active " UNITS)) TH_LOG("%s", out);
	for (int i = 0; i < 2; i++) {
		struct qemu *q = guests_d_find(names[i]);
		struct guest_state st;

		ASSERT_NE(NULL, q) {
			vm_run(NULL, "systemctl status --no-pager -l pkram-guest@%s", names[i]);
		}
		EXPECT_EQ(0, qemu_runs_on(q, notes.counters[i])) TH_LOG("%s", q->error);
		ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
		EXPECT_STREQ(notes.boot_ids[i], st.boot_id);
	}
	ASSERT_EQ(0, vm_run(NULL, CTL "update --report"));
	ASSERT_EQ(0, vm_run(&out, CTL "-j update --report"));
	ASSERT_TRUE(json_object_object_get_ex(json_tokener_parse(out), "guests", &report));
	ASSERT_EQ(2, json_object_array_length(report));
	ASSERT_EQ(0, uname(&uts));
	for (int i = 0; i < 2; i++) {
		row = json_object_array_get_idx(report, i);
		ASSERT_TRUE(json_object_object_get_ex(row, "name", &v));
		EXPECT_STREQ(names[i], json_object_get_string(v));
		ASSERT_TRUE(json_object_object_get_ex(row, "result", &v));
		EXPECT_STREQ("resumed", json_object_get_string(v));
		ASSERT_TRUE(json_object_object_get_ex(row, "from", &v));
		EXPECT_STREQ(kernel(from), json_object_get_string(v));
		ASSERT_TRUE(json_object_object_get_ex(row, "to", &v));
		EXPECT_STREQ(uts.release, json_object_get_string(v));
		ASSERT_TRUE(json_object_object_get_ex(row, "blackout", &v));
		EXPECT_LT(0, json_object_get_double(v));
	}
}

/* Update. Does not return: systemd ends the test. */
static void update_to(struct __test_metadata *_metadata, const char *series)
{
	struct notes notes;

	ASSERT_EQ(0, note(&notes));
	vm_leaving();
	EXPECT_EQ(0, vm_run(NULL, CTL "update --kernel %s", kernel(series)));
	sleep(200);
	ASSERT_TRUE(false);
}

/* The tests that stages share */
#define TEST_HOST_IS_UP(stage, series)					\
	TEST_F_TIMEOUT(stage, host_is_up, 300)				\
	{								\
		host_is_up(_metadata, series);				\
	}
#define TEST_GUESTS_RESUME(stage, from)					\
	TEST_F_TIMEOUT(stage, guests_resume, 300)			\
	{								\
		expect_guests_running(_metadata, from);				\
	}
#define TEST_HOST_IS_UPDATED(stage, series)				\
	TEST_F_TIMEOUT(stage, host_is_updated, 400)			\
	{								\
		update_to(_metadata, series);				\
	}

STAGE(first)

TEST_HOST_IS_UP(first, "6.1")

TEST_F_TIMEOUT(first, pool_grows, 120)
{
	unlink("/var/lib/pkram/pool");
	EXPECT_EQ(0, vm_run(NULL, CTL "pool grow 1G --timeout 600"));
	EXPECT_EQ(0, vm_write_file("/etc/pkram/pool.conf", "SIZE=1G\n"));
	EXPECT_EQ(1, pool_number("regions"));
}

TEST_F_TIMEOUT(first, guests_run_as_units, 300)
{
	struct guest_state st;
	struct qemu *q;

	ASSERT_EQ(0, guests_d_define("a", ""));
	ASSERT_EQ(0, guests_d_define("b", ""));
	ASSERT_EQ(0, vm_run(NULL, "systemctl enable --now " UNITS));
	for (int i = 0; i < 2; i++) {
		q = guests_d_find(names[i]);
		ASSERT_NE(NULL, q);
		ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
		EXPECT_STREQ("ok", st.pattern);
		EXPECT_EQ(0, vm_run(NULL, "grep -q 'pkram-guest@%s.service' /proc/%d/cgroup",
				    names[i], q->pid));
	}
}

TEST_F_TIMEOUT(first, unsavable_guest_stops_the_update, 400)
{
	struct guest_state st;
	struct qemu *q;
	char *out;

	ASSERT_EQ(0, guests_d_define("c",
				     "-object memory-backend-file,id=shm,share=on,size=16M,mem-path=/dev/shm/x\n"
			    "-device pc-dimm,memdev=shm,id=dimm0"));
	ASSERT_EQ(0, vm_run(NULL, "systemctl start pkram-guest@c"));
	EXPECT_EQ(1, vm_run(&out, CTL "update --kernel %s", kernel("6.12")));
	TH_LOG("%s", out);
	EXPECT_NE(NULL, strstr(out, "c: "));
	EXPECT_NE(NULL, strstr(out, "its RAM would be lost: /dev/shm/x is on tmpfs"));
	EXPECT_EQ(0, vm_run(&out, "systemctl is-active " UNITS " pkram-guest@c"));
	for (int i = 0; i < 2; i++) {
		q = guests_d_find(names[i]);
		ASSERT_NE(NULL, q);
		ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
		EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	}
	EXPECT_EQ(0, vm_run(NULL, "! ls " PKRAM_MNT "/*.state*"));
	EXPECT_STREQ("0\n", vm_read_file("/sys/kernel/kexec_loaded"));
	EXPECT_EQ(0, vm_run(NULL, CTL "guest stop --force c"));
	EXPECT_EQ(0, vm_run(NULL, "systemctl stop pkram-guest@c"));
	EXPECT_EQ(0, vm_run(NULL, "rm " PKRAM_MNT "/c " GUESTS "/c.conf"));
}

TEST_HOST_IS_UPDATED(first, "6.12")

STAGE(second)

TEST_HOST_IS_UP(second, "6.12")

TEST_GUESTS_RESUME(second, "6.1")

TEST_HOST_IS_UPDATED(second, "7")

STAGE(third)

TEST_HOST_IS_UP(third, "7")

TEST_GUESTS_RESUME(third, "6.12")

TEST_F_TIMEOUT(third, systemctl_kexec_saves_the_guests, 400)
{
	const char *next = kernel("6.12");
	struct notes notes;

	ASSERT_EQ(0, note(&notes));
	ASSERT_EQ(0, vm_run(NULL, CTL "kexec --load-only --kernel /boot/vmlinuz-%s --initrd /boot/initrd.img-%s",
			    next, next));
	vm_leaving();
	EXPECT_EQ(0, vm_run(NULL, "systemctl kexec"));
	sleep(200);
	ASSERT_TRUE(false);
}

STAGE(fourth)

TEST_HOST_IS_UP(fourth, "6.12")

TEST_GUESTS_RESUME(fourth, "7")

TEST_F_TIMEOUT(fourth, reset_after_the_saves, 400)
{
	ASSERT_EQ(0, vm_run(NULL, "touch " CUT));
	update_to(_metadata, "7");
}

STAGE(fifth)

/* The firmware boots the first kernel again. */
TEST_HOST_IS_UP(fifth, "6.1")

TEST_F_TIMEOUT(fifth, lost_pool_is_reported, 120)
{
	struct notes notes;
	char *out, uuid[64];

	ASSERT_EQ(0, notes_of_before(&notes));
	ASSERT_EQ(0, vm_run(&out, "journalctl -b -o cat -u pkram-pool"));
	TH_LOG("%s", out);
	EXPECT_NE(NULL, strstr(out, notes.uuid));
	EXPECT_NE(NULL, strstr(out, "is gone: this kernel was not started by kexec"));
	EXPECT_NE(NULL, strstr(out, "guest a was saved in it, and is lost: it starts afresh"));
	EXPECT_NE(NULL, strstr(out, "guest b was saved in it, and is lost: it starts afresh"));
	/* There is a new pool, of the configured size. */
	EXPECT_EQ(1LL << 30, pool_number("size"));
	ASSERT_EQ(0, pool_uuid(uuid));
	EXPECT_STRNE(notes.uuid, uuid);
}

TEST_F_TIMEOUT(fifth, guests_start_afresh, 300)
{
	struct notes notes;
	struct guest_state st;
	struct qemu *q;
	char *out;

	ASSERT_EQ(0, notes_of_before(&notes));
	EXPECT_EQ(0, vm_run(&out, "systemctl is-active " UNITS)) TH_LOG("%s", out);
	for (int i = 0; i < 2; i++) {
		q = guests_d_find(names[i]);
		ASSERT_NE(NULL, q);
		ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
		EXPECT_STREQ("ok", st.pattern);
		EXPECT_STRNE(notes.boot_ids[i], st.boot_id);
		EXPECT_TRUE(object_is(names[i], PKRAM_STATE_CLAIMED));
	}
}

TEST_HARNESS_MAIN
