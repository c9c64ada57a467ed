/* SPDX-License-Identifier: GPL-2.0 */
/* The steps to boot another kernel, for pkramctl kexec and pkramctl update. */
#ifndef _PKRAMCTL_KEXEC_H
#define _PKRAMCTL_KEXEC_H

#include <stdbool.h>
#include "boot.h"
#include "cmdline.h"
#include "pkram.h"
#include "preflight.h"

/**
 * struct kexec_plan - what to boot, and how
 * @kernel: path of the image; or a version, until kexec_prepare() has found it
 * @initrd: path, or NULL
 * @cmdline: base of the command line; NULL: the boot loader's, or this kernel's
 * @append: words to add, or NULL
 * @version: version in the image; empty: it has none
 * @module: the module that modprobe will load in it, or empty
 * @entry: result of the search for a version
 * @line: the command line
 * @line_from: origin of @line
 * @objects: all, as the checks saw them
 * @agreed: objects in use may be lost
 * @checks: results of the checks, and whether --force was given
 *
 * The other members are options, and results of kexec_prepare().
 */
struct kexec_plan {
	const char *kernel, *initrd, *cmdline, *append;
	bool no_initrd, reuse, load_only, dry_run, unload, report, rehearse, watch, no_unit, yes;
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
	struct preflight checks;
};

/**
 * kexec_parse() - Parse the options of a command
 * @plan: out
 * @command: "kexec", "update" or "check"
 * @argc: number of @argv
 * @argv: without the command
 *
 * Return: 0 or %CTL_USAGE.
 */
int kexec_parse(struct kexec_plan *plan, const char *command, int argc,
		char **argv);

/*
 * Check everything that can be checked without a change; a dry run continues after errors.
 * 0 or %CTL_FAILED
 */
int kexec_prepare(struct kexec_plan *plan, struct pkram_ctx *ctx);
void kexec_plan_free(struct kexec_plan *plan);

/*
 * kexec_check.c: parts of kexec_prepare(): what the next kernel needs to keep the pool, and
 * whether its image can mount the root file system and attach the pool
 */
int kexec_check_handover(struct kexec_plan *plan, struct pkram_ctx *ctx);
int kexec_check_image(struct kexec_plan *plan, struct pkram_ctx *ctx);

/*
 * Add a row for an installed kernel: whether it has a module that knows the format of the pool
 * (0: there is no pool), as DKMS may have failed when it was installed. Return: it has
 */
bool kexec_check_version(struct preflight *p, const char *version, uint32_t format);

/* The same for all that are installed: 0, or %CTL_FAILED: the module does not tell the format */
int kexec_check_kernels(struct preflight *p, struct pkram_ctx *ctx);

/**
 * kexec_check_holders() - Look for processes that hold objects without a claim
 * @plan: for the results
 * @list: all objects
 * @ours: processes that may hold what is sealed, as they end before the boot; NULL if the
 *	guests are the operator's to end
 * @nr: number of @ours
 *
 * What is sealed must not change any more: that is refused, unless --force is given and
 * @ours is NULL. Other objects are files, and
 * what a process has not written there yet is lost: a warning.
 *
 * Return: 0 or %CTL_FAILED.
 */
int kexec_check_holders(struct kexec_plan *plan, const struct pkram_object *list,
			const pid_t *ours, unsigned int nr);

/* Load the image and verify the result. 0 or %CTL_FAILED */
int kexec_load(const struct kexec_plan *plan, struct pkram_ctx *ctx);
/* Check that the image is still loaded, and the pool as it was then: 0 or %CTL_FAILED */
int kexec_verify(const struct kexec_plan *plan, struct pkram_ctx *ctx);
/* Refused while systemd is about to boot it. 0 or %CTL_FAILED */
int kexec_unload(void);
/* Return whether the kernel has an image, of whomever */
bool kexec_is_loaded(void);
/*
 * Return whether a kexec that is pending may boot a kernel: there is an image, or kexec(8), by
 * which systemctl loads one. Without, the host reboots through its firmware.
 */
bool kexec_may_boot(void);

/* Print the plan, inside a record; @then: what happens after the load */
void kexec_print(const struct kexec_plan *plan, const char *then);

/* Return how this host boots a loaded image */
const char *kexec_way(void);

/*
 * Ask on a terminal whether to go on: 0, or %CTL_FAILED. Without a terminal, or with --yes,
 * the answer is yes
 */
int kexec_confirm(const struct kexec_plan *plan, const char *question);
/* Return whether kexec_confirm() asks: the plan should be printed before */
bool kexec_asks(const struct kexec_plan *plan);

/* Boot the image: %CTL_OK if systemd does it, else %CTL_FAILED, or no return */
int kexec_go(void);

#endif /* _PKRAMCTL_KEXEC_H */
