/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access to preserved memory through /dev/mem, for tests that damage it. It must be used
 * before the module is loaded, which makes its memory exclusive, and on a kernel booted
 * with iomem=relaxed. Records and headers are read and written by the module's
 * core/record.c.
 *
 * The format does not use the last 256 KiB of a region's head. Notes that must be kept
 * over a kexec although the pool is not attached are stored there.
 */
#ifndef PKRAM_VM_DAMAGE_H
#define PKRAM_VM_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "vm.h"

#include "core/header.h"
#include "core/record.h"
#include "core/unitmap.h"

#define DM_MAX_REGIONS	16
#define DM_NOTES	0x1c0000
#define DM_NOTES_SIZE	0x40000

struct dm_region {
	struct pkram_header h;
	uint64_t base;
	uint8_t *head;		/* unit 0 */
};

struct dm_record {
	struct pkram_record rec;
	int bad;
	uint64_t id;		/* of its region */
	uint8_t *a;		/* slot A */
	uint32_t slot;		/* bytes of a slot */
};

extern struct dm_region dm_regions[DM_MAX_REGIONS];
extern int dm_nr_regions;
extern struct dm_record *dm_records;
extern int dm_nr_records;

/* Map a piece of physical memory, which must be RAM; the mapping is cached */
void *dm_map(uint64_t phys, size_t len);

/* Find the @index-th range that this boot's memory map reserves for the pool */
bool dm_range(int index, uint64_t *start, uint64_t *end);

/* Look for regions at each GiB of the ranges; return their number */
int dm_find_regions(void);

struct dm_region *dm_region(uint64_t id);

uint32_t dm_seed(void);

/* Read all records that are not free; return their number */
int dm_find_records(void);

/* Find the record of a name, which must be unique; the root's name is "" */
struct dm_record *dm_find(const char *name);

extern uint8_t dm_buf[PKRAM_LARGE_SLOT] __attribute__((aligned(8)));

/* Update the checksum of an image */
void dm_sign(uint8_t *image);

void dm_put(struct dm_record *d, const uint8_t *image);

/* Write a changed record to both slots, as if it had been committed */
void dm_commit(struct dm_record *d);

/* Write a changed header to both slots */
void dm_commit_header(struct dm_region *r);

/* Check the part of a file's pattern that is in an extent */
long long dm_verify(const struct pkram_extent *e, uint64_t size, uint64_t seed);

#endif
