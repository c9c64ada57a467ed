/* SPDX-License-Identifier: GPL-2.0 */
/* pkramctl export, import, verify: what to copy, and the results. */
#ifndef _PKRAMCTL_COPY_PLAN_H
#define _PKRAMCTL_COPY_PLAN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "ctl.h"

#define COPY_MAX_BAD	16	/* number of damaged chunks of a file that are reported */
#define COPY_MAX_JOBS	64

/* The commands; COPY_OBJECT is "object verify" */
enum copy_kind { COPY_EXPORT, COPY_IMPORT, COPY_VERIFY, COPY_OBJECT };

#define COPY_COMMON_ARGS "[--depth N] [--jobs N] [--buffered] [--quiet]"

struct copy_bad_chunk {
	uint64_t chunk, offset, len;
};

/**
 * struct copy_task - one object
 * @object: path; NULL: verify has none, import reads it from the manifest
 * @file: path
 * @err: result, once @ended: 0 or negative errno
 * @begun: a thread has started it
 * @ended: it has ended
 * @stats: progress
 * @why: text for @err
 * @bad: the first damaged chunks
 * @nr_bad: number of damaged chunks, may be more than @bad has
 */
struct copy_task {
	char *object, *file;
	int err;
	bool begun, ended;
	struct pkram_copy_stats stats;
	char why[1024];
	struct copy_bad_chunk bad[COPY_MAX_BAD];
	unsigned int nr_bad;
};

/**
 * struct copy_plan - a command and its options
 * @kind: the command
 * @dir: where pkramfs is mounted
 * @name: the object's new name, or NULL
 * @json: option -j, as are @pretty, @help, @quiet
 * @flags: PKRAM_COPY_*
 * @chunk: bytes, or 0
 * @depth: requests in flight, of all threads
 * @jobs: number of threads
 * @tasks: one for each object
 * @nr_tasks: number of tasks
 * @next: the first task that no thread has started
 * @lock: protects @next, @running, and the tasks except their paths
 * @ended: signalled when a task or a thread ends
 * @running: number of running threads
 */
struct copy_plan {
	enum copy_kind kind;
	const char *dir, *name;
	bool json, pretty, help, quiet;
	uint32_t flags, chunk, depth, jobs;
	struct copy_task *tasks;
	unsigned int nr_tasks, next;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned int running;
};

/* copy.c: run a command; @o: the object whose help is printed */
int copy_run(enum copy_kind kind, const struct ctl_object *o, int argc, char **argv);

/* Return whether the command only reads */
static inline bool copy_only_reads(const struct copy_plan *plan)
{
	return plan->kind == COPY_VERIFY || plan->kind == COPY_OBJECT;
}

/* Return the command's name */
const char *copy_verb(const struct copy_plan *plan);

/* copy_work.c: run all tasks and print progress; SIGINT stops them */
void copy_work(struct copy_plan *plan);

/* copy_report.c: print the results; returns &enum ctl_exit */
int copy_report(struct copy_plan *plan);

#endif /* _PKRAMCTL_COPY_PLAN_H */
