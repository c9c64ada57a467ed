/* SPDX-License-Identifier: GPL-2.0 */
/* Checks of a running guest before an update, beyond whether it can be saved. */
#ifndef _PKRAMCTL_GUEST_CHECK_H
#define _PKRAMCTL_GUEST_CHECK_H

#include "guest.h"
#include "preflight.h"

/*
 * Add rows about a guest that is live: its definition, its machine, the QEMU that would
 * resume it, and bad pages that this QEMU would not accept. 0 or %CTL_FAILED
 */
int guest_check(struct preflight *p, struct guest *g);

/* Add a row about the room for the states of all chosen guests. 0 or %CTL_FAILED */
int guests_check_space(struct preflight *p, struct guests *gs);

#endif /* _PKRAMCTL_GUEST_CHECK_H */
