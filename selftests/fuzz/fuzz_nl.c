// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: libpkram, to which the kernel says anything. The first byte says what
 * is asked, each message is two bytes of length and its content.
 */
#include <errno.h>
#include <string.h>
#include <linux/genetlink.h>
#include "fuzz.h"
#include "internal.h"

struct mnl_socket {
	int unused;
};

static struct mnl_socket requests, events;
static struct fuzz_input input;
static uint32_t last_seq;
static bool found;		/* the family's number was asked for */

struct mnl_socket *mnl_socket_open(int bus)
{
	(void)bus;
	return &requests;
}

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	(void)bus;
	(void)flags;
	return &events;
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	(void)nl;
	(void)groups;
	(void)pid;
	return 0;
}

int mnl_socket_close(struct mnl_socket *nl)
{
	(void)nl;
	return 0;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return -1;
}

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len)
{
	(void)nl;
	(void)type;
	(void)buf;
	(void)len;
	return 0;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t len)
{
	const struct nlmsghdr *nlh = req;

	(void)nl;
	REQUIRE(nlh->nlmsg_len == len && len <= PKRAM_TX_SIZE);
	last_seq = nlh->nlmsg_seq;
	return len;
}

/* The controller's answer is a good one. */
static ssize_t answer_controller(char *buf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf), *end;
	struct nlmsgerr *e;
	size_t len;

	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_seq = last_seq;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, 0x23);
	len = nlh->nlmsg_len;
	end = mnl_nlmsg_put_header(buf + len);
	end->nlmsg_type = NLMSG_ERROR;
	end->nlmsg_seq = last_seq;
	end->nlmsg_flags = NLM_F_CAPPED;
	e = mnl_nlmsg_put_extra_header(end, sizeof(*e));
	e->error = 0;
	found = true;
	return len + end->nlmsg_len;
}

/* Give each message of a datagram the number that is looked for. */
static void set_seqs(char *buf, size_t len)
{
	struct nlmsghdr *nlh = (void *)buf;
	int left = (int)len;

	while (mnl_nlmsg_ok(nlh, left)) {
		nlh->nlmsg_seq = last_seq;
		nlh = mnl_nlmsg_next(nlh, &left);
	}
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	size_t len, i;

	(void)nl;
	if (!found)
		return answer_controller(buf);
	if (input.left < 2) {
		errno = EAGAIN;
		return -1;
	}
	len = fuzz_byte(&input);
	len |= (size_t)fuzz_byte(&input) << 8;
	if (len > input.left)
		len = input.left;
	if (len > size)
		len = size;
	for (i = 0; i < len; i++)
		((char *)buf)[i] = fuzz_byte(&input);
	set_seqs(buf, len);
	return len;
}

static int ask(struct pkram_ctx *ctx, uint8_t what)
{
	struct pkram_dma_table *table;
	struct pkram_handover *handover;
	struct pkram_resize *resize;
	struct pkram_region *region;
	struct pkram_object *object;
	struct pkram_pool *pool;
	int err;

	switch (what % 8) {
	case 0:
		err = pkram_pool_get(ctx, &pool);
		REQUIRE(!err == !!pool);
		pkram_pool_free(pool);
		return err;
	case 1:
		err = pkram_region_dump(ctx, &region);
		REQUIRE(!err || !region);
		pkram_region_free(region);
		return err;
	case 2:
		err = pkram_object_dump(ctx, &object);
		REQUIRE(!err || !object);
		pkram_object_free(object);
		return err;
	case 3:
		err = pkram_dma_table_dump(ctx, &table);
		REQUIRE(!err || !table);
		pkram_dma_table_free(table);
		return err;
	case 4:
		err = pkram_handover_get(ctx, &handover);
		REQUIRE(!err == !!handover);
		pkram_handover_free(handover);
		return err;
	case 5:
		err = pkram_pool_grow(ctx, 3, PKRAM_NONE32, 0, &resize);
		pkram_resize_free(resize);
		return err;
	case 6:
		err = pkram_pool_adopt(ctx, 1ULL << 32, 1ULL << 30, false, &resize);
		REQUIRE(err || resize);
		pkram_resize_free(resize);
		return err;
	default:
		return pkram_object_discard(ctx, 5);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pkram_ctx *ctx;
	uint8_t what;
	int err;

	input = (struct fuzz_input){ data, size };
	found = false;
	what = fuzz_byte(&input);
	REQUIRE(!pkram_open(&ctx));
	err = ask(ctx, what);
	REQUIRE(err <= 0 && err >= -4095);
	REQUIRE(memchr(ctx->error, 0, sizeof(ctx->error)));
	REQUIRE(memchr(ctx->warning, 0, sizeof(ctx->warning)));
	REQUIRE(!err || *pkram_strerror(ctx));
	pkram_close(ctx);
	return 0;
}
