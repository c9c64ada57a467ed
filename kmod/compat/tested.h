/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernels that pkram's tests ran on. The module uses kernel internals, so a kernel
 * that none of them ran on may behave in another way without a failure to build.
 */
#ifndef _PKRAM_TESTED_H
#define _PKRAM_TESTED_H

#include <linux/types.h>
#include <linux/version.h>

/**
 * pkram_kernel_tested() - Check whether a kernel version is one of those tested
 * @version: its version, as in LINUX_VERSION_CODE
 *
 * The tests ran on some release of each series; stable releases of a series count as
 * the same. docs/kernels.md names the releases, and what ran on 7.2.
 */
static inline bool pkram_kernel_tested(u32 version)
{
	static const struct {
		u8 major, minor;
	} tested[] = { { 6, 1 }, { 6, 12 }, { 7, 2 }, { 7, 3 } };
	unsigned int i;

	for (i = 0; i < sizeof(tested) / sizeof(*tested); i++)
		if (version >> 8 == ((u32)tested[i].major << 8 | tested[i].minor))
			return true;
	return false;
}

/** pkram_kernel_is_tested() - Check that for the kernel that this is built for */
static inline bool pkram_kernel_is_tested(void)
{
	return pkram_kernel_tested(LINUX_VERSION_CODE);
}

#endif /* _PKRAM_TESTED_H */
