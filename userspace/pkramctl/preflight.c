// SPDX-License-Identifier: GPL-2.0
/* Results of checks: see preflight.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl.h"
#include "preflight.h"
#include "print.h"

/* What may be lost if a check is overridden */
static const char *forced_loss(const char *what)
{
	if (!strcmp(what, "initrd"))
		return "; if it finds no root file system, the pool and all saved guests are lost";
	if (!strcmp(what, "object"))
		return "; what that process still writes damages the guest";
	if (!strcmp(what, "DMA tables"))
		return ", and the pool stays reserved; guests with devices cannot be resumed there";
	return ", and the pool stays reserved";
}

int preflight_add(struct preflight *p, enum preflight_verdict verdict, const char *what,
		  const char *fmt, ...)
{
	struct preflight_row *row = ctl_must(calloc(1, sizeof(*row))), **end;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&row->text, fmt, ap) < 0)
		row->text = NULL;
	va_end(ap);
	ctl_must(row->text);
	row->what = what;
	row->verdict = verdict;
	row->forced = verdict == PREFLIGHT_FORCE && p->force;
	for (end = &p->first; *end; end = &(*end)->next)
		;
	*end = row;
	if (!p->quiet) {
		if (verdict == PREFLIGHT_WARN || row->forced)
			ctl_warn("%s", row->text);
		else if (verdict == PREFLIGHT_FORCE)
			ctl_error("%s. --force boots it anyway%s", row->text,
				  forced_loss(what));
		else if (verdict == PREFLIGHT_REFUSE)
			ctl_error("%s", row->text);
	}
	return verdict <= PREFLIGHT_WARN || row->forced ? CTL_OK : CTL_FAILED;
}

void preflight_print(const struct preflight *p)
{
	static const char *const results[] = { "ok", "warning", "refused", "refused" };
	const struct preflight_row *row;

	out_table_open("checks", NULL);
	for (row = p->first; row; row = row->next) {
		out_row_open();
		out_str("check", "CHECK", row->what);
		out_str("result", "RESULT", row->forced ? "forced" : results[row->verdict]);
		out_str("text", "WHAT", row->text);
		out_row_close();
	}
	out_table_close();
}

void preflight_free(struct preflight *p)
{
	struct preflight_row *row, *next;

	for (row = p->first; row; row = next) {
		next = row->next;
		free(row->text);
		free(row);
	}
	p->first = NULL;
}
