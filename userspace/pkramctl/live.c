// SPDX-License-Identifier: GPL-2.0
/* What happens to the guests of an update: see live.h. */
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctl.h"
#include "live.h"
#include "migrate.h"
#include "parse.h"
#include "print.h"

#define DRAW_MS		200
#define DEFAULT_ROWS	24
#define DEFAULT_COLUMNS	80

/**
 * struct line - a guest's line
 * @g: the guest; only what does not change is read
 * @state: path of its state
 * @step: what happens to it
 * @saving: when its save began, in us of CLOCK_REALTIME
 * @took: how long its save took
 * @bytes: of its state
 */
struct line {
	const struct guest *g;
	char *state;
	enum live_step step;
	int64_t saving, took;
	uint64_t bytes;
};

static struct {
	pthread_mutex_t lock;
	struct line *lines;
	unsigned int nr;
	bool draws, ends;
	const char *dir;
	pthread_t thread;
} live = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool live_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

/* A terminal */

/* Print a line, or what of it has room */
static unsigned int drawn;	/* lines on the screen; by stderr's lock */

static void draw_line(const char *line, size_t len, unsigned int columns)
{
	size_t n = 0, room = columns - 1;

	while (n < len && room) {
		n++;
		while (n < len && (line[n] & 0xc0) == 0x80)
			n++;
		room--;
	}
	fprintf(stderr, "\r%.*s\033[K\n", (int)n, line);
}

void live_draw(const char *text)
{
	struct winsize size = { 0 };
	unsigned int rows, columns, nr = 0;
	const char *end;

	flockfile(stderr);
	if (!text) {
		drawn = 0;
		funlockfile(stderr);
		return;
	}
	ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	rows = size.ws_row > 1 ? size.ws_row : DEFAULT_ROWS;
	columns = size.ws_col > 1 ? size.ws_col : DEFAULT_COLUMNS;
	if (drawn)
		fprintf(stderr, "\033[%uA", drawn);
	for (; *text && nr + 1 < rows; text = end + !!*end, nr++) {
		end = strchrnul(text, '\n');
		draw_line(text, end - text, columns);
	}
	/* The window was made smaller, or there are fewer */
	fputs("\033[J", stderr);
	fflush(stderr);
	drawn = nr;
	funlockfile(stderr);
}

void live_erase(void)
{
	flockfile(stderr);
	if (drawn)
		fprintf(stderr, "\033[%uA\r\033[J", drawn);
	drawn = 0;
	funlockfile(stderr);
}

/* Lines */

static const char *const words[] = {
	[LIVE_NONE] = "waits", [LIVE_SAVING] = "is being saved",
	[LIVE_SAVED] = "saved, waits for the others", [LIVE_ENDING] = "saved, its QEMU ends",
	[LIVE_ENDED] = "saved", [LIVE_FAILED] = "cannot be saved", [LIVE_RUNS] = "runs again",
};

/* Called with the lock held */
static void look_at_state(struct line *l)
{
	struct stat st;

	if ((l->step == LIVE_SAVING || l->step == LIVE_SAVED) && !stat(l->state, &st))
		l->bytes = st.st_size;
}

static bool has_state(const struct line *l)
{
	return l->step >= LIVE_SAVING && l->step <= LIVE_ENDED;
}

/* Return all lines as a text, to be freed */
static char *all_lines(void)
{
	char *text = NULL, size[32];
	unsigned int i, width = 0;
	struct line *l;
	int64_t took;
	size_t len;
	FILE *f;

	f = ctl_must(open_memstream(&text, &len));
	pthread_mutex_lock(&live.lock);
	for (i = 0; i < live.nr; i++) {
		if (strlen(live.lines[i].g->file.name) > width)
			width = strlen(live.lines[i].g->file.name);
	}
	for (i = 0; i < live.nr; i++) {
		l = &live.lines[i];
		look_at_state(l);
		fprintf(f, "  %-*s  ", width, l->g->file.name);
		if (has_state(l)) {
			took = l->step == LIVE_SAVING ? now_us() - l->saving : l->took;
			fprintf(f, "%9s  %3lld.%lld s  ",
				format_size(l->bytes, size, sizeof(size)),
				(long long)(took / 1000000), (long long)(took / 100000 % 10));
		} else {
			fprintf(f, "%9s  %7s  ", "", "");
		}
		fprintf(f, "%s\n", words[l->step]);
	}
	pthread_mutex_unlock(&live.lock);
	fclose(f);
	return text;
}

/* Its reader finds the old lines or the new ones */
static void write_lines(const char *text, char kind)
{
	char path[PATH_MAX], temp[PATH_MAX];
	bool good;
	FILE *f;

	snprintf(path, sizeof(path), "%s/" LIVE_LINES, live.dir);
	snprintf(temp, sizeof(temp), "%s/" LIVE_LINES ".new", live.dir);
	f = fopen(temp, "we");
	if (!f)
		return;
	good = fprintf(f, "%c%s", kind, text) >= 0;
	if (!fclose(f) && good)
		rename(temp, path);
}

static void show(char kind)
{
	char *text = all_lines();

	if (live.dir)
		write_lines(text, kind);
	else
		live_draw(text);
	free(text);
}

static void *draw(void *arg)
{
	bool ends;

	(void)arg;
	do {
		show(LIVE_GO_ON);
		poll(NULL, 0, DRAW_MS);
		pthread_mutex_lock(&live.lock);
		ends = live.ends;
		pthread_mutex_unlock(&live.lock);
	} while (!ends);
	return NULL;
}

void live_begin(struct guests *gs, const char *dir)
{
	struct guest *g;

	if (out_is_json())
		return;
	live.dir = dir;
	live.lines = ctl_must(calloc(gs->nr + 1, sizeof(*live.lines)));
	for (g = guests_next_good(gs, NULL); g; g = guests_next_good(gs, g)) {
		live.lines[live.nr].g = g;
		live.lines[live.nr++].state = ctl_must(strdup(guest_state_path(g)));
	}
	live.ends = false;
	live.draws = live.nr && (dir || live_terminal()) &&
		     !pthread_create(&live.thread, NULL, draw, NULL);
}

void live_end(void)
{
	unsigned int i;

	if (live.draws) {
		pthread_mutex_lock(&live.lock);
		live.ends = true;
		pthread_mutex_unlock(&live.lock);
		pthread_join(live.thread, NULL);
		/* The last step of each */
		show(LIVE_STAY);
		live_draw(NULL);
	}
	live.draws = false;
	live.dir = NULL;
	for (i = 0; i < live.nr; i++)
		free(live.lines[i].state);
	free(live.lines);
	live.lines = NULL;
	live.nr = 0;
}

/* Events */

static void say(const char *fmt, va_list ap)
{
	char path[PATH_MAX];
	FILE *f = stderr;

	/* The lines are on the screen */
	if (live.draws && !live.dir)
		return;
	if (live.dir) {
		snprintf(path, sizeof(path), "%s/" LIVE_EVENTS, live.dir);
		f = fopen(path, "ae");
	}
	if (!f)
		return;
	flockfile(f);
	fputs("pkramctl: ", f);
	vfprintf(f, fmt, ap);
	fputc('\n', f);
	funlockfile(f);
	if (live.dir)
		fclose(f);
}

void live_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

static void tell(const struct line *l)
{
	const char *name = l->g->file.name;
	char size[32];

	switch (l->step) {
	case LIVE_SAVED:
		live_say("%s: saved, %s in %lld.%03lld s; waits for the others", name,
			 format_size(l->bytes, size, sizeof(size)), (long long)(l->took / 1000000),
			 (long long)(l->took / 1000 % 1000));
		break;
	case LIVE_ENDED:
		live_say("%s: its QEMU has ended", name);
		break;
	case LIVE_ENDING:
		break;
	default:
		live_say("%s: %s", name, words[l->step]);
	}
}

void live_step(const struct guest *g, enum live_step step)
{
	struct line *l;

	pthread_mutex_lock(&live.lock);
	for (l = live.lines; l && l < live.lines + live.nr; l++) {
		if (l->g != g || l->step == step)
			continue;
		if (step == LIVE_SAVING)
			l->saving = now_us();
		if (step == LIVE_SAVED)
			l->took = now_us() - l->saving;
		l->step = step;
		look_at_state(l);
		tell(l);
	}
	pthread_mutex_unlock(&live.lock);
}
