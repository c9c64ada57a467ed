// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of files, and their faults.
 *
 * The kernel allows 2M and 1G leaves, and long-term pins, only for mappings of a
 * DAX character device. So a mapping gets an inner file: the same object, but its
 * inode is such a device, on an internal mount. All mappings of an object share
 * that inode's address space. The inner file holds the open through which the
 * mapping was made, so that a claim lasts as long as the mapping.
 *
 * Operations that cut a mapping remove whole 1G leaves first: see leaves.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pgtable.h>
#include <linux/pkram.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "compat/mm.h"
#include "event/trace.h"
#include "fs/fs.h"
#include "fs/vma.h"
#include "mem/bad.h"
#include "mem/region.h"
#include "store/extents.h"
#include "store/lost.h"
#include "store/names.h"
#include "store/opens.h"

static struct vfsmount *mmap_mnt;
static DEFINE_MUTEX(mmap_inode_lock);

/**
 * struct mmap_file - private data of an inner file
 * @open: the open through which the mapping was made, referenced
 * @written: memory can be written through a leaf, without the kernel's knowledge
 */
struct mmap_file {
	struct pkram_open *open;
	bool written;
};

static struct pkram_open *mmap_open(const struct vm_area_struct *vma)
{
	struct mmap_file *mf = vma->vm_file->private_data;

	return mf->open;
}

/*
 * A leaf of a writable mapping was inserted, or made writable: the file changes now.
 * Later writes cause no fault; msync() and the end of the mapping assume that there
 * were some.
 */
static void mmap_note_write(struct file *inner)
{
	struct mmap_file *mf = inner->private_data;
	bool first = !READ_ONCE(mf->written);

	if (first)
		WRITE_ONCE(mf->written, true);
	pkram_store_touch(mf->open->obj, !first);
}

/* Faults */

/*
 * Fill a hole, or populate memory that this kernel has not touched yet. Neither may be
 * done under mmap_lock (region.h), so drop the lock and retry the fault.
 */
static vm_fault_t mmap_populate(struct vm_fault *vmf, struct pkram_open *open,
				u32 obj_unit)
{
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return VM_FAULT_SIGBUS;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if ((vmf->flags & FAULT_FLAG_TRIED) && READ_ONCE(open->populate_err))
		return READ_ONCE(open->populate_err) == -ENOMEM ?
		       VM_FAULT_OOM : VM_FAULT_SIGBUS;
	pkram_open_get(open);
	release_fault_lock(vmf);
	/* The vma may have been freed from here on. */
	WRITE_ONCE(open->populate_err,
		   pkram_store_populate(open->obj, obj_unit));
	pkram_open_put(open);
	return VM_FAULT_RETRY;
}

static const struct vm_operations_struct mmap_vm_ops;

/*
 * Insert a 1G leaf with mmap_lock held for writing. Code that cuts or walks page
 * tables with the lock held for reading removes a 1G leaf first and then looks for
 * a table. A leaf that is inserted between the two would be mistaken for a table,
 * or be cleared as a bad entry, and its references and TLB entries would be lost.
 */
static vm_fault_t mmap_fault_1g(struct vm_fault *vmf, struct pkram_open *open)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	unsigned long addr = vmf->address & PUD_MASK;
	u64 offset = pkramfs_vma_offset(vmf->vma, addr);
	struct vm_area_struct *vma;

	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return VM_FAULT_FALLBACK;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	pkram_open_get(open);
	release_fault_lock(vmf);
	mmap_write_lock(mm);
	vma = find_vma(mm, addr);
	if (vma && vma->vm_start <= addr && vma->vm_end - addr >= PUD_SIZE &&
	    vma->vm_ops == &mmap_vm_ops && mmap_open(vma) == open &&
	    pkramfs_vma_offset(vma, addr) == offset) {
		vma_start_write(vma);
		pkramfs_leaf_insert_1g(vma, addr, open->obj);
		if (vma->vm_flags & VM_WRITE)
			mmap_note_write(vma->vm_file);
	}
	mmap_write_unlock(mm);
	pkram_open_put(open);
	return VM_FAULT_RETRY;
}

static void mmap_unlock_object(struct pkram_object *obj, bool alone)
{
	if (alone)
		up_write(&obj->map_sem);
	else
		up_read(&obj->map_sem);
}

static vm_fault_t mmap_fault_order(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct pkram_open *open = mmap_open(vma);
	struct pkram_object *obj = open->obj;
	unsigned long size = PAGE_SIZE << order;
	unsigned long start = vmf->address & ~(size - 1);
	vm_fault_t ret = VM_FAULT_FALLBACK;
	struct pkram_span span;
	bool alone;
	u64 offset;

	if (start < vma->vm_start || start + size > vma->vm_end)
		return VM_FAULT_FALLBACK;
	offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (start - vma->vm_start);
	if (!IS_ALIGNED(offset, size))
		return VM_FAULT_FALLBACK;

	/*
	 * The first page of a new page table. Until it is there, no fault may
	 * insert a 2M leaf in its place, which 6.1 would mistake for the table.
	 * One may fit now although it did not before, if the object has grown.
	 */
	alone = !order && pmd_none(READ_ONCE(*vmf->pmd));
	if (alone)
		down_write(&obj->map_sem);
	else
		down_read(&obj->map_sem);
	if (!order && pmd_leaf(READ_ONCE(*vmf->pmd))) {
		ret = VM_FAULT_NOPAGE;
		goto unlock;
	}
	if (offset + size > round_up(obj->rec.size, PAGE_SIZE)) {
		if (!order)
			ret = VM_FAULT_SIGBUS;
		goto unlock;
	}
	pkram_store_find(obj, offset >> PKRAM_UNIT_SHIFT, &span);
	if (order == PUD_ORDER && !span.whole_gib)
		goto unlock;
	if (!span.region || !pkram_span_populated(&span)) {
		mmap_unlock_object(obj, alone);
		return mmap_populate(vmf, open, offset >> PKRAM_UNIT_SHIFT);
	}
	if (!pkramfs_leaf_fits(&span, order))
		goto unlock;
	if (order == PUD_ORDER && pud_none(READ_ONCE(*vmf->pud))) {
		/* Zero before the lock is taken: it may take long. */
		ret = pkramfs_leaf_prepare(obj, &span, PKRAM_GIB_UNITS);
		mmap_unlock_object(obj, alone);
		return ret ?: mmap_fault_1g(vmf, open);
	}
	ret = pkramfs_leaf_insert(vmf, order, obj, &span, offset);
	if (ret == VM_FAULT_NOPAGE && (vma->vm_flags & VM_WRITE))
		mmap_note_write(vma->vm_file);
unlock:
	mmap_unlock_object(obj, alone);
	return ret;
}

static vm_fault_t mmap_fault_traced(struct vm_fault *vmf, unsigned int order)
{
	/* The vma may be gone after the fault, but not the object's id. */
	u64 offset = pkramfs_vma_offset(vmf->vma, vmf->address);
	u64 id = mmap_open(vmf->vma)->obj->rec.id;
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	unsigned int noio;
	vm_fault_t ret;

	/* Page tables are allocated under map_sem: see pkram_store_lock(). */
	noio = memalloc_noio_save();
	ret = mmap_fault_order(vmf, order);
	memalloc_noio_restore(noio);
	trace_pkram_fault(id, offset, PAGE_SIZE << order, write, ret);
	return ret;
}

static vm_fault_t mmap_fault(struct vm_fault *vmf)
{
	return mmap_fault_traced(vmf, 0);
}

static vm_fault_t mmap_fault_huge(struct vm_fault *vmf, compat_fault_size size)
{
	unsigned int order = compat_fault_order(size);

	if (order != PMD_ORDER && order != PUD_ORDER)
		return VM_FAULT_FALLBACK;
	return mmap_fault_traced(vmf, order);
}

/* Operations of a mapping */

/*
 * A vma is about to be cut at @addr. The kernel splits 2M leaves itself, but
 * mistakes the rest of a 1G leaf for a page table that consists of the guest's
 * bytes.
 */
static int mmap_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	u64 offset = pkramfs_vma_offset(vma, addr);

	if (IS_ALIGNED(addr, PUD_SIZE))
		return 0;
	/* No fault may bring the leaf back before the cut. */
	vma_start_write(vma);
	pkramfs_unmap_gibs(vma->vm_file->f_mapping, offset, offset + PAGE_SIZE);
	return 0;
}

/* Return: number of bytes that could not be read, because of an error in memory */
static size_t mmap_copy_from(void *buf, const void *addr, size_t len, phys_addr_t phys)
{
	size_t left = copy_mc_to_kernel(buf, addr, len);

	/* The kernel does not report an error that a copy has survived. */
	if (left)
		memory_failure_queue(PHYS_PFN(phys + len - left), 0);
	return left;
}

/*
 * Access by ptrace() and /proc/PID/mem to memory that mmap_populate() must get
 * first, which their faults cannot do, because they must not drop mmap_lock. Here
 * it may be dropped, because the callers look up again what the lock protects.
 */
static int mmap_access_object(struct pkram_object *obj, u64 pos, void *buf, int len,
			      bool write)
{
	struct pkram_span span;
	phys_addr_t phys;
	int err = 0, idx;
	void *addr;

	len = min_t(u64, len, PKRAM_UNIT - (pos & (PKRAM_UNIT - 1)));
	for (;;) {
		down_read(&obj->map_sem);
		if (pos >= round_up(obj->rec.size, PAGE_SIZE)) {
			err = -EIO;
			break;
		}
		pkram_store_find(obj, pos >> PKRAM_UNIT_SHIFT, &span);
		if (span.region && pkram_span_populated(&span)) {
			err = pkram_store_prepare(obj, &span, 1);
			break;
		}
		up_read(&obj->map_sem);
		err = pkram_store_populate(obj, pos >> PKRAM_UNIT_SHIFT);
		if (err)
			return err;
	}
	if (!err) {
		len = min_t(u64, len,
			    round_up(obj->rec.size, PAGE_SIZE) - pos);
		addr = pkram_region_unit_addr(span.region, span.unit) +
		       (pos & (PKRAM_UNIT - 1));
		idx = pkram_bad_begin_write();
		len = pkram_bad_good_len(span.region, span.unit, pos & (PKRAM_UNIT - 1),
					 len);
		phys = pkram_region_unit_phys(span.region, span.unit) + (pos & (PKRAM_UNIT - 1));
		if (write) {
			memcpy(addr, buf, len);
		} else {
			/* One page, so that an error is certain to be in it */
			len = min_t(u64, len, PAGE_SIZE - offset_in_page(pos));
			len -= mmap_copy_from(buf, addr, len, phys);
		}
		pkram_bad_end_write(idx);
		err = len ? 0 : -EIO;
	}
	up_read(&obj->map_sem);
	return err ?: len;
}

static int mmap_access(struct vm_area_struct *vma, unsigned long addr, void *buf,
		       int len, int write)
{
	struct pkram_open *open = mmap_open(vma);
	struct mm_struct *mm = vma->vm_mm;
	u64 pos = pkramfs_vma_offset(vma, addr);

	if (!(vma->vm_flags & (write ? VM_WRITE : VM_MAYREAD)))
		return -EACCES;
	len = min_t(unsigned long, len, vma->vm_end - addr);
	pkram_open_get(open);
	mmap_read_unlock(mm);
	len = mmap_access_object(open->obj, pos, buf, len, write);
	if (write && len > 0)
		pkram_store_touch(open->obj, false);
	pkram_open_put(open);
	mmap_read_lock(mm);
	return len;
}

/* A mapping that becomes writable makes its leaves writable, without a fault. */
static int mmap_mprotect(struct vm_area_struct *vma, unsigned long start,
			 unsigned long end, unsigned long newflags)
{
	if (newflags & VM_WRITE)
		mmap_note_write(vma->vm_file);
	if (!PKRAM_MPROTECT_KNOWS_1G)
		pkramfs_unmap_gibs(vma->vm_file->f_mapping,
				   pkramfs_vma_offset(vma, start),
				   pkramfs_vma_offset(vma, end));
	return 0;
}

static const struct vm_operations_struct mmap_vm_ops = {
	.fault = mmap_fault,
	.huge_fault = mmap_fault_huge,
	.may_split = mmap_may_split,
	.access = mmap_access,
	.mprotect = mmap_mprotect,
};

struct pkram_open *pkramfs_vma_open(const struct vm_area_struct *vma)
{
	if (vma->vm_ops != &mmap_vm_ops)
		return NULL;
	return pkram_open_get(mmap_open(vma));
}
EXPORT_SYMBOL_NS_GPL(pkramfs_vma_open, PKRAM_NS);

/* The inner file */

/* msync(MS_SYNC): the data is in place, but the times are not. */
static int mmap_inner_fsync(struct file *file, loff_t start, loff_t end,
			    int datasync)
{
	struct mmap_file *mf = file->private_data;

	if (READ_ONCE(mf->written))
		pkram_store_touch(mf->open->obj, false);
	return 0;
}

static int mmap_inner_release(struct inode *inode, struct file *file)
{
	struct mmap_file *mf = file->private_data;

	mmap_inner_fsync(file, 0, LLONG_MAX, 0);
	pkram_open_put(mf->open);
	kfree(mf);
	return 0;
}

/*
 * mremap() is about to move page tables that map @pgoff. It treats a 1G leaf as a
 * bad entry and clears it, and then the mapping of the folio is lost. If the leaf
 * moves to an address where it does not fit, the guest's bytes are moved as if
 * they were a table. No other callback precedes a move, and only mremap() asks
 * this file for an area.
 */
static unsigned long mmap_inner_get_unmapped_area(struct file *file,
						  unsigned long addr,
						  unsigned long len,
						  unsigned long pgoff,
						  unsigned long flags)
{
	u64 start = (u64)pgoff << PAGE_SHIFT;

	/* No fault may bring the leaves back before the move. */
	compat_lock_vmas_of(current->mm, file);
	pkramfs_unmap_gibs(file->f_mapping, start, start + len);
	return pkramfs_get_unmapped_area(file, addr, len, pgoff, flags);
}

static const struct file_operations mmap_inner_fops = {
	.owner = THIS_MODULE,
	.release = mmap_inner_release,
	.fsync = mmap_inner_fsync,
	.get_unmapped_area = mmap_inner_get_unmapped_area,
};

static struct inode *mmap_inode_new(const struct pkram_object *obj)
{
	struct inode *inode = new_inode(mmap_mnt->mnt_sb);

	if (!inode)
		return NULL;
	/* As the object's file: /proc/PID/maps tells objects of one name apart */
	inode->i_ino = obj->rec.id;
	inode->i_mode = S_IFCHR | 0600;
	inode->i_flags = S_DAX | S_NOATIME | S_NOCMTIME;
	return inode;
}

/* Get the inode of an object's mappings, which the first one creates. */
static struct inode *mmap_inode(struct pkram_object *obj)
{
	struct inode *inode;

	mutex_lock(&mmap_inode_lock);
	inode = obj->mapping_inode;
	if (!inode) {
		inode = mmap_inode_new(obj);
		/* Ready before it is seen; pairs with pkramfs_count_leaves() */
		smp_store_release(&obj->mapping_inode, inode);
	}
	mutex_unlock(&mmap_inode_lock);
	return inode;
}

static struct file *mmap_inner_file(struct pkram_open *open, int flags)
{
	struct inode *inode = mmap_inode(open->obj);
	struct mmap_file *mf;
	struct file *file;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	mf = kzalloc(sizeof(*mf), GFP_KERNEL_ACCOUNT);
	if (!mf)
		return ERR_PTR(-ENOMEM);
	/* Closing the file drops a module reference that opening it did not take. */
	if (!try_module_get(THIS_MODULE)) {
		kfree(mf);
		return ERR_PTR(-ENODEV);
	}
	ihold(inode);
	file = alloc_file_pseudo(inode, mmap_mnt, open->obj->rec.name, flags,
				 &mmap_inner_fops);
	if (IS_ERR(file)) {
		iput(inode);
		module_put(THIS_MODULE);
		kfree(mf);
		return file;
	}
	mf->open = pkram_open_get(open);
	file->private_data = mf;
	return file;
}

int pkramfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct pkram_open *open = file->private_data;
	struct file *inner;

	/* A private mapping would show the guest's RAM only until the first write. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (open->writable && pkram_open_may_change(open->obj, open)) {
		if (vma->vm_flags & VM_WRITE)
			return -EBUSY;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	inner = mmap_inner_file(open, file->f_flags & O_ACCMODE);
	if (IS_ERR(inner))
		return PTR_ERR(inner);
	vma_set_file(vma, inner);
	fput(inner);
	vm_flags_set(vma, PKRAM_VM_FLAGS);
	vma->vm_ops = &mmap_vm_ops;
	return 0;
}

/* Find an area in which leaves of @align bytes fit. Return: address, or 0 */
static unsigned long mmap_aligned_area(struct file *file, unsigned long len,
				       unsigned long pgoff, unsigned long flags,
				       unsigned long align)
{
	unsigned long off = pgoff << PAGE_SHIFT, addr;

	if (len < align || len + align < len)
		return 0;
	addr = mm_get_unmapped_area(file, 0, len + align, pgoff, flags);
	if (IS_ERR_VALUE(addr))
		return 0;
	return addr + ((off - addr) & (align - 1));
}

unsigned long pkramfs_get_unmapped_area(struct file *file, unsigned long addr,
					unsigned long len, unsigned long pgoff,
					unsigned long flags)
{
	unsigned long found = 0;

	if (!addr && !(flags & MAP_FIXED)) {
		found = mmap_aligned_area(file, len, pgoff, flags, PUD_SIZE);
		if (!found)
			found = mmap_aligned_area(file, len, pgoff, flags, PMD_SIZE);
	}
	return found ?: mm_get_unmapped_area(file, addr, len, pgoff, flags);
}

/* The internal mount */

static int mmap_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, PKRAM_FS_MAGIC) ? 0 : -ENOMEM;
}

/* Without owner: the mount belongs to the module and must not keep it loaded. */
static struct file_system_type mmap_fs_type = {
	.name = "pkramfs_map",
	.init_fs_context = mmap_init_fs_context,
	.kill_sb = kill_anon_super,
};

int pkramfs_mmap_init(void)
{
	mmap_mnt = kern_mount(&mmap_fs_type);
	if (IS_ERR(mmap_mnt))
		return PTR_ERR(mmap_mnt);
	pkram_store_set_unmap(pkramfs_unmap_object);
	pkram_store_set_lost(pkramfs_page_lost);
	return 0;
}

void pkramfs_mmap_exit(void)
{
	pkram_store_set_unmap(NULL);
	pkram_store_set_lost(NULL);
	kern_unmount(mmap_mnt);
}
