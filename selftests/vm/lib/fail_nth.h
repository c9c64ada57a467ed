/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lets each allocation of an operation fail in turn, by fault injection, and looks at what
 * comes of it.
 *
 * What takes too long for that, as it has hundreds of pages, and seconds for each: first
 * slab allocations, then pages, and of each of both first one of every call chain, whatever
 * time that takes, then the last of each and one between, then the others, as many as
 * there is time for (@budget). The result says how many. FAIL_NTH_BUDGET=SECONDS
 * selftests/vm/run ... gives more, or less. FAIL_NTH_ONLY=pages leaves out those of slabs.
 */
#ifndef PKRAM_VM_FAIL_NTH_H
#define PKRAM_VM_FAIL_NTH_H

#include <stdbool.h>

/**
 * struct fail_op - an operation that can fail for lack of memory
 * @name: for people
 * @run: does it; 0 or negative errno. Run with faults.
 * @undone: is everything as before it?
 * @done: is it done?
 * @undo: takes it back; 0 if that went well
 * @before: makes all ready each time, without faults; 0 if that went well
 * @by: only what is allocated by this function is ours
 * @once: it is not done again after each failure, as that takes long, or as @undo does
 *	not take it back but finds something else for @run, and fails if there is nothing
 * @budget: seconds for all of them (60), four times that for those of slabs
 * @other_err: one more errno for lack of memory; negative
 */
struct fail_op {
	const char *name;
	int (*run)(void);
	bool (*undone)(void);
	bool (*done)(void);
	int (*undo)(void);
	int (*before)(void);
	const char *by;
	bool once;
	int budget;
	int other_err;
};

/* The result of a system call as 0 or -errno */
int fail_nth_result(long ret);

/*
 * Let every allocation that the kernel makes for this task be counted, of pages and of
 * slabs, without messages; those of kmemleak excepted, which makes one for each other
 * allocation and copes with a failure. Return: 0 or -1
 */
int fail_nth_setup(void);

/* Let each allocation of @op fail in turn. Return: the number of errors, -1 if it cannot run */
int fail_nth_drive(const struct fail_op *op);

#endif
