// SPDX-License-Identifier: GPL-2.0
/*
 * The loader. Its steps, each over all records: read; check extents against the
 * regions; settle copies and replaced records; look for overlaps, duplicate names
 * and missing parents; at the end take the units. All memory that the loader needs
 * is allocated before it takes any unit, so that a failure has no effect.
 *
 * A region has room for 100,000 records, and a record for 40,000 extents: each loop over them
 * pauses for others, and so do comparisons, as sort() does not.
 */
#include "core/load.h"
#include "core/load_private.h"

static int load_cmp_time(const struct pkram_time *a, const struct pkram_time *b)
{
	if (a->sec != b->sec)
		return a->sec < b->sec ? -1 : 1;
	return pkram_load_cmp_u64(a->nsec, b->nsec);
}

static int load_cmp_id(const void *a, const void *b)
{
	const struct id_key *x = a, *y = b;
	int root = x->id == PKRAM_ROOT_ID ? load_cmp_time(&x->born, &y->born) : 0;

	pkram_env_pause();
	return pkram_load_cmp_u64(x->id, y->id) ?: root ?: pkram_load_cmp_u64(y->seq, x->seq) ?:
	       pkram_load_cmp_u64(x->item, y->item);
}

static int load_cmp_name(const void *a, const void *b)
{
	const struct name_key *x = a, *y = b;

	pkram_env_pause();
	return pkram_load_cmp_u64(x->parent, y->parent) ?: strcmp(x->name, y->name) ?:
	       pkram_load_cmp_u64(x->id, y->id);
}

static bool load_item_good(const struct pkram_loaded *it)
{
	return !it->bad && !it->is_void;
}

/* Read */

static void load_note_id(struct loader *l, u64 id)
{
	if (id <= PKRAM_ID_MAX && id > l->res->max_id)
		l->res->max_id = id;
}

static int load_reserve_items(struct loader *l)
{
	struct pkram_load_result *res = l->res;
	struct pkram_loaded *items;
	u32 cap;

	if (res->nr < l->cap)
		return 0;
	cap = l->cap ? l->cap * 2 : 64;
	items = pkram_alloc_mem((size_t)cap * sizeof(*items));
	if (!items)
		return -ENOMEM;
	if (res->nr)
		memcpy(items, res->items, (size_t)res->nr * sizeof(*items));
	pkram_free_mem(res->items);
	res->items = items;
	l->cap = cap;
	return 0;
}

static int load_read_pair(struct loader *l, const void *slots, u32 seed,
			  const struct pkram_location *loc)
{
	struct pkram_loaded *it;
	int bad, cur;
	u32 i;

	if (load_reserve_items(l))
		return -ENOMEM;
	it = &l->res->items[l->res->nr];
	memset(it, 0, sizeof(*it));
	bad = pkram_record_read(slots, loc->large ? PKRAM_LARGE_SLOT :
				PKRAM_SMALL_SLOT, seed, &it->rec, &cur,
				&it->mirror);
	if (bad < 0)
		return bad;
	load_note_id(l, it->rec.id);
	load_note_id(l, it->rec.parent);
	load_note_id(l, it->rec.replaces);
	for (i = 0; !bad && i < it->rec.nr_entries; i++)
		load_note_id(l, it->rec.entries[i].object);
	if (!bad && it->rec.kind == PKRAM_KIND_FREE) {
		if (!it->mirror)
			return 0;
		it->is_void = true;
	}
	it->loc = *loc;
	it->loc.cur = cur;
	it->bad = bad;
	it->lost = bad && !it->rec.extents_known;
	l->res->nr++;
	return 0;
}

static int load_read_region(struct loader *l, const struct pkram_load_region *lr)
{
	u32 seed = pkram_pool_seed(lr->h->pool_uuid);
	struct pkram_location loc = { .region_id = lr->h->region_id };
	u32 i, pair, nr_pairs, pair_size;
	const void *unit;
	int ret;

	for (i = 0; i < lr->h->nr_meta; i++) {
		loc.unit = pkram_header_meta_unit(lr->h, i);
		loc.large = pkram_header_meta_large(lr->h, i);
		nr_pairs = loc.large ? 1 : PKRAM_SMALL_PAIRS;
		pair_size = PKRAM_UNIT / nr_pairs;
		unit = lr->base + ((size_t)loc.unit << PKRAM_UNIT_SHIFT);
		for (pair = 0; pair < nr_pairs; pair++) {
			loc.pair = pair;
			ret = load_read_pair(l, unit + (size_t)pair * pair_size,
					     seed, &loc);
			if (ret)
				return ret;
			pkram_env_pause();
		}
	}
	return 0;
}

/* Copies of one object */

static int load_index_ids(struct loader *l)
{
	struct pkram_loaded *it;
	u32 i;

	l->ids = pkram_alloc_mem((size_t)(l->res->nr + 1) * sizeof(*l->ids));
	if (!l->ids)
		return -ENOMEM;
	for (i = 0; i < l->res->nr; i++, pkram_env_pause()) {
		it = &l->res->items[i];
		if (!it->rec.id || it->rec.id > PKRAM_ID_MAX || it->is_void)
			continue;
		l->ids[l->nr_ids++] = (struct id_key) {
			.id = it->rec.id,
			.seq = it->rec.seq,
			.born = it->rec.btime,
			.item = i,
		};
	}
	sort(l->ids, l->nr_ids, sizeof(*l->ids), load_cmp_id, NULL);
	return 0;
}

/* Versions of one object, and not two objects that have one id */
static bool load_same_object(const struct pkram_loaded *x,
			     const struct pkram_loaded *y)
{
	return x->rec.kind == y->rec.kind &&
	       !load_cmp_time(&x->rec.btime, &y->rec.btime);
}

/* Does a record make it unknown whether @newest counts? */
static bool load_contests(const struct pkram_loaded *it,
			  const struct pkram_loaded *newest)
{
	return load_same_object(it, newest) ? it->rec.seq >= newest->rec.seq : !it->bad;
}

/* Return: does a good one remain? It is the first then. */
static bool load_settle_group(struct loader *l, struct id_key *keys, u32 nr)
{
	struct pkram_loaded *items = l->res->items, *newest, *it;
	bool contested = false;
	u32 i, first = 0;

	while (first < nr && items[keys[first].item].bad) {
		first++;
		pkram_env_pause();
	}
	if (first == nr)
		return false;
	newest = &items[keys[first].item];
	for (i = 0; i < nr; i++) {
		it = &items[keys[i].item];
		contested |= it != newest && load_contests(it, newest);
		pkram_env_pause();
	}
	for (i = 0; i < nr; i++) {
		it = &items[keys[i].item];
		if (contested) {
			pkram_load_condemn(it, PKRAM_BAD_DUP_ID, keys[i].id);
		} else if (it != newest && load_same_object(it, newest)) {
			it->bad = PKRAM_OK;
			it->lost = false;
			it->is_void = true;
		}
		pkram_env_pause();
	}
	swap(keys[0], keys[first]);
	return !contested;
}

/*
 * A root may have been made while the region of the true one was not there. The
 * oldest one stays.
 */
static void load_settle_root(struct loader *l, struct id_key *keys, u32 nr)
{
	bool found = false;
	u32 i, j, n;

	for (i = 0; i < nr; i += n, pkram_env_pause()) {
		for (n = 1; i + n < nr && !load_cmp_time(&keys[i + n].born,
							 &keys[i].born); n++)
			pkram_env_pause();
		for (j = i; found && j < i + n; j++, pkram_env_pause())
			pkram_load_condemn(&l->res->items[keys[j].item],
					   PKRAM_BAD_DUP_ID, PKRAM_ROOT_ID);
		if (!found)
			found = load_settle_group(l, &keys[i], n);
	}
}

static void load_settle_copies(struct loader *l)
{
	u32 i, n;

	for (i = 0; i < l->nr_ids; i += n, pkram_env_pause()) {
		for (n = 1; i + n < l->nr_ids &&
		     l->ids[i + n].id == l->ids[i].id; n++)
			pkram_env_pause();
		if (n > 1 && l->ids[i].id == PKRAM_ROOT_ID)
			load_settle_root(l, &l->ids[i], n);
		else if (n > 1)
			load_settle_group(l, &l->ids[i], n);
	}
}

/* The good record of an object */
static u32 load_find_item(struct loader *l, u64 id)
{
	u32 lo = 0, hi = l->nr_ids, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (l->ids[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == l->nr_ids || l->ids[lo].id != id ||
	    !load_item_good(&l->res->items[l->ids[lo].item]))
		return NO_ITEM;
	return l->ids[lo].item;
}

/* Replaced records */

static bool load_same_place(const struct pkram_record *a,
			    const struct pkram_record *b)
{
	return a->parent == b->parent && !strcmp(a->name, b->name);
}

/*
 * Each record replaces at most one other. Start from those that no record
 * replaces: everything along the chain is void. Records that are not reached this
 * way form rings, in which each record voids the next.
 */
static void load_settle_replaced(struct loader *l)
{
	struct pkram_loaded *items = l->res->items;
	u32 i, j;

	for (i = 0; i < l->res->nr; i++, pkram_env_pause()) {
		l->next[i] = NO_ITEM;
		if (!load_item_good(&items[i]) || !items[i].rec.replaces)
			continue;
		j = load_find_item(l, items[i].rec.replaces);
		if (j == NO_ITEM || !load_same_place(&items[i].rec, &items[j].rec))
			continue;
		l->next[i] = j;
		l->replaced[j] = true;
	}
	for (i = 0; i < l->res->nr; i++, pkram_env_pause()) {
		if (l->replaced[i])
			continue;
		for (j = l->next[i]; j != NO_ITEM && !items[j].is_void;
		     j = l->next[j]) {
			items[j].is_void = true;
			pkram_env_pause();
		}
	}
	for (i = 0; i < l->res->nr; i++, pkram_env_pause())
		if (l->replaced[i] && !items[i].is_void)
			pkram_load_condemn(&items[i], PKRAM_BAD_DUP_NAME,
					   items[i].rec.replaces);
}

/* Names */

static int load_check_names(struct loader *l)
{
	struct pkram_loaded *items = l->res->items;
	struct name_key *k, *first;
	u32 i, nr = 0;

	l->names = pkram_alloc_mem((size_t)(l->res->nr + 1) * sizeof(*k));
	if (!l->names)
		return -ENOMEM;
	for (i = 0; i < l->res->nr; i++, pkram_env_pause()) {
		if (!load_item_good(&items[i]) || items[i].rec.id == PKRAM_ROOT_ID)
			continue;
		l->names[nr++] = (struct name_key) {
			.parent = items[i].rec.parent,
			.id = items[i].rec.id,
			.name = items[i].rec.name,
			.item = i,
		};
	}
	sort(l->names, nr, sizeof(*l->names), load_cmp_name, NULL);
	first = l->names;
	for (k = l->names + 1; nr && k < l->names + nr; k++, pkram_env_pause()) {
		if (k->parent == first->parent && !strcmp(k->name, first->name))
			pkram_load_condemn(&items[k->item], PKRAM_BAD_DUP_NAME,
					   first->id);
		else
			first = k;
	}
	return 0;
}

/* Parents */

/* Return the item of the parent; NO_ITEM for the root and if there is none. */
static u32 load_parent_of(struct loader *l, u32 item)
{
	u64 id = l->res->items[item].rec.parent;
	u32 p = id == PKRAM_ROOT_ID ? NO_ITEM : load_find_item(l, id);

	if (p == NO_ITEM || l->res->items[p].rec.kind != PKRAM_KIND_DIR)
		return NO_ITEM;
	return p;
}

/* Cut a ring of directories at the lowest id, given one of its members. */
static void load_cut_ring(struct loader *l, u32 member)
{
	struct pkram_loaded *items = l->res->items;
	u32 i, lowest = member;

	for (i = load_parent_of(l, member); i != member; i = load_parent_of(l, i)) {
		if (items[i].rec.id < items[lowest].rec.id)
			lowest = i;
		pkram_env_pause();
	}
	items[lowest].orphan = true;
}

static void load_check_parents(struct loader *l)
{
	struct pkram_loaded *items = l->res->items;
	u32 i, j;

	for (i = 0; i < l->res->nr; i++, pkram_env_pause()) {
		l->next[i] = 0;
		if (load_item_good(&items[i]) && items[i].rec.id != PKRAM_ROOT_ID &&
		    items[i].rec.kind != PKRAM_KIND_DMA_TABLE &&
		    items[i].rec.parent != PKRAM_ROOT_ID &&
		    load_parent_of(l, i) == NO_ITEM)
			items[i].orphan = true;
	}
	/* Walk up and leave a number: finding the own number again means a ring. */
	for (i = 0; i < l->res->nr; i++, pkram_env_pause()) {
		if (!load_item_good(&items[i]) || items[i].rec.id == PKRAM_ROOT_ID)
			continue;
		for (j = i; j != NO_ITEM && !l->next[j]; j = load_parent_of(l, j)) {
			l->next[j] = i + 1;
			pkram_env_pause();
		}
		if (j != NO_ITEM && l->next[j] == i + 1)
			load_cut_ring(l, j);
	}
}

/* All together */

static int load_init(struct loader *l,
		     const struct pkram_load_region *regions, u32 nr)
{
	struct pkram_alloc_region *ar;
	u32 i;

	l->regions = pkram_alloc_mem((size_t)(nr + 1) * sizeof(*l->regions));
	if (!l->regions)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		ar = pkram_alloc_find(l->al, regions[i].h->region_id);
		if (!ar)
			continue;
		l->regions[l->nr_regions++] = (struct region_ref) {
			.id = ar->id,
			.lr = &regions[i],
			.ar = ar,
		};
	}
	pkram_load_sort_regions(l);
	return 0;
}

static int load_judge(struct loader *l)
{
	size_t nr = l->res->nr + 1;
	u32 i;
	int ret;

	l->next = pkram_alloc_mem(nr * sizeof(*l->next));
	l->replaced = pkram_alloc_mem(nr * sizeof(*l->replaced));
	if (!l->next || !l->replaced)
		return -ENOMEM;
	memset(l->replaced, 0, nr * sizeof(*l->replaced));
	for (i = 0; i < l->nr_regions; i++) {
		ret = pkram_load_index_region(&l->regions[i]);
		if (ret)
			return ret;
	}
	pkram_load_check_extents(l);
	ret = load_index_ids(l);
	if (ret)
		return ret;
	load_settle_copies(l);
	load_settle_replaced(l);
	ret = pkram_load_collect_runs(l);
	if (ret)
		return ret;
	pkram_load_check_overlaps(l);
	ret = load_check_names(l);
	if (ret)
		return ret;
	load_check_parents(l);
	for (i = 0; i < l->res->nr; i++, pkram_env_pause())
		l->res->lost |= l->res->items[i].lost;
	return 0;
}

static void load_release(struct loader *l)
{
	u32 i;

	for (i = 0; i < l->nr_regions; i++) {
		pkram_free_mem(l->regions[i].used.before);
		pkram_free_mem(l->regions[i].unowned.before);
		pkram_free_mem(l->regions[i].map);
	}
	pkram_free_mem(l->regions);
	pkram_free_mem(l->ids);
	pkram_free_mem(l->next);
	pkram_free_mem(l->replaced);
	pkram_free_mem(l->names);
	pkram_free_mem(l->runs);
}

int pkram_load(const struct pkram_load_region *regions, u32 nr_regions,
	       struct pkram_alloc *al, struct pkram_load_result *res)
{
	struct loader l = { .al = al, .res = res };
	u32 i;
	int ret;

	memset(res, 0, sizeof(*res));
	ret = load_init(&l, regions, nr_regions);
	for (i = 0; !ret && i < nr_regions; i++)
		ret = load_read_region(&l, &regions[i]);
	if (!ret)
		ret = load_judge(&l);
	if (ret) {
		pkram_load_release(res);
	} else {
		pkram_load_take_runs(&l);
		for (i = 0; i < l.nr_regions; i++)
			pkram_load_take_unowned(&l, &l.regions[i]);
	}
	load_release(&l);
	return ret;
}

void pkram_load_keep(const struct pkram_load_region *regions, u32 nr_regions,
		     struct pkram_alloc *al)
{
	struct pkram_load_result res = { .lost = true };
	struct loader l = { .al = al, .res = &res };
	struct region_ref ref;
	u32 i;

	for (i = 0; i < nr_regions; i++) {
		ref = (struct region_ref){
			.id = regions[i].h->region_id,
			.lr = &regions[i],
			.ar = pkram_alloc_find(al, regions[i].h->region_id),
		};
		if (ref.ar)
			pkram_load_take_unowned(&l, &ref);
	}
}

void pkram_load_release(struct pkram_load_result *res)
{
	u32 i;

	for (i = 0; i < res->nr; i++, pkram_env_pause())
		pkram_record_release(&res->items[i].rec);
	pkram_free_mem(res->items);
	memset(res, 0, sizeof(*res));
}
