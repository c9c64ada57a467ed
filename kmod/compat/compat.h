/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that pkram supports: 6.1, 6.12 and 7.x. The
 * code is written in the newest kernel's spelling; this directory supplies what an
 * older kernel lacks. No other part of the module looks at a kernel version.
 */
#ifndef _PKRAM_COMPAT_H
#define _PKRAM_COMPAT_H

#include <linux/version.h>

/*
 * What builds; dkms.conf has the same list. What loads is in compat/tested.h: a 7.x that was
 * not tested needs the parameter untested_kernel.
 */
#if !((LINUX_VERSION_MAJOR == 6 && LINUX_VERSION_PATCHLEVEL == 1) || \
	(LINUX_VERSION_MAJOR == 6 && LINUX_VERSION_PATCHLEVEL == 12) || \
	LINUX_VERSION_MAJOR == 7)
#error "pkram supports Linux 6.1, 6.12 and 7.x"
#endif

/* The namespace of the exports of pkram.ko: first a token, later a string. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define PKRAM_NS	PKRAM
#else
#define PKRAM_NS	"PKRAM"
#endif

#include <linux/crc32.h>

/*
 * crc32c() was in a separate module (libcrc32c), which insmod does not load. The
 * function that it wraps is part of the kernel's image.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
static inline u32 crc32c(u32 crc, const void *p, size_t len)
{
	return __crc32c_le(crc, p, len);
}
#endif

#endif /* _PKRAM_COMPAT_H */
