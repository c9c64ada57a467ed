// SPDX-License-Identifier: GPL-2.0
/* Region headers: see header.h. */
#include "core/header.h"

u64 pkram_region_id(const u8 region_uuid[16])
{
	u64 id = 0;
	int i;

	for (i = 7; i >= 0; i--)
		id = id << 8 | region_uuid[i];
	return id;
}

void pkram_header_encode(struct pkram_region_ser *ser,
			 const struct pkram_header *h)
{
	u32 i;

	memset(ser, 0, sizeof(*ser));
	ser->seq = cpu_to_le64(h->seq);
	ser->version = cpu_to_le32(h->version);
	ser->index = cpu_to_le32(h->index);
	ser->compat = cpu_to_le64(h->compat);
	ser->ro_compat = cpu_to_le64(h->ro_compat);
	ser->incompat = cpu_to_le64(h->incompat);
	memcpy(ser->pool_uuid, h->pool_uuid, sizeof(ser->pool_uuid));
	memcpy(ser->region_uuid, h->region_uuid, sizeof(ser->region_uuid));
	ser->base = cpu_to_le64(h->base);
	ser->nr_gib = cpu_to_le32(h->nr_gib);
	ser->nr_meta = cpu_to_le32(h->nr_meta);
	ser->created = cpu_to_le64(h->created);
	memcpy(ser->pool_key, h->pool_key, sizeof(ser->pool_key));
	ser->set_seq = cpu_to_le64(h->set_seq);
	ser->nr_regions = cpu_to_le32(h->nr_regions);
	for (i = 0; i < PKRAM_REGION_MAX_GIB / 64; i++)
		ser->present[i] = cpu_to_le64(h->present[i]);
	for (i = 0; i < h->nr_meta && i < PKRAM_REGION_MAX_META; i++)
		ser->meta[i] = cpu_to_le32(h->meta[i]);
	ser->tag = cpu_to_le64(pkram_tag(PKRAM_REGION_MAGIC,
					 pkram_crc32c(PKRAM_CRC_SEED, ser,
						      sizeof(*ser))));
}

/* @w: the words of the slot before the bitmap of present GiB */
static void header_decode_fixed(struct pkram_header *h, const __le64 *w)
{
#define WORD(field)	(w + offsetof(struct pkram_region_ser, field) / 8)
	h->seq = le64_to_cpu(*WORD(seq));
	h->version = (u32)le64_to_cpu(*WORD(version));
	h->index = le64_to_cpu(*WORD(index)) >> 32;
	h->compat = le64_to_cpu(*WORD(compat));
	h->ro_compat = le64_to_cpu(*WORD(ro_compat));
	h->incompat = le64_to_cpu(*WORD(incompat));
	memcpy(h->pool_uuid, WORD(pool_uuid), sizeof(h->pool_uuid));
	memcpy(h->region_uuid, WORD(region_uuid), sizeof(h->region_uuid));
	h->region_id = pkram_region_id(h->region_uuid);
	h->base = le64_to_cpu(*WORD(base));
	h->nr_gib = (u32)le64_to_cpu(*WORD(nr_gib));
	h->nr_meta = le64_to_cpu(*WORD(nr_meta)) >> 32;
	h->created = le64_to_cpu(*WORD(created));
	memcpy(h->pool_key, WORD(pool_key), sizeof(h->pool_key));
	h->set_seq = le64_to_cpu(*WORD(set_seq));
	h->nr_regions = (u32)le64_to_cpu(*WORD(nr_regions));
#undef WORD
}

/*
 * Copy a slot piece by piece through a small buffer: verify it and, if @h is
 * given, decode the verified bytes. A whole slot is too large for a kernel stack.
 */
static bool header_slot_load(const void *slot, struct pkram_header *h)
{
	const size_t piece = offsetof(struct pkram_region_ser, present);
	__le64 buf[offsetof(struct pkram_region_ser, present) / 8];
	u64 tag = le64_to_cpu(pkram_load64(slot));
	size_t off, at, i;
	u32 crc = PKRAM_CRC_SEED;

	for (off = 0; off < PKRAM_HEADER_SLOT; off += piece) {
		pkram_slot_copy(buf, slot + off, piece);
		if (!off)
			buf[0] = 0;
		crc = pkram_crc32c(crc, buf, piece);
		if (!h)
			continue;
		if (!off) {
			header_decode_fixed(h, buf);
			continue;
		}
		for (i = 0; i < piece / 8; i++) {
			at = off / 8 + i - piece / 8;
			if (at < PKRAM_REGION_MAX_GIB / 64) {
				h->present[at] = le64_to_cpu(buf[i]);
				continue;
			}
			at = (at - PKRAM_REGION_MAX_GIB / 64) * 2;
			h->meta[at] = (u32)le64_to_cpu(buf[i]);
			h->meta[at + 1] = le64_to_cpu(buf[i]) >> 32;
		}
	}
	return tag == pkram_tag(PKRAM_REGION_MAGIC, crc);
}

/* Quadratic, but for 832 entries at most. */
static bool header_meta_ok(const struct pkram_header *h)
{
	u32 i, j, unit;

	if (h->nr_meta > PKRAM_REGION_MAX_META)
		return false;
	for (i = 0; i < h->nr_meta; i++) {
		unit = pkram_header_meta_unit(h, i);
		if (!unit || !pkram_header_has_gib(h, unit / PKRAM_GIB_UNITS))
			return false;
		for (j = 0; j < i; j++)
			if (pkram_header_meta_unit(h, j) == unit)
				return false;
	}
	return true;
}

/* The number of a valid slot, or 0 */
static u64 header_slot_seq(const void *slot)
{
	return header_slot_load(slot, NULL) ? pkram_slot_seq(slot) : 0;
}

void pkram_header_commit(void *head, struct pkram_header *h,
			 struct pkram_region_ser *image)
{
	void *b = head + PKRAM_HEADER_SLOT;
	u64 seq_a = header_slot_seq(head), seq_b = header_slot_seq(b);

	h->seq = max(h->seq, max(seq_a, seq_b)) + 1;
	pkram_header_encode(image, h);
	pkram_pair_commit(head, b, seq_b > seq_a, image, PKRAM_HEADER_SLOT);
}

static enum pkram_bad header_check(const struct pkram_header *h, u64 base)
{
	u64 end;
	u32 gib;

	if (h->version > PKRAM_FORMAT_VERSION)
		return PKRAM_BAD_VERSION;
	if (!h->version)
		return PKRAM_BAD_FIELD;
	if (h->incompat & ~PKRAM_INCOMPAT_KNOWN)
		return PKRAM_BAD_FEATURE;
	if (h->base != base || h->base % PKRAM_GIB)
		return PKRAM_BAD_FIELD;
	if (!h->nr_gib || h->nr_gib > PKRAM_REGION_MAX_GIB ||
	    check_add_overflow(base, (u64)h->nr_gib << PKRAM_GIB_SHIFT, &end))
		return PKRAM_BAD_FIELD;
	if (!pkram_header_has_gib(h, 0))
		return PKRAM_BAD_FIELD;
	for (gib = h->nr_gib; gib < PKRAM_REGION_MAX_GIB; gib++)
		if (h->present[gib / 64] >> (gib % 64) & 1)
			return PKRAM_BAD_FIELD;
	return header_meta_ok(h) ? PKRAM_OK : PKRAM_BAD_FIELD;
}

static bool header_slots_differ(const void *a, const void *b)
{
	size_t i;

	for (i = 0; i < PKRAM_HEADER_SLOT; i += 8)
		if (pkram_load64(a + i) != pkram_load64(b + i))
			return true;
	return false;
}

enum pkram_bad pkram_header_read(const void *head, u64 base,
				 struct pkram_header *h, int *cur,
				 bool *mirror)
{
	const void *slot[2] = { head, head + PKRAM_HEADER_SLOT };
	bool ok[2] = { header_slot_load(slot[0], NULL),
		       header_slot_load(slot[1], NULL) };
	u64 seq[2] = { pkram_slot_seq(slot[0]), pkram_slot_seq(slot[1]) };
	bool differ = header_slots_differ(slot[0], slot[1]);
	enum pkram_bad bad;

	memset(h, 0, sizeof(*h));
	*cur = ok[1] && (!ok[0] || seq[1] > seq[0]);
	*mirror = differ;
	if (!ok[*cur] || !header_slot_load(slot[*cur], h)) {
		memset(h, 0, sizeof(*h));
		return PKRAM_BAD_CHECKSUM;
	}

	bad = header_check(h, base);
	/* A writer never leaves two contents with one number: use neither. */
	if (!bad && ok[0] && ok[1] && seq[0] == seq[1] && differ)
		bad = PKRAM_BAD_FIELD;
	if (bad == PKRAM_BAD_VERSION || bad == PKRAM_BAD_FEATURE) {
		h->nr_meta = 0;
		memset(h->present, 0, sizeof(h->present));
		memset(h->meta, 0, sizeof(h->meta));
	}
	return bad;
}
