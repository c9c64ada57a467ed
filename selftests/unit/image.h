/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pool in the memory of a test: regions whose head and some metadata units are mapped
 * (sparse), the records that a test writes there, and the loader's results. Everything is
 * deterministic.
 */
#ifndef _PKRAM_IMAGE_H
#define _PKRAM_IMAGE_H

#include "core/label.h"
#include "core/load.h"
#include "core/unitmap.h"

#define IMAGE_REGIONS	8
#define IMAGE_MAPPED	(2 * PKRAM_GIB)	/* of each region */
#define IMAGE_BASE	(4 * PKRAM_GIB)		/* physical, of region 0 */

struct image {
	struct pkram_header h[IMAGE_REGIONS];
	void *mem[IMAGE_REGIONS];
	u32 nr;
	u32 seed;
	struct pkram_alloc al;
	struct pkram_load_result res;
};

/* Regions: bits of @present are the GiB of the span that are present. */
void image_init(struct image *im);
u32 image_add_region(struct image *im, u32 nr_gib, u64 present);
void image_add_meta(struct image *im, u32 region, u32 unit, bool large);
void image_write_header(struct image *im, u32 region);
void image_exit(struct image *im);

/* Records */
struct spot {
	u32 region;
	u32 unit;
	u32 pair;
	bool large;
};

void *image_slot(struct image *im, struct spot at, int slot);
void image_put(struct image *im, struct spot at, const struct pkram_record *r);
void image_free_pair(struct image *im, struct spot at, u64 seq, u64 id);
/* Like image_put(), and mark its units as written in the map. */
void image_put_owned(struct image *im, struct spot at,
		     const struct pkram_record *r);

/* Set up an allocator that knows the regions, with heads and metadata taken; then load. */
void image_prepare_alloc(struct image *im);
int image_load(struct image *im);
void image_unload(struct image *im);

/* Simple records for tests: static memory, no buffers to free */
struct pkram_record image_file(u64 id, u64 parent, const char *name);
struct pkram_record image_dir(u64 id, u64 parent, const char *name);
struct pkram_record image_dma_table(u64 id, const char *name);

bool record_same(const struct pkram_record *a, const struct pkram_record *b);
/* Return the number of records found, and the one at a spot, or NULL; without free ones. */
u32 image_nr(const struct image *im);
struct pkram_loaded *image_at(struct image *im, struct spot at);
/* Return the good record of an id, or NULL */
struct pkram_loaded *image_find(struct image *im, u64 id);

/*
 * The sample: one region of one GiB with a unit of small records and one of large records;
 * root, directories, labels, a seal, holes, stale units, an object in a large slot, a DMA
 * table. golden/v1.img.txt was made from it.
 */
#define SAMPLE_OBJECTS	8
struct sample {
	struct image im;
	struct pkram_record rec[SAMPLE_OBJECTS];
	struct spot spot[SAMPLE_OBJECTS];
};

void sample_init(struct sample *s);
void sample_exit(struct sample *s);

/*
 * Load the sample's image and compare: every object is good and unchanged; the object at
 * @may_be_bad may be bad instead. Otherwise the test fails.
 */
void sample_check(struct sample *s, int may_be_bad);

/* Deterministic random numbers */
struct rng {
	u64 state;
};

u64 rng_next(struct rng *g);
u32 rng_below(struct rng *g, u32 n);

/*
 * Run @op, but suppress the store number @nr (from 0) and all later ones, as if the
 * machine stopped there.
 *
 * Return: true if a store was suppressed
 */
bool cut_after(unsigned long nr, void (*op)(void *arg), void *arg);

#endif /* _PKRAM_IMAGE_H */
