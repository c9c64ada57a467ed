// SPDX-License-Identifier: GPL-2.0
/*
 * DMA by VFIO. Each test runs three times, and the result must be the same: on type1, on
 * pkram's IOMMU type with the same memory, and on pkram's type with memory of the pool.
 * vfio_pool has the tests of what only pkram's type does.
 */
#include "test.h"

#include "vfio.h"

#define IOVA	(16 * MIB)
#define SIZE	(8 * MIB)

FIXTURE(dma)
{
	int c;			/* container */
	struct edu edu;
	int file;		/* memory: SIZE bytes */
	char *p;
};

FIXTURE_VARIANT(dma)
{
	int type;
	bool pool;
};

FIXTURE_VARIANT_ADD(dma, type1) { .type = VFIO_TYPE1v2_IOMMU, .pool = false };
FIXTURE_VARIANT_ADD(dma, other) { .type = VFIO_PKRAM_IOMMU, .pool = false };
FIXTURE_VARIANT_ADD(dma, pool) { .type = VFIO_PKRAM_IOMMU, .pool = true };

FIXTURE_SETUP(dma)
{
	ASSERT_OK(vfio_up());
	ASSERT_OK(edu_find(&self->edu, 0));
	self->c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->c);
	ASSERT_OK(edu_join(&self->edu, self->c));
	ASSERT_OK(ioctl(self->c, VFIO_SET_IOMMU, variant->type));
	ASSERT_OK(edu_start(&self->edu));
	if (variant->pool) {
		unlink(PKRAM_MNT "/memory");
		self->file = fs_file(PKRAM_MNT "/memory", SIZE);
	} else {
		self->file = memfd_create("memory", MFD_CLOEXEC);
		ASSERT_OK(ftruncate(self->file, SIZE));
	}
	ASSERT_LE(0, self->file);
	self->p = mmap(NULL, SIZE, RW, MAP_SHARED, self->file, 0);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(dma)
{
	edu_leave(&self->edu);
	close(self->c);
	close(self->file);
	if (variant->pool)
		EXPECT_OK(unlink(PKRAM_MNT "/memory"));
}

/* Let the device read a pattern at @from and write it to @to. */
#define COPY(from, to, seed)						\
	do {								\
		vm_fill(self->p + (from), EDU_BYTES, seed, 0);		\
		EXPECT_OK(edu_dma(&self->edu, IOVA + (from), false));	\
		EXPECT_OK(edu_dma(&self->edu, IOVA + (to), true));	\
		EXPECT_EQ(-1, vm_verify(self->p + (to), EDU_BYTES, seed, 0)); \
	} while (0)

TEST_F(dma, check_extension)
{
	int c = open("/dev/vfio/vfio", O_RDWR), others[] = { VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU };

	/* Without an IOMMU type */
	EXPECT_EQ(1, ioctl(c, VFIO_CHECK_EXTENSION, VFIO_PKRAM_IOMMU));
	EXPECT_EQ(1, ioctl(c, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, ioctl(c, VFIO_CHECK_EXTENSION, VFIO_SPAPR_TCE_IOMMU));
	EXPECT_EQ(0, ioctl(c, VFIO_CHECK_EXTENSION, 0x7777));
	close(c);
	/* With an IOMMU type: this type, no other */
	EXPECT_EQ(1, ioctl(self->c, VFIO_CHECK_EXTENSION, variant->type));
	EXPECT_EQ(variant->type != VFIO_PKRAM_IOMMU,
		  ioctl(self->c, VFIO_CHECK_EXTENSION, others[0]));
	EXPECT_EQ(variant->type != VFIO_PKRAM_IOMMU,
		  ioctl(self->c, VFIO_CHECK_EXTENSION, others[1]));
	EXPECT_EQ(1, ioctl(self->c, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL));
	EXPECT_EQ(1, ioctl(self->c, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR));
	/* VT-d makes all DMA coherent if it has snoop control. */
	EXPECT_LE(0, ioctl(self->c, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
	/* The type cannot be changed. */
	EXPECT_ERR(EINVAL, ioctl(self->c, VFIO_SET_IOMMU, variant->type));
	EXPECT_ERR(ENOTTY, ioctl(self->c, VFIO_IOMMU_ENABLE));
}

TEST_F(dma, get_info_reports_capabilities)
{
	struct vfio_iommu_type1_info small = { .argsz = 8 }, *info = dma_info(self->c);
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	uint32_t i;

	ASSERT_NE(NULL, info);
	EXPECT_TRUE(info->flags & VFIO_IOMMU_INFO_PGSIZES);
	EXPECT_EQ(PAGE | 2 * MIB | GIB, info->iova_pgsizes & (PAGE | 2 * MIB | GIB));
	ranges = dma_capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, ranges);
	/* All but the window of the interrupts */
	ASSERT_EQ(2, ranges->nr_iovas);
	EXPECT_EQ(0, ranges->iova_ranges[0].start);
	EXPECT_EQ(0xfedfffff, ranges->iova_ranges[0].end);
	EXPECT_EQ(0xfef00000, ranges->iova_ranges[1].start);
	EXPECT_LT(1ULL << 38, ranges->iova_ranges[1].end);
	/* The ranges are right. */
	for (i = 0; i < 2; i++) {
		EXPECT_OK(dma_map(self->c, ranges->iova_ranges[i].start, self->p, PAGE));
		EXPECT_OK(dma_map(self->c, ranges->iova_ranges[i].end + 1 - PAGE, self->p, PAGE));
	}
	EXPECT_ERR(EINVAL, dma_map(self->c, ranges->iova_ranges[1].end + 1, self->p, PAGE));
	EXPECT_EQ(65535 - 4, dma_avail(self->c));
	free(info);
	EXPECT_ERR(EINVAL, ioctl(self->c, VFIO_IOMMU_GET_INFO, &small));
	EXPECT_ERR(EFAULT, ioctl(self->c, VFIO_IOMMU_GET_INFO, NULL));
	/* Without room for capabilities it returns the size that is needed. */
	small.argsz = sizeof(small);
	EXPECT_OK(ioctl(self->c, VFIO_IOMMU_GET_INFO, &small));
	EXPECT_LT(sizeof(small), small.argsz);
	EXPECT_EQ(0, small.cap_offset);
}

TEST_F(dma, device_reads_and_writes_memory)
{
	size_t at[] = { 0, 2 * MIB - PAGE, 5 * MIB + 2048 }, i;

	ASSERT_OK(dma_map(self->c, IOVA, self->p, SIZE));
	for (i = 0; i < 3; i++)
		COPY(at[i], 3 * MIB + i * PAGE, 10 + i);
	EXPECT_EQ(SIZE, dma_unmap(self->c, IOVA, SIZE));
	/* The device no longer reaches the memory. */
	memset(self->p, 0x5a, PAGE);
	edu_dma(&self->edu, IOVA, true);
	for (i = 0; i < PAGE && self->p[i] == 0x5a; i++)
		;
	EXPECT_EQ(PAGE, i);
}

TEST_F(dma, dma_respects_permissions)
{
	size_t i;

	memset(self->p, 0x5a, 2 * PAGE);
	ASSERT_OK(dma_map_flags(self->c, IOVA, self->p, PAGE, VFIO_DMA_MAP_FLAG_READ));
	ASSERT_OK(dma_map(self->c, IOVA + PAGE, self->p + PAGE, PAGE));
	vm_fill(self->p + PAGE, EDU_BYTES, 3, 0);
	EXPECT_OK(edu_dma(&self->edu, IOVA + PAGE, false));
	/* It cannot write where it may only read. */
	edu_dma(&self->edu, IOVA, true);
	for (i = 0; i < PAGE && self->p[i] == 0x5a; i++)
		;
	EXPECT_EQ(PAGE, i);
	/* It can read there. */
	vm_fill(self->p, EDU_BYTES, 4, 0);
	EXPECT_OK(edu_dma(&self->edu, IOVA, false));
	EXPECT_OK(edu_dma(&self->edu, IOVA + PAGE, true));
	EXPECT_EQ(-1, vm_verify(self->p + PAGE, EDU_BYTES, 4, 0));
}

/* Of a range that wraps type1 returns EINVAL before 6.18; pkram returns EOVERFLOW. */
#define EXPECT_WRAP(call)						\
	do {								\
		errno = 0;						\
		EXPECT_EQ(-1, (long)(call));				\
		if (errno != EINVAL || variant->type == VFIO_PKRAM_IOMMU) \
			EXPECT_EQ(EOVERFLOW, errno);			\
	} while (0)

TEST_F(dma, invalid_map_is_refused)
{
	struct vfio_iommu_type1_dma_map small = { .argsz = 8, .flags = MAP_RW };
	char *hole = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *ro = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->file, 0);
	int c = self->c;

	EXPECT_ERR(EFAULT, ioctl(c, VFIO_IOMMU_MAP_DMA, NULL));
	EXPECT_ERR(EINVAL, ioctl(c, VFIO_IOMMU_MAP_DMA, &small));
	EXPECT_ERR(EINVAL, dma_map_flags(c, IOVA, self->p, PAGE, 1 << 3 | MAP_RW));
	EXPECT_ERR(EINVAL, dma_map_flags(c, IOVA, self->p, PAGE, 0));
	EXPECT_ERR(EINVAL, dma_map_flags(c, IOVA, self->p, PAGE,
					 VFIO_DMA_MAP_FLAG_VADDR | MAP_RW));
	EXPECT_ERR(EINVAL, dma_map(c, IOVA, self->p, 0));
	EXPECT_ERR(EINVAL, dma_map(c, IOVA + 1, self->p, PAGE));
	EXPECT_ERR(EINVAL, dma_map(c, IOVA, self->p + 1, PAGE));
	EXPECT_ERR(EINVAL, dma_map(c, IOVA, self->p, PAGE - 1));
	EXPECT_WRAP(dma_map(c, -PAGE, self->p, 2 * PAGE));
	EXPECT_WRAP(dma_map(c, IOVA, (void *)-PAGE, 2 * PAGE));
	EXPECT_ERR(EINVAL, dma_map(c, -PAGE, self->p, PAGE));
	EXPECT_ERR(EINVAL, dma_map(c, 0xfee00000, self->p, PAGE));
	EXPECT_ERR(EINVAL, dma_map(c, 0xfedff000, self->p, 2 * PAGE));
	EXPECT_ERR(EFAULT, dma_map(c, IOVA, (void *)-PAGE, PAGE));
	munmap(hole + PAGE, PAGE);
	EXPECT_ERR(EFAULT, dma_map(c, IOVA, hole, 2 * PAGE));
	EXPECT_ERR(EFAULT, dma_map(c, IOVA, ro, PAGE));
	EXPECT_OK(dma_map_flags(c, IOVA, ro, PAGE, VFIO_DMA_MAP_FLAG_READ));
	EXPECT_ERR(EEXIST, dma_map(c, IOVA, self->p, PAGE));
	EXPECT_ERR(EEXIST, dma_map(c, IOVA - PAGE, self->p, 4 * PAGE));
	/* A map that fails leaves nothing behind. */
	EXPECT_EQ(PAGE, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(65535, dma_avail(c));
	EXPECT_EQ(0, locked_memory());
}

TEST_F(dma, map_past_eof_is_efault)
{
	char *p = mmap(NULL, 2 * SIZE, RW, MAP_SHARED, self->file, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_ERR(EFAULT, dma_map(self->c, IOVA, p, SIZE + PAGE));
	EXPECT_ERR(EFAULT, dma_map(self->c, IOVA, p + SIZE, PAGE));
	EXPECT_OK(dma_map(self->c, IOVA, p + SIZE - PAGE, PAGE));
}

TEST_F(dma, unmap_takes_whole_mappings_only)
{
	struct vfio_iommu_type1_dma_unmap small = { .argsz = 8 };
	struct {
		struct vfio_iommu_type1_dma_unmap unmap;
		struct vfio_bitmap bitmap;
		uint64_t bits;
	} dirty = { { .argsz = sizeof(dirty), .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		      .iova = IOVA, .size = MIB }, { .pgsize = PAGE, .size = 32 } };
	int c = self->c, i;

	for (i = 0; i < 4; i++)
		ASSERT_OK(dma_map(c, IOVA + i * MIB, self->p + i * MIB, MIB));
	EXPECT_ERR(EFAULT, ioctl(c, VFIO_IOMMU_UNMAP_DMA, NULL));
	EXPECT_ERR(EINVAL, ioctl(c, VFIO_IOMMU_UNMAP_DMA, &small));
	EXPECT_ERR(EINVAL, dma_unmap_flags(c, IOVA, MIB, 1 << 3));
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA, 0));
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA + 1, PAGE));
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA, MIB + 1));
	EXPECT_WRAP(dma_unmap(c, IOVA, -PAGE));
	/* Parts of a mapping */
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA, PAGE));
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA + PAGE, MIB - PAGE));
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA, 2 * MIB - PAGE));
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA + MIB - PAGE, MIB + PAGE));
	/* ALL takes no range. */
	EXPECT_ERR(EINVAL, dma_unmap_flags(c, IOVA, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_ERR(EINVAL, dma_unmap_flags(c, 0, MIB, VFIO_DMA_UNMAP_FLAG_ALL));
	/* Dirty page tracking is not enabled. */
	dirty.bitmap.data = (void *)&dirty.bits;
	EXPECT_ERR(EINVAL, ioctl(c, VFIO_IOMMU_UNMAP_DMA, &dirty));
	dirty.unmap.flags |= VFIO_DMA_UNMAP_FLAG_ALL;
	EXPECT_ERR(EINVAL, ioctl(c, VFIO_IOMMU_UNMAP_DMA, &dirty));
	dirty.unmap.flags ^= VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR;
	EXPECT_ERR(EINVAL, ioctl(c, VFIO_IOMMU_UNMAP_DMA, &dirty));
	EXPECT_EQ(65535 - 4, dma_avail(c));
	/* A range without mappings, two mappings at once, a range that ends behind the last */
	EXPECT_EQ(0, dma_unmap(c, IOVA + 4 * MIB, MIB));
	EXPECT_EQ(2 * MIB, dma_unmap(c, IOVA + MIB, 2 * MIB));
	EXPECT_EQ(MIB, dma_unmap(c, IOVA + 2 * MIB, 10 * MIB));
	EXPECT_OK(dma_map(c, IOVA + MIB, self->p, PAGE));
	EXPECT_EQ(MIB + PAGE, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(0, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(65535, dma_avail(c));
}

TEST_F(dma, vaddr_is_given_up_and_renewed_once)
{
	int c = self->c;

	ASSERT_OK(dma_map(c, IOVA, self->p, MIB));
	ASSERT_OK(dma_map(c, IOVA + MIB, self->p + MIB, MIB));
	ASSERT_OK(dma_map(c, IOVA + 4 * MIB, self->p + 4 * MIB, MIB));
	EXPECT_ERR(ENOENT, dma_renew(c, IOVA + 2 * MIB, self->p, MIB));
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA, self->p, MIB));
	EXPECT_ERR(EINVAL, dma_give_up(c, IOVA + PAGE, MIB));
	EXPECT_ERR(EINVAL, dma_unmap_flags(c, IOVA, MIB, VFIO_DMA_UNMAP_FLAG_VADDR |
					   VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(0, dma_give_up(c, IOVA + 2 * MIB, MIB));
	EXPECT_EQ(MIB, dma_give_up(c, IOVA + MIB, MIB));
	/* One address in the range is given up already: the others are kept. */
	EXPECT_ERR(EINVAL, dma_give_up(c, IOVA, 5 * MIB));
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA, self->p, MIB));
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA + 4 * MIB, self->p + 4 * MIB, MIB));
	/* A part of a mapping, and more than one */
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA + MIB, self->p + MIB, PAGE));
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA, self->p, 2 * MIB));
	EXPECT_ERR(EEXIST, dma_map(c, IOVA + MIB, self->p + MIB, MIB));
	EXPECT_OK(dma_renew(c, IOVA + MIB, self->p + MIB, MIB));
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA + MIB, self->p + MIB, MIB));
	EXPECT_EQ(3 * MIB, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_VADDR |
					   VFIO_DMA_UNMAP_FLAG_ALL));
	/* A mapping without an address can be unmapped. */
	EXPECT_EQ(MIB, dma_unmap(c, IOVA, MIB));
	EXPECT_EQ(2 * MIB, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(65535, dma_avail(c));
}

TEST_F(dma, dma_continues_without_vaddr)
{
	char *p;

	ASSERT_OK(dma_map(self->c, IOVA, self->p, SIZE));
	vm_fill(self->p + MIB, EDU_BYTES, 5, 0);
	EXPECT_EQ(SIZE, dma_give_up(self->c, IOVA, SIZE));
	ASSERT_OK(munmap(self->p, SIZE));
	/* No process maps the memory, and the device reaches it. */
	EXPECT_OK(edu_dma(&self->edu, IOVA + MIB, false));
	EXPECT_OK(edu_dma(&self->edu, IOVA + 6 * MIB, true));
	/* The new address is another one. */
	p = mmap(NULL, SIZE, RW, MAP_SHARED, self->file, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-1, vm_verify(p + 6 * MIB, EDU_BYTES, 5, 0));
	EXPECT_OK(dma_renew(self->c, IOVA, p, SIZE));
	self->p = p;
	COPY(0, PAGE, 6);
}

/* A second device joins when all is mapped. @nr_domains: sets of page tables */
static void second_device(struct __test_metadata *_metadata, int c, struct edu *edu, char *p,
			  int nr_domains)
{
	struct edu other;
	uint64_t bytes;

	ASSERT_OK(edu_find(&other, 1));
	ASSERT_NE(edu->nr, other.nr);
	ASSERT_OK(dma_map(c, IOVA, p, SIZE));
	EXPECT_EQ(SIZE, dma_give_up(c, IOVA, SIZE));
	EXPECT_EQ(-EBUSY, edu_join(&other, c));
	edu_leave(&other);
	EXPECT_OK(dma_renew(c, IOVA, p, SIZE));
	ASSERT_OK(edu_join(&other, c));
	ASSERT_OK(edu_start(&other));
	/* It sees the mappings that are older than it. */
	vm_fill(p + 3 * MIB, EDU_BYTES, 7, 0);
	EXPECT_OK(edu_dma(&other, IOVA + 3 * MIB, false));
	EXPECT_OK(edu_dma(&other, IOVA + 2 * PAGE, true));
	EXPECT_EQ(-1, vm_verify(p + 2 * PAGE, EDU_BYTES, 7, 0));
	/* Both see a new mapping. */
	ASSERT_OK(trace_maps());
	EXPECT_OK(dma_map(c, IOVA + SIZE, p + 4 * MIB, MIB));
	traced_maps(&bytes);
	EXPECT_EQ(nr_domains * MIB, bytes);
	vm_fill(p + 4 * MIB, EDU_BYTES, 8, 0);
	EXPECT_OK(edu_dma(edu, IOVA + SIZE, false));
	EXPECT_OK(edu_dma(&other, IOVA + SIZE, false));
	EXPECT_OK(edu_dma(edu, IOVA, true));
	EXPECT_OK(edu_dma(&other, IOVA + SIZE + PAGE, true));
	EXPECT_EQ(-1, vm_verify(p, EDU_BYTES, 8, 0));
	EXPECT_EQ(-1, vm_verify(p + 4 * MIB + PAGE, EDU_BYTES, 8, 0));
	/* It leaves: the first device keeps all. */
	edu_leave(&other);
	EXPECT_OK(edu_dma(edu, IOVA + PAGE, true));
	EXPECT_EQ(-1, vm_verify(p + PAGE, EDU_BYTES, 8, 0));
	EXPECT_EQ(SIZE + MIB, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
}

TEST_F(dma, second_device_sees_the_mappings)
{
	second_device(_metadata, self->c, &self->edu, self->p, 1);
}

TEST_F(dma, second_device_with_own_page_tables)
{
	const char *share = "/sys/module/pkram_vfio/parameters/share_domains";

	ASSERT_OK(vm_write_file(share, "0"));
	second_device(_metadata, self->c, &self->edu, self->p,
		      variant->type == VFIO_PKRAM_IOMMU ? 2 : 1);
	ASSERT_OK(vm_write_file(share, "1"));
}

TEST_F(dma, dma_entry_limit_applies)
{
	char path[128];
	int i;

	/* A container keeps the limit that was set when it was opened. */
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/dma_entry_limit",
		 variant->type == VFIO_PKRAM_IOMMU ? "pkram_vfio" : "vfio_iommu_type1");
	ASSERT_OK(vm_write_file(path, "3"));
	edu_leave(&self->edu);
	close(self->c);
	self->c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	EXPECT_OK(edu_join(&self->edu, self->c));
	EXPECT_OK(ioctl(self->c, VFIO_SET_IOMMU, variant->type));
	EXPECT_OK(vm_write_file(path, "65535"));
	for (i = 0; i < 3; i++)
		EXPECT_OK(dma_map(self->c, IOVA + i * PAGE, self->p, PAGE));
	EXPECT_ERR(ENOSPC, dma_map(self->c, IOVA + i * PAGE, self->p, PAGE));
	EXPECT_ERR(EEXIST, dma_map(self->c, IOVA, self->p, PAGE));
	EXPECT_EQ(0, dma_avail(self->c));
	EXPECT_EQ(PAGE, dma_unmap(self->c, IOVA, PAGE));
	EXPECT_OK(dma_map(self->c, IOVA + i * PAGE, self->p, PAGE));
}

/* Pinned pages are charged, memory of the pool is not. */
TEST_F(dma, mapped_memory_counts_as_locked)
{
	struct rlimit limit = { 2 * MIB, 2 * MIB };
	uint64_t charged = variant->pool ? 0 : MIB;

	ASSERT_OK(dma_map(self->c, IOVA, self->p, MIB));
	EXPECT_EQ(charged, locked_memory());
	/* A new address by the same process changes nothing. */
	EXPECT_EQ(MIB, dma_give_up(self->c, IOVA, MIB));
	EXPECT_OK(dma_renew(self->c, IOVA, self->p, MIB));
	EXPECT_EQ(charged, locked_memory());
	ASSERT_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_OK(setresuid(NOBODY, NOBODY, 0));
	EXPECT_OK(dma_map(self->c, IOVA + MIB, self->p + MIB, MIB));
	if (variant->pool) {
		EXPECT_OK(dma_map(self->c, IOVA + 2 * MIB, self->p, SIZE));
	} else {
		EXPECT_ERR(ENOMEM, dma_map(self->c, IOVA + 2 * MIB, self->p, PAGE));
	}
	EXPECT_EQ(2 * charged, locked_memory());
	EXPECT_LE(2 * MIB, dma_unmap_flags(self->c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(0, locked_memory());
	ASSERT_OK(setresuid(0, 0, 0));
}

/* The process that sets a new address is charged, no longer the one that mapped. */
TEST_F(dma, vaddr_update_charges_the_calling_process)
{
	uint64_t charged = variant->pool ? 0 : MIB;
	int status;
	pid_t pid;

	ASSERT_OK(dma_map(self->c, IOVA, self->p, MIB));
	EXPECT_EQ(MIB, dma_give_up(self->c, IOVA, MIB));
	pid = fork();
	if (!pid) {
		char *p = mmap(NULL, MIB, RW, MAP_SHARED, self->file, 0);

		_exit(p == MAP_FAILED || locked_memory() != 0 ||
		      dma_renew(self->c, IOVA, p, MIB) ||
		      locked_memory() != (long long)charged);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* The process has ended, the mapping stays. */
	EXPECT_EQ(0, locked_memory());
	COPY(0, PAGE, 9);
	EXPECT_EQ(MIB, dma_unmap(self->c, IOVA, MIB));
}

/* A process dies during a DMA and while it maps and unmaps. */
TEST_F(dma, mappings_end_with_the_process)
{
	uint64_t free_before = fs_free();
	int status, pipes[2];
	pid_t pid;
	char c;

	edu_leave(&self->edu);
	close(self->c);
	ASSERT_OK(pipe(pipes));
	pid = fork();
	if (!pid) {
		struct edu edu;
		int container = open("/dev/vfio/vfio", O_RDWR), i = 0;

		if (edu_find(&edu, 0) || edu_join(&edu, container) ||
		    ioctl(container, VFIO_SET_IOMMU, variant->type) || edu_start(&edu) ||
		    dma_map(container, IOVA, self->p, SIZE))
			_exit(1);
		/* A DMA is under way meanwhile. */
		edu_write(&edu, EDU_SRC, EDU_BUFFER);
		edu_write(&edu, EDU_DST, IOVA);
		edu_write(&edu, EDU_COUNT, EDU_BYTES);
		edu_write(&edu, EDU_CMD, EDU_START | EDU_TO_RAM);
		for (;; i++) {
			if (dma_map(container, IOVA + SIZE, self->p, SIZE) ||
			    dma_unmap(container, IOVA + SIZE, SIZE) != SIZE)
				_exit(2);
			if (i == 3 && write(pipes[1], "x", 1) != 1)
				_exit(3);
		}
	}
	EXPECT_EQ(1, read(pipes[0], &c, 1));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	/* The device can be opened again, and the memory is free. */
	self->c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	ASSERT_OK(edu_join(&self->edu, self->c));
	ASSERT_OK(ioctl(self->c, VFIO_SET_IOMMU, variant->type));
	EXPECT_EQ(65535, dma_avail(self->c));
	ASSERT_OK(ftruncate(self->file, 0));
	EXPECT_LE(free_before, fs_free());
	EXPECT_EQ(0, pool_number("pending"));
}

TEST_HARNESS_MAIN
