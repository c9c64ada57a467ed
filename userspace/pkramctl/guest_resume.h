/* SPDX-License-Identifier: GPL-2.0 */
/* Starting guests, and resuming those that were saved. */
#ifndef _PKRAMCTL_GUEST_RESUME_H
#define _PKRAMCTL_GUEST_RESUME_H

#include "guest.h"

/* Start all chosen ones afresh; see guest->failed of each */
void guests_start(struct guests *gs);

/*
 * Resume all chosen ones, which are saved or stand still after a save. One that
 * fails has no QEMU then; its RAM and its state are as they were.
 */
void guests_resume(struct guests *gs);

#endif /* _PKRAMCTL_GUEST_RESUME_H */
