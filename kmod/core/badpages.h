/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The list of a region's bad pages: those that a memory error broke. It is kept as it
 * is written, in private memory of %PKRAM_BAD_SLOT bytes, so that a change needs none.
 *
 * Pages are numbered in the region: page / %PKRAM_UNIT_PAGES is the unit.
 */
#ifndef _PKRAM_BADPAGES_H
#define _PKRAM_BADPAGES_H

#include "core/slot.h"

/** pkram_badpages_init() - Make an empty list of the region at @base */
void pkram_badpages_init(struct pkram_bad_ser *list, u64 base);

/**
 * pkram_badpages_read() - Read the list of a region
 * @head: unit 0 of the region
 * @base: physical address of the region; must be the list's
 * @list: out; empty if no slot is valid
 * @mirror: out: the other slot differs and should be written again
 *
 * Return: %PKRAM_OK; %PKRAM_BAD_CHECKSUM no slot is valid; %PKRAM_BAD_FIELD the list is
 * impossible. The key is the caller's to check.
 */
enum pkram_bad pkram_badpages_read(const void *head, u64 base,
				   struct pkram_bad_ser *list, bool *mirror);

/**
 * pkram_badpages_write() - Write a list to both slots
 * @head: unit 0 of the region
 * @list: the list; gets the next number
 *
 * What is in the slots says which is written first, as for pkram_header_commit().
 */
void pkram_badpages_write(void *head, struct pkram_bad_ser *list);

/**
 * pkram_badpages_add() - Add a page
 * @list: list
 * @page: number of the page
 * @may_merge: whether a unit may become bad as a whole: not one of metadata, whose other pages
 *	are in use
 * @arg: its argument
 *
 * In a full list the unit with the most bad pages becomes bad as a whole, which makes
 * room. Return: 1 it was added; 0 it is there already; -ENOSPC the list is full of units
 * with one bad page each, or of metadata.
 */
int pkram_badpages_add(struct pkram_bad_ser *list, u32 page,
		       bool (*may_merge)(const void *arg, u32 unit), const void *arg);

/** pkram_badpages_cut() - Drop all entries from page @end on */
void pkram_badpages_cut(struct pkram_bad_ser *list, u32 end);

/**
 * pkram_badpages_next() - Find bad pages
 * @list: list
 * @from: first page to look at
 * @end: end of the range
 * @nr: out: number of bad pages that follow each other from there on, in the range
 *
 * Return: the first bad page in the range, or @end.
 */
u32 pkram_badpages_next(const struct pkram_bad_ser *list, u32 from, u32 end, u32 *nr);

/** pkram_badpages_count() - Count the bad pages of a range */
u32 pkram_badpages_count(const struct pkram_bad_ser *list, u32 from, u32 end);

#endif /* _PKRAM_BADPAGES_H */
