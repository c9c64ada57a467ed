/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers for all VM tests: stages, modules, files, patterns, commands. The kselftest
 * harness is in test.h.
 *
 * Functions return -errno on failure unless documented otherwise.
 */
#ifndef PKRAM_VM_VM_H
#define PKRAM_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define KIB			1024UL
#define MIB			(1024 * KIB)
#define GIB			(1024 * MIB)

#define PKRAM_MODULE		"/lib/pkram/pkram.ko"
#define PKRAM_MNT		"/dev/pkram"

/* The stage that init runs, and the type of the next boot (see README.md) */
const char *vm_stage(void);
int vm_stage_index(void);
int vm_stages(void);
const char *vm_next_kernel(void);
const char *vm_next_initrd(void);
const char *vm_next_cmdline(void);

/* Append words to the next boot's command line */
int vm_next_append(const char *words);

/* Tell the runner that this test ends with this kernel: it passes if the next one boots */
void vm_leaving(void);

/* Load and unload modules; @params as for insmod, NULL for none */
int vm_insmod(const char *path, const char *params);
int vm_rmmod(const char *name);
bool vm_module_loaded(const char *name);

/* Create @dir and mount a file system of @type on it; @options may be NULL */
int vm_mount(const char *type, const char *dir, const char *options);
int vm_umount(const char *dir);

/* Return a whole file as a string that the caller frees; NULL and errno on failure */
char *vm_read_file(const char *path);
int vm_write_file(const char *path, const char *text);

/* Return a field of /proc/meminfo in bytes ("MemTotal"), -1 if there is none */
long long vm_meminfo(const char *field);

/*
 * Return whether /proc/iomem has a resource whose name contains @name, at any depth, that
 * contains [start, end] (vm_iomem_under) or overlaps it (vm_iomem_touches)
 */
bool vm_iomem_under(uint64_t start, uint64_t end, const char *name);
bool vm_iomem_touches(uint64_t start, uint64_t end, const char *name);
/* Find the @index-th resource with that name; false if there are no more */
bool vm_iomem_find(const char *name, int index, uint64_t *start, uint64_t *end);

/*
 * A pattern that depends on the position: 64-bit word i of the stream of @seed, so that
 * misplaced, stale and zeroed pages are found.  @pos and @len are in bytes and multiples
 * of 8; @pos is the position of @buf in the stream.  vm_verify() returns the offset in
 * @buf of the first word that differs, or -1.
 */
void vm_fill(void *buf, size_t len, uint64_t seed, uint64_t pos);
long long vm_verify(const void *buf, size_t len, uint64_t seed, uint64_t pos);
/* The same, one word per @stride bytes: enough to tell pages apart, and faster */
void vm_fill_sparse(void *buf, size_t len, size_t stride, uint64_t seed, uint64_t pos);
long long vm_verify_sparse(const void *buf, size_t len, size_t stride, uint64_t seed,
			   uint64_t pos);
/* Return the offset of the first byte that is not zero, or -1 */
long long vm_verify_zero(const void *buf, size_t len);
/* Return the physical address of the page of @p, or 0 if it is unknown or not present */
uint64_t vm_physical(const void *p);

/* Return the kernel log as a string that the caller frees; or whether a line contains @text */
char *vm_kmsg(void);
bool vm_kmsg_has(const char *text);

/*
 * Run a shell command. Its output (both streams) is stored in *@out, to be freed, if @out
 * is not NULL; otherwise it is the test's output.  Returns the exit status, 128 + signal,
 * or -errno.
 */
int vm_run(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Seconds since boot */
double vm_now(void);

/* Wait until @cond is true, for at most five minutes: a busy machine is slow */
#define VM_WAIT(cond)							\
	do {								\
		double until_ = vm_now() + 300;				\
									\
		while (!(cond) && vm_now() < until_)			\
			usleep(100000);					\
	} while (0)

#endif
