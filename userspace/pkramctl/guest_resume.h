/* SPDX-License-Identifier: GPL-2.0 */
/* Start guests, and resume those that were saved. */
#ifndef _PKRAMCTL_GUEST_RESUME_H
#define _PKRAMCTL_GUEST_RESUME_H

#include "guest.h"

/* Start all chosen guests; see guest->failed of each */
void guests_start(struct guests *gs);

/*
 * Resume all chosen guests, which are saved or stopped after a save. If one fails, its
 * QEMU has ended, and its RAM and state are unchanged.
 */
void guests_resume(struct guests *gs);

#endif /* _PKRAMCTL_GUEST_RESUME_H */
