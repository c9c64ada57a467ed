/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the files of init: output, disks, and checks of the kernel log */
#ifndef PKRAM_VM_INIT_H
#define PKRAM_VM_INIT_H

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Write to the runner's channel */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Report an error of init itself, with errno, and power off */
void give_up(const char *what) __attribute__((noreturn));

/* Mount the disk with QEMU and guests on /guest, if the scenario has one */
void disk_mount_guest(void);

/* Copy the disk that the runner calls @id to a file */
void disk_copy(const char *id, const char *to);

/* Open the kernel log; lines that match @pattern are no failures */
void kmsg_open(void);
void kmsg_allow(const char *pattern);

/*
 * Check what the kernel logged since the last call, and copy offending lines to the
 * runner. Return: their number
 */
int kmsg_check(void);

/*
 * Disable kmemleak's own scans: the first comes a minute after boot, takes time of the
 * tests, and blocks memory hotplug meanwhile.
 */
void kmemleak_stop_scans(void);

/*
 * Scan for leaks, which takes a minute, if the kernel has kmemleak and a module of ours
 * was loaded. Return: the number of leaks
 */
int kmemleak_check(void);

#endif
