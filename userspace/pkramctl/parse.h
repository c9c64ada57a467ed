/* SPDX-License-Identifier: GPL-2.0 */
/* Sizes and ranges as people write them. Pure: no output, no system calls. */
#ifndef _PKRAMCTL_PARSE_H
#define _PKRAMCTL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * parse_number() - Parse a whole number, decimal or 0x...
 * @s: text, all of it
 * @v: out
 *
 * Return: 0, -EINVAL, -ERANGE.
 */
int parse_number(const char *s, uint64_t *v);

/**
 * parse_key() - Check whether a word is a key, as "object show" prints them
 * @s: word; a name that begins with 0x looks like a key
 * @key: out
 */
bool parse_key(const char *s, uint64_t *key);

/**
 * parse_size() - Parse a size: 4096, 512MiB, 4G, 1.5T, 0x40000000
 * @s: the whole text; the units are powers of 1024, in any case
 * @v: out: bytes
 *
 * Return: 0; -EINVAL not a size; -EDOM a decimal unit (GB), which is ambiguous; -ERANGE too
 * large, or not a whole number of bytes.
 */
int parse_size(const char *s, uint64_t *v);

/**
 * parse_uuid() - Parse 5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a1
 * @s: text, all of it
 * @uuid: out
 *
 * Return: 0 or -EINVAL.
 */
int parse_uuid(const char *s, uint8_t uuid[16]);

/**
 * parse_gib() - Parse a size of one or more whole GiB
 * @s: text
 * @gib: out
 * @why: out: the error, as text
 * @len: size of @why
 *
 * Return: 0 or -EINVAL.
 */
int parse_gib(const char *s, uint32_t *gib, char *why, size_t len);

/**
 * parse_range() - Parse BASE+SIZE, both whole GiB
 * @s: text
 * @base: out: bytes
 * @size: out: bytes
 * @why: out: the error, as text
 * @len: size of @why
 *
 * Return: 0 or -EINVAL.
 */
int parse_range(const char *s, uint64_t *base, uint64_t *size, char *why,
		size_t len);

/**
 * format_size() - Format "64 GiB", "1.5 TiB", "2044 MiB", "0 B"
 * @v: bytes
 * @buf: out
 * @len: size of @buf; 16 is enough
 *
 * Return: @buf.
 */
char *format_size(uint64_t v, char *buf, size_t len);

/**
 * format_rate() - Format "850 MiB/s", "292 KiB/s"
 * @v: bytes per second
 * @buf: out
 * @len: size of @buf; 18 is enough
 *
 * Return: @buf.
 */
char *format_rate(uint64_t v, char *buf, size_t len);

#endif /* _PKRAMCTL_PARSE_H */
