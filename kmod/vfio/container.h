/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VFIO container of pkram's type: what is mapped for its devices, grouped by file.
 *
 * Locks, outermost first:
 *	VFIO's own		(container->group_lock)
 *	container->lock		everything in here
 *	mmap_lock		(mm) to look a user address up, and to charge
 *	what pin.h's functions take
 */
#ifndef _PKRAM_VFIO_CONTAINER_H
#define _PKRAM_VFIO_CONTAINER_H

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

static inline struct pkram_mapping *pkram_mapping_of(struct pkram_dma *dma)
{
	return container_of(dma, struct pkram_mapping, dma);
}

static inline u64 pkram_mapping_size(const struct pkram_mapping *m)
{
	return m->dma.last - m->dma.first + 1;
}

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
 * @saved: its table in the pool (saved.h); NULL: it has no name
 * @running: somebody has, or had, user addresses of its mappings since it was
 *	adopted or suspended
 * @adopted: mappings without user address are of an adopted table
 * @runs: for pages.c
 */
struct pkram_container {
	struct mutex lock;	/* all of it */
	struct list_head domains;
	struct pkram_dma_table table;
	struct pkram_runs open;
	u64 pgsizes;
	struct pkram_object *saved;
	bool running;
	bool adopted;
	struct pkram_page_run runs[PKRAM_PAGE_RUNS];
};

/** pkram_container_first() - some domain of a container that has one */
static inline struct iommu_domain *
pkram_container_first(const struct pkram_container *c)
{
	return list_first_entry(&c->domains, struct pkram_domain,
				list)->domain;
}

/* container.c */

/**
 * pkram_container_create() - an empty container
 * @limit: how many mappings it may have
 *
 * Return: container, or NULL. Free it by pkram_container_destroy().
 */
struct pkram_container *pkram_container_create(u32 limit);

/** pkram_container_destroy() - it has no group any more, so no mapping */
void pkram_container_destroy(struct pkram_container *c);

/**
 * pkram_container_map() - VFIO_IOMMU_MAP_DMA, without VFIO_DMA_MAP_FLAG_VADDR
 * @c: container, locked
 * @iova: where, for devices
 * @vaddr: what, an address of the calling process
 * @size: in bytes
 * @prot: IOMMU_READ, IOMMU_WRITE
 *
 * Return: 0, or what docs/vfio.md has a table of.
 */
int pkram_container_map(struct pkram_container *c, u64 iova, u64 vaddr,
			u64 size, int prot);

/** pkram_container_set_vaddr() - the same with that flag */
int pkram_container_set_vaddr(struct pkram_container *c, u64 iova, u64 vaddr,
			      u64 size);

/**
 * pkram_container_unmap() - VFIO_IOMMU_UNMAP_DMA
 * @c: container, locked
 * @iova: range; with @all both are 0
 * @size: in bytes; out: what was unmapped
 * @all: everything
 * @vaddr_only: it stays mapped, and loses its user address
 */
int pkram_container_unmap(struct pkram_container *c, u64 iova, u64 *size,
			  bool all, bool vaddr_only);

/** pkram_container_unmap_all() - as the last group goes, or adopting failed */
void pkram_container_unmap_all(struct pkram_container *c);

/** pkram_container_drop() - PKRAM_VFIO_UNMAP_STALE. Return: bytes; @nr: how many mappings */
u64 pkram_container_drop(struct pkram_container *c, u64 *nr);

/** pkram_mapping_create() - not in the table; NULL: no memory */
struct pkram_mapping *pkram_mapping_create(u64 first, u64 last, int prot);

/** pkram_mapping_destroy() - it is in no table any more, but may be mapped */
void pkram_mapping_destroy(struct pkram_container *c, struct pkram_mapping *m);

/** pkram_mapping_map_pool() - have one of its segments, which is pinned, in the IOMMU */
int pkram_mapping_map_pool(struct pkram_container *c, struct pkram_mapping *m,
			   u32 seg);

/**
 * pkram_mapping_extent() - where a part of a mapping is
 * @c: container
 * @m: mapping
 * @seg: index of the segment
 * @pos: offset in the mapping, in that segment, and mapped
 * @phys: out
 *
 * Return: bytes of the segment from there on that follow each other in memory.
 */
u64 pkram_mapping_extent(struct pkram_container *c, struct pkram_mapping *m,
			 u32 seg, u64 pos, phys_addr_t *phys);

/* named.c: containers whose table is in the pool. Context: container locked */

/** pkram_container_name() - PKRAM_VFIO_TABLE_CREATE. Return: 0, or as docs/vfio.md says. */
int pkram_container_name(struct pkram_container *c, const char *name);

/** pkram_container_adopt() - PKRAM_VFIO_TABLE_RESTORE */
int pkram_container_adopt(struct pkram_container *c, const char *name, bool force);

/**
 * pkram_container_save() - a mapping is about to be reached by devices
 * @c: container
 * @m: mapping, its memory pinned
 *
 * Nothing to do for containers without name, and for memory that cannot be saved.
 * Return: 0; -ENOSPC; -ENOMEM.
 */
int pkram_container_save(struct pkram_container *c, struct pkram_mapping *m);

/**
 * pkram_container_forget() - a mapping goes
 *
 * Return: was it saved? Then pkram_dma_table_commit() is to follow.
 */
bool pkram_container_forget(struct pkram_container *c, const struct pkram_mapping *m);

/**
 * pkram_container_release() - the last group is gone
 *
 * Its table waits for who adopts it, unless there are user addresses of its mappings:
 * then nobody could know what devices do there.
 */
void pkram_container_release(struct pkram_container *c);

/** pkram_container_set_running() - user addresses came, or all went */
int pkram_container_set_running(struct pkram_container *c, bool running);

/**
 * struct pkram_container_use - whether there are user addresses, to be put back
 * @running: as in &struct pkram_container
 * @saved: as the table in the pool says; the two differ after adopting by force
 */
struct pkram_container_use {
	bool running;
	bool saved;
};

struct pkram_container_use pkram_container_get_use(const struct pkram_container *c);

/** pkram_container_put_use() - as it was, after a failure */
void pkram_container_put_use(struct pkram_container *c, struct pkram_container_use use);

/* domain.c */

/**
 * pkram_container_attach() - a group of devices joins
 * @c: container
 * @group: whose devices do no DMA yet
 *
 * Return: 0; -EBUSY mappings lost their user address; -EINVAL it is there already, or its
 * devices cannot reach what is mapped; -EPERM its interrupts are not remapped; others.
 */
int pkram_container_attach(struct pkram_container *c,
			   struct iommu_group *group);

/** pkram_container_detach() - a group leaves; with the last, all mappings go */
void pkram_container_detach(struct pkram_container *c,
			    struct iommu_group *group);

/** pkram_domains_map() - in all domains, or none. Context: container locked. */
int pkram_domains_map(struct pkram_container *c, u64 iova, phys_addr_t phys,
		      u64 size, int prot);

/**
 * pkram_domains_unmap() - in all domains
 *
 * Return: is it sure that no device reaches it any more? If not, what was mapped must
 * not be let go of, ever.
 */
bool pkram_domains_unmap(struct pkram_container *c, u64 iova, u64 size);

/** pkram_domains_coherent() - does each domain make all DMA coherent? */
bool pkram_domains_coherent(struct pkram_container *c);

/* pages.c: memory that is not the pool's */

/**
 * pkram_pages_map() - pin memory of the calling process, and map it
 * @c: container
 * @m: mapping, of which @m->mapped bytes are mapped; advances it
 * @vaddr: address of the next byte
 * @len: in bytes
 *
 * Return: 0; -EFAULT there is no such memory; others. What was mapped until then is
 * the caller's to unmap.
 */
int pkram_pages_map(struct pkram_container *c, struct pkram_mapping *m,
		    u64 vaddr, u64 len);

/** pkram_pages_unmap() - the reverse, for a part of a mapping */
void pkram_pages_unmap(struct pkram_container *c, u64 iova, u64 len, int prot);

/** pkram_pages_extent() - as pkram_mapping_extent(), of an IOVA */
u64 pkram_pages_extent(struct pkram_container *c, u64 iova, u64 len,
		       phys_addr_t *phys);

#endif /* _PKRAM_VFIO_CONTAINER_H */
