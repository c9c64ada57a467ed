// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "handover/e820.h"

struct e820_table *pkram_e820_alloc(u32 nr)
{
	struct e820_table *table;

	table = kmalloc(offsetof(struct e820_table, entries) +
			nr * sizeof(struct e820_entry), GFP_KERNEL);
	if (table)
		table->nr_entries = 0;
	return table;
}

bool pkram_e820_plausible(const struct e820_table *table)
{
	const struct e820_entry *entry;
	bool ram = false;
	u64 end = 0;

	if (!table || table->nr_entries > E820_MAX_ENTRIES)
		return false;
	for (entry = table->entries; entry < pkram_e820_stop(table); entry++) {
		if (!entry->size || entry->addr < end ||
		    pkram_e820_end(entry) < entry->addr)
			return false;
		end = pkram_e820_end(entry);
		ram |= entry->type == E820_TYPE_RAM;
	}
	return ram;
}

bool pkram_e820_equal(const struct e820_table *a, const struct e820_table *b)
{
	return a->nr_entries == b->nr_entries &&
	       !memcmp(a->entries, b->entries,
		       a->nr_entries * sizeof(struct e820_entry));
}

u64 pkram_e820_bytes(const struct e820_table *table, u64 base, u64 end,
		     u32 type)
{
	const struct e820_entry *entry;
	u64 bytes = 0;

	for (entry = table->entries; entry < pkram_e820_stop(table); entry++)
		if (entry->type == type && entry->addr < end &&
		    pkram_e820_end(entry) > base)
			bytes += min(pkram_e820_end(entry), end) -
				 max_t(u64, entry->addr, base);
	return bytes;
}

bool pkram_e820_reserves(const struct e820_table *table)
{
	return pkram_e820_bytes(table, 0, U64_MAX, PKRAM_E820_TYPE);
}

bool pkram_e820_fits(const struct e820_table *table)
{
	return table->nr_entries <= E820_MAX_ENTRIES_ZEROPAGE;
}

bool pkram_e820_is_boot_params(const void *buf, unsigned long len)
{
	const struct boot_params *params = buf;

	/* As bzImage64_probe() of the kernel checks the header that was copied to it. */
	return len >= sizeof(*params) && params->hdr.boot_flag == 0xaa55 &&
	       !memcmp(&params->hdr.header, "HdrS", 4);
}

/* Bytes of [@base, @end) that boot parameters reserve for a pool */
static u64 e820_params_bytes(const struct boot_params *params, u64 base, u64 end)
{
	u64 bytes = 0, first, last;
	u32 i, nr = min_t(u32, params->e820_entries, E820_MAX_ENTRIES_ZEROPAGE);

	for (i = 0; i < nr; i++) {
		first = max_t(u64, params->e820_table[i].addr, base);
		last = min_t(u64, params->e820_table[i].addr +
			     params->e820_table[i].size, end);
		if ((u32)params->e820_table[i].type == PKRAM_E820_TYPE && first < last)
			bytes += last - first;
	}
	return bytes;
}

bool pkram_e820_passed_on(const struct e820_table *table,
			  const struct boot_params *params)
{
	const struct e820_entry *entry;

	for (entry = table->entries; entry < pkram_e820_stop(table); entry++)
		if (entry->type == PKRAM_E820_TYPE &&
		    e820_params_bytes(params, entry->addr, pkram_e820_end(entry)) !=
		    entry->size)
			return false;
	return true;
}

void pkram_e820_append(struct e820_table *table, u64 base, u64 end, u32 type)
{
	struct e820_entry *entry = table->entries + table->nr_entries;

	if (base >= end)
		return;
	if (table->nr_entries && entry[-1].type == type &&
	    pkram_e820_end(entry - 1) == base &&
	    (type == E820_TYPE_RAM || type == PKRAM_E820_TYPE)) {
		entry[-1].size += end - base;
		return;
	}
	entry->addr = base;
	entry->size = end - base;
	entry->type = type;
	table->nr_entries++;
}

struct e820_table *pkram_e820_retype(const struct e820_table *old, u64 base,
				     u64 end, u32 from, u32 to)
{
	const struct e820_entry *entry;
	struct e820_table *new;

	new = pkram_e820_alloc(old->nr_entries + 2);	/* space for two splits */
	if (!new)
		return NULL;
	for (entry = old->entries; entry < pkram_e820_stop(old); entry++) {
		u64 first = entry->addr, last = pkram_e820_end(entry);
		u64 cut = clamp(base, first, last);
		u64 cut_end = clamp(end, first, last);

		pkram_e820_append(new, first, cut, entry->type);
		pkram_e820_append(new, cut, cut_end,
				  entry->type == from ? to : entry->type);
		pkram_e820_append(new, cut_end, last, entry->type);
	}
	return new;
}

/* Return the end of the memmap=SIZE$START on @cmdline that covers @at; 0: none does. */
static u64 e820_cmdline_reserves(const char *cmdline, u64 at)
{
	static const char word[] = "memmap=";
	const char *p = cmdline;
	u64 base, size;
	char *q;

	while ((p = strstr(p, word))) {
		bool starts = p == cmdline || isspace(p[-1]);

		p += strlen(word);
		while (starts) {
			size = memparse(p, &q);
			if (*q == '$') {
				base = memparse(q + 1, &q);
				if (base <= at && at - base < size)
					return base + size;
			}
			p += strcspn(p, ", \t\n");
			if (*p != ',')
				break;
			p++;
		}
	}
	return 0;
}

bool pkram_e820_cmdline_covers(const char *cmdline, u64 base, u64 end)
{
	u64 next;

	while (base < end) {
		next = e820_cmdline_reserves(cmdline, base);
		if (next <= base)
			return false;
		base = next;
	}
	return true;
}
