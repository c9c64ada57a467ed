// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pkram.h>

#include "dma_table.h"

int box_join(struct edu *edu, int index, int c)
{
	return edu_find(edu, index) ?: edu_join(edu, c);
}

int box_open(struct box *b, int index)
{
	int err;

	b->c = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	err = box_join(&b->edu, index, b->c);
	if (!err && ioctl(b->c, VFIO_SET_IOMMU, VFIO_PKRAM_IOMMU))
		err = -errno;
	return err ?: edu_start(&b->edu);
}

void box_close(struct box *b)
{
	edu_leave(&b->edu);
	close(b->c);
}

static int table_ioctl(int c, unsigned long cmd, const char *name, uint32_t flags)
{
	struct pkram_vfio_table n = { .argsz = sizeof(n), .flags = flags };

	snprintf((char *)n.name, sizeof(n.name), "%s", name);
	return ioctl(c, cmd, &n);
}

int table_create(int c, const char *name)
{
	return table_ioctl(c, PKRAM_VFIO_TABLE_CREATE, name, 0);
}

int table_replace(int c, const char *name)
{
	return table_ioctl(c, PKRAM_VFIO_TABLE_CREATE, name, PKRAM_VFIO_TABLE_CREATE_REPLACE);
}

int table_restore(int c, const char *name)
{
	return table_ioctl(c, PKRAM_VFIO_TABLE_RESTORE, name, 0);
}

int table_restore_force(int c, const char *name)
{
	return table_ioctl(c, PKRAM_VFIO_TABLE_RESTORE, name, PKRAM_VFIO_TABLE_RESTORE_FORCE);
}

long long dma_give_all_up(int c)
{
	return dma_unmap_flags(c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR);
}

int dma_unmap_stale(int c, uint64_t *entries, uint64_t *size)
{
	struct pkram_vfio_unmap_stale d = { .argsz = sizeof(d) };
	int ret = ioctl(c, PKRAM_VFIO_UNMAP_STALE, &d);

	*entries = d.entries;
	*size = d.size;
	return ret;
}

int box_copy(struct box *b, uint64_t from, uint64_t to)
{
	return edu_dma(&b->edu, from, false) ?: edu_dma(&b->edu, to, true);
}

struct pkram_dma_table *table_find(struct pkram_dma_table **list, const char *name)
{
	struct pkram_dma_table *c;
	struct pkram_ctx *ctx;

	*list = NULL;
	if (pkram_open(&ctx) || pkram_dma_table_dump(ctx, list))
		printf("# list of DMA tables: %s\n", pkram_strerror(ctx));
	for (c = *list; c && (!c->name || strcmp(c->name, name)); c = c->next)
		;
	pkram_close(ctx);
	return c;
}

bool table_listed(const char *name)
{
	struct pkram_dma_table *list;
	bool there = table_find(&list, name);

	pkram_dma_table_free(list);
	return there;
}
