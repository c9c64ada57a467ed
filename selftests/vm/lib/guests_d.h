/* SPDX-License-Identifier: GPL-2.0 */
/* Tiny guests defined in guests.d and started by pkramctl */
#ifndef PKRAM_VM_GUESTS_D_H
#define PKRAM_VM_GUESTS_D_H

#include "tiny_vms.h"

#define GUESTS	"/etc/pkram/guests.d"

/*
 * Define a guest with a second monitor and with the ports that qemu.h expects; @more:
 * options. Its name ends with a hexadecimal digit, which is used in its UUID.
 */
int guests_d_define(const char *name, const char *more);

/* Find the QEMU that pkramctl started */
struct qemu *guests_d_find(const char *name);

#endif
