// SPDX-License-Identifier: LGPL-2.1-or-later
/* libpkram: events, on a separate socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include "internal.h"

#define ROOM	(1 << 22)	/* receive buffer, for events that have not been read yet */

int pkram_event_listen(struct pkram_ctx *ctx)
{
	int group = ctx->group, room = ROOM, err;

	ctx->error[0] = '\0';
	if (ctx->events)
		return 0;
	if (!group)
		return pkram_error(ctx, -EOPNOTSUPP,
				   "the loaded pkram module has no events: it is older than this program");
	ctx->events = mnl_socket_open2(NETLINK_GENERIC, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!ctx->events || mnl_socket_bind(ctx->events, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		pkram_error(ctx, err, "opening a netlink socket: %s", strerror(-err));
		goto err_close;
	}
	/* A smaller buffer is acceptable: lost events are reported. */
	setsockopt(mnl_socket_get_fd(ctx->events), SOL_SOCKET, SO_RCVBUFFORCE,
		   &room, sizeof(room));
	if (mnl_socket_setsockopt(ctx->events, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)) < 0) {
		err = -errno;
		pkram_error(ctx, err, err == -EPERM ?
			    "Operation not permitted: events need root (CAP_SYS_ADMIN)" :
			    "subscribing to events: %s", strerror(-err));
		goto err_close;
	}
	return 0;

err_close:
	if (ctx->events)
		mnl_socket_close(ctx->events);
	ctx->events = NULL;
	return err;
}

int pkram_event_fd(const struct pkram_ctx *ctx)
{
	return ctx->events ? mnl_socket_get_fd(ctx->events) : -EBADF;
}

static int parse_event(const struct nlattr *const *tb, const struct nlmsghdr *nlh,
		       void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct pkram_event *ev = arg;
	int err = 0;

	ev->kind = genl->cmd;
	ev->handover_mode = pkram_nl_u32(tb[PKRAM_A_HANDOVER_MODE]);
	ev->base = pkram_nl_u64(tb[PKRAM_A_BASE]);
	ev->offset = pkram_nl_u64(tb[PKRAM_A_OFFSET]);
	ev->size = PKRAM_NONE64;
	if (tb[PKRAM_A_OBJECT_KEY])
		err = pkram_nl_object(tb, &ev->object);
	else
		ev->size = pkram_nl_u64(tb[PKRAM_A_SIZE]);
	if (!err)
		err = pkram_nl_str(tb[PKRAM_A_OLD_NAME], &ev->old_name);
	if (!err)
		err = pkram_nl_str(tb[PKRAM_A_LABEL], &ev->label);
	if (!err)
		err = pkram_nl_str(tb[PKRAM_A_REASON] ? tb[PKRAM_A_REASON] :
				   ev->object ? NULL : tb[PKRAM_A_QUARANTINE],
				   &ev->reason);
	return err;
}

/* Return: 0; -EAGAIN the datagram had no event; negative errno */
static int take_event(struct pkram_ctx *ctx, int len, struct pkram_event *ev)
{
	const struct nlmsghdr *nlh = (void *)ctx->rx;

	if (!mnl_nlmsg_ok(nlh, len) || nlh->nlmsg_type != ctx->family)
		return -EAGAIN;
	return pkram_nl_parse(nlh, parse_event, ev);
}

int pkram_event_next(struct pkram_ctx *ctx, struct pkram_event **event)
{
	struct pkram_event *ev;
	ssize_t len;
	int err;

	*event = NULL;
	ctx->error[0] = '\0';
	if (!ctx->events)
		return pkram_error(ctx, -EBADF, "this context is not subscribed to events");
	ev = calloc(1, sizeof(*ev));
	if (!ev)
		return pkram_error(ctx, -ENOMEM, "%s", strerror(ENOMEM));
	do {
		len = mnl_socket_recvfrom(ctx->events, ctx->rx, PKRAM_RX_SIZE);
		err = len < 0 ? -errno : take_event(ctx, len, ev);
	} while (err == -EINTR || (err == -EAGAIN && len > 0));
	if (!err) {
		*event = ev;
		return 0;
	}
	pkram_event_free(ev);
	switch (err) {
	case -ENOBUFS:
		return pkram_error(ctx, err, "events were lost; list the objects again");
	case -EBADMSG:
		return pkram_error(ctx, err,
				   "an event has a malformed attribute: module and program do not match");
	default:
		return pkram_error(ctx, err, "receiving events: %s", strerror(-err));
	}
}

void pkram_event_free(struct pkram_event *event)
{
	if (!event)
		return;
	pkram_object_free(event->object);
	free(event->old_name);
	free(event->label);
	free(event->reason);
	free(event);
}

const char *pkram_event_name(uint32_t kind)
{
	static const char *const names[] = {
		[PKRAM_CMD_POOL_GROW_NTF]		= "pool-grow",
		[PKRAM_CMD_POOL_ADOPT_NTF]		= "pool-adopt",
		[PKRAM_CMD_POOL_SHRINK_NTF]		= "pool-shrink",
		[PKRAM_CMD_REGION_QUARANTINE_NTF]	= "region-quarantine",
		[PKRAM_CMD_HANDOVER_NTF]		= "handover",
		[PKRAM_CMD_KEXEC_REFUSE_NTF]		= "kexec-refuse",
		[PKRAM_CMD_OBJECT_CREATE_NTF]		= "object-create",
		[PKRAM_CMD_OBJECT_REMOVE_NTF]		= "object-remove",
		[PKRAM_CMD_OBJECT_RENAME_NTF]		= "object-rename",
		[PKRAM_CMD_OBJECT_CHANGE_NTF]		= "object-change",
		[PKRAM_CMD_OBJECT_LABEL_NTF]		= "object-label",
		[PKRAM_CMD_OBJECT_CLAIM_NTF]		= "object-claim",
		[PKRAM_CMD_OBJECT_RELEASE_NTF]		= "object-release",
		[PKRAM_CMD_OBJECT_SEAL_NTF]		= "object-seal",
		[PKRAM_CMD_OBJECT_UNSEAL_NTF]		= "object-unseal",
		[PKRAM_CMD_OBJECT_RESUME_NTF]		= "object-resume",
		[PKRAM_CMD_OBJECT_QUARANTINE_NTF]	= "object-quarantine",
		[PKRAM_CMD_OBJECT_DISCARD_NTF]		= "object-discard",
		[PKRAM_CMD_OBJECT_DAMAGE_NTF]		= "object-damage",
		[PKRAM_CMD_PAGE_BAD_NTF]		= "page-bad",
	};

	return kind < sizeof(names) / sizeof(names[0]) && names[kind] ? names[kind] :
								       "unknown";
}
