// SPDX-License-Identifier: GPL-2.0
/*
 * The demonstration: what an operator does, on three kernels in a row. Its lines that
 * begin with "> " are what scripts/demo.sh shows; it is a test like any other.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pool.h"

#define SIZE	(1536 * MIB)

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("> ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
}

/* Run a command as the operator types it, and show what it prints */
static int type(const char *fmt, ...)
{
	char cmd[512], *out = NULL, *line, *save;
	va_list ap;
	int ret;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	say("host# %s", cmd);
	ret = vm_run(&out, "%s", cmd);
	for (line = strtok_r(out, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		say("  %s", line);
	free(out);
	return ret;
}

static void say_kernel(const char *what)
{
	struct utsname uts;

	uname(&uts);
	say("");
	say("=== %s: Linux %s, up %.1f s ===", what, uts.release, vm_now());
}

/* In the new kernel: fill what it calls free, attach, look */
static void come_back(struct __test_metadata *_metadata, double *attach)
{
	char value[64] = "";
	double t;

	say("filling 1 GiB of this kernel's own free memory, and freeing it");
	ASSERT_EQ(0, pool_churn(GIB, 0xff));
	t = vm_now();
	ASSERT_EQ(0, vm_insmod(PKRAM_MODULE, NULL));
	*attach = vm_now() - t;
	say("host# insmod pkram.ko            (found and attached in %.0f ms)",
	    *attach * 1000);
	ASSERT_EQ(0, type("mkdir -p " PKRAM_MNT " && mount -t pkramfs pkram " PKRAM_MNT));
	ASSERT_EQ(0, type("ls -l " PKRAM_MNT " " PKRAM_MNT "/guests"));
	ASSERT_LT(0, getxattr(PKRAM_MNT "/guests/vm1", "user.note", value,
			      sizeof(value) - 1));
	say("label user.note of vm1: %s", value);
	EXPECT_STREQ("keep me", value);
	t = vm_now();
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/guests/vm1", SIZE, 42));
	say("every byte of vm1 (%lu MiB) is as it was written      (checked in %.1f s)",
	    SIZE / MIB, vm_now() - t);
}

FIXTURE(first) {};
FIXTURE_SETUP(first) {}
FIXTURE_TEARDOWN(first) {}

TEST_F_TIMEOUT(first, grow_mount_write, 240)
{
	double t;

	say_kernel("a stock Debian kernel");
	ASSERT_EQ(0, type("insmod " PKRAM_MODULE));
	ASSERT_EQ(0, type("ln -sf /bin/pkramctl.static /bin/pkramctl"));
	ASSERT_EQ(0, type("pkramctl pool grow 3G"));
	ASSERT_EQ(0, type("mkdir -p " PKRAM_MNT " && mount -t pkramfs pkram " PKRAM_MNT));
	ASSERT_EQ(0, mkdir(PKRAM_MNT "/guests", 0755));
	t = vm_now();
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/guests/vm1", SIZE, 42));
	say("wrote %lu MiB of pattern to " PKRAM_MNT "/guests/vm1      (%.1f s)",
	    SIZE / MIB, vm_now() - t);
	ASSERT_EQ(0, type("chown 1000:1000 " PKRAM_MNT "/guests/vm1; chmod 600 "
			  PKRAM_MNT "/guests/vm1"));
	ASSERT_EQ(0, setxattr(PKRAM_MNT "/guests/vm1", "user.note", "keep me", 7, 0));
	ASSERT_EQ(0, type("pkramctl status"));
	ASSERT_EQ(0, type("grep pkram /proc/iomem"));
	say("now another kernel, by kexec: no reboot, nothing on its command line");
}

FIXTURE(second) {};
FIXTURE_SETUP(second) {}
FIXTURE_TEARDOWN(second) {}

TEST_F_TIMEOUT(second, everything_is_there, 240)
{
	double attach;

	say_kernel("after the first kexec");
	come_back(_metadata, &attach);
	say("and on to a third kernel");
}

FIXTURE(third) {};
FIXTURE_SETUP(third) {}
FIXTURE_TEARDOWN(third) {}

TEST_F_TIMEOUT(third, everything_is_there_and_goes_back, 240)
{
	double attach;

	say_kernel("after the second kexec");
	come_back(_metadata, &attach);
	say("the memory goes back to the system");
	ASSERT_EQ(0, type("rm -r " PKRAM_MNT "/guests"));
	ASSERT_EQ(0, type("ln -sf /bin/pkramctl.static /bin/pkramctl"));
	ASSERT_EQ(0, type("pkramctl pool shrink 3G"));
}

TEST_HARNESS_MAIN
