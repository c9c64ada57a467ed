// SPDX-License-Identifier: GPL-2.0
/*
 * Opens and claims: see opens.h. core/seal.c has the states of a seal; this file
 * records which open has a claim, and commits.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/pkram.h>
#include <linux/slab.h>
#include "compat/compat.h"
#include "core/seal.h"
#include "event/event.h"
#include "event/trace.h"
#include "store/commit.h"
#include "store/objects.h"
#include "store/opens.h"
#include "store/state.h"

static int opens_may_open(const struct pkram_object *obj, bool writable,
			  bool exclusive)
{
	lockdep_assert_held(&pkram_store.lock);
	if (obj->bad)
		return -EUCLEAN;
	if (!writable)
		return 0;
	if (obj->claimant || obj->exclusive)
		return -EBUSY;
	if (exclusive)
		return obj->nr_writers ? -EBUSY : 0;
	return obj->rec.seal.state == PKRAM_SEAL_SEALED ? -EBUSY : 0;
}

struct pkram_open *pkram_open_create(struct pkram_object *obj, bool writable,
				     bool exclusive)
{
	struct pkram_open *open = kzalloc(sizeof(*open), GFP_KERNEL);
	int err;

	if (!open)
		return ERR_PTR(-ENOMEM);
	refcount_set(&open->ref, 1);
	open->writable = writable;
	open->exclusive = exclusive && writable;
	pkram_store_lock();
	err = opens_may_open(obj, writable, exclusive);
	if (!err) {
		open->obj = pkram_object_get(obj);
		obj->nr_writers += writable;
		if (open->exclusive)
			obj->exclusive = open;
	}
	pkram_store_unlock();
	if (err) {
		kfree(open);
		return ERR_PTR(err);
	}
	return open;
}

struct pkram_open *pkram_open_get(struct pkram_open *open)
{
	refcount_inc(&open->ref);
	return open;
}

static void opens_trace_release(const struct pkram_object *obj)
{
	const struct pkram_seal *seal = &obj->rec.seal;

	trace_pkram_release(obj->rec.id, seal->state, seal->state, seal->generation, 0);
}

void pkram_open_put(struct pkram_open *open)
{
	struct pkram_object *obj = open->obj;

	if (!refcount_dec_and_test(&open->ref))
		return;
	pkram_store_lock();
	obj->nr_writers -= open->writable;
	if (obj->exclusive == open)
		obj->exclusive = NULL;
	/* The state in the record stays RUNNING or SEALED. */
	if (obj->claimant == open) {
		obj->claimant = NULL;
		opens_trace_release(obj);
		pkram_event_object(PKRAM_CMD_OBJECT_RELEASE_NTF, obj);
	}
	pkram_store_unlock();
	pkram_object_put(obj);
	kfree(open);
}
EXPORT_SYMBOL_NS_GPL(pkram_open_put, PKRAM_NS);

const void *pkram_open_object(const struct pkram_open *open)
{
	return open->obj;
}
EXPORT_SYMBOL_NS_GPL(pkram_open_object, PKRAM_NS);

int pkram_open_may_change(struct pkram_object *obj, struct pkram_open *open)
{
	struct pkram_open *holder = READ_ONCE(obj->claimant);

	/* No lock is needed: a claim is refused while there is another writer. */
	if (!holder)
		holder = READ_ONCE(obj->exclusive);
	if (open && READ_ONCE(obj->claimant) == open)
		return 0;
	if (holder && holder != open)
		return -EBUSY;
	return READ_ONCE(obj->rec.seal.state) == PKRAM_SEAL_SEALED ? -EBUSY : 0;
}

int pkram_open_may_rename(const struct pkram_object *obj)
{
	lockdep_assert_held(&pkram_store.lock);
	return obj->claimant || obj->rec.seal.state == PKRAM_SEAL_SEALED ?
	       -EBUSY : 0;
}

/* Commit an object whose seal was changed; undo the change on failure. */
static int opens_commit_seal(struct pkram_object *obj,
			     const struct pkram_seal *old)
{
	int err = pkram_object_commit(obj);

	if (err)
		obj->rec.seal = *old;
	return err;
}

static int opens_claim_locked(struct pkram_open *open, u32 flags, const u8 vm_uuid[16],
			      u64 bytes, u64 *generation)
{
	struct pkram_object *obj = open->obj;
	struct pkram_seal old = obj->rec.seal;
	bool claimed;
	int err = 0;

	lockdep_assert_held(&pkram_store.lock);
	if (obj->bad)
		err = -EUCLEAN;
	else if (obj->removed)
		err = -ENOENT;
	else if ((obj->claimant && obj->claimant != open) ||
		 (obj->exclusive && obj->exclusive != open) ||
		 obj->nr_writers > 1)
		err = -EBUSY;
	else if (bytes && bytes != obj->rec.size)
		err = -EINVAL;
	if (!err)
		err = pkram_seal_claim(&obj->rec.seal, flags, vm_uuid);
	if (!err)
		err = opens_commit_seal(obj, &old);
	if (!err) {
		claimed = !obj->claimant;
		obj->claimant = open;
		*generation = obj->rec.seal.generation;
		if (old.state == PKRAM_SEAL_SEALED &&
		    obj->rec.seal.state != PKRAM_SEAL_SEALED)
			pkram_event_object(PKRAM_CMD_OBJECT_UNSEAL_NTF, obj);
		if (claimed)
			pkram_event_object(PKRAM_CMD_OBJECT_CLAIM_NTF, obj);
	}
	trace_pkram_claim(obj->rec.id, old.state, obj->rec.seal.state,
			  obj->rec.seal.generation, err);
	return err;
}

int pkram_open_claim(struct pkram_open *open, u32 flags, const u8 vm_uuid[16],
		     u64 bytes, u64 *generation)
{
	int err;

	if (!open->writable)
		return -EBADF;
	/* -EAGAIN: bad pages leave no slot for the record. */
	do {
		pkram_transact_begin();
		err = opens_claim_locked(open, flags, vm_uuid, bytes, generation);
	} while (pkram_transact_end(&err));
	return err;
}

static int opens_seal_locked(struct pkram_open *open, const u8 cookie[16],
			     const u8 vm_uuid[16], u64 *generation)
{
	struct pkram_object *obj = open->obj;
	struct pkram_seal old = obj->rec.seal;
	int err;

	lockdep_assert_held(&pkram_store.lock);
	err = obj->claimant == open ? 0 : -EPERM;
	if (!err)
		err = pkram_seal_set(&obj->rec.seal, cookie, vm_uuid);
	if (!err)
		err = opens_commit_seal(obj, &old);
	if (!err)
		pkram_event_object(PKRAM_CMD_OBJECT_SEAL_NTF, obj);
	trace_pkram_seal(obj->rec.id, old.state, obj->rec.seal.state,
			 obj->rec.seal.generation, err);
	*generation = obj->rec.seal.generation;
	return err;
}

int pkram_open_seal(struct pkram_open *open, const u8 cookie[16],
		    const u8 vm_uuid[16], u64 *generation)
{
	int err;

	do {
		pkram_transact_begin();
		err = opens_seal_locked(open, cookie, vm_uuid, generation);
	} while (pkram_transact_end(&err));
	return err;
}

static int opens_resume_locked(struct pkram_open *open, const u8 cookie[16],
			       bool check, u64 *generation)
{
	struct pkram_object *obj = open->obj;
	struct pkram_seal old = obj->rec.seal;
	int err;

	lockdep_assert_held(&pkram_store.lock);
	err = obj->claimant == open ? 0 : -EPERM;
	if (!err)
		err = check ? pkram_seal_check(&obj->rec.seal, cookie) :
			      pkram_seal_resume(&obj->rec.seal, cookie);
	if (!err && !check) {
		err = opens_commit_seal(obj, &old);
		if (!err)
			pkram_event_object(PKRAM_CMD_OBJECT_RESUME_NTF, obj);
	}
	trace_pkram_resume(obj->rec.id, old.state, obj->rec.seal.state,
			   obj->rec.seal.generation, err);
	*generation = obj->rec.seal.generation;
	return err;
}

int pkram_open_resume(struct pkram_open *open, const u8 cookie[16],
		      bool check, u64 *generation)
{
	int err;

	do {
		pkram_transact_begin();
		err = opens_resume_locked(open, cookie, check, generation);
	} while (pkram_transact_end(&err));
	return err;
}

static int opens_resume_one(struct pkram_resume *r)
{
	struct pkram_object *obj = r->open->obj;
	int err;

	r->old = obj->rec.seal;
	err = obj->claimant == r->open ? 0 : -EPERM;
	if (!err)
		err = pkram_seal_resume(&obj->rec.seal, r->cookie);
	if (!err)
		err = opens_commit_seal(obj, &r->old);
	trace_pkram_resume(obj->rec.id, r->old.state, obj->rec.seal.state,
			   obj->rec.seal.generation, err);
	return err;
}

static int opens_resume_all_locked(struct pkram_resume *r, u32 nr)
{
	struct pkram_object *obj;
	int err = 0;
	u32 i;

	lockdep_assert_held(&pkram_store.lock);
	for (i = 0; !err && i < nr; i++)
		err = opens_resume_one(&r[i]);
	if (err) {
		/* The last one did not change. */
		for (i--; i--;) {
			obj = r[i].open->obj;
			obj->rec.seal = r[i].old;
			/* It was written a moment ago: both slots would have to break since. */
			if (pkram_object_commit(obj))
				pr_err("object %llu \"%s\": its seal could not be restored\n",
				       obj->rec.id, obj->rec.name);
		}
	} else {
		for (i = 0; i < nr; i++)
			pkram_event_object(PKRAM_CMD_OBJECT_RESUME_NTF, r[i].open->obj);
	}
	return err;
}

int pkram_open_resume_all(struct pkram_resume *r, u32 nr)
{
	int err;

	do {
		pkram_transact_begin();
		err = opens_resume_all_locked(r, nr);
	} while (pkram_transact_end(&err));
	return err;
}

void pkram_object_seal(const struct pkram_object *obj, struct pkram_seal *seal)
{
	pkram_store_lock();
	*seal = obj->rec.seal;
	pkram_store_unlock();
}

u32 pkram_object_state(struct pkram_object *obj)
{
	if (READ_ONCE(obj->rec.seal.state) == PKRAM_SEAL_SEALED)
		return PKRAM_STATE_SEALED;
	if (READ_ONCE(obj->claimant))
		return PKRAM_STATE_CLAIMED;
	if (READ_ONCE(obj->rec.seal.state) == PKRAM_SEAL_RUNNING)
		return PKRAM_STATE_RUNNING;
	return PKRAM_STATE_IDLE;
}
