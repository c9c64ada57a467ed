// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

static const char *env(const char *name)
{
	return getenv(name) ?: "";
}

const char *vm_stage(void)
{
	return env("PKRAM_STAGE");
}

int vm_stage_index(void)
{
	return atoi(env("PKRAM_STAGE_INDEX"));
}

int vm_stages(void)
{
	return atoi(env("PKRAM_STAGES"));
}

const char *vm_next_kernel(void)
{
	return env("PKRAM_NEXT_KERNEL");
}

const char *vm_next_initrd(void)
{
	return env("PKRAM_NEXT_INITRD");
}

const char *vm_next_cmdline(void)
{
	return env("PKRAM_NEXT_CMDLINE");
}

int vm_next_append(const char *words)
{
	return vm_write_file("/run/pkram-next-append", words);
}

void vm_leaving(void)
{
	int fd = open("/dev/ttyS1", O_WRONLY | O_NOCTTY);

	dprintf(fd, "@leaving\n");
	close(fd);
}

int vm_insmod(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, params ?: "", 0))
		ret = -errno;
	close(fd);
	return ret;
}

int vm_rmmod(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

bool vm_module_loaded(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

int vm_mount(const char *type, const char *dir, const char *options)
{
	if (mkdir(dir, 0755) && errno != EEXIST)
		return -errno;
	return mount(type, dir, type, 0, options) ? -errno : 0;
}

int vm_umount(const char *dir)
{
	return umount2(dir, 0) ? -errno : 0;
}

char *vm_read_file(const char *path)
{
	size_t len = 0, size = 65536;
	char *buf, *more;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	buf = malloc(size);
	while (buf && (n = read(fd, buf + len, size - len - 1)) > 0) {
		len += n;
		if (len < size - 1)
			continue;
		size *= 2;
		more = realloc(buf, size);
		if (!more)
			free(buf);
		buf = more;
	}
	close(fd);
	if (buf)
		buf[len] = '\0';
	return buf;
}

int vm_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t len = strlen(text);
	ssize_t n;
	int ret = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n != (ssize_t)len)
		ret = n < 0 ? -errno : -EIO;
	close(fd);
	return ret;
}

long long vm_meminfo(const char *field)
{
	char *text = vm_read_file("/proc/meminfo"), *line, *save;
	size_t len = strlen(field);
	long long value = -1;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, field, len) || line[len] != ':')
			continue;
		value = atoll(line + len + 1);
		if (strstr(line, " kB"))
			value *= 1024;
		break;
	}
	free(text);
	return value;
}

/* Call @fn for each resource whose name contains @name, until it returns true */
static bool iomem_walk(const char *name, bool (*fn)(uint64_t s, uint64_t e, void *arg),
		       void *arg)
{
	char *text = vm_read_file("/proc/iomem"), *line, *save;
	unsigned long long s, e;
	bool found = false;
	int at;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, " %llx-%llx : %n", &s, &e, &at) == 2 &&
		    strstr(line + at, name))
			found = fn(s, e, arg);
	}
	free(text);
	return found;
}

struct range {
	uint64_t start, end;
	int index;
};

static bool range_under(uint64_t s, uint64_t e, void *arg)
{
	struct range *r = arg;

	return s <= r->start && r->end <= e;
}

static bool range_touches(uint64_t s, uint64_t e, void *arg)
{
	struct range *r = arg;

	return s <= r->end && r->start <= e;
}

static bool range_take(uint64_t s, uint64_t e, void *arg)
{
	struct range *r = arg;

	r->start = s;
	r->end = e;
	return !r->index--;
}

bool vm_iomem_under(uint64_t start, uint64_t end, const char *name)
{
	return iomem_walk(name, range_under, &(struct range){ start, end, 0 });
}

bool vm_iomem_touches(uint64_t start, uint64_t end, const char *name)
{
	return iomem_walk(name, range_touches, &(struct range){ start, end, 0 });
}

bool vm_iomem_find(const char *name, int index, uint64_t *start, uint64_t *end)
{
	struct range r = { .index = index };

	if (!iomem_walk(name, range_take, &r))
		return false;
	*start = r.start;
	*end = r.end;
	return true;
}

/* Multiply by an odd constant: 0 for one word at most, and cheap in TCG */
static inline uint64_t word(uint64_t seed, uint64_t pos)
{
	return (pos + seed + 1) * 0x9e3779b97f4a7c15ULL;
}

void vm_fill_sparse(void *buf, size_t len, size_t stride, uint64_t seed, uint64_t pos)
{
	for (size_t i = 0; i < len; i += stride)
		*(uint64_t *)((char *)buf + i) = word(seed, pos + i);
}

long long vm_verify_sparse(const void *buf, size_t len, size_t stride, uint64_t seed,
			   uint64_t pos)
{
	for (size_t i = 0; i < len; i += stride)
		if (*(const uint64_t *)((const char *)buf + i) != word(seed, pos + i))
			return i;
	return -1;
}

void vm_fill(void *buf, size_t len, uint64_t seed, uint64_t pos)
{
	vm_fill_sparse(buf, len, sizeof(uint64_t), seed, pos);
}

long long vm_verify(const void *buf, size_t len, uint64_t seed, uint64_t pos)
{
	return vm_verify_sparse(buf, len, sizeof(uint64_t), seed, pos);
}

long long vm_verify_zero(const void *buf, size_t len)
{
	const uint64_t *w = buf;
	size_t i = 0;

	while (i < len / 8 && !w[i])
		i++;
	for (i *= 8; i < len; i++)
		if (((const char *)buf)[i])
			return i;
	return -1;
}

uint64_t vm_physical(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)p / 4096 * 8) != sizeof(entry))
		entry = 0;
	close(fd);
	/* Bit 63: present; 0 to 54: the frame (admin-guide/mm/pagemap.rst) */
	return entry >> 63 ? (entry & ((1ULL << 55) - 1)) * 4096 : 0;
}

char *vm_kmsg(void)
{
	size_t len = 0, size = 1 << 20;
	char *all = malloc(size), record[8192], *text;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 || !all) {
		free(all);
		return NULL;
	}
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text || len + n >= size)
			continue;
		strcpy(all + len, text + 1);
		len += strlen(text + 1);
	}
	all[len] = '\0';
	close(fd);
	return all;
}

bool vm_kmsg_has(const char *text)
{
	char *log = vm_kmsg();
	bool found = log && strstr(log, text);

	free(log);
	return found;
}

int vm_run(char **out, const char *fmt, ...)
{
	char *command, *redirected;
	size_t len = 0, size = 65536;
	int status, c;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	status = vasprintf(&command, fmt, ap);
	va_end(ap);
	if (status < 0 || asprintf(&redirected, "{ %s\n} 2>&1", command) < 0)
		return -ENOMEM;
	fflush(NULL);
	f = popen(redirected, "r");
	if (!f)
		return -errno;
	if (out)
		*out = calloc(1, size);
	while ((c = fgetc(f)) != EOF) {
		if (!out) {
			putchar(c);
			continue;
		}
		if (len + 2 > size)
			*out = realloc(*out, size *= 2);
		(*out)[len++] = c;
		(*out)[len] = '\0';
	}
	fflush(stdout);
	status = pclose(f);
	free(redirected);
	free(command);
	if (status < 0)
		return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

double vm_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}
