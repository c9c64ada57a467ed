/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the scenarios that show a Linux guest running on after its host's kernel was
 * replaced. The scenarios differ in how the guest's RAM is preserved and in how often the
 * kernel is replaced. A scenario defines story_object: QEMU's memory backend "ram0" in the
 * file /dev/pkram/vm1.
 *
 * Lines that begin with "> " are for people.
 */
#ifndef PKRAM_VM_STORY_H
#define PKRAM_VM_STORY_H

#include "qemu.h"

struct __test_metadata;

/* The argument of -object, defined by the scenario; the usual one */
extern const char * const story_object;
#define STORY_PKRAM	"memory-backend-pkram,id=ram0,size=1G,name=vm1"

/* Values kept over a kexec; times are those of qemu_clock() */
struct story_notes {
	struct guest_state guest;
	struct peer_state peer;
	int lines;			/* of the guest's kernel log */
	int hops;			/* number of kernels replaced so far */
	double stopping, stopped, leaving;
};

/* Print a line for people */
void story_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void story_say_kernel(const char *what);

/* Save the guest while its connection is active, end QEMU, and note its state */
void story_save(struct __test_metadata *_metadata, struct qemu *q, struct story_notes *n);

/* Start a new guest on a new pool */
struct qemu *story_start(struct __test_metadata *_metadata, struct story_notes *n);

/* After the kexec: load the guest and compare it with the notes */
struct qemu *story_resume(struct __test_metadata *_metadata, struct story_notes *n);

/* A stage in the middle: load the guest and save it for the next kernel */
void story_hop(struct __test_metadata *_metadata, const char *what);

#endif
