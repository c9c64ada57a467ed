/* SPDX-License-Identifier: GPL-2.0 */
/* One mapping of a container. Context: container locked, may sleep. */
#ifndef _PKRAM_VFIO_MAPPING_H
#define _PKRAM_VFIO_MAPPING_H

#include "vfio/private.h"

/** pkram_mapping_of() - Get the mapping that contains a &struct pkram_dma */
static inline struct pkram_mapping *pkram_mapping_of(struct pkram_dma *dma)
{
	return container_of(dma, struct pkram_mapping, dma);
}

/** pkram_mapping_size() - Get the size of a mapping in bytes */
static inline u64 pkram_mapping_size(const struct pkram_mapping *m)
{
	return m->dma.last - m->dma.first + 1;
}

/**
 * pkram_mapping_create() - Allocate a mapping without memory
 * @first: IOVA
 * @last: IOVA of the last byte
 * @prot: IOMMU_READ, IOMMU_WRITE
 *
 * Return: mapping, which belongs to the calling process and is in no container; NULL
 * without memory.
 */
struct pkram_mapping *pkram_mapping_create(u64 first, u64 last, int prot);

/**
 * pkram_mapping_destroy() - Unmap, unpin and free a mapping
 * @c: container
 * @m: mapping, no longer in the container's table
 */
void pkram_mapping_destroy(struct pkram_container *c, struct pkram_mapping *m);

/**
 * pkram_mapping_extent() - Find out where a part of a mapping is in memory
 * @c: container
 * @m: mapping
 * @seg: index of the segment
 * @pos: offset in the mapping; in that segment, and mapped
 * @phys: out: physical address
 *
 * Return: number of contiguous bytes of the segment from there on.
 */
u64 pkram_mapping_extent(struct pkram_container *c, struct pkram_mapping *m,
			 u32 seg, u64 pos, phys_addr_t *phys);

/**
 * pkram_mapping_map_pool() - Map a pinned segment of pool memory in the IOMMU
 * @c: container
 * @m: mapping
 * @seg: index of the segment
 *
 * Return: 0, or an error: then @m->mapped tells how much was mapped.
 */
int pkram_mapping_map_pool(struct pkram_container *c, struct pkram_mapping *m,
			   u32 seg);

/**
 * pkram_mapping_charge() - Charge a mapping's process for memory outside the pool
 * @m: mapping with its segments
 *
 * Return: 0; -ENOMEM RLIMIT_MEMLOCK.
 */
int pkram_mapping_charge(struct pkram_mapping *m);

/** pkram_mapping_uncharge() - Uncharge a process for @pages pages */
void pkram_mapping_uncharge(struct mm_struct *mm, unsigned long pages);

#endif /* _PKRAM_VFIO_MAPPING_H */
