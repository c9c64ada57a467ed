// SPDX-License-Identifier: GPL-2.0
/* A fake kernel with the genetlink family "pkram", inside the process. */
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <libmnl/libmnl.h>
#include <linux/pkram.h>
#include "fake_kernel.h"

#define GIB		(1ULL << 30)
#define MAX_DATAGRAMS	16

struct mnl_socket {
	int dummy;
};

struct fake_request fake_last;
unsigned int fake_nr_requests;
bool fake_image_loaded;

static struct mnl_socket the_socket, events_socket;
static unsigned int nr_events;		/* received so far */
static struct {
	char buf[65536];
	size_t len;
} queue[MAX_DATAGRAMS];
static unsigned int queue_head, queue_tail;
static bool interrupted, signalled;

static bool fake_is(const char *word)
{
	const char *s = getenv("PKRAM_FAKE");
	size_t len = strlen(word);

	for (; s && *s; s += strcspn(s, " "), s += strspn(s, " ")) {
		if (strcspn(s, " ") == len && !strncmp(s, word, len))
			return true;
	}
	return false;
}

/* Build what the kernel sends: messages in datagrams */

static void datagram(void)
{
	if (queue_tail == MAX_DATAGRAMS)
		abort();
	queue[queue_tail++].len = 0;
}

static struct nlmsghdr *message(uint16_t type, uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *nlh =
		mnl_nlmsg_put_header(queue[queue_tail - 1].buf +
				     queue[queue_tail - 1].len);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = seq;
	return nlh;
}

static void message_end(struct nlmsghdr *nlh)
{
	queue[queue_tail - 1].len += MNL_ALIGN(nlh->nlmsg_len);
}

static struct nlmsghdr *answer(const struct nlmsghdr *req)
{
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;
	bool dump = (req->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	uint16_t flags = dump ? NLM_F_MULTI : 0;

	if (dump && ((fake_is("intr") && !interrupted) ||
		     fake_is("intr_always"))) {
		interrupted = true;
		flags |= NLM_F_DUMP_INTR;
	}
	nlh = message(req->nlmsg_type, flags, req->nlmsg_seq);
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = 1;
	genl->version = 1;
	return nlh;
}

static void finish(const struct nlmsghdr *req, int err, const char *text)
{
	bool dump = (req->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	bool uncapped = err && fake_is("uncapped");
	bool lies = fake_is("lies");
	struct nlmsgerr *e;
	struct nlmsghdr *nlh;
	uint16_t flags = text ? NLM_F_ACK_TLVS : 0;

	datagram();
	if (dump && !(err && fake_is("old"))) {
		nlh = message(NLMSG_DONE, flags | NLM_F_MULTI, req->nlmsg_seq);
		*(int *)mnl_nlmsg_put_extra_header(nlh, sizeof(int)) = err;
	} else {
		nlh = message(NLMSG_ERROR, flags | (uncapped ? 0 : NLM_F_CAPPED),
			      req->nlmsg_seq);
		e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e));
		e->error = err;
		e->msg = *req;
		if (lies && err)
			e->msg.nlmsg_len = UINT32_MAX - 6;
		if (uncapped && req->nlmsg_len > sizeof(*req))
			memcpy(mnl_nlmsg_put_extra_header(nlh, req->nlmsg_len -
							  sizeof(*req)),
			       req + 1, req->nlmsg_len - sizeof(*req));
	}
	if (err && fake_is("no_errno"))
		*(int *)mnl_nlmsg_get_payload(nlh) = INT_MIN;
	if (text && !fake_is("no_errno"))
		mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, text);
	message_end(nlh);
}

/* Contents */

static void put_uuid(struct nlmsghdr *nlh, uint16_t type, uint8_t seed)
{
	uint8_t uuid[16];
	int i;

	for (i = 0; i < 16; i++)
		uuid[i] = seed + i;
	mnl_attr_put(nlh, type, sizeof(uuid), uuid);
}

static void pool_get(const struct nlmsghdr *req)
{
	struct nlmsghdr *nlh;
	bool empty = fake_is("empty");

	datagram();
	nlh = answer(req);
	if (!empty)
		put_uuid(nlh, PKRAM_A_POOL_UUID, 0xa0);
	mnl_attr_put_u32(nlh, PKRAM_A_FORMAT_VERSION, 1);
	mnl_attr_put_u32(nlh, PKRAM_A_NR_REGIONS, empty ? 0 : 2);
	if (fake_is("missing"))
		mnl_attr_put_u32(nlh, PKRAM_A_NR_MISSING, 1);
	mnl_attr_put_u32(nlh, PKRAM_A_NR_OBJECTS, empty ? 0 : 4);
	mnl_attr_put_u32(nlh, PKRAM_A_NR_QUARANTINED, empty ? 0 : 1);
	if (fake_is("malformed"))
		mnl_attr_put_u32(nlh, PKRAM_A_SIZE, 1);
	else
		mnl_attr_put_u64(nlh, PKRAM_A_SIZE, empty ? 0 : 6 * GIB);
	mnl_attr_put_u64(nlh, PKRAM_A_FREE, empty ? 0 : 3 * GIB + GIB / 2);
	mnl_attr_put_u64(nlh, PKRAM_A_META, empty ? 0 : 4ULL << 20);
	mnl_attr_put_u32(nlh, PKRAM_A_GIB_1G, empty ? 0 : 4);
	mnl_attr_put_u32(nlh, PKRAM_A_GIB_2M, empty ? 0 : 2);
	mnl_attr_put_u64(nlh, PKRAM_A_PENDING, 0);
	if (fake_is("newer"))
		mnl_attr_put_u32(nlh, PKRAM_A_MAX + 7, 1);
	message_end(nlh);
	finish(req, 0, fake_is("remark") ? "the pool is nearly full" : NULL);
}

static void put_bad_range(struct nlmsghdr *nlh, uint64_t base, uint64_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, PKRAM_A_BAD_RANGE);

	mnl_attr_put_u64(nlh, PKRAM_A_BASE, base);
	mnl_attr_put_u64(nlh, PKRAM_A_SIZE, size);
	mnl_attr_nest_end(nlh, nest);
}

static void region_get(const struct nlmsghdr *req)
{
	struct nlmsghdr *nlh;
	unsigned int i;

	for (i = 0; i < 2 && !fake_is("empty"); i++) {
		if (i && fake_is("moves") && fake_image_loaded)
			break;
		datagram();
		nlh = answer(req);
		put_uuid(nlh, PKRAM_A_REGION_UUID, 0xb0 + i);
		if (!fake_is("secret"))
			mnl_attr_put_u64(nlh, PKRAM_A_BASE,
					 FAKE_BASE + i * 8 * GIB);
		mnl_attr_put_u32(nlh, PKRAM_A_GIB,
				 fake_is("damaged") ? 5 : 4 - 2 * i);
		mnl_attr_put_u64(nlh, PKRAM_A_SIZE, (4 - 2 * i) * GIB);
		mnl_attr_put_u64(nlh, PKRAM_A_FREE, GIB + GIB / 2 + i * GIB / 2);
		mnl_attr_put_u32(nlh, PKRAM_A_NODE, i);
		mnl_attr_put_u32(nlh, PKRAM_A_GIB_1G, 4 - 4 * i);
		mnl_attr_put_u32(nlh, PKRAM_A_GIB_2M, 2 * i);
		if (i)
			mnl_attr_put(nlh, PKRAM_A_READ_ONLY, 0, NULL);
		if (!i && fake_is("bad_pages")) {
			mnl_attr_put_u32(nlh, PKRAM_A_NR_BAD_PAGES, 3);
			/* Only root gets addresses. */
			if (!fake_is("secret")) {
				put_bad_range(nlh, FAKE_BASE + 0x5000, 0x1000);
				put_bad_range(nlh, FAKE_BASE + GIB, 0x2000);
			}
		}
		message_end(nlh);
	}
	if (fake_is("damaged")) {
		datagram();
		nlh = answer(req);
		mnl_attr_put_u64(nlh, PKRAM_A_BASE, FAKE_BASE + 64 * GIB);
		mnl_attr_put_u64(nlh, PKRAM_A_SIZE, GIB);
		mnl_attr_put_strz(nlh, PKRAM_A_QUARANTINE, fake_is("left_over") ?
				  "out of the pool, but still reserved" : "no valid label");
		message_end(nlh);
	}
	finish(req, 0, NULL);
}

static const struct {
	uint64_t key, size;
	const char *name, *quarantine;
	uint32_t state, mode;
} objects[] = {
	{ 0x100000001, 4 * GIB, "vm1", NULL, PKRAM_STATE_SEALED, 0100600 },
	{ 0x100000002, GIB, "/vm2", NULL, PKRAM_STATE_CLAIMED, 0100640 },
	{ 0x100000003, 0, "dir", NULL, PKRAM_STATE_IDLE, 041777 },
	{ 0x100000004, GIB, "evil\33[2J\n\"\\\377\302\233\303\244", NULL,
	  PKRAM_STATE_RUNNING, 0104755 },
	{ 0xffffffff00000005, GIB, NULL,
	  "extent 3 overlaps object 0x100000001", PKRAM_STATE_IDLE, 0100600 },
};

static void object_get(const struct nlmsghdr *req)
{
	struct nlmsghdr *nlh;
	uint32_t state;
	unsigned int i;

	if (fake_is("secret")) {
		finish(req, -EPERM, "this needs root (CAP_SYS_ADMIN)");
		return;
	}
	for (i = 0; i < sizeof(objects) / sizeof(objects[0]) &&
	     !fake_is("empty"); i++) {
		if (objects[i].quarantine && fake_is("whole"))
			continue;
		if (!(i % 2))		/* two messages in each datagram */
			datagram();
		state = objects[i].state;
		if (state == PKRAM_STATE_CLAIMED &&
		    (fake_is("idle") ||
		     (fake_is("claimed_late") && !fake_image_loaded)))
			state = PKRAM_STATE_IDLE;
		nlh = answer(req);
		mnl_attr_put_u64(nlh, PKRAM_A_OBJECT_KEY, objects[i].key);
		mnl_attr_put_u32(nlh, PKRAM_A_STATE, state);
		mnl_attr_put_u64(nlh, PKRAM_A_SIZE, objects[i].size);
		if (objects[i].quarantine) {
			mnl_attr_put_strz(nlh, PKRAM_A_QUARANTINE,
					  objects[i].quarantine);
		} else {
			mnl_attr_put_u64(nlh, PKRAM_A_OBJECT_ID, i + 1);
			mnl_attr_put_u32(nlh, PKRAM_A_MODE, objects[i].mode);
			mnl_attr_put_u32(nlh, PKRAM_A_UID, 64055);
			mnl_attr_put_u32(nlh, PKRAM_A_GID, 0);
			mnl_attr_put_u32(nlh, PKRAM_A_NR_EXTENTS, 1);
			mnl_attr_put_u64(nlh, PKRAM_A_GENERATION, i);
		}
		if (objects[i].name && fake_is("unterminated"))
			mnl_attr_put(nlh, PKRAM_A_NAME, 4, objects[i].name);
		else if (objects[i].name)
			mnl_attr_put_strz(nlh, PKRAM_A_NAME, objects[i].name);
		message_end(nlh);
	}
	finish(req, 0, NULL);
}

/* The second one is so large that it needs two messages; the third one is damaged. */
static void dma_table_get(const struct nlmsghdr *req)
{
	static const unsigned int nr[] = { 0, 3, 0 };
	struct nlmsghdr *nlh = NULL;
	struct nlattr *nest;
	unsigned int i, n;

	if (fake_is("secret")) {
		finish(req, -EPERM, "this needs root (CAP_SYS_ADMIN)");
		return;
	}
	for (i = 0; i < 3 && !fake_is("empty"); i++) {
		for (n = 0; n <= nr[i]; n++) {
			if (n != 1) {
				if (n)
					message_end(nlh);
				datagram();
				nlh = answer(req);
				mnl_attr_put_u64(nlh, PKRAM_A_OBJECT_KEY, 0x200 + i);
				mnl_attr_put_strz(nlh, PKRAM_A_DMA_TABLE,
						  i ? i == 1 ? "vm2" : "ev\33[2J" : "vm1");
				mnl_attr_put_u32(nlh, PKRAM_A_UID, 64055);
				mnl_attr_put_u32(nlh, PKRAM_A_GID, 0);
				mnl_attr_put_u32(nlh, PKRAM_A_NR_ENTRIES, nr[i]);
				if (i)
					mnl_attr_put(nlh, PKRAM_A_SUSPENDED, 0, NULL);
				else
					mnl_attr_put(nlh, PKRAM_A_IN_USE, 0, NULL);
				if (i == 2)
					mnl_attr_put_strz(nlh, PKRAM_A_QUARANTINE,
							  "a mapping is not possible");
			}
			if (!n)
				continue;
			nest = mnl_attr_nest_start(nlh, PKRAM_A_ENTRY);
			mnl_attr_put_u64(nlh, PKRAM_A_IOVA, (n - 1) * GIB);
			if (fake_is("malformed"))
				mnl_attr_put_u32(nlh, PKRAM_A_SIZE, 1);
			else
				mnl_attr_put_u64(nlh, PKRAM_A_SIZE, GIB);
			mnl_attr_put_u64(nlh, PKRAM_A_OBJECT_ID, n);
			if (n != 3)
				mnl_attr_put_strz(nlh, PKRAM_A_NAME, "/vm2");
			mnl_attr_put_u64(nlh, PKRAM_A_OFFSET, 4096);
			mnl_attr_put_u32(nlh, PKRAM_A_PROT, n);
			mnl_attr_nest_end(nlh, nest);
		}
		message_end(nlh);
	}
	finish(req, 0, NULL);
}

static void handover_get(const struct nlmsghdr *req)
{
	uint32_t mode = PKRAM_HANDOVER_E820;
	struct nlmsghdr *nlh;

	if (fake_is("empty") || fake_is("nomode"))
		mode = PKRAM_HANDOVER_NONE;
	if (fake_is("memmap") || fake_is("silent"))
		mode = PKRAM_HANDOVER_MEMMAP;
	datagram();
	nlh = answer(req);
	mnl_attr_put_u32(nlh, PKRAM_A_HANDOVER_MODE, mode);
	if (fake_is("memmap") && !fake_is("secret"))
		mnl_attr_put_strz(nlh, PKRAM_A_CMDLINE,
				  "memmap=4G$0x10000000000 memmap=2G$0x10200000000 pkram.attach=0x10000000000+0x100000000,0x10200000000+0x80000000");
	if (!fake_is("empty"))
		mnl_attr_put(nlh, PKRAM_A_KEXEC_GUARD, 0, NULL);
	if (fake_image_loaded)
		mnl_attr_put(nlh, PKRAM_A_KEXEC_LOADED, 0, NULL);
	message_end(nlh);
	finish(req, 0, NULL);
}

static void counters_get(const struct nlmsghdr *req)
{
	struct nlmsghdr *nlh;
	uint16_t type;

	if (fake_is("secret")) {
		finish(req, -EPERM, "this needs root (CAP_SYS_ADMIN)");
		return;
	}
	datagram();
	nlh = answer(req);
	for (type = PKRAM_A_COMMITS; type <= PKRAM_A_ATTACH_USECS; type++)
		mnl_attr_put_u64(nlh, type, 100 + type - PKRAM_A_COMMITS);
	mnl_attr_put_u64(nlh, PKRAM_A_BAD_PAGES, 111);
	message_end(nlh);
	finish(req, 0, NULL);
}

static const struct nlattr *find(const struct nlmsghdr *req, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, req, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static void put_span(struct nlmsghdr *nlh, uint16_t type, uint64_t base,
		     uint64_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put_u64(nlh, PKRAM_A_BASE, base);
	mnl_attr_put_u64(nlh, PKRAM_A_SIZE, size);
	if (type == PKRAM_A_REFUSED) {
		mnl_attr_put_u32(nlh, PKRAM_A_ERRNO, EBUSY);
		mnl_attr_put_strz(nlh, PKRAM_A_REASON,
				  "holds pages that cannot be moved");
	}
	mnl_attr_nest_end(nlh, nest);
}

static void resize(const struct nlmsghdr *req)
{
	const struct nlattr *gib = find(req, PKRAM_A_GIB);
	const struct nlattr *base = find(req, PKRAM_A_BASE);
	const struct nlattr *size = find(req, PKRAM_A_SIZE);
	uint64_t at = base ? mnl_attr_get_u64(base) : FAKE_BASE;
	uint32_t asked, got, i;
	struct nlmsghdr *nlh;

	asked = gib ? mnl_attr_get_u32(gib) :
		size ? mnl_attr_get_u64(size) / GIB : 0;
	got = fake_is("none") ? 0 : fake_is("few") ? asked / 2 : asked;
	datagram();
	nlh = answer(req);
	mnl_attr_put_u32(nlh, PKRAM_A_GIB, got);
	if (got)
		put_span(nlh, PKRAM_A_TAKEN, at, got * GIB);
	for (i = got; i < asked; i++)
		put_span(nlh, PKRAM_A_REFUSED, at + i * GIB, GIB);
	message_end(nlh);
	if (asked && !got)
		finish(req, -ENOMEM, "no GiB could be taken");
	else
		finish(req, 0, NULL);
}

/* Events: one of each kind, and one of an unknown kind */

static void put_object(struct nlmsghdr *nlh)
{
	mnl_attr_put_u64(nlh, PKRAM_A_OBJECT_KEY, 0x100000001);
	mnl_attr_put_u64(nlh, PKRAM_A_OBJECT_ID, 1);
	mnl_attr_put_strz(nlh, PKRAM_A_NAME, "/vm1");
	mnl_attr_put_u32(nlh, PKRAM_A_MODE, 0100600);
	mnl_attr_put_u64(nlh, PKRAM_A_SIZE, 4 * GIB);
	mnl_attr_put_u32(nlh, PKRAM_A_STATE, PKRAM_STATE_CLAIMED);
}

static size_t event(uint8_t cmd, void *buf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = FAKE_FAMILY;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
	if (cmd >= PKRAM_CMD_OBJECT_CREATE_NTF && cmd <= PKRAM_CMD_MAX)
		put_object(nlh);
	switch (cmd) {
	case PKRAM_CMD_POOL_GROW_NTF:
	case PKRAM_CMD_POOL_ADOPT_NTF:
	case PKRAM_CMD_POOL_SHRINK_NTF:
	case PKRAM_CMD_REGION_QUARANTINE_NTF:
		mnl_attr_put_u64(nlh, PKRAM_A_BASE, FAKE_BASE);
		if (fake_is("malformed"))
			mnl_attr_put_u32(nlh, PKRAM_A_SIZE, 1);
		else
			mnl_attr_put_u64(nlh, PKRAM_A_SIZE, 2 * GIB);
		if (cmd == PKRAM_CMD_REGION_QUARANTINE_NTF)
			mnl_attr_put_strz(nlh, PKRAM_A_QUARANTINE, fake_is("left_over") ?
				  "out of the pool, but still reserved" : "no valid label");
		break;
	case PKRAM_CMD_HANDOVER_NTF:
		mnl_attr_put_u32(nlh, PKRAM_A_HANDOVER_MODE, PKRAM_HANDOVER_E820);
		break;
	case PKRAM_CMD_KEXEC_REFUSE_NTF:
	case PKRAM_CMD_OBJECT_DAMAGE_NTF:
		mnl_attr_put_strz(nlh, PKRAM_A_REASON, "it would do harm");
		break;
	case PKRAM_CMD_PAGE_BAD_NTF:
		mnl_attr_put_u64(nlh, PKRAM_A_BASE, FAKE_BASE);
		mnl_attr_put_u64(nlh, PKRAM_A_OFFSET, 0x3000);
		break;
	case PKRAM_CMD_OBJECT_RENAME_NTF:
		mnl_attr_put_strz(nlh, PKRAM_A_OLD_NAME, "/dir/evil\33[2J");
		break;
	case PKRAM_CMD_OBJECT_LABEL_NTF:
		mnl_attr_put_strz(nlh, PKRAM_A_LABEL, "owner");
		break;
	}
	return nlh->nlmsg_len;
}

static ssize_t next_event(void *buf)
{
	unsigned int n = nr_events++, cmd = PKRAM_CMD_POOL_GROW_NTF;

	if (fake_is("lost")) {		/* once, after the first one */
		if (n == 1) {
			errno = ENOBUFS;
			return -1;
		}
		n -= n > 1;
	}
	cmd += n;
	if (cmd <= PKRAM_CMD_MAX)
		return event(cmd, buf);
	if (cmd == PKRAM_CMD_MAX + 1U)
		return event(200, buf);
	errno = EAGAIN;
	return -1;
}

static void discard(const struct nlmsghdr *req)
{
	const struct nlattr *key = find(req, PKRAM_A_OBJECT_KEY);

	if (!key)
		finish(req, -EINVAL, "no key");
	else if (mnl_attr_get_u64(key) != 0xffffffff00000005 &&
		 mnl_attr_get_u64(key) != 0x202)
		finish(req, -EINVAL, "object is not quarantined");
	else
		finish(req, 0, NULL);
}

static void dma_table_remove(const struct nlmsghdr *req)
{
	const struct nlattr *key = find(req, PKRAM_A_OBJECT_KEY);

	if (!key)
		finish(req, -EINVAL, "no key");
	else if (mnl_attr_get_u64(key) == 0x200)
		finish(req, -EBUSY, "the DMA table is in use");
	else if (mnl_attr_get_u64(key) == 0x202)
		finish(req, -EUCLEAN, "the DMA table is quarantined");
	else
		finish(req, 0, NULL);
}

static void pkram(const struct nlmsghdr *req)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(req);
	bool admin = genl->cmd == PKRAM_CMD_POOL_GROW ||
		     genl->cmd == PKRAM_CMD_POOL_ADOPT ||
		     genl->cmd == PKRAM_CMD_POOL_SHRINK ||
		     genl->cmd == PKRAM_CMD_OBJECT_DISCARD ||
		     genl->cmd == PKRAM_CMD_DMA_TABLE_REMOVE;

	if (fake_is("old")) {
		finish(req, -EOPNOTSUPP, NULL);
		return;
	}
	if (admin && fake_is("unprivileged")) {
		finish(req, -EPERM, NULL);
		return;
	}
	switch (genl->cmd) {
	case PKRAM_CMD_POOL_GET:
		pool_get(req);
		break;
	case PKRAM_CMD_REGION_GET:
		region_get(req);
		break;
	case PKRAM_CMD_POOL_GROW:
	case PKRAM_CMD_POOL_SHRINK:
		/* slowly: as long as memory is zeroed */
		if (fake_is("slowly"))
			poll(NULL, 0, 700);
		resize(req);
		break;
	case PKRAM_CMD_POOL_ADOPT:
		finish(req, 0, NULL);
		break;
	case PKRAM_CMD_OBJECT_GET:
		object_get(req);
		break;
	case PKRAM_CMD_OBJECT_DISCARD:
		discard(req);
		break;
	case PKRAM_CMD_DMA_TABLE_GET:
		dma_table_get(req);
		break;
	case PKRAM_CMD_DMA_TABLE_REMOVE:
		dma_table_remove(req);
		break;
	case PKRAM_CMD_HANDOVER_GET:
		handover_get(req);
		break;
	case PKRAM_CMD_COUNTERS_GET:
		counters_get(req);
		break;
	default:
		finish(req, -EOPNOTSUPP, NULL);
	}
}

static void put_groups(struct nlmsghdr *nlh)
{
	static const char *const names[] = { "others", "events" };
	struct nlattr *groups = mnl_attr_nest_start(nlh, CTRL_ATTR_MCAST_GROUPS);
	struct nlattr *group;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		group = mnl_attr_nest_start(nlh, i + 1);
		mnl_attr_put_u32(nlh, CTRL_ATTR_MCAST_GRP_ID, FAKE_GROUP - 1 + i);
		mnl_attr_put_strz(nlh, CTRL_ATTR_MCAST_GRP_NAME, names[i]);
		mnl_attr_nest_end(nlh, group);
	}
	mnl_attr_nest_end(nlh, groups);
}

static void controller(const struct nlmsghdr *req)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(req);
	const struct nlattr *name = find(req, CTRL_ATTR_FAMILY_NAME);
	uint16_t family = FAKE_FAMILY;
	struct nlmsghdr *nlh;

	if (genl->cmd != CTRL_CMD_GETFAMILY || !name ||
	    strcmp(mnl_attr_get_str(name), "pkram") || fake_is("absent")) {
		finish(req, -ENOENT, NULL);
		return;
	}
	datagram();
	nlh = answer(req);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, "pkram");
	mnl_attr_put(nlh, CTRL_ATTR_FAMILY_ID, sizeof(family), &family);
	if (!fake_is("eventless"))
		put_groups(nlh);
	message_end(nlh);
	finish(req, 0, NULL);
}

/* Replacements of libmnl's socket functions */

struct mnl_socket *mnl_socket_open(int bus)
{
	(void)bus;
	return &the_socket;
}

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	(void)bus;
	(void)flags;
	nr_events = 0;
	return &events_socket;
}

/* Any descriptor that polls as readable */
int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	static int fd = -1;

	(void)nl;
	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd;
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

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf,
			  socklen_t len)
{
	if (nl != &events_socket)
		return 0;
	if (type != NETLINK_ADD_MEMBERSHIP || len != sizeof(int) ||
	    *(int *)buf != FAKE_GROUP) {
		errno = EINVAL;
		return -1;
	}
	if (fake_is("unprivileged")) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req,
			  size_t size)
{
	const struct nlmsghdr *nlh = req;
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	(void)nl;
	if (nlh->nlmsg_len != size || !(nlh->nlmsg_flags & NLM_F_REQUEST)) {
		errno = EINVAL;
		return -1;
	}
	fake_nr_requests++;
	fake_last.type = nlh->nlmsg_type;
	fake_last.flags = nlh->nlmsg_flags;
	fake_last.cmd = genl->cmd;
	fake_last.version = genl->version;
	fake_last.len = size - MNL_NLMSG_HDRLEN - sizeof(*genl);
	memcpy(fake_last.payload, genl + 1, fake_last.len);

	queue_head = 0;
	queue_tail = 0;
	if (fake_is("stale")) {
		struct nlmsghdr old = *nlh;

		old.nlmsg_seq--;
		finish(&old, -EIO, "of an earlier request");
	}
	if (nlh->nlmsg_type == GENL_ID_CTRL)
		controller(nlh);
	else if (nlh->nlmsg_type == FAKE_FAMILY)
		pkram(nlh);
	else
		finish(nlh, -ENOENT, NULL);
	return size;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	size_t len;

	if (fake_is("eintr") && !signalled) {
		signalled = true;
		errno = EINTR;
		return -1;
	}
	signalled = false;
	if (nl == &events_socket)
		return next_event(buf);
	if (queue_head == queue_tail) {
		errno = EAGAIN;		/* a real socket would block */
		return -1;
	}
	len = queue[queue_head].len;
	if (len > size) {
		errno = ENOSPC;
		return -1;
	}
	memcpy(buf, queue[queue_head++].buf, len);
	return len;
}
