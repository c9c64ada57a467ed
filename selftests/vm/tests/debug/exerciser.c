// SPDX-License-Identifier: GPL-2.0
/*
 * File system exercisers of Debian on pkramfs: fio, which verifies each block that it wrote,
 * and stress-ng with --verify. stress-ng's io-uring is left out, as it removes a file while
 * it looks it up, and at times takes ENOENT for a failure; fio tests io_uring.
 */
#include "test.h"

#include "fs.h"
#include "pool.h"

#include <stdlib.h>

#define DIR	PKRAM_MNT "/test"
#define JOBS	"/tmp/jobs"

/*
 * fio verifies checksums at the end of each job, and during it with verify_backlog. Jobs
 * between two stonewalls run in parallel.
 */
#define FIO_GLOBAL							\
	"[global]\n"							\
	"directory=" DIR "\n"						\
	"thread=1\n"							\
	"verify=crc32c\n"						\
	"verify_fatal=1\n"						\
	"do_verify=1\n"							\
	"size=24m\n"							\
	"fallocate=none\n"						\
	"unlink=1\n"

FIXTURE(main)
{
	uint64_t free;
};

FIXTURE_SETUP(main)
{
	ASSERT_OK(fs_load());
	ASSERT_OK(fs_mount());
	if (!fs_total())
		ASSERT_OK(pool_grow(2));
	ASSERT_OK(fs_empty(PKRAM_MNT));
	self->free = fs_free();
	ASSERT_OK(mkdir(DIR, 0777));
	ASSERT_OK(chmod(DIR, 0777));
}

/* No file is left and no memory is lost, except units of records, which stay allocated. */
FIXTURE_TEARDOWN(main)
{
	EXPECT_EQ(0, rmdir(DIR)) {
		vm_run(NULL, "ls -laR " DIR);
		fs_empty(PKRAM_MNT);
	}
	VM_WAIT(fs_free() + 64 * UNIT >= self->free);
	EXPECT_GE(fs_free() + 64 * UNIT, self->free);
	EXPECT_EQ(0, pool_number("quarantined"));
}

/* Run fio, and print its report if it fails. */
static int fio(const char *jobs)
{
	char *text, *out = NULL;
	int ret;

	if (asprintf(&text, "%s%s", FIO_GLOBAL, jobs) < 0 ||
	    vm_write_file(JOBS, text))
		return -ENOMEM;
	ret = vm_run(&out, "cd /tmp && fio --minimal " JOBS);
	/* Some errors are in the text only. */
	if (!ret && (strstr(out, "verify:") || strstr(out, "error")))
		ret = -EBADMSG;
	if (ret)
		printf("%s\nfio: %d\n", out, ret);
	free(out);
	free(text);
	return ret;
}

#define TEST_FIO(name, jobs)						\
	TEST_F(main, name)						\
	{								\
		EXPECT_EQ(0, fio(jobs));				\
	}

TEST_FIO(fio_read_and_write,
	 "[psync-seq]\nrw=write\nbs=4k-256k\nbs_unaligned=1\n"
	 "[sync-rand-direct]\nioengine=sync\ndirect=1\nrw=randwrite\n"
	 "bssplit=4k/40:64k/40:2m/20\n"
	 "[pvsync2-rw]\nioengine=pvsync2\nrw=randrw\nbs=512-64k\nsize=8m\n"
	 "verify_backlog=64\n"
	 "[whole-units]\nrw=write\nbs=2m\nsize=64m\ndirect=1\n"
	 "[splice]\nioengine=splice\nrw=write\nbs=64k\n")

TEST_FIO(fio_asynchronous,
	 "[libaio-direct]\nioengine=libaio\niodepth=16\ndirect=1\n"
	 "rw=randwrite\nbs=4k-128k\n"
	 "[io_uring-direct]\nioengine=io_uring\niodepth=16\ndirect=1\n"
	 "rw=randwrite\nbs=16k\nverify_async=1\n"
	 "[io_uring-fixed]\nioengine=io_uring\niodepth=8\nfixedbufs=1\n"
	 "registerfiles=1\nrw=randrw\nbs=64k\nverify_backlog=32\n"
	 "[posixaio]\nioengine=posixaio\niodepth=4\nrw=write\nbs=128k\n")

TEST_FIO(fio_mmap,
	 "[mmap-rand]\nioengine=mmap\nrw=randwrite\nbs=4k\nsize=8m\n"
	 "[mmap-seq]\nioengine=mmap\nrw=write\nbs=256k\nfsync=8\n"
	 "[mmap-rw]\nioengine=mmap\nrw=randrw\nbs=16k\nsize=16m\n"
	 "verify_backlog=64\n"
	 /* One file, written through a mapping, checked with read(2) */
	 "[shared-write]\nstonewall\nioengine=mmap\nrw=randwrite\nbs=16k\n"
	 "filename=shared\ndo_verify=0\nunlink=0\nsize=16m\n"
	 "[shared-verify]\nstonewall\nioengine=psync\nrw=randwrite\n"
	 "bs=16k\nfilename=shared\nverify_only=1\nsize=16m\n")

/* Preallocation, hole punching, overwriting, truncation */
TEST_FIO(fio_allocation,
	 "[reserved]\nfallocate=posix\nrw=randwrite\nbs=64k\n"
	 "[kept-size]\nfallocate=keep\nrw=write\nbs=1m\nfile_append=1\n"
	 "[truncated]\nfallocate=truncate\nrw=randwrite\nbs=4k-2m\n"
	 "[falloc]\nioengine=falloc\nrw=randtrim\nbs=2m\nsize=256m\nverify=0\n"
	 "do_verify=0\n"
	 "[ftruncate]\nioengine=ftruncate\nrw=randwrite\nbs=1m\nsize=256m\n"
	 "verify=0\ndo_verify=0\n"
	 "[many-files]\nnrfiles=64\nopenfiles=16\nfilesize=4k-512k\nsize=16m\n"
	 "rw=randwrite\nbs=4k\nfile_service_type=random\n"
	 "[created]\nstonewall\nioengine=filecreate\nnrfiles=200\nfilesize=4k\n"
	 "size=800k\nverify=0\ndo_verify=0\n")

/*
 * stress-ng with some stressors in parallel, one process each. Left out, as pkramfs has no
 * links, special files or files without a name: chattr, handle, inode-flags, link, mknod,
 * symlink, verity, and stressors that need a disk. Left out, as no file can be executed or
 * mapped for it: access (X_OK), and the mprotect of mmap. A tab separates arguments at the end of
 * a line, as checkpatch allows a string to be split there.
 */
static int stress(int seconds, const char *stressors)
{
	char *out = NULL;
	int ret;

	ret = vm_run(&out, "cd /tmp && stress-ng --temp-path " DIR
		     " --verify --no-rand-seed --metrics-brief --timeout %ds %s",
		     seconds, stressors);
	if (!ret && (strstr(out, "fail:") || strstr(out, "skipp")))
		ret = -EBADMSG;
	if (ret)
		printf("%s\nstress-ng: %d\n", out, ret);
	free(out);
	return ret;
}

/* Run each string of stressors for some seconds. */
#define TEST_STRESS(name, seconds, ...)					\
	TEST_F(main, name)						\
	{								\
		static const char * const stressors[] = { __VA_ARGS__ };	\
		size_t i;						\
									\
		for (i = 0; i < sizeof(stressors) / sizeof(stressors[0]); i++) { \
			EXPECT_EQ(0, stress(seconds, stressors[i]));	\
		}							\
	}

TEST_STRESS(stress_ng_names, 4,
	    "--dentry 1 --dentries 256 --dir 1 --dir-dirs 256\t"
	    "--rename 1 --getdent 1 --filename 1 --touch 1",
	    "--dirdeep 1 --dirmany 1 --open 1 --xattr 1\t"
	    "--chmod 1 --chown 1 --chdir 1",
	    "--utime 1 --fstat 1 --flock 1 --locka 1 --lockf 1\t"
	    "--lockofd 1 --lease 1 --fcntl 1 --inotify 1 --dnotify 1\t"
	    "--fanotify 1")

TEST_STRESS(stress_ng_data, 5,
	    "--hdd 1 --hdd-bytes 16m --iomix 1 --iomix-bytes 16m\t"
	    "--fallocate 1 --fallocate-bytes 32m --seek 1\t"
	    "--copy-file 1 --copy-file-bytes 128m",
	    "--fiemap 1 --fiemap-bytes 16m --file-ioctl 1\t"
	    "--sync-file 1 --sync-file-bytes 16m --readahead 1\t"
	    "--readahead-bytes 16m --fsize 1 --fpunch 1 --revio 1\t"
	    "--revio-bytes 8m",
	    "--aio 1 --aiol 1 --sendfile 1\t"
	    "--sendfile-size 4m --splice 1 --tee 1 --hdd 1\t"
	    "--hdd-bytes 16m --hdd-opts direct,rd-rnd,wr-rnd")

TEST_STRESS(stress_ng_mappings, 5,
	    "--mmap 1 --mmap-file --mmap-bytes 32m --mremap 1\t"
	    "--mremap-bytes 8m --msync 1 --msync-bytes 16m\t"
	    "--mmapmany 1 --fault 1",
	    "--mmap 1 --mmap-file --mmap-async\t"
	    "--mmap-bytes 16m --rmap 1 --mincore 1 --msyncmany 1\t"
	    "--remap 1 --pageswap 1")

/* The last test: nothing uses the module. */
TEST_F(main, module_unloads)
{
	EXPECT_OK(rmdir(DIR));
	ASSERT_OK(chdir("/"));
	ASSERT_EQ(0, pool_down());
	EXPECT_FALSE(vm_module_loaded("pkram"));
	/* The teardown needs the mount; the pool is as before. */
	ASSERT_OK(fs_load());
	ASSERT_OK(fs_mount());
	EXPECT_EQ(2LL * GIB, pool_number("size"));
	ASSERT_OK(mkdir(DIR, 0777));
}

TEST_HARNESS_MAIN
