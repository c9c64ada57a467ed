// SPDX-License-Identifier: GPL-2.0
/* Arguments of a verb: options and words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "args.h"

#define MAX_WORD	32	/* of longer words only the beginning is compared */

bool args_known(const struct ctl_verb *v, const char *arg)
{
	size_t len = strcspn(arg, "=");
	const char *at;

	if (strncmp(arg, "--", 2) || len < 3)
		return false;
	for (at = strstr(v->args, "--"); at; at = strstr(at + 2, "--")) {
		if (!strncmp(at, arg, len) && strchr(" ]\n", at[len]))
			return true;
	}
	return false;
}

static void remove_args(int i, int n, int *argc, char **argv)
{
	*argc -= n;
	memmove(argv + i, argv + i + n, (*argc - i) * sizeof(*argv));
}

bool args_flag(const char *name, int *argc, char **argv)
{
	int i;

	for (i = 0; i < *argc; i++) {
		if (strcmp(argv[i], name))
			continue;
		remove_args(i, 1, argc, argv);
		return true;
	}
	return false;
}

int args_value(const char *name, int *argc, char **argv, const char **value)
{
	size_t len = strlen(name);
	int i;

	*value = NULL;
	for (i = 0; i < *argc; i++) {
		if (strncmp(argv[i], name, len))
			continue;
		if (argv[i][len] == '=') {
			*value = argv[i] + len + 1;
			remove_args(i, 1, argc, argv);
		} else if (argv[i][len]) {
			continue;
		} else if (i + 1 < *argc) {
			*value = argv[i + 1];
			remove_args(i, 2, argc, argv);
		}
		if (!*value || !**value)
			return ctl_usage("option \"%s\" needs a value", name);
		return 0;
	}
	return 0;
}

static unsigned int min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int args_distance(const char *a, const char *b)
{
	unsigned int la = min(strlen(a), MAX_WORD), lb = min(strlen(b), MAX_WORD), i, j;
	unsigned int d[MAX_WORD + 1][MAX_WORD + 1];

	for (i = 0; i <= la; i++) {
		for (j = 0; j <= lb; j++) {
			if (!i || !j) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = min(min(d[i - 1][j], d[i][j - 1]) + 1,
				      d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[la][lb];
}

int args_unknown(const char *what, const char *of, const char *word, const char **known,
		 unsigned int nr)
{
	unsigned int i, best = 0;
	char list[512] = "";
	const char *first;
	size_t n;

	for (i = 1; i < nr; i++) {
		if (args_distance(word, known[i]) < args_distance(word, known[best]))
			best = i;
	}
	first = known[best];
	memmove(known + 1, known, best * sizeof(*known));
	known[0] = first;
	for (i = 0, n = 0; i < nr && n < sizeof(list); i++)
		n += snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", known[i]);
	return ctl_usage("%s%sunknown %s \"%s\"; use one of: %s", of ?: "", of ? ": " : "",
			 what, word, list);
}
