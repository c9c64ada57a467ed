// SPDX-License-Identifier: GPL-2.0
/*
 * Map memory outside the pool, pinned page by page. Pinned pages are not recorded: the
 * IOMMU's page tables tell which they are.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "vfio/iommu.h"
#include "vfio/pages.h"

#define PAGES_AT_ONCE	(PAGE_SIZE / sizeof(struct page *))

static void pages_unpin(unsigned long pfn, unsigned long nr, int prot)
{
	unpin_user_page_range_dirty_lock(pfn_to_page(pfn), nr,
					 prot & IOMMU_WRITE);
}

/* Map a run of pinned pages; unpin them on failure. */
static int pages_map_run(struct pkram_container *c, struct pkram_mapping *m,
			 const struct pkram_page_run *run)
{
	u64 len = (u64)run->nr << PAGE_SHIFT;
	int err;

	if (!run->nr)
		return 0;
	err = pkram_iommu_map(c, m->dma.first + m->mapped,
			      PFN_PHYS(run->pfn), len, m->prot);
	if (err)
		pages_unpin(run->pfn, run->nr, m->prot);
	else
		m->mapped += len;
	return err;
}

/*
 * Add pinned pages to a run. Map a run that ends, and start the next one. On failure
 * unpin all of the pages and the run.
 */
static int pages_add_to_run(struct pkram_container *c, struct pkram_mapping *m,
			    struct page **pages, long nr, struct pkram_page_run *run)
{
	unsigned long pfn;
	int err;
	long i;

	for (i = 0; i < nr; i++) {
		pfn = page_to_pfn(pages[i]);
		if (run->nr && pfn == run->pfn + run->nr) {
			run->nr++;
			continue;
		}
		err = pages_map_run(c, m, run);
		if (err) {
			unpin_user_pages(pages + i, nr - i);
			return err;
		}
		run->pfn = pfn;
		run->nr = 1;
	}
	return 0;
}

int pkram_pages_map(struct pkram_container *c, struct pkram_mapping *m,
		    u64 vaddr, u64 len)
{
	unsigned int flags = FOLL_LONGTERM;
	struct pkram_page_run run = {};
	struct page **pages;
	int err = 0;
	long n;

	pages = (struct page **)__get_free_page(GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	if (m->prot & IOMMU_WRITE)
		flags |= FOLL_WRITE;
	while (len && !err) {
		n = pin_user_pages_fast(vaddr, min_t(u64, len >> PAGE_SHIFT,
						     PAGES_AT_ONCE),
					flags, pages);
		if (n <= 0) {
			if (run.nr)
				pages_unpin(run.pfn, run.nr, m->prot);
			run.nr = 0;
			err = n ?: -EFAULT;
			break;
		}
		err = pages_add_to_run(c, m, pages, n, &run);
		vaddr += (u64)n << PAGE_SHIFT;
		len -= (u64)n << PAGE_SHIFT;
		cond_resched();
	}
	if (!err)
		err = pages_map_run(c, m, &run);
	free_page((unsigned long)pages);
	return err;
}

u64 pkram_pages_extent(struct pkram_container *c, u64 iova, u64 len,
		       phys_addr_t *phys)
{
	struct iommu_domain *domain = pkram_iommu_first(c);
	u64 n = PAGE_SIZE;

	*phys = iommu_iova_to_phys(domain, iova);
	if (WARN_ON_ONCE(!*phys))
		return 0;
	while (n < len &&
	       iommu_iova_to_phys(domain, iova + n) == *phys + n)
		n += PAGE_SIZE;
	return n;
}

/* Unmap as many runs at once as fit into @runs, to flush the IOMMU once for them. */
void pkram_pages_unmap(struct pkram_container *c, u64 iova, u64 len, int prot)
{
	phys_addr_t phys;
	u64 done, n;
	u32 nr, i;

	for (; len; iova += done, len -= done) {
		done = 0;
		for (nr = 0; nr < PKRAM_PAGE_RUNS && done < len; nr++) {
			n = pkram_pages_extent(c, iova + done, len - done,
					       &phys);
			/* Cannot happen; keep the pages pinned if it does. */
			if (!n)
				return;
			c->runs[nr].pfn = PHYS_PFN(phys);
			c->runs[nr].nr = n >> PAGE_SHIFT;
			done += n;
		}
		if (!pkram_iommu_unmap(c, iova, done))
			return;
		for (i = 0; i < nr; i++)
			pages_unpin(c->runs[i].pfn, c->runs[i].nr, prot);
		cond_resched();
	}
}
