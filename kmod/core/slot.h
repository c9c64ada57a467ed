/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots: headers and records are each stored in two slots. This file reads them,
 * and writes them one after the other; it also defines the errors of their
 * contents.
 *
 * Preserved memory may contain any bytes and may change while it is read (a bit
 * flips between check and use). Therefore readers copy a slot to private memory,
 * and check and use only the copy.
 */
#ifndef _PKRAM_SLOT_H
#define _PKRAM_SLOT_H

#include "core/layout.h"

/**
 * enum pkram_bad - what is wrong with a piece of metadata
 *
 * pkram_bad_text() returns the texts.
 */
enum pkram_bad {
	PKRAM_OK = 0,
	PKRAM_BAD_CHECKSUM,	/* both slots fail their check */
	PKRAM_BAD_VERSION,	/* newer format */
	PKRAM_BAD_FEATURE,	/* unknown incompat bit */
	PKRAM_BAD_FIELD,	/* a field has an impossible value */
	PKRAM_BAD_NAME,
	PKRAM_BAD_SIZE,
	PKRAM_BAD_XATTR,
	PKRAM_BAD_EXTENT,	/* outside its region, or unsorted */
	PKRAM_BAD_REGION,	/* an extent names a missing region */
	PKRAM_BAD_OVERLAP,	/* shares memory with another object */
	PKRAM_BAD_DUP_ID,
	PKRAM_BAD_DUP_NAME,
	PKRAM_BAD_PARENT,	/* directory missing, not one, or a cycle */
	PKRAM_BAD_MAP,		/* the unit map is damaged at a word that is needed */
	PKRAM_BAD_KIND,		/* unknown kind of record */
	PKRAM_BAD_ENTRY,	/* an entry of a DMA table is impossible */
	__PKRAM_BAD_MAX
};

/** pkram_bad_text() - Get the text of a verdict, which the operator sees */
const char *pkram_bad_text(enum pkram_bad bad);

/** pkram_tag() - Make the first word of a slot */
static inline u64 pkram_tag(u32 magic, u32 crc)
{
	return magic | (u64)crc << 32;
}

/**
 * pkram_slot_copy() - Copy from preserved memory, 64 bits at a time
 * @to: private memory
 * @from: 8-byte aligned
 * @len: in bytes, a multiple of 8
 */
void pkram_slot_copy(__le64 *to, const void *from, size_t len);

/** pkram_slot_seq() - Read the number of a slot, of a header or a record */
u64 pkram_slot_seq(const void *slot);

/**
 * pkram_slot_write() - Write one slot so that an interruption leaves it old or
 * void
 * @slot: destination, 8-byte aligned
 * @image: encoded content with its final tag
 * @len: bytes of @image, a multiple of 8
 *
 * The tag is made void first and stored last.
 */
void pkram_slot_write(void *slot, const void *image, size_t len);

/**
 * pkram_pair_commit() - Write both slots of a pair, one after the other
 * @a: slot A
 * @b: slot B
 * @cur: 0 if slot A is in use now, 1 if B is
 * @image: encoded content with its final tag
 * @len: bytes of @image, a multiple of 8
 *
 * An interruption at any store leaves the old content or the new. On return both
 * slots have the new content, so that a later fault in one is repaired from the
 * other.
 */
void pkram_pair_commit(void *a, void *b, int cur, const void *image,
		       size_t len);

#endif /* _PKRAM_SLOT_H */
