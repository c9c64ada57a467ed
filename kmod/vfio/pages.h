/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that is not the pool's */
#ifndef _PKRAM_VFIO_PAGES_H
#define _PKRAM_VFIO_PAGES_H

#include "vfio/private.h"

/**
 * pkram_pages_map() - pin memory of the calling process, and map it
 * @c: container
 * @m: mapping, of which @m->mapped bytes are mapped; advances it
 * @vaddr: address of the next byte
 * @len: in bytes
 *
 * Return: 0; -EFAULT there is no such memory; others. What was mapped until then is
 * the caller's to unmap.
 */
int pkram_pages_map(struct pkram_container *c, struct pkram_mapping *m,
		    u64 vaddr, u64 len);

/** pkram_pages_unmap() - the reverse, for a part of a mapping */
void pkram_pages_unmap(struct pkram_container *c, u64 iova, u64 len, int prot);

/** pkram_pages_extent() - as pkram_mapping_extent(), of an IOVA */
u64 pkram_pages_extent(struct pkram_container *c, u64 iova, u64 len,
		       phys_addr_t *phys);

#endif /* _PKRAM_VFIO_PAGES_H */
