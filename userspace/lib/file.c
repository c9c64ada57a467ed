// SPDX-License-Identifier: LGPL-2.1-or-later
/* libpkram: ioctls on one file of pkramfs. */
#include <errno.h>
#include <sys/ioctl.h>
#include "internal.h"

static int file_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

int pkram_file_info(int fd, struct pkram_ioc_info *info)
{
	return file_ioctl(fd, PKRAM_IOC_INFO, info);
}

int pkram_file_leaves(int fd, struct pkram_ioc_leaves *leaves)
{
	return file_ioctl(fd, PKRAM_IOC_LEAVES, leaves);
}

int pkram_file_claim(int fd, struct pkram_ioc_claim *claim)
{
	return file_ioctl(fd, PKRAM_IOC_CLAIM, claim);
}

int pkram_file_seal(int fd, struct pkram_ioc_seal *args)
{
	return file_ioctl(fd, PKRAM_IOC_SEAL, args);
}

int pkram_file_resume(int fd, struct pkram_ioc_seal *args)
{
	return file_ioctl(fd, PKRAM_IOC_RESUME, args);
}

int pkram_file_alloc(int fd, struct pkram_ioc_alloc *args)
{
	return file_ioctl(fd, PKRAM_IOC_ALLOC, args);
}
