/* SPDX-License-Identifier: GPL-2.0 */
/* What systemd is asked. */
#ifndef _PKRAMCTL_SYSTEMD_H
#define _PKRAMCTL_SYSTEMD_H

#include <stdbool.h>

bool systemd_runs(void);

/* systemctl VERB [UNIT]: its exit status; 127 if it could not be run */
int systemctl(const char *verb, const char *unit);

/* Will the unit be started at boot? */
bool systemd_enabled(const char *unit);

/* Is the host on its way into the next kernel by kexec? */
bool systemd_kexec_pending(void);

#endif /* _PKRAMCTL_SYSTEMD_H */
