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
 * @len: its size; more than %CMDLINE_MAX, so that the length can be told
 * @base: what to begin with
 * @reused: @base is this kernel's: without BOOT_IMAGE= and initrd=, which the
 *	boot loader added
 * @append: words to add at the end, or NULL
 * @pkram: words that the handover needs, or NULL
 *
 * What an earlier handover put into @base (pkram.attach= and the memmap= words
 * inside the ranges that it names) is left out: memory that was given back to
 * the kernel since would stay reserved for ever. @pkram is put before a "--",
 * behind which words belong to init.
 *
 * Return: length, or -E2BIG.
 */
int cmdline_build(char *buf, size_t len, const char *base, bool reused,
		  const char *append, const char *pkram);

#endif /* _PKRAMCTL_CMDLINE_H */
