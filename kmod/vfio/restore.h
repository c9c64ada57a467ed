/* SPDX-License-Identifier: GPL-2.0 */
/* Restore a DMA table */
#ifndef _PKRAM_VFIO_RESTORE_H
#define _PKRAM_VFIO_RESTORE_H

#include "vfio/private.h"

/**
 * pkram_restore_table() - Map everything that a DMA table lists
 * @c: container without mappings and without a DMA table
 * @name: of the DMA table
 * @force: even if it is not suspended
 *
 * Either maps all of it, or nothing. Context: container locked, may sleep. Return: 0,
 * or an error of PKRAM_VFIO_TABLE_RESTORE (linux/pkram_vfio.h).
 */
int pkram_restore_table(struct pkram_container *c, const char *name, bool force);

#endif /* _PKRAM_VFIO_RESTORE_H */
