/* SPDX-License-Identifier: GPL-2.0 */
/* What is wrong with the pool, the host and the guests, for people and for monitoring. */
#ifndef _PKRAMCTL_HEALTH_H
#define _PKRAMCTL_HEALTH_H

#include <stdbool.h>
#include <stdio.h>
#include "guest.h"
#include "pkram.h"
#include "preflight.h"

/**
 * struct health - what was found
 * @checks: the results. Not good is %PREFLIGHT_WARN, what may lose a guest %PREFLIGHT_REFUSE
 * @guests: all; of those that run, guest->failed: they cannot be saved
 * @nr_running: number of @guests that run
 * @nr_busy: number of those that another process has locked, so that nobody looked at them
 * @nr_saved: number of @guests that are saved, and have no QEMU
 * @metrics: samples for Prometheus, or NULL
 * @hidden: this user may not see guests and objects
 * @brief: look at nothing that takes long: neither kernels nor whether guests can be saved
 */
struct health {
	struct preflight checks;
	struct guests guests;
	unsigned int nr_running, nr_busy, nr_saved;
	FILE *metrics;
	bool brief, hidden;
};

/**
 * health_look() - Look at everything
 * @h: @metrics and @brief are set; freed with health_free()
 * @ctx: the module, or NULL: it cannot be asked
 */
void health_look(struct health *h, struct pkram_ctx *ctx);

/* Return the number of results that are not good */
unsigned int health_problems(const struct health *h);

/* Return the verdict on all, as a sentence; valid until the next call */
const char *health_verdict(const struct health *h);

/* Print the rows of a table of results: @all, or those that are not good */
void health_print_rows(const struct health *h, bool all);

void health_free(struct health *h);

#endif /* _PKRAMCTL_HEALTH_H */
