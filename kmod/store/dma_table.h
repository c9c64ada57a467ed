/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DMA tables: the mappings of a named VFIO container, stored in the pool so that a
 * container of a later kernel can restore them. Exported to pkram_vfio.ko, except
 * the part at the end.
 *
 * A table is in use by one container of this kernel, or can be restored. Every
 * function that changes it commits before it returns, except
 * pkram_dma_table_forget().
 */
#ifndef _PKRAM_DMA_TABLE_H
#define _PKRAM_DMA_TABLE_H

#include <linux/types.h>
#include "core/record.h"

struct pkram_object;
struct pkram_open;

/* Bytes of records that the tables of one user may have: 128 large ones, or 16384 others */
#define PKRAM_DMA_TABLE_QUOTA	(256ULL << 20)

/**
 * pkram_dma_table_create() - Create a table, in use by the caller and running
 * @name: of the table
 * @e: its entries, in order
 * @nr: number of entries
 *
 * The owner is the calling process's user. Context: may sleep; mmap_lock is not
 * held. Return: table, to be released by pkram_dma_table_put(); ERR_PTR: -EINVAL
 * invalid name; -EEXIST; -EUCLEAN a quarantined table has the name; -ENOSPC; -EDQUOT
 * the caller's user has tables enough, and no CAP_SYS_RESOURCE;
 * -EROFS; -ENOMEM.
 */
struct pkram_object *pkram_dma_table_create(const char *name,
					    const struct pkram_entry *e,
					    u32 nr);

/**
 * pkram_dma_table_may_replace() - Check whether a table may be created if another one is removed
 * @name: of both
 * @nr: number of entries
 *
 * Context: as pkram_dma_table_create(). Return: 0; -EINVAL; -ENOSPC; -EDQUOT; -ENOMEM.
 */
int pkram_dma_table_may_replace(const char *name, u32 nr);

/**
 * pkram_dma_table_restore() - Take over a table that is not in use
 * @name: of the table
 * @force: even if it was not suspended
 *
 * Writes nothing. Return: as pkram_dma_table_create(); ERR_PTR: -EINVAL; -ENOENT;
 * -EUCLEAN quarantined; -EPERM neither owner nor CAP_SYS_ADMIN; -EBUSY in use;
 * -EOWNERDEAD not suspended; -EROFS.
 */
struct pkram_object *pkram_dma_table_restore(const char *name, bool force);

/**
 * pkram_dma_table_waits() - Check whether a table belongs to a saved guest
 * @table: table that the caller has restored
 *
 * Return: true if it is suspended and maps an object that is sealed.
 */
bool pkram_dma_table_waits(const struct pkram_object *table);

/**
 * pkram_dma_table_put() - Release a table
 * @table: table
 * @keep: keep it for the next container; else remove it
 */
void pkram_dma_table_put(struct pkram_object *table, bool keep);

/**
 * pkram_dma_table_entries() - Get the entries of a table
 * @table: table
 * @e: out: its entries, valid until it is changed
 *
 * Return: number of entries.
 */
u32 pkram_dma_table_entries(const struct pkram_object *table,
			    const struct pkram_entry **e);

/**
 * pkram_dma_table_add() - Add an entry, and set the table running
 * @table: table
 * @e: entry; overlaps no other
 *
 * Context: as pkram_dma_table_create(). Return: 0; -EDQUOT, as there;
 * -ENOSPC no space in the pool,
 * or in the table; -ENOMEM. On failure nothing has changed.
 */
int pkram_dma_table_add(struct pkram_object *table,
			const struct pkram_entry *e);

/**
 * pkram_dma_table_forget() - Remove entries without a commit
 * @table: table
 * @first: lowest IOVA of an entry to remove
 * @last: highest such IOVA
 *
 * The caller calls pkram_dma_table_commit() afterwards.
 */
void pkram_dma_table_forget(struct pkram_object *table, u64 first, u64 last);

/**
 * pkram_dma_table_commit() - Write the entries
 *
 * Needs no additional space, unless bad pages leave no slot for the record.
 */
void pkram_dma_table_commit(struct pkram_object *table);

/**
 * pkram_dma_table_set_running() - Set a table running or suspended
 * @table: table
 * @running: its mappings have user addresses
 *
 * Return: 0; -EROFS; -ENOSPC bad pages leave no slot for the record.
 */
int pkram_dma_table_set_running(struct pkram_object *table, bool running);

/** pkram_dma_table_running() - Check whether a table is running (else it is suspended) */
bool pkram_dma_table_running(const struct pkram_object *table);

/**
 * pkram_dma_table_open() - Open the object of an entry, without its file
 * @id: of the object
 * @write: the device may write to it
 *
 * For pkram_pin_create(). Such an open does not prevent a claim. The calling
 * process needs the permissions that it would need to open the file. Context: may
 * sleep; mmap_lock is not held.
 * Return: open; ERR_PTR: -ESTALE there is no such object, or it is damaged;
 * -EACCES; -ENOMEM; others.
 */
struct pkram_open *pkram_dma_table_open(u64 id, bool write);

/* Not for pkram_vfio.ko */

/**
 * typedef pkram_permission_fn - check whether the calling process may open an
 * object
 * @obj: a file
 * @write: for writing too
 *
 * Return: 0; -EACCES; others.
 */
typedef int (*pkram_permission_fn)(struct pkram_object *obj, bool write);

/**
 * pkram_dma_table_set_permission() - Set the file system's permission function
 * @fn: the function; NULL: no process may open objects
 *
 * Context: at init and exit, while no table is in use.
 */
void pkram_dma_table_set_permission(pkram_permission_fn fn);

/** pkram_store_next_dma_table() - Walk all DMA tables, as pkram_store_next_object() does */
struct pkram_object *pkram_store_next_dma_table(u64 key);

/**
 * pkram_dma_table_remove() - Remove a table that is not in use, by key
 *
 * Return: 0; -ENOENT; -EUCLEAN it is quarantined: discard it; -EBUSY it is in use;
 * -EROFS.
 */
int pkram_dma_table_remove(u64 key);

#endif /* _PKRAM_DMA_TABLE_H */
