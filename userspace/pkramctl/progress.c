// SPDX-License-Identifier: GPL-2.0
/* Progress of a copy: a bar on a terminal, a line from time to time in a log. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "parse.h"
#include "progress.h"

#define LOG_SECONDS	10
#define BAR		24

static bool shown;		/* a bar is on the screen */

static int put_left(char *buf, size_t len, uint64_t s)
{
	if (s >= 3600)
		return snprintf(buf, len, ", %" PRIu64 ":%02u:%02u left", s / 3600,
				(unsigned int)(s / 60 % 60), (unsigned int)(s % 60));
	return snprintf(buf, len, ", %u:%02u left", (unsigned int)(s / 60),
			(unsigned int)(s % 60));
}

/* Escape control characters in names. */
static int put_what(char *buf, size_t len, const char *what)
{
	size_t n;

	for (n = 0; what[n] && n + 1 < len; n++)
		buf[n] = (unsigned char)what[n] < 0x20 || what[n] == 0x7f ? '?' : what[n];
	buf[n] = '\0';
	return n;
}

char *progress_line(const struct progress *p, unsigned int bar, char *buf, size_t len)
{
	uint64_t done = p->done < p->all ? p->done : p->all;
	double part = p->all ? (double)done / (double)p->all : 1;
	char size[32], rate[32];
	char *at = buf, *end = buf + len;
	unsigned int i;

	if (bar && bar + 3 < len) {
		*at++ = '[';
		for (i = 0; i < bar; i++)
			*at++ = i < (unsigned int)(part * bar) ? '#' : ' ';
		*at++ = ']';
		*at++ = ' ';
	}
	/* Shorten a very long name to its beginning. */
	at += put_what(at, end - at > 160 ? end - at - 128 : 32, p->what);
	at += snprintf(at, end - at, ": %u %% of %s", (unsigned int)(part * 100),
		       format_size(p->all, size, sizeof(size)));
	if (p->rate) {
		at += snprintf(at, end - at, ", %s",
			       format_rate(p->rate, rate, sizeof(rate)));
		put_left(at, end - at, (p->all - done) / p->rate);
	}
	return buf;
}

static bool on_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

void progress_show(const struct progress *p)
{
	static struct timespec last;
	struct timespec now;
	char buf[512];

	if (on_terminal()) {
		fprintf(stderr, "\r%s\033[K", progress_line(p, BAR, buf, sizeof(buf)));
		fflush(stderr);
		shown = true;
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* Do not print progress of copies that end soon. */
	if (!last.tv_sec)
		last = now;
	if (now.tv_sec - last.tv_sec < LOG_SECONDS)
		return;
	last = now;
	fprintf(stderr, "%s\n", progress_line(p, 0, buf, sizeof(buf)));
}

void progress_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}
