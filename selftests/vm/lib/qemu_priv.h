/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by qemu.c and guest.c */
#ifndef PKRAM_VM_QEMU_PRIV_H
#define PKRAM_VM_QEMU_PRIV_H

/* Return the time after this many seconds, four times as many on a kernel with checkers */
double qemu_deadline(int seconds);

/* Sleep briefly before checking again */
void qemu_nap(void);

/* Return the path of a file of that QEMU; valid until three more calls */
char *qemu_path(const char *name, const char *what);

/* Return the path of the file with the output of a port */
char *qemu_log_path(const char *name, int port);

/* Connect to a Unix socket: a descriptor, or -1 */
int qemu_connect(const char *path);

#endif
