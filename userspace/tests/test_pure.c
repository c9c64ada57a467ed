// SPDX-License-Identifier: GPL-2.0
/* Self test of code without system calls: sizes, ranges, the command line, progress. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "args.h"
#include "cmdline.h"
#include "parse.h"
#include "progress.h"
#include "read_file.h"
#include "tap.h"

#define GIB (1ULL << 30)

static void sizes(void)
{
	static const struct {
		const char *s;
		int err;
		uint64_t v;
	} t[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "4096B", 0, 4096 },
		{ "4K", 0, 4096 },
		{ "4G", 0, 4 * GIB },
		{ "4g", 0, 4 * GIB },
		{ "4 GiB", 0, 4 * GIB },
		{ "512GiB", 0, 512 * GIB },
		{ "512gib", 0, 512 * GIB },
		{ "1T", 0, 1024 * GIB },
		{ "1.5T", 0, 1536 * GIB },
		{ "0.5k", 0, 512 },
		{ "1.0000G", 0, GIB },
		{ "0x40000000", 0, GIB },
		{ "0x4G", 0, 4 * GIB },
		{ "15E", 0, 15ULL << 60 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "16E", -ERANGE, 0 },
		{ "0.3G", -ERANGE, 0 },
		{ "1.0000000000G", -ERANGE, 0 },
		{ "0.5", -ERANGE, 0 },
		{ "4GB", -EDOM, 0 },
		{ "4kb", -EDOM, 0 },
		{ "", -EINVAL, 0 },
		{ "G", -EINVAL, 0 },
		{ "-4G", -EINVAL, 0 },
		{ "+4G", -EINVAL, 0 },
		{ " 4G", -EINVAL, 0 },
		{ "4GG", -EINVAL, 0 },
		{ "4Gi", -EINVAL, 0 },
		{ "4X", -EINVAL, 0 },
		{ "4.G", -EINVAL, 0 },
		{ ".5G", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 },
		{ "0x1.5G", -EINVAL, 0 },
		{ "1e9", -EINVAL, 0 },
		{ "four", -EINVAL, 0 },
	};
	unsigned int i;
	uint64_t v;
	int err;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		v = 0;
		err = parse_size(t[i].s, &v);
		ok(err == t[i].err && (err || v == t[i].v),
		   "size \"%s\" is %s", t[i].s,
		   t[i].err ? strerror(-t[i].err) : "right");
	}
}

static void numbers(void)
{
	uint64_t v;

	ok(!parse_number("0xffffffff00000005", &v) && v == 0xffffffff00000005,
	   "a key is read in hexadecimal");
	ok(!parse_number("17", &v) && v == 17, "a number is read in decimal");
	ok(parse_number("0x1ffffffffffffffff", &v) == -ERANGE,
	   "a number of more than 64 bits is refused");
	ok(parse_number("17G", &v) == -EINVAL, "a number with a unit is refused");
	ok(parse_number("", &v) == -EINVAL, "an empty number is refused");
}

static void gibs(void)
{
	char why[256];
	uint32_t n;

	ok(!parse_gib("4G", &n, why, sizeof(why)) && n == 4, "4G is 4 GiB");
	ok(!parse_gib("2048M", &n, why, sizeof(why)) && n == 2,
	   "2048M is 2 GiB");
	ok(parse_gib("1536M", &n, why, sizeof(why)) &&
	   strstr(why, "1.5 GiB") && strstr(why, "whole GiB"),
	   "1536M is refused, with a reason");
	ok(parse_gib("0G", &n, why, sizeof(why)), "an empty size is refused");
	ok(parse_gib("4GB", &n, why, sizeof(why)) && strstr(why, "GiB"),
	   "GB is refused, and the error names GiB");
	ok(parse_gib("4E", &n, why, sizeof(why)) &&
	   strstr(why, "out of range"), "a size of 2^32 GiB is refused");
}

static void ranges(void)
{
	uint64_t base, size;
	char why[256];

	ok(!parse_range("0x100000000+4G", &base, &size, why, sizeof(why)) &&
	   base == 4 * GIB && size == 4 * GIB, "a range is read");
	ok(!parse_range("4G+4G", &base, &size, why, sizeof(why)) &&
	   base == 4 * GIB, "a base with a unit is read");
	ok(parse_range("0x100000000", &base, &size, why, sizeof(why)) &&
	   strstr(why, "BASE+SIZE"), "a range without a size is refused");
	ok(parse_range("0x100001000+4G", &base, &size, why, sizeof(why)) &&
	   strstr(why, "whole GiB"), "a base that is not whole GiB is refused");
	ok(parse_range("4G+0", &base, &size, why, sizeof(why)),
	   "an empty range is refused");
	ok(parse_range("15E+1E", &base, &size, why, sizeof(why)) &&
	   strstr(why, "out of range"), "a range that wraps is refused");
	ok(parse_range("4G+", &base, &size, why, sizeof(why)) &&
	   parse_range("+4G", &base, &size, why, sizeof(why)),
	   "an incomplete range is refused");
}

static void humans(void)
{
	static const struct {
		uint64_t v;
		const char *s;
	} t[] = {
		{ 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1 KiB" },
		{ 1536, "1.5 KiB" }, { 64 * GIB, "64 GiB" },
		{ 1024 * GIB, "1 TiB" }, { 1536 * GIB, "1.5 TiB" },
		{ 4ULL << 60, "4 EiB" }, { UINT64_MAX, "16.0 EiB" },
		{ 2 * GIB - (4 << 20), "2044 MiB" }, { GIB - 1, "1024.0 MiB" },
		{ 7 * GIB / 2, "3.5 GiB" }, { 1025, "1025 B" },
	};
	unsigned int i;
	char buf[16];

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ok(!strcmp(format_size(t[i].v, buf, sizeof(buf)), t[i].s),
		   "%s is printed", t[i].s);
}

static bool line_is(const char *base, bool reused, const char *append,
		    const char *pkram, const char *want)
{
	char buf[4096];
	int len = cmdline_build(buf, sizeof(buf), base, reused, append, pkram);

	if (len == (int)strlen(want) && !strcmp(buf, want))
		return true;
	tap_note("\"%s\" is not \"%s\"", buf, want);
	return false;
}

static void cmdlines(void)
{
	static const char old[] =
		"memmap=4G$0x100000000 memmap=2G$8G pkram.attach=0x100000000+0x100000000,8G+2G";
	char base[8192], buf[64];

	ok(line_is("root=/dev/sda1 ro", false, NULL, NULL,
		   "root=/dev/sda1 ro"), "a line without changes stays the same");
	ok(line_is("", false, NULL, NULL, ""), "an empty line stays empty");
	ok(line_is("BOOT_IMAGE=/vmlinuz root=/dev/sda1 initrd=\\initrd.img",
		   true, NULL, NULL, "root=/dev/sda1"),
	   "the boot loader's words are removed from a reused line");
	ok(line_is("BOOT_IMAGE=/vmlinuz a", false, NULL, NULL,
		   "BOOT_IMAGE=/vmlinuz a"),
	   "the boot loader's words stay in a given line");
	ok(line_is("a", false, "b c", "memmap=1G$4G",
		   "a memmap=1G$4G b c"), "words are appended");
	ok(line_is("a -- init=x", false, "b", "memmap=1G$4G",
		   "a memmap=1G$4G -- init=x b"),
	   "the handover's words are placed before --");
	snprintf(base, sizeof(base), "a %s b", old);
	ok(line_is(base, true, NULL, NULL, "a b"),
	   "an earlier handover's words are removed");
	ok(line_is(base, false, NULL, "memmap=4G$4G pkram.attach=4G+4G",
		   "a b memmap=4G$4G pkram.attach=4G+4G"),
	   "new handover words replace earlier ones");
	ok(line_is("memmap=1G$0x40000000 memmap=4G$4G pkram.attach=4G+4G", true,
		   NULL, NULL, "memmap=1G$0x40000000"),
	   "a reservation outside of the handover's ranges stays");
	ok(line_is("memmap=4G$4G", true, NULL, NULL, "memmap=4G$4G"),
	   "a reservation stays if no handover named it");
	ok(line_is("memmap=8G$4G pkram.attach=4G+4G,8G+4G", true, NULL, NULL,
		   ""), "adjacent ranges are merged");
	ok(line_is("memmap=9G$4G pkram.attach=4G+4G,8G+4G", true, NULL, NULL,
		   "memmap=9G$4G"), "a reservation larger than the ranges stays");
	ok(line_is("memmap=1G$4G,1G$64G pkram.attach=4G+4G", true, NULL, NULL,
		   "memmap=1G$4G,1G$64G"),
	   "a word that also reserves other memory stays");
	ok(line_is("memmap=exactmap memmap=1G@0 pkram.attach=0+1G", true, NULL,
		   NULL, "memmap=exactmap memmap=1G@0"),
	   "other forms of memmap= stay");
	ok(line_is("x=\"a  pkram.attach=1 -- b\"  y", true, NULL, "P",
		   "x=\"a  pkram.attach=1 -- b\" y P"),
	   "quotes keep a word together");
	ok(line_is("a -- pkram.attach=4G+4G", true, NULL, NULL,
		   "a -- pkram.attach=4G+4G"),
	   "words after -- stay");
	ok(line_is("pkram.attach= memmap= pkram.attach=,,+ memmap=$", true,
		   NULL, NULL, "pkram.attach= memmap= memmap=$"),
	   "malformed words stay or are removed without an error");

	memset(base, 'a', 3000);
	base[3000] = '\0';
	ok(cmdline_build(buf, sizeof(buf), base, false, NULL, NULL) == -E2BIG,
	   "a line that does not fit is refused");
	base[63] = '\0';
	ok(cmdline_build(buf, sizeof(buf), base, false, NULL, NULL) == 63,
	   "a line that just fits is accepted");
	base[62] = '\0';
	ok(cmdline_build(buf, sizeof(buf), base, false, "b", NULL) == -E2BIG,
	   "a line that is one space too long is refused");
}

/* The last usage error */
static char usage[512];

int ctl_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(usage, sizeof(usage), fmt, ap);
	va_end(ap);
	return CTL_USAGE;
}

static void arguments(void)
{
	static const struct ctl_verb verb = {
		.name = "grow", .args = "SIZE [--node N]\n      [--format] --all",
	};
	char *argv[] = { "4G", "--node", "1", "--format", "--node=2", "x", NULL };
	const char *known[] = { "show", "grow", "shrink" }, *value;
	int argc = 6;

	ok(args_known(&verb, "--node") && args_known(&verb, "--node=1") &&
	   args_known(&verb, "--format") && args_known(&verb, "--all"),
	   "a synopsis names the options of its verb");
	ok(!args_known(&verb, "--nod") && !args_known(&verb, "--nodes") &&
	   !args_known(&verb, "--") && !args_known(&verb, "-n") && !args_known(&verb, "--=1"),
	   "no other option is known");
	ok(!args_value("--node", &argc, argv, &value) && !strcmp(value, "1") && argc == 4,
	   "an option's value is the next argument");
	ok(!args_value("--node", &argc, argv, &value) && !strcmp(value, "2") && argc == 3,
	   "an option's value follows an equals sign");
	ok(!args_value("--node", &argc, argv, &value) && !value && argc == 3,
	   "an option that is not given has no value");
	ok(args_flag("--format", &argc, argv) && !args_flag("--format", &argc, argv) &&
	   argc == 2 && !strcmp(argv[0], "4G") && !strcmp(argv[1], "x"),
	   "options are removed from the arguments");
	ok(!args_distance("grow", "grow") && args_distance("gorw", "grow") == 1 &&
	   args_distance("gro", "grow") == 1 && args_distance("", "show") == 4,
	   "the distance counts typing errors");
	ok(args_unknown("verb", "pool", "shirnk", known, 3) == CTL_USAGE &&
	   !strcmp(usage, "pool: unknown verb \"shirnk\"; use one of: shrink, show, grow"),
	   "the most similar verb comes first");
}

static void write_file(const char *path, size_t len)
{
	FILE *f = fopen(path, "w");

	while (len--)
		putc('x', f);
	fclose(f);
}

static void whole_files(void)
{
	char path[] = "/tmp/pkram-test-XXXXXX", line[16], *buf;
	int fd = mkstemp(path);
	size_t len;

	close(fd);
	ok(!pkram_read_file(path, 10, &buf, &len) && !len && !*buf, "an empty file is read");
	free(buf);
	write_file(path, 10000);
	ok(!pkram_read_file(path, 10000, &buf, &len) && len == 10000 &&
	   strlen(buf) == 10000, "a file is read to its end");
	free(buf);
	ok(pkram_read_file(path, 9999, &buf, &len) == -EFBIG && !buf,
	   "a file that is too large is refused");
	ok(pkram_read_line(path, line, sizeof(line)) == -EFBIG,
	   "a line that is too long is refused");
	unlink(path);
	ok(pkram_read_file(path, 10, &buf, &len) == -ENOENT && !buf,
	   "a file that is not there is an error");
	ok(!pkram_read_file("/proc/self/stat", 10000, &buf, &len) && len > 10,
	   "a file without a known size is read");
	free(buf);
	ok(!pkram_read_line("/proc/sys/kernel/ostype", line, sizeof(line)) &&
	   !strcmp(line, "Linux"), "a line is read without its newline");
}

static void progress(void)
{
	struct progress p = { .what = "vm1", .done = GIB, .all = 4 * GIB };
	char buf[256], name[1000];

	ok(!strcmp(progress_line(&p, 0, buf, sizeof(buf)), "vm1: 25 % of 4 GiB"),
	   "progress without a rate");
	p.rate = GIB / 2 + 5;
	ok(!strcmp(progress_line(&p, 8, buf, sizeof(buf)),
		   "[##      ] vm1: 25 % of 4 GiB, 512 MiB/s, 0:05 left"),
	   "progress with a rate and a bar");
	p.rate = 300000;
	ok(strstr(progress_line(&p, 0, buf, sizeof(buf)), "292 KiB/s, 2:58:57 left"),
	   "progress that takes hours");
	p.done = 5 * GIB;
	ok(strstr(progress_line(&p, 0, buf, sizeof(buf)), "100 % of 4 GiB"),
	   "progress past the expected total ends at 100 %%");
	p.what = "evil\033[2J\n";
	ok(!strncmp(progress_line(&p, 0, buf, sizeof(buf)), "evil?[2J?: ", 11),
	   "progress escapes control characters in a name");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	p.what = name;
	ok(strstr(progress_line(&p, 100, buf, sizeof(buf)), "x: 100 %"),
	   "progress shows the end of a long name");
}

int main(void)
{
	sizes();
	numbers();
	gibs();
	ranges();
	humans();
	cmdlines();
	arguments();
	whole_files();
	progress();
	return tap_finish();
}
