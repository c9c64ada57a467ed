/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is remembered of a save and of the resume that follows, for the report:
 * from the save on beside the state, so that it outlives the kernel; after the
 * resume in the guest's run directory, until the next one or the next boot.
 */
#ifndef _PKRAMCTL_GUEST_RECORD_H
#define _PKRAMCTL_GUEST_RECORD_H

#include "guest.h"

/**
 * struct guest_record - a save and its resume
 * @saved: when the guest stopped, in us of CLOCK_REALTIME; 0 unknown
 * @resumed: when it went on; 0 it has not
 * @from: kernel that it was saved under
 * @to: kernel that it was resumed under
 * @error: why it was not resumed
 */
struct guest_record {
	int64_t saved, resumed;
	char from[65], to[65];
	char error[1024];
};

/* It was saved. Return: 0, or -1 and errno */
int record_save(const struct guest *g);

/* It goes on, or @error, and it does not */
void record_resume(const struct guest *g, const char *error);

/* What is known, false if nothing is */
bool record_get(const struct guest *g, struct guest_record *r);

/* How long it did not run, in us; -1 if that is not known */
int64_t record_blackout(const struct guest_record *r);

#endif /* _PKRAMCTL_GUEST_RECORD_H */
