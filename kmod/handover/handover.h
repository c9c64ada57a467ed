/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handover: what makes the next kernel leave the regions alone and find them,
 * and what keeps a kernel that would not from being booted by accident.
 *
 * kexec_file_load(2) gives the next kernel a copy of e820_table_kexec. We put
 * a table of our own in its place, in which the regions have the private type
 * %PKRAM_E820_TYPE: the next kernel neither uses such memory nor forgets it,
 * and passes it on. kexec_load(2) takes its map from user space, which cannot
 * know, and is refused while there is a region; unloading and loading a crash
 * kernel are not. Where the table cannot be found (memmap mode), an image of
 * kexec_file_load(2) too is refused unless its command line reserves the
 * regions.
 */
#ifndef _PKRAM_HANDOVER_H
#define _PKRAM_HANDOVER_H

#include <linux/types.h>

/** struct pkram_range - physical memory, GiB aligned */
struct pkram_range {
	u64 base;
	u64 size;
};

/**
 * pkram_handover_init() - Find the kernel's table and arm the kexec guard
 * @force_memmap: behave as if the table could not be found
 *
 * Context: module load, may sleep. A table that cannot be found, or would not
 * be enough (32-bit UEFI), is no error: the mode becomes
 * %PKRAM_HANDOVER_MEMMAP. A guard that cannot be armed is.
 * Return: 0; -EOPNOTSUPP the kernel does not show what the guard needs; -EBUSY
 * or -ENODEV its function tracer is off; -ENOMEM; or what it gave.
 */
int pkram_handover_init(bool force_memmap);

/**
 * pkram_handover_exit() - Disarm the guard
 *
 * A table that reserves something stays in force (its memory belongs to the
 * kernel's pointer from then on), so that regions without objects survive a
 * reload of the module; else the original comes back.
 */
void pkram_handover_exit(void);

/**
 * pkram_handover_found() - List the ranges that the previous kernel reserved
 * @ranges: out: array from kmalloc, to be freed by the caller; NULL if none
 *
 * Sorted, not overlapping; adjacent regions may have become one range.
 * Return: number of ranges, or negative errno (-EUCLEAN: a range is not GiB
 * aligned; it is left out and logged, only fatal if nothing else is there).
 * In memmap mode always 0: there the module is told, by pkram.attach.
 */
int pkram_handover_found(struct pkram_range **ranges);

/**
 * pkram_handover_reserve() - Reserve a range, so that the next kernel does not use it
 * @r: the range; this kernel must not be using it as RAM any more
 *
 * From its return on, every image loaded by kexec_file_load(2) leaves the
 * range alone. Context: may sleep; takes the kernel's kexec lock for a moment.
 * Return: 0; -EINVAL not GiB aligned; -EEXIST all of it is reserved already
 * (fine for regions found at load); -EADDRINUSE some of it is "System RAM" in
 * /proc/iomem, so this kernel may use it or place an image there; -EBUSY an
 * image is loaded already (it was placed without knowing), or the kexec lock
 * could not be had for seconds; -ENOSPC the boot protocol's 128 map entries
 * would be exceeded; -ENXIO some of it is neither RAM nor ours in the
 * firmware's map; -ENOMEM.
 */
int pkram_handover_reserve(const struct pkram_range *r);

/**
 * pkram_handover_release() - Make a range ordinary RAM for the next kernel
 * @r: a range that is reserved, or part of one
 *
 * Return: 0; -ENOENT some of it is not reserved; -ENOMEM; -EBUSY the kexec lock
 * could not be had for seconds. A loaded image is no obstacle: it leaves the
 * memory unused.
 */
int pkram_handover_release(const struct pkram_range *r);

/** pkram_handover_guarded() - Check whether kexec_load(2) is refused now */
bool pkram_handover_guarded(void);

/** pkram_handover_mode() - Return the &enum pkram_handover_mode */
u32 pkram_handover_mode(void);

/**
 * pkram_handover_cmdline() - Write the words for the next kernel's command line
 * @buf: out: terminated; empty if none are needed
 * @len: its size
 *
 * memmap=SIZE$START for each range (adjacent ones merged), and
 * pkram.attach=BASE+SIZE,... by which the module finds them.
 * Return: length, or -ENOSPC if @len is too small.
 */
int pkram_handover_cmdline(char *buf, size_t len);

#endif /* _PKRAM_HANDOVER_H */
