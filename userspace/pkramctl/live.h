/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens to the guests of an update, while it happens: on a terminal a line for each
 * guest, which changes; elsewhere a line for each event.
 *
 * If the work is done in a unit, the lines go to files, which update_unit.c shows.
 */
#ifndef _PKRAMCTL_LIVE_H
#define _PKRAMCTL_LIVE_H

#include <stdbool.h>
#include "guest.h"

/**
 * enum live_step - what happens to a guest
 * @LIVE_SAVING: its state is being written
 * @LIVE_SAVED: it is complete; the guest waits for the others
 * @LIVE_ENDING: its QEMU is being ended
 * @LIVE_ENDED: its QEMU has ended
 * @LIVE_FAILED: it cannot be saved
 * @LIVE_RUNS: it runs again
 */
enum live_step {
	LIVE_NONE,
	LIVE_SAVING,
	LIVE_SAVED,
	LIVE_ENDING,
	LIVE_ENDED,
	LIVE_FAILED,
	LIVE_RUNS,
};

/**
 * live_begin() - Show what happens to the chosen guests, until live_end()
 * @gs: guests
 * @dir: directory for the files that others show; NULL: show it here
 */
void live_begin(struct guests *gs, const char *dir);

/* The lines stay as they are */
void live_end(void);

/* Something happened to a guest; may be called by several threads, and without live_begin() */
void live_step(const struct guest *g, enum live_step step);

/* Tell how far a guest is, where the lines do not show it; the text is without the program's name */
void live_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Whether lines can be changed on standard error */
bool live_terminal(void);

/**
 * live_draw() - Draw lines, over those of the last call
 * @text: the lines; NULL: the next call draws below those of the last one
 *
 * Those that the terminal has no room for are left out.
 */
void live_draw(const char *text);

/* Remove the lines from the screen, as something else is to be printed; they are drawn again */
void live_erase(void);

/* Names of the files in the directory */
#define LIVE_LINES	"lines"		/* as they are, after LIVE_GO_ON or LIVE_STAY */
#define LIVE_GO_ON	'+'
#define LIVE_STAY	'.'		/* they do not change any more */
#define LIVE_EVENTS	"events"	/* all so far */

#endif /* _PKRAMCTL_LIVE_H */
