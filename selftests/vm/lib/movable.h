/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Put pages in use into a GiB of RAM, so that the kernel must migrate them when the GiB is
 * taken.
 *
 * The kernel allocates from memory that came online last only when other memory is used
 * up. Therefore almost all other memory in zone Movable is put offline first.
 */
#ifndef PKRAM_VM_MOVABLE_H
#define PKRAM_VM_MOVABLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Put memory of zone Movable offline as far as possible, except the GiB at @base. Of the
 * GiB above, the first and the last block stay online: the test tries to take that GiB,
 * which is refused, and the blocks that went offline for that are put online again.
 */
int movable_only_in(uint64_t base);

/* Put the rest of a GiB online, which the kernel could not do for lack of memory */
void movable_online(uint64_t base);

/* Return whether the pages have their content */
bool movable_intact(void);

/*
 * Allocate pages in the GiB at @base; those of the last call have been migrated elsewhere.
 * Pages that were allocated elsewhere meanwhile stay allocated, so that the next call does
 * not get them again.
 */
int movable_put(uint64_t base);

#endif
