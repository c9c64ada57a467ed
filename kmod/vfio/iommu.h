/* SPDX-License-Identifier: GPL-2.0 */
/* The IOMMU domains of a container: page tables */
#ifndef _PKRAM_VFIO_IOMMU_H
#define _PKRAM_VFIO_IOMMU_H

#include "vfio/private.h"

/** pkram_iommu_first() - some domain of a container that has one */
static inline struct iommu_domain *
pkram_iommu_first(const struct pkram_container *c)
{
	return list_first_entry(&c->domains, struct pkram_domain,
				list)->domain;
}

static inline u64 pkram_iommu_page_size(const struct pkram_container *c)
{
	return 1ULL << __ffs64(c->pgsizes);
}

/** pkram_iommu_map() - in all domains, or none. Context: container locked. */
int pkram_iommu_map(struct pkram_container *c, u64 iova, phys_addr_t phys,
		    u64 size, int prot);

/**
 * pkram_iommu_unmap() - in all domains
 *
 * Return: is it sure that no device reaches it any more? If not, what was mapped must
 * not be let go of, ever.
 */
bool pkram_iommu_unmap(struct pkram_container *c, u64 iova, u64 size);

/** pkram_iommu_coherent() - does each domain make all DMA coherent? */
bool pkram_iommu_coherent(struct pkram_container *c);

#endif /* _PKRAM_VFIO_IOMMU_H */
