// SPDX-License-Identifier: GPL-2.0
/*
 * Groups of devices, and their IOMMU domains. Groups whose IOMMU is of the same kind
 * share a domain; each further domain gets all mappings.
 *
 * x86 only: interrupts are remapped by the IOMMU, and need no mapping of their own.
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
		 "take devices whose interrupts are not remapped: a guest can then send any");

static bool share_domains = true;
module_param(share_domains, bool, 0644);
MODULE_PARM_DESC(share_domains,
		 "groups of a container share page tables where they can (default); off for tests");

/* A further domain gets what the others have */

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

/* What may be mapped */

static int group_exclude_reserved(struct pkram_runs *open, struct iommu_group *group)
{
	struct iommu_resv_region *region, *next;
	LIST_HEAD(regions);
	int err;

	err = iommu_get_group_resv_regions(group, &regions);
	list_for_each_entry_safe(region, next, &regions, list) {
		/* A relaxable one is for the firmware's own use of the device. */
		if (!err && region->type != IOMMU_RESV_DIRECT_RELAXABLE)
			err = pkram_runs_exclude(open, region->start,
						 region->start +
						 region->length - 1);
		list_del(&region->list);
		kfree(region);
	}
	return err;
}

/* @c's groups, and @extra, which is of no container yet, if that is not NULL */
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

/* All domains have these; what is smaller than a page is nobody's business. */
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

/* One device stands for all of its group. */
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

/* A domain with one group, which is not attached to it yet */
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
 * Move the group of @d to a domain that is there already, if one takes it. Return: 1;
 * 0 none does, and it is in @d; or an error: then it is in none.
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

/* It is attached to @d, a domain of its own, and can use what the others can. */
static int group_add_domain(struct pkram_container *c, struct pkram_domain *d)
{
	int err = group_copy_mappings(c, d);

	if (err)
		return err;
	/* At the end: the first one is whom pages.c asks. */
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
		pr_warn("group %d: interrupts are not remapped; allow_unsafe_interrupts=1 would take it\n",
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
	/* KVM takes it that this is done where it can be. */
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
	/* As type1; but what was adopted never had an address. */
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
 * The last group is gone. The table waits for who adopts it, unless there are user
 * addresses of its mappings: then nobody could know what devices do there.
 */
static void group_release_table(struct pkram_container *c)
{
	struct pkram_object *table = c->dma_table;

	c->dma_table = NULL;
	pkram_map_unmap_all(c);
	if (table)
		pkram_dma_table_put(table, !c->running);
}

void pkram_group_detach(struct pkram_container *c,
			struct iommu_group *group)
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
		/* Who has no device has no right to map either. */
		if (list_is_singular(&c->domains))
			group_release_table(c);
		else
			group_unmap_mappings(c, d, c->table.nr);
		list_del(&d->list);
		group_destroy_domain(d);
		group_update_pgsizes(c);
	}
	/* Without memory it stays as closed as it was. */
	if (!list_empty(&c->domains) && !group_find_open(c, NULL, &open))
		group_set_open(c, &open);
	pkram_runs_free(&open);
unlock:
	mutex_unlock(&c->lock);
}
