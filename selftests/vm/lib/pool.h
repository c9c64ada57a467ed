/* SPDX-License-Identifier: GPL-2.0 */
/* What tests of the pool share: load, grow, mount, and files with a pattern */
#ifndef PKRAM_VM_POOL_H
#define PKRAM_VM_POOL_H

#include "vm.h"

#define CTL	"pkramctl "

/* insmod and mount; @params for the module, or NULL */
int pool_up(const char *params);
/* umount and rmmod; fails while there are objects */
int pool_down(void);

/* Grow by exactly so many GiB; -ENOMEM if fewer were got */
int pool_grow(int gib);

/* A number of `pkramctl -j pool show`, such as "free" or "quarantined"; -1 if absent */
long long pool_number(const char *field);

/*
 * A file of @size bytes on pkramfs with the pattern of @seed (written by
 * write(2)), and its check, byte for byte: 0, or -errno (-EBADMSG: differs)
 */
int pool_file_fill(const char *path, uint64_t size, uint64_t seed);
int pool_file_check(const char *path, uint64_t size, uint64_t seed);

/*
 * Two files, one of them in a directory, for scenarios that look for them after a kexec
 * and differ only in the machine: make them, and check that they and the pool are whole
 */
int pool_make_files(void);
int pool_check_files(void);

/* Fill @bytes of anonymous memory with a byte and free it again */
int pool_churn(uint64_t bytes, int byte);

#endif
