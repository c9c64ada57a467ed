/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libpkram: what its files share. */
#ifndef _PKRAM_INTERNAL_H
#define _PKRAM_INTERNAL_H

#include <stddef.h>
#include <libmnl/libmnl.h>
#include "pkram.h"

#define PKRAM_TX_SIZE	4096
#define PKRAM_RX_SIZE	(1U << 20)	/* a long answer to a grow, whole */

struct pkram_ctx {
	struct mnl_socket *nl;
	struct mnl_socket *events;	/* NULL: does not listen */
	int group;			/* of events; 0: the module has none */
	uint16_t family;
	uint32_t seq;
	char *rx;			/* PKRAM_RX_SIZE */
	char tx[PKRAM_TX_SIZE];
	char error[512];
	char warning[512];
};

/* nl.c */

/**
 * typedef pkram_nl_cb - takes one answer
 * @tb: attributes by number, checked for type and length; NULL where absent
 * @msg: the message, for attributes that stand several times
 * @arg: of pkram_nl_talk()
 *
 * Return: 0 or negative errno, which becomes that of the exchange.
 */
typedef int (*pkram_nl_cb)(const struct nlattr *const *tb,
			   const struct nlmsghdr *msg, void *arg);

/**
 * pkram_nl_request() - Begin a request
 * @ctx: the context, whose texts are forgotten
 * @cmd: &enum pkram_cmd
 * @flags: 0, or NLM_F_DUMP
 *
 * Return: the message, to put attributes in.
 */
struct nlmsghdr *pkram_nl_request(struct pkram_ctx *ctx, uint8_t cmd,
				  uint16_t flags);

/**
 * pkram_nl_talk() - Send the request and take the answers up to the end
 * @ctx: the context
 * @nlh: of pkram_nl_request()
 * @cb: takes each answer, or NULL
 * @arg: for @cb
 *
 * Return: 0; -EAGAIN: a dump was interrupted by a change; other negative errno.
 */
int pkram_nl_talk(struct pkram_ctx *ctx, struct nlmsghdr *nlh, pkram_nl_cb cb,
		  void *arg);

/* The same for one message that came by itself; -EBADMSG, or what @cb returns */
int pkram_nl_parse(const struct nlmsghdr *nlh, pkram_nl_cb cb, void *arg);

/* Parse a nest or a message; attributes of a wrong shape are -EBADMSG. */
int pkram_nl_parse_nest(const struct nlattr *nest, const struct nlattr **tb);

/* An attribute's value, or "none" */
uint32_t pkram_nl_u32(const struct nlattr *attr);
uint64_t pkram_nl_u64(const struct nlattr *attr);
int pkram_nl_str(const struct nlattr *attr, char **str);
void pkram_nl_uuid(const struct nlattr *attr, uint8_t uuid[16]);

/* Set the text of an error; returns @err. */
int pkram_error(struct pkram_ctx *ctx, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* object.c */

/* One object of a message; freed with pkram_object_free() */
int pkram_nl_object(const struct nlattr *const *tb, struct pkram_object **out);

/* region.c */

int pkram_span_add(struct pkram_span ***tail, uint64_t base, uint64_t size,
		   int err, const char *reason);

/* memory.c */

#define PKRAM_MEMORY_SYSFS	"/sys/devices/system/memory"

/**
 * pkram_memory_online() - Put memory online that was given back to the kernel
 * @sysfs: directory of the memory blocks
 * @base: physical address in bytes
 * @size: bytes
 * @timeout_ms: how long to wait for a block that was told to come online
 * @tail: end of the list to which to add what is not online
 *
 * Return: 0 (look at the list) or -ENOMEM.
 */
int pkram_memory_online(const char *sysfs, uint64_t base, uint64_t size,
			unsigned int timeout_ms, struct pkram_span ***tail);

#endif /* _PKRAM_INTERNAL_H */
