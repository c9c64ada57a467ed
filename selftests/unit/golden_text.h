/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A golden image as text. Each line has an offset and the bytes from there on, both in
 * hex; bytes that no line names are zero; '#' begins a comment.
 */
#ifndef _PKRAM_GOLDEN_TEXT_H
#define _PKRAM_GOLDEN_TEXT_H

#include <stdio.h>
#include "core/pure.h"

void golden_print(FILE *out, const u8 *mem, size_t len);
/* Return false if a line is invalid or exceeds @len. */
bool golden_parse(FILE *in, u8 *mem, size_t len);

/* The part of the sample's region that an image contains: head and metadata units */
#define GOLDEN_LEN	(3 * PKRAM_UNIT)

#endif /* _PKRAM_GOLDEN_TEXT_H */
