/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lets each allocation of an operation fail in turn, by fault injection, and looks at what
 * comes of it.
 *
 * What takes too long for that, as it has hundreds of pages of one kind, and seconds
 * for each: slab allocations first, then others, as many as there is time for (@budget).
 * The result says how many. FAIL_NTH_BUDGET=SECONDS selftests/vm/run ... gives more, or
 * less.
 */
#ifndef PKRAM_VM_FAIL_NTH_H
#define PKRAM_VM_FAIL_NTH_H

#include "lib.h"

#include <fcntl.h>

#define NEVER	1000000000

/**
 * struct op - an operation that can fail for lack of memory
 * @name: for people
 * @run: does it; 0 or negative errno. Run with faults.
 * @undone: is everything as before it?
 * @done: is it done?
 * @undo: takes it back; 0 if that went well
 * @before: does what comes before our part of @run, whose allocations are not ours
 * @once: it is not done again after each failure, as that takes long, or as @undo does
 *	not take it back but finds something else for @run, and fails if there is nothing
 * @head: so many fail each in turn from our start on ...
 * @tail: ... and so many before the end, even if there is no time for all between
 * @budget: seconds for all of them (60), four times that for those of slabs
 * @other_err: one more errno for lack of memory; negative
 * @rest: what there are many of, one like the other, if there is no time for all
 */
struct op {
	const char *name;
	int (*run)(void);
	bool (*undone)(void);
	bool (*done)(void);
	int (*undo)(void);
	int (*before)(void);
	bool once;
	int head;
	int tail;
	int budget;
	int other_err;
	const char *rest;
};

/**
 * struct tally - what came of one operation
 * @total: its allocations
 * @first: those of them that are not ours
 * @failed: so many were made to fail
 * @refused: and then the operation failed too
 * @bad: things that went wrong
 */
struct tally {
	int total, first, failed, refused, bad;
};

static int fail_fd = -1;

static int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* Let the @n-th allocation from here on fail; 0 for none. Returns what was left. */
static int fail_nth(int n)
{
	char buf[32] = "";
	int left = -1, len = snprintf(buf, sizeof(buf), "%d", n);

	if (!n && pread(fail_fd, buf, sizeof(buf) - 1, 0) > 0)
		left = atoi(buf);
	if (pwrite(fail_fd, n ? buf : "0", n ? len : 1, 0) < 0)
		left = -errno;
	return left;
}

static int run_counted(int (*run)(void), int *allocations)
{
	int err;

	fail_nth(NEVER);
	err = run();
	*allocations = NEVER - fail_nth(0);
	return err;
}

/* What went wrong, for a log line, or NULL */
static const char *fail_one(const struct op *op, int n, bool *hit, int *err,
			    int *refused)
{
	bool clean;

	fail_nth(n);
	*err = op->run();
	*hit = !fail_nth(0);
	*refused = *err;
	/* Netlink had no memory for its answer, and says that one was lost. */
	if (*err == -ENOBUFS && op->done())
		*err = 0;
	if (!*err)
		return op->done() ? NULL : "said it is done, and it is not";
	if (!*hit)
		return "failed though nothing was made to fail";
	clean = *err == -ENOMEM || *err == -ENOBUFS || *err == op->other_err;
	if (!op->undone())
		return "failed, but left something behind";
	if (!clean)
		return "not an errno for lack of memory";
	if (op->once)
		return NULL;
	*err = op->run();
	if (*err)
		return "failed again without a fault";
	return op->done() ? NULL : "not done the second time";
}

/* Let one allocation fail; false: it has not so many, or no more can be done */
static bool fail_and_see(const struct op *op, int n, struct tally *t)
{
	int err, first_err;
	const char *what;
	bool hit;

	what = fail_one(op, n, &hit, &err, &first_err);
	t->failed += hit;
	t->refused += !!first_err;
	if (what) {
		printf("%s: allocation %d of %d: %s (%d)\n", op->name, n, t->total,
		       what, err);
		t->bad++;
	}
	if (op->once && err)
		return hit;
	if (op->undo && op->undo() && (hit || !op->once)) {
		printf("%s: allocation %d of %d: cannot be undone\n", op->name, n,
		       t->total);
		t->bad++;
		return hit && !op->once;
	}
	return hit;
}

/* How many allocations there are, by doing it once */
static int count(const struct op *op, struct tally *t)
{
	int err = 0;

	if (op->before)
		err = run_counted(op->before, &t->first);
	err = err ?: run_counted(op->run, &t->total);
	if (!err && op->done() && !(op->undo && op->undo()))
		return 0;
	printf("%s: does not work at all: %d\n", op->name, err);
	return -1;
}

/* How far to go from the @n-th, tried since @begin, to be through in @budget seconds */
static int stride(const struct op *op, const struct tally *t, int n, double begin,
		  int budget)
{
	int from = t->first + op->head, to = t->total - op->tail;
	double left = budget - (vm_now() - begin), tries, step;

	if (n < from || n >= to)
		return 1;
	tries = left * t->failed / (vm_now() - begin + 0.001) - op->tail;
	step = (to - n) / (tries > 1 ? tries : 1);
	return step > to - n ? to - n : step > 1 ? step + 0.5 : 1;
}

static int knob(const char *which, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", which, name);
	return vm_write_file(path, value);
}

/* Do whole pages count as well, or only what is of a slab? */
static int pages_may_fail(bool yes)
{
	return knob("fail_page_alloc", "min-order", yes ? "0" : "100");
}

/* Seconds for each operation, if the command line says; 0: as each has it */
static int budget_set(void)
{
	char *cmdline = vm_read_file("/proc/cmdline"), *word;
	int ret;

	word = cmdline ? strstr(cmdline, "fail_nth.budget=") : NULL;
	ret = word ? atoi(strchr(word, '=') + 1) : 0;
	free(cmdline);
	return ret;
}

/* Let them fail in turn, and say how many of what did */
static void fail_all(const struct op *op, struct tally *t, int budget, const char *of)
{
	double begin = vm_now();
	bool all = true;
	int n, step = 1;

	for (n = t->first + 1; t->bad < 5; n += step) {
		if (!fail_and_see(op, n, t))
			break;
		step = stride(op, t, n, begin, budget);
		all &= step == 1;
	}
	printf("%s: of %d %sallocations made %d fail, %d refused, %.0f s%s%s%s\n", op->name,
	       t->total - t->first, of, t->failed, t->refused, vm_now() - begin,
	       all ? "" : ", not all: there are ", all ? "" : op->rest ?: "many",
	       t->first ? " (and the kernel's, before)" : "");
}

static int drive(struct op *op)
{
	int usual = op->budget ?: 60, budget = budget_set() ?: usual;
	struct tally any = {}, slabs = {};
	double begin = vm_now();

	/* Less time than usual: fewer that have to be, too */
	if (budget < usual) {
		op->head = op->head * budget / usual;
		op->tail = op->tail * budget / usual;
	}
	if (count(op, &any))
		return -1;
	/* No time for all? Then at first for those that are not whole pages. */
	if ((vm_now() - begin) * (any.total - any.first) > budget) {
		pages_may_fail(false);
		if (count(op, &slabs))
			return -1;
		fail_all(op, &slabs, 4 * budget, "slab ");
		pages_may_fail(true);
	}
	fail_all(op, &any, budget, "");
	return any.bad + slabs.bad;
}

/*
 * Any allocation may fail, of pages and of slabs; the log stays as it is. But those
 * of kmemleak, which has one for each of the others, and gets by without.
 */
static int faults_on(void)
{
	int err;

	err = vm_run(NULL, "cd /sys/kernel/slab && for s in [!k]* k[!m]* kmalloc*; do echo 1 >$s/failslab; done");
	err |= knob("failslab", "cache-filter", "Y");
	err |= knob("failslab", "ignore-gfp-wait", "N");
	err |= knob("failslab", "verbose", "0");
	err |= knob("fail_page_alloc", "ignore-gfp-wait", "N");
	err |= knob("fail_page_alloc", "ignore-gfp-highmem", "N");
	err |= pages_may_fail(true);
	err |= knob("fail_page_alloc", "verbose", "0");
	/* The kernel warns if it has no memory for the struct pages of a GiB. */
	err |= vm_write_file("/proc/sys/kernel/panic_on_warn", "0");
	fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return err || fail_fd < 0 ? -1 : 0;
}

#endif /* PKRAM_VM_FAIL_NTH_H */
