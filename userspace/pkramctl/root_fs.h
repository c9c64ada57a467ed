/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel needs to mount the root file system. */
#ifndef _PKRAMCTL_ROOT_FS_H
#define _PKRAMCTL_ROOT_FS_H

#define ROOT_FS_MODULES	32

/**
 * struct root_fs - the root file system of this host
 * @device: what is mounted, as /proc/self/mountinfo names it
 * @module: names of modules that may be needed: of the file system, of the drivers of its
 *	disks and of what these are connected to
 * @nr: number of @module
 */
struct root_fs {
	char device[256];
	char module[ROOT_FS_MODULES][64];
	unsigned int nr;
};

/* Look at the mounted root file system; of what cannot be found out, @fs has nothing */
void root_fs_look(struct root_fs *fs);

#endif /* _PKRAMCTL_ROOT_FS_H */
