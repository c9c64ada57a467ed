/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Save guests. A saved guest is stopped, but its QEMU stays until the next step is known:
 * QEMU ends, or the guest continues.
 */
#ifndef _PKRAMCTL_GUEST_SAVE_H
#define _PKRAMCTL_GUEST_SAVE_H

#include "guest.h"

/* Check in advance whether a guest can be saved: 0 or %CTL_FAILED */
int guest_savable(struct guest *g);

/* Save all chosen guests in parallel; see guest->failed of each */
void guests_save(struct guests *gs);

/* Let the guest continue, and discard what was saved. It may not have been stopped at all. */
int guest_cont(struct guest *g);

/* End the QEMUs of all chosen guests that were saved */
void guests_leave(struct guests *gs);

#endif /* _PKRAMCTL_GUEST_SAVE_H */
