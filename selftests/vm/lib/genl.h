/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the genl* scenarios: raw netlink, because a library would not send most of
 * these messages; parsed answers of each command; and loading and mounting the module.
 */
#ifndef PKRAM_VM_GENL_H
#define PKRAM_VM_GENL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/pkram.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RX_SIZE		(1U << 18)

/**
 * struct nl - a socket and the result of the last exchange
 * @fd: the socket
 * @family: number of the family "pkram"
 * @seq: sequence number of the last request
 * @text: text of the kernel's answer
 * @at: offset in the request of the attribute that the error is about, 0: none
 * @missing: the missing attribute, 0: none
 * @interrupted: the list changed during the dump
 * @rx: messages
 */
struct nl {
	int fd;
	uint16_t family;
	uint32_t seq;
	char text[256];
	uint32_t at, missing;
	bool interrupted;
	char rx[RX_SIZE];
};

/* A request */
struct req {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[4096];
};

/* Attributes of an answer; of repeated ones the last */
struct tb {
	const struct nlattr *a[PKRAM_A_MAX + 1];
	const struct nlattr *first;
	int len;
};

typedef void (*answer_fn)(const struct tb *tb, void *arg);

uint32_t attr_u32(const struct nlattr *a);

uint64_t attr_u64(const struct nlattr *a);

const char *attr_str(const struct nlattr *a);

void attrs_parse(struct tb *tb, const void *attrs, int len);

void req_init(struct req *q, uint16_t type, uint8_t cmd, uint16_t flags);

void req_put(struct req *q, uint16_t type, const void *data, int len);

void req_put32(struct req *q, uint16_t type, uint32_t v);

void req_put64(struct req *q, uint16_t type, uint64_t v);

int nl_send(struct nl *nl, struct req *q);

/*
 * Receive messages up to the end of an exchange
 *
 * Return: 0 or a negative errno of the kernel
 */
int nl_take(struct nl *nl, answer_fn fn, void *arg);

/*
 * Send a request and receive messages up to the end of the exchange
 *
 * Return: 0 or a negative errno of the kernel
 */
int nl_talk(struct nl *nl, struct req *q, answer_fn fn, void *arg);

int nl_find_family(struct nl *nl, uint16_t *family);

int nl_open(struct nl *nl);

/* Send a request without attributes */
int nl_ask(struct nl *nl, uint8_t cmd, uint16_t flags, answer_fn fn, void *arg);

/* Answer of POOL_GET */
struct pool {
	int answers;
	bool uuid, read_only;
	uint32_t version, nr_regions, nr_objects, nr_quarantined, gib_1g, gib_2m;
	uint64_t size, free, meta, pending;
};

int genl_get_pool(struct nl *nl, struct pool *p);

/* Totals of the answers of REGION_GET */
struct regions {
	int nr, nr_bad, nr_base;
	uint64_t base[16], size, free, meta;
	bool complete;
};

int genl_get_regions(struct nl *nl, struct regions *r);

/* Answer of HANDOVER_GET */
struct handover {
	int answers;
	uint32_t mode;
	bool cmdline, guard, loaded;
};

int genl_get_handover(struct nl *nl, struct handover *h);

/* Report of POOL_GROW, _ADOPT and _DEL */
struct report {
	uint32_t gib;
	int nr_taken, nr_refused;
	uint64_t base[16], size[16], taken;
	bool complete;
};

int genl_grow(struct nl *nl, uint32_t gib, struct report *r);

int genl_shrink(struct nl *nl, uint32_t gib, uint64_t base, uint64_t size,
		struct report *r);

int genl_discard(struct nl *nl, uint64_t key);

int genl_make_file(const char *path, off_t size);

#endif
