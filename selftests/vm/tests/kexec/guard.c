// SPDX-License-Identifier: GPL-2.0
/*
 * Protection of the pool from accidents: an unsafe kexec, access from outside, rmmod with
 * objects; and what a reload preserves.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"

static uint64_t start, end;

static char *pool_uuid(void)
{
	char *out, *p = NULL;

	if (!vm_run(&out, CTL "-j pool show"))
		p = strstr(out, "\"uuid\":\"");
	p = p ? strndup(p + 8, 36) : NULL;
	free(out);
	return p;
}

/* Load the kernel that init prepared by kexec_file_load(2) */
static int load_image(void)
{
	int kernel = open(vm_next_kernel(), O_RDONLY);
	int initrd = open(vm_next_initrd(), O_RDONLY);
	const char *cmdline = vm_next_cmdline();
	int ret;

	ret = syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1,
		      cmdline, 0UL) ? -errno : 0;
	close(kernel);
	close(initrd);
	return ret;
}

static int unload_image(void)
{
	return syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL,
		       (unsigned long)KEXEC_FILE_UNLOAD) ? -errno : 0;
}

STAGE(pool)

TEST_F(pool, grow_with_loaded_kexec_image_is_refused)
{
	char *out;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, load_image());
	EXPECT_EQ(1, vm_run(&out, CTL "pool grow 1G"));
	EXPECT_NE(NULL, strstr(out, "a kexec image is loaded"));
	free(out);
	EXPECT_EQ(0, pool_number("regions"));
	ASSERT_EQ(0, unload_image());
	ASSERT_EQ(0, pool_grow(2));
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/f", 100 * MIB, 1));
}

TEST_F(pool, pool_is_not_system_ram)
{
	uint64_t bytes = 0;
	int i;

	/* One region, or two if the kernel keeps memory between them */
	for (i = 0; vm_iomem_find("pkram", i, &start, &end); i++) {
		bytes += end - start + 1;
		EXPECT_FALSE(vm_iomem_touches(start, end, "System RAM"));
	}
	EXPECT_EQ(2 * GIB, bytes);
	EXPECT_EQ(i, pool_number("regions"));
}

TEST_F(pool, pool_is_not_readable_through_dev_mem)
{
	int fd = open("/dev/mem", O_RDWR);
	char buf[64];

	ASSERT_LE(0, fd);
	ASSERT_TRUE(vm_iomem_find("pkram", 0, &start, &end));
	EXPECT_EQ(-1, pread(fd, buf, sizeof(buf), start + 64 * MIB));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, start));
	close(fd);
}

TEST_F(pool, pool_is_not_in_a_vmcore)
{
	int fd = open("/proc/kcore", O_RDONLY), i;
	Elf64_Phdr *ph = calloc(4096, 1);
	Elf64_Ehdr eh;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(vm_iomem_find("pkram", 0, &start, &end));
	ASSERT_EQ((ssize_t)sizeof(eh), read(fd, &eh, sizeof(eh)));
	ASSERT_GE(4096 / (int)sizeof(*ph), (int)eh.e_phnum);
	ASSERT_LT(0, pread(fd, ph, eh.e_phnum * sizeof(*ph), eh.e_phoff));
	for (i = 0; i < eh.e_phnum; i++) {
		/* Kernel text and vmalloc have no single physical address. */
		if (ph[i].p_type != PT_LOAD || ph[i].p_paddr == ~(Elf64_Addr)0)
			continue;
		EXPECT_TRUE(ph[i].p_paddr > end ||
			    ph[i].p_paddr + ph[i].p_memsz <= start) {
			TH_LOG("segment %#lx + %#lx", (long)ph[i].p_paddr,
			       (long)ph[i].p_memsz);
		}
	}
	free(ph);
	close(fd);
}

/* A minimal image that kexec_load(2) would accept: one page of code in RAM. */
TEST_F(pool, kexec_load_is_refused_with_advice)
{
	static char code[4096] = { 0xf4 };
	struct kexec_segment seg = {
		.buf = code, .bufsz = sizeof(code),
		.mem = (void *)(32 * MIB), .memsz = sizeof(code),
	};

	EXPECT_EQ(-1, syscall(SYS_kexec_load, 32 * MIB, 1UL, &seg,
			      (unsigned long)KEXEC_ARCH_DEFAULT));
	EXPECT_EQ(EPERM, errno);
	EXPECT_TRUE(vm_kmsg_has("kexec -s"));
	/* Unloading is always allowed. */
	EXPECT_EQ(0, syscall(SYS_kexec_load, 0UL, 0UL, NULL,
			     (unsigned long)KEXEC_ARCH_DEFAULT));
}

TEST_F(pool, kexec_load_into_the_pool_is_refused)
{
	static char code[4096] = { 0xf4 };
	struct kexec_segment seg = { .buf = code, .bufsz = sizeof(code),
				     .memsz = sizeof(code) };

	ASSERT_TRUE(vm_iomem_find("pkram", 0, &start, &end));
	seg.mem = (void *)(start + 64 * MIB);
	EXPECT_EQ(-1, syscall(SYS_kexec_load, start + 64 * MIB, 1UL, &seg,
			      (unsigned long)KEXEC_ARCH_DEFAULT));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/f", 100 * MIB, 1));
}

TEST_F(pool, kexec_file_load_is_allowed)
{
	char *out;

	ASSERT_EQ(0, load_image());
	ASSERT_EQ(0, vm_run(&out, CTL "handover show"));
	TH_LOG("%s", out);
	free(out);
	EXPECT_EQ(0, unload_image());
}

TEST_F(pool, shrink_with_loaded_kexec_image_is_refused)
{
	long long before = pool_number("size");
	char *out;

	ASSERT_EQ(0, load_image());
	EXPECT_EQ(1, vm_run(&out, CTL "pool shrink 1G"));
	EXPECT_NE(NULL, strstr(out, "a kexec image is loaded"));
	free(out);
	EXPECT_EQ(before, pool_number("size"));
	EXPECT_EQ(0, unload_image());
}

/* Only the preparation: where it is not refused, nothing is lost. */
TEST_F(pool, hibernation_is_refused)
{
	if (access("/sys/power/pm_test", F_OK))
		SKIP(return, "the kernel cannot hibernate");
	ASSERT_EQ(0, vm_write_file("/sys/power/pm_test", "freezer"));
	EXPECT_EQ(-EBUSY, vm_write_file("/sys/power/state", "disk"));
	EXPECT_TRUE(vm_kmsg_has("hibernation refused"));
	EXPECT_EQ(0, vm_write_file("/sys/power/pm_test", "none"));
}

/* The machine sleeps for some seconds; its clock wakes it up. */
TEST_F(pool, suspend_to_ram_keeps_the_pool)
{
	if (access("/sys/class/rtc/rtc0/wakealarm", F_OK))
		SKIP(return, "the kernel cannot suspend, or has no clock that wakes it up");
	ASSERT_EQ(0, vm_write_file("/sys/class/rtc/rtc0/wakealarm", "+4"));
	ASSERT_EQ(0, vm_write_file("/sys/power/state", "mem"));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/f", 100 * MIB, 1));
}

TEST_F(pool, rmmod_with_objects_is_refused)
{
	ASSERT_EQ(0, vm_umount(PKRAM_MNT));
	EXPECT_EQ(-EAGAIN, vm_rmmod("pkram"));
	ASSERT_EQ(0, vm_mount("pkramfs", PKRAM_MNT, NULL));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/f", 100 * MIB, 1));
}

TEST_F(pool, pool_is_unchanged_after_reload)
{
	char *before, *after;

	ASSERT_EQ(0, unlink(PKRAM_MNT "/f"));
	ASSERT_EQ(0, chmod(PKRAM_MNT, 0750));
	before = pool_uuid();
	ASSERT_NE(NULL, before);
	ASSERT_EQ(0, pool_down());
	/* The module is gone, but its memory was not given to anyone. */
	ASSERT_TRUE(vm_iomem_find("pkram", 0, &start, &end));
	EXPECT_FALSE(vm_iomem_touches(start, end, "System RAM"));
	EXPECT_EQ(0, pool_churn(GIB, 0xff));
	ASSERT_EQ(0, pool_up(NULL));
	after = pool_uuid();
	ASSERT_NE(NULL, after);
	EXPECT_STREQ(before, after);
	free(before);
	free(after);
}

TEST_F(pool, root_directory_is_unchanged_after_reload)
{
	struct stat st;

	ASSERT_EQ(0, stat(PKRAM_MNT, &st));
	EXPECT_EQ(S_IFDIR | 0750, st.st_mode);
	EXPECT_EQ(2 * GIB, pool_number("size"));
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/g", 100 * MIB, 2));
}

STAGE(next)

TEST_F(next, files_made_after_reload_are_preserved)
{
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/g", 100 * MIB, 2));
}

TEST_HARNESS_MAIN
