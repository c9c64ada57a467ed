/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VFIO container of pkram's type: what is mapped for its devices, grouped by file.
 *
 * Each file includes only those above it:
 *	iommu.c		the IOMMU domains of a container
 *	pages.c		memory that is not the pool's
 *	area.c		ranges of user addresses
 *	mapping.c	one mapping
 *	save.c		the table in the pool
 *	map.c		map and unmap
 *	restore.c	map what a table in the pool has
 *	group.c		groups of devices
 *	main.c		ioctls
 *
 * Locks, outermost first:
 *	VFIO's own		(container->group_lock)
 *	container->lock		everything in here
 *	mmap_lock		(mm) to look a user address up, and to charge
 *	what pin.h's functions take
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
 * struct pkram_domain - an IOMMU domain: page tables
 * @list: in the container's @domains
 * @groups: &struct pkram_group: whose devices use them
 * @domain: the kernel's
 * @coherent: the IOMMU makes all DMA coherent
 */
struct pkram_domain {
	struct list_head list;
	struct list_head groups;
	struct iommu_domain *domain;
	bool coherent;
};

/** struct pkram_group - a group of devices in a domain */
struct pkram_group {
	struct list_head list;
	struct iommu_group *group;
};

/**
 * struct pkram_mapping - an entry of a container's table
 * @dma: its range; first, for pkram_mapping_of()
 * @prot: IOMMU_READ, IOMMU_WRITE
 * @mapped: this many bytes, from the start, are in all domains
 * @nr_segs: how many
 * @segs: what is mapped
 * @pins: of each segment of @segs; NULL for memory that is not the pool's, whose
 *	pages are pinned
 * @mm: charged for @locked; its struct is held, not its memory
 * @locked: pages that are pinned
 * @saved: it is in the container's table in the pool, if that has one
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

/** struct pkram_page_run - pinned pages that follow each other in memory */
struct pkram_page_run {
	unsigned long pfn;
	unsigned long nr;
};

#define PKRAM_PAGE_RUNS	256

/**
 * struct pkram_container - what VFIO calls iommu_data
 * @lock: all of it
 * @domains: &struct pkram_domain; from the first attached group to the last there is
 *	one, and each has every mapping
 * @table: of &struct pkram_mapping
 * @open: where mappings may be
 * @pgsizes: sizes of the IOMMU's pages, a bit each
 * @dma_table: its table in the pool; NULL: it has no name
 * @running: somebody has, or had, user addresses of its mappings since it was
 *	adopted or suspended
 * @restored: mappings without user address are of an adopted table
 * @runs: for pages.c
 */
struct pkram_container {
	struct mutex lock;	/* all of it */
	struct list_head domains;
	struct pkram_dma_table table;
	struct pkram_runs open;
	u64 pgsizes;
	struct pkram_object *dma_table;
	bool running;
	bool restored;
	struct pkram_page_run runs[PKRAM_PAGE_RUNS];
};

#endif /* _PKRAM_VFIO_PRIVATE_H */
