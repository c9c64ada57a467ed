// SPDX-License-Identifier: LGPL-2.1-or-later
/* libpkram: the pool, its regions, and changes of its size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>
#include "internal.h"

#define DUMP_TRIES	8	/* of a list that keeps changing */
#define ONLINE_WAIT_MS	10000

static int pool_cb(const struct nlattr *const *tb, const struct nlmsghdr *msg,
		   void *arg)
{
	struct pkram_pool *pool = arg;

	(void)msg;
	pkram_nl_uuid(tb[PKRAM_A_POOL_UUID], pool->uuid);
	pool->format_version = pkram_nl_u32(tb[PKRAM_A_FORMAT_VERSION]);
	pool->nr_regions = pkram_nl_u32(tb[PKRAM_A_NR_REGIONS]);
	if (tb[PKRAM_A_NR_MISSING])
		pool->nr_missing = pkram_nl_u32(tb[PKRAM_A_NR_MISSING]);
	pool->nr_objects = pkram_nl_u32(tb[PKRAM_A_NR_OBJECTS]);
	pool->nr_quarantined = pkram_nl_u32(tb[PKRAM_A_NR_QUARANTINED]);
	pool->read_only = tb[PKRAM_A_READ_ONLY];
	pool->size = pkram_nl_u64(tb[PKRAM_A_SIZE]);
	pool->free = pkram_nl_u64(tb[PKRAM_A_FREE]);
	pool->meta = pkram_nl_u64(tb[PKRAM_A_META]);
	pool->pending = pkram_nl_u64(tb[PKRAM_A_PENDING]);
	pool->gib_1g = pkram_nl_u32(tb[PKRAM_A_GIB_1G]);
	pool->gib_2m = pkram_nl_u32(tb[PKRAM_A_GIB_2M]);
	return 0;
}

int pkram_pool_get(struct pkram_ctx *ctx, struct pkram_pool **pool)
{
	struct nlmsghdr *nlh = pkram_nl_request(ctx, PKRAM_CMD_POOL_GET, 0);
	int err;

	*pool = calloc(1, sizeof(**pool));
	if (!*pool)
		return pkram_error(ctx, -ENOMEM, "%s", strerror(ENOMEM));
	err = pkram_nl_talk(ctx, nlh, pool_cb, *pool);
	if (err) {
		pkram_pool_free(*pool);
		*pool = NULL;
	}
	return err;
}

void pkram_pool_free(struct pkram_pool *pool)
{
	free(pool);
}

static int counters_cb(const struct nlattr *const *tb, const struct nlmsghdr *msg,
		       void *arg)
{
	struct pkram_counters *counters = arg;

	(void)msg;
	counters->commits = pkram_nl_u64(tb[PKRAM_A_COMMITS]);
	counters->repairs = pkram_nl_u64(tb[PKRAM_A_REPAIRS]);
	counters->faults_4k = pkram_nl_u64(tb[PKRAM_A_FAULTS_4K]);
	counters->faults_2m = pkram_nl_u64(tb[PKRAM_A_FAULTS_2M]);
	counters->faults_1g = pkram_nl_u64(tb[PKRAM_A_FAULTS_1G]);
	counters->populates = pkram_nl_u64(tb[PKRAM_A_POPULATES]);
	counters->waits = pkram_nl_u64(tb[PKRAM_A_WAITS]);
	counters->zeroed = pkram_nl_u64(tb[PKRAM_A_ZEROED]);
	counters->kexec_refused = pkram_nl_u64(tb[PKRAM_A_KEXEC_REFUSED]);
	counters->quarantined = pkram_nl_u64(tb[PKRAM_A_QUARANTINED]);
	counters->attach_usecs = pkram_nl_u64(tb[PKRAM_A_ATTACH_USECS]);
	counters->bad_pages = pkram_nl_u64(tb[PKRAM_A_BAD_PAGES]);
	return 0;
}

int pkram_counters_get(struct pkram_ctx *ctx, struct pkram_counters **counters)
{
	struct nlmsghdr *nlh = pkram_nl_request(ctx, PKRAM_CMD_COUNTERS_GET, 0);
	int err;

	*counters = calloc(1, sizeof(**counters));
	if (!*counters)
		return pkram_error(ctx, -ENOMEM, "%s", strerror(ENOMEM));
	err = pkram_nl_talk(ctx, nlh, counters_cb, *counters);
	if (err) {
		pkram_counters_free(*counters);
		*counters = NULL;
	}
	return err;
}

void pkram_counters_free(struct pkram_counters *counters)
{
	free(counters);
}

void pkram_bad_range_free(struct pkram_bad_range *list)
{
	struct pkram_bad_range *next;

	for (; list; list = next) {
		next = list->next;
		free(list);
	}
}

int pkram_nl_bad_ranges(const struct nlmsghdr *msg, struct pkram_bad_range **list)
{
	const struct nlattr *tb[PKRAM_A_MAX + 1], *attr;
	struct pkram_bad_range *b;
	int err;

	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != PKRAM_A_BAD_RANGE)
			continue;
		err = pkram_nl_parse_nest(attr, tb);
		if (err)
			return err;
		b = calloc(1, sizeof(*b));
		if (!b)
			return -ENOMEM;
		b->start = pkram_nl_u64(tb[PKRAM_A_BASE] ? tb[PKRAM_A_BASE] :
					tb[PKRAM_A_OFFSET]);
		b->size = pkram_nl_u64(tb[PKRAM_A_SIZE]);
		*list = b;
		list = &b->next;
	}
	return 0;
}

/* Absent if there are none */
static uint32_t region_nr_bad(const struct nlattr *attr)
{
	return attr ? pkram_nl_u32(attr) : 0;
}

static int region_cb(const struct nlattr *const *tb, const struct nlmsghdr *msg,
		     void *arg)
{
	struct pkram_region ***tail = arg;
	struct pkram_region *r;
	int err;

	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	err = pkram_nl_str(tb[PKRAM_A_QUARANTINE], &r->quarantine);
	if (!err)
		err = pkram_nl_bad_ranges(msg, &r->bad);
	if (err) {
		pkram_region_free(r);
		return err;
	}
	r->nr_bad_pages = region_nr_bad(tb[PKRAM_A_NR_BAD_PAGES]);
	pkram_nl_uuid(tb[PKRAM_A_REGION_UUID], r->uuid);
	r->base = pkram_nl_u64(tb[PKRAM_A_BASE]);
	r->size = pkram_nl_u64(tb[PKRAM_A_SIZE]);
	r->free = pkram_nl_u64(tb[PKRAM_A_FREE]);
	r->meta = pkram_nl_u64(tb[PKRAM_A_META]);
	r->pending = pkram_nl_u64(tb[PKRAM_A_PENDING]);
	r->gib = pkram_nl_u32(tb[PKRAM_A_GIB]);
	r->node = pkram_nl_u32(tb[PKRAM_A_NODE]);
	r->format_version = pkram_nl_u32(tb[PKRAM_A_FORMAT_VERSION]);
	r->gib_1g = pkram_nl_u32(tb[PKRAM_A_GIB_1G]);
	r->gib_2m = pkram_nl_u32(tb[PKRAM_A_GIB_2M]);
	r->read_only = tb[PKRAM_A_READ_ONLY];
	**tail = r;
	*tail = &r->next;
	return 0;
}

int pkram_region_dump(struct pkram_ctx *ctx, struct pkram_region **list)
{
	struct pkram_region **tail;
	struct nlmsghdr *nlh;
	int tries = 0, err;

	do {
		*list = NULL;
		tail = list;
		nlh = pkram_nl_request(ctx, PKRAM_CMD_REGION_GET, NLM_F_DUMP);
		err = pkram_nl_talk(ctx, nlh, region_cb, &tail);
		if (err) {
			pkram_region_free(*list);
			*list = NULL;
		}
	} while (err == -EAGAIN && ++tries < DUMP_TRIES);
	return err;
}

void pkram_region_free(struct pkram_region *list)
{
	struct pkram_region *next;

	for (; list; list = next) {
		next = list->next;
		pkram_bad_range_free(list->bad);
		free(list->quarantine);
		free(list);
	}
}

int pkram_span_add(struct pkram_span ***tail, uint64_t base, uint64_t size,
		   int err, const char *reason)
{
	struct pkram_span *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->base = base;
	s->size = size;
	s->err = err;
	if (reason) {
		s->reason = strdup(reason);
		if (!s->reason) {
			free(s);
			return -ENOMEM;
		}
	}
	**tail = s;
	*tail = &s->next;
	return 0;
}

static void span_free(struct pkram_span *s)
{
	struct pkram_span *next;

	for (; s; s = next) {
		next = s->next;
		free(s->reason);
		free(s);
	}
}

void pkram_resize_free(struct pkram_resize *res)
{
	if (!res)
		return;
	span_free(res->taken);
	span_free(res->refused);
	span_free(res->offline);
	free(res);
}

static int take_span(const struct nlattr *nest, bool refused,
		     struct pkram_span ***tail)
{
	const struct nlattr *tb[PKRAM_A_MAX + 1];
	const char *reason = NULL;
	uint32_t err = 0;
	int ret;

	ret = pkram_nl_parse_nest(nest, tb);
	if (ret)
		return ret;
	if (!tb[PKRAM_A_BASE] || !tb[PKRAM_A_SIZE])
		return -EBADMSG;
	if (refused) {
		err = tb[PKRAM_A_ERRNO] ?
			mnl_attr_get_u32(tb[PKRAM_A_ERRNO]) : EIO;
		if (tb[PKRAM_A_REASON])
			reason = mnl_attr_get_str(tb[PKRAM_A_REASON]);
		if (!reason || !*reason)
			reason = strerror(err);
	}
	return pkram_span_add(tail, mnl_attr_get_u64(tb[PKRAM_A_BASE]),
			      mnl_attr_get_u64(tb[PKRAM_A_SIZE]), err, reason);
}

static int resize_cb(const struct nlattr *const *tb, const struct nlmsghdr *msg,
		     void *arg)
{
	struct pkram_resize *res = arg;
	struct pkram_span **taken = &res->taken;
	struct pkram_span **refused = &res->refused;
	const struct nlattr *attr;
	int err = 0;

	while (*taken)
		taken = &(*taken)->next;
	while (*refused)
		refused = &(*refused)->next;
	if (tb[PKRAM_A_GIB])
		res->gib = mnl_attr_get_u32(tb[PKRAM_A_GIB]);
	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == PKRAM_A_TAKEN)
			err = take_span(attr, false, &taken);
		else if (mnl_attr_get_type(attr) == PKRAM_A_REFUSED)
			err = take_span(attr, true, &refused);
		if (err)
			return err;
	}
	return 0;
}

/*
 * A resize may return both an error and a result: all was refused, and the result has the
 * reasons. An empty result is dropped.
 */
static int resize(struct pkram_ctx *ctx, struct nlmsghdr *nlh,
		  struct pkram_resize **res)
{
	int err;

	*res = calloc(1, sizeof(**res));
	if (!*res)
		return pkram_error(ctx, -ENOMEM, "%s", strerror(ENOMEM));
	err = pkram_nl_talk(ctx, nlh, resize_cb, *res);
	if (err && !(*res)->taken && !(*res)->refused) {
		pkram_resize_free(*res);
		*res = NULL;
	}
	return err;
}

int pkram_pool_grow(struct pkram_ctx *ctx, uint32_t gib, uint32_t node,
		    uint32_t timeout, struct pkram_resize **res)
{
	struct nlmsghdr *nlh = pkram_nl_request(ctx, PKRAM_CMD_POOL_GROW, 0);

	mnl_attr_put_u32(nlh, PKRAM_A_GIB, gib);
	if (node != PKRAM_NONE32)
		mnl_attr_put_u32(nlh, PKRAM_A_NODE, node);
	if (timeout)
		mnl_attr_put_u32(nlh, PKRAM_A_TIMEOUT, timeout);
	return resize(ctx, nlh, res);
}

int pkram_pool_adopt(struct pkram_ctx *ctx, uint64_t base, uint64_t size,
		     bool format, struct pkram_resize **res)
{
	struct nlmsghdr *nlh = pkram_nl_request(ctx, PKRAM_CMD_POOL_ADOPT, 0);
	struct pkram_span **tail;
	int err;

	mnl_attr_put_u64(nlh, PKRAM_A_BASE, base);
	mnl_attr_put_u64(nlh, PKRAM_A_SIZE, size);
	if (format)
		mnl_attr_put(nlh, PKRAM_A_FORMAT, 0, NULL);
	err = resize(ctx, nlh, res);
	if (err || (*res)->taken)
		return err;

	/* The kernel need not repeat the request. */
	(*res)->gib = size / PKRAM_GIB_SIZE;
	tail = &(*res)->taken;
	if (pkram_span_add(&tail, base, size, 0, NULL)) {
		pkram_resize_free(*res);
		*res = NULL;
		return pkram_error(ctx, -ENOMEM, "%s", strerror(ENOMEM));
	}
	return 0;
}

static int shrink(struct pkram_ctx *ctx, struct nlmsghdr *nlh,
		  struct pkram_resize **res)
{
	struct pkram_span **tail, *s;
	int err, ret;

	err = resize(ctx, nlh, res);
	if (!*res)
		return err;
	tail = &(*res)->offline;
	for (s = (*res)->taken; s; s = s->next) {
		ret = pkram_memory_online(PKRAM_MEMORY_SYSFS, s->base, s->size,
					  ONLINE_WAIT_MS, &tail);
		if (ret && !err)
			err = pkram_error(ctx, ret, "%s", strerror(-ret));
	}
	return err;
}

int pkram_pool_shrink(struct pkram_ctx *ctx, uint32_t gib,
		      struct pkram_resize **res)
{
	struct nlmsghdr *nlh = pkram_nl_request(ctx, PKRAM_CMD_POOL_SHRINK, 0);

	mnl_attr_put_u32(nlh, PKRAM_A_GIB, gib);
	return shrink(ctx, nlh, res);
}

int pkram_pool_give_up(struct pkram_ctx *ctx, uint32_t nr)
{
	struct nlmsghdr *nlh = pkram_nl_request(ctx, PKRAM_CMD_POOL_SHRINK, 0);
	struct pkram_resize *res;
	int err;

	mnl_attr_put_u32(nlh, PKRAM_A_NR_MISSING, nr);
	err = shrink(ctx, nlh, &res);
	pkram_resize_free(res);
	return err;
}

int pkram_pool_shrink_range(struct pkram_ctx *ctx, uint64_t base, uint64_t size,
			    struct pkram_resize **res)
{
	struct nlmsghdr *nlh = pkram_nl_request(ctx, PKRAM_CMD_POOL_SHRINK, 0);

	mnl_attr_put_u64(nlh, PKRAM_A_BASE, base);
	mnl_attr_put_u64(nlh, PKRAM_A_SIZE, size);
	return shrink(ctx, nlh, res);
}
