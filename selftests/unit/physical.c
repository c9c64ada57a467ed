// SPDX-License-Identifier: GPL-2.0
/* Physical memory: see physical.h. Here is what kmod/pool uses of mem/ and handover/. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "physical.h"
#include "tap.h"
#include "event/event.h"
#include "handover/guard.h"
#include "handover/handover.h"
#include "mem/bad.h"
#include "mem/iomem.h"
#include "mem/region.h"
#include "mem/take.h"
#include "pool/attach.h"
#include "store/state.h"

static struct {
	u8 *mem;
	bool reserved[PHYSICAL_GIB];
	bool running;
} phys;

u64 physical_unmappable;
void (*physical_opened)(struct pkram_region *r);
void (*physical_released)(u64 base);

void *physical_at(u64 base)
{
	return phys.mem + (base - PHYSICAL_BASE);
}

static u32 gib_of(u64 base)
{
	SHIM_CHECK(base >= PHYSICAL_BASE &&
		   base - PHYSICAL_BASE < PHYSICAL_GIB * PKRAM_GIB);
	return (base - PHYSICAL_BASE) >> PKRAM_GIB_SHIFT;
}

void physical_reserve(u32 first, u32 nr)
{
	while (nr--)
		phys.reserved[first + nr] = true;
}

u32 physical_nr_reserved(void)
{
	u32 gib, nr = 0;

	for (gib = 0; gib < PHYSICAL_GIB; gib++)
		nr += phys.reserved[gib];
	return nr;
}

/* What the file in the kernel does with mappings */

struct pkram_region *pkram_region_open(u64 base)
{
	struct pkram_region *r;

	gib_of(base);
	if (base == physical_unmappable)
		return ERR_PTR(-EEXIST);
	r = calloc(1, sizeof(*r));
	INIT_LIST_HEAD(&r->list);
	r->head = physical_at(base);
	r->h.base = base;
	r->h.nr_gib = 1;
	r->h.present[0] = 1;
	r->gib = calloc(1, sizeof(*r->gib));
	r->scratch = calloc(1, PKRAM_HEADER_SLOT);
	r->gib[0].slice = PKRAM_SLICE_2M;
	if (pkram_bad_alloc(r)) {
		free(r->scratch);
		free(r->gib);
		free(r);
		return ERR_PTR(-ENOMEM);
	}
	if (physical_opened)
		physical_opened(r);
	pkram_bad_read(r);
	return r;
}

int pkram_region_set_span(struct pkram_region *r)
{
	free(r->gib);
	r->gib = calloc(r->h.nr_gib, sizeof(*r->gib));
	r->gib[0].slice = PKRAM_SLICE_2M;
	return 0;
}

static void zero_gib(struct pkram_region *r, u32 gib)
{
	u32 unit = gib * PKRAM_GIB_UNITS, i;

	if (!pkram_bad_count(r, unit, PKRAM_GIB_UNITS))
		madvise(pkram_region_unit_addr(r, unit), PKRAM_GIB, MADV_REMOVE);
	else
		for (i = 0; i < PKRAM_GIB_UNITS; i++)
			pkram_bad_zero(r, unit + i, 0, PKRAM_UNIT);
}

int pkram_handover_found(struct pkram_range **ranges)
{
	struct pkram_range *list = calloc(PHYSICAL_GIB, sizeof(*list));
	int nr = 0;
	u32 gib;

	for (gib = 0; gib < PHYSICAL_GIB; gib++) {
		if (!phys.reserved[gib])
			continue;
		if (!gib || !phys.reserved[gib - 1])
			list[nr++].base = PHYSICAL_BASE + gib * PKRAM_GIB;
		list[nr - 1].size += PKRAM_GIB;
	}
	*ranges = list;
	return nr;
}

bool pkram_handover_knows(u64 base, u64 size)
{
	return true;
}

int pkram_handover_reserve(const struct pkram_range *r)
{
	u32 first = gib_of(r->base), nr = r->size >> PKRAM_GIB_SHIFT, i, had = 0;

	for (i = first; i < first + nr; i++)
		had += phys.reserved[i];
	if (had)
		return had == nr ? -EEXIST : -EINVAL;
	physical_reserve(first, nr);
	return 0;
}

int pkram_handover_release(const struct pkram_range *r)
{
	u32 first = gib_of(r->base), nr = r->size >> PKRAM_GIB_SHIFT;

	while (nr--)
		phys.reserved[first + nr] = false;
	if (physical_released)
		physical_released(r->base);
	return 0;
}

bool pkram_guard_image_loaded(void)
{
	return false;
}

int pkram_iomem_check_free(u64 base, u64 size)
{
	return 0;
}

/* Growing takes nothing here. */
u64 pkram_iomem_next_ram(u64 below, u64 unit, int node)
{
	return 0;
}

int pkram_take_nid(u64 base)
{
	return 0;
}

u64 pkram_take_unit_size(void)
{
	return PKRAM_GIB;
}

int pkram_take_unit(u64 base, u32 timeout, struct pkram_refusal *refusal)
{
	return -EBUSY;
}

int pkram_take_give_back(u64 base, u64 size, int nid)
{
	return 0;
}

bool pkram_take_is_online(u64 base, u64 size)
{
	return true;
}

void pkram_event_range(u8 cmd, u64 base, u64 size, const char *reason)
{
}

/* Life */

void physical_init(void)
{
	/* What a test that failed left */
	pkram_attach_exit();
	memset(&phys, 0, sizeof(phys));
	physical_unmappable = 0;
	physical_opened = NULL;
	physical_released = NULL;
	machine_zero = zero_gib;
	phys.mem = mmap(NULL, PHYSICAL_GIB * PKRAM_GIB, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(phys.mem != MAP_FAILED);
}

void physical_exit(void)
{
	physical_stop();
	machine_zero = NULL;
	munmap(phys.mem, PHYSICAL_GIB * PKRAM_GIB);
}

void physical_boot(void)
{
	shim_log[0] = '\0';
	memset(&pkram_store, 0, sizeof(pkram_store));
	CHECK_EQ(pkram_store_init(), 0);
	CHECK_EQ(pkram_attach_init(NULL), 0);
	phys.running = true;
	machine_check();
}

void physical_stop(void)
{
	if (!phys.running)
		return;
	machine_stop();
	pkram_attach_exit();
	phys.running = false;
}

static unsigned long stores_left;

static void end_here(void *p, u64 v)
{
	(void)p;
	(void)v;
	if (!stores_left--)
		_exit(0);
}

bool physical_cut(unsigned long cut, void (*op)(void))
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		stores_left = cut;
		pkram_store_hook = end_here;
		op();
		_exit(1);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK(WEXITSTATUS(status) <= 1);
	return !WEXITSTATUS(status);
}
