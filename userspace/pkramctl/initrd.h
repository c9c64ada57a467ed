/* SPDX-License-Identifier: GPL-2.0 */
/* Check an initrd before a kernel is booted with it. */
#ifndef _PKRAMCTL_INITRD_H
#define _PKRAMCTL_INITRD_H

#include <stddef.h>

enum initrd_verdict {
	INITRD_GOOD,
	INITRD_UNCHECKED,	/* only its first bytes could be checked */
	INITRD_LACKS,		/* something is missing in it, or it cannot be read */
	INITRD_BAD,		/* not an initrd */
};

/**
 * initrd_check() - Check whether a kernel can mount the root file system with an initrd
 * @path: of the initrd
 * @version: of the kernel; "" if unknown
 * @why: out: text for people, without the path
 * @len: size of @why
 *
 * Reads the whole file, by lsinitramfs(8) of initramfs-tools-core. The modules that the
 * root file system of this host needs must be in the initrd, unless that kernel does not
 * have them as modules.
 */
enum initrd_verdict initrd_check(const char *path, const char *version, char *why,
				 size_t len);

#endif /* _PKRAMCTL_INITRD_H */
