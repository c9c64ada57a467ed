// SPDX-License-Identifier: GPL-2.0
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfio.h"

int vfio_up(void)
{
	int err = fs_load() ?: fs_mount() ?: fs_grow();

	if (!err && !vm_module_loaded("pkram_vfio"))
		err = vm_insmod(VFIO_MODULE, NULL);
	return err;
}

static int edu_read_attr(const char *name, const char *attr, char *buf, size_t len)
{
	char path[512], *text;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", name, attr);
	text = vm_read_file(path);
	if (!text)
		return -errno;
	snprintf(buf, len, "%s", text);
	free(text);
	return 0;
}

int edu_find(struct edu *edu, int index)
{
	char path[512], link[256], id[32];
	struct dirent **list;
	int n, i, err = -ENODEV;
	ssize_t len;

	memset(edu, 0, sizeof(*edu));
	edu->group = -1;
	edu->device = -1;
	n = scandir("/sys/bus/pci/devices", &list, NULL, alphasort);
	for (i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (edu_read_attr(name, "vendor", id, sizeof(id)) ||
		    edu_read_attr(name, "device", id + strlen(id), sizeof(id) - strlen(id)) ||
		    strcmp(id, EDU_ID) || index--)
			continue;
		snprintf(edu->name, sizeof(edu->name), "%s", name);
		err = 0;
	}
	if (err)
		return err;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", edu->name);
	err = vm_write_file(path, "vfio-pci");
	if (err)
		return err;
	/* Usually bound already, by an earlier test */
	vm_write_file("/sys/bus/pci/drivers_probe", edu->name);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", edu->name);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = 0;
	edu->nr = atoi(strrchr(link, '/') + 1);
	return 0;
}

int edu_join(struct edu *edu, int container)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", edu->nr);
	edu->group = open(path, O_RDWR | O_CLOEXEC);
	if (edu->group < 0 || ioctl(edu->group, VFIO_GROUP_SET_CONTAINER, &container))
		return -errno;
	return 0;
}

int edu_start(struct edu *edu)
{
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };
	struct vfio_region_info config = { .argsz = sizeof(config),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	uint16_t command;
	void *p;
	int err;

	edu->device = ioctl(edu->group, VFIO_GROUP_GET_DEVICE_FD, edu->name);
	if (edu->device < 0)
		return -errno;
	if (ioctl(edu->device, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    ioctl(edu->device, VFIO_DEVICE_GET_REGION_INFO, &config))
		return -errno;
	if (pread(edu->device, &command, 2, config.offset + PCI_COMMAND) != 2)
		return -EIO;
	command |= PCI_COMMAND_MEMORY;
	if (pwrite(edu->device, &command, 2, config.offset + PCI_COMMAND) != 2)
		return -EIO;
	p = mmap(NULL, bar.size, RW, MAP_SHARED, edu->device, bar.offset);
	if (p == MAP_FAILED)
		return -errno;
	edu->bar = p;
	err = edu_wait(edu->bar);
	if (err)
		return err;
	command |= PCI_COMMAND_MASTER;
	if (pwrite(edu->device, &command, 2, config.offset + PCI_COMMAND) != 2)
		return -EIO;
	return 0;
}

void edu_leave(struct edu *edu)
{
	if (edu->bar)
		munmap((void *)edu->bar, MIB);
	if (edu->device >= 0)
		close(edu->device);
	if (edu->group >= 0)
		close(edu->group);
	edu->bar = NULL;
	edu->device = -1;
	edu->group = -1;
}

void edu_write(struct edu *edu, int reg, uint64_t value)
{
	*(volatile uint64_t *)(edu->bar + reg) = value;
}

int edu_dma(struct edu *edu, uint64_t iova, bool to_ram)
{
	return edu_copy(edu->bar, iova, to_ram);
}

int dma_map_flags(int c, uint64_t iova, const void *vaddr, uint64_t size,
		  uint32_t flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = flags, .vaddr = (uintptr_t)vaddr,
		.iova = iova, .size = size,
	};

	return ioctl(c, VFIO_IOMMU_MAP_DMA, &map);
}

int dma_map(int c, uint64_t iova, const void *vaddr, uint64_t size)
{
	return dma_map_flags(c, iova, vaddr, size, MAP_RW);
}

int dma_renew(int c, uint64_t iova, const void *vaddr, uint64_t size)
{
	return dma_map_flags(c, iova, vaddr, size, VFIO_DMA_MAP_FLAG_VADDR);
}

long long dma_unmap_flags(int c, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .flags = flags, .iova = iova, .size = size,
	};

	return ioctl(c, VFIO_IOMMU_UNMAP_DMA, &unmap) ? -1 : (long long)unmap.size;
}

long long dma_unmap(int c, uint64_t iova, uint64_t size)
{
	return dma_unmap_flags(c, iova, size, 0);
}

long long dma_give_up(int c, uint64_t iova, uint64_t size)
{
	return dma_unmap_flags(c, iova, size, VFIO_DMA_UNMAP_FLAG_VADDR);
}

struct vfio_iommu_type1_info *dma_info(int c)
{
	struct vfio_iommu_type1_info first = { .argsz = sizeof(first) }, *info;

	if (ioctl(c, VFIO_IOMMU_GET_INFO, &first))
		return NULL;
	info = calloc(1, first.argsz);
	info->argsz = first.argsz;
	if (ioctl(c, VFIO_IOMMU_GET_INFO, info)) {
		free(info);
		return NULL;
	}
	return info;
}

void *dma_capability(struct vfio_iommu_type1_info *info, int id)
{
	struct vfio_info_cap_header *h;
	uint32_t at = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;

	for (; at; at = h->next) {
		h = (void *)((char *)info + at);
		if (h->id == id)
			return h;
	}
	return NULL;
}

long long dma_avail(int c)
{
	struct vfio_iommu_type1_info *info = dma_info(c);
	struct vfio_iommu_type1_info_dma_avail *avail;
	long long n = -1;

	if (!info)
		return -1;
	avail = dma_capability(info, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	if (avail)
		n = avail->avail;
	free(info);
	return n;
}

long long locked_memory(void)
{
	char *text = vm_read_file("/proc/self/status"), *p;
	long long n = -1;

	p = text ? strstr(text, "VmLck:") : NULL;
	if (p)
		n = atoll(p + 6) * 1024;
	free(text);
	return n;
}

int trace_maps(void)
{
	mkdir("/sys/kernel/tracing", 0755);
	if (access("/sys/kernel/tracing/events", F_OK) &&
	    vm_mount("tracefs", "/sys/kernel/tracing", NULL))
		return -ENODEV;
	return vm_write_file("/sys/kernel/tracing/events/iommu/map/enable", "1") ?:
	       vm_write_file("/sys/kernel/tracing/trace", "");
}

int traced_maps(uint64_t *bytes)
{
	char *text = vm_read_file("/sys/kernel/tracing/trace"), *p = text;
	uint64_t size;
	int n = 0;

	*bytes = 0;
	while (p && (p = strstr(p, "IOMMU: iova="))) {
		if (sscanf(p++, "IOMMU: iova=%*x - %*x paddr=%*x size=%lu", &size) != 1)
			continue;
		n++;
		*bytes += size;
	}
	free(text);
	return n;
}
