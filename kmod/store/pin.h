/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of objects under DMA. Exported to pkram_vfio.ko only.
 *
 * A device can access memory at any time. So a range of an object is pinned before
 * a device can access it. While it is pinned all of it has memory, which does not
 * move: truncating, punching and removing the object fail with -EBUSY. Pages are
 * not accessed, and need no struct page.
 */
#ifndef _PKRAM_PIN_H
#define _PKRAM_PIN_H

#include <linux/types.h>
#include "store/open_ref.h"

struct pkram_open;
struct pkram_pin;

/**
 * pkram_pin_create() - Pin a range of an object
 * @open: an open of it; the pin takes a reference, which also keeps the open's
 *	claim
 * @offset: in bytes, page-aligned
 * @len: in bytes, page-aligned, not 0
 *
 * Holes are filled, and stale units are zeroed. Context: may sleep; mmap_lock is
 * not held.
 * Return: pin, or ERR_PTR: -EFAULT the object ends before; -ENOSPC; -ENOMEM;
 * -EUCLEAN the object's memory is damaged; -EROFS.
 */
struct pkram_pin *pkram_pin_create(struct pkram_open *open, u64 offset,
				   u64 len);

/**
 * pkram_pin_object_id() - Get the id of the object of a pin
 *
 * Return: id, or 0 if the object has no name any more.
 */
u64 pkram_pin_object_id(const struct pkram_pin *pin);

/** pkram_pin_destroy() - Unpin a range that no device can access. Context: may sleep. */
void pkram_pin_destroy(struct pkram_pin *pin);

/**
 * pkram_pin_move() - Give a pin another open
 * @pin: pin
 * @open: of the same object; the pin takes a reference
 */
void pkram_pin_move(struct pkram_pin *pin, struct pkram_open *open);

/**
 * pkram_pin_extent() - Get the address of a part of a pin
 * @pin: pin
 * @pos: offset from the start of the pin
 * @phys: out: physical address of that byte
 *
 * Return: number of bytes from there on that are contiguous in memory, at most to
 * the end of the pin.
 */
u64 pkram_pin_extent(struct pkram_pin *pin, u64 pos, phys_addr_t *phys);

#endif /* _PKRAM_PIN_H */
