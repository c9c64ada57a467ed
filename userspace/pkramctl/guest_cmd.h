/* SPDX-License-Identifier: GPL-2.0 */
/* What the verbs of operators and those of units have in common. */
#ifndef _PKRAMCTL_GUEST_CMD_H
#define _PKRAMCTL_GUEST_CMD_H

#include <stdbool.h>
#include "guest.h"

#define GUEST_LOOK_MS	2000
/* Who only looks at a guest, as pkramctl health does, has its lock for a short time */
#define GUEST_LOCK_MS	10000

#define GUEST_HOST_LEAVES "this host boots another kernel now, in which guests that are saved are resumed (systemctl list-jobs)"

/**
 * struct guest_request - the guests and options of a command line
 * @guests: that were loaded
 * @names: of guests
 * @nr_names: number of @names
 * @all: --all
 * @force: --force
 * @as_defined: --as-defined
 * @any_cpu: --any-cpu
 */
struct guest_request {
	struct guests guests;
	char **names;
	unsigned int nr_names;
	bool all, force, as_defined, any_cpu;
};

/* Load the single guest that is named; errors were reported */
int guest_request_one(struct guest_request *r, const char *verb, int argc, char **argv);

/* Report the result of each guest, and free all; @ret: the result so far */
int guest_request_finish(struct guest_request *r, int ret);

/* Return 0 if the state of a guest allows a start, which says nothing of its definition */
int guest_can_start(struct guest *g);

/*
 * Return whether what is started now ends with this kernel, and may not be saved by then. An update
 * has the guests' locks until systemd says so: who has a lock asks again
 */
bool guest_host_leaves(void);

/* Add what can be done to the errors of guests whose resume failed */
void guest_hint_retry(struct guests *gs);

/* Save all chosen ones; those that cannot be saved continue */
void guests_save_and_leave(struct guests *gs);

/* The verbs of units: guest_unit.c */
int guest_up(int argc, char **argv);
int guest_down(int argc, char **argv);

#endif /* _PKRAMCTL_GUEST_CMD_H */
