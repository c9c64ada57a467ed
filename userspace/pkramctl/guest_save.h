/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Saving guests. A guest that was saved stands still, its QEMU stays until it
 * is clear what is to come: it leaves, or the guest goes on.
 */
#ifndef _PKRAMCTL_GUEST_SAVE_H
#define _PKRAMCTL_GUEST_SAVE_H

#include "guest.h"

/* Can it be saved, as far as can be told before? 0 or %CTL_FAILED */
int guest_savable(struct guest *g);

/* Save all chosen ones, at the same time; see guest->failed of each */
void guests_save(struct guests *gs);

/* Let it go on, and forget what was saved. It may not have been stopped at all. */
int guest_go_on(struct guest *g);

/* End the QEMUs of all chosen ones that were saved */
void guests_leave(struct guests *gs);

#endif /* _PKRAMCTL_GUEST_SAVE_H */
