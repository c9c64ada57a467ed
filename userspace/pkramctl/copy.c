// SPDX-License-Identifier: GPL-2.0
/* pkramctl export, import, verify: copy objects to files and back, several at once. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "copy_plan.h"
#include "ctl.h"
#include "object_file.h"
#include "parse.h"
#include "print.h"

#define MANIFEST	".manifest"

#define JOBS		4
#define DEPTH		16

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

const char *copy_verb(const struct copy_plan *plan)
{
	static const char *const verbs[] = {
		"export", "import", "verify", "object verify"
	};

	return verbs[plan->kind];
}

static int set_number(const struct copy_plan *plan, const char *what, const char *s,
		      uint64_t max, uint32_t *v)
{
	uint64_t n;

	if (parse_size(s, &n) || !n || n > max)
		return ctl_usage("%s: \"%s\" is not a valid %s", copy_verb(plan), s, what);
	*v = n;
	return 0;
}

/* Return whether the command has the option */
static bool takes(const struct copy_plan *plan, int option)
{
	switch (option) {
	case 'f':
		return !copy_only_reads(plan);
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

static int take_option(struct copy_plan *plan, int c)
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
		return set_number(plan, "number of objects at a time (1 to 64)", optarg,
				  COPY_MAX_JOBS, &plan->jobs);
	}
}

/* Parse options; the other words are returned in @words. */
static int parse_options(struct copy_plan *plan, int argc, char **argv, char **words, int *nr)
{
	char *args[argc + 2];
	int c, ret;

	/* getopt expects the program's name first */
	args[0] = "pkramctl";
	memcpy(args + 1, argv, argc * sizeof(*args));
	args[argc + 1] = NULL;
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc + 1, args, "fqjph", options, NULL)) != -1) {
		if (c == '?' || !takes(plan, c))
			return ctl_usage("%s: unknown option, or missing value: \"%s\"",
					 copy_verb(plan), args[optind - 1]);
		ret = take_option(plan, c);
		if (ret)
			return ret;
	}
	for (*nr = 0; optind <= argc; optind++)
		words[(*nr)++] = args[optind];
	return 0;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static void add_task(struct copy_plan *plan, char *object, char *file)
{
	struct copy_task *t = &plan->tasks[plan->nr_tasks++];

	t->object = object;
	t->file = file;
}

/* Warn that a running guest changes the object during the copy */
static void check_claim(const char *object)
{
	struct pkram_ioc_info info = { .size = sizeof(info) };
	int fd = open(object, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!pkram_file_info(fd, &info) && info.state == PKRAM_STATE_CLAIMED)
		ctl_warn("%s is claimed: its owner may change it during the copy, which is then inconsistent",
			 object);
	close(fd);
}

/* Objects and their files */
static int plan_export(struct copy_plan *plan, char **words, int nr)
{
	const char *to, *base;
	bool dir;
	int i;

	if (nr < 2)
		return ctl_usage("%s: %s", copy_verb(plan), plan->kind == COPY_OBJECT ?
				 "no objects and no exported files given" :
				 nr ? "no target given" : "no objects and no target given");
	to = words[--nr];
	dir = is_dir(to);
	if (nr > 1 && !dir)
		return ctl_usage("%s: \"%s\" is not a directory",
				 copy_verb(plan), to);
	for (i = 0; i < nr; i++) {
		base = strrchr(words[i], '/') ?: words[i] - 1;
		add_task(plan, object_path(plan->dir, words[i]),
			 dir ? path_join(to, base + 1) : ctl_must(strdup(to)));
		if (object_unmounted(plan->tasks[i].object))
			return ctl_error(OBJECT_UNMOUNTED, object_dir());
		check_claim(plan->tasks[i].object);
	}
	return 0;
}

/*
 * Return the file that a word of import or verify names: a manifest, as a pattern of the shell
 * finds it, stands for its file. NULL: that is named, too
 */
static char *exported_file(const char *word, char **words, int nr)
{
	size_t len = strlen(word), suffix = strlen(MANIFEST);
	char *file = ctl_must(strdup(word));
	int i;

	if (len <= suffix || strcmp(word + len - suffix, MANIFEST))
		return file;
	file[len - suffix] = '\0';
	if (access(file, F_OK))
		strcpy(file, word);
	for (i = 0; i < nr && (words[i] == word || strcmp(words[i], file)); i++)
		;
	if (i == nr)
		return file;
	free(file);
	return NULL;
}

static int plan_import(struct copy_plan *plan, char **words, int nr)
{
	char *file;
	int i;

	if (!nr)
		return ctl_usage("%s: no files given", copy_verb(plan));
	if (plan->name && nr > 1)
		return ctl_usage("import: --name applies to one file only");
	/* It would be a copy in the kernel's own memory */
	if (plan->kind == COPY_IMPORT && object_unmounted(plan->dir))
		return ctl_error(OBJECT_UNMOUNTED, object_dir());
	for (i = 0; i < nr; i++) {
		file = exported_file(words[i], words, nr);
		if (file)
			add_task(plan, plan->name ? object_path(plan->dir, plan->name) : NULL,
				 file);
	}
	return 0;
}

static void free_tasks(struct copy_plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->nr_tasks; i++) {
		free(plan->tasks[i].object);
		free(plan->tasks[i].file);
	}
	free(plan->tasks);
}

int copy_run(enum copy_kind kind, const struct ctl_object *o, int argc, char **argv)
{
	struct copy_plan plan = {
		.kind = kind,
		.dir = object_dir(),
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
		ctl_help(o, NULL);
		return CTL_OK;
	}
	if (plan.json || plan.pretty)
		out_init(true, plan.pretty);
	plan.tasks = ctl_must(calloc(nr + 1, sizeof(*plan.tasks)));
	ret = kind == COPY_EXPORT || kind == COPY_OBJECT ?
		plan_export(&plan, words, nr) : plan_import(&plan, words, nr);
	if (!ret) {
		copy_work(&plan);
		ret = copy_report(&plan);
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

static const struct ctl_verb export_verbs[] = {
	{ "", "OBJECT... FILE|DIRECTORY [--force] [--chunk SIZE] [--dir MOUNT]\n"
	      "      " COPY_COMMON_ARGS,
	  "copy objects to files, with a checksum of each chunk in FILE.manifest. An\n"
	  "      OBJECT is a name in /dev/pkram (or MOUNT), or a path. An interrupted\n"
	  "      export is continued. --force: replace an existing file. --depth:\n"
	  "      requests in flight (16). --jobs: objects at a time (4). --buffered: no\n"
	  "      O_DIRECT. --quiet: print no progress",
	  export_run },
	{ }
};

static const struct ctl_verb import_verbs[] = {
	{ "", "FILE... [--name NAME] [--force] [--dir MOUNT]\n"
	      "      " COPY_COMMON_ARGS,
	  "create objects from exported files, with their names, owners, modes and\n"
	  "      labels. --name: another name for one object. --force: replace an\n"
	  "      existing object when all of the file was read",
	  import_run },
	{ }
};

static const struct ctl_verb verify_verbs[] = {
	{ "", "FILE... " COPY_COMMON_ARGS,
	  "read exported files and compare every chunk with its checksum", verify_run },
	{ }
};

const struct ctl_object ctl_export = {
	.name = "export",
	.help = "copy objects to files",
	.verbs = export_verbs,
	.raw = "",
};

const struct ctl_object ctl_import = {
	.name = "import",
	.help = "create objects from exported files",
	.verbs = import_verbs,
	.raw = "",
};

const struct ctl_object ctl_verify = {
	.name = "verify",
	.help = "compare exported files with their checksums",
	.verbs = verify_verbs,
	.raw = "",
};
