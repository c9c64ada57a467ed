/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pkram_vfio.ko: a type of VFIO container. It is asked for by VFIO_SET_IOMMU, and
 * then takes the ioctls, structs and flags of linux/vfio.h's VFIO_TYPE1v2_IOMMU:
 * VFIO_IOMMU_GET_INFO, VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA; and those below,
 * for a container whose mappings are to outlive the kernel.
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
 * @flags: in: CREATE: 0; ADOPT: PKRAM_VFIO_TABLE_RESTORE_*
 * @name: in: 1 to 255 bytes, then a zero; no '/', neither "." nor ".."
 */
struct pkram_vfio_table {
	__u32 argsz;
	__u32 flags;
	__u8 name[256];
};

/* Even if the container was not suspended when its kernel, or owner, went */
#define PKRAM_VFIO_TABLE_RESTORE_FORCE	(1U << 0)

/**
 * struct pkram_vfio_unmap_stale - PKRAM_VFIO_UNMAP_STALE
 * @argsz: in: size of this struct
 * @flags: in: 0
 * @entries: out: how many mappings were unmapped
 * @size: out: how many bytes
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
 * CREATE: the container has a name, and its table of mappings is kept in the pool,
 * those that are there included. Memory that is not the pool's is not in that table.
 *
 * UNMAP_DMA with ALL and VADDR suspends the container: its table outlives it, and the
 * kernel. The first MAP_DMA with VADDR, or MAP_DMA of something new, ends that.
 *
 * ADOPT: the mappings of the table of that name, which devices reach from now on. They
 * have no user address: MAP_DMA with VADDR tells it, which must be of the same object
 * and offset.
 *
 * DROP: unmap all that has no user address.
 *
 *	EINVAL	argsz too small, unknown flag, no valid name; CREATE: it has a name;
 *		ADOPT: it has a name, or mappings
 *	EEXIST	CREATE: there is a container of that name
 *	ENOENT	ADOPT: there is none
 *	EBUSY	ADOPT: another container has it
 *	EPERM	ADOPT: the caller neither made it nor has CAP_SYS_ADMIN
 *	EUCLEAN	the table of that name is damaged
 *	EOWNERDEAD ADOPT: not suspended, and no PKRAM_VFIO_TABLE_RESTORE_FORCE
 *	ESTALE	ADOPT: an object that it names was removed, cut, or is damaged
 *	EACCES	ADOPT: the caller may not read, or write, an object that it names
 *	ERANGE	ADOPT: a mapping is not in the ranges that GET_INFO tells
 *	ENOSPC	too many mappings; no room in the pool
 *	EROFS	the pool is attached read-only
 */
#define PKRAM_VFIO_TABLE_CREATE	_IOW(PKRAM_IOC_MAGIC, 0x40, struct pkram_vfio_table)
#define PKRAM_VFIO_TABLE_RESTORE	_IOW(PKRAM_IOC_MAGIC, 0x41, struct pkram_vfio_table)
#define PKRAM_VFIO_UNMAP_STALE		_IOWR(PKRAM_IOC_MAGIC, 0x42, struct pkram_vfio_unmap_stale)

#endif /* _UAPI_LINUX_PKRAM_VFIO_H */
