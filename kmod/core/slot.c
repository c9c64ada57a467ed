// SPDX-License-Identifier: GPL-2.0
/* Slots of preserved memory: see slot.h. */
#include "core/slot.h"

const char *pkram_bad_text(enum pkram_bad bad)
{
	static const char * const text[__PKRAM_BAD_MAX] = {
		[PKRAM_OK] = "good",
		[PKRAM_BAD_CHECKSUM] = "both copies fail their checksum",
		[PKRAM_BAD_VERSION] = "the format is newer than this module",
		[PKRAM_BAD_FEATURE] = "uses a feature that this module does not know",
		[PKRAM_BAD_FIELD] = "a field has an impossible value",
		[PKRAM_BAD_NAME] = "the name is not valid",
		[PKRAM_BAD_SIZE] = "the size is not possible",
		[PKRAM_BAD_XATTR] = "the labels are damaged",
		[PKRAM_BAD_EXTENT] = "an extent lies outside its region's data",
		[PKRAM_BAD_REGION] = "an extent names a region that is not there",
		[PKRAM_BAD_OVERLAP] = "shares memory with another object",
		[PKRAM_BAD_DUP_ID] = "another object has the same id",
		[PKRAM_BAD_DUP_NAME] = "another object has the same name",
		[PKRAM_BAD_PARENT] = "the parent is not possible",
		[PKRAM_BAD_MAP] = "the unit map is damaged or disagrees",
		[PKRAM_BAD_KIND] = "a kind of record that this module does not know",
		[PKRAM_BAD_ENTRY] = "a mapping is not possible",
	};

	if ((unsigned int)bad >= __PKRAM_BAD_MAX)
		return "unknown damage";
	return text[bad];
}

void pkram_slot_copy(__le64 *to, const void *from, size_t len)
{
	size_t i;

	for (i = 0; i < len / 8; i++)
		to[i] = pkram_load64(from + i * 8);
}

u64 pkram_slot_seq(const void *slot)
{
	return le64_to_cpu(pkram_load64(slot +
				offsetof(struct pkram_record_ser, seq)));
}

void pkram_slot_write(void *slot, const void *image, size_t len)
{
	const __le64 *words = image;
	size_t i;

	pkram_store64(slot, cpu_to_le64(PKRAM_TAG_VOID));
	for (i = 1; i < len / 8; i++)
		pkram_store64(slot + i * 8, words[i]);
	pkram_store64(slot, words[0]);
}

void pkram_pair_commit(void *a, void *b, int cur, const void *image,
		       size_t len)
{
	pkram_slot_write(cur ? a : b, image, len);
	pkram_slot_write(cur ? b : a, image, len);
}
