/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the mmap_* scenarios share: a pool with whole GiB to give, a directory to
 * stand in, files to map, leaves to count, faults to survive.
 */
#ifndef PKRAM_VM_MMAP_FIXTURE_H
#define PKRAM_VM_MMAP_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <sys/utsname.h>

#include "fs_lib.h"
#include "pool.h"

#define PAGE	4096UL
#define RW	(PROT_READ | PROT_WRITE)
#define POOL_GIB 3

/* Leaves are ordinary folios, as large as the folio or 4K (docs/kernels.md). */
static inline bool leaves_are_folios(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	if (sscanf(u.release, "%d.%d", &major, &minor) < 1)
		return false;
	return major > 6 || (major == 6 && minor >= 17);
}

static inline bool is_6_1(void)
{
	struct utsname u;

	uname(&u);
	return !strncmp(u.release, "6.1.", 4);
}

static inline bool has_whole_gib(int fd)
{
	struct pkram_ioc_info i = { .size = sizeof(i) };

	return !ioctl(fd, PKRAM_IOC_INFO, &i) && i.align == GIB;
}

static inline char *map_file_at(int fd, void *addr, size_t len, off_t off)
{
	return mmap(addr, len, RW, MAP_SHARED | (addr ? MAP_FIXED : 0), fd, off);
}

static inline char *map_file(int fd, size_t len)
{
	return map_file_at(fd, NULL, len, 0);
}

/* Address space of @len bytes, at @skew from a multiple of 1G, with nothing in it */
static inline char *reserve(size_t len, size_t skew)
{
	char *p = mmap(NULL, len + 2 * GIB, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	return (char *)(((uintptr_t)p + GIB - 1) / GIB * GIB) + skew;
}

static inline struct pkram_ioc_leaves leaves(int fd)
{
	struct pkram_ioc_leaves l = { .size = sizeof(l) };

	if (ioctl(fd, PKRAM_IOC_LEAVES, &l))
		memset(&l, 0xff, sizeof(l));
	return l;
}

/* n1g, n2m, n4k */
#define EXPECT_LEAVES(fd, g, m, k)					\
	do {								\
		struct pkram_ioc_leaves l_ = leaves(fd);			\
		EXPECT_EQ((uint64_t)(g), l_.leaves_1g) { TH_LOG("1G leaves"); } \
		EXPECT_EQ((uint64_t)(m), l_.leaves_2m) { TH_LOG("2M leaves"); } \
		EXPECT_EQ((uint64_t)(k), l_.leaves_4k) { TH_LOG("4K leaves"); } \
	} while (0)

/* Faults: a signal that comes of an access is its result */

static __thread sigjmp_buf * volatile catch_at;

static inline void on_fault(int sig)
{
	if (catch_at)
		siglongjmp(*catch_at, sig);
	signal(sig, SIG_DFL);
	raise(sig);
}

static inline void catch_faults(void)
{
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

/* 0, or the signal; what was read goes to *@value if that is not NULL */
static inline int try_read(const void *p, uint64_t *value)
{
	sigjmp_buf buf;
	uint64_t v;
	int sig = sigsetjmp(buf, 0);

	if (!sig) {
		catch_at = &buf;
		v = *(volatile const uint64_t *)p;
		if (value)
			*value = v;
	}
	catch_at = NULL;
	return sig;
}

static inline int try_write(void *p, uint64_t value)
{
	sigjmp_buf buf;
	int sig = sigsetjmp(buf, 0);

	if (!sig) {
		catch_at = &buf;
		*(volatile uint64_t *)p = value;
	}
	catch_at = NULL;
	return sig;
}

/* A word per page */
static inline void mark(char *p, size_t len, uint64_t seed)
{
	vm_fill_sparse(p, len, PAGE, seed, 0);
}

static inline long long marked(const char *p, size_t len, uint64_t seed, uint64_t pos)
{
	return vm_verify_sparse(p, len, PAGE, seed, pos);
}

#define EXPECT_MARKED(p, len, seed, pos)				\
	EXPECT_EQ(-1, marked(p, len, seed, pos)) {			\
		TH_LOG("%s differs at %#llx", #p,			\
		       marked(p, len, seed, pos));			\
	}

/* A word per page that must not be seen elsewhere */
static inline void taint(int fd)
{
	size_t len = fs_size(fd), i;
	char *p = map_file(fd, len);

	if (p == MAP_FAILED)
		abort();
	for (i = 0; i < len; i += PAGE)
		*(uint64_t *)(p + i) = ~0ULL;
	munmap(p, len);
}

/* Where it is not so any more; -1: nowhere */
static inline long long tainted(int fd)
{
	size_t len = fs_size(fd), i;
	char *p = map_file(fd, len);

	for (i = 0; i < len && *(uint64_t *)(p + i) == ~0ULL; i += PAGE)
		;
	munmap(p, len);
	return i < len ? (long long)i : -1;
}

/* Run what follows in a child; the parent goes on with its exit status */
#define IN_CHILD(pid) for (pid = fork(); !pid; _exit(0))

static inline int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

FIXTURE(map)
{
	uint64_t free;
};

FIXTURE_SETUP(map)
{
	ASSERT_OK(fs_load());
	ASSERT_OK(fs_mount());
	if (!fs_total())
		ASSERT_OK(pool_grow(POOL_GIB));
	/* A test that died left its files. */
	ASSERT_OK(fs_empty(PKRAM_MNT));
	umask(022);
	ASSERT_OK(mkdir(PKRAM_MNT "/test", 0755));
	ASSERT_OK(chdir(PKRAM_MNT "/test"));
	self->free = fs_free();
	catch_faults();
}

/* What the test mapped is still mapped; what it pinned may be. */
FIXTURE_TEARDOWN(map)
{
	EXPECT_OK(chdir("/"));
	EXPECT_OK(fs_empty(PKRAM_MNT));
}

#endif
