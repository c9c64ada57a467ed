// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the test VMs; where the host is a Debian, a service of it
 *
 * Boots with an initramfs that holds this program as /init, the scenario's test
 * program as /test and a description of the scenario in /etc/scenario; see
 * README.md.  Runs the tests of this boot's stage one by one, reports on the second
 * serial port, and goes on to the next boot with kexec, or powers off.
 *
 * As a service (ROOT=debian) it finds everything in place, counts the boots on the disk,
 * and leaves it to the tests to go to the next kernel.
 *
 * What it writes there, one item a line, for the runner on the host:
 *
 *	@boot INDEX KERNEL UPTIME	this boot has begun
 *	@begin TEST			TEST is about to run
 *	# TEXT				what TEST prints, or what is wrong
 *	@result VERDICT TEST SECONDS [REASON]	VERDICT is ok, fail or skip
 *	@kexec INDEX SECONDS		on the way to boot INDEX, this long after this boot
 *	@end				all boots are done
 *
 * The runner writes there:
 *
 *	over TEST			TEST has reached its limit: end it
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/reboot.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "init.h"
#include "vm.h"

#define MAX_WORDS	64
#define MAX_TESTS	512
#define BLANKS		" \t\n"

#define NEXT_KERNEL	"/run/next/vmlinuz"
#define NEXT_INITRD	"/run/next/initrd"
#define NEXT_APPEND	"/run/pkram-next-append"
#define BOOT_COUNT	"/var/lib/vmtest/boot"

static FILE *result;		/* the runner's channel */
static const char *current;	/* the test that runs */
static bool test_over;		/* the runner ended the test at its limit */

static struct {
	int boot;			/* index of this boot, from 0 */
	int nr_boots;
	char *stage[MAX_WORDS];		/* "*" is every fixture */
	char *kernel[MAX_WORDS];	/* uname -r of each boot */
	char *image[MAX_WORDS];		/* serial number prefix of its disk */
	char *cmdline;
	char *filter;
	bool next_files, interactive;
	bool limits_outside;		/* the runner ends tests at their limit */
	bool service;			/* not PID 1 */
} sc;

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(result, fmt, ap);
	va_end(ap);
	fflush(result);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void __attribute__((noreturn)) power_off(void)
{
	if (result)
		tcdrain(fileno(result));
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_POWER_OFF, NULL);
	for (;;)
		pause();
}

void give_up(const char *what)
{
	if (result)
		say("# init: %s: %s\n@result fail init 0 %s\n", what, strerror(errno), what);
	power_off();
}

static int split(char *text, char **words)
{
	int n = 0;

	for (text = strtok(text, BLANKS); text && n < MAX_WORDS; text = strtok(NULL, BLANKS))
		words[n++] = text;
	return n;
}

/* A boot on the disk has no words of ours on its command line. */
static void count_boot(void)
{
	char text[64];

	mkdir("/var/lib/vmtest", 0755);
	snprintf(text, sizeof(text), "vmtest.boot=%d\n", sc.boot + 1);
	if (vm_write_file(BOOT_COUNT, text))
		give_up(BOOT_COUNT);
	sync();
}

/* /etc/scenario: lines of KEY=VALUE, written by the runner */
static void read_scenario(void)
{
	char *text = vm_read_file("/etc/scenario"), *line, *save, *value, *arg;

	if (!text)
		give_up("/etc/scenario");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		value = strdup(value);
		if (!strcmp(line, "stages")) {
			sc.nr_boots = split(value, sc.stage);
		} else if (!strcmp(line, "kernels")) {
			split(value, sc.kernel);
		} else if (!strcmp(line, "images")) {
			split(value, sc.image);
		} else if (!strcmp(line, "cmdline")) {
			sc.cmdline = value;
		} else if (!strcmp(line, "filter")) {
			sc.filter = *value ? value : NULL;
		} else if (!strcmp(line, "next_files")) {
			sc.next_files = *value == '1';
		} else if (!strcmp(line, "interactive")) {
			sc.interactive = *value == '1';
		} else if (!strcmp(line, "limits")) {
			sc.limits_outside = !strcmp(value, "outside");
		} else if (!strcmp(line, "allow") && *value) {
			kmsg_allow(value);
		}
	}
	free(text);
	text = vm_read_file(sc.service ? BOOT_COUNT : "/proc/cmdline");
	arg = text ? strstr(text, "vmtest.boot=") : NULL;
	if (arg)
		sc.boot = atoi(arg + strlen("vmtest.boot="));
	free(text);
	if (sc.service)
		count_boot();
	if (sc.boot >= sc.nr_boots && !sc.interactive)
		give_up("a boot that the scenario does not have");
	if (sc.boot >= sc.nr_boots)
		sc.boot = sc.nr_boots - 1;
}

static int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret && errno != EEXIST ? -1 : 0;
}

/* The modules in a directory, in order of their names */
static void load_modules(const char *parent, const char *kver)
{
	char dir[512], path[1024];
	struct dirent **list;
	int n;

	snprintf(dir, sizeof(dir), "%s/%s", parent, kver);
	n = scandir(dir, &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] == '.' || !strcmp(list[i]->d_name, "modules.dep"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		if (load_module(path))
			say("# init: cannot load %s: %s\n", path, strerror(errno));
	}
}

/* What is named by the kernel's version gets a name without */
static void link_modules(const char *kver)
{
	char dir[512], path[1024];
	struct dirent **list;
	int n;

	snprintf(path, sizeof(path), "/lib/pkram/%s", kver);
	n = scandir(path, &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] == '.')
			continue;
		snprintf(dir, sizeof(dir), "/lib/pkram/%s", list[i]->d_name);
		snprintf(path, sizeof(path), "%s/%s", kver, list[i]->d_name);
		if (symlink(path, dir))
			say("# init: cannot link %s: %s\n", dir, strerror(errno));
	}
}

static bool last_boot(void)
{
	return sc.boot + 1 >= sc.nr_boots;
}

static void prepare_next(void)
{
	if (!access(NEXT_INITRD, F_OK))
		return;
	mkdir("/run/next", 0755);
	disk_copy(sc.image[sc.boot + 1], NEXT_KERNEL);
	disk_copy("initrd", NEXT_INITRD);
}

static void next_cmdline(char *buf, size_t size)
{
	char *more = vm_read_file(NEXT_APPEND);

	if (more)
		more[strcspn(more, "\n")] = '\0';
	snprintf(buf, size, "%s vmtest.boot=%d%s%s", sc.cmdline, sc.boot + 1,
		 more ? " " : "", more ?: "");
	free(more);
}

/* Load the next kernel, unless a test has done so, and go */
static void kexec_next(void)
{
	char cmdline[2048], *loaded = vm_read_file("/sys/kernel/kexec_loaded");
	int kernel, initrd;

	if (!loaded || *loaded != '1') {
		prepare_next();
		next_cmdline(cmdline, sizeof(cmdline));
		kernel = open(NEXT_KERNEL, O_RDONLY | O_CLOEXEC);
		initrd = open(NEXT_INITRD, O_RDONLY | O_CLOEXEC);
		if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1,
			    cmdline, 0))
			give_up("kexec_file_load");
		close(kernel);
		close(initrd);
	}
	free(loaded);
	say("@kexec %d %.1f\n", sc.boot + 1, now());
	tcdrain(fileno(result));
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	give_up("reboot into the next kernel");
}

/* A line of a test's output: pass it on, and look for the harness's verdict */
static void take_line(const char *line, char *skip, size_t size)
{
	/* The harness's frame around one test says nothing that a result does not. */
	static const char * const frame[] = {
		"TAP version", "1..1", "Starting 1 tests", "RUN  ", "OK  ", "FAIL  ",
		"SKIP  ", "ok 1 ", "not ok 1 ", "PASSED: ", "FAILED: ", "Totals: ",
	};
	const char *mark;
	bool framed = false;

	while (*line == '#' || *line == ' ')
		line++;
	for (size_t i = 0; i < ARRAY_SIZE(frame); i++)
		framed |= !strncmp(line, frame[i], strlen(frame[i]));
	if (*line && !framed)
		say("# %s\n", line);
	if (strncmp(line, "ok ", 3))
		return;
	mark = strstr(line, "# SKIP");
	if (mark)
		snprintf(skip, size, "%s", mark[6] ? mark + 7 : "no reason given");
}

/* Start the test program with its output going to a pipe; returns the read end */
static int start(char *const argv[], pid_t *pid)
{
	int out[2];

	if (pipe2(out, O_CLOEXEC))
		give_up("pipe");
	*pid = fork();
	if (*pid < 0)
		give_up("fork");
	if (!*pid) {
		setsid();
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	close(out[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	return out[0];
}

/*
 * End a test: the process group of the harness's child. The harness, process @pid, then
 * reports as usual.
 */
static void end_test(pid_t pid)
{
	char path[64], *children, *child, *save;

	test_over = true;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	children = vm_read_file(path);
	for (child = children ? strtok_r(children, BLANKS, &save) : NULL; child;
	     child = strtok_r(NULL, BLANKS, &save))
		if (kill(-atoi(child), SIGKILL))
			kill(atoi(child), SIGKILL);
	free(children);
}

/* Read what the runner says. A line about a test that has ended meanwhile is late. */
static void hear_runner(pid_t pid)
{
	static char buf[512];
	static size_t used;
	ssize_t n;
	char *eol;

	n = read(fileno(result), buf + used, sizeof(buf) - 1 - used);
	if (n <= 0)
		return;
	used += n;
	buf[used] = '\0';
	while ((eol = strchr(buf, '\n'))) {
		*eol++ = '\0';
		if (!strncmp(buf, "over ", 5) && current && !strcmp(buf + 5, current))
			end_test(pid);
		used -= eol - buf;
		memmove(buf, eol, used + 1);
	}
	if (used == sizeof(buf) - 1)
		used = 0;
}

/*
 * Run argv, calling @line for each line of output.  Does not wait for the end of the
 * output, only of the program: it may leave children behind.  Returns the status.
 */
static int run(char *const argv[], void (*line)(const char *, char *, size_t),
	       char *arg, size_t size)
{
	static char buf[65536];
	struct pollfd fds[3];
	size_t used = 0;
	int status = 0;
	bool ended = false;
	pid_t pid;
	ssize_t n;
	char *eol;

	fds[0] = (struct pollfd){ .fd = start(argv, &pid), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = fileno(result), .events = POLLIN };
	for (;;) {
		if (!ended && poll(fds, ARRAY_SIZE(fds), -1) > 0) {
			ended = fds[1].revents;
			if (fds[2].revents)
				hear_runner(pid);
		}
		n = read(fds[0].fd, buf + used, sizeof(buf) - 1 - used);
		if (n <= 0) {
			if (!n)
				fds[0].fd = -fds[0].fd;
			if (ended)
				break;
			continue;
		}
		used += n;
		buf[used] = '\0';
		while ((eol = memchr(buf, '\n', used)) || used == sizeof(buf) - 1) {
			if (!eol)
				eol = buf + used - 1;
			*eol++ = '\0';
			line(buf, arg, size);
			used -= eol - buf;
			memmove(buf, eol, used + 1);
		}
	}
	if (used)
		line(buf, arg, size);
	close(abs(fds[0].fd));
	close(fds[1].fd);
	waitpid(pid, &status, 0);
	return status;
}

static char *tests[MAX_TESTS];
static int nr_tests;

static bool wanted(const char *name)
{
	const char *stage = sc.stage[sc.boot], *test = strrchr(name, '.');
	size_t len = strlen(stage);

	if (!test)
		return false;
	if (strcmp(stage, "*") && (strncmp(name, stage, len) || name[len] != '.'))
		return false;
	return !sc.filter || !fnmatch(sc.filter, name, 0) || !fnmatch(sc.filter, test + 1, 0);
}

static void list_line(const char *line, char *arg, size_t size)
{
	(void)arg;
	(void)size;
	if (nr_tests < MAX_TESTS && wanted(line))
		tests[nr_tests++] = strdup(line);
}

static void run_test(char *name)
{
	char *argv[] = { "/test", "-r", name, NULL };
	char skip[256] = "", why[64] = "";
	double begin = now();
	int status, bad;

	say("@begin %s\n", name);
	current = name;
	test_over = false;
	status = run(argv, take_line, skip, sizeof(skip));
	current = NULL;
	bad = kmsg_check();
	if (test_over)
		snprintf(why, sizeof(why), "timed out");
	else if (bad)
		snprintf(why, sizeof(why), "kernel log");
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) && !skip[0])
		snprintf(why, sizeof(why), "exit status %d", WEXITSTATUS(status));
	if (why[0])
		say("@result fail %s %.2f %s\n", name, now() - begin, why);
	else if (skip[0])
		say("@result skip %s %.2f %s\n", name, now() - begin, skip);
	else
		say("@result ok %s %.2f\n", name, now() - begin);
}

/* What tests, and a shell, know of the scenario */
static void set_environment(void)
{
	char value[2048];

	if (sc.limits_outside)
		setenv("PKRAM_LIMITS", "outside", 1);
	setenv("PKRAM_STAGE", sc.stage[sc.boot], 1);
	snprintf(value, sizeof(value), "%d", sc.boot);
	setenv("PKRAM_STAGE_INDEX", value, 1);
	snprintf(value, sizeof(value), "%d", sc.nr_boots);
	setenv("PKRAM_STAGES", value, 1);
	if (!last_boot()) {
		if (sc.next_files || (sc.interactive && !sc.service))
			prepare_next();
		next_cmdline(value, sizeof(value));
		setenv("PKRAM_NEXT_KERNEL", NEXT_KERNEL, 1);
		setenv("PKRAM_NEXT_INITRD", NEXT_INITRD, 1);
		setenv("PKRAM_NEXT_CMDLINE", value, 1);
	}
}

static void run_stage(void)
{
	char *list[] = { "/test", "--list", NULL };

	run(list, list_line, NULL, 0);
	for (int i = 0; i < nr_tests; i++)
		run_test(tests[i]);
	if (kmemleak_check())
		say("@result fail kmemleak 0 memory leaked in this boot\n");
}

/* Say where things are, on standard output */
static void greet(void)
{
	struct utsname uts;

	uname(&uts);
	printf("\nThis is a root shell in the VM, on kernel %s.\n", uts.release);
	if (sc.service)
		puts("The packages are installed: the module (modprobe pkram), pkramctl, units.");
	else
		puts("  insmod /lib/pkram/pkram.ko                    load the module\n"
		     "  pkramctl pool grow 1G                         take memory\n"
		     "  mkdir -p /dev/pkram\n"
		     "  mount -t pkramfs pkram /dev/pkram             then use files in it");
	puts("  /test --list, /test -r FIXTURE.TEST           the tests of this scenario");
	if (!access("/guest/bin", F_OK))
		puts("  qemu-system-x86_64, /guest                    QEMU and guests for it");
	if (getenv("PKRAM_NEXT_CMDLINE") && !sc.service)
		puts("  pkramctl kexec --kernel $PKRAM_NEXT_KERNEL --initrd $PKRAM_NEXT_INITRD \\\n"
		     "      --command-line \"$PKRAM_NEXT_CMDLINE\"     boot the next kernel");
	puts("To leave: `exit` powers the VM off. Ctrl-A X ends it at once.\n");
	fflush(stdout);
}

static void shell(void)
{
	pid_t pid = fork();

	if (!pid) {
		const char *program = sc.service ? "/bin/bash" : "/bin/busybox";
		int tty;

		setsid();
		tty = open("/dev/ttyS0", O_RDWR);
		for (int fd = 0; fd < 3; fd++)
			dup2(tty, fd);
		ioctl(tty, TIOCSCTTY, 1);
		setenv("PS1", "# ", 1);
		setenv("TERM", "linux", 0);
		greet();
		execl(program, "sh", "-l", NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(-1, NULL, 0) != pid)
		;
}

static void setup_mounts(void)
{
	static const struct {
		const char *type, *dir;
	} mounts[] = {
		{ "devtmpfs", "/dev" }, { "proc", "/proc" }, { "sysfs", "/sys" },
		{ "tmpfs", "/run" }, { "tmpfs", "/tmp" }, { "devpts", "/dev/pts" },
		{ "tmpfs", "/dev/shm" }, { "debugfs", "/sys/kernel/debug" },
		{ "tracefs", "/sys/kernel/tracing" },
	};

	umask(0);
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL);
	}
	umask(022);
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/1", "/dev/stdout");
}

static void setup_result(void)
{
	struct termios t;
	int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		power_off();
	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		cfsetspeed(&t, B115200);
		t.c_cflag |= CLOCAL;
		/* A read returns what there is. */
		t.c_cc[VMIN] = 0;
		t.c_cc[VTIME] = 0;
		tcsetattr(fd, TCSANOW, &t);
	}
	result = fdopen(fd, "w");
}

int main(void)
{
	struct utsname uts;

	sc.service = getpid() != 1;
	if (!sc.service)
		setup_mounts();
	setup_result();
	uname(&uts);
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/tmp", 1);
	read_scenario();
	say("@boot %d %s %.1f\n", sc.boot, uts.release, now());
	kmsg_open();
	if (!sc.service) {
		kmemleak_stop_scans();
		load_modules("/lib/modules", uts.release);
		link_modules(uts.release);
		disk_mount_guest();
		load_modules("/guest/modules", uts.release);
	}
	if (kmsg_check())
		say("@result fail boot 0 kernel log\n");
	if (sc.kernel[sc.boot] && strcmp(sc.kernel[sc.boot], uts.release))
		say("@result fail boot 0 the wrong kernel\n");
	set_environment();
	if (sc.interactive)
		shell();
	else
		run_stage();
	if (!last_boot() && !sc.interactive && !sc.service)
		kexec_next();
	say("@end\n");
	power_off();
}
