/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Write TAP from C. Either call ok() for each result and return tap_finish() from main(), or
 * name the tests in a table, TAP_MAIN(), where each runs until its first CHECK() that fails.
 */
#ifndef _PKRAM_TAP_H
#define _PKRAM_TAP_H

#include <stdbool.h>
#include <stddef.h>

/* Write a result: whether the behaviour that is named was seen. Return: @good */
bool __attribute__((format(printf, 2, 3))) ok(bool good, const char *fmt, ...);

/* Write a line of diagnostics. */
void __attribute__((format(printf, 1, 2))) tap_note(const char *fmt, ...);

/* Write the plan, if there was none, and the sum. Return: the exit status */
int tap_finish(void);

struct tap_test {
	const char *name;	/* the behaviour it shows */
	void (*run)(void);
};

/* Say why the running test of the table fails, and leave it. */
void __attribute__((noreturn, format(printf, 3, 4)))
tap_fail(const char *file, int line, const char *fmt, ...);

/* Run the tests of a table. Return: the exit status */
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
