/* SPDX-License-Identifier: GPL-2.0 */
/* Region headers: &struct pkram_region_ser in CPU byte order. */
#ifndef _PKRAM_HEADER_H
#define _PKRAM_HEADER_H

#include "core/slot.h"

/**
 * struct pkram_header - a decoded region header
 *
 * The fields are those of &struct pkram_region_ser, except @region_id.
 */
struct pkram_header {
	u64 seq;
	u32 version;
	u32 index;
	u64 compat;
	u64 ro_compat;
	u64 incompat;
	u8 pool_uuid[16];
	u8 region_uuid[16];
	u64 region_id;
	u64 base;
	u32 nr_gib;
	u32 nr_meta;
	u64 created;
	u8 pool_key[16];
	u64 set_seq;
	u32 nr_regions;
	u64 present[PKRAM_REGION_MAX_GIB / 64];
	u32 meta[PKRAM_REGION_MAX_META];
};

/** pkram_header_has_gib() - Check whether a GiB of the span is present */
static inline bool pkram_header_has_gib(const struct pkram_header *h, u32 gib)
{
	return gib < h->nr_gib && (h->present[gib / 64] >> (gib % 64) & 1);
}

/** pkram_header_gib_addr() - Compute the physical address of a GiB of the span */
static inline u64 pkram_header_gib_addr(const struct pkram_header *h, u32 gib)
{
	return h->base + ((u64)gib << PKRAM_GIB_SHIFT);
}

/** pkram_header_meta_unit() - Return the number of a unit that contains records */
static inline u32 pkram_header_meta_unit(const struct pkram_header *h, u32 i)
{
	return h->meta[i] & ~PKRAM_META_LARGE;
}

/** pkram_header_meta_large() - Check whether such a unit contains one large pair */
static inline bool pkram_header_meta_large(const struct pkram_header *h, u32 i)
{
	return h->meta[i] & PKRAM_META_LARGE;
}

/**
 * pkram_header_encode() - Encode a header into a slot's image
 * @ser: out
 * @h: in
 */
void pkram_header_encode(struct pkram_region_ser *ser,
			 const struct pkram_header *h);

/**
 * pkram_header_read() - Decode the header of a region from its two slots
 * @head: unit 0 of the region, of which at least two slots are readable
 * @base: physical address where the region was found; must be the header's
 * @h: out
 * @cur: out: 0 or 1, the slot in use
 * @mirror: out: the other slot differs and should be written again
 *
 * Return: %PKRAM_OK or what is wrong. With %PKRAM_BAD_VERSION and
 * %PKRAM_BAD_FEATURE only the fields of @h that every version has are set.
 */
enum pkram_bad pkram_header_read(const void *head, u64 base,
				 struct pkram_header *h, int *cur,
				 bool *mirror);

/**
 * pkram_header_commit() - Write a header to both of its slots
 * @head: unit 0 of the region
 * @h: header; its sequence number is raised
 * @image: room for one slot
 *
 * What is in the slots says which is written first, and what the number goes on from:
 * whatever became of them since the last commit, a cut leaves the old header or the new.
 */
void pkram_header_commit(void *head, struct pkram_header *h,
			 struct pkram_region_ser *image);

/** pkram_region_id() - Compute the id by which extents name a region */
u64 pkram_region_id(const u8 region_uuid[16]);

#endif /* _PKRAM_HEADER_H */
