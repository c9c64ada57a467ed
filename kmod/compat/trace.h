/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between the kernels for tracepoints; see compat.h */
#ifndef _PKRAM_COMPAT_TRACE_H
#define _PKRAM_COMPAT_TRACE_H

#include "compat/compat.h"

/* 6.10 dropped the second argument, which __string() has as well. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define compat_assign_str(dst, src)	__assign_str(dst, src)
#else
#define compat_assign_str(dst, src)	__assign_str(dst)
#endif

#endif /* _PKRAM_COMPAT_TRACE_H */
