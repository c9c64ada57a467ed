// SPDX-License-Identifier: GPL-2.0
/* Sizes and ranges as people write them. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "parse.h"

#define GIB		(1ULL << 30)
#define MAX_FRACTION	9	/* digits; a unit times 10^9 fits in 128 bits */

static const char units[] = "kmgtpe";

/* Parse the digits at *@s, which then points after them */
static int take_digits(const char **s, unsigned int base, uint64_t *v)
{
	const char *p = *s;

	*v = 0;
	for (; base == 16 ? isxdigit((unsigned char)*p) :
			    isdigit((unsigned char)*p); p++) {
		unsigned int d = isdigit((unsigned char)*p) ?
			*p - '0' : tolower((unsigned char)*p) - 'a' + 10;

		if (__builtin_mul_overflow(*v, base, v) ||
		    __builtin_add_overflow(*v, d, v))
			return -ERANGE;
	}
	if (p == *s)
		return -EINVAL;
	*s = p;
	return 0;
}

static int take_number(const char **s, bool *hex, uint64_t *v)
{
	*hex = (*s)[0] == '0' && ((*s)[1] == 'x' || (*s)[1] == 'X');
	if (*hex)
		*s += 2;
	return take_digits(s, *hex ? 16 : 10, v);
}

int parse_number(const char *s, uint64_t *v)
{
	bool hex;
	int err = take_number(&s, &hex, v);

	if (err)
		return err;
	return *s ? -EINVAL : 0;
}

/* "", "B", "G", "GiB" (any case): the shift; "GB" is refused */
static int parse_unit(const char *s)
{
	const char *unit;

	if (!*s || !strcasecmp(s, "b"))
		return 0;
	unit = strchr(units, tolower((unsigned char)*s));
	if (!unit)
		return -EINVAL;
	if (!strcasecmp(s + 1, "b"))
		return -EDOM;
	if (s[1] && strcasecmp(s + 1, "ib"))
		return -EINVAL;
	return 10 * (unit - units + 1);
}

bool parse_key(const char *s, uint64_t *key)
{
	return !strncmp(s, "0x", 2) && !parse_number(s, key);
}

int parse_size(const char *s, uint64_t *v)
{
	unsigned __int128 bytes;
	uint64_t whole, fraction = 0, scale = 1;
	int err, shift;
	bool hex;

	err = take_number(&s, &hex, &whole);
	if (err)
		return err;
	if (*s == '.' && !hex) {
		const char *dot = s++;

		err = take_digits(&s, 10, &fraction);
		if (err)
			return err;
		if (s - dot - 1 > MAX_FRACTION)
			return -ERANGE;
		for (dot++; dot < s; dot++)
			scale *= 10;
	}
	while (*s == ' ')
		s++;
	shift = parse_unit(s);
	if (shift < 0)
		return shift;
	bytes = ((unsigned __int128)whole * scale + fraction) << shift;
	if (bytes % scale || bytes / scale > UINT64_MAX)
		return -ERANGE;
	*v = bytes / scale;
	return 0;
}

int parse_uuid(const char *s, uint8_t uuid[16])
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	unsigned int i, n = 0;
	char byte[3] = "";

	for (i = 0; form[i]; i++) {
		if (form[i] == '-' ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return -EINVAL;
		if (form[i] == '-')
			continue;
		byte[n++ % 2] = s[i];
		if (!(n % 2))
			uuid[n / 2 - 1] = strtoul(byte, NULL, 16);
	}
	return s[i] ? -EINVAL : 0;
}

static int explain(const char *s, int err, char *why, size_t len)
{
	if (err == -EDOM)
		snprintf(why, len,
			 "\"%s\": units are powers of 1024: write G or GiB, not GB",
			 s);
	else if (err == -ERANGE)
		snprintf(why, len, "\"%s\" is out of range", s);
	else
		snprintf(why, len, "\"%s\" is not a size (such as 4G, 512GiB, 1T)",
			 s);
	return -EINVAL;
}

int parse_gib(const char *s, uint32_t *gib, char *why, size_t len)
{
	char human[32];
	uint64_t v;
	int err = parse_size(s, &v);

	if (err)
		return explain(s, err, why, len);
	if (!v || v % GIB) {
		snprintf(why, len,
			 "\"%s\" is %s: the pool grows and shrinks by whole GiB (such as 4G)",
			 s, format_size(v, human, sizeof(human)));
		return -EINVAL;
	}
	if (v / GIB >= UINT32_MAX)
		return explain(s, -ERANGE, why, len);
	*gib = v / GIB;
	return 0;
}

int parse_range(const char *s, uint64_t *base, uint64_t *size, char *why,
		size_t len)
{
	const char *plus = strchr(s, '+');
	char first[64];
	uint64_t end;
	int err;

	if (!plus || (size_t)(plus - s) >= sizeof(first)) {
		snprintf(why, len,
			 "\"%s\" is not BASE+SIZE (such as 0x100000000+4G)", s);
		return -EINVAL;
	}
	memcpy(first, s, plus - s);
	first[plus - s] = '\0';
	err = parse_size(first, base);
	if (err)
		return explain(first, err, why, len);
	err = parse_size(plus + 1, size);
	if (err)
		return explain(plus + 1, err, why, len);
	if (*base % GIB || *size % GIB || !*size) {
		snprintf(why, len,
			 "\"%s\": base and size must be whole GiB", s);
		return -EINVAL;
	}
	if (__builtin_add_overflow(*base, *size, &end)) {
		snprintf(why, len, "\"%s\" is out of range", s);
		return -EINVAL;
	}
	return 0;
}

char *format_size(uint64_t v, char *buf, size_t len)
{
	static const char *const names[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"
	};
	unsigned int shift = 0;

	while (shift < 60 && v >> (shift + 10))
		shift += 10;
	/* 2044 MiB instead of 2.0 GiB: do not round if another unit is exact */
	if (shift && (v & ((1ULL << shift) - 1)) * 10 % (1ULL << shift) &&
	    !(v & ((1ULL << (shift - 10)) - 1)))
		shift -= 10;
	if (v & ((1ULL << shift) - 1))
		snprintf(buf, len, "%.1f %s",
			 (double)v / (double)(1ULL << shift), names[shift / 10]);
	else
		snprintf(buf, len, "%" PRIu64 " %s", v >> shift,
			 names[shift / 10]);
	return buf;
}

char *format_rate(uint64_t v, char *buf, size_t len)
{
	unsigned int shift = v >> 20 ? 20 : v >> 10 ? 10 : 0;
	char size[32];

	snprintf(buf, len, "%s/s",
		 format_size(v >> shift << shift, size, sizeof(size)));
	return buf;
}
