// SPDX-License-Identifier: LGPL-2.1-or-later
/* libpkram: objects, and the handover to the next kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define DUMP_TRIES	8	/* of a list that changes meanwhile */

int pkram_nl_object(const struct nlattr *const *tb, struct pkram_object **out)
{
	struct pkram_object *o;
	int err;

	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	err = pkram_nl_str(tb[PKRAM_A_NAME], &o->name);
	if (!err)
		err = pkram_nl_str(tb[PKRAM_A_QUARANTINE], &o->quarantine);
	if (err) {
		pkram_object_free(o);
		return err;
	}
	o->id = pkram_nl_u64(tb[PKRAM_A_OBJECT_ID]);
	o->key = pkram_nl_u64(tb[PKRAM_A_OBJECT_KEY]);
	o->size = pkram_nl_u64(tb[PKRAM_A_SIZE]);
	o->allocated = pkram_nl_u64(tb[PKRAM_A_ALLOCATED]);
	o->generation = pkram_nl_u64(tb[PKRAM_A_GENERATION]);
	o->mode = pkram_nl_u32(tb[PKRAM_A_MODE]);
	o->uid = pkram_nl_u32(tb[PKRAM_A_UID]);
	o->gid = pkram_nl_u32(tb[PKRAM_A_GID]);
	o->nr_extents = pkram_nl_u32(tb[PKRAM_A_NR_EXTENTS]);
	o->state = pkram_nl_u32(tb[PKRAM_A_STATE]);
	*out = o;
	return 0;
}

static int object_cb(const struct nlattr *const *tb, const struct nlmsghdr *msg,
		     void *arg)
{
	struct pkram_object ***tail = arg, *o;
	int err = pkram_nl_object(tb, *tail);

	if (err)
		return err;
	o = **tail;
	*tail = &o->next;
	/* Absent if there are none */
	if (tb[PKRAM_A_NR_BAD_PAGES])
		o->nr_bad_pages = pkram_nl_u32(tb[PKRAM_A_NR_BAD_PAGES]);
	return pkram_nl_bad_ranges(msg, &o->bad);
}

int pkram_object_dump(struct pkram_ctx *ctx, struct pkram_object **list)
{
	struct pkram_object **tail;
	struct nlmsghdr *nlh;
	int tries = 0, err;

	do {
		*list = NULL;
		tail = list;
		nlh = pkram_nl_request(ctx, PKRAM_CMD_OBJECT_GET, NLM_F_DUMP);
		err = pkram_nl_talk(ctx, nlh, object_cb, &tail);
		if (err) {
			pkram_object_free(*list);
			*list = NULL;
		}
	} while (err == -EAGAIN && ++tries < DUMP_TRIES);
	return err;
}

void pkram_object_free(struct pkram_object *list)
{
	struct pkram_object *next;

	for (; list; list = next) {
		next = list->next;
		free(list->name);
		pkram_bad_range_free(list->bad);
		free(list->quarantine);
		free(list);
	}
}

int pkram_object_discard(struct pkram_ctx *ctx, uint64_t key)
{
	struct nlmsghdr *nlh =
		pkram_nl_request(ctx, PKRAM_CMD_OBJECT_DISCARD, 0);

	mnl_attr_put_u64(nlh, PKRAM_A_OBJECT_KEY, key);
	return pkram_nl_talk(ctx, nlh, NULL, NULL);
}

const char *pkram_state_name(uint32_t state)
{
	static const char *const names[] = {
		[PKRAM_STATE_IDLE]	= "idle",
		[PKRAM_STATE_CLAIMED]	= "claimed",
		[PKRAM_STATE_SEALED]	= "sealed",
		[PKRAM_STATE_RUNNING]	= "running",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] :
							  "unknown";
}

static int handover_cb(const struct nlattr *const *tb,
		       const struct nlmsghdr *msg, void *arg)
{
	struct pkram_handover *h = arg;

	(void)msg;
	h->mode = pkram_nl_u32(tb[PKRAM_A_HANDOVER_MODE]);
	h->kexec_guard = tb[PKRAM_A_KEXEC_GUARD];
	h->kexec_loaded = tb[PKRAM_A_KEXEC_LOADED];
	free(h->cmdline);
	return pkram_nl_str(tb[PKRAM_A_CMDLINE], &h->cmdline);
}

int pkram_handover_get(struct pkram_ctx *ctx, struct pkram_handover **handover)
{
	struct nlmsghdr *nlh = pkram_nl_request(ctx, PKRAM_CMD_HANDOVER_GET, 0);
	int err;

	*handover = calloc(1, sizeof(**handover));
	if (!*handover)
		return pkram_error(ctx, -ENOMEM, "%s", strerror(ENOMEM));
	(*handover)->mode = PKRAM_NONE32;
	err = pkram_nl_talk(ctx, nlh, handover_cb, *handover);
	if (err) {
		pkram_handover_free(*handover);
		*handover = NULL;
	}
	return err;
}

void pkram_handover_free(struct pkram_handover *handover)
{
	if (!handover)
		return;
	free(handover->cmdline);
	free(handover);
}

const char *pkram_handover_mode_name(uint32_t mode)
{
	static const char *const names[] = {
		[PKRAM_HANDOVER_NONE]	= "none",
		[PKRAM_HANDOVER_E820]	= "e820",
		[PKRAM_HANDOVER_MEMMAP]	= "memmap",
	};

	return mode < sizeof(names) / sizeof(names[0]) ? names[mode] :
							 "unknown";
}
