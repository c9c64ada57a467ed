/* SPDX-License-Identifier: GPL-2.0 */
/* Map memory in the IOMMU domains of a container. Context: container locked. */
#ifndef _PKRAM_VFIO_IOMMU_H
#define _PKRAM_VFIO_IOMMU_H

#include "vfio/private.h"

/** pkram_iommu_first() - Get the first domain of a container with a group */
static inline struct iommu_domain *
pkram_iommu_first(const struct pkram_container *c)
{
	return list_first_entry(&c->domains, struct pkram_domain,
				list)->domain;
}

/** pkram_iommu_page_size() - Get the smallest page size of all domains */
static inline u64 pkram_iommu_page_size(const struct pkram_container *c)
{
	return 1ULL << __ffs64(c->pgsizes);
}

/**
 * pkram_iommu_map() - Map contiguous memory in every domain
 * @c: container
 * @iova: address for devices
 * @phys: address of the memory
 * @size: in bytes
 * @prot: IOMMU_READ, IOMMU_WRITE
 *
 * Return: 0, or an error: then no domain maps it.
 */
int pkram_iommu_map(struct pkram_container *c, u64 iova, phys_addr_t phys,
		    u64 size, int prot);

/**
 * pkram_iommu_unmap() - Unmap a range from every domain
 * @c: container
 * @iova: range
 * @size: in bytes
 *
 * Return: true if no device can reach the memory any more; on false the caller must
 * never release the memory.
 */
bool pkram_iommu_unmap(struct pkram_container *c, u64 iova, u64 size);

/** pkram_iommu_coherent() - Check that every domain makes all DMA coherent */
bool pkram_iommu_coherent(struct pkram_container *c);

#endif /* _PKRAM_VFIO_IOMMU_H */
