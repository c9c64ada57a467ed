// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation fails once: each operation is done again and again, with another
 * allocation failing each time.  After each failure the errno is a clean one, things are
 * as before, and the operation succeeds if it is done again.  That nothing leaks, init
 * asks kmemleak at the end.
 * How they are driven: fail_nth.h; here are the operations.
 */
#include "test.h"

#include "fail_nth.h"
#include "fs.h"
#include "movable.h"
#include "pool.h"

#include <linux/kexec.h>
#include <pkram.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define BASE	0x100000000UL	/* of memory that is reserved at boot */
#define POOL	(2 * GIB)	/* what is in the pool all the time */
#define KEEP	PKRAM_MNT "/keep"
#define FILE_	PKRAM_MNT "/file"
#define OTHER	PKRAM_MNT "/other"
#define LONG	10000	/* @budget is what limits a test */

/* What the pool is now; all zero if that cannot be said */
static struct pkram_pool pool_now(void)
{
	struct pkram_pool *pool, ret = {};
	struct pkram_ctx *c;

	if (pkram_open(&c))
		return ret;
	if (!pkram_pool_get(c, &pool)) {
		ret = *pool;
		pkram_pool_free(pool);
	}
	pkram_close(c);
	return ret;
}

/* -- files: run on a mounted pool --------------------------------------------- */

static bool gone(const char *path)
{
	struct stat st;

	return lstat(path, &st) && errno == ENOENT;
}

static bool have_file(void)
{
	struct stat st;

	return !stat(FILE_, &st) && st.st_size == 0 && st.st_blocks == 0;
}

static bool no_file(void)
{
	return gone(FILE_);
}

static int create(void)
{
	int fd = open(FILE_, O_RDWR | O_CREAT | O_EXCL, 0644);

	if (fd >= 0)
		close(fd);
	return fail_nth_result(fd);
}

static int remove_file(void)
{
	return unlink(FILE_);
}

/* The name may be there, and the open have failed. */
static bool no_file_or_empty(void)
{
	if (have_file())
		unlink(FILE_);
	return no_file();
}

static int make_dir(void)
{
	return fail_nth_result(mkdir(FILE_, 0755));
}

static bool have_dir(void)
{
	struct stat st;

	return !stat(FILE_, &st) && S_ISDIR(st.st_mode);
}

static int remove_dir(void)
{
	return rmdir(FILE_);
}

static int fd = -1;
static char data[3 * 2 * MIB];

static bool file_is(off_t size, uint64_t blocks)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size == size && st.st_blocks * 512ULL == blocks;
}

static bool file_empty(void)
{
	return file_is(0, 0);
}

static int cut(void)
{
	return ftruncate(fd, 0);
}

static int write_all(void)
{
	ssize_t n = pwrite(fd, data, sizeof(data), 0);

	/* A short write is one that may be gone on with. */
	if (n >= 0 && n < (ssize_t)sizeof(data)) {
		if (!file_is(n, (n + UNIT - 1) / UNIT * UNIT))
			return -EIO;
		return ftruncate(fd, 0) ? -EIO : -ENOMEM;
	}
	return fail_nth_result(n);
}

static bool written(void)
{
	return file_is(sizeof(data), sizeof(data)) &&
	       fs_find_other(fd, 0x5a, sizeof(data), 0) < 0;
}

static int grow_file(void)
{
	return fail_nth_result(ftruncate(fd, 5 * UNIT));
}

static bool grown(void)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size == 5 * UNIT;
}

static int allocate(void)
{
	return fail_nth_result(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 7 * UNIT));
}

static bool allocated(void)
{
	return file_is(0, 7 * UNIT);
}

static int deallocate(void)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 7 * UNIT);
}

static int punch(void)
{
	return fail_nth_result(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				UNIT, UNIT));
}

static bool punched(void)
{
	return file_is(sizeof(data), sizeof(data) - UNIT) &&
	       fs_find_other(fd, 0, UNIT, UNIT) < 0 &&
	       fs_find_other(fd, 0x5a, UNIT, 0) < 0 &&
	       fs_find_other(fd, 0x5a, UNIT, 2 * UNIT) < 0;
}

static int fill_again(void)
{
	return fs_set(fd, 0x5a, sizeof(data), 0);
}

static int shrink_file(void)
{
	return fail_nth_result(ftruncate(fd, UNIT + 5));
}

static bool shrunk(void)
{
	return file_is(UNIT + 5, 2 * UNIT);
}

static int set_xattr(void)
{
	return fail_nth_result(fsetxattr(fd, "user.name", data, 900, XATTR_CREATE));
}

static bool has_xattr(void)
{
	return fgetxattr(fd, "user.name", NULL, 0) == 900;
}

static bool no_xattr(void)
{
	return fgetxattr(fd, "user.name", NULL, 0) < 0 && errno == ENODATA;
}

static int remove_xattr(void)
{
	return fremovexattr(fd, "user.name");
}

static int make_other(void)
{
	int other = open(OTHER, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (other < 0 || write(other, "other", 5) != 5)
		return -1;
	return close(other);
}

static int rename_over(void)
{
	return fail_nth_result(rename(FILE_, OTHER));
}

static bool renamed(void)
{
	struct stat a, b;

	return gone(FILE_) && !stat(OTHER, &a) && !fstat(fd, &b) && a.st_ino == b.st_ino;
}

static bool not_renamed(void)
{
	struct stat a, b;

	return !stat(FILE_, &a) && !fstat(fd, &b) && a.st_ino == b.st_ino &&
	       !stat(OTHER, &a) && a.st_size == 5;
}

static int rename_back(void)
{
	return rename(OTHER, FILE_) || make_other();
}

static int unlink_it(void)
{
	return fail_nth_result(unlink(FILE_));
}

static int create_filled(void)
{
	int new = open(FILE_, O_RDWR | O_CREAT | O_EXCL, 0644), err;

	err = new < 0 || fs_set(new, 0x5a, sizeof(data), 0);
	if (new >= 0)
		close(new);
	return err;
}

static bool file_filled(void)
{
	struct stat st;

	return !stat(FILE_, &st) && st.st_size == sizeof(data);
}

static int list_dir(void)
{
	char buf[4096];
	int dir = open(PKRAM_MNT, O_RDONLY | O_DIRECTORY), err;

	err = fail_nth_result(dir);
	if (!err)
		err = fail_nth_result(syscall(SYS_getdents64, dir, buf, sizeof(buf)));
	if (dir >= 0)
		close(dir);
	return err;
}

static bool always(void)
{
	return true;
}

/* Mapping, and a touch of what has no memory yet */

static sigjmp_buf touched;

static void on_signal(int sig)
{
	siglongjmp(touched, sig);
}

/* Map @size bytes of the file and touch the first @nr units, one page of each */
static int map_touch_units(size_t size, int nr)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int err = 0;

	if (p == MAP_FAILED)
		return -errno;
	/* Not all of a GiB is to be zeroed each time. */
	if (size == GIB)
		madvise(p, size, MADV_NOHUGEPAGE);
	sigaction(SIGBUS, &sa, NULL);
	if (sigsetjmp(touched, 1))
		err = -ENOMEM;
	else
		for (int i = 0; i < nr; i++)
			((volatile char *)p)[i * UNIT + 4096] = 0x77;
	munmap(p, size);
	return err;
}

static int map_touch(void)
{
	return map_touch_units(5 * UNIT, 5);
}

static bool mapped_data(void)
{
	char c = 0;

	for (int i = 0; i < 5; i++)
		if (pread(fd, &c, 1, i * UNIT + 4096) != 1 || c != 0x77)
			return false;
	return file_is(5 * UNIT, 5 * UNIT);
}

/* What a file keeps of its first mapping, another one has to get anew. */
static int other_file(off_t size)
{
	close(fd);
	if (unlink(FILE_))
		return -1;
	fd = open(FILE_, O_RDWR | O_CREAT | O_EXCL, 0644);
	return fd < 0 ? -1 : ftruncate(fd, size);
}

static int other_units(void)
{
	return other_file(5 * UNIT) ||
	       fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 5 * UNIT);
}

/* A GiB that is not addressable, until it is touched */

static int map_touch_gib(void)
{
	return map_touch_units(GIB, 1);
}

static int write_gib(void)
{
	char c = 0x77;

	return fail_nth_result(pwrite(fd, &c, 1, 4096));
}

static bool gib_touched(void)
{
	char c = 0;

	return pread(fd, &c, 1, 4096) == 1 && c == 0x77 &&
	       pool_now().gib_1g == 1;
}

/* An idle GiB is unclaimed before it can be had again. */
static int other_gib(void)
{
	return other_file(GIB) || pool_now().gib_1g;
}

/* -- the pool ------------------------------------------------------------------ */

/* Those are adopted, each of them once. */
#define FRESH_GIB	20
/*
 * This one is there meanwhile, and the next but seven. KASAN has a page table for the shadow
 * of each 8 GiB, and goes on without if it gets no memory for it (zero_p4d_populate() does
 * not look): the next access there is an oops. The other GiB have neighbours.
 */
#define LONE_GIB	0x200000000UL
#define LONE_GIB2	(LONE_GIB + 8 * GIB)

static uint64_t in_pool;
static struct pkram_ctx *ctx;
static int gib = 1;

static uint64_t gib_base(void)
{
	uint64_t base = BASE + POOL + (gib - 1) * GIB;

	if (base >= LONE_GIB)
		base += GIB;
	return base < LONE_GIB2 ? base : base + GIB;
}

/* All that can be asked */
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

/* By netlink from this process, so that the kernel works in it */
static int adopt(void)
{
	struct pkram_resize *res = NULL;
	int err;

	err = pkram_pool_adopt(ctx, gib_base(), GIB, true, &res);
	pkram_resize_free(res);
	return err;
}

/* Taken from the system's RAM last */
static uint64_t grown_gib;

static int grow_pool(void)
{
	struct pkram_resize *res = NULL;
	int err;

	err = pkram_pool_grow(ctx, 1, PKRAM_NONE32, &res);
	if (res && res->taken)
		grown_gib = res->taken->base;
	pkram_resize_free(res);
	return err;
}

/* Back to the system, what was its own */
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

/* Reserved memory that is no region's */
static bool have_unusable(void)
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
	return pool_now().size == in_pool && !have_unusable();
}

static int ungrow_pool(void)
{
	return shrink() || pool_now().size != in_pool;
}

static int fill_gib(void)
{
	return movable_put(grown_gib);
}

/* Blocks of memory that the kernel had no memory to put online */
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
	return pool_now().size == in_pool && !have_unusable();
}

static int unshrink(void)
{
	movable_online(grown_gib);
	return grow_pool() || pool_now().size != in_pool;
}

/* -- kexec --------------------------------------------------------------------- */

static int kexec_file(int kernel, unsigned long flags)
{
	static const char cmdline[] = "none";

	return fail_nth_result(syscall(SYS_kexec_file_load, kernel, -1, sizeof(cmdline), cmdline,
			      KEXEC_FILE_NO_INITRAMFS | flags));
}

/*
 * An image that is little more than the header of the next kernel's: a real one is
 * copied page by page, some ten thousand of them.
 */
#define IMAGE		"/run/image"
#define SETUP_SECTS	0x1f1	/* Documentation/arch/x86/boot.rst */
#define INIT_SIZE	0x260

static int make_image(void)
{
	static uint8_t image[64 * KIB];
	uint32_t init_size = 2 * 4096;
	int in = open(vm_next_kernel(), O_RDONLY | O_CLOEXEC), out = -1;
	size_t setup, len;
	int err = -1;

	if (in < 0 || read(in, image, sizeof(image)) != sizeof(image))
		goto out;
	setup = (image[SETUP_SECTS] + 1) * 512;
	len = setup + init_size;
	if (len > sizeof(image))
		goto out;
	memcpy(image + INIT_SIZE, &init_size, sizeof(init_size));
	memset(image + setup, 0xf4, init_size);
	out = open(IMAGE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out >= 0 && write(out, image, len) == (ssize_t)len)
		err = 0;
out:
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return err;
}

static int load_image(void)
{
	int kernel = open(IMAGE, O_RDONLY | O_CLOEXEC), err;

	err = kernel < 0 ? -errno : kexec_file(kernel, 0);
	if (kernel >= 0)
		close(kernel);
	return err;
}

static int unload_image(void)
{
	return kexec_file(-1, KEXEC_FILE_UNLOAD);
}

static bool image_loaded(void)
{
	char *loaded = vm_read_file("/sys/kernel/kexec_loaded");
	bool ret = loaded && *loaded == '1';

	free(loaded);
	return ret;
}

/* What would overwrite the pool is refused as ever. */
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

#define DRIVE(...) EXPECT_EQ(0, fail_nth_drive(&(struct fail_op){ __VA_ARGS__ }))

/* The mounted pool with a file: what the tests before left, or it is made. */
static int need_pool(void)
{
	if (fs_load() || fs_mount())
		return -1;
	if (!pool_now().size &&
	    vm_run(NULL, CTL "pool adopt %#lx+%luG --format", BASE, POOL / GIB))
		return -1;
	if (gone(KEEP) && pool_file_fill(KEEP, 5 * UNIT, 3))
		return -1;
	in_pool = pool_now().size;
	return 0;
}

FIXTURE(nth) {};

FIXTURE_SETUP(nth)
{
	ASSERT_EQ(0, need_pool());
	ASSERT_EQ(0, fail_nth_setup());
	/* What takes long is to be seen while it goes on. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(data, 0x5a, sizeof(data));
	umask(022);
	fd = open(FILE_, O_RDWR);
	/* Memory that the test needs is not what is to fail. */
	mlockall(MCL_CURRENT);
}

FIXTURE_TEARDOWN(nth) {}

TEST_F_TIMEOUT(nth, create_mkdir_unlink, LONG)
{
	DRIVE(.name = "create", .run = create, .undone = no_file_or_empty,
	      .done = have_file, .undo = remove_file);
	DRIVE(.name = "mkdir", .run = make_dir, .undone = no_file,
	      .done = have_dir, .undo = remove_dir);
	ASSERT_EQ(0, create_filled());
	DRIVE(.name = "unlink", .run = unlink_it, .undone = file_filled,
	      .done = no_file, .undo = create_filled);
	DRIVE(.name = "readdir", .run = list_dir, .undone = always, .done = always);
	ASSERT_OK(unlink(FILE_));
}

TEST_F_TIMEOUT(nth, file_data, LONG)
{
	uint64_t free = fs_free();

	ASSERT_EQ(0, create());
	fd = open(FILE_, O_RDWR);
	ASSERT_LE(0, fd);
	DRIVE(.name = "write", .run = write_all, .undone = file_empty,
	      .done = written, .undo = cut);
	DRIVE(.name = "grow", .run = grow_file, .undone = file_empty,
	      .done = grown, .undo = cut);
	DRIVE(.name = "fallocate", .run = allocate, .undone = file_empty,
	      .done = allocated, .undo = deallocate);
	ASSERT_EQ(0, fill_again());
	DRIVE(.name = "punch", .run = punch, .undone = written,
	      .done = punched, .undo = fill_again);
	DRIVE(.name = "shrink", .run = shrink_file, .undone = written,
	      .done = shrunk, .undo = fill_again);
	ASSERT_OK(other_units());
	DRIVE(.name = "map and touch", .run = map_touch, .undone = always,
	      .done = mapped_data, .undo = other_units);
	ASSERT_OK(cut());
	DRIVE(.name = "setxattr", .run = set_xattr, .undone = no_xattr,
	      .done = has_xattr, .undo = remove_xattr);
	ASSERT_EQ(0, make_other());
	DRIVE(.name = "rename", .run = rename_over, .undone = not_renamed,
	      .done = renamed, .undo = rename_back);
	close(fd);
	ASSERT_OK(unlink(FILE_));
	ASSERT_OK(unlink(OTHER));
	EXPECT_GE(fs_free() + 16 * UNIT, free);
}

TEST_F_TIMEOUT(nth, first_touch, LONG)
{
	fd = open(FILE_, O_RDWR | O_CREAT | O_EXCL, 0644);
	ASSERT_LE(0, fd);
	ASSERT_OK(ftruncate(fd, GIB));
	ASSERT_EQ(0U, pool_now().gib_1g);
	DRIVE(.name = "write to a GiB", .run = write_gib, .undone = always,
	      .done = gib_touched, .undo = other_gib);
	DRIVE(.name = "touch a GiB", .run = map_touch_gib, .undone = always,
	      .done = gib_touched, .undo = other_gib);
	close(fd);
	ASSERT_OK(unlink(FILE_));
	EXPECT_EQ(0, pool_file_check(KEEP, 5 * UNIT, 3));
}

TEST_F_TIMEOUT(nth, kexec_load, LONG)
{
	ASSERT_EQ(0, make_image());
	ASSERT_TRUE(image_not_loaded());
	/* EADDRNOTAVAIL is what kexec_locate_mem_hole() calls any failure. */
	DRIVE(.name = "load an image", .run = load_image, .undone = image_not_loaded,
	      .done = image_loaded, .undo = unload_image, .budget = 200,
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
	/* Objects keep the module. */
	EXPECT_EQ(0, pool_file_check(KEEP, 5 * UNIT, 3));
	ASSERT_OK(unlink(KEEP));
	ASSERT_OK(umount_it());
	objects = pool_now().nr_objects;
	ASSERT_EQ(0, rmmod());
	/* EINVAL: ftrace goes on with an empty filter, which it then refuses. */
	DRIVE(.name = "load", .run = load, .undone = unloaded, .done = loaded,
	      .undo = rmmod, .by = "do_one_initcall", .once = true,
	      .budget = 300, .other_err = -EINVAL);
	ASSERT_EQ(0, load());
	DRIVE(.name = "unload", .run = rmmod, .undone = loaded, .done = unloaded,
	      .undo = load);
	EXPECT_EQ(0, rmmod());
}

/*
 * The last two: KASAN reports what the kernel does wrong when it has no memory for an
 * entry of its firmware's memory map (docs/kernels.md), and is silent from then on, as
 * lockdep is.
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
	/* EEXIST: of a new entry of the memory map that is all add_memory() is told. */
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
	/* The first one parts what is one mapping, and one entry of the memory map, for good. */
	ASSERT_EQ(0, grow_pool());
	ASSERT_EQ(0, ungrow_pool());
	ASSERT_EQ(0, movable_only_in(grown_gib));
	DRIVE(.name = "grow the pool", .run = grow_pool, .undone = pool_not_grown,
	      .done = pool_grown, .undo = ungrow_pool, .before = fill_gib, .once = true,
	      .budget = 200);
	EXPECT_TRUE(movable_intact());
	/* What was taken is all there again. */
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
