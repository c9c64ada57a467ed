/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The set of bad pages of metadata, in this kernel: see pure.h. Only pages of heads and
 * of units of records are in it. Callers serialise changes.
 */
#ifndef _PKRAM_BADSET_H
#define _PKRAM_BADSET_H

#include "core/pure.h"

/**
 * pkram_badset_add() - Add the page at an address
 *
 * Return: false if there is no memory for a larger set: the page is accessed then.
 */
bool pkram_badset_add(const void *p);

/** pkram_badset_remove() - Remove the pages of a range that is not accessed any more */
void pkram_badset_remove(const void *start, size_t len);

/** pkram_badset_exit() - Empty the set, and free its memory; nothing is looked up meanwhile */
void pkram_badset_exit(void);

#endif /* _PKRAM_BADSET_H */
