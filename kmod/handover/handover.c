// SPDX-License-Identifier: GPL-2.0
/*
 * Handover. docs/handover.md has the why, and what was read in which kernel.
 *
 * Lock order: handover_lock, then the kernel's kexec lock; event_lock under either.
 * The kexec lock is a trylock that kexec_load(2), kexec_file_load(2), the reboot
 * into an image and (on some kernels) the crash path take: hold it for a few
 * instructions only.
 *
 * The guard sits on machine_kexec_prepare(), which both system calls run with
 * the kexec lock held, after the segments are known and before anything is
 * written. So no load can be half way past the guard when a range is reserved.
 */
#define pr_fmt(fmt) "pkram: " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/efi.h>
#include <linux/ftrace.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/kexec.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/pkram.h>

#include "handover/e820.h"
#include "event/event.h"
#include "handover/handover.h"
#include "handover/ksym.h"

#if !IS_ENABLED(CONFIG_X86_64) || !IS_ENABLED(CONFIG_KEXEC_FILE) || \
	!IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_REGS)
#error "pkram needs x86-64, CONFIG_KEXEC_FILE, CONFIG_DYNAMIC_FTRACE_WITH_REGS"
#endif

#define KEXEC_LOCK_WAIT		(5 * HZ)

/* What the operator is told, each on a line of its own */
#define TEXT_SEGMENT "kexec refused: a segment of the next kernel lies in preserved memory"
#define TEXT_CMDLINE "kexec refused: the next kernel's command line must reserve the preserved memory; add what 'pkramctl handover' shows"
#define TEXT_KEXEC_LOAD "kexec_load refused: it would place the next kernel in preserved memory; use kexec -s (kexec_file_load)"

static DEFINE_MUTEX(handover_lock);

/*
 * The map in force: what is reserved are its entries of PKRAM_E820_TYPE. In
 * e820 mode it is the kernel's own, in memmap mode a private one that begins
 * as RAM throughout. Changed under handover_lock and the kexec lock, read under
 * either; never changed in place.
 */
static struct e820_table *map;

/*
 * The table found at load. It may be the boot's or one that this module left
 * in force when it was loaded before; both come from kmalloc
 * (e820__reallocate_tables()), and nobody keeps a pointer to it but
 * e820_table_kexec. Freed at exit if no longer in force. NULL: memmap mode.
 */
static struct e820_table *found_map;

/* The kernel's own variables, by pkram_ksym_data(). */
static struct e820_table **kernel_map;	/* e820_table_kexec; NULL: memmap mode */
static struct kimage **kernel_image;	/* kexec_image */
static atomic_t *kernel_lock;		/* __kexec_lock */

/* As kexec_trylock() in the private kernel/kexec_internal.h. */
static bool kexec_lock_try(void)
{
	return atomic_cmpxchg_acquire(kernel_lock, 0, 1) == 0;
}

static bool kexec_lock_wait(unsigned long timeout)
{
	unsigned long end = jiffies + timeout;

	while (!kexec_lock_try()) {
		if (time_after(jiffies, end))
			return false;
		msleep(20);
	}
	return true;
}

static void kexec_lock_release(void)
{
	atomic_set_release(kernel_lock, 0);
}

/* Context: handover_lock */
static u32 mode(void)
{
	lockdep_assert_held(&handover_lock);
	if (!pkram_e820_reserves(map))
		return PKRAM_HANDOVER_NONE;
	return kernel_map ? PKRAM_HANDOVER_E820 : PKRAM_HANDOVER_MEMMAP;
}

static void tell_handover(void)
{
	const struct pkram_event ev = {
		.cmd = PKRAM_CMD_HANDOVER_NTF,
		.mode = mode(),
	};

	pkram_event_tell(&ev);
}

/* Put a table in force; takes over @new, also on failure. */
static int table_install(struct e820_table *new, bool refuse_if_loaded)
{
	struct e820_table *old = map;
	int ret = 0;

	lockdep_assert_held(&handover_lock);

	if (found_map && pkram_e820_equal(new, found_map)) {
		kfree(new);
		new = found_map;
	}
	if (!kexec_lock_wait(KEXEC_LOCK_WAIT)) {
		ret = -EBUSY;
		goto out;
	}
	if (refuse_if_loaded && READ_ONCE(*kernel_image)) {
		ret = -EBUSY;
	} else {
		WRITE_ONCE(map, new);
		if (kernel_map)
			WRITE_ONCE(*kernel_map, new);
		swap(old, new);
	}
	kexec_lock_release();
	if (!ret)
		tell_handover();
out:
	/* The one that is not in force. Readers hold the kexec lock. */
	if (new != found_map)
		kfree(new);
	return ret;
}

/* The guard */

/*
 * What speaks against an image while something is reserved: 0 or an errno.
 * @loading: the command line is still there to be looked at (it is freed at
 * the end of a load). Context: the kexec lock is held, by us or by the load.
 */
static int image_check(const struct kimage *image, bool loading)
{
	const struct e820_entry *entry;
	unsigned long i;

	/* A crash kernel runs in its own reserved memory. */
	if (image->type == KEXEC_TYPE_CRASH || !pkram_e820_reserves(map))
		return 0;
	if (!image->file_mode)
		return -EPERM;
	for (i = 0; i < image->nr_segments; i++) {
		const struct kexec_segment *segment = &image->segment[i];

		if (segment->memsz &&
		    pkram_e820_bytes(map, segment->mem,
				     segment->mem + segment->memsz,
				     PKRAM_E820_TYPE))
			return -EADDRINUSE;
	}
	if (kernel_map || !loading)
		return 0;
	for (entry = map->entries; entry < pkram_e820_stop(map); entry++)
		if (entry->type == PKRAM_E820_TYPE &&
		    (!image->cmdline_buf ||
		     !pkram_e820_cmdline_covers(image->cmdline_buf, entry->addr,
						pkram_e820_end(entry))))
			return -EINVAL;
	return 0;
}

/* Runs instead of machine_kexec_prepare(), so in the system call's task. */
static int handover_refuse(struct kimage *image)
{
	struct pkram_event ev = { .cmd = PKRAM_CMD_KEXEC_REFUSE_NTF };

	switch (image_check(image, true)) {
	case -EADDRINUSE:
		ev.reason = TEXT_SEGMENT;
		break;
	case -EINVAL:
		ev.reason = TEXT_CMDLINE;
		break;
	default:
		ev.reason = TEXT_KEXEC_LOAD;
		break;
	}
	pr_warn_ratelimited("%s\n", ev.reason);
	pkram_event_tell(&ev);
	return -EPERM;
}

static void notrace handover_guard(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops,
				   struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
	const struct kimage *image = (const void *)regs->di;

	if (image_check(image, true))
		regs->ip = (unsigned long)handover_refuse;
}

/* PERMANENT: the sysctl kernel.ftrace_enabled cannot switch it off. */
static struct ftrace_ops handover_guard_ops = {
	.func = handover_guard,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY |
		 FTRACE_OPS_FL_PERMANENT,
};

static int guard_arm(void)
{
	unsigned char name[] = "machine_kexec_prepare";
	int ret;

	ret = ftrace_set_filter(&handover_guard_ops, name, strlen(name), 1);
	if (!ret)
		ret = register_ftrace_function(&handover_guard_ops);
	if (ret) {
		ftrace_free_filter(&handover_guard_ops);
		pr_err("cannot guard kexec: no hook on %s (%d); is the sysctl kernel.ftrace_enabled 0?\n",
		       name, ret);
	}
	return ret;
}

static void guard_disarm(void)
{
	unregister_ftrace_function(&handover_guard_ops);
	ftrace_free_filter(&handover_guard_ops);
	/* A task may still be in handover_refuse(); it has the kexec lock. */
	while (!kexec_lock_wait(KEXEC_LOCK_WAIT))
		pr_warn("waiting for a kexec load to end\n");
	kexec_lock_release();
}

/* Interface; see handover.h */

/*
 * Under a 32-bit UEFI, kexec hands on all of the firmware's map, conventional
 * memory included (should_map_region()), and the next kernel's KASLR prefers
 * that to e820. It respects memmap=.
 */
static bool efi_map_misleads(void)
{
	return efi_enabled(EFI_BOOT) && !efi_enabled(EFI_64BIT);
}

static int map_find(bool force_memmap)
{
	if (!force_memmap && !efi_map_misleads())
		kernel_map = pkram_ksym_data("e820_table_kexec");
	if (kernel_map && !pkram_e820_plausible(*kernel_map))
		kernel_map = NULL;
	if (kernel_map) {
		found_map = *kernel_map;
		map = found_map;
		return 0;
	}

	map = pkram_e820_alloc(3);
	if (!map)
		return -ENOMEM;
	pkram_e820_append(map, 0, U64_MAX, E820_TYPE_RAM);
	pr_warn("the memory map for kexec is %s: the next kernel needs memmap= on its command line\n",
		force_memmap ? "left alone by request" :
		efi_map_misleads() ? "not enough under a 32-bit UEFI" :
		"not to be found");
	return 0;
}

int pkram_handover_init(bool force_memmap)
{
	int ret;

	/*
	 * Without these two there is no telling whether an image is loaded, and
	 * nothing to keep a load and a reservation apart: no safe mode is left.
	 */
	kernel_image = pkram_ksym_data("kexec_image");
	kernel_lock = pkram_ksym_data("__kexec_lock");
	if (!kernel_image || !kernel_lock) {
		pr_err("cannot guard kexec: this kernel has no %s\n",
		       kernel_image ? "__kexec_lock" : "kexec_image");
		return -EOPNOTSUPP;
	}

	ret = map_find(force_memmap);
	if (ret)
		return ret;
	ret = guard_arm();
	if (ret) {
		if (!kernel_map)
			kfree(map);
		return ret;
	}
	if (pkram_handover_verify_image())
		pr_warn("the kexec image that is loaded would overwrite preserved memory: unload it (kexec -u)\n");
	return 0;
}

void pkram_handover_exit(void)
{
	guard_disarm();
	if (!kernel_map) {
		kfree(map);
		return;
	}
	if (pkram_e820_reserves(map))
		pr_info("preserved memory stays reserved; kexec_load is no longer refused\n");
	if (map != found_map)
		kfree(found_map);
}

int pkram_handover_found(struct pkram_range **ranges)
{
	const struct e820_entry *entry;
	struct pkram_range *found;
	bool unaligned = false;
	int nr = 0;

	*ranges = NULL;
	mutex_lock(&handover_lock);
	found = kmalloc_array(map->nr_entries, sizeof(*found), GFP_KERNEL);
	if (!found) {
		mutex_unlock(&handover_lock);
		return -ENOMEM;
	}
	for (entry = map->entries; entry < pkram_e820_stop(map); entry++) {
		if (entry->type != PKRAM_E820_TYPE)
			continue;
		if (!IS_ALIGNED(entry->addr | entry->size, SZ_1G)) {
			pr_err("reserved range [0x%llx, 0x%llx) is not GiB aligned: left out\n",
			       (u64)entry->addr, pkram_e820_end(entry));
			unaligned = true;
			continue;
		}
		found[nr].base = entry->addr;
		found[nr++].size = entry->size;
	}
	mutex_unlock(&handover_lock);

	if (nr) {
		*ranges = found;
		return nr;
	}
	kfree(found);
	return unaligned ? -EUCLEAN : 0;
}

int pkram_handover_reserve(const struct pkram_range *r)
{
	u64 end = r->base + r->size, ram, ours;
	struct e820_table *new;
	int ret;

	if (!r->size || end < r->base || !IS_ALIGNED(r->base | r->size, SZ_1G))
		return -EINVAL;
	/* Whatever the caller thinks it removed: kexec goes by this. */
	if (region_intersects(r->base, r->size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -EADDRINUSE;

	mutex_lock(&handover_lock);
	ram = pkram_e820_bytes(map, r->base, end, E820_TYPE_RAM);
	ours = pkram_e820_bytes(map, r->base, end, PKRAM_E820_TYPE);
	if (ours == r->size) {
		ret = -EEXIST;
	} else if (ram + ours != r->size) {
		ret = -ENXIO;
	} else {
		new = pkram_e820_retype(map, r->base, end, E820_TYPE_RAM,
					PKRAM_E820_TYPE);
		if (!new) {
			ret = -ENOMEM;
		} else if (new->nr_entries > E820_MAX_ENTRIES_ZEROPAGE) {
			/* What is beyond is dropped without a word. */
			kfree(new);
			ret = -ENOSPC;
		} else {
			ret = table_install(new, true);
		}
	}
	mutex_unlock(&handover_lock);
	return ret;
}

int pkram_handover_release(const struct pkram_range *r)
{
	u64 end = r->base + r->size;
	struct e820_table *new;
	int ret;

	if (!r->size || end < r->base)
		return -ENOENT;

	mutex_lock(&handover_lock);
	if (pkram_e820_bytes(map, r->base, end, PKRAM_E820_TYPE) != r->size) {
		ret = -ENOENT;
	} else {
		new = pkram_e820_retype(map, r->base, end, PKRAM_E820_TYPE,
					E820_TYPE_RAM);
		ret = new ? table_install(new, false) : -ENOMEM;
	}
	mutex_unlock(&handover_lock);
	return ret;
}

int pkram_handover_verify_image(void)
{
	const struct kimage *image;
	int ret = 0;

	mutex_lock(&handover_lock);
	if (!kexec_lock_wait(KEXEC_LOCK_WAIT)) {
		mutex_unlock(&handover_lock);
		return -EBUSY;
	}
	image = READ_ONCE(*kernel_image);
	if (image)
		ret = image_check(image, false);
	kexec_lock_release();
	mutex_unlock(&handover_lock);
	return ret;
}

bool pkram_handover_image_loaded(void)
{
	return READ_ONCE(*kernel_image);
}

bool pkram_handover_guarded(void)
{
	return pkram_handover_mode() != PKRAM_HANDOVER_NONE;
}

u32 pkram_handover_mode(void)
{
	u32 ret;

	mutex_lock(&handover_lock);
	ret = mode();
	mutex_unlock(&handover_lock);
	return ret;
}

int pkram_handover_cmdline(char *buf, size_t len)
{
	const struct e820_entry *entry;
	const char *sep = "";
	size_t n = 0;

	if (!len)
		return -ENOSPC;
	*buf = '\0';
	if (kernel_map)
		return 0;

	mutex_lock(&handover_lock);
	for (entry = map->entries; entry < pkram_e820_stop(map); entry++)
		if (entry->type == PKRAM_E820_TYPE)
			n += snprintf(buf + n, n < len ? len - n : 0,
				      "memmap=0x%llx$0x%llx ",
				      (u64)entry->size, (u64)entry->addr);
	if (n)
		n += snprintf(buf + n, n < len ? len - n : 0, "pkram.attach=");
	for (entry = map->entries; entry < pkram_e820_stop(map); entry++)
		if (entry->type == PKRAM_E820_TYPE) {
			n += snprintf(buf + n, n < len ? len - n : 0,
				      "%s0x%llx+0x%llx", sep, (u64)entry->addr,
				      (u64)entry->size);
			sep = ",";
		}
	mutex_unlock(&handover_lock);
	return n < len ? n : -ENOSPC;
}
