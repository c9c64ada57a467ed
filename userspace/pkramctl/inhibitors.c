// SPDX-License-Identifier: GPL-2.0
/* Programs that ask logind not to end the host now: see inhibitors.h. */
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include "child.h"
#include "inhibitors.h"
#include "preflight.h"

#define MAX_ANSWER	(1 << 20)
#define OURS		"pkram"		/* pkram-saved.service */

static const char *field(struct json_object *row, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(row, i)) ?: "";
}

static bool is_in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; list; list = strchr(list, ':') ? strchr(list, ':') + 1 : NULL) {
		if (!strncmp(list, word, len) && (!list[len] || list[len] == ':'))
			return true;
	}
	return false;
}

/* What, who, why, mode, uid, pid. Only mode "delay" ends by itself */
static void check_one(struct preflight *p, struct json_object *row)
{
	if (!json_object_is_type(row, json_type_array) || json_object_array_length(row) != 6 ||
	    !is_in_list(field(row, 0), "shutdown") || strncmp(field(row, 3), "block", 5) ||
	    !strcmp(field(row, 1), OURS))
		return;
	preflight_add(p, PREFLIGHT_WARN, "inhibitor",
		      "%s (process %s) asks not to shut down now: %s; it is ended all the same: wait until systemd-inhibit --list does not show it any more",
		      field(row, 1), field(row, 5), field(row, 2));
}

void inhibitors_check(struct preflight *p)
{
	static const char *const argv[] = {
		"busctl", "--json=short", "--timeout=5", "call", "org.freedesktop.login1",
		"/org/freedesktop/login1", "org.freedesktop.login1.Manager", "ListInhibitors", NULL
	};
	struct json_object *answer, *data, *list;
	size_t i;
	char *text;

	/* A host without logind has no inhibitors */
	if (child_read(argv, MAX_ANSWER, &text)) {
		free(text);
		return;
	}
	answer = json_tokener_parse(text);
	free(text);
	if (json_object_is_type(answer, json_type_object) &&
	    json_object_object_get_ex(answer, "data", &data) &&
	    json_object_is_type(data, json_type_array)) {
		list = json_object_array_get_idx(data, 0);
		for (i = 0; json_object_is_type(list, json_type_array) &&
		     i < json_object_array_length(list); i++)
			check_one(p, json_object_array_get_idx(list, i));
	}
	json_object_put(answer);
}
