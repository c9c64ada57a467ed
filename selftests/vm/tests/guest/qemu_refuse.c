// SPDX-License-Identifier: GPL-2.0
/*
 * Refusals of memory-backend-pkram: each names the object, says what to do, and leaves RAM
 * and stream unchanged, which is verified by loading them afterwards.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "test.h"

#include "damage.h"
#include "tiny_vms.h"

#define WOULD_OVERWRITE \
	"pkram object '/dev/pkram/vm1' holds a saved guest, which this load would overwrite"

STAGE(first)

TEST_F(first, creates_a_pool)
{
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(1));
}

TEST_F(first, save_and_load_do_not_copy_ram)
{
	unsigned long long counter;
	struct stat st;

	ASSERT_EQ(0, make_saved("vm1", UUID_A, &counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	EXPECT_EQ(0, stat(PKRAM_MNT "/vm1.state", &st));
	/* devices only */
	EXPECT_GT(4 * (long long)MIB, st.st_size);
	EXPECT_EQ(0, load_saved("vm1", UUID_A, counter));
}

TEST_F(first, invalid_properties_are_refused)
{
	EXPECT_EQ(0, REFUSED("Parameter 'name' is missing", OBJECT("size=" SIZE)));
	EXPECT_EQ(0, REFUSED("share=off", VM("no") ",share=off"));
	EXPECT_EQ(0, REFUSED("pagesize= must be 2M or 1G", VM("no") ",pagesize=4K"));
	EXPECT_EQ(0, REFUSED("not a multiple of pagesize=1G", VM("no") ",pagesize=1G"));
	EXPECT_EQ(0, REFUSED("is not a pkramfs", VM("no") ",dir=/tmp"));
	EXPECT_EQ(0, REFUSED("receive=on needs -incoming", VM("no") ",receive=on"));
	EXPECT_EQ(0, REFUSED("for pkram object '/dev/pkram/no'; see pkramctl pool show",
			     OBJECT("size=64G,name=no")));
	EXPECT_EQ(-1, access(PKRAM_MNT "/no", F_OK));
}

/* For virtio-mem: the backend is larger than the pool, the guest plugs what there is. */
TEST_F(first, backend_without_reserve_starts_sparse)
{
	struct guest_state st;
	struct qemu *q = START("vm1", VM("vm1"),
			       "-object", "memory-backend-pkram,id=big,size=64G,reserve=off,name=big");
	struct stat file;

	ASSERT_NE(NULL, q) TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, stat(PKRAM_MNT "/big", &file));
	EXPECT_EQ(64LL << 30, file.st_size);
	EXPECT_EQ(0, file.st_blocks);
	ASSERT_EQ(0, qemu_command(q, "object-del", "{'id': 'big'}"));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	qemu_quit(q);
	EXPECT_EQ(0, unlink(PKRAM_MNT "/big"));
}

/* Row 1 of the table: the RAM is missing, or nothing was saved in it */
TEST_F(first, load_without_saved_object_is_refused)
{
	int fd;

	EXPECT_EQ(0, REFUSED("there is no pkram object '/dev/pkram/none'", VM("none"),
			     INCOMING));
	EXPECT_EQ(-1, access(PKRAM_MNT "/none", F_OK));
	fd = open(PKRAM_MNT "/none", O_CREAT | O_RDWR, 0600);
	close(fd);
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/none' has 0 bytes", VM("none"), INCOMING));
	EXPECT_EQ(0, truncate(PKRAM_MNT "/none", 128 * MIB));
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/none' holds no saved guest", VM("none"),
			     INCOMING));
	EXPECT_TRUE(object_is("none", PKRAM_STATE_IDLE));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/none"));
}

/* Row 2: the RAM of another VM */
TEST_F(first, load_of_another_guest_is_refused)
{
	unsigned long long a, b, c;

	ASSERT_EQ(0, make_saved("a", UUID_A, &a));
	ASSERT_EQ(0, make_saved("b", NULL, &b));
	ASSERT_EQ(0, make_saved("c", NULL, &c));
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/a' holds the RAM of another guest", VM("a"),
			     "-uuid", UUID_B, INCOMING));
	/* Only the stream identifies the guest here. */
	EXPECT_EQ(0, load_refused(START("b", VM("b"), INCOMING), PKRAM_MNT "/c.state",
				  "belongs to another pkram object than '/dev/pkram/b'"));
	EXPECT_TRUE(object_is("b", PKRAM_STATE_SEALED));
	EXPECT_EQ(0, load_saved("a", UUID_A, a));
	EXPECT_EQ(0, load_saved("b", NULL, b));
	EXPECT_EQ(0, load_saved("c", NULL, c));
}

/* Row 3: the same stream twice; and an old stream after a new save */
TEST_F(first, stream_loads_only_once)
{
	unsigned long long counter;

	ASSERT_EQ(0, make_saved("vm1", UUID_A, &counter));
	ASSERT_EQ(0, vm_run(NULL, "cp " PKRAM_MNT "/vm1.state /tmp/old.state"));
	EXPECT_EQ(0, load_saved("vm1", UUID_A, counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_RUNNING));
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/vm1' holds no saved guest", VM("vm1"),
			     INCOMING));
	/* The guest can be started afresh. */
	ASSERT_EQ(0, make_saved("vm1", UUID_A, &counter));
	EXPECT_EQ(0, load_refused(START("vm1", VM("vm1"), INCOMING), "/tmp/old.state",
				  "which was saved again since"));
	EXPECT_EQ(0, load_saved("vm1", UUID_A, counter));
}

/* Row 4: the source continues after its save */
TEST_F(first, stream_is_void_after_guest_continues)
{
	struct guest_state st;
	struct qemu *q = START("vm1", VM("vm1"));

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_save(q, PKRAM_MNT "/vm1.state"));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	ASSERT_EQ(0, qemu_command(q, "cont", NULL));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	qemu_quit(q);
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/vm1' holds no saved guest", VM("vm1"),
			     INCOMING));
}

/* A reset of the saved machine changes its RAM as well. */
TEST_F(first, stream_is_void_after_guest_reset)
{
	struct guest_state st;
	struct qemu *q = START("vm1", VM("vm1"));

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_command(q, "set-action", "{'reboot': 'reset'}"));
	ASSERT_EQ(0, qemu_save(q, PKRAM_MNT "/vm1.state"));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	ASSERT_EQ(0, qemu_command(q, "system_reset", NULL));
	EXPECT_EQ(0, qemu_wait_event(q, "RESET", 30));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	qemu_kill(q);
}

/* Row 5 */
TEST_F(first, second_qemu_on_an_object_is_refused)
{
	unsigned long long counter;
	struct guest_state st;
	struct qemu *q = START("vm1", VM("vm1"));

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/vm1' is in use by another process",
			     VM("vm1")));
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/vm1' is in use by another process",
			     VM("vm1"), INCOMING));
	/* Sealed by a QEMU that still runs */
	ASSERT_EQ(0, qemu_save(q, PKRAM_MNT "/vm1.state"));
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/vm1' is in use by another process",
			     VM("vm1"), INCOMING));
	ASSERT_EQ(0, qemu_quit(q));
	/* The seal excludes other processes. */
	EXPECT_EQ(0, REFUSED("object '/dev/pkram/vm1' holds a saved guest", VM("vm1")));
	EXPECT_EQ(0, load_saved("vm1", NULL, st.counter));
	ASSERT_EQ(0, make_saved("vm1", UUID_A, &counter));
	EXPECT_EQ(0, load_saved("vm1", UUID_A, counter));
}

/* Rows 6 and 7: refusals on the side that loads */
TEST_F(first, load_needs_same_size_and_share)
{
	unsigned long long counter;

	ASSERT_EQ(0, make_saved("vm1", UUID_A, &counter));
	EXPECT_EQ(0, REFUSED("share=off", VM("vm1") ",share=off", INCOMING));
	EXPECT_EQ(0, REFUSED("has 134217728 bytes, but size= says 268435456",
			     OBJECT("size=256M,name=vm1"), INCOMING));
	EXPECT_EQ(0, REFUSED("has 134217728 bytes, but size= says 67108864",
			     OBJECT("size=64M,name=vm1"), INCOMING));
	EXPECT_EQ(0, REFUSED("has 134217728 bytes, but size= says 67108864",
			     OBJECT("size=64M,name=vm1")));
	EXPECT_EQ(0, load_saved("vm1", UUID_A, counter));
}

/* Row 8, and all other RAM that would be lost */
TEST_F(first, save_that_would_lose_ram_is_refused)
{
	struct guest_state st;
	struct qemu *q = qemu_start("vm1", QEMU_TINY, "-machine", "q35,memory-backend=ram0",
				    "-m", SIZE ",slots=2,maxmem=1G",
				    "-object", VM("vm1"),
				    "-object", "memory-backend-file,id=shm,share=on,size=16M,mem-path=/dev/shm/x",
				    "-device", "pc-dimm,memdev=shm,id=dimm0",
				    "-object", "memory-backend-ram,id=private,size=16M",
				    "-device", "pc-dimm,memdev=private,id=dimm1", NULL);

	ASSERT_NE(NULL, q) TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	EXPECT_EQ(-EREMOTEIO, qemu_save(q, PKRAM_MNT "/vm1.state"));
	EXPECT_NE(NULL, strstr(q->error, "RAM block 'shm' would be lost")) TH_LOG("%s", q->error);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));

	if (!qemu_command(q, "migrate-set-parameters", "{'mode': 'cpr-exec'}")) {
		ASSERT_EQ(0, qemu_command(q, "migrate-set-parameters",
					  "{'cpr-exec-command': ['/bin/false']}"));
		qemu_command(q, "migrate", "{'uri': 'file:/tmp/exec.state'}");
		EXPECT_EQ(-EREMOTEIO, qemu_wait_migration(q, 30));
		EXPECT_NE(NULL, strstr(q->error, "would be lost: it is private"))
			TH_LOG("%s", q->error);
		EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	} else {
		TH_LOG("this QEMU has no cpr-exec");
	}

	/* without x-ignore-shared */
	ASSERT_EQ(0, qemu_command(q, "migrate-set-parameters", "{'mode': 'cpr-reboot'}"));
	ASSERT_EQ(0, qemu_ignore_shared(q, false));
	qemu_command(q, "migrate", "{'uri': 'file:" PKRAM_MNT "/vm1.state'}");
	EXPECT_EQ(-EREMOTEIO, qemu_wait_migration(q, 30));
	EXPECT_NE(NULL, strstr(q->error, "with x-ignore-shared off all of pkram object"))
		TH_LOG("%s", q->error);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));

	/* x-ignore-shared, but in a mode that does not seal */
	ASSERT_EQ(0, qemu_command(q, "migrate-set-parameters", "{'mode': 'normal'}"));
	ASSERT_EQ(0, qemu_ignore_shared(q, true));
	EXPECT_EQ(-EREMOTEIO, qemu_command(q, "migrate", "{'uri': 'file:/tmp/normal.state'}"));
	EXPECT_NE(NULL, strstr(q->error, "set mode cpr-reboot, or x-ignore-shared off"))
		TH_LOG("%s", q->error);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	qemu_quit(q);
}

TEST_F(first, guest_continues_after_failed_save)
{
	struct guest_state st;
	struct qemu *q = START("vm1", VM("vm1"));

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	EXPECT_NE(0, qemu_save(q, "/no/such/dir/state"));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	/* Fail late: the stream is larger than the free space. */
	ASSERT_EQ(0, vm_run(NULL, "mkdir -p /tmp/small; mount -t tmpfs -o size=16k t /tmp/small"));
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	EXPECT_NE(0, qemu_save(q, "/tmp/small/state"));
	TH_LOG("%s", q->error);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_CLAIMED));
	/* The guest can be saved afterwards. */
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_save(q, PKRAM_MNT "/vm1.state"));
	ASSERT_EQ(0, qemu_quit(q));
	EXPECT_EQ(0, load_saved("vm1", NULL, st.counter));
	EXPECT_EQ(0, vm_umount("/tmp/small"));
}

/* Return the offset of @what in the file, or -1 */
static long long find_in_file(const char *path, const char *what)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long long at = -1;
	struct stat st;
	char *p, *hit;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	p = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		hit = memmem(p, st.st_size, what, strlen(what));
		at = hit ? hit - p : -1;
		munmap(p, st.st_size);
	}
	close(fd);
	return at;
}

TEST_F_TIMEOUT(first, damaged_or_foreign_stream_is_refused, 200)
{
	unsigned long long counter;
	struct guest_state st;
	struct qemu *q;
	long long end, size;

	ASSERT_EQ(0, make_saved("vm1", UUID_A, &counter));
	/* Truncate the stream at several places, up to the section that completes it */
	end = find_in_file(PKRAM_MNT "/vm1.state", "pkram-end");
	ASSERT_LT(0, end);
	for (size = end / 2; size < end + 16; size += end / 4 + 4) {
		ASSERT_EQ(0, vm_run(NULL, "head -c %lld " PKRAM_MNT "/vm1.state > /tmp/cut",
				    size));
		EXPECT_EQ(0, load_refused(START("vm1", VM("vm1"), INCOMING), "/tmp/cut", NULL));
		EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	}

	/* A stream of a guest whose RAM is in the stream: it would be copied onto this one's */
	q = qemu_start("other", QEMU_TINY, "-machine", "q35,memory-backend=ram0", "-m", SIZE,
		       "-object", "memory-backend-ram,id=ram0,size=" SIZE, NULL);
	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_command(q, "migrate", "{'uri': 'file:/tmp/copy'}"));
	ASSERT_EQ(0, qemu_wait_migration(q, 60));
	qemu_kill(q);
	q = START("vm1", VM("vm1"), INCOMING);
	ASSERT_NE(NULL, q);
	qemu_command(q, "migrate-incoming", "{'uri': 'file:/tmp/copy'}");
	EXPECT_EQ(0, qemu_wait_exit(q, 30));
	EXPECT_NE(NULL, strstr(qemu_stderr("vm1"), WOULD_OVERWRITE));

	/* A stream of a guest with other RAM, without pkram's section */
	q = qemu_start("other", QEMU_TINY, "-machine", "q35,memory-backend=ram0", "-m", SIZE,
		       "-object", "memory-backend-file,id=ram0,share=on,size=" SIZE
		       ",mem-path=/dev/shm/other", NULL);
	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_ignore_shared(q, true));
	ASSERT_EQ(0, qemu_command(q, "migrate", "{'uri': 'file:/tmp/foreign'}"));
	ASSERT_EQ(0, qemu_wait_migration(q, 60));
	qemu_kill(q);
	EXPECT_EQ(0, load_refused(START("vm1", VM("vm1"), INCOMING), "/tmp/foreign",
				  "does not contain pkram object '/dev/pkram/vm1'"));
	EXPECT_EQ(0, unlink("/dev/shm/other"));

	/* A device that writes to RAM before the load */
	EXPECT_EQ(0, REFUSED("-device loader would write into the saved guest's RAM",
			     VM("vm1"), INCOMING,
			     "-device", "loader,addr=0x300000,data=1,data-len=4"));
	EXPECT_EQ(0, REFUSED("-device loader would write into the saved guest's RAM",
			     VM("vm1"), INCOMING,
			     "-device", "loader,addr=0x300000,data=1,data-len=4",
			     "-device", "loader,addr=0x300004,data=1,data-len=4"));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	EXPECT_EQ(0, load_saved("vm1", UUID_A, counter));
}

TEST_F(first, query_pkram_reports_objects)
{
	struct guest_state st;
	struct qemu *q = START("vm1", VM("vm1"));
	char *text;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 30));
	ASSERT_EQ(0, qemu_command(q, "query-pkram", NULL));
	TH_LOG("%s", qemu_answer(q, ""));
	EXPECT_NE(NULL, strstr(qemu_answer(q, ""), "\"path\": \"\\/dev\\/pkram\\/vm1\""));
	EXPECT_NE(NULL, strstr(qemu_answer(q, ""), "\"state\": \"claimed\""));
	EXPECT_NE(NULL, strstr(qemu_answer(q, ""), "\"size\": 134217728"));
	text = qemu_hmp(q, "info pkram");
	ASSERT_NE(NULL, text);
	EXPECT_NE(NULL, strstr(text, "state:      claimed"));
	free(text);
	ASSERT_EQ(0, qemu_save(q, PKRAM_MNT "/vm1.state"));
	text = qemu_hmp(q, "info pkram");
	EXPECT_NE(NULL, strstr(text, "state:      sealed"));
	free(text);
	qemu_quit(q);
}

TEST_F(first, object_unseal_gives_up_the_saved_guest)
{
	unsigned long long counter;
	struct qemu *q;

	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	EXPECT_EQ(0, REFUSED("or give it up with pkramctl object unseal", VM("vm1")));
	EXPECT_EQ(0, vm_run(NULL, CTL "object unseal " PKRAM_MNT "/vm1"));
	EXPECT_EQ(1, vm_run(NULL, CTL "object unseal " PKRAM_MNT "/vm1"));
	q = START("vm1", VM("vm1"));
	ASSERT_NE(NULL, q);
	EXPECT_EQ(1, vm_run(NULL, CTL "object unseal " PKRAM_MNT "/vm1"));
	qemu_quit(q);
	EXPECT_EQ(0, make_saved("vm1", NULL, &counter));
}

/* For the next kernel: one guest to resume, one that will be damaged */
TEST_F(first, saves_two_guests_for_the_next_kernel)
{
	unsigned long long counter;

	ASSERT_EQ(0, make_saved("keep", UUID_A, &counter));
	ASSERT_EQ(0, make_saved("hurt", UUID_B, &counter));
}

STAGE(second)

TEST_F(second, damaged_object_is_refused)
{
	struct dm_record *d;

	ASSERT_LT(0, dm_find_regions());
	ASSERT_LT(0, dm_find_records());
	d = dm_find("hurt");
	ASSERT_NE(NULL, d);
	d->a[20] ^= 1;
	d->a[d->slot + 20] ^= 1;
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(1, pool_number("quarantined"));
	/* The name under which it is found depends on what was damaged. */
	EXPECT_EQ(0, REFUSED("pkram object '/dev/pkram/hurt'", VM("hurt"), INCOMING));
}

TEST_F(second, undamaged_guest_resumes)
{
	EXPECT_TRUE(object_is("keep", PKRAM_STATE_SEALED));
	EXPECT_EQ(0, load_saved("keep", UUID_A, 1));
}

TEST_HARNESS_MAIN
