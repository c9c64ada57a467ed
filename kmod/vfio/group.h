/* SPDX-License-Identifier: GPL-2.0 */
/* Groups of devices */
#ifndef _PKRAM_VFIO_GROUP_H
#define _PKRAM_VFIO_GROUP_H

#include "vfio/private.h"

/**
 * pkram_group_attach() - a group of devices joins
 * @c: container
 * @group: whose devices do no DMA yet
 *
 * Return: 0; -EBUSY mappings lost their user address; -EINVAL it is there already, or its
 * devices cannot reach what is mapped; -EPERM its interrupts are not remapped; others.
 */
int pkram_group_attach(struct pkram_container *c,
		       struct iommu_group *group);

/** pkram_group_detach() - a group leaves; with the last, all mappings go */
void pkram_group_detach(struct pkram_container *c,
			struct iommu_group *group);

#endif /* _PKRAM_VFIO_GROUP_H */
