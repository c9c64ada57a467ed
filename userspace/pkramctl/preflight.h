/* SPDX-License-Identifier: GPL-2.0 */
/* The list of checks before another kernel is booted, and their results. */
#ifndef _PKRAMCTL_PREFLIGHT_H
#define _PKRAMCTL_PREFLIGHT_H

#include <stdbool.h>

/**
 * enum preflight_verdict - the result of a check
 * @PREFLIGHT_OK: nothing to do
 * @PREFLIGHT_WARN: the boot goes on; the operator should look at it
 * @PREFLIGHT_FORCE: refused, unless --force is given
 * @PREFLIGHT_REFUSE: refused
 */
enum preflight_verdict {
	PREFLIGHT_OK,
	PREFLIGHT_WARN,
	PREFLIGHT_FORCE,
	PREFLIGHT_REFUSE,
};

struct preflight_row {
	struct preflight_row *next;
	const char *what;
	enum preflight_verdict verdict;
	bool forced;
	char *text;
};

/**
 * struct preflight - results so far
 * @quiet: they are printed as a table at the end, not when they are found
 * @force: accept %PREFLIGHT_FORCE
 * @first: row, in order
 */
struct preflight {
	bool quiet, force;
	struct preflight_row *first;
};

/**
 * preflight_add() - Add a result
 * @p: list
 * @verdict: the result
 * @what: was checked, one or two words; not copied
 * @fmt: what is wrong, and what to do; no full stop
 *
 * Prints everything but %PREFLIGHT_OK to standard error, unless @p is quiet.
 * Return: 0, or %CTL_FAILED: it is refused.
 */
int preflight_add(struct preflight *p, enum preflight_verdict verdict, const char *what,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Print a table of the results, named "checks" in JSON */
void preflight_print(const struct preflight *p);
void preflight_free(struct preflight *p);

#endif /* _PKRAMCTL_PREFLIGHT_H */
