/* SPDX-License-Identifier: GPL-2.0 */
/* pkramfs: attributes of an inode, copied from its object or set to now. */
#ifndef _PKRAM_FS_ATTR_H
#define _PKRAM_FS_ATTR_H

#include <linux/fs.h>
#include "core/record.h"

#define PKRAMFS_BLOCK_SHIFT	9	/* st_blocks counts 512 bytes, whatever st_blksize */

static inline struct timespec64 pkramfs_from_time(const struct pkram_time *t)
{
	return (struct timespec64){ .tv_sec = t->sec, .tv_nsec = t->nsec };
}

static inline struct pkram_time pkramfs_to_time(struct timespec64 ts)
{
	return (struct pkram_time){ .sec = ts.tv_sec, .nsec = ts.tv_nsec };
}

/** pkramfs_refresh() - Copy size, times, owner, mode and blocks to the inode */
void pkramfs_refresh(struct inode *inode);

/**
 * pkramfs_stamp() - Set times of an inode and its object to now
 * @inode: inode
 * @which: PKRAM_SET_MTIME, PKRAM_SET_CTIME
 *
 * Commits only if the clock has ticked since, so that many small writes cost few
 * commits. Context: i_rwsem exclusive. Return: as pkram_store_setattr().
 */
int pkramfs_stamp(struct inode *inode, u32 which);

/** pkramfs_touch() - Set mtime and ctime to now, after a change of the data */
int pkramfs_touch(struct inode *inode);

#endif /* _PKRAM_FS_ATTR_H */
