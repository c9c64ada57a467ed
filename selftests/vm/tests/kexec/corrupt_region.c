// SPDX-License-Identifier: GPL-2.0
/*
 * Damage the header of a region: its contents are kept and reported, the other regions
 * work, and memory that does not belong to this module's pool is not touched.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "test.h"

#include "damage.h"
#include "pool.h"
#include <pkram.h>

#define NR_SMALL	4
#define BIG		(2 * GIB)

/* "far" nearly fills the first region; "behind" is in both, "guest" in the second */
static const char * const in_big[] = { "behind", "guest" };

static struct dm_region *low, *big;

static char *small(int i)
{
	static char path[64];

	sprintf(path, PKRAM_MNT "/small%d", i);
	return path;
}

static void find(struct __test_metadata *_metadata)
{
	int i;

	low = NULL;
	big = NULL;
	dm_find_regions();
	for (i = 0; i < dm_nr_regions; i++) {
		if (dm_regions[i].h.nr_gib == 2)
			big = &dm_regions[i];
		else if (!low || dm_regions[i].h.nr_meta)
			low = &dm_regions[i];
	}
	ASSERT_NE(NULL, low);
}

/* Flip a bit of one or both slots; flipping again restores it */
static void flip_header(uint8_t *head, bool both)
{
	head[offsetof(struct pkram_region_ser, base) + 2] ^= 0x80;
	if (both)
		head[PKRAM_HEADER_SLOT + offsetof(struct pkram_region_ser, meta)] ^= 0x02;
}

/* Search each GiB for the head of the big region, whose header cannot be read */
static uint8_t *find_flipped(uint64_t *base)
{
	uint64_t start, end, at;
	uint8_t *head;
	int i;

	for (i = 0; dm_range(i, &start, &end); i++) {
		for (at = start; at < end; at += GIB) {
			struct pkram_header h;
			bool mirror;
			int cur;

			head = dm_map(at, PKRAM_UNIT);
			flip_header(head, true);
			if (!pkram_header_read(head, at, &h, &cur, &mirror) &&
			    h.nr_gib == 2) {
				flip_header(head, true);
				*base = at;
				return head;
			}
			flip_header(head, true);
			munmap(head, PKRAM_UNIT);
		}
	}
	return NULL;
}

static void put_block(struct __test_metadata *_metadata, const char *path, off_t pos,
		      uint64_t seed)
{
	int fd = open(path, O_RDWR);
	char buf[4096];

	ASSERT_LE(0, fd);
	vm_fill(buf, sizeof(buf), seed, pos);
	ASSERT_EQ(4096, pwrite(fd, buf, sizeof(buf), pos));
	close(fd);
}

static int check_block(const char *path, off_t pos, uint64_t seed)
{
	int fd = open(path, O_RDONLY);
	char buf[4096];

	if (fd < 0)
		return -errno;
	if (pread(fd, buf, sizeof(buf), pos) != sizeof(buf))
		return -EIO;
	close(fd);
	return vm_verify(buf, sizeof(buf), seed, pos) < 0 ? 0 : -EBADMSG;
}

static void check_low(struct __test_metadata *_metadata)
{
	int i;

	for (i = 0; i < NR_SMALL; i++)
		EXPECT_EQ(0, pool_file_check(small(i), 3 * MIB, i + 1));
	EXPECT_EQ(0, check_block(PKRAM_MNT "/far", 700 * MIB, 20));
}

static void check_big(struct __test_metadata *_metadata)
{
	EXPECT_EQ(0, check_block(PKRAM_MNT "/behind", 0, 21));
	EXPECT_EQ(0, check_block(PKRAM_MNT "/behind", 1038 * MIB, 22));
	EXPECT_EQ(0, check_block(PKRAM_MNT "/guest", 600 * MIB, 23));
}

/* Return the address of the only quarantined region, or 0 */
static uint64_t bad_region(const char *reason, uint64_t *size)
{
	struct pkram_region *list, *r;
	struct pkram_ctx *ctx;
	uint64_t base = 0;

	*size = 0;
	if (!pkram_open(&ctx) && !pkram_region_dump(ctx, &list)) {
		for (r = list; r; r = r->next) {
			if (!r->quarantine)
				continue;
			printf("# %#llx: %s\n", (unsigned long long)r->base,
			       r->quarantine);
			if (strstr(r->quarantine, reason)) {
				base = r->base;
				*size = r->size;
			}
		}
		pkram_region_free(list);
	}
	pkram_close(ctx);
	return base;
}

static void check_quarantined_big(struct __test_metadata *_metadata)
{
	struct pkram_object *list, *o;
	struct pkram_ctx *ctx;
	char path[64];
	unsigned int i;

	EXPECT_EQ(2, pool_number("quarantined"));
	ASSERT_EQ(0, pkram_open(&ctx));
	ASSERT_EQ(0, pkram_object_dump(ctx, &list));
	for (i = 0; i < 2; i++) {
		for (o = list; o; o = o->next)
			if (o->name && !strcmp(o->name + 1, in_big[i]))
				break;
		ASSERT_NE(NULL, o);
		ASSERT_NE(NULL, o->quarantine);
		EXPECT_NE(NULL, strstr(o->quarantine, "names a region that is not there"));
		sprintf(path, PKRAM_MNT "/%s", in_big[i]);
		EXPECT_EQ(-1, open(path, O_RDONLY));
		EXPECT_EQ(EUCLEAN, errno);
	}
	pkram_object_free(list);
	pkram_close(ctx);
}

STAGE(make)

TEST_F_TIMEOUT(make, creates_two_regions, 200)
{
	static const uint64_t sizes[] = { 900 * MIB, GIB, 1040 * MIB };
	static const char * const names[] = { "far", "guest", "behind" };
	char path[64];
	int fd, i;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(1));
	for (i = 0; i < NR_SMALL; i++)
		ASSERT_EQ(0, pool_file_fill(small(i), 3 * MIB, i + 1));
	ASSERT_EQ(0, pool_grow(2));
	ASSERT_EQ(2, pool_number("regions"));
	for (i = 0; i < 3; i++) {
		sprintf(path, PKRAM_MNT "/%s", names[i]);
		fd = open(path, O_CREAT | O_RDWR, 0600);
		ASSERT_LE(0, fd);
		/* far is allocated in the region of the small ones, guest gets a whole GiB */
		ASSERT_EQ(0, fallocate(fd, 0, 0, sizes[i]));
		close(fd);
	}
	put_block(_metadata, PKRAM_MNT "/far", 700 * MIB, 20);
	put_block(_metadata, PKRAM_MNT "/behind", 0, 21);
	put_block(_metadata, PKRAM_MNT "/behind", 1038 * MIB, 22);
	put_block(_metadata, PKRAM_MNT "/guest", 600 * MIB, 23);
}

/* A guest can write a header into its RAM: valid except for the pool's key */
TEST_F(make, writes_a_fake_header_into_a_file)
{
	static struct pkram_region_ser ser;
	struct pkram_header h = { .seq = 1000, .version = 1, .nr_gib = 1 };
	int fd = open(PKRAM_MNT "/guest", O_RDWR);

	find(_metadata);
	ASSERT_NE(NULL, big);
	/* Any user can read it. */
	memcpy(h.pool_uuid, big->h.pool_uuid, 16);
	memset(h.region_uuid, 0x22, 16);
	h.region_id = pkram_region_id(h.region_uuid);
	h.base = big->base + GIB;
	h.present[0] = 1;
	pkram_header_encode(&ser, &h);
	ASSERT_EQ(4096, pwrite(fd, &ser, sizeof(ser), 0));
	ASSERT_EQ(4096, pwrite(fd, &ser, sizeof(ser), PKRAM_HEADER_SLOT));
	close(fd);
	/* The file's memory is where the header was meant to be. */
	EXPECT_EQ(0, memcmp(dm_map(h.base, PKRAM_UNIT), &ser, sizeof(ser)));
}

STAGE(lost)

TEST_F_TIMEOUT(lost, region_with_lost_header_is_quarantined, 200)
{
	uint64_t base, size;

	find(_metadata);
	ASSERT_NE(NULL, big);
	base = big->base;
	flip_header(big->head, true);
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(1, pool_number("regions"));
	EXPECT_EQ((long long)GIB, pool_number("size"));
	EXPECT_EQ(base, bad_region("both copies fail", &size));
	EXPECT_EQ(BIG, size);
	EXPECT_FALSE(vm_iomem_touches(base, base + BIG - 1, "System RAM"));
	EXPECT_TRUE(vm_kmsg_has("holds no usable region: both copies fail"));
	EXPECT_TRUE(vm_kmsg_has("1 region(s) of the pool are missing"));
	check_quarantined_big(_metadata);
	check_low(_metadata);
	/* The new file is usable. */
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/new", 3 * MIB, 30));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/new", 3 * MIB, 30));
	EXPECT_EQ(0, unlink(PKRAM_MNT "/new"));

	/* An adopt that finds the region, but is refused as pkramfs is mounted */
	flip_header(big->head, true);
	EXPECT_LT(0, vm_run(NULL, CTL "pool adopt 0x%llx+2G", (unsigned long long)base));
	EXPECT_EQ(base, bad_region("adopting it failed", &size));
	EXPECT_EQ(BIG, size);
	flip_header(big->head, true);
}

STAGE(foreign)

TEST_F_TIMEOUT(foreign, region_of_another_pool_is_refused, 200)
{
	uint64_t base, size;
	uint8_t *head = find_flipped(&base);

	ASSERT_NE(NULL, head);
	flip_header(head, true);
	find(_metadata);
	ASSERT_NE(NULL, big);
	big->h.pool_uuid[5] ^= 1;
	dm_commit_header(big);
	ASSERT_EQ(0, pool_up(NULL));
	/* The first region in the memory map determines the pool. */
	EXPECT_EQ(base < low->base ? low->base : base, bad_region("another pool", &size));
	if (base > low->base) {
		check_quarantined_big(_metadata);
		check_low(_metadata);
	}
	big->h.pool_uuid[5] ^= 1;
	dm_commit_header(big);
}

STAGE(refused)

TEST_F(refused, pool_of_newer_version_is_refused)
{
	uint64_t size;

	find(_metadata);
	ASSERT_NE(NULL, big);
	big->h.version = 2;
	dm_commit_header(big);
	ASSERT_EQ(0, vm_insmod(PKRAM_MODULE, NULL));
	EXPECT_EQ(0, pool_number("regions"));
	EXPECT_EQ(0, pool_number("objects"));
	EXPECT_EQ(big->base, bad_region("newer than this module", &size));
	EXPECT_EQ(low->base, bad_region("another region of its pool", &size));
	EXPECT_EQ(0, vm_rmmod("pkram"));
	big->h.version = 1;
	dm_commit_header(big);
}

TEST_F(refused, pool_with_unknown_incompat_feature_is_refused)
{
	uint64_t size;

	find(_metadata);
	ASSERT_NE(NULL, big);
	big->h.incompat = 1ULL << 40;
	dm_commit_header(big);
	ASSERT_EQ(0, vm_insmod(PKRAM_MODULE, NULL));
	EXPECT_EQ(0, pool_number("regions"));
	EXPECT_EQ(big->base, bad_region("uses a feature", &size));
	EXPECT_EQ(0, vm_rmmod("pkram"));
	big->h.incompat = 0;
	dm_commit_header(big);
}

/* Read a byte through a mapping; return -1 on SIGBUS */
static int read_mapped(const char *path, off_t pos)
{
	int fd = open(path, O_RDONLY), status;
	pid_t pid = fork();
	char *p;

	if (!pid) {
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, pos);
		_exit(p == MAP_FAILED ? 1 : *(volatile char *)p);
	}
	close(fd);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
}

TEST_F_TIMEOUT(refused, pool_with_unknown_ro_feature_is_read_only, 200)
{
	struct pkram_extent e;
	struct dm_record *d;
	uint8_t before[16];

	find(_metadata);
	ASSERT_NE(NULL, big);
	big->h.ro_compat = 1;
	big->h.compat = 1ULL << 63;
	dm_commit_header(big);
	ASSERT_LT(0, dm_find_records());
	d = dm_find("small1");
	ASSERT_NE(NULL, d);
	d->a[20] ^= 1;
	memcpy(before, d->a + 16, sizeof(before));
	e = dm_find("far")->rec.extents[0];
	ASSERT_EQ(PKRAM_UNIT_STALE, pkram_map_get(dm_region(e.region_id)->head,
						  e.region_id, e.region_unit + 3));

	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(2, pool_number("regions"));
	EXPECT_EQ(0, pool_number("quarantined"));
	check_low(_metadata);
	check_big(_metadata);
	EXPECT_EQ(-1, open(small(0), O_RDWR));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, open(PKRAM_MNT "/new", O_CREAT | O_WRONLY, 0600));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, unlink(small(0)));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, mkdir(PKRAM_MNT "/d", 0700));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, rename(small(0), PKRAM_MNT "/x"));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, truncate(small(0), 0));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, chmod(small(0), 0777));
	EXPECT_EQ(EROFS, errno);
	EXPECT_LT(0, vm_run(NULL, CTL "pool grow 1G"));
	EXPECT_LT(0, vm_run(NULL, CTL "pool shrink 1G"));
	/* Stale memory, which is not zeroed yet: neither readable nor zeroed */
	EXPECT_EQ(-1, read_mapped(PKRAM_MNT "/far", (e.obj_unit + 3) * PKRAM_UNIT));
	EXPECT_EQ(0, check_block(PKRAM_MNT "/far", 700 * MIB, 20));
	EXPECT_EQ(PKRAM_UNIT_STALE, pkram_map_get(dm_region(e.region_id)->head,
						  e.region_id, e.region_unit + 3));
	EXPECT_EQ(0, memcmp(before, d->a + 16, sizeof(before)));
}

STAGE(repair)

TEST_F_TIMEOUT(repair, damaged_header_slot_is_rewritten, 200)
{
	struct dm_record *d;

	find(_metadata);
	ASSERT_NE(NULL, big);
	EXPECT_EQ(1, big->h.ro_compat);
	big->h.ro_compat = 0;
	big->h.compat = 0;
	dm_commit_header(big);
	flip_header(big->head, false);
	ASSERT_LT(0, dm_find_records());
	d = dm_find("small1");
	ASSERT_NE(NULL, d);
	EXPECT_NE(0, memcmp(d->a, d->a + d->slot, 512));
	/* and a word of one copy of the map */
	big->head[PKRAM_HEAD_MAP_A + 9] ^= 1;

	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(2, pool_number("regions"));
	EXPECT_EQ(0, pool_number("quarantined"));
	EXPECT_EQ(0, memcmp(big->head, big->head + PKRAM_HEADER_SLOT, PKRAM_HEADER_SLOT));
	EXPECT_EQ(0, memcmp(big->head + PKRAM_HEAD_MAP_A, big->head + PKRAM_HEAD_MAP_B,
			    2 * PKRAM_GIB_MAP_WORDS * 8));
	EXPECT_EQ(0, memcmp(d->a, d->a + d->slot, 512));
	check_low(_metadata);
	check_big(_metadata);
}

STAGE(shrink)

TEST_F_TIMEOUT(shrink, shrink_returns_a_lost_region, 200)
{
	long long total = vm_meminfo("MemTotal"), free;
	struct pkram_object *list, *o;
	struct pkram_ctx *ctx;
	uint64_t base, size;

	find(_metadata);
	ASSERT_NE(NULL, big);
	flip_header(big->head, true);
	base = big->base;
	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(base, bad_region("both copies fail", &size));
	/* it must be named */
	EXPECT_LT(0, vm_run(NULL, CTL "pool shrink --region 0x%llx+1G",
			    (unsigned long long)base));
	/* with what it may hold */
	EXPECT_EQ(1, vm_run(NULL, CTL "pool shrink --region 0x%llx+2G",
			    (unsigned long long)base));
	ASSERT_EQ(base, bad_region("both copies fail", &size));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool shrink --region 0x%llx+2G --erase",
			    (unsigned long long)base));
	EXPECT_EQ(0, bad_region("", &size));
	EXPECT_LT(total + (long long)(GIB + 900 * MIB), vm_meminfo("MemTotal"));
	EXPECT_TRUE(vm_iomem_under(base, base + BIG - 1, "System RAM"));
	check_quarantined_big(_metadata);
	free = pool_number("free");
	ASSERT_EQ(0, pkram_open(&ctx));
	ASSERT_EQ(0, pkram_object_dump(ctx, &list));
	for (o = list; o; o = o->next)
		if (o->quarantine)
			EXPECT_EQ(0, pkram_object_discard(ctx, o->key));
	pkram_object_free(list);
	pkram_close(ctx);
	/* behind was in both regions */
	EXPECT_LT(free, pool_number("free"));
	check_low(_metadata);
}

STAGE(last)

TEST_F_TIMEOUT(last, rest_of_the_pool_is_preserved, 200)
{
	uint64_t size;

	ASSERT_EQ(0, pool_churn(vm_meminfo("MemAvailable") / 2, 0xff));
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(1, pool_number("regions"));
	EXPECT_EQ(0, pool_number("quarantined"));
	EXPECT_EQ(0, bad_region("", &size));
	check_low(_metadata);
	EXPECT_EQ(0, vm_run(NULL, "rm " PKRAM_MNT "/*"));
	EXPECT_EQ(pool_number("size") - pool_number("meta"), pool_number("free"));
}

TEST_HARNESS_MAIN
