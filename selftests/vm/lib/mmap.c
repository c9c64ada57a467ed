// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "mmap.h"

bool leaves_are_folios(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	if (sscanf(u.release, "%d.%d", &major, &minor) < 1)
		return false;
	return major > 6 || (major == 6 && minor >= 17);
}

bool is_6_1(void)
{
	struct utsname u;

	uname(&u);
	return !strncmp(u.release, "6.1.", 4);
}

bool has_whole_gib(int fd)
{
	struct pkram_ioc_info i = { .size = sizeof(i) };

	return !ioctl(fd, PKRAM_IOC_INFO, &i) && i.align == GIB;
}

char *map_file_at(int fd, void *addr, size_t len, off_t off)
{
	return mmap(addr, len, RW, MAP_SHARED | (addr ? MAP_FIXED : 0), fd, off);
}

char *map_file(int fd, size_t len)
{
	return map_file_at(fd, NULL, len, 0);
}

char *reserve(size_t len, size_t skew)
{
	char *p = mmap(NULL, len + 2 * GIB, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	return (char *)(((uintptr_t)p + GIB - 1) / GIB * GIB) + skew;
}

struct pkram_ioc_leaves leaves(int fd)
{
	struct pkram_ioc_leaves l = { .size = sizeof(l) };

	if (ioctl(fd, PKRAM_IOC_LEAVES, &l))
		memset(&l, 0xff, sizeof(l));
	return l;
}

static __thread sigjmp_buf * volatile catch_at;

static void on_fault(int sig)
{
	if (catch_at)
		siglongjmp(*catch_at, sig);
	signal(sig, SIG_DFL);
	raise(sig);
}

void catch_faults(void)
{
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

int try_read(const void *p, uint64_t *value)
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

int try_write(void *p, uint64_t value)
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

void mark(char *p, size_t len, uint64_t seed)
{
	vm_fill_sparse(p, len, PAGE, seed, 0);
}

long long marked(const char *p, size_t len, uint64_t seed, uint64_t pos)
{
	return vm_verify_sparse(p, len, PAGE, seed, pos);
}

void taint(int fd)
{
	size_t len = fs_size(fd), i;
	char *p = map_file(fd, len);

	if (p == MAP_FAILED)
		abort();
	for (i = 0; i < len; i += PAGE)
		*(uint64_t *)(p + i) = ~0ULL;
	munmap(p, len);
}

long long tainted(int fd)
{
	size_t len = fs_size(fd), i;
	char *p = map_file(fd, len);

	for (i = 0; i < len && *(uint64_t *)(p + i) == ~0ULL; i += PAGE)
		;
	munmap(p, len);
	return i < len ? (long long)i : -1;
}

int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
