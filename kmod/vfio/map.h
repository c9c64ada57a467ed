/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA. Context: container locked, may sleep.
 * Errors are those of linux/vfio.h and linux/pkram_vfio.h.
 */
#ifndef _PKRAM_VFIO_MAP_H
#define _PKRAM_VFIO_MAP_H

#include "vfio/private.h"

/**
 * pkram_map_add() - Map memory of the calling process for devices
 * @c: container
 * @iova: address for devices
 * @vaddr: address of the memory in the calling process
 * @size: in bytes
 * @prot: IOMMU_READ, IOMMU_WRITE
 */
int pkram_map_add(struct pkram_container *c, u64 iova, u64 vaddr,
		  u64 size, int prot);

/**
 * pkram_map_set_vaddr() - Set a new user address for a mapping without one
 * @c: container
 * @iova: of the mapping
 * @vaddr: address of the same memory in the calling process
 * @size: of the mapping
 *
 * From now on the calling process is charged, and its opens hold the pins.
 */
int pkram_map_set_vaddr(struct pkram_container *c, u64 iova, u64 vaddr,
			u64 size);

/**
 * pkram_map_unmap() - Remove mappings, or their user addresses
 * @c: container
 * @iova: range; 0 with @all
 * @size: in bytes, 0 with @all; out: number of bytes removed
 * @all: all mappings
 * @vaddr_only: keep the mappings, remove only their user addresses
 */
int pkram_map_unmap(struct pkram_container *c, u64 iova, u64 *size,
		    bool all, bool vaddr_only);

/** pkram_map_unmap_all() - Remove all mappings */
void pkram_map_unmap_all(struct pkram_container *c);

/**
 * pkram_map_unmap_stale() - Remove all mappings without a user address
 * @c: container
 * @nr: out: number of mappings removed
 *
 * Return: number of bytes removed.
 */
u64 pkram_map_unmap_stale(struct pkram_container *c, u64 *nr);

#endif /* _PKRAM_VFIO_MAP_H */
