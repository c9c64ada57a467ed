/* SPDX-License-Identifier: GPL-2.0 */
/* The next kernel's command line. Pure: no output, no system calls. */
#ifndef _PKRAMCTL_CMDLINE_H
#define _PKRAMCTL_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#define CMDLINE_MAX	2047	/* COMMAND_LINE_SIZE of x86, without the NUL */

/**
 * cmdline_build() - Build the next kernel's command line
 * @buf: out
 * @len: its size; more than %CMDLINE_MAX, so that the actual length can be reported
 * @base: the line to start with
 * @reused: @base is this kernel's: remove BOOT_IMAGE= and initrd=, which the boot loader
 *	added
 * @append: words to add at the end, or NULL
 * @pkram: words that the handover needs, or NULL
 *
 * Words of an earlier handover in @base (pkram.attach= and the memmap= words inside the
 * ranges that it names) are removed; otherwise memory that was given back to the kernel
 * since would stay reserved. @pkram is inserted before a "--", because words after it
 * belong to init.
 *
 * Return: length, or -E2BIG.
 */
int cmdline_build(char *buf, size_t len, const char *base, bool reused,
		  const char *append, const char *pkram);

#endif /* _PKRAMCTL_CMDLINE_H */
