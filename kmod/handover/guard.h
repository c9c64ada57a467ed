/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard: refuses a kexec image that would overwrite what a memory map reserves
 * (its entries of %PKRAM_E820_TYPE), or that does not tell its kernel of them.
 */
#ifndef _PKRAM_GUARD_H
#define _PKRAM_GUARD_H

#include <linux/types.h>

struct e820_table;

/**
 * pkram_guard_init() - Find the variables of the kernel that the guard needs
 *
 * Context: module load. Return: 0; -EOPNOTSUPP the kernel does not show them.
 */
int pkram_guard_init(void);

/**
 * pkram_guard_set_map() - Set the map that images are checked against
 * @map: memory map; not changed in place, and valid until another one is set
 * @cmdline: an image must reserve it on its command line, as it gets no such map
 *
 * Context: the kexec lock is held, or the guard is not armed.
 */
void pkram_guard_set_map(const struct e820_table *map, bool cmdline);

/**
 * pkram_guard_arm() - Check each image that is loaded from now on
 *
 * Return: 0; -EBUSY or -ENODEV the kernel's function tracer is off; or what it gave.
 */
int pkram_guard_arm(void);

/** pkram_guard_disarm() - Remove the hook; waits for a load that is being refused */
void pkram_guard_disarm(void);

/**
 * pkram_guard_lock() - Take the kernel's kexec lock
 *
 * Context: may sleep. Return: false if it could not be had for seconds.
 */
bool pkram_guard_lock(void);

/** pkram_guard_unlock() - Release the kernel's kexec lock */
void pkram_guard_unlock(void);

/** pkram_guard_image_loaded() - Check whether a kexec image (not kdump's) is loaded */
bool pkram_guard_image_loaded(void);

/**
 * pkram_guard_verify_image() - Check whether the loaded image would overwrite preserved memory
 *
 * What the guard checks when an image is loaded, once more; it finds images
 * that were loaded before the module. Context: may sleep; takes the kexec lock
 * for a moment.
 * Return: 0 there is no (non-crash) image, nothing is reserved, or the image
 * keeps off; -EADDRINUSE a segment overlaps a reserved range; -EPERM it comes
 * from kexec_load(2), so its map may call a reserved range RAM; -EBUSY as for
 * pkram_handover_reserve().
 */
int pkram_guard_verify_image(void);

#endif /* _PKRAM_GUARD_H */
