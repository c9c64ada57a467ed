// SPDX-License-Identifier: GPL-2.0
/* Memory of objects under DMA: see pin.h. */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "compat/compat.h"
#include "mem/region.h"
#include "store/extents.h"
#include "store/objects.h"
#include "store/opens.h"
#include "store/pin.h"
#include "store/state.h"

/**
 * struct pkram_pin - a range of an object that is under DMA
 * @range: in the object's @pins
 * @open: the open through which it was pinned
 */
struct pkram_pin {
	struct pkram_pinned range;
	struct pkram_open *open;
};

static int pin_insert(struct pkram_pin *pin)
{
	struct pkram_object *obj = pin->open->obj;
	int err = 0;

	pkram_store_lock();
	if (obj->bad)
		err = -EUCLEAN;
	else if (pin->range.offset + pin->range.len >
		 round_up(obj->rec.size, PAGE_SIZE))
		err = -EFAULT;
	else
		list_add(&pin->range.list, &obj->pins);
	pkram_store_unlock();
	return err;
}

/* Zero the stale units of a run. Its GiB must be populated only for that. */
static int pin_prepare(struct pkram_object *obj, struct pkram_span span, u32 nr)
{
	u32 n;
	int ret;

	for (; nr; nr -= n, span.unit += n, span.nr_units -= n) {
		cond_resched();
		/* One GiB at a time, as it is populated */
		n = min_t(u32, nr,
			  PKRAM_GIB_UNITS - span.unit % PKRAM_GIB_UNITS);
		ret = pkram_store_all_written(&span, n);
		if (ret < 0)
			return ret;
		if (ret)
			continue;
		ret = pkram_store_populate_span(&span);
		if (ret)
			return ret;
		ret = pkram_store_prepare(obj, &span, n);
		if (ret)
			return ret;
	}
	return 0;
}

/* The range is in the list of pins, so the extents found stay. */
static int pin_make_ready(struct pkram_pin *pin)
{
	struct pkram_object *obj = pin->open->obj;
	u32 unit = pin->range.offset >> PKRAM_UNIT_SHIFT;
	u32 end = DIV_ROUND_UP_ULL(pin->range.offset + pin->range.len,
				   PKRAM_UNIT);
	struct pkram_span span;
	u32 nr;
	int err;

	for (; unit < end; unit += nr) {
		pkram_store_find_span(obj, unit, &span);
		nr = min(span.nr_units, end - unit);
		if (!span.region) {
			err = pkram_store_allocate(obj,
						   (u64)unit << PKRAM_UNIT_SHIFT,
						   (u64)nr << PKRAM_UNIT_SHIFT,
						   NULL);
			/* Look up the new extent next. */
			nr = 0;
		} else {
			err = pin_prepare(obj, span, nr);
		}
		if (err)
			return err;
	}
	return 0;
}

struct pkram_pin *pkram_pin_create(struct pkram_open *open, u64 offset, u64 len)
{
	struct pkram_pin *pin;
	u64 end;
	int err;

	if (check_add_overflow(offset, len, &end) ||
	    !IS_ALIGNED(offset | len, PAGE_SIZE) || !len)
		return ERR_PTR(-EFAULT);
	pin = kmalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	if (!pin)
		return ERR_PTR(-ENOMEM);
	pin->open = pkram_open_get(open);
	pin->range.offset = offset;
	pin->range.len = len;
	err = pin_insert(pin);
	if (err) {
		pkram_open_put(pin->open);
		kfree(pin);
		return ERR_PTR(err);
	}
	err = pin_make_ready(pin);
	if (err) {
		pkram_pin_destroy(pin);
		return ERR_PTR(err);
	}
	return pin;
}
EXPORT_SYMBOL_NS_GPL(pkram_pin_create, PKRAM_NS);

u64 pkram_pin_object_id(const struct pkram_pin *pin)
{
	const struct pkram_object *obj = pin->open->obj;

	/* An object keeps its name as long as it is pinned. */
	return READ_ONCE(obj->removed) ? 0 : obj->rec.id;
}
EXPORT_SYMBOL_NS_GPL(pkram_pin_object_id, PKRAM_NS);

void pkram_pin_destroy(struct pkram_pin *pin)
{
	pkram_store_lock();
	list_del(&pin->range.list);
	pkram_store_unlock();
	pkram_open_put(pin->open);
	kfree(pin);
}
EXPORT_SYMBOL_NS_GPL(pkram_pin_destroy, PKRAM_NS);

void pkram_pin_move(struct pkram_pin *pin, struct pkram_open *open)
{
	struct pkram_open *old = pin->open;

	if (WARN_ON_ONCE(open->obj != old->obj))
		return;
	pin->open = pkram_open_get(open);
	pkram_open_put(old);
}
EXPORT_SYMBOL_NS_GPL(pkram_pin_move, PKRAM_NS);

u64 pkram_pin_extent(struct pkram_pin *pin, u64 pos, phys_addr_t *phys)
{
	u64 offset = pin->range.offset + pos;
	u64 in_unit = offset & (PKRAM_UNIT - 1);
	struct pkram_span span;

	pkram_store_find_span(pin->open->obj, offset >> PKRAM_UNIT_SHIFT, &span);
	if (WARN_ON_ONCE(!span.region))
		return 0;
	*phys = pkram_region_unit_phys(span.region, span.unit) + in_unit;
	return min(((u64)span.nr_units << PKRAM_UNIT_SHIFT) - in_unit,
		   pin->range.len - pos);
}
EXPORT_SYMBOL_NS_GPL(pkram_pin_extent, PKRAM_NS);
