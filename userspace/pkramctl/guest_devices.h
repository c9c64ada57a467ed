/* SPDX-License-Identifier: GPL-2.0 */
/* Whether a guest's QEMU has other devices than the next one would have: see below. */
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

struct json_object;

/*
 * Read the devices of QEMU: an array, to be put, of "path" and "type". 0, or negative errno, and
 * the reason in guest->qmp
 */
int guest_devices_read(struct guest *g, struct json_object **devices);

/*
 * Check that QEMU still has the @devices, which were read at its start; NULL: none. They would be
 * there again after the resume, at which nobody tells the guest. 0, or guest_fail()
 */
int guest_devices_check(struct guest *g, struct json_object *devices);

#endif /* _PKRAMCTL_GUEST_DEVICES_H */
