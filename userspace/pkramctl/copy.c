// SPDX-License-Identifier: GPL-2.0
/* pkramctl export, import, verify: objects to files and back, several at once. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include "ctl.h"
#include "parse.h"
#include "print.h"
#include "progress.h"

#define MOUNT		"/dev/pkram"
#define JOBS		4
#define DEPTH		16
#define MAX_BAD		16	/* damaged chunks of a file that are told of */
#define SHOW_NS		200000000L

enum copy_kind { COPY_EXPORT, COPY_IMPORT, COPY_VERIFY };

struct bad_chunk {
	uint64_t chunk, offset, len;
};

/* One object */
struct task {
	char *object, *file;	/* paths; verify has no object */
	int err;
	bool begun, ended;
	struct pkram_copy_stats stats;
	char why[1024];
	struct bad_chunk bad[MAX_BAD];
	unsigned int nr_bad;
};

struct plan {
	enum copy_kind kind;
	const char *dir, *name;
	bool json, pretty, help, quiet;
	uint32_t flags, chunk, depth, jobs;
	struct task *tasks;
	unsigned int nr_tasks, next;
	pthread_mutex_t lock;	/* next, and of the tasks what is not a path */
	pthread_cond_t ended;
	unsigned int running;	/* threads */
};

static volatile sig_atomic_t stopped;

enum { OPT_CHUNK = 256, OPT_DEPTH, OPT_JOBS, OPT_DIR, OPT_NAME, OPT_BUFFERED };

static const struct option options[] = {
	{ "force", no_argument, NULL, 'f' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "chunk", required_argument, NULL, OPT_CHUNK },
	{ "depth", required_argument, NULL, OPT_DEPTH },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "buffered", no_argument, NULL, OPT_BUFFERED },
	{ "json", no_argument, NULL, 'j' },
	{ "pretty", no_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static const char *verb(const struct plan *plan)
{
	static const char *const verbs[] = { "export", "import", "verify" };

	return verbs[plan->kind];
}

static void *must(void *p)
{
	if (!p) {
		fputs("pkramctl: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return p;
}

static int set_number(const struct plan *plan, const char *what, const char *s,
		      uint64_t max, uint32_t *v)
{
	uint64_t n;

	if (parse_size(s, &n) || !n || n > max)
		return ctl_usage("%s: \"%s\" is no %s", verb(plan), s, what);
	*v = n;
	return 0;
}

/* Does the option make sense for the command? */
static bool takes(const struct plan *plan, int option)
{
	switch (option) {
	case 'f':
	case OPT_DIR:
		return plan->kind != COPY_VERIFY;
	case OPT_CHUNK:
		return plan->kind == COPY_EXPORT;
	case OPT_NAME:
		return plan->kind == COPY_IMPORT;
	default:
		return true;
	}
}

static int take_option(struct plan *plan, int c)
{
	switch (c) {
	case 'f':
		plan->flags |= PKRAM_COPY_FORCE;
		return 0;
	case 'q':
		plan->quiet = true;
		return 0;
	case 'j':
		plan->json = true;
		return 0;
	case 'p':
		plan->pretty = true;
		return 0;
	case 'h':
		plan->help = true;
		return 0;
	case OPT_BUFFERED:
		plan->flags |= PKRAM_COPY_BUFFERED;
		return 0;
	case OPT_DIR:
		plan->dir = optarg;
		return 0;
	case OPT_NAME:
		plan->name = optarg;
		return 0;
	case OPT_CHUNK:
		return set_number(plan, "size of a chunk", optarg, 64 << 20, &plan->chunk);
	case OPT_DEPTH:
		return set_number(plan, "number of requests (1 to 1024)", optarg, 1024,
				  &plan->depth);
	default:
		return set_number(plan, "number of objects at a time (1 to 64)", optarg, 64,
				  &plan->jobs);
	}
}

/* The words that are no options are left in @words. */
static int parse_options(struct plan *plan, int argc, char **argv, char **words, int *nr)
{
	char *args[argc + 2];
	int c, ret;

	/* getopt's argv begins with the program */
	args[0] = "pkramctl";
	memcpy(args + 1, argv, argc * sizeof(*args));
	args[argc + 1] = NULL;
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc + 1, args, "fqjph", options, NULL)) != -1) {
		if (c == '?' || !takes(plan, c))
			return ctl_usage("%s: wrong option, or its argument is missing: \"%s\"",
					 verb(plan), args[optind - 1]);
		ret = take_option(plan, c);
		if (ret)
			return ret;
	}
	for (*nr = 0; optind <= argc; optind++)
		words[(*nr)++] = args[optind];
	return 0;
}

static char *join(const char *dir, const char *name)
{
	char *path;

	return must(asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path);
}

/* A name is one in the pool's file system, unless it says that it is a path. */
static char *object_path(const struct plan *plan, const char *word)
{
	if (*word == '/' || !strncmp(word, "./", 2) || !strncmp(word, "../", 3))
		return must(strdup(word));
	return join(plan->dir, word);
}

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static void add_task(struct plan *plan, char *object, char *file)
{
	struct task *t = &plan->tasks[plan->nr_tasks++];

	t->object = object;
	t->file = file;
}

/* A guest that runs goes on writing: say so. */
static void check_claim(const char *object)
{
	struct pkram_info info = { .size = sizeof(info) };
	int fd = open(object, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!pkram_file_info(fd, &info) && info.state == PKRAM_STATE_CLAIMED)
		ctl_warn("%s is claimed: its owner may write to it meanwhile, the copy is of no one moment",
			 object);
	close(fd);
}

static int plan_export(struct plan *plan, char **words, int nr)
{
	const char *to, *base;
	bool dir;
	int i;

	if (nr < 2)
		return ctl_usage(nr ? "export: where to?" :
				 "export: which objects, and where to?");
	to = words[--nr];
	dir = is_dir(to);
	if (nr > 1 && !dir)
		return ctl_usage("export: \"%s\" is not a directory", to);
	for (i = 0; i < nr; i++) {
		base = strrchr(words[i], '/') ?: words[i] - 1;
		add_task(plan, object_path(plan, words[i]),
			 dir ? join(to, base + 1) : must(strdup(to)));
		check_claim(plan->tasks[i].object);
	}
	return 0;
}

static int plan_import(struct plan *plan, char **words, int nr)
{
	int i;

	if (!nr)
		return ctl_usage("%s: which files?", verb(plan));
	if (plan->name && nr > 1)
		return ctl_usage("import: --name is for one file");
	for (i = 0; i < nr; i++)
		add_task(plan, plan->name ? object_path(plan, plan->name) : NULL,
			 must(strdup(words[i])));
	return 0;
}

/* Working: each thread takes the next object */

struct worker {
	struct plan *plan;
	struct task *task;
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

	if (w->task->nr_bad < MAX_BAD)
		w->task->bad[w->task->nr_bad] = (struct bad_chunk){ chunk, offset, len };
	w->task->nr_bad++;
}

/* The name that the object had, unless it is to get another */
static int find_name(struct plan *plan, struct pkram_copy *copy, struct task *t)
{
	char *name;
	int err = pkram_copy_name(copy, t->file, &name);

	if (!err) {
		t->object = join(plan->dir, name);
		free(name);
	}
	return err;
}

static int do_task(struct plan *plan, struct pkram_copy *copy, struct task *t)
{
	int err;

	switch (plan->kind) {
	case COPY_EXPORT:
		return pkram_copy_export(copy, t->object, t->file);
	case COPY_IMPORT:
		err = t->object ? 0 : find_name(plan, copy, t);
		return err ? err : pkram_copy_import(copy, t->file, t->object);
	default:
		return pkram_copy_verify(copy, t->file);
	}
}

static void *work(void *arg)
{
	struct worker w = { .plan = arg };
	struct plan *plan = arg;
	struct pkram_copy *copy;
	struct task *t;
	int err;

	pthread_mutex_lock(&plan->lock);
	while (plan->next < plan->nr_tasks && !stopped) {
		t = &plan->tasks[plan->next++];
		t->begun = true;
		w.task = t;
		pthread_mutex_unlock(&plan->lock);

		must(pkram_copy_create(&copy) ? NULL : copy);
		pkram_copy_set_flags(copy, plan->flags);
		/* The disk is one: as many requests as were asked for, in all */
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
	/* A second one ends the program there and then. */
	struct sigaction sa = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESETHAND,
	};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* Lock held */
static void show(const struct plan *plan)
{
	struct progress p = { .what = "" };
	unsigned int i, ended = 0;
	char what[64];

	for (i = 0; i < plan->nr_tasks; i++) {
		const struct task *t = &plan->tasks[i];

		p.done += t->stats.done;
		p.all += t->stats.data;
		p.rate += t->begun && !t->ended ? t->stats.rate : 0;
		ended += t->ended;
	}
	snprintf(what, sizeof(what), "%u of %u objects done", ended, plan->nr_tasks);
	p.what = plan->nr_tasks > 1 ? what :
		 plan->kind == COPY_EXPORT ? plan->tasks[0].object : plan->tasks[0].file;
	if (!plan->quiet)
		progress_show(&p);
}

static void run_all(struct plan *plan)
{
	pthread_t threads[64];
	struct timespec until;
	uint32_t i;

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

/* Telling */

static bool resumable(int err)
{
	return err == -ECANCELED || err == -ENOSPC || err == -EDQUOT || err == -EIO ||
	       err == -EFBIG;
}

/* Names out of a manifest may hold what could steer a terminal. */
static const char *printable(char *s)
{
	char *p;

	for (p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return s;
}

static void tell(const struct plan *plan, struct task *t)
{
	const char *path = plan->kind == COPY_EXPORT ? t->object : t->file;
	char done[32], all[32];
	unsigned int i;

	/* If it is one, the text names it. */
	for (i = 0; t->nr_bad > 1 && i < t->nr_bad && i < MAX_BAD; i++)
		ctl_error("%s: chunk %" PRIu64 ", %" PRIu64 " bytes at byte %" PRIu64 ", is damaged",
			  t->file, t->bad[i].chunk, t->bad[i].len, t->bad[i].offset);
	if (t->nr_bad > MAX_BAD)
		ctl_error("%s: and %u more", t->file, t->nr_bad - MAX_BAD);
	if (t->err == -ECANCELED && !t->begun)
		ctl_error("%s: not begun", path);
	else if (t->err == -ECANCELED)
		ctl_error("%s: stopped at %s of %s%s", path,
			  format_size(t->stats.done, done, sizeof(done)),
			  format_size(t->stats.data, all, sizeof(all)),
			  plan->kind == COPY_VERIFY ? "" :
			  "; the same command goes on from there");
	else if (t->err == -EINVAL && !*t->why)
		ctl_error("%s: a chunk is a power of two from 4 KiB to 64 MiB", verb(plan));
	else if (t->err)
		ctl_error("%s%s", printable(t->why),
			  resumable(t->err) && plan->kind != COPY_VERIFY ?
			  "; the same command goes on from there" : "");
}

static void print_task(const struct plan *plan, const struct task *t)
{
	const struct pkram_copy_stats *s = &t->stats;
	uint64_t moved = s->done - s->kept, rate = PKRAM_NONE64;
	char buf[48];

	if (s->elapsed_ms && !t->err)
		rate = moved * 1000 / s->elapsed_ms;
	out_row_open();
	out_str("result", "RESULT", !t->err ? "ok" : t->err == -ECANCELED ? "stopped" :
		"failed");
	if (t->err)
		out_u32("errno", NULL, -t->err);
	out_str("object", "OBJECT", t->object);
	out_str("file", "FILE", t->file);
	out_size("size", "SIZE", s->size);
	out_size("data", "DATA", s->data);
	if (plan->kind != COPY_VERIFY) {
		out_size("kept", NULL, s->kept);
		/* In text only where there was something to go on from */
		out_size(NULL, "KEPT", s->kept ?: PKRAM_NONE64);
		out_size("written", "WRITTEN", s->written);
	} else {
		out_u64("chunks", "CHUNKS", s->nr_chunks);
		out_u64("damaged", "DAMAGED", s->nr_bad);
	}
	out_u64("elapsed_ms", NULL, s->elapsed_ms);
	snprintf(buf, sizeof(buf), "%" PRIu64 ".%" PRIu64 " s", s->elapsed_ms / 1000,
		 s->elapsed_ms / 100 % 10);
	out_str(NULL, "TIME", buf);
	out_u64("rate", NULL, rate);
	out_str(NULL, "RATE", rate == PKRAM_NONE64 ? NULL :
		format_rate(rate, buf, sizeof(buf)));
	out_bool("direct_in", NULL, s->direct_in);
	if (plan->kind != COPY_VERIFY)
		out_bool("direct_out", NULL, s->direct_out);
	out_bool("registered", NULL, s->registered);
	out_str("error", NULL, t->err ? t->why : NULL);
	out_row_close();
}

static int report(struct plan *plan)
{
	unsigned int i, failed = 0;

	out_table_open(NULL, NULL);
	for (i = 0; i < plan->nr_tasks; i++) {
		struct task *t = &plan->tasks[i];

		if (!t->begun)
			t->err = -ECANCELED;
		failed += !!t->err;
		/* Of those that failed, standard error tells. */
		if (!t->err || out_is_json())
			print_task(plan, t);
	}
	out_table_close();
	for (i = 0; i < plan->nr_tasks; i++)
		tell(plan, &plan->tasks[i]);
	return !failed ? CTL_OK : failed < plan->nr_tasks ? CTL_PARTLY : CTL_FAILED;
}

static void free_tasks(struct plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->nr_tasks; i++) {
		free(plan->tasks[i].object);
		free(plan->tasks[i].file);
	}
	free(plan->tasks);
}

static int copy_run(enum copy_kind kind, const struct ctl_object *o, int argc, char **argv)
{
	struct plan plan = {
		.kind = kind,
		.dir = MOUNT,
		.depth = DEPTH,
		.jobs = JOBS,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.ended = PTHREAD_COND_INITIALIZER,
	};
	char *words[argc + 1];
	int nr = 0, ret;

	ret = parse_options(&plan, argc, argv, words, &nr);
	if (ret)
		return ret;
	if (plan.help) {
		ctl_help_object(o);
		return CTL_OK;
	}
	if (plan.json || plan.pretty)
		out_init(true, plan.pretty);
	plan.tasks = must(calloc(nr + 1, sizeof(*plan.tasks)));
	ret = kind == COPY_EXPORT ? plan_export(&plan, words, nr) :
				    plan_import(&plan, words, nr);
	if (!ret) {
		if (plan.jobs > plan.nr_tasks)
			plan.jobs = plan.nr_tasks;
		catch_signals();
		run_all(&plan);
		ret = report(&plan);
	}
	free_tasks(&plan);
	return ret;
}

static int export_run(int argc, char **argv)
{
	return copy_run(COPY_EXPORT, &ctl_export, argc, argv);
}

static int import_run(int argc, char **argv)
{
	return copy_run(COPY_IMPORT, &ctl_import, argc, argv);
}

static int verify_run(int argc, char **argv)
{
	return copy_run(COPY_VERIFY, &ctl_verify, argc, argv);
}

#define COMMON_ARGS "[--depth N] [--jobs N] [--buffered] [--quiet]"

static const struct ctl_verb export_verbs[] = {
	{ "", "OBJECT... FILE|DIRECTORY [--force] [--chunk SIZE] [--dir MOUNT]\n"
	      "      " COMMON_ARGS,
	  "copy objects to files, with a checksum of each chunk in FILE.manifest. An\n"
	  "      OBJECT is a name in /dev/pkram (or MOUNT), or a path. What was stopped\n"
	  "      goes on where it was. --force: replace a file that is there. --depth:\n"
	  "      requests in flight (16). --jobs: objects at a time (4). --buffered: no\n"
	  "      O_DIRECT. --quiet: do not show how far it is",
	  export_run },
	{ }
};

static const struct ctl_verb import_verbs[] = {
	{ "", "FILE... [--name NAME] [--force] [--dir MOUNT]\n"
	      "      " COMMON_ARGS,
	  "make objects of exported files, under the names they had, and with their\n"
	  "      owners, modes and labels. --name: another name for one. --force:\n"
	  "      replace an object that is there, once all of the file was read",
	  import_run },
	{ }
};

static const struct ctl_verb verify_verbs[] = {
	{ "", "FILE... " COMMON_ARGS,
	  "read exported files and compare every chunk with its checksum", verify_run },
	{ }
};

const struct ctl_object ctl_export = {
	.name = "export",
	.help = "copy objects to files",
	.verbs = export_verbs,
	.raw = true,
};

const struct ctl_object ctl_import = {
	.name = "import",
	.help = "make objects of exported files",
	.verbs = import_verbs,
	.raw = true,
};

const struct ctl_object ctl_verify = {
	.name = "verify",
	.help = "compare exported files with their checksums",
	.verbs = verify_verbs,
	.raw = true,
};
