// SPDX-License-Identifier: GPL-2.0
/*
 * Replacements of the system calls of pkramctl kexec. They write to the file
 * PKRAM_FAKE_LOG and do nothing else. Also a fake pkramfs: files in the directory
 * PKRAM_FAKE_POOL have its ioctls, whose state is stored in .pkram there. Preloaded
 * together with fake_kernel.c.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/pkram.h>
#include <linux/reboot.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <time.h>
#include "fake_kernel.h"

static void note(const char *fmt, ...)
{
	const char *path = getenv("PKRAM_FAKE_LOG");
	va_list ap;
	FILE *f;

	f = fopen(path ? path : "/dev/null", "a");
	if (!f)
		abort();
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

/*
 * PKRAM_FAKE_IMAGE_FILE: a file that is there while an image is loaded, by whichever process;
 * without it, only the process that loaded it sees it
 */
static const char *image_file(void)
{
	return getenv("PKRAM_FAKE_IMAGE_FILE");
}

static bool is_image_loaded(void)
{
	if (getenv("PKRAM_FAKE_IMAGE"))
		return true;
	return image_file() ? !faccessat(AT_FDCWD, image_file(), F_OK, 0) : fake_image_loaded;
}

static void load_image(bool loaded)
{
	fake_image_loaded = loaded;
	if (!image_file())
		return;
	if (loaded)
		close(openat(AT_FDCWD, image_file(), O_WRONLY | O_CREAT, 0600));
	else
		unlinkat(AT_FDCWD, image_file(), 0);
}

long syscall(long nr, ...)
{
	const char *fail = getenv("PKRAM_FAKE_KEXEC_ERRNO");
	const char *busy = getenv("PKRAM_FAKE_KEXEC_BUSY");
	static int nr_busy;
	long a[5];
	va_list ap;
	int i;

	va_start(ap, nr);
	for (i = 0; i < 5; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (nr) {
	case SYS_kexec_file_load:
		if (busy && nr_busy < atoi(busy)) {
			nr_busy++;
			errno = EBUSY;
			return -1;
		}
		if (a[4] & 1) {
			note("unload\n");
			load_image(false);
			return 0;
		}
		if (fail) {
			errno = atoi(fail);
			return -1;
		}
		note("load initrd=%s cmdline_len=%ld nul=%d flags=%lx: %s\n",
		     (int)a[1] < 0 ? "no" : "yes", a[2],
		     !((char *)a[3])[a[2] - 1], a[4], (char *)a[3]);
		load_image(true);
		return 0;
	case SYS_reboot:
		note("reboot %s\n",
		     a[2] == LINUX_REBOOT_CMD_KEXEC ? "kexec" : "something else");
		errno = EINVAL;
		return -1;
	default:
		abort();
	}
}

/*
 * PKRAM_FAKE_INNER: files that are mapped and removed are inner mappings of pkramfs.
 * PKRAM_FAKE_FS: the type, in hexadecimal, of the file systems of paths that end with
 * PKRAM_FAKE_FS_END. PKRAM_FAKE_UNMOUNTED: no pkramfs is mounted; without it, on /dev/pkram
 * and the fake pool.
 */
int statfs(const char *path, struct statfs *fs)
{
	static int (*real)(const char *path, struct statfs *fs);
	const char *pool = getenv("PKRAM_FAKE_POOL"), *huge = getenv("PKRAM_FAKE_FS_END");

	if (!real)
		real = dlsym(RTLD_NEXT, "statfs");
	if (!getenv("PKRAM_FAKE_UNMOUNTED") &&
	    (!strcmp(path, "/dev/pkram") || (pool && !strcmp(path, pool)))) {
		memset(fs, 0, sizeof(*fs));
		fs->f_type = PKRAM_FS_MAGIC;
		return 0;
	}
	if (real(path, fs))
		return -1;
	if (huge && strlen(path) >= strlen(huge) &&
	    !strcmp(path + strlen(path) - strlen(huge), huge))
		fs->f_type = strtoul(getenv("PKRAM_FAKE_FS"), NULL, 16);
	if (getenv("PKRAM_FAKE_INNER") && !strncmp(path, "/proc/self/fd/", 14))
		fs->f_type = PKRAM_FS_MAGIC;
	return 0;
}

/* PKRAM_FAKE_DMESG: the kernel's log */
int klogctl(int type, char *buf, int len)
{
	static int (*real)(int type, char *buf, int len);
	const char *log = getenv("PKRAM_FAKE_DMESG");

	if (!real)
		real = dlsym(RTLD_NEXT, "klogctl");
	if (!log)
		return real(type, buf, len);
	if (!buf)
		return strlen(log);
	return snprintf(buf, len + 1, "%s", log);
}

/* PKRAM_FAKE_SPEED: so many times as fast does time pass for the program */

static int (*real_clock_gettime)(clockid_t clock, struct timespec *ts);
static int (*real_poll)(struct pollfd *fds, nfds_t nr, int timeout);
static int (*real_setsockopt)(int fd, int level, int name, const void *value, socklen_t len);
static struct timespec start[CLOCK_MONOTONIC + 1];
static int speed = 1;

static __attribute__((constructor)) void begin(void)
{
	const char *text = getenv("PKRAM_FAKE_SPEED");

	real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	real_poll = dlsym(RTLD_NEXT, "poll");
	real_setsockopt = dlsym(RTLD_NEXT, "setsockopt");
	real_clock_gettime(CLOCK_REALTIME, &start[CLOCK_REALTIME]);
	real_clock_gettime(CLOCK_MONOTONIC, &start[CLOCK_MONOTONIC]);
	if (text)
		speed = atoi(text);
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int64_t ns;

	if (real_clock_gettime(clock, ts))
		return -1;
	if (speed == 1 || clock > CLOCK_MONOTONIC)
		return 0;
	ns = (ts->tv_sec - start[clock].tv_sec) * 1000000000 + ts->tv_nsec -
	     start[clock].tv_nsec;
	ns = ns * speed + start[clock].tv_nsec;
	ts->tv_sec = start[clock].tv_sec + ns / 1000000000;
	ts->tv_nsec = ns % 1000000000;
	return 0;
}

int poll(struct pollfd *fds, nfds_t nr, int timeout)
{
	return real_poll(fds, nr, timeout > 0 ? (timeout + speed - 1) / speed : timeout);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct timeval time;
	int64_t us;

	if (level == SOL_SOCKET && name == SO_SNDTIMEO && len == sizeof(time)) {
		memcpy(&time, value, len);
		us = (time.tv_sec * 1000000LL + time.tv_usec) / speed;
		time = (struct timeval){ us / 1000000, us % 1000000 };
		return real_setsockopt(fd, level, name, &time, len);
	}
	return real_setsockopt(fd, level, name, value, len);
}

unsigned int alarm(unsigned int seconds)
{
	int64_t us = seconds * 1000000LL / speed;
	struct itimerval timer = { .it_value = { us / 1000000, us % 1000000 } };

	setitimer(ITIMER_REAL, &timer, NULL);
	return 0;
}

/* Time passes at once. */
int usleep(useconds_t us)
{
	note("sleep %u\n", us);
	return 0;
}

int fsync(int fd)
{
	const char *fail = getenv("PKRAM_FAKE_FSYNC_ERRNO");
	const char *end = getenv("PKRAM_FAKE_FSYNC_END");
	char link[64], path[4096] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) > 0)
		note("fsync %s\n", path);
	if (!fail || (end && (strlen(path) < strlen(end) ||
			      strcmp(path + strlen(path) - strlen(end), end))))
		return 0;
	errno = atoi(fail);
	return -1;
}

int access(const char *path, int mode)
{
	const char *systemd = getenv("PKRAM_FAKE_SYSTEMD");

	if (!strcmp(path, "/run/systemd/system")) {
		errno = ENOENT;
		return systemd ? 0 : -1;
	}
	if (!strncmp(path, "/sys/module/", 12)) {
		errno = ENOENT;
		return getenv("PKRAM_FAKE_MODULE") ? 0 : -1;
	}
	return faccessat(AT_FDCWD, path, mode, 0);
}

/* Return the content of a file that the environment has, or NULL */
static const char *fake_file(const char *path)
{
	static const struct {
		const char *path, *variable;
	} files[] = {
		{ "/sys/kernel/security/lockdown", "PKRAM_FAKE_LOCKDOWN" },
		{ "/sys/module/module/parameters/sig_enforce", "PKRAM_FAKE_SIG_ENFORCE" },
		{ "/etc/default/kdump-tools", "PKRAM_FAKE_KDUMP" },
		{ "/sys/kernel/kexec_crash_loaded", "PKRAM_FAKE_CRASH" },
	};
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!strcmp(path, files[i].path))
			return getenv(files[i].variable);
	}
	return NULL;
}

int open(const char *path, int flags, ...)
{
	const char *cmdline = getenv("PKRAM_FAKE_CMDLINE"), *text;
	int fd[2];

	if (!strcmp(path, "/sys/kernel/kexec_loaded")) {
		if (pipe(fd) || write(fd[1], is_image_loaded() ? "1\n" : "0\n", 2) != 2)
			abort();
	} else if (fake_file(path)) {
		text = fake_file(path);
		if (pipe(fd) || write(fd[1], text, strlen(text)) < 0)
			abort();
	} else if (!strcmp(path, "/proc/cmdline") && cmdline) {
		if (pipe(fd) || write(fd[1], cmdline, strlen(cmdline)) < 0)
			abort();
	} else if (!strcmp(path, "/sys/devices/system/node/online")) {
		if (pipe(fd) || write(fd[1], "0-2,5\n", 6) != 6)
			abort();
	} else {
		return openat(AT_FDCWD, path, flags, 0600);
	}
	close(fd[1]);
	return fd[0];
}

/* pkramfs. PKRAM_FAKE_STRANGER: its objects belong to another user */

struct fake_object {
	uint32_t state;
	uint64_t generation;
	uint8_t cookie[16], vm_uuid[16];
};

/* Build the path of the stored state of @path's object, if @path is in the pool */
static bool object_file(const char *path, char *file, size_t len)
{
	const char *pool = getenv("PKRAM_FAKE_POOL");
	size_t n = pool ? strlen(pool) : 0;

	if (!n || strncmp(path, pool, n) || path[n] != '/' || path[n + 1] == '.')
		return false;
	snprintf(file, len, "%s/.pkram/%s", pool, path + n + 1);
	return true;
}

static bool object_get(const char *path, struct fake_object *o)
{
	char file[4096];
	FILE *f;

	if (!object_file(path, file, sizeof(file)))
		return false;
	memset(o, 0, sizeof(*o));
	f = fopen(file, "r");
	if (f && fread(o, sizeof(*o), 1, f) != 1)
		abort();
	if (f)
		fclose(f);
	return true;
}

static void object_put(const char *path, const struct fake_object *o)
{
	char file[4096];
	FILE *f;

	if (!object_file(path, file, sizeof(file)))
		abort();
	f = fopen(file, "w");
	if (!f || fwrite(o, sizeof(*o), 1, f) != 1 || fclose(f))
		abort();
}

static int file_info(int fd, const struct fake_object *o, struct pkram_ioc_info *info)
{
	struct stat st;

	if (fstat(fd, &st))
		abort();
	if (getenv("PKRAM_FAKE_BAD_PAGES"))
		info->nr_bad_pages = atoi(getenv("PKRAM_FAKE_BAD_PAGES"));
	info->object_id = st.st_ino;
	info->bytes = st.st_size;
	info->allocated = st.st_blocks * 512;
	info->nr_extents = 1;
	info->align = PKRAM_UNIT_SIZE;
	info->state = o->state;
	info->generation = o->generation;
	memcpy(info->vm_uuid, o->vm_uuid, 16);
	if (o->state == PKRAM_STATE_SEALED && !getenv("PKRAM_FAKE_STRANGER"))
		memcpy(info->cookie, o->cookie, 16);
	return 0;
}

static int file_claim(struct fake_object *o, const struct pkram_ioc_claim *claim)
{
	if (o->state == PKRAM_STATE_CLAIMED || (o->state == PKRAM_STATE_SEALED &&
						!(claim->flags & PKRAM_CLAIM_UNSEAL)))
		return -EBUSY;
	/* the state after the claim ended */
	o->state = PKRAM_STATE_RUNNING;
	return 0;
}

static int file_seal(struct fake_object *o, struct pkram_ioc_seal *args)
{
	o->state = PKRAM_STATE_SEALED;
	o->generation++;
	memcpy(o->cookie, args->cookie, 16);
	memcpy(o->vm_uuid, args->vm_uuid, 16);
	args->generation = o->generation;
	return 0;
}

static int file_alloc(const struct pkram_ioc_alloc *args)
{
	note("alloc %llu node=%u flags=%x\n", args->bytes, args->node, args->flags);
	return args->node > 1 ? -ENOSPC : 0;
}

int ioctl(int fd, unsigned long cmd, ...)
{
	char link[64], path[4096] = "";
	struct fake_object o;
	va_list ap;
	void *arg;
	int err;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) < 0 || !object_get(path, &o)) {
		errno = ENOTTY;
		return -1;
	}
	switch (cmd) {
	case PKRAM_IOC_INFO:
		err = file_info(fd, &o, arg);
		break;
	case PKRAM_IOC_LEAVES:
		((struct pkram_ioc_leaves *)arg)->leaves_2m = 7;
		err = 0;
		break;
	case PKRAM_IOC_CLAIM:
		err = file_claim(&o, arg);
		break;
	case PKRAM_IOC_SEAL:
		err = file_seal(&o, arg);
		break;
	case PKRAM_IOC_ALLOC:
		err = file_alloc(arg);
		break;
	default:
		abort();
	}
	if (!err)
		object_put(path, &o);
	errno = -err;
	return err ? -1 : 0;
}

int unlink(const char *path)
{
	char file[4096];
	struct fake_object o;

	if (object_get(path, &o)) {
		if (o.state == PKRAM_STATE_SEALED || o.state == PKRAM_STATE_CLAIMED) {
			errno = EBUSY;
			return -1;
		}
		object_file(path, file, sizeof(file));
		unlinkat(AT_FDCWD, file, 0);
	}
	return unlinkat(AT_FDCWD, path, 0);
}
