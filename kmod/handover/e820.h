/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory maps that one kernel passes to the next: e820 tables, and memmap= on the
 * command line. Only arithmetic; no lock, no state.
 */
#ifndef _PKRAM_E820_H
#define _PKRAM_E820_H

#include <linux/types.h>
#include <asm/bootparam.h>
#include <asm/e820/types.h>

/* The type of reserved memory */
#define PKRAM_E820_TYPE		0x504b

/* Return the address after the last entry. */
static inline const struct e820_entry *
pkram_e820_stop(const struct e820_table *table)
{
	return table->entries + table->nr_entries;
}

static inline u64 pkram_e820_end(const struct e820_entry *entry)
{
	return entry->addr + entry->size;
}

/**
 * pkram_e820_alloc() - Allocate an empty table
 * @nr: number of entries to allocate space for
 *
 * Context: may sleep. Return: a table for kfree(), or NULL.
 */
struct e820_table *pkram_e820_alloc(u32 nr);

/**
 * pkram_e820_plausible() - Check whether memory looks like a table of the kernel
 * @table: the memory; may be NULL
 *
 * Return: true if sorted, without overlap (as e820__update_table() leaves every
 * table) and with some RAM.
 */
bool pkram_e820_plausible(const struct e820_table *table);

/** pkram_e820_equal() - Compare two tables */
bool pkram_e820_equal(const struct e820_table *a, const struct e820_table *b);

/** pkram_e820_bytes() - Count the bytes of [@base, @end) that have the @type */
u64 pkram_e820_bytes(const struct e820_table *table, u64 base, u64 end,
		     u32 type);

/** pkram_e820_reserves() - Check whether a table has an entry of %PKRAM_E820_TYPE */
bool pkram_e820_reserves(const struct e820_table *table);

/**
 * pkram_e820_fits() - Check whether a kexec passes on a whole table
 *
 * struct boot_params has room for %E820_MAX_ENTRIES_ZEROPAGE entries.
 * setup_e820_entries() of the kernel drops what is beyond without a message.
 */
bool pkram_e820_fits(const struct e820_table *table);

/**
 * pkram_e820_is_boot_params() - Check whether a buffer begins with boot parameters
 * @buf: what kexec_file_load(2) is about to place
 * @len: its bytes
 */
bool pkram_e820_is_boot_params(const void *buf, unsigned long len);

/**
 * pkram_e820_passed_on() - Check whether boot parameters reserve what a table reserves
 * @table: all its ranges of %PKRAM_E820_TYPE must have that type in @params
 * @params: boot parameters of the next kernel
 */
bool pkram_e820_passed_on(const struct e820_table *table,
			  const struct boot_params *params);

/**
 * pkram_e820_append() - Add [@base, @end) after all other entries
 * @table: with space for one more
 * @base: not below the end of the last entry
 * @end: if not above @base, nothing happens
 * @type: RAM and %PKRAM_E820_TYPE merge with an adjacent last entry of the
 *	same type; entries of other types stay as the firmware made them
 */
void pkram_e820_append(struct e820_table *table, u64 base, u64 end, u32 type);

/**
 * pkram_e820_retype() - Copy a table with another type for a range
 * @old: sorted, without overlap
 * @base: start of the range
 * @end: end of the range
 * @from: only memory of this type changes
 * @to: the new type
 *
 * Context: may sleep. Return: a table for kfree(), or NULL.
 */
struct e820_table *pkram_e820_retype(const struct e820_table *old, u64 base,
				     u64 end, u32 from, u32 to);

/**
 * pkram_e820_cmdline_covers() - Check whether a command line reserves all of a
 * range
 * @cmdline: parsed as parse_memmap_one() of the kernel does
 * @base: start of the range
 * @end: end of the range
 *
 * Return: true if memmap=SIZE$START words, alone or several together, cover it.
 */
bool pkram_e820_cmdline_covers(const char *cmdline, u64 base, u64 end);

#endif /* _PKRAM_E820_H */
