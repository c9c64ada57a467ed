// SPDX-License-Identifier: GPL-2.0
/* A machine for tests: see machine.h. The memory is always addressable. */
#include "machine.h"
#include "tap.h"
#include "core/unitmap.h"
#include "event/event.h"
#include "mem/bad.h"
#include "mem/mce.h"
#include "mem/region.h"
#include "mem/zero.h"
#include "store/state.h"

struct machine_log machine_log;
unsigned long machine_fail_claim;
void (*machine_attaching)(void);
void (*machine_populating)(void);
void (*machine_zero)(struct pkram_region *r, u32 gib);
bool machine_pinned;
u32 machine_pinned_step;
unsigned long machine_max_looks;
void (*machine_check_at)(u64 phys, bool report);

/* Memory is reclaimed by I/O, maybe to a loop device that waits for this lock. */
static void check_allocation(void)
{
	SHIM_CHECK(!lockdep_is_held(&pkram_store.lock) || shim_noio);
}

/* Regions without memory hotplug */

/* Memory for the list of bad pages, which does not count among those that fail */
static void region_alloc_list(struct pkram_region *r)
{
	r->bad = calloc(1, PKRAM_BAD_SLOT);
	pkram_badpages_init(r->bad, r->h.base);
}

static struct pkram_region *region_open(struct image *im, u32 n)
{
	struct pkram_region *r = calloc(1, sizeof(*r));
	int cur;

	INIT_LIST_HEAD(&r->list);
	r->head = im->mem[n];
	r->h.base = im->h[n].base;
	region_alloc_list(r);
	pkram_bad_read(r);
	CHECK_EQ(pkram_header_read(r->head, im->h[n].base, &r->h, &cur,
				   &r->differs), 0);
	r->gib = calloc(r->h.nr_gib, sizeof(*r->gib));
	r->scratch = calloc(1, PKRAM_HEADER_SLOT);
	r->gib[0].slice = PKRAM_SLICE_2M;
	r->read_only = r->h.ro_compat;
	pkram_bad_accept(r);
	return r;
}

/* A region of memory that was taken from the system */
static struct pkram_region *region_new(struct image *im, u32 n)
{
	struct pkram_region *r = calloc(1, sizeof(*r));

	INIT_LIST_HEAD(&r->list);
	r->head = im->mem[n];
	r->h.base = im->h[n].base;
	region_alloc_list(r);
	r->h.nr_gib = 1;
	r->h.present[0] = 1;
	r->gib = calloc(r->h.nr_gib, sizeof(*r->gib));
	r->scratch = calloc(1, PKRAM_HEADER_SLOT);
	r->gib[0].slice = PKRAM_SLICE_2M;
	return r;
}

void pkram_region_close(struct pkram_region *r, bool keep_resources)
{
	(void)keep_resources;
	pkram_bad_free(r);
	free(r->scratch);
	free(r->gib);
	free(r);
}

int pkram_region_update_span(struct pkram_region *r)
{
	(void)r;
	return 0;
}

int pkram_region_populate(struct pkram_region *r, u32 gib, unsigned int slice)
{
	SHIM_CHECK(pkram_region_present(r, gib));
	if (r->gib[gib].slice)
		return 0;
	if (machine_populating) {
		void (*meanwhile)(void) = machine_populating;

		machine_populating = NULL;
		meanwhile();
	}
	if (machine_fail_claim && !--machine_fail_claim)
		return -ENOMEM;
	r->gib[gib].slice = slice;
	return 0;
}

void pkram_region_depopulate(struct pkram_region *r, u32 gib)
{
	r->gib[gib].slice = PKRAM_SLICE_NONE;
}

bool pkram_region_pinned(const struct pkram_region *r, u32 unit)
{
	static unsigned long looks, locks;

	if (locks != shim_locks)
		looks = 0;
	locks = shim_locks;
	looks++;
	machine_max_looks = max(machine_max_looks, looks);
	return machine_pinned && r->gib[unit / PKRAM_GIB_UNITS].slice &&
	       !(machine_pinned_step && unit % machine_pinned_step);
}

void pkram_region_commit(struct pkram_region *r)
{
	pkram_header_commit(r->head, &r->h, r->scratch);
}

int pkram_region_map_get(struct pkram_region *r, u32 unit)
{
	return pkram_map_get(r->head, r->h.region_id, unit);
}

int pkram_region_map_set(struct pkram_region *r, u32 unit, u32 nr, int state)
{
	u32 u;

	for (u = unit; u < unit + nr; u++)
		SHIM_CHECK(pkram_region_present(r, u / PKRAM_GIB_UNITS));
	return pkram_map_set(r->head, r->h.region_id, unit, nr, state);
}

void pkram_mce_init(pkram_mce_fn fn)
{
	machine_check_at = fn;
}

void pkram_mce_exit(void)
{
	machine_check_at = NULL;
}

int pkram_zero_init(void)
{
	return 0;
}

void pkram_zero_exit(void)
{
}

int pkram_zero_gib(struct pkram_region *r, u32 gib)
{
	if (machine_zero)
		machine_zero(r, gib);
	pkram_region_depopulate(r, gib);
	return 0;
}

int pkram_zero_prepare(struct pkram_region *r, u32 unit, u32 nr)
{
	int state;

	for (; nr; nr--, unit++) {
		state = pkram_region_map_get(r, unit);
		if (state != PKRAM_UNIT_STALE && state != PKRAM_UNIT_WRITTEN)
			return -EUCLEAN;
		if (state == PKRAM_UNIT_STALE &&
		    pkram_region_map_set(r, unit, 1, PKRAM_UNIT_WRITTEN))
			return -EUCLEAN;
	}
	return 0;
}

void pkram_event_tell(const struct pkram_event *ev)
{
	SHIM_CHECK(lockdep_is_held(&pkram_store.lock) && ev->cmd);
}

void pkram_event_object(u8 cmd, struct pkram_object *obj)
{
	SHIM_CHECK(lockdep_is_held(&pkram_store.lock) && cmd && obj);
}

/* Stores */

static void log_store(void *p, u64 v)
{
	struct machine_log *l = &machine_log;

	(void)v;
	/* What cannot be written may not be tried. */
	SHIM_CHECK(!pkram_store.read_only);
	if (l->nr == l->max) {
		l->max = l->max ? 2 * l->max : 4096;
		l->entry = realloc(l->entry, l->max * sizeof(*l->entry));
	}
	l->entry[l->nr].at = p;
	l->entry[l->nr++].old = *(__le64 *)p;
}

void machine_log_begin(void)
{
	machine_log.nr = 0;
	pkram_store_hook = log_store;
}

static void undo_stores(unsigned long nr)
{
	struct machine_log *l = &machine_log;

	while (l->nr > nr) {
		l->nr--;
		*l->entry[l->nr].at = l->entry[l->nr].old;
	}
}

/* Life */

void machine_pool(struct image *im, u32 nr_regions)
{
	struct pkram_record root = image_dir(PKRAM_ROOT_ID, 0, "");
	u32 i;

	image_init(im);
	for (i = 0; i < nr_regions; i++) {
		image_add_region(im, 1, 1);
		image_add_meta(im, i, 1, false);
	}
	image_put(im, (struct spot){ .unit = 1 }, &root);
}

int machine_adopt(struct image *im, u32 first, u32 nr, bool lost)
{
	LIST_HEAD(list);
	struct pkram_region *r, *next;
	u32 i;
	int err;

	for (i = first; i < first + nr; i++)
		list_add_tail(&region_open(im, i)->list, &list);
	if (machine_attaching)
		machine_attaching();
	err = pkram_store_attach(&list, lost);
	list_for_each_entry_safe(r, next, &list, list) {
		list_del(&r->list);
		pkram_region_close(r, true);
	}
	return err;
}

int machine_grow(struct image *im, u32 n)
{
	struct pkram_region *r = region_new(im, n);
	int err = pkram_store_grow(r);

	if (err)
		pkram_region_close(r, false);
	return err;
}

int machine_boot(struct image *im, u32 first, u32 nr, bool lost)
{
	shim_log[0] = '\0';
	shim_module_refs = 0;
	CHECK_EQ(shim_noio, 0);
	pkram_alloc_hook = check_allocation;
	memset(&pkram_store, 0, sizeof(pkram_store));
	CHECK_EQ(pkram_store_init(), 0);
	return machine_adopt(im, first, nr, lost);
}

void machine_stop(void)
{
	bool pinned = machine_pinned;

	machine_pinned = false;
	pkram_alloc_fail_at = 0;
	pkram_store_exit();
	machine_pinned = pinned;
	CHECK_EQ(shim_module_refs, 0);
	CHECK_EQ(shim_noio, 0);
	memset(&pkram_store, 0, sizeof(pkram_store));
}

void machine_cut(unsigned long nr)
{
	if (pkram_store.scratch)
		machine_stop();
	undo_stores(nr);
}

/* Objects */

struct pkram_object *machine_find(const char *path)
{
	struct pkram_object *obj = pkram_store_root(), *dir;
	size_t len;

	for (; *path; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		dir = obj;
		obj = pkram_store_lookup(dir, path, len);
		pkram_object_put(dir);
		if (IS_ERR(obj))
			tap_fail(__FILE__, __LINE__, "%s: error %ld", path, PTR_ERR(obj));
	}
	return obj;
}

void machine_create(const char *name, u32 mode, u32 units)
{
	struct pkram_object *root = pkram_store_root(), *obj;
	int err;

	obj = pkram_store_create(root, name, strlen(name), mode, 0, 0);
	if (IS_ERR(obj))
		tap_fail(__FILE__, __LINE__, "%s: error %ld", name, PTR_ERR(obj));
	err = units ? pkram_store_resize(obj, units * PKRAM_UNIT) : 0;
	pkram_object_put(obj);
	pkram_object_put(root);
	CHECK_EQ(err, 0);
}

static void describe(FILE *out, const struct pkram_object *obj)
{
	const struct pkram_record *rec = &obj->rec;
	u32 i;

	if (obj->bad) {
		fprintf(out, "bad: \"%s\" %llu: %s, at %u/%u\n", rec->name, rec->id,
			pkram_bad_text(obj->bad), obj->loc.unit, obj->loc.pair);
		return;
	}
	fprintf(out, "%llu in %llu \"%s\" kind %u mode %o %u:%u size %llu seal %u/%llu labels %u/%#x",
		rec->id, rec->parent, rec->name, rec->kind, rec->mode, rec->uid, rec->gid,
		rec->size, rec->seal.state, rec->seal.generation, rec->xattr_len,
		rec->xattr_len ? pkram_crc32c(0, rec->xattrs, rec->xattr_len) : 0);
	for (i = 0; i < rec->nr_extents; i++)
		fprintf(out, " [%u+%u at %llx:%u]", rec->extents[i].obj_unit,
			rec->extents[i].nr_units, rec->extents[i].region_id,
			rec->extents[i].region_unit);
	for (i = 0; i < rec->nr_entries; i++)
		fprintf(out, " {%llx+%llx: %llu}", rec->entries[i].iova,
			rec->entries[i].size, rec->entries[i].object);
	fprintf(out, "\n");
}

char *machine_describe(void)
{
	struct rb_node *node;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (node = rb_first(&pkram_store.objects); node; node = rb_next(node))
		describe(out, rb_entry(node, struct pkram_object, all));
	fclose(out);
	return text;
}

/* Invariants */

static void check_tree(void)
{
	u32 nr[3] = { 0, 0, 0 }, depth;
	struct pkram_object *obj, *dir;
	struct rb_node *node;
	u64 last = 0;

	CHECK(pkram_store.root && !pkram_store.root->bad);
	for (node = rb_first(&pkram_store.objects); node; node = rb_next(node)) {
		obj = rb_entry(node, struct pkram_object, all);
		CHECK(obj->key > last);
		last = obj->key;
		if (obj == pkram_store.root)
			continue;
		nr[obj->bad ? 2 : obj->rec.kind == PKRAM_KIND_DMA_TABLE]++;
		if (obj->bad)
			continue;
		CHECK(obj->key == obj->rec.id && obj->rec.id < pkram_store.next_id);
		for (depth = 0, dir = obj->parent; dir && dir->parent; dir = dir->parent)
			CHECK(!dir->bad && dir->rec.kind == PKRAM_KIND_DIR && depth++ < 1U << 20);
		CHECK(dir == (obj->rec.kind == PKRAM_KIND_DMA_TABLE ?
			      pkram_store.dma_tables : pkram_store.root));
		pkram_store_lock();
		dir = pkram_object_find_name(obj->parent, obj->rec.name, obj->rec.name_len);
		pkram_store_unlock();
		if (dir != obj)
			tap_fail(__FILE__, __LINE__, "\"%s\" of object %llu leads to %llu",
				 obj->rec.name, obj->rec.id, dir ? dir->rec.id : 0);
	}
	CHECK_EQ(nr[0], pkram_store.nr_objects);
	CHECK_EQ(nr[1], pkram_store.nr_dma_tables);
	CHECK_EQ(nr[2], pkram_store.nr_quarantined);
}

/* The owner of a unit: none, only quarantined objects, or one that may have it */
enum { NO_OWNER, CLAIMED, OWNED };

static void own_unit(u8 *owner, u32 unit, u32 nr, bool bad)
{
	if (unit >= nr || (bad && owner[unit]))
		return;
	if (owner[unit] == OWNED)
		tap_fail(__FILE__, __LINE__, "unit %u has two owners", unit);
	owner[unit] = bad ? CLAIMED : OWNED;
}

static void own_extents(const struct pkram_object *obj, u64 region, u8 *owner, u32 nr)
{
	const struct pkram_extent *e = obj->rec.extents;
	u32 i, u;

	for (i = 0; i < obj->rec.nr_extents; i++, e++)
		for (u = 0; e->region_id == region && u < e->nr_units &&
		     e->region_unit + u < nr; u++)
			own_unit(owner, e->region_unit + u, nr, obj->bad);
}

static bool kept_back(struct pkram_region *r, u32 unit, bool lost)
{
	int state = pkram_region_map_get(r, unit);

	return state < 0 || (lost && state != PKRAM_UNIT_FREE) || pkram_store.nr_pending ||
	       r->gib[unit / PKRAM_GIB_UNITS].leaving || pkram_bad_units(r, unit, 1);
}

static void check_region(struct pkram_region *r)
{
	struct pkram_alloc_region *ar = pkram_alloc_find(&pkram_store.al, r->h.region_id);
	u32 nr = r->h.nr_gib * PKRAM_GIB_UNITS, i, nr_free = 0;
	bool lost = pkram_store.region_lost;
	struct pkram_object *obj;
	struct rb_node *node;
	u8 *owner = calloc(1, nr);

	CHECK(ar && ar->nr_units == nr);
	own_unit(owner, 0, nr, false);
	for (i = 0; i < r->h.nr_meta; i++)
		own_unit(owner, pkram_header_meta_unit(&r->h, i), nr, false);
	for (node = rb_first(&pkram_store.objects); node; node = rb_next(node)) {
		obj = rb_entry(node, struct pkram_object, all);
		own_extents(obj, r->h.region_id, owner, nr);
		lost |= obj->lost;
	}
	list_for_each_entry(obj, &pkram_store.removed, removed_list)
		own_extents(obj, r->h.region_id, owner, nr);
	for (i = 0; i < nr; i++) {
		if (!pkram_region_present(r, i / PKRAM_GIB_UNITS))
			continue;
		nr_free += !test_bit(i, ar->used);
		if (owner[i] == NO_OWNER && test_bit(i, ar->used) && !kept_back(r, i, lost))
			tap_fail(__FILE__, __LINE__, "unit %u is taken and has no owner", i);
		if (owner[i] == OWNED && !test_bit(i, ar->used))
			tap_fail(__FILE__, __LINE__, "unit %u is owned and free", i);
	}
	CHECK_EQ(nr_free, ar->nr_free);
	free(owner);
}

/* No two objects have one pair of slots. */
static void check_pairs(void)
{
	struct rb_node *a, *b;

	for (a = rb_first(&pkram_store.objects); a; a = rb_next(a)) {
		struct pkram_object *x = rb_entry(a, struct pkram_object, all);

		for (b = rb_first(&pkram_store.objects); b != a; b = rb_next(b)) {
			struct pkram_object *y = rb_entry(b, struct pkram_object, all);

			CHECK(!x->loc.region_id || x->loc.region_id != y->loc.region_id ||
			      x->loc.unit != y->loc.unit || x->loc.pair != y->loc.pair);
		}
	}
}

void machine_check(void)
{
	struct pkram_region *r;

	check_tree();
	check_pairs();
	list_for_each_entry(r, &pkram_store.regions, list)
		check_region(r);
}
