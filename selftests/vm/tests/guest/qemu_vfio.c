// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with an assigned device (vfio-pci): its RAM is in a pkram object, its DMA
 * mappings are in a DMA table, and both are preserved across a kexec.
 */
#include "test.h"

#include "dma_table.h"
#include "tiny_vms.h"
#include <pkram.h>

#define STATE	PKRAM_MNT "/vm1.state"
#define GUEST								\
	QEMU_LINUX("guest.mib=200"), QEMU_SUSPENDS,			\
	"-machine", "pc-q35-8.1,memory-backend=ram0,aux-ram-share=on", "-m", "1G", \
	"-object", "memory-backend-pkram,id=ram0,size=1G,name=vm1"

/* Bind the @index-th edu device to vfio-pci. Return: the argument of -device for it */
static const char *vfio_pci(int index, const char *props)
{
	static char text[4][512];
	static int i;
	struct edu edu;

	i = (i + 1) % 4;
	if (edu_find(&edu, index))
		return "edu is missing";
	snprintf(text[i], sizeof(text[i]), "vfio-pci,host=%s%s", edu.name, props);
	return text[i];
}

/* The guest uses the first of its two devices. */
#define GUEST_WITH_DEVICES(props) \
	GUEST, "-device", vfio_pci(0, props), "-device", vfio_pci(1, props)
#define START_GUEST(props, ...) \
	qemu_start("vm1", GUEST_WITH_DEVICES(props), ##__VA_ARGS__, NULL)

/* A guest without pkram */
#define DEVICE		QEMU_TINY, "-machine", "q35", "-m", SIZE
#define DEVICE_REFUSED(says, ...) \
	refused("refused", says, (const char * const []){ DEVICE, ##__VA_ARGS__, NULL })

/* Return whether DMA of the guest's device works and leaves the guest's memory intact. */
static bool does_dma(struct qemu *q)
{
	char *answer = guest_ask(q, "dma", 60);
	bool ok = answer && !strcmp(answer, "ok");

	if (!ok)
		printf("# dma: %s\n", answer ?: "no answer");
	free(answer);
	return ok;
}

/* Return whether `pkramctl -j dma-table show` prints @what; NULL: there is no table. */
static bool dma_table_is(const char *name, const char *what)
{
	char *out;
	int status = vm_run(&out, CTL "-j dma-table show %s 2>&1", name);
	bool is = what ? !status && strstr(out, what) : status;

	if (!is)
		printf("# DMA table %s: %s\n", name, out);
	free(out);
	return is;
}

#define SUSPENDED	"\"state\":\"suspended\""
#define RUNNING		"\"state\":\"running\""
#define IN_USE		"\"in_use\":true"
#define NOT_IN_USE	"\"in_use\":false"

/* Return the number of mappings in a table, or -1. */
static int mappings(const char *name)
{
	char *out, *p;
	int n = -1;

	if (vm_run(&out, CTL "-j dma-table show %s", name))
		return -1;
	p = strstr(out, "\"mappings\":");
	if (p)
		n = atoi(p + strlen("\"mappings\":"));
	free(out);
	return n;
}

/* Set the limit for containers that are opened later. */
static int limit_mappings(int n)
{
	char text[16];

	sprintf(text, "%d", n);
	return vm_write_file("/sys/module/pkram_vfio/parameters/dma_entry_limit", text);
}

/* Make a suspended table with two mappings of @object. Return: 0 or -errno */
static int make_dma_table(const char *name, const char *object)
{
	int fd = fs_file(object, 4 * MIB), err;
	struct box b;
	char *p;

	p = mmap(NULL, 4 * MIB, RW, MAP_SHARED, fd, 0);
	err = p == MAP_FAILED ? -errno : box_open(&b, 0);
	if (!err && (table_create(b.c, name) || dma_map(b.c, 0, p, 2 * MIB) ||
		     dma_map(b.c, 8 * GIB, p + 2 * MIB, 2 * MIB) || dma_give_all_up(b.c) < 0))
		err = -errno;
	box_close(&b);
	close(fd);
	munmap(p, 4 * MIB);
	return err;
}

/* Suspend the guest, save it, and leave its last state in @st */
static int suspend_and_save(struct qemu *q, struct guest_state *st)
{
	int err;

	/* The guest does not answer. */
	free(guest_ask(q, "suspend", 1));
	err = qemu_wait_event(q, "SUSPEND", 60);
	guest_wait(q, 0, st, 0);
	err = err ?: qemu_save(q, STATE);
	if (err)
		printf("# not saved: %d %s; %s; %s\n", err, q->error, qemu_stderr(q->name),
		       qemu_console(q->name));
	return err;
}

/* Wake up a loaded guest. Return whether it and its device are as they were. */
static bool wakes_up(struct qemu *q, const struct guest_state *was)
{
	struct guest_state st;

	if (qemu_command(q, "system_wakeup", NULL) ||
	    guest_wait(q, was->counter, &st, 100)) {
		printf("# does not wake up: %s\n", q->error);
		return false;
	}
	if (strcmp(st.boot_id, was->boot_id) || strcmp(st.pattern, "ok")) {
		printf("# not the same guest: %s\n", st.line);
		return false;
	}
	/* The first one also checks what the device wrote before. */
	return does_dma(q) && does_dma(q) && !guest_verify(q);
}

STAGE(before)

TEST_F(before, missing_module_and_pool_are_explained)
{
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(0, DEVICE_REFUSED("load pkram_vfio", "-device",
				    vfio_pci(0, ",pkram-dma-table=c")));
	ASSERT_EQ(0, vm_insmod(VFIO_MODULE, NULL));
	EXPECT_EQ(0, DEVICE_REFUSED("no room in pkram for DMA table 'c'", "-device",
				    vfio_pci(0, ",pkram-dma-table=c")));
	ASSERT_EQ(0, pool_grow(2));
}

TEST_F(before, invalid_options_are_refused)
{
	EXPECT_EQ(0, DEVICE_REFUSED("pkram-dma-table= must have 1 to 255 characters",
				    "-device", vfio_pci(0, ",pkram-dma-table=")));
	EXPECT_EQ(0, DEVICE_REFUSED("pkram-dma-table= and iommufd= cannot be combined",
				    "-object", "iommufd,id=i", "-device",
				    vfio_pci(0, ",pkram-dma-table=c,iommufd=i")));
	EXPECT_EQ(0, DEVICE_REFUSED("other devices have pkram-dma-table=c; set the same for this device",
				    "-device", vfio_pci(0, ",pkram-dma-table=c"),
				    "-device", vfio_pci(1, ",pkram-dma-table=d")));
	EXPECT_EQ(0, DEVICE_REFUSED("other devices have pkram-dma-table=c; set the same for this device",
				    "-device", vfio_pci(0, ",pkram-dma-table=c"),
				    "-device", vfio_pci(1, "")));
	EXPECT_EQ(0, DEVICE_REFUSED("other devices have no pkram-dma-table=",
				    "-device", vfio_pci(0, ""),
				    "-device", vfio_pci(1, ",pkram-dma-table=c")));
	/* The error says what to do. */
	EXPECT_EQ(0, DEVICE_REFUSED("there is no DMA table 'c' of a saved guest\n"
				    "pkram-restore=off maps the guest's RAM anew",
				    "-device", vfio_pci(0, ",pkram-dma-table=c"), INCOMING));
	EXPECT_TRUE(dma_table_is("c", NULL));
}

TEST_F(before, new_start_drops_leftover_mappings)
{
	struct qemu *q;

	ASSERT_EQ(0, make_dma_table("c", PKRAM_MNT "/other"));
	ASSERT_TRUE(dma_table_is("c", SUSPENDED));
	q = qemu_start("vm0", DEVICE, "-device", vfio_pci(0, ",pkram-dma-table=c"), "-device",
		       vfio_pci(1, ",pkram-dma-table=c"), NULL);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm0"));
	EXPECT_TRUE(dma_table_is("c", RUNNING));
	EXPECT_TRUE(dma_table_is("c", "\"mappings\":0"));
	EXPECT_EQ(0, qemu_quit(q));
	/* The guest was not saved. */
	EXPECT_TRUE(dma_table_is("c", NULL));
	EXPECT_OK(unlink(PKRAM_MNT "/other"));
}

TEST_F(before, dma_table_in_use_is_refused)
{
	struct qemu *q = qemu_start("vm0", DEVICE, "-device",
				    vfio_pci(0, ",pkram-dma-table=c"), NULL);

	ASSERT_NE(NULL, q);
	EXPECT_EQ(0, DEVICE_REFUSED("DMA table 'c' is in use by another process", "-device",
				    vfio_pci(1, ",pkram-dma-table=c")));
	EXPECT_EQ(0, DEVICE_REFUSED("DMA table 'c' is in use by another process", "-device",
				    vfio_pci(1, ",pkram-dma-table=c"), INCOMING));
	EXPECT_EQ(0, qemu_quit(q));
}

TEST_F_TIMEOUT(before, guest_with_device_is_saved, 400)
{
	struct guest_state st;
	struct qemu *q;
	FILE *f;

	q = START_GUEST(",pkram-dma-table=vm1");
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 5, &st, 200))
		TH_LOG("%s", qemu_console("vm1"));
	EXPECT_STREQ("ok", st.pattern);
	ASSERT_TRUE(does_dma(q));
	ASSERT_TRUE(does_dma(q));
	/* A running guest is not saved: the state of its device would be lost. */
	EXPECT_EQ(-EREMOTEIO, qemu_save(q, STATE));
	EXPECT_NE(NULL, strstr(q->error, "suspended"))
		TH_LOG("%s", q->error);
	EXPECT_TRUE(dma_table_is("vm1", RUNNING));

	ASSERT_EQ(0, suspend_and_save(q, &st));
	ASSERT_EQ(0, qemu_quit(q));
	EXPECT_TRUE(dma_table_is("vm1", SUSPENDED));
	EXPECT_TRUE(dma_table_is("vm1", NOT_IN_USE));
	f = fopen(PKRAM_MNT "/notes", "w");
	ASSERT_NE(NULL, f);
	EXPECT_EQ(1, fwrite(&st, sizeof(st), 1, f));
	EXPECT_EQ(0, fclose(f));
}

STAGE(after)

TEST_F_TIMEOUT(after, dma_table_is_restored, 400)
{
	struct guest_state was;
	struct qemu *q;
	uint64_t bytes;
	FILE *f;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, vm_insmod(VFIO_MODULE, NULL));
	f = fopen(PKRAM_MNT "/notes", "r");
	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fread(&was, sizeof(was), 1, f));
	fclose(f);
	/* A QEMU that does not load the guest leaves the table ... */
	q = START_GUEST(",pkram-dma-table=vm1", INCOMING);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	EXPECT_TRUE(dma_table_is("vm1", IN_USE));
	qemu_kill(q);
	EXPECT_TRUE(dma_table_is("vm1", SUSPENDED));
	/* ... or maps all RAM itself. */
	ASSERT_OK(trace_maps());
	q = START_GUEST(",pkram-dma-table=new,pkram-restore=off", INCOMING);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	traced_maps(&bytes);
	EXPECT_LT(GIB - 16 * MIB, bytes);
	qemu_kill(q);
	EXPECT_TRUE(dma_table_is("new", NULL));

	/* The table is kept if a ROM cannot be mapped when the guest starts. */
	ASSERT_EQ(0, limit_mappings(mappings("vm1")));
	EXPECT_EQ(0, load_refused(START_GUEST(",pkram-dma-table=vm1", INCOMING), STATE,
				  "cannot map region"));
	ASSERT_EQ(0, limit_mappings(65535));
	EXPECT_TRUE(dma_table_is("vm1", SUSPENDED));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));

	q = START_GUEST(",pkram-dma-table=vm1", INCOMING);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	EXPECT_TRUE(dma_table_is("vm1", SUSPENDED));
	ASSERT_OK(trace_maps());
	ASSERT_EQ(0, qemu_load(q, STATE))
		TH_LOG("%s %s", q->error, qemu_stderr("vm1"));
	/* ROMs are not in the pool. */
	traced_maps(&bytes);
	EXPECT_GT(16 * MIB, bytes);
	EXPECT_TRUE(dma_table_is("vm1", RUNNING));
	ASSERT_TRUE(wakes_up(q, &was))
		TH_LOG("%s", qemu_console("vm1"));
}

/* Check a guest that another QEMU runs on: DMA works, and its RAM was not mapped again. */
static void check_passed_on(struct __test_metadata *_metadata, struct qemu *q)
{
	uint64_t bytes;

	ASSERT_TRUE(does_dma(q))
		TH_LOG("%s", qemu_stderr(q->name));
	ASSERT_TRUE(does_dma(q));
	EXPECT_EQ(0, guest_verify(q));
	traced_maps(&bytes);
	EXPECT_GT(16 * MIB, bytes);
	EXPECT_TRUE(dma_table_is("vm1", RUNNING));
}

/* The other modes of CPR pass the VFIO container on. */
TEST_F_TIMEOUT(after, cpr_exec_keeps_the_dma_table, 400)
{
	struct qemu *q = qemu_find("vm1");

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, set_mode(q, "cpr-exec"));
	/* It is set since the load, and will not be set in the new QEMU. */
	ASSERT_EQ(0, qemu_ignore_shared(q, false));
	ASSERT_OK(trace_maps());
	q = exec_again(q, "/tmp/exec.state");
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	check_passed_on(_metadata, q);
}

TEST_F_TIMEOUT(after, cpr_transfer_keeps_the_dma_table, 400)
{
	struct qemu *q = qemu_find("vm1"), *to;

	ASSERT_NE(NULL, q);
	ASSERT_OK(trace_maps());
	to = transfer(q, "vm2", (const char * const []){ GUEST_WITH_DEVICES(",pkram-dma-table=vm1"),
		      TRANSFERRED, NULL });
	ASSERT_NE(NULL, to)
		TH_LOG("%s", qemu_stderr("vm2"));
	check_passed_on(_metadata, to);
}

/* The saved state becomes invalid, the DMA table is as before. */
TEST_F_TIMEOUT(after, guest_continues_after_save, 400)
{
	struct qemu *q = qemu_find("vm2");
	struct guest_state st;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
	ASSERT_EQ(0, suspend_and_save(q, &st));
	EXPECT_TRUE(dma_table_is("vm1", SUSPENDED));
	ASSERT_EQ(0, qemu_command(q, "cont", NULL));
	EXPECT_TRUE(dma_table_is("vm1", RUNNING));
	ASSERT_TRUE(wakes_up(q, &st))
		TH_LOG("%s", qemu_console("vm2"));
}

/* A table of other memory, with a mapping that the guest does not have */
TEST_F_TIMEOUT(after, changed_mappings_are_mapped_again, 400)
{
	struct qemu *q = qemu_find("vm2");
	struct guest_state st;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
	ASSERT_EQ(0, suspend_and_save(q, &st));
	ASSERT_EQ(0, qemu_quit(q));
	ASSERT_EQ(0, make_dma_table("c", PKRAM_MNT "/other"));
	q = START_GUEST(",pkram-dma-table=c", INCOMING);
	ASSERT_NE(NULL, q)
		TH_LOG("%s", qemu_stderr("vm1"));
	EXPECT_TRUE(dma_table_is("c", "other"));
	ASSERT_EQ(0, qemu_load(q, STATE))
		TH_LOG("%s %s", q->error, qemu_stderr("vm1"));
	ASSERT_TRUE(wakes_up(q, &st))
		TH_LOG("%s", qemu_console("vm1"));
	EXPECT_TRUE(dma_table_is("c", "vm1"));
	EXPECT_OK(unlink(PKRAM_MNT "/other"));
	EXPECT_EQ(0, qemu_quit(q));
	EXPECT_TRUE(dma_table_is("c", NULL));
	/* No program needs the table of the saved guest. */
	EXPECT_OK(vm_run(NULL, CTL "dma-table remove vm1"));
}

TEST_HARNESS_MAIN
