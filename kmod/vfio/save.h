/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keep the mappings of a container in a DMA table in the pool. Context: container
 * locked, may sleep; mmap_lock is not held.
 */
#ifndef _PKRAM_VFIO_SAVE_H
#define _PKRAM_VFIO_SAVE_H

#include "vfio/private.h"

/**
 * pkram_save_create() - Create a DMA table with the mappings of a container
 * @c: container
 * @name: of the DMA table
 * @replace: remove an unused table of that name first
 *
 * Return: 0, or an error of PKRAM_VFIO_TABLE_CREATE (linux/pkram_vfio.h).
 */
int pkram_save_create(struct pkram_container *c, const char *name, bool replace);

/**
 * pkram_save_add() - Add a mapping to the container's DMA table
 * @c: container
 * @m: mapping; its memory is pinned, and not mapped yet
 *
 * Does nothing if the container has no DMA table, or if the mapping cannot be kept.
 * Return: 0; -ENOSPC; -EDQUOT; -ENOMEM.
 */
int pkram_save_add(struct pkram_container *c, struct pkram_mapping *m);

/**
 * pkram_save_forget() - Remove a mapping from the container's DMA table
 * @c: container
 * @m: mapping
 *
 * Return: true if the DMA table changed: call pkram_dma_table_commit() once no device
 * can reach the memory.
 */
bool pkram_save_forget(struct pkram_container *c, const struct pkram_mapping *m);

/**
 * pkram_save_set_running() - Record whether mappings have user addresses
 * @c: container
 * @running: false suspends the DMA table
 *
 * Return: 0; -EROFS.
 */
int pkram_save_set_running(struct pkram_container *c, bool running);

/**
 * struct pkram_save_state - whether a DMA table is suspended
 * @running: as in &struct pkram_container
 * @saved: as in the DMA table; differs after a forced restore
 */
struct pkram_save_state {
	bool running;
	bool saved;
};

/** pkram_save_get_state() - Get the state, to undo pkram_save_set_running() */
struct pkram_save_state pkram_save_get_state(const struct pkram_container *c);

/** pkram_save_set_state() - Set the state that pkram_save_get_state() returned */
void pkram_save_set_state(struct pkram_container *c, struct pkram_save_state state);

#endif /* _PKRAM_VFIO_SAVE_H */
