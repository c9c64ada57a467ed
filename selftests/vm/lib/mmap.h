/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the mmap_* scenarios share: a pool with whole GiB to give, a directory to
 * stand in, files to map, leaves to count, faults to survive.
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

/* Leaves are ordinary folios, as large as the folio or 4K (docs/kernels.md). */
bool leaves_are_folios(void);

bool is_6_1(void);

bool has_whole_gib(int fd);

char *map_file_at(int fd, void *addr, size_t len, off_t off);

char *map_file(int fd, size_t len);

/* Address space of @len bytes, at @skew from a multiple of 1G, with nothing in it */
char *reserve(size_t len, size_t skew);

struct pkram_ioc_leaves leaves(int fd);

/* Faults: a signal that comes of an access is its result */

void catch_faults(void);

/* 0, or the signal; what was read goes to *@value if that is not NULL */
int try_read(const void *p, uint64_t *value);

int try_write(void *p, uint64_t value);

/* A word per page */
void mark(char *p, size_t len, uint64_t seed);

long long marked(const char *p, size_t len, uint64_t seed, uint64_t pos);

/* A word per page that must not be seen elsewhere */
void taint(int fd);

/* Where it is not so any more; -1: nowhere */
long long tainted(int fd);

/* Run what follows in a child; the parent goes on with its exit status */
#define IN_CHILD(pid) for (pid = fork(); !pid; _exit(0))

int wait_for(pid_t pid);

#endif
