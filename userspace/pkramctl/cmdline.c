// SPDX-License-Identifier: GPL-2.0
/* The next kernel's command line. */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include "cmdline.h"
#include "parse.h"

#define ATTACH	"pkram.attach="
#define MEMMAP	"memmap="

struct word {
	const char *s;
	size_t len;
};

/* Find the next word as the kernel's next_arg() does: quotes keep it together */
static bool next_word(const char **s, struct word *w)
{
	bool quoted = false;
	const char *p = *s;

	while (isspace((unsigned char)*p))
		p++;
	w->s = p;
	for (; *p && (quoted || !isspace((unsigned char)*p)); p++) {
		if (*p == '"')
			quoted = !quoted;
	}
	w->len = p - w->s;
	*s = p;
	return w->len;
}

static bool has_prefix(const struct word *w, const char *prefix)
{
	return w->len > strlen(prefix) &&
	       !strncmp(w->s, prefix, strlen(prefix));
}

/* "A<sep>B": two sizes */
static bool parse_pair(const char *s, size_t len, char sep, uint64_t *a,
		       uint64_t *b)
{
	char buf[64], *mid;

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, s, len);
	buf[len] = '\0';
	mid = strchr(buf, sep);
	if (!mid)
		return false;
	*mid++ = '\0';
	return !parse_size(buf, a) && !parse_size(mid, b);
}

/* Check whether a range is inside the union of those that pkram.attach= words name */
static bool attached(const char *line, uint64_t base, uint64_t size)
{
	uint64_t at = base, b, s;
	const char *p = line;
	bool grown = true;
	struct word w;

	while (grown && at < base + size) {
		grown = false;
		for (p = line; next_word(&p, &w);) {
			const char *item = w.s + strlen(ATTACH);
			const char *end = w.s + w.len;

			if (!has_prefix(&w, ATTACH))
				continue;
			while (item < end) {
				const char *comma =
					memchr(item, ',', end - item);

				if (!comma)
					comma = end;
				if (parse_pair(item, comma - item, '+', &b,
					       &s) && at >= b && at - b < s) {
					at = b + s;
					grown = true;
				}
				item = comma + 1;
			}
		}
	}
	return at >= base + size;
}

static bool stale(const char *line, const struct word *w)
{
	const char *item, *end = w->s + w->len;
	uint64_t base, size;

	if (has_prefix(w, ATTACH))
		return true;
	if (!has_prefix(w, MEMMAP))
		return false;
	for (item = w->s + strlen(MEMMAP); item < end;) {
		const char *comma = memchr(item, ',', end - item);

		if (!comma)
			comma = end;
		if (!parse_pair(item, comma - item, '$', &size, &base) ||
		    !attached(line, base, size))
			return false;
		item = comma + 1;
	}
	return true;
}

struct out {
	char *buf;
	size_t len, used;
};

static int put(struct out *o, const char *s, size_t len)
{
	if (!len)
		return 0;
	if (o->used + !!o->used + len >= o->len)
		return -E2BIG;
	if (o->used)
		o->buf[o->used++] = ' ';
	memcpy(o->buf + o->used, s, len);
	o->used += len;
	o->buf[o->used] = '\0';
	return 0;
}

int cmdline_build(char *buf, size_t len, const char *base, bool reused,
		  const char *append, const char *pkram)
{
	struct out o = { .buf = buf, .len = len };
	const char *p = base;
	bool init = false;
	struct word w;
	int err = 0;

	buf[0] = '\0';
	while (!err && next_word(&p, &w)) {
		if (!init && w.len == 2 && !strncmp(w.s, "--", 2)) {
			init = true;
			err = pkram ? put(&o, pkram, strlen(pkram)) : 0;
		} else if (!init &&
			   ((reused && (has_prefix(&w, "BOOT_IMAGE=") ||
					has_prefix(&w, "initrd="))) ||
			    stale(base, &w))) {
			continue;
		}
		if (!err)
			err = put(&o, w.s, w.len);
	}
	if (!err && !init && pkram)
		err = put(&o, pkram, strlen(pkram));
	if (!err && append)
		err = put(&o, append, strlen(append));
	return err ? err : (int)o.used;
}
