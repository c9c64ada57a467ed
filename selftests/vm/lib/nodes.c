// SPDX-License-Identifier: GPL-2.0
#include <pkram.h>

#include "nodes.h"

long long nodes_free(int node)
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
