/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's memory map, /proc/iomem: it lists System RAM, and the entries
 * "pkram" of regions.
 */
#ifndef _PKRAM_IOMEM_H
#define _PKRAM_IOMEM_H

#include "mem/types.h"

#define PKRAM_IOMEM_MAX_CHILDREN	32

/**
 * struct pkram_iomem_cut - entries removed temporarily for a change of the map
 * @res: the entries
 * @nr: number of them
 */
struct pkram_iomem_cut {
	struct resource *res[PKRAM_IOMEM_MAX_CHILDREN];
	int nr;
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
 * @node: on this NUMA node, or PKRAM_NO_NODE
 *
 * Return: base of an aligned unit that is entirely System RAM, or 0.
 */
u64 pkram_iomem_next_ram(u64 below, u64 unit, int node);

/**
 * pkram_iomem_begin_remove() - Prepare the map for the removal of System RAM
 * @cut: out; for pkram_iomem_end()
 * @base: first address that will be removed
 *
 * Context: takes entries_lock, which pkram_iomem_end() drops.
 */
void pkram_iomem_begin_remove(struct pkram_iomem_cut *cut, u64 base);

/**
 * pkram_iomem_begin_clean_up() - Take the entry that covers an address out of the
 * map
 * @cut: out; for pkram_iomem_end()
 * @base: address
 *
 * Context: as pkram_iomem_begin_remove().
 */
void pkram_iomem_begin_clean_up(struct pkram_iomem_cut *cut, u64 base);

/** pkram_iomem_end() - Put the entries back into the map */
void pkram_iomem_end(struct pkram_iomem_cut *cut);

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
