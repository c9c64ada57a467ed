/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's state to and from a file, as QEMU's migration in mode cpr-reboot:
 * its RAM stays where it is.
 */
#ifndef _PKRAMCTL_MIGRATE_H
#define _PKRAMCTL_MIGRATE_H

#include "guest.h"

/* Mode and capabilities as a save or a load needs them, or as they were before */
int migrate_set_up(struct guest *g, bool on);

/* Begin: "migrate" or "migrate-incoming"; the answer is for migrate_begun() */
int migrate_begin(struct guest *g, const char *command);
int migrate_begun(struct guest *g);

/* Wait until all that are pending are over; Ctrl-C makes the rest fail */
void migrate_wait(struct guests *gs, const char *verb);

/* Give up one that is under way */
void migrate_cancel(struct guest *g);

int64_t now_us(void);

#endif /* _PKRAMCTL_MIGRATE_H */
