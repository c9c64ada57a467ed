// SPDX-License-Identifier: GPL-2.0
/*
 * A guest whose amount of memory changes: QEMU punches holes into objects, and save and
 * load preserve the rest.
 */
#include <fcntl.h>

#include "test.h"

#include "tiny_vms.h"

#define STREAM	PKRAM_MNT "/vm1.state"

STAGE(main)

/* Wait until a size that QEMU reports is @mib; return the last value */
static long long wait_size(struct qemu *q, const char *query, const char *key,
			   unsigned int mib, int seconds)
{
	double until = vm_now() + seconds;
	long long is = -1;
	const char *at;

	do {
		if (qemu_command(q, query, NULL))
			return -1;
		at = strstr(qemu_answer(q, ""), key);
		is = at ? atoll(at + strlen(key)) : -1;
		if (is == (long long)(mib * MIB))
			break;
		usleep(100000);
	} while (vm_now() < until);
	return is / (long long)MIB;
}

TEST_F(main, creates_a_pool)
{
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(1));
}

#define BALLOON								\
	QEMU_LINUX("guest.mib=150"),					\
	"-machine", "q35,memory-backend=ram0", "-m", "512M",		\
	"-object", OBJECT("size=512M,name=vm1"),			\
	"-device", "virtio-balloon-pci,disable-modern=on"

static long long inflate(struct qemu *q, unsigned int mib)
{
	if (qemu_command(q, "balloon", "{'value': %lu}", mib * MIB))
		return -1;
	return wait_size(q, "query-balloon", "\"actual\": ", mib, 120);
}

TEST_F_TIMEOUT(main, balloon_is_kept_across_save_and_load, 600)
{
	struct guest_state st;
	struct qemu *q;
	char *text;

	q = qemu_start("vm1", BALLOON, NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 5, &st, 200))
		TH_LOG("%s", qemu_console("vm1"));
	ASSERT_EQ(300, inflate(q, 300));
	ASSERT_EQ(0, qemu_runs_on(q, st.counter));
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_save(q, STREAM))
		TH_LOG("%s", q->error);
	ASSERT_EQ(0, qemu_quit(q));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));

	q = qemu_start("vm1", BALLOON, INCOMING, NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, qemu_load(q, STREAM))
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, qemu_runs_on(q, st.counter));
	EXPECT_EQ(300, wait_size(q, "query-balloon", "\"actual\": ", 300, 0));
	/* All memory comes back and can be used. */
	ASSERT_EQ(512, inflate(q, 512));
	text = guest_ask(q, "dirty", 60);
	EXPECT_NE(NULL, text);
	free(text);
	ASSERT_EQ(0, guest_wait(q, st.counter, &st, 60));
	EXPECT_EQ(2, st.seed);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter))
		TH_LOG("%s%s", qemu_stderr("vm1"), qemu_console("vm1"));
	text = qemu_stderr("vm1");
	EXPECT_EQ(NULL, strstr(text, "balloon"))
		TH_LOG("%s", text);
	free(text);
	qemu_kill(q);
	EXPECT_EQ(0, unlink(STREAM));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/vm1"));
}

TEST_F_TIMEOUT(main, free_page_reporting_returns_memory, 300)
{
	long long was = pool_number("free"), used;
	struct guest_state st;
	struct qemu *q;
	double until;

	q = qemu_start("vm1", "-no-shutdown", BALLOON ",free-page-reporting=on", NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 1, &st, 200))
		TH_LOG("%s", qemu_console("vm1"));
	until = vm_now() + 60;
	do {
		used = (was - pool_number("free")) / (long long)MIB;
	} while (used > 350 && vm_now() < until && !usleep(500000));
	EXPECT_GE(350, used);
	EXPECT_LE(150, used);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter))
		TH_LOG("%s", qemu_console("vm1"));
	qemu_kill(q);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/vm1"));
}

/* 256 MiB of RAM are present from the start, the rest is plugged by virtio-mem. */
#define RAM0	OBJECT("size=256M,name=vm1")
#define MEM1	"memory-backend-pkram,id=mem1,size=512M,name=mem1"
#define PLUGGED								\
	QEMU_LINUX("guest.total=380 guest.mib=260 memhp_default_state=online"), \
	"-machine", "q35,memory-backend=ram0", "-m", "256M,maxmem=2G",	\
	"-object", RAM0, "-object", MEM1,				\
	"-device", "virtio-mem-pci,id=vmem,memdev=mem1,requested-size=256M,prealloc=on"

static int request(struct qemu *q, unsigned int mib)
{
	return qemu_command(q, "qom-set",
			    "{'path': 'vmem', 'property': 'requested-size', 'value': %lu}",
			    mib * MIB);
}

static long long plugged(struct qemu *q, unsigned int mib, int seconds)
{
	return wait_size(q, "query-memory-devices", "\"size\": ", mib, seconds);
}

TEST_F_TIMEOUT(main, virtio_mem_is_kept_across_save_and_load, 600)
{
	long long was = pool_number("free");
	struct guest_state st;
	struct qemu *q;

	q = qemu_start("vm1", PLUGGED, NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(256, plugged(q, 256, 12))
		TH_LOG("%s%s%s%s", qemu_hmp(q, "info status"), qemu_console("vm1"),
		       qemu_stderr("vm1"), qemu_hmp(q, "info registers"));
	ASSERT_EQ(0, guest_wait(q, 5, &st, 100))
		TH_LOG("%s%s", qemu_console("vm1"), qemu_stderr("vm1"));
	EXPECT_EQ(260, st.mib);
	/* Memory that is not plugged takes no memory of the pool. */
	EXPECT_EQ(512, (was - pool_number("free")) / (long long)MIB);
	ASSERT_EQ(0, qemu_save(q, STREAM))
		TH_LOG("%s", q->error);
	ASSERT_EQ(0, qemu_quit(q));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	EXPECT_TRUE(object_is("mem1", PKRAM_STATE_SEALED));

	q = qemu_start("vm1", PLUGGED, INCOMING, NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, qemu_load(q, STREAM))
		TH_LOG("%s", qemu_stderr("vm1"));
	EXPECT_EQ(256, plugged(q, 256, 0));
	ASSERT_EQ(0, qemu_runs_on(q, st.counter));

	EXPECT_EQ(0, unlink(STREAM));
	ASSERT_EQ(0, request(q, 512));
	ASSERT_EQ(512, plugged(q, 512, 100))
		TH_LOG("%s%s%s", q->error, qemu_stderr("vm1"), qemu_console("vm1"));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));

	/* Unplugged memory goes back to the pool. */
	ASSERT_EQ(0, request(q, 256));
	EXPECT_EQ(256, plugged(q, 256, 100));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	EXPECT_EQ(512, (was - pool_number("free")) / (long long)MIB);
	qemu_kill(q);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/vm1"));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/mem1"));
}

TEST_F_TIMEOUT(main, virtio_mem_is_limited_by_the_pool, 300)
{
	struct guest_state st;
	long long left;
	struct qemu *q;
	char *text;
	int fd;

	q = qemu_start("vm1", PLUGGED, "-no-shutdown", NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(256, plugged(q, 256, 12));
	ASSERT_EQ(0, guest_wait(q, 5, &st, 100))
		TH_LOG("%s%s", qemu_console("vm1"), qemu_stderr("vm1"));
	fd = open(PKRAM_MNT "/rest", O_CREAT | O_RDWR, 0600);
	ASSERT_LE(0, fd);
	left = 64 * MIB;
	ASSERT_EQ(0, fallocate(fd, 0, 0, pool_number("free") - left));
	ASSERT_EQ(0, request(q, 512));
	EXPECT_GE(256 + 64, plugged(q, 512, 10));
	text = qemu_stderr("vm1");
	EXPECT_NE(NULL, strstr(text, "preallocating memory failed"))
		TH_LOG("%s", text);
	free(text);
	/* Only the memory that the guest got is missing from the pool. */
	EXPECT_EQ(left, pool_number("free") +
			(plugged(q, 0, 0) - 256) * (long long)MIB);
	close(fd);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter))
		TH_LOG("%s", qemu_console("vm1"));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/rest"));
	qemu_kill(q);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/vm1"));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/mem1"));
}

TEST_HARNESS_MAIN
