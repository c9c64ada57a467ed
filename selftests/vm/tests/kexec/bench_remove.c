// SPDX-License-Identifier: GPL-2.0
/*
 * Latency of allocations and page faults while an object of 700 GiB is removed, all of
 * whose GiB have struct pages. The test only checks that all works; bench/pool.sh prints
 * the figures.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"

/* As in bench_remove.conf */
#define BASE	"0x200000000"
#define SIZE	700		/* GiB of the object that is removed */
#define SMALL	(8 * MIB)
#define MAX	20000

struct times {
	double ms[MAX];
	int nr;
};

static struct times allocate, fault;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_times(const char *what, const char *when, struct times *t)
{
	qsort(t->ms, t->nr, sizeof(t->ms[0]), by_value);
	printf("# %-10s %-22s %6d %9.3f ms %9.3f ms %9.3f ms\n", what, when, t->nr,
	       t->ms[t->nr / 2], t->ms[t->nr * 99 / 100], t->ms[t->nr - 1]);
}

static void add(struct times *t, double ms)
{
	if (t->nr < MAX)
		t->ms[t->nr++] = ms;
}

/* Make an object, touch its memory, and remove it. */
static int one_round(void)
{
	int fd = open(PKRAM_MNT "/small", O_CREAT | O_EXCL | O_RDWR, 0600);
	double begin = now_ms();
	size_t at;
	char *p;

	if (fd < 0 || fallocate(fd, 0, 0, SMALL))
		return -1;
	add(&allocate, now_ms() - begin);
	p = mmap(NULL, SMALL, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	for (at = 0; at < SMALL; at += 2 * MIB) {
		begin = now_ms();
		p[at] = 1;
		add(&fault, now_ms() - begin);
	}
	munmap(p, SMALL);
	close(fd);
	return unlink(PKRAM_MNT "/small");
}

static bool ended(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == pid;
}

STAGE(bench)

TEST_F_TIMEOUT(bench, others_work_while_700_gib_are_removed, 900)
{
	long long before;
	double begin;
	int fd, i;
	pid_t pid;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, vm_run(NULL, CTL "pool adopt " BASE "+896G --format"));
	before = pool_number("free");
	fd = open(PKRAM_MNT "/large", O_CREAT | O_RDWR, 0600);
	ASSERT_EQ(0, fallocate(fd, 0, 0, SIZE * GIB));
	begin = vm_now();
	for (i = 0; i < SIZE; i++)
		ASSERT_EQ(1, pwrite(fd, "x", 1, i * GIB));
	close(fd);
	TH_LOG("%d GiB touched in %.1f s", SIZE, vm_now() - begin);

	printf("# what       when                       nr      median      99 %%        longest\n");
	for (i = 0; i < 300; i++)
		ASSERT_EQ(0, one_round());
	print_times("allocation", "nothing else runs", &allocate);
	print_times("fault", "nothing else runs", &fault);
	allocate.nr = 0;
	fault.nr = 0;

	begin = vm_now();
	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (unlink(PKRAM_MNT "/large"))
			_exit(1);
		/* Until all of its GiB are free */
		while (pool_number("free") < before - (long long)GIB)
			usleep(200000);
		_exit(0);
	}
	while (!ended(pid))
		ASSERT_EQ(0, one_round());
	print_times("allocation", "700 GiB are removed", &allocate);
	print_times("fault", "700 GiB are removed", &fault);
	printf("# removal of 700 GiB: %.1f s until all was free\n", vm_now() - begin);
}

TEST_HARNESS_MAIN
