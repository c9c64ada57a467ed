// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "damage.h"

struct dm_region dm_regions[DM_MAX_REGIONS];
int dm_nr_regions;
struct dm_record *dm_records;
int dm_nr_records;
static int dm_fd = -1;

void *dm_map(uint64_t phys, size_t len)
{
	void *p;

	if (dm_fd < 0)
		dm_fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, dm_fd, phys);
	return p == MAP_FAILED ? NULL : p;
}

bool dm_range(int index, uint64_t *start, uint64_t *end)
{
	static const char * const names[] = { "type 20555", "Unknown E820 type", "pkram" };
	int i, n;

	for (i = 0; i < 3; i++) {
		for (n = 0; vm_iomem_find(names[i], n, start, end); n++)
			if (!index--)
				return true;
	}
	return false;
}

int dm_find_regions(void)
{
	uint64_t start, end, at;
	bool mirror;
	int i, cur;

	dm_nr_regions = 0;
	for (i = 0; dm_range(i, &start, &end); i++) {
		for (at = start; at < end && dm_nr_regions < DM_MAX_REGIONS; at += GIB) {
			struct dm_region *r = &dm_regions[dm_nr_regions];

			r->base = at;
			r->head = dm_map(at, PKRAM_UNIT);
			if (!r->head)
				return -errno;
			if (!pkram_header_read(r->head, at, &r->h, &cur, &mirror))
				dm_nr_regions++;
			else
				munmap(r->head, PKRAM_UNIT);
		}
	}
	return dm_nr_regions;
}

struct dm_region *dm_region(uint64_t id)
{
	int i;

	for (i = 0; i < dm_nr_regions; i++)
		if (dm_regions[i].h.region_id == id)
			return &dm_regions[i];
	return NULL;
}

uint32_t dm_seed(void)
{
	return pkram_pool_seed(dm_regions[0].h.pool_uuid);
}

static int dm_read_unit(struct dm_region *r, uint32_t meta)
{
	bool large = meta & PKRAM_META_LARGE, mirror;
	uint32_t unit = meta & ~PKRAM_META_LARGE, pair;
	uint32_t slot = large ? PKRAM_LARGE_SLOT : PKRAM_SMALL_SLOT;
	uint8_t *p = dm_map(r->base + (uint64_t)unit * PKRAM_UNIT, PKRAM_UNIT);
	int cur;

	if (!p)
		return -errno;
	for (pair = 0; pair < PKRAM_UNIT / (2 * slot); pair++) {
		struct dm_record *d = &dm_records[dm_nr_records];

		d->a = p + (size_t)pair * 2 * slot;
		d->slot = slot;
		d->id = r->h.region_id;
		d->bad = pkram_record_read(d->a, slot, dm_seed(), &d->rec, &cur,
					   &mirror);
		if (d->bad || d->rec.kind != PKRAM_KIND_FREE)
			dm_nr_records++;
	}
	return 0;
}

int dm_find_records(void)
{
	int i, err = 0;
	uint32_t m, nr = 0;

	for (i = 0; i < dm_nr_regions; i++)
		nr += dm_regions[i].h.nr_meta * PKRAM_SMALL_PAIRS;
	dm_nr_records = 0;
	dm_records = calloc(nr + 1, sizeof(*dm_records));
	for (i = 0; i < dm_nr_regions; i++)
		for (m = 0; !err && m < dm_regions[i].h.nr_meta; m++)
			err = dm_read_unit(&dm_regions[i], dm_regions[i].h.meta[m]);
	return err ?: dm_nr_records;
}

struct dm_record *dm_find(const char *name)
{
	struct dm_record *found = NULL;
	int i;

	for (i = 0; i < dm_nr_records; i++)
		if (!dm_records[i].bad && !strcmp(dm_records[i].rec.name, name))
			found = &dm_records[i];
	return found;
}

uint8_t dm_buf[PKRAM_LARGE_SLOT] __attribute__((aligned(8)));

void dm_sign(uint8_t *image)
{
	struct pkram_record_ser *ser = (void *)image;

	ser->tag = 0;
	ser->tag = cpu_to_le64(pkram_tag(PKRAM_RECORD_MAGIC,
					 pkram_crc32c(dm_seed(), image, ser->len)));
}

void dm_put(struct dm_record *d, const uint8_t *image)
{
	uint32_t len = ((const struct pkram_record_ser *)image)->len;

	memcpy(d->a, image, len);
	memcpy(d->a + d->slot, image, len);
}

void dm_commit(struct dm_record *d)
{
	d->rec.seq++;
	pkram_record_encode(dm_buf, &d->rec, dm_seed());
	dm_put(d, dm_buf);
}

void dm_commit_header(struct dm_region *r)
{
	static struct pkram_region_ser ser;

	r->h.seq++;
	pkram_header_encode(&ser, &r->h);
	memcpy(r->head, &ser, sizeof(ser));
	memcpy(r->head + PKRAM_HEADER_SLOT, &ser, sizeof(ser));
}

long long dm_verify(const struct pkram_extent *e, uint64_t size, uint64_t seed)
{
	struct dm_region *r = dm_region(e->region_id);
	uint64_t pos = (uint64_t)e->obj_unit * PKRAM_UNIT, at, n;
	long long bad = -1;
	uint32_t i;
	void *p;

	if (!r)
		return 0;
	at = r->base + (uint64_t)e->region_unit * PKRAM_UNIT;
	for (i = 0; bad < 0 && i < e->nr_units; i++, pos += PKRAM_UNIT) {
		if (pos >= size)
			break;
		n = size - pos < PKRAM_UNIT ? size - pos : PKRAM_UNIT;
		p = dm_map(at + (uint64_t)i * PKRAM_UNIT, PKRAM_UNIT);
		if (!p)
			return 0;
		bad = vm_verify(p, n, seed, pos);
		munmap(p, PKRAM_UNIT);
	}
	return bad;
}
