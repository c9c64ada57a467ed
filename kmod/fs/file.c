// SPDX-License-Identifier: GPL-2.0
/*
 * pkramfs: regular files, except mappings and ioctls: read, write, allocate, seek,
 * map of extents.
 *
 * There is no page cache: data is copied from and to the object's memory, one unit
 * at a time. i_rwsem keeps the extents from being removed. map_sem is held only to
 * look them up, never while user memory is accessed, because a page fault on a
 * mapping of the same file takes it.
 */

#include <linux/fiemap.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/splice.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "compat/fs.h"
#include "fs/attr.h"
#include "fs/fs.h"
#include "mem/bad.h"
#include "mem/region.h"
#include "mem/zero.h"
#include "store/extents.h"
#include "store/opens.h"

static u32 file_unit(u64 offset)
{
	return offset >> PKRAM_UNIT_SHIFT;
}

static size_t file_offset_in_unit(u64 offset)
{
	return offset & (PKRAM_UNIT - 1);
}

static int pkramfs_open(struct inode *inode, struct file *file)
{
	/* With O_CREAT, O_EXCL applies to the name, which is new. */
	bool exclusive = (file->f_flags & (O_CREAT | O_EXCL)) == O_EXCL;
	struct pkram_open *open;
	int err;

	err = generic_file_open(inode, file);
	if (err)
		return err;
	open = pkram_open_create(pkramfs_object(inode),
				 file->f_mode & FMODE_WRITE, exclusive);
	if (IS_ERR(open))
		return PTR_ERR(open);
	file->private_data = open;
	/* Every access is direct already. */
	file->f_mode |= FMODE_CAN_ODIRECT;
	return 0;
}

static int pkramfs_release(struct inode *inode, struct file *file)
{
	pkram_open_put(file->private_data);
	return 0;
}

/* Between two units of a long operation */
static int file_pause(void)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	return 0;
}

/*
 * Copying: a page fault of the user's buffer may take any time (userfaultfd, FUSE), and
 * other processes must not wait for it. So no fault is taken with i_rwsem held: if a
 * page is missing, the copy is short, and the lock is dropped to get the page.
 */

static size_t file_copy_to(const void *addr, size_t len, struct iov_iter *to)
{
	size_t n;

	pagefault_disable();
	n = addr ? _copy_mc_to_iter(addr, len, to) : iov_iter_zero(len, to);
	pagefault_enable();
	return n;
}

static size_t file_copy_from(void *addr, size_t len, struct iov_iter *from)
{
	size_t n;

	pagefault_disable();
	n = copy_from_iter(addr, len, from);
	pagefault_enable();
	return n;
}

/*
 * The next bytes cannot be read. Return: whether that is because of the memory they are in,
 * and not of the buffer. No page is looked at twice: too many machine checks are a panic. The
 * kernel does not report an error that a copy has survived, so do that.
 */
static bool file_source_bad(const void *addr, size_t len, phys_addr_t phys)
{
	size_t done, n;
	u64 buf[8];

	len = min_t(size_t, len, PAGE_SIZE - offset_in_page(addr));
	for (done = 0; done < len; done += n) {
		n = min(len - done, sizeof(buf));
		if (copy_mc_to_kernel(buf, addr + done, n)) {
			memory_failure_queue(PHYS_PFN(phys), 0);
			return true;
		}
	}
	return false;
}

/* Copy from memory of the pool, as far as it is not bad. Return: as file_read_unit() */
static ssize_t file_copy_from_pool(const struct pkram_span *span, size_t off, size_t *len,
				   struct iov_iter *to)
{
	const void *addr = pkram_region_unit_addr(span->region, span->unit) + off;
	size_t n;

	*len = pkram_bad_good_len(span->region, span->unit, off, *len);
	if (!*len)
		return -EIO;
	n = file_copy_to(addr, *len, to);
	if (!n && file_source_bad(addr, *len,
				  pkram_region_unit_phys(span->region, span->unit) + off))
		return -EIO;
	return n;
}

/*
 * Copy from one unit. *@len: out: less if a bad page ends it. Return: bytes, fewer than that
 * on a fault; or errno.
 */
static ssize_t file_read_unit(struct pkram_object *obj, u64 pos, size_t *len,
			      struct iov_iter *to)
{
	struct pkram_span span;
	int ret;

	pkram_store_find_span(obj, file_unit(pos), &span);
	if (!span.region)
		return file_copy_to(NULL, *len, to);
	/* The unit map is in the head, so this needs no populated GiB. */
	ret = pkram_store_unit_written(obj, &span);
	if (ret < 0)
		return ret;
	if (!ret)
		return file_copy_to(NULL, *len, to);
	ret = pkram_store_populate_span(&span);
	if (ret)
		return ret;
	return file_copy_from_pool(&span, file_offset_in_unit(pos), len, to);
}

/* Return the length of the part of a read that is in the unit at @pos */
static size_t file_read_len(u64 pos, u64 size, const struct iov_iter *to)
{
	if (pos >= size)
		return 0;
	return min3((u64)iov_iter_count(to),
		    (u64)(PKRAM_UNIT - file_offset_in_unit(pos)), size - pos);
}

/* Read as far as the buffer's pages are present. Return: 0, -EFAULT for a fault; errno */
static int file_read_locked(struct inode *inode, loff_t *pos, struct iov_iter *to)
{
	loff_t size = i_size_read(inode);
	size_t len;
	ssize_t n;
	int err = 0;

	while (!err && (len = file_read_len(*pos, size, to))) {
		n = file_read_unit(pkramfs_object(inode), *pos, &len, to);
		if (n < 0)
			return n;
		*pos += n;
		err = n < len ? -EFAULT : file_pause();
	}
	return err;
}

static ssize_t pkramfs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t pos = iocb->ki_pos, got = -1;
	size_t max = PKRAM_UNIT, len;
	ssize_t done;
	int err;

	do {
		inode_lock_shared(inode);
		err = file_read_locked(inode, &pos, to);
		inode_unlock_shared(inode);
		/* The pages were removed again: get fewer, so that some stay long enough. */
		if (pos == got)
			max = max(max / 2, PAGE_SIZE);
		/* On 6.1, the end of a pipe is not a fault. */
		if (err != -EFAULT || !user_backed_iter(to))
			break;
		len = min(max, file_read_len(pos, i_size_read(inode), to));
		if (len && fault_in_iov_iter_writeable(to, len) == len)
			break;
		got = pos;
		err = file_pause();
	} while (!err);

	done = pos - iocb->ki_pos;
	iocb->ki_pos = pos;
	return done ?: err;
}

/* Copy into memory of the pool, as far as it is not bad. *@len: out: less if a bad page ends it */
static size_t file_copy_to_pool(const struct pkram_span *span, size_t off, size_t *len,
				struct iov_iter *from)
{
	int idx = pkram_bad_begin_write();
	size_t n = 0;

	*len = pkram_bad_good_len(span->region, span->unit, off, *len);
	if (*len)
		n = file_copy_from(pkram_region_unit_addr(span->region, span->unit) + off, *len,
				   from);
	pkram_bad_end_write(idx);
	return n;
}

/*
 * Fill a whole unit without zeroing it first, if it is stale. *@copied: number of bytes
 * from the buffer; the rest is zero. Return: whether it was stale, or errno.
 */
static int file_fill_unit(const struct pkram_span *span, struct iov_iter *from,
			  size_t *copied)
{
	size_t len = PKRAM_UNIT;
	int ret, err;

	ret = pkram_zero_begin(span->region, span->unit);
	if (ret <= 0)
		return ret;
	*copied = file_copy_to_pool(span, 0, &len, from);
	pkram_bad_zero(span->region, span->unit, *copied, PKRAM_UNIT - *copied);
	err = pkram_zero_end(span->region, span->unit);
	return err ?: ret;
}

/* Allocate memory for a hole: enough for the whole write, or for part of it. */
static int file_fill_hole(struct pkram_object *obj, u64 pos, size_t len,
			  struct iov_iter *from)
{
	int err;

	err = pkram_store_allocate(obj, pos, iov_iter_count(from), NULL);
	if (err == -ENOSPC)
		err = pkram_store_allocate(obj, pos, len, NULL);
	return err;
}

/* Copy into one unit. *@len, return: as file_read_unit() */
static ssize_t file_write_unit(struct pkram_object *obj, u64 pos, size_t *len,
			       struct iov_iter *from)
{
	struct pkram_span span;
	size_t copied;
	int err;

	pkram_store_find_span(obj, file_unit(pos), &span);
	if (!span.region) {
		err = file_fill_hole(obj, pos, *len, from);
		if (err)
			return err;
		pkram_store_find_span(obj, file_unit(pos), &span);
		if (WARN_ON_ONCE(!span.region))
			return -EIO;
	}
	if (span.region->read_only)
		return -EROFS;
	err = pkram_store_populate_span(&span);
	if (err)
		return err;
	*len = pkram_bad_good_len(span.region, span.unit, file_offset_in_unit(pos), *len);
	if (!*len)
		return -EIO;
	if (*len == PKRAM_UNIT && !pkram_store_unit_written(obj, &span)) {
		err = file_fill_unit(&span, from, &copied);
		if (err)
			return err < 0 ? err : copied;
	}
	err = pkram_store_prepare(obj, &span, 1);
	if (err)
		return err;
	copied = file_copy_to_pool(&span, file_offset_in_unit(pos), len, from);
	/* It may have broken since. */
	return *len ? copied : -EIO;
}

/*
 * Grow the object so that a write fits, before anything is copied. In a pool that
 * is nearly full, write only as much as fits.
 */
static int file_reserve_write(struct inode *inode, u64 pos, struct iov_iter *from)
{
	struct pkram_object *obj = pkramfs_object(inode);
	size_t len;
	int err;

	for (;;) {
		len = iov_iter_count(from);
		if (pos + len <= i_size_read(inode))
			return 0;
		err = pkram_store_resize_write(obj, pos + len);
		if (err != -ENOSPC || len < 2)
			return err;
		iov_iter_truncate(from, len / 2);
	}
}

/* *@fault: out: the write stopped at a page of the buffer that is missing */
static ssize_t file_write_locked(struct kiocb *iocb, struct iov_iter *from,
				 bool *fault)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct pkram_object *obj = pkramfs_object(inode);
	loff_t start = iocb->ki_pos, pos = start, size = i_size_read(inode);
	size_t len;
	ssize_t n;
	int err;

	err = file_reserve_write(inode, pos, from);
	if (err)
		return err;
	err = pkramfs_touch(inode);
	while (!err && iov_iter_count(from)) {
		len = min_t(size_t, iov_iter_count(from),
			    PKRAM_UNIT - file_offset_in_unit(pos));
		n = file_write_unit(obj, pos, &len, from);
		if (n < 0) {
			err = n;
			break;
		}
		pos += n;
		err = n < len ? -EFAULT : file_pause();
	}
	/*
	 * Of the reserved memory keep only what was written. Readers wait, so they
	 * see the old size or the new one.
	 */
	if (err) {
		u64 keep = pos > start ? max(pos, size) : size;

		if (obj->rec.size > keep)
			pkram_store_resize_write(obj, keep);
	}
	pkramfs_refresh(inode);
	iocb->ki_pos = pos;
	*fault = err == -EFAULT;
	return pos > start || *fault ? pos - start : err;
}

static ssize_t file_write_part(struct kiocb *iocb, struct iov_iter *from,
			       bool *fault)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	ssize_t ret;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		goto out;
	ret = pkram_open_may_change(pkramfs_object(inode), file->private_data);
	if (ret)
		goto out;
	ret = file_remove_privs(file);
	if (ret)
		goto out;
	ret = file_write_locked(iocb, from, fault);
out:
	inode_unlock(inode);
	return ret;
}

/*
 * Get the pages of the buffer, then write: up to a GiB at once, which is atomic as
 * long as they stay. If some are removed again, write the rest in smaller parts: of a
 * unit, or, if all are removed before they are used, down to a page.
 */
static ssize_t pkramfs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	size_t left = iov_iter_count(from), max = PKRAM_GIB, len;
	ssize_t done = 0, n = 0;
	bool fault = false;

	while (left) {
		len = min(left, max);
		len -= fault_in_iov_iter_readable(from, len);
		if (!len) {
			n = -EFAULT;
			break;
		}
		iov_iter_truncate(from, len);
		fault = false;
		n = file_write_part(iocb, from, &fault);
		if (n > 0) {
			done += n;
			left -= n;
		}
		iov_iter_reexpand(from, left);
		if (fault)
			max = max_t(size_t, max / 2,
				    n > 0 ? min_t(size_t, max, PKRAM_UNIT) : PAGE_SIZE);
		else if (n < (ssize_t)len)
			break;
		n = file_pause();
		if (n)
			break;
	}
	return done ?: n;
}

/*
 * Zero a range in place, so that the object keeps its memory and large folios stay
 * whole. Stale units read as zero already; a bad page cannot be zeroed.
 */
static int file_zero_range(struct pkram_object *obj, u64 pos, u64 end)
{
	struct pkram_span span;
	bool bad = false;
	int ret = 0;
	u64 len;

	for (; !ret && pos < end; pos += len) {
		len = min(end - pos, (u64)(PKRAM_UNIT - file_offset_in_unit(pos)));
		pkram_store_find_span(obj, file_unit(pos), &span);
		if (!span.region)
			continue;
		if (span.region->read_only)
			return -EROFS;
		ret = pkram_store_unit_written(obj, &span);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		ret = pkram_store_populate_span(&span);
		if (ret)
			return ret;
		bad |= pkram_bad_zero(span.region, span.unit, file_offset_in_unit(pos), len);
		ret = file_pause();
	}
	return ret ?: bad ? -EIO : 0;
}

static int file_fallocate_locked(struct file *file, int mode, u64 offset, u64 len)
{
	struct inode *inode = file_inode(file);
	struct pkram_object *obj = pkramfs_object(inode);
	u64 end = offset + len, size = i_size_read(inode);
	bool grow = !(mode & FALLOC_FL_KEEP_SIZE) && end > size;
	int err;

	err = pkram_open_may_change(obj, file->private_data);
	if (err)
		return err;
	if (grow) {
		err = inode_newsize_ok(inode, end);
		if (err)
			return err;
	}
	err = file_remove_privs(file);
	if (err)
		return err;
	err = pkramfs_touch(inode);
	if (err)
		return err;
	if (mode & FALLOC_FL_PUNCH_HOLE)
		return pkram_store_punch(obj, offset, len);

	/* Steps that need memory come before the one that destroys data. */
	err = pkram_store_allocate(obj, offset, len, NULL);
	if (!err && grow)
		err = pkram_store_resize(obj, end);
	if (!err && (mode & FALLOC_FL_ZERO_RANGE))
		err = file_zero_range(obj, offset, end);
	return err;
}

static long pkramfs_fallocate(struct file *file, int mode, loff_t offset,
			      loff_t len)
{
	struct inode *inode = file_inode(file);
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
		     FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	err = file_fallocate_locked(file, mode, offset, len);
	pkramfs_refresh(inode);
	inode_unlock(inode);
	return err;
}

/*
 * Count the units from the first of a span on that are in the same state (see
 * pkram_store_unit_written()), up to the end of a GiB, which bounds the time.
 */
static u32 file_count_same(struct pkram_object *obj, const struct pkram_span *span,
			   int *state)
{
	struct pkram_span next = *span;
	u32 n, max = min_t(u32, span->nr_units,
			   PKRAM_GIB_UNITS - span->unit % PKRAM_GIB_UNITS);

	*state = pkram_store_unit_written(obj, span);
	for (n = 1; n < max; n++) {
		next.unit++;
		next.nr_units--;
		if (pkram_store_unit_written(obj, &next) != *state)
			break;
	}
	return n;
}

/*
 * Units that were written are data. Memory that is reserved but stale is a hole, as
 * it reads as zero. Where the unit map is damaged, report data: reading it fails.
 */
static loff_t file_seek_data_hole(struct inode *inode, loff_t offset, bool data)
{
	struct pkram_object *obj = pkramfs_object(inode);
	loff_t size = i_size_read(inode);
	struct pkram_span span;
	u64 pos = offset, next;
	int state;

	if (offset < 0 || offset >= size)
		return -ENXIO;
	while (pos < size) {
		u32 unit = file_unit(pos), nr;

		pkram_store_find_span(obj, unit, &span);
		nr = span.nr_units;
		state = 0;
		if (span.region)
			nr = file_count_same(obj, &span, &state);
		if (!!state == data)
			return pos;
		next = ((u64)unit + nr) << PKRAM_UNIT_SHIFT;
		if (next <= pos)
			break;
		pos = next;
		if (file_pause())
			return -EINTR;
	}
	return data ? -ENXIO : size;
}

static loff_t pkramfs_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(file, offset, whence);
	inode_lock_shared(inode);
	offset = file_seek_data_hole(inode, offset, whence == SEEK_DATA);
	if (offset >= 0)
		offset = vfs_setpos(file, offset, inode->i_sb->s_maxbytes);
	inode_unlock_shared(inode);
	return offset;
}

/* One entry of a map of extents; @span is valid as long as the lock is held */
struct file_run {
	struct pkram_span span;
	u64 phys;
	u32 obj_unit;
	u32 nr;
	int state;
};

/* Find the run of units of one state at or after @unit. Return: true if found */
static bool file_next_run(struct inode *inode, u64 unit, struct file_run *run)
{
	struct pkram_object *obj = pkramfs_object(inode);
	bool found = false;

	inode_lock_shared(inode);
	while (!found && unit < U32_MAX) {
		pkram_store_find_span(obj, unit, &run->span);
		found = run->span.region;
		if (found) {
			run->obj_unit = unit;
			run->phys = pkram_region_unit_phys(run->span.region,
							   run->span.unit);
			run->nr = file_count_same(obj, &run->span,
						  &run->state);
		}
		unit += run->span.nr_units;
	}
	inode_unlock_shared(inode);
	return found;
}

static int file_emit_run(struct fiemap_extent_info *info,
			 const struct file_run *run,
			 u32 flags)
{
	u64 phys = run->phys;

	/* Only CAP_SYS_ADMIN may see physical addresses. */
	if (!capable(CAP_SYS_ADMIN)) {
		phys = 0;
		flags |= FIEMAP_EXTENT_UNKNOWN;
	}
	if (!run->state)
		flags |= FIEMAP_EXTENT_UNWRITTEN;
	return fiemap_fill_next_extent(info,
				       (u64)run->obj_unit << PKRAM_UNIT_SHIFT,
				       phys, (u64)run->nr << PKRAM_UNIT_SHIFT,
				       flags);
}

/* The entries are copied to user memory, so the lock is dropped between two. */
int pkramfs_fiemap(struct inode *inode, struct fiemap_extent_info *info,
		   u64 start, u64 len)
{
	struct file_run run, next;
	bool have, more;
	u64 end;
	int err;

	err = fiemap_prep(inode, info, start, &len, 0);
	if (err)
		return err;
	end = start + len;
	have = file_next_run(inode, file_unit(start), &run);
	while (have && (u64)run.obj_unit << PKRAM_UNIT_SHIFT < end) {
		more = file_next_run(inode, (u64)run.obj_unit + run.nr, &next);
		err = file_emit_run(info, &run, more ? 0 : FIEMAP_EXTENT_LAST);
		if (!err)
			err = file_pause();
		if (err)
			break;
		have = more;
		run = next;
	}
	/* 1: the caller's array is full, or this was the last one. */
	return err > 0 ? 0 : err;
}

const struct file_operations pkramfs_file_fops = {
	.owner			= THIS_MODULE,
	.llseek			= pkramfs_llseek,
	.read_iter		= pkramfs_read_iter,
	.write_iter		= pkramfs_write_iter,
	.splice_read		= copy_splice_read,
	.splice_write		= iter_file_splice_write,
	/* Since 7.0 a file system without it has no leases. */
	.setlease		= generic_setlease,
	.mmap			= pkramfs_mmap,
	.get_unmapped_area	= pkramfs_get_unmapped_area,
	.open			= pkramfs_open,
	.release		= pkramfs_release,
	.fsync			= noop_fsync,
	.fallocate		= pkramfs_fallocate,
	.unlocked_ioctl		= pkramfs_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
};
