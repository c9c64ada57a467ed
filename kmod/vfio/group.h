/* SPDX-License-Identifier: GPL-2.0 */
/* Attach groups of devices to a container. Context: may sleep; takes the lock. */
#ifndef _PKRAM_VFIO_GROUP_H
#define _PKRAM_VFIO_GROUP_H

#include "vfio/private.h"

/**
 * pkram_group_attach() - Attach a group of devices to a container
 * @c: container
 * @group: group; its devices do no DMA yet
 *
 * Return: 0; -EBUSY mappings lost their user address; -EINVAL the group is attached
 * already, or its devices cannot reach a mapping; -EPERM its interrupts are not
 * remapped; other errors.
 */
int pkram_group_attach(struct pkram_container *c, struct iommu_group *group);

/**
 * pkram_group_detach() - Detach a group of devices from a container
 * @c: container
 * @group: group
 *
 * Detaching the last group removes all mappings, and the DMA table unless it is
 * suspended.
 */
void pkram_group_detach(struct pkram_container *c, struct iommu_group *group);

#endif /* _PKRAM_VFIO_GROUP_H */
