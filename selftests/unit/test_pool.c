// SPDX-License-Identifier: GPL-2.0
/* Reserved ranges without a usable region: what is known of their bad pages is kept. */
#include "physical.h"
#include "tap.h"
#include "core/badpages.h"
#include "mem/bad.h"
#include "pool/quarantine.h"
#include "store/objects.h"
#include "store/state.h"

static struct pkram_pool_report report;
static const char *text;

static u64 gib(u32 n)
{
	return PHYSICAL_BASE + n * PKRAM_GIB;
}

static int adopt(u32 first, u32 nr)
{
	return pkram_pool_adopt(gib(first), nr * PKRAM_GIB, true, &report, &text);
}

static int give_back(u32 first, u32 nr)
{
	return pkram_pool_shrink(0, gib(first), nr * PKRAM_GIB, &report, &text);
}

static void reboot(void)
{
	physical_stop();
	physical_boot();
}

static int region_is_at(struct pkram_region *r, void *base)
{
	return r->h.base == *(u64 *)base;
}

static struct pkram_region *region_at(u32 n)
{
	struct pkram_region *r;

	list_for_each_entry(r, &pkram_store.regions, list)
		if (r->h.base == gib(n))
			return r;
	tap_fail(__FILE__, __LINE__, "no region at GiB %u", n);
	return NULL;
}

/* @page: of the region at GiB @n */
static void break_page(u32 n, u32 page)
{
	struct dev_pagemap pgmap = { .owner = region_at(n) };

	CHECK_EQ(pkram_bad_pgmap_ops.memory_failure(&pgmap, PHYS_PFN(gib(n)) + page, 1, 0), 0);
}

static u32 nr_bad(u32 n)
{
	struct pkram_region *r = region_at(n);

	return pkram_bad_count(r, 0, r->h.nr_gib * PKRAM_GIB_UNITS);
}

/* Damage both slots of a header, but not the key in them. */
static void damage_header(u32 n)
{
	u8 *head = physical_at(gib(n));

	head[9] ^= 1;
	head[PKRAM_HEADER_SLOT + 9] ^= 1;
}

/* @nr: quarantined ranges, together @size GiB */
static int add_range(const struct pkram_quarantine *q, void *arg)
{
	u64 *sum = arg;

	sum[0]++;
	sum[1] += q->range.size >> PKRAM_GIB_SHIFT;
	return 0;
}

static void check_quarantined(u32 nr, u32 size)
{
	u64 sum[2] = { 0, 0 };

	pkram_quarantine_walk(add_range, sum);
	CHECK_EQ(sum[0], nr);
	CHECK_EQ(sum[1], size);
}

static void start(u32 nr)
{
	physical_init();
	physical_reserve(0, nr);
	physical_boot();
}

static u8 *bad_page(void)
{
	return (u8 *)physical_at(gib(0)) + PKRAM_UNIT + 3 * PKRAM_BAD_PAGE;
}

/* A page of unit 1 is bad, in which the root's record was */
static void start_with_bad_unit_1(void)
{
	start(2);
	CHECK_EQ(adopt(0, 2), 0);
	break_page(0, PKRAM_UNIT_PAGES + 3);
	break_page(0, PKRAM_GIB_UNITS * PKRAM_UNIT_PAGES + 5);
	physical_stop();
	memset(bad_page(), 0xaa, PKRAM_BAD_PAGE);
	damage_header(0);
}

static void adopt_again(void)
{
	adopt(0, 2);
}

static void check_adopted(void)
{
	CHECK_EQ(nr_bad(0), 2);
	CHECK(pkram_store.root->loc.region_id);
	CHECK_EQ(pkram_store.root->loc.unit, 2);
	CHECK(*bad_page() == 0xaa && !memcmp(bad_page(), bad_page() + 1, PKRAM_BAD_PAGE - 1));
	machine_check();
}

static void test_format_keeps_the_list(void)
{
	start_with_bad_unit_1();
	physical_boot();
	check_quarantined(1, 2);
	CHECK_EQ(adopt(0, 2), 0);
	check_adopted();
	reboot();
	check_adopted();
	physical_exit();
}

static void test_format_cut(void)
{
	unsigned long cut;
	bool was_cut = true;

	for (cut = 0; was_cut; cut = cut < 40 ? cut + 1 : cut * 2) {
		start_with_bad_unit_1();
		physical_boot();
		was_cut = physical_cut(cut, adopt_again);
		reboot();
		if (list_empty(&pkram_store.regions))
			CHECK_EQ(adopt(0, 2), 0);
		check_adopted();
		physical_exit();
	}
	CHECK(cut > 1000);
}

/* Two damaged regions are one range, each with a list. */
static void start_with_two_damaged(void)
{
	start(3);
	CHECK_EQ(adopt(0, 2), 0);
	CHECK_EQ(adopt(2, 1), 0);
	break_page(2, 700);
	physical_stop();
	damage_header(0);
	damage_header(2);
	physical_boot();
	check_quarantined(1, 3);
}

static void test_each_list_of_a_range(void)
{
	start_with_two_damaged();
	CHECK_EQ(give_back(0, 3), -EHWPOISON);
	check_quarantined(1, 3);
	CHECK_EQ(adopt(0, 3), 0);
	CHECK_EQ(nr_bad(0), 1);
	CHECK_EQ(pkram_bad_count(region_at(0), 2 * PKRAM_GIB_UNITS + 1, 1), 1);
	reboot();
	CHECK_EQ(nr_bad(0), 1);
	physical_exit();
}

/* The list is in a part of the range that stays, or in the part that is adopted. */
static void test_part_of_a_range(void)
{
	start(3);
	CHECK_EQ(adopt(0, 3), 0);
	break_page(0, 2 * PKRAM_GIB_UNITS * PKRAM_UNIT_PAGES + 5);
	physical_stop();
	damage_header(0);
	physical_boot();
	/* What the first GiB knows of the third would be lost. */
	CHECK_EQ(adopt(0, 1), -EHWPOISON);
	CHECK_EQ(adopt(0, 2), -EHWPOISON);
	check_quarantined(1, 3);
	CHECK_EQ(adopt(1, 1), 0);
	CHECK_EQ(nr_bad(1), 0);
	CHECK_EQ(give_back(0, 1), -EHWPOISON);
	CHECK_EQ(give_back(2, 1), -EHWPOISON);
	CHECK_EQ(adopt(2, 1), 0);
	CHECK_EQ(nr_bad(2), 1);
	CHECK_EQ(give_back(0, 1), 0);
	check_quarantined(0, 0);
	CHECK_EQ(physical_nr_reserved(), 2);
	physical_exit();
}

/* What looks like a list, but is the content of a file */
static void forge(struct pkram_bad_ser *list)
{
	u8 *head = physical_at(gib(1));

	memset(head, 0, PKRAM_UNIT);
	memcpy(list->pool_key, "not the true key", sizeof(list->pool_key));
	memcpy(head + offsetof(struct pkram_region_ser, pool_key), list->pool_key,
	       sizeof(list->pool_key));
	pkram_badpages_write(head, list);
}

static void test_forged_list(void)
{
	struct pkram_bad_ser *list = calloc(1, PKRAM_BAD_SLOT);

	start(2);
	CHECK_EQ(adopt(0, 2), 0);
	pkram_badpages_init(list, gib(1));
	pkram_badpages_add(list, 77777, NULL, NULL);
	forge(list);
	physical_stop();
	damage_header(0);
	physical_boot();
	check_quarantined(1, 2);
	/* Nor where a region is made of the file's memory */
	CHECK_EQ(adopt(1, 1), 0);
	CHECK_EQ(nr_bad(1), 0);
	/* Nor where memory is given back, though there is a pool */
	CHECK_EQ(give_back(1, 1), 0);
	physical_reserve(1, 1);
	reboot();
	forge(list);
	CHECK_EQ(give_back(0, 2), 0);
	physical_exit();
	free(list);
}

/* The list tells even where both slots of the header are in bad pages. */
static void test_bad_head(void)
{
	start(2);
	CHECK_EQ(adopt(0, 2), 0);
	break_page(0, 0);
	break_page(0, 1);
	reboot();
	check_quarantined(1, 2);
	CHECK_EQ(adopt(0, 2), -EHWPOISON);
	CHECK(strstr(text, "second GiB"));
	CHECK_EQ(give_back(0, 2), -EHWPOISON);
	CHECK_EQ(adopt(1, 1), 0);
	CHECK_EQ(nr_bad(1), 0);
	physical_exit();
}

static void check_missing(u32 nr)
{
	struct pkram_pool_info info;

	pkram_store_info(&info);
	CHECK_EQ(info.nr_missing, nr);
}

static void test_stray_range(void)
{
	start(3);
	CHECK_EQ(adopt(0, 1), 0);
	CHECK_EQ(adopt(1, 1), 0);
	CHECK_EQ(adopt(2, 1), 0);
	physical_stop();
	damage_header(1);
	/* One region is not reserved, and something else is. */
	CHECK_EQ(pkram_handover_release(&(struct pkram_range){ gib(2), PKRAM_GIB }), 0);
	physical_reserve(4, 1);
	physical_boot();
	check_quarantined(2, 2);
	check_missing(2);
	CHECK_EQ(give_back(4, 1), 0);
	check_missing(2);
	CHECK_EQ(give_back(1, 1), 0);
	check_missing(1);
	physical_exit();
}

/* Two regions that cannot be read are one range. */
static void test_two_missing(void)
{
	start(3);
	CHECK_EQ(adopt(0, 1), 0);
	CHECK_EQ(adopt(1, 1), 0);
	CHECK_EQ(adopt(2, 1), 0);
	physical_stop();
	damage_header(1);
	damage_header(2);
	physical_boot();
	check_quarantined(1, 2);
	check_missing(2);
	CHECK_EQ(give_back(1, 2), 0);
	check_missing(0);
	physical_exit();
}

/* A GiB that is absent from a region, but reserved, and one of the region behind it */
static void test_absent_gib(void)
{
	start(3);
	CHECK_EQ(adopt(0, 3), 0);
	CHECK_EQ(give_back(1, 1), 0);
	CHECK_EQ(report.nr_gib, 1);
	physical_stop();
	physical_reserve(1, 1);
	physical_boot();
	check_quarantined(1, 1);
	physical_exit();
}

/* Pages that break while memory is given back */

static void (*zero_before)(struct pkram_region *r, u32 gib);
static u64 breaks_at;

static void zero_and_break(struct pkram_region *r, u32 gib)
{
	struct dev_pagemap pgmap = { .owner = r };
	u64 base = r->h.base + gib * PKRAM_GIB;

	zero_before(r, gib);
	if (breaks_at < base || breaks_at - base >= PKRAM_GIB)
		return;
	CHECK_EQ(pkram_bad_pgmap_ops.memory_failure(&pgmap, PHYS_PFN(breaks_at), 1, 0), 0);
	breaks_at = 0;
}

static void break_at(u64 phys)
{
	breaks_at = phys;
	zero_before = machine_zero;
	machine_zero = zero_and_break;
}

static void check_kept(u32 n, u32 nr_bad_pages)
{
	CHECK_EQ(breaks_at, 0);
	CHECK_EQ(nr_bad(n), nr_bad_pages);
	machine_check();
	reboot();
	CHECK_EQ(nr_bad(n), nr_bad_pages);
	CHECK_EQ(give_back(n, 1), -EBUSY);
	CHECK_EQ(report.refused[0].err, -EHWPOISON);
	machine_check();
}

/* @also: the pool has another region */
static void break_in_last_head(bool also)
{
	start(3);
	/* The first one has the root's record. */
	if (also)
		CHECK_EQ(adopt(2, 1), 0);
	CHECK_EQ(adopt(0, 1), 0);
	break_at(gib(0) + 77 * PKRAM_BAD_PAGE);
	CHECK_EQ(give_back(0, 1), -EBUSY);
	CHECK_EQ(report.nr_refused, 1);
	CHECK_EQ(report.refused[0].err, -EHWPOISON);
	CHECK_EQ(physical_nr_reserved(), 3);
	check_kept(0, 1);
	physical_exit();
}

static void test_breaks_in_last_head(void)
{
	break_in_last_head(true);
	break_in_last_head(false);
}

static void start_with_quarantined_range(bool pool)
{
	start(pool ? 3 : 2);
	if (pool)
		CHECK_EQ(adopt(2, 1), 0);
	CHECK_EQ(adopt(0, 2), 0);
	physical_stop();
	damage_header(0);
	physical_boot();
	CHECK_EQ(pkram_store_exists(), pool);
	break_at(gib(1) + 5000 * PKRAM_BAD_PAGE);
}

static void test_breaks_in_quarantined_range(void)
{
	start_with_quarantined_range(true);
	CHECK_EQ(give_back(0, 2), -EHWPOISON);
	CHECK(strstr(text, "region of the pool now"));
	check_quarantined(0, 0);
	CHECK_EQ(breaks_at, 0);
	CHECK_EQ(nr_bad(0), 1);
	reboot();
	CHECK_EQ(nr_bad(0), 1);
	CHECK_EQ(pkram_bad_count(region_at(0), PKRAM_GIB_UNITS + 9, 1), 1);
	physical_exit();
}

/* The pool that it was of is elsewhere, or in a later kernel: another one is not made of it. */
static void test_breaks_without_a_pool(void)
{
	u32 i;

	start_with_quarantined_range(false);
	CHECK_EQ(give_back(0, 2), -EHWPOISON);
	CHECK_EQ(breaks_at, 0);
	for (i = 0; i < 3; i++) {
		CHECK(!pkram_store_exists());
		check_quarantined(1, 2);
		CHECK_EQ(give_back(0, 2), -EHWPOISON);
		CHECK(strstr(text, "contains bad pages"));
		if (i)
			reboot();
	}
	CHECK_EQ(adopt(0, 2), 0);
	CHECK_EQ(pkram_bad_count(region_at(0), PKRAM_GIB_UNITS + 9, 1), 1);
	CHECK_EQ(nr_bad(0), 1);
	physical_exit();
}

/* Nor if it cannot be made a region of the pool that there is */
static void test_breaks_without_memory(void)
{
	unsigned long nr, failed = 0;

	for (nr = 1; nr < 40; nr++) {
		start_with_quarantined_range(true);
		pkram_alloc_count = 0;
		pkram_alloc_fail_at = nr;
		CHECK(give_back(0, 2) < 0);
		pkram_alloc_fail_at = 0;
		if (!breaks_at && strstr(text, "still reserved")) {
			failed++;
			CHECK_EQ(give_back(0, 2), -EHWPOISON);
			CHECK(strstr(text, "contains bad pages"));
			reboot();
			CHECK_EQ(adopt(0, 2), 0);
		}
		if (!breaks_at)
			CHECK_EQ(nr_bad(0), 1);
		physical_exit();
	}
	CHECK(failed > 1);
}

/* Pages that break while their memory is in no region */

static u64 opens_before;	/* that the page breaks */
static u64 nr_opens;

static void break_when_opened(struct pkram_region *r)
{
	struct dev_pagemap pgmap = { .owner = r };

	if (nr_opens++ == opens_before)
		CHECK_EQ(pkram_bad_pgmap_ops.memory_failure(&pgmap, PHYS_PFN(r->h.base) + 5000, 1,
							    0), 0);
}

static void break_in_open(u64 nr)
{
	nr_opens = 0;
	opens_before = nr;
	physical_opened = break_when_opened;
}

/* A region that is attached: what its list says is read later. */
static void test_breaks_before_attach(void)
{
	start(1);
	CHECK_EQ(adopt(0, 1), 0);
	break_page(0, 77);
	physical_stop();
	break_in_open(0);
	physical_boot();
	CHECK_EQ(nr_bad(0), 2);
	machine_check();
	physical_opened = NULL;
	reboot();
	CHECK_EQ(nr_bad(0), 2);
	physical_exit();
}

/* ... and in each GiB that is looked at when a region is made of a quarantined range. */
static void test_breaks_before_format(void)
{
	u64 nr;

	for (nr = 0; ; nr++) {
		start(2);
		break_in_open(nr);
		CHECK_EQ(adopt(0, 2), 0);
		physical_opened = NULL;
		if (nr_opens <= nr)
			break;
		CHECK_EQ(nr_bad(0), 1);
		machine_check();
		reboot();
		CHECK_EQ(nr_bad(0), 1);
		physical_exit();
	}
	CHECK(nr > 3);
	physical_exit();
}

static void break_released(u64 base)
{
	machine_check_at(base + 5000 * PKRAM_BAD_PAGE, false);
	physical_released = NULL;
}

/* @gibs: of the region */
static void break_when_released(u32 first, u32 gibs)
{
	start(gibs);
	CHECK_EQ(adopt(0, gibs), 0);
	physical_released = break_released;
	CHECK_EQ(give_back(first, 1), -EBUSY);
	CHECK_EQ(report.refused[0].err, -EHWPOISON);
	CHECK(!physical_released);
	CHECK_EQ(physical_nr_reserved(), gibs);
	CHECK_EQ(nr_bad(0), 1);
	machine_check();
	reboot();
	CHECK_EQ(nr_bad(0), 1);
	physical_exit();
}

static void test_breaks_when_released(void)
{
	break_when_released(1, 2);
	break_when_released(0, 1);
}

static void test_breaks_in_quarantine(void)
{
	start(2);
	CHECK_EQ(adopt(0, 2), 0);
	physical_stop();
	damage_header(0);
	physical_boot();
	check_quarantined(1, 2);
	machine_check_at(gib(1) + 5000 * PKRAM_BAD_PAGE, false);
	CHECK_EQ(give_back(0, 2), -EHWPOISON);
	CHECK(strstr(text, "contains bad pages"));
	check_quarantined(1, 2);
	CHECK_EQ(adopt(0, 2), 0);
	CHECK_EQ(nr_bad(0), 1);
	CHECK_EQ(pkram_bad_count(region_at(0), PKRAM_GIB_UNITS + 9, 1), 1);
	machine_check();
	reboot();
	CHECK_EQ(nr_bad(0), 1);
	physical_exit();
}

/* What blocks a GiB does not block others, unless these would go to the system. */
static void test_unmappable_gib(void)
{
	start(4);
	CHECK_EQ(adopt(0, 2), 0);
	CHECK_EQ(adopt(2, 2), 0);
	physical_stop();
	damage_header(0);
	damage_header(2);
	physical_boot();
	check_quarantined(1, 4);
	physical_unmappable = gib(1);
	CHECK_EQ(adopt(2, 1), 0);
	CHECK_EQ(nr_bad(2), 0);
	CHECK_EQ(give_back(3, 1), -EIO);
	CHECK(strstr(text, "after the next boot"));
	/* Nor what lies below it */
	CHECK_EQ(adopt(0, 1), 0);
	CHECK(adopt(1, 1) < 0);
	physical_unmappable = 0;
	CHECK_EQ(give_back(3, 1), 0);
	CHECK_EQ(adopt(1, 1), 0);
	physical_exit();
}

/* One region is missing: its header is damaged, and its list names a page of its last GiB. */
static void start_with_missing(void)
{
	start(5);
	CHECK_EQ(adopt(0, 3), 0);
	CHECK_EQ(adopt(4, 1), 0);
	break_page(0, (2 * PKRAM_GIB_UNITS + 3) * PKRAM_UNIT_PAGES);
	physical_stop();
	damage_header(0);
	physical_boot();
	check_missing(1);
}

static void adopt_last_gib(void)
{
	adopt(2, 1);
}

static void check_retried(void)
{
	if (pkram_store_walk_regions(region_is_at, (void *)&(u64){ gib(2) }) == 0)
		CHECK_EQ(adopt(2, 1), 0);
	CHECK_EQ(nr_bad(2), 1);
	check_missing(1);
	machine_check();
	physical_exit();
}

/* The region that is made there is none of those that are missing, however often it is tried. */
static void test_retry_counts_no_region(void)
{
	unsigned long nr, cut;
	bool failed = true;

	for (nr = 1; failed; nr++) {
		start_with_missing();
		pkram_alloc_count = 0;
		pkram_alloc_fail_at = nr;
		failed = adopt(2, 1);
		pkram_alloc_fail_at = 0;
		check_retried();
	}
	CHECK(nr > 3);
	for (cut = 0, failed = true; failed; cut = cut < 40 ? cut + 1 : cut * 2) {
		start_with_missing();
		failed = physical_cut(cut, adopt_last_gib);
		reboot();
		check_retried();
	}
	CHECK(cut > 1000);
}

TAP_MAIN({ "a --format that is cut keeps the list", test_format_cut },
	 { "--format keeps the list, and writes nothing into a bad page",
	   test_format_keeps_the_list },
	 { "each list in a quarantined range counts", test_each_list_of_a_range },
	 { "no part of a range is taken away with another part's list", test_part_of_a_range },
	 { "a list that a program wrote into a file does not count", test_forged_list },
	 { "no region is made whose header would be in bad pages", test_bad_head },
	 { "giving back a stray range leaves other regions missing", test_stray_range },
	 { "giving back two regions leaves none missing", test_two_missing },
	 { "a region's GiB behind an absent one is not quarantined", test_absent_gib },
	 { "a page that breaks while the last head is zeroed is kept back",
	   test_breaks_in_last_head },
	 { "so is one of a quarantined range", test_breaks_in_quarantined_range },
	 { "which becomes no new pool", test_breaks_without_a_pool },
	 { "nor is a page forgotten without memory for a region", test_breaks_without_memory },
	 { "a page that breaks before its list is read is noted", test_breaks_before_attach },
	 { "so is one that breaks before its region is made", test_breaks_before_format },
	 { "memory is not given back if a page breaks at the last moment",
	   test_breaks_when_released },
	 { "nor from quarantine if one broke there", test_breaks_in_quarantine },
	 { "a GiB that cannot be mapped does not block others", test_unmappable_gib },
	 { "a region that is made in a second attempt is not a missing one",
	   test_retry_counts_no_region },
)
