// SPDX-License-Identifier: GPL-2.0
/*
 * The control plane: each command, each refusal with its text, and permissions. The tests
 * run in this order: without a pool, with one, and without it again. Objects are in
 * genl_objects.c, random messages in genl_fuzz.c.
 */
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "genl_fixture.h"

#define USER		1000

/*
 * Run @fn in a process that dropped the privileges that @as names
 *
 * Return: its result
 */
enum as { AS_USER, AS_NET_ADMIN, AS_NS_ROOT, AS_OTHER_NETNS };

static bool give_up(enum as as)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = {};

	switch (as) {
	case AS_USER:
		return !setgid(USER) && !setuid(USER);
	case AS_NET_ADMIN:
		caps[0].effective = 1U << CAP_NET_ADMIN;
		caps[0].permitted = 1U << CAP_NET_ADMIN;
		return !syscall(SYS_capset, &head, caps);
	case AS_NS_ROOT:
		return !unshare(CLONE_NEWUSER);
	case AS_OTHER_NETNS:
		return !unshare(CLONE_NEWNET);
	}
	return false;
}

/* Return the line number of the first expectation that fails, or 0 */
#define HOLDS(what)							\
	do {								\
		if (!(what))						\
			return __LINE__;				\
	} while (0)

static int run_as(enum as as, int (*fn)(struct nl *nl), struct nl *nl)
{
	int pipefd[2], line = -1;
	pid_t pid;

	if (pipe(pipefd))
		return -1;
	pid = fork();
	if (!pid) {
		line = give_up(as) ? fn(nl) : -2;
		if (write(pipefd[1], &line, sizeof(line)) != sizeof(line))
			_exit(1);
		_exit(0);
	}
	close(pipefd[1]);
	if (pid < 0 || read(pipefd[0], &line, sizeof(line)) != sizeof(line))
		line = -1;
	close(pipefd[0]);
	waitpid(pid, NULL, 0);
	return line;
}

TEST(invalid_module_parameters_are_refused)
{
	EXPECT_EQ(-EINVAL, vm_insmod(PKRAM_MODULE, "handover=maybe"));
	EXPECT_EQ(-EINVAL, vm_insmod(PKRAM_MODULE, "attach=everything"));
	EXPECT_EQ(-EINVAL, vm_insmod(PKRAM_MODULE, "attach=4G+1M"));
	EXPECT_FALSE(vm_module_loaded("pkram"));
}

TEST(module_loads_and_unloads)
{
	ASSERT_EQ(0, vm_insmod(PKRAM_MODULE, "handover=memmap"));
	EXPECT_TRUE(vm_module_loaded("pkram"));
	ASSERT_EQ(0, vm_rmmod("pkram"));
}

TEST_F(main, missing_pool_is_reported)
{
	struct nl *nl = &self->nl;
	struct handover h;
	struct regions r;
	struct pool p;

	ASSERT_EQ(0, genl_get_pool(nl, &p));
	EXPECT_EQ(1, p.answers);
	EXPECT_FALSE(p.uuid);
	EXPECT_EQ(~0U, p.version);
	EXPECT_EQ(0, p.nr_regions);
	EXPECT_EQ(0, p.nr_objects);
	EXPECT_EQ(0, p.nr_quarantined);
	EXPECT_EQ(0, p.size);
	EXPECT_EQ(0, p.free);

	ASSERT_EQ(0, genl_get_regions(nl, &r));
	EXPECT_EQ(0, r.nr + r.nr_bad);

	ASSERT_EQ(0, genl_get_handover(nl, &h));
	EXPECT_EQ(1, h.answers);
	EXPECT_EQ(PKRAM_HANDOVER_NONE, h.mode);
	EXPECT_FALSE(h.cmdline || h.guard || h.loaded);

	EXPECT_EQ(0, nl_ask(nl, PKRAM_CMD_OBJECT_GET, NLM_F_DUMP, NULL, NULL));
}

TEST_F(main, shrink_without_pool_is_refused)
{
	struct nl *nl = &self->nl;
	struct report r;

	EXPECT_REFUSED(EBUSY, "nothing could be given back", genl_shrink(nl, 1, 0, 0, &r));
	EXPECT_EQ(0, r.nr_taken);
	EXPECT_REFUSED(EBUSY, "nothing could be given back",
		       genl_shrink(nl, 0, 4 * GIB, 1 * GIB, &r));
}

TEST_F(main, grow_reports_what_was_taken)
{
	struct nl *nl = &self->nl;
	struct handover h;
	struct regions rs;
	struct report r;
	struct pool p;
	int i;

	ASSERT_EQ(0, genl_grow(nl, 2, &r)) {
		TH_LOG("%s", nl->text);
	}
	EXPECT_TRUE(r.complete);
	/* How much can be taken depends on where the kernel is; the rest is reported. */
	EXPECT_LE(1, r.gib);
	EXPECT_TRUE(r.gib == 2 || r.nr_refused);
	EXPECT_EQ(r.gib * GIB, r.taken);
	for (i = 0; i < r.nr_taken; i++) {
		EXPECT_EQ(0, r.base[i] % GIB);
		EXPECT_FALSE(vm_iomem_touches(r.base[i], r.base[i] + r.size[i] - 1,
					      "System RAM"));
		EXPECT_TRUE(vm_iomem_under(r.base[i], r.base[i] + r.size[i] - 1, "pkram"));
	}

	ASSERT_EQ(0, genl_get_pool(nl, &p));
	EXPECT_TRUE(p.uuid);
	EXPECT_FALSE(p.read_only);
	EXPECT_EQ(1, p.version);
	EXPECT_EQ(r.nr_taken, p.nr_regions);
	EXPECT_EQ(r.taken, p.size);
	EXPECT_EQ(p.size, p.free + p.meta);
	EXPECT_EQ(0, p.pending);
	EXPECT_LE(1, p.gib_2m);

	ASSERT_EQ(0, genl_get_regions(nl, &rs));
	EXPECT_TRUE(rs.complete);
	EXPECT_EQ(p.nr_regions, rs.nr);
	EXPECT_EQ(rs.nr, rs.nr_base);
	EXPECT_EQ(0, rs.nr_bad);
	EXPECT_EQ(p.size, rs.size);
	EXPECT_EQ(p.free, rs.free);
	EXPECT_EQ(p.meta, rs.meta);
	for (i = 0; i < rs.nr; i++) {
		EXPECT_TRUE(vm_iomem_under(rs.base[i], rs.base[i] + GIB - 1, "pkram"));
		EXPECT_TRUE(!i || rs.base[i - 1] < rs.base[i]);
	}

	ASSERT_EQ(0, genl_get_handover(nl, &h));
	EXPECT_EQ(PKRAM_HANDOVER_E820, h.mode);
	EXPECT_TRUE(h.guard);
	EXPECT_FALSE(h.cmdline);
	EXPECT_FALSE(h.loaded);
}

/*
 * A request that must fail: attributes, text of the answer, and the attribute that is
 * wrong or missing
 */
struct bad_request {
	const char *name;
	uint8_t cmd;
	int err;
	const char *words;
	struct {
		uint16_t type;
		uint8_t len;
		uint64_t value;
	} attr[4];
	uint16_t at, missing;
	bool dump;
};

#define A32(type, value)	{ PKRAM_A_##type, 4, value }
#define A64(type, value)	{ PKRAM_A_##type, 8, value }

static const struct bad_request bad_requests[] = {
	{ "add: no number", PKRAM_CMD_POOL_GROW, EINVAL, "number of GiB is missing",
	  .missing = PKRAM_A_GIB },
	{ "add: none", PKRAM_CMD_POOL_GROW, ERANGE, "out of range", { A32(GIB, 0) },
	  .at = PKRAM_A_GIB },
	{ "add: more than there can be", PKRAM_CMD_POOL_GROW, ERANGE, "out of range",
	  { A32(GIB, 0xffffffff) },
	  .at = PKRAM_A_GIB },
	{ "add: a number too long", PKRAM_CMD_POOL_GROW, EINVAL, "attribute length",
	  { A64(GIB, 1) },
	  .at = PKRAM_A_GIB },
	{ "add: no such node", PKRAM_CMD_POOL_GROW, EINVAL, "no such NUMA node",
	  { A32(GIB, 1), A32(NODE, 9) },
	  .at = PKRAM_A_NODE },
	{ "add: no such number of a node", PKRAM_CMD_POOL_GROW, ERANGE, "out of range",
	  { A32(GIB, 1), A32(NODE, 0x80000000) },
	  .at = PKRAM_A_NODE },
	{ "add: a range", PKRAM_CMD_POOL_GROW, EINVAL, "",
	  { A32(GIB, 1), A64(BASE, 0), A64(SIZE, GIB) },
	  .at = PKRAM_A_BASE },
	{ "adopt: nothing", PKRAM_CMD_POOL_ADOPT, EINVAL, "base is missing",
	  .missing = PKRAM_A_BASE },
	{ "adopt: no base", PKRAM_CMD_POOL_ADOPT, EINVAL, "base is missing",
	  { A64(SIZE, GIB) },
	  .missing = PKRAM_A_BASE },
	{ "adopt: no size", PKRAM_CMD_POOL_ADOPT, EINVAL, "size is missing",
	  { A64(BASE, GIB) },
	  .missing = PKRAM_A_SIZE },
	{ "adopt: odd base", PKRAM_CMD_POOL_ADOPT, EINVAL, "base is not a multiple",
	  { A64(BASE, GIB + 4096), A64(SIZE, GIB) },
	  .at = PKRAM_A_BASE },
	{ "adopt: odd size", PKRAM_CMD_POOL_ADOPT, EINVAL, "size is not a multiple",
	  { A64(BASE, GIB), A64(SIZE, GIB + 1) },
	  .at = PKRAM_A_SIZE },
	{ "adopt: empty", PKRAM_CMD_POOL_ADOPT, ERANGE, "out of range",
	  { A64(BASE, GIB), A64(SIZE, 0) },
	  .at = PKRAM_A_SIZE },
	{ "adopt: wraps", PKRAM_CMD_POOL_ADOPT, ERANGE, "out of range",
	  { A64(BASE, -GIB), A64(SIZE, 2 * GIB) },
	  .at = PKRAM_A_BASE },
	{ "adopt: beyond physical memory", PKRAM_CMD_POOL_ADOPT, ERANGE, "ends beyond",
	  { A64(BASE, (1UL << 52) - GIB), A64(SIZE, 2 * GIB) },
	  .at = PKRAM_A_SIZE },
	{ "adopt: RAM in use", PKRAM_CMD_POOL_ADOPT, EADDRINUSE, "uses part of the range",
	  { A64(BASE, 0), A64(SIZE, GIB) } },
	{ "adopt: RAM in use, to format", PKRAM_CMD_POOL_ADOPT, EADDRINUSE, "memmap=",
	  { A64(BASE, 0), A64(SIZE, GIB), { PKRAM_A_FORMAT } } },
	{ "adopt: flag with a value", PKRAM_CMD_POOL_ADOPT, ERANGE, "policy",
	  { A64(BASE, 0), A64(SIZE, GIB), A32(FORMAT, 1) },
	  .at = PKRAM_A_FORMAT },
	{ "del: nothing", PKRAM_CMD_POOL_SHRINK, EINVAL, "either a number",
	  .missing = PKRAM_A_GIB },
	{ "del: both", PKRAM_CMD_POOL_SHRINK, EINVAL, "not both",
	  { A32(GIB, 1), A64(BASE, 0), A64(SIZE, GIB) },
	  .at = PKRAM_A_GIB },
	{ "del: a number and half a range", PKRAM_CMD_POOL_SHRINK, EINVAL, "not both",
	  { A32(GIB, 1), A64(SIZE, GIB) },
	  .at = PKRAM_A_GIB },
	{ "del: no size", PKRAM_CMD_POOL_SHRINK, EINVAL, "size is missing",
	  { A64(BASE, 4 * GIB) },
	  .missing = PKRAM_A_SIZE },
	{ "del: no base", PKRAM_CMD_POOL_SHRINK, EINVAL, "base is missing",
	  { A64(SIZE, GIB) },
	  .missing = PKRAM_A_BASE },
	{ "del: none", PKRAM_CMD_POOL_SHRINK, ERANGE, "out of range", { A32(GIB, 0) },
	  .at = PKRAM_A_GIB },
	{ "del: not of the pool", PKRAM_CMD_POOL_SHRINK, EBUSY, "nothing could be given back",
	  { A64(BASE, 0), A64(SIZE, GIB) } },
	{ "discard: nothing", PKRAM_CMD_OBJECT_DISCARD, EINVAL, "key is missing",
	  .missing = PKRAM_A_OBJECT_KEY },
	{ "discard: no key", PKRAM_CMD_OBJECT_DISCARD, ERANGE, "out of range",
	  { A64(OBJECT_KEY, 0) },
	  .at = PKRAM_A_OBJECT_KEY },
	{ "discard: no such key", PKRAM_CMD_OBJECT_DISCARD, ENOENT, "no object has this key",
	  { A64(OBJECT_KEY, 1ULL << 40) },
	  .at = PKRAM_A_OBJECT_KEY },
	{ "discard: the root", PKRAM_CMD_OBJECT_DISCARD, EINVAL, "not quarantined",
	  { A64(OBJECT_KEY, 1) },
	  .at = PKRAM_A_OBJECT_KEY },
	{ "remove: no DMA table", PKRAM_CMD_DMA_TABLE_REMOVE, EINVAL, "key is missing",
	  .missing = PKRAM_A_OBJECT_KEY },
	{ "remove: no such DMA table", PKRAM_CMD_DMA_TABLE_REMOVE, ENOENT,
	  "no DMA table has this key", { A64(OBJECT_KEY, 1ULL << 40) },
	  .at = PKRAM_A_OBJECT_KEY },
	{ "remove: the root, as a DMA table", PKRAM_CMD_DMA_TABLE_REMOVE, ENOENT,
	  "no DMA table has this key", { A64(OBJECT_KEY, 1) },
	  .at = PKRAM_A_OBJECT_KEY },
	{ "no such command", 99, EOPNOTSUPP, "" },
	{ "no command", 0, EOPNOTSUPP, "" },
	{ "a dump of what is no list", PKRAM_CMD_POOL_GET, EOPNOTSUPP, "", .dump = true },
	{ "one of a list", PKRAM_CMD_REGION_GET, EOPNOTSUPP, "" },
	{ "one of a list", PKRAM_CMD_OBJECT_GET, EOPNOTSUPP, "" },
	{ "one of a list", PKRAM_CMD_DMA_TABLE_GET, EOPNOTSUPP, "" },
	{ "an event", PKRAM_CMD_POOL_GROW_NTF, EOPNOTSUPP, "" },
	{ "the last event", PKRAM_CMD_MAX, EOPNOTSUPP, "" },
};

/* @at: returns the attribute that the answer is about, or 0 */
static int send_bad(struct nl *nl, const struct bad_request *b, uint16_t *at)
{
	struct req q;
	int i, err;

	req_init(&q, nl->family, b->cmd, b->dump ? NLM_F_DUMP : 0);
	for (i = 0; i < 4 && b->attr[i].type; i++)
		req_put(&q, b->attr[i].type, &b->attr[i].value, b->attr[i].len);
	err = nl_talk(nl, &q, NULL, NULL);
	*at = 0;
	if (nl->at && nl->at < q.nlh.nlmsg_len)
		*at = ((struct nlattr *)((char *)&q + nl->at))->nla_type;
	return err;
}

TEST_F(main, invalid_requests_are_explained)
{
	struct nl *nl = &self->nl;
	struct pool before, after;
	size_t i;

	ASSERT_EQ(0, genl_get_pool(nl, &before));
	for (i = 0; i < sizeof(bad_requests) / sizeof(*bad_requests); i++) {
		const struct bad_request *b = &bad_requests[i];
		uint16_t at;
		int err;

		nl->text[0] = '\0';
		err = send_bad(nl, b, &at);
		EXPECT_EQ(-b->err, err) {
			TH_LOG("%s: %s, \"%s\"", b->name, strerror(-err), nl->text);
		}
		EXPECT_NE(NULL, strstr(nl->text, b->words)) {
			TH_LOG("%s: says \"%s\"", b->name, nl->text);
		}
		EXPECT_TRUE(at == b->at && nl->missing == b->missing) {
			TH_LOG("%s: attribute %d is at fault, %d is missing", b->name, at,
			       nl->missing);
		}
		/* Errors of the commands themselves have a text. */
		if (b->err != EOPNOTSUPP)
			EXPECT_NE('\0', nl->text[0]) {
				TH_LOG("%s: says nothing", b->name);
			}
	}
	ASSERT_EQ(0, genl_get_pool(nl, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

TEST_F(main, unknown_attributes_are_refused)
{
	static const uint16_t types[] = { PKRAM_A_NAME, PKRAM_A_MAX, PKRAM_A_MAX + 1, 4000 };
	struct nl *nl = &self->nl;
	struct req q;
	size_t i;
	int cmd;

	/* The numbers after these are events. */
	for (cmd = PKRAM_CMD_POOL_GET; cmd < PKRAM_CMD_POOL_GROW_NTF; cmd++) {
		bool dump = cmd == PKRAM_CMD_REGION_GET || cmd == PKRAM_CMD_OBJECT_GET ||
			    cmd == PKRAM_CMD_DMA_TABLE_GET;

		for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
			req_init(&q, nl->family, cmd, dump ? NLM_F_DUMP : 0);
			req_put32(&q, types[i], 1);
			nl->text[0] = '\0';
			EXPECT_EQ(-EINVAL, nl_talk(nl, &q, NULL, NULL)) {
				TH_LOG("command %d, attribute %d", cmd, types[i]);
			}
			EXPECT_NE('\0', nl->text[0]) {
				TH_LOG("command %d, attribute %d", cmd, types[i]);
			}
		}
	}
}

/* Permissions */

static int sees_no_addresses(struct nl *nl)
{
	struct handover h;
	struct regions r;
	struct pool p;

	HOLDS(!genl_get_pool(nl, &p));
	HOLDS(p.uuid && p.nr_regions && p.size);
	HOLDS(!genl_get_regions(nl, &r));
	HOLDS(r.nr == (int)p.nr_regions && r.size == p.size);
	HOLDS(!r.nr_base);
	HOLDS(!genl_get_handover(nl, &h));
	HOLDS(h.guard && !h.cmdline);
	return 0;
}

static int changes_nothing(struct nl *nl)
{
	static const uint8_t cmds[] = {
		PKRAM_CMD_POOL_GROW, PKRAM_CMD_POOL_ADOPT, PKRAM_CMD_POOL_SHRINK,
		PKRAM_CMD_OBJECT_DISCARD, PKRAM_CMD_OBJECT_GET,
		PKRAM_CMD_DMA_TABLE_REMOVE, PKRAM_CMD_DMA_TABLE_GET, PKRAM_CMD_COUNTERS_GET,
	};
	struct req q;
	size_t i;

	for (i = 0; i < sizeof(cmds); i++) {
		req_init(&q, nl->family, cmds[i],
			 cmds[i] == PKRAM_CMD_OBJECT_GET ||
			 cmds[i] == PKRAM_CMD_DMA_TABLE_GET ? NLM_F_DUMP : 0);
		switch (cmds[i]) {
		case PKRAM_CMD_POOL_GROW:
		case PKRAM_CMD_POOL_SHRINK:
			req_put32(&q, PKRAM_A_GIB, 1);
			break;
		case PKRAM_CMD_POOL_ADOPT:
			req_put64(&q, PKRAM_A_BASE, 0);
			req_put64(&q, PKRAM_A_SIZE, GIB);
			break;
		case PKRAM_CMD_OBJECT_DISCARD:
		case PKRAM_CMD_DMA_TABLE_REMOVE:
			req_put64(&q, PKRAM_A_OBJECT_KEY, 2);
			break;
		}
		nl->text[0] = '\0';
		HOLDS(nl_talk(nl, &q, NULL, NULL) == -EPERM);
		HOLDS(strstr(nl->text, "CAP_SYS_ADMIN"));
	}
	return 0;
}

/* The same with a socket that the process opened itself */
static int own_socket(struct nl *nl)
{
	int line;

	HOLDS(!nl_open(nl));
	HOLDS(!nl_find_family(nl, &nl->family));
	line = sees_no_addresses(nl);
	return line ?: changes_nothing(nl);
}

/* A socket that root opened does not give root's rights */
static int roots_socket(struct nl *nl)
{
	return sees_no_addresses(nl) ?: changes_nothing(nl);
}

static int finds_no_family(struct nl *nl)
{
	uint16_t family;

	HOLDS(!nl_open(nl));
	HOLDS(nl_find_family(nl, &family) == -ENOENT);
	HOLDS(nl_ask(nl, PKRAM_CMD_POOL_GET, 0, NULL, NULL) == -ENOENT);
	return 0;
}

TEST_F(main, users_may_read_but_not_change)
{
	EXPECT_EQ(0, run_as(AS_USER, own_socket, &self->nl));
	EXPECT_EQ(0, run_as(AS_USER, roots_socket, &self->nl));
}

TEST_F(main, cap_net_admin_is_not_enough)
{
	EXPECT_EQ(0, run_as(AS_NET_ADMIN, own_socket, &self->nl));
}

TEST_F(main, root_in_user_namespace_is_not_enough)
{
	EXPECT_EQ(0, run_as(AS_NS_ROOT, own_socket, &self->nl));
}

TEST_F(main, family_is_absent_in_other_network_namespaces)
{
	EXPECT_EQ(0, run_as(AS_OTHER_NETNS, finds_no_family, &self->nl));
}

TEST_F(main, requests_are_answered_during_grow)
{
	struct nl *nl = &self->nl;
	struct { double took; bool grows; } volatile *child;
	int status, answers = 0;
	struct report r;
	uint16_t family;
	struct pool p;
	double begin;
	pid_t pid;

	child = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, child);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (nl_open(nl))
			_exit(1);
		begin = vm_now();
		child->grows = true;
		/* Taking nothing is acceptable: it was tried. */
		genl_grow(nl, 64, &r);
		child->grows = false;
		child->took = vm_now() - begin;
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		bool grew = child->grows;

		ASSERT_EQ(0, nl_find_family(nl, &family));
		ASSERT_EQ(0, genl_get_pool(nl, &p));
		answers += grew && child->grows;
	}
	EXPECT_EQ(0, status);
	TH_LOG("%d answers, grew for %.2f s", answers, child->took);
	if (child->took < 0.2)
		SKIP(return, "growing took no time");
	/* One answer may come after growing has ended and before the child runs. */
	EXPECT_LE(3, answers);
}

TEST_F(main, pool_shrinks_by_range_and_by_size)
{
	struct nl *nl = &self->nl;
	struct regions rs;
	struct report r;
	struct pool p;
	uint64_t base;
	int fd;

	if (genl_get_pool(nl, &p) || !p.nr_regions)
		ASSERT_EQ(0, genl_grow(nl, 2, &r));
	fd = genl_make_file(PKRAM_MNT "/stays", 2 * MIB);
	ASSERT_LE(0, fd);
	close(fd);

	/* The GiB that has the file stays; the answer says so. */
	ASSERT_EQ(0, genl_get_regions(nl, &rs));
	genl_shrink(nl, 64, 0, 0, &r);
	EXPECT_TRUE(r.gib ? r.complete && r.nr_refused : *nl->text);
	ASSERT_EQ(0, genl_get_pool(nl, &p));
	EXPECT_LE(1, p.nr_regions);
	EXPECT_EQ(1, p.nr_objects);
	EXPECT_REFUSED(EBUSY, "nothing could be given back", genl_shrink(nl, 1, 0, 0, &r));

	ASSERT_EQ(0, unlink(PKRAM_MNT "/stays"));
	ASSERT_EQ(0, genl_get_regions(nl, &rs));
	base = rs.base[0];
	ASSERT_EQ(0, genl_shrink(nl, 0, base, GIB, &r)) {
		TH_LOG("%s", nl->text);
	}
	EXPECT_EQ(1, r.gib);
	EXPECT_EQ(1, r.nr_taken);
	EXPECT_EQ(base, r.base[0]);
	EXPECT_EQ(GIB, r.size[0]);
	EXPECT_TRUE(vm_iomem_under(base, base + GIB - 1, "System RAM"));

	if (!genl_get_pool(nl, &p) && p.size)
		EXPECT_EQ(0, genl_shrink(nl, 64, 0, 0, &r));
	ASSERT_EQ(0, genl_get_pool(nl, &p));
	EXPECT_EQ(0, p.size);
	EXPECT_EQ(0, p.nr_regions);
}

TEST_HARNESS_MAIN
