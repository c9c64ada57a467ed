/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A printer for text and JSON: a command describes its output once, and it is printed as
 * text or, with -j, as JSON.
 *
 * In text, a record is lines of "label value" and a table is aligned columns, without
 * columns that are empty in every row. A value that the kernel did not send (PKRAM_NONE32,
 * PKRAM_NONE64, NULL) is left out of both. A label of NULL means JSON only, a key of NULL
 * text only.
 */
#ifndef _PKRAMCTL_PRINT_H
#define _PKRAMCTL_PRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

void out_init(bool json, bool pretty);

/*
 * Write the output. Return: 0; -EIO: standard output could not be written; -EINVAL: a column
 * is unknown, which was reported
 */
int out_fini(void);

bool out_is_json(void);

/* When text is coloured: on a terminal, unless NO_COLOR is set */
enum out_color {
	OUT_COLOR_AUTO,
	OUT_COLOR_ALWAYS,
	OUT_COLOR_NEVER,
};

void out_set_color(enum out_color when);

/**
 * out_select() - Print some columns of the next table, in this order
 * @columns: their headings, separated by commas, in capitals or not; or NULL: all that are used
 *
 * A heading that the table does not have is reported, and out_fini() fails.
 */
void out_select(const char *columns);

/* Begin a record; @title is its heading in text, NULL for none */
void out_record_open(const char *key, const char *title);
void out_record_close(void);

/*
 * Begin a line, which is written at once: in text its values with their labels, in JSON an
 * object
 */
void out_line_open(void);
void out_line_close(void);

/* Begin a table; the rows between open and close must all have the same cells in order */
void out_table_open(const char *key, const char *title);
void out_table_close(void);
void out_row_open(void);
void out_row_close(void);

/* Add a value to a record or a row */
void out_str(const char *key, const char *label, const char *v);
void out_bool(const char *key, const char *label, bool v);
void out_u32(const char *key, const char *label, uint32_t v);
void out_u64(const char *key, const char *label, uint64_t v);
void out_size(const char *key, const char *label, uint64_t v);
void out_address(const char *key, const char *label, uint64_t v);
/* Microseconds, negative for unknown: a duration (in JSON seconds), a time */
void out_duration(const char *key, const char *label, int64_t us);
void out_time(const char *key, const char *label, int64_t us);
/* An identifier: 0x... in JSON too */
void out_id(const char *key, const char *label, uint64_t v);
void out_uuid(const char *key, const char *label, const uint8_t uuid[16]);
/* Permissions and type: as ls prints them; in JSON the permissions in octal */
void out_mode(const char *key, const char *label, uint32_t mode);

/* Return a copy, to be freed, in which bytes that could control a terminal are \ooo */
char *out_clean(const char *text);

/*
 * Write text of others. On a terminal what could control it is written as \ooo, but for the
 * end of a line
 */
void out_raw(FILE *to, const char *text, size_t len);

/* A line in text only */
void out_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* _PKRAMCTL_PRINT_H */
