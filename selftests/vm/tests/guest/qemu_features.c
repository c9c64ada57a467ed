// SPDX-License-Identifier: GPL-2.0
/*
 * memory-backend-pkram together with other features of QEMU: snapshots, preallocation,
 * hosts without pkram; and a pool with a lost region.
 */
#include <fcntl.h>

#include "test.h"

#include "damage.h"
#include "tiny_vms.h"

#define STREAM		PKRAM_MNT "/vm1.state"
#define DISK		"/tmp/disk"
#define SNAPSHOTS	"-blockdev", "qcow2,node-name=disk,file.driver=file,file.filename=" DISK

STAGE(first)

/*
 * Save, quit, start again with -incoming, load: as an unpatched QEMU does.  The host's
 * kernel stays, so that a save may leave RAM in a file on a tmpfs.
 */
static int save_and_load(const char *object)
{
	struct guest_state st;
	struct qemu *q;
	int err;

	q = START("plain", object, "-global", "migration.x-cpr-host-stays=on");
	if (!q)
		return -ENOENT;
	err = guest_wait(q, 0, &st, 30);
	err = err ?: qemu_save(q, "/tmp/plain.state");
	if (err)
		printf("# %s\n", q->error);
	qemu_quit(q);
	q = START("plain", object, INCOMING);
	if (!q)
		return -ENOENT;
	err = err ?: qemu_load(q, "/tmp/plain.state");
	err = err ?: qemu_runs_on(q, st.counter);
	qemu_kill(q);
	return err;
}

TEST_F_TIMEOUT(first, other_guests_run_without_pkram, 200)
{
	struct qemu *q;
	char *text;

	ASSERT_FALSE(vm_module_loaded("pkram"));
	/* A guest whose RAM is in the stream, and one whose RAM stays in its file */
	EXPECT_EQ(0, save_and_load("memory-backend-memfd,id=ram0,share=on,size=" SIZE));
	EXPECT_EQ(0, save_and_load("memory-backend-file,id=ram0,share=on,size=" SIZE
				   ",mem-path=/dev/shm/ram"));
	EXPECT_EQ(0, unlink("/dev/shm/ram"));
	EXPECT_EQ(0, unlink("/tmp/plain.state"));

	q = START("plain", "memory-backend-memfd,id=ram0,share=on,size=" SIZE);
	ASSERT_NE(NULL, q);
	EXPECT_EQ(0, qemu_command(q, "query-pkram", NULL));
	EXPECT_STREQ("[ ]", qemu_answer(q, ""));
	text = qemu_hmp(q, "info pkram");
	ASSERT_NE(NULL, text);
	EXPECT_STREQ("", text);
	free(text);
	qemu_quit(q);
}

TEST_F(first, missing_module_is_explained)
{
	EXPECT_EQ(0, REFUSED("which pkram object 'vm1' needs; load pkram.ko and mount -t pkramfs",
			     VM("vm1")));
	EXPECT_EQ(0, REFUSED("'/dev/pkram' is not a pkramfs", VM("vm1"), INCOMING));
	ASSERT_EQ(0, vm_run(NULL, "mkdir " PKRAM_MNT));
	EXPECT_EQ(0, REFUSED("which pkram object 'vm1' needs; load pkram.ko and mount -t pkramfs",
			     VM("vm1")));
	ASSERT_EQ(0, rmdir(PKRAM_MNT));
}

/* Use up most of the first region, so that a guest's RAM is in the second as well. */
TEST_F(first, creates_a_pool_of_two_regions)
{
	int fd;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(1));
	fd = open(PKRAM_MNT "/far", O_CREAT | O_RDWR, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fallocate(fd, 0, 0, 920 * MIB));
	close(fd);
	ASSERT_EQ(0, pool_grow(1));
	ASSERT_EQ(2, pool_number("regions"));
}

#define ONE_GIB(name) \
	"-m", "1G", "-object", "memory-backend-pkram,id=ram0,size=1G,pagesize=1G,name=" name
#define REFUSED_1G(name, ...) \
	refused("refused", "pkram object '/dev/pkram/" name "' does not consist of whole GiB", \
		(const char * const []) { QEMU_TINY, "-machine", "q35,memory-backend=ram0", \
					  ONE_GIB(name), ##__VA_ARGS__, NULL })

TEST_F(first, pagesize_1g_needs_contiguous_object)
{
	long long free = pool_number("free");
	int fd;

	/* An object that QEMU created is removed, one that existed stays. */
	EXPECT_EQ(0, REFUSED_1G("big"));
	EXPECT_EQ(-1, access(PKRAM_MNT "/big", F_OK));
	EXPECT_EQ(free, pool_number("free"));
	fd = open(PKRAM_MNT "/big", O_CREAT | O_RDWR, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, GIB));
	close(fd);
	EXPECT_EQ(0, REFUSED_1G("big"));
	EXPECT_TRUE(object_is("big", PKRAM_STATE_RUNNING));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/big"));
	EXPECT_EQ(free, pool_number("free"));
}

/* Return the number of 2M leaves that QEMU has of the only object */
static int leaves_2m(struct qemu *q)
{
	const char *key = "\"leaves-2m\": ", *at;

	if (qemu_command(q, "query-pkram", NULL))
		return -1;
	at = strstr(qemu_answer(q, ""), key);
	return at ? atoi(at + strlen(key)) : -1;
}

TEST_F(first, prealloc_reserves_all_memory)
{
	struct guest_state st;
	struct qemu *q;

	/* The guest has not run, so it did not touch its RAM. */
	q = START("vm1", VM("vm1"), "-S");
	ASSERT_NE(NULL, q);
	EXPECT_GT(4, leaves_2m(q));
	qemu_quit(q);
	q = START("vm1", VM("vm1") ",prealloc=on", "-S");
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	EXPECT_EQ(64, leaves_2m(q));
	ASSERT_EQ(0, qemu_command(q, "cont", NULL));
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_save(q, STREAM))
		TH_LOG("%s", q->error);
	ASSERT_EQ(0, qemu_quit(q));
	/* Touching a saved guest's RAM does not change it. */
	q = START("vm1", VM("vm1") ",prealloc=on", INCOMING);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	EXPECT_EQ(64, leaves_2m(q));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	EXPECT_EQ(0, qemu_load(q, STREAM));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	qemu_kill(q);
}

/* Wait for the end of a job and dismiss it */
static int end_job(struct qemu *q)
{
	double until = vm_now() + 60;
	int err;

	do {
		usleep(20000);
		err = qemu_command(q, "query-jobs", NULL);
	} while (!err && !strstr(qemu_answer(q, ""), "concluded") && vm_now() < until);
	if (!err && strstr(qemu_answer(q, ""), "\"error\"")) {
		printf("# %s\n", qemu_answer(q, ""));
		err = -EIO;
	}
	return err ?: qemu_command(q, "job-dismiss", "{'id': 'make'}");
}

/* Add a small disk that can store snapshots */
static int make_disk(struct qemu *q)
{
	int err;

	unlink(DISK);
	err = qemu_command(q, "blockdev-create",
			   "{'job-id': 'make', 'options': {'driver': 'file', 'filename': '" DISK
			   "', 'size': 0}}");
	err = err ?: end_job(q);
	err = err ?: qemu_command(q, "blockdev-add",
				  "{'driver': 'file', 'node-name': 'file', 'filename': '" DISK "'}");
	err = err ?: qemu_command(q, "blockdev-create",
				  "{'job-id': 'make', 'options': {'driver': 'qcow2', 'file': 'file', 'size': 1048576}}");
	err = err ?: end_job(q);
	err = err ?: qemu_command(q, "blockdev-add",
				  "{'driver': 'qcow2', 'node-name': 'disk', 'file': 'file'}");
	if (err)
		printf("# %s\n", q->error);
	return err;
}

/* Check that a command of the monitor prints @says; success prints nothing */
static bool hmp_says(struct qemu *q, const char *command, const char *what)
{
	char *text = qemu_hmp(q, "%s", command);
	bool is = text && (*what ? !!strstr(text, what) : !*text);

	if (!is)
		printf("# %s: %s\n", command, text ?: q->error);
	free(text);
	return is;
}

TEST_F_TIMEOUT(first, snapshot_copies_ram, 200)
{
	struct guest_state before, st;
	struct qemu *q = START("vm1", VM("vm1"));

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &before, 30));
	ASSERT_EQ(0, make_disk(q));
	ASSERT_TRUE(hmp_says(q, "savevm one", ""));
	EXPECT_TRUE(hmp_says(q, "info snapshots", "one"));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	EXPECT_EQ(0, qemu_runs_on(q, before.counter));
	/* All of RAM has changed when the snapshot is loaded. */
	free(guest_ask(q, "dirty", 30));
	ASSERT_EQ(0, guest_wait(q, before.counter, &st, 30));
	ASSERT_EQ(2, st.seed);
	ASSERT_TRUE(hmp_says(q, "loadvm one", ""));
	qemu_skip_lines(q, 0);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	EXPECT_EQ(1, st.seed);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	/* The guest can still be saved in place, with its disk. */
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_save(q, STREAM))
		TH_LOG("%s", q->error);
	ASSERT_EQ(0, qemu_quit(q));
	q = START("vm1", VM("vm1"), SNAPSHOTS, INCOMING);
	ASSERT_NE(NULL, q);
	EXPECT_EQ(0, qemu_load(q, STREAM));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	qemu_kill(q);
}

TEST_F_TIMEOUT(first, guest_starts_from_snapshot, 200)
{
	struct guest_state st;
	struct qemu *q = START("vm1", VM("vm1"), SNAPSHOTS);

	/* A different content of RAM: the second pattern */
	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	free(guest_ask(q, "dirty", 30));
	ASSERT_EQ(0, guest_wait(q, st.counter, &st, 30));
	ASSERT_EQ(2, st.seed);
	ASSERT_EQ(0, qemu_save(q, STREAM));
	ASSERT_EQ(0, qemu_quit(q));
	/* A saved guest is neither overwritten by a snapshot nor combined with one. */
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/vm1' holds a saved guest", VM("vm1"), SNAPSHOTS,
			     "-loadvm", "one"));
	EXPECT_EQ(0, REFUSED("mutually exclusive", VM("vm1"), SNAPSHOTS, "-loadvm", "one",
			     INCOMING));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	q = START("vm1", VM("vm1"), SNAPSHOTS, INCOMING);
	ASSERT_NE(NULL, q);
	/* So is a guest that waits for its stream. */
	EXPECT_TRUE(hmp_says(q, "loadvm one", "Error"));
	EXPECT_TRUE(qemu_alive(q));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	qemu_kill(q);
	q = START("vm1", VM("vm1"), INCOMING);
	ASSERT_NE(NULL, q);
	EXPECT_EQ(0, qemu_load(q, STREAM));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	qemu_quit(q);

	q = START("vm1", VM("vm1"), SNAPSHOTS, "-loadvm", "one");
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	EXPECT_EQ(1, st.seed);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	qemu_kill(q);
}

/* Such a snapshot would not contain the RAM, and would not be tied to the object that has it. */
TEST_F_TIMEOUT(first, snapshot_without_ram_is_refused, 200)
{
	static const char * const refusals[][2] = {
		{ "normal", "would leave the RAM in pkram object '/dev/pkram/vm1'" },
		{ "cpr-reboot", "the RAM in pkram object '/dev/pkram/vm1' would be left out" },
		{ "cpr-transfer", "the RAM in pkram object '/dev/pkram/vm1' would be left out" },
	};
	struct qemu *q = START("vm1", VM("vm1"), SNAPSHOTS, "-machine", "aux-ram-share=on");
	struct guest_state st;
	unsigned int i;
	char *text;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_mode(q, refusals[i][0]));
		ASSERT_EQ(0, qemu_ignore_shared(q, true));
		EXPECT_TRUE(hmp_says(q, "savevm two", refusals[i][1]));
		/* A stopped guest is refused as well. */
		ASSERT_EQ(0, qemu_command(q, "stop", NULL));
		EXPECT_TRUE(hmp_says(q, "savevm two", refusals[i][1]));
		ASSERT_EQ(0, qemu_command(q, "cont", NULL));
		EXPECT_EQ(0, qemu_runs_on(q, st.counter));
		ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	}
	/* In this mode the snapshot contains the RAM. */
	ASSERT_EQ(0, set_mode(q, "cpr-reboot"));
	ASSERT_EQ(0, qemu_ignore_shared(q, false));
	EXPECT_TRUE(hmp_says(q, "savevm three", ""));
	text = qemu_hmp(q, "info snapshots");
	ASSERT_NE(NULL, text);
	EXPECT_EQ(NULL, strstr(text, "two"));
	EXPECT_NE(NULL, strstr(text, "three"));
	free(text);
	/* Loading without RAM is refused too; the guest is then stopped until a correct load. */
	ASSERT_EQ(0, qemu_ignore_shared(q, true));
	EXPECT_TRUE(hmp_says(q, "loadvm one", "Error"));
	ASSERT_EQ(0, qemu_ignore_shared(q, false));
	EXPECT_TRUE(hmp_says(q, "loadvm one", ""));
	ASSERT_EQ(0, qemu_command(q, "cont", NULL));
	qemu_skip_lines(q, 0);
	EXPECT_EQ(0, qemu_runs_on(q, 0));
	/* A save in place works. */
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_save(q, STREAM))
		TH_LOG("%s", q->error);
	ASSERT_EQ(0, qemu_quit(q));
	EXPECT_EQ(0, load_saved("vm1", NULL, st.counter));
	EXPECT_EQ(0, unlink(DISK));
}

TEST_F(first, saves_a_guest_in_the_second_region)
{
	unsigned long long counter;

	ASSERT_EQ(0, make_saved("vm1", UUID_A, &counter));
}

/* Find the region without records. Records have names, which would be lost as well. */
static struct dm_region *second_region(void)
{
	int i;

	for (i = 0; i < dm_nr_regions; i++)
		if (!dm_regions[i].h.nr_meta)
			return &dm_regions[i];
	return NULL;
}

/* Flip both copies; flipping again restores them */
static void flip(uint8_t *head)
{
	head[offsetof(struct pkram_region_ser, base) + 2] ^= 0x80;
	head[PKRAM_HEADER_SLOT + offsetof(struct pkram_region_ser, base) + 2] ^= 0x80;
}

STAGE(lost)

TEST_F(lost, guest_with_lost_region_is_refused)
{
	struct dm_region *region;
	struct dm_record *d;
	bool in_it = false;
	unsigned int i;

	ASSERT_EQ(2, dm_find_regions());
	ASSERT_LT(0, dm_find_records());
	region = second_region();
	d = dm_find("vm1");
	ASSERT_NE(NULL, region);
	ASSERT_NE(NULL, d);
	for (i = 0; i < d->rec.nr_extents; i++)
		in_it |= d->rec.extents[i].region_id == region->h.region_id;
	ASSERT_TRUE(in_it);
	flip(region->head);
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(1, pool_number("regions"));
	EXPECT_LE(1, pool_number("quarantined"));
	EXPECT_EQ(0, REFUSED("pkram object '/dev/pkram/vm1' is damaged; pkramctl object show tells the damage",
			     VM("vm1"), "-uuid", UUID_A, INCOMING));
	/* It is not created anew either. */
	EXPECT_EQ(0, REFUSED("pkram object '/dev/pkram/vm1' is damaged", VM("vm1"),
			     "-uuid", UUID_A));
}

TEST_F(lost, lost_region_is_named)
{
	char *text;

	EXPECT_EQ(0, vm_run(&text, CTL "object show"));
	EXPECT_NE(NULL, strstr(text, "vm1"));
	EXPECT_NE(NULL, strstr(text, "names a region that is not there"))
		TH_LOG("%s", text);
	free(text);
	EXPECT_TRUE(vm_kmsg_has("a region may be missing"));
}

STAGE(repaired)

/* The region is unchanged, as nothing was written to it meanwhile */
TEST_F(repaired, guest_resumes_when_region_is_back)
{
	uint64_t start, end, at;
	int i;

	ASSERT_EQ(1, dm_find_regions());
	for (i = 0; dm_range(i, &start, &end); i++) {
		for (at = start; at < end; at += GIB) {
			uint8_t *head = dm_map(at, PKRAM_UNIT);

			if (at != dm_regions[0].base)
				flip(head);
			munmap(head, PKRAM_UNIT);
		}
	}
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(2, pool_number("regions"));
	EXPECT_EQ(0, pool_number("quarantined"));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	EXPECT_EQ(0, load_saved("vm1", UUID_A, 1));
}

TEST_HARNESS_MAIN
