/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record of a save and of the resume that follows: for the report, and for the resume.
 * After the save it is next to the state, so that it is preserved over the kexec; after the
 * resume it is in the guest's run directory, until the next resume or boot.
 */
#ifndef _PKRAMCTL_GUEST_RECORD_H
#define _PKRAMCTL_GUEST_RECORD_H

#include "guest.h"

/**
 * struct guest_record - a save and its resume
 * @saved: when the guest stopped, in us of CLOCK_REALTIME; 0 unknown
 * @complete: when its state was complete, the same
 * @batch: when the save of all guests that were saved with it began, the same; 0: it was alone
 * @resumed: when it was resumed; 0: it was not
 * @began: when the resume began, in us of CLOCK_BOOTTIME; 0 unknown
 * @greeted: when its QEMU was there, the same
 * @ran: when it ran again, the same; @resumed by the other clock
 * @boot: boot ID of the kernel that it was saved under
 * @from: kernel that it was saved under
 * @to: kernel that it was resumed under
 * @error: why it was not resumed
 * @clock: whether its clock was set after the resume, and by how much; empty: it has no agent
 */
struct guest_record {
	int64_t saved, complete, batch, resumed;
	int64_t began, greeted, ran;
	char boot[40], from[65], to[65];
	char error[1024], clock[768];
};

/*
 * Note in the run directory that a save begins, and whether the guest ran before (guest->was);
 * record_was() reads that into guest->was if another process began the save.
 */
void record_begin(const struct guest *g);
void record_was(struct guest *g);
/* There is no save any more */
void record_end(const struct guest *g);

/*
 * Record a save: when, and how the guest was started, without which it might be resumed with
 * another machine. Return: 0, or guest_fail(): the save does not count
 */
int record_save(struct guest *g);

/* Record a resume; @error: NULL, or why it failed */
void record_resume(const struct guest *g, const char *error);

/* Add what became of the guest's clock, after record_resume() */
void record_clock(const struct guest *g, const char *text);

/* Read what is recorded, false if nothing is */
bool record_get(const struct guest *g, struct guest_record *r);

/* Read the ID of this boot; empty: it is unknown */
void record_boot_id(char to[40]);

/* Return how long the guest did not run, in us; -1 if unknown */
int64_t record_blackout(const struct guest_record *r);

#endif /* _PKRAMCTL_GUEST_RECORD_H */
