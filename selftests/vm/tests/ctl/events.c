// SPDX-License-Identifier: GPL-2.0
/*
 * Events: each kind with its attributes, who may receive them, and what a slow receiver
 * gets. Then events of damage, which is made in preserved memory between two kernels.
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "test.h"

#include "damage.h"
#include "pool.h"
#include <pkram.h>

/* As in events.conf */
#define FIRST		0x100000000ULL
#define SECOND		(FIRST + GIB)
#define ADOPT_FIRST	"pool adopt 0x100000000+1G"
#define ADOPT_SECOND	"pool adopt 0x140000000+1G"

#define USER		1000

FIXTURE(changes)
{
	struct pkram_ctx *ctx;
};

FIXTURE_SETUP(changes)
{
	if (!vm_module_loaded("pkram"))
		ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pkram_open(&self->ctx));
	ASSERT_EQ(0, pkram_event_listen(self->ctx)) {
		TH_LOG("%s", pkram_strerror(self->ctx));
	}
}

FIXTURE_TEARDOWN(changes)
{
	pkram_close(self->ctx);
}

/* Receive and print the next event; return it if it is of this kind, else NULL */
static struct pkram_event *next(struct pkram_ctx *ctx, uint32_t kind)
{
	struct pkram_event *ev;
	int err = pkram_event_next(ctx, &ev);

	if (!err && ev->kind == kind)
		return ev;
	printf("# want %s, got %s\n", pkram_event_name(kind),
	       err ? pkram_strerror(ctx) : pkram_event_name(ev->kind));
	pkram_event_free(ev);
	return NULL;
}

static bool no_more(struct pkram_ctx *ctx)
{
	struct pkram_event *ev;
	int err = pkram_event_next(ctx, &ev);

	if (!err)
		printf("# one too many: %s\n", pkram_event_name(ev->kind));
	pkram_event_free(ev);
	return err == -EAGAIN;
}

static bool is_range(struct pkram_ctx *ctx, uint32_t kind, uint64_t base, uint64_t size)
{
	struct pkram_event *ev = next(ctx, kind);
	bool good = ev && (!base || ev->base == base) && ev->size == size &&
		    ev->base % GIB == 0 && !ev->object;

	pkram_event_free(ev);
	return good;
}

static bool is_handover(struct pkram_ctx *ctx, uint32_t mode)
{
	struct pkram_event *ev = next(ctx, PKRAM_CMD_HANDOVER_NTF);
	bool good = ev && ev->handover_mode == mode;

	pkram_event_free(ev);
	return good;
}

/* Check an event about an object; @more: its old name, label or reason */
static bool is_object(struct pkram_ctx *ctx, uint32_t kind, const char *name,
		      uint32_t state, const char *more)
{
	struct pkram_event *ev = next(ctx, kind);
	const char *told;
	bool good;

	if (!ev)
		return false;
	told = ev->old_name ?: ev->label ?: ev->reason;
	good = ev->object && ev->object->name && !strcmp(ev->object->name, name) &&
	       ev->object->state == state && !told == !more &&
	       (!more || strstr(told, more));
	if (!good)
		printf("# %s: %s, %s, %s\n", pkram_event_name(kind),
		       ev->object ? ev->object->name : "no object",
		       ev->object ? pkram_state_name(ev->object->state) : "", told);
	pkram_event_free(ev);
	return good;
}

TEST_F(changes, pool_changes_are_reported)
{
	struct pkram_ctx *ctx = self->ctx;

	ASSERT_EQ(0, pool_grow(1));
	EXPECT_TRUE(is_handover(ctx, PKRAM_HANDOVER_E820));
	EXPECT_TRUE(is_range(ctx, PKRAM_CMD_POOL_GROW_NTF, 0, GIB));
	EXPECT_TRUE(no_more(ctx));

	ASSERT_EQ(0, vm_run(NULL, CTL "pool shrink 1G"));
	EXPECT_TRUE(is_handover(ctx, PKRAM_HANDOVER_NONE));
	EXPECT_TRUE(is_range(ctx, PKRAM_CMD_POOL_SHRINK_NTF, 0, GIB));
	EXPECT_TRUE(no_more(ctx));

	/* A failure causes no event, but quarantined memory does. */
	ASSERT_EQ(1, vm_run(NULL, CTL ADOPT_SECOND));
	EXPECT_TRUE(is_handover(ctx, PKRAM_HANDOVER_E820));
	EXPECT_TRUE(is_range(ctx, PKRAM_CMD_REGION_QUARANTINE_NTF, SECOND, GIB));
	EXPECT_TRUE(is_handover(ctx, PKRAM_HANDOVER_NONE));
	ASSERT_EQ(0, vm_run(NULL, CTL ADOPT_FIRST " --format"));
	EXPECT_TRUE(is_handover(ctx, PKRAM_HANDOVER_E820));
	EXPECT_TRUE(is_range(ctx, PKRAM_CMD_REGION_QUARANTINE_NTF, FIRST, GIB));
	EXPECT_TRUE(is_range(ctx, PKRAM_CMD_POOL_ADOPT_NTF, FIRST, GIB));
	EXPECT_TRUE(no_more(ctx));
}

/* Do everything that causes an event of an object, and check the events */
static int live(void)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	struct pkram_ioc_seal seal = {
		.size = sizeof(seal), .cookie = "cookie", .vm_uuid = "a guest",
	};
	int fd;

	if (chdir(PKRAM_MNT) || mkdir("dir", 0755))
		return -1;
	fd = open("dir/new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 4 * MIB) || fchmod(fd, 0640) ||
	    fsetxattr(fd, "user.os", "debian", 6, 0) || fremovexattr(fd, "user.os") ||
	    rename("dir/new", "vm") || rename("dir", "directory"))
		return -1;
	/* Claim, seal, close; claim and resume; seal again and unseal */
	if (pkram_file_claim(fd, &claim) || pkram_file_seal(fd, &seal))
		return -1;
	close(fd);
	fd = open("vm", O_RDWR | O_EXCL | O_CLOEXEC);
	claim.flags = PKRAM_CLAIM_SEALED;
	if (fd < 0 || pkram_file_claim(fd, &claim) || pkram_file_resume(fd, &seal) ||
	    pkram_file_seal(fd, &seal))
		return -1;
	claim.flags = PKRAM_CLAIM_UNSEAL;
	if (pkram_file_claim(fd, &claim))
		return -1;
	close(fd);
	/* Changes of memory, times and open files cause no event. */
	fd = open("vm", O_RDWR | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, "x", 1, 0) != 1 || futimens(fd, NULL) ||
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * MIB) ||
	    pwrite(fd, "x", 1, 4 * MIB) != 1 || fchmod(fd, 0640) || close(fd))
		return -1;
	fd = open("other", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd) || rename("other", "vm") || unlink("vm") || rmdir("directory"))
		return -1;
	return chdir("/");
}

TEST_F(changes, object_changes_are_reported)
{
	struct pkram_ctx *ctx = self->ctx;

#define TOLD(kind, name, state, more)						\
	EXPECT_TRUE(is_object(ctx, PKRAM_CMD_OBJECT_##kind##_NTF, name,		\
			      PKRAM_STATE_##state, more))
	ASSERT_EQ(0, live());
	TOLD(CREATE, "/dir", IDLE, NULL);
	TOLD(CREATE, "/dir/new", IDLE, NULL);
	TOLD(CHANGE, "/dir/new", IDLE, NULL);
	TOLD(CHANGE, "/dir/new", IDLE, NULL);
	TOLD(LABEL, "/dir/new", IDLE, "os");
	TOLD(LABEL, "/dir/new", IDLE, "os");
	TOLD(RENAME, "/vm", IDLE, "/dir/new");
	TOLD(RENAME, "/directory", IDLE, "/dir");
	TOLD(CLAIM, "/vm", CLAIMED, NULL);
	TOLD(SEAL, "/vm", SEALED, NULL);
	TOLD(RELEASE, "/vm", SEALED, NULL);
	TOLD(CLAIM, "/vm", SEALED, NULL);
	TOLD(RESUME, "/vm", CLAIMED, NULL);
	TOLD(SEAL, "/vm", SEALED, NULL);
	TOLD(UNSEAL, "/vm", CLAIMED, NULL);
	TOLD(RELEASE, "/vm", RUNNING, NULL);
	TOLD(CREATE, "/other", IDLE, NULL);
	TOLD(REMOVE, "/vm", RUNNING, NULL);
	TOLD(RENAME, "/vm", IDLE, "/other");
	TOLD(REMOVE, "/vm", IDLE, NULL);
	TOLD(REMOVE, "/directory", IDLE, NULL);
	EXPECT_TRUE(no_more(ctx));
}

TEST_F(changes, object_events_carry_all_attributes)
{
	struct pkram_event *ev;
	int fd = open(PKRAM_MNT "/f", O_RDWR | O_CREAT | O_EXCL, 0640);
	struct stat st;

	ASSERT_LE(0, fd);
	pkram_event_free(next(self->ctx, PKRAM_CMD_OBJECT_CREATE_NTF));
	ASSERT_EQ(0, fstat(fd, &st));
	ASSERT_EQ(0, ftruncate(fd, 3 * MIB));
	ev = next(self->ctx, PKRAM_CMD_OBJECT_CHANGE_NTF);
	ASSERT_NE(NULL, ev);
	EXPECT_EQ(st.st_ino, ev->object->id);
	EXPECT_EQ(st.st_ino, ev->object->key);
	EXPECT_EQ(3 * MIB, ev->object->size);
	EXPECT_EQ(4 * MIB, ev->object->allocated);
	EXPECT_EQ(1, ev->object->nr_extents);
	EXPECT_EQ(S_IFREG | 0640, ev->object->mode);
	EXPECT_EQ(0, ev->object->uid);
	EXPECT_EQ(0, ev->object->generation);
	EXPECT_EQ(NULL, ev->object->quarantine);
	EXPECT_EQ(NULL, ev->object->next);
	pkram_event_free(ev);
	close(fd);
	ASSERT_EQ(0, unlink(PKRAM_MNT "/f"));
}

TEST_F(changes, refused_kexec_is_reported)
{
	static char code[4096] = { 0xf4 };
	struct kexec_segment seg = {
		.buf = code, .bufsz = sizeof(code),
		.mem = (void *)(32 * MIB), .memsz = sizeof(code),
	};
	struct pkram_event *ev;

	EXPECT_EQ(-1, syscall(SYS_kexec_load, 32 * MIB, 1UL, &seg,
			      (unsigned long)KEXEC_ARCH_DEFAULT)) {
		/* Unload it: it would be the next kernel. */
		syscall(SYS_kexec_load, 0UL, 0UL, NULL, (unsigned long)KEXEC_ARCH_DEFAULT);
	}
	ev = next(self->ctx, PKRAM_CMD_KEXEC_REFUSE_NTF);
	ASSERT_NE(NULL, ev);
	EXPECT_NE(NULL, strstr(ev->reason, "kexec -s"));
	pkram_event_free(ev);
	EXPECT_TRUE(no_more(self->ctx));
}

TEST_F(changes, lost_events_are_reported)
{
	int fd = pkram_event_fd(self->ctx), small = 1, i, n = 0, err;
	struct pkram_event *ev;

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, chmod(PKRAM_MNT, i % 2 ? 0755 : 0700));
	while (!(err = pkram_event_next(self->ctx, &ev))) {
		pkram_event_free(ev);
		n++;
	}
	EXPECT_EQ(-ENOBUFS, err);
	EXPECT_NE(NULL, strstr(pkram_strerror(self->ctx), "list the objects again"));
	while (!(err = pkram_event_next(self->ctx, &ev))) {
		pkram_event_free(ev);
		n++;
	}
	EXPECT_EQ(-EAGAIN, err);
	EXPECT_LT(n, 100);
	/* From here on it receives all events again. */
	ASSERT_EQ(0, chmod(PKRAM_MNT, 0700));
	EXPECT_TRUE(is_object(self->ctx, PKRAM_CMD_OBJECT_CHANGE_NTF, "/", 0, NULL));
	ASSERT_EQ(0, chmod(PKRAM_MNT, 0755));
}

/* No event is lost or out of order while several processes change many objects */
TEST_F(changes, events_of_an_object_keep_their_order)
{
	uint64_t size[4] = { 0 };
	struct pkram_event *ev;
	int i, n = 0, k, status;
	char path[64];
	pid_t pid[4];

	for (k = 0; k < 4; k++) {
		pid[k] = fork();
		ASSERT_LE(0, pid[k]);
		if (pid[k])
			continue;
		snprintf(path, sizeof(path), PKRAM_MNT "/%d", k);
		close(open(path, O_RDWR | O_CREAT | O_EXCL, 0600));
		for (i = 1; i <= 200; i++)
			if (truncate(path, i))
				_exit(1);
		_exit(unlink(path) != 0);
	}
	for (k = 0; k < 4; k++) {
		ASSERT_EQ(pid[k], waitpid(pid[k], &status, 0));
		ASSERT_EQ(0, status);
	}
	while (!pkram_event_next(self->ctx, &ev)) {
		k = ev->object->name[1] - '0';
		ASSERT_TRUE(k >= 0 && k < 4);
		if (ev->kind == PKRAM_CMD_OBJECT_CHANGE_NTF)
			ASSERT_EQ(++size[k], ev->object->size);
		pkram_event_free(ev);
		n++;
	}
	EXPECT_EQ(4 * 202, n);
}

/* Permission to receive */

static int hears_as(bool user, int namespaces)
{
	struct pkram_ctx *ctx;

	if (user && (setgid(USER) || setuid(USER)))
		return -1;
	if (namespaces && unshare(namespaces))
		return -1;
	if (pkram_open(&ctx))
		return -2;
	return -pkram_event_listen(ctx);
}

static int result_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(changes, only_root_may_subscribe)
{
	pid_t pid = fork();

	if (!pid)
		_exit(hears_as(true, 0));
	EXPECT_EQ(EPERM, result_of(pid));
	pid = fork();
	if (!pid)
		_exit(hears_as(true, CLONE_NEWUSER));
	EXPECT_EQ(EPERM, result_of(pid));
	pid = fork();
	if (!pid)
		_exit(hears_as(false, 0));
	EXPECT_EQ(0, result_of(pid));
}

/* The group's number is not secret: the controller's answer contains it */
static int spy(int namespaces, int go, int done)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd, group, one = 1, heard = 0;
	char buf[4096];

	if (unshare(namespaces))
		return -1;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_GENERIC);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &one, sizeof(one));
	/* Try all group numbers that may exist; some of them may be refused. */
	for (group = 1; group < 256; group++)
		setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
	if (write(go, "", 1) != 1 || read(done, buf, 1) != 1)
		return -1;
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		heard++;
	return heard;
}

static int spy_on_a_change(int namespaces, bool user)
{
	int go[2], done[2];
	char c;
	pid_t pid;

	if (pipe(go) || pipe(done))
		return -1;
	pid = fork();
	if (!pid) {
		if (user && (setgid(USER) || setuid(USER)))
			_exit(255);
		_exit(spy(namespaces, go[1], done[0]));
	}
	if (read(go[0], &c, 1) != 1 || mkdir(PKRAM_MNT "/secret", 0700) ||
	    rmdir(PKRAM_MNT "/secret") || write(done[1], "", 1) != 1)
		return -1;
	close(go[0]);
	close(go[1]);
	close(done[0]);
	close(done[1]);
	return result_of(pid);
}

TEST_F(changes, other_network_namespaces_get_no_events)
{
	/* Without a namespace the spy receives the events. */
	EXPECT_EQ(2, spy_on_a_change(0, false));
	EXPECT_EQ(0, spy_on_a_change(0, true));
	EXPECT_EQ(0, spy_on_a_change(CLONE_NEWNET, false));
	EXPECT_EQ(0, spy_on_a_change(CLONE_NEWUSER | CLONE_NEWNET, true));
}

/* The tool */

static const char rename_line[] =
	"object-rename /vm state idle size 4 MiB mode -rw-r----- from /dir/new\n";

static const char *const names[] = {
	"object-create", "object-change", "object-claim", "object-seal", "object-release",
	"object-resume", "object-unseal", "object-label", "object-rename", "object-remove",
};

/* Count sockets that have joined a group of generic netlink (protocol 16) */
static int listeners(void)
{
	char *out;
	int n;

	if (vm_run(&out, "awk '$2 == 16 && $4 != \"00000000\"' /proc/net/netlink | wc -l"))
		return -1;
	n = atoi(out);
	free(out);
	return n;
}

TEST_F(changes, pkramctl_monitor_prints_events)
{
	char *text, *json, want[64];
	struct pkram_event *ev;
	size_t i;
	int n = 0, before = listeners();

	ASSERT_EQ(0, vm_run(NULL, CTL "monitor --count 21 >/tmp/text 2>&1 &"));
	ASSERT_EQ(0, vm_run(NULL, CTL "-j monitor --timestamp --count 21 >/tmp/json 2>&1 &"));
	VM_WAIT(listeners() >= before + 2);
	ASSERT_EQ(0, live());
	while (!pkram_event_next(self->ctx, &ev)) {
		pkram_event_free(ev);
		n++;
	}
	EXPECT_EQ(21, n);
	/* They exit when they have received all events. (This test's name has "monitor".) */
	VM_WAIT(vm_run(NULL, "ps | grep -q '[-]-count 21'"));
	text = vm_read_file("/tmp/text");
	json = vm_read_file("/tmp/json");
	ASSERT_TRUE(text && json);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(want, sizeof(want), "%s /", names[i]);
		EXPECT_NE(NULL, strstr(text, want)) {
			TH_LOG("no \"%s\" in: %s", want, text);
		}
		snprintf(want, sizeof(want), "\"event\":\"%s\",\"object\":{", names[i]);
		EXPECT_NE(NULL, strstr(json, want)) {
			TH_LOG("no %s in: %s", want, json);
		}
	}
	EXPECT_NE(NULL, strstr(text, rename_line));
	EXPECT_EQ(0, strncmp(json, "{\"time\":\"20", 11));
	free(text);
	free(json);
}

TEST_F(changes, creates_two_files_for_the_next_kernel)
{
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/broken", 64 * MIB, 1));
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/map", 512 * MIB, 2));
}

FIXTURE(damage)
{
	struct pkram_ctx *ctx;
};

/* Word (8 bytes) of the unit map that has the last unit of the file "map" */
static uint32_t map_word;

FIXTURE_SETUP(damage)
{
	struct dm_record *d;
	bool mirror;
	int cur;

	dm_regions[0].base = FIRST;
	dm_regions[0].head = dm_map(FIRST, PKRAM_UNIT);
	ASSERT_NE(NULL, dm_regions[0].head);
	ASSERT_EQ(0, pkram_header_read(dm_regions[0].head, FIRST, &dm_regions[0].h, &cur,
				       &mirror));
	dm_nr_regions = 1;
	ASSERT_LT(0, dm_find_records());
	d = dm_find("map");
	ASSERT_NE(NULL, d);
	map_word = (d->rec.extents[0].region_unit + d->rec.extents[0].nr_units - 1) /
		   PKRAM_MAP_WORD_UNITS;
	/* One bit of each copy */
	d = dm_find("broken");
	ASSERT_NE(NULL, d);
	d->a[offsetof(struct pkram_record_ser, mtime)] ^= 1;
	d->a[d->slot + offsetof(struct pkram_record_ser, mtime)] ^= 2;
	/* No receiver exists while the module attaches the pool. */
	ASSERT_EQ(0, pool_up("handover=memmap"));
	ASSERT_EQ(0, pkram_open(&self->ctx));
	ASSERT_EQ(0, pkram_event_listen(self->ctx));
}

FIXTURE_TEARDOWN(damage)
{
	pkram_close(self->ctx);
}

TEST_F(damage, damage_is_reported_when_found)
{
	struct pkram_ctx *ctx = self->ctx;
	struct pkram_event *ev;
	char buf[4096];
	uint64_t key;
	int fd, i;

	ASSERT_EQ(0, vm_umount(PKRAM_MNT));
	ASSERT_EQ(0, vm_run(NULL, CTL ADOPT_FIRST));
	ASSERT_EQ(0, vm_mount("pkramfs", PKRAM_MNT, NULL));
	EXPECT_TRUE(is_handover(ctx, PKRAM_HANDOVER_MEMMAP));
	ev = next(ctx, PKRAM_CMD_OBJECT_QUARANTINE_NTF);
	ASSERT_NE(NULL, ev);
	EXPECT_NE(NULL, strstr(ev->object->quarantine, "both copies"));
	key = ev->object->key;
	pkram_event_free(ev);
	EXPECT_TRUE(is_range(ctx, PKRAM_CMD_POOL_ADOPT_NTF, FIRST, GIB));
	EXPECT_TRUE(no_more(ctx));

	/* Damage while the module is loaded; it is reported once for an object. */
	dm_regions[0].head[PKRAM_HEAD_MAP_A + map_word * 8 + 1] ^= 4;
	dm_regions[0].head[PKRAM_HEAD_MAP_B + map_word * 8 + 6] ^= 1;
	fd = open(PKRAM_MNT "/map", O_RDONLY);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(pread(fd, buf, sizeof(buf), 512 * MIB - sizeof(buf)) == -1 &&
			    errno == EUCLEAN);
	close(fd);
	EXPECT_TRUE(is_object(ctx, PKRAM_CMD_OBJECT_DAMAGE_NTF, "/map", PKRAM_STATE_IDLE,
			      "unit map"));
	EXPECT_TRUE(no_more(ctx));

	ASSERT_EQ(0, pkram_object_discard(ctx, key));
	ev = next(ctx, PKRAM_CMD_OBJECT_DISCARD_NTF);
	ASSERT_NE(NULL, ev);
	EXPECT_EQ(key, ev->object->key);
	pkram_event_free(ev);
	EXPECT_TRUE(no_more(ctx));
}

TEST_HARNESS_MAIN
