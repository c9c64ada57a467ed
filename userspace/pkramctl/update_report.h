/* SPDX-License-Identifier: GPL-2.0 */
/* What an update cost: how long each guest stood still, and for what. */
#ifndef _PKRAMCTL_UPDATE_REPORT_H
#define _PKRAMCTL_UPDATE_REPORT_H

#include "guest.h"

/* Print the report on these guests: %CTL_OK */
int update_report(struct guests *gs);

#endif /* _PKRAMCTL_UPDATE_REPORT_H */
