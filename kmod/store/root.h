/* SPDX-License-Identifier: GPL-2.0 */
/* The root directory. */
#ifndef _PKRAM_STORE_ROOT_H
#define _PKRAM_STORE_ROOT_H

struct pkram_object;

/** pkram_store_root() - get the root directory, referenced */
struct pkram_object *pkram_store_root(void);

/* For the rest of store/ */

/** pkram_store_make_root() - make a root directory that is not linked, or NULL */
struct pkram_object *pkram_store_make_root(void);

/**
 * pkram_store_commit_root() - write the root's record
 *
 * For a new pool, and when the record was lost. Context: without store.lock; may
 * claim memory. Return: as pkram_store_commit() and pkram_store_ensure_pair().
 */
int pkram_store_commit_root(void);

#endif /* _PKRAM_STORE_ROOT_H */
