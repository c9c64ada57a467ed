// SPDX-License-Identifier: GPL-2.0
/* pkramctl object: the files in the pool, and those that were refused. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "ctl.h"
#include "parse.h"
#include "print.h"

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
		out_str(NULL, "STATE", o->quarantine ? "quarantined" :
			o->state == PKRAM_NONE32 ? NULL :
			pkram_state_name(o->state));
	out_size("size", "SIZE", o->size);
	out_size("allocated", "ALLOCATED", o->allocated);
	out_u32("extents", "EXTENTS", o->nr_extents);
	out_u64("generation", "GENERATION", o->generation);
	out_mode("mode", "MODE", o->mode);
	out_u32("uid", NULL, o->uid);
	out_u32("gid", NULL, o->gid);
	out_str(NULL, "OWNER", *owner ? owner : NULL);
	out_str("name", "NAME", o->name);
	out_str("quarantine", "QUARANTINED BECAUSE", o->quarantine);
}

static int object_list(int argc, char **argv)
{
	struct pkram_object *list, *o;
	struct pkram_ctx *ctx;

	if (ctl_no_more(argc, argv))
		return CTL_USAGE;
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_object_dump(ctx, &list))
		return ctl_fail(ctx, NULL);
	out_table_open(NULL, NULL);
	for (o = list; o; o = o->next) {
		out_row_open();
		ctl_print_object(o);
		out_row_close();
	}
	out_table_close();
	pkram_object_free(list);
	return ctl_done(ctx);
}

static int object_discard(int argc, char **argv)
{
	struct pkram_ctx *ctx;
	uint64_t key;

	if (!argc)
		return ctl_usage("object discard: which one? (KEY of object list)");
	if (parse_number(argv[0], &key))
		return ctl_usage("object discard: \"%s\" is not a KEY of object list",
				 argv[0]);
	if (ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
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

/* A saved guest that nobody wants any more: drop its seal, 0 or an error told */
static int drop_seal(const char *path, int fd)
{
	struct pkram_claim claim = {
		.size = sizeof(claim),
		.flags = PKRAM_CLAIM_DISCARD,
	};
	struct pkram_info info = { .size = sizeof(info) };
	int err = pkram_file_info(fd, &info);

	if (err == -ENOTTY)
		return ctl_error("%s: not a file of pkramfs", path);
	if (!err && info.state != PKRAM_STATE_SEALED)
		return ctl_error("%s: holds no saved guest", path);
	if (!err)
		err = pkram_file_claim(fd, &claim);
	return err ? ctl_error("%s: %s", path, strerror(-err)) : 0;
}

static int object_unseal(int argc, char **argv)
{
	int fd, err;

	if (!argc)
		return ctl_usage("object unseal: which one? (a file of pkramfs)");
	if (ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
	fd = open(argv[0], O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return ctl_error("%s: %s", argv[0], errno == EBUSY ?
				 "in use by another process" : strerror(errno));
	err = drop_seal(argv[0], fd);
	close(fd);
	if (err)
		return err;
	out_record_open(NULL, NULL);
	out_str("unsealed", "unsealed", argv[0]);
	out_record_close();
	return 0;
}

static const struct ctl_verb object_verbs[] = {
	{ "list", "", "the objects, quarantined ones included", object_list },
	{ "show", "", "the same", object_list },
	{ "unseal", "FILE",
	  "give up the guest that was saved in a file of pkramfs",
	  object_unseal },
	{ "discard", "KEY",
	  "remove a quarantined object for good and free its memory",
	  object_discard },
	{ }
};

const struct ctl_object ctl_object = {
	.name = "object",
	.help = "the files in the pool: list, unseal, discard",
	.verbs = object_verbs,
};
