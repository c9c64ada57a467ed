/* SPDX-License-Identifier: GPL-2.0 */
/* Growing and shrinking the pool, for pool/. */
#ifndef _PKRAM_STORE_GROW_H
#define _PKRAM_STORE_GROW_H

#include <linux/types.h>

struct pkram_refusal;
struct pkram_region;

/**
 * pkram_store_add_region() - add a new, empty region to the pool
 * @r: open region with its span set; the header is made and written here. The
 *	first region makes the pool.
 *
 * Return: 0; -EROFS; -ENOMEM; others.
 */
int pkram_store_add_region(struct pkram_region *r);

/**
 * pkram_store_drop() - take unused GiB out of the pool
 * @base: physical address of the first
 * @nr_gib: how many
 * @from: out: the region that they were part of; NULL if it went with them
 * @refusal: out: on failure, address and words
 *
 * They come back zeroed, unclaimed and without memory map entry. GiB 0 of a
 * region goes last, and takes the region with it. Return: 0; -ENOENT not in
 * the pool; -EBUSY in use; others. On failure nothing has left the pool.
 */
int pkram_store_drop(u64 base, u32 nr_gib, struct pkram_region **from,
		     struct pkram_refusal *refusal);

/**
 * pkram_store_put_back() - undo pkram_store_drop()
 * @r: what @from was; not NULL
 * @base: as there
 * @nr_gib: as there
 *
 * The memory is still zero. Context: the pool's regions have not changed since.
 */
void pkram_store_put_back(struct pkram_region *r, u64 base, u32 nr_gib);

#endif /* _PKRAM_STORE_GROW_H */
