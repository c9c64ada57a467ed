// SPDX-License-Identifier: GPL-2.0
/*
 * Times of MAP_DMA and UNMAP_DMA: a pkram container with memory of the pool, type1 with
 * anonymous memory in pages of 4 KiB and 2 MiB, with hugetlb, and with memory of the pool.
 * The test only checks that everything can be mapped; bench/vfio.sh prints the figures.
 */
#include <time.h>
#include "test.h"

#include "vfio.h"

#define ROUNDS	3

struct kind {
	const char *name;
	int type;
	void *(*make)(uint64_t size);
};

struct figure {
	double map, unmap;	/* ms, the best of all rounds */
	int err;		/* refused */
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void *make_pool(uint64_t size)
{
	int fd = fs_file(PKRAM_MNT "/bench", size);
	void *p = MAP_FAILED;

	if (fd >= 0) {
		p = mmap(NULL, size, RW, MAP_SHARED | MAP_POPULATE, fd, 0);
		close(fd);
	}
	return p;
}

static void *make_anon(uint64_t size, int flags, int advice)
{
	void *p = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p != MAP_FAILED && !(advice && madvise(p, size, advice)))
		memset(p, 1, size);
	return p;
}

static void *make_small(uint64_t size)
{
	return make_anon(size, 0, MADV_NOHUGEPAGE);
}

static void *make_thp(uint64_t size)
{
	return make_anon(size, 0, MADV_HUGEPAGE);
}

static void *make_hugetlb(uint64_t size)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", size / (2 * MIB));
	if (vm_write_file("/proc/sys/vm/nr_hugepages", text))
		return MAP_FAILED;
	return make_anon(size, MAP_HUGETLB, 0);
}

static const struct kind kinds[] = {
	{ "pkram, pool", VFIO_PKRAM_IOMMU, make_pool },
	{ "type1, 4K", VFIO_TYPE1v2_IOMMU, make_small },
	{ "type1, THP", VFIO_TYPE1v2_IOMMU, make_thp },
	{ "type1, hugetlb", VFIO_TYPE1v2_IOMMU, make_hugetlb },
	/* Last, because type1 keeps references and the pool loses the memory */
	{ "type1, pool", VFIO_TYPE1v2_IOMMU, make_pool },
};

static struct figure measure(int c, void *p, uint64_t size)
{
	struct figure f = { .map = 1e9, .unmap = 1e9 };
	double t[3];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		t[0] = now_ms();
		if (dma_map(c, 4 * GIB, p, size)) {
			f.err = errno;
			return f;
		}
		t[1] = now_ms();
		if (dma_unmap(c, 4 * GIB, size) != (long long)size) {
			f.err = EIO;
			return f;
		}
		t[2] = now_ms();
		if (t[1] - t[0] < f.map)
			f.map = t[1] - t[0];
		if (t[2] - t[1] < f.unmap)
			f.unmap = t[2] - t[1];
	}
	return f;
}

static void print_row(uint64_t size, const struct kind *k, const struct figure *f,
		      const struct figure *ours)
{
	printf("# %-15s %5lu", k->name, size / MIB);
	if (f->err)
		printf("  refused: %s\n", strerror(f->err));
	else
		printf(" %9.3f ms %9.3f ms   %7.1f  %7.1f\n", f->map, f->unmap,
		       f->map / ours->map, f->unmap / ours->unmap);
}

STAGE(bench)

TEST_F_TIMEOUT(bench, times_of_map_and_unmap, 900)
{
	static const uint64_t sizes[] = { 256 * MIB, GIB, 4 * GIB };
	struct figure f, ours[ARRAY_SIZE(sizes)];
	unsigned int i, k;
	struct edu edu;
	void *p;
	int c;

	ASSERT_OK(fs_load() ?: fs_mount());
	ASSERT_OK(vm_run(NULL, "pkramctl.static pool grow 7G --timeout 600"));
	ASSERT_OK(vm_insmod(VFIO_MODULE, NULL));
	/* type1 charges pinned memory */
	ASSERT_OK(setrlimit(RLIMIT_MEMLOCK,
			    &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }));
	printf("# memory            MiB     MAP_DMA    UNMAP_DMA   times ours\n");
	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			ASSERT_OK(edu_find(&edu, 0));
			c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
			ASSERT_OK(edu_join(&edu, c));
			ASSERT_OK(ioctl(c, VFIO_SET_IOMMU, kinds[k].type));
			p = kinds[k].make(sizes[i]);
			ASSERT_NE(MAP_FAILED, p);
			f = measure(c, p, sizes[i]);
			if (!k)
				ours[i] = f;
			print_row(sizes[i], &kinds[k], &f, &ours[i]);
			/*
			 * Whether type1 accepts memory of the pool is not for this test to
			 * check.
			 */
			if (!k || kinds[k].make != make_pool)
				EXPECT_EQ(0, f.err);
			munmap(p, sizes[i]);
			unlink(PKRAM_MNT "/bench");
			vm_write_file("/proc/sys/vm/nr_hugepages", "0");
			edu_leave(&edu);
			close(c);
		}
	}
	vm_run(NULL, "pkramctl.static pool show");
}

TEST_HARNESS_MAIN
