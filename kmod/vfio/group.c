// SPDX-License-Identifier: GPL-2.0
/*
 * Attach groups of devices to IOMMU domains. Groups with the same kind of IOMMU share a
 * domain; each additional domain gets all mappings.
 *
 * x86 only: the IOMMU remaps interrupts, which need no mapping of their own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "store/dma_table.h"
#include "vfio/group.h"
#include "vfio/map.h"
#include "vfio/mapping.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "accept devices without interrupt remapping: a guest can then send any interrupt");

static bool share_domains = true;
module_param(share_domains, bool, 0644);
MODULE_PARM_DESC(share_domains,
		 "let groups of a container share page tables where possible (default); off for tests");

/* Copying all mappings to an additional domain */

static int group_copy_mapping(struct pkram_container *c, struct pkram_domain *d,
			      struct pkram_mapping *m)
{
	phys_addr_t phys;
	u64 pos = 0, len;
	int err = 0;
	u32 i;

	for (i = 0; !err && i < m->nr_segs; i++) {
		while (!err && pos < m->segs[i].pos + m->segs[i].len) {
			len = pkram_mapping_extent(c, m, i, pos, &phys);
			if (len)
				err = iommu_map(d->domain, m->dma.first + pos,
						phys, len, m->prot | IOMMU_CACHE,
						GFP_KERNEL_ACCOUNT);
			else
				err = -EIO;
			if (!err)
				pos += len;
			cond_resched();
		}
	}
	if (err && pos)
		iommu_unmap(d->domain, m->dma.first, pos);
	return err;
}

static void group_unmap_mappings(struct pkram_container *c, struct pkram_domain *d,
				 u32 nr)
{
	struct pkram_mapping *m;

	while (nr--) {
		m = pkram_mapping_of(c->table.dma[nr]);
		iommu_unmap(d->domain, m->dma.first, pkram_mapping_size(m));
		cond_resched();
	}
}

static int group_copy_mappings(struct pkram_container *c, struct pkram_domain *d)
{
	int err;
	u32 i;

	for (i = 0; i < c->table.nr; i++) {
		err = group_copy_mapping(c, d, pkram_mapping_of(c->table.dma[i]));
		if (err) {
			group_unmap_mappings(c, d, i);
			return err;
		}
	}
	return 0;
}

/* The ranges that may be mapped */

static int group_exclude_reserved(struct pkram_runs *open, struct iommu_group *group)
{
	struct iommu_resv_region *region, *next;
	LIST_HEAD(regions);
	int err;

	err = iommu_get_group_resv_regions(group, &regions);
	list_for_each_entry_safe(region, next, &regions, list) {
		/* Only the firmware needs a relaxable region. */
		if (!err && region->type != IOMMU_RESV_DIRECT_RELAXABLE)
			err = pkram_runs_exclude(open, region->start,
						 region->start +
						 region->length - 1);
		list_del(&region->list);
		kfree(region);
	}
	return err;
}

/* Consider all groups of @c and of @extra, a domain not in @c yet, or NULL. */
static int group_find_open(struct pkram_container *c, struct pkram_domain *extra,
			   struct pkram_runs *open)
{
	u64 first = 0, last = U64_MAX;
	struct pkram_domain *d;
	struct pkram_group *g;
	int err;

	if (extra)
		list_add(&extra->list, &c->domains);
	list_for_each_entry(d, &c->domains, list) {
		first = max_t(u64, first, d->domain->geometry.aperture_start);
		last = min_t(u64, last, d->domain->geometry.aperture_end);
	}
	err = first > last ? -EINVAL : pkram_runs_set(open, first, last);
	list_for_each_entry(d, &c->domains, list)
		list_for_each_entry(g, &d->groups, list)
			err = err ?: group_exclude_reserved(open, g->group);
	if (extra)
		list_del(&extra->list);
	return err;
}

static void group_set_open(struct pkram_container *c, struct pkram_runs *open)
{
	pkram_runs_free(&c->open);
	c->open = *open;
	memset(open, 0, sizeof(*open));
}

/* Keep the page sizes that all domains have; report smaller ones as PAGE_SIZE. */
static void group_update_pgsizes(struct pkram_container *c)
{
	struct pkram_domain *d;

	c->pgsizes = ULONG_MAX;
	list_for_each_entry(d, &c->domains, list)
		c->pgsizes &= d->domain->pgsize_bitmap;
	if (c->pgsizes & ~PAGE_MASK) {
		c->pgsizes &= PAGE_MASK;
		c->pgsizes |= PAGE_SIZE;
	}
}

/* Groups */

static struct pkram_group *group_find(struct pkram_container *c,
				      const struct iommu_group *group,
				      struct pkram_domain **in)
{
	struct pkram_domain *d;
	struct pkram_group *g;

	list_for_each_entry(d, &c->domains, list) {
		list_for_each_entry(g, &d->groups, list) {
			if (g->group == group) {
				*in = d;
				return g;
			}
		}
	}
	return NULL;
}

/* Any device of a group can allocate the domain for it. */
static int group_alloc_domain(struct device *dev, void *domain)
{
	*(struct iommu_domain **)domain = iommu_paging_domain_alloc(dev);
	return 1;
}

static void group_destroy_domain(struct pkram_domain *d)
{
	struct pkram_group *g, *next;

	list_for_each_entry_safe(g, next, &d->groups, list)
		kfree(g);
	if (!IS_ERR_OR_NULL(d->domain))
		iommu_domain_free(d->domain);
	kfree(d);
}

/* Create a domain for a group, which is not attached yet. */
static struct pkram_domain *group_create_domain(struct iommu_group *group)
{
	struct pkram_domain *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	struct pkram_group *g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);
	int err;

	if (!d || !g) {
		kfree(d);
		kfree(g);
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&d->groups);
	g->group = group;
	list_add(&g->list, &d->groups);
	iommu_group_for_each_dev(group, &d->domain, group_alloc_domain);
	if (IS_ERR_OR_NULL(d->domain)) {
		err = d->domain ? PTR_ERR(d->domain) : -ENODEV;
		group_destroy_domain(d);
		return ERR_PTR(err);
	}
	return d;
}

static bool group_same_kind(const struct pkram_domain *a, const struct pkram_domain *b)
{
	return a->domain->ops == b->domain->ops && a->coherent == b->coherent;
}

/*
 * Move the group of @d to an existing domain that accepts it. Return: 1 if moved; 0 if
 * no domain accepts it and it stays in @d; an error if it is in no domain.
 */
static int group_join_domain(struct pkram_container *c, struct pkram_domain *d,
			     struct iommu_group *group)
{
	struct pkram_domain *other;

	if (!share_domains || list_empty(&c->domains))
		return 0;
	iommu_detach_group(d->domain, group);
	list_for_each_entry(other, &c->domains, list) {
		if (!group_same_kind(other, d) ||
		    iommu_attach_group(other->domain, group))
			continue;
		list_splice_tail_init(&d->groups, &other->groups);
		return 1;
	}
	return iommu_attach_group(d->domain, group);
}

/* Add @d, to which its group is attached, to the domains of @c. */
static int group_add_domain(struct pkram_container *c, struct pkram_domain *d)
{
	int err = group_copy_mappings(c, d);

	if (err)
		return err;
	/* At the end, because pages.c looks up pages in the first domain. */
	list_add_tail(&d->list, &c->domains);
	group_update_pgsizes(c);
	return 0;
}

static int group_may_attach(struct pkram_container *c, struct pkram_domain *d,
			    struct iommu_group *group, struct pkram_runs *open)
{
	int err = group_find_open(c, d, open);

	if (err)
		return err;
	if (!open->nr || !pkram_runs_fit(open, &c->table))
		return -EINVAL;
	if (!allow_unsafe_interrupts && !iommu_group_has_isolated_msi(group)) {
		pr_warn("group %d: no interrupt remapping; set allow_unsafe_interrupts=1 to accept it\n",
			iommu_group_id(group));
		return -EPERM;
	}
	return 0;
}

static int group_attach(struct pkram_container *c, struct iommu_group *group)
{
	struct pkram_runs open = {};
	struct pkram_domain *d;
	int ret;

	d = group_create_domain(group);
	if (IS_ERR(d))
		return PTR_ERR(d);
	ret = iommu_attach_group(d->domain, group);
	if (ret)
		goto err_destroy;
	ret = group_may_attach(c, d, group, &open);
	if (ret)
		goto err_detach;
	/* KVM assumes that this is enabled where possible. */
	if (d->domain->ops->enforce_cache_coherency)
		d->coherent = d->domain->ops->enforce_cache_coherency(d->domain);
	ret = group_join_domain(c, d, group);
	if (ret < 0)
		goto err_destroy;
	if (ret) {
		group_destroy_domain(d);
	} else {
		ret = group_add_domain(c, d);
		if (ret)
			goto err_detach;
	}
	group_set_open(c, &open);
	return 0;

err_detach:
	iommu_detach_group(d->domain, group);
err_destroy:
	group_destroy_domain(d);
	pkram_runs_free(&open);
	return ret;
}

int pkram_group_attach(struct pkram_container *c, struct iommu_group *group)
{
	struct pkram_domain *in;
	int err;

	mutex_lock(&c->lock);
	/* As type1 does; but restored mappings had no user address yet. */
	if (c->table.nr_invalid && !c->restored)
		err = -EBUSY;
	else if (group_find(c, group, &in))
		err = -EINVAL;
	else
		err = group_attach(c, group);
	mutex_unlock(&c->lock);
	return err;
}

/*
 * Remove all mappings. Keep a suspended DMA table for a later restore; remove a running
 * one, because devices may have been in use since.
 */
static void group_release_table(struct pkram_container *c)
{
	struct pkram_object *table = c->dma_table;

	c->dma_table = NULL;
	pkram_map_unmap_all(c);
	if (table)
		pkram_dma_table_put(table, !c->running);
}

void pkram_group_detach(struct pkram_container *c, struct iommu_group *group)
{
	struct pkram_runs open = {};
	struct pkram_domain *d;
	struct pkram_group *g;

	mutex_lock(&c->lock);
	g = group_find(c, group, &d);
	if (!g)
		goto unlock;
	iommu_detach_group(d->domain, group);
	list_del(&g->list);
	kfree(g);
	if (list_empty(&d->groups)) {
		/* A container without devices may not keep mappings. */
		if (list_is_singular(&c->domains))
			group_release_table(c);
		else
			group_unmap_mappings(c, d, c->table.nr);
		list_del(&d->list);
		group_destroy_domain(d);
		group_update_pgsizes(c);
	}
	/* Keep the old ranges if there is no memory for new ones. */
	if (!list_empty(&c->domains) && !group_find_open(c, NULL, &open))
		group_set_open(c, &open);
	pkram_runs_free(&open);
unlock:
	mutex_unlock(&c->lock);
}
