// SPDX-License-Identifier: GPL-2.0
/*
 * pkramctl kexec: boot another kernel and preserve the pool.
 *
 * Only kexec_file_load(2) is used: with it the kernel itself places the new image and
 * passes on the memory map in which the regions are reserved.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include "ctl.h"
#include "kexec.h"
#include "print.h"
#include "read_file.h"
#include "systemd.h"
#include "update_unit.h"

enum {
	OPT_KERNEL = 256,
	OPT_INITRD,
	OPT_NO_INITRD,
	OPT_CMDLINE,
	OPT_REUSE,
	OPT_APPEND,
	OPT_DRY_RUN,
	OPT_FORCE,
	OPT_YES,
	/* Only of kexec */
	OPT_LOAD_ONLY,
	OPT_UNLOAD,
	/* Only of update */
	OPT_REPORT,
	OPT_REHEARSE,
	OPT_WATCH,
	OPT_NO_UNIT,
};

/* Of both commands; takes() knows which command has which option */
static const struct option options[] = {
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "no-initrd", no_argument, NULL, OPT_NO_INITRD },
	{ "command-line", required_argument, NULL, OPT_CMDLINE },
	{ "reuse-cmdline", no_argument, NULL, OPT_REUSE },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "load-only", no_argument, NULL, OPT_LOAD_ONLY },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "yes", no_argument, NULL, OPT_YES },
	{ "unload", no_argument, NULL, OPT_UNLOAD },
	{ "report", no_argument, NULL, OPT_REPORT },
	{ "rehearse", no_argument, NULL, OPT_REHEARSE },
	{ "watch", no_argument, NULL, OPT_WATCH },
	{ "no-unit", no_argument, NULL, OPT_NO_UNIT },
	{ "json", no_argument, NULL, 'j' },
	{ "pretty", no_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static bool takes(const char *command, int option)
{
	switch (option) {
	case OPT_LOAD_ONLY:
	case OPT_UNLOAD:
		return !strcmp(command, "kexec");
	case OPT_REPORT:
	case OPT_REHEARSE:
	case OPT_WATCH:
	case OPT_NO_UNIT:
		return !strcmp(command, "update");
	case OPT_DRY_RUN:
	case OPT_FORCE:
	case OPT_YES:
		return strcmp(command, "check");
	default:
		return option != '?';
	}
}

int kexec_parse(struct kexec_plan *plan, const char *command, int argc,
		char **argv)
{
	char name[32];
	char *args[argc + 2];
	int c;

	/* getopt expects the program's name first and prints it in messages */
	snprintf(name, sizeof(name), "pkramctl %s", command);
	args[0] = name;
	memcpy(args + 1, argv, argc * sizeof(*argv));
	args[argc + 1] = NULL;
	optind = 1;
	while ((c = getopt_long(argc + 1, args, "jph", options, NULL)) != -1) {
		if (!takes(command, c))
			return ctl_usage("%s: unknown option, or missing value", command);
		switch (c) {
		case OPT_KERNEL:
			plan->kernel = optarg;
			break;
		case OPT_INITRD:
			plan->initrd = optarg;
			break;
		case OPT_NO_INITRD:
			plan->no_initrd = true;
			break;
		case OPT_CMDLINE:
			plan->cmdline = optarg;
			break;
		case OPT_REUSE:
			plan->reuse = true;
			break;
		case OPT_APPEND:
			plan->append = optarg;
			break;
		case OPT_LOAD_ONLY:
			plan->load_only = true;
			break;
		case OPT_DRY_RUN:
			plan->dry_run = true;
			break;
		case OPT_FORCE:
			plan->checks.force = true;
			break;
		case OPT_UNLOAD:
			plan->unload = true;
			break;
		case OPT_REPORT:
			plan->report = true;
			break;
		case OPT_REHEARSE:
			plan->rehearse = true;
			break;
		case OPT_WATCH:
			plan->watch = true;
			break;
		case OPT_NO_UNIT:
			plan->no_unit = true;
			break;
		case OPT_YES:
			plan->yes = true;
			break;
		case 'j':
			plan->json = true;
			break;
		case 'p':
			plan->pretty = true;
			break;
		case 'h':
			plan->help = true;
			return 0;
		}
	}
	if (ctl_no_more(argc + 1 - optind, args + optind))
		return CTL_USAGE;
	if (plan->initrd && plan->no_initrd)
		return ctl_usage("%s: --initrd and --no-initrd exclude each other", command);
	if (plan->cmdline && plan->reuse)
		return ctl_usage("%s: --command-line and --reuse-cmdline exclude each other",
				 command);
	return 0;
}

static int open_images(struct kexec_plan *plan)
{
	plan->kernel_fd = open(plan->kernel, O_RDONLY | O_CLOEXEC);
	if (plan->kernel_fd < 0)
		return preflight_add(&plan->checks, PREFLIGHT_REFUSE, "kernel", "%s: %s",
				     plan->kernel, strerror(errno));
	if (boot_version(plan->kernel_fd, plan->version, sizeof(plan->version)))
		plan->version[0] = '\0';
	preflight_add(&plan->checks, PREFLIGHT_OK, "kernel", "%s", plan->kernel);
	if (!plan->initrd)
		return 0;
	plan->initrd_fd = open(plan->initrd, O_RDONLY | O_CLOEXEC);
	if (plan->initrd_fd < 0)
		return preflight_add(&plan->checks, PREFLIGHT_REFUSE, "initrd", "%s: %s",
				     plan->initrd, strerror(errno));
	return 0;
}

static int build_cmdline(struct kexec_plan *plan)
{
	const char *base = plan->cmdline;
	char current[2 * CMDLINE_MAX];
	int len;

	plan->line_from = "given";
	if (!base && !plan->reuse && plan->entry.options) {
		base = plan->entry.options;
		plan->line_from = plan->entry.source;
	}
	if (!base) {
		len = pkram_read_line("/proc/cmdline", current, sizeof(current));
		if (len)
			return ctl_error("/proc/cmdline: %s", strerror(-len));
		base = current;
		plan->line_from = "this kernel";
	}
	len = cmdline_build(plan->line, sizeof(plan->line), base,
			    base == current, plan->append,
			    plan->handover->cmdline);
	if (len < 0)
		return ctl_error("the command line is too long: a kernel accepts at most %d bytes",
				 CMDLINE_MAX);
	if (len > CMDLINE_MAX)
		return ctl_error("the command line has %d bytes; a kernel accepts at most %d%s",
				 len, CMDLINE_MAX, plan->handover->cmdline ?
				 " (the handover needs some of them)" : "");
	return 0;
}

static const char *object_name(const struct pkram_object *o)
{
	return o->name ? o->name : "(no name)";
}

static bool on_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Ask on a terminal. Return: the answer is yes */
static bool ask(const char *question)
{
	char answer[16] = "";

	if (!on_terminal())
		return false;
	fflush(stdout);
	fprintf(stderr, "%s [y/N] ", question);
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

bool kexec_asks(const struct kexec_plan *plan)
{
	return !plan->yes && !plan->load_only && !out_is_json() && on_terminal();
}

int kexec_confirm(const struct kexec_plan *plan, const char *question)
{
	if (!kexec_asks(plan) || ask(question))
		return 0;
	return ctl_error("nothing was done: the answer was not yes");
}

/* A guest whose state is not saved would be lost. Return: 0; %CTL_FAILED: refused */
static int check_objects(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	bool fatal = !plan->checks.force && !plan->load_only;
	unsigned int claimed = 0;
	struct pkram_object *o;

	if (pkram_object_dump(ctx, &plan->objects))
		return ctl_error("%s", pkram_strerror(ctx));
	for (o = plan->objects; o; o = o->next) {
		if (o->quarantine)
			ctl_warn("object 0x%" PRIx64 " is quarantined: %s",
				 o->key, o->quarantine);
		if (o->state != PKRAM_STATE_CLAIMED)
			continue;
		claimed++;
		if (fatal)
			ctl_error("%s is claimed and not sealed: its state is not saved",
				  object_name(o));
		else
			ctl_warn("%s is claimed and not sealed: its state is not saved",
				 object_name(o));
	}
	if (!plan->load_only && kexec_check_holders(plan, plan->objects, NULL, 0))
		return CTL_FAILED;
	plan->agreed = claimed && fatal && !plan->dry_run &&
		       ask("Boot anyway and lose the unsaved state?");
	if (!claimed || !fatal || plan->agreed)
		return 0;
	return ctl_error("%u object%s in use; save the guests first, or lose their state with --force",
			 claimed, claimed == 1 ? " is" : "s are");
}

static bool was_claimed(const struct kexec_plan *plan, uint64_t key)
{
	const struct pkram_object *o;

	for (o = plan->objects; o; o = o->next) {
		if (o->key == key)
			return o->state == PKRAM_STATE_CLAIMED;
	}
	return false;
}

/* Loading takes a while: check that no object was claimed since check_objects() */
static int check_again(const struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	struct pkram_object *list, *o;
	int ret = 0;

	if (plan->checks.force)
		return 0;
	if (pkram_object_dump(ctx, &list))
		return ctl_error("%s", pkram_strerror(ctx));
	for (o = list; o; o = o->next) {
		if (o->state != PKRAM_STATE_CLAIMED ||
		    (plan->agreed && was_claimed(plan, o->key)))
			continue;
		ret = ctl_error("%s is claimed and not sealed since the kernel was loaded",
				object_name(o));
	}
	pkram_object_free(list);
	return ret;
}

#define HINT_EPERM " (this needs root, a kernel that is not locked down, and kexec_load_disabled = 0; dmesg shows whether pkram refused it)"

static int explain_load(const struct kexec_plan *plan, int err)
{
	const char *hint = "";

	switch (err) {
	case ENOSYS:
		hint = " (this kernel has no kexec_file_load)";
		break;
	case EPERM:
		hint = HINT_EPERM;
		break;
	case ENOEXEC:
		hint = " (not an image that this kernel can load)";
		break;
	case EKEYREJECTED:
	case ENOKEY:
	case EBADMSG:
	case ENODATA:
		hint = " (the image's signature is not accepted)";
		break;
	case EBUSY:
		hint = " (another kexec, or a load of the crash kernel, has run for 30 s)";
		break;
	case EADDRNOTAVAIL:
	case ENOMEM:
		hint = " (no room for it outside the pool)";
		break;
	}
	return ctl_error("loading %s: %s%s", plan->kernel, strerror(err), hint);
}

/*
 * One load at a time: kdump's service loads the crash kernel again when memory comes or
 * goes, as when the pool grows, and with each block of it.
 */
#define BUSY_TRIES	300
#define BUSY_WAIT_US	100000

static int file_load(int kernel_fd, int initrd_fd, unsigned long len, const char *line,
		     unsigned long flags)
{
	int tries = 1;

	while (syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, len, line, flags)) {
		if (errno != EBUSY || tries++ == BUSY_TRIES)
			return -1;
		usleep(BUSY_WAIT_US);
	}
	return 0;
}

int kexec_unload(void)
{
	/* systemd would reboot through the firmware instead, which loses all that is saved */
	if (systemd_kexec_pending())
		return ctl_error("the image stays loaded: systemd is about to boot it, or does not answer (systemctl list-jobs)");
	if (file_load(-1, -1, 0, NULL, KEXEC_FILE_UNLOAD))
		return ctl_error("unloading the image: %s", strerror(errno));
	return CTL_OK;
}

static bool same_regions(const struct pkram_region *a,
			 const struct pkram_region *b)
{
	for (; a && b; a = a->next, b = b->next) {
		if (a->base != b->base || a->size != b->size)
			return false;
	}
	return !a && !b;
}

bool kexec_is_loaded(void)
{
	char loaded[8];

	return !pkram_read_line("/sys/kernel/kexec_loaded", loaded, sizeof(loaded)) &&
	       !strcmp(loaded, "1");
}

bool kexec_may_boot(void)
{
	const char *tool = getenv("PKRAM_KEXEC");

	/* systemctl loads one by kexec(8), if it is installed, when all services have ended */
	return kexec_is_loaded() || !access(tool ? tool : "/sbin/kexec", X_OK);
}

int kexec_verify(const struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	struct pkram_handover *h = NULL;
	struct pkram_region *regions = NULL;
	int ret = CTL_OK;

	if (!kexec_is_loaded())
		return ctl_error("no image is loaded any more (/sys/kernel/kexec_loaded): another program unloaded it; try again");
	if (pkram_handover_get(ctx, &h) || pkram_region_dump(ctx, &regions))
		ret = ctl_error("%s", pkram_strerror(ctx));
	else if (!h->kexec_loaded)
		ret = ctl_error("pkram does not see the loaded image: it is a kdump image, or was replaced; try again");
	else if (h->mode != plan->handover->mode ||
		 strcmp(h->cmdline ? h->cmdline : "",
			plan->handover->cmdline ? plan->handover->cmdline : "") ||
		 !same_regions(regions, plan->regions))
		ret = ctl_error("the pool changed while the image was loaded: try again");
	pkram_handover_free(h);
	pkram_region_free(regions);
	return ret;
}

int kexec_load(const struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	unsigned long flags = plan->initrd ? 0 : KEXEC_FILE_NO_INITRAMFS;
	int ret;

	if (file_load(plan->kernel_fd, plan->initrd_fd, strlen(plan->line) + 1, plan->line,
		      flags))
		return explain_load(plan, errno);
	ret = kexec_verify(plan, ctx);
	if (ret)
		kexec_unload();
	return ret;
}

#define ASK_TRIES	60	/* as long as systemd may reload its units */
#define ASK_WAIT_US	1000000

const char *kexec_way(void)
{
	return systemd_runs() ? "systemctl start kexec.target" : "reboot(2)";
}

/*
 * systemctl has failed. The job may be queued nevertheless: it was killed, or systemd has not
 * answered in time and comes to it later, so that "no" counts only if it says it twice.
 */
static enum systemd_end end_after_failure(void)
{
	enum systemd_end end = SYSTEMD_MUTE;
	int i, no = 0;

	for (i = 0; i < ASK_TRIES && no < 2; i++) {
		if (i)
			usleep(ASK_WAIT_US);
		end = systemd_end();
		if (end == SYSTEMD_KEXEC)
			break;
		no = end == SYSTEMD_MUTE ? 0 : no + 1;
	}
	return end;
}

int kexec_go(void)
{
	fflush(NULL);
	if (systemd_runs()) {
		if (!systemd_kexec() || end_after_failure() == SYSTEMD_KEXEC)
			return CTL_OK;
		return ctl_error("systemd does not start kexec.target; the image stays loaded");
	}
	sync();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	return ctl_error("reboot(LINUX_REBOOT_CMD_KEXEC): %s; the image stays loaded",
			 strerror(errno));
}

void kexec_print(const struct kexec_plan *plan, const char *then)
{
	out_str("kernel", "kernel", plan->kernel);
	out_str("version", "version", *plan->version ? plan->version : NULL);
	out_str("initrd", "initrd", plan->initrd);
	out_str("cmdline", "command line", *plan->line ? plan->line : NULL);
	out_str("cmdline_from", "which is from", plan->line_from);
	out_str("module", "module", *plan->module ? plan->module : NULL);
	if (plan->handover)
		out_str("handover", "handover",
			pkram_handover_mode_name(plan->handover->mode));
	out_str("then", "then", then);
}

/* @done: the result, a key of the JSON; @good: no check failed */
static void print_plan(const struct kexec_plan *plan, const char *done, bool good)
{
	const struct pkram_object *o;
	bool any = false;

	for (o = plan->objects; o; o = o->next)
		any = any || o->state == PKRAM_STATE_CLAIMED;
	out_record_open(NULL, NULL);
	kexec_print(plan, !good ? "nothing: it is refused" : plan->load_only ?
		    "nothing (--load-only)" : kexec_way());
	out_table_open("in_use", any ? "in use, and not saved:" : NULL);
	for (o = plan->objects; o; o = o->next) {
		if (o->state != PKRAM_STATE_CLAIMED)
			continue;
		out_row_open();
		out_id("key", "KEY", o->key);
		out_size("size", "SIZE", o->size);
		out_str("name", "NAME", o->name);
		out_row_close();
	}
	out_table_close();
	out_bool(done, NULL, true);
	out_record_close();
}

/* A word without a slash is the version of a kernel of this host, otherwise a file */
static int find_kernel(struct kexec_plan *plan)
{
	int ret;

	if (strchr(plan->kernel, '/'))
		return 0;
	ret = boot_find(&plan->entry, plan->kernel);
	if (ret)
		return ret;
	plan->kernel = plan->entry.kernel;
	if (!plan->initrd && *plan->entry.initrd)
		plan->initrd = plan->entry.initrd;
	return 0;
}

int kexec_prepare(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	int ret;

	ret = find_kernel(plan);
	if (!ret)
		ret = kexec_check_handover(plan, ctx);
	if (!ret)
		ret = open_images(plan);
	if (ret)
		return ret;
	ret = kexec_check_image(plan, ctx);
	if (!ret || plan->dry_run)
		ret |= build_cmdline(plan);
	return ret;
}

void kexec_plan_free(struct kexec_plan *plan)
{
	if (plan->kernel_fd >= 0)
		close(plan->kernel_fd);
	if (plan->initrd_fd >= 0)
		close(plan->initrd_fd);
	boot_entry_free(&plan->entry);
	pkram_object_free(plan->objects);
	pkram_handover_free(plan->handover);
	pkram_region_free(plan->regions);
	preflight_free(&plan->checks);
}

static int kexec_with(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	bool asked;
	int ret;

	/* Check the objects first, because that needs root */
	ret = check_objects(plan, ctx);
	if (!ret || plan->dry_run)
		ret |= kexec_prepare(plan, ctx);
	if (plan->dry_run) {
		print_plan(plan, "dry_run", !ret);
		return ret;
	}
	asked = !ret && kexec_asks(plan);
	if (asked) {
		print_plan(plan, "dry_run", true);
		ret = kexec_confirm(plan, "Boot it now?");
	}
	/* Not to replace the image of an update */
	if (!ret)
		ret = update_unit_lock();
	if (!ret)
		ret = kexec_load(plan, ctx);
	if (ret)
		return ret;
	if (plan->load_only) {
		print_plan(plan, "loaded", true);
		return CTL_OK;
	}
	ret = check_again(plan, ctx);
	if (ret) {
		kexec_unload();
		return ret;
	}
	if (!asked)
		print_plan(plan, "booting", true);
	/* systemd may end this program at any time from now on */
	out_fini();
	return kexec_go();
}

static int kexec_run(int argc, char **argv)
{
	struct kexec_plan plan = { .kernel_fd = -1, .initrd_fd = -1 };
	struct pkram_ctx *ctx;
	int ret;

	ret = kexec_parse(&plan, "kexec", argc, argv);
	if (ret)
		return ret;
	if (plan.help) {
		ctl_help(&ctl_kexec, NULL);
		return CTL_OK;
	}
	if (plan.unload && (plan.kernel || plan.initrd || plan.cmdline || plan.append ||
			    plan.reuse || plan.load_only || plan.dry_run || plan.checks.force))
		return ctl_usage("kexec: --unload excludes all other options");
	if (!plan.kernel && !plan.unload)
		return ctl_usage("kexec: no kernel given; use --kernel VERSION or --kernel FILE");
	if (plan.json || plan.pretty)
		out_init(true, plan.pretty);
	if (plan.unload) {
		ret = update_unit_lock() || kexec_unload() ? CTL_FAILED : CTL_OK;
		if (!ret) {
			out_record_open(NULL, NULL);
			out_bool("unloaded", "unloaded", true);
			out_record_close();
		}
		return ret;
	}
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	ret = kexec_with(&plan, ctx);
	kexec_plan_free(&plan);
	pkram_close(ctx);
	return ret;
}

static const struct ctl_verb kexec_verbs[] = {
	{ "", "--kernel VERSION|FILE [--initrd FILE | --no-initrd] [--append STR]\n"
	      "      [--command-line STR | --reuse-cmdline] [--load-only] [--dry-run] [--force] [--yes]",
	  "load a kernel, check that the pool is safe from it, and boot it at once.\n"
	  "      VERSION is a kernel of this host, with its initrd and the boot loader's\n"
	  "      command line; without one, or with --reuse-cmdline, this kernel's command\n"
	  "      line is used. --load-only: do not boot. --dry-run: only check. --yes: do not\n"
	  "      ask on a terminal. --force:\n"
	  "      boot although objects are claimed (their unsaved state is lost) or the checks\n"
	  "      of its module or initrd fail, as pkramctl-kexec(8) lists them",
	  kexec_run },
	{ "", "--unload", "unload the image", kexec_run },
	{ }
};

const struct ctl_object ctl_kexec = {
	.name = "kexec",
	.help = "boot another kernel and keep the pool",
	.verbs = kexec_verbs,
	.raw = "",
};
