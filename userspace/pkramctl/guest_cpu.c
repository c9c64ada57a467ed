// SPDX-License-Identifier: GPL-2.0
/* Features of a guest's CPU: see guest_cpu.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include "ctl.h"
#include "guest_cpu.h"
#include "guest_record.h"
#include "guest_started.h"

/* All CPUs of a guest are alike: the first is asked. 0, and its path, or %CTL_FAILED */
static int find_cpu(struct guest *g, char *path, size_t len)
{
	if (qmp_command(&g->qmp, "query-cpus-fast", NULL) ||
	    !json_object_is_type(g->qmp.answer, json_type_array))
		return CTL_FAILED;
	snprintf(path, len, "%s", qmp_text_of(json_object_array_get_idx(g->qmp.answer, 0), "qom-path"));
	return 0;
}

struct json_object *guest_cpu_read(struct guest *g)
{
	struct json_object *list, *found = json_object_new_array();
	const char *name;
	char path[256];
	int err = 0;
	size_t i;

	if (find_cpu(g, path, sizeof(path)))
		goto unknown;
	if (qmp_qom_list(&g->qmp, path) || !json_object_is_type(g->qmp.answer, json_type_array))
		goto unknown;
	list = json_object_get(g->qmp.answer);
	/* A feature is a property that is on or off; a property that cannot be read is none */
	for (i = 0; i < json_object_array_length(list) && err != -EPIPE && err != -ETIMEDOUT; i++) {
		name = qmp_text_of(json_object_array_get_idx(list, i), "name");
		if (strcmp(qmp_text_of(json_object_array_get_idx(list, i), "type"), "bool"))
			continue;
		err = qmp_qom_get(&g->qmp, path, name);
		if (!err && json_object_is_type(g->qmp.answer, json_type_boolean) &&
		    json_object_get_boolean(g->qmp.answer))
			json_object_array_add(found, json_object_new_string(name));
	}
	json_object_put(list);
	if (err != -EPIPE && err != -ETIMEDOUT && json_object_array_length(found))
		return found;
unknown:
	json_object_put(found);
	return NULL;
}

void guest_cpu_note(struct guest *g, struct json_object *features)
{
	struct json_object *obj = json_object_new_object();

	if (features) {
		json_object_object_add(obj, "cpu", json_object_get(features));
		started_write(g, "cpu", obj);
	}
	json_object_put(obj);
}

void guest_cpu_add(const struct guest *g, struct json_object *record)
{
	struct json_object *note = started_read(guest_run_path(g, "cpu")), *features;

	if (json_object_object_get_ex(note, "cpu", &features))
		json_object_object_add(record, "cpu", json_object_get(features));
	json_object_put(note);
}

static bool has(struct json_object *features, const char *name)
{
	size_t i;

	for (i = 0; i < json_object_array_length(features); i++) {
		if (!strcmp(json_object_get_string(json_object_array_get_idx(features, i)) ?: "",
			    name))
			return true;
	}
	return false;
}

static void append(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
}

int guest_cpu_check(struct guest *g, struct json_object *features)
{
	struct json_object *record = started_read(guest_info_path(g)), *saved = NULL;
	char missing[512] = "", unknown[512] = "", path[256] = "";
	struct guest_record r;
	const char *name;
	size_t i;

	json_object_object_get_ex(record, "cpu", &saved);
	for (i = 0; features && json_object_is_type(saved, json_type_array) &&
	     i < json_object_array_length(saved); i++) {
		name = json_object_get_string(json_object_array_get_idx(saved, i)) ?: "";
		if (has(features, name) || (!*path && find_cpu(g, path, sizeof(path))))
			continue;
		/* Another QEMU may call it otherwise, or have no such switch any more */
		if (qmp_qom_get(&g->qmp, path, name) == -EREMOTEIO)
			append(unknown, sizeof(unknown), name);
		else
			append(missing, sizeof(missing), name);
	}
	json_object_put(record);
	if (*unknown)
		ctl_warn("%s: this QEMU does not know what its CPU had at the save: %s", g->file.name,
			 unknown);
	if (!*missing)
		return 0;
	if (g->as_defined || g->any_cpu) {
		ctl_warn("%s: its CPU does not have any more what it had at the save: %s",
			 g->file.name, missing);
		return 0;
	}
	record_get(g, &r);
	return guest_fail(g, "its CPU would not have any more what it had at the save, and programs in it may end: %s; boot the kernel under which it was saved (%s), or run pkramctl guest resume --any-cpu %s to resume it nevertheless",
			  missing, r.from, g->file.name);
}
