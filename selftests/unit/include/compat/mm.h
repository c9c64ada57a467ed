/* SPDX-License-Identifier: GPL-2.0 */
/* There is one kernel in user space: see kernel/kernel.h. */
