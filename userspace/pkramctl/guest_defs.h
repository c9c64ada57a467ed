/* SPDX-License-Identifier: GPL-2.0 */
/* The directory of definitions: which are read, and which are trusted. */
#ifndef _PKRAMCTL_GUEST_DEFS_H
#define _PKRAMCTL_GUEST_DEFS_H

#include "guest.h"

/* Return the path of the definition of @name, to be freed */
char *guest_defs_path(const char *name);

/* Return why no QEMU is started by the definition of a guest, or NULL */
const char *guest_defs_remark(const struct guest *g);

/**
 * guest_defs_refuse() - Check that a QEMU may be started by the definition of a guest
 * @g: guest
 *
 * Not if others can write to the definition, it cannot be read, or another guest has the
 * same uuid or RAM. A guest that was saved is resumed as it was started all the same.
 *
 * Return: 0, or guest_fail() with the reason.
 */
int guest_defs_refuse(struct guest *g);

/* Check that its QEMU is installed: 0, or guest_fail() */
int guest_defs_find_qemu(struct guest *g);

/*
 * Find the guest whose RAM is in a file: copy its name to @name. Return: false: none has it, or
 * several have
 */
bool guest_defs_of_ram(const char *path, char name[GUEST_NAME_MAX + 1]);

#endif /* _PKRAMCTL_GUEST_DEFS_H */
