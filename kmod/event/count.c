// SPDX-License-Identifier: GPL-2.0
/* Counters: see count.h. */
#include <linux/cpumask.h>
#include <linux/string.h>
#include "event/count.h"

DEFINE_PER_CPU(struct pkram_counts, pkram_counts);

void pkram_count_sum(struct pkram_counts *sum)
{
	int cpu, i;

	memset(sum, 0, sizeof(*sum));
	/* CPUs that are offline have counted, too. */
	for_each_possible_cpu(cpu)
		for (i = 0; i < PKRAM_NR_COUNTS; i++)
			sum->n[i] += READ_ONCE(per_cpu(pkram_counts, cpu).n[i]);
}
