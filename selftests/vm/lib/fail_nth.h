/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Let each allocation of an operation fail in turn, by fault injection, and check the
 * results.
 *
 * If there is no time for all of them (an operation may allocate hundreds of pages and
 * take seconds), slab allocations fail first, then pages. In both groups one allocation of
 * every call chain fails, whatever time that takes; then the last one of each chain and
 * one between; then others, as long as there is time (@budget). The result says how many
 * failed. FAIL_NTH_BUDGET=SECONDS selftests/vm/run ... changes the time.
 * FAIL_NTH_ONLY=pages leaves out slab allocations.
 */
#ifndef PKRAM_VM_FAIL_NTH_H
#define PKRAM_VM_FAIL_NTH_H

#include <stdbool.h>

/**
 * struct fail_op - an operation that can fail for lack of memory
 * @name: for people
 * @run: runs it; 0 or negative errno. Runs with faults.
 * @undone: returns whether nothing has changed
 * @done: returns whether it was done
 * @undo: undoes it; 0 on success
 * @before: prepares each run, without faults; 0 on success
 * @by: only allocations called by this function count
 * @once: do not repeat it after each failure, because it takes long, or because @undo
 *	does not restore the state but prepares something else for @run, and fails if
 *	there is nothing left
 * @budget: seconds for all of them (60), four times that for slab allocations
 * @other_err: an additional errno for lack of memory; negative
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

/* Return the result of a system call as 0 or -errno */
int fail_nth_result(long ret);

/*
 * Count every allocation of pages and slabs that the kernel makes for this task, without
 * messages. kmemleak's are not counted: it makes one for each other allocation and handles
 * failures. Return: 0 or -1
 */
int fail_nth_setup(void);

/* Let each allocation of @op fail in turn. Return: the number of errors, -1 if it cannot run */
int fail_nth_drive(const struct fail_op *op);

#endif
