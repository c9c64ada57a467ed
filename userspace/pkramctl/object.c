// SPDX-License-Identifier: GPL-2.0
/* pkramctl object: files and directories in the pool, and quarantined objects. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "args.h"
#include "copy_plan.h"
#include "ctl.h"
#include "object_file.h"
#include "parse.h"
#include "print.h"

#define NR_STATES	5	/* of an object, for people */

static const char *state_of(const struct pkram_object *o)
{
	return o->quarantine ? "quarantined" : o->state == PKRAM_NONE32 ? NULL :
	       pkram_state_name(o->state);
}

void ctl_print_object(const struct pkram_object *o)
{
	char owner[32] = "";

	if (o->uid != PKRAM_NONE32 && o->gid != PKRAM_NONE32)
		snprintf(owner, sizeof(owner), "%" PRIu32 ":%" PRIu32, o->uid,
			 o->gid);
	out_id("key", "KEY", o->key);
	out_u64("id", NULL, o->id);
	if (out_is_json())
		out_str("state", NULL, o->state == PKRAM_NONE32 ? NULL :
			pkram_state_name(o->state));
	else
		out_str(NULL, "STATE", state_of(o));
	out_size("size", "SIZE", o->size);
	out_size("allocated", "ALLOCATED", o->allocated);
	out_u32("extents", "EXTENTS", o->nr_extents);
	out_u64("generation", "GENERATION", o->generation);
	out_mode("mode", "MODE", o->mode);
	out_u32("uid", NULL, o->uid);
	out_u32("gid", NULL, o->gid);
	out_str(NULL, "OWNER", *owner ? owner : NULL);
	ctl_print_bad(o->nr_bad_pages, o->bad, true);
	out_str("name", "NAME", o->name);
	out_str("quarantine", "QUARANTINED BECAUSE", o->quarantine);
}

/* All, those in @state if it is not NULL, or the one with @key */
static int list_objects(uint64_t key, const char *state)
{
	struct pkram_object *list, *o;
	struct pkram_ctx *ctx;
	bool found = false;

	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_object_dump(ctx, &list))
		return ctl_fail(ctx, NULL);
	out_table_open(NULL, NULL);
	for (o = list; o; o = o->next) {
		if (key != PKRAM_NONE64 && o->key != key)
			continue;
		if (state && (!state_of(o) || strcmp(state_of(o), state)))
			continue;
		out_row_open();
		ctl_print_object(o);
		out_row_close();
		found = true;
	}
	out_table_close();
	if (!list && key == PKRAM_NONE64)
		ctl_nothing("there are no objects in the pool");
	else if (!found && state)
		ctl_nothing("no object is in that state");
	pkram_object_free(list);
	if (!found && key != PKRAM_NONE64) {
		pkram_close(ctx);
		return ctl_error("there is no object with the key 0x%" PRIx64, key);
	}
	return ctl_done(ctx);
}

/* 0x... is a KEY; a file with such a name must be given as a path. */
static int object_show(int argc, char **argv)
{
	const char *state, *known[NR_STATES] = {
		"idle", "claimed", "sealed", "running", "quarantined",
	};
	int options = argc;
	uint64_t key = PKRAM_NONE64;
	unsigned int i = 0;

	if (args_value("--state", &argc, argv, &state) || ctl_columns(&argc, argv))
		return CTL_USAGE;
	options -= argc;
	while (state && i < NR_STATES && strcmp(state, known[i]))
		i++;
	if (state && i == NR_STATES)
		return args_unknown("state", "object show", state, known, NR_STATES);
	if (argc && ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
	if (!argc || parse_key(argv[0], &key))
		return list_objects(key, state);
	if (options)
		return ctl_usage("object show: --state and --columns are for the list");
	return object_show_file(argv[0]);
}

static int object_discard(int argc, char **argv)
{
	struct pkram_ctx *ctx;
	uint64_t key;

	if (!argc)
		return ctl_usage("object discard: no object given; use the KEY that object show prints");
	if (ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
	if (!parse_key(argv[0], &key))
		return ctl_usage("object discard: \"%s\" is not a KEY; use the one that object show prints of a quarantined object",
				 argv[0]);
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_object_discard(ctx, key))
		return ctl_fail(ctx, argv[0]);
	out_record_open(NULL, NULL);
	out_id("discarded", "discarded", key);
	out_record_close();
	return ctl_done(ctx);
}

static int object_verify(int argc, char **argv)
{
	return copy_run(COPY_OBJECT, &ctl_object, argc, argv);
}

static const struct ctl_verb object_verbs[] = {
	{ "show", "[OBJECT | KEY] [--state STATE] [--columns LIST]",
	  "list objects, including quarantined ones, or show one. An OBJECT is a\n"
	  "      name in /dev/pkram, or a path; a KEY is one that object show prints.\n"
	  "      --state: only those that are idle, claimed, sealed, running or quarantined;\n"
	  "      --columns: these headings, separated by commas",
	  object_show },
	{ "create", "OBJECT SIZE [--node N] [--mode OCTAL]",
	  "create an object and reserve its memory, from NUMA node N if given",
	  object_create },
	{ "remove", "OBJECT...",
	  "remove objects; refused for one that is in use or sealed",
	  object_remove },
	{ "label", "OBJECT [NAME=VALUE | --remove NAME]...",
	  "show, set and remove labels", object_label },
	{ "seal", "OBJECT [--uuid UUID] [--cookie UUID]",
	  "protect it from changes until it is resumed with the cookie, or unsealed",
	  object_seal },
	{ "unseal", "OBJECT",
	  "give up the guest that was saved in it; the object stays. Of a guest in guests.d\n"
	  "      it is refused: guest unseal gives that up",
	  object_unseal },
	{ "verify", "OBJECT... FILE|DIRECTORY [--dir MOUNT]\n      " COPY_COMMON_ARGS,
	  "compare objects with the checksums of their exports",
	  object_verify },
	{ "discard", "KEY", "remove a quarantined object for good and free its memory",
	  object_discard },
	{ }
};

const struct ctl_object ctl_object = {
	.name = "object",
	.help = "the files and directories in the pool",
	.verbs = object_verbs,
	.raw = "verify",
};
