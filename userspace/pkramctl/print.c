// SPDX-License-Identifier: GPL-2.0
/* A printer for text and JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "ctl.h"
#include "parse.h"
#include "print.h"

#define MAX_DEPTH	8
#define MAX_COLUMNS	20
#define LABEL_WIDTH	16

struct column {
	const char *label;
	bool right;		/* aligned right: numbers */
	bool used;		/* not empty in some row */
	size_t width;
};

static struct {
	bool json, pretty;
	/* JSON */
	struct json_object *stack[MAX_DEPTH];
	int depth;
	/* text */
	int indent;
	bool in_row;
	bool in_line;
	bool line_begun;
	bool color;
	const char *columns;	/* those to print, or NULL */
	bool unknown;		/* one of them is not there */
	struct column cols[MAX_COLUMNS];
	unsigned int nr_cols, col;
	char **cells;		/* nr_rows * MAX_COLUMNS */
	size_t nr_rows;
} out;

void out_init(bool json, bool pretty)
{
	out.json = json;
	out.pretty = pretty;
}

void out_set_color(enum out_color when)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	out.color = when == OUT_COLOR_ALWAYS ||
		    (when == OUT_COLOR_AUTO && isatty(STDOUT_FILENO) && !(no && *no) && term &&
		     strcmp(term, "dumb"));
}

void out_select(const char *columns)
{
	out.columns = columns;
}

bool out_is_json(void)
{
	return out.json;
}

static void json_write(int flags)
{
	flags |= JSON_C_TO_STRING_NOSLASHESCAPE;
	puts(json_object_to_json_string_ext(out.stack[0], flags));
	json_object_put(out.stack[0]);
	out.stack[0] = NULL;
}

int out_fini(void)
{
	if (out.json && out.stack[0])
		json_write(out.pretty ? JSON_C_TO_STRING_PRETTY |
				JSON_C_TO_STRING_SPACED :
				JSON_C_TO_STRING_PLAIN);
	if (fflush(stdout) || ferror(stdout))
		return -EIO;
	return out.unknown ? -EINVAL : 0;
}

/* JSON */

static void json_put(const char *key, struct json_object *v)
{
	struct json_object *top = out.stack[out.depth - 1];

	if (json_object_is_type(top, json_type_array))
		json_object_array_add(top, v);
	else
		json_object_object_add(top, key, v);
}

static void json_push(const char *key, struct json_object *v)
{
	ctl_must(v);
	if (out.depth == MAX_DEPTH)
		abort();
	if (out.depth)
		json_put(key, v);
	out.stack[out.depth++] = v;
}

static void json_pop(void)
{
	out.depth--;
}

/* Return the length of the UTF-8 sequence at @s, 0 if it is invalid */
static unsigned int utf8_len(const unsigned char *s)
{
	unsigned int n, i;
	uint32_t c;

	if (s[0] < 0x80)
		return 1;
	n = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
	    s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : 0;
	c = n ? s[0] & (0x7f >> n) : 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
	    (n == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	return n;
}

/*
 * Escape names, which come from preserved memory and may contain anything: control
 * characters and invalid UTF-8 become \ooo. JSON escapes control characters itself.
 */
static char *clean(const char *s, bool controls)
{
	const unsigned char *p = (const unsigned char *)s;
	char *buf = ctl_must(malloc(4 * strlen(s) + 1)), *q = buf;
	unsigned int n;

	while (*p) {
		n = utf8_len(p);
		if (!n || (controls && (*p < 0x20 || *p == 0x7f || *p == '\\' ||
					(*p == 0xc2 && p[1] < 0xa0)))) {
			q += sprintf(q, "\\%03o", *p++);
			/* a C1 control: escape its second byte too */
			if (n == 2)
				q += sprintf(q, "\\%03o", *p++);
			continue;
		}
		memcpy(q, p, n);
		q += n;
		p += n;
	}
	*q = '\0';
	return buf;
}

/* Text */

static void text_title(const char *title)
{
	if (title && *title)
		printf("%*s%s\n", out.indent, "", title);
	out.indent += title ? 2 : 0;
}

/* Width on screen: UTF-8 continuation bytes take no column */
static size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* Words that say how something is, and their colours */
static const struct {
	const char *word, *color;
} colors[] = {
	{ "running", "32" }, { "claimed", "32" }, { "ok", "32" }, { "OK", "32" },
	{ "resumed", "32" }, { "saved", "33" }, { "sealed (", "31" }, { "sealed", "33" },
	{ "paused", "33" }, { "io-error", "33" }, { "postmigrate", "33" }, { "inmigrate", "33" },
	{ "warning", "33" }, { "forced", "33" }, { "ATTENTION", "31" }, { "critical", "31" },
	{ "refused", "31" }, { "quarantined", "31" }, { "failed", "31" }, { "differs", "31" },
	{ "not resumed", "31" }, { "no answer", "31" }, { "unknown", "31" },
};

/* Return the colour of a value, or NULL */
static const char *color_of(const char *label, const char *v)
{
	size_t i;

	if (!out.color || (strcasecmp(label, "state") && strcmp(label, "RESULT") &&
			   strcmp(label, "health")))
		return NULL;
	for (i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		if (!strncmp(v, colors[i].word, strlen(colors[i].word)))
			return colors[i].color;
	}
	return NULL;
}

/* Print a value in its colour */
static void put_value(const char *label, const char *v)
{
	const char *color = color_of(label, v);

	if (color)
		printf("\033[%sm%s\033[m", color, v);
	else
		fputs(v, stdout);
}

static void text_put(const char *label, const char *v, bool right)
{
	struct column *c;

	if (!label)
		return;
	if (out.in_line) {
		if (v)
			printf("%s%s%s%s", out.line_begun ? " " : "", label,
			       *label ? " " : "", v);
		out.line_begun |= !!v;
		return;
	}
	if (!out.in_row) {
		if (v) {
			printf("%*s%-*s ", out.indent, "", LABEL_WIDTH, label);
			put_value(label, v);
			putchar('\n');
		}
		return;
	}
	if (out.col == MAX_COLUMNS)
		abort();
	c = &out.cols[out.col];
	if (out.col == out.nr_cols) {
		*c = (struct column){ .label = label, .width = strlen(label) };
		out.nr_cols++;
	}
	if (v) {
		c->used = true;
		c->right |= right;
		if (text_width(v) > c->width)
			c->width = text_width(v);
		out.cells[(out.nr_rows - 1) * MAX_COLUMNS + out.col] =
			ctl_must(strdup(v));
	}
	out.col++;
}

static void text_cell(const struct column *c, const char *v, bool last)
{
	int pad = c->width - text_width(v);

	if (c->right)
		printf("%*s", pad, "");
	put_value(c->label, v);
	if (!c->right && !last)
		printf("%*s", pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

/* Report a heading that is not there, and those that are */
static void unknown_column(const char *name, size_t len)
{
	char list[512] = "";
	unsigned int i;
	size_t n = 0;

	for (i = 0; i < out.nr_cols && n < sizeof(list); i++)
		n += snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", out.cols[i].label);
	ctl_error("there is no column \"%.*s\"; there are %s", (int)len, name, list);
	out.unknown = true;
}

/* Find the columns to print, in order. Return: how many */
static unsigned int choose_columns(unsigned int order[MAX_COLUMNS])
{
	const char *name = out.columns;
	unsigned int i, n = 0;
	size_t len;

	for (i = 0; i < out.nr_cols && !name; i++) {
		if (out.cols[i].used)
			order[n++] = i;
	}
	for (; name && out.nr_cols && n < MAX_COLUMNS; name += len + 1) {
		len = strcspn(name, ",");
		for (i = 0; i < out.nr_cols && (strncasecmp(name, out.cols[i].label, len) ||
						out.cols[i].label[len]); i++)
			;
		if (i < out.nr_cols)
			order[n++] = i;
		else
			unknown_column(name, len);
		if (!name[len])
			break;
	}
	out.columns = NULL;
	return out.unknown ? 0 : n;
}

static void text_table(void)
{
	unsigned int order[MAX_COLUMNS], nr = choose_columns(order), i;
	const char *v;
	size_t row;

	for (row = 0; row <= out.nr_rows && out.nr_rows && nr; row++) {
		printf("%*s", out.indent, "");
		for (i = 0; i < nr; i++) {
			v = row ? out.cells[(row - 1) * MAX_COLUMNS + order[i]] :
				  out.cols[order[i]].label;
			text_cell(&out.cols[order[i]], v ? v : "-", i + 1 == nr);
		}
	}
	for (row = 0; row < out.nr_rows * MAX_COLUMNS; row++)
		free(out.cells[row]);
	free(out.cells);
	out.cells = NULL;
	out.nr_rows = 0;
	out.nr_cols = 0;
}

void out_text(const char *fmt, ...)
{
	va_list ap;

	if (out.json)
		return;
	va_start(ap, fmt);
	printf("%*s", out.indent, "");
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

/* Both */

static bool titled[MAX_DEPTH];
static int nr_titled;

static void open_title(const char *title)
{
	if (nr_titled == MAX_DEPTH)
		abort();
	titled[nr_titled++] = title;
	text_title(title);
}

static void close_title(void)
{
	if (titled[--nr_titled])
		out.indent -= 2;
}

void out_record_open(const char *key, const char *title)
{
	if (out.json)
		json_push(key, json_object_new_object());
	else
		open_title(title);
}

void out_record_close(void)
{
	if (out.json)
		json_pop();
	else
		close_title();
}

void out_line_open(void)
{
	if (out.json)
		json_push(NULL, json_object_new_object());
	out.in_line = !out.json;
	out.line_begun = false;
}

void out_line_close(void)
{
	if (out.json) {
		json_pop();
		json_write(JSON_C_TO_STRING_PLAIN);
	} else {
		putchar('\n');
	}
	out.in_line = false;
	fflush(stdout);
}

void out_table_open(const char *key, const char *title)
{
	if (out.json)
		json_push(key, json_object_new_array());
	else
		open_title(title);
}

void out_table_close(void)
{
	if (out.json) {
		json_pop();
	} else {
		text_table();
		close_title();
	}
}

void out_row_open(void)
{
	size_t n = (out.nr_rows + 1) * MAX_COLUMNS;

	if (out.json) {
		json_push(NULL, json_object_new_object());
		return;
	}
	out.cells = ctl_must(realloc(out.cells, n * sizeof(*out.cells)));
	memset(&out.cells[n - MAX_COLUMNS], 0,
	       MAX_COLUMNS * sizeof(*out.cells));
	out.nr_rows++;
	out.col = 0;
	out.in_row = true;
}

void out_row_close(void)
{
	out.in_row = false;
	if (out.json)
		json_pop();
}

void out_str(const char *key, const char *label, const char *v)
{
	char *s = v ? clean(v, !out.json) : NULL;

	if (!out.json)
		text_put(label, s, false);
	else if (key && s)
		json_put(key, json_object_new_string(s));
	free(s);
}

char *out_clean(const char *text)
{
	return clean(text, true);
}

void out_raw(FILE *to, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	if (!isatty(fileno(to))) {
		fwrite(text, 1, len, to);
		return;
	}
	for (; p < end; p++) {
		if (*p == '\r' && p + 1 < end && p[1] == '\n')
			continue;
		/* All beyond ASCII: a part may begin in the middle of a letter */
		if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p >= 0x7f)
			fprintf(to, "\\%03o", *p);
		else
			putc(*p, to);
	}
}

void out_bool(const char *key, const char *label, bool v)
{
	if (!out.json)
		text_put(label, v ? "yes" : "no", false);
	else if (key)
		json_put(key, json_object_new_boolean(v));
}

static void put_number(const char *key, const char *label, uint64_t v,
		       bool none, const char *text)
{
	if (!out.json)
		text_put(label, none ? NULL : text, true);
	else if (key && !none)
		json_put(key, json_object_new_uint64(v));
}

void out_u64(const char *key, const char *label, uint64_t v)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%" PRIu64, v);
	put_number(key, label, v, v == PKRAM_NONE64, buf);
}

void out_u32(const char *key, const char *label, uint32_t v)
{
	out_u64(key, label, v == PKRAM_NONE32 ? PKRAM_NONE64 : v);
}

void out_size(const char *key, const char *label, uint64_t v)
{
	char buf[32];

	put_number(key, label, v, v == PKRAM_NONE64,
		   format_size(v, buf, sizeof(buf)));
}

void out_address(const char *key, const char *label, uint64_t v)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "0x%" PRIx64, v);
	put_number(key, label, v, v == PKRAM_NONE64, buf);
}

void out_duration(const char *key, const char *label, int64_t us)
{
	char buf[32];

	if (us < 0) {
		put_number(key, label, 0, true, NULL);
		return;
	}
	snprintf(buf, sizeof(buf), "%" PRId64 ".%03" PRId64 "%s", us / 1000000,
		 us / 1000 % 1000, out.json ? "" : " s");
	if (!out.json)
		text_put(label, buf, true);
	else if (key)
		json_put(key, json_object_new_double_s(us / 1e6, buf));
}

void out_time(const char *key, const char *label, int64_t us)
{
	time_t t = us / 1000000;
	char buf[64] = "";
	struct tm tm;

	if (us >= 0 && out.json && gmtime_r(&t, &tm))
		strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm);
	else if (us >= 0 && localtime_r(&t, &tm))
		strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm);
	out_str(key, label, *buf ? buf : NULL);
}

void out_id(const char *key, const char *label, uint64_t v)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "0x%" PRIx64, v);
	out_str(key, label, v == PKRAM_NONE64 ? NULL : buf);
}

void out_uuid(const char *key, const char *label, const uint8_t u[16])
{
	static const uint8_t zero[16];
	char buf[37];

	snprintf(buf, sizeof(buf),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9],
		 u[10], u[11], u[12], u[13], u[14], u[15]);
	out_str(key, label, memcmp(u, zero, 16) ? buf : NULL);
}

void out_mode(const char *key, const char *label, uint32_t mode)
{
	static const char rwx[] = "rwxrwxrwx";
	char buf[16];
	int i;

	if (mode == PKRAM_NONE32) {
		out_str(key, label, NULL);
		return;
	}
	if (out.json) {
		snprintf(buf, sizeof(buf), "%04o", mode & 07777);
		out_str(key, label, buf);
		return;
	}
	buf[0] = S_ISDIR(mode) ? 'd' : S_ISREG(mode) ? '-' :
		 S_ISLNK(mode) ? 'l' : '?';
	for (i = 0; i < 9; i++)
		buf[i + 1] = mode & (0400 >> i) ? rwx[i] : '-';
	buf[10] = '\0';
	if (mode & S_ISUID)
		buf[3] = buf[3] == 'x' ? 's' : 'S';
	if (mode & S_ISGID)
		buf[6] = buf[6] == 'x' ? 's' : 'S';
	if (mode & S_ISVTX)
		buf[9] = buf[9] == 'x' ? 't' : 'T';
	out_str(key, label, buf);
}
