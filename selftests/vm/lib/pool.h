/* SPDX-License-Identifier: GPL-2.0 */
/* Pool helpers: load, grow, mount, and files with a pattern */
#ifndef PKRAM_VM_POOL_H
#define PKRAM_VM_POOL_H

#include "vm.h"

#define CTL	"pkramctl "

/* insmod and mount; @params of the module may be NULL */
int pool_up(const char *params);
/* umount and rmmod; fails while there are objects */
int pool_down(void);

/* Grow by exactly this many GiB; -ENOMEM if fewer were taken */
int pool_grow(int gib);

/* Return a number of `pkramctl -j pool show`, such as "free" or "quarantined"; -1 if absent */
long long pool_number(const char *field);

/* Return a counter of `pkramctl -j status --verbose`, such as "commits"; -1 if absent */
long long pool_counter(const char *name);

/*
 * Write a file of @size bytes on pkramfs with the pattern of @seed (with write(2)), and
 * verify it byte by byte: 0, or -errno (-EBADMSG: differs)
 */
int pool_file_fill(const char *path, uint64_t size, uint64_t seed);
int pool_file_check(const char *path, uint64_t size, uint64_t seed);

/*
 * Create two files, one of them in a directory, and verify them and the pool: for
 * scenarios that differ only in the machine and look for the files after a kexec
 */
int pool_make_files(void);
int pool_check_files(void);

/* Fill @bytes of anonymous memory with a byte and free it again */
int pool_churn(uint64_t bytes, int byte);

#endif
