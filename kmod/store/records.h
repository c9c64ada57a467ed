/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records in their slots: free pairs of slots, and writing records. For the rest
 * of store/. docs/format.md describes what is written in which order.
 */
#ifndef _PKRAM_STORE_RECORDS_H
#define _PKRAM_STORE_RECORDS_H

#include <linux/types.h>

struct pkram_location;
struct pkram_record;
struct pkram_region;

/**
 * pkram_records_ensure() - Make sure that a pair of slots is free
 * @large: size of the slots
 *
 * Context: store.lock, map_sem and mmap_lock are not held (may populate memory).
 * Return: 0; -ENOSPC; others.
 */
int pkram_records_ensure(bool large);

/**
 * pkram_records_ensure_wanted() - Get a pair of the size that the last -EAGAIN
 * needed
 *
 * Context, return: as pkram_records_ensure().
 */
int pkram_records_ensure_wanted(void);

/**
 * pkram_records_start() - Make the first unit of records of a region
 * @r: region without any, known to the allocator
 * @rec: the record that is written there next
 *
 * The caller writes the header, last of all. Context: store.lock. Return: 0; -ENOMEM; -ENOSPC
 * each unit of the first GiB has a bad page.
 */
int pkram_records_start(struct pkram_region *r, const struct pkram_record *rec);

/**
 * pkram_records_write() - Write a record to a pair of slots
 * @rec: record; its sequence number is raised
 * @at: its pair; a new record (no region id in it) gets one
 *
 * Context: store.lock. Return: 0; -EFBIG too many extents or labels; -EAGAIN there
 * is no free pair of the size needed, and the record has none yet, or one with bad pages in
 * both slots: call pkram_records_ensure_wanted() without the lock and come again. On failure
 * nothing was written.
 */
int pkram_records_write(struct pkram_record *rec,
			struct pkram_location *at);

/**
 * pkram_records_free() - Set a record's pair free
 * @loc: its pair
 * @id: id of the object, which is never used again
 *
 * Context: store.lock.
 */
void pkram_records_free(const struct pkram_location *loc, u64 id);

/**
 * pkram_records_mirror() - Make the slots of a pair equal, as pkram_record_mirror()
 * @loc: its pair
 *
 * Context: store.lock.
 */
void pkram_records_mirror(const struct pkram_location *loc);

/**
 * pkram_records_hold_back() - Use no pair of a region any more that has a bad page
 *
 * If neither slot of a pair can be read, no pair of its unit is used any more, as long as there
 * is memory for another unit. Records that are there stay until their next commit that finds a
 * free pair. Context: store.lock.
 */
void pkram_records_hold_back(struct pkram_region *r);

/** pkram_records_large() - Compute the size of slots that a record's next commit needs */
bool pkram_records_large(const struct pkram_record *rec, const struct pkram_location *at);

/** pkram_records_in_bad() - Check whether a pair has a bad page. Context: store.lock. */
bool pkram_records_in_bad(const struct pkram_location *loc);

/**
 * pkram_records_must_move() - Check whether a record should be in another pair
 * @loc: its pair
 *
 * The pair has a bad page, or the unit has a pair whose two slots cannot be read: as long
 * as the region has that unit, each load finds a lost record in it. Context: store.lock.
 */
bool pkram_records_must_move(const struct pkram_location *loc);

/**
 * pkram_records_drop_dead() - Remove the units of a region that have such a pair, and no record
 * @r: region
 * @keep_id: as pkram_records_trim()
 *
 * Context: store.lock. Return: true if one stays for the last id: call pkram_records_ensure()
 * without the lock and come again.
 */
bool pkram_records_drop_dead(struct pkram_region *r, bool keep_id);

/** pkram_records_forget_use() - Mark all pairs as free, before a load */
void pkram_records_forget_use(void);

/** pkram_records_use() - Mark a loaded record's pair as used */
void pkram_records_use(const struct pkram_location *loc);

/**
 * pkram_records_load() - Account the units of records of a region
 *
 * Context: store.lock. Return: 0 or -ENOMEM.
 */
int pkram_records_load(struct pkram_region *r);

/**
 * pkram_records_trim() - Free units of a region that contain no record
 * @r: region
 * @keep_id: no record has the last id, and it may not be used again: one stays for it if no
 *	other has a free pair
 *
 * Context: store.lock.
 */
void pkram_records_trim(struct pkram_region *r, bool keep_id);

/** pkram_records_drop() - Remove the units of a region that is removed */
void pkram_records_drop(struct pkram_region *r);

#endif /* _PKRAM_STORE_RECORDS_H */
