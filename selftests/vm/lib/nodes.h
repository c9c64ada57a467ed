/* SPDX-License-Identifier: GPL-2.0 */
/* What tests on a host with several NUMA nodes share; they include <pkram.h> too */
#ifndef PKRAM_VM_NODES_H
#define PKRAM_VM_NODES_H

#include <pkram.h>

/* What the pool has free on this node, in bytes; -1 if it does not say */
static inline long long free_on(int node)
{
	struct pkram_region *list, *r;
	struct pkram_ctx *ctx;
	long long sum = 0;

	if (pkram_open(&ctx))
		return -1;
	if (!pkram_region_dump(ctx, &list)) {
		for (r = list; r; r = r->next)
			if ((int)r->node == node)
				sum += r->free;
		pkram_region_free(list);
	}
	pkram_close(ctx);
	return sum;
}

#endif
