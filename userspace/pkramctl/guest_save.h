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

/**
 * guests_save() - Save all chosen guests at the same time
 * @gs: guests; see guest->failed of each
 * @together: all or none: as soon as one fails, the others continue. No guest is stopped
 *	before all have answered.
 *
 * A guest that cannot be saved continues; one whose QEMU does not answer is left to a
 * process that lets it continue when it does. INT, TERM and HUP make those fail that are
 * not saved yet; after success with @together they end nothing any more.
 *
 * Return: 0, or %CTL_FAILED: one has failed.
 */
int guests_save(struct guests *gs, bool together);

/* Let the guest continue, and remove what was saved. It may not have been stopped at all. */
int guest_cont(struct guest *g);
/* The same for all chosen guests */
void guests_cont(struct guests *gs);

/**
 * guests_leave() - End the QEMUs of all chosen guests that were saved
 * @gs: guests; see guest->failed of each
 * @together: all or none
 *
 * A guest that could not be resumed without its QEMU keeps it, and fails.
 *
 * Return: 0, or %CTL_FAILED: one has failed.
 */
int guests_leave(struct guests *gs, bool together);

#endif /* _PKRAMCTL_GUEST_SAVE_H */
