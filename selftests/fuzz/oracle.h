/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second reader of pools, written from docs/format.md alone: slow and plain, and
 * with nothing of kmod/core but the names of its results.
 */
#ifndef _PKRAM_FUZZ_ORACLE_H
#define _PKRAM_FUZZ_ORACLE_H

#include "image.h"

/* Read the pool of an image, and compare with what the loader made of it (@im->res, @im->al). */
void oracle_compare(struct image *im);

#endif /* _PKRAM_FUZZ_ORACLE_H */
