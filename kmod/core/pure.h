/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files in core/ are pure: they include this header and each other, and are
 * also built for user space, where tests run them. They may use fixed-width
 * integers, byte order, bitmaps, sort(), memcpy() and the like, and
 *
 *	pkram_env_load64(), pkram_env_store64()	preserved memory, 64 bits at a time; use
 *						pkram_load64() and pkram_store64()
 *	pkram_alloc_mem(), pkram_free_mem()	zeroed memory
 *	pkram_env_pause()			let others have the CPU, if they wait for it;
 *						in each loop over objects or extents
 *	pkram_crc32c()				CRC32C, seed as given, no inversion
 *
 * The include path decides which pure_env.h supplies these: kmod/compat for the
 * kernel, selftests/unit/include for user space.
 */
#ifndef _PKRAM_PURE_H
#define _PKRAM_PURE_H

#include "compat/pure_env.h"

/*
 * Bad pages of metadata. A load from one gives 0, and a store does nothing:
 * so a slot in it is damaged, and its other slot is used. badset.h fills the set.
 */
extern unsigned int pkram_badset_nr;
/** pkram_badset_has() - Check whether an address lies in a bad page of metadata */
bool pkram_badset_has(const void *p);

/** pkram_load64() - Load from preserved memory, which may be bad */
static inline __le64 pkram_load64(const void *p)
{
	if (READ_ONCE(pkram_badset_nr) && pkram_badset_has(p))
		return 0;
	return pkram_env_load64(p);
}

/** pkram_store64() - Store to preserved memory, unless it is bad */
static inline void pkram_store64(void *p, __le64 v)
{
	if (!READ_ONCE(pkram_badset_nr) || !pkram_badset_has(p))
		pkram_env_store64(p, v);
}

#endif /* _PKRAM_PURE_H */
