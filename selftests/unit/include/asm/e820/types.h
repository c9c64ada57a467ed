/* SPDX-License-Identifier: GPL-2.0 */
/* What kmod/handover/e820.c takes from the kernel's private header of this name. */
#ifndef _PKRAM_TEST_E820_TYPES_H
#define _PKRAM_TEST_E820_TYPES_H

#include <linux/types.h>

#define E820_MAX_ENTRIES	320

enum e820_type {
	E820_TYPE_RAM = 1,
};

struct e820_entry {
	__u64 addr;
	__u64 size;
	__u32 type;
} __attribute__((packed));

struct e820_table {
	__u32 nr_entries;
	struct e820_entry entries[E820_MAX_ENTRIES];
};

#endif /* _PKRAM_TEST_E820_TYPES_H */
