/* SPDX-License-Identifier: GPL-2.0 */
/* Whether a guest's QEMU has devices that the next one would not have: see below. */
#ifndef _PKRAMCTL_GUEST_DEVICES_H
#define _PKRAMCTL_GUEST_DEVICES_H

#include "guest.h"

/**
 * guest_check_devices() - Look for devices that were plugged in after the start
 * @g: guest, live
 *
 * The state has them, and its load fails in a QEMU without them: only the options of the start
 * are recorded. Backends, as -object and -netdev, have no state.
 *
 * Return: 0, or guest_fail(), which names one.
 */
int guest_check_devices(struct guest *g);

#endif /* _PKRAMCTL_GUEST_DEVICES_H */
