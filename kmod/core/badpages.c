// SPDX-License-Identifier: GPL-2.0
/* Lists of bad pages: see badpages.h. */
#include "core/badpages.h"

static u32 badpages_entry(const struct pkram_bad_ser *list, u32 i)
{
	return le32_to_cpu(list->entry[i]);
}

static u32 badpages_first(const struct pkram_bad_ser *list, u32 i)
{
	return badpages_entry(list, i) & ~PKRAM_BAD_WHOLE_UNIT;
}

/* The end of an entry: the first page after it */
static u32 badpages_end(const struct pkram_bad_ser *list, u32 i)
{
	u32 first = badpages_first(list, i);

	return badpages_entry(list, i) & PKRAM_BAD_WHOLE_UNIT ?
	       first + PKRAM_UNIT_PAGES : first + 1;
}

static u32 badpages_nr(const struct pkram_bad_ser *list)
{
	return le32_to_cpu(list->nr);
}

static u32 badpages_len(u32 nr)
{
	return ALIGN(sizeof(struct pkram_bad_ser) + nr * sizeof(__le32), 8);
}

static void badpages_set_nr(struct pkram_bad_ser *list, u32 nr)
{
	list->nr = cpu_to_le32(nr);
	list->len = cpu_to_le32(badpages_len(nr));
	if (nr % 2)
		list->entry[nr] = 0;
}

/* The index of the first entry that ends after a page */
static u32 badpages_find(const struct pkram_bad_ser *list, u32 page)
{
	u32 lo = 0, hi = badpages_nr(list), mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (badpages_end(list, mid) > page)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

void pkram_badpages_init(struct pkram_bad_ser *list, u64 base)
{
	memset(list, 0, sizeof(*list));
	list->base = cpu_to_le64(base);
	badpages_set_nr(list, 0);
}

/* Slots */

/* Copy a slot to private memory. Return: whether it is valid. */
static bool badpages_copy(struct pkram_bad_ser *list, const void *slot)
{
	u32 len;
	u64 tag;

	pkram_slot_copy((void *)list, slot, sizeof(*list));
	tag = le64_to_cpu(list->tag);
	len = le32_to_cpu(list->len);
	if ((u32)tag != PKRAM_BAD_MAGIC || len < sizeof(*list) ||
	    len > PKRAM_BAD_SLOT || len % 8)
		return false;
	pkram_slot_copy((void *)list->entry, slot + sizeof(*list), len - sizeof(*list));
	list->tag = 0;
	return tag == pkram_tag(PKRAM_BAD_MAGIC, pkram_crc32c(PKRAM_CRC_SEED, list, len));
}

static bool badpages_possible(const struct pkram_bad_ser *list, u64 base)
{
	u32 nr = badpages_nr(list), i, end = 0;

	if (le64_to_cpu(list->base) != base || nr > PKRAM_BAD_MAX ||
	    le32_to_cpu(list->len) != badpages_len(nr))
		return false;
	for (i = 0; i < nr; i++) {
		if (badpages_first(list, i) < end)
			return false;
		end = badpages_end(list, i);
		if (end > PKRAM_REGION_MAX_PAGES ||
		    (end - badpages_first(list, i) > 1 && end % PKRAM_UNIT_PAGES))
			return false;
	}
	return true;
}

/* The number of a valid slot, or 0; read piece by piece, as there is no memory for a copy */
static u64 badpages_slot_seq(const void *slot)
{
	struct pkram_bad_ser start;
	__le64 piece[32];
	u32 len, at, n, crc;
	u64 tag;

	pkram_slot_copy((void *)&start, slot, sizeof(start));
	tag = le64_to_cpu(start.tag);
	len = le32_to_cpu(start.len);
	if ((u32)tag != PKRAM_BAD_MAGIC || len < sizeof(start) ||
	    len > PKRAM_BAD_SLOT || len % 8)
		return 0;
	start.tag = 0;
	crc = pkram_crc32c(PKRAM_CRC_SEED, &start, sizeof(start));
	for (at = sizeof(start); at < len; at += n) {
		n = min_t(u32, len - at, sizeof(piece));
		pkram_slot_copy(piece, slot + at, n);
		crc = pkram_crc32c(crc, piece, n);
	}
	return tag == pkram_tag(PKRAM_BAD_MAGIC, crc) ? le64_to_cpu(start.seq) : 0;
}

enum pkram_bad pkram_badpages_read(const void *head, u64 base,
				   struct pkram_bad_ser *list, bool *mirror)
{
	const void *slot[2] = { head + PKRAM_HEAD_BAD_A, head + PKRAM_HEAD_BAD_B };
	enum pkram_bad bad = PKRAM_OK;
	u64 seq[2];
	bool ok[2];
	int i, cur;

	for (i = 0; i < 2; i++) {
		ok[i] = badpages_copy(list, slot[i]);
		seq[i] = le64_to_cpu(list->seq);
	}
	cur = ok[1] && (!ok[0] || seq[1] > seq[0]);
	*mirror = !ok[0] || !ok[1] || seq[0] != seq[1];
	/* The copy is of slot B; a bit may flip before A is read again. */
	if (!ok[cur] || (!cur && !badpages_copy(list, slot[0])))
		bad = PKRAM_BAD_CHECKSUM;
	else if (!badpages_possible(list, base))
		bad = PKRAM_BAD_FIELD;
	if (bad)
		pkram_badpages_init(list, base);
	return bad;
}

void pkram_badpages_write(void *head, struct pkram_bad_ser *list)
{
	void *a = head + PKRAM_HEAD_BAD_A, *b = head + PKRAM_HEAD_BAD_B;
	u64 seq_a = badpages_slot_seq(a), seq_b = badpages_slot_seq(b);
	u32 len = le32_to_cpu(list->len);

	list->seq = cpu_to_le64(max(le64_to_cpu(list->seq), max(seq_a, seq_b)) + 1);
	list->tag = 0;
	list->tag = cpu_to_le64(pkram_tag(PKRAM_BAD_MAGIC,
					  pkram_crc32c(PKRAM_CRC_SEED, list, len)));
	pkram_pair_commit(a, b, seq_b > seq_a, list, len);
}

/* Changes */

/* Replace @nr entries from index @i on by @by others, the first of which is @entry. */
static void badpages_splice(struct pkram_bad_ser *list, u32 i, u32 nr, u32 by, u32 entry)
{
	u32 rest = badpages_nr(list) - i - nr;

	memmove(&list->entry[i + by], &list->entry[i + nr], rest * sizeof(*list->entry));
	if (by)
		list->entry[i] = cpu_to_le32(entry);
	badpages_set_nr(list, i + by + rest);
}

/* Merge the entries of the unit that has the most. Return: whether one has several. */
static bool badpages_merge(struct pkram_bad_ser *list,
			   bool (*may_merge)(const void *arg, u32 unit), const void *arg)
{
	u32 nr = badpages_nr(list), i, n, unit, best = 0, best_n = 1;

	for (i = 0; i < nr; i += n) {
		unit = badpages_first(list, i) / PKRAM_UNIT_PAGES;
		for (n = 1; i + n < nr &&
		     badpages_first(list, i + n) / PKRAM_UNIT_PAGES == unit; n++)
			;
		if (n > best_n && may_merge(arg, unit)) {
			best = i;
			best_n = n;
		}
	}
	if (best_n == 1)
		return false;
	unit = badpages_first(list, best) / PKRAM_UNIT_PAGES;
	badpages_splice(list, best, best_n, 1,
			unit * PKRAM_UNIT_PAGES | PKRAM_BAD_WHOLE_UNIT);
	return true;
}

static bool badpages_has(const struct pkram_bad_ser *list, u32 page)
{
	u32 i = badpages_find(list, page);

	return i < badpages_nr(list) && badpages_first(list, i) <= page;
}

int pkram_badpages_add(struct pkram_bad_ser *list, u32 page,
		       bool (*may_merge)(const void *arg, u32 unit), const void *arg)
{
	if (badpages_has(list, page))
		return 0;
	if (badpages_nr(list) == PKRAM_BAD_MAX && !badpages_merge(list, may_merge, arg))
		return -ENOSPC;
	/* The merge may have made it bad. */
	if (!badpages_has(list, page))
		badpages_splice(list, badpages_find(list, page), 0, 1, page);
	return 1;
}

void pkram_badpages_cut(struct pkram_bad_ser *list, u32 end)
{
	u32 i = badpages_find(list, end), nr = badpages_nr(list);

	badpages_splice(list, i, nr - i, 0, 0);
}

/* Look-up */

u32 pkram_badpages_next(const struct pkram_bad_ser *list, u32 from, u32 end, u32 *nr)
{
	u32 i = badpages_find(list, from), page, stop;

	*nr = 0;
	if (i == badpages_nr(list))
		return end;
	page = max(from, badpages_first(list, i));
	if (page >= end)
		return end;
	for (stop = page; i < badpages_nr(list) && badpages_first(list, i) <= stop; i++)
		stop = badpages_end(list, i);
	*nr = min(stop, end) - page;
	return page;
}

u32 pkram_badpages_count(const struct pkram_bad_ser *list, u32 from, u32 end)
{
	u32 n = 0, nr;

	while ((from = pkram_badpages_next(list, from, end, &nr)) < end) {
		n += nr;
		from += nr;
	}
	return n;
}
