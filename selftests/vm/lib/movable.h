/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that are in use in a GiB of RAM, for the kernel to move when that is taken.
 *
 * Memory that came back last is given out last. So whatever else is in zone Movable is put
 * offline first, but for little.
 */
#ifndef PKRAM_VM_MOVABLE_H
#define PKRAM_VM_MOVABLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Put what is in zone Movable offline, as far as that goes, but not the GiB at @base. Of the
 * one above, which is refused, the first block stays too, by which it is found, and the last:
 * so it is tried, and what went offline for that is put online again.
 */
int movable_only_in(uint64_t base);

/* The kernel had no memory to put some of a GiB online. */
void movable_online(uint64_t base);

/* Is in them what was written? */
bool movable_intact(void);

/*
 * Have pages in the GiB at @base; those of the last time are elsewhere by now. What is
 * had besides on the way there stays in use, so that the next time it is not in the way.
 */
int movable_put(uint64_t base);

#endif
