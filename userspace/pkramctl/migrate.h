/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Save a guest's state to a file and load it, by QEMU's migration in mode cpr-reboot: its
 * RAM stays in place.
 */
#ifndef _PKRAMCTL_MIGRATE_H
#define _PKRAMCTL_MIGRATE_H

#include "guest.h"

/* Set mode and capabilities for a save or load, or restore them */
int migrate_set_up(struct guest *g, bool on);

/* Start "migrate" or "migrate-incoming"; migrate_begun() reads the answer */
int migrate_begin(struct guest *g, const char *command);
int migrate_begun(struct guest *g);

/* Wait until all pending migrations are over; Ctrl-C makes the rest fail */
void migrate_wait(struct guests *gs, const char *verb);

/* Cancel an active migration */
void migrate_cancel(struct guest *g);

int64_t now_us(void);

#endif /* _PKRAMCTL_MIGRATE_H */
