/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU's device "edu", which does DMA (see docs/specs/edu.rst of QEMU) */
#ifndef PKRAM_VM_EDU_H
#define PKRAM_VM_EDU_H

#include <stdbool.h>
#include <stdint.h>

#define EDU_ID		"0x1234\n0x11e8\n"	/* vendor and device in sysfs */
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_BUFFER	0x40000
#define EDU_BYTES	2048			/* It aborts on a DMA of its whole buffer. */
#define EDU_START	1
#define EDU_TO_RAM	2

/* Wait until no DMA is active (one takes 0.1 s on an idle machine): 0 or -ETIMEDOUT */
int edu_wait(volatile char *bar);

/* Copy EDU_BYTES from RAM into the device's buffer, or back */
int edu_copy(volatile char *bar, uint64_t addr, bool to_ram);

#endif
