// SPDX-License-Identifier: GPL-2.0
/*
 * Check the kernel log and kmemleak after each test
 */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init.h"
#include "vm.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

/* A kernel log line that matches one of these makes the running test fail ... */
static const char * const bad_lines[] = {
	"WARNING", "(^|[^A-Z])BUG(:| at|!)", "Oops", "general protection", "RIP:",
	"Call Trace",
	"lockdep", "possible recursive", "possible circular", "inconsistent lock",
	"suspicious RCU", "blocked for more than", "soft lockup",
	"KASAN", "UBSAN", "kmemleak", "leak", "refcount_t",
	"[Bb]ad page", "Bad rss", "page_table_check",
	"list_add corruption", "list_del corruption",
};

/* ... unless it matches one of these, each with its reason. */
static const char * const allowed_lines[] = {
	/* Debug kernels introduce their checkers at boot. */
	"kmemleak: Kernel memory leak detector initialized",
	"kmemleak: Automatic memory scanning thread",
	"KernelAddressSanitizer initialized",
	"lockdep (debugging|statistics)|\\.\\.\\. MAX_LOCKDEP",
	"memory used by lock dependency info",
	"RCU lockdep checking is enabled",
	/* CPU bugs of the emulated machine */
	"data leak",
};

static int kmsg = -1;
static regex_t bad_re, allowed_re, scenario_re;
static bool have_scenario_re;

static void compile(regex_t *re, const char *pattern)
{
	if (regcomp(re, pattern, REG_EXTENDED | REG_NOSUB))
		give_up("bad regular expression");
}

void kmsg_allow(const char *pattern)
{
	compile(&scenario_re, pattern);
	have_scenario_re = true;
}

/* Compile one regular expression that matches whatever any of @patterns matches */
static void compile_any(regex_t *re, const char * const *patterns, size_t n)
{
	char all[4096] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s(%s)",
			 i ? "|" : "", patterns[i]);
	compile(re, all);
}

void kmsg_open(void)
{
	compile_any(&bad_re, bad_lines, ARRAY_SIZE(bad_lines));
	compile_any(&allowed_re, allowed_lines, ARRAY_SIZE(allowed_lines));
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0)
		give_up("/dev/kmsg");
}

int kmsg_check(void)
{
	static char record[16384];
	int bad = 0;
	ssize_t n;

	for (;;) {
		char *text, *end;

		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;	/* some records were overwritten */
		if (n <= 0)
			return bad;
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text)
			continue;
		end = strchr(++text, '\n');
		if (end)
			*end = '\0';
		if (regexec(&bad_re, text, 0, NULL, 0) ||
		    !regexec(&allowed_re, text, 0, NULL, 0))
			continue;
		if (have_scenario_re && !regexec(&scenario_re, text, 0, NULL, 0))
			continue;
		say("# kernel log: %s\n", text);
		bad++;
	}
}

void kmemleak_stop_scans(void)
{
	if (!access(KMEMLEAK, F_OK))
		vm_write_file(KMEMLEAK, "scan=off");
}

int kmemleak_check(void)
{
	char *report, *line, *save, *taint;
	bool loaded;
	int leaks = 0;

	taint = vm_read_file("/proc/sys/kernel/tainted");
	loaded = taint && atol(taint) & (1 << 12);
	free(taint);
	if (!loaded || access(KMEMLEAK, F_OK))
		return 0;
	/* With processes at work it takes many minutes. */
	kill(-1, SIGSTOP);
	/* kmemleak reports only objects that did not change since the last scan. */
	for (int i = 0; i < 2; i++) {
		vm_write_file(KMEMLEAK, "scan");
		sleep(1);
	}
	kill(-1, SIGCONT);
	report = vm_read_file(KMEMLEAK);
	for (line = report ? strtok_r(report, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		leaks += !strncmp(line, "unreferenced", strlen("unreferenced"));
		say("# kmemleak: %s\n", line);
	}
	free(report);
	vm_write_file(KMEMLEAK, "clear");
	return leaks;
}
