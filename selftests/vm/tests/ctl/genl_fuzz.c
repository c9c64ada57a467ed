// SPDX-License-Identifier: GPL-2.0
/*
 * Random messages to the control plane: valid headers, any attributes. Each message gets
 * an answer; only a successful one may change something; nothing leaks.
 *
 * The seed is printed. To repeat a run: APPEND="fuzz.seed=NUMBER" in the conf.
 */
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/xattr.h>

#include "genl_fixture.h"

#define USER		1000
#define NR_MESSAGES	20000		/* of a run */
#define TIME_LIMIT	25		/* seconds after which a run ends */
#define NR_AT_LEAST	1000		/* but not before this many messages */
#define LEAK_LIMIT	16		/* bytes per message */

static uint64_t rnd_state;

static uint64_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state;
}

static void seed_rnd(void)
{
	char *cmdline = vm_read_file("/proc/cmdline"), *word = NULL;

	if (cmdline)
		word = strstr(cmdline, "fuzz.seed=");
	if (word)
		rnd_state = strtoull(word + strlen("fuzz.seed="), NULL, 0);
	else if (getrandom(&rnd_state, sizeof(rnd_state), 0) < 0)
		rnd_state = 0;
	rnd_state += !rnd_state;
	free(cmdline);
	printf("# fuzz.seed=%#llx\n", (unsigned long long)rnd_state);
	fflush(stdout);
}

static void put_random(struct req *q, int depth)
{
	static const uint8_t lens[] = { 0, 1, 4, 4, 4, 8, 8, 8, 16, 33 };
	uint16_t type = rnd() % (PKRAM_A_MAX + 3);
	struct nlattr *a = (void *)((char *)q + q->nlh.nlmsg_len);
	uint64_t data[8];
	int len = lens[rnd() % sizeof(lens)], i;

	for (i = 0; i < 8; i++)
		data[i] = rnd();
	switch (rnd() % 4) {
	case 0:		/* a range that may be valid */
		data[0] = (data[0] % 64) << 30;
		break;
	case 1:
		data[0] %= 4;
		break;
	}
	/* Do not take memory that the VM needs. */
	if (type == PKRAM_A_GIB)
		data[0] |= 1U << 31;
	if (depth < 3 && !(rnd() % 16)) {
		req_put(q, type | NLA_F_NESTED, NULL, 0);
		for (i = rnd() % 3; i; i--)
			put_random(q, depth + 1);
		a->nla_len = (char *)q + q->nlh.nlmsg_len - (char *)a;
	} else {
		req_put(q, rnd() % 16 ? type : type | NLA_F_NESTED, data, len);
	}
	/* Sometimes the length is wrong. */
	if (!(rnd() % 24))
		a->nla_len = rnd() % 64;
}

static int send_random(struct nl *nl, struct req *q)
{
	int i;

	req_init(q, nl->family, rnd() % (PKRAM_CMD_MAX + 3), rnd() % 3 ? 0 : NLM_F_DUMP);
	/* Most command numbers are those of events. */
	if (rnd() % 4)
		q->genl.cmd = rnd() % PKRAM_CMD_POOL_GROW_NTF;
	if (!(rnd() % 32))
		q->genl.version = rnd();
	if (!(rnd() % 32))
		q->genl.reserved = rnd();
	for (i = rnd() % 5; i; i--)
		put_random(q, 0);
	return nl_talk(nl, q, NULL, NULL);
}

static bool changes(uint8_t cmd)
{
	return cmd == PKRAM_CMD_POOL_GROW || cmd == PKRAM_CMD_POOL_ADOPT ||
	       cmd == PKRAM_CMD_POOL_SHRINK || cmd == PKRAM_CMD_OBJECT_DISCARD ||
	       cmd == PKRAM_CMD_DMA_TABLE_REMOVE;
}

/*
 * Send @nr messages; the pool is unchanged after each one that was refused or that only
 * reads
 *
 * Return: number of messages sent, or 0
 */
static int fuzz(struct nl *nl, int nr, bool root)
{
	double end = vm_now() + TIME_LIMIT;
	struct pool before, after;
	struct req q;
	int n, err;

	if (genl_get_pool(nl, &before))
		return 0;
	for (n = 0; n < nr && (n < NR_AT_LEAST || vm_now() < end); n++) {
		err = send_random(nl, &q);
		if (err > 0 || err <= -4096 || err == -EAGAIN || err == -EMSGSIZE) {
			printf("# command %d: answer %d\n", q.genl.cmd, err);
			return 0;
		}
		if (!changes(q.genl.cmd))
			continue;
		if (genl_get_pool(nl, &after))
			return 0;
		if (memcmp(&before, &after, sizeof(before)) && (err || !root)) {
			printf("# command %d: answer %d, but the pool is another one\n",
			       q.genl.cmd, err);
			return 0;
		}
		before = after;
	}
	printf("# %d messages\n", n);
	return n;
}

/* Add up all attributes of the objects */
static void add_up(const struct tb *tb, void *arg)
{
	const uint8_t *p = (const void *)tb->first;
	uint64_t *sum = arg;
	int i;

	for (i = 0; i < tb->len; i++)
		*sum = (*sum ^ p[i]) * 0x100000001b3;
}

static uint64_t objects(struct nl *nl)
{
	uint64_t sum = 0xcbf29ce484222325;

	return nl_ask(nl, PKRAM_CMD_OBJECT_GET, NLM_F_DUMP, add_up, &sum) ? 0 : sum;
}

static bool debug_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

TEST_F(main, creates_a_pool_with_objects)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	struct report r;
	int fd, i;
	char path[64];

	ASSERT_EQ(0, genl_grow(&self->nl, 2, &r));
	ASSERT_EQ(0, mkdir(PKRAM_MNT "/dir", 0755));
	for (i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), PKRAM_MNT "/dir/%d", i);
		fd = genl_make_file(path, i * MIB);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, fsetxattr(fd, "user.n", path, strlen(path), 0));
		if (i % 4 == 1)
			ASSERT_EQ(0, ioctl(fd, PKRAM_IOC_CLAIM, &claim));
		close(fd);
	}
}

TEST_F(main, random_messages_of_a_user_change_nothing)
{
	struct nl *nl = &self->nl;
	struct regions rs[2];
	uint64_t sum = objects(nl);
	int status;
	pid_t pid;

	ASSERT_NE(0, sum);
	ASSERT_EQ(0, genl_get_regions(nl, &rs[0]));
	seed_rnd();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(nl->fd);
		if (setgid(USER) || setuid(USER) || nl_open(nl))
			_exit(2);
		_exit(fuzz(nl, NR_MESSAGES, false) < 100);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(sum, objects(nl));
	ASSERT_EQ(0, genl_get_regions(nl, &rs[1]));
	EXPECT_EQ(0, memcmp(&rs[0], &rs[1], sizeof(rs[0])));
}

TEST_F(main, random_messages_of_root_do_only_what_they_ask)
{
	struct nl *nl = &self->nl;
	uint64_t sum = objects(nl);
	struct pool p;

	ASSERT_NE(0, sum);
	seed_rnd();
	EXPECT_LE(100, fuzz(nl, NR_MESSAGES, true));
	/* Unused GiB may be gone, but no object is, and none was damaged. */
	EXPECT_EQ(sum, objects(nl));
	ASSERT_EQ(0, genl_get_pool(nl, &p));
	EXPECT_EQ(21, p.nr_objects);
	EXPECT_EQ(0, p.nr_quarantined);
}

TEST_F(main, nothing_leaks)
{
	struct nl *nl = &self->nl;
	long long before, after;
	int n;

	if (debug_kernel())
		SKIP(return, "kmemleak looks for leaks here, at the end of the boot");
	seed_rnd();
	/* Warm up caches */
	ASSERT_LE(100, fuzz(nl, 2000, true));
	before = vm_meminfo("SUnreclaim") + vm_meminfo("VmallocUsed");
	n = fuzz(nl, NR_MESSAGES, true);
	after = vm_meminfo("SUnreclaim") + vm_meminfo("VmallocUsed");
	ASSERT_LE(1000, n);
	printf("# %lld bytes more after %d messages\n", after - before, n);
	EXPECT_LT(after - before, (long long)n * LEAK_LIMIT);
}

TEST_HARNESS_MAIN
