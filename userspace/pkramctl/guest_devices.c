// SPDX-License-Identifier: GPL-2.0
/* Devices that were plugged in after the start: see guest_devices.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <json.h>
#include "ctl.h"
#include "guest_devices.h"

static const char *text(struct json_object *obj, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(obj, key, &v) ? json_object_get_string(v) : "";
}

static int ask(struct guest *g, const char *command, const char *path, const char *property)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string(path));
	if (property)
		json_object_object_add(args, "property", json_object_new_string(property));
	return qmp_command(&g->qmp, command, args);
}

/* @type: "child<virtio-net-pci>" */
static int check_device(struct guest *g, const char *directory, const char *name, const char *type)
{
	char path[512];
	int err;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	err = ask(g, "qom-get", path, "hotplugged");
	/* It is no device, or was unplugged meanwhile */
	if (err == -EREMOTEIO)
		return 0;
	if (err)
		return guest_fail(g, "%s", g->qmp.error);
	if (!json_object_is_type(g->qmp.answer, json_type_boolean) ||
	    !json_object_get_boolean(g->qmp.answer))
		return 0;
	return guest_fail(g, "its device %s (%.*s) was plugged in after the start, and the QEMU that resumes it would not have it: unplug it (device_del), or add it to the definition and restart the guest",
			  *name == 'd' && strchr(name, '[') ? path : name,
			  (int)strcspn(type + 6, ">"), type + 6);
}

static int check_directory(struct guest *g, const char *directory)
{
	struct json_object *list, *o;
	size_t i;
	int err;

	err = ask(g, "qom-list", directory, NULL);
	/* There is none as long as it is empty */
	if (err == -EREMOTEIO)
		return 0;
	if (err)
		return guest_fail(g, "%s", g->qmp.error);
	list = json_object_get(g->qmp.answer);
	for (i = 0; !err && json_object_is_type(list, json_type_array) &&
	     i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (!strncmp(text(o, "type"), "child<", 6))
			err = check_device(g, directory, text(o, "name"), text(o, "type"));
	}
	json_object_put(list);
	return err;
}

int guest_check_devices(struct guest *g)
{
	/* Those with an id, and those without */
	return check_directory(g, "/machine/peripheral") ||
	       check_directory(g, "/machine/peripheral-anon") ? CTL_FAILED : 0;
}
