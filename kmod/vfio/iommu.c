// SPDX-License-Identifier: GPL-2.0
/*
 * Map memory in the IOMMU domains of a container: each domain has every mapping.
 */
#include <linux/sched.h>
#include "vfio/iommu.h"

int pkram_iommu_map(struct pkram_container *c, u64 iova, phys_addr_t phys,
		    u64 size, int prot)
{
	struct pkram_domain *d;
	int err;

	list_for_each_entry(d, &c->domains, list) {
		err = iommu_map(d->domain, iova, phys, size,
				prot | IOMMU_CACHE, GFP_KERNEL_ACCOUNT);
		if (err)
			goto err_unmap;
		cond_resched();
	}
	return 0;

err_unmap:
	list_for_each_entry_continue_reverse(d, &c->domains, list)
		iommu_unmap(d->domain, iova, size);
	return err;
}

bool pkram_iommu_unmap(struct pkram_container *c, u64 iova, u64 size)
{
	struct pkram_domain *d;
	bool sure = true;

	list_for_each_entry(d, &c->domains, list) {
		if (iommu_unmap(d->domain, iova, size) != size)
			sure = false;
		cond_resched();
	}
	WARN_ONCE(!sure, "pkram_vfio: cannot unmap %#llx bytes at %#llx: their memory stays pinned",
		  size, iova);
	return sure;
}

bool pkram_iommu_coherent(struct pkram_container *c)
{
	struct pkram_domain *d;

	list_for_each_entry(d, &c->domains, list)
		if (!d->coherent)
			return false;
	return true;
}
