/* SPDX-License-Identifier: GPL-2.0 */
/* Take memory from the system, and give it back. */
#ifndef _PKRAM_TAKE_H
#define _PKRAM_TAKE_H

#include "mem/types.h"

/**
 * pkram_take_nid() - Find the NUMA node of an address
 * @base: physical address
 *
 * Return: its node, which is offline if it has no CPU and all its memory is the pool's; the
 * first online node if the firmware does not tell.
 */
int pkram_take_nid(u64 base);

/**
 * pkram_take_unit_size() - Return the number of bytes that can be taken at a time
 *
 * Return: the larger of 1 GiB and the kernel's memory block size.
 */
u64 pkram_take_unit_size(void);

/**
 * pkram_take_unit() - Take one unit of RAM from the kernel
 * @base: physical address, aligned to the unit
 * @timeout: milliseconds; the kernel itself tries for ever to move pages that are
 *	pinned
 * @refusal: out: filled on failure
 *
 * Verifies that it is not System RAM afterwards. Context: may sleep for @timeout
 * (migrates pages). Return: 0; -ETIMEDOUT; -EINTR the caller was killed; -ENOMEM too
 * little memory would be left; or what the kernel refused it with.
 */
int pkram_take_unit(u64 base, u32 timeout, struct pkram_refusal *refusal);

/**
 * pkram_take_give_back() - Give memory back to the system
 * @base: physical address of memory that pkram_take_unit() took, in this kernel
 *	or an earlier one; neither populated nor covered by a resource
 * @size: bytes
 * @nid: node
 *
 * The caller has zeroed it if it was ever used. The memory is online only if the
 * kernel puts new memory online by default: modules cannot (device_online() is not
 * exported), so user space does it through /sys/devices/system/memory.
 *
 * Return: 0 or negative errno.
 */
int pkram_take_give_back(u64 base, u64 size, int nid);

/** pkram_take_is_online() - Check whether the system uses all memory blocks of a range */
bool pkram_take_is_online(u64 base, u64 size);

/**
 * pkram_take_has_memmap() - Check whether the kernel has struct pages for a part
 * of a range
 * @base: physical address
 * @size: bytes
 */
bool pkram_take_has_memmap(u64 base, u64 size);

/**
 * pkram_take_clean_up() - Remove the struct pages that a failed hotplug left
 * @base: physical address
 * @size: bytes
 *
 * When the kernel runs out of memory while it makes the struct pages of a range,
 * in memremap_pages() or add_memory(), it leaves some of them behind, and the
 * range could not be used until the next boot (-EEXIST). Call it only if the range
 * had none before. Context: may sleep; may take the kernel's hotplug lock.
 */
void pkram_take_clean_up(u64 base, u64 size);

#endif /* _PKRAM_TAKE_H */
