// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trace.h"
#include "vm.h"

#define INSTANCE	"/sys/kernel/tracing/instances/pkram"

int trace_start(void)
{
	if (mkdir(INSTANCE, 0755) && errno != EEXIST)
		return -errno;
	return vm_write_file(INSTANCE "/trace", "") ?:
	       vm_write_file(INSTANCE "/events/pkram/enable", "1");
}

char *trace_stop(void)
{
	char *text = NULL;

	if (!vm_write_file(INSTANCE "/events/pkram/enable", "0"))
		text = vm_read_file(INSTANCE "/trace");
	/* The module must not be held. */
	rmdir(INSTANCE);
	return text;
}

int trace_count(const char *trace, const char *event, const char *text)
{
	char *copy = strdup(trace), *line, *save, *at, name[64];
	int n = 0;

	snprintf(name, sizeof(name), " pkram_%s: ", event);
	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		at = strstr(line, name);
		n += at && strstr(at, text);
	}
	free(copy);
	return n;
}
