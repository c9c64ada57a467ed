/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernels that this host can boot: their files, the boot loader's options for them, and
 * whether they support the pool. PKRAM_BOOT_DIR (/boot) and PKRAM_MODULES_DIR
 * (/lib/modules) in the environment change the directories.
 */
#ifndef _PKRAMCTL_BOOT_H
#define _PKRAMCTL_BOOT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct boot_entry - a kernel by its version
 * @kernel: path of the image
 * @initrd: path, or empty
 * @options: the boot loader's command line for it, or NULL; from malloc()
 * @source: the boot loader's file that has the options
 */
struct boot_entry {
	char kernel[PATH_MAX], initrd[PATH_MAX];
	char *options;
	char source[PATH_MAX];
};

/**
 * boot_find() - Look up a kernel by its version
 * @e: out: freed with boot_entry_free(), on failure too
 * @version: as uname -r prints it, or its beginning, if that of one kernel in /boot only
 *
 * Finds vmlinuz-VERSION and initrd.img-VERSION, or the files that an entry of the Boot
 * Loader Specification names. The command line is that of the entry or of grub.cfg, unless
 * it has variables that only the boot loader can expand.
 *
 * Return: 0, or %CTL_FAILED: the reason was reported.
 */
int boot_find(struct boot_entry *e, const char *version);
/* Return the versions of the kernels in /boot, sorted, NULL at the end */
char **boot_versions(void);
void boot_versions_free(char **versions);

void boot_entry_free(struct boot_entry *e);

/* Return whether an image is a bzImage: kexec_file_load(2) takes nothing else */
bool boot_is_kernel(int fd);

/**
 * boot_version() - Read the version of an image
 * @fd: a bzImage
 * @buf: out
 * @len: size of @buf
 *
 * Return: 0; -EINVAL: not a bzImage, or it does not contain its version.
 */
int boot_version(int fd, char *buf, size_t len);

/**
 * boot_module() - Find the module that modprobe would load
 * @version: of the kernel
 * @name: of the module; - and _ are the same
 * @path: out
 * @len: size of @path
 *
 * Return: 0; -ENODATA: modules.dep lists none; negative errno: @path cannot be read.
 */
int boot_module(const char *version, const char *name, char *path, size_t len);

/**
 * boot_knows_format() - Check whether a module supports the format of a pool
 * @module: its path
 * @format: version of the pool's format
 *
 * Return: 1 yes, 0 no; -ENODATA: the module does not declare its formats; -ENOENT: there is
 * no modinfo(8).
 */
int boot_knows_format(const char *module, uint32_t format);

#endif /* _PKRAMCTL_BOOT_H */
