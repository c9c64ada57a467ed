/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files in core/ are pure: they include this header and each other, and are
 * also built for user space, where tests run them. They may use fixed-width
 * integers, byte order, bitmaps, sort(), memcpy() and the like, and
 *
 *	pkram_load64(), pkram_store64()		preserved memory, 64 bits at a time
 *	pkram_alloc_mem(), pkram_free_mem()	zeroed memory
 *	pkram_crc32c()				CRC32C, seed as given, no inversion
 *
 * The include path decides which pure_env.h supplies these: kmod/compat for the
 * kernel, selftests/unit/include for user space.
 */
#ifndef _PKRAM_PURE_H
#define _PKRAM_PURE_H

#include "compat/pure_env.h"

#endif /* _PKRAM_PURE_H */
