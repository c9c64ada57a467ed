// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: the store on a pool of any content. It boots, perhaps with a part of
 * the pool first; boots again, which must change nothing; then works on objects, and
 * stops between any two stores, also while it repairs what an earlier stop left.
 */
#include <string.h>
#include "fuzz.h"
#include "machine.h"
#include "pool.h"
#include "store/dma_table.h"
#include "store/state.h"

static struct image im;

static void boot(void)
{
	REQUIRE(!machine_boot(&im, 0, im.nr, false));
	machine_check();
}

/* All that is there can be told from the pool alone, one object at a time. */
static bool independent(const char *state)
{
	return !pkram_store.nr_quarantined && !strstr(state, "lost+");
}

static void pick_name(struct fuzz_input *in, char name[16])
{
	static const char *const names[] = { "a", "b", "vm1", "lost+5+a", "c", "d", "e", "f" };

	strcpy(name, names[fuzz_below(in, 8)]);
}

/* An object of a kind that is good, referenced, or NULL */
static struct pkram_object *pick(struct fuzz_input *in, u16 kind)
{
	struct pkram_object *obj = pkram_store_next_object(fuzz_below(in, 24));

	if (obj && !obj->bad && obj->rec.kind == kind)
		return obj;
	pkram_object_put(obj);
	return NULL;
}

static struct pkram_object *pick_any(struct fuzz_input *in)
{
	struct pkram_object *obj = pick(in, fuzz_byte(in) & 1 ? PKRAM_KIND_DIR :
					PKRAM_KIND_FILE);

	if (obj != pkram_store.root)
		return obj;
	pkram_object_put(obj);
	return NULL;
}

static struct pkram_object *pick_dir(struct fuzz_input *in)
{
	return pick(in, PKRAM_KIND_DIR) ?: pkram_store_root();
}

static bool is_below(const struct pkram_object *dir, const struct pkram_object *obj)
{
	for (; dir; dir = dir->parent)
		if (dir == obj)
			return true;
	return false;
}

static void do_create(struct fuzz_input *in)
{
	struct pkram_object *dir = pick_dir(in), *obj;
	char name[16];

	pick_name(in, name);
	obj = pkram_store_create(dir, name, strlen(name),
				 fuzz_byte(in) & 1 ? S_IFDIR | 0700 : S_IFREG | 0600, 1, 2);
	if (!IS_ERR(obj))
		pkram_object_put(obj);
	pkram_object_put(dir);
}

static void do_rename(struct fuzz_input *in)
{
	struct pkram_object *obj = pick_any(in), *dir = pick_dir(in), *victim;
	char name[16];

	pick_name(in, name);
	victim = pkram_store_lookup(dir, name, strlen(name));
	if (IS_ERR(victim))
		victim = NULL;
	/* What the VFS excludes */
	if (obj && !is_below(dir, obj) &&
	    (!victim || (victim->rec.kind == obj->rec.kind && !is_below(obj, victim))))
		pkram_store_rename(obj, dir, name, strlen(name), victim);
	pkram_object_put(victim);
	pkram_object_put(dir);
	pkram_object_put(obj);
}

static void do_label(struct fuzz_input *in)
{
	struct pkram_object *obj = pick_any(in);
	static u8 value[9000];
	u8 b = fuzz_byte(in);

	if (!obj)
		return;
	memset(value, b, sizeof(value));
	pkram_store_set_label(obj, b & 1 ? "os" : "note", b % 5 ? value : NULL,
			      b & 0x40 ? 8000 : b, 0);
	pkram_object_put(obj);
}

static void do_memory(struct fuzz_input *in, u8 how)
{
	struct pkram_object *obj = pick(in, PKRAM_KIND_FILE);
	u64 at = (u64)fuzz_byte(in) << 20, len = (u64)fuzz_byte(in) << 20;

	if (!obj)
		return;
	if (how == 0)
		pkram_store_resize(obj, at);
	else if (how == 1)
		pkram_store_punch(obj, at, len);
	else
		pkram_store_allocate(obj, at, len, NULL);
	pkram_object_put(obj);
}

static void do_dma_table(struct fuzz_input *in)
{
	struct pkram_entry e = { .size = 4096, .object = 5, .prot = 3 };
	struct pkram_object *table;
	u8 how = fuzz_byte(in);
	char name[16];

	pick_name(in, name);
	table = how & 1 ? pkram_dma_table_create(name, &e, 1) :
			  pkram_dma_table_restore(name, true);
	if (IS_ERR(table))
		return;
	if (how & 2) {
		e.iova = 1ULL << 40;
		pkram_dma_table_forget(table, e.iova, U64_MAX);
		pkram_dma_table_add(table, &e);
	}
	pkram_dma_table_put(table, how & 4);
}

static void do_something(struct fuzz_input *in)
{
	struct pkram_object *obj;

	switch (fuzz_byte(in) % 10) {
	case 0:
	case 1:
		do_create(in);
		return;
	case 2:
		do_rename(in);
		return;
	case 3:
		do_label(in);
		return;
	case 4:
	case 5:
	case 6:
		do_memory(in, fuzz_byte(in) % 3);
		return;
	case 7:
		do_dma_table(in);
		return;
	case 8:
		obj = pick_dir(in);
		pkram_store_setattr(obj, &(struct pkram_setattr){
			.valid = PKRAM_SET_UID | PKRAM_SET_MODE,
			.uid = fuzz_byte(in), .mode = fuzz_byte(in) });
		break;
	default:
		obj = pick_any(in);
		if (obj)
			pkram_store_unlink(obj);
	}
	pkram_object_put(obj);
}

/* Stop after some of the stores since @from, and look at what the next kernel finds. */
static void stop_and_look(struct fuzz_input *in, unsigned long from, const char *before,
			  const char *after, bool compare)
{
	unsigned long nr = machine_log.nr - from, cut;
	char *found;

	cut = from + (unsigned long)fuzz_byte(in) * nr / 255;
	machine_cut(cut);
	boot();
	found = machine_describe();
	if (compare && strcmp(found, before) && strcmp(found, after)) {
		fprintf(stderr, "cut after %lu of %lu stores: before:\n%safter:\n%sfound:\n%s",
			cut - from, nr, before, after, found);
		abort();
	}
	/* A cut in the repair changes nothing. */
	if (fuzz_byte(in) & 1) {
		nr = machine_log.nr - cut;
		machine_cut(cut + (unsigned long)fuzz_byte(in) * nr / 255);
		boot();
		if (compare) {
			char *again = machine_describe();

			REQUIRE(!strcmp(found, again));
			free(again);
		}
	}
	free(found);
}

static void work(struct fuzz_input *in)
{
	char *before, *after;
	unsigned long from;
	bool compare;
	u32 i;

	for (i = 0; i < 24 && in->left; i++) {
		before = machine_describe();
		compare = independent(before);
		from = machine_log.nr;
		do_something(in);
		machine_check();
		after = machine_describe();
		compare &= independent(after);
		if (fuzz_byte(in) & 1)
			stop_and_look(in, from, before, after, compare);
		free(before);
		free(after);
	}
}

static void discard_all(void)
{
	struct pkram_object *obj;
	u64 key = 0;

	while ((obj = pkram_store_next_object(key))) {
		key = obj->key;
		if (obj->bad) {
			pkram_object_put(obj);
			REQUIRE(!pkram_store_discard(key));
			machine_check();
			continue;
		}
		pkram_object_put(obj);
	}
	REQUIRE(!pkram_store.nr_quarantined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	char *first, *again;
	u8 flags = fuzz_byte(&in);

	machine_log_begin();
	pkram_store_hook = NULL;
	fuzz_pool_init(&im);
	fuzz_pool_fill(&im, &in);
	machine_log_begin();
	if (flags & 1) {
		REQUIRE(!machine_boot(&im, 0, 1, flags & 2));
		machine_check();
		if (flags & 4)
			do_something(&in);
		machine_check();
		if (flags & 8) {
			pkram_alloc_fail_at = 1 + fuzz_below(&in, 600);
			pkram_alloc_count = 0;
		}
		first = machine_describe();
		pkram_alloc_count = 0;
		if (machine_adopt(&im, 1, 1, false)) {
			pkram_alloc_fail_at = 0;
			again = machine_describe();
			REQUIRE(!strcmp(first, again));
			free(again);
			machine_check();
			REQUIRE(!machine_adopt(&im, 1, 1, false));
		}
		pkram_alloc_fail_at = 0;
		free(first);
		machine_check();
	} else {
		boot();
	}
	first = machine_describe();
	machine_stop();
	boot();
	again = machine_describe();
	if (strcmp(first, again)) {
		fprintf(stderr, "first load:\n%sagain:\n%s", first, again);
		abort();
	}
	free(first);
	free(again);
	work(&in);
	if (flags & 0x10)
		discard_all();
	machine_stop();
	pkram_store_hook = NULL;
	return 0;
}
