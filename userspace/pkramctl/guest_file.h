/* SPDX-License-Identifier: GPL-2.0 */
/* The definition of a guest: a file of guests.d. Pure: no output, no system calls. */
#ifndef _PKRAMCTL_GUEST_FILE_H
#define _PKRAMCTL_GUEST_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define GUEST_NAME_MAX	64	/* the name is a part of a socket's path */
#define GUEST_STOP_TIMEOUT	90
#define GUEST_UNIT_STOP_S	900	/* TimeoutStopSec of its unit, if systemd is silent */

/**
 * struct guest_ram - a file that has RAM of the guest
 * @path: of the file
 * @pkram: memory-backend-pkram: QEMU seals it
 * @shared: the state does not contain it: it is lost unless the file outlives the kernel
 * @common: an ivshmem device shows it, so that guests may share it on purpose
 * @no_bad_pages: QEMU does not start if the file has bad pages (bad-pages=refuse)
 */
struct guest_ram {
	char *path;
	bool pkram, shared, common, no_bad_pages;
};

/**
 * struct guest_file - the parsed file
 * @name: of the guest
 * @uuid: as text
 * @qemu: the program
 * @agent: socket of the guest agent, or NULL
 * @stop_timeout: seconds that the guest has to power down
 * @args: QEMU's arguments, without those that pkramctl adds
 * @nr_args: number of @args
 * @ram: files with its RAM, as far as the arguments name them
 * @nr_ram: number of @ram
 * @temporary: the option that makes disks temporary ("-snapshot"), or NULL
 * @lost: type of a backend whose RAM is in no file and not in the state either, or NULL
 */
struct guest_file {
	char name[GUEST_NAME_MAX + 1];
	char uuid[37];
	char *qemu, *agent;
	unsigned int stop_timeout;
	char **args;
	unsigned int nr_args;
	struct guest_ram *ram;
	unsigned int nr_ram;
	const char *temporary;
	const char *lost;
};

/**
 * guest_name_ok() - Check whether a name of a guest is valid
 * @name: letters, digits and "._-", not a dot first
 */
bool guest_name_ok(const char *name);

/**
 * guest_file_parse() - Parse the definition of a guest
 * @g: out: freed with guest_file_free(); empty on failure
 * @name: of the guest
 * @text: the whole file; not kept
 * @len: its length
 * @why: out: the line and the error, for people ("3: ...")
 * @why_len: size of @why
 *
 * Lines: "key = value", or options for QEMU, which begin with "-" and are quoted as in a
 * shell; "#" starts a comment, "\" at the end joins a line with the next one. Nothing is
 * expanded.
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int guest_file_parse(struct guest_file *g, const char *name, const char *text,
		     size_t len, char *why, size_t why_len);
/**
 * guest_file_set_args() - Set QEMU's arguments, and what follows from them
 * @g: a definition without any
 * @args: the words; given away
 * @nr: number of them
 *
 * Return: 0 or -ENOMEM.
 */
int guest_file_set_args(struct guest_file *g, char **args, unsigned int nr);
void guest_file_free(struct guest_file *g);

#endif /* _PKRAMCTL_GUEST_FILE_H */
