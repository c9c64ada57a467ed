// SPDX-License-Identifier: GPL-2.0
/* The memory map: see iomem.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include "mem/iomem.h"

#define RESOURCE_NAME	"pkram"

int pkram_iomem_check_free(u64 base, u64 size)
{
	return region_intersects(base, size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) == REGION_DISJOINT ?
	       0 : -EADDRINUSE;
}

/*
 * The resource tree is walked without its lock, which modules cannot take.
 * Top-level entries are those of the boot's memory map and of hotplugged memory;
 * every walk and change of them here takes this lock. Order: a region's
 * populate_lock, this, the kernel's hotplug lock.
 */
static DEFINE_MUTEX(iomem_lock);

static bool iomem_is_ram(const struct resource *res)
{
	return (res->flags & IORESOURCE_SYSTEM_RAM) == IORESOURCE_SYSTEM_RAM;
}

u64 pkram_iomem_next_ram(u64 below, u64 unit, int node)
{
	struct resource *res;
	u64 base, best = 0;
	struct page *page;

	mutex_lock(&iomem_lock);
	for (res = iomem_resource.child; res; res = res->sibling) {
		if (!iomem_is_ram(res) || res->start >= below)
			continue;
		base = round_down(min_t(u64, res->end + 1, below), unit);
		for (; base > best && base - unit >= res->start; base -= unit) {
			page = pfn_to_online_page(PHYS_PFN(base - unit));
			if (!page)
				continue;
			if (node != NUMA_NO_NODE && page_to_nid(page) != node)
				continue;
			best = base - unit;
			break;
		}
	}
	mutex_unlock(&iomem_lock);
	return best;
}

/*
 * Remove children of a System RAM entry ("Kernel code" ...) temporarily. Before
 * 7.x the kernel cannot cut a piece out of an entry that has children above the
 * cut: it warns, reports success, and leaves the piece marked as System RAM. So
 * the children are removed during the cut.
 */
void pkram_iomem_begin_remove(struct pkram_iomem_cut *cut, u64 base)
{
	struct resource *res, *child;

	mutex_lock(&iomem_lock);
	cut->nr = 0;
	for (res = iomem_resource.child; res; res = res->sibling)
		if (iomem_is_ram(res) && res->start <= base && base <= res->end)
			break;
	while (res && res->child && cut->nr < PKRAM_IOMEM_MAX_CHILDREN) {
		child = res->child;
		if (release_resource(child))
			break;
		cut->res[cut->nr++] = child;
	}
}

void pkram_iomem_begin_clean_up(struct pkram_iomem_cut *cut, u64 base)
{
	struct resource *res;

	mutex_lock(&iomem_lock);
	cut->nr = 0;
	for (res = iomem_resource.child; res; res = res->sibling)
		if (res->start <= base && base <= res->end)
			break;
	if (res && !release_resource(res))
		cut->res[cut->nr++] = res;
}

void pkram_iomem_end(struct pkram_iomem_cut *cut)
{
	while (cut->nr--)
		if (insert_resource(&iomem_resource, cut->res[cut->nr]))
			pr_warn("could not put %s back into the memory map\n",
				cut->res[cut->nr]->name);
	mutex_unlock(&iomem_lock);
}

/* Memory map entries */

/* In @desc of the entries that this module made, now or before a reload */
#define DESC_OURS	0x706b72616dUL

static struct resource *iomem_new(const char *name, u64 start, u64 end,
				  unsigned long flags)
{
	struct resource *res = kzalloc(sizeof(*res), GFP_KERNEL);

	if (!res)
		return NULL;
	/* The name is never freed: entries may outlive the module. */
	res->name = kstrdup(name, GFP_KERNEL);
	if (!res->name) {
		kfree(res);
		return NULL;
	}
	res->start = start;
	res->end = end;
	res->flags = flags;
	res->desc = DESC_OURS;
	return res;
}

static void iomem_free(struct resource *res)
{
	if (!res)
		return;
	kfree(res->name);
	kfree(res);
}

/*
 * Make space at [start, end]: a non-RAM entry that covers it (the firmware's
 * "Unknown E820 type", "Reserved" by memmap=, or one that the module left before a
 * reload) is cut around it. Entries of the boot are not freed, as they are not
 * from kmalloc; those of an earlier cut are.
 */
static int iomem_carve(u64 start, u64 end)
{
	struct resource *res, *left = NULL, *right = NULL;

again:
	for (res = iomem_resource.child; res; res = res->sibling)
		if (res->start <= end && start <= res->end)
			break;
	if (!res)
		return 0;
	if (iomem_is_ram(res) || res->child)
		return -EADDRINUSE;
	if (res->start < start) {
		left = iomem_new(res->name, res->start, start - 1,
				 res->flags);
		if (!left)
			return -ENOMEM;
	}
	if (res->end > end) {
		right = iomem_new(res->name, end + 1, res->end, res->flags);
		if (!right) {
			iomem_free(left);
			return -ENOMEM;
		}
	}
	release_resource(res);
	if (left && insert_resource(&iomem_resource, left))
		iomem_free(left);
	if (right && insert_resource(&iomem_resource, right))
		iomem_free(right);
	left = NULL;
	right = NULL;
	if (res->desc == DESC_OURS)
		iomem_free(res);
	goto again;
}

static void iomem_remove(struct pkram_region *r)
{
	lockdep_assert_held(&iomem_lock);
	while (r->nr_resources) {
		struct resource *res = r->resources[--r->nr_resources];

		remove_resource(res);
		iomem_free(res);
	}
}

void pkram_iomem_remove(struct pkram_region *r)
{
	mutex_lock(&iomem_lock);
	iomem_remove(r);
	mutex_unlock(&iomem_lock);
}

/* Find the next run of present GiB at or after *gib: [*gib, return). */
static u32 iomem_next_run(const struct pkram_region *r, u32 *gib)
{
	u32 end;

	while (*gib < r->h.nr_gib && !pkram_region_present(r, *gib))
		(*gib)++;
	for (end = *gib; pkram_region_present(r, end); end++)
		;
	return end;
}

static void iomem_free_all(struct resource **array, u32 nr)
{
	while (nr)
		iomem_free(array[--nr]);
	kfree(array);
}

/* Make an entry for each run of present GiB, without inserting it; or return NULL */
static struct resource **iomem_make(const struct pkram_region *r, u32 *nr)
{
	struct resource **array;
	u32 gib, end, runs = 0;

	for (gib = 0; (end = iomem_next_run(r, &gib)) > gib; gib = end)
		runs++;
	array = kcalloc(max(runs, 1U), sizeof(*array), GFP_KERNEL);
	if (!array)
		return NULL;
	*nr = 0;
	for (gib = 0; (end = iomem_next_run(r, &gib)) > gib; gib = end) {
		u64 start = pkram_header_gib_addr(&r->h, gib);
		u64 last = pkram_header_gib_addr(&r->h, end) - 1;

		array[*nr] = iomem_new(RESOURCE_NAME, start, last,
				       IORESOURCE_MEM | IORESOURCE_BUSY |
				       IORESOURCE_EXCLUSIVE);
		if (!array[*nr]) {
			iomem_free_all(array, *nr);
			return NULL;
		}
		(*nr)++;
	}
	return array;
}

int pkram_iomem_insert(struct pkram_region *r)
{
	struct resource **array;
	int err = 0;
	u32 nr, i;

	array = iomem_make(r, &nr);
	if (!array)
		return -ENOMEM;
	mutex_lock(&iomem_lock);
	iomem_remove(r);
	kfree(r->resources);
	r->resources = array;
	for (i = 0; i < nr && !err; i++) {
		err = iomem_carve(array[i]->start, array[i]->end);
		if (!err && insert_resource(&iomem_resource, array[i]))
			err = -EADDRINUSE;
		if (!err)
			r->nr_resources++;
	}
	mutex_unlock(&iomem_lock);
	for (i = r->nr_resources; i < nr; i++)
		iomem_free(array[i]);
	return err;
}
