/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory map entries of regions, and the node of an address: what region.c
 * and region_take.c need of each other. The rest is in region.h.
 */
#ifndef _PKRAM_REGION_TAKE_H
#define _PKRAM_REGION_TAKE_H

#include "region.h"

/** pkram_take_nid() - online NUMA node that an address is nearest to */
int pkram_take_nid(u64 base);

/**
 * pkram_take_insert_resources() - entries "pkram" for each run of present GiB
 * @r: region; its old entries, and whatever the firmware's map put there, give
 *	way
 *
 * Return: 0, -ENOMEM, -EADDRINUSE.
 */
int pkram_take_insert_resources(struct pkram_region *r);

/** pkram_take_remove_resources() - remove and free the entries of a region */
void pkram_take_remove_resources(struct pkram_region *r);

#endif /* _PKRAM_REGION_TAKE_H */
