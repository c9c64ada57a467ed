/* SPDX-License-Identifier: GPL-2.0 */
/* Start guests, and resume those that were saved. */
#ifndef _PKRAMCTL_GUEST_RESUME_H
#define _PKRAMCTL_GUEST_RESUME_H

#include "guest.h"

/* Start all chosen guests; see guest->failed of each */
void guests_start(struct guests *gs);

/**
 * guests_resume() - Resume all chosen guests
 * @gs: guests, which are saved, or stopped after a save; see guest->failed of each
 *
 * One that stood still before the save stands still afterwards. If one fails, its QEMU has
 * ended, and its RAM and state are unchanged; unless its RAM is in use, or may be: then QEMU
 * is not ended, and guest->kept is set.
 */
void guests_resume(struct guests *gs);

#endif /* _PKRAMCTL_GUEST_RESUME_H */
