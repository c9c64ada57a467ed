/* SPDX-License-Identifier: GPL-2.0 */
/* pkramctl: declarations shared by its commands. */
#ifndef _PKRAMCTL_CTL_H
#define _PKRAMCTL_CTL_H

#include <stdbool.h>
#include "pkram.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_PARTLY = 3,		/* succeeded only in part */
};

/**
 * struct ctl_verb - an operation on an object
 * @name: the word
 * @args: synopsis of its arguments; it names every option of the verb
 * @help: one line
 * @run: @argv without the verb itself; returns &enum ctl_exit
 */
struct ctl_verb {
	const char *name;
	const char *args;
	const char *help;
	int (*run)(int argc, char **argv);
};

/**
 * struct ctl_object - an object, or a command without one
 * @name: the word
 * @help: one line
 * @verbs: ends with a name of NULL; the first is the default. An object with a single verb
 *	without a name is a command, followed by its arguments
 * @raw: name of the verb that parses all options itself, including -j and -p
 */
struct ctl_object {
	const char *name;
	const char *help;
	const struct ctl_verb *verbs;
	const char *raw;
};

extern const struct ctl_object ctl_pool, ctl_region, ctl_object, ctl_dma_table,
	ctl_handover, ctl_status, ctl_monitor, ctl_kexec, ctl_guest, ctl_update, ctl_check,
	ctl_health, ctl_top,
	ctl_export, ctl_import, ctl_verify, ctl_report;

/* main.c */

/* Print "pkramctl: ..." to stderr; return %CTL_FAILED, %CTL_USAGE */
int ctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int ctl_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Print "pkramctl: warning: ..." */
void ctl_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Say why a list is empty; standard output has the list alone, and JSON has it anyway */
void ctl_nothing(const char *why);

/* Report a usage error if arguments are left; 0 or %CTL_USAGE */
int ctl_no_more(int argc, char **argv);

/*
 * Take "--columns LIST" of a verb that prints a table out of the arguments: the next table has
 * these columns. 0 or %CTL_USAGE
 */
int ctl_columns(int *argc, char **argv);

/* Return @p, the result of an allocation; exit if it is NULL */
void *ctl_must(void *p);

/* Return a variable of the environment, or @otherwise if it is not set */
const char *ctl_env(const char *variable, const char *otherwise);

/* Connect, or report the reason and return NULL */
struct pkram_ctx *ctl_open(void);
/* Report an error of the library (@what may be NULL), disconnect; return %CTL_FAILED */
int ctl_fail(struct pkram_ctx *ctx, const char *what);
/* Print a warning of the kernel, if any, disconnect; return %CTL_OK */
int ctl_done(struct pkram_ctx *ctx);

/* Print the help of an object or of one of its verbs, with the options */
void ctl_help(const struct ctl_object *o, const struct ctl_verb *only);

/* pool.c, handover.c: used by `status` too */
void ctl_print_pool(const struct pkram_pool *pool);
void ctl_print_regions(const struct pkram_region *list, const char *key,
		       const char *title);
void ctl_print_handover(const struct pkram_handover *h);

/* object.c: print all properties of an object, in a row or a record */
/* Print the number of bad pages, and where they are, in a row of a table or in a record */
void ctl_print_bad(uint32_t nr, const struct pkram_bad_range *list, bool row);

void ctl_print_object(const struct pkram_object *o);

#endif /* _PKRAMCTL_CTL_H */
