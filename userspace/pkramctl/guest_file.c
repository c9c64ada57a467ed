// SPDX-License-Identifier: GPL-2.0
/* The definition of a guest: a file of guests.d. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include "guest_file.h"
#include "parse.h"

#define MAX_TIMEOUT	86400
#define PKRAM_DIR	"/dev/pkram"

struct parser {
	struct guest_file *g;
	unsigned int line, seen_timeout;
	char *why;
	size_t why_len;
};

static __attribute__((format(printf, 2, 3)))
int bad(struct parser *p, const char *fmt, ...)
{
	int n = snprintf(p->why, p->why_len, "%u: ", p->line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why + n, p->why_len - n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int no_memory(struct parser *p)
{
	snprintf(p->why, p->why_len, "%u: out of memory", p->line);
	return -ENOMEM;
}

bool guest_name_ok(const char *name)
{
	static const char good[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(name);

	return len && len <= GUEST_NAME_MAX && strspn(name, good) == len &&
	       name[0] != '.' && name[0] != '-';
}

/* Settings */

static int set_uuid(struct parser *p, const char *value)
{
	uint8_t uuid[16];

	if (*p->g->uuid)
		return bad(p, "duplicate uuid");
	if (parse_uuid(value, uuid))
		return bad(p, "\"%s\" is not a UUID; uuidgen(1) makes one",
			   value);
	strcpy(p->g->uuid, value);
	return 0;
}

static int set_qemu(struct parser *p, const char *value)
{
	if (p->g->qemu)
		return bad(p, "duplicate qemu");
	if (strchr(value, '/') && *value != '/')
		return bad(p, "\"%s\" is neither an absolute path nor a name of a program",
			   value);
	p->g->qemu = strdup(value);
	return p->g->qemu ? 0 : no_memory(p);
}

static int set_agent(struct parser *p, const char *value)
{
	if (p->g->agent)
		return bad(p, "duplicate agent");
	if (*value != '/')
		return bad(p, "\"%s\" is not the absolute path of a socket", value);
	p->g->agent = strdup(value);
	return p->g->agent ? 0 : no_memory(p);
}

static int set_timeout(struct parser *p, const char *value)
{
	uint64_t v;

	if (p->seen_timeout++)
		return bad(p, "duplicate stop-timeout");
	if (parse_number(value, &v) || !v || v > MAX_TIMEOUT)
		return bad(p, "\"%s\" is not a valid stop-timeout; use seconds, from 1 to %d",
			   value, MAX_TIMEOUT);
	p->g->stop_timeout = v;
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct parser *p, const char *value);
} settings[] = {
	{ "uuid", set_uuid },
	{ "qemu", set_qemu },
	{ "agent", set_agent },
	{ "stop-timeout", set_timeout },
};

static void trim(char *s)
{
	size_t len = strlen(s);

	while (len && isspace((unsigned char)s[len - 1]))
		s[--len] = '\0';
}

static int parse_setting(struct parser *p, char *key)
{
	char *value = strchr(key, '=');
	unsigned int i;

	if (!value)
		return bad(p, "\"%s\" is neither \"key = value\" nor an option of QEMU, which begins with \"-\"",
			   key);
	*value++ = '\0';
	trim(key);
	value += strspn(value, " \t");
	if (!*value)
		return bad(p, "\"%s\" has no value", key);
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (!strcmp(key, settings[i].key))
			return settings[i].set(p, value);
	}
	return bad(p, "unknown setting \"%s\"; use uuid, qemu, agent or stop-timeout",
		   key);
}

/* Options */

static const struct {
	const char *option, *why;
} ours[] = {
	{ "uuid", "write a line \"uuid = UUID\" instead" },
	{ "name", "the name of the file is the name of the guest" },
	{ "pidfile", "pkramctl adds it" },
	{ "daemonize", "pkramctl starts QEMU in the background" },
	{ "incoming", "pkramctl adds it when the guest is resumed" },
	{ "loadvm", "it would replace the saved state" },
	{ "S", "pkramctl starts guests running" },
};

/* Check that an option does not conflict with those of pkramctl */
static int check_option(struct parser *p, const char *word)
{
	const char *option = word + 1 + (word[1] == '-');
	unsigned int i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (!strcmp(option, ours[i].option))
			return bad(p, "option %s is not allowed: %s", word,
				   ours[i].why);
	}
	return 0;
}

static int add_arg(struct parser *p, const char *word)
{
	struct guest_file *g = p->g;
	char **args;

	args = realloc(g->args, (g->nr_args + 1) * sizeof(*args));
	if (!args)
		return no_memory(p);
	g->args = args;
	args[g->nr_args] = strdup(word);
	if (!args[g->nr_args])
		return no_memory(p);
	g->nr_args++;
	return 0;
}

/*
 * Take one word from *@s, unquoted in place as a shell does; @word is NULL at the end of
 * the line.
 */
static int next_word(struct parser *p, char **s, char **word)
{
	char *in = *s + strspn(*s, " \t"), *out = in, quote = '\0';

	*word = *in ? in : NULL;
	for (; *in && (quote || !isspace((unsigned char)*in)); in++) {
		if (!quote && (*in == '\'' || *in == '"')) {
			quote = *in;
		} else if (quote && *in == quote) {
			quote = '\0';
		} else if (quote != '\'' && (*in == '$' || *in == '`')) {
			return bad(p, "nothing is expanded; write the value itself, or quote the %c with ' '",
				   *in);
		} else if (*in == '\\' && in[1] &&
			   (!quote || (quote == '"' &&
				       strchr("\\\"$`", in[1])))) {
			*out++ = *++in;
		} else {
			*out++ = *in;
		}
	}
	if (quote)
		return bad(p, "missing closing %c", quote);
	*s = in + !!*in;
	*out = '\0';
	return 0;
}

static int parse_options(struct parser *p, char *s)
{
	bool first = true;
	char *word;
	int err;

	for (;;) {
		err = next_word(p, &s, &word);
		if (err || !word)
			return err;
		/* The word after an option is its value, even if it looks like an option */
		if (first || (*word == '-' && word[1]))
			err = check_option(p, word);
		if (!err)
			err = add_arg(p, word);
		if (err)
			return err;
		first = false;
	}
}

/* Return the value of @key in "driver,key=value,..." (a comma is doubled), or NULL */
static char *property(const char *s, const char *key)
{
	size_t len = strlen(key);
	char *value, *out;

	for (;;) {
		s = strchr(s, ',');
		if (!s)
			return NULL;
		s++;
		if (*s == ',')
			s++;
		else if (!strncmp(s, key, len) && s[len] == '=')
			break;
	}
	value = strdup(s + len + 1);
	for (s = value, out = value; s && *s && !(s[0] == ',' && s[1] != ',');
	     s++) {
		*out++ = *s;
		s += s[0] == ',';
	}
	if (value)
		*out = '\0';
	return value;
}

static int add_ram(struct parser *p, struct guest_ram new)
{
	struct guest_file *g = p->g;
	struct guest_ram *ram;

	ram = realloc(g->ram, (g->nr_ram + 1) * sizeof(*ram));
	if (!ram) {
		free(new.path);
		return no_memory(p);
	}
	g->ram = ram;
	ram[g->nr_ram++] = new;
	return 0;
}

/* Return the value of @key of an -object, in either syntax, or NULL */
static char *object_property(const char *object, struct json_object *json,
			     const char *key)
{
	struct json_object *v;
	const char *text;

	if (!json)
		return property(object, key);
	/* Of null there is no text. */
	text = json_object_object_get_ex(json, key, &v) ? json_object_get_string(v) : NULL;
	return text ? strdup(text) : NULL;
}

/* Read a switch of an -object, as QEMU does; @otherwise: it has none */
static bool object_switch(const char *object, struct json_object *json, const char *key,
			  bool otherwise)
{
	char *text = object_property(object, json, key);
	bool on = text ? !strcmp(text, "on") || !strcmp(text, "yes") ||
		  !strcmp(text, "true") || !strcmp(text, "y") : otherwise;

	free(text);
	return on;
}

/* Return whether an ivshmem device shows the backend @id */
static bool is_ivshmem(const struct guest_file *g, const char *id)
{
	bool found = false;
	unsigned int i;
	char *memdev;

	for (i = 0; i < g->nr_args && id && !found; i++) {
		if (strncmp(g->args[i], "ivshmem-plain,", 14))
			continue;
		memdev = property(g->args[i], "memdev");
		found = memdev && !strcmp(memdev, id);
		free(memdev);
	}
	return found;
}

/* Parse an -object: TYPE,KEY=VALUE,... or JSON, whose type is "qom-type" */
static int find_ram(struct parser *p, const char *object)
{
	struct json_object *json = *object == '{' ? json_tokener_parse(object) : NULL;
	char *type, *name, *dir, *bad_pages, *id, *path = NULL;
	bool pkram, no_bad_pages, common, shared = true;

	/* QEMU will report the error */
	if (*object == '{' && !json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		return 0;
	}
	bad_pages = object_property(object, json, "bad-pages");
	no_bad_pages = bad_pages && !strcmp(bad_pages, "refuse");
	free(bad_pages);
	type = json ? object_property(object, json, "qom-type") :
		      strndup(object, strcspn(object, ","));
	pkram = type && !strcmp(type, "memory-backend-pkram");
	if (pkram) {
		name = object_property(object, json, "name");
		dir = object_property(object, json, "dir");
		if (name && asprintf(&path, "%s/%s", dir ? dir : PKRAM_DIR, name) < 0)
			path = NULL;
		free(name);
		free(dir);
	} else if (type && !strcmp(type, "memory-backend-file")) {
		path = object_property(object, json, "mem-path");
		shared = object_switch(object, json, "share", false);
	} else if (type && !strcmp(type, "memory-backend-memfd") &&
		   object_switch(object, json, "share", true)) {
		p->g->lost = "memory-backend-memfd";
	} else if (type && !strcmp(type, "memory-backend-shm")) {
		p->g->lost = "memory-backend-shm";
	} else if (type && !strcmp(type, "memory-backend-ram") &&
		   object_switch(object, json, "share", false)) {
		p->g->lost = "memory-backend-ram";
	}
	free(type);
	id = object_property(object, json, "id");
	common = is_ivshmem(p->g, id);
	free(id);
	json_object_put(json);
	if (!path)
		return 0;
	return add_ram(p, (struct guest_ram){ .path = path, .pkram = pkram, .shared = shared,
					      .common = common, .no_bad_pages = no_bad_pages });
}

/* Look for disks whose writes go to a temporary file */
static void find_temporary(struct guest_file *g, const char *word, const char *value)
{
	const char *option = word + 1 + (word[1] == '-');
	char *text;

	if (*word != '-')
		return;
	if (!strcmp(option, "snapshot"))
		g->temporary = "-snapshot";
	if (!value || strcmp(option, "drive"))
		return;
	/* The first word of a -drive is a property as well */
	text = strncmp(value, "snapshot=", 9) ? property(value, "snapshot") :
	       strndup(value + 9, strcspn(value + 9, ","));
	if (text && (!strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "true") ||
		     !strcmp(text, "y")))
		g->temporary = "snapshot=on";
	free(text);
}

/* The file as a whole */

/* Return the next line, joined with continuation lines ("\"); NULL at the end */
static char *next_line(struct parser *p, char **s, unsigned int *lines)
{
	char *line = *s, *eol = line;

	p->line = *lines + 1;
	if (!*line)
		return NULL;
	for (;;) {
		eol = strchrnul(eol, '\n');
		++*lines;
		if (!*eol || eol == line || eol[-1] != '\\')
			break;
		eol--;
		memmove(eol, eol + 2, strlen(eol + 2) + 1);
	}
	*s = eol + !!*eol;
	*eol = '\0';
	trim(line);
	return line + strspn(line, " \t");
}

/* Look at the options for what guests.d has to know */
static int find_all(struct parser *p)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < p->g->nr_args; i++)
		find_temporary(p->g, p->g->args[i], i + 1 < p->g->nr_args ?
			       p->g->args[i + 1] : NULL);
	for (i = 1; !err && i < p->g->nr_args; i++) {
		if (!strcmp(p->g->args[i - 1], "-object") ||
		    !strcmp(p->g->args[i - 1], "--object"))
			err = find_ram(p, p->g->args[i]);
	}
	return err;
}

static int parse(struct parser *p, char *text)
{
	unsigned int lines = 0;
	char *line;
	int err = 0;

	while (!err && (line = next_line(p, &text, &lines))) {
		if (!*line || *line == '#')
			continue;
		err = *line == '-' ? parse_options(p, line) :
		      parse_setting(p, line);
	}
	if (err)
		return err;
	p->line = lines;
	if (!*p->g->uuid)
		return bad(p, "uuid is missing; add a line \"uuid = UUID\" (uuidgen(1) makes one)");
	if (!p->g->nr_args)
		return bad(p, "options for QEMU are missing; write them as on its command line");
	if (!p->g->qemu)
		err = set_qemu(p, "qemu-system-x86_64");
	return err ? err : find_all(p);
}

int guest_file_set_args(struct guest_file *g, char **args, unsigned int nr)
{
	char why[256];
	struct parser p = { .g = g, .why = why, .why_len = sizeof(why) };

	g->args = args;
	g->nr_args = nr;
	return find_all(&p);
}

int guest_file_parse(struct guest_file *g, const char *name, const char *text,
		     size_t len, char *why, size_t why_len)
{
	struct parser p = { .g = g, .why = why, .why_len = why_len, .line = 1 };
	char *copy;
	int err;

	*g = (struct guest_file){ .stop_timeout = GUEST_STOP_TIMEOUT };
	snprintf(g->name, sizeof(g->name), "%s", name);
	if (memchr(text, '\0', len))
		return bad(&p, "the file is not text");
	copy = strndup(text, len);
	err = copy ? parse(&p, copy) : no_memory(&p);
	free(copy);
	if (err)
		guest_file_free(g);
	return err;
}

void guest_file_free(struct guest_file *g)
{
	unsigned int i;

	for (i = 0; i < g->nr_args; i++)
		free(g->args[i]);
	for (i = 0; i < g->nr_ram; i++)
		free(g->ram[i].path);
	free(g->args);
	free(g->ram);
	free(g->qemu);
	free(g->agent);
	*g = (struct guest_file){ 0 };
}
