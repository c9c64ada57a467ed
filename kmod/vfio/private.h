/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types of pkram_vfio.ko: a VFIO container and what it maps for devices.
 *
 * Each file calls only files above it:
 *	iommu.c		map in the IOMMU domains of a container
 *	pages.c		map memory outside the pool page by page
 *	area.c		look up ranges of user addresses
 *	mapping.c	create and destroy one mapping
 *	save.c		keep mappings in a DMA table in the pool
 *	map.c		VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA
 *	restore.c	map what a DMA table lists
 *	group.c		attach and detach groups of devices
 *	main.c		parse ioctls
 *
 * Locks, outermost first:
 *	VFIO's container->group_lock
 *	pkram_container->lock	all members of the container
 *	mmap_lock		look up a user address; account locked memory
 *	the locks of store/pin.h
 */
#ifndef _PKRAM_VFIO_PRIVATE_H
#define _PKRAM_VFIO_PRIVATE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include "compat/vfio.h"
#include "core/iova_map.h"

struct mm_struct;
struct pkram_object;
struct pkram_open;
struct pkram_pin;

/**
 * struct pkram_domain - an IOMMU domain (a set of page tables)
 * @list: entry in the container's @domains
 * @groups: list of &struct pkram_group, which use this domain
 * @domain: the kernel's domain
 * @coherent: the IOMMU makes all DMA coherent
 */
struct pkram_domain {
	struct list_head list;
	struct list_head groups;
	struct iommu_domain *domain;
	bool coherent;
};

/**
 * struct pkram_group - a group of devices in a domain
 * @list: entry in the domain's @groups
 * @group: the kernel's group
 */
struct pkram_group {
	struct list_head list;
	struct iommu_group *group;
};

/**
 * struct pkram_mapping - a mapping of a container
 * @dma: range of IOVA
 * @prot: IOMMU_READ, IOMMU_WRITE
 * @mapped: number of bytes, from the start, that are mapped in all domains
 * @nr_segs: number of segments
 * @segs: the memory that is mapped
 * @pins: pin of each segment in @segs; NULL for memory outside the pool, whose pages
 *	are pinned
 * @mm: charged for @locked; holds a reference to the struct, not to its memory
 * @locked: number of pinned pages
 * @saved: the container's DMA table lists this mapping
 */
struct pkram_mapping {
	struct pkram_dma dma;
	int prot;
	u64 mapped;
	u32 nr_segs;
	struct pkram_seg *segs;
	struct pkram_pin **pins;
	struct mm_struct *mm;
	unsigned long locked;
	bool saved;
};

/** struct pkram_page_run - pinned pages that are contiguous in memory */
struct pkram_page_run {
	unsigned long pfn;
	unsigned long nr;
};

#define PKRAM_PAGE_RUNS	256

/**
 * struct pkram_container - a VFIO container (VFIO's iommu_data)
 * @lock: protects all members
 * @domains: list of &struct pkram_domain; not empty while a group is attached. Each
 *	domain has every mapping.
 * @table: all mappings, each a &struct pkram_mapping
 * @open: ranges of IOVA that may be mapped
 * @pgsizes: page sizes of the IOMMU, one bit each
 * @dma_table: the DMA table in the pool that keeps the mappings, or NULL
 * @running: a process has, or had, user addresses of the mappings since the DMA table
 *	was restored or suspended
 * @restored: the mappings without a user address come from a restored DMA table
 * @runs: scratch memory of pages.c
 */
struct pkram_container {
	struct mutex lock;	/* protects all members */
	struct list_head domains;
	struct pkram_iova_map table;
	struct pkram_runs open;
	u64 pgsizes;
	struct pkram_object *dma_table;
	bool running;
	bool restored;
	struct pkram_page_run runs[PKRAM_PAGE_RUNS];
};

#endif /* _PKRAM_VFIO_PRIVATE_H */
