/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libpkram: declarations shared by its files. */
#ifndef _PKRAM_INTERNAL_H
#define _PKRAM_INTERNAL_H

#include <stddef.h>
#include <libmnl/libmnl.h>
#include "pkram.h"

#define PKRAM_TX_SIZE	4096
#define PKRAM_RX_SIZE	(1U << 20)	/* enough for a long answer to a grow */

struct pkram_ctx {
	struct mnl_socket *nl;
	struct mnl_socket *events;	/* NULL: not subscribed */
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
 * typedef pkram_nl_cb - receives one answer
 * @tb: attributes by number, checked for type and length; NULL where absent
 * @msg: the message, for attributes that occur several times
 * @arg: argument of pkram_nl_talk()
 *
 * Return: 0 or negative errno, which becomes the result of the exchange.
 */
typedef int (*pkram_nl_cb)(const struct nlattr *const *tb,
			   const struct nlmsghdr *msg, void *arg);

/**
 * pkram_nl_request() - Begin a request
 * @ctx: the context, whose texts are reset
 * @cmd: &enum pkram_cmd
 * @flags: 0, or NLM_F_DUMP
 *
 * Return: the message, to which attributes can be added.
 */
struct nlmsghdr *pkram_nl_request(struct pkram_ctx *ctx, uint8_t cmd,
				  uint16_t flags);

/**
 * pkram_nl_talk() - Send the request and receive all answers
 * @ctx: the context
 * @nlh: the message from pkram_nl_request()
 * @cb: called for each answer, or NULL
 * @arg: argument of @cb
 *
 * Return: 0; -EAGAIN: a dump was interrupted by a change; other negative errno.
 */
int pkram_nl_talk(struct pkram_ctx *ctx, struct nlmsghdr *nlh, pkram_nl_cb cb,
		  void *arg);

/* The same for a message that is no answer; -EBADMSG, or the result of @cb */
int pkram_nl_parse(const struct nlmsghdr *nlh, pkram_nl_cb cb, void *arg);

/* Parse a nest or a message; an attribute of the wrong type or length is -EBADMSG. */
int pkram_nl_parse_nest(const struct nlattr *nest, const struct nlattr **tb);

/* Return an attribute's value, or PKRAM_NONE32/64 if it is absent */
uint32_t pkram_nl_u32(const struct nlattr *attr);
uint64_t pkram_nl_u64(const struct nlattr *attr);
int pkram_nl_str(const struct nlattr *attr, char **str);
void pkram_nl_uuid(const struct nlattr *attr, uint8_t uuid[16]);

/* Set the text of an error; returns @err. */
int pkram_error(struct pkram_ctx *ctx, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* object.c */

/* Parse one object of a message; freed with pkram_object_free() */
int pkram_nl_object(const struct nlattr *const *tb, struct pkram_object **out);

/* region.c */

/* Read the bad ranges of a message, to be freed also on failure. Return: 0 or negative errno */
int pkram_nl_bad_ranges(const struct nlmsghdr *msg, struct pkram_bad_range **list);
void pkram_bad_range_free(struct pkram_bad_range *list);

int pkram_span_add(struct pkram_span ***tail, uint64_t base, uint64_t size,
		   int err, const char *reason);

/* memory.c */

#define PKRAM_MEMORY_SYSFS	"/sys/devices/system/memory"

/**
 * pkram_memory_online() - Put memory online that was given back to the kernel
 * @sysfs: directory of the memory blocks
 * @base: physical address in bytes
 * @size: bytes
 * @timeout_ms: time to wait for a block that is coming online
 * @tail: end of the list to which memory that stays offline is added
 *
 * Return: 0 (the list may have entries) or -ENOMEM.
 */
int pkram_memory_online(const char *sysfs, uint64_t base, uint64_t size,
			unsigned int timeout_ms, struct pkram_span ***tail);

#endif /* _PKRAM_INTERNAL_H */
