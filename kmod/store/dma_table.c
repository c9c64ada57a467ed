// SPDX-License-Identifier: GPL-2.0
/*
 * DMA tables: see dma_table.h. The store treats them as objects without memory in
 * a separate directory that no file system shows.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "compat/compat.h"
#include "store/commit.h"
#include "store/dma_table.h"
#include "store/objects.h"
#include "store/opens.h"
#include "store/records.h"
#include "store/state.h"

static struct pkram_object *dma_table_make(const char *name,
					   const struct pkram_entry *e, u32 nr)
{
	struct pkram_object *table = pkram_object_alloc();
	struct pkram_record *rec;

	if (!table)
		return NULL;
	rec = &table->rec;
	if (nr) {
		rec->entries = pkram_alloc_mem(nr * sizeof(*e));
		if (!rec->entries) {
			pkram_object_put(table);
			return NULL;
		}
		memcpy(rec->entries, e, nr * sizeof(*e));
		rec->nr_entries = nr;
	}
	rec->kind = PKRAM_KIND_DMA_TABLE;
	rec->name_len = strlen(name);
	memcpy(rec->name, name, rec->name_len);
	rec->uid = from_kuid(&init_user_ns, current_euid());
	rec->gid = from_kgid(&init_user_ns, current_egid());
	rec->table_state = PKRAM_DMA_TABLE_RUNNING;
	pkram_object_born(table);
	table->in_use = true;
	return table;
}

/* Space that a table's record takes from the pool */
static u64 dma_table_charge(bool large)
{
	return large ? PKRAM_UNIT : 2 * PKRAM_SMALL_SLOT;
}

/*
 * Tables outlive those who made them, and who may open a group has no other right in the pool:
 * no user may fill it with records. @large: size of the slots that @table is to get; @but: does
 * not count, because it is replaced
 */
static int dma_table_check_quota(const struct pkram_object *table, bool large,
				 const struct pkram_object *but)
{
	u64 sum = dma_table_charge(large);
	const struct pkram_object *obj;
	struct rb_node *node;

	lockdep_assert_held(&pkram_store.lock);
	for (node = rb_first(&pkram_store.dma_tables->children); node; node = rb_next(node)) {
		obj = rb_entry(node, struct pkram_object, sibling);
		if (obj != table && obj != but && !obj->bad && obj->rec.uid == table->rec.uid)
			sum += dma_table_charge(obj->loc.large);
		cond_resched();
	}
	/* In a user namespace a user may have many ids. */
	if (sum <= PKRAM_DMA_TABLE_QUOTA && current_user_ns() == &init_user_ns)
		return 0;
	return capable(CAP_SYS_RESOURCE) ? 0 : -EDQUOT;
}

struct pkram_object *pkram_dma_table_create(const char *name,
					    const struct pkram_entry *e,
					    u32 nr)
{
	struct pkram_object *table;
	int err;

	if (!pkram_name_ok(name, strlen(name)))
		return ERR_PTR(-EINVAL);
	if (nr > PKRAM_MAX_ENTRIES)
		return ERR_PTR(-ENOSPC);
	table = dma_table_make(name, e, nr);
	if (!table)
		return ERR_PTR(-ENOMEM);
	do {
		pkram_transact_begin();
		err = dma_table_check_quota(table, pkram_records_large(&table->rec, &table->loc),
					    NULL) ?:
		      pkram_object_commit_new(pkram_store.dma_tables, table);
	} while (pkram_transact_end(&err));
	if (err) {
		pkram_object_put(table);
		return ERR_PTR(err);
	}
	return table;
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_create, PKRAM_NS);

int pkram_dma_table_may_replace(const char *name, u32 nr)
{
	struct pkram_object *table, *old;
	int err;

	if (!pkram_name_ok(name, strlen(name)))
		return -EINVAL;
	if (nr > PKRAM_MAX_ENTRIES)
		return -ENOSPC;
	table = dma_table_make(name, NULL, 0);
	if (!table)
		return -ENOMEM;
	pkram_store_lock();
	old = pkram_object_find_name(pkram_store.dma_tables, name, strlen(name));
	table->rec.nr_entries = nr;
	err = dma_table_check_quota(table, pkram_records_large(&table->rec, &table->loc), old);
	table->rec.nr_entries = 0;
	pkram_store_unlock();
	pkram_object_put(table);
	return err;
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_may_replace, PKRAM_NS);

static bool dma_table_is_owner(const struct pkram_object *table)
{
	kuid_t owner = make_kuid(&init_user_ns, table->rec.uid);

	return uid_eq(current_euid(), owner) || capable(CAP_SYS_ADMIN);
}

static int dma_table_may_restore(const struct pkram_object *table, bool force)
{
	lockdep_assert_held(&pkram_store.lock);
	if (!table)
		return -ENOENT;
	if (table->bad)
		return -EUCLEAN;
	if (!dma_table_is_owner(table))
		return -EPERM;
	if (table->in_use)
		return -EBUSY;
	if (pkram_store.read_only)
		return -EROFS;
	return pkram_dma_table_running(table) && !force ? -EOWNERDEAD : 0;
}

struct pkram_object *pkram_dma_table_restore(const char *name, bool force)
{
	struct pkram_object *table;
	int err;

	if (!pkram_name_ok(name, strlen(name)))
		return ERR_PTR(-EINVAL);
	pkram_store_lock();
	table = pkram_object_find_name(pkram_store.dma_tables, name,
				       strlen(name));
	err = dma_table_may_restore(table, force);
	if (!err) {
		pkram_object_get(table);
		table->in_use = true;
	}
	pkram_store_unlock();
	return err ? ERR_PTR(err) : table;
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_restore, PKRAM_NS);

static bool dma_table_maps_sealed(const struct pkram_object *table)
{
	const struct pkram_object *obj = NULL;
	u64 id = 0;
	u32 i;

	for (i = 0; i < table->rec.nr_entries; i++) {
		if (table->rec.entries[i].object != id) {
			id = table->rec.entries[i].object;
			obj = pkram_store_find_key(id);
		}
		if (obj && obj->rec.kind == PKRAM_KIND_FILE &&
		    obj->rec.seal.state == PKRAM_SEAL_SEALED)
			return true;
	}
	return false;
}

bool pkram_dma_table_waits(const struct pkram_object *table)
{
	bool waits;

	pkram_store_lock();
	waits = !pkram_dma_table_running(table) && dma_table_maps_sealed(table);
	pkram_store_unlock();
	return waits;
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_waits, PKRAM_NS);

/* For a table that is not in use; the caller owns the name's reference. */
static void dma_table_unlink(struct pkram_object *table)
{
	lockdep_assert_held(&pkram_store.lock);
	pkram_object_erase(table);
	pkram_object_unlink(table);
}

void pkram_dma_table_put(struct pkram_object *table, bool keep)
{
	pkram_store_lock();
	table->in_use = false;
	if (!keep)
		dma_table_unlink(table);
	pkram_store_unlock();
	if (!keep)
		pkram_object_put(table);
	pkram_object_put(table);
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_put, PKRAM_NS);

u32 pkram_dma_table_entries(const struct pkram_object *table,
			    const struct pkram_entry **e)
{
	*e = table->rec.entries;
	return table->rec.nr_entries;
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_entries, PKRAM_NS);

/* Return the index of the first entry that begins at @iova or later */
static u32 dma_table_find_entry(const struct pkram_record *rec, u64 iova)
{
	u32 lo = 0, hi = rec->nr_entries, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (rec->entries[mid].iova < iova)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Return a copy of the entries with one more */
static struct pkram_entry *dma_table_with_entry(const struct pkram_record *rec,
						const struct pkram_entry *e)
{
	u32 nr = rec->nr_entries, i = dma_table_find_entry(rec, e->iova);
	struct pkram_entry *all = pkram_alloc_mem((nr + 1) * sizeof(*all));

	if (!all)
		return NULL;
	all[i] = *e;
	if (nr) {
		memcpy(all, rec->entries, i * sizeof(*all));
		memcpy(all + i + 1, rec->entries + i, (nr - i) * sizeof(*all));
	}
	return all;
}

static int dma_table_commit_entries(struct pkram_object *table,
				    struct pkram_entry *e, u32 nr)
{
	struct pkram_record *rec = &table->rec;
	struct pkram_entry *old = rec->entries;
	u32 old_nr = rec->nr_entries, old_state = rec->table_state;
	int err = 0;

	lockdep_assert_held(&pkram_store.lock);
	rec->entries = e;
	rec->nr_entries = nr;
	rec->table_state = PKRAM_DMA_TABLE_RUNNING;
	rec->mtime = pkram_object_now();
	if (!table->loc.large && pkram_records_large(rec, &table->loc))
		err = dma_table_check_quota(table, true, NULL);
	err = err ?: pkram_object_commit(table);
	if (err) {
		rec->entries = old;
		rec->nr_entries = old_nr;
		rec->table_state = old_state;
		return err;
	}
	pkram_free_mem(old);
	return 0;
}

int pkram_dma_table_add(struct pkram_object *table, const struct pkram_entry *e)
{
	struct pkram_entry *all;
	u32 nr = table->rec.nr_entries + 1;
	int err;

	if (nr > PKRAM_MAX_ENTRIES)
		return -ENOSPC;
	/* Only the caller changes the table: no lock is needed to read it. */
	all = dma_table_with_entry(&table->rec, e);
	if (!all)
		return -ENOMEM;
	do {
		pkram_transact_begin();
		err = dma_table_commit_entries(table, all, nr);
	} while (pkram_transact_end(&err));
	if (err)
		pkram_free_mem(all);
	return err;
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_add, PKRAM_NS);

void pkram_dma_table_forget(struct pkram_object *table, u64 first, u64 last)
{
	struct pkram_record *rec = &table->rec;
	u32 from, to;

	pkram_store_lock();
	from = dma_table_find_entry(rec, first);
	to = last == U64_MAX ? rec->nr_entries :
	     dma_table_find_entry(rec, last + 1);
	if (from < to) {
		memmove(rec->entries + from, rec->entries + to,
			(rec->nr_entries - to) * sizeof(*rec->entries));
		rec->nr_entries -= to - from;
	}
	pkram_store_unlock();
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_forget, PKRAM_NS);

static int dma_table_commit_state(struct pkram_object *table, u32 state)
{
	u32 old = table->rec.table_state;
	int err;

	do {
		pkram_transact_begin();
		table->rec.table_state = state;
		table->rec.mtime = pkram_object_now();
		err = pkram_object_commit(table);
		if (err)
			table->rec.table_state = old;
	} while (pkram_transact_end(&err));
	return err;
}

void pkram_dma_table_commit(struct pkram_object *table)
{
	/* It has its pair of slots, unless both break when no memory is left for another. */
	if (dma_table_commit_state(table, table->rec.table_state))
		pr_err("DMA table %llu \"%s\": mappings that are gone are still in its record\n",
		       table->rec.id, table->rec.name);
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_commit, PKRAM_NS);

int pkram_dma_table_set_running(struct pkram_object *table, bool running)
{
	if (running == pkram_dma_table_running(table))
		return 0;
	return dma_table_commit_state(table, running ? PKRAM_DMA_TABLE_RUNNING :
				      PKRAM_DMA_TABLE_SUSPENDED);
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_set_running, PKRAM_NS);

bool pkram_dma_table_running(const struct pkram_object *table)
{
	return table->rec.table_state == PKRAM_DMA_TABLE_RUNNING;
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_running, PKRAM_NS);

/* See pkram_dma_table_set_permission(). */
static pkram_permission_fn dma_table_permission;

void pkram_dma_table_set_permission(pkram_permission_fn fn)
{
	dma_table_permission = fn;
}

struct pkram_open *pkram_dma_table_open(u64 id, bool write)
{
	struct pkram_object *obj;
	struct pkram_open *open;
	int err;

	pkram_store_lock();
	obj = pkram_store_find_key(id);
	if (obj && !obj->bad && obj->rec.kind == PKRAM_KIND_FILE)
		pkram_object_get(obj);
	else
		obj = NULL;
	pkram_store_unlock();
	if (!obj)
		return ERR_PTR(-ESTALE);
	err = dma_table_permission ? dma_table_permission(obj, write) : -EACCES;
	/* Not for writing: the next claim must be the only such open. */
	open = err ? ERR_PTR(err) : pkram_open_create(obj, false, false);
	pkram_object_put(obj);
	return open;
}
EXPORT_SYMBOL_NS_GPL(pkram_dma_table_open, PKRAM_NS);

/* The control plane */

struct pkram_object *pkram_store_next_dma_table(u64 key)
{
	return pkram_store_next_child(pkram_store.dma_tables, key);
}

int pkram_dma_table_remove(u64 key)
{
	struct pkram_object *table;
	int err = 0;

	pkram_store_lock();
	table = pkram_store_find_key(key);
	if (!table || table->rec.kind != PKRAM_KIND_DMA_TABLE)
		err = -ENOENT;
	else if (table->bad)
		err = -EUCLEAN;
	else if (table->in_use)
		err = -EBUSY;
	else if (pkram_store.read_only)
		err = -EROFS;
	if (!err)
		dma_table_unlink(table);
	pkram_store_unlock();
	if (!err)
		pkram_object_put(table);
	return err;
}
