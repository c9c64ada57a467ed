/* SPDX-License-Identifier: GPL-2.0 */
/* Discarding quarantined records, and freeing the memory they kept back. */
#ifndef _PKRAM_STORE_DISCARD_H
#define _PKRAM_STORE_DISCARD_H

#include <linux/types.h>

/**
 * pkram_store_discard() - remove a quarantined record of any kind, by key
 *
 * Return: 0; -ENOENT; -EINVAL it is not quarantined; -EROFS; -ENOMEM it is gone,
 * but there was no memory to find out which units are free now.
 */
int pkram_store_discard(u64 key);

/**
 * pkram_discard_recount() - free units that no object owns any more
 *
 * As long as a record or a region is lost, units that the unit map calls owned are
 * kept back; units whose state is not known always are. Context: store.lock by
 * pkram_space_lock_settled(). Return: 0 or -ENOMEM.
 */
int pkram_discard_recount(void);

#endif /* _PKRAM_STORE_DISCARD_H */
