// SPDX-License-Identifier: GPL-2.0
/* The control plane: lists of objects, while objects are created and removed */
#include "genl_fixture.h"

#define NR_MANY		600
#define NR_KEPT		150

/**
 * struct list - objects that a dump reported
 * @nr: number of them
 * @last: key of the last one
 * @rising: keys came in rising order
 * @kept: how often each of the files kept/N was reported
 * @want: name of one object to look at
 * @tb: its attributes, in @copy
 * @copy: bytes of its message
 */
struct list {
	int nr;
	uint64_t last;
	bool rising;
	int kept[NR_KEPT];
	const char *want;
	struct tb tb;
	char copy[16384];
};

static void take_object(const struct tb *tb, void *arg)
{
	const char *name = attr_str(tb->a[PKRAM_A_NAME]);
	uint64_t key = attr_u64(tb->a[PKRAM_A_OBJECT_KEY]);
	struct list *l = arg;
	unsigned int n;

	if (!l->nr++)
		l->rising = true;
	else if (key <= l->last)
		l->rising = false;
	l->last = key;
	if (sscanf(name, "/kept/%u", &n) == 1 && n < NR_KEPT)
		l->kept[n]++;
	if (l->want && !strcmp(name, l->want) && tb->len <= (int)sizeof(l->copy)) {
		memcpy(l->copy, tb->first, tb->len);
		attrs_parse(&l->tb, l->copy, tb->len);
	}
}

static int list(struct nl *nl, const char *want, struct list *l)
{
	memset(l, 0, sizeof(*l));
	l->want = want;
	return nl_ask(nl, PKRAM_CMD_OBJECT_GET, NLM_F_DUMP, take_object, l);
}

static struct list l;

TEST_F(main, dump_without_pool_is_empty)
{
	ASSERT_EQ(0, list(&self->nl, NULL, &l));
	EXPECT_EQ(0, l.nr);
}

TEST_F(main, dump_of_empty_pool_is_empty)
{
	struct report r;

	/* More than needed, so that regions can be given back and taken */
	ASSERT_EQ(0, genl_grow(&self->nl, 3, &r));
	ASSERT_EQ(0, list(&self->nl, NULL, &l));
	EXPECT_EQ(0, l.nr);
}

TEST_F(main, dump_has_all_attributes)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	struct nl *nl = &self->nl;
	struct stat st;
	int fd;

	ASSERT_EQ(0, mkdir(PKRAM_MNT "/dir", 0711));
	fd = genl_make_file(PKRAM_MNT "/dir/file", 3 * MIB);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fchown(fd, 5, 7));
	ASSERT_EQ(0, fstat(fd, &st));

	ASSERT_EQ(0, list(nl, "/dir/file", &l));
	EXPECT_EQ(2, l.nr);
	EXPECT_EQ(st.st_ino, attr_u64(l.tb.a[PKRAM_A_OBJECT_ID]));
	EXPECT_EQ(st.st_ino, attr_u64(l.tb.a[PKRAM_A_OBJECT_KEY]));
	EXPECT_EQ(S_IFREG | 0640, attr_u32(l.tb.a[PKRAM_A_MODE]));
	EXPECT_EQ(5, attr_u32(l.tb.a[PKRAM_A_UID]));
	EXPECT_EQ(7, attr_u32(l.tb.a[PKRAM_A_GID]));
	EXPECT_EQ(3 * MIB, attr_u64(l.tb.a[PKRAM_A_SIZE]));
	EXPECT_EQ(4 * MIB, attr_u64(l.tb.a[PKRAM_A_ALLOCATED]));
	EXPECT_EQ(1, attr_u32(l.tb.a[PKRAM_A_NR_EXTENTS]));
	EXPECT_EQ(PKRAM_STATE_IDLE, attr_u32(l.tb.a[PKRAM_A_STATE]));
	EXPECT_EQ(0, attr_u64(l.tb.a[PKRAM_A_GENERATION]));
	EXPECT_EQ(NULL, l.tb.a[PKRAM_A_QUARANTINE]);

	ASSERT_EQ(0, ioctl(fd, PKRAM_IOC_CLAIM, &claim));
	ASSERT_EQ(0, list(nl, "/dir/file", &l));
	EXPECT_EQ(PKRAM_STATE_CLAIMED, attr_u32(l.tb.a[PKRAM_A_STATE]));

	ASSERT_EQ(0, list(nl, "/dir", &l));
	EXPECT_EQ(S_IFDIR | 0711, attr_u32(l.tb.a[PKRAM_A_MODE]));
	EXPECT_EQ(0, attr_u64(l.tb.a[PKRAM_A_ALLOCATED]));

	EXPECT_REFUSED(EINVAL, "not quarantined", genl_discard(nl, st.st_ino));
	close(fd);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/dir/file"));
	EXPECT_EQ(0, rmdir(PKRAM_MNT "/dir"));
	ASSERT_EQ(0, list(nl, NULL, &l));
	EXPECT_EQ(0, l.nr);
}

TEST_F(main, dump_has_paths_of_any_length)
{
	char name[NAME_MAX + 1], path[PATH_MAX] = "", longest[PATH_MAX] = "";
	struct nl *nl = &self->nl;
	int i, n;

	memset(name, 'x', NAME_MAX);
	name[NAME_MAX] = '\0';
	/* 17 * 256 is longer than PATH_MAX: such objects are reported without a name. */
	ASSERT_EQ(0, chdir(PKRAM_MNT));
	for (i = 0; i < 17; i++) {
		n = strlen(path);
		if (n + 1 + NAME_MAX < PATH_MAX) {
			path[n] = '/';
			memcpy(path + n + 1, name, sizeof(name));
			strcpy(longest, path);
		}
		ASSERT_EQ(0, mkdir(name, 0755));
		ASSERT_EQ(0, chdir(name));
	}
	ASSERT_EQ(0, list(nl, longest, &l));
	EXPECT_EQ(17, l.nr);
	EXPECT_NE(NULL, l.tb.a[PKRAM_A_OBJECT_KEY]);

	for (i = 0; i < 17; i++) {
		ASSERT_EQ(0, chdir(".."));
		ASSERT_EQ(0, rmdir(name));
	}
	ASSERT_EQ(0, chdir("/"));
}

TEST_F(main, dump_spans_several_messages)
{
	struct nl *nl = &self->nl;
	struct pool p;
	char path[64];
	int i, fd;

	for (i = 0; i < NR_MANY; i++) {
		snprintf(path, sizeof(path), PKRAM_MNT "/many-%d", i);
		fd = genl_make_file(path, 0);
		ASSERT_LE(0, fd);
		close(fd);
	}
	ASSERT_EQ(0, list(nl, "/many-599", &l));
	EXPECT_EQ(NR_MANY, l.nr);
	EXPECT_TRUE(l.rising);
	EXPECT_NE(NULL, l.tb.a[PKRAM_A_OBJECT_KEY]);
	ASSERT_EQ(0, genl_get_pool(nl, &p));
	EXPECT_EQ(NR_MANY, p.nr_objects);
	for (i = 0; i < NR_MANY; i++) {
		snprintf(path, sizeof(path), PKRAM_MNT "/many-%d", i);
		ASSERT_EQ(0, unlink(path));
	}
}

/* Create, rename and remove files until killed */
static void churn(const char *who)
{
	char a[64], b[64];
	unsigned int i;
	int fd;

	for (i = 0;; i++) {
		snprintf(a, sizeof(a), PKRAM_MNT "/%s-%u", who, i % 40);
		snprintf(b, sizeof(b), PKRAM_MNT "/%s-%u-moved", who, i % 40);
		fd = genl_make_file(a, i % 3 * MIB);
		if (fd >= 0)
			close(fd);
		if (i % 2)
			rename(a, b);
		if (i >= 20) {
			snprintf(a, sizeof(a), PKRAM_MNT "/%s-%u", who, (i - 20) % 40);
			unlink(a);
			strcat(a, "-moved");
			unlink(a);
		}
	}
}

TEST_F(main, dump_lists_stable_objects_once_during_changes)
{
	struct nl *nl = &self->nl;
	pid_t pid[3];
	char path[64];
	int i, n, fd;
	double end;

	ASSERT_EQ(0, mkdir(PKRAM_MNT "/kept", 0755));
	for (i = 0; i < NR_KEPT; i++) {
		snprintf(path, sizeof(path), PKRAM_MNT "/kept/%d", i);
		fd = genl_make_file(path, 0);
		ASSERT_LE(0, fd);
		close(fd);
	}
	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (pid[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The last one is a second reader. */
		if (i < 2)
			churn(i ? "one" : "two");
		if (nl_open(nl))
			_exit(1);
		for (;;)
			if (list(nl, NULL, &l))
				_exit(1);
	}
	for (n = 0, end = vm_now() + 20; n < 6 || vm_now() < end; n++) {
		ASSERT_EQ(0, list(nl, NULL, &l));
		ASSERT_TRUE(l.rising);
		for (i = 0; i < NR_KEPT; i++)
			ASSERT_EQ(1, l.kept[i]);
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, waitpid(pid[i], NULL, WNOHANG));
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	EXPECT_EQ(0, vm_run(NULL, "rm -rf %s/*", PKRAM_MNT));
	ASSERT_EQ(0, list(nl, NULL, &l));
	EXPECT_EQ(0, l.nr);
}

/* Give a GiB back, or take one */
static bool change_regions(struct nl *nl)
{
	struct report r;

	return !genl_shrink(nl, 1, 0, 0, &r) || !genl_grow(nl, 1, &r);
}

/*
 * A dump is marked as interrupted when regions change, so that the reader repeats it. So
 * are dumps of objects, which are loaded again when a region is attached.
 */
TEST_F(main, dump_is_marked_interrupted_when_regions_change)
{
	static const uint8_t cmds[] = { PKRAM_CMD_REGION_GET, PKRAM_CMD_OBJECT_GET };
	struct nl *nl = &self->nl, *other = malloc(sizeof(*other));
	struct req q;
	size_t i;
	int fd, n;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, nl_open(other));
	other->family = nl->family;
	fd = genl_make_file(PKRAM_MNT "/f", 0);
	ASSERT_LE(0, fd);
	close(fd);
	for (i = 0; i < 2 * sizeof(cmds); i++) {
		bool change = i % 2;

		req_init(&q, other->family, cmds[i / 2], NLM_F_DUMP);
		/* The kernel fills the first datagram now, the next one when the first is read. */
		ASSERT_EQ(0, nl_send(other, &q));
		/* A new object does not interrupt a dump. */
		fd = genl_make_file(PKRAM_MNT "/g", 0);
		ASSERT_LE(0, fd);
		close(fd);
		if (change)
			ASSERT_TRUE(change_regions(nl)) {
				TH_LOG("%s", nl->text);
			}
		ASSERT_EQ(0, nl_take(other, NULL, NULL));
		EXPECT_EQ(change, other->interrupted) {
			TH_LOG("list %d", cmds[i / 2]);
		}
		/* The next dump is complete again. */
		for (n = 0; change && n < 2; n++) {
			ASSERT_EQ(0, nl_ask(other, cmds[i / 2], NLM_F_DUMP, NULL, NULL));
			EXPECT_FALSE(other->interrupted);
		}
		ASSERT_EQ(0, unlink(PKRAM_MNT "/g"));
	}
	ASSERT_EQ(0, unlink(PKRAM_MNT "/f"));
	close(other->fd);
	free(other);
}

/* A reader that closes its socket in the middle of a dump leaves nothing behind */
TEST_F(main, unfinished_dumps_do_no_harm)
{
	struct nl *nl = &self->nl;
	struct req q;
	int i;

	for (i = 0; i < 200; i++) {
		struct nl *other = malloc(sizeof(*other));

		ASSERT_NE(NULL, other);
		ASSERT_EQ(0, nl_open(other));
		req_init(&q, nl->family, i % 2 ? PKRAM_CMD_OBJECT_GET : PKRAM_CMD_REGION_GET,
			 NLM_F_DUMP);
		ASSERT_EQ(q.nlh.nlmsg_len, send(other->fd, &q, q.nlh.nlmsg_len, 0));
		close(other->fd);
		free(other);
	}
}

TEST_HARNESS_MAIN
