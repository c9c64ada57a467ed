/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pools from a compact description, for the targets that read one: two regions, of
 * which the first has units of small and large records.
 */
#ifndef _PKRAM_FUZZ_POOL_H
#define _PKRAM_FUZZ_POOL_H

#include "fuzz.h"
#include "image.h"

/* Make the pool, empty but for its root; the memory is made once, and used again. */
void fuzz_pool_init(struct image *im);

/*
 * Add what the input describes: records of any content, slots that differ, bits that
 * are flipped, states of units. Stops at a byte that says so, or at the end.
 */
void fuzz_pool_fill(struct image *im, struct fuzz_input *in);

#endif /* _PKRAM_FUZZ_POOL_H */
