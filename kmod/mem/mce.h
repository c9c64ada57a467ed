/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machine checks. The kernel reports a memory error to the dev_pagemap of its page (mem/bad.h), but
 * not all: one in a GiB that is not populated at that moment, and one of a severity that asks for
 * nothing, is reported to those only who decode machine checks.
 */
#ifndef _PKRAM_MCE_H
#define _PKRAM_MCE_H

#include <linux/types.h>

/**
 * typedef pkram_mce_fn - act on an uncorrected memory error
 * @phys: physical address, anywhere
 * @report: the error was met by a task, so that a report to the dev_pagemap follows, unless it
 *	was met in metadata
 *
 * Context: may sleep; a work of the kernel's, which holds no lock that is known here.
 */
typedef void (*pkram_mce_fn)(u64 phys, bool report);

/** pkram_mce_init() - Call a function for each uncorrected memory error from now on */
void pkram_mce_init(pkram_mce_fn fn);

/** pkram_mce_exit() - Stop that; the function does not run any more on return */
void pkram_mce_exit(void);

#endif /* _PKRAM_MCE_H */
