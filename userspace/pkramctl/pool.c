// SPDX-License-Identifier: GPL-2.0
/* pkramctl pool, pkramctl region: show memory, grow and shrink it. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "args.h"
#include "ctl.h"
#include "live.h"
#include "migrate.h"
#include "node.h"
#include "parse.h"
#include "print.h"
#include "progress.h"
#include "update_unit.h"

#define DRAW_MS		200
#define MAX_REFUSED	8	/* more of them are counted by their reasons */

void ctl_print_pool(const struct pkram_pool *pool)
{
	out_uuid("uuid", "pool", pool->uuid);
	out_u32("format_version", "format", pool->format_version);
	out_bool("read_only", pool->read_only ? "read-only" : NULL,
		 pool->read_only);
	out_u32("regions", "regions", pool->nr_regions);
	out_u32("missing", pool->nr_missing ? "regions missing" : NULL, pool->nr_missing);
	out_u32("objects", "objects", pool->nr_objects);
	out_u32("quarantined", "quarantined", pool->nr_quarantined);
	out_size("size", "size", pool->size);
	out_size("free", "free", pool->free);
	out_size("meta", "metadata", pool->meta);
	out_size("pending", pool->pending ? "pending" : NULL, pool->pending);
	out_u32("gib_1g", "GiB as 1G", pool->gib_1g);
	out_u32("gib_2m", "GiB as 2M", pool->gib_2m);
}

static int pool_show(int argc, char **argv)
{
	struct pkram_pool *pool;
	struct pkram_ctx *ctx;

	if (ctl_no_more(argc, argv))
		return CTL_USAGE;
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_pool_get(ctx, &pool))
		return ctl_fail(ctx, NULL);
	out_record_open(NULL, NULL);
	ctl_print_pool(pool);
	out_record_close();
	pkram_pool_free(pool);
	return ctl_done(ctx);
}

static void print_spans(const struct pkram_span *s, const char *key,
			const char *title)
{
	out_table_open(key, s ? title : NULL);
	for (; s; s = s->next) {
		out_row_open();
		out_address("base", "BASE", s->base);
		out_size("size", "SIZE", s->size);
		if (s->err) {
			out_u32("errno", NULL, s->err);
			out_str("reason", "REASON", s->reason);
		}
		out_row_close();
	}
	out_table_close();
}

/* Many refusals have few reasons: print each with its number, the first one first */
static void print_reasons(const struct pkram_span *list)
{
	const struct pkram_span *s, *t;
	uint64_t size;
	unsigned int n;

	out_table_open(NULL, "refused (--verbose lists each):");
	for (s = list; s; s = s->next) {
		for (t = list; t != s && strcmp(t->reason ?: "", s->reason ?: ""); t = t->next)
			;
		if (t != s)
			continue;
		for (n = 0, size = 0; t; t = t->next) {
			if (strcmp(t->reason ?: "", s->reason ?: ""))
				continue;
			size += t->size;
			n++;
		}
		out_row_open();
		out_u32(NULL, "RANGES", n);
		out_size(NULL, "SIZE", size);
		out_str(NULL, "REASON", s->reason);
		out_row_close();
	}
	out_table_close();
}

static void print_refused(const struct pkram_span *list, bool verbose)
{
	const struct pkram_span *s;
	unsigned int n = 0;

	for (s = list; s; s = s->next)
		n++;
	if (n > MAX_REFUSED && !verbose && !out_is_json())
		print_reasons(list);
	else
		print_spans(list, "refused", "refused:");
}

/* Draw how much of @gib was moved since the pool had @first bytes, until the process is ended */
static void __attribute__((noreturn)) draw_progress(const char *what, uint64_t first, uint32_t gib)
{
	struct progress p = { .what = what, .all = gib * PKRAM_GIB_SIZE };
	struct pkram_ctx *ctx = NULL;
	int64_t begin = now_us();
	struct pkram_pool *pool;

	/* Also if it is killed that has the work done */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (;; poll(NULL, 0, DRAW_MS)) {
		if (!ctx && pkram_open(&ctx))
			continue;
		if (pkram_pool_get(ctx, &pool))
			continue;
		p.done = pool->size > first ? pool->size - first : first - pool->size;
		if (now_us() > begin)
			p.rate = p.done * 1000000 / (now_us() - begin);
		pkram_pool_free(pool);
		progress_show(&p);
	}
}

/*
 * Begin to show the progress of a request that the module answers when all is done: it takes a
 * second for a few GiB. Return: what end_progress() needs
 */
static pid_t begin_progress(struct pkram_ctx *ctx, const char *what, uint32_t gib)
{
	struct progress p = { .what = what, .all = gib * PKRAM_GIB_SIZE };
	struct pkram_pool *pool;
	uint64_t first;
	pid_t pid;

	if (out_is_json() || !live_terminal() || pkram_pool_get(ctx, &pool))
		return 0;
	first = pool->size;
	pkram_pool_free(pool);
	progress_show(&p);
	fflush(NULL);
	pid = fork();
	if (!pid)
		draw_progress(what, first, gib);
	return pid;
}

static void end_progress(pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
	progress_clear();
}

/* Print the result of a command that changes the pool. */
static int report(struct pkram_ctx *ctx, int err, struct pkram_resize *res,
		  uint32_t asked, const char *done, bool verbose)
{
	const char *taken = strcmp(done, "gave back") ? "new:" : "given back:";
	int ret = CTL_OK;

	if (!res)
		return ctl_fail(ctx, NULL);
	out_record_open(NULL, NULL);
	out_u32("asked_gib", NULL, asked);
	out_u32("got_gib", NULL, res->gib);
	if (res->gib < asked)
		out_text("%s %u of %u GiB", done, res->gib, asked);
	else
		out_text("%s %u GiB", done, res->gib);
	print_spans(res->taken, "taken", taken);
	print_refused(res->refused, verbose);
	print_spans(res->offline, "offline", "given back, but not online:");
	out_record_close();

	if (res->gib < asked || res->offline)
		ret = CTL_PARTLY;
	if (res->offline)
		ctl_warn("some of the memory that was given back is not online; run: echo online > /sys/devices/system/memory/memoryN/state");
	pkram_resize_free(res);
	if (err)
		return ctl_fail(ctx, NULL);
	ctl_done(ctx);
	return ret;
}

/* Open the module for a change of the pool, which an update has told its next kernel of */
static struct pkram_ctx *open_for_change(void)
{
	pid_t pid = update_unit_holder();

	if (!pid)
		return ctl_open();
	ctl_error("an update, or a load of its kernel, is under way (process %d), and the pool must not change until it has ended: pkramctl update --watch shows it",
		  (int)pid);
	return NULL;
}

static int pool_grow(int argc, char **argv)
{
	bool verbose = args_flag("--verbose", &argc, argv);
	struct pkram_resize *res;
	uint64_t node = PKRAM_NONE32, seconds = 0;
	const char *timeout;
	struct pkram_ctx *ctx;
	char why[256];
	pid_t drawer;
	uint32_t gib;
	int err;

	err = node_take("pool grow", &argc, argv, &node);
	if (err)
		return err;
	if (args_value("--timeout", &argc, argv, &timeout))
		return CTL_USAGE;
	if (timeout && (parse_number(timeout, &seconds) || !seconds ||
			seconds > UINT32_MAX / 1000))
		return ctl_usage("pool grow: --timeout \"%s\" is not a number of seconds, like 30",
				 timeout);
	if (!argc)
		return ctl_usage("pool grow: no size given");
	if (parse_gib(argv[0], &gib, why, sizeof(why)))
		return ctl_usage("pool grow: %s", why);
	if (ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
	ctx = open_for_change();
	if (!ctx)
		return CTL_FAILED;
	drawer = begin_progress(ctx, "growing", gib);
	err = pkram_pool_grow(ctx, gib, node, seconds * 1000, &res);
	end_progress(drawer);
	return report(ctx, err, res, gib, "got", verbose);
}

/*
 * What the module says of memory that it took from the system or emptied itself: there is
 * no region in it, whatever happened. See kmod/pool/pool.c.
 */
static bool holds_nothing(const char *reason)
{
	return !strncmp(reason, "growing failed", 14) ||
	       !strncmp(reason, "out of the pool,", 16);
}

/*
 * A quarantined range is erased whatever is in it, and most reasons do not say that it
 * holds nothing. @instead: what to do first. Return: 0; %CTL_FAILED: refused
 */
static int check_lost(struct pkram_ctx *ctx, uint64_t base, uint64_t size, const char *instead)
{
	struct pkram_region *list, *r;
	int ret = CTL_OK;

	if (pkram_region_dump(ctx, &list))
		return ctl_error("%s", pkram_strerror(ctx));
	for (r = list; r && !ret; r = r->next) {
		if (r->quarantine && r->base < base + size && base < r->base + r->size &&
		    !holds_nothing(r->quarantine))
			ret = ctl_error("the range may hold a region with its objects (%s): %s; troubleshooting.md says what can be saved, and --erase gives it up",
					r->quarantine, instead);
	}
	pkram_region_free(list);
	return ret;
}

static int pool_adopt(int argc, char **argv)
{
	struct pkram_resize *res;
	struct pkram_ctx *ctx;
	uint64_t base, size;
	char why[256];
	bool format, erase;
	int err;

	format = args_flag("--format", &argc, argv);
	erase = args_flag("--erase", &argc, argv);
	if (erase && !format)
		return ctl_usage("pool adopt: --erase goes with --format only");
	if (!argc)
		return ctl_usage("pool adopt: no memory given; name it as BASE+SIZE");
	if (parse_range(argv[0], &base, &size, why, sizeof(why)))
		return ctl_usage("pool adopt: %s", why);
	if (ctl_no_more(argc - 1, argv + 1))
		return CTL_USAGE;
	ctx = open_for_change();
	if (!ctx)
		return CTL_FAILED;
	if (format && !erase &&
	    check_lost(ctx, base, size,
		       "adopt it without --format, which attaches what is whole")) {
		pkram_close(ctx);
		return CTL_FAILED;
	}
	err = pkram_pool_adopt(ctx, base, size, format, &res);
	return report(ctx, err, res, size / PKRAM_GIB_SIZE, "got", true);
}

static int give_up_missing(const char *number)
{
	struct pkram_ctx *ctx;
	uint64_t nr;

	if (parse_number(number, &nr) || !nr || nr >= PKRAM_NONE32)
		return ctl_usage("pool shrink: --missing \"%s\" is not a number of regions",
				 number);
	ctx = open_for_change();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_pool_give_up(ctx, nr))
		return ctl_fail(ctx, NULL);
	out_record_open(NULL, NULL);
	out_u32("asked_gib", NULL, 0);
	out_u32("got_gib", NULL, 0);
	print_spans(NULL, "taken", NULL);
	print_spans(NULL, "refused", NULL);
	print_spans(NULL, "offline", NULL);
	out_text("gave up %u missing region(s)", (uint32_t)nr);
	out_record_close();
	return ctl_done(ctx);
}

static int pool_shrink(int argc, char **argv)
{
	bool erase = args_flag("--erase", &argc, argv);
	bool verbose = args_flag("--verbose", &argc, argv);
	uint64_t base = 0, size = 0;
	const char *range, *missing;
	struct pkram_resize *res;
	struct pkram_ctx *ctx;
	char why[256];
	pid_t drawer;
	uint32_t gib;
	int err;

	if (args_value("--region", &argc, argv, &range) ||
	    args_value("--missing", &argc, argv, &missing))
		return CTL_USAGE;
	if (erase && !range)
		return ctl_usage("pool shrink: --erase goes with --region only");
	if (missing) {
		if (range)
			return ctl_usage("pool shrink: --missing goes without --region");
		if (ctl_no_more(argc, argv))
			return CTL_USAGE;
		return give_up_missing(missing);
	}
	if (range) {
		err = parse_range(range, &base, &size, why, sizeof(why));
		gib = size / PKRAM_GIB_SIZE;
	} else if (argc) {
		err = parse_gib(argv[0], &gib, why, sizeof(why));
		argc--;
		argv++;
	} else {
		return ctl_usage("pool shrink: no size and no --region given");
	}
	if (err)
		return ctl_usage("pool shrink: %s", why);
	if (ctl_no_more(argc, argv))
		return CTL_USAGE;
	ctx = open_for_change();
	if (!ctx)
		return CTL_FAILED;
	if (range && !erase &&
	    check_lost(ctx, base, size, "run pkramctl report before it is given back")) {
		pkram_close(ctx);
		return CTL_FAILED;
	}
	drawer = begin_progress(ctx, "shrinking", gib);
	if (range)
		err = pkram_pool_shrink_range(ctx, base, size, &res);
	else
		err = pkram_pool_shrink(ctx, gib, &res);
	end_progress(drawer);
	return report(ctx, err, res, gib, "gave back", verbose);
}

static const struct ctl_verb pool_verbs[] = {
	{ "show", "", "size, free memory, number of regions and objects",
	  pool_show },
	{ "grow", "SIZE [--node N] [--timeout SECONDS] [--verbose]",
	  "take whole GiB from this kernel's memory, now; --timeout: for each GiB\n"
	  "      (10), as pinned pages cannot be moved; --verbose: list each that is\n"
	  "      refused, where there are many", pool_grow },
	{ "adopt", "BASE+SIZE [--format [--erase]]",
	  "attach memory that was reserved at boot (memmap=SIZE$BASE); --format: make\n"
	  "      a new, empty region of it if it holds none; --erase: also of a quarantined\n"
	  "      range that may hold objects, which are lost",
	  pool_adopt },
	{ "shrink", "SIZE | --region BASE+SIZE [--erase] | --missing NUMBER [--verbose]",
	  "give whole free GiB back to this kernel; --erase: also a quarantined range\n"
	  "      that may hold objects, which are lost; --missing: give up regions that\n"
	  "      are not there, with all that is in them", pool_shrink },
	{ }
};

const struct ctl_object ctl_pool = {
	.name = "pool",
	.help = "the pool of memory: show, grow, adopt, shrink",
	.verbs = pool_verbs,
};

/* Return whether GiB in the middle of the region were given back */
static bool has_holes(const struct pkram_region *r)
{
	return r->gib != PKRAM_NONE32 && r->size != PKRAM_NONE64 &&
	       r->gib * PKRAM_GIB_SIZE > r->size;
}

void ctl_print_bad(uint32_t nr, const struct pkram_bad_range *list, bool row)
{
	const struct pkram_bad_range *b;
	char *text = NULL;
	size_t len;
	FILE *out;

	if (list) {
		out = ctl_must(open_memstream(&text, &len));
		for (b = list; b; b = b->next)
			fprintf(out, "%s0x%" PRIx64 "+%" PRIu64, b == list ? "" : ",",
				b->start, b->size);
		fclose(out);
	}
	out_u32("bad_pages", row ? "BAD PAGES" : "bad pages", nr ? nr : PKRAM_NONE32);
	out_str("bad_ranges", row ? "BAD" : "bad", text);
	free(text);
}

void ctl_print_regions(const struct pkram_region *list, const char *key,
		       const char *title)
{
	const struct pkram_region *r;

	out_table_open(key, title);
	for (r = list; r; r = r->next) {
		out_row_open();
		out_address("base", "BASE", r->base);
		out_size("size", "SIZE", r->size);
		out_u32("span_gib", NULL, r->gib);
		out_size(NULL, "SPAN", has_holes(r) ?
			 r->gib * PKRAM_GIB_SIZE : PKRAM_NONE64);
		out_size("free", "FREE", r->free);
		out_size("meta", "METADATA", r->meta);
		out_size("pending", "PENDING",
			 r->pending || out_is_json() ? r->pending : PKRAM_NONE64);
		out_u32("node", "NODE", r->node);
		out_u32("gib_1g", "1G", r->gib_1g);
		out_u32("gib_2m", "2M", r->gib_2m);
		out_u32("format_version", NULL, r->format_version);
		if (!r->quarantine)
			out_bool("read_only", NULL, r->read_only);
		ctl_print_bad(r->nr_bad_pages, r->bad, true);
		out_str(NULL, "FLAGS", r->read_only ? "read-only" : NULL);
		out_uuid("uuid", "UUID", r->uuid);
		out_str("quarantine", "QUARANTINED BECAUSE", r->quarantine);
		out_row_close();
	}
	out_table_close();
}

/* Copy the region with this address or UUID to @one, or return false */
static bool find_region(const struct pkram_region *list, const char *word,
			struct pkram_region *one)
{
	uint8_t uuid[16];
	uint64_t base;
	bool by_base;

	by_base = !parse_size(word, &base);
	if (!by_base && parse_uuid(word, uuid))
		return false;
	for (; list; list = list->next) {
		if (by_base ? list->base != base : memcmp(list->uuid, uuid, 16))
			continue;
		*one = *list;
		one->next = NULL;
		return true;
	}
	return false;
}

static int region_show(int argc, char **argv)
{
	struct pkram_region *list, one, **at, *r;
	uint64_t node = PKRAM_NONE32;
	struct pkram_ctx *ctx;
	int err;

	err = node_take("region show", &argc, argv, &node);
	if (err)
		return err;
	if (ctl_columns(&argc, argv) || (argc && ctl_no_more(argc - 1, argv + 1)))
		return CTL_USAGE;
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_region_dump(ctx, &list))
		return ctl_fail(ctx, NULL);
	for (at = &list; (r = *at); ) {
		if (node == PKRAM_NONE32 || r->node == node) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		r->next = NULL;
		pkram_region_free(r);
	}
	if (argc && !find_region(list, argv[0], &one)) {
		pkram_region_free(list);
		pkram_close(ctx);
		return ctl_error("there is no region that begins at %s or has that UUID",
				 argv[0]);
	}
	ctl_print_regions(argc ? &one : list, NULL, NULL);
	if (!list)
		ctl_nothing(node == PKRAM_NONE32 ?
			    "the pool has no memory: pkramctl pool grow takes some" :
			    "the pool has no memory of that node");
	pkram_region_free(list);
	return ctl_done(ctx);
}

static const struct ctl_verb region_verbs[] = {
	{ "show", "[BASE | UUID] [--node N] [--columns LIST]",
	  "list regions, or show one: address, size, free memory; --node: only those\n"
	  "      of this NUMA node; --columns: these headings, separated by commas",
	  region_show },
	{ }
};

const struct ctl_object ctl_region = {
	.name = "region",
	.help = "ranges of physical memory in the pool: show",
	.verbs = region_verbs,
};
