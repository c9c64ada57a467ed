// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "tap.h"

static jmp_buf tap_out;

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	longjmp(tap_out, 1);
}

void tap_note(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

int tap_main(const struct tap_test *tests, size_t nr)
{
	volatile size_t i, failed = 0;

	/* Output must be visible if a sanitizer ends the program. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", nr);
	for (i = 0; i < nr; i++) {
		if (setjmp(tap_out)) {
			failed++;
			printf("not ok %zu - %s\n", i + 1, tests[i].name);
			continue;
		}
		tests[i].run();
		printf("ok %zu - %s\n", i + 1, tests[i].name);
	}
	/* A failed test leaks memory, which is reported here without being a bug. */
	if (failed)
		_exit(1);
	return 0;
}
