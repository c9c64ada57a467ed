// SPDX-License-Identifier: GPL-2.0
/*
 * Taking memory from the system and giving it back, and the entries of the
 * memory map (iomem resources) that go with it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include "compat/compat.h"
#include "mem/region.h"
#include "mem/take.h"

#define RESOURCE_NAME	"pkram"

/* What must stay available to the system after a unit is taken. */
#define KEEP_AVAILABLE	(256UL << 20)

int pkram_take_nid(u64 base)
{
	int nid = phys_to_target_node(base);

	if (nid == NUMA_NO_NODE)
		nid = memory_add_physaddr_to_nid(base);
	if (nid < 0 || nid >= MAX_NUMNODES || !node_online(nid))
		nid = first_online_node;
	return nid;
}

u64 pkram_region_take_unit(void)
{
	return max_t(u64, PKRAM_GIB, memory_block_size_bytes());
}

int pkram_region_check_free(u64 base, u64 size)
{
	return region_intersects(base, size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) == REGION_DISJOINT ?
	       0 : -EADDRINUSE;
}

/*
 * The resource tree is walked without its lock, which modules cannot take.
 * Top-level entries are those of the boot's memory map and of hotplugged
 * memory; whoever walks or changes them here holds this lock. Order: a region's
 * claim_lock, this, the kernel's hotplug lock.
 */
static DEFINE_MUTEX(entries_lock);

static bool is_ram(const struct resource *res)
{
	return (res->flags & IORESOURCE_SYSTEM_RAM) == IORESOURCE_SYSTEM_RAM;
}

u64 pkram_region_next_candidate(u64 below, int node)
{
	u64 unit = pkram_region_take_unit();
	struct resource *res;
	u64 base, best = 0;
	struct page *page;

	mutex_lock(&entries_lock);
	for (res = iomem_resource.child; res; res = res->sibling) {
		if (!is_ram(res) || res->start >= below)
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
	mutex_unlock(&entries_lock);
	return best;
}

/*
 * Children of a System RAM entry ("Kernel code" ...). Before 7.x the kernel
 * cannot cut a piece out of an entry that has children above the cut: it warns,
 * says it succeeded, and leaves the piece marked as System RAM. So they step
 * aside for the time of the cut.
 */
#define MAX_CHILDREN	32

static int detach_children(u64 base, struct resource **children)
{
	struct resource *res;
	int nr = 0;

	for (res = iomem_resource.child; res; res = res->sibling)
		if (is_ram(res) && res->start <= base && base <= res->end)
			break;
	if (!res)
		return 0;
	while (res->child && nr < MAX_CHILDREN) {
		children[nr] = res->child;
		if (release_resource(children[nr]))
			break;
		nr++;
	}
	return nr;
}

static void attach_children(struct resource **children, int nr)
{
	while (nr--)
		if (insert_resource(&iomem_resource, children[nr]))
			pr_warn("could not put %s back into the memory map\n",
				children[nr]->name);
}

static const char *take_error_text(int err)
{
	switch (err) {
	case -EBUSY:
		return "in use by the kernel, or by memory that cannot move";
	case -EINTR:
		return "interrupted";
	case -ENOMEM:
		return "too little memory would be left to the system";
	case -EADDRINUSE:
		return "still marked as System RAM after its removal";
	case -EINVAL:
		return "not memory that can be removed";
	default:
		return "the kernel refused to remove it";
	}
}

int pkram_region_take(u64 base, struct pkram_refusal *refusal)
{
	u64 size = pkram_region_take_unit();
	struct resource *children[MAX_CHILDREN];
	int err, nr;

	if ((u64)si_mem_available() << PAGE_SHIFT < size + KEEP_AVAILABLE) {
		err = -ENOMEM;
		goto out;
	}
	mutex_lock(&entries_lock);
	nr = detach_children(base, children);
	err = offline_and_remove_memory(base, size);
	attach_children(children, nr);
	mutex_unlock(&entries_lock);
	if (!err)
		err = pkram_region_check_free(base, size);
out:
	if (err) {
		refusal->base = base;
		refusal->size = size;
		refusal->err = err;
		refusal->reason = take_error_text(err);
	}
	return err;
}

bool pkram_take_has_memmap(u64 base, u64 size)
{
	u64 addr;

	for (addr = base; addr < base + size; addr += 1UL << SECTION_SIZE_BITS)
		if (pfn_valid(PHYS_PFN(addr)))
			return true;
	return false;
}

/*
 * remove_memory() takes away struct pages and the kernel's mapping as a whole: a
 * mapping by a 1G leaf cannot be taken away in part. It warns of those that
 * were not made. And it frees the entry of the memory map that it finds there,
 * which is not for it.
 */
void pkram_take_clean_up(u64 base, u64 size)
{
	struct resource *res;
	int err = -EINVAL;

	if (!pkram_take_has_memmap(base, size))
		return;
	mutex_lock(&entries_lock);
	for (res = iomem_resource.child; res; res = res->sibling)
		if (res->start <= base && base <= res->end)
			break;
	if (res)
		release_resource(res);
	if (IS_ALIGNED(base | size, memory_block_size_bytes()))
		err = remove_memory(base, size);
	if (res && insert_resource(&iomem_resource, res))
		pr_warn("could not put %s back into the memory map\n", res->name);
	mutex_unlock(&entries_lock);
	if (err)
		pr_err("memory at %#llx cannot be used until the next kexec: the kernel had no memory for its struct pages\n",
		       base);
}

/*
 * Memory added to a kernel that does not online by itself stays offline until
 * somebody says so. The one interface to that is sysfs.
 */
static int online_block(unsigned long id)
{
	static const char online[] = "online";
	char path[64], state[16] = "";
	struct file *file;
	loff_t pos = 0;
	ssize_t n;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/memory/memory%lu/state", id);
	file = filp_open(path, O_RDWR, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_read(file, state, sizeof(state) - 1, &pos);
	if (n > 0 && strncmp(state, online, strlen(online))) {
		pos = 0;
		n = kernel_write(file, online, strlen(online), &pos);
	}
	filp_close(file, NULL);
	return n < 0 ? n : 0;
}

int pkram_region_give(u64 base, u64 size, int nid)
{
	unsigned long block = memory_block_size_bytes();
	bool clean = !pkram_take_has_memmap(base, size);
	u64 addr;
	int err;

	err = add_memory(nid, base, size, MHP_NONE);
	if (err) {
		if (clean)
			pkram_take_clean_up(base, size);
		return err;
	}
	for (addr = base; addr < base + size; addr += block) {
		err = online_block(addr / block);
		if (err)
			pr_warn("memory at %#llx was given back but not put online (%d): write online to its state in /sys/devices/system/memory\n",
				addr, err);
	}
	return 0;
}

/* Memory map entries */

/* In @desc of those that are from here, in this life of the module or another */
#define DESC_OURS	0x706b72616dUL

static struct resource *new_resource(const char *name, u64 start, u64 end,
				     unsigned long flags)
{
	struct resource *res = kzalloc(sizeof(*res), GFP_KERNEL);

	if (!res)
		return NULL;
	/* The name is kept for good: entries may outlive the module. */
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

static void free_resource(struct resource *res)
{
	if (!res)
		return;
	kfree(res->name);
	kfree(res);
}

/*
 * Make room at [start, end]: a non-RAM entry that covers it (the firmware's
 * "Unknown E820 type", "Reserved" by memmap=, or one that an earlier life of
 * the module left) is cut around it. Boot's entries are not freed: they
 * are not kmalloc'ed; those that an earlier cut left are.
 */
static int carve(u64 start, u64 end)
{
	struct resource *res, *left = NULL, *right = NULL;

again:
	for (res = iomem_resource.child; res; res = res->sibling)
		if (res->start <= end && start <= res->end)
			break;
	if (!res)
		return 0;
	if (is_ram(res) || res->child)
		return -EADDRINUSE;
	if (res->start < start) {
		left = new_resource(res->name, res->start, start - 1,
				    res->flags);
		if (!left)
			return -ENOMEM;
	}
	if (res->end > end) {
		right = new_resource(res->name, end + 1, res->end, res->flags);
		if (!right) {
			free_resource(left);
			return -ENOMEM;
		}
	}
	release_resource(res);
	if (left && insert_resource(&iomem_resource, left))
		free_resource(left);
	if (right && insert_resource(&iomem_resource, right))
		free_resource(right);
	left = NULL;
	right = NULL;
	if (res->desc == DESC_OURS)
		free_resource(res);
	goto again;
}

static void remove_resources(struct pkram_region *r)
{
	lockdep_assert_held(&entries_lock);
	while (r->nr_resources) {
		struct resource *res = r->resources[--r->nr_resources];

		remove_resource(res);
		free_resource(res);
	}
}

void pkram_take_remove_resources(struct pkram_region *r)
{
	mutex_lock(&entries_lock);
	remove_resources(r);
	mutex_unlock(&entries_lock);
}

/* Next run of present GiB at or after *gib: [*gib, return). */
static u32 next_run(const struct pkram_region *r, u32 *gib)
{
	u32 end;

	while (*gib < r->h.nr_gib && !pkram_region_present(r, *gib))
		(*gib)++;
	for (end = *gib; pkram_region_present(r, end); end++)
		;
	return end;
}

static void free_resources(struct resource **array, u32 nr)
{
	while (nr)
		free_resource(array[--nr]);
	kfree(array);
}

/* An entry for each run of present GiB, not inserted; or NULL */
static struct resource **make_resources(const struct pkram_region *r, u32 *nr)
{
	struct resource **array;
	u32 gib, end, runs = 0;

	for (gib = 0; (end = next_run(r, &gib)) > gib; gib = end)
		runs++;
	array = kcalloc(max(runs, 1U), sizeof(*array), GFP_KERNEL);
	if (!array)
		return NULL;
	*nr = 0;
	for (gib = 0; (end = next_run(r, &gib)) > gib; gib = end) {
		u64 start = r->h.base + ((u64)gib << PKRAM_GIB_SHIFT);
		u64 last = r->h.base + ((u64)end << PKRAM_GIB_SHIFT) - 1;

		array[*nr] = new_resource(RESOURCE_NAME, start, last,
					  IORESOURCE_MEM | IORESOURCE_BUSY |
					  IORESOURCE_EXCLUSIVE);
		if (!array[*nr]) {
			free_resources(array, *nr);
			return NULL;
		}
		(*nr)++;
	}
	return array;
}

int pkram_take_insert_resources(struct pkram_region *r)
{
	struct resource **array;
	int err = 0;
	u32 nr, i;

	array = make_resources(r, &nr);
	if (!array)
		return -ENOMEM;
	mutex_lock(&entries_lock);
	remove_resources(r);
	kfree(r->resources);
	r->resources = array;
	for (i = 0; i < nr && !err; i++) {
		err = carve(array[i]->start, array[i]->end);
		if (!err && insert_resource(&iomem_resource, array[i]))
			err = -EADDRINUSE;
		if (!err)
			r->nr_resources++;
	}
	mutex_unlock(&entries_lock);
	for (i = r->nr_resources; i < nr; i++)
		free_resource(array[i]);
	return err;
}
