/* SPDX-License-Identifier: GPL-2.0 */
/* VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA */
#ifndef _PKRAM_VFIO_MAP_H
#define _PKRAM_VFIO_MAP_H

#include "vfio/private.h"

/**
 * pkram_map_add() - VFIO_IOMMU_MAP_DMA, without VFIO_DMA_MAP_FLAG_VADDR
 * @c: container, locked
 * @iova: where, for devices
 * @vaddr: what, an address of the calling process
 * @size: in bytes
 * @prot: IOMMU_READ, IOMMU_WRITE
 *
 * Return: 0, or what docs/vfio.md has a table of.
 */
int pkram_map_add(struct pkram_container *c, u64 iova, u64 vaddr,
		  u64 size, int prot);

/** pkram_map_set_vaddr() - the same with that flag */
int pkram_map_set_vaddr(struct pkram_container *c, u64 iova, u64 vaddr,
			u64 size);

/**
 * pkram_map_unmap() - VFIO_IOMMU_UNMAP_DMA
 * @c: container, locked
 * @iova: range; with @all both are 0
 * @size: in bytes; out: what was unmapped
 * @all: everything
 * @vaddr_only: it stays mapped, and loses its user address
 */
int pkram_map_unmap(struct pkram_container *c, u64 iova, u64 *size,
		    bool all, bool vaddr_only);

/** pkram_map_unmap_all() - as the last group goes, or adopting failed */
void pkram_map_unmap_all(struct pkram_container *c);

/** pkram_map_unmap_stale() - PKRAM_VFIO_UNMAP_STALE. Return: bytes; @nr: how many mappings */
u64 pkram_map_unmap_stale(struct pkram_container *c, u64 *nr);

#endif /* _PKRAM_VFIO_MAP_H */
