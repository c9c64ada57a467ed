// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_trace.h"
#include "fail_nth.h"

#define NEVER	1000000000
/*
 * Limits of tries to hit a chain, whose position varies: TRIES at least; up to
 * TRIES_IN_TIME for TRY_FOR seconds, or as long as the budget lasts
 */
#define TRIES		16
#define TRIES_IN_TIME	64
#define TRY_FOR		120

/**
 * struct tally - results of one operation
 * @total: number of its allocations
 * @origins: kinds that must fail; bits of enum alloc_origin
 * @failed: number of them that were made to fail, each counted once
 * @refused: number of failures after which the operation failed too
 * @bad: number of errors
 * @tried: by position
 * @last: chain of each allocation in the last run without a fault
 * @chain: for each chain: its first and last position in that run, its number of
 *	allocations, and how many of them failed; a chain that occurred later has only the
 *	first position; given_up: it could not be hit
 */
struct tally {
	int total, origins, failed, refused, bad;
	bool tried[ALLOC_MAX + 1];
	int last[ALLOC_MAX + 1];
	struct {
		int from, to, there, failed;
		bool given_up;
	} chain[ALLOC_MAX_CHAINS];
};

static int fail_fd = -1;

int fail_nth_result(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* Let the @n-th allocation from now on fail; 0: none. Return: what was left of @n */
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

/* Return whether a chain is one of those that must fail */
static bool wanted(const struct fail_op *op, const struct tally *t, int c)
{
	return alloc_chains[c].origin & t->origins &&
	       (!op->by || alloc_chain_has(&alloc_chains[c], op->by));
}

/* Return what went wrong, for a log line, or NULL */
static const char *fail_one(const struct fail_op *op, int n, bool *hit, int *err,
			    int *refused)
{
	bool clean, lost;

	*hit = false;
	*err = *refused = op->before ? op->before() : 0;
	if (*err)
		return "cannot be made ready";
	lost = alloc_trace_start();
	fail_nth(n);
	*err = op->run();
	*hit = !fail_nth(0);
	lost |= alloc_trace_stop();
	*refused = *err;
	/* Netlink had no memory for its answer, and reports that the answer was lost. */
	if (*err == -ENOBUFS && op->done())
		*err = 0;
	if (lost || (*hit && alloc_nr_run < n))
		return "not all allocations were traced";
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

/*
 * Let one allocation fail and check the result. Return: false if there are fewer
 * allocations, or if no more can be done
 */
static bool fail_and_see(const struct fail_op *op, int n, struct tally *t)
{
	int err, first_err, chain = -1;
	double begin = vm_now();
	const char *what;
	bool hit;

	what = fail_one(op, n, &hit, &err, &first_err);
	if (hit && alloc_nr_run >= n)
		chain = alloc_run[n - 1];
	if (hit && !t->tried[n]) {
		t->tried[n] = true;
		t->failed += chain < 0 || wanted(op, t, chain);
	}
	t->refused += !!first_err;
	if (chain >= 0)
		t->chain[chain].failed++;
	/* New chains, but not those that the failure caused */
	for (int i = 1; chain >= 0 && i <= n; i++)
		if (!t->chain[alloc_run[i - 1]].from)
			t->chain[alloc_run[i - 1]].from = i;
	if (t->origins != ALLOC_ANY)
		printf("  allocation %d of %d, chain %d: %d, %.0f s\n", n, t->total, chain,
		       first_err, vm_now() - begin);
	if (what) {
		printf("%s: allocation %d of %d: %s (%d)\n", op->name, n, t->total,
		       what, err);
		if (chain >= 0)
			alloc_chain_print("failed", &alloc_chains[chain]);
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

/* Run the operation once without a fault; count its allocations and their chains */
static int count(const struct fail_op *op, struct tally *t)
{
	int err, lost;

	err = op->before ? op->before() : 0;
	if (err) {
		printf("%s: cannot be made ready: %d\n", op->name, err);
		return -1;
	}
	lost = alloc_trace_start();
	fail_nth(NEVER);
	err = op->run();
	t->total = NEVER - fail_nth(0);
	lost |= alloc_trace_stop();
	if (lost || alloc_nr_run != t->total) {
		printf("%s: of %d allocations %d were traced\n", op->name, t->total,
		       alloc_nr_run);
		return -1;
	}
	/* Read the symbols of the module while it is loaded */
	alloc_trace_read_symbols();
	for (int c = 0; c < alloc_nr_chains; c++)
		t->chain[c].there = 0;
	for (int n = 1; n <= t->total; n++) {
		int c = alloc_run[n - 1];

		if (!t->chain[c].there++)
			t->chain[c].from = n;
		t->chain[c].to = n;
		t->last[n] = c;
	}
	if (!err && op->done() && !(op->undo && op->undo()))
		return 0;
	printf("%s: does not work at all: %d\n", op->name, err);
	return -1;
}

/* Chains of other origins do not occur in every run. */
static bool must_fail(const struct fail_op *op, const struct tally *t, int c)
{
	return wanted(op, t, c) && alloc_chains[c].origin & (ALLOC_SLAB | ALLOC_PAGE) &&
	       t->chain[c].from;
}

/*
 * Estimate the next position of a chain that did not occur up to the @n-th allocation of
 * the last try: follow the run without a fault to find out how far it had come
 */
static int where_next(const struct tally *t, int c, int n)
{
	int at = 0;

	for (int i = 0; i < n; i++) {
		if (!(alloc_chains[alloc_run[i]].origin & (ALLOC_SLAB | ALLOC_PAGE)))
			continue;
		for (int ahead = 1; ahead <= 200 && at + ahead <= t->total; ahead++)
			if (t->last[at + ahead] == alloc_run[i]) {
				at += ahead;
				break;
			}
	}
	for (int ahead = 1; at + ahead <= t->total; ahead++)
		if (t->last[at + ahead] == c)
			return n + ahead;
	return n + 1;
}

/*
 * Let an allocation of one chain fail, which was the @n-th allocation in an earlier run.
 * If another one failed instead, this one came earlier, which is known then, or comes
 * later, if at all. The failed one may change the allocations of the next run: then try at
 * random, or run once without a fault.
 */
static void fail_chain(const struct fail_op *op, struct tally *t, int c, double end)
{
	int n = t->chain[c].from, at;

	if (end < vm_now() + TRY_FOR)
		end = vm_now() + TRY_FOR;
	for (int i = 0; i < (vm_now() < end ? TRIES_IN_TIME : TRIES); i++) {
		bool hit;

		if (i == TRIES / 2) {
			if (count(op, t))
				t->bad++;
			n = t->chain[c].from;
			if (!t->chain[c].there)
				return;
		}
		hit = fail_and_see(op, n, t);
		if (t->chain[c].failed || t->bad >= 5)
			return;
		at = hit ? n - 1 : alloc_nr_run;
		while (at && alloc_run[at - 1] != c)
			at--;
		if (!at)
			at = hit ? where_next(t, c, n) : t->chain[c].from;
		if (i < TRIES / 2 || random() % 2)
			n = at;
	}
}

/* Return the step from the @n-th allocation that ends in @budget seconds, tried since @begin */
static int stride(const struct tally *t, int n, double begin, double budget)
{
	double left = budget - (vm_now() - begin), tries, step;

	tries = left * t->failed / (vm_now() - begin + 0.001);
	step = (t->total - n) / (tries > 1 ? tries : 1);
	return step > t->total - n ? t->total - n + 1 : step > 1 ? step + 0.5 : 1;
}

/* Let the allocations fail in turn, and print how many did */
static void fail_all(const struct fail_op *op, struct tally *t, double budget, const char *of)
{
	int ours = 0, nr = 0, failed = 0, step;
	double begin = vm_now();

	/* New chains may occur meanwhile. */
	for (int c = 0; c < alloc_nr_chains && t->bad < 5; c++) {
		if (!must_fail(op, t, c) || t->chain[c].failed || t->chain[c].given_up)
			continue;
		fail_chain(op, t, c, begin + budget);
		t->chain[c].given_up = !t->chain[c].failed;
		c = -1;
	}
	for (int c = 0; c < alloc_nr_chains && t->bad < 5; c++) {
		int n[] = { t->chain[c].to, (t->chain[c].from + t->chain[c].to) / 2 };

		for (int i = 0; i < 2 && must_fail(op, t, c) && t->chain[c].there; i++) {
			while (t->last[n[i]] != c)
				n[i]--;
			if (!t->tried[n[i]] && vm_now() < begin + budget)
				fail_and_see(op, n[i], t);
		}
	}
	for (int n = 1; n <= ALLOC_MAX && t->bad < 5; n += step) {
		step = 1;
		if (t->tried[n] || (n <= t->total && !wanted(op, t, t->last[n])))
			continue;
		step = stride(t, n, begin, budget);
		if (vm_now() > begin + budget || !fail_and_see(op, n, t))
			break;
	}
	for (int n = 1; n <= t->total; n++)
		ours += wanted(op, t, t->last[n]);
	for (int c = 0; c < alloc_nr_chains; c++) {
		char what[64];

		if (!must_fail(op, t, c))
			continue;
		nr++;
		failed += !!t->chain[c].failed;
		snprintf(what, sizeof(what), "%schain %d, %d of %d", t->chain[c].failed ? "" :
			 "NOT MADE TO FAIL: ", c, t->chain[c].failed, t->chain[c].there);
		alloc_chain_print(what, &alloc_chains[c]);
	}
	t->bad += nr - failed;
	/* There may be more allocations than in the last run. */
	if (ours < t->failed)
		ours = t->failed;
	printf("%s: %s%d of %d allocations failed, %d of %d call alloc_chains, %d refused, %.0f s\n",
	       op->name, of, t->failed, ours, failed, nr, t->refused, vm_now() - begin);
}

static int knob(const char *which, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", which, name);
	return vm_write_file(path, value);
}

/* Choose whether whole pages fail as well, or only slab allocations */
static int pages_may_fail(bool yes)
{
	return knob("fail_page_alloc", "min-order", yes ? "0" : "100");
}

/* Return the value of @key on the command line; "" if it is absent */
static const char *told(const char *key)
{
	static char value[16];
	char *cmdline = vm_read_file("/proc/cmdline"), *word;

	word = cmdline ? strstr(cmdline, key) : NULL;
	if (!word || sscanf(word + strlen(key), "%15s", value) != 1)
		value[0] = '\0';
	free(cmdline);
	return value;
}

int fail_nth_drive(const struct fail_op *op)
{
	static struct tally any, slabs;
	double budget = atoi(told("fail_nth.budget=")) ?: op->budget ?: 60;
	double begin = vm_now();

	alloc_nr_chains = 0;
	any = (struct tally){ .origins = ALLOC_ANY };
	slabs = (struct tally){ .origins = ALLOC_SLAB };
	if (count(op, &any))
		return -1;
	/* If there is no time for all of them, begin with slab allocations. */
	if ((vm_now() - begin) * any.total > budget) {
		if (strcmp(told("fail_nth.only="), "pages")) {
			pages_may_fail(false);
			if (count(op, &slabs))
				return -1;
			fail_all(op, &slabs, 4 * budget, "of slabs ");
			pages_may_fail(true);
		}
		any.origins = ALLOC_PAGE;
		fail_all(op, &any, budget, "of pages ");
	} else {
		fail_all(op, &any, budget, "");
	}
	return any.bad + slabs.bad;
}

int fail_nth_setup(void)
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
	err |= alloc_trace_open();
	fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return err || fail_fd < 0 ? -1 : 0;
}
