/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters: how often something happened since the module was loaded. They are percpu,
 * so that counting is an instruction or two on a path such as a page fault.
 */
#ifndef _PKRAM_COUNT_H
#define _PKRAM_COUNT_H

#include <linux/percpu.h>
#include <linux/types.h>

/**
 * enum pkram_count - what is counted
 * @PKRAM_COUNT_COMMITS: records that were written
 * @PKRAM_COUNT_REPAIRS: records and headers that were repaired when they were loaded
 * @PKRAM_COUNT_FAULTS_4K: leaves of 4 KiB that faults inserted
 * @PKRAM_COUNT_FAULTS_2M: of 2 MiB
 * @PKRAM_COUNT_FAULTS_1G: of 1 GiB
 * @PKRAM_COUNT_POPULATES: GiB that got struct pages
 * @PKRAM_COUNT_WAITS: callers that waited until idle GiB were depopulated
 * @PKRAM_COUNT_ZEROED: units that were zeroed
 * @PKRAM_COUNT_KEXEC_REFUSED: kexec images that the guard refused
 * @PKRAM_COUNT_QUARANTINED: objects, DMA tables and ranges that were quarantined
 * @PKRAM_COUNT_ATTACH_USECS: microseconds that attaching regions took
 * @PKRAM_COUNT_BAD_PAGES: pages that memory errors broke
 * @PKRAM_NR_COUNTS: the number of counters
 */
enum pkram_count {
	PKRAM_COUNT_COMMITS,
	PKRAM_COUNT_REPAIRS,
	PKRAM_COUNT_FAULTS_4K,
	PKRAM_COUNT_FAULTS_2M,
	PKRAM_COUNT_FAULTS_1G,
	PKRAM_COUNT_POPULATES,
	PKRAM_COUNT_WAITS,
	PKRAM_COUNT_ZEROED,
	PKRAM_COUNT_KEXEC_REFUSED,
	PKRAM_COUNT_QUARANTINED,
	PKRAM_COUNT_ATTACH_USECS,
	PKRAM_COUNT_BAD_PAGES,
	PKRAM_NR_COUNTS
};

/* The counters of one CPU */
struct pkram_counts {
	u64 n[PKRAM_NR_COUNTS];
};

DECLARE_PER_CPU(struct pkram_counts, pkram_counts);

/** pkram_count_add() - Count several at once. Context: any */
static inline void pkram_count_add(enum pkram_count what, u64 nr)
{
	this_cpu_add(pkram_counts.n[what], nr);
}

/** pkram_count() - Count one. Context: any */
static inline void pkram_count(enum pkram_count what)
{
	pkram_count_add(what, 1);
}

/**
 * pkram_count_sum() - Add up the counters of all CPUs
 * @sum: out; what is counted meanwhile may be missing
 */
void pkram_count_sum(struct pkram_counts *sum);

#endif /* _PKRAM_COUNT_H */
