/* SPDX-License-Identifier: GPL-2.0 */
/* Opens of files, and the claims and seals made through them. */
#ifndef _PKRAM_STORE_OPENS_H
#define _PKRAM_STORE_OPENS_H

#include <linux/refcount.h>
#include <linux/types.h>
#include "store/open_ref.h"

struct pkram_object;

/**
 * struct pkram_open - one open of a file; a claim belongs to it
 * @ref: the open file and each mapping made through it hold one
 * @obj: referenced
 * @writable: opened for writing
 * @exclusive: opened with O_EXCL: may open a sealed object for writing
 * @populate_err: error of the last fault that could not fill a hole
 */
struct pkram_open {
	refcount_t ref;
	struct pkram_object *obj;
	bool writable;
	bool exclusive;
	int populate_err;
};

/**
 * pkram_open_create() - Account an open of a file
 *
 * Return: open; ERR_PTR: -EBUSY claimed or sealed, and for writing; -EUCLEAN.
 */
struct pkram_open *pkram_open_create(struct pkram_object *obj, bool writable,
				     bool exclusive);

/** pkram_open_get() - Take a reference */
struct pkram_open *pkram_open_get(struct pkram_open *open);

/**
 * pkram_open_may_change() - Check whether an open may write, map for writing,
 * truncate, punch
 * @obj: object
 * @open: the open; NULL: by path
 *
 * Return: 0 or -EBUSY.
 */
int pkram_open_may_change(struct pkram_object *obj, struct pkram_open *open);

/** pkram_open_may_rename() - Check whether an object may be renamed. Context: store.lock. */
int pkram_open_may_rename(const struct pkram_object *obj);

/**
 * pkram_open_claim() - Claim an object as guest RAM
 * @open: open for writing, to which the claim belongs from now on
 * @flags: PKRAM_CLAIM_* of the uapi
 * @vm_uuid: with %PKRAM_CLAIM_SEALED: must be that of the seal, unless zero
 * @bytes: must be the object's size, unless 0
 * @generation: out: number of seals so far
 *
 * Committed on return. Context: may sleep; takes store.lock. Return: 0; -EBADF not open
 * for writing; -EUCLEAN; -ENOENT the object was removed; -EBUSY another open writes, is
 * exclusive or has the claim; -EINVAL another size, or the flags; as pkram_seal_claim();
 * as pkram_object_commit().
 */
int pkram_open_claim(struct pkram_open *open, u32 flags, const u8 vm_uuid[16],
		     u64 bytes, u64 *generation);

/**
 * pkram_open_seal() - Seal an object with the cookie of a saved state
 * @open: has the claim
 * @cookie: not all zero
 * @vm_uuid: of the guest, or zero
 * @generation: out: number of seals so far
 *
 * Committed on return. Context: may sleep; takes store.lock. Return: 0; -EPERM @open does
 * not have the claim; -EINVAL the cookie; as pkram_object_commit().
 */
int pkram_open_seal(struct pkram_open *open, const u8 cookie[16],
		    const u8 vm_uuid[16], u64 *generation);

/**
 * pkram_open_resume() - Compare a cookie with that of the seal, and consume the seal
 * @open: has the claim
 * @cookie: of the saved state
 * @check: compare only
 * @generation: out: number of seals so far
 *
 * Committed on return. Context: may sleep; takes store.lock. Return: 0; -EPERM @open does
 * not have the claim; as pkram_seal_resume(); as pkram_object_commit().
 */
int pkram_open_resume(struct pkram_open *open, const u8 cookie[16],
		      bool check, u64 *generation);

/**
 * struct pkram_resume - one of the seals to consume
 * @open: has the claim
 * @cookie: of the seal
 * @old: for pkram_open_resume_all()
 */
struct pkram_resume {
	struct pkram_open *open;
	u8 cookie[16];
	struct pkram_seal old;
};

/** pkram_open_resume_all() - Consume several seals, or none; PKRAM_IOC_RESUME_ALL */
int pkram_open_resume_all(struct pkram_resume *r, u32 nr);

/** pkram_object_seal() - Copy an object's seal. Context: takes store.lock. */
void pkram_object_seal(const struct pkram_object *obj, struct pkram_seal *seal);

/** pkram_object_state() - Get the &enum pkram_state of the uapi */
u32 pkram_object_state(struct pkram_object *obj);

#endif /* _PKRAM_STORE_OPENS_H */
