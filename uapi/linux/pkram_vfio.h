/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pkram_vfio.ko: a type of VFIO container. It is asked for by VFIO_SET_IOMMU, and
 * then takes the ioctls, structs and flags of linux/vfio.h's VFIO_TYPE1v2_IOMMU:
 * VFIO_IOMMU_GET_INFO, VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA.
 */
#ifndef _UAPI_LINUX_PKRAM_VFIO_H
#define _UAPI_LINUX_PKRAM_VFIO_H

/* For VFIO_CHECK_EXTENSION and VFIO_SET_IOMMU */
#define VFIO_PKRAM_IOMMU	0x504b

#endif /* _UAPI_LINUX_PKRAM_VFIO_H */
