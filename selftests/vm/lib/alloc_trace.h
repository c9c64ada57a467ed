/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace the allocations that fault injection counts, each with its call chain.
 * alloc_trace.md describes how it works and how to use it.
 */
#ifndef PKRAM_VM_ALLOC_TRACE_H
#define PKRAM_VM_ALLOC_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "vm.h"

#define ALLOC_DEPTH		64	/* number of frames that are compared and printed */
#define ALLOC_MAX_CHAINS	1024
#define ALLOC_MAX		16384

/**
 * enum alloc_origin - the kind of an allocation
 * @ALLOC_SLAB: an object of a slab
 * @ALLOC_PAGE: whole pages
 * @ALLOC_CHANCE: not made in every run: a page for a slab without a free object, what
 *	vmalloc() needs for addresses that it uses for the first time, the page table of
 *	a large mapping that is split, a node of the ID tree of sysfs (one per 64 IDs).
 *	The caller sees a failure of the slab, or of vmalloc()
 * @ALLOC_CHECKER: a reserve of the kernel's checkers, refilled from time to time; the
 *	caller does not see its failure
 * @ALLOC_UNCOUNTED: made by an interrupt, which fault injection does not count
 */
enum alloc_origin {
	ALLOC_SLAB = 1,
	ALLOC_PAGE = 2,
	ALLOC_CHANCE = 4,
	ALLOC_CHECKER = 8,
	ALLOC_UNCOUNTED = 16,
};

#define ALLOC_ANY	(ALLOC_SLAB | ALLOC_PAGE | ALLOC_CHANCE | ALLOC_CHECKER)

struct alloc_chain {
	uint64_t hash;
	enum alloc_origin origin;
	int nr;
	unsigned long frames[ALLOC_DEPTH];
};

/* All chains seen so far; set alloc_nr_chains to 0 to forget them */
extern struct alloc_chain alloc_chains[ALLOC_MAX_CHAINS];
extern int alloc_nr_chains;

/* The last run: for each allocation, in order, the index of its chain */
extern int alloc_run[ALLOC_MAX];
extern int alloc_nr_run;

/* Set up the trace for the calling task, which is bound to CPU 0: 0 or -1 */
int alloc_trace_open(void);

/* Start to trace: 0, or -1 if events of an earlier run were lost */
int alloc_trace_start(void);

/* Stop, and fill alloc_run[]: 0, or -1 if an event was lost */
int alloc_trace_stop(void);

/* Read the kernel's symbols again, after a module was loaded */
void alloc_trace_read_symbols(void);

/* Return whether the chain contains a call of @function */
bool alloc_chain_has(const struct alloc_chain *c, const char *function);

/* Print the chain on one line after @what, innermost caller first */
void alloc_chain_print(const char *what, const struct alloc_chain *c);

#endif
