/* SPDX-License-Identifier: GPL-2.0 */
/* TAP from C: ok(condition, "name of the behaviour") */
#ifndef _TESTS_TAP_H
#define _TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned int tap_passed, tap_failed;

static inline __attribute__((format(printf, 2, 3)))
bool ok(bool good, const char *fmt, ...)
{
	unsigned int n = tap_passed + tap_failed + 1;
	va_list ap;

	if (good)
		tap_passed++;
	else
		tap_failed++;

	printf("%sok %u - ", good ? "" : "not ", n);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);		/* a sanitizer that aborts would lose it */
	return good;
}

static inline int tap_done(void)
{
	printf("1..%u\n", tap_passed + tap_failed);
	printf("%u passed, %u failed\n", tap_passed, tap_failed);
	return tap_failed ? 1 : 0;
}

#endif /* _TESTS_TAP_H */
