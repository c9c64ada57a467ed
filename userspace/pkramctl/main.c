// SPDX-License-Identifier: GPL-2.0
/* pkramctl: parse arguments and run a command. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "args.h"
#include "ctl.h"
#include "live.h"
#include "print.h"
#include "update_unit.h"

static const struct ctl_object *const objects[] = {
	&ctl_status, &ctl_pool, &ctl_region, &ctl_object, &ctl_dma_table,
	&ctl_handover,
	&ctl_monitor, &ctl_kexec, &ctl_guest, &ctl_update, &ctl_check, &ctl_health, &ctl_top,
	&ctl_export, &ctl_import, &ctl_verify, &ctl_report,
};

#define NR_OBJECTS	(sizeof(objects) / sizeof(objects[0]))
#define MAX_VERBS	16

static const struct ctl_object *current;

static void message(const char *kind, const char *fmt, va_list ap)
{
	char *text, *line, *end, *clean;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	fflush(stdout);
	flockfile(stderr);
	live_erase();
	fprintf(stderr, "pkramctl: %s", kind);
	/* Names in it may be anybody's. A line in it does not look like one of ours */
	for (line = ctl_must(text); line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		clean = out_clean(line);
		fprintf(stderr, "%s%s\n", line != text && *line != ' ' ? "  " : "", clean);
		free(clean);
	}
	funlockfile(stderr);
	free(text);
}

int ctl_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("", fmt, ap);
	va_end(ap);
	return CTL_FAILED;
}

void ctl_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("warning: ", fmt, ap);
	va_end(ap);
}

void ctl_nothing(const char *why)
{
	if (!out_is_json())
		ctl_error("%s", why);
}

int ctl_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("", fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try: pkramctl %s%s--help\n",
		current ? current->name : "", current ? " " : "");
	return CTL_USAGE;
}

int ctl_no_more(int argc, char **argv)
{
	return argc ? ctl_usage("unexpected argument \"%s\"", argv[0]) : 0;
}

int ctl_columns(int *argc, char **argv)
{
	const char *columns;

	if (args_value("--columns", argc, argv, &columns))
		return CTL_USAGE;
	if (columns && out_is_json())
		return ctl_usage("--columns is for text; JSON has everything");
	out_select(columns);
	return 0;
}

void *ctl_must(void *p)
{
	if (!p) {
		fputs("pkramctl: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return p;
}

const char *ctl_env(const char *variable, const char *otherwise)
{
	const char *v = getenv(variable);

	return v && *v ? v : otherwise;
}

struct pkram_ctx *ctl_open(void)
{
	struct pkram_ctx *ctx;

	if (!pkram_open(&ctx))
		return ctx;
	ctl_fail(ctx, NULL);
	return NULL;
}

int ctl_fail(struct pkram_ctx *ctx, const char *what)
{
	if (what)
		ctl_error("%s: %s", what, pkram_strerror(ctx));
	else
		ctl_error("%s", pkram_strerror(ctx));
	pkram_close(ctx);
	return CTL_FAILED;
}

int ctl_done(struct pkram_ctx *ctx)
{
	const char *remark = pkram_warning(ctx);

	if (remark)
		ctl_warn("%s", remark);
	pkram_close(ctx);
	return CTL_OK;
}

static void help_options(void)
{
	puts("Options:\n"
	     "  -j, --json     print JSON\n"
	     "  -p, --pretty   indent it\n"
	     "  --color=WHEN   colour states: auto (on a terminal, unless NO_COLOR is set),\n"
	     "                 always, never\n"
	     "  -h, --help     this text\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage, 3 done in part");
}

void ctl_help(const struct ctl_object *o, const struct ctl_verb *only)
{
	const struct ctl_verb *v;

	printf("pkramctl %s: %s\n\nUsage:\n", o->name, o->help);
	for (v = o->verbs; v->run; v++) {
		if (only && v != only)
			continue;
		printf("  pkramctl %s%s%s%s%s\n      %s\n", o->name,
		       *v->name ? " " : "", v->name, *v->args ? " " : "",
		       v->args, v->help);
	}
	putchar('\n');
	help_options();
}

/* The same as JSON */
static void help_json(void)
{
	const struct ctl_verb *v;
	unsigned int i;

	out_record_open(NULL, NULL);
	out_table_open("objects", NULL);
	for (i = 0; i < NR_OBJECTS; i++) {
		out_row_open();
		out_str("name", NULL, objects[i]->name);
		out_str("help", NULL, objects[i]->help);
		out_table_open("verbs", NULL);
		for (v = objects[i]->verbs; v->run; v++) {
			out_row_open();
			out_str("name", NULL, v->name);
			out_str("args", NULL, v->args);
			out_str("help", NULL, v->help);
			out_row_close();
		}
		out_table_close();
		out_row_close();
	}
	out_table_close();
	out_record_close();
}

static void help(void)
{
	unsigned int i;

	if (out_is_json()) {
		help_json();
		return;
	}
	puts("pkramctl: control pkram, memory that survives kexec\n\n"
	     "Usage: pkramctl [-j [-p]] OBJECT [VERB [ARGUMENTS]]\n");
	for (i = 0; i < NR_OBJECTS; i++)
		printf("  %-10s %s\n", objects[i]->name, objects[i]->help);
	puts("  version    of program, library and interface\n"
	     "  help       this text; pkramctl OBJECT --help prints more\n");
	help_options();
}

static int version(void)
{
	out_record_open(NULL, NULL);
	out_str("pkramctl", "pkramctl", PKRAM_VERSION);
	out_str("libpkram", "libpkram", pkram_version());
	out_u32("interface", "interface", PKRAM_GENL_VERSION);
	out_record_close();
	return CTL_OK;
}

struct options {
	bool json, pretty, help, version;
	enum out_color color;
};

/* Parse --color[=WHEN]. Return: it is that, and valid */
static bool take_color(const char *arg, struct options *opt)
{
	static const char *const words[] = {
		[OUT_COLOR_AUTO] = "auto", [OUT_COLOR_ALWAYS] = "always",
		[OUT_COLOR_NEVER] = "never",
	};
	unsigned int i;

	if (strncmp(arg, "--color", 7) || (arg[7] && arg[7] != '='))
		return false;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(arg[7] ? arg + 8 : "always", words[i])) {
			opt->color = i;
			return true;
		}
	}
	return false;
}

/* Parse an option that every command has. Return: it was one */
static bool take_option(const char *arg, struct options *opt)
{
	if (!strcmp(arg, "--json")) {
		opt->json = true;
	} else if (!strcmp(arg, "--pretty")) {
		opt->pretty = true;
	} else if (!strcmp(arg, "--help")) {
		opt->help = true;
	} else if (!strcmp(arg, "--version")) {
		opt->version = true;
	} else if (take_color(arg, opt)) {
		return true;
	} else {
		if (arg[0] != '-' || !arg[1] ||
		    strspn(arg + 1, "jphV") != strlen(arg + 1))
			return false;
		opt->json |= !!strchr(arg, 'j');
		opt->pretty |= !!strchr(arg, 'p');
		opt->help |= !!strchr(arg, 'h');
		opt->version |= !!strchr(arg, 'V');
	}
	return true;
}

static const struct ctl_verb *find_verb(const struct ctl_object *o,
					const char *name)
{
	const struct ctl_verb *v;

	for (v = o->verbs; v->run; v++) {
		if (!strcmp(v->name, name))
			return v;
	}
	/* An alias of show */
	return strcmp(name, "list") ? NULL : find_verb(o, "show");
}

static int unknown_verb(const struct ctl_object *o, const char *word)
{
	const char *known[MAX_VERBS];
	const struct ctl_verb *v;
	unsigned int n = 0;

	for (v = o->verbs; v->run && n < MAX_VERBS; v++)
		known[n++] = v->name;
	return args_unknown("verb", o->name, word, known, n);
}

static int unknown_object(const char *word)
{
	const char *known[NR_OBJECTS + 2];
	unsigned int i;

	for (i = 0; i < NR_OBJECTS; i++)
		known[i] = objects[i]->name;
	known[i++] = "version";
	known[i++] = "help";
	return args_unknown("object or command", NULL, word, known, i);
}

static int run_object(const struct ctl_object *o, struct options *opt, int argc,
		      char **argv)
{
	const struct ctl_verb *v = o->verbs, *named = NULL;
	bool raw;
	int i, n = 0;

	current = o;
	if (*v->name) {
		for (; argc && take_option(argv[0], opt); argc--, argv++)
			;
		if (argc && !strcmp(argv[0], "help")) {
			opt->help = true;
			argc = 0;
		} else if (argc && argv[0][0] != '-') {
			v = find_verb(o, argv[0]);
			if (!v)
				return unknown_verb(o, argv[0]);
			named = v;
			argc--;
			argv++;
		}
	}
	raw = o->raw && !strcmp(o->raw, v->name);
	for (i = 0; i < argc; i++) {
		if (raw ? take_color(argv[i], opt) : take_option(argv[i], opt))
			continue;
		if (raw) {
			argv[n++] = argv[i];
			continue;
		}
		if (argv[i][0] == '-' && !args_known(v, argv[i]))
			return ctl_usage("unknown option \"%s\"", argv[i]);
		argv[n++] = argv[i];
	}
	argc = n;
	out_set_color(opt->color);
	out_init(opt->json || opt->pretty, opt->pretty);
	if (opt->help) {
		ctl_help(o, named);
		return CTL_OK;
	}
	return v->run(argc, argv);
}

static int run(int argc, char **argv)
{
	struct options opt = { 0 };
	unsigned int i;

	for (; argc && argv[0][0] == '-'; argc--, argv++) {
		if (!take_option(argv[0], &opt))
			return ctl_usage("unknown option \"%s\"", argv[0]);
	}
	out_init(opt.json || opt.pretty, opt.pretty);
	if (!argc && !opt.help && !opt.version)
		return ctl_usage("no command given");
	if (opt.version || (argc && !strcmp(argv[0], "version"))) {
		if (argc > 1 && take_option(argv[1], &opt))
			out_init(opt.json || opt.pretty, opt.pretty);
		return version();
	}
	if (argc > 1 && !strcmp(argv[0], "help") && take_option(argv[1], &opt)) {
		out_init(opt.json || opt.pretty, opt.pretty);
		argc = 1;
	}
	if (!argc || (!strcmp(argv[0], "help") && argc == 1)) {
		help();
		return CTL_OK;
	}
	if (!strcmp(argv[0], "help")) {
		opt.help = true;
		argc--;
		argv++;
	}
	for (i = 0; i < NR_OBJECTS; i++) {
		if (!strcmp(argv[0], objects[i]->name))
			return run_object(objects[i], &opt, argc - 1, argv + 1);
	}
	return unknown_object(argv[0]);
}

int main(int argc, char **argv)
{
	int ret = run(argc - (argc > 0), argv + (argc > 0));

	int err = out_fini();

	if (err == -EINVAL)
		ret = CTL_USAGE;
	else if (err && ret == CTL_OK)
		ret = ctl_error("writing to standard output failed");
	update_unit_end(ret);
	return ret;
}
