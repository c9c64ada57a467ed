/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory map entries of regions, and the node of an address: what region.c
 * and region_take.c need of each other. The rest is in region.h.
 */
#ifndef _PKRAM_REGION_TAKE_H
#define _PKRAM_REGION_TAKE_H

#include "mem/region.h"

/** pkram_take_nid() - online NUMA node that an address is nearest to */
int pkram_take_nid(u64 base);

/**
 * pkram_take_insert_resources() - entries "pkram" for each run of present GiB
 * @r: region; its old entries, and whatever the firmware's map put there, give
 *	way
 *
 * Return: 0; -ENOMEM; -EADDRINUSE. Entries that the region had before stay if there
 * is no memory for the new ones.
 */
int pkram_take_insert_resources(struct pkram_region *r);

/** pkram_take_remove_resources() - remove and free the entries of a region */
void pkram_take_remove_resources(struct pkram_region *r);

/**
 * pkram_take_has_memmap() - does the kernel have struct pages for some of a range?
 * @base: physical address
 * @size: bytes
 */
bool pkram_take_has_memmap(u64 base, u64 size);

/**
 * pkram_take_clean_up() - undo what the kernel left of a range
 * @base: physical address
 * @size: bytes
 *
 * When the kernel runs out of memory while it makes the struct pages of a range, in
 * memremap_pages() or add_memory(), it leaves those that it made; nobody could
 * have the range until the next boot (-EEXIST). Call it if the range had none
 * before. Context: may sleep; may take the kernel's hotplug lock.
 */
void pkram_take_clean_up(u64 base, u64 size);

#endif /* _PKRAM_REGION_TAKE_H */
