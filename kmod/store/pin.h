/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pkram.ko exports, for pkram_vfio.ko only: memory of objects under DMA.
 *
 * A device writes to memory without asking anybody. So a range of an object is
 * pinned before a device may reach it: as long as it is, all of it has memory,
 * which stays where it is, and nobody takes it away: truncating, punching and
 * removing the object are EBUSY. Pages are not touched, and need no struct page.
 */
#ifndef _PKRAM_PIN_H
#define _PKRAM_PIN_H

#include <linux/types.h>
#include "store/open_ref.h"

struct pkram_open;
struct pkram_pin;

/**
 * pkram_pin_create() - pin a range of an object
 * @open: by which it is reached; the pin holds a reference of its own, and with it
 *	a claim that this open has
 * @offset: in bytes, page-aligned
 * @len: in bytes, page-aligned, not 0
 *
 * Holes are filled, and what was never written is zeroed. Context: may sleep;
 * mmap_lock is not held. Return: pin, or ERR_PTR: -EFAULT the object ends before;
 * -ENOSPC; -ENOMEM; -EUCLEAN the object's memory is damaged; -EROFS.
 */
struct pkram_pin *pkram_pin_create(struct pkram_open *open, u64 offset,
				   u64 len);

/**
 * pkram_pin_object_id() - number of the object that a pin is of
 *
 * Return: it, or 0 if the object has no name any more: then it ends with its users.
 */
u64 pkram_pin_object_id(const struct pkram_pin *pin);

/** pkram_pin_destroy() - no device can reach it any more. May sleep. */
void pkram_pin_destroy(struct pkram_pin *pin);

/**
 * pkram_pin_move() - reach the object by another open from now on
 * @pin: pin
 * @open: of the same object; the pin takes a reference of its own
 */
void pkram_pin_move(struct pkram_pin *pin, struct pkram_open *open);

/**
 * pkram_pin_extent() - where a part of it is
 * @pin: pin
 * @pos: offset from the start of the pin
 * @phys: out: physical address of that byte
 *
 * Return: bytes from there on that follow each other in memory; to the end of the
 * pin at most.
 */
u64 pkram_pin_extent(struct pkram_pin *pin, u64 pos, phys_addr_t *phys);

#endif /* _PKRAM_PIN_H */
