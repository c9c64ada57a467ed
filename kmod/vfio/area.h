/* SPDX-License-Identifier: GPL-2.0 */
/* Ranges of user addresses */
#ifndef _PKRAM_VFIO_AREA_H
#define _PKRAM_VFIO_AREA_H

#include <linux/types.h>

struct pkram_open;
struct pkram_seg;

/**
 * struct pkram_area - a range of user addresses, looked up
 * @seg: @nr segments
 * @open: of each: by which the process reaches it, referenced; NULL: not the pool's
 * @nr: number of segments
 * @room: for how many there is room
 */
struct pkram_area {
	struct pkram_seg *seg;
	struct pkram_open **open;
	u32 nr;
	u32 room;
};

int pkram_area_find(struct pkram_area *a, u64 vaddr, u64 size, int prot, bool lax);
void pkram_area_free(struct pkram_area *a);

#endif /* _PKRAM_VFIO_AREA_H */
