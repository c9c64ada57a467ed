// SPDX-License-Identifier: GPL-2.0
/*
 * pkram_vfio: a type of VFIO container, VFIO_PKRAM_IOMMU. This file takes the ioctls
 * apart; docs/vfio.md says what they do.
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
MODULE_PARM_DESC(dma_entry_limit, "how many mappings a container may have (65535)");

static long check_extension(struct pkram_container *c, unsigned long arg)
{
	long ret = 0;

	/*
	 * VFIO asks all backends in turn as long as none is chosen: only what no
	 * other has is answered then.
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
		ret = pkram_domains_coherent(c);
		break;
	}
	mutex_unlock(&c->lock);
	return ret;
}

static int add_dma_avail(struct pkram_container *c, struct vfio_info_cap *caps)
{
	struct vfio_iommu_type1_info_dma_avail cap = {
		.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
		.header.version = 1,
		.avail = c->table.limit - c->table.nr,
	};

	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

static int add_iova_ranges(struct pkram_container *c, struct vfio_info_cap *caps)
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

/* Tells how much room is wanted if there is too little. */
static int copy_caps(struct vfio_iommu_type1_info *info,
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

static long get_info(struct pkram_container *c, void __user *arg)
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
	err = add_dma_avail(c, &caps);
	if (!err)
		err = add_iova_ranges(c, &caps);
	mutex_unlock(&c->lock);
	if (!err)
		err = copy_caps(&info, &caps, arg);
	kfree(caps.buf);
	if (err)
		return err;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static long map_dma(struct pkram_container *c, void __user *arg)
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
	/* As the device sees it */
	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		prot |= IOMMU_READ;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		prot |= IOMMU_WRITE;
	set_vaddr = map.flags & VFIO_DMA_MAP_FLAG_VADDR;
	if (!prot == !set_vaddr)
		return -EINVAL;
	mutex_lock(&c->lock);
	err = set_vaddr ?
	      pkram_container_set_vaddr(c, map.iova, map.vaddr, map.size) :
	      pkram_container_map(c, map.iova, map.vaddr, map.size, prot);
	mutex_unlock(&c->lock);
	return err;
}

static long unmap_dma(struct pkram_container *c, void __user *arg)
{
	size_t size = offsetofend(struct vfio_iommu_type1_dma_unmap, size);
	struct vfio_iommu_type1_dma_unmap unmap;
	long err;

	if (copy_from_user(&unmap, arg, size))
		return -EFAULT;
	/* Nor is GET_DIRTY_BITMAP valid before tracking was started. */
	if (unmap.argsz < size ||
	    unmap.flags & ~(VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR))
		return -EINVAL;
	mutex_lock(&c->lock);
	err = pkram_container_unmap(c, unmap.iova, &unmap.size,
				    unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL,
				    unmap.flags & VFIO_DMA_UNMAP_FLAG_VADDR);
	mutex_unlock(&c->lock);
	if (err)
		return err;
	return copy_to_user(arg, &unmap, size) ? -EFAULT : 0;
}

static long get_name(struct pkram_vfio_table *n, u32 known, void __user *arg)
{
	if (copy_from_user(n, arg, sizeof(*n)))
		return -EFAULT;
	if (n->argsz < sizeof(*n) || n->flags & ~known ||
	    !memchr(n->name, 0, sizeof(n->name)))
		return -EINVAL;
	return 0;
}

static long name_create(struct pkram_container *c, void __user *arg)
{
	struct pkram_vfio_table n;
	long err = get_name(&n, 0, arg);

	if (err)
		return err;
	mutex_lock(&c->lock);
	err = pkram_container_name(c, n.name);
	mutex_unlock(&c->lock);
	return err;
}

static long name_adopt(struct pkram_container *c, void __user *arg)
{
	struct pkram_vfio_table n;
	long err = get_name(&n, PKRAM_VFIO_TABLE_RESTORE_FORCE, arg);

	if (err)
		return err;
	mutex_lock(&c->lock);
	err = pkram_container_adopt(c, n.name, n.flags & PKRAM_VFIO_TABLE_RESTORE_FORCE);
	mutex_unlock(&c->lock);
	return err;
}

static long drop(struct pkram_container *c, void __user *arg)
{
	struct pkram_vfio_unmap_stale d;

	if (copy_from_user(&d, arg, sizeof(d)))
		return -EFAULT;
	if (d.argsz < sizeof(d) || d.flags)
		return -EINVAL;
	mutex_lock(&c->lock);
	d.size = pkram_container_drop(c, &d.entries);
	mutex_unlock(&c->lock);
	return copy_to_user(arg, &d, sizeof(d)) ? -EFAULT : 0;
}

static long vfio_ops_ioctl(void *data, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VFIO_CHECK_EXTENSION:
		return check_extension(data, arg);
	case VFIO_IOMMU_GET_INFO:
		return get_info(data, (void __user *)arg);
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(data, (void __user *)arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(data, (void __user *)arg);
	case PKRAM_VFIO_TABLE_CREATE:
		return name_create(data, (void __user *)arg);
	case PKRAM_VFIO_TABLE_RESTORE:
		return name_adopt(data, (void __user *)arg);
	case PKRAM_VFIO_UNMAP_STALE:
		return drop(data, (void __user *)arg);
	}
	return -ENOTTY;
}

static struct pkram_container *create_container(u32 limit)
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

static void destroy_container(struct pkram_container *c)
{
	WARN_ON(c->table.nr || c->saved || !list_empty(&c->domains));
	pkram_table_free(&c->table);
	pkram_runs_free(&c->open);
	mutex_destroy(&c->lock);
	kvfree(c);
}

static void *vfio_ops_open(unsigned long arg)
{
	struct pkram_container *c;

	if (arg != VFIO_PKRAM_IOMMU)
		return ERR_PTR(-EINVAL);
	c = create_container(READ_ONCE(dma_entry_limit));
	return c ?: ERR_PTR(-ENOMEM);
}

static void vfio_ops_release(void *data)
{
	destroy_container(data);
}

static int vfio_ops_attach_group(void *data, struct iommu_group *group,
				 enum vfio_group_type type)
{
	/* Mediated devices reach memory by user addresses, not by an IOMMU. */
	if (type != VFIO_IOMMU)
		return -EOPNOTSUPP;
	return pkram_container_attach(data, group);
}

static void vfio_ops_detach_group(void *data, struct iommu_group *group)
{
	pkram_container_detach(data, group);
}

/* The rest is for mediated devices. */
static const struct vfio_iommu_driver_ops vfio_ops = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.open = vfio_ops_open,
	.release = vfio_ops_release,
	.ioctl = vfio_ops_ioctl,
	.attach_group = vfio_ops_attach_group,
	.detach_group = vfio_ops_detach_group,
};

static int __init pkram_vfio_init(void)
{
	return vfio_register_iommu_driver(&vfio_ops);
}
module_init(pkram_vfio_init);

static void __exit pkram_vfio_exit(void)
{
	vfio_unregister_iommu_driver(&vfio_ops);
}
module_exit(pkram_vfio_exit);

MODULE_DESCRIPTION("VFIO containers for RAM that outlives the kernel");
MODULE_AUTHOR("The pkram developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(PKRAM_NS);
