/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A Linux guest goes on after its host's kernel is replaced: what the scenarios that
 * show it share. They differ in how the guest's RAM is kept and in how often the kernel
 * is replaced. A scenario defines story_object: QEMU's memory backend "ram0" in the file
 * /dev/pkram/vm1.
 *
 * Lines that begin with "> " are for people.
 */
#ifndef PKRAM_VM_STORY_H
#define PKRAM_VM_STORY_H

#include "qemu.h"

struct __test_metadata;

/* Defined by the scenario: the argument of -object */
extern const char * const story_object;

/* What is remembered across a kexec; the times are qemu_clock()'s */
struct story_notes {
	struct guest_state guest;
	struct peer_state peer;
	int lines;			/* of the guest's kernel log */
	int hops;			/* kernels replaced so far */
	double stopping, stopped, leaving;
};

/* Print a line for people */
void story_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void story_say_kernel(const char *what);

/* In the middle of a conversation: save, end QEMU, and note how it all was */
void story_save(struct __test_metadata *_metadata, struct qemu *q, struct story_notes *n);

/* A new guest on a new pool */
struct qemu *story_start(struct __test_metadata *_metadata, struct story_notes *n);

/* After the kexec: the guest goes on, and is what it was */
struct qemu *story_go_on(struct __test_metadata *_metadata, struct story_notes *n);

/* A stage in the middle: the guest goes on, and is saved for the next kernel */
void story_hop(struct __test_metadata *_metadata, const char *what);

#endif
