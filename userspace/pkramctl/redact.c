// SPDX-License-Identifier: GPL-2.0
/* Remove secrets from QEMU's arguments: see redact.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include "redact.h"

/* A key that has one of these in it has a secret value */
static const char * const parts[] = {
	"password", "passwd", "passphrase", "secret", "token", "credential",
};

/* and so has one of these keys; @option: with this option only */
static const struct {
	const char *key, *option;
} words[] = {
	{ "data", NULL },
	{ "key", NULL },
	{ "string", "fw_cfg" },
	{ "value", "smbios" },
};

/* Objects of the type secret are named by others: their names are none. */
static bool is_reference(const char *key, size_t len)
{
	static const char end[] = "-secret";
	size_t n = sizeof(end) - 1;

	return len >= n && !strncmp(key + len - n, end, n);
}

static bool is_secret(const char *option, const char *key, size_t len)
{
	char lower[64] = "";
	size_t i;

	if (is_reference(key, len) || len >= sizeof(lower))
		return false;
	for (i = 0; i < len; i++)
		lower[i] = key[i] >= 'A' && key[i] <= 'Z' ? key[i] - 'A' + 'a' : key[i];
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strstr(lower, parts[i]))
			return true;
	}
	option += strspn(option, "-");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(lower, words[i].key) &&
		    (!words[i].option || !strcmp(option, words[i].option)))
			return true;
	}
	return false;
}

/* Return the end of a value: a comma that is not doubled, or the end */
static const char *value_end(const char *s)
{
	for (; *s && !(s[0] == ',' && s[1] != ','); s++)
		s += s[0] == ',';
	return s;
}

/* Return the end of "user:password@" at the beginning of @s, or @s if there is none */
static const char *userinfo_end(const char *s)
{
	size_t len = strcspn(s, "@/, \"");

	return s[len] == '@' ? s + len : s;
}

static char *redact_list(const char *option, const char *arg, unsigned int *removed)
{
	const char *key = arg, *p = arg, *end;
	size_t len = 0;
	char *text;
	FILE *out;

	out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	while (*p) {
		if (*p == '=' && is_secret(option, key, p - key)) {
			end = value_end(p + 1);
			fputs("=" REDACTED, out);
			++*removed;
			p = end;
			continue;
		}
		if (!strncmp(p, "://", 3)) {
			end = userinfo_end(p + 3);
			fputs("://", out);
			if (end != p + 3) {
				fputs(REDACTED, out);
				++*removed;
			}
			p = end;
			continue;
		}
		if (strchr(", ?&;:", *p))
			key = p + 1;
		fputc(*p++, out);
	}
	return fclose(out) ? NULL : text;
}

/* Remove the secrets of a JSON value, in place */
static void redact_json(const char *option, struct json_object *json, unsigned int *removed)
{
	struct json_object *value;
	char *text;
	size_t i;

	if (json_object_is_type(json, json_type_array)) {
		for (i = 0; i < json_object_array_length(json); i++)
			redact_json(option, json_object_array_get_idx(json, i), removed);
		return;
	}
	if (!json_object_is_type(json, json_type_object))
		return;
	json_object_object_foreach(json, key, child) {
		if (is_secret(option, key, strlen(key))) {
			value = json_object_new_string(REDACTED);
			++*removed;
		} else if (json_object_is_type(child, json_type_string)) {
			/* A URL, or options in a text */
			text = redact_list(option, json_object_get_string(child), removed);
			value = text ? json_object_new_string(text) : NULL;
			free(text);
		} else {
			redact_json(option, child, removed);
			continue;
		}
		/* Replaces the value of a key that is there, which the loop allows */
		json_object_object_add(json, key, value);
	}
}

char *redact_arg(const char *option, const char *arg, unsigned int *removed)
{
	struct json_object *json = *arg == '{' ? json_tokener_parse(arg) : NULL;
	char *text;

	if (!json)
		return redact_list(option, arg, removed);
	redact_json(option, json, removed);
	text = strdup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
	json_object_put(json);
	return text;
}
