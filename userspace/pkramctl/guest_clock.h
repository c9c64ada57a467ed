/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of a guest that was resumed. It stood still as long as the guest; only its RTC, which
 * QEMU emulates from the host's clock, went on. The guest agent sets it.
 */
#ifndef _PKRAMCTL_GUEST_CLOCK_H
#define _PKRAMCTL_GUEST_CLOCK_H

#include "guest.h"

/*
 * Set the clock of a guest that runs by its agent, if its definition names one, and record by how
 * much, or why it was not set; that is no failure
 */
void guest_clock_set(struct guest *g);

#endif /* _PKRAMCTL_GUEST_CLOCK_H */
