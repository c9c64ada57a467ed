/* SPDX-License-Identifier: GPL-2.0 */
/* Labels: an area of packed {le16 name_len, le16 value_len, name, value}. */
#ifndef _PKRAM_LABEL_H
#define _PKRAM_LABEL_H

#include "core/layout.h"

/**
 * pkram_xattr_find() - Look up a label
 * @area: valid area
 * @len: its length
 * @name: name without prefix
 * @value: out: the value in @area
 *
 * Return: length of the value, or -ENODATA.
 */
int pkram_xattr_find(const u8 *area, u32 len, const char *name,
		     const u8 **value);

/**
 * pkram_xattr_next() - Walk the labels of an area
 * @area: valid area
 * @len: its length
 * @pos: in/out: 0 to begin with
 * @name: out: not terminated
 * @name_len: out
 *
 * Return: true, or false at the end.
 */
bool pkram_xattr_next(const u8 *area, u32 len, u32 *pos, const char **name,
		      u32 *name_len);

/**
 * pkram_xattr_replace() - Build a new area with one label set or removed
 * @area: valid area, may be NULL if @len is 0
 * @len: its length
 * @name: name without prefix, 1 to 255 bytes
 * @value: value, or NULL to remove
 * @value_len: its length
 * @out: out: the new area from pkram_alloc_mem(), NULL if empty
 * @out_len: out: its length
 *
 * Return: 0, -ENOMEM, -ENOSPC if it would exceed %PKRAM_XATTR_AREA_MAX, -ENODATA
 * if there is no such label to remove, -ERANGE length of the name.
 */
int pkram_xattr_replace(const u8 *area, u32 len, const char *name,
			const void *value, u32 value_len, u8 **out,
			u32 *out_len);

#endif /* _PKRAM_LABEL_H */
