/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Interface of pkram_vfio.ko, a VFIO container type.
 *
 * VFIO_SET_IOMMU with VFIO_PKRAM_IOMMU selects it. The container then accepts the
 * ioctls, structs and flags that linux/vfio.h defines for VFIO_TYPE1v2_IOMMU
 * (VFIO_IOMMU_GET_INFO, VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA), and the ioctls
 * below, which keep its mappings in a DMA table: a record in the pool that survives
 * kexec.
 */
#ifndef _UAPI_LINUX_PKRAM_VFIO_H
#define _UAPI_LINUX_PKRAM_VFIO_H

#include <linux/ioctl.h>
#include <linux/pkram.h>
#include <linux/types.h>

/* For VFIO_CHECK_EXTENSION and VFIO_SET_IOMMU */
#define VFIO_PKRAM_IOMMU	0x504b

/**
 * struct pkram_vfio_table - PKRAM_VFIO_TABLE_CREATE, PKRAM_VFIO_TABLE_RESTORE
 * @argsz: in: size of this struct
 * @flags: in: PKRAM_VFIO_TABLE_CREATE_* or PKRAM_VFIO_TABLE_RESTORE_*
 * @name: in: name of the DMA table: 1 to 255 bytes and a terminating zero; no '/',
 *	neither "." nor ".."
 */
struct pkram_vfio_table {
	__u32 argsz;
	__u32 flags;
	__u8 name[256];
};

/* Restore a DMA table that was not suspended before its process or kernel ended */
#define PKRAM_VFIO_TABLE_RESTORE_FORCE	(1U << 0)

/* Remove an unused DMA table of that name first, unless a saved guest needs it */
#define PKRAM_VFIO_TABLE_CREATE_REPLACE	(1U << 1)

/**
 * struct pkram_vfio_unmap_stale - PKRAM_VFIO_UNMAP_STALE
 * @argsz: in: size of this struct
 * @flags: in: 0
 * @entries: out: number of mappings removed
 * @size: out: number of bytes unmapped
 */
struct pkram_vfio_unmap_stale {
	__u32 argsz;
	__u32 flags;
	__u64 entries;
	__u64 size;
};

/*
 * ioctls on the container, after VFIO_SET_IOMMU
 *
 * TABLE_CREATE: create a DMA table and keep the container's mappings in it, those that
 * exist already included. A mapping of memory outside the pool is not kept. With
 * PKRAM_VFIO_TABLE_CREATE_REPLACE it has the errors EBUSY, EPERM, EROFS and EUCLEAN of
 * RESTORE too, and EEXIST is a table that is suspended and maps a sealed object.
 *
 * VFIO_IOMMU_UNMAP_DMA with VFIO_DMA_UNMAP_FLAG_ALL and VFIO_DMA_UNMAP_FLAG_VADDR
 * suspends the DMA table: it then survives the container and the kernel. The first
 * VFIO_IOMMU_MAP_DMA, with or without VFIO_DMA_MAP_FLAG_VADDR, ends that.
 *
 * TABLE_RESTORE: map everything that the DMA table of this name lists, so that devices
 * reach it again. These mappings have no user address. VFIO_IOMMU_MAP_DMA with
 * VFIO_DMA_MAP_FLAG_VADDR sets one; it must map the same object at the same offset.
 *
 * UNMAP_STALE: remove all mappings without a user address.
 *
 *	EINVAL	argsz too small, unknown flag or invalid name; CREATE: the container
 *		has a DMA table; RESTORE: it has a DMA table or mappings
 *	EEXIST	CREATE: a DMA table of this name exists
 *	ENOENT	RESTORE: no DMA table has this name
 *	EBUSY	RESTORE: another container uses the DMA table
 *	EPERM	RESTORE: the caller neither created it nor has CAP_SYS_ADMIN
 *	EUCLEAN	the DMA table of this name is damaged
 *	EOWNERDEAD RESTORE: not suspended, and no PKRAM_VFIO_TABLE_RESTORE_FORCE
 *	ESTALE	RESTORE: an object in the table was removed or truncated, or is damaged
 *	EACCES	RESTORE: the caller may not read, or write, an object in the table
 *	ERANGE	RESTORE: a mapping is outside the ranges that VFIO_IOMMU_GET_INFO lists
 *	ENOSPC	too many mappings, or no room in the pool
 *	EDQUOT	CREATE, and VFIO_IOMMU_MAP_DMA later: the records of all DMA tables of the user
 *		would take more than 256 MiB, or the caller is in a user namespace; and it
 *		has no CAP_SYS_RESOURCE
 *	EROFS	the pool is attached read-only; RESTORE: all of pkramfs is read-only (sysrq-u), and
 *		devices write to an object in the table
 */
#define PKRAM_VFIO_TABLE_CREATE		_IOW(PKRAM_IOC_MAGIC, 0x40, struct pkram_vfio_table)
#define PKRAM_VFIO_TABLE_RESTORE	_IOW(PKRAM_IOC_MAGIC, 0x41, struct pkram_vfio_table)
#define PKRAM_VFIO_UNMAP_STALE		_IOWR(PKRAM_IOC_MAGIC, 0x42, struct pkram_vfio_unmap_stale)

#endif /* _UAPI_LINUX_PKRAM_VFIO_H */
