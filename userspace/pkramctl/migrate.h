/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Save a guest's state to a file and load it, by QEMU's migration in mode cpr-reboot: its
 * RAM stays in place.
 */
#ifndef _PKRAMCTL_MIGRATE_H
#define _PKRAMCTL_MIGRATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include "guest.h"

/* Set mode and capabilities for a save or load, or restore them */
int migrate_set_up(struct guest *g, bool on);

/* Only the mode; QEMU tells what blocks a migration in the current one */
int migrate_set_mode(struct guest *g, bool reboot);

/* Start "migrate" or "migrate-incoming"; migrate_begun() reads the answer */
int migrate_begin(struct guest *g, const char *command);
int migrate_begun(struct guest *g);

/**
 * migrate_wait() - Wait for the end of an active migration
 * @g: guest
 * @verb: for messages: "saving"
 * @stop: return early if it becomes true; NULL for never
 *
 * It is still pending after @stop, after a signal, and if QEMU does not answer in time: the
 * last two are failures.
 */
void migrate_wait(struct guest *g, const char *verb, const atomic_bool *stop);

/*
 * From now on INT, TERM and HUP, unless they are ignored, end migrate_wait() but not the
 * program; or as before
 */
void migrate_catch(bool on);
bool migrate_caught(void);

/*
 * After so many seconds, which may not be few, act as if a signal was caught; for the next
 * migrate_catch(), which ends it
 */
void migrate_limit(unsigned int seconds);

/* Cancel an active migration */
void migrate_cancel(struct guest *g);

/*
 * Return the time in us of CLOCK_REALTIME; of CLOCK_MONOTONIC, for deadlines, which no step of the
 * clock changes; of CLOCK_BOOTTIME
 */
int64_t now_us(void);
int64_t mono_us(void);
int64_t boot_us(void);

#endif /* _PKRAMCTL_MIGRATE_H */
