// SPDX-License-Identifier: GPL-2.0
/* Memory maps for the next kernel: what they pass on, and what does not fit. */
#include <stdlib.h>
#include <string.h>
#include "compat/tested.h"
#include "handover/e820.h"
#include "tap.h"

#define GIB	(1ULL << 30)

/* One entry of RAM from 0 to 1 TiB, with a GiB of each two GiB reserved @nr times */
static struct e820_table *map_with_holes(u32 nr)
{
	struct e820_table *map = pkram_e820_alloc(1), *next;

	pkram_e820_append(map, 0, 1024 * GIB, E820_TYPE_RAM);
	for (u32 i = 0; i < nr; i++) {
		next = pkram_e820_retype(map, (2 * i + 1) * GIB, (2 * i + 2) * GIB,
					 E820_TYPE_RAM, PKRAM_E820_TYPE);
		kfree(map);
		map = next;
	}
	return map;
}

/* What setup_e820_entries() of the kernel makes of a table */
static struct boot_params *params_of(const struct e820_table *map)
{
	struct boot_params *params = calloc(1, sizeof(*params));
	u32 n = map->nr_entries;

	if (n > E820_MAX_ENTRIES_ZEROPAGE)
		n = E820_MAX_ENTRIES_ZEROPAGE;
	params->hdr.boot_flag = 0xaa55;
	memcpy(&params->hdr.header, "HdrS", 4);
	params->e820_entries = n;
	for (u32 i = 0; i < n; i++) {
		params->e820_table[i].addr = map->entries[i].addr;
		params->e820_table[i].size = map->entries[i].size;
		params->e820_table[i].type = map->entries[i].type;
	}
	return params;
}

static void whole_map_is_passed_on(void)
{
	struct e820_table *map = map_with_holes(3);
	struct boot_params *params = params_of(map);

	CHECK(pkram_e820_passed_on(map, params));
	/* Cut in two by the next kernel's map, it is still all there. */
	params->e820_table[1].size = GIB / 2;
	params->e820_table[params->e820_entries++] = (struct boot_e820_entry) {
		.addr = GIB + GIB / 2, .size = GIB / 2, .type = PKRAM_E820_TYPE,
	};
	CHECK(pkram_e820_passed_on(map, params));
	free(params);
	kfree(map);
}

static void map_without_a_range_is_noticed(void)
{
	struct e820_table *map = map_with_holes(3);
	struct boot_params *params = params_of(map);

	params->e820_table[3].type = E820_TYPE_RAM;
	CHECK(!pkram_e820_passed_on(map, params));
	params->e820_table[3].type = PKRAM_E820_TYPE;
	params->e820_table[3].size--;
	CHECK(!pkram_e820_passed_on(map, params));
	params->e820_table[3].size++;
	params->e820_entries = 3;
	CHECK(!pkram_e820_passed_on(map, params));
	free(params);
	kfree(map);
}

static void entries_beyond_128_do_not_fit(void)
{
	struct e820_table *map = map_with_holes(63);
	struct boot_params *params;

	CHECK_EQ(map->nr_entries, 127);
	CHECK(pkram_e820_fits(map));
	kfree(map);
	map = map_with_holes(64);
	CHECK_EQ(map->nr_entries, 129);
	CHECK(!pkram_e820_fits(map));
	kfree(map);

	/* The last range of the pool is what the kernel drops. */
	map = map_with_holes(65);
	params = params_of(map);
	CHECK(!pkram_e820_passed_on(map, params));
	free(params);
	kfree(map);
}

static void boot_params_are_recognized(void)
{
	struct e820_table *map = map_with_holes(1);
	struct boot_params *params = params_of(map);

	CHECK(pkram_e820_is_boot_params(params, sizeof(*params)));
	CHECK(!pkram_e820_is_boot_params(params, sizeof(*params) - 1));
	params->hdr.boot_flag = 0;
	CHECK(!pkram_e820_is_boot_params(params, sizeof(*params)));
	free(params);
	kfree(map);
}

static void command_line_must_cover_a_range(void)
{
	CHECK(pkram_e820_cmdline_covers("quiet memmap=2G$4G", 4 * GIB, 6 * GIB));
	CHECK(pkram_e820_cmdline_covers("memmap=1G$5G,1G$4G", 4 * GIB, 6 * GIB));
	CHECK(!pkram_e820_cmdline_covers("memmap=1G$4G", 4 * GIB, 6 * GIB));
	CHECK(!pkram_e820_cmdline_covers("xmemmap=2G$4G", 4 * GIB, 6 * GIB));
	CHECK(!pkram_e820_cmdline_covers("", 4 * GIB, 6 * GIB));
}

static void only_tested_series_are_known(void)
{
	CHECK(pkram_kernel_tested(KERNEL_VERSION(6, 1, 176)));
	CHECK(pkram_kernel_tested(KERNEL_VERSION(6, 12, 0)));
	CHECK(pkram_kernel_tested(KERNEL_VERSION(7, 2, 12)));
	CHECK(pkram_kernel_tested(KERNEL_VERSION(7, 3, 4)));
	CHECK(!pkram_kernel_tested(KERNEL_VERSION(7, 1, 13)));
	CHECK(!pkram_kernel_tested(KERNEL_VERSION(7, 4, 0)));
	CHECK(!pkram_kernel_tested(KERNEL_VERSION(6, 13, 0)));
}

TAP_MAIN({ "whole_map_is_passed_on", whole_map_is_passed_on },
	 { "map_without_a_range_is_noticed", map_without_a_range_is_noticed },
	 { "entries_beyond_128_do_not_fit", entries_beyond_128_do_not_fit },
	 { "boot_params_are_recognized", boot_params_are_recognized },
	 { "command_line_must_cover_a_range", command_line_must_cover_a_range },
	 { "only_tested_series_are_known", only_tested_series_are_known })
