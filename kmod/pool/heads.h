/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is left of the heads in reserved memory without a usable region: lists of bad pages,
 * and which heads are the pool's. A region's extent is in its header, so a head may be in
 * any GiB; most of them hold what a program wrote into a file. What counts is a list with a
 * key that is trusted: the pool's, or one from where a region must begin.
 */
#ifndef _PKRAM_HEADS_H
#define _PKRAM_HEADS_H

#include "handover/handover.h"

struct pkram_bad_ser;

/**
 * struct pkram_heads - what heads tell of a range
 * @bad: the range's bad pages, as the list of a region that begins at its start; kvfree()
 * @key: a key that is trusted, for a list that is found again; zero: there is none
 * @nr_regions: heads in the range that have the key of the pool that is attached
 * @elsewhere: lists in the range name pages of quarantined memory that is not in the range
 * @unread: GiB that is not in the range and cannot be read before the next boot, though its
 *	list may name pages of the range; 0: none
 */
struct pkram_heads {
	struct pkram_bad_ser *bad;
	u8 key[16];
	u32 nr_regions;
	bool elsewhere;
	u64 unread;
};

/**
 * pkram_heads_read() - Read the heads in quarantined ranges, and in another one
 * @range: what is asked about; reserved, and not part of an attached region
 * @heads: out; nothing to free on failure
 *
 * Context: pool_lock; makes each GiB addressable, one after the other; of a range that was not
 * reserved before only the first. Return: 0; -EINTR the caller was killed; -ENOMEM;
 * as pkram_region_open().
 */
int pkram_heads_read(const struct pkram_range *range, struct pkram_heads *heads);

/** pkram_heads_nr_bad() - Count the bad pages of the range */
u32 pkram_heads_nr_bad(const struct pkram_heads *heads);

#endif /* _PKRAM_HEADS_H */
