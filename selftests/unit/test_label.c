// SPDX-License-Identifier: GPL-2.0
/* Labels: set, find, replace, remove; limits; areas of random bytes. */
#include <stdio.h>
#include "image.h"
#include "tap.h"

static u8 *area;
static u32 len;

static int set(const char *name, const void *value, u32 value_len)
{
	u8 *out;
	u32 out_len;
	int ret = pkram_xattr_replace(area, len, name, value, value_len, &out,
				      &out_len);

	if (ret)
		return ret;
	free(area);
	area = out;
	len = out_len;
	return 0;
}

static void is(const char *name, const char *want)
{
	const u8 *value;
	int n = pkram_xattr_find(area, len, name, &value);

	if (!want) {
		CHECK_EQ(n, -ENODATA);
		return;
	}
	CHECK_EQ(n, strlen(want));
	CHECK(!memcmp(value, want, n));
}

static u32 count(void)
{
	const char *name;
	u32 pos = 0, name_len, n = 0;

	while (pkram_xattr_next(area, len, &pos, &name, &name_len))
		n++;
	CHECK_EQ(pos, len);
	return n;
}

static void clear(void)
{
	free(area);
	area = NULL;
	len = 0;
}

static void test_set_and_find(void)
{
	is("a", NULL);
	CHECK_EQ(set("a", "1", 1), 0);
	CHECK_EQ(set("bb", "22", 2), 0);
	CHECK_EQ(set("c", "", 0), 0);
	CHECK_EQ(count(), 3);
	is("a", "1");
	is("bb", "22");
	is("c", "");
	is("b", NULL);
	CHECK_EQ(set("a", "longer than before", 18), 0);
	CHECK_EQ(count(), 3);
	is("a", "longer than before");
	is("bb", "22");
	clear();
}

static void test_remove(void)
{
	CHECK_EQ(set("a", NULL, 0), -ENODATA);
	CHECK_EQ(set("a", "1", 1), 0);
	CHECK_EQ(set("b", "2", 1), 0);
	CHECK_EQ(set("c", "3", 1), 0);
	CHECK_EQ(set("b", NULL, 0), 0);
	is("a", "1");
	is("b", NULL);
	is("c", "3");
	CHECK_EQ(set("c", NULL, 0), 0);
	CHECK_EQ(set("a", NULL, 0), 0);
	CHECK(!area && !len);
}

static void test_limits(void)
{
	static char name[257], value[65536];

	memset(name, 'x', 256);
	CHECK_EQ(set(name, "1", 1), -ERANGE);
	CHECK_EQ(set("", "1", 1), -ERANGE);
	name[255] = 0;
	CHECK_EQ(set(name, "1", 1), 0);
	is(name, "1");
	CHECK_EQ(set("v", value, 65536), -ENOSPC);
	CHECK_EQ(set("v", value, 65535), -ENOSPC);
	CHECK_EQ(set("v", value, 65536 - 260 - 5), 0);
	CHECK_EQ(len, PKRAM_XATTR_AREA_MAX);
	CHECK_EQ(set("w", "", 0), -ENOSPC);
	is(name, "1");
	/* A label can be replaced by one of the same size. */
	CHECK_EQ(set(name, "2", 1), 0);
	is(name, "2");
	clear();
}

static void test_many(void)
{
	struct rng g = { 4 };
	char name[8], value[8], model[64][8] = { "" };
	u32 i, n, set_now;

	for (i = 0; i < 3000; i++) {
		n = rng_below(&g, 64);
		snprintf(name, sizeof(name), "k%u", n);
		snprintf(value, sizeof(value), "%u", rng_below(&g, 100000));
		if (rng_below(&g, 3)) {
			CHECK_EQ(set(name, value, strlen(value)), 0);
			strcpy(model[n], value);
		} else {
			CHECK_EQ(set(name, NULL, 0), *model[n] ? 0 : -ENODATA);
			*model[n] = 0;
		}
		for (n = 0, set_now = 0; n < 64; n++) {
			snprintf(name, sizeof(name), "k%u", n);
			is(name, *model[n] ? model[n] : NULL);
			set_now += !!*model[n];
		}
		CHECK_EQ(count(), set_now);
	}
	clear();
}

static void test_any_bytes(void)
{
	struct rng g = { 9 };
	const char *name;
	const u8 *value;
	u32 i, j, pos, name_len;
	int n;

	for (i = 0; i < 20000; i++) {
		len = rng_below(&g, 40);
		area = malloc(len ? len : 1);
		for (j = 0; j < len; j++)
			area[j] = rng_below(&g, 3) ? rng_below(&g, 6) :
				  rng_next(&g);
		pos = 0;
		while (pkram_xattr_next(area, len, &pos, &name, &name_len))
			CHECK((u8 *)name + name_len <= area + len);
		CHECK(pos <= len);
		n = pkram_xattr_find(area, len, "\1", &value);
		CHECK(n == -ENODATA || value + n <= area + len);
		clear();
	}
}

TAP_MAIN({ "labels are set, replaced and found", test_set_and_find },
	 { "labels are removed", test_remove },
	 { "limits of name, value and area hold", test_limits },
	 { "random changes agree with a plain table", test_many },
	 { "a random area is never read beyond its end", test_any_bytes },
)
