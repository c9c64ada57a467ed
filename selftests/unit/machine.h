/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine for tests: the real kmod/store on the memory of an image (image.h). It
 * boots, and it stops between any two stores to preserved memory.
 */
#ifndef _PKRAM_MACHINE_H
#define _PKRAM_MACHINE_H

#include "kernel/kernel.h"
#include "image.h"
#include "mem/region.h"
#include "store/discard.h"
#include "store/dma_table.h"
#include "store/extents.h"
#include "store/grow.h"
#include "store/labels.h"
#include "store/load_pool.h"
#include "store/names.h"
#include "store/objects.h"
#include "store/opens.h"
#include "store/regions.h"
#include "store/root.h"
#include "store/store.h"

/**
 * struct machine_log - stores to preserved memory, to be undone
 * @nr: how many there were since it was begun
 */
struct machine_log {
	unsigned long nr;
	unsigned long max;
	struct { __le64 *at; __le64 old; } *entry;
};

extern struct machine_log machine_log;

/* Claims and pins of the fake memory */
extern unsigned long machine_fail_claim;	/* number (from 1) of the claim that fails */
extern void (*machine_attaching)(void);		/* or NULL: called before an attach */
extern void (*machine_populating)(void);	/* what others do during the next claim */
extern void (*machine_zero)(struct pkram_region *r, u32 gib);	/* or NULL: it has any content */
extern bool machine_pinned;			/* all units are pinned */
extern u32 machine_pinned_step;			/* if not 0, only each such unit */
extern unsigned long machine_max_looks;		/* at pins, while a lock was held once */

/* What the store does about a machine check */
extern void (*machine_check_at)(u64 phys, bool report);

/* Forget the stores so far, and log those to come. */
void machine_log_begin(void);

/* Make a pool of @nr_regions GiB, each with a unit of small records; the root is in unit 1. */
void machine_pool(struct image *im, u32 nr_regions);

/*
 * Start the store, and attach regions @first to @first + @nr - 1. @lost: others may
 * be missing. Return: of pkram_store_attach().
 */
int machine_boot(struct image *im, u32 first, u32 nr, bool lost);

/* Attach regions to a machine that runs. */
int machine_adopt(struct image *im, u32 first, u32 nr, bool lost);

/* Grow the pool by the GiB of region @n, whatever is there. Return: of pkram_store_grow() */
int machine_grow(struct image *im, u32 n);

/* Stop the store. There are no references to objects, and stores are still logged. */
void machine_stop(void);

/*
 * Stop as if the power had gone after @nr of the stores that were logged. If it has
 * stopped already, only undo those that came later.
 */
void machine_cut(unsigned long nr);

/* Find an object by its path below the root, referenced; fails the test if it is not there. */
struct pkram_object *machine_find(const char *name);

/* Create a file or directory of @units units in the root, and put it. */
void machine_create(const char *name, u32 mode, u32 units);

/* The objects there are and their records, as text, to be freed */
char *machine_describe(void);

/*
 * Check what always holds: the tree of objects is whole, each unit that is taken has
 * one owner, and each pair of slots in use has one object. Fails the test.
 */
void machine_check(void);

#endif /* _PKRAM_MACHINE_H */
