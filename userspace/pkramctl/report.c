// SPDX-License-Identifier: GPL-2.0
/* pkramctl report: write what a bug report needs into an archive or a directory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "args.h"
#include "ctl.h"
#include "print.h"
#include "report.h"

#define SUFFIX	".tar.gz"

static const char readme[] =
	"A report of pkramctl for the developers of pkram.\n"
	"\n"
	"It has the versions, the modules' parameters, the state of the pool, names and sizes of\n"
	"objects and guests, physical addresses, the whole log of the kernel (dmesg), the kernel's\n"
	"command line, and the journal of pkram's units since the boot. It has nothing of what is\n"
	"in objects, labels or guests, and not the guests' logs (/var/log/pkram).\n"
	"In guest-NAME.json the values of passwords, secrets, keys, tokens, credentials and data\n"
	"are replaced, and users and passwords in URLs; other files are as they were. Look through\n"
	"them before you send them.\n";

/* Return the name of the report if none is given, from malloc() */
static char *default_name(bool directory)
{
	char host[HOST_NAME_MAX + 1] = "host", when[32], *name;
	time_t now = time(NULL);
	struct tm tm;

	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, "./")] = '\0';
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	if (asprintf(&name, "pkram-report-%s-%s%s", host, when, directory ? "" : SUFFIX) < 0)
		name = NULL;
	return ctl_must(name);
}

/* Return the name of the directory in an archive, from malloc() */
static char *inner_name(const char *path)
{
	const char *base = strrchr(path, '/');
	size_t len;

	base = base ? base + 1 : path;
	len = strlen(base);
	if (len > strlen(SUFFIX) && !strcmp(base + len - strlen(SUFFIX), SUFFIX))
		len -= strlen(SUFFIX);
	return ctl_must(strndup(base, len));
}

static void print_items(FILE *out, const struct report_item *items)
{
	const struct report_item *i;

	fputs("\nFiles:\n", out);
	for (i = items; i; i = i->next) {
		if (i->missed)
			continue;
		if (i->removed)
			fprintf(out, "  %s (secrets removed: %u)\n", i->name, i->removed);
		else
			fprintf(out, "  %s\n", i->name);
	}
	fputs("\nNot taken:\n", out);
	for (i = items; i; i = i->next) {
		if (i->missed)
			fprintf(out, "  %s: %s\n", i->name, i->missed);
	}
}

/* Collect into a directory, which is made. Return: 0, or %CTL_FAILED, which was reported */
static int collect(struct report *r)
{
	FILE *f;
	int err;

	if (mkdir(r->directory, 0700)) {
		if (errno == EEXIST)
			return ctl_error("%s exists already; name another one", r->directory);
		return ctl_error("%s: %s", r->directory, strerror(errno));
	}
	r->dir = open(r->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir < 0)
		return ctl_error("%s: %s", r->directory, strerror(errno));
	report_take_all(r);
	f = report_file(r, "README");
	if (!f)
		return ctl_error("%s/README: %s", r->directory, strerror(errno));
	fputs(readme, f);
	print_items(f, r->items);
	err = ferror(f);
	if (fclose(f) || err)
		return ctl_error("%s/README: %s", r->directory, strerror(errno));
	return CTL_OK;
}

/* Remove a directory that collect() made */
static void remove_directory(struct report *r)
{
	struct report_item *i;

	for (i = r->items; i; i = i->next)
		unlinkat(r->dir, i->name, 0);
	unlinkat(r->dir, "README", 0);
	rmdir(r->directory);
}

/* Pack the directory @name in @parent. Return: 0, or %CTL_FAILED, which was reported */
static int pack(const char *parent, const char *name, const char *path, int fd)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (dup2(fd, STDOUT_FILENO) < 0)
			_exit(126);
		execlp("tar", "tar", "-C", parent, "-cz", "-f", "-", "--", name, NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return ctl_error("tar is not installed; write the report as a directory: pkramctl report --directory");
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) || fsync(fd))
		return ctl_error("%s: tar could not write it", path);
	return CTL_OK;
}

/* Collect into a temporary directory, and pack it. */
static int write_archive(struct report *r, const char *path)
{
	const char *tmp = getenv("TMPDIR");
	char parent[PATH_MAX], directory[PATH_MAX + 256], *name;
	int fd, ret;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return ctl_error("%s exists already; name another one", path);
	if (fd < 0)
		return ctl_error("%s: %s", path, strerror(errno));
	snprintf(parent, sizeof(parent), "%s/pkram-report-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(parent)) {
		ret = ctl_error("%s: %s", parent, strerror(errno));
		unlink(path);
		close(fd);
		return ret;
	}
	name = inner_name(path);
	snprintf(directory, sizeof(directory), "%s/%s", parent, name);
	r->directory = directory;
	ret = collect(r);
	if (!ret)
		ret = pack(parent, name, path, fd);
	remove_directory(r);
	rmdir(parent);
	r->directory = NULL;
	free(name);
	if (ret)
		unlink(path);
	close(fd);
	return ret;
}

static void print_result(const char *path, const struct report_item *items)
{
	const struct report_item *i;
	unsigned int missed = 0;

	out_record_open(NULL, NULL);
	out_str("report", "report", path);
	out_table_open("taken", NULL);
	for (i = items; out_is_json() && i; i = i->next) {
		if (i->missed)
			continue;
		out_row_open();
		out_str("file", NULL, i->name);
		out_u32("removed", NULL, i->removed);
		out_row_close();
	}
	out_table_close();
	for (i = items; i; i = i->next)
		missed += !!i->missed;
	out_table_open("missed", missed ? "not taken:" : NULL);
	for (i = items; i; i = i->next) {
		if (!i->missed)
			continue;
		out_row_open();
		out_str("file", "FILE", i->name);
		out_str("reason", "BECAUSE", i->missed);
		out_row_close();
	}
	out_table_close();
	out_text("It has the whole kernel log and the names of objects and guests. Look through it before you send it");
	out_record_close();
}

static int report_run(int argc, char **argv)
{
	bool directory = args_flag("--directory", &argc, argv);
	struct report_item *i, *next;
	struct report r = { .dir = -1 };
	char *path;
	int ret;

	if (argc && ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
	if (geteuid())
		ctl_warn("only root can read everything; the report will lack names, addresses and logs");
	path = argc ? ctl_must(strdup(argv[0])) : default_name(directory);
	umask(077);
	if (directory) {
		r.directory = path;
		ret = collect(&r);
	} else {
		ret = write_archive(&r, path);
	}
	if (!ret)
		print_result(path, r.items);
	if (r.dir >= 0)
		close(r.dir);
	for (i = r.items; i; i = next) {
		next = i->next;
		free(i->missed);
		free(i);
	}
	free(path);
	return ret;
}

static const struct ctl_verb report_verbs[] = {
	{ "", "[FILE] [--directory]",
	  "collect what a bug report needs, without the guests' data, into FILE (a .tar.gz);\n"
	  "      --directory: into a directory of that name", report_run },
	{ }
};

const struct ctl_object ctl_report = {
	.name = "report",
	.help = "collect what a bug report needs",
	.verbs = report_verbs,
};
