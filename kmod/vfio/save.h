/* SPDX-License-Identifier: GPL-2.0 */
/* Containers whose table is in the pool. Context: container locked */
#ifndef _PKRAM_VFIO_SAVE_H
#define _PKRAM_VFIO_SAVE_H

#include "vfio/private.h"

/** pkram_container_name() - PKRAM_VFIO_TABLE_CREATE. Return: 0, or as docs/vfio.md says. */
int pkram_container_name(struct pkram_container *c, const char *name);

/**
 * pkram_container_save() - a mapping is about to be reached by devices
 * @c: container
 * @m: mapping, its memory pinned
 *
 * Nothing to do for containers without name, and for memory that cannot be saved.
 * Return: 0; -ENOSPC; -ENOMEM.
 */
int pkram_container_save(struct pkram_container *c, struct pkram_mapping *m);

/**
 * pkram_container_forget() - a mapping goes
 *
 * Return: was it saved? Then pkram_dma_table_commit() is to follow.
 */
bool pkram_container_forget(struct pkram_container *c, const struct pkram_mapping *m);

/** pkram_container_set_running() - user addresses came, or all went */
int pkram_container_set_running(struct pkram_container *c, bool running);

/**
 * struct pkram_container_use - whether there are user addresses, to be put back
 * @running: as in &struct pkram_container
 * @saved: as the table in the pool says; the two differ after adopting by force
 */
struct pkram_container_use {
	bool running;
	bool saved;
};

struct pkram_container_use pkram_container_get_use(const struct pkram_container *c);

/** pkram_container_put_use() - as it was, after a failure */
void pkram_container_put_use(struct pkram_container *c, struct pkram_container_use use);

#endif /* _PKRAM_VFIO_SAVE_H */
