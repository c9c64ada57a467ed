/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU's device "edu", which does DMA: docs/specs/edu.rst of QEMU */
#ifndef PKRAM_VM_EDU_H
#define PKRAM_VM_EDU_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#define EDU_ID		"0x1234\n0x11e8\n"	/* of sysfs: vendor, device */
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_BUFFER	0x40000
#define EDU_BYTES	2048			/* It aborts on a DMA of its whole buffer. */
#define EDU_START	1
#define EDU_TO_RAM	2

/* Until no DMA is under way: a tenth of a second, if one is */
static inline int edu_wait(volatile char *bar)
{
	volatile uint64_t *cmd = (void *)(bar + EDU_CMD);
	int i;

	for (i = 0; i < 5000; i++) {
		if (!(*cmd & EDU_START))
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* EDU_BYTES, from RAM into its buffer or back */
static inline int edu_copy(volatile char *bar, uint64_t addr, bool to_ram)
{
	volatile uint64_t *src = (void *)(bar + EDU_SRC), *dst = (void *)(bar + EDU_DST);
	volatile uint64_t *cmd = (void *)(bar + EDU_CMD);

	*src = to_ram ? EDU_BUFFER : addr;
	*dst = to_ram ? addr : EDU_BUFFER;
	*(volatile uint64_t *)(bar + EDU_COUNT) = EDU_BYTES;
	*cmd = EDU_START | (to_ram ? EDU_TO_RAM : 0);
	return edu_wait(bar);
}

#endif
