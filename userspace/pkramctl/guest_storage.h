/* SPDX-License-Identifier: GPL-2.0 */
/* Whether a guest's storage is there after a save, for the next QEMU. */
#ifndef _PKRAMCTL_GUEST_STORAGE_H
#define _PKRAMCTL_GUEST_STORAGE_H

#include "guest.h"
#include "preflight.h"

/**
 * guest_check_storage() - Look for disks that end with QEMU or with this kernel
 * @g: guest, live
 *
 * Return: 0, or guest_fail(): one would be lost, which is named.
 */
int guest_check_storage(struct guest *g);

/*
 * Add rows about what is not lost, but has to be there again before the guest is resumed: servers
 * of this host, and emulators. 0 or %CTL_FAILED
 */
int guest_storage_tell(struct preflight *p, struct guest *g);

#endif /* _PKRAMCTL_GUEST_STORAGE_H */
