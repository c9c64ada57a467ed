// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <sys/mman.h>
#include "core/badpages.h"
#include "image.h"
#include "tap.h"

static const u8 pool_uuid[16] = "pkram-test-pool";

/* Regions */

void image_init(struct image *im)
{
	memset(im, 0, sizeof(*im));
	im->seed = pkram_pool_seed(pool_uuid);
}

void image_write_header(struct image *im, u32 region)
{
	struct pkram_region_ser *ser = malloc(sizeof(*ser));
	void *head = im->mem[region];

	im->h[region].seq++;
	pkram_header_encode(ser, &im->h[region]);
	pkram_pair_commit(head, head + PKRAM_HEADER_SLOT, 0, ser, sizeof(*ser));
	free(ser);
}

u32 image_add_region(struct image *im, u32 nr_gib, u64 present)
{
	u32 n = im->nr++, gib;
	struct pkram_header *h = &im->h[n];
	struct pkram_bad_ser bad;

	im->mem[n] = mmap(NULL, IMAGE_MAPPED, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(im->mem[n] != MAP_FAILED);
	h->version = PKRAM_FORMAT_VERSION;
	h->index = n;
	memcpy(h->pool_uuid, pool_uuid, 16);
	memcpy(h->region_uuid, "region-A-of-test", 16);
	h->region_uuid[7] = 'A' + n;
	h->region_id = pkram_region_id(h->region_uuid);
	h->base = IMAGE_BASE + n * (u64)PKRAM_REGION_MAX_GIB * PKRAM_GIB;
	h->nr_gib = nr_gib;
	h->created = 1700000000;
	for (gib = 0; gib < nr_gib; gib++) {
		if (gib < 64 && !(present >> gib & 1))
			continue;
		h->present[gib / 64] |= 1ULL << (gib % 64);
		pkram_map_init(im->mem[n], h->region_id, gib);
	}
	pkram_map_set(im->mem[n], h->region_id, 0, 1, PKRAM_UNIT_META);
	pkram_badpages_init(&bad, h->base);
	pkram_badpages_write(im->mem[n], &bad);
	image_write_header(im, n);
	return n;
}

void image_add_meta(struct image *im, u32 region, u32 unit, bool large)
{
	struct pkram_header *h = &im->h[region];
	struct spot at = { .region = region, .unit = unit, .large = large };

	for (at.pair = 0; at.pair < (large ? 1 : PKRAM_SMALL_PAIRS); at.pair++)
		image_free_pair(im, at, 1, 0);
	pkram_map_set(im->mem[region], h->region_id, unit, 1, PKRAM_UNIT_META);
	h->meta[h->nr_meta++] = unit | (large ? PKRAM_META_LARGE : 0);
	image_write_header(im, region);
}

void image_exit(struct image *im)
{
	u32 i;

	image_unload(im);
	for (i = 0; i < im->nr; i++)
		munmap(im->mem[i], IMAGE_MAPPED);
	im->nr = 0;
}

/* Records */

void *image_slot(struct image *im, struct spot at, int slot)
{
	size_t size = at.large ? PKRAM_LARGE_SLOT : PKRAM_SMALL_SLOT;

	return im->mem[at.region] + (size_t)at.unit * PKRAM_UNIT +
	       (2 * at.pair + slot) * size;
}

void image_put(struct image *im, struct spot at, const struct pkram_record *r)
{
	void *buf = malloc(pkram_record_len(r));
	size_t len = pkram_record_encode(buf, r, im->seed);

	pkram_pair_commit(image_slot(im, at, 0), image_slot(im, at, 1), 0, buf,
			  len);
	free(buf);
}

void image_free_pair(struct image *im, struct spot at, u64 seq, u64 id)
{
	struct pkram_record r = { .kind = PKRAM_KIND_FREE, .seq = seq, .id = id };

	image_put(im, at, &r);
}

void image_put_owned(struct image *im, struct spot at,
		     const struct pkram_record *r)
{
	const struct pkram_extent *e;
	u32 i, n;

	for (i = 0; i < r->nr_extents; i++) {
		e = &r->extents[i];
		for (n = 0; n < im->nr; n++)
			if (im->h[n].region_id == e->region_id)
				pkram_map_set(im->mem[n], e->region_id,
					      e->region_unit, e->nr_units,
					      PKRAM_UNIT_WRITTEN);
	}
	image_put(im, at, r);
}

/* Loading */

void image_prepare_alloc(struct image *im)
{
	struct pkram_header *h;
	u32 i, j;

	for (i = 0; i < im->nr; i++) {
		h = &im->h[i];
		CHECK_EQ(pkram_alloc_add_region(&im->al, h->region_id,
						PKRAM_NO_NODE, h->nr_gib,
						h->present), 0);
		CHECK_EQ(pkram_alloc_mark(&im->al, h->region_id, 0, 1), 0);
		for (j = 0; j < h->nr_meta; j++)
			CHECK_EQ(pkram_alloc_mark(&im->al, h->region_id,
						  h->meta[j] &
						  ~PKRAM_META_LARGE, 1), 0);
	}
}

int image_load(struct image *im)
{
	struct pkram_load_region lr[IMAGE_REGIONS];
	u32 i;

	image_unload(im);
	image_prepare_alloc(im);
	for (i = 0; i < im->nr; i++)
		lr[i] = (struct pkram_load_region) {
			.h = &im->h[i],
			.base = im->mem[i],
		};
	return pkram_load(lr, im->nr, &im->al, &im->res);
}

void image_unload(struct image *im)
{
	pkram_load_release(&im->res);
	pkram_alloc_destroy(&im->al);
}

static struct pkram_record image_record(u64 id, u64 parent, const char *name)
{
	struct pkram_record r = {
		.seq = 1,
		.id = id,
		.parent = parent,
		.name_len = strlen(name),
		.uid = 1000,
		.gid = 1001,
		.atime = { 1700000001, 1 },
		.mtime = { 1700000002, 2 },
		.ctime = { -1, 999999999 },
		.btime = { (s64)(id % 1000), 4 },
	};

	memcpy(r.name, name, r.name_len);
	return r;
}

struct pkram_record image_file(u64 id, u64 parent, const char *name)
{
	struct pkram_record r = image_record(id, parent, name);

	r.kind = PKRAM_KIND_FILE;
	r.mode = S_IFREG | 0640;
	return r;
}

struct pkram_record image_dir(u64 id, u64 parent, const char *name)
{
	struct pkram_record r = image_record(id, parent, name);

	r.kind = PKRAM_KIND_DIR;
	r.mode = S_IFDIR | 0755;
	return r;
}

struct pkram_record image_dma_table(u64 id, const char *name)
{
	struct pkram_record r = image_file(id, 0, name);

	r.kind = PKRAM_KIND_DMA_TABLE;
	r.mode = 0;
	r.table_state = PKRAM_DMA_TABLE_SUSPENDED;
	return r;
}

static bool time_same(const struct pkram_time *a, const struct pkram_time *b)
{
	return a->sec == b->sec && a->nsec == b->nsec;
}

static bool extents_same(const struct pkram_record *a,
			 const struct pkram_record *b)
{
	const struct pkram_extent *x = a->extents, *y = b->extents;
	u32 i;

	for (i = 0; i < a->nr_extents; i++, x++, y++)
		if (x->region_id != y->region_id || x->obj_unit != y->obj_unit ||
		    x->region_unit != y->region_unit ||
		    x->nr_units != y->nr_units)
			return false;
	return true;
}

static bool entries_same(const struct pkram_record *a,
			 const struct pkram_record *b)
{
	const struct pkram_entry *x, *y;
	u32 i;

	for (i = 0; i < a->nr_entries; i++) {
		x = &a->entries[i];
		y = &b->entries[i];
		if (x->iova != y->iova || x->size != y->size || x->prot != y->prot ||
		    x->object != y->object || x->offset != y->offset)
			return false;
	}
	return true;
}

bool record_same(const struct pkram_record *a, const struct pkram_record *b)
{
	return a->seq == b->seq && a->id == b->id && a->parent == b->parent &&
	       a->replaces == b->replaces && a->size == b->size &&
	       a->kind == b->kind && a->name_len == b->name_len &&
	       a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	       time_same(&a->atime, &b->atime) &&
	       time_same(&a->mtime, &b->mtime) &&
	       time_same(&a->ctime, &b->ctime) &&
	       time_same(&a->btime, &b->btime) &&
	       a->seal.state == b->seal.state &&
	       a->seal.generation == b->seal.generation &&
	       !memcmp(a->seal.cookie, b->seal.cookie, 16) &&
	       !memcmp(a->seal.vm_uuid, b->seal.vm_uuid, 16) &&
	       a->table_state == b->table_state &&
	       !memcmp(a->name, b->name, sizeof(a->name)) &&
	       a->xattr_len == b->xattr_len && a->nr_extents == b->nr_extents &&
	       (!a->xattr_len || !memcmp(a->xattrs, b->xattrs, a->xattr_len)) &&
	       extents_same(a, b) && a->nr_entries == b->nr_entries &&
	       entries_same(a, b);
}

struct pkram_loaded *image_at(struct image *im, struct spot at)
{
	struct pkram_loaded *it;
	u32 i;

	for (i = 0; i < im->res.nr; i++) {
		it = &im->res.items[i];
		if (it->rec.kind != PKRAM_KIND_FREE &&
		    it->loc.region_id == im->h[at.region].region_id &&
		    it->loc.unit == at.unit && it->loc.pair == at.pair &&
		    it->loc.large == at.large)
			return it;
	}
	return NULL;
}

u32 image_nr(const struct image *im)
{
	u32 i, nr = 0;

	for (i = 0; i < im->res.nr; i++)
		nr += im->res.items[i].rec.kind != PKRAM_KIND_FREE;
	return nr;
}

struct pkram_loaded *image_find(struct image *im, u64 id)
{
	struct pkram_loaded *it, *found = NULL;
	u32 i;

	for (i = 0; i < im->res.nr; i++) {
		it = &im->res.items[i];
		if (it->bad || it->is_void || it->rec.id != id)
			continue;
		CHECK(!found);
		found = it;
	}
	return found;
}

/* The sample */

static struct pkram_extent *extents(const struct image *im, u32 nr,
				    const u32 (*e)[3])
{
	struct pkram_extent *x = calloc(nr, sizeof(*x));
	u32 i;

	for (i = 0; i < nr; i++)
		x[i] = (struct pkram_extent) {
			.region_id = im->h[0].region_id,
			.obj_unit = e[i][0],
			.region_unit = e[i][1],
			.nr_units = e[i][2],
		};
	return x;
}

static void label(struct pkram_record *r, const char *name, const char *value)
{
	u8 *old = r->xattrs;

	CHECK_EQ(pkram_xattr_replace(old, r->xattr_len, name, value,
				     strlen(value), &r->xattrs, &r->xattr_len),
		 0);
	free(old);
}

static void sample_guest(struct sample *s, struct pkram_record *r)
{
	static const u32 e[][3] = { { 0, 16, 10 }, { 10, 40, 3 },
				    { 100, 30, 7 } };

	*r = image_file(3, 2, "vm1");
	r->seq = 7;
	r->size = 110 * PKRAM_UNIT - 123;
	r->mode = S_IFREG | 0600;
	r->nr_extents = ARRAY_SIZE(e);
	r->extents = extents(&s->im, ARRAY_SIZE(e), e);
	r->seal.state = PKRAM_SEAL_SEALED;
	r->seal.generation = 5;
	memcpy(r->seal.cookie, "cookie of seal 5", 16);
	memcpy(r->seal.vm_uuid, "uuid of the vm 1", 16);
	label(r, "os", "debian");
	label(r, "note", "");
	label(r, "owner", "operations");
}

static void sample_large(struct sample *s, struct pkram_record *r)
{
	u32 e[40][3], i;

	for (i = 0; i < 40; i++) {
		e[i][0] = 3 * i;
		e[i][1] = 100 + i;
		e[i][2] = 1;
	}
	*r = image_file(5, PKRAM_ROOT_ID, "many extents \xc3\xa4");
	r->seq = 1ULL << 40;
	r->size = (1ULL << 63) - 1;
	r->nr_extents = 40;
	r->extents = extents(&s->im, 40, e);
	label(r, "kind", "in a large slot");
}

static void sample_dma_table(struct pkram_record *r)
{
	static const struct pkram_entry e[] = {
		{ 0, 640 << 10, 3, 0, 3 },
		{ 1 << 20, 20 << 20, 3, 1 << 20, 3 },
		/* Of an object that does not exist; up to the last address */
		{ -(1ULL << 21), 1 << 21, 12, 1ULL << 40, PKRAM_ENTRY_READ },
	};

	*r = image_dma_table(10, "vm1");
	r->nr_entries = ARRAY_SIZE(e);
	r->entries = malloc(sizeof(e));
	memcpy(r->entries, e, sizeof(e));
}

static void sample_records(struct sample *s)
{
	static const u32 state[][3] = { { 0, 60, 1 } };
	static const u32 beyond[][3] = { { 4, 511, 1 } };
	struct pkram_record *r = s->rec;

	r[0] = image_dir(PKRAM_ROOT_ID, 0, "");
	r[1] = image_dir(2, PKRAM_ROOT_ID, "guests");
	r[1].seq = 3;
	sample_guest(s, &r[2]);
	r[3] = image_file(4, 2, "vm1.state");
	r[3].size = 12345;
	r[3].extents = extents(&s->im, 1, state);
	r[3].nr_extents = 1;
	sample_large(s, &r[4]);
	/* Memory beyond the size, unwritten; a name of full length */
	r[5] = image_file(6, PKRAM_ROOT_ID, "");
	r[5].name_len = PKRAM_NAME_MAX;
	memset(r[5].name, 'n', PKRAM_NAME_MAX);
	r[5].size = 1;
	r[5].extents = extents(&s->im, 1, beyond);
	r[5].nr_extents = 1;
	r[5].seal.state = PKRAM_SEAL_RUNNING;
	r[5].seal.generation = 2;
	r[6] = image_file(9, 2, "empty");
	r[6].replaces = 8;
	sample_dma_table(&r[7]);
}

void sample_init(struct sample *s)
{
	struct image *im = &s->im;
	u32 i;

	memset(s, 0, sizeof(*s));
	image_init(im);
	image_add_region(im, 1, 1);
	im->h[0].set_seq = 1;
	im->h[0].nr_regions = 1;
	image_add_meta(im, 0, 1, false);
	image_add_meta(im, 0, 2, true);
	sample_records(s);
	for (i = 0; i < SAMPLE_OBJECTS; i++) {
		s->spot[i] = (struct spot) { .unit = 1, .pair = 3 * i };
		if (i == 4)
			s->spot[i] = (struct spot) { .unit = 2, .large = true };
		image_put_owned(im, s->spot[i], &s->rec[i]);
	}
	pkram_map_set(im->mem[0], im->h[0].region_id, 18, 2, PKRAM_UNIT_STALE);
	pkram_map_set(im->mem[0], im->h[0].region_id, 511, 1, PKRAM_UNIT_STALE);
}

void sample_exit(struct sample *s)
{
	u32 i;

	for (i = 0; i < SAMPLE_OBJECTS; i++)
		pkram_record_release(&s->rec[i]);
	image_exit(&s->im);
}

/* A child of a bad directory must be reported as an orphan. */
static bool orphan_expected(struct sample *s, int i, int bad)
{
	return bad >= 0 && s->rec[i].parent == s->rec[bad].id &&
	       s->rec[bad].id != PKRAM_ROOT_ID && image_at(&s->im, s->spot[bad])->bad;
}

void sample_check(struct sample *s, int may_be_bad)
{
	struct image *im = &s->im;
	struct pkram_loaded *it;
	u32 good = 0;
	int i;

	CHECK_EQ(image_load(im), 0);
	for (i = 0; i < SAMPLE_OBJECTS; i++) {
		it = image_at(im, s->spot[i]);
		CHECK(it);
		if (it->bad && i == may_be_bad)
			continue;
		if (it->bad || it->is_void)
			tap_note("object %d: %s, void %d", i,
				 pkram_bad_text(it->bad), it->is_void);
		CHECK(!it->bad && !it->is_void);
		CHECK_EQ(it->orphan, orphan_expected(s, i, may_be_bad));
		CHECK(record_same(&it->rec, &s->rec[i]));
		good++;
	}
	for (i = 0; i < (int)im->res.nr; i++)
		good -= !im->res.items[i].bad &&
			im->res.items[i].rec.kind != PKRAM_KIND_FREE;
	CHECK_EQ(good, 0);
}

/* Random numbers: splitmix64 */

u64 rng_next(struct rng *g)
{
	u64 z = (g->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

u32 rng_below(struct rng *g, u32 n)
{
	return rng_next(g) % n;
}

/* Cuts */

static jmp_buf cut_out;
static unsigned long cut_left;

static void cut_hook(void *p, u64 v)
{
	(void)p;
	(void)v;
	if (!cut_left--)
		longjmp(cut_out, 1);
}

bool cut_after(unsigned long nr, void (*op)(void *arg), void *arg)
{
	volatile bool cut = false;

	cut_left = nr;
	pkram_store_hook = cut_hook;
	if (setjmp(cut_out))
		cut = true;
	else
		op(arg);
	pkram_store_hook = NULL;
	return cut;
}
