// SPDX-License-Identifier: LGPL-2.1-or-later
/* Self test of libpkram with a fake kernel and a fake sysfs */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "fake_kernel.h"
#include "internal.h"
#include "tap.h"

#define GIB (1ULL << 30)

static struct pkram_ctx *ctx;

static void fake(const char *words)
{
	pkram_close(ctx);
	setenv("PKRAM_FAKE", "", 1);
	if (pkram_open(&ctx))
		abort();
	setenv("PKRAM_FAKE", words, 1);
}

/* Find an attribute of the last request */
static const struct nlattr *sent(uint16_t type)
{
	const struct nlattr *attr = (void *)fake_last.payload;
	int left = fake_last.len;

	for (; mnl_attr_ok(attr, left); attr = mnl_attr_next(attr)) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
		left -= MNL_ALIGN(attr->nla_len);
	}
	return NULL;
}

static bool sent_u32(uint16_t type, uint32_t v)
{
	const struct nlattr *attr = sent(type);

	return attr && mnl_attr_get_payload_len(attr) == 4 &&
	       mnl_attr_get_u32(attr) == v;
}

static bool sent_u64(uint16_t type, uint64_t v)
{
	const struct nlattr *attr = sent(type);

	return attr && mnl_attr_get_payload_len(attr) == 8 &&
	       mnl_attr_get_u64(attr) == v;
}

static void opening(void)
{
	struct pkram_ctx *c;

	setenv("PKRAM_FAKE", "absent", 1);
	ok(pkram_open(&c) == -ENOENT && c &&
	   !strcmp(pkram_strerror(c),
		   "pkram module is not loaded: modprobe pkram"),
	   "open without the module says what to do");
	pkram_close(c);
	pkram_close(NULL);
	ok(*pkram_strerror(NULL), "open without memory fails with ENOMEM");
	setenv("PKRAM_FAKE", "eintr stale", 1);
	ok(!pkram_open(&c), "open handles EINTR and stale answers");
	pkram_close(c);
}

static void pool(void)
{
	struct pkram_pool *p;

	fake("");
	ok(!pkram_pool_get(ctx, &p) && p->size == 6 * GIB &&
	   p->nr_regions == 2 && p->uuid[0] == 0xa0 && p->uuid[15] == 0xaf &&
	   !p->read_only && p->gib_2m == 2, "pool_get reads the pool");
	pkram_pool_free(p);
	ok(fake_last.type == FAKE_FAMILY && fake_last.version == 1 &&
	   fake_last.cmd == PKRAM_CMD_POOL_GET && !fake_last.len &&
	   fake_last.flags == (NLM_F_REQUEST | NLM_F_ACK),
	   "a request has the family, command and flags");
	ok(!pkram_warning(ctx), "no remark is reported if there is none");
	fake("newer");
	ok(!pkram_pool_get(ctx, &p), "unknown attributes are ignored");
	pkram_pool_free(p);
	fake("remark");
	ok(!pkram_pool_get(ctx, &p) && pkram_warning(ctx) &&
	   !strcmp(pkram_warning(ctx), "the pool is nearly full"),
	   "a remark of the kernel is reported");
	pkram_pool_free(p);
	fake("malformed");
	ok(pkram_pool_get(ctx, &p) == -EBADMSG && !p &&
	   strstr(pkram_strerror(ctx), "malformed"),
	   "a number of the wrong size is an error");
	fake("old");
	ok(pkram_pool_get(ctx, &p) == -EOPNOTSUPP && !p &&
	   strstr(pkram_strerror(ctx), "older"),
	   "an unknown command means an older module");
	fake("stale eintr");
	ok(!pkram_pool_get(ctx, &p),
	   "an answer to an earlier request is ignored");
	pkram_pool_free(p);
}

static void counters(void)
{
	struct pkram_counters *c;

	fake("");
	ok(!pkram_counters_get(ctx, &c) && c->commits == 100 && c->faults_4k == 102 &&
	   c->attach_usecs == 110 && c->bad_pages == 111, "counters_get reads the counters");
	pkram_counters_free(c);
	fake("secret");
	ok(pkram_counters_get(ctx, &c) == -EPERM && !c,
	   "counters_get without root fails with EPERM");
}

static void regions(void)
{
	struct pkram_region *list;
	unsigned int before;

	fake("");
	ok(!pkram_region_dump(ctx, &list) && list && list->next &&
	   !list->next->next && list->base == FAKE_BASE &&
	   list->next->node == 1 && list->next->read_only &&
	   list->meta == PKRAM_NONE64, "region_dump reads regions");
	pkram_region_free(list);
	ok((fake_last.flags & NLM_F_DUMP) == NLM_F_DUMP, "region_dump sends a dump request");
	fake("damaged");
	ok(!pkram_region_dump(ctx, &list) && list->gib == 5 &&
	   !list->quarantine && list->next->next->quarantine &&
	   list->next->next->node == PKRAM_NONE32,
	   "a quarantined region is marked");
	pkram_region_free(list);
	fake("empty");
	ok(!pkram_region_dump(ctx, &list) && !list, "region_dump accepts an empty pool");
	fake("intr");
	before = fake_nr_requests;
	ok(!pkram_region_dump(ctx, &list) && list && list->next &&
	   !list->next->next && fake_nr_requests == before + 2,
	   "an interrupted dump is repeated");
	pkram_region_free(list);
	fake("intr_always");
	ok(pkram_region_dump(ctx, &list) == -EAGAIN && !list &&
	   strstr(pkram_strerror(ctx), "changed"),
	   "a dump that is always interrupted is an error");
}

static void resizing(void)
{
	struct pkram_resize *res;
	unsigned int n = 0;
	struct pkram_span *s;

	fake("");
	ok(!pkram_pool_grow(ctx, 8, PKRAM_NONE32, 0, &res) && res->gib == 8 &&
	   res->taken && res->taken->size == 8 * GIB && !res->refused,
	   "pool_grow reports how much was taken");
	pkram_resize_free(res);
	ok(fake_last.cmd == PKRAM_CMD_POOL_GROW && sent_u32(PKRAM_A_GIB, 8) &&
	   !sent(PKRAM_A_NODE) && !sent(PKRAM_A_TIMEOUT),
	   "pool_grow without a node and a timeout sends neither");
	ok(!pkram_pool_grow(ctx, 1, 0, 2500, &res) && sent_u32(PKRAM_A_NODE, 0) &&
	   sent_u32(PKRAM_A_TIMEOUT, 2500), "pool_grow accepts node 0 and a timeout");
	pkram_resize_free(res);

	fake("few");
	ok(!pkram_pool_grow(ctx, 8, PKRAM_NONE32, 0, &res) && res->gib == 4,
	   "a partial pool_grow succeeds");
	for (s = res->refused; s; s = s->next)
		n += s->err == EBUSY && s->size == GIB &&
		     !strcmp(s->reason, "holds pages that cannot be moved");
	ok(n == 4, "pool_grow reports a reason for each refusal");
	pkram_resize_free(res);

	fake("none");
	ok(pkram_pool_grow(ctx, 3, PKRAM_NONE32, 0, &res) == -ENOMEM &&
	   !strcmp(pkram_strerror(ctx), "no GiB could be taken"),
	   "a pool_grow that takes nothing returns the kernel's error");
	ok(res && res->refused && res->refused->next && !res->taken,
	   "a pool_grow that takes nothing reports the refusals");
	pkram_resize_free(res);

	fake("none uncapped");
	ok(pkram_pool_grow(ctx, 3, 1, 0, &res) == -ENOMEM &&
	   !strcmp(pkram_strerror(ctx), "no GiB could be taken"),
	   "the error text is found after a repeated request");
	pkram_resize_free(res);

	fake("none uncapped lies");
	ok(pkram_pool_grow(ctx, 3, 1, 0, &res) == -ENOMEM &&
	   !strcmp(pkram_strerror(ctx), strerror(ENOMEM)),
	   "no text is read behind a request of an impossible length");
	pkram_resize_free(res);

	fake("none no_errno");
	ok(pkram_pool_grow(ctx, 3, 1, 0, &res) == -EBADMSG &&
	   strstr(pkram_strerror(ctx), "makes no sense"),
	   "an error that is no errno is refused");
	pkram_resize_free(res);

	fake("unprivileged");
	ok(pkram_pool_grow(ctx, 1, PKRAM_NONE32, 0, &res) == -EPERM && !res &&
	   strstr(pkram_strerror(ctx), "root"),
	   "EPERM without a text says that root is needed");

	fake("");
	ok(!pkram_pool_adopt(ctx, 4 * GIB, 2 * GIB, false, &res) &&
	   res->gib == 2 && res->taken->base == 4 * GIB &&
	   fake_last.cmd == PKRAM_CMD_POOL_ADOPT &&
	   sent_u64(PKRAM_A_BASE, 4 * GIB) && sent_u64(PKRAM_A_SIZE, 2 * GIB) &&
	   !sent(PKRAM_A_FORMAT), "pool_adopt sends the range");
	pkram_resize_free(res);
	ok(!pkram_pool_adopt(ctx, 4 * GIB, GIB, true, &res) &&
	   sent(PKRAM_A_FORMAT) &&
	   !mnl_attr_get_payload_len(sent(PKRAM_A_FORMAT)),
	   "pool_adopt sends the format flag");
	pkram_resize_free(res);

	ok(!pkram_pool_shrink(ctx, 2, &res) && res->gib == 2 &&
	   fake_last.cmd == PKRAM_CMD_POOL_SHRINK && sent_u32(PKRAM_A_GIB, 2) &&
	   !sent(PKRAM_A_BASE), "pool_shrink sends a number of GiB");
	ok(res->offline && res->offline->base == FAKE_BASE &&
	   res->offline->size == 2 * GIB && res->offline->reason,
	   "pool_shrink reports memory without a block");
	pkram_resize_free(res);
	ok(!pkram_pool_shrink_range(ctx, FAKE_BASE + GIB, GIB, &res) &&
	   sent_u64(PKRAM_A_BASE, FAKE_BASE + GIB) &&
	   sent_u64(PKRAM_A_SIZE, GIB) && !sent(PKRAM_A_GIB),
	   "pool_shrink sends a range");
	pkram_resize_free(res);
	ok(!pkram_pool_give_up(ctx, 3) && fake_last.cmd == PKRAM_CMD_POOL_SHRINK &&
	   sent_u32(PKRAM_A_NR_MISSING, 3) && !sent(PKRAM_A_GIB),
	   "pool_give_up sends a number of regions");
}

static void objects(void)
{
	struct pkram_object *list, *o;
	unsigned int n = 0;

	fake("");
	ok(!pkram_object_dump(ctx, &list), "object_dump reads objects");
	for (o = list; o; o = o->next)
		n++;
	ok(n == 5, "object_dump reads all objects");
	ok(!strcmp(list->name, "vm1") && list->state == PKRAM_STATE_SEALED &&
	   !list->quarantine && list->mode == 0100600,
	   "object_dump reads name, state and mode");
	for (o = list; o && !o->quarantine; o = o->next)
		;
	ok(o && !o->name && o->key == 0xffffffff00000005 &&
	   o->id == PKRAM_NONE64 && o->generation == PKRAM_NONE64,
	   "missing attributes of a quarantined object are zero");
	pkram_object_free(list);
	fake("secret");
	ok(pkram_object_dump(ctx, &list) == -EPERM && !list &&
	   !strcmp(pkram_strerror(ctx), "this needs root (CAP_SYS_ADMIN)"),
	   "a failed dump returns the kernel's error");
	fake("unterminated");
	ok(pkram_object_dump(ctx, &list) == -EBADMSG && !list,
	   "an unterminated string is an error");
	fake("");
	ok(!pkram_object_discard(ctx, 0xffffffff00000005) &&
	   sent_u64(PKRAM_A_OBJECT_KEY, 0xffffffff00000005),
	   "object_discard sends the key");
	ok(pkram_object_discard(ctx, 1) == -EINVAL &&
	   !strcmp(pkram_strerror(ctx), "object is not quarantined"),
	   "object_discard returns the kernel's error");
	ok(!strcmp(pkram_state_name(PKRAM_STATE_RUNNING), "running") &&
	   !strcmp(pkram_state_name(99), "unknown"), "states have names");
}

static void dma_tables(void)
{
	struct pkram_dma_table_entry *e;
	struct pkram_dma_table *list, *t;
	unsigned int n = 0;

	fake("");
	ok(!pkram_dma_table_dump(ctx, &list) && !strcmp(list->name, "vm1") &&
	   list->key == 0x200 && list->in_use && !list->suspended && !list->entries,
	   "dma_table_dump reads DMA tables");
	t = list->next;
	ok(!strcmp(t->name, "vm2") && t->nr_entries == 3 && t->suspended && !t->in_use &&
	   t->uid == 64055 && !t->quarantine, "a DMA table has a name, a state and an owner");
	for (e = t->entries; e; e = e->next)
		n += e->iova == n * GIB && e->size == GIB && e->object_id == n + 1 &&
		     e->offset == 4096 && e->prot == n + 1 && !e->name == (n == 2);
	ok(n == 3, "mappings from several messages are joined");
	t = t->next;
	ok(t && !t->next && !strcmp(t->quarantine, "a mapping is not possible"),
	   "a quarantined DMA table has a reason");
	pkram_dma_table_free(list);
	fake("empty");
	ok(!pkram_dma_table_dump(ctx, &list) && !list, "dma_table_dump accepts an empty list");
	fake("malformed");
	ok(pkram_dma_table_dump(ctx, &list) == -EBADMSG && !list,
	   "a malformed mapping is an error");
	fake("intr");
	ok(!pkram_dma_table_dump(ctx, &list) && list->next->nr_entries == 3,
	   "an interrupted dump of DMA tables is repeated");
	pkram_dma_table_free(list);
	fake("secret");
	ok(pkram_dma_table_dump(ctx, &list) == -EPERM && !list, "dma_table_dump needs root");
	fake("");
	ok(!pkram_dma_table_remove(ctx, 0x201) && sent_u64(PKRAM_A_OBJECT_KEY, 0x201),
	   "dma_table_remove sends the key");
	ok(pkram_dma_table_remove(ctx, 0x200) == -EBUSY &&
	   !strcmp(pkram_strerror(ctx), "the DMA table is in use"),
	   "dma_table_remove refuses a table in use");
}

static void handover(void)
{
	struct pkram_handover *h;

	fake("");
	ok(!pkram_handover_get(ctx, &h) && h->mode == PKRAM_HANDOVER_E820 &&
	   !h->cmdline && h->kexec_guard && !h->kexec_loaded,
	   "handover_get reads the handover");
	pkram_handover_free(h);
	fake("memmap");
	ok(!pkram_handover_get(ctx, &h) && h->cmdline &&
	   strstr(h->cmdline, "pkram.attach="), "handover_get reads the words of the command line");
	pkram_handover_free(h);
	pkram_handover_free(NULL);
}

static void events(void)
{
	struct pkram_event *ev;
	unsigned int n = 0, named = 0;
	struct pkram_pool *p;

	fake("");
	ok(pkram_event_fd(ctx) == -EBADF && pkram_event_next(ctx, &ev) == -EBADF && !ev,
	   "event_next without a subscription is an error");
	ok(!pkram_event_listen(ctx) && !pkram_event_listen(ctx) && pkram_event_fd(ctx) >= 0,
	   "subscribing twice returns the same descriptor");
	ok(!pkram_event_next(ctx, &ev) && ev->kind == PKRAM_CMD_POOL_GROW_NTF &&
	   ev->base == FAKE_BASE && ev->size == 2 * GIB && !ev->object &&
	   ev->handover_mode == PKRAM_NONE32, "an event of the pool has a range");
	pkram_event_free(ev);
	ok(!pkram_pool_get(ctx, &p), "requests work between events");
	pkram_pool_free(p);
	while (!pkram_event_next(ctx, &ev)) {
		n++;
		named += !!strcmp(pkram_event_name(ev->kind), "unknown");
		if (ev->kind == PKRAM_CMD_REGION_QUARANTINE_NTF)
			ok(!strcmp(ev->reason, "no valid label"),
			   "an event of a quarantined range has a reason");
		if (ev->kind == PKRAM_CMD_HANDOVER_NTF)
			ok(ev->handover_mode == PKRAM_HANDOVER_E820,
			   "an event of the handover has its mode");
		if (ev->kind == PKRAM_CMD_OBJECT_RENAME_NTF)
			ok(ev->object && !strcmp(ev->object->name, "/vm1") &&
			   ev->object->state == PKRAM_STATE_CLAIMED &&
			   ev->base == PKRAM_NONE64 &&
			   !strncmp(ev->old_name, "/dir/evil", 9),
			   "an event of a rename has the object and its old name");
		if (ev->kind == PKRAM_CMD_OBJECT_LABEL_NTF)
			ok(!strcmp(ev->label, "owner"), "an event of a label has its name");
		if (ev->kind == PKRAM_CMD_OBJECT_DAMAGE_NTF)
			ok(ev->object && !strcmp(ev->reason, "it would do harm"),
			   "an event of damage has a description");
		if (ev->kind == PKRAM_CMD_PAGE_BAD_NTF)
			ok(ev->object && ev->base == FAKE_BASE && ev->offset == 0x3000,
			   "an event of a bad page has its address, and the offset in the object");
		pkram_event_free(ev);
	}
	ok(n == 20 && named == 19, "known events have names, unknown ones do not");
	ok(pkram_event_next(ctx, &ev) == -EAGAIN && !ev,
	   "event_next without an event returns EAGAIN");

	fake("lost eintr");
	ok(!pkram_event_listen(ctx) && !pkram_event_next(ctx, &ev), "event_next handles EINTR");
	pkram_event_free(ev);
	ok(pkram_event_next(ctx, &ev) == -ENOBUFS && !ev &&
	   strstr(pkram_strerror(ctx), "list the objects again"), "lost events are reported");
	ok(!pkram_event_next(ctx, &ev) && ev->kind == PKRAM_CMD_POOL_ADOPT_NTF,
	   "later events follow lost ones");
	pkram_event_free(ev);

	fake("malformed");
	ok(!pkram_event_listen(ctx) && pkram_event_next(ctx, &ev) == -EBADMSG && !ev,
	   "a malformed event is an error");
	fake("unprivileged");
	ok(pkram_event_listen(ctx) == -EPERM && strstr(pkram_strerror(ctx), "root"),
	   "a subscription needs root");
	pkram_close(ctx);
	setenv("PKRAM_FAKE", "eventless", 1);
	ok(!pkram_open(&ctx) && pkram_event_listen(ctx) == -EOPNOTSUPP &&
	   strstr(pkram_strerror(ctx), "older"), "a module without events is reported");
	pkram_event_free(NULL);
}

/* A sysfs of plain files: writing "online" puts a block online */

static char sysfs[] = "/tmp/pkram-test-XXXXXX";

static void block(unsigned int nr, const char *state, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/memory%u", sysfs, nr);
	mkdir(path, 0755);
	strcat(path, "/state");
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	if (fd < 0 || write(fd, state, strlen(state)) < 0)
		abort();
	fchmod(fd, mode);
	close(fd);
}

static bool block_is(unsigned int nr, const char *state)
{
	char path[128], buf[32] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/memory%u/state", sysfs, nr);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, buf, sizeof(buf) - 1) < 0)
		abort();
	close(fd);
	return !strncmp(buf, state, strlen(state));
}

static void span_list_free(struct pkram_span *s)
{
	struct pkram_resize *res = calloc(1, sizeof(*res));

	res->taken = s;
	pkram_resize_free(res);
}

static void memory(void)
{
	struct pkram_span *bad = NULL, **tail = &bad;
	char cmd[160], path[128];
	unsigned int i;

	if (!mkdtemp(sysfs))
		abort();
	ok(!pkram_memory_online(sysfs, 4 * GIB, GIB, 50, &tail) && bad &&
	   strstr(bad->reason, "hotplug"),
	   "a kernel without memory blocks is reported");
	span_list_free(bad);

	snprintf(path, sizeof(path), "%s/block_size_bytes", sysfs);
	i = open(path, O_CREAT | O_WRONLY, 0644);
	if (write(i, "8000000\n", 8) != 8)	/* 128 MiB */
		abort();
	close(i);
	for (i = 32; i < 40; i++)
		block(i, i % 2 ? "online\n" : "offline\n", 0644);
	bad = NULL;
	tail = &bad;
	ok(!pkram_memory_online(sysfs, 4 * GIB, GIB, 50, &tail) && !bad,
	   "memory blocks are put online");
	ok(block_is(32, "online") && block_is(38, "online"), "really");

	block(34, "going-offline\n", 0644);
	block(35, "going-offline\n", 0644);
	bad = NULL;
	tail = &bad;
	ok(!pkram_memory_online(sysfs, 4 * GIB, GIB, 50, &tail) && bad &&
	   bad->base == 4 * GIB + GIB / 4 && bad->size == GIB / 4 &&
	   bad->err == ETIMEDOUT && !bad->next,
	   "blocks that stay offline are reported as one range");
	span_list_free(bad);

	snprintf(path, sizeof(path), "%s/memory35/state", sysfs);
	unlink(path);
	block(34, "online\n", 0644);
	bad = NULL;
	tail = &bad;
	ok(!pkram_memory_online(sysfs, 4 * GIB, GIB, 50, &tail) && bad &&
	   bad->err == ENOENT && bad->size == GIB / 8,
	   "a missing block is reported");
	span_list_free(bad);

	snprintf(cmd, sizeof(cmd), "rm -rf %s", sysfs);
	if (system(cmd))
		abort();
}

static void files(void)
{
	struct pkram_ioc_info info = { .size = sizeof(info) };
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	struct pkram_ioc_leaves leaves = { .size = sizeof(leaves) };
	struct pkram_ioc_seal seal = { .size = sizeof(seal) };
	int fd = open("/dev/null", O_RDWR);

	ok(pkram_file_info(fd, &info) == -ENOTTY &&
	   pkram_file_leaves(fd, &leaves) == -ENOTTY &&
	   pkram_file_claim(fd, &claim) == -ENOTTY &&
	   pkram_file_seal(fd, &seal) == -ENOTTY &&
	   pkram_file_resume(fd, &seal) == -ENOTTY,
	   "a file outside of pkramfs is ENOTTY");
	close(fd);
	ok(pkram_file_info(fd, &info) == -EBADF, "a closed descriptor is EBADF");
}

int main(void)
{
	opening();
	pool();
	counters();
	regions();
	resizing();
	objects();
	dma_tables();
	handover();
	events();
	memory();
	files();
	pkram_close(ctx);
	return tap_finish();
}
