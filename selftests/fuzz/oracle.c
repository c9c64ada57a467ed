// SPDX-License-Identifier: GPL-2.0
/* A second reader of pools: see oracle.h. Section names are those of docs/format.md. */
#include <string.h>
#include "fuzz.h"
#include "oracle.h"

#define GIB		PKRAM_GIB_UNITS
#define MAX_RECORDS	600
#define ID_MAX		0x7fffffffffffffffULL

static u16 get16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static u32 get32(const u8 *p)
{
	return get16(p) | (u32)get16(p + 2) << 16;
}

static u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

/* A record that is not free, or a free one whose other slot differs (@half_free) */
struct found {
	u32 region, unit, pair;
	bool large, half_free, bad, unreadable, lost, is_void, orphan, differs, greedy;
	int slot;
	u64 id, seq, parent, replaces, born;
	u32 born_ns, kind, name_len, nr_ext, nr_ent;
	const u8 *name, *ext, *ent;
};

static struct found all[MAX_RECORDS];
static u32 nr;
static u64 max_id;
static bool any_lost;

/* Of each unit: what it may not be used for, its state (-1: unknown), whether it is taken */
static bool fixed[2][GIB], taken[2][GIB];
static int state[2][GIB];

static bool all_zero(const u8 *p, u32 n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

/* "Unit map" */
static void read_map(struct image *im, u32 region)
{
	u32 word, copy, unit, offset[2] = { 0x40000, 0x100000 };
	const u8 *p;
	u8 in[16];

	for (unit = 0; unit < GIB; unit++)
		state[region][unit] = -1;
	for (word = 0; word < GIB / 16; word++) {
		for (copy = 0; copy < 2; copy++) {
			p = (u8 *)im->mem[region] + offset[copy] + 8 * word;
			memcpy(in, &im->h[region].region_id, 8);
			memcpy(in + 8, &word, 4);
			memcpy(in + 12, p, 4);
			if (pkram_crc32c(~0U, in, 16) == get32(p + 4))
				break;
		}
		for (unit = 0; copy < 2 && unit < 16; unit++)
			state[region][16 * word + unit] = get32(p) >> (2 * unit) & 3;
	}
}

/* "Records" */

static bool slot_is_valid(const u8 *s, u32 size, u32 seed)
{
	static const u8 zero[8];
	u32 len = get32(s + 16), crc;

	if (get32(s) != 0x63526b70 || len < 512 || len > size || len % 8)
		return false;
	crc = pkram_crc32c(pkram_crc32c(seed, zero, 8), s + 8, len - 8);
	return crc == get32(s + 4);
}

static bool name_is_ok(const u8 *name, u32 len)
{
	if (len < 1 || len > 255 || memchr(name, 0, len) || memchr(name, '/', len))
		return false;
	return !(len == 1 && name[0] == '.') && !(len == 2 && name[0] == '.' && name[1] == '.');
}

static bool labels_are_ok(const u8 *p, u32 len)
{
	u32 name, value;

	if (len > 65536)
		return false;
	while (len) {
		if (len < 4)
			return false;
		name = get16(p);
		value = get16(p + 2);
		if (name < 1 || name > 255 || name + value > len - 4 || memchr(p + 4, 0, name))
			return false;
		p += 4 + name + value;
		len -= 4 + name + value;
	}
	return true;
}

static bool extents_are_ok(const struct found *f)
{
	u64 next = 0, at, unit, n;
	const u8 *e = f->ext;
	bool ok = true;
	u32 i;

	for (i = 0; i < f->nr_ext; i++, e += 24) {
		at = get32(e + 8);
		unit = get32(e + 12);
		n = get32(e + 16);
		ok &= n && !get32(e + 20) && at >= next && at + n <= 0xffffffff &&
		      unit + n <= 0xffffffff;
		next = at + n;
	}
	return ok;
}

static bool entries_are_ok(const struct found *f)
{
	unsigned __int128 next = 0, iova, size, offset;
	const u8 *e = f->ent;
	bool ok = true;
	u32 i;

	for (i = 0; i < f->nr_ent; i++, e += 40) {
		iova = get64(e);
		size = get64(e + 8);
		offset = get64(e + 24);
		ok &= size && !((iova | size | offset) % 4096) && iova >= next &&
		      iova + size <= (unsigned __int128)1 << 64 &&
		      offset + size < (unsigned __int128)1 << 63;
		ok &= get64(e + 16) >= 2 && get64(e + 16) <= ID_MAX && !get32(e + 36) &&
		      get32(e + 32) >= 1 && get32(e + 32) <= 3;
		next = iova + size;
	}
	return ok;
}

/* Where labels, extents and entries are; false: the lengths do not say */
static bool find_data(struct found *f, const u8 *s)
{
	u32 len = get32(s + 16), labels = get32(s + 184), n = get32(s + 188);
	u64 padded = ((u64)labels + 7) / 8 * 8;

	if (f->kind == 4) {
		if (labels || 512 + 40ULL * n != len)
			return false;
		f->ent = s + 512;
		f->nr_ent = n;
		return true;
	}
	if (512 + padded + 24ULL * n != len)
		return false;
	f->ext = s + 512 + padded;
	f->nr_ext = n;
	return true;
}

static bool seal_is_ok(const struct found *f, const u8 *s)
{
	u32 seal = get32(s + 136);

	if (seal > 2 || (seal && f->kind != 2) || (f->kind == 4 && get64(s + 144)))
		return false;
	return seal == 2 ? !all_zero(s + 152, 16) : all_zero(s + 152, 32);
}

/* The fields of a record alone; its lengths were looked at */
static bool fields_are_ok(const struct found *f, const u8 *s)
{
	u32 mode = get32(s + 56), i;
	bool root = f->id == 1;

	if (!f->id || f->id > ID_MAX || f->replaces > ID_MAX || f->replaces == f->id ||
	    f->replaces == 1 || get16(s + 22) || f->name_len > 255)
		return false;
	for (i = 0; i < 4; i++)
		if (get32(s + 72 + 16 * i + 8) >= 1000000000)
			return false;
	if (f->kind == 4 ? mode : (mode & ~07777U) != (f->kind == 3 ? 0040000U : 0100000U))
		return false;
	if (root && f->kind != 3)
		return false;
	if (f->kind == 4 ? get32(s + 192) != 1 && get32(s + 192) != 2 : get32(s + 192) != 0)
		return false;
	if (root || f->kind == 4 ? f->parent || f->replaces :
	    !f->parent || f->parent > ID_MAX || f->parent == f->id)
		return false;
	if (root ? f->name_len : !name_is_ok(f->name, f->name_len))
		return false;
	if (f->kind == 2)
		return get64(s + 48) <= ID_MAX;
	return !get64(s + 48) && !f->nr_ext;
}

/* Read one slot into @f. */
static void read_slot(struct found *f, const u8 *s)
{
	bool known;

	f->seq = get64(s + 8);
	f->kind = get16(s + 20);
	f->id = get64(s + 24);
	f->parent = get64(s + 32);
	f->replaces = get64(s + 40);
	f->name_len = get16(s + 68);
	f->born = get64(s + 120);
	f->born_ns = get32(s + 128);
	f->name = s + 256;
	if (f->kind < 2 || f->kind > 4) {
		f->bad = f->kind != 1;
		f->lost = f->bad;
		return;
	}
	known = find_data(f, s);
	f->lost = !known && f->kind == 2;
	f->bad = !known || !extents_are_ok(f) || !entries_are_ok(f) || !seal_is_ok(f, s) ||
		 !fields_are_ok(f, s) ||
		 (f->kind != 4 && !labels_are_ok(s + 512, get32(s + 184)));
}

static void note_id(u64 id)
{
	if (id <= ID_MAX && id > max_id)
		max_id = id;
}

static void read_pair(struct image *im, u32 region, u32 unit, u32 pair, bool large)
{
	u32 size = large ? 1 << 20 : 8192, i;
	const u8 *s[2];
	bool valid[2];
	struct found *f = &all[nr];

	s[0] = (u8 *)im->mem[region] + ((size_t)unit << 21) + (size_t)pair * 2 * size;
	s[1] = s[0] + size;
	for (i = 0; i < 2; i++)
		valid[i] = slot_is_valid(s[i], size, im->seed);
	memset(f, 0, sizeof(*f));
	f->region = region;
	f->unit = unit;
	f->pair = pair;
	f->large = large;
	if (!valid[0] && !valid[1]) {
		f->bad = true;
		f->unreadable = true;
		f->lost = true;
		nr++;
		return;
	}
	f->slot = valid[1] && (!valid[0] || get64(s[1] + 8) > get64(s[0] + 8));
	f->differs = !valid[0] || !valid[1] || get32(s[0] + 16) != get32(s[1] + 16) ||
		     memcmp(s[0], s[1], get32(s[0] + 16));
	read_slot(f, s[f->slot]);
	/* Neither is the truth, if both are valid and have one seq. */
	if (f->differs && valid[0] && valid[1] && get64(s[0] + 8) == get64(s[1] + 8)) {
		f->bad = true;
		f->lost = get16(s[0] + 20) != get16(s[1] + 20) ||
			  (f->kind != 3 && f->kind != 4);
	}
	note_id(f->id);
	note_id(f->parent);
	note_id(f->replaces);
	for (i = 0; !f->bad && i < f->nr_ent; i++)
		note_id(get64(f->ent + 40 * i + 16));
	f->half_free = f->kind == 1 && !f->bad;
	if (f->half_free && !f->differs)
		return;
	nr++;
	REQUIRE(nr < MAX_RECORDS);
}

static void read_region(struct image *im, u32 region)
{
	struct pkram_header *h = &im->h[region];
	u32 i, pair, unit;
	bool large;

	read_map(im, region);
	memset(fixed[region], 0, sizeof(fixed[region]));
	fixed[region][0] = true;
	for (i = 0; i < h->nr_meta; i++)
		fixed[region][h->meta[i] & 0x7fffffff] = true;
	for (i = 0; i < h->nr_meta; i++) {
		unit = h->meta[i] & 0x7fffffff;
		large = h->meta[i] >> 31;
		for (pair = 0; pair < (large ? 1U : 128U); pair++)
			read_pair(im, region, unit, pair, large);
	}
}

/* "What a reader checks" */

static u32 find_region(struct image *im, u64 id)
{
	u32 i;

	for (i = 0; i < im->nr; i++)
		if (im->h[i].region_id == id)
			return i;
	return ~0U;
}

static bool is_possible(u32 region, u64 unit, u64 n)
{
	u64 u;

	if (unit + n > GIB)
		return false;
	for (u = unit; u < unit + n; u++)
		if (fixed[region][u])
			return false;
	return true;
}

/* 1 */
static void check_extents(struct image *im, struct found *f)
{
	u64 sum = 0, unit, n, u;
	const u8 *e;
	u32 i, r;

	for (i = 0; i < f->nr_ext; i++) {
		e = f->ext + 24 * i;
		r = find_region(im, get64(e));
		unit = get32(e + 12);
		n = get32(e + 16);
		if (r == ~0U || !is_possible(r, unit, n)) {
			f->bad = true;
			sum += r == ~0U ? 0 : n;
			continue;
		}
		sum += n;
		for (u = unit; u < unit + n; u++)
			f->bad |= state[r][u] != 1 && state[r][u] != 2;
	}
	f->greedy = sum > im->nr * GIB;
	f->bad |= f->greedy;
}

static bool is_good(const struct found *f)
{
	return !f->bad && !f->is_void && !f->half_free;
}

static bool same_object(const struct found *a, const struct found *b)
{
	return a->kind == b->kind && a->born == b->born && a->born_ns == b->born_ns;
}

static bool has_id(const struct found *f, u64 id)
{
	return !f->half_free && !f->unreadable && f->id == id;
}

static bool is_older(const struct found *a, const struct found *b)
{
	return (int64_t)a->born < (int64_t)b->born ||
	       (a->born == b->born && a->born_ns < b->born_ns);
}

/* The good record of @id that has the highest seq; of the root, of the oldest ones */
static struct found *find_newest(u64 id)
{
	struct found *best = NULL, *f;

	for (f = all; f < all + nr; f++) {
		if (!has_id(f, id) || f->bad)
			continue;
		if (!best || (id == 1 && is_older(f, best)) ||
		    ((id != 1 || !is_older(best, f)) && f->seq > best->seq))
			best = f;
	}
	return best;
}

/* 2, copies. Return: is there more to settle? */
static bool settle_id(u64 id)
{
	struct found *best = find_newest(id), *f;
	bool conflict = false;

	if (!best)
		return false;
	for (f = all; f < all + nr; f++) {
		if (f == best || !has_id(f, id))
			continue;
		if (same_object(f, best))
			conflict |= f->seq >= best->seq;
		else
			conflict |= !f->bad && id != 1;
	}
	for (f = all; f < all + nr; f++) {
		if (!has_id(f, id))
			continue;
		if (conflict) {
			/* Of the root, a younger one may be the one that counts. */
			f->bad |= id != 1 || same_object(f, best);
		} else if (!same_object(f, best)) {
			f->bad = true;
		} else if (f != best) {
			f->bad = false;
			f->lost = false;
			f->is_void = true;
		}
	}
	return conflict && id == 1;
}

static struct found *find_good(u64 id)
{
	struct found *f;

	for (f = all; f < all + nr; f++)
		if (is_good(f) && f->id == id)
			return f;
	return NULL;
}

static bool same_place(const struct found *a, const struct found *b)
{
	return a->parent == b->parent && a->name_len == b->name_len &&
	       !memcmp(a->name, b->name, a->name_len);
}

/* 2, replaced records */
static void settle_replaced(void)
{
	static struct found *next[MAX_RECORDS];
	static bool replaced[MAX_RECORDS], reached[MAX_RECORDS];
	struct found *f;
	u32 i, steps;

	memset(replaced, 0, sizeof(replaced));
	memset(reached, 0, sizeof(reached));
	for (i = 0; i < nr; i++) {
		next[i] = NULL;
		if (!is_good(&all[i]) || !all[i].replaces)
			continue;
		f = find_good(all[i].replaces);
		if (!f || !same_place(f, &all[i]))
			continue;
		next[i] = f;
		replaced[f - all] = true;
	}
	for (i = 0; i < nr; i++)
		for (f = replaced[i] ? NULL : next[i], steps = 0; f && steps <= nr;
		     f = next[f - all], steps++)
			reached[f - all] = true;
	for (i = 0; i < nr; i++) {
		if (reached[i])
			all[i].is_void = true;
		else if (replaced[i])
			all[i].bad = true;
	}
}

/* 3, and which units are taken at all */
static void check_overlaps(struct image *im)
{
	static struct found *owner[2][GIB];
	struct found *f;
	const u8 *e;
	u64 u, unit, n;
	u32 i, r;

	memset(owner, 0, sizeof(owner));
	for (f = all; f < all + nr; f++)
		for (i = 0; !f->is_void && i < f->nr_ext; i++) {
			e = f->ext + 24 * i;
			r = find_region(im, get64(e));
			unit = get32(e + 12);
			n = get32(e + 16);
			if (r == ~0U)
				continue;
			for (u = unit; u < unit + n && u < GIB; u++)
				taken[r][u] = true;
			if (f->greedy || !n || !is_possible(r, unit, n))
				continue;
			for (u = unit; u < unit + n; u++) {
				if (owner[r][u]) {
					owner[r][u]->bad = true;
					f->bad = true;
				}
				owner[r][u] = f;
			}
		}
}

/* 4 */
static void check_names(void)
{
	static bool doomed[MAX_RECORDS];
	u32 i, j;

	memset(doomed, 0, sizeof(doomed));
	for (i = 0; i < nr; i++)
		for (j = 0; j < nr; j++)
			if (is_good(&all[i]) && is_good(&all[j]) && all[i].id != 1 &&
			    all[j].id != 1 && all[i].id > all[j].id &&
			    same_place(&all[i], &all[j]))
				doomed[i] = true;
	for (i = 0; i < nr; i++)
		all[i].bad |= doomed[i];
}

static struct found *parent_of(const struct found *f)
{
	struct found *p = f->parent == 1 ? NULL : find_good(f->parent);

	return p && p->kind == 3 ? p : NULL;
}

/* 5 */
static void check_parents(void)
{
	struct found *f, *p;
	bool lowest;
	u32 steps;

	for (f = all; f < all + nr; f++) {
		if (!is_good(f) || f->id == 1 || f->kind == 4 || f->parent == 1)
			continue;
		if (!parent_of(f)) {
			f->orphan = true;
			continue;
		}
		lowest = true;
		for (p = parent_of(f), steps = 0; p && p != f && steps <= nr; steps++) {
			lowest &= f->id < p->id;
			p = parent_of(p);
		}
		if (p == f && lowest)
			f->orphan = true;
	}
}

static void read_pool(struct image *im)
{
	struct found *f, *g;
	u32 i, u;

	nr = 0;
	max_id = 0;
	any_lost = false;
	memset(taken, 0, sizeof(taken));
	for (i = 0; i < im->nr; i++)
		read_region(im, i);
	for (f = all; f < all + nr; f++)
		check_extents(im, f);
	for (f = all; f < all + nr; f++) {
		for (g = all; g < f && !has_id(g, f->id); g++)
			;
		if (g == f && !f->half_free && f->id && f->id <= ID_MAX)
			while (settle_id(f->id))
				;
	}
	settle_replaced();
	check_overlaps(im);
	check_names();
	check_parents();
	for (f = all; f < all + nr; f++)
		any_lost |= f->lost;
	/* 6 */
	for (i = 0; i < im->nr; i++)
		for (u = 0; u < GIB; u++)
			taken[i][u] |= fixed[i][u] || state[i][u] < 0 ||
				       (any_lost && state[i][u]);
}

static void compare_item(struct image *im, const struct pkram_loaded *it,
			 const struct found *f)
{
	REQUIRE(it->loc.region_id == im->h[f->region].region_id && it->loc.unit == f->unit &&
		it->loc.pair == f->pair && it->loc.large == f->large);
	if (!!it->bad != f->bad || it->is_void != (f->is_void || f->half_free) ||
	    it->orphan != f->orphan || it->lost != f->lost) {
		fprintf(stderr, "unit %u pair %u id %llu: bad %d (%s) void %d orphan %d lost %d; oracle %d %d %d %d\n",
			f->unit, f->pair, f->id, it->bad, pkram_bad_text(it->bad), it->is_void,
			it->orphan, it->lost, f->bad, f->is_void || f->half_free, f->orphan,
			f->lost);
		abort();
	}
	REQUIRE(f->unreadable || (it->mirror == f->differs && it->loc.cur == f->slot));
	REQUIRE(f->bad || (it->rec.id == f->id && it->rec.nr_extents == f->nr_ext));
}

void oracle_compare(struct image *im)
{
	struct pkram_alloc_region *ar;
	u32 i, u;

	read_pool(im);
	REQUIRE(nr == im->res.nr);
	REQUIRE(any_lost == im->res.lost);
	REQUIRE(max_id == im->res.max_id);
	for (i = 0; i < nr; i++)
		compare_item(im, &im->res.items[i], &all[i]);
	for (i = 0; i < im->nr; i++) {
		ar = pkram_alloc_find(&im->al, im->h[i].region_id);
		for (u = 0; u < GIB; u++)
			if (test_bit(u, ar->used) != taken[i][u]) {
				fprintf(stderr, "region %u unit %u: taken %d, oracle %d\n", i, u,
					test_bit(u, ar->used), taken[i][u]);
				abort();
			}
	}
}
