/* SPDX-License-Identifier: GPL-2.0 */
/* The root directory. */
#ifndef _PKRAM_STORE_ROOT_H
#define _PKRAM_STORE_ROOT_H

struct pkram_object;

/** pkram_store_root() - Get the root directory, referenced */
struct pkram_object *pkram_store_root(void);

/* For the rest of store/ */

/** pkram_root_make() - Make a root directory that is not linked, or NULL */
struct pkram_object *pkram_root_make(void);

/**
 * pkram_root_commit() - Write the root's record
 *
 * For a new pool, and when the record was lost. Context: without store.lock; may
 * populate memory.
 * Return: as pkram_object_commit() and pkram_records_ensure().
 */
int pkram_root_commit(void);

#endif /* _PKRAM_STORE_ROOT_H */
