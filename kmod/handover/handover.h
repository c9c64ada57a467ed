/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handover: makes the next kernel leave the regions alone and find them, and
 * prevents an accidental boot of a kernel that would not.
 *
 * kexec_file_load(2) gives the next kernel a copy of e820_table_kexec. The module
 * replaces it by its own table, in which the regions have the private type
 * %PKRAM_E820_TYPE: the next kernel does not use such memory, keeps it in its map,
 * and passes it on. kexec_load(2) gets its map from user space, which does not
 * know the regions, and is refused while there is a region; unloading, and loading
 * a crash kernel, are allowed. If the table cannot be found (memmap mode), an
 * image of kexec_file_load(2) is refused as well unless its command line reserves
 * the regions.
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
 * Context: module load, may sleep. It is no error if the table cannot be found, or
 * would not suffice (32-bit UEFI): the mode becomes %PKRAM_HANDOVER_MEMMAP. It is
 * an error if the guard cannot be armed.
 * Return: 0; -EOPNOTSUPP the kernel does not have what the guard needs; -EBUSY or
 * -ENODEV its function tracer is off; -ENOMEM; another error of ftrace.
 */
int pkram_handover_init(bool force_memmap);

/**
 * pkram_handover_exit() - Disarm the guard
 *
 * A table that reserves something stays installed (its memory then belongs to the
 * kernel's pointer), so that regions without objects survive a reload of the
 * module; otherwise the original is restored.
 */
void pkram_handover_exit(void);

/**
 * pkram_handover_found() - List the ranges that the previous kernel reserved
 * @ranges: out: array from kmalloc, to be freed by the caller; NULL if none
 *
 * Sorted, not overlapping; adjacent regions may have become one range.
 * Return: number of ranges, or negative errno (-EUCLEAN: a range is not GiB
 * aligned; it is left out and logged, and an error only if there is no other). In
 * memmap mode always 0: there pkram.attach names the ranges.
 */
int pkram_handover_found(struct pkram_range **ranges);

/**
 * pkram_handover_knows() - Check whether memory is RAM in the map for the next kernel
 * @base: physical address
 * @size: bytes
 *
 * Return: false for memory that was added after the boot, which cannot be reserved.
 */
bool pkram_handover_knows(u64 base, u64 size);

/**
 * pkram_handover_reserve() - Reserve a range, so that the next kernel does not use
 * it
 * @r: the range; this kernel must not be using it as RAM any more
 *
 * From then on, every image loaded by kexec_file_load(2) leaves the range alone.
 * Context: may sleep; takes the kernel's kexec lock for a moment.
 * Return: 0; -EINVAL not GiB aligned; -EEXIST all of it is reserved already
 * (expected for regions found at load); -EADDRINUSE some of it is "System RAM" in
 * /proc/iomem, so this kernel may use it or place an image there; -EBUSY an image
 * is loaded already (it may overlap the range), or another task held the kexec
 * lock for seconds; -ENOSPC the boot protocol's 128 map entries would be exceeded;
 * -ENXIO some of it is neither RAM nor reserved by pkram in the firmware's map;
 * -ENOMEM.
 */
int pkram_handover_reserve(const struct pkram_range *r);

/**
 * pkram_handover_release() - Make a range ordinary RAM for the next kernel
 * @r: a range that is reserved, or part of one
 *
 * A loaded image is an obstacle: its kernel would find, in memory that the system
 * uses until then, a header that is not the pool's.
 *
 * Return: 0; -ENOENT some of it is not reserved; -ENOMEM; -EBUSY an image is loaded,
 * or the kexec lock could not be had for seconds; -ENOSPC the boot protocol's 128 map
 * entries would be exceeded.
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
