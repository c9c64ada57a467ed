/* SPDX-License-Identifier: GPL-2.0 */
/* Whether a guest's RAM is there after a save. */
#ifndef _PKRAMCTL_GUEST_RAM_H
#define _PKRAMCTL_GUEST_RAM_H

#include "guest.h"

/*
 * Check the RAM that is shared, which is not in the state, by the command line and by what QEMU
 * says: 0 or %CTL_FAILED
 */
int guest_check_ram(struct guest *g);

#endif /* _PKRAMCTL_GUEST_RAM_H */
