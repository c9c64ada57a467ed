// SPDX-License-Identifier: GPL-2.0
/*
 * Memory errors in mapped files: unmap the page, and tell the processes.
 *
 * The kernel can do that for device memory, but takes the folio for the page: it would
 * tell QEMU that up to a GiB of the guest is lost, at the wrong address. Here only the
 * page is named. The processes and the time are as for other memory: at once, by SIGBUS
 * with BUS_MCEERR_AO, if the process asked for that by prctl(PR_MCE_KILL) (QEMU does); else
 * when it touches the page, with BUS_MCEERR_AR.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include "fs/fs.h"

/* The thread of a process that wants to know at once, or NULL. Context: RCU. */
static struct task_struct *lost_early_thread(struct task_struct *process)
{
	struct task_struct *t;

	for_each_thread(process, t)
		if ((t->flags & PF_MCE_PROCESS) && (t->flags & PF_MCE_EARLY))
			return t;
	return NULL;
}

static void lost_tell(struct task_struct *t, int code, unsigned long addr)
{
	pr_err("memory error: SIGBUS to %s:%d, address %#lx\n", t->comm, t->pid, addr);
	if (send_sig_mceerr(code, (void __user *)addr, PAGE_SHIFT, t))
		pr_err("memory error: no signal to %s:%d\n", t->comm, t->pid);
}

/* Tell the processes that have a mapping. @addr: of the page in it */
static void lost_tell_vma(const struct vm_area_struct *vma, unsigned long addr, int flags)
{
	struct task_struct *process, *t;

	/* The current one stumbled over it, and may not be able to go on. */
	if ((flags & MF_ACTION_REQUIRED) && current->mm == vma->vm_mm) {
		lost_tell(current, BUS_MCEERR_AR, addr);
		return;
	}
	rcu_read_lock();
	for_each_process(process) {
		if (READ_ONCE(process->mm) != vma->vm_mm)
			continue;
		t = lost_early_thread(process);
		if (t)
			lost_tell(t, BUS_MCEERR_AO, addr);
	}
	rcu_read_unlock();
}

void pkramfs_page_lost(struct pkram_object *obj, u64 offset, int flags)
{
	/* Pairs with the release in mmap_inode(). */
	struct inode *inode = smp_load_acquire(&obj->mapping_inode);
	struct vm_area_struct *vma;
	struct rb_node *node;
	u64 start;

	lockdep_assert_held_write(&obj->map_sem);
	if (!inode)
		return;
	/* A larger leaf goes as a whole; faults map the rest again by smaller ones. */
	pkramfs_unmap_gibs(inode->i_mapping, offset, offset + PAGE_SIZE);
	i_mmap_lock_read(inode->i_mapping);
	for (node = rb_first_cached(&inode->i_mapping->i_mmap); node; node = rb_next(node)) {
		vma = rb_entry(node, struct vm_area_struct, shared.rb);
		start = pkramfs_vma_offset(vma, vma->vm_start);
		if (offset >= start && offset - start < vma->vm_end - vma->vm_start)
			lost_tell_vma(vma, vma->vm_start + (offset - start), flags);
	}
	i_mmap_unlock_read(inode->i_mapping);
}
