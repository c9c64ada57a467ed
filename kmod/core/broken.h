/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The set of broken pages of metadata, in this kernel: see pure.h. It is small, because
 * only heads and units of records are in it. Callers serialise changes.
 */
#ifndef _PKRAM_BROKEN_H
#define _PKRAM_BROKEN_H

#include "core/pure.h"

#define PKRAM_BROKEN_MAX	256

/**
 * pkram_broken_add() - Add the page at an address
 *
 * Return: false if the set is full: the page is accessed then.
 */
bool pkram_broken_add(const void *p);

/** pkram_broken_remove() - Remove the pages of a range that is not accessed any more */
void pkram_broken_remove(const void *start, size_t len);

#endif /* _PKRAM_BROKEN_H */
