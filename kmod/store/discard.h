/* SPDX-License-Identifier: GPL-2.0 */
/* Discard quarantined records, and free the memory that they kept back. */
#ifndef _PKRAM_STORE_DISCARD_H
#define _PKRAM_STORE_DISCARD_H

#include <linux/types.h>

/**
 * pkram_store_discard() - Remove a quarantined record of any kind, by key
 *
 * Return: 0; -ENOENT; -EINVAL it is not quarantined; -EROFS; -ENOMEM it was
 * removed, but there was no memory to find out which units are free now.
 */
int pkram_store_discard(u64 key);

/**
 * pkram_discard_recount() - Free units that no object owns any more
 *
 * As long as a record or a region is lost, units that the unit map marks as owned
 * are kept back; units whose state is unknown always are. Context: store.lock by
 * pkram_space_lock_settled(). Return: 0 or -ENOMEM.
 */
int pkram_discard_recount(void);

#endif /* _PKRAM_STORE_DISCARD_H */
