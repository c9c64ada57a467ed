/* SPDX-License-Identifier: GPL-2.0 */
/* pkramctl: an object as a file of pkramfs; verbs that need no netlink. */
#ifndef _PKRAMCTL_OBJECT_FILE_H
#define _PKRAMCTL_OBJECT_FILE_H

#include <stdbool.h>

#define OBJECT_DIR	"/dev/pkram"	/* mount point of dev-pkram.mount */

/* Return where pkramfs is mounted: PKRAM_DIR in the environment, or OBJECT_DIR */
const char *object_dir(void);

/*
 * Return whether @path is, or would be, in that directory, but pkramfs is not mounted there. What
 * is done then would be done to another file system, or to nothing
 */
bool object_unmounted(const char *path);
#define OBJECT_UNMOUNTED	"pkramfs is not mounted on %s: systemctl start dev-pkram.mount"

/* Return a path, to be freed; exit if there is no memory */
char *path_join(const char *dir, const char *name);
/*
 * A word is a name in @dir, unless it is a path: ./... ../... /... The last is one if there is
 * such a file, or none of this name in @dir
 */
char *object_path(const char *dir, const char *word);

/*
 * Unseal an object, which gives up the saved guest. 0; -ENODATA: it was not sealed; other
 * negative errno
 */
int object_drop_seal(const char *path);

/* The verbs; the table in object.c describes them */
int object_create(int argc, char **argv);
int object_show_file(const char *word);
int object_remove(int argc, char **argv);
int object_seal(int argc, char **argv);
int object_unseal(int argc, char **argv);
int object_label(int argc, char **argv);

#endif /* _PKRAMCTL_OBJECT_FILE_H */
