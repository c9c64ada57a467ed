/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by qemu.c and guest.c */
#ifndef PKRAM_VM_QEMU_PRIV_H
#define PKRAM_VM_QEMU_PRIV_H

/* The time after so many seconds, four times as many on a kernel with checkers */
double qemu_deadline(int seconds);

/* Sleep for a moment before looking again */
void qemu_nap(void);

/* A file of the QEMU of that name; valid until three more calls */
char *qemu_path(const char *name, const char *what);

/* The file with the output of a port */
char *qemu_log_path(const char *name, int port);

/* Connect to a Unix socket: a descriptor, or -1 */
int qemu_connect(const char *path);

#endif
