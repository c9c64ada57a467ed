/* SPDX-License-Identifier: GPL-2.0 */
/* Commits: changes of objects that are written to their records. */
#ifndef _PKRAM_STORE_COMMIT_H
#define _PKRAM_STORE_COMMIT_H

#include "store/state.h"

struct pkram_object;

/**
 * pkram_transact_begin() - Take store.lock for a change that is committed
 *
 * A commit may need a pair of slots although none is free, and store.lock must be
 * dropped to get one. So each change is a loop, in which everything is looked up
 * again:
 *
 *	do {
 *		pkram_transact_begin();
 *		err = check, change and commit;
 *	} while (pkram_transact_end(&err));
 *
 * A change that needs map_sem takes it first, and drops it before the end.
 */
void pkram_transact_begin(void);

/**
 * pkram_transact_end() - Drop store.lock; after -EAGAIN, get a pair of slots
 * @err: result of the change; out: why there is no pair
 *
 * Context: without map_sem and mmap_lock (may populate memory). Return: true if the
 * change must be repeated.
 */
bool pkram_transact_end(int *err);

/**
 * pkram_object_commit() - Write an object's record
 * @obj: object
 *
 * Return: 0; -EROFS; and as pkram_records_write(). On failure nothing was written.
 */
int pkram_object_commit(struct pkram_object *obj);

/**
 * pkram_object_commit_new() - Give a new object its id, its record and its name
 * @dir: directory
 * @obj: filled, except for the id; not linked
 *
 * The name takes a reference. Return: 0; -EEXIST; -EUCLEAN a quarantined object
 * has the name; -ENOENT the directory was removed; -ENOSPC there is no pool, or no
 * id; and as pkram_object_commit().
 */
int pkram_object_commit_new(struct pkram_object *dir, struct pkram_object *obj);

/** pkram_object_erase() - Set the pair of slots of an object's record free */
void pkram_object_erase(struct pkram_object *obj);

#endif /* _PKRAM_STORE_COMMIT_H */
