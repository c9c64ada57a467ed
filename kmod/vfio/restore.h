/* SPDX-License-Identifier: GPL-2.0 */
/* Map what a table in the pool has. Context: container locked */
#ifndef _PKRAM_VFIO_RESTORE_H
#define _PKRAM_VFIO_RESTORE_H

#include "vfio/private.h"

/** pkram_restore_table() - PKRAM_VFIO_TABLE_RESTORE */
int pkram_restore_table(struct pkram_container *c, const char *name, bool force);

#endif /* _PKRAM_VFIO_RESTORE_H */
