/* SPDX-License-Identifier: GPL-2.0 */
/* Tiny guests with RAM in pkram objects: start, save, load, and expect refusals */
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

/* Start with a pkram object; further arguments up to NULL */
#define START(name, object, ...) \
	qemu_start(name, MACHINE, "-object", object, ##__VA_ARGS__, NULL)

/* Return whether a start with these arguments fails with an error that contains all of @says */
int refused(const char *name, const char *says, const char * const argv[]);

#define REFUSED(says, object, ...) \
	refused("refused", says, (const char * const []) \
		{ MACHINE, "-object", object, ##__VA_ARGS__, NULL })

/*
 * Return whether loading @stream fails, with an error that contains @says if it is not
 * NULL. QEMU has ended then.
 */
int load_refused(struct qemu *q, const char *stream, const char *says);

/* Return the state that the kernel reports for an object: enum pkram_state, or -errno */
int object_state(const char *name);

bool object_is(const char *name, int state);

/* Check that the counter rises above @above and that the whole pattern is right */
int qemu_runs_on(struct qemu *q, unsigned long long above);

/* Start a guest on object @name, let it run, save it, quit; return its counter in @counter */
int make_saved(const char *name, const char *uuid, unsigned long long *counter);

/* Load a guest, check that it runs, and kill it */
int load_saved(const char *name, const char *uuid, unsigned long long counter);

/* Set the mode of its following migrations */
int set_mode(struct qemu *q, const char *mode);

/*
 * In mode cpr-exec, which must be set: let QEMU replace itself by a QEMU with the same
 * arguments, and return that; NULL on failure
 */
struct qemu *exec_again(struct qemu *q, const char *stream);

#define SOCKET(name)	"/run/qemu/" name ".sock"
#define CHANNEL(type)							\
	"{'channel-type': '" type "', 'addr': {'transport': 'socket', "	\
	"'type': 'unix', 'path': '" SOCKET(type) "'}}"
/* Arguments of a QEMU that receives a guest by transfer() */
#define TRANSFERRED							\
	"-incoming", "unix:" SOCKET("main"), "-incoming",		\
	"cpr,addr.transport=socket,addr.type=unix,addr.path=" SOCKET("cpr")

/* Transfer a guest by cpr-transfer to a new QEMU @name, and return that; NULL on failure */
struct qemu *transfer(struct qemu *q, const char *name, const char * const argv[]);

#endif
