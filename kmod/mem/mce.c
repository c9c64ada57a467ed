// SPDX-License-Identifier: GPL-2.0
/* Machine checks: see mce.h. */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <asm/mce.h>
#include "compat/mce.h"
#include "mem/mce.h"

#ifdef CONFIG_X86_MCE

static pkram_mce_fn mce_fn;

/* A user's access is reported by kill_me_maybe(), what the kernel reads of an object by fs/. */
static bool mce_met_by_task(const struct mce *m)
{
	return (m->cs & 3) == 3 || m->kflags & MCE_IN_KERNEL_RECOV;
}

static int mce_notify(struct notifier_block *nb, unsigned long val, void *data)
{
	struct mce *m = data;

	/*
	 * A corrected error is no reason to give up the page. What happens to System RAM is the
	 * kernel's business.
	 */
	if (m && mce_is_memory_error(m) && !mce_is_correctable(m) && compat_mce_has_address(m) &&
	    !pfn_to_online_page(PHYS_PFN(compat_mce_address(m))))
		mce_fn(compat_mce_address(m) & PAGE_MASK, mce_met_by_task(m));
	return NOTIFY_DONE;
}

/* After memory_failure(), which runs in this chain as well */
static struct notifier_block mce_block = {
	.notifier_call = mce_notify,
	.priority = MCE_PRIO_LOWEST,
};

void pkram_mce_init(pkram_mce_fn fn)
{
	mce_fn = fn;
	mce_register_decode_chain(&mce_block);
}

void pkram_mce_exit(void)
{
	mce_unregister_decode_chain(&mce_block);
}

#else

void pkram_mce_init(pkram_mce_fn fn)
{
}

void pkram_mce_exit(void)
{
}

#endif
