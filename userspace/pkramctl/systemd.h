/* SPDX-License-Identifier: GPL-2.0 */
/* Requests to systemd. */
#ifndef _PKRAMCTL_SYSTEMD_H
#define _PKRAMCTL_SYSTEMD_H

#include <stdbool.h>

bool systemd_runs(void);

/* Run systemctl VERB [UNIT]; return its exit status, 127 if it could not be run */
int systemctl(const char *verb, const char *unit);

/* Let systemd start a unit, without waiting for that; return: as systemctl() */
int systemd_start(const char *unit);

/* Return whether the unit is being started, or has a job; false if systemd cannot be asked */
bool systemd_starts(const char *unit);

/* Return whether the unit is started at boot */
bool systemd_enabled(const char *unit);

/*
 * Shut the host down for a kexec, as systemctl kexec does, whatever inhibits a reboot. Return:
 * as systemctl()
 */
int systemd_kexec(void);

/* Return whether the unit runs, is being started or stopped, or systemd cannot be asked */
bool systemd_active(const char *unit);

/*
 * Return how many seconds a stop of the unit may take before systemd kills it, %INT_MAX: any time;
 * @otherwise: systemd does not say
 */
int systemd_stop_timeout(const char *unit, int otherwise);

/**
 * enum systemd_end - what systemd is about to do with the host
 * @SYSTEMD_STAYS: nothing
 * @SYSTEMD_KEXEC: to shut it down for a kexec
 * @SYSTEMD_DOWN: to shut it down otherwise
 * @SYSTEMD_MUTE: not known: it cannot be asked
 */
enum systemd_end {
	SYSTEMD_STAYS,
	SYSTEMD_KEXEC,
	SYSTEMD_DOWN,
	SYSTEMD_MUTE,
};

enum systemd_end systemd_end(void);

/* Return the names of pkram's units that failed, each followed by a newline; to be freed */
char *systemd_failed(void);

/* Return whether the host is shutting down for a kexec, or systemd cannot be asked */
bool systemd_kexec_pending(void);

#endif /* _PKRAMCTL_SYSTEMD_H */
