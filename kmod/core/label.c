// SPDX-License-Identifier: GPL-2.0
/*
 * Labels (user.* xattrs) of an object: packed entries in one area, see layout.h.
 * All functions stay within the area, whatever its content.
 */
#include "core/label.h"

#define LABEL_HEAD		4U	/* le16 name_len, le16 value_len */

struct label {
	const char *name;
	const u8 *value;
	u32 name_len;
	u32 value_len;
	u32 next;		/* start of the following label */
};

static bool label_parse(const u8 *area, u32 len, u32 pos, struct label *l)
{
	if (pos > len || len - pos < LABEL_HEAD)
		return false;
	l->name_len = area[pos] | (u32)area[pos + 1] << 8;
	l->value_len = area[pos + 2] | (u32)area[pos + 3] << 8;
	pos += LABEL_HEAD;
	if (!l->name_len || l->name_len > PKRAM_NAME_MAX ||
	    l->name_len + l->value_len > len - pos)
		return false;
	l->name = (const char *)area + pos;
	l->value = area + pos + l->name_len;
	l->next = pos + l->name_len + l->value_len;
	return true;
}

/* Find @name. Return: start of its entry, or -ENODATA. */
static int label_find(const u8 *area, u32 len, const char *name,
		      struct label *l)
{
	size_t name_len = strlen(name);
	u32 pos;

	for (pos = 0; label_parse(area, len, pos, l); pos = l->next)
		if (l->name_len == name_len && !memcmp(l->name, name, name_len))
			return (int)pos;
	return -ENODATA;
}

int pkram_xattr_find(const u8 *area, u32 len, const char *name,
		     const u8 **value)
{
	struct label l;
	int pos = label_find(area, len, name, &l);

	if (pos < 0)
		return pos;
	*value = l.value;
	return (int)l.value_len;
}

bool pkram_xattr_next(const u8 *area, u32 len, u32 *pos, const char **name,
		      u32 *name_len)
{
	struct label l;

	if (!label_parse(area, len, *pos, &l))
		return false;
	*name = l.name;
	*name_len = l.name_len;
	*pos = l.next;
	return true;
}

static u8 *label_put(u8 *to, const void *from, size_t n)
{
	if (n)
		memcpy(to, from, n);
	return to + n;
}

int pkram_xattr_replace(const u8 *area, u32 len, const char *name,
			const void *value, u32 value_len, u8 **out,
			u32 *out_len)
{
	size_t name_len = strlen(name);
	u32 from = len, to = len;	/* the old entry, or nothing at the end */
	u32 new_len, entry;
	struct label l;
	u8 *p;
	int pos;

	*out = NULL;
	*out_len = 0;
	if (!name_len || name_len > PKRAM_NAME_MAX)
		return -ERANGE;
	if (value_len > U16_MAX)
		return -ENOSPC;
	pos = label_find(area, len, name, &l);
	if (pos >= 0) {
		from = pos;
		to = l.next;
	} else if (!value) {
		return -ENODATA;
	}
	entry = value ? LABEL_HEAD + (u32)name_len + value_len : 0;
	new_len = len - (to - from) + entry;
	if (new_len > PKRAM_XATTR_AREA_MAX)
		return -ENOSPC;
	if (!new_len)
		return 0;
	p = pkram_alloc_mem(new_len);
	if (!p)
		return -ENOMEM;
	*out = p;
	*out_len = new_len;

	p = label_put(p, area, from);
	if (value) {
		*p++ = name_len & 0xff;
		*p++ = name_len >> 8;
		*p++ = value_len & 0xff;
		*p++ = value_len >> 8;
		p = label_put(p, name, name_len);
		p = label_put(p, value, value_len);
	}
	if (to < len)
		label_put(p, area + to, len - to);
	return 0;
}
