/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the mmap_* scenarios: a pool of whole GiB, a working directory, files to map,
 * counts of leaves, and faults that do not kill the test.
 */
#ifndef PKRAM_VM_MMAP_H
#define PKRAM_VM_MMAP_H

#include <setjmp.h>
#include <signal.h>
#include <sys/utsname.h>

#include "fs.h"
#include "pool.h"

#define PAGE	4096UL
#define RW	(PROT_READ | PROT_WRITE)
#define POOL_GIB 3

/* Return whether leaves are ordinary folios: mapped by folio size or 4K (docs/kernels.md). */
bool leaves_are_folios(void);

bool is_6_1(void);

bool has_whole_gib(int fd);

char *map_file_at(int fd, void *addr, size_t len, off_t off);

char *map_file(int fd, size_t len);

/* Reserve @len bytes of address space at a distance of @skew from a multiple of 1G */
char *reserve(size_t len, size_t skew);

struct pkram_ioc_leaves leaves(int fd);

/* Faults: a signal raised by an access is its result */

void catch_faults(void);

/* Read a word: 0, or the signal; *@value is set if @value is not NULL */
int try_read(const void *p, uint64_t *value);

int try_write(void *p, uint64_t value);

/* Write a word to each page */
void mark(char *p, size_t len, uint64_t seed);

long long marked(const char *p, size_t len, uint64_t seed, uint64_t pos);

/* Write a word to each page that must not show up elsewhere */
void taint(int fd);

/* Return the offset of the first page whose word differs, or -1 */
long long tainted(int fd);

/* Run the following block in a child; the parent continues with its exit status */
#define IN_CHILD(pid) for (pid = fork(); !pid; _exit(0))

int wait_for(pid_t pid);

#endif
