// SPDX-License-Identifier: GPL-2.0
/* pkramctl export, import, verify: threads that process the objects one after another. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "copy_plan.h"
#include "ctl.h"
#include "object_file.h"
#include "progress.h"

#define SHOW_NS		200000000L

static volatile sig_atomic_t stopped;

struct worker {
	struct copy_plan *plan;
	struct copy_task *task;
};

static bool on_progress(const struct pkram_copy_stats *stats, void *arg)
{
	struct worker *w = arg;

	pthread_mutex_lock(&w->plan->lock);
	w->task->stats = *stats;
	pthread_mutex_unlock(&w->plan->lock);
	return !stopped;
}

static void on_bad(uint64_t chunk, uint64_t offset, uint64_t len, void *arg)
{
	struct worker *w = arg;

	if (w->task->nr_bad < COPY_MAX_BAD)
		w->task->bad[w->task->nr_bad] = (struct copy_bad_chunk){ chunk, offset, len };
	w->task->nr_bad++;
}

/* Use the object's original name unless another one was given */
static int find_name(struct copy_plan *plan, struct pkram_copy *copy, struct copy_task *t)
{
	char *name;
	int err = pkram_copy_name(copy, t->file, &name);

	if (!err) {
		t->object = path_join(plan->dir, name);
		free(name);
	}
	return err;
}

static int do_task(struct copy_plan *plan, struct pkram_copy *copy, struct copy_task *t)
{
	int err;

	switch (plan->kind) {
	case COPY_EXPORT:
		return pkram_copy_export(copy, t->object, t->file);
	case COPY_IMPORT:
		err = t->object ? 0 : find_name(plan, copy, t);
		return err ? err : pkram_copy_import(copy, t->file, t->object);
	case COPY_OBJECT:
		return pkram_copy_compare(copy, t->object, t->file);
	default:
		return pkram_copy_verify(copy, t->file);
	}
}

static void *work(void *arg)
{
	struct worker w = { .plan = arg };
	struct copy_plan *plan = arg;
	struct pkram_copy *copy;
	struct copy_task *t;
	int err;

	pthread_mutex_lock(&plan->lock);
	while (plan->next < plan->nr_tasks && !stopped) {
		t = &plan->tasks[plan->next++];
		t->begun = true;
		w.task = t;
		pthread_mutex_unlock(&plan->lock);

		ctl_must(pkram_copy_create(&copy) ? NULL : copy);
		pkram_copy_set_flags(copy, plan->flags);
		/* All threads share one disk, so they share the number of requests */
		pkram_copy_set_depth(copy, plan->depth / plan->jobs ?: 1);
		err = plan->chunk ? pkram_copy_set_chunk(copy, plan->chunk) : 0;
		pkram_copy_on_progress(copy, on_progress, &w);
		pkram_copy_on_bad(copy, on_bad, &w);
		if (!err)
			err = do_task(plan, copy, t);

		pthread_mutex_lock(&plan->lock);
		t->err = err;
		t->stats = *pkram_copy_stats(copy);
		snprintf(t->why, sizeof(t->why), "%s", pkram_copy_strerror(copy));
		t->ended = true;
		pkram_copy_free(copy);
		pthread_cond_signal(&plan->ended);
	}
	plan->running--;
	pthread_cond_signal(&plan->ended);
	pthread_mutex_unlock(&plan->lock);
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void catch_signals(void)
{
	/* A second signal ends the program at once. */
	struct sigaction sa = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESETHAND,
	};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* Called with the lock held */
static void show(const struct copy_plan *plan)
{
	struct progress p = { .what = "" };
	unsigned int i, ended = 0;
	char what[64];

	for (i = 0; i < plan->nr_tasks; i++) {
		const struct copy_task *t = &plan->tasks[i];

		p.done += t->stats.done;
		p.all += t->stats.data;
		p.rate += t->begun && !t->ended ? t->stats.rate : 0;
		ended += t->ended;
	}
	snprintf(what, sizeof(what), "%u of %u objects done", ended, plan->nr_tasks);
	p.what = plan->nr_tasks > 1 ? what :
		 plan->kind == COPY_EXPORT || plan->kind == COPY_OBJECT ?
			plan->tasks[0].object : plan->tasks[0].file;
	if (!plan->quiet)
		progress_show(&p);
}

void copy_work(struct copy_plan *plan)
{
	pthread_t threads[COPY_MAX_JOBS];
	struct timespec until;
	uint32_t i;

	if (plan->jobs > plan->nr_tasks)
		plan->jobs = plan->nr_tasks;
	catch_signals();
	pthread_mutex_lock(&plan->lock);
	for (i = 0; i < plan->jobs; i++) {
		if (pthread_create(&threads[i], NULL, work, plan))
			break;
		plan->running++;
	}
	plan->jobs = i;
	while (plan->running) {
		show(plan);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += SHOW_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&plan->ended, &plan->lock, &until);
	}
	pthread_mutex_unlock(&plan->lock);
	while (i--)
		pthread_join(threads[i], NULL);
	progress_clear();
}
