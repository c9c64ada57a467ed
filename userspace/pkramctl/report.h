/* SPDX-License-Identifier: GPL-2.0 */
/* What a bug report needs: report.c writes it, report_take.c collects it. */
#ifndef _PKRAMCTL_REPORT_H
#define _PKRAMCTL_REPORT_H

#include <stdio.h>

#define REPORT_NAME_MAX	128

/**
 * struct report_item - a file of the report
 * @next: the next one, or NULL
 * @name: of the file
 * @missed: why it is not in the report; NULL: it is
 * @removed: number of secrets that were removed from it
 */
struct report_item {
	struct report_item *next;
	char name[REPORT_NAME_MAX];
	char *missed;
	unsigned int removed;
};

/**
 * struct report - a report that is being collected
 * @directory: its files are made here
 * @dir: the same, as a descriptor
 * @items: the files, in order
 * @tail: end of @items
 */
struct report {
	const char *directory;
	int dir;
	struct report_item *items, **tail;
};

/* Collect everything; what cannot be read is noted */
void report_take_all(struct report *r);

/* Create a file of the report with mode 0600; NULL and errno on failure */
FILE *report_file(struct report *r, const char *name);

#endif /* _PKRAMCTL_REPORT_H */
