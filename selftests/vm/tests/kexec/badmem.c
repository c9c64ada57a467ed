// SPDX-License-Identifier: GPL-2.0
/*
 * Memory errors in the pool: each process that maps the page is told, it is not used again, in this
 * kernel or the next, and nothing else is lost.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "test.h"

#include "mmap.h"
#include "trace.h"
#include <pkram.h>

#define HWPOISON	"/sys/kernel/debug/hwpoison/"
#define MCE_INJECT	"/sys/kernel/debug/mce-inject/"
#define BAD_AT		(300 * MIB + 5 * PAGE)	/* in the file of a GiB */
#define SMALL		(16 * MIB)
#define SMALL_BAD	(6 * MIB + 9 * PAGE)

/* The last SIGBUS, and how many there were */
static volatile struct {
	int code, lsb, nr;
	void *addr;
} bus;
static sigjmp_buf *volatile bus_jump;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	sigjmp_buf *to = bus_jump;

	(void)context;
	bus.nr++;
	bus.code = info->si_code;
	bus.lsb = info->si_addr_lsb;
	bus.addr = info->si_addr;
	bus_jump = NULL;
	if (to)
		siglongjmp(*to, sig);
}

/* Read a word. Return: the code of the SIGBUS, or 0 */
static int touch(const volatile void *p)
{
	sigjmp_buf buf;

	bus.code = 0;
	if (!sigsetjmp(buf, 1)) {
		bus_jump = &buf;
		(void)*(const volatile uint64_t *)p;
	}
	bus_jump = NULL;
	return bus.code;
}

static int inject(const char *file, uint64_t phys)
{
	char text[32];

	bus.code = 0;
	snprintf(text, sizeof(text), "%#llx", (unsigned long long)phys / PAGE);
	return vm_write_file(file, text);
}

static int break_page(uint64_t phys)
{
	return inject(HWPOISON "corrupt-pfn", phys);
}

/*
 * An uncorrected memory error as the kernel's decoders get it: valid, with an address that is
 * physical, in a bank and with codes that stand for memory, at AMD and at Intel
 */
static int machine_check(uint64_t phys)
{
	static const struct {
		const char *file, *value;
	} as[] = {
		{ MCE_INJECT "flags", "sw\n" },	/* drops the last character */
		{ MCE_INJECT "cpu", "0" },
		{ MCE_INJECT "status", "0xbc0008000008009f" },
		{ MCE_INJECT "misc", "0x8c" },
	};
	char addr[32];
	size_t i;

	for (i = 0; i < sizeof(as) / sizeof(as[0]); i++)
		if (vm_write_file(as[i].file, as[i].value))
			return -1;
	snprintf(addr, sizeof(addr), "%#llx", (unsigned long long)phys);
	/* The last one injects. */
	return vm_write_file(MCE_INJECT "addr", addr) ?: vm_write_file(MCE_INJECT "bank", "4");
}

static void setup(struct __test_metadata *_metadata)
{
	struct sigaction sa = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_NODEFER |
						  SA_RESTART };

	ASSERT_OK(sigaction(SIGBUS, &sa, NULL));
	ASSERT_OK(fs_load());
	ASSERT_OK(fs_mount());
	if (access(HWPOISON, F_OK))
		vm_mount("debugfs", "/sys/kernel/debug", NULL);
	ASSERT_OK(access(HWPOISON, F_OK));
}

/* Ask for a signal as soon as the error is known, as QEMU does */
static void want_early(struct __test_metadata *_metadata)
{
	ASSERT_OK(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
}

static void expect_bus(struct __test_metadata *_metadata, int code, const void *addr)
{
	EXPECT_EQ(code, bus.code);
	EXPECT_EQ(addr, bus.addr);
	EXPECT_EQ(12, bus.lsb);
}

/* The page at @bad cannot be accessed, and all others of the file can. */
static void expect_lost(struct __test_metadata *_metadata, int fd, const char *p, size_t bad)
{
	char buf[4 * PAGE];

	EXPECT_EQ(BUS_MCEERR_AR, touch(p + bad + 8));
	/* What is reported of an access is its own address. */
	expect_bus(_metadata, BUS_MCEERR_AR, p + bad + 8);
	EXPECT_EQ(-1, marked(p + bad - PAGE, PAGE, 1, bad - PAGE));
	EXPECT_EQ(-1, marked(p + bad + PAGE, PAGE, 1, bad + PAGE));
	EXPECT_EQ(2 * PAGE, pread(fd, buf, sizeof(buf), bad - 2 * PAGE));
	EXPECT_EQ(-1, marked(buf, 2 * PAGE, 1, bad - 2 * PAGE));
	EXPECT_ERR(EIO, pread(fd, buf, sizeof(buf), bad));
	EXPECT_ERR(EIO, pread(fd, buf, 8, bad + 100));
	EXPECT_EQ(PAGE, pread(fd, buf, PAGE, bad + PAGE));
	EXPECT_EQ(-1, marked(buf, PAGE, 1, bad + PAGE));
	EXPECT_EQ(PAGE, pwrite(fd, buf, PAGE, bad + PAGE));
	EXPECT_ERR(EIO, pwrite(fd, buf, PAGE, bad));
	memcpy(buf, p + bad - PAGE, PAGE);
	EXPECT_EQ(PAGE, pwrite(fd, buf, 3 * PAGE, bad - PAGE));
}

/* The memory of a file; a look into /proc/self/pagemap would split 1G leaves */
struct memory {
	struct fiemap map;
	struct fiemap_extent extent[200];
};

static struct memory memory_of(int fd)
{
	struct memory m = { .map = { .fm_length = ~0ULL, .fm_extent_count = 200 } };

	if (ioctl(fd, FS_IOC_FIEMAP, &m))
		m.map.fm_mapped_extents = 0;
	return m;
}

static uint64_t phys_at(int fd, uint64_t offset)
{
	struct memory m = memory_of(fd);
	uint32_t i;

	for (i = 0; i < m.map.fm_mapped_extents; i++)
		if (offset - m.extent[i].fe_logical < m.extent[i].fe_length)
			return m.extent[i].fe_physical + offset - m.extent[i].fe_logical;
	return 0;
}

static bool has_memory(int fd, uint64_t phys)
{
	struct memory m = memory_of(fd);
	uint32_t i, nr = m.map.fm_mapped_extents;

	for (i = 0; i < nr; i++)
		if (phys - m.extent[i].fe_physical < m.extent[i].fe_length)
			return true;
	return nr == 0 || nr == 200;
}

FIXTURE(error) {};

FIXTURE_SETUP(error)
{
	setup(_metadata);
	if (!fs_total())
		ASSERT_OK(pool_grow(2));
	ASSERT_OK(chdir(PKRAM_MNT));
}

FIXTURE_TEARDOWN(error)
{
}

TEST_F(error, page_of_a_1g_leaf)
{
	int fd = fs_file("gib", GIB);
	char *p = map_file(fd, GIB);
	uint64_t phys;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(has_whole_gib(fd));
	mark(p, GIB, 1);
	EXPECT_EQ(1, leaves(fd).leaves_1g);
	phys = phys_at(fd, BAD_AT);
	ASSERT_NE(0, phys);
	want_early(_metadata);
	ASSERT_OK(break_page(phys));
	expect_bus(_metadata, BUS_MCEERR_AO, p + BAD_AT);
	EXPECT_EQ(0, leaves(fd).leaves_1g);
	EXPECT_EQ(0, touch(p));
	EXPECT_EQ(0, touch(p + GIB - 8));
	EXPECT_EQ(0, touch(p + BAD_AT - 8));
	EXPECT_EQ(0, leaves(fd).leaves_1g);
	if (!leaves_are_folios())
		EXPECT_EQ(2, leaves(fd).leaves_2m);
	EXPECT_TRUE(vm_kmsg_has("loses the page at offset 0x12c05000"));
	/* Once more: an error that is known */
	ASSERT_OK(break_page(phys));
	expect_bus(_metadata, BUS_MCEERR_AO, p + BAD_AT);
	/* A process that did not ask is told when it gets there. */
	IN_CHILD(pid) {
		_exit(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0) ||
		      break_page(phys) || bus.code || touch(p + BAD_AT - PAGE) ||
		      touch(p + BAD_AT) != BUS_MCEERR_AR || bus.addr != p + BAD_AT);
	}
	EXPECT_EQ(0, wait_for(pid));
	expect_lost(_metadata, fd, p, BAD_AT);
	close(fd);
}

TEST_F(error, page_of_a_2m_leaf)
{
	int fd = fs_file("small", SMALL);
	char *p = map_file(fd, SMALL);
	uint64_t phys;

	ASSERT_NE(MAP_FAILED, p);
	mark(p, SMALL, 1);
	EXPECT_EQ(8, leaves(fd).leaves_2m);
	phys = phys_at(fd, SMALL_BAD);
	want_early(_metadata);
	ASSERT_OK(break_page(phys));
	expect_bus(_metadata, BUS_MCEERR_AO, p + SMALL_BAD);
	expect_lost(_metadata, fd, p, SMALL_BAD);
	EXPECT_LT(0, leaves(fd).leaves_4k);
	/* ptrace(2) and /proc/PID/mem */
	{
		int mem = open("/proc/self/mem", O_RDWR);
		char c;

		ASSERT_LE(0, mem);
		EXPECT_EQ(1, pread(mem, &c, 1, (uintptr_t)p + SMALL_BAD - 1));
		EXPECT_ERR(EIO, pread(mem, &c, 1, (uintptr_t)p + SMALL_BAD));
		close(mem);
	}
	/* Unpoison is for the page allocator's pages. */
	EXPECT_GT(0, inject(HWPOISON "unpoison-pfn", phys));
	EXPECT_EQ(BUS_MCEERR_AR, touch(p + SMALL_BAD));
	close(fd);
}

TEST_F(error, madvise_on_a_4k_leaf)
{
	int fd = fs_file("pages", SMALL);
	char *p = map_file(fd, SMALL);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_OK(madvise(p, SMALL, MADV_NOHUGEPAGE));
	mark(p, SMALL, 1);
	EXPECT_EQ(SMALL / PAGE, leaves(fd).leaves_4k);
	want_early(_metadata);
	bus.code = 0;
	ASSERT_OK(madvise(p + SMALL_BAD, PAGE, MADV_HWPOISON));
	/* Since 6.12 it counts as an access. */
	expect_bus(_metadata, is_6_1() ? BUS_MCEERR_AO : BUS_MCEERR_AR, p + SMALL_BAD);
	expect_lost(_metadata, fd, p, SMALL_BAD);
	/* A hole is what gives the owner good memory again. */
	ASSERT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    SMALL_BAD / UNIT * UNIT, UNIT));
	EXPECT_EQ(0, touch(p + SMALL_BAD));
	EXPECT_EQ(-1, vm_verify_zero(p + SMALL_BAD, PAGE));
	ASSERT_OK(unlink("pages"));
	close(fd);
}

/* What copies an object stops at the page, and says where that is. */
TEST_F(error, copies_end_at_the_page)
{
	int fd = fs_file("source", SMALL), pipes[2], i;
	char *p = map_file(fd, SMALL), text[100], buf[4 * PAGE], *out;
	loff_t at = SMALL_BAD - 2 * PAGE;

	ASSERT_NE(MAP_FAILED, p);
	mark(p, SMALL, 1);
	ASSERT_OK(munmap(p, SMALL));
	ASSERT_OK(break_page(phys_at(fd, SMALL_BAD)));
	ASSERT_OK(pipe(pipes));
	for (i = 0; i < 2 && at < (loff_t)SMALL_BAD; i++)
		EXPECT_LT(0, splice(fd, &at, pipes[1], NULL, SMALL_BAD + PAGE - at, 0));
	EXPECT_EQ((loff_t)SMALL_BAD, at);
	EXPECT_ERR(EIO, splice(fd, &at, pipes[1], NULL, PAGE, 0));
	EXPECT_EQ(2 * PAGE, read(pipes[0], buf, sizeof(buf)));
	EXPECT_EQ(-1, marked(buf, 2 * PAGE, 1, SMALL_BAD - 2 * PAGE));
	EXPECT_LT(0, vm_run(&out, CTL "export source /tmp/source"));
	snprintf(text, sizeof(text), "source: reading at byte %lu: Input/output error",
		 (unsigned long)SMALL_BAD);
	EXPECT_NE(NULL, strstr(out, text)) {
		TH_LOG("%s", out);
	}
	EXPECT_ERR(ENOENT, access("/tmp/source", F_OK));
	free(out);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
	ASSERT_OK(unlink("source"));
}

/* Memory that was never written is zeroed around the page. */
TEST_F(error, page_of_stale_memory)
{
	int fd = fs_file("stale", 4 * UNIT);
	char *p = map_file(fd, 4 * UNIT), *trace;
	long long before = pool_counter("bad_pages");

	ASSERT_NE(MAP_FAILED, p);
	/* So that the memory has struct pages */
	EXPECT_EQ(0, touch(p));
	ASSERT_EQ(0, trace_start());
	ASSERT_OK(break_page(phys_at(fd, UNIT + 3 * PAGE)));
	ASSERT_OK(break_page(phys_at(fd, UNIT + 3 * PAGE)));
	trace = trace_stop();
	ASSERT_NE(NULL, trace);
	EXPECT_EQ(1, trace_count(trace, "bad_page", "noted"));
	EXPECT_EQ(1, trace_count(trace, "bad_page", "known"));
	free(trace);
	EXPECT_EQ(before + 1, pool_counter("bad_pages"));
	EXPECT_EQ(0, touch(p + UNIT + 2 * PAGE));
	EXPECT_EQ(-1, vm_verify_zero(p + UNIT + 4 * PAGE, UNIT - 4 * PAGE));
	EXPECT_EQ(BUS_MCEERR_AR, touch(p + UNIT + 3 * PAGE));
	close(fd);
}

/* A process that maps a file; each maps it elsewhere */
static const struct mapper {
	int when;
	bool touches;	/* the page, before it breaks */
} mappers[] = {
	{ PR_MCE_KILL_EARLY, true },
	{ PR_MCE_KILL_LATE, true },
	{ PR_MCE_KILL_EARLY, false },
	{ PR_MCE_KILL_LATE, false },
};

#define NR_MAPPERS	((int)(sizeof(mappers) / sizeof(mappers[0])))

/* Return: "", or what was wrong */
static const char *mapper_run(int n, int fd, int sock)
{
	const struct mapper *m = &mappers[n];
	bool early = m->when == PR_MCE_KILL_EARLY;
	char *p, *bad, c = 'c';

	/* What is mapped later is below. */
	if (mmap(NULL, (n + 1) * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		return "no addresses";
	p = map_file(fd, SMALL);
	bad = p + SMALL_BAD;
	if (p == MAP_FAILED || prctl(PR_MCE_KILL, PR_MCE_KILL_SET, m->when, 0, 0))
		return strerror(errno);
	if (m->touches && touch(bad))
		return "it was bad before";
	bus.nr = 0;
	if (write(sock, &p, sizeof(p)) != sizeof(p) || read(sock, &c, 1) != 1)
		return "the parent is gone";
	/* The signal was sent before the parent wrote. */
	if (bus.nr != early)
		return early ? "not one signal at once" : "a signal at once";
	if (early && (bus.code != BUS_MCEERR_AO || bus.addr != bad || bus.lsb != 12))
		return "not what is said of a page at once";
	if (touch(bad + 16) != BUS_MCEERR_AR || bus.nr != early + 1 || bus.addr != bad + 16)
		return "not what is said of an access";
	return "";
}

/* In none of them is the page at the address that it has in another. */
TEST_F(error, each_process_is_told_its_own_address)
{
	int fd = fs_file("shared", SMALL), sock[NR_MAPPERS][2], n, k;
	char *p = map_file(fd, SMALL), *at[NR_MAPPERS], text[100];
	pid_t pid[NR_MAPPERS];
	ssize_t len;

	ASSERT_NE(MAP_FAILED, p);
	mark(p, SMALL, 1);
	ASSERT_OK(munmap(p, SMALL));
	for (n = 0; n < NR_MAPPERS; n++) {
		ASSERT_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock[n]));
		IN_CHILD(pid[n]) {
			const char *wrong = mapper_run(n, fd, sock[n][1]);

			_exit(write(sock[n][1], wrong, strlen(wrong) + 1) < 0);
		}
		close(sock[n][1]);
		ASSERT_EQ((ssize_t)sizeof(at[n]), read(sock[n][0], &at[n], sizeof(at[n])));
		for (k = 0; k < n; k++)
			EXPECT_NE(at[k], at[n]);
	}
	bus.nr = 0;
	want_early(_metadata);
	ASSERT_OK(break_page(phys_at(fd, SMALL_BAD)));
	for (n = 0; n < NR_MAPPERS; n++)
		EXPECT_EQ(1, write(sock[n][0], "g", 1));
	for (n = 0; n < NR_MAPPERS; n++) {
		len = read(sock[n][0], text, sizeof(text));
		ASSERT_LT(0, len);
		EXPECT_STREQ("", text) {
			TH_LOG("process %d", n);
		}
		EXPECT_EQ(0, wait_for(pid[n]));
		close(sock[n][0]);
	}
	/* It maps the file no longer. */
	EXPECT_EQ(0, bus.nr);
	close(fd);
	ASSERT_OK(unlink("shared"));
}

/* Return the event of a bad page, or NULL if none comes */
static struct pkram_event *bad_page_event(struct pkram_ctx *ctx)
{
	struct pkram_event *ev = NULL;

	VM_WAIT(pkram_event_next(ctx, &ev) != -EAGAIN);
	if (ev && ev->kind == PKRAM_CMD_PAGE_BAD_NTF)
		return ev;
	printf("# %s: %s\n", ev ? pkram_event_name(ev->kind) : "no event", pkram_strerror(ctx));
	pkram_event_free(ev);
	return NULL;
}

/* Return whether `pkramctl -j region show` has the page in the region that has the address */
static bool region_shows(uint64_t phys)
{
	char *out, *row, *end, text[40], *at;
	bool good = false;

	if (vm_run(&out, CTL "-j region show"))
		return false;
	snprintf(text, sizeof(text), "0x%llx+4096", (unsigned long long)phys);
	for (row = strchr(out, '{'); row && !good; row = strchr(end + 1, '{')) {
		end = strchr(row, '}');
		*end = '\0';
		at = strstr(row, "\"bad_ranges\":\"");
		good = at && strstr(at, text) && (at = strstr(row, "\"bad_pages\":")) &&
		       atoi(at + strlen("\"bad_pages\":")) > 0;
	}
	if (!good)
		printf("# no %s: %s\n", text, out);
	free(out);
	return good;
}

TEST_F(error, broken_page_is_told_and_shown)
{
	int fd = fs_file("told", 2 * UNIT);
	char *p = map_file(fd, 2 * UNIT);
	const size_t bad = UNIT + 11 * PAGE;
	struct pkram_event *ev;
	struct pkram_ctx *ctx;
	uint64_t phys;

	ASSERT_NE(MAP_FAILED, p);
	mark(p, 2 * UNIT, 1);
	phys = phys_at(fd, bad);
	ASSERT_OK(pkram_open(&ctx) ?: pkram_event_listen(ctx));
	ASSERT_OK(break_page(phys));
	ev = bad_page_event(ctx);
	ASSERT_NE(NULL, ev);
	EXPECT_EQ(phys, ev->base);
	EXPECT_EQ(bad, ev->offset);
	ASSERT_NE(NULL, ev->object);
	EXPECT_STREQ("/told", ev->object->name);
	pkram_event_free(ev);
	EXPECT_TRUE(region_shows(phys));
	ASSERT_OK(munmap(p, 2 * UNIT));
	close(fd);
	ASSERT_OK(unlink("told"));
	/* It stays bad when its object is gone. */
	EXPECT_TRUE(region_shows(phys));
	pkram_close(ctx);
}

/* The kernel hears of it from the decoders alone, as of what its own reads meet. */
TEST_F(error, machine_check_in_a_mapped_page)
{
	int fd = fs_file("mapped", 2 * UNIT);
	char *p = map_file(fd, 2 * UNIT);
	const size_t bad = UNIT + 7 * PAGE;

	if (access(MCE_INJECT, F_OK))
		SKIP(return, "no injector of machine checks");
	ASSERT_NE(MAP_FAILED, p);
	mark(p, 2 * UNIT, 1);
	want_early(_metadata);
	bus.code = 0;
	ASSERT_OK(machine_check(phys_at(fd, bad)));
	VM_WAIT(bus.code);
	expect_bus(_metadata, BUS_MCEERR_AO, p + bad);
	expect_lost(_metadata, fd, p, bad);
	ASSERT_OK(munmap(p, 2 * UNIT));
	close(fd);
	ASSERT_OK(unlink("mapped"));
}

TEST_F(error, freed_page_is_not_used_again)
{
	uint64_t free_before, phys;
	int fd = fs_file("gone", 2 * UNIT), all;
	char *p = map_file(fd, 2 * UNIT);
	uint64_t other = phys_at(fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, touch(p + UNIT));
	phys = phys_at(fd, UNIT);
	ASSERT_OK(break_page(phys));
	free_before = fs_free();
	ASSERT_OK(munmap(p, 2 * UNIT));
	close(fd);
	ASSERT_OK(unlink("gone"));
	VM_WAIT(fs_free() > free_before);
	EXPECT_EQ(free_before + UNIT, fs_free());
	/* A free page */
	ASSERT_OK(break_page(other));
	EXPECT_EQ(free_before, fs_free());
	all = fs_file("all", 0);
	ASSERT_OK(fallocate(all, 0, 0, fs_free()));
	EXPECT_FALSE(has_memory(all, phys));
	EXPECT_FALSE(has_memory(all, other));
	close(all);
	ASSERT_OK(unlink("all"));
}

/* In each kind of metadata of a region */
TEST_F(error, metadata_is_read_from_its_other_copy)
{
	static const uint64_t at[] = { 0, 0x10000, 0x40000, 2 * MIB };
	uint64_t start, end;
	char name[32];
	size_t i;
	int n;

	for (n = 0; vm_iomem_find("pkram", n, &start, &end); n++)
		for (i = 0; i < sizeof(at) / sizeof(*at); i++)
			ASSERT_OK(break_page(start + at[i]));
	ASSERT_LT(0, n);
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "record%zu", i);
		ASSERT_OK(pool_file_fill(name, 3 * PAGE, i));
	}
	ASSERT_OK(rename("record0", "record1"));
	ASSERT_OK(unlink("record2"));
	ASSERT_OK(mkdir("directory", 0700));
	EXPECT_EQ(0, pool_number("quarantined"));
}

FIXTURE(next) {};

FIXTURE_SETUP(next)
{
	setup(_metadata);
	ASSERT_OK(chdir(PKRAM_MNT));
}

FIXTURE_TEARDOWN(next)
{
}

TEST_F(next, list_is_read)
{
	EXPECT_TRUE(vm_kmsg_has("with memory errors are kept back"));
	EXPECT_FALSE(vm_kmsg_has("list of memory errors cannot be read"));
}

TEST_F(next, metadata_is_still_read_from_its_other_copy)
{
	char name[32];
	int i;

	EXPECT_EQ(0, pool_number("quarantined"));
	EXPECT_ERR(ENOENT, access("record0", F_OK));
	EXPECT_OK(pool_file_check("record1", 3 * PAGE, 0));
	EXPECT_ERR(ENOENT, access("record2", F_OK));
	for (i = 3; i < 40; i++) {
		snprintf(name, sizeof(name), "record%d", i);
		EXPECT_OK(pool_file_check(name, 3 * PAGE, i));
		EXPECT_OK(unlink(name));
	}
	EXPECT_OK(access("directory", F_OK));
}

/* No process has touched that GiB since the boot, so that its pages are unknown to the kernel. */
TEST_F(next, error_in_an_untouched_gib_is_noted)
{
	int gib = open("gib", O_RDWR);
	struct pkram_ioc_info info = { .size = sizeof(info) };

	if (access(MCE_INJECT, F_OK))
		SKIP(return, "no injector of machine checks");
	ASSERT_LE(0, gib);
	EXPECT_EQ(-ENXIO, break_page(phys_at(gib, GIB - PAGE)));
	ASSERT_OK(machine_check(phys_at(gib, GIB - PAGE)));
	VM_WAIT(vm_kmsg_has("loses the page at offset 0x3ffff000"));
	EXPECT_TRUE(vm_kmsg_has("loses the page at offset 0x3ffff000"));
	ASSERT_OK(ioctl(gib, PKRAM_IOC_INFO, &info));
	EXPECT_EQ(2, info.nr_bad_pages);
	close(gib);
}

TEST_F(next, owners_have_the_rest)
{
	int gib = open("gib", O_RDWR), small = open("small", O_RDWR);
	char *p = map_file(gib, GIB), *q = map_file(small, SMALL), buf[PAGE], *out;
	struct pkram_ioc_info info = { .size = sizeof(info) };
	struct pkram_ioc_bad bad = { .size = sizeof(bad) };

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(0, touch(p + BAD_AT - 8));
	EXPECT_EQ(BUS_MCEERR_AR, touch(p + BAD_AT));
	expect_bus(_metadata, BUS_MCEERR_AR, p + BAD_AT);
	EXPECT_EQ(0, touch(p + BAD_AT + PAGE));
	EXPECT_EQ(0, leaves(gib).leaves_1g);
	EXPECT_ERR(EIO, pread(gib, buf, PAGE, BAD_AT));
	/* The owner of the file can ask without privileges. */
	ASSERT_OK(ioctl(gib, PKRAM_IOC_INFO, &info));
	EXPECT_EQ(access(MCE_INJECT, F_OK) ? 1 : 2, info.nr_bad_pages);
	ASSERT_OK(ioctl(gib, PKRAM_IOC_BAD, &bad));
	EXPECT_EQ(BAD_AT, bad.offset);
	EXPECT_EQ(PAGE, bad.bytes);
	bad.offset += bad.bytes;
	if (info.nr_bad_pages > 1) {
		ASSERT_OK(ioctl(gib, PKRAM_IOC_BAD, &bad));
		EXPECT_EQ(GIB - PAGE, bad.offset);
		EXPECT_EQ(PAGE, bad.bytes);
		EXPECT_EQ(BUS_MCEERR_AR, touch(p + GIB - PAGE));
		bad.offset += bad.bytes;
	}
	EXPECT_ERR(ENODATA, ioctl(gib, PKRAM_IOC_BAD, &bad));
	bad.flags = 1;
	EXPECT_ERR(EINVAL, ioctl(gib, PKRAM_IOC_BAD, &bad));
	ASSERT_OK(vm_run(&out, CTL "-j object show"));
	EXPECT_NE(NULL, strstr(out, "\"bad_ranges\":\"0x12c05000+4096")) {
		TH_LOG("%s", out);
	}
	free(out);
	expect_lost(_metadata, small, q, SMALL_BAD);
	/* Each GiB with bad pages stays in the pool. */
	munmap(p, GIB);
	munmap(q, SMALL);
	close(gib);
	close(small);
}

TEST_F(next, shrink_keeps_the_gib)
{
	uint64_t total = fs_total();
	char *out = NULL;

	ASSERT_OK(chdir("/"));
	ASSERT_OK(fs_empty(PKRAM_MNT));
	/* Both have some: one of the file, one of metadata and small files. */
	EXPECT_NE(0, vm_run(&out, CTL "pool shrink 1G"));
	EXPECT_NE(NULL, strstr(out, "bad page")) {
		TH_LOG("%s", out);
	}
	free(out);
	EXPECT_EQ(total, fs_total());
}

#define MAPPED		(2 * GIB)
#define MAX_GIB		16

/*
 * RAM that the kernel knows to be bad does not join the pool. Each GiB that can be reached
 * gets a bad page, because some are refused for other reasons before.
 */
TEST_F(next, grow_refuses_bad_ram)
{
	char *p = mmap(NULL, MAPPED, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *out;
	uint64_t phys, total, bad[MAX_GIB] = { };
	size_t i;

	ASSERT_NE(MAP_FAILED, p);
	madvise(p, MAPPED, MADV_HUGEPAGE);
	for (i = 0; i < MAPPED; i += 2 * MIB) {
		p[i] = 1;
		phys = vm_physical(p + i);
		if (phys < 4 * GIB || phys / GIB >= MAX_GIB || bad[phys / GIB])
			continue;
		bad[phys / GIB] = phys;
		ASSERT_OK(madvise(p + i, PAGE, MADV_HWPOISON));
	}
	munmap(p, MAPPED);
	total = fs_total();
	vm_run(&out, CTL "-j pool grow 8G");
	EXPECT_NE(NULL, strstr(out, "HWPoison")) {
		TH_LOG("%s", out);
	}
	free(out);
	EXPECT_LE(total, fs_total());
	for (i = 0; i < MAX_GIB; i++) {
		if (!bad[i])
			continue;
		TH_LOG("%#llx", (unsigned long long)bad[i]);
		EXPECT_FALSE(vm_iomem_touches(bad[i], bad[i], "pkram"));
		EXPECT_TRUE(vm_iomem_under(bad[i], bad[i], "System RAM"));
	}
}

TEST_HARNESS_MAIN
