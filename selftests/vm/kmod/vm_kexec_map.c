// SPDX-License-Identifier: GPL-2.0
/*
 * As long as this module is loaded, the map that kexec_file_load(2) hands on is another one
 * than pkram made, as a kernel would hand on that makes it in another way. The module's
 * parameters say what differs. Nothing that changes the pool may run meanwhile.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <asm/e820/types.h>

#define POOL	0x504b		/* the type of ranges of the pool */

static uint from;
module_param(from, uint, 0);
MODULE_PARM_DESC(from, "number of the first range of the pool to be changed");

static uint nr = UINT_MAX;
module_param(nr, uint, 0);
MODULE_PARM_DESC(nr, "how many ranges are changed");

static uint type = POOL;
module_param(type, uint, 0);
MODULE_PARM_DESC(type, "their type; 0: they are left out");

static ulong cut;
module_param(cut, ulong, 0);
MODULE_PARM_DESC(cut, "bytes that are missing at the end of each");

static uint before;
module_param(before, uint, 0);
MODULE_PARM_DESC(before, "number of entries to add in front of all others");

static struct e820_table **kernel_map;
static struct e820_table *pkram_map, *map;

/* As pkram finds it: what is registered is no code, but its address is known then. */
static struct e820_table **map_find(void)
{
	struct kprobe kp = { .symbol_name = "e820_table_kexec", .flags = KPROBE_FLAG_DISABLED };

	return register_kprobe(&kp) == -EINVAL ? (void *)kp.addr : NULL;
}

static void map_add(u64 addr, u64 size, u32 entry_type)
{
	struct e820_entry *entry = &map->entries[map->nr_entries++];

	entry->addr = addr;
	entry->size = size;
	entry->type = entry_type;
}

static int __init map_init(void)
{
	const struct e820_entry *entry;
	u32 i, range = 0;

	kernel_map = map_find();
	if (!kernel_map)
		return -ENOENT;
	pkram_map = *kernel_map;
	if (before > E820_MAX_ENTRIES - pkram_map->nr_entries)
		return -EINVAL;
	map = kvzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return -ENOMEM;
	for (i = 0; i < before; i++)
		map_add(i * PAGE_SIZE, PAGE_SIZE, E820_TYPE_RESERVED);
	for (i = 0; i < pkram_map->nr_entries; i++) {
		entry = &pkram_map->entries[i];
		if ((u32)entry->type != POOL || range < from || range - from >= nr)
			map_add(entry->addr, entry->size, entry->type);
		else if (type)
			map_add(entry->addr, entry->size - cut, type);
		range += (u32)entry->type == POOL;
	}
	WRITE_ONCE(*kernel_map, map);
	return 0;
}

static void __exit map_exit(void)
{
	WRITE_ONCE(*kernel_map, pkram_map);
	kvfree(map);
}

module_init(map_init);
module_exit(map_exit);
MODULE_DESCRIPTION("Another memory map for the next kernel, for tests");
MODULE_LICENSE("GPL");
