// SPDX-License-Identifier: GPL-2.0
/*
 * Handover. docs/handover.md explains the reasons, and lists the sources of each
 * kernel that were read.
 *
 * Lock order: the kernel's lock of sleep states (see pm.h), handover_lock, then the kernel's
 * kexec lock (see guard.h); event_lock under either.
 */
#define pr_fmt(fmt) "pkram: " fmt

#include <linux/efi.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/pkram.h>

#include "handover/e820.h"
#include "event/event.h"
#include "handover/guard.h"
#include "handover/handover.h"
#include "handover/ksym.h"

static DEFINE_MUTEX(handover_lock);

/*
 * The current map; its entries of PKRAM_E820_TYPE are reserved. In e820 mode it is
 * the kernel's own map, in memmap mode a private one that starts as RAM
 * throughout. Changed under handover_lock and the kexec lock, read under either;
 * never changed in place.
 */
static struct e820_table *map;

/*
 * The table found at load. It may be the boot's, or one that this module installed
 * when it was loaded before; both come from kmalloc (e820__reallocate_tables()),
 * and e820_table_kexec is the only pointer to it. Freed at exit if it is not
 * installed any more. NULL: memmap mode.
 */
static struct e820_table *found_map;

/* The kernel's own variable, found by pkram_ksym_data(). */
static struct e820_table **kernel_map;	/* e820_table_kexec; NULL: memmap mode */

/* Context: handover_lock */
static u32 handover_mode(void)
{
	lockdep_assert_held(&handover_lock);
	if (!pkram_e820_reserves(map))
		return PKRAM_HANDOVER_NONE;
	return kernel_map ? PKRAM_HANDOVER_E820 : PKRAM_HANDOVER_MEMMAP;
}

static void handover_tell(void)
{
	const struct pkram_event ev = {
		.cmd = PKRAM_CMD_HANDOVER_NTF,
		.mode = handover_mode(),
	};

	pkram_event_tell(&ev);
}

/* Install a table; takes over @new, also on failure. */
static int handover_install(struct e820_table *new)
{
	struct e820_table *old = map;
	int ret = 0;

	lockdep_assert_held(&handover_lock);

	if (found_map && pkram_e820_equal(new, found_map)) {
		kfree(new);
		new = found_map;
	}
	if (!pkram_guard_lock()) {
		ret = -EBUSY;
		goto out;
	}
	if (pkram_guard_image_loaded()) {
		ret = -EBUSY;
	} else {
		WRITE_ONCE(map, new);
		if (kernel_map)
			WRITE_ONCE(*kernel_map, new);
		pkram_guard_set_map(new, !kernel_map);
		swap(old, new);
	}
	pkram_guard_unlock();
	if (!ret)
		handover_tell();
out:
	/* Free the one that is not installed. Readers hold the kexec lock. */
	if (new != found_map)
		kfree(new);
	return ret;
}

/* Install a copy of the map in which [@base, @end) has the type @to, where it has @from. */
static int handover_retype(u64 base, u64 end, u32 from, u32 to)
{
	struct e820_table *new = pkram_e820_retype(map, base, end, from, to);

	if (!new)
		return -ENOMEM;
	/* The boot protocol drops further entries without a message. */
	if (!pkram_e820_fits(new)) {
		kfree(new);
		return -ENOSPC;
	}
	return handover_install(new);
}

/* Interface; see handover.h */

/*
 * With a 32-bit UEFI, kexec passes on the whole map of the firmware, including
 * conventional memory (should_map_region()), and the next kernel's KASLR prefers
 * that to e820. It respects memmap=.
 */
static bool handover_efi_misleads(void)
{
	return efi_enabled(EFI_BOOT) && !efi_enabled(EFI_64BIT);
}

static int handover_find_map(bool force_memmap)
{
	if (!force_memmap && !handover_efi_misleads())
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
		handover_efi_misleads() ? "not enough under a 32-bit UEFI" :
		"not to be found");
	return 0;
}

int pkram_handover_init(bool force_memmap)
{
	int ret;

	ret = pkram_guard_init();
	if (ret)
		return ret;
	ret = handover_find_map(force_memmap);
	if (ret)
		return ret;
	pkram_guard_set_map(map, !kernel_map);
	ret = pkram_guard_arm();
	if (ret) {
		if (!kernel_map)
			kfree(map);
		return ret;
	}
	if (pkram_guard_verify_image())
		pr_warn("the kexec image that is loaded would overwrite preserved memory: unload it (pkramctl kexec --unload)\n");
	return 0;
}

void pkram_handover_exit(void)
{
	pkram_guard_disarm();
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

bool pkram_handover_knows(u64 base, u64 size)
{
	u64 end = base + size, known;

	mutex_lock(&handover_lock);
	known = pkram_e820_bytes(map, base, end, E820_TYPE_RAM) +
		pkram_e820_bytes(map, base, end, PKRAM_E820_TYPE);
	mutex_unlock(&handover_lock);
	return known == size;
}

int pkram_handover_reserve(const struct pkram_range *r)
{
	u64 end = r->base + r->size, ram, ours;
	int ret;

	if (!r->size || end < r->base || !IS_ALIGNED(r->base | r->size, SZ_1G))
		return -EINVAL;
	/* Verify that the caller has removed it: kexec uses these resources. */
	if (region_intersects(r->base, r->size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -EADDRINUSE;

	mutex_lock(&handover_lock);
	ram = pkram_e820_bytes(map, r->base, end, E820_TYPE_RAM);
	ours = pkram_e820_bytes(map, r->base, end, PKRAM_E820_TYPE);
	if (ours == r->size)
		ret = -EEXIST;
	else if (ram + ours != r->size)
		ret = -ENXIO;
	else
		ret = handover_retype(r->base, end, E820_TYPE_RAM, PKRAM_E820_TYPE);
	mutex_unlock(&handover_lock);
	return ret;
}

int pkram_handover_release(const struct pkram_range *r)
{
	u64 end = r->base + r->size;
	int ret;

	if (!r->size || end < r->base)
		return -ENOENT;

	mutex_lock(&handover_lock);
	/* A hole in a reserved range adds two entries. */
	if (pkram_e820_bytes(map, r->base, end, PKRAM_E820_TYPE) != r->size)
		ret = -ENOENT;
	else
		ret = handover_retype(r->base, end, PKRAM_E820_TYPE, E820_TYPE_RAM);
	mutex_unlock(&handover_lock);
	return ret;
}

bool pkram_handover_guarded(void)
{
	return pkram_handover_mode() != PKRAM_HANDOVER_NONE;
}

u32 pkram_handover_mode(void)
{
	u32 ret;

	mutex_lock(&handover_lock);
	ret = handover_mode();
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
