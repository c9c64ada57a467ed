/* SPDX-License-Identifier: GPL-2.0 */
/* Machine checks: where the error is */
#ifndef _PKRAM_COMPAT_MCE_H
#define _PKRAM_COMPAT_MCE_H

#include <linux/version.h>
#include <asm/mce.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

/*
 * The address of a memory controller of AMD's newer CPUs (SMCA) is not that of physical memory.
 * Before 6.7 the kernel did not know; since then it calls such an address usable only if it is
 * translated.
 */
static inline bool compat_mce_has_address(struct mce *m)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	if (boot_cpu_has(X86_FEATURE_SMCA))
		return false;
#endif
	return mce_usable_address(m);
}

/* Without the bits above the address, which may be the id of a key */
static inline u64 compat_mce_address(const struct mce *m)
{
#ifdef MCI_ADDR_PHYSADDR
	return m->addr & MCI_ADDR_PHYSADDR;
#else
	return m->addr & GENMASK_ULL(boot_cpu_data.x86_phys_bits - 1, 0);
#endif
}

#endif /* _PKRAM_COMPAT_MCE_H */
