/* SPDX-License-Identifier: GPL-2.0 */
/* The store as a whole. Each concept has a header of its own. */
#ifndef _PKRAM_STORE_STORE_H
#define _PKRAM_STORE_STORE_H

#include <linux/types.h>

/** struct pkram_pool_info - answer of PKRAM_CMD_POOL_GET */
struct pkram_pool_info {
	u8 uuid[16];
	bool exists;
	bool read_only;
	u32 nr_regions;
	u32 nr_missing;
	u32 nr_objects;
	u32 nr_quarantined;
	u64 bytes;
	u64 free;
	u64 meta;
	u64 pending;
	u32 gib_1g;
	u32 gib_2m;
};

/** pkram_store_settle() - Wait until memory that became free is depopulated. Context: may sleep. */
void pkram_store_settle(void);

/** pkram_store_info() - Fill in the properties of the pool. Context: may sleep. */
void pkram_store_info(struct pkram_pool_info *info);

/** pkram_store_exists() - Check whether there is a pool */
bool pkram_store_exists(void);

/** pkram_store_pool_uuid() - Get the UUID of the pool */
void pkram_store_pool_uuid(u8 uuid[16]);

/** pkram_store_pool_key() - Get the key of the pool, for pool/attach.c alone */
void pkram_store_pool_key(u8 key[16]);

/** pkram_store_init() - Set up the store, empty. Return: 0 or -ENOMEM. */
int pkram_store_init(void);

/**
 * pkram_store_exit() - Free the store
 *
 * The module can be unloaded only without objects; regions stay reserved.
 */
void pkram_store_exit(void);

#endif /* _PKRAM_STORE_STORE_H */
