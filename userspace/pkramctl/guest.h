/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guests: what they are, what they do at the moment, and how QEMU is started.
 *
 * Where things are can be changed by the environment, for tests and for hosts
 * that keep things elsewhere: PKRAM_GUESTS_DIR (/etc/pkram/guests.d, the
 * definitions), PKRAM_STATE_DIR (/dev/pkram, saved states), PKRAM_RUN_DIR
 * (/run/pkram, sockets).
 *
 * Functions that fail leave the reason in guest->error, and return %CTL_FAILED.
 */
#ifndef _PKRAMCTL_GUEST_H
#define _PKRAMCTL_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "guest_file.h"
#include "qmp.h"

/**
 * enum guest_state - what a guest does
 * @GUEST_STOPPED: nothing: there is no QEMU, and no saved state
 * @GUEST_SAVED: there is no QEMU, but a saved state
 * @GUEST_STALE: the same, but its RAM is not that state's any more
 * @GUEST_LIVE: there is a QEMU, and we talk to it: see @status
 * @GUEST_MUTE: there is a QEMU that does not talk to us
 */
enum guest_state {
	GUEST_STOPPED,
	GUEST_SAVED,
	GUEST_STALE,
	GUEST_LIVE,
	GUEST_MUTE,
};

/**
 * struct guest - a guest
 * @next: the next one, or NULL
 * @file: its definition
 * @state: as guest_look() saw it
 * @status: QEMU's word for it ("running"), if it is live
 * @qmp: to its QEMU, if it is live
 * @pid: of its QEMU, or 0
 * @child: we started that
 * @lock: nobody else changes the guest; -1 if we did not ask
 * @chosen: what is done is done with this one
 * @touched: a save of it was begun
 * @pending: a migration is under way
 * @failed: what was tried with it did not work
 * @error: why
 * @stopped: when a save stopped it, in us of CLOCK_REALTIME
 * @began: when saving or resuming did, the same
 * @took: how long it took, in us
 * @blackout: how long it did not run, in us, once it is resumed; 0 unknown
 * @bytes: of its saved state
 * @bandwidth: that a migration may use otherwise, in bytes a second; 0 unknown
 */
struct guest {
	struct guest *next;
	struct guest_file file;
	enum guest_state state;
	char status[32];
	struct qmp qmp;
	pid_t pid;
	bool child;
	int lock;
	bool chosen, touched, pending, failed;
	char error[1024];
	int64_t stopped, began, took, blackout;
	uint64_t bytes, bandwidth;
};

struct guests {
	struct guest *list;
	unsigned int nr;
};

/*
 * The next one behind @g (NULL: the first) that was chosen and did not fail so
 * far, or NULL
 */
struct guest *guests_good(const struct guests *gs, const struct guest *g);

/* Paths, valid until the fifth next call */
const char *guest_run_path(const struct guest *g, const char *what);
const char *guest_state_path(const struct guest *g);
/* Of what is remembered about a save, beside the state */
const char *guest_info_path(const struct guest *g);

/* It failed: the first reason counts; returns %CTL_FAILED */
int guest_fail(struct guest *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Add something to the reason */
void guest_explain(struct guest *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * guests_load() - Read definitions of guests
 * @gs: out: freed with guests_free(), also on failure; by name
 * @names: which; all if @nr is 0
 * @nr: how many
 *
 * Return: 0, or %CTL_FAILED: some are missing or wrong, which was said; @gs has
 * the others.
 */
int guests_load(struct guests *gs, char *const *names, unsigned int nr);
void guests_free(struct guests *gs);

/* See what it does; connects if there is a QEMU */
void guest_look(struct guest *g, int timeout_ms);
const char *guest_state_name(const struct guest *g);

/* A row of the table of what was done with guests */
void guest_print(const struct guest *g);

/*
 * Was it saved by us, and has its QEMU not gone? One that was migrated to another
 * host looks alike, and must not run here.
 */
bool guest_stands_still(const struct guest *g);

/* Keep others from changing it, until the program ends */
int guest_lock(struct guest *g);

/**
 * guest_spawn() - Start QEMU
 * @g: a guest without one
 * @incoming: for a resume: with -incoming defer
 */
int guest_spawn(struct guest *g, bool incoming);

/* Connect to the QEMU that was started, which takes its time or fails */
int guest_greet(struct guest *g);

/* Add to guest->error what QEMU wrote to its log, if it did */
void guest_add_log(struct guest *g);

/* Wait for the end of its QEMU: 0, or -ETIMEDOUT */
int guest_wait_exit(struct guest *g, int timeout_ms);

/* Have QEMU end: kindly, and if that takes too long, by SIGKILL */
void guest_quit(struct guest *g);

#endif /* _PKRAMCTL_GUEST_H */
