// SPDX-License-Identifier: GPL-2.0
/*
 * What pkram's IOMMU type does and type1 does not: DMA to memory of the pool, and DMA tables
 * within one kernel. vfio_dma has the tests of what both do, vfio_kexec those of DMA tables
 * across a kexec.
 */
#include "test.h"

#include "dma_table.h"
#include <pkram.h>

#include <pthread.h>

#define IOVA	(16 * MIB)
#define LOW	(16 * MIB)
#define HIGH	(4 * GIB)
#define ROM	(8 * GIB)
#define PLAIN	(12 * GIB)

static struct iovec mapped[16];
static int nr_mapped;

struct pkram_extent {
	uint64_t phys;
	uint64_t len;
};

FIXTURE(pool)
{
	int c;
	struct edu edu;
	uint64_t free;
};

FIXTURE_SETUP(pool)
{
	ASSERT_OK(vfio_up());
	ASSERT_OK(fs_empty(PKRAM_MNT));
	ASSERT_OK(chdir(PKRAM_MNT));
	self->free = fs_free();
	ASSERT_OK(edu_find(&self->edu, 0));
	self->c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	ASSERT_OK(edu_join(&self->edu, self->c));
	ASSERT_OK(ioctl(self->c, VFIO_SET_IOMMU, VFIO_PKRAM_IOMMU));
	ASSERT_OK(edu_start(&self->edu));
}

/* Closing the container removes all mappings of the test. */
FIXTURE_TEARDOWN(pool)
{
	edu_leave(&self->edu);
	close(self->c);
	while (nr_mapped--)
		munmap(mapped[nr_mapped].iov_base, mapped[nr_mapped].iov_len);
	EXPECT_OK(fs_empty(PKRAM_MNT));
	EXPECT_EQ(self->free, fs_free());
	EXPECT_EQ(0, pool_number("pending"));
	EXPECT_OK(chdir("/"));
}

/* Map a file until the test ends; at @addr if that is not NULL */
static char *map_to(char *addr, int fd, off_t offset, size_t len)
{
	char *p = mmap(addr, len, RW, MAP_SHARED | (addr ? MAP_FIXED : 0), fd, offset);

	if (p != MAP_FAILED && nr_mapped < 16)
		mapped[nr_mapped++] = (struct iovec){ p, len };
	return p;
}

static char *map_at(int fd, off_t offset, size_t len)
{
	return map_to(NULL, fd, offset, len);
}

TEST_F(pool, memory_under_dma_cannot_be_freed)
{
	int fd = fs_file("file", 4 * UNIT), other = fs_file("other", 0);
	char *p = map_at(fd, 0, 4 * UNIT);

	vm_fill(p, EDU_BYTES, 1, 0);
	/* The second and third unit */
	ASSERT_OK(dma_map(self->c, IOVA, p + UNIT, 2 * UNIT));
	EXPECT_ERR(EBUSY, ftruncate(fd, 0));
	EXPECT_ERR(EBUSY, ftruncate(fd, 2 * UNIT));
	EXPECT_ERR(EBUSY, truncate("file", 3 * UNIT - PAGE));
	EXPECT_ERR(EBUSY, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, UNIT, UNIT));
	EXPECT_ERR(EBUSY, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE,
				    4 * UNIT));
	/* The last call was refused as a whole. */
	EXPECT_EQ(-1, vm_verify(p, EDU_BYTES, 1, 0));
	EXPECT_ERR(EBUSY, unlink("file"));
	EXPECT_ERR(EBUSY, rename("other", "file"));
	EXPECT_EQ(4 * UNIT, fs_size(fd));
	/* Memory that is not mapped for DMA can be freed; other changes succeed. */
	EXPECT_OK(ftruncate(fd, 3 * UNIT));
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, UNIT));
	EXPECT_OK(ftruncate(fd, 5 * UNIT));
	EXPECT_OK(fs_set(fd, 0x33, UNIT, UNIT));
	EXPECT_OK(rename("file", "renamed"));
	EXPECT_OK(edu_dma(&self->edu, IOVA, false));
	EXPECT_OK(edu_dma(&self->edu, IOVA + UNIT, true));
	EXPECT_EQ(0x33, p[2 * UNIT]);
	EXPECT_EQ(0x33, p[2 * UNIT + EDU_BYTES - 1]);
	EXPECT_EQ(0, p[2 * UNIT + EDU_BYTES]);
	EXPECT_EQ(2 * UNIT, dma_unmap(self->c, IOVA, 2 * UNIT));
	EXPECT_OK(rename("other", "renamed"));
	EXPECT_OK(ftruncate(fd, 0));
	close(fd);
	close(other);
}

TEST_F(pool, unlinked_file_stays_mapped_for_dma)
{
	int fd = fs_file("file", 4 * UNIT), deleted = fs_file("deleted", UNIT);
	char *p = map_at(fd, 0, 4 * UNIT), *q = map_at(deleted, 0, UNIT);
	int rest = fs_file("rest", 0);
	uint64_t left;

	unlink("deleted");
	vm_fill(p, EDU_BYTES, 2, 0);
	ASSERT_OK(dma_map(self->c, IOVA, p, 4 * UNIT));
	ASSERT_OK(dma_map(self->c, IOVA + 4 * UNIT, q, UNIT));
	munmap(p, 4 * UNIT);
	munmap(q, UNIT);
	close(fd);
	close(deleted);
	/* The container keeps the memory. */
	left = fs_free();
	EXPECT_EQ(self->free - 5 * UNIT, left);
	EXPECT_ERR(EBUSY, unlink("file"));
	EXPECT_OK(edu_dma(&self->edu, IOVA, false));
	EXPECT_OK(edu_dma(&self->edu, IOVA + 4 * UNIT, true));
	EXPECT_OK(edu_dma(&self->edu, IOVA + 3 * UNIT, true));
	/* Memory that only a device uses stays in the pool: nothing else is in use. */
	ASSERT_OK(ftruncate(rest, left / UNIT * UNIT));
	EXPECT_NE(0, vm_run(NULL, CTL "pool shrink 1G"));
	close(rest);
	ASSERT_OK(unlink("rest"));
	/* The file system can be unmounted; the modules cannot be unloaded. */
	ASSERT_OK(chdir("/"));
	ASSERT_OK(vm_umount(PKRAM_MNT));
	EXPECT_GT(0, vm_rmmod("pkram"));
	EXPECT_GT(0, vm_rmmod("pkram_vfio"));
	ASSERT_OK(fs_mount());
	ASSERT_OK(chdir(PKRAM_MNT));
	EXPECT_ERR(EBUSY, unlink("file"));
	EXPECT_ERR(EBUSY, truncate("file", 0));
	fd = open("file", O_RDWR);
	p = map_at(fd, 0, 4 * UNIT);
	EXPECT_EQ(-1, vm_verify(p, EDU_BYTES, 2, 0));
	EXPECT_EQ(-1, vm_verify(p + 3 * UNIT, EDU_BYTES, 2, 0));
	EXPECT_EQ(UNIT, dma_unmap(self->c, IOVA + 4 * UNIT, UNIT));
	EXPECT_EQ(self->free - 4 * UNIT, fs_free());
	close(fd);
}

/* A mapping for DMA keeps the claim of the open that it was made by. */
TEST_F(pool, claim_lasts_while_mapped_for_dma)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	int fd = fs_file("file", UNIT);
	char *p = map_at(fd, 0, UNIT);

	ASSERT_OK(ioctl(fd, PKRAM_IOC_CLAIM, &claim));
	ASSERT_OK(dma_map(self->c, IOVA, p, UNIT));
	munmap(p, UNIT);
	close(fd);
	EXPECT_ERR(EBUSY, open("file", O_RDWR));
	EXPECT_EQ(UNIT, dma_unmap(self->c, IOVA, UNIT));
	fd = open("file", O_RDWR);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(pool, vaddr_update_needs_the_same_memory)
{
	int fd = fs_file("file", 4 * UNIT), other = fs_file("other", 4 * UNIT), again, ro;
	char *p = map_at(fd, 0, 4 * UNIT), *q, *around;

	vm_fill(p + UNIT, EDU_BYTES, 3, 0);
	ASSERT_OK(dma_map(self->c, IOVA, p + UNIT, 2 * UNIT));
	ASSERT_EQ(2 * UNIT, dma_give_up(self->c, IOVA, 2 * UNIT));
	/* Another offset, another object, other memory, no memory, only a part of it */
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, p, 2 * UNIT));
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, p + UNIT + PAGE, 2 * UNIT));
	q = map_at(other, UNIT, 2 * UNIT);
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, q, 2 * UNIT));
	around = mmap(NULL, 4 * UNIT, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, around, 2 * UNIT));
	ASSERT_EQ(around, map_to(around, fd, UNIT, UNIT));
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, around, 2 * UNIT));
	ASSERT_OK(munmap(around, 4 * UNIT));
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, around, 2 * UNIT));
	/* A device that writes needs an open for writing. */
	ro = open("file", O_RDONLY);
	around = mmap(NULL, 4 * UNIT, PROT_READ, MAP_SHARED, ro, 0);
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, around + UNIT, 2 * UNIT));
	munmap(around, 4 * UNIT);
	/* The same memory, by another open, in two pieces, at another address */
	munmap(p, 4 * UNIT);
	close(fd);
	again = open("file", O_RDWR);
	p = mmap(NULL, 4 * UNIT, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(p, map_to(p, again, UNIT, UNIT));
	ASSERT_EQ(p + UNIT, map_to(p + UNIT, again, 2 * UNIT, UNIT));
	EXPECT_OK(dma_renew(self->c, IOVA, p, 2 * UNIT));
	EXPECT_OK(edu_dma(&self->edu, IOVA, false));
	EXPECT_OK(edu_dma(&self->edu, IOVA + UNIT, true));
	EXPECT_EQ(-1, vm_verify(p + UNIT, EDU_BYTES, 3, 0));
	close(again);
	close(ro);
	close(other);
}

TEST_F(pool, mapping_of_mixed_memory)
{
	int fd = fs_file("file", 2 * UNIT);
	char *p = mmap(NULL, 4 * UNIT, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;

	/* Anonymous memory, the file's second unit, its first, anonymous memory */
	ASSERT_EQ(p + UNIT, map_to(p + UNIT, fd, UNIT, UNIT));
	ASSERT_EQ(p + 2 * UNIT, map_to(p + 2 * UNIT, fd, 0, UNIT));
	ASSERT_OK(dma_map(self->c, IOVA, p, 4 * UNIT));
	EXPECT_EQ(2 * UNIT, locked_memory());
	vm_fill(p + UNIT - 1024, EDU_BYTES, 4, 0);
	EXPECT_OK(edu_dma(&self->edu, IOVA + UNIT - 1024, false));
	EXPECT_OK(edu_dma(&self->edu, IOVA + 2 * UNIT - 1024, true));
	EXPECT_OK(edu_dma(&self->edu, IOVA + 3 * UNIT - 1024, true));
	EXPECT_EQ(-1, vm_verify(p + 2 * UNIT - 1024, EDU_BYTES, 4, 0));
	EXPECT_EQ(-1, vm_verify(p + 3 * UNIT - 1024, EDU_BYTES, 4, 0));
	q = map_at(fd, 0, 2 * UNIT);
	EXPECT_EQ(-1, vm_verify(q + 2 * UNIT - 1024, 1024, 4, 0));
	EXPECT_EQ(-1, vm_verify(q, 1024, 4, 1024));
	/* The same memory again; then the file's two units in the other order */
	EXPECT_EQ(4 * UNIT, dma_give_up(self->c, IOVA, 4 * UNIT));
	EXPECT_OK(dma_renew(self->c, IOVA, p, 4 * UNIT));
	EXPECT_EQ(4 * UNIT, dma_give_up(self->c, IOVA, 4 * UNIT));
	ASSERT_EQ(p + UNIT, map_to(p + UNIT, fd, 0, 2 * UNIT));
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, p, 4 * UNIT));
	EXPECT_EQ(4 * UNIT, dma_unmap(self->c, IOVA, 4 * UNIT));
	EXPECT_EQ(0, locked_memory());
	close(fd);
}

/* Get the extents of a file; those that are adjacent in memory count as one. */
static int extents(int fd, struct pkram_extent *ext, int max)
{
	struct fiemap *map = calloc(1, sizeof(*map) + 1000 * sizeof(struct fiemap_extent));
	uint32_t i;
	int n = 0;

	map->fm_length = FIEMAP_MAX_OFFSET;
	map->fm_extent_count = 1000;
	if (ioctl(fd, FS_IOC_FIEMAP, map))
		map->fm_mapped_extents = 0;
	for (i = 0; i < map->fm_mapped_extents; i++) {
		struct fiemap_extent *e = &map->fm_extents[i];

		if (n && ext[n - 1].phys + ext[n - 1].len == e->fe_physical) {
			ext[n - 1].len += e->fe_length;
		} else if (n < max) {
			ext[n].phys = e->fe_physical;
			ext[n++].len = e->fe_length;
		}
	}
	free(map);
	return n;
}

/* A device reads zeroes from memory that was never written; holes get memory. */
TEST_F(pool, device_reads_zeroes_from_new_memory)
{
	struct pkram_extent old[32], new[32];
	size_t len = 6 * UNIT;
	int fd = fs_file("secret", 8 * len), n, m, i, j;
	bool again = false;
	char *p, *plain;

	ASSERT_OK(fs_set(fd, 0x66, 8 * len, 0));
	n = extents(fd, old, 32);
	ASSERT_OK(unlink("secret"));
	close(fd);
	fd = fs_file("file", len);
	m = extents(fd, new, 32);
	for (i = 0; i < n; i++)
		for (j = 0; j < m; j++)
			again |= old[i].phys < new[j].phys + new[j].len &&
				 new[j].phys < old[i].phys + old[i].len;
	/* Without memory that is used again, the test would show nothing. */
	ASSERT_TRUE(again);
	ASSERT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, UNIT, 2 * UNIT));
	EXPECT_EQ(4 * UNIT, fs_blocks(fd));
	p = map_at(fd, 0, len);
	ASSERT_OK(dma_map(self->c, IOVA, p, len));
	EXPECT_EQ(len, fs_blocks(fd));
	/* By the device, before a CPU touches the memory, which would zero it */
	plain = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_OK(dma_map(self->c, IOVA + len, plain, PAGE));
	for (i = 0; i < 6; i++) {
		memset(plain, 0x5a, PAGE);
		EXPECT_OK(edu_dma(&self->edu, IOVA + i * UNIT + 3 * PAGE, false));
		EXPECT_OK(edu_dma(&self->edu, IOVA + len, true));
		EXPECT_EQ(-1, vm_verify_zero(plain, EDU_BYTES));
	}
	EXPECT_EQ(-1, vm_verify_zero(p, len));
	close(fd);
}

/* Each unit of a file that is new, written as a whole while it is mapped for DMA */
struct unit_writer {
	pthread_t thread;
	pthread_barrier_t *start;
	int fd;
	size_t len;
};

static void *write_units(void *arg)
{
	struct unit_writer *w = arg;
	char *buf = malloc(UNIT);
	off_t pos;

	memset(buf, 0x5a, UNIT);
	pthread_barrier_wait(w->start);
	for (pos = 0; pos < w->len; pos += UNIT)
		if (pwrite(w->fd, buf, UNIT, pos) != UNIT)
			break;
	free(buf);
	return NULL;
}

TEST_F(pool, write_beside_a_new_dma_map_is_not_lost)
{
	struct unit_writer w = { .len = 16 * UNIT };
	pthread_barrier_t start;
	long long lost;
	char *p;

	w.start = &start;
	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 15; i++) {
		w.fd = fs_file("file", w.len);
		p = map_at(w.fd, 0, w.len);
		ASSERT_EQ(0, pthread_create(&w.thread, NULL, write_units, &w));
		pthread_barrier_wait(&start);
		ASSERT_OK(dma_map(self->c, IOVA, p, w.len));
		pthread_join(w.thread, NULL);
		lost = fs_find_other(w.fd, 0x5a, w.len, 0);
		ASSERT_EQ(-1, lost);
		ASSERT_EQ(w.len, dma_unmap(self->c, IOVA, w.len));
		close(w.fd);
		ASSERT_OK(unlink("file"));
		munmap(p, w.len);
		nr_mapped--;
	}
	pthread_barrier_destroy(&start);
}

/* Bytes of page tables for devices; the refresh adds up the counters of the CPUs. */
static long long iommu_tables(void)
{
	vm_write_file("/proc/sys/vm/stat_refresh", "1");
	return vm_meminfo("SecPageTables");
}

/* One call for each extent, and few page tables */
TEST_F(pool, one_iommu_map_call_per_extent)
{
	uint64_t len = 512 * MIB, bytes;
	int fd = fs_file("file", len), hole = fs_file("between", 0), i;
	struct pkram_extent ext[32];
	char *p, *small;
	long long tables;
	struct utsname u;

	uname(&u);
	ASSERT_LE(0, fd);
	p = map_at(fd, 0, len);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_OK(trace_maps());
	tables = iommu_tables();
	ASSERT_OK(dma_map(self->c, GIB, p, len));
	/* With 4K pages it would be 1 MiB. */
	EXPECT_GE(tables + 64 * 1024, iommu_tables());
	EXPECT_EQ(extents(fd, ext, 32), traced_maps(&bytes));
	EXPECT_EQ(len, bytes);
	EXPECT_EQ(len, dma_unmap(self->c, GIB, len));
	/* Small pages need page tables, which kernels before 6.11 do not count. */
	small = mmap(NULL, 128 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_OK(madvise(small, 128 * MIB, MADV_NOHUGEPAGE));
	/* Adjacent pages must not be adjacent in memory, or they are mapped as large pages. */
	for (bytes = 0; bytes < 128 * MIB; bytes += 2 * PAGE)
		small[bytes] = 1;
	for (bytes = PAGE; bytes < 128 * MIB; bytes += 2 * PAGE)
		small[bytes] = 1;
	ASSERT_OK(dma_map(self->c, GIB, small, 128 * MIB));
	if (strncmp(u.release, "6.1.", 4))
		EXPECT_LE(tables + 200 * 1024, iommu_tables());
	EXPECT_EQ(128 * MIB, dma_unmap(self->c, GIB, 128 * MIB));
	munmap(small, 128 * MIB);
	/* Many extents: holes of two units, of which another file takes half. */
	for (i = 1; i < 5; i++) {
		ASSERT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8 * i * UNIT,
				    2 * UNIT));
		ASSERT_OK(ftruncate(hole, i * UNIT));
	}
	ASSERT_OK(trace_maps());
	ASSERT_OK(dma_map(self->c, GIB, p, len));
	i = extents(fd, ext, 32);
	EXPECT_LT(1, i);
	EXPECT_EQ(i, traced_maps(&bytes));
	EXPECT_EQ(len, bytes);
	vm_fill(p + 9 * UNIT - 1024, EDU_BYTES, 5, 0);
	EXPECT_OK(edu_dma(&self->edu, GIB + 9 * UNIT - 1024, false));
	EXPECT_OK(edu_dma(&self->edu, GIB + 8 * UNIT - 1024, true));
	EXPECT_EQ(-1, vm_verify(p + 8 * UNIT - 1024, EDU_BYTES, 5, 0));
	EXPECT_OK(vm_write_file("/sys/kernel/tracing/events/iommu/map/enable", "0"));
	close(fd);
	close(hole);
}

TEST_F(pool, unsupported_features_are_refused)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {
		.argsz = sizeof(dirty), .flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
	};
	struct vfio_iommu_type1_info *info = dma_info(self->c);

	/* Dirty page tracking */
	ASSERT_NE(NULL, info);
	EXPECT_EQ(NULL, dma_capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION));
	EXPECT_ERR(ENOTTY, ioctl(self->c, VFIO_IOMMU_DIRTY_PAGES, &dirty));
	free(info);
	/* DMA to other devices */
	EXPECT_ERR(EOPNOTSUPP, dma_map(self->c, IOVA, (void *)self->edu.bar, PAGE));
	EXPECT_EQ(65535, dma_avail(self->c));
}

/* The modules unload when nothing refers to them. */
TEST_F(pool, modules_unload)
{
	edu_leave(&self->edu);
	close(self->c);
	ASSERT_OK(chdir("/"));
	ASSERT_OK(fs_empty(PKRAM_MNT));
	ASSERT_OK(vm_umount(PKRAM_MNT));
	EXPECT_GT(0, vm_rmmod("pkram"));
	EXPECT_OK(vm_rmmod("pkram_vfio"));
	EXPECT_OK(vm_rmmod("pkram"));
	ASSERT_OK(vfio_up());
	self->c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
}

FIXTURE(table) {};

FIXTURE_SETUP(table)
{
	umask(022);
	ASSERT_OK(vfio_up());
}

FIXTURE_TEARDOWN(table) {}

TEST_F(table, table_names_are_checked)
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
	EXPECT_ERR(EINVAL, table_create(a.c, ""));
	EXPECT_ERR(EINVAL, table_create(a.c, "a/b"));
	EXPECT_ERR(EINVAL, table_create(a.c, ".."));
	EXPECT_ERR(EINVAL, table_restore(a.c, ""));
	EXPECT_ERR(ENOENT, table_restore(a.c, "one"));
	n.name[255] = 0;
	EXPECT_OK(ioctl(a.c, PKRAM_VFIO_TABLE_CREATE, &n));
	EXPECT_TRUE(table_listed((char *)n.name));
	EXPECT_ERR(EINVAL, table_create(a.c, "two"));
	EXPECT_ERR(EINVAL, table_restore(a.c, "two"));
	EXPECT_ERR(EEXIST, ioctl(b.c, PKRAM_VFIO_TABLE_CREATE, &n));
	EXPECT_ERR(EBUSY, ioctl(b.c, PKRAM_VFIO_TABLE_RESTORE, &n));
	EXPECT_ERR(EBUSY, table_replace(b.c, (char *)n.name));
	/* A file may have the same name. */
	EXPECT_LE(0, fs_file(PKRAM_MNT "/one", 0));
	EXPECT_OK(table_create(b.c, "one"));
	EXPECT_OK(unlink(PKRAM_MNT "/one"));
	/* The table was not suspended, so it cannot be restored and ends with its container. */
	box_close(&a);
	EXPECT_FALSE(table_listed((char *)n.name));
	EXPECT_EQ(0, pool_number("objects"));
	box_close(&b);
	EXPECT_FALSE(table_listed("one"));
}

/* An entry is in the table before a device can reach the memory, and not after. */
TEST_F(table, table_follows_the_mappings)
{
	struct pkram_dma_table *list, *c;
	struct box b;
	char *p, *two;
	int fd;

	ASSERT_LE(0, fs_file(PKRAM_MNT "/file", 4 * UNIT));
	fd = fs_file(PKRAM_MNT "/deleted", UNIT);
	p = fs_map(PKRAM_MNT "/file", 0, 4 * UNIT);
	ASSERT_OK(box_open(&b, 0));
	/* One mapping is older than the table. */
	ASSERT_OK(dma_map(b.c, HIGH, p + UNIT, UNIT));
	ASSERT_OK(table_create(b.c, "table"));
	EXPECT_TABLE("table", 1, false, true);
	ASSERT_OK(dma_map_flags(b.c, LOW, p + 2 * UNIT + PAGE, PAGE, VFIO_DMA_MAP_FLAG_WRITE));
	EXPECT_ERR(EEXIST, dma_map(b.c, LOW, p, PAGE));
	EXPECT_ERR(EINVAL, dma_map(b.c, 0xfee00000, p, PAGE));
	EXPECT_ERR(EFAULT, dma_map(b.c, ROM, NULL, PAGE));
	c = table_find(&list, "table");
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
	/* No entries: two pieces of the file in the wrong order, and a file without a name */
	two = mmap(NULL, 2 * UNIT, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(two, mmap(two, UNIT, RW, MAP_SHARED | MAP_FIXED,
			    open(PKRAM_MNT "/file", O_RDWR), UNIT));
	ASSERT_EQ(two + UNIT, mmap(two + UNIT, UNIT, RW, MAP_SHARED | MAP_FIXED,
				   open(PKRAM_MNT "/file", O_RDWR), 0));
	ASSERT_OK(dma_map(b.c, ROM, two, 2 * UNIT));
	ASSERT_OK(unlink(PKRAM_MNT "/deleted"));
	ASSERT_OK(dma_map(b.c, PLAIN, mmap(NULL, UNIT, RW, MAP_SHARED, fd, 0), UNIT));
	EXPECT_TABLE("table", 2, false, true);
	EXPECT_EQ(PAGE, dma_unmap(b.c, LOW, PAGE));
	EXPECT_TABLE("table", 1, false, true);
	/* Give up one address, then all; set one again, and add a mapping. */
	EXPECT_EQ(UNIT, dma_give_up(b.c, HIGH, UNIT));
	EXPECT_TABLE("table", 1, false, true);
	EXPECT_EQ(3 * UNIT, dma_unmap_flags(b.c, ROM, GIB * 8, VFIO_DMA_UNMAP_FLAG_VADDR));
	EXPECT_TABLE("table", 1, true, true);
	EXPECT_ERR(EINVAL, dma_give_all_up(b.c));
	EXPECT_OK(dma_map(b.c, LOW, p, PAGE));
	EXPECT_TABLE("table", 2, false, true);
	EXPECT_NE(0, vm_run(NULL, CTL "dma-table remove table"));
	EXPECT_EQ(4 * UNIT + PAGE, dma_unmap_flags(b.c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_TABLE("table", 0, false, true);
	box_close(&b);
	EXPECT_FALSE(table_listed("table"));
	munmap(p, 4 * UNIT);
	munmap(two, 2 * UNIT);
	EXPECT_OK(unlink(PKRAM_MNT "/file"));
}

/* More entries than a small record holds, then fewer */
TEST_F(table, table_with_many_entries_is_restored)
{
	struct box b;
	char *p;
	int i;

	ASSERT_LE(0, fs_file(PKRAM_MNT "/file", UNIT));
	p = fs_map(PKRAM_MNT "/file", 0, UNIT);
	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(table_create(b.c, "many"));
	for (i = 0; i < 200; i++)
		ASSERT_OK(dma_map(b.c, LOW + 2 * i * PAGE, p + i * PAGE, PAGE));
	EXPECT_TABLE("many", 200, false, true);
	EXPECT_EQ(190 * PAGE, dma_unmap(b.c, LOW, 380 * PAGE));
	EXPECT_TABLE("many", 10, false, true);
	EXPECT_EQ(10 * PAGE, dma_give_all_up(b.c));
	box_close(&b);
	ASSERT_OK(box_open(&b, 0));
	EXPECT_OK(table_restore(b.c, "many"));
	EXPECT_EQ(65535 - 10, dma_avail(b.c));
	munmap(p, UNIT);
	box_close(&b);
	EXPECT_OK(vm_run(NULL, CTL "dma-table remove many"));
	EXPECT_FALSE(table_listed("many"));
	EXPECT_OK(unlink(PKRAM_MNT "/file"));
}

/* A refused address does not end the suspension: the table outlives its process. */
TEST_F(table, refused_vaddr_keeps_table_suspended)
{
	struct rlimit none = { 0, 0 };
	int status, fd = fs_file(PKRAM_MNT "/file", UNIT);
	char *p, *plain;
	struct box b;
	pid_t pid;

	ASSERT_LE(0, fd);
	close(fd);
	p = fs_map(PKRAM_MNT "/file", 0, UNIT);
	plain = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(table_create(b.c, "kept"));
	ASSERT_OK(dma_map(b.c, LOW, p, UNIT));
	ASSERT_OK(dma_map(b.c, PLAIN, plain, PAGE));
	ASSERT_EQ(UNIT + PAGE, dma_give_all_up(b.c));
	EXPECT_TABLE("kept", 1, true, true);
	/* Setting the address charges this process, which may not lock a page. */
	pid = fork();
	if (!pid)
		_exit(setrlimit(RLIMIT_MEMLOCK, &none) || setresuid(NOBODY, NOBODY, NOBODY) ||
		      !dma_renew(b.c, PLAIN, plain, PAGE) || errno != ENOMEM);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TABLE("kept", 1, true, true);
	box_close(&b);
	EXPECT_TABLE("kept", 1, true, false);
	/* It can be restored; with an address set it ends with its container. */
	ASSERT_OK(box_open(&b, 0));
	EXPECT_OK(table_restore(b.c, "kept"));
	EXPECT_OK(dma_renew(b.c, LOW, p, UNIT));
	box_close(&b);
	EXPECT_FALSE(table_listed("kept"));
	munmap(plain, PAGE);
	munmap(p, UNIT);
	EXPECT_OK(unlink(PKRAM_MNT "/file"));
}

/* Without a mount no inode has the rights of the file: it needs CAP_DAC_OVERRIDE. */
TEST_F(table, restore_while_unmounted_needs_privilege)
{
	struct box b;
	int fd = fs_file(PKRAM_MNT "/file", UNIT);
	char *p;

	ASSERT_LE(0, fd);
	close(fd);
	ASSERT_OK(chmod(PKRAM_MNT "/file", 0666));
	p = fs_map(PKRAM_MNT "/file", 0, UNIT);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(become_nobody());
	EXPECT_OK(table_create(b.c, "theirs"));
	EXPECT_OK(dma_map(b.c, LOW, p, UNIT));
	EXPECT_EQ(UNIT, dma_give_all_up(b.c));
	ASSERT_OK(become_root());
	box_close(&b);
	munmap(p, UNIT);
	ASSERT_OK(vm_umount(PKRAM_MNT));
	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(become_nobody());
	EXPECT_ERR(EACCES, table_restore(b.c, "theirs"));
	ASSERT_OK(become_root());
	EXPECT_EQ(65535, dma_avail(b.c));
	EXPECT_OK(table_restore(b.c, "theirs"));
	box_close(&b);
	/* With the mount, the same user may. */
	ASSERT_OK(fs_mount());
	ASSERT_OK(box_open(&b, 0));
	ASSERT_OK(become_nobody());
	EXPECT_OK(table_restore(b.c, "theirs"));
	ASSERT_OK(become_root());
	box_close(&b);
	EXPECT_OK(vm_run(NULL, CTL "dma-table remove theirs"));
	EXPECT_OK(unlink(PKRAM_MNT "/file"));
}

TEST_HARNESS_MAIN
