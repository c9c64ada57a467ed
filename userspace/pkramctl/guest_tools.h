/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that pkramctl runs for a guest: an editor, a terminal. */
#ifndef _PKRAMCTL_GUEST_TOOLS_H
#define _PKRAMCTL_GUEST_TOOLS_H

#include "guest.h"

/**
 * guest_tools_edit() - Let the user edit a definition, and put it in its place if it is right
 * @name: of the guest; if it has no definition, the example is edited
 *
 * Return: %CTL_OK, or the reason was reported and the definition is as it was.
 */
int guest_tools_edit(const char *name);

/* Return the socket of its first serial port, to be freed; NULL: it has none */
char *guest_tools_console(const struct guest *g);

/* Replace this program by one that connects the terminal with a socket; returns on failure */
int guest_tools_connect(const char *path);

/*
 * Return why its stop-timeout is too long for its unit, or NULL: systemd would kill QEMU first.
 * Valid until the next call
 */
const char *guest_tools_stop_remark(const struct guest *g);

#endif /* _PKRAMCTL_GUEST_TOOLS_H */
