// SPDX-License-Identifier: GPL-2.0
/* The VM works as the other tests expect */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/utsname.h>
#include <time.h>

#include "test.h"

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define SCHEDSTATS "/proc/sys/kernel/sched_schedstats"

TEST(boots_with_the_configured_memory)
{
	struct utsname uts;

	ASSERT_EQ(0, uname(&uts));
	EXPECT_EQ(0, vm_stage_index());
	EXPECT_LT(3 * GIB, vm_meminfo("MemTotal"));
	EXPECT_TRUE(vm_iomem_under(16 * MIB, 32 * MIB, "System RAM"));
	EXPECT_FALSE(vm_iomem_touches(0xfee00000, 0xfee00fff, "System RAM"));
}

TEST(pattern_detects_misplaced_words)
{
	static uint64_t buf[4096];

	vm_fill(buf, sizeof(buf), 7, 4096);
	EXPECT_EQ(-1, vm_verify(buf, sizeof(buf), 7, 4096));
	EXPECT_EQ(0, vm_verify(buf, sizeof(buf), 8, 4096));
	EXPECT_EQ(0, vm_verify(buf, sizeof(buf), 7, 0));
	buf[99]++;
	EXPECT_EQ(99 * 8, vm_verify(buf, sizeof(buf), 7, 4096));
	memset(buf, 0, sizeof(buf));
	EXPECT_EQ(0, vm_verify(buf, sizeof(buf), 7, 4096));
	EXPECT_EQ(-1, vm_verify_zero(buf, sizeof(buf)));
}

TEST(commands_run_in_a_shell)
{
	char *out;

	EXPECT_EQ(3, vm_run(&out, "echo %s; exit 3", "hello"));
	EXPECT_STREQ("hello\n", out);
	free(out);
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *read_the_clock(void *stop)
{
	struct timespec now;

	stay_on(1);
	while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED))
		clock_gettime(CLOCK_MONOTONIC, &now);
	return NULL;
}

/*
 * Without selftests/vm/qemu-patches, the emulation of QEMU 10.2 sends a CPU's read to
 * another device, and aborts, within some iterations of this.
 */
TEST(device_registers_stay_correct_during_mmap_and_munmap)
{
	char *was = vm_read_file(CLOCKSOURCE);
	int fd = open("/sys/bus/pci/devices/0000:00:10.0/config", O_RDWR);
	uint16_t on, off;
	pthread_t reader;
	int stop = 0;

	ASSERT_NE(NULL, was);
	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(on), pread(fd, &on, sizeof(on), 4));
	on |= 2;	/* memory space */
	off = on & ~2;
	ASSERT_EQ(0, vm_write_file(CLOCKSOURCE, "hpet"));
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_the_clock, &stop));
	stay_on(0);
	for (int i = 0; i < 500; i++) {
		ASSERT_EQ(sizeof(off), pwrite(fd, &off, sizeof(off), 4));
		ASSERT_EQ(sizeof(on), pwrite(fd, &on, sizeof(on), 4));
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(reader, NULL));
	ASSERT_EQ(0, vm_write_file(CLOCKSOURCE, was));
	close(fd);
	free(was);
}

static void *change_places(void *stop)
{
	stay_on(1);
	while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED))
		sched_yield();
	return NULL;
}

/*
 * One CPU patches the scheduler while the other runs it. Without selftests/vm/qemu-patches
 * the emulation sometimes continues with the old code, mostly on a busy machine.
 */
TEST(kernel_code_can_be_patched_while_it_runs)
{
	pthread_t runners[2];
	int stop = 0;
	double until = vm_now() + 10;

	if (access(SCHEDSTATS, F_OK))
		SKIP(return, "a kernel without CONFIG_SCHEDSTATS");
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&runners[i], NULL, change_places, &stop));
	stay_on(0);
	while (vm_now() < until) {
		ASSERT_EQ(0, vm_write_file(SCHEDSTATS, "1"));
		ASSERT_EQ(0, vm_write_file(SCHEDSTATS, "0"));
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(runners[i], NULL));
}

FIXTURE(limit) { };
FIXTURE_SETUP(limit) { }
FIXTURE_TEARDOWN(limit) { }

/* Passes when the runner ends it at its limit: TIMES_OUT in smoke.conf. */
TEST_F_TIMEOUT(limit, ends_a_test_that_runs_commands_in_a_loop, 5)
{
	VM_WAIT(!vm_run(NULL, "sleep 0.2; false"));
}

TEST_HARNESS_MAIN
