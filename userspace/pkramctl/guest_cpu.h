/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether the QEMU that resumes a guest gives it the CPU that it had. "-cpu host", and a model
 * whose features a kernel does not offer, are another CPU under another kernel or microcode, and
 * the state does not say so: the guest would use instructions that are gone.
 */
#ifndef _PKRAMCTL_GUEST_CPU_H
#define _PKRAMCTL_GUEST_CPU_H

#include "guest.h"

struct json_object;

/*
 * Read the features that the guest's CPU has: an array of names, to be put; NULL: QEMU does not
 * tell them
 */
struct json_object *guest_cpu_read(struct guest *g);

/**
 * guest_cpu_note() - Note the features in a QEMU that was just started, for a later save
 * @g: guest, live
 * @features: what guest_cpu_read() returned
 */
void guest_cpu_note(struct guest *g, struct json_object *features);

/* Add what was noted to a record of a save */
void guest_cpu_add(const struct guest *g, struct json_object *record);

/*
 * Check that a QEMU that is about to load a state has all features that its record has. 0, or
 * guest_fail(), which names those that are missing
 */
int guest_cpu_check(struct guest *g, struct json_object *features);

#endif /* _PKRAMCTL_GUEST_CPU_H */
