// SPDX-License-Identifier: GPL-2.0
/*
 * The guard: see guard.h. docs/handover.md explains the reasons, and lists the
 * sources of each kernel that were read.
 *
 * The kexec lock is a trylock that kexec_load(2), kexec_file_load(2), the reboot
 * into an image and (on some kernels) the crash path take: hold it for a few
 * instructions only.
 *
 * The guard hooks machine_kexec_prepare(), which both system calls run with the
 * kexec lock held, after the segments are known and before anything is written.
 * Therefore no load can be in progress past the guard when a range is reserved.
 */
#define pr_fmt(fmt) "pkram: " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/jiffies.h>
#include <linux/kexec.h>
#include <linux/pkram.h>
#include <linux/string.h>
#include "event/count.h"
#include "event/event.h"
#include "event/trace.h"
#include "handover/e820.h"
#include "handover/guard.h"
#include "handover/ksym.h"

#if !IS_ENABLED(CONFIG_X86_64) || !IS_ENABLED(CONFIG_KEXEC_FILE) || \
	!IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_REGS)
#error "pkram needs x86-64, CONFIG_KEXEC_FILE, CONFIG_DYNAMIC_FTRACE_WITH_REGS"
#endif

#define KEXEC_LOCK_WAIT		(5 * HZ)

/* Messages to the operator, each on a separate line */
#define TEXT_SEGMENT "kexec refused: a segment of the next kernel lies in preserved memory"
#define TEXT_CMDLINE "kexec refused: the next kernel's command line must reserve the preserved memory; add what 'pkramctl handover' shows"
#define TEXT_MAP "kexec refused: the memory map in the image does not reserve the preserved memory; this kernel is not supported, or its map has too many entries. Reload pkram with handover=memmap"
#define TEXT_KEXEC_LOAD "kexec_load refused: it would place the next kernel in preserved memory; use kexec -s (kexec_file_load)"

/* The map that images are checked against. Changed and read under the kexec lock. */
static const struct e820_table *guard_map;
static bool guard_cmdline;

/* The kernel's own variables, found by pkram_ksym_data(). */
static struct kimage **kernel_image;	/* kexec_image */
static atomic_t *kernel_lock;		/* __kexec_lock */

/* As kexec_trylock() in the private kernel/kexec_internal.h. */
static bool guard_try_lock(void)
{
	return atomic_cmpxchg_acquire(kernel_lock, 0, 1) == 0;
}

bool pkram_guard_lock(void)
{
	unsigned long end = jiffies + KEXEC_LOCK_WAIT;

	while (!guard_try_lock()) {
		if (time_after(jiffies, end))
			return false;
		msleep(20);
	}
	return true;
}

void pkram_guard_unlock(void)
{
	atomic_set_release(kernel_lock, 0);
}

/*
 * Check that the boot parameters of an image that is being loaded reserve all that
 * guard_map reserves. They are a segment, still in the loader's buffer. A kernel that
 * makes its map in another way is found out here, not after the boot.
 */
static bool guard_passed_on(const struct kimage *image)
{
	bool found = false;
	unsigned long i;

	for (i = 0; i < image->nr_segments; i++) {
		const struct kexec_segment *segment = &image->segment[i];

		if (!segment->kbuf ||
		    !pkram_e820_is_boot_params(segment->kbuf, segment->bufsz))
			continue;
		if (!pkram_e820_passed_on(guard_map, segment->kbuf))
			return false;
		found = true;
	}
	return found;
}

/*
 * Check an image while something is reserved: return 0 or an errno. @loading: the
 * command line and the contents of the segments are available (they are freed at the
 * end of a load). Context: the kexec lock is held, by us or by the load.
 */
static int guard_check_image(const struct kimage *image, bool loading)
{
	const struct e820_entry *entry;
	unsigned long i;

	/* A crash kernel runs in its own reserved memory. */
	if (image->type == KEXEC_TYPE_CRASH || !pkram_e820_reserves(guard_map))
		return 0;
	if (!image->file_mode)
		return -EPERM;
	for (i = 0; i < image->nr_segments; i++) {
		const struct kexec_segment *segment = &image->segment[i];

		if (segment->memsz &&
		    pkram_e820_bytes(guard_map, segment->mem,
				     segment->mem + segment->memsz,
				     PKRAM_E820_TYPE))
			return -EADDRINUSE;
	}
	if (!loading)
		return 0;
	if (!guard_cmdline)
		return guard_passed_on(image) ? 0 : -ENXIO;
	for (entry = guard_map->entries; entry < pkram_e820_stop(guard_map); entry++)
		if (entry->type == PKRAM_E820_TYPE &&
		    (!image->cmdline_buf ||
		     !pkram_e820_cmdline_covers(image->cmdline_buf, entry->addr,
						pkram_e820_end(entry))))
			return -EINVAL;
	return 0;
}

/* Runs instead of machine_kexec_prepare(), that is, in the task of the system call. */
static int guard_refuse_load(struct kimage *image)
{
	struct pkram_event ev = { .cmd = PKRAM_CMD_KEXEC_REFUSE_NTF };

	switch (guard_check_image(image, true)) {
	case -EADDRINUSE:
		ev.reason = TEXT_SEGMENT;
		break;
	case -EINVAL:
		ev.reason = TEXT_CMDLINE;
		break;
	case -ENXIO:
		ev.reason = TEXT_MAP;
		break;
	default:
		ev.reason = TEXT_KEXEC_LOAD;
		break;
	}
	pkram_count(PKRAM_COUNT_KEXEC_REFUSED);
	pr_warn_ratelimited("%s\n", ev.reason);
	pkram_event_tell(&ev);
	return -EPERM;
}

static void notrace guard_check_load(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops,
				     struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
	const struct kimage *image = (const void *)regs->di;

	int err = guard_check_image(image, true);

	trace_pkram_guard(image->type == KEXEC_TYPE_CRASH, image->file_mode,
			  image->nr_segments, err);
	if (err)
		regs->ip = (unsigned long)guard_refuse_load;
}

/* PERMANENT: the sysctl kernel.ftrace_enabled cannot disable it. */
static struct ftrace_ops guard_ops = {
	.func = guard_check_load,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY |
		 FTRACE_OPS_FL_PERMANENT,
};

int pkram_guard_arm(void)
{
	unsigned char name[] = "machine_kexec_prepare";
	int ret;

	ret = ftrace_set_filter(&guard_ops, name, strlen(name), 1);
	if (!ret)
		ret = register_ftrace_function(&guard_ops);
	if (ret) {
		ftrace_free_filter(&guard_ops);
		pr_err("cannot guard kexec: no hook on %s (%d); is the sysctl kernel.ftrace_enabled 0?\n",
		       name, ret);
	}
	return ret;
}

void pkram_guard_disarm(void)
{
	unregister_ftrace_function(&guard_ops);
	ftrace_free_filter(&guard_ops);
	/* A task may still be in guard_refuse_load(); it has the kexec lock. */
	while (!pkram_guard_lock())
		pr_warn("waiting for a kexec load to end\n");
	pkram_guard_unlock();
}

int pkram_guard_init(void)
{
	/*
	 * Without these two the guard can neither find out whether an image is
	 * loaded nor exclude loads while it reserves memory: there is no safe
	 * mode.
	 */
	kernel_image = pkram_ksym_data("kexec_image");
	kernel_lock = pkram_ksym_data("__kexec_lock");
	if (!kernel_image || !kernel_lock) {
		pr_err("cannot guard kexec: this kernel has no %s\n",
		       kernel_image ? "__kexec_lock" : "kexec_image");
		return -EOPNOTSUPP;
	}
	return 0;
}

void pkram_guard_set_map(const struct e820_table *map, bool cmdline)
{
	guard_map = map;
	guard_cmdline = cmdline;
}

int pkram_guard_verify_image(void)
{
	const struct kimage *image;
	int ret = 0;

	if (!pkram_guard_lock())
		return -EBUSY;
	image = READ_ONCE(*kernel_image);
	if (image)
		ret = guard_check_image(image, false);
	pkram_guard_unlock();
	return ret;
}

bool pkram_guard_image_loaded(void)
{
	return READ_ONCE(*kernel_image);
}
