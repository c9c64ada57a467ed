/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sleep states of the host. Suspend to RAM keeps a pool as it keeps all RAM. Hibernation
 * does not: its image holds System RAM alone, and the machine powers off.
 *
 * The kernel calls pm.c with its lock of sleep states held; handover_lock is below that.
 */
#ifndef _PKRAM_PM_H
#define _PKRAM_PM_H

/**
 * pkram_pm_init() - Refuse hibernation from now on while memory is reserved
 *
 * Resuming from an image is refused as well: the kernel in it does not know the pool.
 * Return: 0 or what register_pm_notifier() returned.
 */
int pkram_pm_init(void);

/** pkram_pm_exit() - Allow hibernation again */
void pkram_pm_exit(void);

#endif /* _PKRAM_PM_H */
