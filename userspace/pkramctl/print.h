/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One printer for people and for programs: a command says once what it shows,
 * and it comes out as text or, with -j, as JSON.
 *
 * In text, a record is lines of "label value" and a table is aligned columns,
 * without those that are empty throughout. A value that the kernel did not send
 * (PKRAM_NONE32, PKRAM_NONE64, NULL) is left out of both. A label of NULL is for
 * JSON only, a key of NULL for text only.
 */
#ifndef _PKRAMCTL_PRINT_H
#define _PKRAMCTL_PRINT_H

#include <stdbool.h>
#include <stdint.h>

void out_init(bool json, bool pretty);

/* Write it out. Return: 0 or -EIO: standard output could not be written */
int out_fini(void);

bool out_is_json(void);

/* A record; @title heads its lines in text, NULL for none */
void out_record_open(const char *key, const char *title);
void out_record_close(void);

/*
 * A line of its own, written at once: in text its values with their labels, one
 * after the other; in JSON an object
 */
void out_line_open(void);
void out_line_close(void);

/* A table; rows between the two, all with the same cells in the same order */
void out_table_open(const char *key, const char *title);
void out_table_close(void);
void out_row_open(void);
void out_row_close(void);

/* Values, in a record or in a row */
void out_str(const char *key, const char *label, const char *v);
void out_bool(const char *key, const char *label, bool v);
void out_u32(const char *key, const char *label, uint32_t v);
void out_u64(const char *key, const char *label, uint64_t v);
void out_size(const char *key, const char *label, uint64_t v);
void out_address(const char *key, const char *label, uint64_t v);
/* Microseconds, negative for unknown: a length (in JSON seconds), a time */
void out_duration(const char *key, const char *label, int64_t us);
void out_time(const char *key, const char *label, int64_t us);
/* A number that is a name: 0x... in JSON too */
void out_id(const char *key, const char *label, uint64_t v);
void out_uuid(const char *key, const char *label, const uint8_t uuid[16]);
/* Permissions and type: as ls shows them; in JSON the permissions in octal */
void out_mode(const char *key, const char *label, uint32_t mode);

/* A line for people only */
void out_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* _PKRAMCTL_PRINT_H */
