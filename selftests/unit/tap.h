/* SPDX-License-Identifier: GPL-2.0 */
/* A small TAP printer: a table of named tests, one table per executable. */
#ifndef _PKRAM_TAP_H
#define _PKRAM_TAP_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

struct tap_test {
	const char *name;	/* the behaviour that it shows */
	void (*run)(void);
};

/* Fail the running test with a reason, and leave it. */
void __attribute__((noreturn, format(printf, 3, 4)))
tap_fail(const char *file, int line, const char *fmt, ...);

/* Print a line of diagnostics. */
void __attribute__((format(printf, 1, 2))) tap_note(const char *fmt, ...);

int tap_main(const struct tap_test *tests, size_t nr);

#define CHECK(cond)							\
	do {								\
		if (!(cond))						\
			tap_fail(__FILE__, __LINE__, "%s", #cond);	\
	} while (0)

#define CHECK_EQ(a, b)							\
	do {								\
		long long a_ = (long long)(a), b_ = (long long)(b);	\
									\
		if (a_ != b_)						\
			tap_fail(__FILE__, __LINE__,			\
				 "%s is %lld, not %lld (%s)", #a, a_,	\
				 b_, #b);				\
	} while (0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TAP_MAIN(...)							\
	static const struct tap_test tap_tests[] = { __VA_ARGS__ };	\
									\
	int main(void)							\
	{								\
		return tap_main(tap_tests, ARRAY_SIZE(tap_tests));	\
	}

#endif /* _PKRAM_TAP_H */
