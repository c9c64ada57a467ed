// SPDX-License-Identifier: GPL-2.0
/*
 * DMA tables: the mappings of a VFIO container are restored after its process died and
 * after a kexec; a restore by another user, or of changed memory, is refused.
 */
#include <sys/wait.h>
#include <time.h>

#include "test.h"

#include "damage.h"
#include "dma_table.h"
#include <pkram.h>

/* The mappings of the table vm1, of a file "ram" with RAM bytes */
#define RAM	(64 * MIB)
#define LOW	(16 * MIB)	/* its first half */
#define HIGH	(4 * GIB)	/* its second half */
#define ROM	(8 * GIB)	/* 2 MiB from 4 MiB on, read only */
#define PLAIN	(12 * GIB)	/* a page of anonymous memory */
#define HALF	(RAM / 2)

/*
 * Leave a suspended DMA table with one mapping of a whole file of two units. The first
 * device belongs to a process that waits for the kexec.
 */
static int leave_suspended(const char *name, const char *path)
{
	struct box b;
	char *p;
	int err;

	p = fs_map(path, 0, 2 * UNIT);
	if (p == MAP_FAILED)
		return -errno;
	err = box_open(&b, 1);
	if (!err && (table_create(b.c, name) || dma_map(b.c, LOW, p, 2 * UNIT) ||
		     dma_give_all_up(b.c) != 2 * UNIT))
		err = -errno;
	box_close(&b);
	munmap(p, 2 * UNIT);
	return err;
}

static void fill_and_map_vm1(struct __test_metadata *_metadata, struct box *b)
{
	char *p = fs_map(PKRAM_MNT "/ram", 0, RAM), *plain;

	ASSERT_NE(MAP_FAILED, p);
	plain = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_OK(dma_map(b->c, HIGH, p + HALF, HALF));
	ASSERT_OK(dma_map(b->c, LOW, p, HALF));
	ASSERT_OK(dma_map_flags(b->c, ROM, p + 4 * MIB, 2 * MIB, VFIO_DMA_MAP_FLAG_READ));
	ASSERT_OK(dma_map(b->c, PLAIN, plain, PAGE));
	vm_fill(p, EDU_BYTES, 1, 0);
	ASSERT_OK(box_copy(b, LOW, HIGH + 3 * PAGE));
	ASSERT_EQ(-1, vm_verify(p + HALF + 3 * PAGE, EDU_BYTES, 1, 0));
}

/* Do DMA through each mapping of vm1, while none has an address. */
static void check_dma(struct __test_metadata *_metadata, struct box *b, uint64_t seed)
{
	int fd = open(PKRAM_MNT "/ram", O_RDONLY | O_CLOEXEC), writer, i;
	char *p = mmap(NULL, RAM, PROT_READ, MAP_SHARED, fd, 0), buf[EDU_BYTES];

	ASSERT_NE(MAP_FAILED, p);
	/* The device reads what the CPU wrote. */
	writer = open(PKRAM_MNT "/ram", O_RDWR | O_CLOEXEC);
	for (i = 0; writer >= 0 && i < 3; i++) {
		vm_fill(buf, EDU_BYTES, seed + i, 0);
		EXPECT_EQ(EDU_BYTES, pwrite(writer, buf, EDU_BYTES, 4 * MIB + i * 3 * PAGE));
	}
	ASSERT_LE(0, writer);
	close(writer);
	EXPECT_OK(box_copy(b, LOW + 4 * MIB, HIGH + 20 * MIB));
	EXPECT_EQ(-1, vm_verify(p + HALF + 20 * MIB, EDU_BYTES, seed, 0));
	EXPECT_OK(box_copy(b, ROM + 3 * PAGE, HIGH + HALF - PAGE));
	EXPECT_EQ(-1, vm_verify(p + RAM - PAGE, EDU_BYTES, seed + 1, 0));
	EXPECT_OK(box_copy(b, HIGH + 20 * MIB, LOW));
	EXPECT_EQ(-1, vm_verify(p, EDU_BYTES, seed, 0));
	/* It cannot write to a read-only mapping. */
	edu_dma(&b->edu, ROM + 6 * PAGE, true);
	EXPECT_EQ(-1, vm_verify(p + 4 * MIB + 6 * PAGE, EDU_BYTES, seed + 2, 0));
	munmap(p, RAM);
	close(fd);
}

/* Open, claim and set the addresses, as QEMU does. */
static void supply_vm1(struct __test_metadata *_metadata, struct box *b)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	int fd = open(PKRAM_MNT "/ram", O_RDWR | O_CLOEXEC);
	char *p = mmap(NULL, RAM, RW, MAP_SHARED, fd, 0), *q;

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_OK(ioctl(fd, PKRAM_IOC_CLAIM, &claim));
	/* Other memory, another offset, a part of it, no mapping */
	q = mmap(NULL, RAM, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_ERR(EINVAL, dma_renew(b->c, LOW, q, HALF));
	EXPECT_ERR(EINVAL, dma_renew(b->c, LOW, p + PAGE, HALF));
	EXPECT_ERR(EINVAL, dma_renew(b->c, LOW, p, HALF / 2));
	EXPECT_ERR(ENOENT, dma_renew(b->c, PLAIN, q, PAGE));
	munmap(q, RAM);
	EXPECT_TABLE("vm1", 3, true, true);
	EXPECT_OK(dma_renew(b->c, LOW, p, HALF));
	EXPECT_TABLE("vm1", 3, false, true);
	EXPECT_OK(dma_renew(b->c, HIGH, p + HALF, HALF));
	EXPECT_OK(dma_renew(b->c, ROM, p + 4 * MIB, 2 * MIB));
	munmap(p, RAM);
	close(fd);
	/* The claim lasts as long as the mappings for DMA. */
	EXPECT_ERR(EBUSY, open(PKRAM_MNT "/ram", O_RDWR | O_CLOEXEC));
	EXPECT_ERR(EBUSY, truncate(PKRAM_MNT "/ram", 0));
	EXPECT_OK(box_copy(b, LOW + 4 * MIB, HIGH + 21 * MIB));
}

/* Leave a process with all that the caller has open, until the kexec. */
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
	ASSERT_OK(vfio_up());
}

FIXTURE_TEARDOWN(make) {}

/* The process dies while its table is suspended: the next process restores the table. */
TEST_F(make, restored_after_process_died)
{
	uint64_t entries, size;
	struct edu second;
	struct box a, b;
	int status, fd = fs_file(PKRAM_MNT "/ram", RAM);

	ASSERT_LE(0, fd);
	if (!fork()) {
		if (box_open(&a, 0) || table_create(a.c, "vm1"))
			_exit(1);
		fill_and_map_vm1(_metadata, &a);
		if (dma_give_all_up(a.c) != RAM + 2 * MIB + PAGE)
			_exit(2);
		_exit(_metadata->exit_code);
	}
	ASSERT_LE(0, wait(&status));
	ASSERT_EQ(0, status);
	EXPECT_TABLE("vm1", 3, true, false);
	/* Nothing is mapped, so the file can be changed. */
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * MIB, 2 * MIB));
	close(fd);
	ASSERT_OK(box_open(&a, 0));
	ASSERT_OK(table_restore(a.c, "vm1"));
	EXPECT_EQ(65535 - 3, dma_avail(a.c));
	EXPECT_ERR(EBUSY, unlink(PKRAM_MNT "/ram"));
	ASSERT_OK(box_open(&b, 1));
	EXPECT_ERR(EBUSY, table_restore(b.c, "vm1"));
	EXPECT_ERR(EBUSY, table_restore_force(b.c, "vm1"));
	box_close(&b);
	check_dma(_metadata, &a, 10);
	/* A second device joins before an address is set. */
	ASSERT_OK(box_join(&second, 1, a.c));
	ASSERT_OK(edu_start(&second));
	EXPECT_OK(edu_dma(&second, LOW + 4 * MIB, false));
	EXPECT_OK(edu_dma(&second, HIGH, true));
	supply_vm1(_metadata, &a);
	EXPECT_OK(dma_unmap_stale(a.c, &entries, &size));
	EXPECT_EQ(0, entries);
	EXPECT_EQ(0, size);
	edu_leave(&second);
	/* As with type1, no device can join after addresses were given up. */
	EXPECT_EQ(HALF, dma_give_up(a.c, LOW, HALF));
	EXPECT_EQ(-EBUSY, box_join(&second, 1, a.c));
	edu_leave(&second);
	EXPECT_EQ(HALF + 2 * MIB, dma_unmap_flags(a.c, HIGH, 8 * GIB, VFIO_DMA_UNMAP_FLAG_VADDR));
	EXPECT_TABLE("vm1", 3, true, true);
	/* The process lives until the kexec, with a suspended table, as QEMU does. */
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
	/* A table of an unprivileged user */
	ASSERT_LE(0, fs_file(PKRAM_MNT "/theirs", 2 * UNIT));
	ASSERT_OK(chmod(PKRAM_MNT "/theirs", 0666));
	p = fs_map(PKRAM_MNT "/theirs", 0, 2 * UNIT);
	ASSERT_OK(box_open(&b, 1));
	ASSERT_OK(become_nobody());
	EXPECT_OK(table_create(b.c, "theirs"));
	EXPECT_OK(dma_map(b.c, LOW, p, 2 * UNIT));
	EXPECT_EQ(2 * UNIT, dma_give_all_up(b.c));
	ASSERT_OK(become_root());
	box_close(&b);
}

TEST_F(make, creates_large_tables_for_the_next_kernel)
{
	static const int nr[] = { 1, 16, 256, 4096 };
	char name[16], *p;
	struct box b;
	int i, n;

	ASSERT_LE(0, fs_file(PKRAM_MNT "/small", 16 * MIB));
	p = fs_map(PKRAM_MNT "/small", 0, 16 * MIB);
	for (i = 0; i < 4; i++) {
		ASSERT_OK(box_open(&b, 1));
		for (n = 0; n < nr[i]; n++)
			ASSERT_OK(dma_map(b.c, LOW + 2 * n * PAGE, p + n * PAGE, PAGE));
		snprintf(name, sizeof(name), "n%d", nr[i]);
		ASSERT_OK(table_create(b.c, name));
		ASSERT_EQ(nr[i] * PAGE, dma_give_all_up(b.c));
		box_close(&b);
	}
}

/* A table that is not suspended when its kernel ends */
TEST_F(make, kexec_with_processes_alive)
{
	struct box b;
	char *p;

	ASSERT_LE(0, fs_file(PKRAM_MNT "/crashed", 2 * UNIT));
	p = fs_map(PKRAM_MNT "/crashed", 0, 2 * UNIT);
	ASSERT_OK(box_open(&b, 1));
	ASSERT_OK(table_create(b.c, "crashed"));
	ASSERT_OK(dma_map(b.c, LOW, p, 2 * UNIT));
	leave_a_process();
}

STAGE(second)

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
	/* The second of two mappings is where this kernel's IOMMU has a reserved range. */
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

	ASSERT_OK(vfio_up());
	EXPECT_TABLE("vm1", 3, true, false);
	EXPECT_TABLE("crashed", 1, false, false);
	EXPECT_TABLE("flipped", 1, true, false);
	EXPECT_TABLE("n4096", 4096, true, false);
	c = table_find(&list, "n4096");
	ASSERT_NE(NULL, c);
	for (e = c->entries; e; e = e->next, n++)
		if (e->iova != LOW + 2 * n * PAGE || e->offset != n * PAGE ||
		    strcmp(e->name, "/small"))
			break;
	EXPECT_EQ(4096, n);
	pkram_dma_table_free(list);
	c = table_find(&list, "damaged");
	ASSERT_NE(NULL, c);
	EXPECT_STREQ("a mapping is not possible", c->quarantine);
	pkram_dma_table_free(list);
	/* This record has no name any more, and may have been a file. */
	EXPECT_FALSE(table_listed("lost"));
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

	/* The memory of a table that is not restored can be changed and freed. */
	ASSERT_OK(truncate(PKRAM_MNT "/cut", 2 * UNIT - 1));
	ASSERT_OK(truncate(PKRAM_MNT "/cut", UNIT));
	ASSERT_OK(unlink(PKRAM_MNT "/gone"));
	ASSERT_LE(0, fs_file(PKRAM_MNT "/gone", 2 * UNIT));
	ASSERT_OK(box_open(&b, 0));
	EXPECT_ERR(ENOENT, table_restore(b.c, "no such"));
	EXPECT_ERR(ENOENT, table_restore(b.c, "lost"));
	EXPECT_ERR(ENOENT, table_restore(b.c, "cu"));
	EXPECT_ERR(EUCLEAN, table_restore(b.c, "damaged"));
	EXPECT_ERR(EUCLEAN, table_restore_force(b.c, "damaged"));
	EXPECT_ERR(EUCLEAN, table_create(b.c, "damaged"));
	EXPECT_ERR(EEXIST, table_create(b.c, "crashed"));
	EXPECT_ERR(ESTALE, table_restore(b.c, "cut"));
	EXPECT_ERR(ESTALE, table_restore(b.c, "gone"));
	EXPECT_ERR(ERANGE, table_restore(b.c, "reserved"));
	EXPECT_TRUE(vm_kmsg_has("DMA table \"reserved\": mapping of 0x200000 bytes at 0xfee00000"));
	EXPECT_ERR(EOWNERDEAD, table_restore(b.c, "crashed"));
	/* Another user may not restore. */
	ASSERT_OK(become_nobody());
	EXPECT_ERR(EPERM, table_restore(b.c, "foreign"));
	EXPECT_ERR(EPERM, table_restore_force(b.c, "crashed"));
	ASSERT_OK(become_root());
	ASSERT_OK(chmod(PKRAM_MNT "/theirs", 0600));
	ASSERT_OK(become_nobody());
	EXPECT_ERR(EACCES, table_restore(b.c, "theirs"));
	ASSERT_OK(become_root());
	ASSERT_OK(chmod(PKRAM_MNT "/theirs", 0444));
	ASSERT_OK(become_nobody());
	EXPECT_ERR(EACCES, table_restore(b.c, "theirs"));
	ASSERT_OK(become_root());
	ASSERT_OK(become_nobody());
	EXPECT_ERR(EPERM, table_replace(b.c, "foreign"));
	ASSERT_OK(become_root());
	EXPECT_ERR(EUCLEAN, table_replace(b.c, "damaged"));
	/* A refused restore leaves no mapping. */
	EXPECT_EQ(65535, dma_avail(b.c));
	EXPECT_OK(truncate(PKRAM_MNT "/reserved", 0));
	EXPECT_TABLE("theirs", 1, true, false);
	EXPECT_TABLE("cut", 1, true, false);
	ASSERT_OK(chmod(PKRAM_MNT "/theirs", 0666));
	ASSERT_OK(become_nobody());
	EXPECT_OK(table_restore(b.c, "theirs"));
	EXPECT_ERR(EINVAL, table_restore(b.c, "flipped"));
	EXPECT_ERR(EINVAL, table_replace(b.c, "flipped"));
	ASSERT_OK(become_root());
	box_close(&b);
	/* Of a record with one damaged slot the other is used. The file is claimed before. */
	fd = open(PKRAM_MNT "/flipped", O_RDWR | O_CLOEXEC);
	ASSERT_OK(ioctl(fd, PKRAM_IOC_CLAIM, &claim));
	ASSERT_OK(box_open(&b, 0));
	EXPECT_OK(table_restore(b.c, "flipped"));
	EXPECT_OK(box_copy(&b, LOW, LOW + UNIT));
	p = mmap(NULL, 2 * UNIT, RW, MAP_SHARED, fd, 0);
	EXPECT_OK(dma_renew(b.c, LOW, p, 2 * UNIT));
	EXPECT_EQ(2 * UNIT, dma_give_all_up(b.c));
	box_close(&b);
	munmap(p, 2 * UNIT);
	close(fd);
}

/* Another guest's definition may name it by mistake. */
TEST_F(second, table_of_a_saved_guest_is_not_replaced)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	struct pkram_ioc_seal seal = { .size = sizeof(seal), .cookie = { 1 } };
	struct box b;
	int fd;

	fd = open(PKRAM_MNT "/flipped", O_RDWR | O_CLOEXEC);
	ASSERT_OK(ioctl(fd, PKRAM_IOC_CLAIM, &claim));
	ASSERT_OK(ioctl(fd, PKRAM_IOC_SEAL, &seal));
	close(fd);
	ASSERT_OK(box_open(&b, 0));
	EXPECT_ERR(EEXIST, table_replace(b.c, "flipped"));
	EXPECT_TABLE("flipped", 1, true, false);
	/* A sealed file can be opened for writing in no other way. */
	fd = open(PKRAM_MNT "/flipped", O_RDWR | O_EXCL | O_CLOEXEC);
	claim.flags = PKRAM_CLAIM_UNSEAL;
	ASSERT_OK(ioctl(fd, PKRAM_IOC_CLAIM, &claim));
	close(fd);
	box_close(&b);
}

/* A table that cannot be restored does not keep its name from a new guest. */
TEST_F(second, unusable_tables_are_replaced)
{
	static const char * const names[] = { "gone", "reserved" };
	struct box b;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ASSERT_OK(box_open(&b, 0));
		EXPECT_ERR(EEXIST, table_create(b.c, names[i]));
		EXPECT_OK(table_replace(b.c, names[i]));
		EXPECT_TABLE(names[i], 0, false, true);
		box_close(&b);
		EXPECT_FALSE(table_listed(names[i]));
	}
}

TEST_F(second, restore_unsuspended_needs_force)
{
	struct box b;
	char *p;

	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(table_restore_force(b.c, "crashed"));
	EXPECT_OK(box_copy(&b, LOW, LOW + UNIT));
	/* No address was set, so the table stays as it was. */
	EXPECT_ERR(EFAULT, dma_map(b.c, HIGH, NULL, PAGE));
	box_close(&b);
	EXPECT_TABLE("crashed", 1, false, false);
	ASSERT_OK(box_open(&b, 0));
	EXPECT_ERR(EOWNERDEAD, table_restore(b.c, "crashed"));
	ASSERT_OK(table_restore_force(b.c, "crashed"));
	p = fs_map(PKRAM_MNT "/crashed", 0, 2 * UNIT);
	EXPECT_OK(dma_renew(b.c, LOW, p, 2 * UNIT));
	box_close(&b);
	EXPECT_FALSE(table_listed("crashed"));
	munmap(p, 2 * UNIT);
	EXPECT_OK(unlink(PKRAM_MNT "/crashed"));
}

TEST_F(second, tables_are_removed_and_discarded)
{
	static const char * const names[] = { "cut", "foreign", "theirs", "flipped" };
	char *text;
	size_t i;

	EXPECT_TRUE(table_listed("damaged"));
	EXPECT_NE(0, vm_run(NULL, CTL "dma-table remove damaged"));
	EXPECT_OK(vm_run(NULL, CTL "dma-table discard damaged"));
	EXPECT_FALSE(table_listed("damaged"));
	EXPECT_NE(0, vm_run(NULL, CTL "dma-table discard cut"));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		EXPECT_TRUE(table_listed(names[i]));
		EXPECT_OK(vm_run(NULL, CTL "dma-table remove %s", names[i]));
		EXPECT_FALSE(table_listed(names[i]));
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
		ASSERT_OK(table_restore(b.c, name));
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
	ASSERT_OK(table_restore(b.c, "vm1"));
	check_dma(_metadata, &b, 20);
	p = fs_map(PKRAM_MNT "/ram", 0, RAM);
	EXPECT_OK(dma_renew(b.c, LOW, p, HALF));
	EXPECT_OK(dma_unmap_stale(b.c, &entries, &size));
	EXPECT_EQ(2, entries);
	EXPECT_EQ(HALF + 2 * MIB, size);
	EXPECT_TABLE("vm1", 1, false, true);
	/* Stale mappings are unmapped, the renewed one is not. */
	vm_fill(p, EDU_BYTES, 30, 0);
	memset(p + HALF, 0x5a, PAGE);
	EXPECT_OK(edu_dma(&b.edu, LOW, false));
	edu_dma(&b.edu, HIGH, true);
	for (q = p + HALF; q < p + HALF + PAGE && *q == 0x5a; q++)
		;
	EXPECT_EQ(p + HALF + PAGE, q);
	/* Map as before, for the next kernel. */
	EXPECT_OK(dma_map(b.c, HIGH, p + HALF, HALF));
	EXPECT_OK(dma_map_flags(b.c, ROM, p + 4 * MIB, 2 * MIB, VFIO_DMA_MAP_FLAG_READ));
	EXPECT_OK(box_copy(&b, LOW, HIGH + 5 * MIB));
	EXPECT_EQ(-1, vm_verify(p + HALF + 5 * MIB, EDU_BYTES, 30, 0));
	EXPECT_EQ(RAM + 2 * MIB, dma_give_all_up(b.c));
	leave_a_process();
}

FIXTURE(last) {};

FIXTURE_SETUP(last)
{
	ASSERT_OK(vfio_up());
}

FIXTURE_TEARDOWN(last) {}

TEST_F(last, restored_in_the_third_kernel)
{
	struct box b;

	EXPECT_TABLE("vm1", 3, true, false);
	EXPECT_TRUE(table_listed("listed"));
	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(table_restore(b.c, "vm1"));
	check_dma(_metadata, &b, 40);
	supply_vm1(_metadata, &b);
	box_close(&b);
	EXPECT_FALSE(table_listed("vm1"));
}

/* Nothing uses the modules or memory any more. */
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
