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
 * Serializes this module's changes of the map. The resource tree has a lock of its own, which
 * modules cannot take: so it is read and changed only through exported functions that do.
 * Order: a region's populate_lock, this, the kernel's hotplug lock.
 */
static DEFINE_MUTEX(iomem_lock);

static bool iomem_is_ram(const struct resource *res)
{
	return (res->flags & IORESOURCE_SYSTEM_RAM) == IORESOURCE_SYSTEM_RAM;
}

struct iomem_search {
	u64 below;
	u64 unit;
	int node;
	u64 best;
};

static int iomem_search_ram(struct resource *res, void *arg)
{
	struct iomem_search *search = arg;
	u64 base = round_down(min_t(u64, res->end + 1, search->below), search->unit);
	struct page *page;

	for (; base > search->best && base - search->unit >= res->start; base -= search->unit) {
		page = pfn_to_online_page(PHYS_PFN(base - search->unit));
		if (page && (search->node == NUMA_NO_NODE ||
			     page_to_nid(page) == search->node)) {
			search->best = base - search->unit;
			break;
		}
	}
	return 0;
}

u64 pkram_iomem_next_ram(u64 below, u64 unit, int node)
{
	struct iomem_search search = { .below = below, .unit = unit, .node = node };

	/* Children of System RAM have its flags too; they make no other candidates. */
	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0,
			    below - 1, &search, iomem_search_ram);
	return search.best;
}

static int iomem_note_start(struct resource *res, void *arg)
{
	*(u64 *)arg = res->start;
	return 1;
}

/*
 * Find the first top-level entry that overlaps [start, end], more than a byte; NULL if none
 * does. An entry
 * of one byte is put into the tree for a moment: its ancestor is what is looked for.
 */
static struct resource *iomem_find(u64 start, u64 end)
{
	struct resource probe = {
		.name = RESOURCE_NAME,
		.flags = IORESOURCE_MEM,
	};
	struct resource *res;

	lockdep_assert_held(&iomem_lock);
	if (walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_MEM, start, end, &start,
				iomem_note_start) != 1)
		return NULL;
	probe.start = start;
	probe.end = start;
	if (insert_resource(&iomem_resource, &probe))
		return NULL;
	res = probe.parent;
	while (res->parent && res->parent != &iomem_resource)
		res = res->parent;
	remove_resource(&probe);
	return res == &iomem_resource ? NULL : res;
}

/* Free an entry as free_resource() of the kernel does: those of the boot are not from kmalloc. */
static void iomem_free_entry(struct resource *res)
{
	if (res && folio_test_slab(virt_to_folio(res)))
		kfree(res);
}

/* Make an entry for a part of another one, which lends it its name. */
static struct resource *iomem_new_part(const struct resource *whole, u64 start, u64 end)
{
	struct resource *res = kzalloc(sizeof(*res), GFP_KERNEL);

	if (!res)
		return NULL;
	res->name = whole->name;
	res->start = start;
	res->end = end;
	res->flags = whole->flags;
	res->desc = whole->desc;
	return res;
}

/* Put the whole entry back in place of its parts. */
static void iomem_join(struct pkram_iomem_cut *cut)
{
	struct resource *whole = cut->whole;

	whole->parent = NULL;
	whole->sibling = NULL;
	whole->child = NULL;
	/* It adopts the parts, and they leave it their children. */
	if (insert_resource(&iomem_resource, whole)) {
		pr_warn("%s is in parts in the memory map\n", whole->name);
		iomem_free_entry(whole);
		return;
	}
	while (cut->nr--) {
		remove_resource(cut->part[cut->nr]);
		kfree(cut->part[cut->nr]);
	}
}

/* Insert an entry's parts, which adopt its children, in its place. */
static int iomem_replace(struct pkram_iomem_cut *cut)
{
	u32 nr;

	for (nr = 0; nr < cut->nr; nr++) {
		/* -EBUSY: a child lies on both sides of the cut, so this memory is in use. */
		if (insert_resource(&iomem_resource, cut->part[nr]))
			goto undo;
	}
	remove_resource(cut->whole);
	return 0;
undo:
	while (nr--)
		remove_resource(cut->part[nr]);
	return -EBUSY;
}

/*
 * The kernel itself cuts removed memory out of an entry, but not out of one that has
 * children ("Kernel code", "Crash kernel") beside the cut: before 7.x it warns, reports
 * success, and leaves the memory marked as System RAM.
 */
int pkram_iomem_split(struct pkram_iomem_cut *cut, u64 base, u64 size)
{
	u64 end = base + size - 1, start[3], last[3];
	int err = 0;
	u32 i;

	memset(cut, 0, sizeof(*cut));
	mutex_lock(&iomem_lock);
	cut->whole = iomem_find(base, end);
	if (!cut->whole || !iomem_is_ram(cut->whole) || cut->whole->start > base ||
	    cut->whole->end < end) {
		/* Not System RAM, or of several entries: the kernel refuses it. */
		cut->whole = NULL;
		goto out;
	}
	if (cut->whole->start < base) {
		start[cut->nr] = cut->whole->start;
		last[cut->nr++] = base - 1;
	}
	start[cut->nr] = base;
	last[cut->nr++] = end;
	if (cut->whole->end > end) {
		start[cut->nr] = end + 1;
		last[cut->nr++] = cut->whole->end;
	}
	if (cut->nr == 1) {
		cut->whole = NULL;
		goto out;
	}
	for (i = 0; i < cut->nr && !err; i++) {
		cut->part[i] = iomem_new_part(cut->whole, start[i], last[i]);
		if (!cut->part[i])
			err = -ENOMEM;
	}
	if (!err)
		err = iomem_replace(cut);
	if (err) {
		while (cut->nr)
			kfree(cut->part[--cut->nr]);
		cut->whole = NULL;
	}
out:
	mutex_unlock(&iomem_lock);
	return err;
}

void pkram_iomem_end_split(struct pkram_iomem_cut *cut, bool removed)
{
	if (!cut->whole)
		return;
	mutex_lock(&iomem_lock);
	if (removed)
		iomem_free_entry(cut->whole);
	else
		iomem_join(cut);
	mutex_unlock(&iomem_lock);
}

struct resource *pkram_iomem_begin_clean_up(u64 base)
{
	struct resource *res;

	mutex_lock(&iomem_lock);
	res = iomem_find(base, base + 1);
	return res && !release_resource(res) ? res : NULL;
}

void pkram_iomem_end_clean_up(struct resource *res)
{
	if (res && insert_resource(&iomem_resource, res))
		pr_warn("could not put %s back into the memory map\n", res->name);
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
	res = iomem_find(start, end);
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
