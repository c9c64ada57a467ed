/* SPDX-License-Identifier: GPL-2.0 */
/* Tiny guests with their RAM in pkram objects: start, save, load, and see refusals */
#ifndef PKRAM_VM_TINY_VMS_H
#define PKRAM_VM_TINY_VMS_H

#include <linux/pkram.h>

#include "pool.h"
#include "qemu.h"

#define SIZE	"128M"
#define UUID_A	"5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a1"
#define UUID_B	"5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0b2"

#define OBJECT(props)	"memory-backend-pkram,id=ram0," props
#define VM(name)	OBJECT("size=" SIZE ",name=" name)
#define MACHINE		QEMU_TINY, "-machine", "q35,memory-backend=ram0", "-m", SIZE
#define INCOMING	"-incoming", "defer"

/* Started with a pkram object; further arguments up to NULL */
#define START(name, object, ...) \
	qemu_start(name, MACHINE, "-object", object, ##__VA_ARGS__, NULL)

/* Does a start with these arguments end with an error that says all of @says? */
int refused(const char *name, const char *says, const char * const argv[]);

#define REFUSED(says, object, ...) \
	refused("refused", says, (const char * const []) \
		{ MACHINE, "-object", object, ##__VA_ARGS__, NULL })

/* Does loading @stream fail, with an error that says @says, or any? QEMU is gone then. */
int load_refused(struct qemu *q, const char *stream, const char *says);

/* What the kernel says of an object: enum pkram_state, or -errno */
int object_state(const char *name);

bool object_is(const char *name, int state);

/* The counter goes on above @above and all of the pattern is right */
int goes_on(struct qemu *q, unsigned long long above);

/* Start a guest on object @name, let it run, save it, quit; its counter at @counter */
int make_saved(const char *name, const char *uuid, unsigned long long *counter);

/* Load it, see that it goes on, and kill it */
int load_saved(const char *name, const char *uuid, unsigned long long counter);

/* Of its migrations from here on */
int set_mode(struct qemu *q, const char *mode);

/*
 * In mode cpr-exec, which was set: have it replace itself by a QEMU with the same
 * arguments, and return that; NULL if that does not work
 */
struct qemu *exec_again(struct qemu *q, const char *stream);

#define SOCKET(name)	"/run/qemu/" name ".sock"
#define CHANNEL(type)							\
	"{'channel-type': '" type "', 'addr': {'transport': 'socket', "	\
	"'type': 'unix', 'path': '" SOCKET(type) "'}}"
/* The arguments of a QEMU that takes a guest over by transfer() */
#define TRANSFERRED							\
	"-incoming", "unix:" SOCKET("main"), "-incoming",		\
	"cpr,addr.transport=socket,addr.type=unix,addr.path=" SOCKET("cpr")

/* Hand a guest over by cpr-transfer to a new QEMU @name, and return that; NULL if it fails */
struct qemu *transfer(struct qemu *q, const char *name, const char * const argv[]);

#endif
