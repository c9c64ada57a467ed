/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machine checks in memory without struct pages. The kernel reports a memory error to the
 * dev_pagemap of its page (mem/bad.h); one in a GiB that was not populated has none, and is
 * reported to those only who decode machine checks.
 */
#ifndef _PKRAM_MCE_H
#define _PKRAM_MCE_H

#include <linux/types.h>

/**
 * typedef pkram_mce_fn - act on an uncorrected memory error
 * @phys: physical address, anywhere
 *
 * Context: may sleep; a work of the kernel's, which holds no lock that is known here.
 */
typedef void (*pkram_mce_fn)(u64 phys);

/** pkram_mce_init() - Call a function for each uncorrected memory error from now on */
void pkram_mce_init(pkram_mce_fn fn);

/** pkram_mce_exit() - Stop that; the function does not run any more on return */
void pkram_mce_exit(void);

#endif /* _PKRAM_MCE_H */
