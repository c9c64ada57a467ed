/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A golden image as text: a line is an offset and the bytes from there on, both
 * in hex; what no line names is zero; '#' begins a comment.
 */
#ifndef _PKRAM_GOLDEN_TEXT_H
#define _PKRAM_GOLDEN_TEXT_H

#include <stdio.h>
#include "core/pure.h"

void golden_print(FILE *out, const u8 *mem, size_t len);
/* Return: false if a line makes no sense or leaves @len. */
bool golden_parse(FILE *in, u8 *mem, size_t len);

/* How much of the sample's region is an image: head and metadata units */
#define GOLDEN_LEN	(3 * PKRAM_UNIT)

#endif /* _PKRAM_GOLDEN_TEXT_H */
