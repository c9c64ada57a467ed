/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's memory map, /proc/iomem: it lists System RAM, and the entries
 * "pkram" of regions.
 */
#ifndef _PKRAM_IOMEM_H
#define _PKRAM_IOMEM_H

#include "mem/types.h"

/**
 * struct pkram_iomem_cut - an entry of System RAM that is in parts
 * @whole: the entry, out of the map meanwhile; NULL if there was nothing to cut
 * @part: what stands in its place: before, of, and behind the memory to be removed
 * @nr: number of parts
 */
struct pkram_iomem_cut {
	struct resource *whole;
	struct resource *part[3];
	u32 nr;
};

/**
 * pkram_iomem_check_free() - Check that a range is not RAM of this kernel
 * @base: physical address
 * @size: bytes
 *
 * Return: 0; -EADDRINUSE some of it is System RAM or belongs to a device.
 */
int pkram_iomem_check_free(u64 base, u64 size);

/**
 * pkram_iomem_next_ram() - Find RAM that may be taken, from the top down
 * @below: look below this physical address
 * @unit: number of bytes, and their alignment
 * @node: on this NUMA node, or %NUMA_NO_NODE
 *
 * Return: base of an aligned unit that is entirely System RAM, or 0.
 */
u64 pkram_iomem_next_ram(u64 below, u64 unit, int node);

/**
 * pkram_iomem_split() - Give memory that will be removed an entry of its own
 * @cut: out; for pkram_iomem_end_split()
 * @base: physical address
 * @size: bytes
 *
 * Entries within System RAM ("Crash kernel") stay in the map at every moment.
 * Context: takes iomem_lock. Return: 0, also if the range is not of one entry of System RAM;
 * -EBUSY an entry within System RAM begins or ends inside the range; -ENOMEM.
 */
int pkram_iomem_split(struct pkram_iomem_cut *cut, u64 base, u64 size);

/**
 * pkram_iomem_end_split() - Free the old entry, or put it back in place of its parts
 * @cut: of pkram_iomem_split()
 * @removed: the kernel has removed the memory, and the part that described it
 *
 * Context: takes iomem_lock.
 */
void pkram_iomem_end_split(struct pkram_iomem_cut *cut, bool removed);

/**
 * pkram_iomem_begin_clean_up() - Take the entry that covers an address out of the map
 * @base: address
 *
 * Context: takes iomem_lock, which pkram_iomem_end_clean_up() drops.
 * Return: the entry; NULL if there is none.
 */
struct resource *pkram_iomem_begin_clean_up(u64 base);

/** pkram_iomem_end_clean_up() - Put the entry, unless it is NULL, back into the map */
void pkram_iomem_end_clean_up(struct resource *res);

/**
 * pkram_iomem_insert() - Insert entries "pkram" for each run of present GiB
 * @r: region; its old entries, and entries of the firmware's map, are replaced
 *
 * Return: 0; -ENOMEM; -EADDRINUSE. If there is no memory for new entries, the old
 * ones stay.
 */
int pkram_iomem_insert(struct pkram_region *r);

/** pkram_iomem_remove() - Remove and free the entries of a region */
void pkram_iomem_remove(struct pkram_region *r);

#endif /* _PKRAM_IOMEM_H */
