/* SPDX-License-Identifier: GPL-2.0 */
/* One mapping of a container */
#ifndef _PKRAM_VFIO_MAPPING_H
#define _PKRAM_VFIO_MAPPING_H

#include "vfio/private.h"

static inline struct pkram_mapping *pkram_mapping_of(struct pkram_dma *dma)
{
	return container_of(dma, struct pkram_mapping, dma);
}

static inline u64 pkram_mapping_size(const struct pkram_mapping *m)
{
	return m->dma.last - m->dma.first + 1;
}

/** pkram_mapping_create() - not in the table; NULL: no memory */
struct pkram_mapping *pkram_mapping_create(u64 first, u64 last, int prot);

/** pkram_mapping_destroy() - it is in no table any more, but may be mapped */
void pkram_mapping_destroy(struct pkram_container *c, struct pkram_mapping *m);

/**
 * pkram_mapping_extent() - where a part of a mapping is
 * @c: container
 * @m: mapping
 * @seg: index of the segment
 * @pos: offset in the mapping, in that segment, and mapped
 * @phys: out
 *
 * Return: bytes of the segment from there on that follow each other in memory.
 */
u64 pkram_mapping_extent(struct pkram_container *c, struct pkram_mapping *m,
			 u32 seg, u64 pos, phys_addr_t *phys);

/** pkram_mapping_map_pool() - have one of its segments, which is pinned, in the IOMMU */
int pkram_mapping_map_pool(struct pkram_container *c, struct pkram_mapping *m,
			   u32 seg);

/** pkram_mapping_charge() - charge the process for what is not the pool's */
int pkram_mapping_charge(struct pkram_mapping *m);

/** pkram_mapping_uncharge() - the reverse */
void pkram_mapping_uncharge(struct mm_struct *mm, unsigned long pages);

#endif /* _PKRAM_VFIO_MAPPING_H */
