// SPDX-License-Identifier: GPL-2.0
/*
 * pkram_vfio: the VFIO container type VFIO_PKRAM_IOMMU. This file parses the ioctls;
 * docs/vfio.md describes them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/pkram_vfio.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "vfio/group.h"
#include "vfio/iommu.h"
#include "vfio/map.h"
#include "vfio/restore.h"
#include "vfio/save.h"

static unsigned int dma_entry_limit = U16_MAX;
module_param(dma_entry_limit, uint, 0644);
MODULE_PARM_DESC(dma_entry_limit, "maximum number of mappings of a container (65535)");

static long pkram_vfio_check_extension(struct pkram_container *c, unsigned long arg)
{
	long ret = 0;

	/*
	 * Until a type is selected VFIO asks all backends in turn: answer only what
	 * no other backend supports.
	 */
	if (arg == VFIO_PKRAM_IOMMU)
		return 1;
	if (!c)
		return 0;
	mutex_lock(&c->lock);
	switch (arg) {
	case VFIO_UNMAP_ALL:
	case VFIO_UPDATE_VADDR:
		ret = 1;
		break;
	case VFIO_DMA_CC_IOMMU:
		ret = pkram_iommu_coherent(c);
		break;
	}
	mutex_unlock(&c->lock);
	return ret;
}

static int pkram_vfio_add_dma_avail(struct pkram_container *c, struct vfio_info_cap *caps)
{
	struct vfio_iommu_type1_info_dma_avail cap = {
		.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
		.header.version = 1,
		.avail = c->table.limit - c->table.nr,
	};

	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

static int pkram_vfio_add_iova_ranges(struct pkram_container *c, struct vfio_info_cap *caps)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	size_t size = struct_size(cap, iova_ranges, c->open.nr);
	int err;
	u32 i;

	cap = kzalloc(size, GFP_KERNEL);
	if (!cap)
		return -ENOMEM;
	cap->header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	cap->header.version = 1;
	cap->nr_iovas = c->open.nr;
	for (i = 0; i < c->open.nr; i++) {
		cap->iova_ranges[i].start = c->open.run[i].first;
		cap->iova_ranges[i].end = c->open.run[i].last;
	}
	err = vfio_info_add_capability(caps, &cap->header, size);
	kfree(cap);
	return err;
}

/* If the room is too small, tell the required size. */
static int pkram_vfio_copy_caps(struct vfio_iommu_type1_info *info,
				struct vfio_info_cap *caps, void __user *arg)
{
	info->flags |= VFIO_IOMMU_INFO_CAPS;
	if (info->argsz < sizeof(*info) + caps->size) {
		info->argsz = sizeof(*info) + caps->size;
		return 0;
	}
	vfio_info_cap_shift(caps, sizeof(*info));
	info->cap_offset = sizeof(*info);
	return copy_to_user(arg + sizeof(*info), caps->buf, caps->size) ?
	       -EFAULT : 0;
}

static long pkram_vfio_get_info(struct pkram_container *c, void __user *arg)
{
	size_t size = offsetofend(struct vfio_iommu_type1_info, iova_pgsizes);
	struct vfio_iommu_type1_info info = {};
	struct vfio_info_cap caps = {};
	int err;

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	size = min_t(size_t, info.argsz, sizeof(info));
	info.flags = VFIO_IOMMU_INFO_PGSIZES;
	mutex_lock(&c->lock);
	info.iova_pgsizes = c->pgsizes;
	err = pkram_vfio_add_dma_avail(c, &caps);
	if (!err)
		err = pkram_vfio_add_iova_ranges(c, &caps);
	mutex_unlock(&c->lock);
	if (!err)
		err = pkram_vfio_copy_caps(&info, &caps, arg);
	kfree(caps.buf);
	if (err)
		return err;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static long pkram_vfio_map_dma(struct pkram_container *c, void __user *arg)
{
	size_t size = offsetofend(struct vfio_iommu_type1_dma_map, size);
	struct vfio_iommu_type1_dma_map map;
	bool set_vaddr;
	int prot = 0;
	long err;

	if (copy_from_user(&map, arg, size))
		return -EFAULT;
	if (map.argsz < size ||
	    map.flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE |
			  VFIO_DMA_MAP_FLAG_VADDR))
		return -EINVAL;
	/* READ and WRITE are accesses of the device. */
	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		prot |= IOMMU_READ;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		prot |= IOMMU_WRITE;
	set_vaddr = map.flags & VFIO_DMA_MAP_FLAG_VADDR;
	if (!prot == !set_vaddr)
		return -EINVAL;
	mutex_lock(&c->lock);
	err = set_vaddr ?
	      pkram_map_set_vaddr(c, map.iova, map.vaddr, map.size) :
	      pkram_map_add(c, map.iova, map.vaddr, map.size, prot);
	mutex_unlock(&c->lock);
	return err;
}

static long pkram_vfio_unmap_dma(struct pkram_container *c, void __user *arg)
{
	size_t size = offsetofend(struct vfio_iommu_type1_dma_unmap, size);
	struct vfio_iommu_type1_dma_unmap unmap;
	long err;

	if (copy_from_user(&unmap, arg, size))
		return -EFAULT;
	/* GET_DIRTY_BITMAP is invalid: tracking cannot be started. */
	if (unmap.argsz < size ||
	    unmap.flags & ~(VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR))
		return -EINVAL;
	mutex_lock(&c->lock);
	err = pkram_map_unmap(c, unmap.iova, &unmap.size,
			      unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL,
			      unmap.flags & VFIO_DMA_UNMAP_FLAG_VADDR);
	mutex_unlock(&c->lock);
	if (err)
		return err;
	return copy_to_user(arg, &unmap, size) ? -EFAULT : 0;
}

static long pkram_vfio_get_table(struct pkram_vfio_table *n, u32 known, void __user *arg)
{
	if (copy_from_user(n, arg, sizeof(*n)))
		return -EFAULT;
	if (n->argsz < sizeof(*n) || n->flags & ~known ||
	    !memchr(n->name, 0, sizeof(n->name)))
		return -EINVAL;
	return 0;
}

static long pkram_vfio_table_create(struct pkram_container *c, void __user *arg)
{
	struct pkram_vfio_table n;
	long err = pkram_vfio_get_table(&n, PKRAM_VFIO_TABLE_CREATE_REPLACE, arg);

	if (err)
		return err;
	mutex_lock(&c->lock);
	err = pkram_save_create(c, n.name, n.flags & PKRAM_VFIO_TABLE_CREATE_REPLACE);
	mutex_unlock(&c->lock);
	return err;
}

static long pkram_vfio_table_restore(struct pkram_container *c, void __user *arg)
{
	struct pkram_vfio_table n;
	long err = pkram_vfio_get_table(&n, PKRAM_VFIO_TABLE_RESTORE_FORCE, arg);

	if (err)
		return err;
	mutex_lock(&c->lock);
	err = pkram_restore_table(c, n.name, n.flags & PKRAM_VFIO_TABLE_RESTORE_FORCE);
	mutex_unlock(&c->lock);
	return err;
}

static long pkram_vfio_unmap_stale(struct pkram_container *c, void __user *arg)
{
	struct pkram_vfio_unmap_stale d;

	if (copy_from_user(&d, arg, sizeof(d)))
		return -EFAULT;
	if (d.argsz < sizeof(d) || d.flags)
		return -EINVAL;
	mutex_lock(&c->lock);
	d.size = pkram_map_unmap_stale(c, &d.entries);
	mutex_unlock(&c->lock);
	return copy_to_user(arg, &d, sizeof(d)) ? -EFAULT : 0;
}

static long pkram_vfio_ioctl(void *data, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VFIO_CHECK_EXTENSION:
		return pkram_vfio_check_extension(data, arg);
	case VFIO_IOMMU_GET_INFO:
		return pkram_vfio_get_info(data, (void __user *)arg);
	case VFIO_IOMMU_MAP_DMA:
		return pkram_vfio_map_dma(data, (void __user *)arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return pkram_vfio_unmap_dma(data, (void __user *)arg);
	case PKRAM_VFIO_TABLE_CREATE:
		return pkram_vfio_table_create(data, (void __user *)arg);
	case PKRAM_VFIO_TABLE_RESTORE:
		return pkram_vfio_table_restore(data, (void __user *)arg);
	case PKRAM_VFIO_UNMAP_STALE:
		return pkram_vfio_unmap_stale(data, (void __user *)arg);
	}
	return -ENOTTY;
}

static struct pkram_container *pkram_vfio_create_container(u32 limit)
{
	struct pkram_container *c = kvzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return NULL;
	mutex_init(&c->lock);
	INIT_LIST_HEAD(&c->domains);
	c->table.limit = limit;
	c->pgsizes = PAGE_MASK;
	return c;
}

static void pkram_vfio_destroy_container(struct pkram_container *c)
{
	WARN_ON(c->table.nr || c->dma_table || !list_empty(&c->domains));
	pkram_iova_map_free(&c->table);
	pkram_runs_free(&c->open);
	mutex_destroy(&c->lock);
	kvfree(c);
}

static void *pkram_vfio_open(unsigned long arg)
{
	struct pkram_container *c;

	if (arg != VFIO_PKRAM_IOMMU)
		return ERR_PTR(-EINVAL);
	c = pkram_vfio_create_container(READ_ONCE(dma_entry_limit));
	return c ?: ERR_PTR(-ENOMEM);
}

static void pkram_vfio_release(void *data)
{
	pkram_vfio_destroy_container(data);
}

static int pkram_vfio_attach_group(void *data, struct iommu_group *group,
				   enum vfio_group_type type)
{
	/* Mediated devices access memory by user addresses, without an IOMMU. */
	if (type != VFIO_IOMMU)
		return -EOPNOTSUPP;
	return pkram_group_attach(data, group);
}

static void pkram_vfio_detach_group(void *data, struct iommu_group *group)
{
	pkram_group_detach(data, group);
}

/* The other operations are for mediated devices. */
static const struct vfio_iommu_driver_ops pkram_vfio_ops = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.open = pkram_vfio_open,
	.release = pkram_vfio_release,
	.ioctl = pkram_vfio_ioctl,
	.attach_group = pkram_vfio_attach_group,
	.detach_group = pkram_vfio_detach_group,
};

static int __init pkram_vfio_init(void)
{
	return vfio_register_iommu_driver(&pkram_vfio_ops);
}
module_init(pkram_vfio_init);

static void __exit pkram_vfio_exit(void)
{
	vfio_unregister_iommu_driver(&pkram_vfio_ops);
}
module_exit(pkram_vfio_exit);

MODULE_DESCRIPTION("VFIO container type for RAM that survives kexec");
MODULE_AUTHOR("The pkram developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(PKRAM_NS);
