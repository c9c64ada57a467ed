// SPDX-License-Identifier: GPL-2.0
/* Sleep states of the host: see pm.h. */
#define pr_fmt(fmt) "pkram: " fmt

#include <linux/notifier.h>
#include <linux/suspend.h>

#include "handover/handover.h"
#include "handover/pm.h"

static int pm_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action != PM_HIBERNATION_PREPARE && action != PM_RESTORE_PREPARE)
		return NOTIFY_DONE;
	if (!pkram_handover_guarded())
		return NOTIFY_DONE;
	pr_err("hibernation refused: it would lose the pool; give its memory back first (pkramctl pool shrink), or suspend to RAM\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block pm_notifier = { .notifier_call = pm_notify };

int pkram_pm_init(void)
{
	return register_pm_notifier(&pm_notifier);
}

void pkram_pm_exit(void)
{
	unregister_pm_notifier(&pm_notifier);
}
