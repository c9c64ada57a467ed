// SPDX-License-Identifier: GPL-2.0
/*
 * DMA tables: the mappings of a VFIO container are restored after its process died and
 * after a kexec; a restore by another user, or of changed memory, is refused.
 */
#include <grp.h>
#include <sys/wait.h>
#include <time.h>

#include "test.h"

#include "damage.h"
#include "vfio.h"
#include <pkram.h>

/* What vm1 maps of the file "ram", of RAM bytes */
#define RAM	(64 * MIB)
#define LOW	(16 * MIB)	/* its first half */
#define HIGH	(4 * GIB)	/* its second half */
#define ROM	(8 * GIB)	/* 2 MiB from 4 MiB on, read only */
#define PLAIN	(12 * GIB)	/* a page that is not the pool's */
#define HALF	(RAM / 2)

/* A container with one device */
struct box {
	int c;
	struct edu edu;
};

static int box_join(struct edu *edu, int index, int c)
{
	return edu_find(edu, index) ?: edu_join(edu, c);
}

static int box_open(struct box *b, int index)
{
	int err;

	b->c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	err = box_join(&b->edu, index, b->c);
	if (!err && ioctl(b->c, VFIO_SET_IOMMU, VFIO_PKRAM_IOMMU))
		err = -errno;
	return err ?: edu_start(&b->edu);
}

static void box_close(struct box *b)
{
	edu_leave(&b->edu);
	close(b->c);
}

static int name_ioctl(int c, unsigned long cmd, const char *name, uint32_t flags)
{
	struct pkram_vfio_table n = { .argsz = sizeof(n), .flags = flags };

	snprintf((char *)n.name, sizeof(n.name), "%s", name);
	return ioctl(c, cmd, &n);
}

static int create(int c, const char *name)
{
	return name_ioctl(c, PKRAM_VFIO_TABLE_CREATE, name, 0);
}

static int restore(int c, const char *name)
{
	return name_ioctl(c, PKRAM_VFIO_TABLE_RESTORE, name, 0);
}

static int restore_force(int c, const char *name)
{
	return name_ioctl(c, PKRAM_VFIO_TABLE_RESTORE, name, PKRAM_VFIO_TABLE_RESTORE_FORCE);
}

static long long give_all_up(int c)
{
	return dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR);
}

static int unmap_stale(int c, uint64_t *entries, uint64_t *size)
{
	struct pkram_vfio_unmap_stale d = { .argsz = sizeof(d) };
	int ret = ioctl(c, PKRAM_VFIO_UNMAP_STALE, &d);

	*entries = d.entries;
	*size = d.size;
	return ret;
}

/* The first half of a page from one address to another, by the device */
static int copy(struct box *b, uint64_t from, uint64_t to)
{
	return edu_dma(&b->edu, from, false) ?: edu_dma(&b->edu, to, true);
}

static int module_up(void)
{
	int err = fs_load() ?: fs_mount() ?: fs_grow();

	if (!err && !vm_module_loaded("pkram_vfio"))
		err = vm_insmod(VFIO_MODULE, NULL);
	return err;
}

static char *map_file(const char *path, off_t offset, size_t len)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char *p = mmap(NULL, len, RW, MAP_SHARED, fd, offset);

	close(fd);
	return p;
}

/*
 * A suspended DMA table with one mapping of a whole file of two units. The
 * first device is a process's that waits for the kexec.
 */
static int leave_suspended(const char *name, const char *path)
{
	struct box b;
	char *p;
	int err;

	p = map_file(path, 0, 2 * UNIT);
	if (p == MAP_FAILED)
		return -errno;
	err = box_open(&b, 1);
	if (!err && (create(b.c, name) || dma_map(b.c, LOW, p, 2 * UNIT) ||
		     give_all_up(b.c) != 2 * UNIT))
		err = -errno;
	box_close(&b);
	munmap(p, 2 * UNIT);
	return err;
}

/* An entry of the list of DMA tables; the list is freed with pkram_dma_table_free() */
static struct pkram_dma_table *find(struct pkram_dma_table **list, const char *name)
{
	struct pkram_dma_table *c;
	struct pkram_ctx *ctx;

	*list = NULL;
	if (pkram_open(&ctx) || pkram_dma_table_dump(ctx, list))
		printf("# list of DMA tables: %s\n", pkram_strerror(ctx));
	for (c = *list; c && (!c->name || strcmp(c->name, name)); c = c->next)
		;
	pkram_close(ctx);
	return c;
}

#define EXPECT_LISTED(want_name, want_entries, want_suspended, want_in_use)	\
	do {									\
		struct pkram_dma_table *list_, *c_ = find(&list_, want_name);	\
										\
		EXPECT_NE(NULL, c_);						\
		if (c_) {							\
			EXPECT_EQ(want_entries, c_->nr_entries);		\
			EXPECT_EQ(want_suspended, c_->suspended);		\
			EXPECT_EQ(want_in_use, c_->in_use);			\
			EXPECT_EQ(NULL, c_->quarantine);			\
		}								\
		pkram_dma_table_free(list_);					\
	} while (0)

static bool listed(const char *name)
{
	struct pkram_dma_table *list;
	bool there = find(&list, name);

	pkram_dma_table_free(list);
	return there;
}

/* Somebody else; root's rights come back with as_root() */
static int as_nobody(void)
{
	return setgroups(0, NULL) ?: setegid(NOBODY) ?: seteuid(NOBODY);
}

static int as_root(void)
{
	return seteuid(0) ?: setegid(0);
}

static void fill_and_map_vm1(struct __test_metadata *_metadata, struct box *b)
{
	char *p = map_file(PKRAM_MNT "/ram", 0, RAM), *plain;

	ASSERT_NE(MAP_FAILED, p);
	plain = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_OK(dma_map(b->c, HIGH, p + HALF, HALF));
	ASSERT_OK(dma_map(b->c, LOW, p, HALF));
	ASSERT_OK(dma_map_flags(b->c, ROM, p + 4 * MIB, 2 * MIB, VFIO_DMA_MAP_FLAG_READ));
	ASSERT_OK(dma_map(b->c, PLAIN, plain, PAGE));
	vm_fill(p, EDU_BYTES, 1, 0);
	ASSERT_OK(copy(b, LOW, HIGH + 3 * PAGE));
	ASSERT_EQ(-1, vm_verify(p + HALF + 3 * PAGE, EDU_BYTES, 1, 0));
}

/* DMA through each mapping of vm1, before anybody supplied an address of it */
static void check_dma(struct __test_metadata *_metadata, struct box *b, uint64_t seed)
{
	int fd = open(PKRAM_MNT "/ram", O_RDONLY | O_CLOEXEC), writer, i;
	char *p = mmap(NULL, RAM, PROT_READ, MAP_SHARED, fd, 0), buf[EDU_BYTES];

	ASSERT_NE(MAP_FAILED, p);
	/* What the CPU wrote, in all places */
	writer = open(PKRAM_MNT "/ram", O_RDWR | O_CLOEXEC);
	for (i = 0; writer >= 0 && i < 3; i++) {
		vm_fill(buf, EDU_BYTES, seed + i, 0);
		EXPECT_EQ(EDU_BYTES, pwrite(writer, buf, EDU_BYTES, 4 * MIB + i * 3 * PAGE));
	}
	ASSERT_LE(0, writer);
	close(writer);
	EXPECT_OK(copy(b, LOW + 4 * MIB, HIGH + 20 * MIB));
	EXPECT_EQ(-1, vm_verify(p + HALF + 20 * MIB, EDU_BYTES, seed, 0));
	EXPECT_OK(copy(b, ROM + 3 * PAGE, HIGH + HALF - PAGE));
	EXPECT_EQ(-1, vm_verify(p + RAM - PAGE, EDU_BYTES, seed + 1, 0));
	EXPECT_OK(copy(b, HIGH + 20 * MIB, LOW));
	EXPECT_EQ(-1, vm_verify(p, EDU_BYTES, seed, 0));
	/* Where it may not write it does not. */
	edu_dma(&b->edu, ROM + 6 * PAGE, true);
	EXPECT_EQ(-1, vm_verify(p + 4 * MIB + 6 * PAGE, EDU_BYTES, seed + 2, 0));
	munmap(p, RAM);
	close(fd);
}

/* The new owner opens, claims and supplies, as QEMU does. */
static void supply_vm1(struct __test_metadata *_metadata, struct box *b)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	int fd = open(PKRAM_MNT "/ram", O_RDWR | O_CLOEXEC);
	char *p = mmap(NULL, RAM, RW, MAP_SHARED, fd, 0), *q;

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_OK(ioctl(fd, PKRAM_IOC_CLAIM, &claim));
	/* Other memory, another offset, not all of it, nothing there */
	q = mmap(NULL, RAM, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_ERR(EINVAL, dma_renew(b->c, LOW, q, HALF));
	EXPECT_ERR(EINVAL, dma_renew(b->c, LOW, p + PAGE, HALF));
	EXPECT_ERR(EINVAL, dma_renew(b->c, LOW, p, HALF / 2));
	EXPECT_ERR(ENOENT, dma_renew(b->c, PLAIN, q, PAGE));
	munmap(q, RAM);
	EXPECT_LISTED("vm1", 3, true, true);
	EXPECT_OK(dma_renew(b->c, LOW, p, HALF));
	EXPECT_LISTED("vm1", 3, false, true);
	EXPECT_OK(dma_renew(b->c, HIGH, p + HALF, HALF));
	EXPECT_OK(dma_renew(b->c, ROM, p + 4 * MIB, 2 * MIB));
	munmap(p, RAM);
	close(fd);
	/* The claim lasts as long as DMA that it is for. */
	EXPECT_ERR(EBUSY, open(PKRAM_MNT "/ram", O_RDWR | O_CLOEXEC));
	EXPECT_ERR(EBUSY, truncate(PKRAM_MNT "/ram", 0));
	EXPECT_OK(copy(b, LOW + 4 * MIB, HIGH + 21 * MIB));
}

/* A process that has all that the caller has, until the kexec */
static void leave_a_process(void)
{
	if (!fork()) {
		setsid();
		for (;;)
			pause();
	}
}

FIXTURE(make) {};

FIXTURE_SETUP(make)
{
	umask(022);
	ASSERT_OK(module_up());
}

FIXTURE_TEARDOWN(make) {}

TEST_F(make, table_names_are_checked)
{
	struct pkram_vfio_table n = { .argsz = sizeof(n) - 1, .name = "one" };
	struct pkram_vfio_unmap_stale d = { .argsz = sizeof(d) };
	struct box a, b;

	ASSERT_OK(box_open(&a, 0));
	ASSERT_OK(box_open(&b, 1));
	EXPECT_ERR(EFAULT, ioctl(a.c, PKRAM_VFIO_TABLE_CREATE, NULL));
	EXPECT_ERR(EFAULT, ioctl(a.c, PKRAM_VFIO_TABLE_RESTORE, NULL));
	EXPECT_ERR(EFAULT, ioctl(a.c, PKRAM_VFIO_UNMAP_STALE, NULL));
	EXPECT_ERR(EINVAL, ioctl(a.c, PKRAM_VFIO_TABLE_CREATE, &n));
	n.argsz = sizeof(n);
	n.flags = 1;
	EXPECT_ERR(EINVAL, ioctl(a.c, PKRAM_VFIO_TABLE_CREATE, &n));
	n.flags = 2;
	EXPECT_ERR(EINVAL, ioctl(a.c, PKRAM_VFIO_TABLE_RESTORE, &n));
	d.flags = 1;
	EXPECT_ERR(EINVAL, ioctl(a.c, PKRAM_VFIO_UNMAP_STALE, &d));
	n.flags = 0;
	memset(n.name, 'x', sizeof(n.name));
	EXPECT_ERR(EINVAL, ioctl(a.c, PKRAM_VFIO_TABLE_CREATE, &n));
	EXPECT_ERR(EINVAL, create(a.c, ""));
	EXPECT_ERR(EINVAL, create(a.c, "a/b"));
	EXPECT_ERR(EINVAL, create(a.c, ".."));
	EXPECT_ERR(EINVAL, restore(a.c, ""));
	EXPECT_ERR(ENOENT, restore(a.c, "one"));
	n.name[255] = 0;
	EXPECT_OK(ioctl(a.c, PKRAM_VFIO_TABLE_CREATE, &n));
	EXPECT_TRUE(listed((char *)n.name));
	EXPECT_ERR(EINVAL, create(a.c, "two"));
	EXPECT_ERR(EINVAL, restore(a.c, "two"));
	EXPECT_ERR(EEXIST, ioctl(b.c, PKRAM_VFIO_TABLE_CREATE, &n));
	EXPECT_ERR(EBUSY, ioctl(b.c, PKRAM_VFIO_TABLE_RESTORE, &n));
	/* Names of files are others. */
	EXPECT_LE(0, fs_file(PKRAM_MNT "/one", 0));
	EXPECT_OK(create(b.c, "one"));
	EXPECT_OK(unlink(PKRAM_MNT "/one"));
	/* It was not suspended, so nobody could use what it leaves. */
	box_close(&a);
	EXPECT_FALSE(listed((char *)n.name));
	EXPECT_EQ(0, pool_number("objects"));
	box_close(&b);
	EXPECT_FALSE(listed("one"));
}

/* What is mapped is in the table before a device reaches it, and not after. */
TEST_F(make, table_follows_the_mappings)
{
	struct pkram_dma_table *list, *c;
	struct box b;
	char *p, *two;
	int fd;

	ASSERT_LE(0, fs_file(PKRAM_MNT "/file", 4 * UNIT));
	fd = fs_file(PKRAM_MNT "/deleted", UNIT);
	p = map_file(PKRAM_MNT "/file", 0, 4 * UNIT);
	ASSERT_OK(box_open(&b, 0));
	/* One mapping is there when it gets its name. */
	ASSERT_OK(dma_map(b.c, HIGH, p + UNIT, UNIT));
	ASSERT_OK(create(b.c, "table"));
	EXPECT_LISTED("table", 1, false, true);
	ASSERT_OK(dma_map_flags(b.c, LOW, p + 2 * UNIT + PAGE, PAGE, VFIO_DMA_MAP_FLAG_WRITE));
	EXPECT_ERR(EEXIST, dma_map(b.c, LOW, p, PAGE));
	EXPECT_ERR(EINVAL, dma_map(b.c, 0xfee00000, p, PAGE));
	EXPECT_ERR(EFAULT, dma_map(b.c, ROM, NULL, PAGE));
	c = find(&list, "table");
	ASSERT_NE(NULL, c);
	ASSERT_EQ(2, c->nr_entries);
	EXPECT_EQ(LOW, c->entries->iova);
	EXPECT_EQ(PAGE, c->entries->size);
	EXPECT_EQ(2 * UNIT + PAGE, c->entries->offset);
	EXPECT_EQ(2, c->entries->prot);
	EXPECT_STREQ("/file", c->entries->name);
	EXPECT_EQ(HIGH, c->entries->next->iova);
	EXPECT_EQ(UNIT, c->entries->next->offset);
	EXPECT_EQ(3, c->entries->next->prot);
	EXPECT_EQ(NULL, c->entries->next->next);
	pkram_dma_table_free(list);
	/* Not kept: two pieces of the file the wrong way round, and one that has no name. */
	two = mmap(NULL, 2 * UNIT, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(two, mmap(two, UNIT, RW, MAP_SHARED | MAP_FIXED,
			    open(PKRAM_MNT "/file", O_RDWR), UNIT));
	ASSERT_EQ(two + UNIT, mmap(two + UNIT, UNIT, RW, MAP_SHARED | MAP_FIXED,
				   open(PKRAM_MNT "/file", O_RDWR), 0));
	ASSERT_OK(dma_map(b.c, ROM, two, 2 * UNIT));
	ASSERT_OK(unlink(PKRAM_MNT "/deleted"));
	ASSERT_OK(dma_map(b.c, PLAIN, mmap(NULL, UNIT, RW, MAP_SHARED, fd, 0), UNIT));
	EXPECT_LISTED("table", 2, false, true);
	EXPECT_EQ(PAGE, dma_unmap(b.c, LOW, PAGE));
	EXPECT_LISTED("table", 1, false, true);
	/* An address given up, all, one back, and something new */
	EXPECT_EQ(UNIT, dma_give_up(b.c, HIGH, UNIT));
	EXPECT_LISTED("table", 1, false, true);
	EXPECT_EQ(3 * UNIT, dma_unmap_flags(b.c, ROM, GIB * 8, VFIO_DMA_UNMAP_FLAG_VADDR));
	EXPECT_LISTED("table", 1, true, true);
	EXPECT_ERR(EINVAL, give_all_up(b.c));
	EXPECT_OK(dma_map(b.c, LOW, p, PAGE));
	EXPECT_LISTED("table", 2, false, true);
	EXPECT_NE(0, vm_run(NULL, CTL "dma-table remove table"));
	EXPECT_EQ(4 * UNIT + PAGE, dma_unmap_flags(b.c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_LISTED("table", 0, false, true);
	box_close(&b);
	EXPECT_FALSE(listed("table"));
	munmap(p, 4 * UNIT);
	munmap(two, 2 * UNIT);
	EXPECT_OK(unlink(PKRAM_MNT "/file"));
}

/* More of them than a small record holds, and fewer again */
TEST_F(make, table_with_many_entries_is_restored)
{
	struct box b;
	char *p;
	int i;

	ASSERT_LE(0, fs_file(PKRAM_MNT "/file", UNIT));
	p = map_file(PKRAM_MNT "/file", 0, UNIT);
	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(create(b.c, "many"));
	for (i = 0; i < 200; i++)
		ASSERT_OK(dma_map(b.c, LOW + 2 * i * PAGE, p + i * PAGE, PAGE));
	EXPECT_LISTED("many", 200, false, true);
	EXPECT_EQ(190 * PAGE, dma_unmap(b.c, LOW, 380 * PAGE));
	EXPECT_LISTED("many", 10, false, true);
	EXPECT_EQ(10 * PAGE, give_all_up(b.c));
	box_close(&b);
	ASSERT_OK(box_open(&b, 0));
	EXPECT_OK(restore(b.c, "many"));
	EXPECT_EQ(65535 - 10, dma_avail(b.c));
	munmap(p, UNIT);
	box_close(&b);
	EXPECT_OK(vm_run(NULL, CTL "dma-table remove many"));
	EXPECT_FALSE(listed("many"));
	EXPECT_OK(unlink(PKRAM_MNT "/file"));
}

/* A refused address does not end the suspension: the table is kept when its process ends. */
TEST_F(make, refused_vaddr_keeps_table_suspended)
{
	struct rlimit none = { 0, 0 };
	int status, fd = fs_file(PKRAM_MNT "/file", UNIT);
	char *p, *plain;
	struct box b;
	pid_t pid;

	ASSERT_LE(0, fd);
	close(fd);
	p = map_file(PKRAM_MNT "/file", 0, UNIT);
	plain = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(create(b.c, "kept"));
	ASSERT_OK(dma_map(b.c, LOW, p, UNIT));
	ASSERT_OK(dma_map(b.c, PLAIN, plain, PAGE));
	ASSERT_EQ(UNIT + PAGE, give_all_up(b.c));
	EXPECT_LISTED("kept", 1, true, true);
	/* Setting the address charges this process, which may not lock a page. */
	pid = fork();
	if (!pid)
		_exit(setrlimit(RLIMIT_MEMLOCK, &none) || setresuid(NOBODY, NOBODY, NOBODY) ||
		      !dma_renew(b.c, PLAIN, plain, PAGE) || errno != ENOMEM);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_LISTED("kept", 1, true, true);
	box_close(&b);
	EXPECT_LISTED("kept", 1, true, false);
	/* It can be restored; with an address set it ends with its process. */
	ASSERT_OK(box_open(&b, 0));
	EXPECT_OK(restore(b.c, "kept"));
	EXPECT_OK(dma_renew(b.c, LOW, p, UNIT));
	box_close(&b);
	EXPECT_FALSE(listed("kept"));
	munmap(plain, PAGE);
	munmap(p, UNIT);
	EXPECT_OK(unlink(PKRAM_MNT "/file"));
}

/* The process dies while it is suspended: the next one goes on, in this kernel. */
TEST_F(make, restored_after_process_died)
{
	uint64_t entries, size;
	struct edu second;
	struct box a, b;
	int status, fd = fs_file(PKRAM_MNT "/ram", RAM);

	ASSERT_LE(0, fd);
	if (!fork()) {
		if (box_open(&a, 0) || create(a.c, "vm1"))
			_exit(1);
		fill_and_map_vm1(_metadata, &a);
		if (give_all_up(a.c) != RAM + 2 * MIB + PAGE)
			_exit(2);
		_exit(_metadata->exit_code);
	}
	ASSERT_LE(0, wait(&status));
	ASSERT_EQ(0, status);
	EXPECT_LISTED("vm1", 3, true, false);
	/* Nothing is mapped, so all can be done to the file. */
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * MIB, 2 * MIB));
	close(fd);
	ASSERT_OK(box_open(&a, 0));
	ASSERT_OK(restore(a.c, "vm1"));
	EXPECT_EQ(65535 - 3, dma_avail(a.c));
	EXPECT_ERR(EBUSY, unlink(PKRAM_MNT "/ram"));
	ASSERT_OK(box_open(&b, 1));
	EXPECT_ERR(EBUSY, restore(b.c, "vm1"));
	EXPECT_ERR(EBUSY, restore_force(b.c, "vm1"));
	box_close(&b);
	check_dma(_metadata, &a, 10);
	/* A second device joins before any address is known, and one that was told. */
	ASSERT_OK(box_join(&second, 1, a.c));
	ASSERT_OK(edu_start(&second));
	EXPECT_OK(edu_dma(&second, LOW + 4 * MIB, false));
	EXPECT_OK(edu_dma(&second, HIGH, true));
	supply_vm1(_metadata, &a);
	EXPECT_OK(unmap_stale(a.c, &entries, &size));
	EXPECT_EQ(0, entries);
	EXPECT_EQ(0, size);
	edu_leave(&second);
	/* As of type1: no device joins while addresses are given up. */
	EXPECT_EQ(HALF, dma_give_up(a.c, LOW, HALF));
	EXPECT_EQ(-EBUSY, box_join(&second, 1, a.c));
	edu_leave(&second);
	EXPECT_EQ(HALF + 2 * MIB, dma_unmap_flags(a.c, HIGH, 8 * GIB, VFIO_DMA_UNMAP_FLAG_VADDR));
	EXPECT_LISTED("vm1", 3, true, true);
	/* It lives until the kexec, suspended, as QEMU does. */
	leave_a_process();
}

/* For the tests of the next kernel */
TEST_F(make, creates_tables_for_the_next_kernel)
{
	static const char * const files[] = { "cut", "gone", "damaged", "lost", "flipped",
					      "reserved", "foreign", "listed" };
	char path[64], *p;
	struct box b;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), PKRAM_MNT "/%s", files[i]);
		ASSERT_LE(0, fs_file(path, 2 * UNIT));
		ASSERT_OK(leave_suspended(files[i], path)) {
			TH_LOG("%s", files[i]);
		}
	}
	/* Somebody's who is not root */
	ASSERT_LE(0, fs_file(PKRAM_MNT "/theirs", 2 * UNIT));
	ASSERT_OK(chmod(PKRAM_MNT "/theirs", 0666));
	p = map_file(PKRAM_MNT "/theirs", 0, 2 * UNIT);
	ASSERT_OK(box_open(&b, 1));
	ASSERT_OK(as_nobody());
	EXPECT_OK(create(b.c, "theirs"));
	EXPECT_OK(dma_map(b.c, LOW, p, 2 * UNIT));
	EXPECT_EQ(2 * UNIT, give_all_up(b.c));
	ASSERT_OK(as_root());
	box_close(&b);
}

TEST_F(make, creates_large_tables_for_the_next_kernel)
{
	static const int nr[] = { 1, 16, 256, 4096 };
	char name[16], *p;
	struct box b;
	int i, n;

	ASSERT_LE(0, fs_file(PKRAM_MNT "/small", 16 * MIB));
	p = map_file(PKRAM_MNT "/small", 0, 16 * MIB);
	for (i = 0; i < 4; i++) {
		ASSERT_OK(box_open(&b, 1));
		for (n = 0; n < nr[i]; n++)
			ASSERT_OK(dma_map(b.c, LOW + 2 * n * PAGE, p + n * PAGE, PAGE));
		snprintf(name, sizeof(name), "n%d", nr[i]);
		ASSERT_OK(create(b.c, name));
		ASSERT_EQ(nr[i] * PAGE, give_all_up(b.c));
		box_close(&b);
	}
}

/* This one is not suspended when its kernel goes. */
TEST_F(make, kexec_with_processes_alive)
{
	struct box b;
	char *p;

	ASSERT_LE(0, fs_file(PKRAM_MNT "/crashed", 2 * UNIT));
	p = map_file(PKRAM_MNT "/crashed", 0, 2 * UNIT);
	ASSERT_OK(box_open(&b, 1));
	ASSERT_OK(create(b.c, "crashed"));
	ASSERT_OK(dma_map(b.c, LOW, p, 2 * UNIT));
	leave_a_process();
}

FIXTURE(second) {};
FIXTURE_SETUP(second) {}
FIXTURE_TEARDOWN(second) {}

static struct dm_record *dma_table_record(const char *name)
{
	int i;

	for (i = 0; i < dm_nr_records; i++)
		if (!dm_records[i].bad && dm_records[i].rec.kind == PKRAM_KIND_DMA_TABLE &&
		    !strcmp(dm_records[i].rec.name, name))
			return &dm_records[i];
	return NULL;
}

TEST_F(second, damages_tables)
{
	struct dm_record *d;

	ASSERT_LE(1, dm_find_regions());
	ASSERT_LE(20, dm_find_records());
	d = dma_table_record("damaged");
	ASSERT_NE(NULL, d);
	d->rec.entries[0].prot = 7;
	dm_commit(d);
	d = dma_table_record("lost");
	ASSERT_NE(NULL, d);
	d->a[offsetof(struct pkram_record_ser, mtime)] ^= 1;
	d->a[d->slot + 512] ^= 4;
	d = dma_table_record("flipped");
	ASSERT_NE(NULL, d);
	d->a[512 + 9] ^= 0x10;
	/* As if this kernel's IOMMU had a hole there: the second of two */
	d = dma_table_record("reserved");
	ASSERT_NE(NULL, d);
	ASSERT_EQ(1, d->rec.nr_entries);
	d->rec.entries = realloc(d->rec.entries, 2 * sizeof(*d->rec.entries));
	d->rec.entries[0].size = UNIT;
	d->rec.entries[1] = d->rec.entries[0];
	d->rec.entries[1].iova = 0xfee00000;
	d->rec.nr_entries = 2;
	dm_commit(d);
}

TEST_F(second, tables_are_listed)
{
	struct pkram_dma_table *list, *c;
	struct pkram_dma_table_entry *e;
	char *text;
	int n = 0;

	ASSERT_OK(module_up());
	EXPECT_LISTED("vm1", 3, true, false);
	EXPECT_LISTED("crashed", 1, false, false);
	EXPECT_LISTED("flipped", 1, true, false);
	EXPECT_LISTED("n4096", 4096, true, false);
	c = find(&list, "n4096");
	ASSERT_NE(NULL, c);
	for (e = c->entries; e; e = e->next, n++)
		if (e->iova != LOW + 2 * n * PAGE || e->offset != n * PAGE ||
		    strcmp(e->name, "/small"))
			break;
	EXPECT_EQ(4096, n);
	pkram_dma_table_free(list);
	c = find(&list, "damaged");
	ASSERT_NE(NULL, c);
	EXPECT_STREQ("a mapping is not possible", c->quarantine);
	pkram_dma_table_free(list);
	/* That one has no name any more; nobody can tell that it was no file. */
	EXPECT_FALSE(listed("lost"));
	EXPECT_EQ(2, pool_number("quarantined"));
	/* All files are listed; DMA tables do not count as objects. */
	EXPECT_EQ(12, pool_number("objects"));
	EXPECT_OK(vm_run(&text, CTL "dma-table show"));
	EXPECT_NE(NULL, strstr(text, "suspended    no"));
	EXPECT_NE(NULL, strstr(text, "a mapping is not possible"));
	free(text);
	EXPECT_OK(vm_run(&text, CTL "-j dma-table show vm1"));
	EXPECT_NE(NULL, strstr(text, "\"iova\":\"0x200000000\",\"size\":2097152,\"access\":\"r\""));
	EXPECT_NE(NULL, strstr(text, "\"name\":\"/ram\""));
	free(text);
	EXPECT_OK(vm_run(&text, CTL "object show"));
	EXPECT_EQ(NULL, strstr(text, "n4096"));
	free(text);
}

TEST_F(second, invalid_restore_is_refused)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	struct box b;
	char *p;
	int fd;

	/* Memory that an unrestored table names can be changed, and freed. */
	ASSERT_OK(truncate(PKRAM_MNT "/cut", 2 * UNIT - 1));
	ASSERT_OK(truncate(PKRAM_MNT "/cut", UNIT));
	ASSERT_OK(unlink(PKRAM_MNT "/gone"));
	ASSERT_LE(0, fs_file(PKRAM_MNT "/gone", 2 * UNIT));
	ASSERT_OK(box_open(&b, 0));
	EXPECT_ERR(ENOENT, restore(b.c, "no such"));
	EXPECT_ERR(ENOENT, restore(b.c, "lost"));
	EXPECT_ERR(ENOENT, restore(b.c, "cu"));
	EXPECT_ERR(EUCLEAN, restore(b.c, "damaged"));
	EXPECT_ERR(EUCLEAN, restore_force(b.c, "damaged"));
	EXPECT_ERR(EUCLEAN, create(b.c, "damaged"));
	EXPECT_ERR(EEXIST, create(b.c, "crashed"));
	EXPECT_ERR(ESTALE, restore(b.c, "cut"));
	EXPECT_ERR(ESTALE, restore(b.c, "gone"));
	EXPECT_ERR(ERANGE, restore(b.c, "reserved"));
	EXPECT_TRUE(vm_kmsg_has("DMA table \"reserved\": mapping of 0x200000 bytes at 0xfee00000"));
	EXPECT_ERR(EOWNERDEAD, restore(b.c, "crashed"));
	/* Nobody's business */
	ASSERT_OK(as_nobody());
	EXPECT_ERR(EPERM, restore(b.c, "foreign"));
	EXPECT_ERR(EPERM, restore_force(b.c, "crashed"));
	ASSERT_OK(as_root());
	ASSERT_OK(chmod(PKRAM_MNT "/theirs", 0600));
	ASSERT_OK(as_nobody());
	EXPECT_ERR(EACCES, restore(b.c, "theirs"));
	ASSERT_OK(as_root());
	ASSERT_OK(chmod(PKRAM_MNT "/theirs", 0444));
	ASSERT_OK(as_nobody());
	EXPECT_ERR(EACCES, restore(b.c, "theirs"));
	ASSERT_OK(as_root());
	/* All or nothing: nothing is left of any of them. */
	EXPECT_EQ(65535, dma_avail(b.c));
	EXPECT_OK(truncate(PKRAM_MNT "/reserved", 0));
	EXPECT_LISTED("theirs", 1, true, false);
	EXPECT_LISTED("cut", 1, true, false);
	ASSERT_OK(chmod(PKRAM_MNT "/theirs", 0666));
	ASSERT_OK(as_nobody());
	EXPECT_OK(restore(b.c, "theirs"));
	EXPECT_ERR(EINVAL, restore(b.c, "flipped"));
	ASSERT_OK(as_root());
	box_close(&b);
	/* One slot was damaged: the other had it. The file is claimed before, this time. */
	fd = open(PKRAM_MNT "/flipped", O_RDWR | O_CLOEXEC);
	ASSERT_OK(ioctl(fd, PKRAM_IOC_CLAIM, &claim));
	ASSERT_OK(box_open(&b, 0));
	EXPECT_OK(restore(b.c, "flipped"));
	EXPECT_OK(copy(&b, LOW, LOW + UNIT));
	p = mmap(NULL, 2 * UNIT, RW, MAP_SHARED, fd, 0);
	EXPECT_OK(dma_renew(b.c, LOW, p, 2 * UNIT));
	EXPECT_EQ(2 * UNIT, give_all_up(b.c));
	box_close(&b);
	munmap(p, 2 * UNIT);
	close(fd);
}

TEST_F(second, restore_unsuspended_needs_force)
{
	struct box b;
	char *p;

	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(restore_force(b.c, "crashed"));
	EXPECT_OK(copy(&b, LOW, LOW + UNIT));
	/* Nobody had an address of it, so it waits, and is what it was. */
	EXPECT_ERR(EFAULT, dma_map(b.c, HIGH, NULL, PAGE));
	box_close(&b);
	EXPECT_LISTED("crashed", 1, false, false);
	ASSERT_OK(box_open(&b, 0));
	EXPECT_ERR(EOWNERDEAD, restore(b.c, "crashed"));
	ASSERT_OK(restore_force(b.c, "crashed"));
	p = map_file(PKRAM_MNT "/crashed", 0, 2 * UNIT);
	EXPECT_OK(dma_renew(b.c, LOW, p, 2 * UNIT));
	box_close(&b);
	EXPECT_FALSE(listed("crashed"));
	munmap(p, 2 * UNIT);
	EXPECT_OK(unlink(PKRAM_MNT "/crashed"));
}

TEST_F(second, tables_are_removed_and_discarded)
{
	static const char * const names[] = { "cut", "gone", "reserved", "foreign", "theirs",
					      "flipped" };
	char *text;
	size_t i;

	EXPECT_TRUE(listed("damaged"));
	EXPECT_NE(0, vm_run(NULL, CTL "dma-table remove damaged"));
	EXPECT_OK(vm_run(NULL, CTL "dma-table discard damaged"));
	EXPECT_FALSE(listed("damaged"));
	EXPECT_NE(0, vm_run(NULL, CTL "dma-table discard cut"));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		EXPECT_TRUE(listed(names[i]));
		EXPECT_OK(vm_run(NULL, CTL "dma-table remove %s", names[i]));
		EXPECT_FALSE(listed(names[i]));
	}
	EXPECT_NE(0, vm_run(NULL, CTL "dma-table remove cut"));
	EXPECT_EQ(1, pool_number("quarantined"));
	EXPECT_OK(vm_run(&text, CTL "object show | awk '$2 == \"quarantined\" { print $1 }'"));
	EXPECT_OK(vm_run(NULL, CTL "object discard %s", text));
	free(text);
	EXPECT_EQ(0, pool_number("quarantined"));
}

TEST_F(second, restore_time)
{
	static const int nr[] = { 1, 16, 256, 4096 };
	struct timespec a, z;
	char name[16];
	struct box b;
	int i;

	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "n%d", nr[i]);
		ASSERT_OK(box_open(&b, 1));
		clock_gettime(CLOCK_MONOTONIC, &a);
		ASSERT_OK(restore(b.c, name));
		clock_gettime(CLOCK_MONOTONIC, &z);
		TH_LOG("%d mappings restored in %.2f ms", nr[i],
		       (z.tv_sec - a.tv_sec) * 1e3 + (z.tv_nsec - a.tv_nsec) / 1e6);
		EXPECT_EQ(65535 - nr[i], dma_avail(b.c));
		EXPECT_OK(edu_dma(&b.edu, LOW + 2 * (nr[i] - 1) * PAGE, false));
		box_close(&b);
		EXPECT_OK(vm_run(NULL, CTL "dma-table remove %s", name));
	}
}

TEST_F(second, restore_then_unmap_stale)
{
	uint64_t entries, size;
	struct box b;
	char *p, *q;

	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(restore(b.c, "vm1"));
	check_dma(_metadata, &b, 20);
	p = map_file(PKRAM_MNT "/ram", 0, RAM);
	EXPECT_OK(dma_renew(b.c, LOW, p, HALF));
	EXPECT_OK(unmap_stale(b.c, &entries, &size));
	EXPECT_EQ(2, entries);
	EXPECT_EQ(HALF + 2 * MIB, size);
	EXPECT_LISTED("vm1", 1, false, true);
	/* Stale mappings are unmapped, the renewed one is not. */
	vm_fill(p, EDU_BYTES, 30, 0);
	memset(p + HALF, 0x5a, PAGE);
	EXPECT_OK(edu_dma(&b.edu, LOW, false));
	edu_dma(&b.edu, HIGH, true);
	for (q = p + HALF; q < p + HALF + PAGE && *q == 0x5a; q++)
		;
	EXPECT_EQ(p + HALF + PAGE, q);
	/* Again as it was, for the next kernel */
	EXPECT_OK(dma_map(b.c, HIGH, p + HALF, HALF));
	EXPECT_OK(dma_map_flags(b.c, ROM, p + 4 * MIB, 2 * MIB, VFIO_DMA_MAP_FLAG_READ));
	EXPECT_OK(copy(&b, LOW, HIGH + 5 * MIB));
	EXPECT_EQ(-1, vm_verify(p + HALF + 5 * MIB, EDU_BYTES, 30, 0));
	EXPECT_EQ(RAM + 2 * MIB, give_all_up(b.c));
	leave_a_process();
}

FIXTURE(last) {};

FIXTURE_SETUP(last)
{
	ASSERT_OK(module_up());
}

FIXTURE_TEARDOWN(last) {}

TEST_F(last, restored_in_the_third_kernel)
{
	struct box b;

	EXPECT_LISTED("vm1", 3, true, false);
	EXPECT_TRUE(listed("listed"));
	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(restore(b.c, "vm1"));
	check_dma(_metadata, &b, 40);
	supply_vm1(_metadata, &b);
	box_close(&b);
	EXPECT_FALSE(listed("vm1"));
}

/* Nothing holds the modules, or memory, any more. */
TEST_F(last, modules_unload_and_pool_is_empty)
{
	ASSERT_OK(vm_run(NULL, CTL "dma-table remove listed"));
	EXPECT_EQ(0, pool_number("quarantined"));
	ASSERT_OK(fs_empty(PKRAM_MNT));
	EXPECT_EQ(0, pool_number("objects"));
	ASSERT_OK(vm_umount(PKRAM_MNT));
	EXPECT_OK(vm_rmmod("pkram_vfio"));
	EXPECT_OK(vm_rmmod("pkram"));
}

TEST_HARNESS_MAIN
