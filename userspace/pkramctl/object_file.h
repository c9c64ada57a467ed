/* SPDX-License-Identifier: GPL-2.0 */
/* pkramctl: an object as a file of pkramfs; the verbs that need no netlink. */
#ifndef _PKRAMCTL_OBJECT_FILE_H
#define _PKRAMCTL_OBJECT_FILE_H

#define OBJECT_DIR	"/dev/pkram"	/* where dev-pkram.mount mounts it */

/* To be freed; they end the program when memory is out */
char *path_join(const char *dir, const char *name);
/* A name is one in @dir, unless it says that it is a path: /... ./... ../... */
char *object_path(const char *dir, const char *word);

/*
 * Give up the guest that was saved in an object. 0; -ENODATA: none was; other negative
 * errno
 */
int object_drop_seal(const char *path);

/* The verbs; what they are is in object.c's table */
int object_create(int argc, char **argv);
int object_show_file(const char *word);
int object_remove(int argc, char **argv);
int object_seal(int argc, char **argv);
int object_unseal(int argc, char **argv);
int object_label(int argc, char **argv);

#endif /* _PKRAMCTL_OBJECT_FILE_H */
