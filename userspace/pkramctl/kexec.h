/* SPDX-License-Identifier: GPL-2.0 */
/* The way to another kernel, in steps: for pkramctl kexec and pkramctl update. */
#ifndef _PKRAMCTL_KEXEC_H
#define _PKRAMCTL_KEXEC_H

#include <getopt.h>
#include <stdbool.h>
#include "cmdline.h"
#include "pkram.h"

/**
 * struct kexec_plan - what is to be booted, and how
 * @kernel: path of the image
 * @initrd: path, or NULL
 * @cmdline: base of the command line; NULL: this kernel's
 * @append: words to add, or NULL
 * @line: the command line
 *
 * The rest is what the options say, and what kexec_prepare() found.
 */
struct kexec_plan {
	const char *kernel, *initrd, *cmdline, *append;
	bool reuse, load_only, dry_run, force, unload, report;
	bool json, pretty, help;
	int kernel_fd, initrd_fd;
	char line[2 * CMDLINE_MAX];
	struct pkram_handover *handover;
	struct pkram_region *regions;
};

enum kexec_option {
	OPT_KERNEL = 256,
	OPT_INITRD,
	OPT_CMDLINE,
	OPT_REUSE,
	OPT_APPEND,
	OPT_LOAD_ONLY,
	OPT_DRY_RUN,
	OPT_FORCE,
	OPT_UNLOAD,
	OPT_REPORT,
};

/**
 * kexec_parse() - a command's options
 * @plan: out
 * @command: its name
 * @options: those it has
 * @argc: number of @argv
 * @argv: without the command
 *
 * Return: 0 or %CTL_USAGE.
 */
int kexec_parse(struct kexec_plan *plan, const char *command,
		const struct option *options, int argc, char **argv);

/* Check what can be checked, without a change. 0 or %CTL_FAILED */
int kexec_prepare(struct kexec_plan *plan, struct pkram_ctx *ctx);
void kexec_plan_free(struct kexec_plan *plan);

/* Load the image and see that it is there and fits. 0 or %CTL_FAILED */
int kexec_load(const struct kexec_plan *plan, struct pkram_ctx *ctx);
int kexec_unload(void);

/* Print it, inside a record; @then: what happens after the load */
void kexec_print(const struct kexec_plan *plan, const char *then);

/* How this host boots an image that is loaded */
const char *kexec_way(void);

/* Boot it: %CTL_OK if systemd is at it, else %CTL_FAILED, or no return */
int kexec_go(void);

#endif /* _PKRAMCTL_KEXEC_H */
