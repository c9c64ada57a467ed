// SPDX-License-Identifier: GPL-2.0
/* What fails in the parts of selftests/unit that a target uses ends the target. */
#include <stdarg.h>
#include "fuzz.h"
#include "tap.h"

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}

void tap_note(const char *fmt, ...)
{
	(void)fmt;
}
