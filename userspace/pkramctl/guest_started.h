/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a guest was started: a resume needs the same command line, whatever its definition
 * says by then. It is noted at the start, in the run directory, and after a save next to
 * the state, as a part of its record.
 */
#ifndef _PKRAMCTL_GUEST_STARTED_H
#define _PKRAMCTL_GUEST_STARTED_H

#include "guest.h"

struct json_object;

/* Note how QEMU is started now; what goes wrong is reported */
void started_note(const struct guest *g);

/* Write a file of the run directory, for this user only: 0 or negative errno */
int started_write(const struct guest *g, const char *what, struct json_object *obj);

/*
 * Read such a file, or a record: an object, to be put; NULL: there is none, or somebody else may
 * have written it
 */
struct json_object *started_read(const char *path);

/*
 * Take what was noted in place of the definition: of a guest with a QEMU, or, with @saved,
 * of a state. Nothing happens if nothing is noted, or if another user may have written it.
 * guest->changed is set if the definition differs.
 */
void started_take(struct guest *g, bool saved);

/* Take the guest @name as it was noted, without a definition: 0 or negative errno */
int started_only(struct guest *g, const char *name);

/* Use the definition again */
void started_drop(struct guest *g);

/**
 * started_redefine() - Use the definition for the resume of a saved guest
 * @g: guest, after started_take() of its state
 *
 * RAM and state are tied to the uuid and to the objects with the RAM: these may not differ.
 * The machine stays, as the state is that of this one.
 *
 * Return: 0, or guest_fail(), which names what differs.
 */
int started_redefine(struct guest *g);

/*
 * Add how it was started to a record of a save: also the machine's versioned name, which
 * an alias ("q35") stands for in this QEMU. 0, or guest_fail(): QEMU does not tell it
 */
int started_add(struct guest *g, struct json_object *record);

/* Ask QEMU for the machine's versioned name: 0; or negative errno, and the reason in guest->qmp */
int started_machine(struct guest *g, char *name, size_t len);

/**
 * started_alias() - Return the machine that the command line names
 * @f: definition
 *
 * Several -machine are one for QEMU, in which the last type counts.
 *
 * Return: its name, to be freed; NULL: none is named.
 */
char *started_alias(const struct guest_file *f);

#endif /* _PKRAMCTL_GUEST_STARTED_H */
