// SPDX-License-Identifier: GPL-2.0
/* Events: see event.h. */
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include "event/event.h"

static DEFINE_MUTEX(event_lock);	/* protects event_fn and the order of events */
static pkram_event_fn event_fn;

void pkram_event_set(pkram_event_fn fn)
{
	mutex_lock(&event_lock);
	event_fn = fn;
	mutex_unlock(&event_lock);
}

void pkram_event_tell(const struct pkram_event *ev)
{
	unsigned int noio;

	mutex_lock(&event_lock);
	/* It is taken under the store's lock: see pkram_store_lock(). */
	noio = memalloc_noio_save();
	if (event_fn)
		event_fn(ev);
	memalloc_noio_restore(noio);
	mutex_unlock(&event_lock);
}

void pkram_event_range(u8 cmd, u64 base, u64 size, const char *reason)
{
	const struct pkram_event ev = {
		.cmd = cmd, .base = base, .size = size, .reason = reason,
	};

	pkram_event_tell(&ev);
}

void pkram_event_object(u8 cmd, struct pkram_object *obj)
{
	const struct pkram_event ev = { .cmd = cmd, .obj = obj };

	pkram_event_tell(&ev);
}
