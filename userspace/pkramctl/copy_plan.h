/* SPDX-License-Identifier: GPL-2.0 */
/* pkramctl export, import, verify: what is to be copied, and how it went. */
#ifndef _PKRAMCTL_COPY_PLAN_H
#define _PKRAMCTL_COPY_PLAN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "ctl.h"

#define COPY_MAX_BAD	16	/* damaged chunks of a file that are told of */
#define COPY_MAX_JOBS	64

/* The commands; COPY_OBJECT is "object verify" */
enum copy_kind { COPY_EXPORT, COPY_IMPORT, COPY_VERIFY, COPY_OBJECT };

#define COPY_COMMON_ARGS "[--depth N] [--jobs N] [--buffered] [--quiet]"

struct copy_bad_chunk {
	uint64_t chunk, offset, len;
};

/**
 * struct copy_task - one object
 * @object: path; NULL: verify has none, import learns it from the manifest
 * @file: path
 * @err: how it ended, once it did: 0 or negative errno
 * @begun: a thread is at it, or was
 * @ended: it is done with
 * @stats: how far it is
 * @why: text for @err
 * @bad: the first damaged chunks
 * @nr_bad: number of damaged chunks, may be more than there is room for
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
 * struct copy_plan - what a command is to do
 * @kind: which of them it is
 * @dir: where pkramfs is mounted
 * @name: the object's new name, or NULL
 * @json: the option, as are @pretty, @help, @quiet
 * @flags: PKRAM_COPY_*
 * @chunk: bytes, or 0
 * @depth: requests in flight, of all threads
 * @jobs: threads
 * @tasks: one for each object
 * @nr_tasks: how many
 * @next: the first that no thread has taken
 * @lock: @next, @running, and of the tasks what is not a path
 * @ended: signalled when a task or a thread ends
 * @running: threads
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

/* copy.c: run a command; @o: whose help it has */
int copy_run(enum copy_kind kind, const struct ctl_object *o, int argc, char **argv);

/* Does it write nothing? */
static inline bool copy_only_reads(const struct copy_plan *plan)
{
	return plan->kind == COPY_VERIFY || plan->kind == COPY_OBJECT;
}

/* The command's name */
const char *copy_verb(const struct copy_plan *plan);

/* copy_work.c: do it, and show how far it is; SIGINT stops it */
void copy_work(struct copy_plan *plan);

/* copy_report.c: say how it went; returns &enum ctl_exit */
int copy_report(struct copy_plan *plan);

#endif /* _PKRAMCTL_COPY_PLAN_H */
