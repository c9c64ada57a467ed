// SPDX-License-Identifier: LGPL-2.1-or-later
/* libpkram: the exchange of messages with the generic netlink family. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include "internal.h"

#ifndef PKRAM_VERSION
#error "PKRAM_VERSION comes from the Makefile"
#endif

const char *pkram_version(void)
{
	return PKRAM_VERSION;
}

const char *pkram_strerror(const struct pkram_ctx *ctx)
{
	if (!ctx)
		return strerror(ENOMEM);
	return ctx->error[0] ? ctx->error : "no error";
}

const char *pkram_warning(const struct pkram_ctx *ctx)
{
	return ctx->warning[0] ? ctx->warning : NULL;
}

int pkram_error(struct pkram_ctx *ctx, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ctx->error, sizeof(ctx->error), fmt, ap);
	va_end(ap);
	return err;
}

/* Types of attributes; those not listed are ignored. */
enum shape { ANY, FLAG, U32, U64, STRING, UUID, NEST };

static const uint8_t shapes[PKRAM_A_MAX + 1] = {
	[PKRAM_A_GIB]			= U32,
	[PKRAM_A_NODE]			= U32,
	[PKRAM_A_BASE]			= U64,
	[PKRAM_A_SIZE]			= U64,
	[PKRAM_A_FORMAT]		= FLAG,
	[PKRAM_A_TAKEN]			= NEST,
	[PKRAM_A_REFUSED]		= NEST,
	[PKRAM_A_ERRNO]			= U32,
	[PKRAM_A_REASON]		= STRING,
	[PKRAM_A_POOL_UUID]		= UUID,
	[PKRAM_A_REGION_UUID]		= UUID,
	[PKRAM_A_FORMAT_VERSION]	= U32,
	[PKRAM_A_READ_ONLY]		= FLAG,
	[PKRAM_A_NR_REGIONS]		= U32,
	[PKRAM_A_NR_OBJECTS]		= U32,
	[PKRAM_A_NR_QUARANTINED]	= U32,
	[PKRAM_A_FREE]			= U64,
	[PKRAM_A_META]			= U64,
	[PKRAM_A_GIB_1G]		= U32,
	[PKRAM_A_GIB_2M]		= U32,
	[PKRAM_A_OBJECT_ID]		= U64,
	[PKRAM_A_OBJECT_KEY]		= U64,
	[PKRAM_A_NAME]			= STRING,
	[PKRAM_A_MODE]			= U32,
	[PKRAM_A_UID]			= U32,
	[PKRAM_A_GID]			= U32,
	[PKRAM_A_ALLOCATED]		= U64,
	[PKRAM_A_NR_EXTENTS]		= U32,
	[PKRAM_A_STATE]			= U32,
	[PKRAM_A_GENERATION]		= U64,
	[PKRAM_A_QUARANTINE]		= STRING,
	[PKRAM_A_HANDOVER_MODE]		= U32,
	[PKRAM_A_CMDLINE]		= STRING,
	[PKRAM_A_KEXEC_GUARD]		= FLAG,
	[PKRAM_A_KEXEC_LOADED]		= FLAG,
	[PKRAM_A_PENDING]		= U64,
	[PKRAM_A_OLD_NAME]		= STRING,
	[PKRAM_A_LABEL]			= STRING,
	[PKRAM_A_DMA_TABLE]		= STRING,
	[PKRAM_A_NR_ENTRIES]		= U32,
	[PKRAM_A_SUSPENDED]		= FLAG,
	[PKRAM_A_IN_USE]		= FLAG,
	[PKRAM_A_ENTRY]			= NEST,
	[PKRAM_A_IOVA]			= U64,
	[PKRAM_A_OFFSET]		= U64,
	[PKRAM_A_PROT]			= U32,
	[PKRAM_A_TIMEOUT]		= U32,
	[PKRAM_A_COMMITS]		= U64,
	[PKRAM_A_REPAIRS]		= U64,
	[PKRAM_A_FAULTS_4K]		= U64,
	[PKRAM_A_FAULTS_2M]		= U64,
	[PKRAM_A_FAULTS_1G]		= U64,
	[PKRAM_A_POPULATES]		= U64,
	[PKRAM_A_WAITS]			= U64,
	[PKRAM_A_ZEROED]		= U64,
	[PKRAM_A_KEXEC_REFUSED]		= U64,
	[PKRAM_A_QUARANTINED]		= U64,
	[PKRAM_A_ATTACH_USECS]		= U64,
	[PKRAM_A_BAD_PAGES]		= U64,
	[PKRAM_A_NR_MISSING]		= U32,
	[PKRAM_A_NR_BAD_PAGES]		= U32,
	[PKRAM_A_BAD_RANGE]		= NEST,
};

static bool shape_ok(const struct nlattr *attr, enum shape shape)
{
	uint16_t len = mnl_attr_get_payload_len(attr);

	switch (shape) {
	case U32:
		return len == sizeof(uint32_t);
	case U64:
		return len == sizeof(uint64_t);
	case UUID:
		return len == 16;
	case STRING:
		return len && memchr(mnl_attr_get_payload(attr), 0, len);
	default:
		return true;
	}
}

static int parse_attr(const struct nlattr *attr, const struct nlattr **tb)
{
	uint16_t type = mnl_attr_get_type(attr);

	if (type > PKRAM_A_MAX)		/* from a newer kernel */
		return 0;
	if (!shape_ok(attr, shapes[type]))
		return -EBADMSG;
	tb[type] = attr;
	return 0;
}

int pkram_nl_parse_nest(const struct nlattr *nest, const struct nlattr **tb)
{
	const struct nlattr *attr;
	int err;

	memset(tb, 0, (PKRAM_A_MAX + 1) * sizeof(*tb));
	mnl_attr_for_each_nested(attr, nest) {
		err = parse_attr(attr, tb);
		if (err)
			return err;
	}
	return 0;
}

static int parse_message(const struct nlmsghdr *nlh, const struct nlattr **tb)
{
	const struct nlattr *attr;
	int err;

	memset(tb, 0, (PKRAM_A_MAX + 1) * sizeof(*tb));
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		err = parse_attr(attr, tb);
		if (err)
			return err;
	}
	return 0;
}

uint32_t pkram_nl_u32(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : PKRAM_NONE32;
}

uint64_t pkram_nl_u64(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u64(attr) : PKRAM_NONE64;
}

int pkram_nl_str(const struct nlattr *attr, char **str)
{
	*str = NULL;
	if (!attr)
		return 0;
	*str = strdup(mnl_attr_get_str(attr));
	return *str ? 0 : -ENOMEM;
}

void pkram_nl_uuid(const struct nlattr *attr, uint8_t uuid[16])
{
	if (attr)
		memcpy(uuid, mnl_attr_get_payload(attr), 16);
	else
		memset(uuid, 0, 16);
}

struct nlmsghdr *pkram_nl_request(struct pkram_ctx *ctx, uint8_t cmd,
				  uint16_t flags)
{
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;

	ctx->error[0] = '\0';
	ctx->warning[0] = '\0';
	nlh = mnl_nlmsg_put_header(ctx->tx);
	nlh->nlmsg_type = ctx->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nlh->nlmsg_seq = ++ctx->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = PKRAM_GENL_VERSION;
	return nlh;
}

/*
 * Copy the text of the extended ack. @skip is the size of what precedes it: the error
 * code, and in an NLMSG_ERROR the header of the request that it answers (or, unless
 * capped, the whole request).
 */
static void take_text(const struct nlmsghdr *nlh, unsigned int skip, char *text,
		      size_t len)
{
	const struct nlattr *attr;

	text[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    mnl_nlmsg_get_payload_len(nlh) < MNL_ALIGN(skip))
		return;
	mnl_attr_for_each(attr, nlh, skip) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    shape_ok(attr, STRING))
			snprintf(text, len, "%s", mnl_attr_get_str(attr));
	}
}

#define MAX_ERRNO	4095		/* of the kernel's errors, as it counts them */

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static int take_end(struct pkram_ctx *ctx, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	unsigned int skip = sizeof(e->error);
	int err;

	if (nlh->nlmsg_type == NLMSG_DONE) {
		err = mnl_nlmsg_get_payload_len(nlh) >= sizeof(err) ?
			e->error : 0;
	} else {
		if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
			return pkram_error(ctx, -EBADMSG,
					   "the kernel's answer is truncated");
		err = e->error;
		skip = sizeof(*e);
		/* Of what is said to be longer than the message, nothing follows. */
		if (err && !(nlh->nlmsg_flags & NLM_F_CAPPED) &&
		    e->msg.nlmsg_len > sizeof(e->msg))
			skip += min(e->msg.nlmsg_len, nlh->nlmsg_len) - sizeof(e->msg);
	}
	if (err < -MAX_ERRNO)
		return pkram_error(ctx, -EBADMSG, "the kernel's answer makes no sense");
	if (err >= 0) {
		take_text(nlh, skip, ctx->warning, sizeof(ctx->warning));
		return 0;
	}

	take_text(nlh, skip, ctx->error, sizeof(ctx->error));
	if (ctx->error[0])
		return err;
	switch (err) {
	case -EPERM:
		return pkram_error(ctx, err,
				   "Operation not permitted: this needs root (CAP_SYS_ADMIN)");
	case -EOPNOTSUPP:
		return pkram_error(ctx, err,
				   "the loaded pkram module does not know this command: it is older than this program");
	default:
		return pkram_error(ctx, err, "%s", strerror(-err));
	}
}

typedef int (*raw_cb)(const struct nlmsghdr *nlh, void *arg);

/* Process one datagram. Return: 1 more will come, 0 the end, negative errno */
static int take_datagram(struct pkram_ctx *ctx, int len, uint32_t seq,
			 raw_cb cb, void *arg, int *cb_err)
{
	const struct nlmsghdr *nlh;

	for (nlh = (void *)ctx->rx; mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != seq)	/* of an earlier exchange */
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR && !*cb_err)
			*cb_err = -EAGAIN;
		if (nlh->nlmsg_type == NLMSG_ERROR ||
		    nlh->nlmsg_type == NLMSG_DONE)
			return take_end(ctx, nlh);
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && cb && !*cb_err)
			*cb_err = cb(nlh, arg);
	}
	return 1;
}

/* An error of @cb becomes the result, but all messages are received first. */
static int exchange(struct pkram_ctx *ctx, struct nlmsghdr *nlh, raw_cb cb,
		    void *arg)
{
	uint32_t seq = nlh->nlmsg_seq;
	int cb_err = 0, err = 1;
	ssize_t len;

	if (mnl_socket_sendto(ctx->nl, nlh, nlh->nlmsg_len) < 0) {
		err = -errno;
		return pkram_error(ctx, err, "sending to the kernel: %s",
				   strerror(-err));
	}
	while (err > 0) {
		len = mnl_socket_recvfrom(ctx->nl, ctx->rx, PKRAM_RX_SIZE);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0) {
			err = len ? -errno : -EPIPE;
			return pkram_error(ctx, err,
					   "receiving from the kernel: %s",
					   strerror(-err));
		}
		err = take_datagram(ctx, len, seq, cb, arg, &cb_err);
	}
	if (err || !cb_err)
		return err;
	switch (cb_err) {
	case -EAGAIN:
		return pkram_error(ctx, cb_err,
				   "the list changed while it was read");
	case -EBADMSG:
		return pkram_error(ctx, cb_err,
				   "the kernel's answer has a malformed attribute: module and program do not match");
	default:
		return pkram_error(ctx, cb_err, "%s", strerror(-cb_err));
	}
}

int pkram_nl_parse(const struct nlmsghdr *nlh, pkram_nl_cb cb, void *arg)
{
	const struct nlattr *tb[PKRAM_A_MAX + 1];
	int err;

	err = parse_message(nlh, tb);
	return err ? err : cb(tb, nlh, arg);
}

struct parsed {
	pkram_nl_cb cb;
	void *arg;
};

static int parsed_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct parsed *p = arg;

	return pkram_nl_parse(nlh, p->cb, p->arg);
}

int pkram_nl_talk(struct pkram_ctx *ctx, struct nlmsghdr *nlh, pkram_nl_cb cb,
		  void *arg)
{
	struct parsed p = { .cb = cb, .arg = arg };

	return exchange(ctx, nlh, cb ? parsed_cb : NULL, &p);
}

/* Return the number of the group of events, 0 if this is another group */
static int events_group(const struct nlattr *group)
{
	const struct nlattr *attr, *name = NULL, *id = NULL;

	mnl_attr_for_each_nested(attr, group) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME &&
		    shape_ok(attr, STRING))
			name = attr;
		else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID &&
			 shape_ok(attr, U32))
			id = attr;
	}
	return name && id && !strcmp(mnl_attr_get_str(name), PKRAM_GENL_MCGRP_EVENTS) ?
	       (int)mnl_attr_get_u32(id) : 0;
}

/* The controller's attributes have separate numbers. */
static int family_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct pkram_ctx *ctx = arg;
	const struct nlattr *attr, *group;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
		    mnl_attr_get_payload_len(attr) == sizeof(uint16_t))
			ctx->family = mnl_attr_get_u16(attr);
		if (mnl_attr_get_type(attr) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		mnl_attr_for_each_nested(group, attr) {
			if (events_group(group))
				ctx->group = events_group(group);
		}
	}
	return 0;
}

static int resolve_family(struct pkram_ctx *ctx)
{
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;
	int err;

	nlh = pkram_nl_request(ctx, CTRL_CMD_GETFAMILY, 0);
	nlh->nlmsg_type = GENL_ID_CTRL;
	genl = mnl_nlmsg_get_payload(nlh);
	genl->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, PKRAM_GENL_NAME);
	err = exchange(ctx, nlh, family_cb, ctx);
	return err ? err : ctx->family ? 0 : -EBADMSG;
}

int pkram_open(struct pkram_ctx **out)
{
	struct pkram_ctx *ctx;
	int one = 1, err;

	*out = NULL;
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	ctx->rx = malloc(PKRAM_RX_SIZE);
	if (!ctx->rx) {
		free(ctx);
		return -ENOMEM;
	}
	*out = ctx;

	ctx->nl = mnl_socket_open(NETLINK_GENERIC);
	if (!ctx->nl || mnl_socket_bind(ctx->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		return pkram_error(ctx, err, "opening a netlink socket: %s",
				   strerror(-err));
	}
	/* Without these options errors still arrive, but without a text. */
	mnl_socket_setsockopt(ctx->nl, NETLINK_CAP_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(ctx->nl, NETLINK_EXT_ACK, &one, sizeof(one));

	err = resolve_family(ctx);
	if (err == -ENOENT && access("/sys/module/" PKRAM_GENL_NAME, F_OK))
		return pkram_error(ctx, err,
				   "pkram module is not loaded: modprobe pkram");
	if (err == -ENOENT)
		return pkram_error(ctx, err,
				   "the pkram module is loaded, but has no netlink family \"%s\": see dmesg, and whether its version is that of this program",
				   PKRAM_GENL_NAME);
	if (err)
		return pkram_error(ctx, err,
				   "looking up netlink family \"%s\": %s",
				   PKRAM_GENL_NAME, strerror(-err));
	ctx->error[0] = '\0';
	return 0;
}

void pkram_close(struct pkram_ctx *ctx)
{
	if (!ctx)
		return;
	if (ctx->nl)
		mnl_socket_close(ctx->nl);
	if (ctx->events)
		mnl_socket_close(ctx->events);
	free(ctx->rx);
	free(ctx);
}
