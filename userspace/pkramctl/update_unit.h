/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The work of an update in a transient unit of systemd: the terminal only watches it, so what
 * becomes of the terminal changes nothing.
 */
#ifndef _PKRAMCTL_UPDATE_UNIT_H
#define _PKRAMCTL_UPDATE_UNIT_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * update_unit_run() - Run "pkramctl update" in its unit, and watch it
 * @argc: number of @argv
 * @argv: options of update
 *
 * Return: its exit status; %CTL_FAILED: it could not be started, or SIGINT ended the watch.
 */
int update_unit_run(int argc, char **argv);

/* Watch the update that runs, or print the result of the last one: its exit status */
int update_unit_watch(void);

/*
 * Exclude other updates, and loads of an image, until this program ends, also those without a
 * unit. 0, or %CTL_FAILED: one is under way, which was reported
 */
int update_unit_lock(void);

/* Return the process that has that lock, or 0 */
pid_t update_unit_holder(void);

/* Return the directory for the files that are watched, if this program runs in the unit, or NULL */
const char *update_unit_dir(void);

/* Leave the exit status to those who watch, if this program runs in the unit */
void update_unit_end(int status);

#endif /* _PKRAMCTL_UPDATE_UNIT_H */
