/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guests: definitions, current state, and the start of QEMU.
 *
 * The environment can change the directories, for tests and for other layouts:
 * PKRAM_GUESTS_DIR (/etc/pkram/guests.d, the definitions), PKRAM_STATE_DIR (/dev/pkram,
 * saved states), PKRAM_RUN_DIR (/run/pkram, sockets), PKRAM_LOG_DIR (/var/log/pkram).
 *
 * Functions that fail store the reason in guest->error and return %CTL_FAILED.
 */
#ifndef _PKRAMCTL_GUEST_H
#define _PKRAMCTL_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "guest_file.h"
#include "qmp.h"

/**
 * enum guest_state - the state of a guest
 * @GUEST_STOPPED: there is no QEMU and no saved state
 * @GUEST_SAVED: there is no QEMU, but a saved state
 * @GUEST_STALE: the same, but its RAM does not match that state any more
 * @GUEST_SEALED: there is no QEMU and no saved state, but its RAM is sealed for one
 * @GUEST_HALF: there is no QEMU, and only a part of its RAM is sealed: QEMU was killed in between
 * @GUEST_UNKNOWN: there is no QEMU, and what there is cannot be seen: guest->error has why
 * @GUEST_LIVE: there is a QEMU, and we are connected to it: see @status
 * @GUEST_MUTE: there is a QEMU that does not answer
 */
enum guest_state {
	GUEST_STOPPED,
	GUEST_SAVED,
	GUEST_STALE,
	GUEST_SEALED,
	GUEST_HALF,
	GUEST_UNKNOWN,
	GUEST_LIVE,
	GUEST_MUTE,
};

/**
 * struct guest - a guest
 * @next: the next one, or NULL
 * @file: its definition; of one with a QEMU or a state, as it was when it was started
 * @defined: its definition of now, if @changed
 * @changed: they differ
 * @noted: @file is as it was started, by a note that can be trusted
 * @refused: why its definition is not used for a start: who can change it; empty: nothing
 * @clash: what another definition has in common with it; empty: nothing
 * @machine: versioned name of the machine of a saved guest; empty: unknown
 * @state: set by guest_look()
 * @status: QEMU's status ("running"), if it is live
 * @was: status before a save that this program began; empty: none
 * @qmp: connection to its QEMU, if it is live
 * @pid: of its QEMU, or 0
 * @child: we started that QEMU
 * @log: its QEMU's log, while that is started
 * @log_begin: where the log of this start begins
 * @lock: excludes other processes that change the guest; -1 if not locked
 * @chosen: the command applies to this guest
 * @touched: a save of it was started
 * @looked: it is known whether it can be saved
 * @pending: a migration is active
 * @as_defined: it is resumed with its definition of now, not as it was saved
 * @any_cpu: it is resumed although its CPU lacks what it had at the save
 * @kept: a start or a resume failed, but its QEMU has the guest, or may have it, and was not
 *	ended
 * @patient: a save or a load is waited for as long as QEMU lives, also if it does not answer
 * @failed: the command failed for it
 * @final: and would fail again later
 * @error: why
 * @stopped: when a save stopped it, in us of CLOCK_REALTIME
 * @began: when saving or resuming began, the same
 * @took: how long it took, in us
 * @batch: when the save of all guests that are saved with it began, as @stopped; 0: none is
 * @load_began: when its resume began, in us of CLOCK_BOOTTIME
 * @greeted: when the QEMU of that was there, the same
 * @blackout: how long it did not run, in us, after a resume; 0 unknown
 * @bytes: of its saved state
 * @bandwidth: limit of other migrations, in bytes per second; 0 unknown
 */
struct guest {
	struct guest *next;
	struct guest_file file, defined;
	enum guest_state state;
	char status[32], was[32], machine[128];
	struct qmp qmp;
	pid_t pid;
	bool child;
	int lock, log;
	off_t log_begin;
	bool changed, noted, chosen, touched, looked, pending, as_defined, kept, patient, failed;
	bool any_cpu, final;
	char refused[768], clash[512];
	char error[2048];
	int64_t stopped, began, took, blackout;
	int64_t batch, load_began, greeted;
	uint64_t bytes, bandwidth;
};

struct guests {
	struct guest *list;
	unsigned int nr;
	bool bad;	/* some definitions cannot be used, which was reported */
};

/* Return the next chosen guest after @g (NULL: the first) that has not failed, or NULL */
struct guest *guests_next_good(const struct guests *gs, const struct guest *g);

/**
 * guests_each() - Work on all chosen guests that have not failed, at the same time
 * @gs: guests
 * @fn: called for each, in a thread of its own: one that waits keeps no other waiting. It
 *	may change its guest only
 * @arg: of @fn
 *
 * Returns when all have returned: 0, or %CTL_FAILED: there are not enough threads, which was
 * reported, and @fn was not called.
 */
int guests_each(struct guests *gs, void (*fn)(struct guest *g, void *arg), void *arg);

/* The same, but without enough threads one after the other */
void guests_each_anyhow(struct guests *gs, void (*fn)(struct guest *g, void *arg), void *arg);

/* Return a path, valid until the thread's fifth next call */
const char *guest_run_path(const struct guest *g, const char *what);
const char *guest_state_path(const struct guest *g);
/* Return the path of QEMU's log */
const char *guest_log_path(const struct guest *g);
/* Return the path of the record of a save, next to the state */
const char *guest_info_path(const struct guest *g);

/* Store the reason of a failure, unless there is one; returns %CTL_FAILED */
int guest_fail(struct guest *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, of what does not pass by itself */
int guest_refuse(struct guest *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Append to the reason */
void guest_explain(struct guest *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * guests_load() - Read definitions of guests
 * @gs: out: freed with guests_free(), also on failure; sorted by name
 * @names: guests to load; all if @nr is 0
 * @nr: number of @names
 *
 * A guest whose definition is missing or wrong is taken as it was started, if that was noted:
 * it may run, or be saved.
 *
 * Return: 0, or %CTL_FAILED: some are missing or wrong, which was reported; @gs has the
 * others.
 */
int guests_load(struct guests *gs, char *const *names, unsigned int nr);
void guests_free(struct guests *gs);

/* Update the state of a guest; connect if there is a QEMU */
void guest_look(struct guest *g, int timeout_ms);
/* Ask QEMU for guest->status: 0, or as qmp_command() */
int guest_read_status(struct guest *g);
/* Return whether a guest with this status runs, or sleeps as it wants to */
bool guest_runs(const char *status);
/* Return whether QEMU leaves this status by itself: of a start, a load or a save */
bool guest_passes(const char *status);
const char *guest_state_name(const struct guest *g);

/* Print a guest's row of the result table */
void guest_print(const struct guest *g);

/*
 * Return whether the guest was saved by us and its QEMU still exists. A guest that was
 * migrated to another host looks the same, but must not run here.
 */
bool guest_stands_still(const struct guest *g);

/* Return whether it has a QEMU that was started to load its state, and has not done it */
bool guest_waits(const struct guest *g);

/* Return the command that lets a saved guest run, or NULL; valid until the thread's next call */
const char *guest_next(const struct guest *g);

/* Return the name of its unit, the command that starts or resumes a guest: as guest_next() */
const char *guest_unit(const struct guest *g);
const char *guest_command(const struct guest *g, const char *verb);

/*
 * Lock the guest against other processes, until guest->lock is closed. It fails for good
 * (guest->final) unless another process has the lock
 */
int guest_lock(struct guest *g);

/* The same, but wait for those that have the lock */
int guest_wait_lock(struct guest *g, int timeout_ms);

/**
 * guest_spawn() - Start QEMU
 * @g: a guest without one
 * @incoming: for a resume: with -incoming defer
 */
int guest_spawn(struct guest *g, bool incoming);

/*
 * Connect to the QEMU that was just started, unless it exits. If a signal ends that (see
 * migrate_catch()), guest->kept is set.
 */
int guest_greet(struct guest *g);

/* Append QEMU's log to guest->error, if it has one */
void guest_add_log(struct guest *g);

/* Wait for the end of its QEMU: 0, or -ETIMEDOUT */
int guest_wait_exit(struct guest *g, int timeout_ms);

/*
 * End QEMU by a command, or by SIGKILL if that takes too long; guest->state is then what
 * its state and RAM say
 */
void guest_quit(struct guest *g);

#endif /* _PKRAMCTL_GUEST_H */
