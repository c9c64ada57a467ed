// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "genl.h"

static void *attr_data(const struct nlattr *a)
{
	return (char *)a + NLA_HDRLEN;
}

uint32_t attr_u32(const struct nlattr *a)
{
	return a && a->nla_len == NLA_HDRLEN + 4 ? *(uint32_t *)attr_data(a) : ~0U;
}

uint64_t attr_u64(const struct nlattr *a)
{
	uint64_t v;

	if (!a || a->nla_len != NLA_HDRLEN + 8)
		return ~0ULL;
	memcpy(&v, attr_data(a), sizeof(v));
	return v;
}

const char *attr_str(const struct nlattr *a)
{
	return a && a->nla_len > NLA_HDRLEN ? attr_data(a) : "";
}

static const struct nlattr *attr_next(const struct nlattr *a, int *len)
{
	*len -= NLA_ALIGN(a->nla_len);
	return (void *)((char *)a + NLA_ALIGN(a->nla_len));
}

static bool attr_ok(const struct nlattr *a, int len)
{
	return len >= (int)NLA_HDRLEN && a->nla_len >= NLA_HDRLEN && a->nla_len <= len;
}

void attrs_parse(struct tb *tb, const void *attrs, int len)
{
	const struct nlattr *a = attrs;

	memset(tb, 0, sizeof(*tb));
	tb->first = a;
	tb->len = len;
	for (; attr_ok(a, len); a = attr_next(a, &len))
		if ((a->nla_type & NLA_TYPE_MASK) <= PKRAM_A_MAX)
			tb->a[a->nla_type & NLA_TYPE_MASK] = a;
}

void req_init(struct req *q, uint16_t type, uint8_t cmd, uint16_t flags)
{
	memset(q, 0, sizeof(*q));
	q->nlh.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	q->nlh.nlmsg_type = type;
	q->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	q->genl.cmd = cmd;
	q->genl.version = 1;
}

void req_put(struct req *q, uint16_t type, const void *data, int len)
{
	struct nlattr *a = (void *)((char *)q + q->nlh.nlmsg_len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(attr_data(a), data, len);
	q->nlh.nlmsg_len += NLA_ALIGN(a->nla_len);
}

void req_put32(struct req *q, uint16_t type, uint32_t v)
{
	req_put(q, type, &v, sizeof(v));
}

void req_put64(struct req *q, uint16_t type, uint64_t v)
{
	req_put(q, type, &v, sizeof(v));
}

/* Read the end of an exchange: its errno and its text */
static int take_end(struct nl *nl, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	const struct nlattr *a;
	int skip = h->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(*e);
	int len;

	if (h->nlmsg_type == NLMSG_ERROR && !(h->nlmsg_flags & NLM_F_CAPPED))
		skip += e->msg.nlmsg_len - sizeof(e->msg);
	a = (void *)((char *)e + NLMSG_ALIGN(skip));
	len = NLMSG_PAYLOAD(h, NLMSG_ALIGN(skip));
	nl->text[0] = '\0';
	nl->at = 0;
	nl->missing = 0;
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return e->error;
	for (; attr_ok(a, len); a = attr_next(a, &len)) {
		if (a->nla_type == NLMSGERR_ATTR_MSG)
			snprintf(nl->text, sizeof(nl->text), "%s", attr_str(a));
		if (a->nla_type == NLMSGERR_ATTR_OFFS)
			nl->at = attr_u32(a);
		if (a->nla_type == NLMSGERR_ATTR_MISS_TYPE)
			nl->missing = attr_u32(a);
	}
	return e->error;
}

int nl_send(struct nl *nl, struct req *q)
{
	q->nlh.nlmsg_seq = ++nl->seq;
	nl->interrupted = false;
	return send(nl->fd, q, q->nlh.nlmsg_len, 0) == q->nlh.nlmsg_len ? 0 : -errno;
}

int nl_take(struct nl *nl, answer_fn fn, void *arg)
{
	struct tb tb;
	ssize_t n;
	int len;

	for (;;) {
		struct nlmsghdr *h = (void *)nl->rx;

		n = recv(nl->fd, nl->rx, RX_SIZE, MSG_TRUNC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || n > RX_SIZE)
			return n < 0 ? -errno : -EMSGSIZE;
		for (len = n; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
			if (h->nlmsg_seq != nl->seq)
				continue;
			nl->interrupted |= !!(h->nlmsg_flags & NLM_F_DUMP_INTR);
			if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
				return take_end(nl, h);
			attrs_parse(&tb, (char *)NLMSG_DATA(h) + GENL_HDRLEN,
				    NLMSG_PAYLOAD(h, GENL_HDRLEN));
			if (fn)
				fn(&tb, arg);
		}
	}
}

int nl_talk(struct nl *nl, struct req *q, answer_fn fn, void *arg)
{
	return nl_send(nl, q) ?: nl_take(nl, fn, arg);
}

static void take_family(const struct tb *tb, void *arg)
{
	const struct nlattr *a = tb->a[CTRL_ATTR_FAMILY_ID];

	*(uint16_t *)arg = a ? *(uint16_t *)attr_data(a) : 0;
}

int nl_find_family(struct nl *nl, uint16_t *family)
{
	struct req q;

	req_init(&q, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	req_put(&q, CTRL_ATTR_FAMILY_NAME, PKRAM_GENL_NAME, sizeof(PKRAM_GENL_NAME));
	return nl_talk(nl, &q, take_family, family);
}

int nl_open(struct nl *nl)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct timeval patience = { .tv_sec = 90 };
	int one = 1;

	nl->seq = 0;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0 ||
	    bind(nl->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)))
		return -errno;
	return 0;
}

int nl_ask(struct nl *nl, uint8_t cmd, uint16_t flags, answer_fn fn, void *arg)
{
	struct req q;

	req_init(&q, nl->family, cmd, flags);
	return nl_talk(nl, &q, fn, arg);
}

static void take_pool(const struct tb *tb, void *arg)
{
	struct pool *p = arg;

	p->answers++;
	p->uuid = tb->a[PKRAM_A_POOL_UUID] &&
		  tb->a[PKRAM_A_POOL_UUID]->nla_len == NLA_HDRLEN + 16;
	p->read_only = tb->a[PKRAM_A_READ_ONLY];
	p->version = attr_u32(tb->a[PKRAM_A_FORMAT_VERSION]);
	p->nr_regions = attr_u32(tb->a[PKRAM_A_NR_REGIONS]);
	p->nr_objects = attr_u32(tb->a[PKRAM_A_NR_OBJECTS]);
	p->nr_quarantined = attr_u32(tb->a[PKRAM_A_NR_QUARANTINED]);
	p->gib_1g = attr_u32(tb->a[PKRAM_A_GIB_1G]);
	p->gib_2m = attr_u32(tb->a[PKRAM_A_GIB_2M]);
	p->size = attr_u64(tb->a[PKRAM_A_SIZE]);
	p->free = attr_u64(tb->a[PKRAM_A_FREE]);
	p->meta = attr_u64(tb->a[PKRAM_A_META]);
	p->pending = attr_u64(tb->a[PKRAM_A_PENDING]);
}

int genl_get_pool(struct nl *nl, struct pool *p)
{
	memset(p, 0, sizeof(*p));
	return nl_ask(nl, PKRAM_CMD_POOL_GET, 0, take_pool, p);
}

static void take_region(const struct tb *tb, void *arg)
{
	struct regions *r = arg;

	r->nr_base += !!tb->a[PKRAM_A_BASE];
	if (tb->a[PKRAM_A_QUARANTINE]) {
		r->nr_bad++;
		return;
	}
	if (r->nr < 16)
		r->base[r->nr] = attr_u64(tb->a[PKRAM_A_BASE]);
	if (!r->nr++)
		r->complete = true;
	r->size += attr_u64(tb->a[PKRAM_A_SIZE]);
	r->free += attr_u64(tb->a[PKRAM_A_FREE]);
	r->meta += attr_u64(tb->a[PKRAM_A_META]);
	r->complete &= tb->a[PKRAM_A_REGION_UUID] && tb->a[PKRAM_A_GIB] &&
		       tb->a[PKRAM_A_GIB_1G] && tb->a[PKRAM_A_GIB_2M] &&
		       attr_u32(tb->a[PKRAM_A_FORMAT_VERSION]) == 1 &&
		       attr_u32(tb->a[PKRAM_A_NODE]) == 0 && !tb->a[PKRAM_A_READ_ONLY] &&
		       !tb->a[PKRAM_A_POOL_UUID];
}

int genl_get_regions(struct nl *nl, struct regions *r)
{
	memset(r, 0, sizeof(*r));
	return nl_ask(nl, PKRAM_CMD_REGION_GET, NLM_F_DUMP, take_region, r);
}

static void take_handover(const struct tb *tb, void *arg)
{
	struct handover *h = arg;

	h->answers++;
	h->mode = attr_u32(tb->a[PKRAM_A_HANDOVER_MODE]);
	h->cmdline = tb->a[PKRAM_A_CMDLINE];
	h->guard = tb->a[PKRAM_A_KEXEC_GUARD];
	h->loaded = tb->a[PKRAM_A_KEXEC_LOADED];
}

int genl_get_handover(struct nl *nl, struct handover *h)
{
	memset(h, 0, sizeof(*h));
	return nl_ask(nl, PKRAM_CMD_HANDOVER_GET, 0, take_handover, h);
}

static void take_report(const struct tb *tb, void *arg)
{
	const struct nlattr *a = tb->first;
	struct report *r = arg;
	int len = tb->len;
	struct tb nest;

	r->gib = attr_u32(tb->a[PKRAM_A_GIB]);
	r->complete = true;
	for (; attr_ok(a, len); a = attr_next(a, &len)) {
		int type = a->nla_type & NLA_TYPE_MASK;

		if (type != PKRAM_A_TAKEN && type != PKRAM_A_REFUSED)
			continue;
		attrs_parse(&nest, attr_data(a), a->nla_len - NLA_HDRLEN);
		r->complete &= nest.a[PKRAM_A_BASE] && nest.a[PKRAM_A_SIZE];
		if (type == PKRAM_A_REFUSED) {
			r->nr_refused++;
			r->complete &= nest.a[PKRAM_A_ERRNO] &&
				       attr_u32(nest.a[PKRAM_A_ERRNO]) < 4096 &&
				       *attr_str(nest.a[PKRAM_A_REASON]);
		} else if (r->nr_taken < 16) {
			r->base[r->nr_taken] = attr_u64(nest.a[PKRAM_A_BASE]);
			r->size[r->nr_taken++] = attr_u64(nest.a[PKRAM_A_SIZE]);
			r->taken += attr_u64(nest.a[PKRAM_A_SIZE]);
		}
	}
}

int genl_grow(struct nl *nl, uint32_t gib, struct report *r)
{
	struct req q;

	memset(r, 0, sizeof(*r));
	req_init(&q, nl->family, PKRAM_CMD_POOL_GROW, 0);
	req_put32(&q, PKRAM_A_GIB, gib);
	return nl_talk(nl, &q, take_report, r);
}

int genl_shrink(struct nl *nl, uint32_t gib, uint64_t base, uint64_t size,
		struct report *r)
{
	struct req q;

	memset(r, 0, sizeof(*r));
	req_init(&q, nl->family, PKRAM_CMD_POOL_SHRINK, 0);
	if (gib)
		req_put32(&q, PKRAM_A_GIB, gib);
	if (size) {
		req_put64(&q, PKRAM_A_BASE, base);
		req_put64(&q, PKRAM_A_SIZE, size);
	}
	return nl_talk(nl, &q, take_report, r);
}

int genl_discard(struct nl *nl, uint64_t key)
{
	struct req q;

	req_init(&q, nl->family, PKRAM_CMD_OBJECT_DISCARD, 0);
	req_put64(&q, PKRAM_A_OBJECT_KEY, key);
	return nl_talk(nl, &q, NULL, NULL);
}

int genl_make_file(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd < 0 || (size && ftruncate(fd, size)))
		return -1;
	return fd;
}
