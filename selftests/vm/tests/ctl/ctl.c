// SPDX-License-Identifier: GPL-2.0
/* The verbs of pkramctl and their refusals with the real module; and pkramctl kexec */
#include <errno.h>
#include <fcntl.h>
#include <linux/pkram.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"
#include "trace.h"

#define UUID	"5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a1"
#define RAM	"{\"qom-type\":\"memory-backend-pkram\",\"name\":\"ram\"}"
#define COOKIE	"01234567-89ab-cdef-0123-456789abcdef"

/* Run the tool; its output must contain @text. Returns 0 if status and output are right */
static int ctl(int want, const char *text, const char *args)
{
	char *out = NULL;
	int ret = vm_run(&out, CTL "%s", args), bad = ret != want;

	if (!out || !strstr(out, text))
		bad = 1;
	if (bad)
		printf("# pkramctl %s: status %d, %s\n", args, ret, out ? out : "");
	free(out);
	return bad;
}

/* The same without privileges */
static int as_nobody(int want, const char *text, const char *args)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		status = ctl(want, text, args);
		fflush(NULL);
		_exit(status);
	}
	return pid < 0 || waitpid(pid, &status, 0) < 0 || status;
}

/* Claim an object as QEMU does; the claim lasts until the file is closed */
static int claimed(const char *name)
{
	struct pkram_ioc_claim c = { .size = sizeof(c) };
	int fd = open(name, O_RDWR | O_EXCL | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, PKRAM_IOC_CLAIM, &c))
		return -1;
	return fd;
}

STAGE(before)

TEST_F(before, every_command_reports_missing_module)
{
	EXPECT_EQ(0, ctl(1, "modprobe pkram", "pool show"));
	EXPECT_EQ(0, ctl(1, "modprobe pkram", "object show"));
	EXPECT_EQ(0, ctl(1, "modprobe pkram", "kexec --kernel /x"));
	EXPECT_EQ(0, ctl(1, "pkramfs is not mounted on", "object show vm1"));
	ASSERT_EQ(0, pool_up(NULL));
}

TEST_F(before, pool_grows_and_shrinks)
{
	EXPECT_EQ(0, ctl(0, "none", "handover show"));
	EXPECT_EQ(0, ctl(1, "pkramctl: ", "pool shrink 1G"));
	EXPECT_EQ(0, ctl(0, "got 2 GiB", "pool grow 2G --timeout 600"));
	EXPECT_EQ(0, ctl(0, "size             2 GiB", "pool show"));
	EXPECT_EQ(0, ctl(0, "gave back 1 GiB", "pool shrink 1G"));
	EXPECT_EQ(0, ctl(0, "1 GiB", "region show"));
	EXPECT_EQ(0, ctl(1, "node", "pool grow 1G --node 7"));
	EXPECT_EQ(0, ctl(1, "pkramctl: ", "pool adopt 0x0+1G"));
	EXPECT_EQ(0, ctl(0, "e820", "handover show"));
	EXPECT_EQ(0, ctl(0, "regions:", "status"));
	EXPECT_EQ(0, ctl(0, "\"interface\":1", "-j version"));
}

TEST_F(before, objects_are_created_and_removed)
{
	struct stat st;

	EXPECT_EQ(0, ctl(0, "size             64 MiB", "object create a 64M --mode 0640"));
	ASSERT_EQ(0, stat(PKRAM_MNT "/a", &st));
	EXPECT_EQ(64 * MIB, (size_t)st.st_size);
	EXPECT_EQ(64 * MIB, (size_t)st.st_blocks * 512);
	EXPECT_EQ(0640U, st.st_mode & 07777);
	EXPECT_EQ(0, ctl(1, "File exists", "object create a 4M"));
	EXPECT_EQ(0, ctl(1, "No space left on device in the pool", "object create b 9G"));
	EXPECT_EQ(-1, access(PKRAM_MNT "/b", F_OK));
	EXPECT_EQ(0, ctl(0, "allocated        4 MiB", "object create b 4M --node 0"));
	EXPECT_EQ(0, ctl(1, "pkramctl: ", "object create c 4M --node 1"));
	EXPECT_EQ(-1, access(PKRAM_MNT "/c", F_OK));
	EXPECT_EQ(0, ctl(1, "not a file of pkramfs", "object create /tmp/c 4M"));
	EXPECT_EQ(-1, access("/tmp/c", F_OK));
	EXPECT_EQ(0, ctl(0, "idle", "object show b"));
	EXPECT_EQ(0, ctl(0, "idle", "object show"));
	EXPECT_EQ(0, ctl(1, "not a file of pkramfs", "object show /dev/null"));
	EXPECT_EQ(0, ctl(1, "no object with the key", "object show 0x7777777777"));
	EXPECT_EQ(0, ctl(3, "none: No such file", "object remove b none"));
	EXPECT_EQ(-1, access(PKRAM_MNT "/b", F_OK));
}

TEST_F(before, labels_are_user_xattrs)
{
	char value[16];

	EXPECT_EQ(0, ctl(0, "os    debian", "object label a os=debian why=x"));
	EXPECT_EQ(6, getxattr(PKRAM_MNT "/a", "user.os", value, sizeof(value)));
	EXPECT_EQ(0, memcmp(value, "debian", 6));
	EXPECT_EQ(0, ctl(0, "os", "object label a --remove why"));
	EXPECT_EQ(-1, getxattr(PKRAM_MNT "/a", "user.why", value, sizeof(value)));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(0, ctl(1, "label why: no such label", "object label a --remove why"));
	EXPECT_EQ(0, ctl(1, "label x: Argument list too long",
			 "object label a x=$(printf %070000d 0)"));
}

TEST_F(before, claimed_object_cannot_be_changed)
{
	int fd = claimed(PKRAM_MNT "/a");

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ctl(0, "claimed", "object show a"));
	EXPECT_EQ(0, ctl(1, "a: in use by test (PID ", "object remove a"));
	EXPECT_EQ(0, ctl(1, "a: in use by test (PID ", "object seal a"));
	EXPECT_EQ(0, ctl(1, "a: in use by test (PID ", "object unseal a"));
	close(fd);
	EXPECT_EQ(0, ctl(0, "running", "object show a"));
}

TEST_F(before, holders_of_objects_with_one_name_are_told_apart)
{
	char *out = NULL;
	void *map;
	int fd;

	ASSERT_EQ(0, mkdir(PKRAM_MNT "/twin", 0700));
	ASSERT_EQ(0, ctl(0, "idle", "object create twin/a 4M"));
	fd = open(PKRAM_MNT "/twin/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	map = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	/* The mapping alone holds it: its file in /proc has the object's name only */
	close(fd);
	EXPECT_EQ(0, ctl(0, "maps it, may write", "object show twin/a"));
	EXPECT_EQ(0, vm_run(&out, CTL "object show a"));
	EXPECT_EQ(NULL, strstr(out, "held by")) TH_LOG("%s", out);
	EXPECT_EQ(0, munmap(map, 4 * MIB));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/twin/a"));
	EXPECT_EQ(0, rmdir(PKRAM_MNT "/twin"));
}

TEST_F(before, sealed_object_cannot_be_changed)
{
	struct pkram_ioc_seal s = { .size = sizeof(s) };
	struct pkram_ioc_claim c = { .size = sizeof(c), .flags = PKRAM_CLAIM_SEALED };
	int fd, i;

	EXPECT_EQ(0, ctl(0, "cookie           " COOKIE,
			 "object seal a --uuid " UUID " --cookie " COOKIE));
	EXPECT_EQ(0, ctl(0, "guest            " UUID, "object show a"));
	EXPECT_EQ(0, ctl(0, "cookie           " COOKIE, "object show a"));
	EXPECT_EQ(0, ctl(1, "a: sealed, because it has a saved guest", "object remove a"));
	EXPECT_EQ(0, ctl(1, "a: sealed, because it has a saved guest", "object seal a"));
	/* The printed cookie resumes the object; another one does not. */
	fd = open(PKRAM_MNT "/a", O_RDWR | O_EXCL | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, PKRAM_IOC_CLAIM, &c));
	s.cookie[0] = 1;
	EXPECT_EQ(-1, ioctl(fd, PKRAM_IOC_RESUME, &s));
	EXPECT_EQ(ESTALE, errno);
	for (i = 0; i < 16; i++)
		s.cookie[i] = 0x01 + 0x22 * (i % 8);
	EXPECT_EQ(0, ioctl(fd, PKRAM_IOC_RESUME, &s)) {
		TH_LOG("resume: %s", strerror(errno));
	}
	close(fd);
	EXPECT_EQ(0, ctl(1, "has no saved guest", "object unseal a"));
	EXPECT_EQ(0, ctl(0, "sealed", "object seal a"));
	EXPECT_EQ(0, ctl(0, "unsealed", "object unseal a"));
	EXPECT_EQ(0, ctl(2, "is not a KEY", "object discard a"));
	EXPECT_EQ(0, ctl(1, "not quarantined",
			 "object discard $(pkramctl object show | awk '/a$/ { print $1 }')"));
}

TEST_F(before, verify_finds_changes_since_export)
{
	EXPECT_EQ(0, pool_file_fill(PKRAM_MNT "/v", 8 * MIB, 5));
	EXPECT_EQ(0, ctl(0, "ok", "export v /tmp"));
	EXPECT_EQ(0, ctl(0, "ok", "object verify v /tmp"));
	EXPECT_EQ(0, ctl(0, "ok", "verify /tmp/v"));
	EXPECT_EQ(0, vm_run(NULL, "printf x | dd of=%s bs=1 seek=5000000 conv=notrunc",
			    PKRAM_MNT "/v"));
	EXPECT_EQ(0, ctl(1, "v: chunk 2, 2097152 bytes at byte 4194304, differs from its export",
			 "object verify v /tmp"));
	EXPECT_EQ(0, ctl(0, "ok", "import --force /tmp/v"));
	EXPECT_EQ(0, ctl(0, "ok", "object verify v /tmp"));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/v", 8 * MIB, 5));
}

TEST_F(before, only_root_may_change_the_pool)
{
	EXPECT_EQ(0, vm_run(NULL, "chmod 755 " PKRAM_MNT "; chmod 600 " PKRAM_MNT "/v"));
	EXPECT_EQ(0, as_nobody(1, "needs root", "pool grow 1G --timeout 600"));
	EXPECT_EQ(0, as_nobody(1, "needs root", "object show"));
	EXPECT_EQ(0, as_nobody(1, "Permission denied", "object remove v"));
	EXPECT_EQ(0, as_nobody(1, "Permission denied", "object show v"));
	EXPECT_EQ(0, as_nobody(1, "Permission denied", "object create w 4M"));
	EXPECT_EQ(0, access(PKRAM_MNT "/v", F_OK));
	EXPECT_EQ(0, as_nobody(0, "size", "pool show"));
}

/* Write to the first byte of a mapping. Return: 0 if that worked */
static int touched(const char *name, size_t size)
{
	int fd = open(name, O_RDWR | O_CLOEXEC);
	char *p;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -errno;
	*p = 1;
	return munmap(p, size);
}

#define COUNT(event, text)	trace_count(trace, event, text)

TEST_F(before, tracepoints_name_what_happens)
{
	char *trace;
	int fd;

	ASSERT_EQ(0, trace_start());
	EXPECT_EQ(0, ctl(0, "idle", "object create t 4M"));
	EXPECT_EQ(0, touched(PKRAM_MNT "/t", 4 * MIB));
	fd = claimed(PKRAM_MNT "/t");
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, ctl(0, "sealed", "object seal t"));
	EXPECT_EQ(0, ctl(0, "unsealed", "object unseal t"));
	EXPECT_EQ(0, ctl(0, "removed", "object remove t -j"));
	EXPECT_EQ(0, ctl(0, "got 1 GiB", "pool grow 1G --timeout 600"));
	EXPECT_EQ(0, ctl(0, "gave back 1 GiB", "pool shrink 1G"));
	trace = trace_stop();
	ASSERT_NE(NULL, trace);
	EXPECT_LT(0, COUNT("commit", "kind=file seq="));
	EXPECT_LT(0, COUNT("commit", "slot=small moved"));
	EXPECT_LT(0, COUNT("commit", "kind=free seq="));
	EXPECT_LT(0, COUNT("fault", "offset=0x0 size=0x200000 write result=NOPAGE"));
	EXPECT_LT(0, COUNT("claim", "from=none to=running generation=0 err=0"));
	EXPECT_LT(0, COUNT("release", "from=running to=running generation=0 err=0"));
	EXPECT_LT(0, COUNT("seal", "from=running to=sealed generation=1 err=0"));
	EXPECT_LT(0, COUNT("claim", "from=sealed to=running generation=1 err=0"));
	EXPECT_EQ(1, COUNT("take", "size=0x40000000 err=0 reason=\"\" usecs="));
	EXPECT_EQ(1, COUNT("give", "size=0x40000000 err=0 reason=\"\" usecs="));
	EXPECT_LT(0, COUNT("populate", "err=0 reason=\"as 2M\""));
	if (_metadata->exit_code)
		printf("%s", trace);
	free(trace);
}

TEST_F(before, counters_count)
{
	static const char * const names[] = {
		"commits", "repairs", "faults_4k", "faults_2m", "faults_1g", "populates",
		"waits", "zeroed", "kexec_refused", "quarantined", "bad_pages",
	};
	long long before[ARRAY_SIZE(names)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		before[i] = pool_counter(names[i]);
		EXPECT_LE(0, before[i]) {
			TH_LOG("%s", names[i]);
		}
	}
	EXPECT_LT(0, before[5]);
	EXPECT_EQ(0, before[9]);
	EXPECT_EQ(0, before[10]);
	EXPECT_EQ(0, ctl(0, "idle", "object create t 4M"));
	EXPECT_EQ(0, touched(PKRAM_MNT "/t", 4 * MIB));
	EXPECT_EQ(0, ctl(0, "removed", "object remove t -j"));
	EXPECT_LE(before[0] + 2, pool_counter("commits"));
	EXPECT_EQ(before[3] + 1, pool_counter("faults_2m"));
	EXPECT_EQ(before[4], pool_counter("faults_1g"));
	EXPECT_EQ(before[7] + 1, pool_counter("zeroed"));
	EXPECT_EQ(0, as_nobody(0, "counters and objects: only root may see them",
			       "status --verbose"));
}

TEST_F(before, report_has_the_state_of_the_pool)
{
	static const char * const has[] = {
		"'Linux version' dmesg", "pkram iomem", "'System RAM' iomem",
		"'\"commits\":' status.json", "/v object-show.json", "0 kexec-loaded",
		"'pkram parameters/handover: auto' module-parameters",
	};
	char *text;
	size_t i;

	EXPECT_EQ(0, ctl(0, "/tmp/r.tar.gz", "report /tmp/r.tar.gz"));
	EXPECT_EQ(0, ctl(1, "exists already", "report /tmp/r.tar.gz"));
	EXPECT_EQ(0, vm_run(NULL, "cd /tmp && tar -xzf r.tar.gz"));
	for (i = 0; i < ARRAY_SIZE(has); i++)
		EXPECT_EQ(0, vm_run(NULL, "cd /tmp/r && grep -q %s", has[i]));
	text = vm_read_file("/tmp/r/README");
	ASSERT_NE(NULL, text);
	/* There is no systemd. */
	EXPECT_NE(NULL, strstr(text, "units: the program is not installed"));
	if (_metadata->exit_code)
		printf("%s", text);
	free(text);
	EXPECT_EQ(0, vm_run(NULL, "rm -r /tmp/r /tmp/r.tar.gz"));
}

/* The state file and the sealed RAM are both removed. */
TEST_F(before, guest_unseal_removes_the_saved_guest)
{
	int fd;

	EXPECT_EQ(0, vm_run(NULL, "mkdir -p /etc/pkram/guests.d"));
	ASSERT_EQ(0, vm_write_file("/etc/pkram/guests.d/g.conf",
				   "uuid = " UUID "\n"
				   "-m 16M\n"
				   "-object '" RAM "'\n"));
	EXPECT_EQ(0, ctl(1, "is not saved", "guest unseal g"));
	EXPECT_EQ(0, ctl(0, "sealed", "object create ram 16M && pkramctl object seal ram"));
	EXPECT_EQ(0, vm_run(NULL, "echo x > " PKRAM_MNT "/g.state"));
	EXPECT_EQ(0, ctl(0, "g     saved", "guest show"));
	EXPECT_EQ(0, ctl(1, "guest unseal g gives it up", "guest start g"));
	EXPECT_EQ(0, ctl(0, "g     stopped", "guest unseal g"));
	EXPECT_EQ(-1, access(PKRAM_MNT "/g.state", F_OK));
	EXPECT_EQ(0, ctl(0, "running", "object show ram"));
	/* unseal fails if another process has claimed the RAM. */
	EXPECT_EQ(0, ctl(0, "sealed", "object seal ram"));
	EXPECT_EQ(0, vm_run(NULL, "echo x > " PKRAM_MNT "/g.state"));
	fd = open(PKRAM_MNT "/ram", O_RDWR | O_EXCL | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ctl(1, "ram: Device or resource busy", "guest unseal g"));
	EXPECT_EQ(0, access(PKRAM_MNT "/g.state", F_OK));
	close(fd);
	EXPECT_EQ(0, ctl(0, "g     stopped", "guest unseal g"));
	EXPECT_EQ(0, ctl(0, "removed", "object remove ram -j"));
}

#define NEXT	"--kernel %s --initrd %s --command-line '%s' "

static int kexec(int want, const char *text, const char *more)
{
	char args[8192];

	snprintf(args, sizeof(args), "kexec " NEXT "%s", vm_next_kernel(), vm_next_initrd(),
		 vm_next_cmdline(), more);
	return ctl(want, text, args);
}

TEST_F(before, kexec_to_kernel_without_module_is_refused)
{
	char *before = vm_read_file("/sys/kernel/kexec_loaded");

	EXPECT_STREQ("0\n", before);
	EXPECT_EQ(0, kexec(0, "module           /lib/pkram/", "--dry-run"));
	/* Keep copies, so that the files can be restored. */
	ASSERT_EQ(0, vm_run(NULL,
			    "for f in /lib/modules/*/modules.dep; do cp $f $f.away; : >$f; done"));
	EXPECT_EQ(0, kexec(1, "there is no pkram module for ", "--dry-run"));
	EXPECT_EQ(0, kexec(1, "there is no pkram module for ", ""));
	EXPECT_EQ(0, kexec(0, "warning: there is no pkram module for ", "--dry-run --force"));
	ASSERT_EQ(0, vm_run(NULL,
			    "for f in /lib/modules/*/modules.dep; do mv $f.away $f; done"));
	EXPECT_EQ(0, ctl(1, "busybox is not a kernel",
			 "kexec --kernel /bin/busybox --no-initrd"));
	EXPECT_EQ(0, ctl(1, "there is no kernel 1.2.3", "kexec --kernel 1.2.3"));
	EXPECT_STREQ("0\n", vm_read_file("/sys/kernel/kexec_loaded"));
}

TEST_F(before, kexec_with_claimed_object_is_refused)
{
	int fd = claimed(PKRAM_MNT "/a");
	char *trace;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, kexec(1, "/a is claimed and not sealed", ""));
	EXPECT_EQ(0, kexec(1, "in use, and not saved:", "--dry-run"));
	EXPECT_STREQ("0\n", vm_read_file("/sys/kernel/kexec_loaded"));
	ASSERT_EQ(0, trace_start());
	EXPECT_EQ(0, kexec(0, "warning: /a is claimed", "--load-only"));
	trace = trace_stop();
	ASSERT_NE(NULL, trace);
	EXPECT_EQ(1, COUNT("guard", "image=kernel by=kexec_file_load")) {
		TH_LOG("%s", trace);
	}
	EXPECT_EQ(1, COUNT("guard", "verdict=passed err=0"));
	free(trace);
	EXPECT_STREQ("1\n", vm_read_file("/sys/kernel/kexec_loaded"));
	EXPECT_EQ(0, ctl(0, "unloaded", "kexec --unload"));
	EXPECT_STREQ("0\n", vm_read_file("/sys/kernel/kexec_loaded"));
	close(fd);
}

TEST_F_TIMEOUT(before, pkramctl_kexec_boots_the_next_kernel, 200)
{
	EXPECT_EQ(0, ctl(0, "sealed", "object seal a --cookie " COOKIE));
	vm_leaving();
	kexec(0, "", "");
	EXPECT_TRUE(false);
}

STAGE(after)

TEST_F(after, pool_and_objects_are_preserved)
{
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(0, ctl(0, "sealed", "object show a"));
	EXPECT_EQ(0, ctl(0, "os    debian", "object label a"));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/v", 8 * MIB, 5));
	EXPECT_EQ(0, ctl(0, "unsealed", "object unseal a"));
	EXPECT_EQ(0, ctl(0, "removed", "object remove a v -j"));
}

TEST_HARNESS_MAIN
