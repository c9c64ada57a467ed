/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kselftest harness for VM tests, with a main() that accepts --list, and with a
 * timeout for emulated machines. Test programs include this; library files do not, except
 * story.c.
 */
#ifndef PKRAM_VM_TEST_H
#define PKRAM_VM_TEST_H

#include <limits.h>

#include "kselftest_harness.h"

#include "vm.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

#define EXPECT_ERR(err, call)						\
	do {								\
		errno = 0;						\
		EXPECT_EQ(-1, (long)(call)) {				\
			TH_LOG("%s did not fail", #call);		\
		}							\
		EXPECT_EQ(err, errno) {					\
			TH_LOG("%s: %s", #call, strerror(errno));	\
		}							\
	} while (0)

#define EXPECT_OK(call)							\
	EXPECT_EQ(0, (long)(call)) {					\
		TH_LOG("%s: %s", #call, strerror(errno));		\
	}

#define ASSERT_OK(call)							\
	ASSERT_EQ(0, (long)(call)) {					\
		TH_LOG("%s: %s", #call, strerror(errno));		\
	}

/* A fixture that keeps nothing: a boot of STAGES, whose state is in the VM */
#define STAGE(name)							\
	FIXTURE(name) {};						\
	FIXTURE_SETUP(name) {}						\
	FIXTURE_TEARDOWN(name) {}

/*
 * List all tests, one per line, by the names that the harness's -r accepts; with --limits
 * also their limits in seconds. The runner ends a test at its limit in the VM's own time,
 * except in a VM whose clock counts instructions. A kernel with checkers is several times
 * slower.
 */
#undef TEST_HARNESS_MAIN
#define TEST_HARNESS_MAIN						\
	static void vm_list(bool limits)				\
	{								\
		struct __fixture_variant_metadata none = { .name = "" }, *v; \
		struct __fixture_metadata *f;				\
		struct __test_metadata *t;				\
									\
		for (f = __fixture_list; f; f = f->next)		\
			for (v = f->variant ?: &none; v; v = v->next)	\
				for (t = f->tests; t; t = t->next) {	\
					printf("%s%s%s.%s", f->name,	\
					       v->name[0] ? "." : "",	\
					       v->name, t->name);	\
					if (limits)			\
						printf(" %d", t->timeout); \
					putchar('\n');			\
				}					\
	}								\
									\
	static void vm_scale_timeouts(void)				\
	{								\
		bool outside = getenv("PKRAM_LIMITS");			\
		struct __fixture_metadata *f;				\
		struct __test_metadata *t;				\
									\
		if (!outside && access("/sys/kernel/debug/kmemleak", F_OK)) \
			return;						\
		for (f = __fixture_list; f; f = f->next)		\
			for (t = f->tests; t; t = t->next)		\
				t->timeout = outside ? INT_MAX / 1000 :	\
					     t->timeout * 4;		\
	}								\
									\
	int main(int argc, char **argv)					\
	{								\
		if (argc == 2 && (!strcmp(argv[1], "--list") ||		\
				  !strcmp(argv[1], "--limits"))) {	\
			vm_list(!strcmp(argv[1], "--limits"));		\
			return 0;					\
		}							\
		vm_scale_timeouts();					\
		return test_harness_run(argc, argv);			\
	}

#endif
