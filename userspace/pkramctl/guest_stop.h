/* SPDX-License-Identifier: GPL-2.0 */
/* Power guests down, and wake them up. */
#ifndef _PKRAMCTL_GUEST_STOP_H
#define _PKRAMCTL_GUEST_STOP_H

#include <stdbool.h>
#include "guest.h"

/*
 * Ask all chosen guests that have not failed to power down, and wait for each as long as its
 * stop-timeout; @force: end their QEMUs at once
 */
void guests_stop(struct guests *gs, bool force);

/* Let all chosen guests run that are suspended, paused, or had an I/O error, and wait for that */
void guests_wake(struct guests *gs);

#endif /* _PKRAMCTL_GUEST_STOP_H */
