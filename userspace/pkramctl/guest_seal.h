/* SPDX-License-Identifier: GPL-2.0 */
/* What a saved guest consists of: a state file that is whole, and RAM that is sealed. */
#ifndef _PKRAMCTL_GUEST_SEAL_H
#define _PKRAMCTL_GUEST_SEAL_H

#include "guest.h"

/**
 * enum guest_seals - what the objects with a guest's RAM say
 * @SEALS_UNKNOWN: nothing: no memory-backend-pkram, or none can be asked
 * @SEALS_NONE: none is sealed: the RAM was used after the save
 * @SEALS_SOME: some are, and others not
 * @SEALS_ALL: all are sealed: they are as they were at the save
 */
enum guest_seals {
	SEALS_UNKNOWN,
	SEALS_NONE,
	SEALS_SOME,
	SEALS_ALL,
};

/**
 * guest_seals() - Look at the seals of a guest's RAM
 * @g: guest
 * @open: out: path of an object that is not sealed, or NULL; may be NULL
 */
enum guest_seals guest_seals(const struct guest *g, const char **open);

/**
 * guest_state_whole() - Check that a file is a complete stream of QEMU
 * @path: of the file
 *
 * A stream begins with a magic number and ends with a description, whose length precedes
 * it. A machine with suppress-vmdesc=on writes none, and cannot be told from a file that is
 * cut off.
 *
 * Return: 0; -EINVAL it is not, or negative errno.
 */
int guest_state_whole(const char *path);

/**
 * guest_secured() - Check that a guest that was saved can be resumed without its QEMU
 * @g: guest, whose QEMU says that the save is complete
 *
 * The guest still stands there, the state is whole and on its medium, and all its RAM is
 * sealed. Only then its QEMU may end.
 *
 * Return: 0, or guest_fail().
 */
int guest_secured(struct guest *g);

/**
 * guest_ram_held() - Look for processes, apart from QEMUs of guests, that may write to its RAM
 * @gs: all guests, after guest_look(). Their QEMUs are left out: mappings are told apart by
 *	the last part of an object's name only, and each has its own RAM claimed
 * @g: guest
 * @wait_ms: how long to wait until there is none
 *
 * A vhost-user backend lets go of the RAM when QEMU ends.
 *
 * Return: "PATH is held by NAME (PID 12)", valid until the next call; or NULL.
 */
const char *guest_ram_held(const struct guests *gs, const struct guest *g, int wait_ms);

#endif /* _PKRAMCTL_GUEST_SEAL_H */
