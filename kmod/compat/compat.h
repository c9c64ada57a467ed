/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that pkram supports: 6.1, 6.12 and 7.x.
 * The code is written in the newest kernel's spelling; what an older one lacks
 * is supplied here. Nothing else in the module looks at a kernel version.
 */
#ifndef _PKRAM_COMPAT_H
#define _PKRAM_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "pkram supports Linux 6.1, 6.12 and 7.x"
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#include <linux/crc32.h>
#else
#include <linux/crc32c.h>
#endif

#endif /* _PKRAM_COMPAT_H */
