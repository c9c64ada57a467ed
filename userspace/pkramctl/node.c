// SPDX-License-Identifier: GPL-2.0
/* NUMA nodes of this host: see node.h. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include "args.h"
#include "ctl.h"
#include "node.h"
#include "parse.h"
#include "read_file.h"

#define ONLINE	"/sys/devices/system/node/online"

/* Return whether a list as the kernel prints it ("0-1,3") has a number */
static bool in_list(const char *list, uint64_t n)
{
	uint64_t first, last;
	char *end;

	while (*list) {
		first = strtoull(list, &end, 10);
		last = *end == '-' ? strtoull(end + 1, &end, 10) : first;
		if (n >= first && n <= last)
			return true;
		list = end + (*end == ',');
		if (*end && *end != ',')
			break;
	}
	return false;
}

int node_take(const char *verb, int *argc, char **argv, uint64_t *node)
{
	char online[256];
	const char *text;

	if (args_value("--node", argc, argv, &text))
		return CTL_USAGE;
	if (!text)
		return 0;
	if (parse_number(text, node) || *node >= PKRAM_NONE32)
		return ctl_usage("%s: --node \"%s\" is not a number", verb, text);
	if (!pkram_read_line(ONLINE, online, sizeof(online)) && !in_list(online, *node))
		return ctl_error("%s: there is no node %" PRIu64 "; this host has %s", verb, *node,
				 online);
	return 0;
}
