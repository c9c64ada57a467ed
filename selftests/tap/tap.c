// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include "tap.h"

static struct {
	unsigned int passed, failed;
	bool planned;
	jmp_buf next;
} tap;

/* Write a line at once: what precedes the abort of a sanitizer must be seen. */
static void tap_line(const char *fmt, va_list args)
{
	vprintf(fmt, args);
	putchar('\n');
	fflush(stdout);
}

bool ok(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %u - ", good ? "" : "not ", tap.passed + tap.failed + 1);
	va_start(args, fmt);
	tap_line(fmt, args);
	va_end(args);
	if (good)
		tap.passed++;
	else
		tap.failed++;
	return good;
}

void tap_note(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	tap_line(fmt, args);
	va_end(args);
}

int tap_finish(void)
{
	if (!tap.planned)
		printf("1..%u\n", tap.passed + tap.failed);
	printf("%u passed, %u failed\n", tap.passed, tap.failed);
	fflush(stdout);
	return tap.failed || !tap.passed ? 1 : 0;
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	tap_line(fmt, args);
	va_end(args);
	longjmp(tap.next, 1);
}

int tap_main(const struct tap_test *tests, size_t nr)
{
	volatile size_t i;

	printf("1..%zu\n", nr);
	tap.planned = true;
	for (i = 0; i < nr; i++) {
		if (setjmp(tap.next)) {
			ok(false, "%s", tests[i].name);
			continue;
		}
		tests[i].run();
		ok(true, "%s", tests[i].name);
	}
	/* A test that was left half-way leaks; a report of that would only hide why. */
	if (tap_finish())
		_exit(1);
	return 0;
}
