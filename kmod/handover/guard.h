/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard: refuses a kexec image that would overwrite memory that a memory map
 * reserves (its entries of %PKRAM_E820_TYPE), or that does not pass these entries
 * on to its kernel.
 */
#ifndef _PKRAM_GUARD_H
#define _PKRAM_GUARD_H

#include <linux/types.h>

struct e820_table;

/**
 * pkram_guard_init() - Find the variables of the kernel that the guard needs
 *
 * Context: module load. Return: 0; -EOPNOTSUPP the kernel does not have them.
 */
int pkram_guard_init(void);

/**
 * pkram_guard_set_map() - Set the map that images are checked against
 * @map: memory map; not changed in place, and valid until another one is set
 * @cmdline: the image's command line must reserve the map's ranges, because the
 *	kernel does not pass such a map on
 *
 * Context: the kexec lock is held, or the guard is not armed.
 */
void pkram_guard_set_map(const struct e820_table *map, bool cmdline);

/**
 * pkram_guard_arm() - Check each image that is loaded from now on
 *
 * Return: 0; -EBUSY or -ENODEV the kernel's function tracer is off; another error
 * of ftrace.
 */
int pkram_guard_arm(void);

/** pkram_guard_disarm() - Remove the hook; waits for a load that is being refused */
void pkram_guard_disarm(void);

/**
 * pkram_guard_lock() - Take the kernel's kexec lock
 *
 * Context: may sleep. Return: false if another task held it for seconds.
 */
bool pkram_guard_lock(void);

/** pkram_guard_unlock() - Release the kernel's kexec lock */
void pkram_guard_unlock(void);

/** pkram_guard_image_loaded() - Check whether a kexec image (not kdump's) is loaded */
bool pkram_guard_image_loaded(void);

/**
 * pkram_guard_verify_image() - Check whether the loaded image would overwrite
 * preserved memory
 *
 * Repeats the check of the load, and so finds images that were loaded before the
 * module.
 * Context: may sleep; takes the kexec lock for a moment.
 * Return: 0 there is no (non-crash) image, nothing is reserved, or the image does
 * not overlap; -EADDRINUSE a segment overlaps a reserved range; -EPERM it comes
 * from kexec_load(2), so its map may list a reserved range as RAM; -EBUSY as for
 * pkram_handover_reserve().
 */
int pkram_guard_verify_image(void);

#endif /* _PKRAM_GUARD_H */
