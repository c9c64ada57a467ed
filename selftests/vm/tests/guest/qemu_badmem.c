// SPDX-License-Identifier: GPL-2.0
/*
 * A memory error in a guest's RAM: QEMU is told the address and tells the guest, whose
 * kernel gives the page up and goes on; the guest is saved, and the next kernel's QEMU
 * warns of the page and resumes it.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <fcntl.h>
#include <unistd.h>

#include "test.h"

#include "fs.h"
#include "tiny_vms.h"

#define HWPOISON	"/sys/kernel/debug/hwpoison/"
#define STATE		PKRAM_MNT "/vm1.state"
/* Where the bad page is, for the next kernel: ADDRESS+SIZE */
#define PAGE_AT		PKRAM_MNT "/vm1.page"
#define BACKEND		"memory-backend-pkram,id=ram0,size=1G,name=vm1"
/* Linux on a CPU of AMD goes on after an uncorrected error only with these two. */
#define CPU	GUEST_CPU ",+succor,+overflow-recov"
#define MACHINE_1G							\
	QEMU_LINUX("guest.mib=100"), "-cpu", CPU,			\
	"-machine", "pc-q35-8.1,memory-backend=ram0", "-m", "1G"

static uint64_t phys_at(const char *path, uint64_t offset)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent[200];
	} m = { .map = { .fm_length = ~0ULL, .fm_extent_count = 200 } };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t phys = 0;
	uint32_t i;

	if (fd < 0 || ioctl(fd, FS_IOC_FIEMAP, &m))
		m.map.fm_mapped_extents = 0;
	for (i = 0; i < m.map.fm_mapped_extents; i++)
		if (offset - m.extent[i].fe_logical < m.extent[i].fe_length)
			phys = m.extent[i].fe_physical + offset - m.extent[i].fe_logical;
	close(fd);
	return phys;
}

STAGE(first)

TEST_F_TIMEOUT(first, guest_loses_a_page_and_is_saved, 400)
{
	struct guest_state st;
	char text[64], *got;
	struct qemu *q;
	uint64_t page;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(2));
	if (access(HWPOISON, F_OK))
		vm_mount("debugfs", "/sys/kernel/debug", NULL);
	q = qemu_start("vm1", MACHINE_1G, "-object", BACKEND, NULL);
	ASSERT_NE(NULL, q) TH_LOG("%s", qemu_stderr("vm1"));
	ASSERT_EQ(0, guest_wait(q, 5, &st, 200)) TH_LOG("%s", qemu_console("vm1"));
	got = guest_ask(q, "page", 60);
	ASSERT_NE(NULL, got);
	page = strtoull(got, NULL, 16);
	free(got);
	ASSERT_NE(0, page);
	/* With 1 GiB the guest's addresses are the offsets in its object. */
	snprintf(text, sizeof(text), "%#llx",
		 (unsigned long long)phys_at(PKRAM_MNT "/vm1", page) / 4096);
	ASSERT_EQ(0, vm_write_file(HWPOISON "corrupt-pfn", text));
	EXPECT_EQ(0, qemu_wait_event(q, "MEMORY_FAILURE", 60)) TH_LOG("%s", qemu_stderr("vm1"));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter)) TH_LOG("%s", qemu_console("vm1"));

	/* Who reads the page is ended, by the guest's own kernel. */
	got = guest_ask(q, "touch", 60);
	EXPECT_STREQ("Bus error", got);
	free(got);
	snprintf(text, sizeof(text), "GUEST addr %#llx of type BUS_MCEERR_AR injected",
		 (unsigned long long)page);
	got = qemu_stderr("vm1");
	EXPECT_NE(NULL, strstr(got, text)) TH_LOG("%s", got);
	free(got);
	snprintf(text, sizeof(text), "Memory failure: %#llx", (unsigned long long)page / 4096);
	got = qemu_console("vm1");
	EXPECT_NE(NULL, strstr(got, text)) TH_LOG("%s", got);
	free(got);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
	EXPECT_EQ(0, qemu_runs_on(q, st.counter)) TH_LOG("%s", qemu_console("vm1"));
	EXPECT_EQ(0, guest_verify(q));

	snprintf(text, sizeof(text), "%#llx+0x1000", (unsigned long long)page);
	ASSERT_EQ(0, vm_write_file(PAGE_AT, text));
	ASSERT_EQ(0, qemu_command(q, "query-pkram", NULL));
	EXPECT_NE(NULL, strstr(qemu_answer(q, ""), "\"bad-pages\": 1"));
	ASSERT_EQ(0, qemu_save(q, STATE)) TH_LOG("%s", q->error);
	EXPECT_EQ(0, qemu_quit(q));
}

STAGE(second)

TEST_F_TIMEOUT(second, guest_resumes_without_the_page, 400)
{
	char says[128], *page, *got;
	struct guest_state st;
	struct qemu *q;

	ASSERT_EQ(0, pool_up(NULL));
	page = vm_read_file(PAGE_AT);
	ASSERT_NE(NULL, page);
	snprintf(says, sizeof(says), "object '/dev/pkram/vm1' lost 1 pages to memory errors, at %s",
		 page);
	free(page);
	EXPECT_EQ(0, refused("refused", says, (const char * const []){
		MACHINE_1G, "-object", BACKEND ",bad-pages=refuse", INCOMING, NULL }));
	EXPECT_TRUE(object_is("vm1", PKRAM_STATE_SEALED));
	q = qemu_start("vm1", MACHINE_1G, "-object", BACKEND, INCOMING, NULL);
	ASSERT_NE(NULL, q) TH_LOG("%s", qemu_stderr("vm1"));
	got = qemu_stderr("vm1");
	EXPECT_NE(NULL, strstr(got, "warning: pkram object"));
	EXPECT_NE(NULL, strstr(got, says)) TH_LOG("%s", got);
	free(got);
	ASSERT_EQ(0, qemu_load(q, STATE)) TH_LOG("%s", q->error);
	ASSERT_EQ(0, guest_wait(q, 0, &st, 60));
	EXPECT_STREQ("ok", st.pattern);
	EXPECT_EQ(0, guest_verify(q));
	got = guest_ask(q, "touch", 60);
	EXPECT_STREQ("Bus error", got);
	free(got);
	EXPECT_EQ(0, qemu_runs_on(q, st.counter)) TH_LOG("%s", qemu_console("vm1"));
	EXPECT_EQ(0, qemu_quit(q));
}

TEST_HARNESS_MAIN
