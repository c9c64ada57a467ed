/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fake kernel with the genetlink family "pkram", inside the process: it replaces
 * libmnl's sockets. It is linked into test_lib and preloaded into pkramctl.
 *
 * The environment variable PKRAM_FAKE selects its contents by words separated by spaces.
 * Without any: a pool of two regions on two nodes, objects in every state, one of them
 * quarantined, handover by e820.
 *
 *	absent		there is no such family
 *	empty		no pool
 *	unprivileged	EPERM without a text for every change
 *	secret		not root: the objects and all addresses are hidden
 *	damaged		an additional region that is quarantined, and one with a hole
 *	left_over	the quarantined region holds nothing
 *	idle		no object is claimed
 *	whole		no object is quarantined
 *	memmap		handover by the command line
 *	nomode		handover none although there are regions
 *	silent		handover by the command line, but without its words
 *	few		half of the request is refused
 *	none		all is refused, the answer comes with an error
 *	remark		success carries a text
 *	old		every command is unknown
 *	intr		the first dump is interrupted by a change
 *	intr_always	every dump is interrupted by a change
 *	stale		answers to an earlier request come in between
 *	malformed	a number has the wrong size
 *	unterminated	a string has no terminating NUL
 *	newer		attributes that this program does not know
 *	uncapped	errors repeat the request
 *	lies		and say that it has a length which none has
 *	no_errno	an error is no errno
 *	eintr		a signal interrupts each receive once
 *	moves		the regions change once an image is loaded
 *	eventless	there is no multicast group
 *	lost		some events are lost, after the first one
 *	claimed_late	an object is claimed once an image is loaded
 */
#ifndef _TESTS_FAKE_KERNEL_H
#define _TESTS_FAKE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#define FAKE_FAMILY	0x23
#define FAKE_GROUP	0x11		/* of events */
#define FAKE_BASE	0x10000000000ULL	/* 1 TiB: no memory of this host */

struct fake_request {
	uint8_t cmd, version;
	uint16_t flags;
	uint16_t type;
	char payload[4096];
	size_t len;
};

extern struct fake_request fake_last;
extern unsigned int fake_nr_requests;
extern bool fake_image_loaded;

#endif /* _TESTS_FAKE_KERNEL_H */
