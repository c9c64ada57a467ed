// SPDX-License-Identifier: GPL-2.0
/* Fuzz target: the allocator, against a byte for each unit. */
#include <string.h>
#include "core/alloc.h"
#include "fuzz.h"

#define REGIONS		3
#define MAX_GIB		4
#define UNITS		(MAX_GIB * PKRAM_GIB_UNITS)
#define HELD		512

/* Of each region, @id 0 if it is not there: units that are absent, or taken */
static struct model {
	u64 id;
	u32 nr_units;
	bool absent[UNITS];
	bool taken[UNITS];
} model[REGIONS];

static struct pkram_alloc al;
static struct pkram_extent held[HELD];
static u32 nr_held;

static struct model *find(u64 id)
{
	u32 i;

	for (i = 0; i < REGIONS; i++)
		if (model[i].id == id)
			return &model[i];
	return NULL;
}

static u32 count_free(const struct model *m)
{
	u32 i, n = 0;

	for (i = 0; i < m->nr_units; i++)
		n += !m->absent[i] && !m->taken[i];
	return n;
}

static void compare(void)
{
	struct pkram_alloc_region *ar;
	u64 total = 0;
	u32 i, u;

	for (i = 0; i < REGIONS; i++) {
		ar = pkram_alloc_find(&al, i + 1);
		REQUIRE(!ar == !model[i].id);
		if (!ar)
			continue;
		for (u = 0; u < model[i].nr_units; u++)
			REQUIRE(test_bit(u, ar->used) ==
				(model[i].absent[u] || model[i].taken[u]));
		REQUIRE(ar->nr_free == count_free(&model[i]));
		total += ar->nr_free;
	}
	REQUIRE(al.nr_free == total);
}

static void add_region(struct fuzz_input *in)
{
	u32 n = fuzz_below(in, REGIONS), nr_gib = 1 + fuzz_below(in, MAX_GIB), i;
	u64 present = 1 | fuzz_byte(in);
	struct model *m = &model[n];
	int err = pkram_alloc_add_region(&al, n + 1, (int)n - 1, nr_gib, &present);

	REQUIRE(err == (m->id ? -EEXIST : 0));
	if (err)
		return;
	memset(m, 0, sizeof(*m));
	m->id = n + 1;
	m->nr_units = nr_gib * PKRAM_GIB_UNITS;
	for (i = 0; i < m->nr_units; i++)
		m->absent[i] = !(present >> (i / PKRAM_GIB_UNITS) & 1);
	REQUIRE(!pkram_alloc_mark(&al, m->id, 0, 1));
	m->taken[0] = true;
}

static void mark(struct fuzz_input *in)
{
	u64 id = 1 + fuzz_below(in, REGIONS);
	u32 unit = fuzz_below(in, UNITS), nr = 1 + fuzz_below(in, 600), i;
	struct model *m = find(id);
	int err = pkram_alloc_mark(&al, id, unit, nr), want = 0;

	if (!m)
		want = -ENOENT;
	else if (unit + nr > m->nr_units)
		want = -ERANGE;
	for (i = unit; !want && i < unit + nr; i++)
		if (m->absent[i] || m->taken[i])
			want = -EEXIST;
	REQUIRE(err == want);
	for (i = unit; !err && i < unit + nr; i++)
		m->taken[i] = true;
}

static void get(struct fuzz_input *in)
{
	static struct pkram_extent out[64];
	struct pkram_alloc_request req = {
		.obj_unit = fuzz_below(in, 3) * PKRAM_GIB_UNITS + fuzz_below(in, 2),
		.nr_units = 1 + fuzz_below(in, 2000),
		.node = (int)fuzz_below(in, 4) - 1,
		.strict = fuzz_byte(in) & 1,
	};
	u32 unit = req.obj_unit, i, u;
	struct model *m;
	int n = pkram_alloc_get(&al, &req, out, ARRAY_SIZE(out));

	if (n < 0) {
		REQUIRE(n == -ENOSPC || n == -EFBIG);
		return;
	}
	for (i = 0; i < (u32)n; i++) {
		m = find(out[i].region_id);
		REQUIRE(m && out[i].obj_unit == unit && out[i].nr_units);
		REQUIRE(out[i].region_unit + out[i].nr_units <= m->nr_units);
		unit += out[i].nr_units;
		for (u = 0; u < out[i].nr_units; u++) {
			REQUIRE(!m->absent[out[i].region_unit + u]);
			REQUIRE(!m->taken[out[i].region_unit + u]);
			m->taken[out[i].region_unit + u] = true;
		}
		if (nr_held < HELD)
			held[nr_held++] = out[i];
	}
	REQUIRE(unit == req.obj_unit + req.nr_units);
}

static void put(struct fuzz_input *in)
{
	struct pkram_extent e;
	struct model *m;
	u32 i, u;

	if (!nr_held)
		return;
	i = fuzz_below(in, nr_held);
	e = held[i];
	held[i] = held[--nr_held];
	m = find(e.region_id);
	pkram_alloc_free(&al, e.region_id, e.region_unit, e.nr_units);
	for (u = 0; u < e.nr_units; u++)
		m->taken[e.region_unit + u] = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	memset(model, 0, sizeof(model));
	nr_held = 0;
	while (in.left) {
		switch (fuzz_byte(&in) % 8) {
		case 0:
			add_region(&in);
			break;
		case 1:
			mark(&in);
			break;
		case 2:
		case 3:
		case 4:
			put(&in);
			break;
		default:
			get(&in);
		}
		compare();
	}
	pkram_alloc_destroy(&al);
	REQUIRE(!al.nr_free && !al.regions);
	return 0;
}
