/* SPDX-License-Identifier: GPL-2.0 */
/* Tiny guests that pkramctl starts, by their definitions in guests.d */
#ifndef PKRAM_VM_GUESTS_D_H
#define PKRAM_VM_GUESTS_D_H

#include "tiny_vms.h"

#define GUESTS	"/etc/pkram/guests.d"

/*
 * A guest, with a second monitor and the ports as qemu.h wants them; @more: options.
 * Its name ends with a hexadecimal digit, for its UUID.
 */
int guests_d_define(const char *name, const char *more);

/* The QEMU that pkramctl started */
struct qemu *guests_d_find(const char *name);

#endif
