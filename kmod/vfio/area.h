/* SPDX-License-Identifier: GPL-2.0 */
/* Look up ranges of user addresses */
#ifndef _PKRAM_VFIO_AREA_H
#define _PKRAM_VFIO_AREA_H

#include <linux/types.h>

struct pkram_open;
struct pkram_seg;

/**
 * struct pkram_area - the memory behind a range of user addresses
 * @seg: segments
 * @open: for each segment, the open through which the process maps it (referenced),
 *	or NULL for memory outside the pool
 * @nr: number of segments
 * @room: number of segments that fit
 */
struct pkram_area {
	struct pkram_seg *seg;
	struct pkram_open **open;
	u32 nr;
	u32 room;
};

/**
 * pkram_area_find() - Look up a range of addresses of the calling process
 * @a: out: its memory; free it with pkram_area_free()
 * @vaddr: range
 * @size: in bytes
 * @prot: IOMMU_WRITE: the process must be allowed to write
 * @lax: treat addresses that cannot be mapped as memory outside the pool
 *
 * Return: 0; -EFAULT nothing there, or not accessible for @prot; -EOPNOTSUPP memory of
 * a device; -ENOMEM. Context: may sleep.
 */
int pkram_area_find(struct pkram_area *a, u64 vaddr, u64 size, int prot, bool lax);

/** pkram_area_free() - Free what pkram_area_find() returned */
void pkram_area_free(struct pkram_area *a);

#endif /* _PKRAM_VFIO_AREA_H */
