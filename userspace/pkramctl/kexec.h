/* SPDX-License-Identifier: GPL-2.0 */
/* The way to another kernel, in steps: for pkramctl kexec and pkramctl update. */
#ifndef _PKRAMCTL_KEXEC_H
#define _PKRAMCTL_KEXEC_H

#include <stdbool.h>
#include "boot.h"
#include "cmdline.h"
#include "pkram.h"

/**
 * struct kexec_plan - what is to be booted, and how
 * @kernel: path of the image; or a version, until kexec_prepare() has found it
 * @initrd: path, or NULL
 * @cmdline: base of the command line; NULL: the boot loader's, or this kernel's
 * @append: words to add, or NULL
 * @version: of the image, as it says itself; empty: it does not tell
 * @module: that modprobe will load in it, or empty
 * @entry: what was found for a version
 * @line: the command line
 * @line_from: where that is from
 * @objects: all, as kexec_check_objects() saw them
 * @agreed: what is in use there may be lost
 *
 * The rest is what the options say, and what kexec_prepare() found.
 */
struct kexec_plan {
	const char *kernel, *initrd, *cmdline, *append;
	bool reuse, load_only, dry_run, force, unload, report;
	bool json, pretty, help;
	int kernel_fd, initrd_fd;
	char version[128], module[PATH_MAX];
	struct boot_entry entry;
	char line[2 * CMDLINE_MAX];
	const char *line_from;
	struct pkram_object *objects;
	bool agreed;
	struct pkram_handover *handover;
	struct pkram_region *regions;
};

/**
 * kexec_parse() - Parse the options of a command
 * @plan: out
 * @command: "kexec" or "update"
 * @argc: number of @argv
 * @argv: without the command
 *
 * Return: 0 or %CTL_USAGE.
 */
int kexec_parse(struct kexec_plan *plan, const char *command, int argc,
		char **argv);

/*
 * Check what can be checked, without a change; a dry run goes on behind what is
 * wrong. 0 or %CTL_FAILED
 */
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
