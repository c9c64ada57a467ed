// SPDX-License-Identifier: GPL-2.0
/*
 * A pkramfs for QEMU in user space, by LD_PRELOAD: the regular files of the directory
 * PKRAM_FAKE_DIR (on a tmpfs) answer the ioctls of uapi/linux/pkram.h, and follow its
 * rules of opening. It holds for one QEMU at a time and for processes that use this
 * library. The state of the object NAME is in the file .NAME.state, which qemu.py reads.
 *
 * Failures, as words in PKRAM_FAKE, separated by commas:
 *	die-in-resume=N		SIGKILL to itself before the N-th call that consumes seals,
 *				and after the last one
 *	full			ENOSPC for the memory of a new object
 *	bad=OFFSET		a page that a memory error broke, in every object
 *
 * While there is a file .no-resume-all, PKRAM_IOC_RESUME_ALL is unknown.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/pkram.h>

/* As qemu.py knows it */
struct object {
	uint64_t id;
	uint64_t generation;
	uint32_t sealed;
	uint32_t ran;			/* claimed once; no seal since */
	int32_t pid;			/* of the claim, or 0 */
	int32_t fd;
	uint8_t cookie[16];
	uint8_t vm_uuid[16];
};

static const uint8_t pool_uuid[16] = "a fake pool";

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/* The name of the object that a path or a descriptor is, or NULL */
static const char *object_name(const char *path)
{
	const char *dir = getenv("PKRAM_FAKE_DIR");
	size_t len = dir ? strlen(dir) : 0;

	if (!len || strncmp(path, dir, len) || path[len] != '/')
		return NULL;
	path += len + 1;
	return *path == '.' || strchr(path, '/') ? NULL : path;
}

static const char *object_name_fd(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX - 1);
	if (len < 0)
		return NULL;
	path[len] = 0;
	return object_name(path);
}

/* Open and lock the state of an object */
static int object_get(const char *name, struct object *obj)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/.%s.state", getenv("PKRAM_FAKE_DIR"), name);
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	flock(fd, LOCK_EX);
	if (pread(fd, obj, sizeof(*obj), 0) != sizeof(*obj)) {
		fstat(fd, &st);
		*obj = (struct object){ .id = st.st_ino };
	}
	if (obj->pid && kill(obj->pid, 0))
		obj->pid = 0;
	return fd;
}

static void object_put(int fd, const struct object *obj)
{
	if (pwrite(fd, obj, sizeof(*obj), 0) != sizeof(*obj))
		abort();
	syscall(SYS_close, fd);
}

/* The number after @word in PKRAM_FAKE, 1 if there is none, 0 without the word */
static long fault(const char *word)
{
	const char *text = getenv("PKRAM_FAKE");
	const char *at = text ? strstr(text, word) : NULL;

	if (!at)
		return 0;
	at += strlen(word);
	return *at == '=' ? strtol(at + 1, NULL, 0) : 1;
}

static int may_open(const char *path, int flags)
{
	const char *name = object_name(path);
	struct object obj;
	int err = 0, fd;

	if (!name || (flags & O_ACCMODE) == O_RDONLY || access(path, F_OK))
		return 0;
	fd = object_get(name, &obj);
	if (obj.pid || (obj.sealed && (!(flags & O_EXCL) || (flags & O_CREAT))))
		err = flags & O_CREAT && flags & O_EXCL ? -EEXIST : -EBUSY;
	object_put(fd, &obj);
	return err;
}

static int do_open(const char *path, int flags, mode_t mode)
{
	int err = may_open(path, flags);

	if (err) {
		errno = -err;
		return -1;
	}
	if (object_name(path) && !(flags & O_CREAT))
		flags &= ~O_EXCL;
	return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

#define OPEN_MODE(flags)					\
	({							\
		mode_t __mode = 0;				\
		if ((flags) & (O_CREAT | __O_TMPFILE)) {	\
			va_list ap;				\
			va_start(ap, flags);			\
			__mode = va_arg(ap, mode_t);		\
			va_end(ap);				\
		}						\
		__mode;						\
	})

int open(const char *path, int flags, ...)
{
	return do_open(path, flags, OPEN_MODE(flags));
}

int open64(const char *path, int flags, ...)
{
	return do_open(path, flags, OPEN_MODE(flags));
}

int __open64_2(const char *path, int flags)
{
	return do_open(path, flags, 0);
}

int close(int fd)
{
	char path[PATH_MAX];
	const char *name = object_name_fd(fd, path);
	struct object obj;
	int state;

	if (name) {
		state = object_get(name, &obj);
		if (obj.pid == getpid() && obj.fd == fd)
			obj.pid = 0;
		object_put(state, &obj);
	}
	return syscall(SYS_close, fd);
}

static bool is_fake_dir(const char *path)
{
	const char *dir = getenv("PKRAM_FAKE_DIR");

	return dir && !strcmp(dir, path);
}

int statfs64(const char *path, struct statfs64 *fs)
{
	int ret = REAL(statfs64)(path, fs);

	if (!ret && is_fake_dir(path))
		fs->f_type = PKRAM_FS_MAGIC;
	return ret;
}

int fstatfs64(int fd, struct statfs64 *fs)
{
	char path[PATH_MAX];
	int ret = REAL(fstatfs64)(fd, fs);

	if (!ret && object_name_fd(fd, path))
		fs->f_type = PKRAM_FS_MAGIC;
	return ret;
}

int ftruncate64(int fd, off64_t size)
{
	char path[PATH_MAX];

	if (fault("full") && object_name_fd(fd, path)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_ftruncate, fd, size);
}

/* Does a range of memory map the bad page of an object? */
static bool maps_bad_page(uintptr_t addr, size_t len)
{
	unsigned long start, end, offset;
	char line[PATH_MAX + 128], path[PATH_MAX];
	uint64_t bad = fault("bad");
	bool found = false;
	FILE *maps;

	if (!bad)
		return false;
	maps = fopen("/proc/self/maps", "r");
	if (!maps)
		abort();
	while (!found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %s", &start, &end, &offset, path) == 4 &&
		    object_name(path) && bad >= offset && bad - offset < end - start)
			found = start + (bad - offset) - addr < len;
	}
	fclose(maps);
	return found;
}

int madvise(void *addr, size_t len, int advice)
{
	if (advice == MADV_POPULATE_WRITE && maps_bad_page((uintptr_t)addr, len)) {
		errno = EHWPOISON;
		return -1;
	}
	return syscall(SYS_madvise, addr, len, advice);
}

static uint32_t object_state(const struct object *obj)
{
	if (obj->sealed)
		return PKRAM_STATE_SEALED;
	if (obj->pid)
		return PKRAM_STATE_CLAIMED;
	return obj->ran ? PKRAM_STATE_RUNNING : PKRAM_STATE_IDLE;
}

/* A program that was built earlier has a smaller struct. */
static int do_info(int fd, const struct object *obj, void *out)
{
	struct pkram_ioc_info info = { .size = *(uint32_t *)out }, *arg = &info;
	struct stat st;

	fstat(fd, &st);
	arg->object_id = obj->id;
	arg->bytes = st.st_size;
	arg->allocated = st.st_blocks * 512;
	arg->generation = obj->generation;
	arg->state = object_state(obj);
	arg->nr_extents = 1;
	arg->align = PKRAM_UNIT_SIZE;
	memcpy(arg->vm_uuid, obj->vm_uuid, sizeof(arg->vm_uuid));
	memcpy(arg->pool_uuid, pool_uuid, sizeof(arg->pool_uuid));
	arg->nr_bad_pages = fault("bad") != 0;
	memcpy(out, arg, info.size < sizeof(info) ? info.size : sizeof(info));
	return 0;
}

static int do_bad(struct pkram_ioc_bad *arg)
{
	uint64_t at = fault("bad");

	if (!at || arg->offset > at)
		return -ENODATA;
	arg->offset = at;
	arg->bytes = 4096;
	return 0;
}

static int do_alloc(int fd, const struct pkram_ioc_alloc *arg)
{
	if (!(arg->flags & PKRAM_ALLOC_SPARSE))
		return 0;
	return syscall(SYS_ftruncate, fd, arg->offset + arg->bytes) ? -errno : 0;
}

static int do_claim(int fd, struct object *obj, struct pkram_ioc_claim *arg)
{
	static const uint8_t none[16];

	if (obj->pid)
		return -EBUSY;
	if (arg->flags & PKRAM_CLAIM_SEALED) {
		if (!obj->sealed)
			return -ENODATA;
		if (memcmp(arg->vm_uuid, none, 16) && memcmp(arg->vm_uuid, obj->vm_uuid, 16))
			return -ESTALE;
	} else if (arg->flags & PKRAM_CLAIM_UNSEAL) {
		obj->sealed = 0;
	} else if (obj->sealed) {
		return -EBUSY;
	}
	obj->pid = getpid();
	obj->fd = fd;
	obj->ran = 1;
	arg->generation = obj->generation;
	return 0;
}

static int do_seal(struct object *obj, struct pkram_ioc_seal *arg)
{
	if (obj->pid != getpid())
		return -EPERM;
	obj->sealed = 1;
	obj->generation++;
	memcpy(obj->cookie, arg->cookie, 16);
	memcpy(obj->vm_uuid, arg->vm_uuid, 16);
	arg->generation = obj->generation;
	return 0;
}

static void count_resume(void)
{
	static int nr;

	if (++nr == fault("die-in-resume"))
		kill(getpid(), SIGKILL);
}

static int do_resume(struct object *obj, struct pkram_ioc_seal *arg)
{
	if (obj->pid != getpid())
		return -EPERM;
	if (!obj->sealed)
		return -ENODATA;
	if (memcmp(obj->cookie, arg->cookie, 16))
		return -ESTALE;
	arg->generation = obj->generation;
	if (arg->flags & PKRAM_RESUME_CHECK)
		return 0;
	count_resume();
	obj->sealed = 0;
	return 0;
}

static int do_resume_all(const struct pkram_ioc_resume_all *arg)
{
	const struct pkram_resume_one *one = (const void *)(uintptr_t)arg->objects;
	char path[PKRAM_RESUME_MAX][PATH_MAX];
	struct object obj[PKRAM_RESUME_MAX];
	int state[PKRAM_RESUME_MAX];
	int err = arg->nr && arg->nr <= PKRAM_RESUME_MAX ? 0 : -EINVAL;
	uint32_t nr, i;

	if (!err)
		count_resume();
	for (nr = 0; !err && nr < arg->nr; nr++) {
		struct pkram_ioc_seal seal = { .flags = PKRAM_RESUME_CHECK };

		memcpy(seal.cookie, one[nr].cookie, 16);
		state[nr] = object_get(object_name_fd(one[nr].fd, path[nr]), &obj[nr]);
		err = do_resume(&obj[nr], &seal);
	}
	for (i = 0; i < nr; i++) {
		if (!err)
			obj[i].sealed = 0;
		object_put(state[i], &obj[i]);
	}
	return err;
}

static bool knows_resume_all(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/.no-resume-all", getenv("PKRAM_FAKE_DIR"));
	return access(path, F_OK) != 0;
}

static int do_ioctl(int fd, const char *name, unsigned long cmd, void *arg)
{
	struct object obj;
	int state, err;

	if (_IOC_NR(cmd) == _IOC_NR(PKRAM_IOC_RESUME_ALL))
		return knows_resume_all() ? do_resume_all(arg) : -ENOTTY;
	state = object_get(name, &obj);
	switch (_IOC_NR(cmd)) {
	case _IOC_NR(PKRAM_IOC_INFO):
		err = do_info(fd, &obj, arg);
		break;
	case _IOC_NR(PKRAM_IOC_LEAVES):
		err = 0;
		break;
	case _IOC_NR(PKRAM_IOC_ALLOC):
		err = do_alloc(fd, arg);
		break;
	case _IOC_NR(PKRAM_IOC_BAD):
		err = do_bad(arg);
		break;
	case _IOC_NR(PKRAM_IOC_CLAIM):
		err = do_claim(fd, &obj, arg);
		break;
	case _IOC_NR(PKRAM_IOC_SEAL):
		err = do_seal(&obj, arg);
		break;
	case _IOC_NR(PKRAM_IOC_RESUME):
		err = do_resume(&obj, arg);
		break;
	default:
		err = -ENOTTY;
	}
	object_put(state, &obj);
	return err;
}

int ioctl(int fd, unsigned long cmd, ...)
{
	char path[PATH_MAX];
	const char *name;
	va_list ap;
	void *arg;
	int err;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (_IOC_TYPE(cmd) != PKRAM_IOC_MAGIC)
		return syscall(SYS_ioctl, fd, cmd, arg);
	name = object_name_fd(fd, path);
	err = name ? do_ioctl(fd, name, cmd, arg) : -ENOTTY;
	if (err) {
		errno = -err;
		return -1;
	}
	return 0;
}
