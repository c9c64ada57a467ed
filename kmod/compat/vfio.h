/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between the kernels for the VFIO container backend. See compat.h for the rule. */
#ifndef _PKRAM_COMPAT_VFIO_H
#define _PKRAM_COMPAT_VFIO_H

#include <linux/iommu.h>
#include <linux/irqdomain.h>
#include <linux/vfio.h>
#include "compat/compat.h"

enum vfio_iommu_notify_type;

/*
 * VFIO exports the functions to register a container backend, but the interface is
 * in a private header (drivers/vfio/vfio.h). Names and order are those of the
 * kernel; vfio/check-ops.sh compares these two types with the BTF of the target
 * kernel, and the build of the module fails if they differ.
 */
enum vfio_group_type {
	VFIO_IOMMU,
	VFIO_EMULATED_IOMMU,
	VFIO_NO_IOMMU,
};

struct vfio_iommu_driver_ops {
	char *name;
	struct module *owner;
	void *(*open)(unsigned long arg);
	void (*release)(void *iommu_data);
	long (*ioctl)(void *iommu_data, unsigned int cmd, unsigned long arg);
	int (*attach_group)(void *iommu_data, struct iommu_group *group,
			    enum vfio_group_type type);
	void (*detach_group)(void *iommu_data, struct iommu_group *group);
	int (*pin_pages)(void *iommu_data, struct iommu_group *group,
			 dma_addr_t user_iova, int npage, int prot,
			 struct page **pages);
	void (*unpin_pages)(void *iommu_data, dma_addr_t user_iova, int npage);
	void (*register_device)(void *iommu_data, struct vfio_device *vdev);
	void (*unregister_device)(void *iommu_data, struct vfio_device *vdev);
	int (*dma_rw)(void *iommu_data, dma_addr_t user_iova, void *data,
		      size_t count, bool write);
	struct iommu_domain *(*group_iommu_domain)(void *iommu_data,
						   struct iommu_group *group);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	void (*notify)(void *iommu_data, enum vfio_iommu_notify_type event);
#endif
};

/* From the same header */
int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops);
void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define iommu_map(domain, iova, phys, size, prot, gfp)	\
	iommu_map(domain, iova, phys, size, prot)

static inline int compat_remaps_interrupts(struct device *dev, void *unused)
{
	return device_iommu_capable(dev, IOMMU_CAP_INTR_REMAP);
}

static inline bool iommu_group_has_isolated_msi(struct iommu_group *group)
{
	return irq_domain_check_msi_remap() ||
	       iommu_group_for_each_dev(group, NULL, compat_remaps_interrupts);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
static inline struct iommu_domain *iommu_paging_domain_alloc(struct device *dev)
{
	return iommu_domain_alloc(dev->bus) ?: ERR_PTR(-EIO);
}
#endif

#endif /* _PKRAM_COMPAT_VFIO_H */
