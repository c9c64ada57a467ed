// SPDX-License-Identifier: GPL-2.0
/*
 * The guard looks at the memory map that an image carries: a kernel that would hand on another
 * one than pkram made is found out when it loads an image.
 */
#include <errno.h>
#include <linux/kexec.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"
#include "tiny_image.h"
#include "trace.h"

#define ANOTHER_MAP	"/lib/pkram/vm_kexec_map.ko"
#define E820_RAM	1
#define POOL		0x504b
/* As in guard_map.conf */
#define FIRST		(4 * GIB)
#define SECOND		(6 * GIB)

/* Boot parameters: Documentation/arch/x86/zero-page.rst */
#define NR_ENTRIES	0x1e8
#define BOOT_FLAG	0x1fe
#define HEADER		0x202
#define ENTRIES		0x2d0

struct entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

/* Load an image of kexec_load(2) that carries such a map, and unload it. Return: 0 or -errno */
static int load_with_map(const struct entry *map, int nr)
{
	static char code[4096] = { 0xf4 }, params[4096];
	struct kexec_segment segments[] = {
		{ .buf = code, .bufsz = sizeof(code), .mem = (void *)(32 * MIB),
		  .memsz = sizeof(code) },
		{ .buf = params, .bufsz = sizeof(params), .mem = (void *)(33 * MIB),
		  .memsz = sizeof(params) },
	};

	memset(params, 0, sizeof(params));
	params[NR_ENTRIES] = nr;
	memcpy(params + BOOT_FLAG, "\x55\xaa", 2);
	memcpy(params + HEADER, "HdrS", 4);
	memcpy(params + ENTRIES, map, nr * sizeof(*map));
	if (syscall(SYS_kexec_load, 32 * MIB, 2UL, segments, (unsigned long)KEXEC_ARCH_DEFAULT))
		return -errno;
	return syscall(SYS_kexec_load, 0UL, 0UL, NULL, (unsigned long)KEXEC_ARCH_DEFAULT) ?
		-errno : 0;
}

static const struct entry maps[][3] = {
	{ { 0, 3 * GIB, E820_RAM }, { FIRST, GIB, POOL }, { SECOND, GIB, POOL } },
	{ { 0, 3 * GIB, E820_RAM } },
	{ { 0, 3 * GIB, E820_RAM }, { FIRST, GIB, POOL } },
	{ { 0, 3 * GIB, E820_RAM }, { FIRST, GIB, POOL }, { SECOND, GIB, E820_RAM } },
};

#define NR_MAPS	(sizeof(maps) / sizeof(maps[0]))

/*
 * Load an image by kexec_file_load(2) while the kernel hands on another map, and unload it.
 * @params: of the module that changes the map; NULL: pkram's own map
 * Return: what the guard's tracepoint said of it; NULL if the load went another way
 */
static const char *load_with_another(const char *params)
{
	const char *verdict = NULL;
	char *trace;
	int err;

	if ((params && vm_insmod(ANOTHER_MAP, params)) || trace_start())
		return NULL;
	err = tiny_image_load();
	trace = trace_stop();
	if (trace && !err && !tiny_image_unload() &&
	    trace_count(trace, "guard", "by=kexec_file_load") == 1 &&
	    trace_count(trace, "guard", "verdict=passed err=0"))
		verdict = "passed";
	if (trace && err == -EPERM && trace_count(trace, "guard", "by=kexec_file_load") == 1 &&
	    trace_count(trace, "guard", "verdict=refused err=-6"))
		verdict = "the map lacks something";
	free(trace);
	if (params && vm_rmmod("vm_kexec_map"))
		return NULL;
	return verdict;
}

#define EXPECT_PASSED(params)	EXPECT_STREQ("passed", load_with_another(params))
#define EXPECT_REFUSED(params)	EXPECT_STREQ("the map lacks something", load_with_another(params))

STAGE(pool)

TEST_F(pool, any_map_is_loaded_without_a_pool)
{
	size_t i;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, tiny_image_make());
	for (i = 0; i < NR_MAPS; i++)
		EXPECT_EQ(0, load_with_map(maps[i], 3));
	EXPECT_PASSED(NULL);
	EXPECT_PASSED("");
}

/* User space made it, and what it knows of the memory may be old. */
TEST_F(pool, kexec_load_is_refused_whatever_map_it_carries)
{
	long long refused = pool_counter("kexec_refused");
	size_t i;

	ASSERT_EQ(0, vm_run(NULL, CTL "pool adopt 0x100000000+1G --format"));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool adopt 0x180000000+1G --format"));
	for (i = 0; i < NR_MAPS; i++)
		EXPECT_EQ(-EPERM, load_with_map(maps[i], 3));
	EXPECT_EQ(refused + (long long)NR_MAPS, pool_counter("kexec_refused"));
}

TEST_F(pool, image_with_all_ranges_is_loaded)
{
	EXPECT_PASSED(NULL);
	EXPECT_PASSED("");
	/* There are two ranges to be changed. */
	EXPECT_PASSED("from=2 type=0");
}

TEST_F(pool, image_without_the_ranges_is_refused)
{
	EXPECT_REFUSED("type=0");
	EXPECT_TRUE(vm_kmsg_has("the memory map in the image does not reserve"));
}

TEST_F(pool, image_with_one_of_two_ranges_is_refused)
{
	EXPECT_REFUSED("type=0 from=0 nr=1");
	EXPECT_REFUSED("type=0 from=1 nr=1");
}

TEST_F(pool, image_with_ranges_as_ram_is_refused)
{
	EXPECT_REFUSED("type=1");
	EXPECT_REFUSED("type=1 from=1 nr=1");
	/* The next kernel would keep off it, and not find it. */
	EXPECT_REFUSED("type=2 from=1 nr=1");
}

TEST_F(pool, image_with_a_part_of_a_range_is_refused)
{
	EXPECT_REFUSED("cut=4096 from=1 nr=1");
}

/* An image carries 128 entries, and the kernel drops the others silently. */
TEST_F(pool, image_whose_map_has_too_many_entries_is_refused)
{
	EXPECT_REFUSED("before=128");
}

TEST_F(pool, refusals_change_nothing)
{
	EXPECT_PASSED(NULL);
	EXPECT_EQ(2, pool_number("regions"));
	ASSERT_EQ(0, pool_make_files());
}

STAGE(next)

TEST_F(next, both_ranges_are_found)
{
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(2, pool_number("regions"));
	EXPECT_EQ(0, pool_check_files());
}

TEST_HARNESS_MAIN
