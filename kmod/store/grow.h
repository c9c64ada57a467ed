/* SPDX-License-Identifier: GPL-2.0 */
/* Grow and shrink the pool, for pool/. */
#ifndef _PKRAM_STORE_GROW_H
#define _PKRAM_STORE_GROW_H

#include <linux/types.h>

struct pkram_refusal;
struct pkram_region;

/**
 * pkram_store_grow() - Add a new, empty region to the pool
 * @r: open region with its span set; the header is made and written here. The
 *	first region makes the pool.
 *
 * Return: 0; -EROFS; -ENOMEM; others.
 */
int pkram_store_grow(struct pkram_region *r);

/**
 * pkram_store_shrink() - Take unused GiB out of the pool
 * @base: physical address of the first
 * @nr_gib: number of GiB
 * @from: out: the region that they were part of; NULL if it was removed too
 * @refusal: out: on failure, address and text
 *
 * On return they are zeroed, depopulated and without memory map entry. GiB 0 of a
 * region goes last, and the region is removed with it. Return: 0; -ENOENT not in
 * the pool; -EBUSY in use; -EHWPOISON a page is bad; -ENOTRECOVERABLE so it is, and the
 * memory, which has left the pool, could not be made a region again; others. On other failures
 * nothing has left the pool.
 */
int pkram_store_shrink(u64 base, u32 nr_gib, struct pkram_region **from,
		       struct pkram_refusal *refusal);

/**
 * pkram_store_undo_shrink() - Undo pkram_store_shrink()
 * @r: its @from; not NULL
 * @base: its @base
 * @nr_gib: its @nr_gib
 *
 * The memory is still zero. Context: the pool's regions have not changed since.
 */
void pkram_store_undo_shrink(struct pkram_region *r, u64 base, u32 nr_gib);

#endif /* _PKRAM_STORE_GROW_H */
