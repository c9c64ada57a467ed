/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the genl* scenarios share: netlink by hand, as a library would not send
 * most of what they send; what each command tells; the module, loaded, mounted.
 */
#ifndef PKRAM_VM_GENL_FIXTURE_H
#define PKRAM_VM_GENL_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/pkram.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "vm.h"

#define RX_SIZE		(1U << 18)

/**
 * struct nl - a socket, and what the last exchange brought
 * @fd: the socket
 * @family: number of the family "pkram"
 * @seq: of the last request
 * @text: words of the kernel's answer
 * @at: where in the request the attribute is that it is about, 0: none
 * @missing: the attribute that it misses, 0: none
 * @interrupted: the list changed while it was told
 * @rx: messages
 */
struct nl {
	int fd;
	uint16_t family;
	uint32_t seq;
	char text[256];
	uint32_t at, missing;
	bool interrupted;
	char rx[RX_SIZE];
};

/* A request */
struct req {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[4096];
};

/* An answer's attributes: the last of each number */
struct tb {
	const struct nlattr *a[PKRAM_A_MAX + 1];
	const struct nlattr *first;
	int len;
};

typedef void (*answer_fn)(const struct tb *tb, void *arg);

static inline void *payload(const struct nlattr *a)
{
	return (char *)a + NLA_HDRLEN;
}

static inline uint32_t u32(const struct nlattr *a)
{
	return a && a->nla_len == NLA_HDRLEN + 4 ? *(uint32_t *)payload(a) : ~0U;
}

static inline uint64_t u64(const struct nlattr *a)
{
	uint64_t v;

	if (!a || a->nla_len != NLA_HDRLEN + 8)
		return ~0ULL;
	memcpy(&v, payload(a), sizeof(v));
	return v;
}

static inline const char *str(const struct nlattr *a)
{
	return a && a->nla_len > NLA_HDRLEN ? payload(a) : "";
}

static inline const struct nlattr *next_attr(const struct nlattr *a, int *len)
{
	*len -= NLA_ALIGN(a->nla_len);
	return (void *)((char *)a + NLA_ALIGN(a->nla_len));
}

static inline bool attr_ok(const struct nlattr *a, int len)
{
	return len >= (int)NLA_HDRLEN && a->nla_len >= NLA_HDRLEN && a->nla_len <= len;
}

static inline void parse(struct tb *tb, const void *attrs, int len)
{
	const struct nlattr *a = attrs;

	memset(tb, 0, sizeof(*tb));
	tb->first = a;
	tb->len = len;
	for (; attr_ok(a, len); a = next_attr(a, &len))
		if ((a->nla_type & NLA_TYPE_MASK) <= PKRAM_A_MAX)
			tb->a[a->nla_type & NLA_TYPE_MASK] = a;
}

static inline void req_init(struct req *q, uint16_t type, uint8_t cmd, uint16_t flags)
{
	memset(q, 0, sizeof(*q));
	q->nlh.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	q->nlh.nlmsg_type = type;
	q->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	q->genl.cmd = cmd;
	q->genl.version = 1;
}

static inline void put(struct req *q, uint16_t type, const void *data, int len)
{
	struct nlattr *a = (void *)((char *)q + q->nlh.nlmsg_len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(payload(a), data, len);
	q->nlh.nlmsg_len += NLA_ALIGN(a->nla_len);
}

static inline void put32(struct req *q, uint16_t type, uint32_t v)
{
	put(q, type, &v, sizeof(v));
}

static inline void put64(struct req *q, uint16_t type, uint64_t v)
{
	put(q, type, &v, sizeof(v));
}

/* The end of an exchange: its errno, and its words */
static inline int take_end(struct nl *nl, const struct nlmsghdr *h)
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
	for (; attr_ok(a, len); a = next_attr(a, &len)) {
		if (a->nla_type == NLMSGERR_ATTR_MSG)
			snprintf(nl->text, sizeof(nl->text), "%s", str(a));
		if (a->nla_type == NLMSGERR_ATTR_OFFS)
			nl->at = u32(a);
		if (a->nla_type == NLMSGERR_ATTR_MISS_TYPE)
			nl->missing = u32(a);
	}
	return e->error;
}

static inline int send_req(struct nl *nl, struct req *q)
{
	q->nlh.nlmsg_seq = ++nl->seq;
	nl->interrupted = false;
	return send(nl->fd, q, q->nlh.nlmsg_len, 0) == q->nlh.nlmsg_len ? 0 : -errno;
}

/* Take what comes up to the end. Return: 0 or the kernel's errno, negative */
static inline int take(struct nl *nl, answer_fn fn, void *arg)
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
			parse(&tb, (char *)NLMSG_DATA(h) + GENL_HDRLEN,
			      NLMSG_PAYLOAD(h, GENL_HDRLEN));
			if (fn)
				fn(&tb, arg);
		}
	}
}

/* Send, take what comes up to the end. Return: 0 or the kernel's errno, negative */
static inline int talk(struct nl *nl, struct req *q, answer_fn fn, void *arg)
{
	return send_req(nl, q) ?: take(nl, fn, arg);
}

static inline void take_family(const struct tb *tb, void *arg)
{
	const struct nlattr *a = tb->a[CTRL_ATTR_FAMILY_ID];

	*(uint16_t *)arg = a ? *(uint16_t *)payload(a) : 0;
}

static inline int find_family(struct nl *nl, uint16_t *family)
{
	struct req q;

	req_init(&q, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	put(&q, CTRL_ATTR_FAMILY_NAME, PKRAM_GENL_NAME, sizeof(PKRAM_GENL_NAME));
	return talk(nl, &q, take_family, family);
}

static inline int nl_open(struct nl *nl)
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

/* A request without attributes */
static inline int ask(struct nl *nl, uint8_t cmd, uint16_t flags, answer_fn fn, void *arg)
{
	struct req q;

	req_init(&q, nl->family, cmd, flags);
	return talk(nl, &q, fn, arg);
}

/* What POOL_GET tells */
struct pool {
	int answers;
	bool uuid, read_only;
	uint32_t version, nr_regions, nr_objects, nr_quarantined, gib_1g, gib_2m;
	uint64_t size, free, meta, pending;
};

static inline void take_pool(const struct tb *tb, void *arg)
{
	struct pool *p = arg;

	p->answers++;
	p->uuid = tb->a[PKRAM_A_POOL_UUID] &&
		  tb->a[PKRAM_A_POOL_UUID]->nla_len == NLA_HDRLEN + 16;
	p->read_only = tb->a[PKRAM_A_READ_ONLY];
	p->version = u32(tb->a[PKRAM_A_FORMAT_VERSION]);
	p->nr_regions = u32(tb->a[PKRAM_A_NR_REGIONS]);
	p->nr_objects = u32(tb->a[PKRAM_A_NR_OBJECTS]);
	p->nr_quarantined = u32(tb->a[PKRAM_A_NR_QUARANTINED]);
	p->gib_1g = u32(tb->a[PKRAM_A_GIB_1G]);
	p->gib_2m = u32(tb->a[PKRAM_A_GIB_2M]);
	p->size = u64(tb->a[PKRAM_A_SIZE]);
	p->free = u64(tb->a[PKRAM_A_FREE]);
	p->meta = u64(tb->a[PKRAM_A_META]);
	p->pending = u64(tb->a[PKRAM_A_PENDING]);
}

static inline int get_pool(struct nl *nl, struct pool *p)
{
	memset(p, 0, sizeof(*p));
	return ask(nl, PKRAM_CMD_POOL_GET, 0, take_pool, p);
}

/* What REGION_GET tells, summed up */
struct regions {
	int nr, nr_bad, nr_base;
	uint64_t base[16], size, free, meta;
	bool complete;
};

static inline void take_region(const struct tb *tb, void *arg)
{
	struct regions *r = arg;

	r->nr_base += !!tb->a[PKRAM_A_BASE];
	if (tb->a[PKRAM_A_QUARANTINE]) {
		r->nr_bad++;
		return;
	}
	if (r->nr < 16)
		r->base[r->nr] = u64(tb->a[PKRAM_A_BASE]);
	if (!r->nr++)
		r->complete = true;
	r->size += u64(tb->a[PKRAM_A_SIZE]);
	r->free += u64(tb->a[PKRAM_A_FREE]);
	r->meta += u64(tb->a[PKRAM_A_META]);
	r->complete &= tb->a[PKRAM_A_REGION_UUID] && tb->a[PKRAM_A_GIB] &&
		       tb->a[PKRAM_A_GIB_1G] && tb->a[PKRAM_A_GIB_2M] &&
		       u32(tb->a[PKRAM_A_FORMAT_VERSION]) == 1 &&
		       u32(tb->a[PKRAM_A_NODE]) == 0 && !tb->a[PKRAM_A_READ_ONLY] &&
		       !tb->a[PKRAM_A_POOL_UUID];
}

static inline int get_regions(struct nl *nl, struct regions *r)
{
	memset(r, 0, sizeof(*r));
	return ask(nl, PKRAM_CMD_REGION_GET, NLM_F_DUMP, take_region, r);
}

/* What HANDOVER_GET tells */
struct handover {
	int answers;
	uint32_t mode;
	bool cmdline, guard, loaded;
};

static inline void take_handover(const struct tb *tb, void *arg)
{
	struct handover *h = arg;

	h->answers++;
	h->mode = u32(tb->a[PKRAM_A_HANDOVER_MODE]);
	h->cmdline = tb->a[PKRAM_A_CMDLINE];
	h->guard = tb->a[PKRAM_A_KEXEC_GUARD];
	h->loaded = tb->a[PKRAM_A_KEXEC_LOADED];
}

static inline int get_handover(struct nl *nl, struct handover *h)
{
	memset(h, 0, sizeof(*h));
	return ask(nl, PKRAM_CMD_HANDOVER_GET, 0, take_handover, h);
}

/* What POOL_GROW, _ADOPT and _DEL report */
struct report {
	uint32_t gib;
	int nr_taken, nr_refused;
	uint64_t base[16], size[16], taken;
	bool complete;
};

static inline void take_report(const struct tb *tb, void *arg)
{
	const struct nlattr *a = tb->first;
	struct report *r = arg;
	int len = tb->len;
	struct tb nest;

	r->gib = u32(tb->a[PKRAM_A_GIB]);
	r->complete = true;
	for (; attr_ok(a, len); a = next_attr(a, &len)) {
		int type = a->nla_type & NLA_TYPE_MASK;

		if (type != PKRAM_A_TAKEN && type != PKRAM_A_REFUSED)
			continue;
		parse(&nest, payload(a), a->nla_len - NLA_HDRLEN);
		r->complete &= nest.a[PKRAM_A_BASE] && nest.a[PKRAM_A_SIZE];
		if (type == PKRAM_A_REFUSED) {
			r->nr_refused++;
			r->complete &= nest.a[PKRAM_A_ERRNO] &&
				       u32(nest.a[PKRAM_A_ERRNO]) < 4096 &&
				       *str(nest.a[PKRAM_A_REASON]);
		} else if (r->nr_taken < 16) {
			r->base[r->nr_taken] = u64(nest.a[PKRAM_A_BASE]);
			r->size[r->nr_taken++] = u64(nest.a[PKRAM_A_SIZE]);
			r->taken += u64(nest.a[PKRAM_A_SIZE]);
		}
	}
}

static inline int grow(struct nl *nl, uint32_t gib, struct report *r)
{
	struct req q;

	memset(r, 0, sizeof(*r));
	req_init(&q, nl->family, PKRAM_CMD_POOL_GROW, 0);
	put32(&q, PKRAM_A_GIB, gib);
	return talk(nl, &q, take_report, r);
}

static inline int shrink(struct nl *nl, uint32_t gib, uint64_t base, uint64_t size,
			 struct report *r)
{
	struct req q;

	memset(r, 0, sizeof(*r));
	req_init(&q, nl->family, PKRAM_CMD_POOL_SHRINK, 0);
	if (gib)
		put32(&q, PKRAM_A_GIB, gib);
	if (size) {
		put64(&q, PKRAM_A_BASE, base);
		put64(&q, PKRAM_A_SIZE, size);
	}
	return talk(nl, &q, take_report, r);
}

static inline int discard(struct nl *nl, uint64_t key)
{
	struct req q;

	req_init(&q, nl->family, PKRAM_CMD_OBJECT_DISCARD, 0);
	put64(&q, PKRAM_A_OBJECT_KEY, key);
	return talk(nl, &q, NULL, NULL);
}

/* Is this what the kernel answered, and did it say so in words? */
#define EXPECT_REFUSED(err, words, call)				\
	do {								\
		nl->text[0] = '\0';					\
		EXPECT_EQ(-(err), (call));				\
		EXPECT_NE(NULL, strstr(nl->text, words)) {		\
			TH_LOG("%s says \"%s\"", #call, nl->text);	\
		}							\
	} while (0)

static inline int make_file(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd < 0 || (size && ftruncate(fd, size)))
		return -1;
	return fd;
}

FIXTURE(main)
{
	struct nl nl;
};

FIXTURE_SETUP(main)
{
	struct statfs st;

	if (!vm_module_loaded("pkram"))
		ASSERT_EQ(0, vm_insmod(PKRAM_MODULE, NULL));
	if (statfs(PKRAM_MNT, &st) || st.f_type != PKRAM_FS_MAGIC)
		ASSERT_EQ(0, vm_mount(PKRAM_FS_NAME, PKRAM_MNT, NULL));
	ASSERT_EQ(0, nl_open(&self->nl));
	ASSERT_EQ(0, find_family(&self->nl, &self->nl.family));
	ASSERT_NE(0, self->nl.family);
}

FIXTURE_TEARDOWN(main)
{
	close(self->nl.fd);
}

#endif
