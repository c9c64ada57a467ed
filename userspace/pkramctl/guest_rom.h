/* SPDX-License-Identifier: GPL-2.0 */
/* The ROMs of a guest: a load fails if one has another size than at the save. */
#ifndef _PKRAMCTL_GUEST_ROM_H
#define _PKRAMCTL_GUEST_ROM_H

#include "guest.h"
#include "preflight.h"

/* Add rows about ROMs whose files have another size than those that QEMU has. 0 or %CTL_FAILED */
int guest_rom_check(struct preflight *p, struct guest *g);

#endif /* _PKRAMCTL_GUEST_ROM_H */
