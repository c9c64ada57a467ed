// SPDX-License-Identifier: GPL-2.0
/* Devices that were plugged in or unplugged after the start: see guest_devices.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include "ctl.h"
#include "guest_devices.h"

/* @type: "child<virtio-net-pci>" */
static int check_device(struct guest *g, const char *directory, const char *name, const char *type)
{
	char path[512];
	int err;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	err = qmp_qom_get(&g->qmp, path, "hotplugged");
	/* It is no device, or was unplugged meanwhile */
	if (err == -EREMOTEIO)
		return 0;
	if (err)
		return guest_fail(g, "%s", g->qmp.error);
	if (!json_object_is_type(g->qmp.answer, json_type_boolean) ||
	    !json_object_get_boolean(g->qmp.answer))
		return 0;
	return guest_refuse(g, "its device %s (%.*s) was plugged in after the start, and the QEMU that resumes it would not have it: unplug it (device_del), or add it to the definition and restart the guest",
			    *name == 'd' && strchr(name, '[') ? path : name,
			    (int)strcspn(type + 6, ">"), type + 6);
}

static int check_directory(struct guest *g, const char *directory)
{
	struct json_object *list, *o;
	size_t i;
	int err;

	err = qmp_qom_list(&g->qmp, directory);
	/* There is none as long as it is empty */
	if (err == -EREMOTEIO)
		return 0;
	if (err)
		return guest_fail(g, "%s", g->qmp.error);
	list = json_object_get(g->qmp.answer);
	for (i = 0; !err && json_object_is_type(list, json_type_array) &&
	     i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (!strncmp(qmp_text_of(o, "type"), "child<", 6))
			err = check_device(g, directory, qmp_text_of(o, "name"), qmp_text_of(o, "type"));
	}
	json_object_put(list);
	return err;
}

/* Those with an id, and those without */
static const char *const directories[] = { "/machine/peripheral", "/machine/peripheral-anon" };

int guest_check_devices(struct guest *g)
{
	return check_directory(g, directories[0]) ||
	       check_directory(g, directories[1]) ? CTL_FAILED : 0;
}

static void add_device(struct json_object *devices, const char *directory, struct json_object *o)
{
	struct json_object *device;
	const char *type = qmp_text_of(o, "type");
	char path[512];

	if (strncmp(type, "child<", 6))
		return;
	device = json_object_new_object();
	snprintf(path, sizeof(path), "%s/%s", directory, qmp_text_of(o, "name"));
	json_object_object_add(device, "path", json_object_new_string(path));
	json_object_object_add(device, "type", json_object_new_string_len(type + 6,
									  strcspn(type + 6, ">")));
	json_object_array_add(devices, device);
}

int guest_devices_read(struct guest *g, struct json_object **devices)
{
	size_t i, j;
	int err;

	*devices = json_object_new_array();
	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		err = qmp_qom_list(&g->qmp, directories[i]);
		if (err == -EREMOTEIO)
			continue;
		if (err) {
			json_object_put(*devices);
			*devices = NULL;
			return err;
		}
		for (j = 0; json_object_is_type(g->qmp.answer, json_type_array) &&
		     j < json_object_array_length(g->qmp.answer); j++)
			add_device(*devices, directories[i],
				   json_object_array_get_idx(g->qmp.answer, j));
	}
	return 0;
}

static bool has_device(struct json_object *devices, const char *path)
{
	size_t i;

	for (i = 0; i < json_object_array_length(devices); i++) {
		if (!strcmp(qmp_text_of(json_object_array_get_idx(devices, i), "path"), path))
			return true;
	}
	return false;
}

int guest_devices_check(struct guest *g, struct json_object *devices)
{
	struct json_object *now, *was;
	const char *path, *name;
	int ret = 0;
	size_t i;

	if (!json_object_is_type(devices, json_type_array))
		return 0;
	if (guest_devices_read(g, &now))
		return guest_fail(g, "%s", g->qmp.error);
	for (i = 0; !ret && i < json_object_array_length(devices); i++) {
		was = json_object_array_get_idx(devices, i);
		path = qmp_text_of(was, "path");
		name = strrchr(path, '/');
		if (name && !has_device(now, path))
			ret = guest_refuse(g, "its device %s (%s), with which it was started, was unplugged, and the QEMU that resumes it would have it again: remove it from the definition and restart the guest",
					   strstr(path, "-anon/") ? path : name + 1,
					   qmp_text_of(was, "type"));
	}
	json_object_put(now);
	return ret;
}
