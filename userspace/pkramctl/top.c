// SPDX-License-Identifier: GPL-2.0
/* pkramctl top: the pool and the guests, live. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include "args.h"
#include "ctl.h"
#include "guest.h"
#include "migrate.h"
#include "parse.h"
#include "print.h"
#include "read_file.h"

#define LOOK_MS		500		/* that a guest has to answer; the others wait */
#define SAMPLE_MS	300		/* between the two looks of --once */
#define SECONDS		2
#define MAX_SECONDS	3600
#define DEFAULT_ROWS	24
#define DEFAULT_COLUMNS	80

/**
 * struct sample - the CPU time of a QEMU
 * @pid: its process
 * @ticks: so far
 * @at: when it was read, in us of CLOCK_BOOTTIME
 */
struct sample {
	pid_t pid;
	uint64_t ticks;
	int64_t at;
};

struct samples {
	struct sample *list;
	unsigned int nr;
};

static volatile sig_atomic_t stopped;

static void on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void on_resize(int sig)
{
	/* It ends the wait */
	(void)sig;
}

/* Read the CPU time of a process: -1 it is gone */
static int take_sample(struct sample *s, pid_t pid)
{
	uint64_t user, system;
	char path[64], line[1024];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (pkram_read_line(path, line, sizeof(line)))
		return -1;
	/* Its name may have anything */
	at = strrchr(line, ')');
	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
			  &user, &system) != 2)
		return -1;
	*s = (struct sample){ .pid = pid, .ticks = user + system, .at = boot_us() };
	return 0;
}

/* Return how many percent of a CPU a process had since the last look; negative: unknown */
static int64_t cpu_of(const struct samples *old, struct samples *new, pid_t pid)
{
	struct sample *s = &new->list[new->nr];
	unsigned int i;

	if (!pid || take_sample(s, pid))
		return -1;
	new->nr++;
	for (i = 0; i < old->nr; i++) {
		if (old->list[i].pid == pid && s->at > old->list[i].at &&
		    s->ticks >= old->list[i].ticks)
			return (s->ticks - old->list[i].ticks) * 100000000 /
			       sysconf(_SC_CLK_TCK) / (s->at - old->list[i].at);
	}
	return -1;
}

static uint64_t ram_of(const struct guest *g)
{
	uint64_t size = 0;
	struct stat st;
	unsigned int i;

	for (i = 0; i < g->file.nr_ram; i++)
		size += stat(g->file.ram[i].path, &st) ? 0 : st.st_size;
	return size ? size : PKRAM_NONE64;
}

static void print_pool(struct pkram_ctx *ctx)
{
	struct pkram_pool *pool;

	if (!ctx || pkram_pool_get(ctx, &pool)) {
		out_text("the module does not answer: pkramctl status says why");
		return;
	}
	out_record_open("pool", "pool:");
	out_size("size", "size", pool->size);
	out_size("free", "free", pool->free);
	out_u32("objects", "objects", pool->nr_objects);
	out_record_close();
	pkram_pool_free(pool);
}

static void print_guests(struct guests *gs, const struct samples *old, struct samples *new)
{
	struct guest *g;
	int64_t cpu;
	char text[16];

	out_table_open("guests", gs->list ? "guests:" : NULL);
	for (g = gs->list; g; g = g->next) {
		cpu = cpu_of(old, new, g->pid);
		snprintf(text, sizeof(text), "%" PRId64 " %%", cpu);
		out_row_open();
		out_str("name", "NAME", g->file.name);
		out_str("state", "STATE", guest_state_name(g));
		out_u32("pid", "PID", g->pid ? (uint32_t)g->pid : PKRAM_NONE32);
		out_u64("cpu", NULL, cpu < 0 ? PKRAM_NONE64 : (uint64_t)cpu);
		out_str(NULL, "CPU", cpu < 0 ? NULL : text);
		out_size("ram", "RAM", ram_of(g));
		out_str("next", "NEXT", guest_next(g));
		out_row_close();
	}
	out_table_close();
}

/* Look at everything and print it. @s: in, out: CPU times */
static void look(struct pkram_ctx *ctx, struct guests *gs, struct samples *s)
{
	struct samples new = { .list = ctl_must(calloc(gs->nr + 1, sizeof(*new.list))) };

	out_record_open(NULL, NULL);
	print_pool(ctx);
	print_guests(gs, s, &new);
	out_record_close();
	free(s->list);
	*s = new;
}

static void look_at_guests(struct guests *gs)
{
	struct guest *g;

	for (g = gs->list; g; g = g->next) {
		guest_look(g, LOOK_MS);
		/* QEMU serves one connection at a time */
		qmp_close(&g->qmp);
	}
}

/* Print a text on the screen, over what was there */
static void draw(const char *text)
{
	struct winsize size = { 0 };
	unsigned int rows, columns, row;
	const char *end;
	int len;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	rows = size.ws_row > 1 ? size.ws_row : DEFAULT_ROWS;
	columns = size.ws_col > 1 ? size.ws_col : DEFAULT_COLUMNS;
	fputs("\033[H", stdout);
	for (row = 1; *text && row < rows; text = end + !!*end, row++) {
		end = strchrnul(text, '\n');
		len = end - text;
		/* Colours have no columns: a line with them may be a little too long */
		if (!memchr(text, '\033', len) && (unsigned int)len > columns)
			len = columns;
		printf("%.*s\033[K\n", len, text);
	}
	printf("\033[J\033[%u;1Hq ends it\033[K", rows);
	fflush(stdout);
}

/* Wait for the next look. Return: it is to end */
static bool wait_key(int ms)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	char key;

	if (poll(&fd, 1, ms) <= 0)
		return stopped;
	return stopped || read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q';
}

static void run(struct pkram_ctx *ctx, struct guests *gs, int ms)
{
	struct sigaction stop = { .sa_handler = on_stop }, resize = { .sa_handler = on_resize };
	struct samples s = { 0 };
	struct termios old, raw;
	FILE *screen = stdout;
	bool tty = !tcgetattr(STDIN_FILENO, &old);
	char *text;
	size_t len;

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGWINCH, &resize, NULL);
	if (tty) {
		raw = old;
		raw.c_lflag &= ~(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	/* A screen of its own, without a cursor */
	fputs("\033[?1049h\033[?25l", stdout);
	do {
		look_at_guests(gs);
		/* The tables are printed to memory first */
		stdout = ctl_must(open_memstream(&text, &len));
		look(ctx, gs, &s);
		fclose(stdout);
		stdout = screen;
		draw(text);
		free(text);
	} while (!wait_key(ms));
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (tty)
		tcsetattr(STDIN_FILENO, TCSANOW, &old);
	free(s.list);
}

/* Print it once, with the CPU times of a moment */
static void once(struct pkram_ctx *ctx, struct guests *gs)
{
	struct samples s = { .list = ctl_must(calloc(gs->nr + 1, sizeof(*s.list))) };
	struct guest *g;

	look_at_guests(gs);
	for (g = gs->list; g; g = g->next) {
		if (g->pid && !take_sample(&s.list[s.nr], g->pid))
			s.nr++;
	}
	if (s.nr)
		poll(NULL, 0, SAMPLE_MS);
	look(ctx, gs, &s);
	free(s.list);
}

static int top_run(int argc, char **argv)
{
	bool only_once = args_flag("--once", &argc, argv);
	struct pkram_ctx *ctx = NULL;
	uint64_t seconds = SECONDS;
	const char *text;
	struct guests gs;

	if (args_value("--interval", &argc, argv, &text))
		return CTL_USAGE;
	if (text && (parse_number(text, &seconds) || !seconds || seconds > MAX_SECONDS))
		return ctl_usage("top: --interval \"%s\" is not a number of seconds, from 1 to %d",
				 text, MAX_SECONDS);
	if (ctl_no_more(argc, argv))
		return CTL_USAGE;
	if (pkram_open(&ctx)) {
		pkram_close(ctx);
		ctx = NULL;
	}
	guests_load(&gs, NULL, 0);
	if (only_once || out_is_json() || !isatty(STDOUT_FILENO))
		once(ctx, &gs);
	else
		run(ctx, &gs, seconds * 1000);
	guests_free(&gs);
	pkram_close(ctx);
	return CTL_OK;
}

static const struct ctl_verb top_verbs[] = {
	{ "", "[--once] [--interval SECONDS]",
	  "show the pool and the guests on the terminal, again and again, until q is\n"
	  "      pressed. --interval: how often (2); --once: print them once, as without a\n"
	  "      terminal and with -j",
	  top_run },
	{ }
};

const struct ctl_object ctl_top = {
	.name = "top",
	.help = "the pool and the guests, live",
	.verbs = top_verbs,
};
