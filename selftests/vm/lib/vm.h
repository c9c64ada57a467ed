/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers that every VM test may use: stages, modules, files, patterns, commands. The
 * kselftest harness is in test.h.
 *
 * Functions return -errno on failure unless they say otherwise.
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

/* The stage that init runs, and what the next boot will be (see README.md) */
const char *vm_stage(void);
int vm_stage_index(void);
int vm_stages(void);
const char *vm_next_kernel(void);
const char *vm_next_initrd(void);
const char *vm_next_cmdline(void);

/* More words for the next boot's command line */
int vm_next_append(const char *words);

/* Tell the runner that this test ends with this kernel: it passes if the next boots */
void vm_leaving(void);

/* Modules; @params as on insmod's command line, NULL for none */
int vm_insmod(const char *path, const char *params);
int vm_rmmod(const char *name);
bool vm_module_loaded(const char *name);

/* Mount a file system of @type on @dir, which is made; @options may be NULL */
int vm_mount(const char *type, const char *dir, const char *options);
int vm_umount(const char *dir);

/* Whole file as a string that the caller frees; NULL and errno on failure */
char *vm_read_file(const char *path);
int vm_write_file(const char *path, const char *text);

/* A field of /proc/meminfo in bytes ("MemTotal"), -1 if there is none */
long long vm_meminfo(const char *field);

/*
 * Does /proc/iomem have [start, end] wholly under (vm_iomem_under) or anywhere
 * touching (vm_iomem_touches) a resource whose name contains @name, at any depth?
 */
bool vm_iomem_under(uint64_t start, uint64_t end, const char *name);
bool vm_iomem_touches(uint64_t start, uint64_t end, const char *name);
/* The @index-th resource with that name; false when there are no more */
bool vm_iomem_find(const char *name, int index, uint64_t *start, uint64_t *end);

/*
 * A pattern that depends on the position: 64-bit word i of the stream of @seed, so
 * that misplaced, stale and zeroed pages all show.  @pos and @len are in bytes and
 * multiples of 8; @pos is where @buf stands in the stream.  vm_verify() returns the
 * offset in @buf of the first word that differs, or -1.
 */
void vm_fill(void *buf, size_t len, uint64_t seed, uint64_t pos);
long long vm_verify(const void *buf, size_t len, uint64_t seed, uint64_t pos);
/* The same, one word per @stride bytes: enough to tell pages apart, and faster */
void vm_fill_sparse(void *buf, size_t len, size_t stride, uint64_t seed, uint64_t pos);
long long vm_verify_sparse(const void *buf, size_t len, size_t stride, uint64_t seed,
			   uint64_t pos);
/* Offset of the first byte that is not zero, or -1 */
long long vm_verify_zero(const void *buf, size_t len);
/* Where the page of @p is in physical memory, or 0: there is none, or that cannot be told */
uint64_t vm_physical(const void *p);

/* The kernel log as a string that the caller frees; has it a line with @text? */
char *vm_kmsg(void);
bool vm_kmsg_has(const char *text);

/*
 * Run a shell command; its output (both streams) goes to *@out, to be freed, if @out
 * is not NULL, else to the test's.  Returns the exit status, 128 + signal, or -errno.
 */
int vm_run(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Seconds since boot */
double vm_now(void);

/* Wait until @cond is true, for five minutes at most: a busy machine is slow */
#define VM_WAIT(cond)							\
	do {								\
		double until_ = vm_now() + 300;				\
									\
		while (!(cond) && vm_now() < until_)			\
			usleep(100000);					\
	} while (0)

#endif
