/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physical memory for tests of kmod/pool: a few GiB in a row, some of them reserved, which
 * survive what a test runs in another process. The store is that of machine.h.
 */
#ifndef _PKRAM_PHYSICAL_H
#define _PKRAM_PHYSICAL_H

#include "machine.h"
#include "pool/pool.h"

#define PHYSICAL_BASE	(4 * PKRAM_GIB)
#define PHYSICAL_GIB	6

/* Make the memory; nothing is reserved. */
void physical_init(void);
void physical_exit(void);

/* The memory at a physical address */
void *physical_at(u64 base);

/* Reserve GiB @first to @first + @nr - 1, as memmap= does. */
void physical_reserve(u32 first, u32 nr);

/* How many GiB are reserved? */
u32 physical_nr_reserved(void);

/* The physical address of a GiB that cannot be mapped, or 0 */
extern u64 physical_unmappable;

/* What happens when a GiB has become addressable, before its list is read */
extern void (*physical_opened)(struct pkram_region *r);

/* What happens when memory is no longer reserved */
extern void (*physical_released)(u64 base);

/* Start the module on what is reserved. */
void physical_boot(void);

/* Stop it, if it runs. */
void physical_stop(void);

/* Run @op in another process, which ends before store number @cut. Return: it did */
bool physical_cut(unsigned long cut, void (*op)(void));

#endif /* _PKRAM_PHYSICAL_H */
