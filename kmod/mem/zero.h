/* SPDX-License-Identifier: GPL-2.0 */
/* Zero memory before a process may see it or the system gets it back. */
#ifndef _PKRAM_ZERO_H
#define _PKRAM_ZERO_H

#include "mem/types.h"

struct workqueue_struct;

/*
 * Where works go for which a write to the pool waits. That may be the write of a loop device by
 * which memory is reclaimed, so that there is a thread if none can be made (WQ_MEM_RECLAIM).
 */
extern struct workqueue_struct *pkram_wq;

/** pkram_zero_init() - Initialise the locks and pkram_wq, at module load. Return: 0 or -ENOMEM. */
int pkram_zero_init(void);

/** pkram_zero_exit() - Destroy pkram_wq, which is empty */
void pkram_zero_exit(void);

/**
 * pkram_zero_prepare() - Zero the stale units of a run
 * @r: region
 * @unit: first
 * @nr: number; several CPUs share a long run
 *
 * Also marks them written. Two callers for one unit exclude each other, so that
 * the second one does not zero bytes written after the first one returned.
 * Context: may sleep; the GiB are populated. Return: 0, or -EUCLEAN if the unit map
 * is damaged there.
 */
int pkram_zero_prepare(struct pkram_region *r, u32 unit, u32 nr);

/**
 * pkram_zero_begin() - Begin to fill a stale unit with other bytes than zeroes
 * @r: region
 * @unit: unit
 *
 * Excludes pkram_zero_prepare() of the unit until pkram_zero_end(). Context: may
 * sleep; the GiB is populated. Return: 1; 0 the unit is not stale, and there is nothing
 * to end; -EUCLEAN the unit map is damaged there.
 */
int pkram_zero_begin(struct pkram_region *r, u32 unit);

/**
 * pkram_zero_end() - Mark a unit written, of which every byte has been
 * @r: region
 * @unit: unit
 *
 * Return: 0, or -EUCLEAN if it could not be marked.
 */
int pkram_zero_end(struct pkram_region *r, u32 unit);

/**
 * pkram_zero_gib() - Zero a GiB that is not in use, and depopulate it
 * @r: region
 * @gib: GiB of the region
 *
 * Context: as pkram_region_populate(). Return: 0 or negative errno if it could not be
 * populated: then it is not zeroed.
 */
int pkram_zero_gib(struct pkram_region *r, u32 gib);

#endif /* _PKRAM_ZERO_H */
