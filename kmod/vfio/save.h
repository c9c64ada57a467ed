/* SPDX-License-Identifier: GPL-2.0 */
/* Containers whose table is in the pool. Context: container locked */
#ifndef _PKRAM_VFIO_SAVE_H
#define _PKRAM_VFIO_SAVE_H

#include "vfio/private.h"

/** pkram_save_create() - PKRAM_VFIO_TABLE_CREATE. Return: 0, or as docs/vfio.md says. */
int pkram_save_create(struct pkram_container *c, const char *name);

/**
 * pkram_save_add() - a mapping is about to be reached by devices
 * @c: container
 * @m: mapping, its memory pinned
 *
 * Nothing to do for containers without name, and for memory that cannot be saved.
 * Return: 0; -ENOSPC; -ENOMEM.
 */
int pkram_save_add(struct pkram_container *c, struct pkram_mapping *m);

/**
 * pkram_save_forget() - a mapping goes
 *
 * Return: was it saved? Then pkram_dma_table_commit() is to follow.
 */
bool pkram_save_forget(struct pkram_container *c, const struct pkram_mapping *m);

/** pkram_save_set_running() - user addresses came, or all went */
int pkram_save_set_running(struct pkram_container *c, bool running);

/**
 * struct pkram_save_state - whether there are user addresses, to be put back
 * @running: as in &struct pkram_container
 * @saved: as the table in the pool says; the two differ after adopting by force
 */
struct pkram_save_state {
	bool running;
	bool saved;
};

struct pkram_save_state pkram_save_get_state(const struct pkram_container *c);

/** pkram_save_set_state() - as it was, after a failure */
void pkram_save_set_state(struct pkram_container *c, struct pkram_save_state use);

#endif /* _PKRAM_VFIO_SAVE_H */
