/* SPDX-License-Identifier: GPL-2.0 */
/* Map memory outside the pool. Context: container locked, may sleep. */
#ifndef _PKRAM_VFIO_PAGES_H
#define _PKRAM_VFIO_PAGES_H

#include "vfio/private.h"

/**
 * pkram_pages_map() - Pin memory of the calling process and map it
 * @c: container
 * @m: mapping, of which @m->mapped bytes are mapped; the function advances that
 * @vaddr: address of the next byte to map
 * @len: in bytes
 *
 * Return: 0; -EFAULT no such memory; other errors. On failure the caller unmaps what
 * was mapped so far.
 */
int pkram_pages_map(struct pkram_container *c, struct pkram_mapping *m,
		    u64 vaddr, u64 len);

/**
 * pkram_pages_unmap() - Unmap and unpin a part of a mapping
 * @c: container
 * @iova: range
 * @len: in bytes
 * @prot: of the mapping
 */
void pkram_pages_unmap(struct pkram_container *c, u64 iova, u64 len, int prot);

/**
 * pkram_pages_extent() - Find out which memory an IOVA maps
 * @c: container
 * @iova: address, mapped
 * @len: number of bytes to look at
 * @phys: out: physical address
 *
 * Return: number of contiguous bytes from there on, at most @len.
 */
u64 pkram_pages_extent(struct pkram_container *c, u64 iova, u64 len,
		       phys_addr_t *phys);

#endif /* _PKRAM_VFIO_PAGES_H */
