/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the files of init: output, helpers for files, and checks of the kernel log */
#ifndef PKRAM_VM_INIT_H
#define PKRAM_VM_INIT_H

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Write to the runner's channel */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Report an error of init itself, with errno, and power off */
void give_up(const char *what) __attribute__((noreturn));

/* Read a whole file as a string, to be freed; NULL on failure */
char *slurp(const char *path);

/* Write a string to a file: 0 or -1 */
int spill(const char *path, const char *text);

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
