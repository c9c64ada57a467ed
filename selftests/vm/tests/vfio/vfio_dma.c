// SPDX-License-Identifier: GPL-2.0
/*
 * DMA by VFIO. The tests of the fixture "dma" run three times: on type1, on our type
 * with the same memory, and on our type with pool memory; they know no difference.
 * Those of "pool" are about what only ours has.
 */
#include "test.h"

#include "vfio.h"

#define IOVA	(16 * MIB)
#define SIZE	(8 * MIB)

static int module_up(void)
{
	int err = fs_load() ?: fs_mount() ?: fs_grow();

	if (!err && !vm_module_loaded("pkram_vfio"))
		err = vm_insmod(VFIO_MODULE, NULL);
	return err;
}

FIXTURE(dma)
{
	int c;			/* container */
	struct edu edu;
	int file;		/* memory: SIZE bytes */
	char *p;
	char *saved;		/* what the device has */
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
	ASSERT_OK(module_up());
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
	self->saved = malloc(EDU_BYTES);
}

FIXTURE_TEARDOWN(dma)
{
	edu_leave(&self->edu);
	close(self->c);
	close(self->file);
	free(self->saved);
	if (variant->pool)
		EXPECT_OK(unlink(PKRAM_MNT "/memory"));
}

/* A pattern at @from is read by the device, and written to @to. */
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
	/* Of this one: its own type, no other */
	EXPECT_EQ(1, ioctl(self->c, VFIO_CHECK_EXTENSION, variant->type));
	EXPECT_EQ(variant->type != VFIO_PKRAM_IOMMU,
		  ioctl(self->c, VFIO_CHECK_EXTENSION, others[0]));
	EXPECT_EQ(variant->type != VFIO_PKRAM_IOMMU,
		  ioctl(self->c, VFIO_CHECK_EXTENSION, others[1]));
	EXPECT_EQ(1, ioctl(self->c, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL));
	EXPECT_EQ(1, ioctl(self->c, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR));
	/* VT-d can see to it that all DMA is coherent, if it has snoop control. */
	EXPECT_LE(0, ioctl(self->c, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
	/* It has a type, and keeps it. */
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
	/* The interrupts' window is not open, what is around it is. */
	ASSERT_EQ(2, ranges->nr_iovas);
	EXPECT_EQ(0, ranges->iova_ranges[0].start);
	EXPECT_EQ(0xfedfffff, ranges->iova_ranges[0].end);
	EXPECT_EQ(0xfef00000, ranges->iova_ranges[1].start);
	EXPECT_LT(1ULL << 38, ranges->iova_ranges[1].end);
	/* What is told is so. */
	for (i = 0; i < 2; i++) {
		EXPECT_OK(dma_map(self->c, ranges->iova_ranges[i].start, self->p, PAGE));
		EXPECT_OK(dma_map(self->c, ranges->iova_ranges[i].end + 1 - PAGE, self->p, PAGE));
	}
	EXPECT_ERR(EINVAL, dma_map(self->c, ranges->iova_ranges[1].end + 1, self->p, PAGE));
	EXPECT_EQ(65535 - 4, dma_avail(self->c));
	free(info);
	EXPECT_ERR(EINVAL, ioctl(self->c, VFIO_IOMMU_GET_INFO, &small));
	EXPECT_ERR(EFAULT, ioctl(self->c, VFIO_IOMMU_GET_INFO, NULL));
	/* Without room for capabilities it says how much is wanted. */
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
	/* Now it reaches nothing. */
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
	/* It may not write where it may read only. */
	edu_dma(&self->edu, IOVA, true);
	for (i = 0; i < PAGE && self->p[i] == 0x5a; i++)
		;
	EXPECT_EQ(PAGE, i);
	/* But read */
	vm_fill(self->p, EDU_BYTES, 4, 0);
	EXPECT_OK(edu_dma(&self->edu, IOVA, false));
	EXPECT_OK(edu_dma(&self->edu, IOVA + PAGE, true));
	EXPECT_EQ(-1, vm_verify(self->p + PAGE, EDU_BYTES, 4, 0));
}

/* Kernels before 6.18 said EINVAL for what goes round; ours always says EOVERFLOW. */
#define EXPECT_ROUND(call)						\
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
	EXPECT_ROUND(dma_map(c, -PAGE, self->p, 2 * PAGE));
	EXPECT_ROUND(dma_map(c, IOVA, (void *)-PAGE, 2 * PAGE));
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
	/* What failed has left nothing. */
	EXPECT_EQ(PAGE, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(65535, dma_avail(c));
	EXPECT_EQ(0, locked_memory());
}

/* Behind the end of a file there is nothing to map. */
TEST_F(dma, map_past_eof_is_efault)
{
	char *p = mmap(NULL, 2 * SIZE, RW, MAP_SHARED, self->file, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_ERR(EFAULT, dma_map(self->c, IOVA, p, SIZE + PAGE));
	EXPECT_ERR(EFAULT, dma_map(self->c, IOVA, p + SIZE, PAGE));
	EXPECT_OK(dma_map(self->c, IOVA, p + SIZE - PAGE, PAGE));
}

TEST_F(dma, unmap_rules)
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
	EXPECT_ROUND(dma_unmap(c, IOVA, -PAGE));
	/* Not in part */
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA, PAGE));
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA + PAGE, MIB - PAGE));
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA, 2 * MIB - PAGE));
	EXPECT_ERR(EINVAL, dma_unmap(c, IOVA + MIB - PAGE, MIB + PAGE));
	/* ALL is for all. */
	EXPECT_ERR(EINVAL, dma_unmap_flags(c, IOVA, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_ERR(EINVAL, dma_unmap_flags(c, 0, MIB, VFIO_DMA_UNMAP_FLAG_ALL));
	/* Nobody tracks what is dirty. */
	dirty.bitmap.data = (void *)&dirty.bits;
	EXPECT_ERR(EINVAL, ioctl(c, VFIO_IOMMU_UNMAP_DMA, &dirty));
	dirty.unmap.flags |= VFIO_DMA_UNMAP_FLAG_ALL;
	EXPECT_ERR(EINVAL, ioctl(c, VFIO_IOMMU_UNMAP_DMA, &dirty));
	dirty.unmap.flags ^= VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR;
	EXPECT_ERR(EINVAL, ioctl(c, VFIO_IOMMU_UNMAP_DMA, &dirty));
	EXPECT_EQ(65535 - 4, dma_avail(c));
	/* Nothing there is no error; several at once, one that is at the end. */
	EXPECT_EQ(0, dma_unmap(c, IOVA + 4 * MIB, MIB));
	EXPECT_EQ(2 * MIB, dma_unmap(c, IOVA + MIB, 2 * MIB));
	EXPECT_EQ(MIB, dma_unmap(c, IOVA + 2 * MIB, 10 * MIB));
	EXPECT_OK(dma_map(c, IOVA + MIB, self->p, PAGE));
	EXPECT_EQ(MIB + PAGE, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(0, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(65535, dma_avail(c));
}

TEST_F(dma, vaddr_rules)
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
	/* One of them is given up: none of the others then */
	EXPECT_ERR(EINVAL, dma_give_up(c, IOVA, 5 * MIB));
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA, self->p, MIB));
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA + 4 * MIB, self->p + 4 * MIB, MIB));
	/* Not in part, and not more */
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA + MIB, self->p + MIB, PAGE));
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA, self->p, 2 * MIB));
	EXPECT_ERR(EEXIST, dma_map(c, IOVA + MIB, self->p + MIB, MIB));
	EXPECT_OK(dma_renew(c, IOVA + MIB, self->p + MIB, MIB));
	EXPECT_ERR(EINVAL, dma_renew(c, IOVA + MIB, self->p + MIB, MIB));
	EXPECT_EQ(3 * MIB, dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_VADDR |
					   VFIO_DMA_UNMAP_FLAG_ALL));
	/* What has no address can be unmapped. */
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
	/* Nobody maps it, and the device reaches it. */
	EXPECT_OK(edu_dma(&self->edu, IOVA + MIB, false));
	EXPECT_OK(edu_dma(&self->edu, IOVA + 6 * MIB, true));
	/* No group may join meanwhile; then it is elsewhere. */
	p = mmap(NULL, SIZE, RW, MAP_SHARED, self->file, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-1, vm_verify(p + 6 * MIB, EDU_BYTES, 5, 0));
	EXPECT_OK(dma_renew(self->c, IOVA, p, SIZE));
	self->p = p;
	COPY(0, PAGE, 6);
}

/* The second device comes when all is mapped, to page tables of its own and shared ones. */
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
	/* What was there is there for it. */
	vm_fill(p + 3 * MIB, EDU_BYTES, 7, 0);
	EXPECT_OK(edu_dma(&other, IOVA + 3 * MIB, false));
	EXPECT_OK(edu_dma(&other, IOVA + 2 * PAGE, true));
	EXPECT_EQ(-1, vm_verify(p + 2 * PAGE, EDU_BYTES, 7, 0));
	/* What comes now, for both. */
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
	/* It goes: the other has all. */
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

	/* A container keeps the limit of the time when it was opened. */
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

/* Pages that are pinned are charged, memory of the pool is not. */
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

/* A process that sets a new address is charged instead of the one that mapped it. */
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
	/* It is gone, the mapping is not. */
	EXPECT_EQ(0, locked_memory());
	COPY(0, PAGE, 9);
	EXPECT_EQ(MIB, dma_unmap(self->c, IOVA, MIB));
}

/* In the middle of everything */
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
		/* A DMA is under way, and mappings come and go. */
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
	/* The device can be had again, and the memory is nobody's. */
	self->c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	ASSERT_OK(edu_join(&self->edu, self->c));
	ASSERT_OK(ioctl(self->c, VFIO_SET_IOMMU, variant->type));
	EXPECT_EQ(65535, dma_avail(self->c));
	ASSERT_OK(ftruncate(self->file, 0));
	EXPECT_LE(free_before, fs_free());
	EXPECT_EQ(0, pool_number("pending"));
}

/* Ours only */

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
	ASSERT_OK(module_up());
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

/* A mapping that goes with the test; at @addr if that is not NULL */
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
	/* That one was refused as a whole. */
	EXPECT_EQ(-1, vm_verify(p, EDU_BYTES, 1, 0));
	EXPECT_ERR(EBUSY, unlink("file"));
	EXPECT_ERR(EBUSY, rename("other", "file"));
	EXPECT_EQ(4 * UNIT, fs_size(fd));
	/* What is not under DMA can go, and all else can be done. */
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
	/* Nor does the pool shrink by what only a device has: nothing else is in use. */
	ASSERT_OK(ftruncate(rest, left / UNIT * UNIT));
	EXPECT_NE(0, vm_run(NULL, CTL "pool shrink 1G"));
	close(rest);
	ASSERT_OK(unlink("rest"));
	/* The file system can go; the modules cannot. */
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

/* Who has mapped an object for DMA has the claim that it was reached by. */
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
	/* Another offset, another object, other memory, none, not all of it */
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
	/* An open that may only read is not enough for a device that writes. */
	ro = open("file", O_RDONLY);
	around = mmap(NULL, 4 * UNIT, PROT_READ, MAP_SHARED, ro, 0);
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, around + UNIT, 2 * UNIT));
	munmap(around, 4 * UNIT);
	/* By another open, in two pieces, at another address: it is the same. */
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
	/* The same again; then the file's two units the other way round */
	EXPECT_EQ(4 * UNIT, dma_give_up(self->c, IOVA, 4 * UNIT));
	EXPECT_OK(dma_renew(self->c, IOVA, p, 4 * UNIT));
	EXPECT_EQ(4 * UNIT, dma_give_up(self->c, IOVA, 4 * UNIT));
	ASSERT_EQ(p + UNIT, map_to(p + UNIT, fd, 0, 2 * UNIT));
	EXPECT_ERR(EINVAL, dma_renew(self->c, IOVA, p, 4 * UNIT));
	EXPECT_EQ(4 * UNIT, dma_unmap(self->c, IOVA, 4 * UNIT));
	EXPECT_EQ(0, locked_memory());
	close(fd);
}

/* Where a file is: its extents, as far as they follow each other in memory */
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

/* What was never written is zero for a device, and holes get memory. */
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
	/* Else nothing is shown here. */
	ASSERT_TRUE(again);
	ASSERT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, UNIT, 2 * UNIT));
	EXPECT_EQ(4 * UNIT, fs_blocks(fd));
	p = map_at(fd, 0, len);
	ASSERT_OK(dma_map(self->c, IOVA, p, len));
	EXPECT_EQ(len, fs_blocks(fd));
	/* Before any CPU looks at it, which would zero it: through the device */
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

/* Bytes of page tables for devices: each CPU counts its own, until it is asked. */
static long long iommu_tables(void)
{
	vm_write_file("/proc/sys/vm/stat_refresh", "1");
	return vm_meminfo("SecPageTables");
}

/* As many calls as there are extents, and next to no page tables */
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
	/* Not 1 MiB, as with 4K pages. */
	EXPECT_GE(tables + 64 * 1024, iommu_tables());
	EXPECT_EQ(extents(fd, ext, 32), traced_maps(&bytes));
	EXPECT_EQ(len, bytes);
	EXPECT_EQ(len, dma_unmap(self->c, GIB, len));
	/* Small pages are counted there, but by kernels before 6.11. */
	small = mmap(NULL, 128 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_OK(madvise(small, 128 * MIB, MADV_NOHUGEPAGE));
	/* Neighbours are no neighbours in memory, or they would be mapped as large pages. */
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

	/* Tracking of what is dirty */
	ASSERT_NE(NULL, info);
	EXPECT_EQ(NULL, dma_capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION));
	EXPECT_ERR(ENOTTY, ioctl(self->c, VFIO_IOMMU_DIRTY_PAGES, &dirty));
	free(info);
	/* DMA to other devices */
	EXPECT_ERR(EOPNOTSUPP, dma_map(self->c, IOVA, (void *)self->edu.bar, PAGE));
	EXPECT_EQ(65535, dma_avail(self->c));
}

/* Last: the modules go when nothing refers to them. */
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
	ASSERT_OK(module_up());
	self->c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
}

TEST_HARNESS_MAIN
