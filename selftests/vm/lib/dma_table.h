/* SPDX-License-Identifier: GPL-2.0 */
/* DMA tables, and containers of pkram's IOMMU type that have one. Include <pkram.h> too. */
#ifndef PKRAM_VM_DMA_TABLE_H
#define PKRAM_VM_DMA_TABLE_H

#include "vfio.h"

struct pkram_dma_table;

/* A container with one device */
struct box {
	int c;
	struct edu edu;
};

/* Let the @index-th device join a container. */
int box_join(struct edu *edu, int index, int c);

/* Make a container of pkram's type with the @index-th device. */
int box_open(struct box *b, int index);

void box_close(struct box *b);

/* Copy half a page from one IOVA to another, by the device. */
int box_copy(struct box *b, uint64_t from, uint64_t to);

int table_create(int c, const char *name);

int table_replace(int c, const char *name);
int table_restore(int c, const char *name);

int table_restore_force(int c, const char *name);

/* Give up the addresses of all mappings. Return: the number of bytes, or -1 */
long long dma_give_all_up(int c);

int dma_unmap_stale(int c, uint64_t *entries, uint64_t *size);

/* Find a table in the list of all, which the caller frees by pkram_dma_table_free(). */
struct pkram_dma_table *table_find(struct pkram_dma_table **list, const char *name);

bool table_listed(const char *name);

#define EXPECT_TABLE(name_, entries_, suspended_, in_use_)		\
	do {								\
		struct pkram_dma_table *list_, *c_;			\
									\
		c_ = table_find(&list_, name_);				\
		EXPECT_NE(NULL, c_);					\
		if (c_) {						\
			EXPECT_EQ(entries_, c_->nr_entries);		\
			EXPECT_EQ(suspended_, c_->suspended);		\
			EXPECT_EQ(in_use_, c_->in_use);			\
			EXPECT_EQ(NULL, c_->quarantine);		\
		}							\
		pkram_dma_table_free(list_);				\
	} while (0)

#endif
