/* SPDX-License-Identifier: GPL-2.0 */
/* Labels of objects: extended attributes, by their names without "user.". */
#ifndef _PKRAM_STORE_LABELS_H
#define _PKRAM_STORE_LABELS_H

#include <linux/types.h>

struct pkram_object;

/**
 * pkram_store_get_label() - Read a label
 * @obj: object
 * @name: name
 * @value: out: its value, if @size is not 0
 * @size: size of @value
 *
 * Return: length of the value; -ENODATA; -ERANGE @size is too small.
 */
int pkram_store_get_label(struct pkram_object *obj, const char *name,
			  void *value, size_t size);

/**
 * pkram_store_set_label() - Set or remove a label, and commit
 * @obj: object
 * @name: name
 * @value: value, or NULL to remove
 * @size: its length
 * @flags: XATTR_CREATE or XATTR_REPLACE
 *
 * Return: 0; -EEXIST; -ENODATA; as pkram_xattr_replace() and
 * pkram_object_commit().
 */
int pkram_store_set_label(struct pkram_object *obj, const char *name,
			  const void *value, size_t size, int flags);

/**
 * pkram_store_list_labels() - List the names of all labels
 * @obj: object
 * @buf: out: names with "user.", each with a final 0, if @size is not 0
 * @size: size of @buf
 *
 * Return: length of the list, or -ERANGE.
 */
ssize_t pkram_store_list_labels(struct pkram_object *obj, char *buf,
				size_t size);

#endif /* _PKRAM_STORE_LABELS_H */
