// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kprobes.h>

#include "handover/ksym.h"

void *pkram_ksym_data(const char *name)
{
	struct kprobe kp = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};

	/*
	 * register_kprobe() resolves the name and stores the address before it
	 * checks whether it is code (check_kprobe_address_safe() returns EINVAL if
	 * not). ENOENT: no such symbol. 0: it is a function, which is not wanted.
	 */
	switch (register_kprobe(&kp)) {
	case 0:
		unregister_kprobe(&kp);
		return NULL;
	case -EINVAL:
		return kp.addr;
	default:
		return NULL;
	}
}
