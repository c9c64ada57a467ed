/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that do DMA: QEMU's "edu", bound to vfio-pci behind an emulated VT-d, and VFIO
 * containers for them, of type1 and of pkram.
 */
#ifndef PKRAM_VM_VFIO_H
#define PKRAM_VM_VFIO_H

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/pci_regs.h>
#include <linux/pkram_vfio.h>
#include <linux/vfio.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "edu.h"
#include "fs.h"
#include "pool.h"

#define PAGE		4096UL
#define RW		(PROT_READ | PROT_WRITE)
#define MAP_RW		(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define VFIO_MODULE	"/lib/pkram/pkram_vfio.ko"

/* Load both modules, mount pkramfs and grow the pool. Return: 0 or an error */
int vfio_up(void);

/**
 * struct edu - a device
 * @name: its PCI address
 * @nr: number of its group
 * @group: open group, or -1
 * @device: open device, or -1
 * @bar: its registers
 */
struct edu {
	char name[256];
	int nr;
	int group;
	int device;
	volatile char *bar;
};

/* Find the @index-th device and bind it to vfio-pci; it stays bound */
int edu_find(struct edu *edu, int index);

int edu_join(struct edu *edu, int container);

/*
 * Open the device, map its registers and enable DMA. It cannot be reset. A DMA that an
 * earlier user (which may have died) started must end first; until then the device ignores
 * writes to its registers. That DMA has no effect, because VFIO opens a device with bus
 * mastering disabled.
 */
int edu_start(struct edu *edu);

void edu_leave(struct edu *edu);

void edu_write(struct edu *edu, int reg, uint64_t value);

int edu_dma(struct edu *edu, uint64_t iova, bool to_ram);

/* Containers */

int dma_map_flags(int c, uint64_t iova, const void *vaddr, uint64_t size,
		  uint32_t flags);

int dma_map(int c, uint64_t iova, const void *vaddr, uint64_t size);

int dma_renew(int c, uint64_t iova, const void *vaddr, uint64_t size);

/* Return the number of bytes unmapped, or -1 */
long long dma_unmap_flags(int c, uint64_t iova, uint64_t size, uint32_t flags);

long long dma_unmap(int c, uint64_t iova, uint64_t size);

long long dma_give_up(int c, uint64_t iova, uint64_t size);

/* Return GET_INFO with all capabilities, to be freed; NULL on failure */
struct vfio_iommu_type1_info *dma_info(int c);

void *dma_capability(struct vfio_iommu_type1_info *info, int id);

long long dma_avail(int c);

/* Return the locked memory of the calling process in bytes */
long long locked_memory(void);

/* Start tracing of iommu_map() */
int trace_maps(void);

/* Return the number of calls since then, and the bytes mapped */
int traced_maps(uint64_t *bytes);

#endif
