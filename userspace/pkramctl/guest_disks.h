/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether the QEMU that resumes a guest gets the disks and devices that it has now. Its command
 * line names those of the start: snapshots, mirrors, commits, another medium and device_del
 * change them at run time. So what a QEMU has is noted when it has just started.
 */
#ifndef _PKRAMCTL_GUEST_DISKS_H
#define _PKRAMCTL_GUEST_DISKS_H

#include "guest.h"

struct json_object;

/* Note what a QEMU has that was just started, and has done nothing yet; errors are reported */
void guest_disks_note(struct guest *g);

/**
 * guest_disks_check() - Compare the disks and devices of now with those of the start
 * @g: guest, live
 *
 * Without a note, the command line must contain the names of the files that are in use.
 *
 * Return: 0, or guest_fail(): a disk is in another file, a device was unplugged, or a block
 * job is under way.
 */
int guest_disks_check(struct guest *g);

/**
 * guest_disks_defined() - Look whether its definition of now names the disks in use
 * @g: guest, live
 *
 * A start opens what the definition names, which may be older than what the guest has.
 *
 * Return: 0, or guest_fail().
 */
int guest_disks_defined(struct guest *g);

/**
 * guest_disks_media() - Look for media that were changed or removed since the start
 * @g: guest, live
 * @media: out: an array of drives, to be put: "drive" (its id in QEMU), "name" (for people),
 *	"was" and "file" (missing: it is empty); NULL if there is none
 *
 * Return: 0, or guest_fail().
 */
int guest_disks_media(struct guest *g, struct json_object **media);

/*
 * Give drives the media that they had at the save, according to its record, in a QEMU that has
 * not loaded the state yet. Return: 0, or guest_fail()
 */
int guest_disks_restore(struct guest *g);

#endif /* _PKRAMCTL_GUEST_DISKS_H */
