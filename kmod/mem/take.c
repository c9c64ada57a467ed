// SPDX-License-Identifier: GPL-2.0
/* Take memory from the system and give it back: see take.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "compat/compat.h"
#include "event/trace.h"
#include "mem/iomem.h"
#include "mem/take.h"

/* Memory that must stay available to the system after a unit is taken. */
#define KEEP_AVAILABLE	(256UL << 20)

int pkram_take_nid(u64 base)
{
	int nid = phys_to_target_node(base);

	if (nid == NUMA_NO_NODE)
		nid = memory_add_physaddr_to_nid(base);
	if (nid < 0 || nid >= MAX_NUMNODES || !node_possible(nid))
		nid = first_online_node;
	return nid;
}

u64 pkram_take_unit_size(void)
{
	return max_t(u64, PKRAM_GIB, memory_block_size_bytes());
}

static const char *take_error_text(int err)
{
	switch (err) {
	case -EBUSY:
		return "in use by the kernel, or by memory that cannot move";
	case -EINTR:
		return "interrupted";
	case -ETIMEDOUT:
		return "pinned or not movable within the limit of time (--timeout)";
	case -EHWPOISON:
		return "contains pages that the kernel knows to be bad (HWPoison)";
	case -ENOMEM:
		return "too little memory would be left to the system";
	case -EADDRINUSE:
		return "still marked as System RAM after its removal";
	case -EINVAL:
		return "not memory that can be removed";
	default:
		return "the kernel refused to remove it";
	}
}

/**
 * struct take_work - a removal in a thread of its own
 * @base: of the unit
 * @size: its bytes
 * @done: the thread has tried
 */
struct take_work {
	u64 base;
	u64 size;
	struct completion done;
};

static int take_thread(void *arg)
{
	struct take_work *work = arg;
	int err;

	allow_signal(SIGINT);
	err = offline_and_remove_memory(work->base, work->size);
	complete(&work->done);
	return err;
}

/*
 * Remove a unit from the system within a limit of time. offline_pages() repeats for ever
 * what it could not move, but ends at a signal to its task (-EINTR): so another task does
 * it, which gets one.
 */
static int take_remove(u64 base, u64 size, u32 timeout)
{
	struct take_work work = { .base = base, .size = size };
	struct task_struct *task;
	long left;
	int err;

	init_completion(&work.done);
	task = kthread_create(take_thread, &work, "pkram-take");
	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	wake_up_process(task);
	left = wait_for_completion_killable_timeout(&work.done, msecs_to_jiffies(timeout));
	if (left <= 0) {
		send_sig(SIGINT, task, 1);
		wait_for_completion(&work.done);
	}
	/* It has ended, or is about to: this returns what it returned. */
	err = kthread_stop(task);
	put_task_struct(task);
	return err == -EINTR && !left ? -ETIMEDOUT : err;
}

/*
 * The kernel takes such pages offline with the others (up to 6.1 without a word), and
 * with their struct pages goes what is known.
 */
static bool take_has_bad_pages(u64 base, u64 size)
{
	unsigned long pfn = PHYS_PFN(base), end = PHYS_PFN(base + size);
	struct page *page;

	for (; pfn < end; pfn++) {
		page = pfn_to_online_page(pfn);
		if (page && PageHWPoison(page))
			return true;
		if (pfn % PAGES_PER_SECTION == 0)
			cond_resched();
	}
	return false;
}

int pkram_take_unit(u64 base, u32 timeout, struct pkram_refusal *refusal)
{
	u64 size = pkram_take_unit_size();
	u64 begin = ktime_get_ns();
	struct pkram_iomem_cut cut;
	int err;

	if ((u64)si_mem_available() << PAGE_SHIFT < size + KEEP_AVAILABLE) {
		err = -ENOMEM;
		goto out;
	}
	if (take_has_bad_pages(base, size)) {
		err = -EHWPOISON;
		goto out;
	}
	err = pkram_iomem_split(&cut, base, size);
	if (err)
		goto out;
	err = take_remove(base, size, timeout);
	pkram_iomem_end_split(&cut, !err);
	if (!err)
		err = pkram_iomem_check_free(base, size);
out:
	if (err) {
		refusal->base = base;
		refusal->size = size;
		refusal->err = err;
		refusal->reason = take_error_text(err);
		refusal->nr_bad = 0;
	}
	trace_pkram_take(base, size, err, err ? refusal->reason : NULL, begin);
	return err;
}

bool pkram_take_has_memmap(u64 base, u64 size)
{
	u64 addr;

	for (addr = base; addr < base + size; addr += 1UL << SECTION_SIZE_BITS)
		if (pfn_valid(PHYS_PFN(addr)))
			return true;
	return false;
}

/*
 * remove_memory() removes struct pages and the kernel's mapping as a whole: a
 * mapping by a 1G leaf cannot be removed in part. It warns about parts that were
 * not made. It also frees the memory map's entry, which it must not free here.
 */
void pkram_take_clean_up(u64 base, u64 size)
{
	struct resource *res;
	int err = -EINVAL;

	if (!pkram_take_has_memmap(base, size))
		return;
	res = pkram_iomem_begin_clean_up(base);
	if (IS_ALIGNED(base | size, memory_block_size_bytes()))
		err = remove_memory(base, size);
	pkram_iomem_end_clean_up(res);
	if (err)
		pr_err("memory at %#llx cannot be used until the next kexec: the kernel had no memory for its struct pages\n",
		       base);
}

int pkram_take_give_back(u64 base, u64 size, int nid)
{
	bool clean = !pkram_take_has_memmap(base, size);
	u64 begin = ktime_get_ns();
	int err;

	/* Also puts it online if that is the host's policy (auto_online_blocks). */
	err = add_memory(nid, base, size, MHP_NONE);
	if (err && clean)
		pkram_take_clean_up(base, size);
	trace_pkram_give(base, size, err, NULL, begin);
	return err;
}

bool pkram_take_is_online(u64 base, u64 size)
{
	u64 addr;

	for (addr = base; addr < base + size; addr += memory_block_size_bytes())
		if (!pfn_to_online_page(PHYS_PFN(addr)))
			return false;
	return true;
}
