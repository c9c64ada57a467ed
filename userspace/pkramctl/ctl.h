/* SPDX-License-Identifier: GPL-2.0 */
/* pkramctl: what its commands share. */
#ifndef _PKRAMCTL_CTL_H
#define _PKRAMCTL_CTL_H

#include <stdbool.h>
#include "pkram.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_PARTLY = 3,		/* got fewer than asked */
};

/**
 * struct ctl_verb - what can be done with an object
 * @name: the word
 * @args: synopsis of what follows it; it names every option that the verb has
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
 * @verbs: ends with a name of NULL; the first is the default. An object with
 *	one verb that has no name is a command: what follows are its arguments
 * @raw: the name of the verb that parses options itself, -j and -p included
 */
struct ctl_object {
	const char *name;
	const char *help;
	const struct ctl_verb *verbs;
	const char *raw;
};

extern const struct ctl_object ctl_pool, ctl_region, ctl_object, ctl_dma_table,
	ctl_handover, ctl_status, ctl_monitor, ctl_kexec, ctl_guest, ctl_update, ctl_export,
	ctl_import, ctl_verify;

/* main.c */

/* "pkramctl: ..." to stderr; returns %CTL_FAILED, %CTL_USAGE */
int ctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int ctl_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "pkramctl: warning: ..." */
void ctl_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Usage error unless there is nothing more; 0 or %CTL_USAGE */
int ctl_no_more(int argc, char **argv);

/* @p, which an allocation returned; without one the program ends */
void *ctl_must(void *p);

/* Connect, or say why not and return NULL */
struct pkram_ctx *ctl_open(void);
/* Say why the library failed (@what may be NULL), disconnect; %CTL_FAILED */
int ctl_fail(struct pkram_ctx *ctx, const char *what);
/* Pass on a remark of the kernel's, disconnect; %CTL_OK */
int ctl_done(struct pkram_ctx *ctx);

/* Print one command's help, or that of one of its verbs; options included */
void ctl_help(const struct ctl_object *o, const struct ctl_verb *only);

/* pool.c, handover.c: parts of `status` too */
void ctl_print_pool(const struct pkram_pool *pool);
void ctl_print_regions(const struct pkram_region *list, const char *key,
		       const char *title);
void ctl_print_handover(const struct pkram_handover *h);

/* object.c: all that is known of one, in a row or a record */
void ctl_print_object(const struct pkram_object *o);

#endif /* _PKRAMCTL_CTL_H */
