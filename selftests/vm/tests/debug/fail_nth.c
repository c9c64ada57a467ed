// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of an operation fails once: the operation is done again and again, with
 * another allocation failing each time. After each failure the errno is that of lack of
 * memory, all is as before, and the operation succeeds when it is done again. Leaks are
 * found by kmemleak, which init asks at the end.
 * How operations are driven: fail_nth.h; here are those of the pool, kexec and the module.
 * fail_nth_files has those of files.
 */
#include "fail_nth_fixture.h"
#include "movable.h"
#include "tiny_image.h"
#include <pkram.h>

#include <linux/kexec.h>
#include <stdlib.h>
#include <sys/syscall.h>

/* -- the pool ------------------------------------------------------------------ */

/* GiB to adopt, each of them once */
#define FRESH_GIB	20
/*
 * Two GiB, 8 GiB apart, that are in the pool while others are adopted. KASAN needs a page table
 * for the shadow of each 8 GiB; if it gets no memory for that, it ignores the error
 * (zero_p4d_populate()), and the next access oopses. So each 8 GiB must have one already.
 */
#define LONE_GIB	0x200000000UL
#define LONE_GIB2	(LONE_GIB + 8 * GIB)

static struct pkram_ctx *ctx;
static int gib = 1;

static uint64_t gib_base(void)
{
	uint64_t base = BASE + POOL + (gib - 1) * GIB;

	if (base >= LONE_GIB)
		base += GIB;
	return base < LONE_GIB2 ? base : base + GIB;
}

/* Each request for information */
static int ask(void)
{
	struct pkram_handover *handover = NULL;
	struct pkram_region *regions = NULL;
	struct pkram_object *objects = NULL;
	struct pkram_pool *pool = NULL;
	int err;

	err = pkram_pool_get(ctx, &pool) ?: pkram_region_dump(ctx, &regions) ?:
	      pkram_object_dump(ctx, &objects) ?: pkram_handover_get(ctx, &handover);
	if (!err && (!pool || !regions || !objects || !handover))
		err = -EIO;
	pkram_handover_free(handover);
	pkram_object_free(objects);
	pkram_region_free(regions);
	pkram_pool_free(pool);
	return err;
}

/* By netlink from this process, as only its allocations fail */
static int adopt(void)
{
	struct pkram_resize *res = NULL;
	int err;

	err = pkram_pool_adopt(ctx, gib_base(), GIB, true, &res);
	pkram_resize_free(res);
	return err;
}

/* The GiB that was taken from the system's RAM last */
static uint64_t grown_gib;

static int grow_pool(void)
{
	struct pkram_resize *res = NULL;
	int err;

	err = pkram_pool_grow(ctx, 1, PKRAM_NONE32, 600000, &res);
	if (res && res->taken)
		grown_gib = res->taken->base;
	pkram_resize_free(res);
	return err;
}

/* Give the GiB back to the system. */
static int shrink(void)
{
	struct pkram_resize *res = NULL;
	int err;

	err = pkram_pool_shrink_range(ctx, grown_gib, GIB, &res);
	if (err && res && res->refused)
		err = -res->refused->err;
	pkram_resize_free(res);
	return err;
}

static bool pool_grown(void)
{
	return pool_now().size == in_pool + GIB;
}

/* Is there reserved memory that belongs to no region? */
static bool have_quarantined(void)
{
	struct pkram_region *regions = NULL, *r;
	bool ret = pkram_region_dump(ctx, &regions);

	for (r = regions; r; r = r->next)
		ret |= !!r->quarantine;
	pkram_region_free(regions);
	return ret;
}

static bool pool_not_grown(void)
{
	return pool_now().size == in_pool && !have_quarantined();
}

static int ungrow_pool(void)
{
	return shrink() || pool_now().size != in_pool;
}

static int fill_gib(void)
{
	return movable_put(grown_gib);
}

/* Set memory blocks online that the kernel had no memory to set online. */
static int online_all(void)
{
	return vm_run(NULL, "cd /sys/devices/system/memory && grep -L online */state | while read s; do echo online >$s || exit 1; done");
}

static bool adopted(void)
{
	return pool_now().size == in_pool + GIB &&
	       vm_iomem_under(gib_base(), gib_base() + GIB - 1, "pkram");
}

static bool not_adopted(void)
{
	return pool_now().size == in_pool &&
	       !vm_iomem_under(gib_base(), gib_base() + GIB - 1, "pkram");
}

static int next_to_adopt(void)
{
	in_pool += GIB;
	return gib++ == FRESH_GIB;
}

static bool shrunk_pool(void)
{
	return pool_now().size == in_pool - GIB;
}

static bool not_shrunk(void)
{
	return pool_now().size == in_pool && !have_quarantined();
}

static int unshrink(void)
{
	movable_online(grown_gib);
	return grow_pool() || pool_now().size != in_pool;
}

/* -- kexec --------------------------------------------------------------------- */

static bool image_loaded(void)
{
	char *loaded = vm_read_file("/sys/kernel/kexec_loaded");
	bool ret = loaded && *loaded == '1';

	free(loaded);
	return ret;
}

/* An image that would overwrite the pool is refused. */
static bool kexec_load_refused(void)
{
	static char code[4096] = { 0xf4 };
	struct kexec_segment seg = {
		.buf = code, .bufsz = sizeof(code),
		.mem = (void *)(32 * MIB), .memsz = sizeof(code),
	};

	return syscall(SYS_kexec_load, 32 * MIB, 1UL, &seg,
		       (unsigned long)KEXEC_ARCH_DEFAULT) && errno == EPERM;
}

static bool image_not_loaded(void)
{
	return !image_loaded() && kexec_load_refused();
}

/* -- the module ---------------------------------------------------------------- */

static uint32_t objects;

static int load(void)
{
	int module = open(PKRAM_MODULE, O_RDONLY | O_CLOEXEC), err;

	err = fail_nth_result(syscall(SYS_finit_module, module, "", 0));
	close(module);
	return err;
}

static bool loaded(void)
{
	return vm_module_loaded("pkram") && pool_now().size == in_pool &&
	       pool_now().nr_objects == objects && !pool_now().nr_quarantined;
}

static bool unloaded(void)
{
	return !vm_module_loaded("pkram");
}

static int rmmod(void)
{
	return fail_nth_result(syscall(SYS_delete_module, "pkram", O_NONBLOCK));
}

static int mount_it(void)
{
	return fail_nth_result(mount("pkramfs", PKRAM_MNT, PKRAM_FS_NAME, 0, NULL));
}

static bool mounted(void)
{
	struct stat st;

	return !stat(KEEP, &st) && st.st_size == 5 * UNIT;
}

static bool not_mounted(void)
{
	return !mounted();
}

static int umount_it(void)
{
	return umount(PKRAM_MNT);
}

/* -- tests -------------------------------------------------------------------- */

TEST_F_TIMEOUT(nth, kexec_load, LONG)
{
	ASSERT_EQ(0, tiny_image_make());
	ASSERT_TRUE(image_not_loaded());
	/* kexec_locate_mem_hole() returns EADDRNOTAVAIL for any failure. */
	DRIVE(.name = "load an image", .run = tiny_image_load, .undone = image_not_loaded,
	      .done = image_loaded, .undo = tiny_image_unload, .budget = 200,
	      .other_err = -EADDRNOTAVAIL);
	EXPECT_TRUE(image_not_loaded());
	EXPECT_EQ(0, pool_file_check(KEEP, 5 * UNIT, 3));
}

TEST_F_TIMEOUT(nth, mount, LONG)
{
	ASSERT_OK(umount_it());
	DRIVE(.name = "mount", .run = mount_it, .undone = not_mounted,
	      .done = mounted, .undo = umount_it);
}

TEST_F_TIMEOUT(nth, load_and_unload, LONG)
{
	/* The module cannot be unloaded while there are objects. */
	EXPECT_EQ(0, pool_file_check(KEEP, 5 * UNIT, 3));
	ASSERT_OK(unlink(KEEP));
	ASSERT_OK(umount_it());
	objects = pool_now().nr_objects;
	ASSERT_EQ(0, rmmod());
	/* EINVAL: without memory for a filter ftrace uses an empty one, and refuses that. */
	DRIVE(.name = "load", .run = load, .undone = unloaded, .done = loaded,
	      .undo = rmmod, .by = "do_one_initcall", .once = true,
	      .budget = 300, .other_err = -EINVAL);
	ASSERT_EQ(0, load());
	DRIVE(.name = "unload", .run = rmmod, .undone = loaded, .done = unloaded,
	      .undo = load);
	EXPECT_EQ(0, rmmod());
}

/*
 * The last two tests: KASAN reports a bug of the kernel when it has no memory for an entry
 * of the firmware's memory map (docs/kernels.md), and reports nothing after that, and
 * neither does lockdep.
 */
TEST_F_TIMEOUT(nth, adopt_and_shrink, LONG)
{
	ASSERT_EQ(0, vm_run(NULL, CTL "pool adopt %#lx+1G --format", LONE_GIB));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool adopt %#lx+1G --format", LONE_GIB2));
	in_pool = pool_now().size;
	ASSERT_EQ(0, pkram_open(&ctx));
	DRIVE(.name = "ask", .run = ask, .undone = always, .done = always);
	DRIVE(.name = "adopt", .run = adopt, .undone = not_adopted,
	      .done = adopted, .undo = next_to_adopt, .once = true, .budget = 600);
	ASSERT_EQ(0, grow_pool());
	ASSERT_EQ(0, movable_only_in(grown_gib));
	in_pool += GIB;
	/* add_memory() returns EEXIST if there is no memory for an entry of the memory map. */
	DRIVE(.name = "shrink the pool", .run = shrink, .undone = not_shrunk,
	      .done = shrunk_pool, .undo = unshrink, .once = true, .budget = 200,
	      .other_err = -EEXIST);
	EXPECT_EQ(in_pool, pool_now().size);
	EXPECT_EQ(0, shrink());
	EXPECT_EQ(0, pool_file_check(KEEP, 5 * UNIT, 3));
	EXPECT_EQ(0, online_all());
	pkram_close(ctx);
}

TEST_F_TIMEOUT(nth, grow_pool, LONG)
{
	long long total = vm_meminfo("MemTotal");

	ASSERT_EQ(0, pkram_open(&ctx));
	/* The first growth splits a mapping and an entry of the memory map for good. */
	ASSERT_EQ(0, grow_pool());
	ASSERT_EQ(0, ungrow_pool());
	ASSERT_EQ(0, movable_only_in(grown_gib));
	DRIVE(.name = "grow the pool", .run = grow_pool, .undone = pool_not_grown,
	      .done = pool_grown, .undo = ungrow_pool, .before = fill_gib, .once = true,
	      .budget = 200);
	EXPECT_TRUE(movable_intact());
	/* All memory is back. */
	EXPECT_EQ(0, online_all());
	EXPECT_LT(total - (long long)(100 * MIB), vm_meminfo("MemTotal"));
	EXPECT_EQ(in_pool, pool_now().size);
	EXPECT_EQ(0, pool_file_check(KEEP, 5 * UNIT, 3));
	pkram_close(ctx);
	ASSERT_OK(unlink(KEEP));
	ASSERT_OK(umount_it());
	EXPECT_EQ(0, rmmod());
}

TEST_HARNESS_MAIN
