/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pkram.ko exports, for pkram_vfio.ko only: tables of containers that outlive the
 * kernel. Such a container has a name, an owner, and entries: what a device finds where.
 *
 * A table is in use by one container of this kernel, or waits for one. Every function
 * that changes it commits before it returns, but pkram_dma_table_forget().
 */
#ifndef _PKRAM_SAVED_H
#define _PKRAM_SAVED_H

#include <linux/types.h>
#include "core/record.h"

struct pkram_object;
struct pkram_open;

/**
 * pkram_dma_table_create() - a new table, in use by the caller, running
 * @name: of the container
 * @e: its entries, in order
 * @nr: how many
 *
 * Owned by the calling process's user. Context: may sleep; mmap_lock is not held.
 * Return: table, to be given back by pkram_dma_table_put(); ERR_PTR: -EINVAL no valid name;
 * -EEXIST; -EUCLEAN a damaged one has the name; -ENOSPC; -EROFS; -ENOMEM.
 */
struct pkram_object *pkram_dma_table_create(const char *name,
					const struct pkram_entry *e, u32 nr);

/**
 * pkram_dma_table_adopt() - use a table that waits
 * @name: of the container
 * @force: even if it was not suspended
 *
 * Nothing is written. Return: as above; ERR_PTR: -EINVAL, -ENOENT, -EUCLEAN; -EPERM
 * neither owner nor CAP_SYS_ADMIN; -EBUSY in use; -EOWNERDEAD not suspended; -EROFS.
 */
struct pkram_object *pkram_dma_table_adopt(const char *name, bool force);

/**
 * pkram_dma_table_put() - give a table back
 * @table: table
 * @keep: it waits for the next one; else it is removed
 */
void pkram_dma_table_put(struct pkram_object *table, bool keep);

/**
 * pkram_dma_table_entries() - what it has
 * @table: table
 * @e: out: its entries, until it is changed
 *
 * Return: how many.
 */
u32 pkram_dma_table_entries(const struct pkram_object *table,
			const struct pkram_entry **e);

/**
 * pkram_dma_table_add() - one more entry; and it is running
 * @table: table
 * @e: overlaps none
 *
 * Context: as pkram_dma_table_create(). Return: 0; -ENOSPC no room in the pool, or in the
 * table; -ENOMEM. Then nothing is changed.
 */
int pkram_dma_table_add(struct pkram_object *table,
			const struct pkram_entry *e);

/**
 * pkram_dma_table_forget() - take entries out; pkram_dma_table_commit() is to follow
 * @table: table
 * @first: IOVA; each entry that begins there or later,
 * @last: and here at the latest, goes
 */
void pkram_dma_table_forget(struct pkram_object *table, u64 first, u64 last);

/** pkram_dma_table_commit() - write what is left. It does not need more room. */
void pkram_dma_table_commit(struct pkram_object *table);

/**
 * pkram_dma_table_set_running() - say whether there are user addresses of its mappings
 * Return: 0; -EROFS.
 */
int pkram_dma_table_set_running(struct pkram_object *table, bool running);

/** pkram_dma_table_running() - is there? */
bool pkram_dma_table_running(const struct pkram_object *table);

/**
 * pkram_dma_table_open() - reach the object of an entry, without its file
 * @id: of the object
 * @write: the device may write to it
 *
 * For pkram_pin_create(); it does not stand in the way of a claim. Return: open; ERR_PTR:
 * -ESTALE there is no such object, or it is damaged; -EACCES the calling process may not;
 * -ENOMEM.
 */
struct pkram_open *pkram_dma_table_open(u64 id, bool write);

/* The control plane */

/** pkram_store_next_dma_table() - as pkram_store_next_object(), DMA tables only */
struct pkram_object *pkram_store_next_dma_table(u64 key);

/**
 * pkram_store_discard_dma_table() - remove a DMA table that is not in use, by key
 *
 * Return: 0; -ENOENT; -EBUSY it is in use; -EROFS.
 */
int pkram_store_discard_dma_table(u64 key);

#endif /* _PKRAM_SAVED_H */
