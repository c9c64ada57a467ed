/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events: code that commits a change sends an event before it drops the lock under
 * which the change was made, so that events are in the order of the changes. The
 * control plane sets the receiver at init; without one, events are dropped.
 *
 * event_lock is the innermost of the module's mutexes: no other lock is taken
 * under it.
 */
#ifndef _PKRAM_EVENT_H
#define _PKRAM_EVENT_H

#include <linux/types.h>

struct pkram_object;

/**
 * struct pkram_event - a change
 * @cmd: PKRAM_CMD_*_NTF of the uapi, which defines the attributes
 * @obj: the object; store.lock is held
 * @old_dir: the directory that it was in before a rename
 * @name: its name there; or that of a label
 * @name_len: length of @name
 * @base: of a range
 * @size: of a range
 * @offset: in the object
 * @reason: text
 * @mode: &enum pkram_handover_mode
 */
struct pkram_event {
	u8 cmd;
	struct pkram_object *obj;
	struct pkram_object *old_dir;
	const char *name;
	u32 name_len;
	u64 base;
	u64 size;
	u64 offset;
	const char *reason;
	u32 mode;
};

typedef void (*pkram_event_fn)(const struct pkram_event *ev);

/**
 * pkram_event_set() - Set the receiver of events
 * @fn: called under event_lock; it may sleep, but must not wait for other
 *	tasks; NULL for none: on return the former one is not running any more
 */
void pkram_event_set(pkram_event_fn fn);

/**
 * pkram_event_tell() - Send an event
 * @ev: the event; owned by the caller
 *
 * Context: may sleep. Does not fail: if an event cannot be sent, receivers are
 * told that events were lost.
 */
void pkram_event_tell(const struct pkram_event *ev);

/** pkram_event_range() - Send an event about a range of memory */
void pkram_event_range(u8 cmd, u64 base, u64 size, const char *reason);

/** pkram_event_object() - Send an event about an object. Context: store.lock. */
void pkram_event_object(u8 cmd, struct pkram_object *obj);

#endif /* _PKRAM_EVENT_H */
