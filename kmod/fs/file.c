// SPDX-License-Identifier: GPL-2.0
/*
 * pkramfs: regular files, except mappings and ioctls: read, write, allocate, seek,
 * map of extents.
 *
 * There is no page cache: data is copied from and to the object's memory, one
 * unit at a time. i_rwsem keeps the extents from going away; map_sem is held
 * for a look at them only, never while user memory is touched, because a page
 * fault on a mapping of the same file takes it.
 */

#include <linux/fiemap.h>
#include <linux/sched/signal.h>
#include <linux/splice.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "compat/fs.h"
#include "fs/fs.h"
#include "mem/region.h"
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
	/* With O_CREAT, O_EXCL is about the name, which is new. */
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

/* Copy out of one unit. Return: bytes, fewer than @len on a fault; or errno. */
static ssize_t file_read_unit(struct pkram_object *obj, u64 pos, size_t len,
			      struct iov_iter *to)
{
	struct pkram_span span;
	int ret;

	pkram_store_find_span(obj, file_unit(pos), &span);
	if (!span.region)
		return iov_iter_zero(len, to);
	/* The unit map is in the head, so this needs no claim. */
	ret = pkram_store_unit_written(obj, &span);
	if (ret < 0)
		return ret;
	if (!ret)
		return iov_iter_zero(len, to);
	ret = pkram_store_claim_span(&span);
	if (ret)
		return ret;
	return copy_to_iter(pkram_region_unit_addr(span.region, span.unit) +
			    file_offset_in_unit(pos), len, to);
}

static ssize_t pkramfs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct pkram_object *obj = pkramfs_object(inode);
	loff_t pos = iocb->ki_pos, size;
	ssize_t n, done;
	int err = 0;
	size_t len;

	inode_lock_shared(inode);
	size = i_size_read(inode);
	while (!err && iov_iter_count(to) && pos < size) {
		len = min3((u64)iov_iter_count(to),
			   (u64)(PKRAM_UNIT - file_offset_in_unit(pos)),
			   (u64)(size - pos));
		n = file_read_unit(obj, pos, len, to);
		if (n < 0) {
			err = n;
			break;
		}
		pos += n;
		err = n < len ? -EFAULT : file_pause();
	}
	inode_unlock_shared(inode);

	done = pos - iocb->ki_pos;
	iocb->ki_pos = pos;
	return done ?: err;
}

/*
 * Fill a whole stale unit without zeroing it first. map_sem is held so that
 * nothing prepares the unit meanwhile; hence no fault may be taken, and bytes whose
 * pages went away again are left to the caller. Return: bytes, or errno.
 */
static ssize_t file_fill_unit(struct pkram_object *obj,
			      const struct pkram_span *span, struct iov_iter *from)
{
	void *addr = pkram_region_unit_addr(span->region, span->unit);
	size_t copied = 0;
	int ret;

	if (fault_in_iov_iter_readable(from, PKRAM_UNIT))
		return 0;
	down_write(&obj->map_sem);
	ret = pkram_store_unit_written(obj, span);
	if (!ret) {
		pagefault_disable();
		copied = copy_from_iter(addr, PKRAM_UNIT, from);
		pagefault_enable();
		memset(addr + copied, 0, PKRAM_UNIT - copied);
		ret = pkram_region_map_set(span->region, span->unit, 1,
					   PKRAM_UNIT_WRITTEN);
	}
	up_write(&obj->map_sem);
	return ret < 0 ? ret : copied;
}

/* Give memory to a hole: enough for the whole write, or for part of it. */
static int file_fill_hole(struct pkram_object *obj, u64 pos, size_t len,
			  struct iov_iter *from)
{
	int err;

	err = pkram_store_allocate(obj, pos, iov_iter_count(from), NULL);
	if (err == -ENOSPC)
		err = pkram_store_allocate(obj, pos, len, NULL);
	return err;
}

/* Copy into one unit. Return: bytes, fewer than @len on a fault; or errno. */
static ssize_t file_write_unit(struct pkram_object *obj, u64 pos, size_t len,
			       struct iov_iter *from)
{
	struct pkram_span span;
	ssize_t filled = 0;
	void *addr;
	int err;

	pkram_store_find_span(obj, file_unit(pos), &span);
	if (!span.region) {
		err = file_fill_hole(obj, pos, len, from);
		if (err)
			return err;
		pkram_store_find_span(obj, file_unit(pos), &span);
		if (WARN_ON_ONCE(!span.region))
			return -EIO;
	}
	if (span.region->read_only)
		return -EROFS;
	err = pkram_store_claim_span(&span);
	if (err)
		return err;
	if (len == PKRAM_UNIT && !pkram_store_unit_written(obj, &span)) {
		filled = file_fill_unit(obj, &span, from);
		if (filled < 0 || filled == len)
			return filled;
	}
	err = pkram_store_prepare(obj, &span, 1);
	if (err)
		return err;
	addr = pkram_region_unit_addr(span.region, span.unit);
	return filled + copy_from_iter(addr + file_offset_in_unit(pos) + filled,
				       len - filled, from);
}

/*
 * Grow the object so that a write fits, before anything is copied. In a pool that
 * is nearly full, write less: as much as still fits.
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

static ssize_t file_write_locked(struct kiocb *iocb, struct iov_iter *from)
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
		n = file_write_unit(obj, pos, len, from);
		if (n < 0) {
			err = n;
			break;
		}
		pos += n;
		err = n < len ? -EFAULT : file_pause();
	}
	/*
	 * Keep only what was written of what was reserved. Readers wait, so they
	 * see the old size or the new one.
	 */
	if (err) {
		u64 keep = pos > start ? max(pos, size) : size;

		if (obj->rec.size > keep)
			pkram_store_resize_write(obj, keep);
	}
	pkramfs_refresh(inode);
	iocb->ki_pos = pos;
	return pos > start ? pos - start : err;
}

static ssize_t pkramfs_write_iter(struct kiocb *iocb, struct iov_iter *from)
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
	ret = file_write_locked(iocb, from);
out:
	inode_unlock(inode);
	return ret;
}

/*
 * Zero a range in place, so that the object keeps its memory and large folios stay
 * whole. Stale units read as zero already.
 */
static int file_zero_range(struct pkram_object *obj, u64 pos, u64 end)
{
	struct pkram_span span;
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
		ret = pkram_store_claim_span(&span);
		if (ret)
			return ret;
		memset(pkram_region_unit_addr(span.region, span.unit) +
		       file_offset_in_unit(pos), 0, len);
		ret = file_pause();
	}
	return ret;
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

/* One entry of a map of extents */
struct file_run {
	struct pkram_span span;
	u32 obj_unit;
	u32 nr;
	int state;
};

/* Find the run of units of one state at or after @unit. Return: found? */
static bool file_next_run(struct pkram_object *obj, u64 unit, struct file_run *run)
{
	while (unit < U32_MAX) {
		pkram_store_find_span(obj, unit, &run->span);
		if (run->span.region) {
			run->obj_unit = unit;
			run->nr = file_count_same(obj, &run->span,
						  &run->state);
			return true;
		}
		unit += run->span.nr_units;
	}
	return false;
}

static int file_emit_run(struct fiemap_extent_info *info,
			 const struct file_run *run,
			 u32 flags)
{
	u64 phys = pkram_region_unit_phys(run->span.region, run->span.unit);

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

int pkramfs_fiemap(struct inode *inode, struct fiemap_extent_info *info,
		   u64 start, u64 len)
{
	struct pkram_object *obj = pkramfs_object(inode);
	struct file_run run, next;
	bool have, more;
	u64 end;
	int err;

	inode_lock_shared(inode);
	err = fiemap_prep(inode, info, start, &len, 0);
	if (err)
		goto out;
	end = start + len;
	have = file_next_run(obj, file_unit(start), &run);
	while (have && (u64)run.obj_unit << PKRAM_UNIT_SHIFT < end) {
		more = file_next_run(obj, (u64)run.obj_unit + run.nr, &next);
		err = file_emit_run(info, &run, more ? 0 : FIEMAP_EXTENT_LAST);
		if (!err)
			err = file_pause();
		if (err)
			break;
		have = more;
		run = next;
	}
	/* 1: the caller's array is full, or that was the last. */
	if (err > 0)
		err = 0;
out:
	inode_unlock_shared(inode);
	return err;
}

const struct file_operations pkramfs_file_fops = {
	.owner			= THIS_MODULE,
	.llseek			= pkramfs_llseek,
	.read_iter		= pkramfs_read_iter,
	.write_iter		= pkramfs_write_iter,
	.splice_read		= copy_splice_read,
	.splice_write		= iter_file_splice_write,
	.mmap			= pkramfs_mmap,
	.get_unmapped_area	= pkramfs_get_unmapped_area,
	.open			= pkramfs_open,
	.release		= pkramfs_release,
	.fsync			= noop_fsync,
	.fallocate		= pkramfs_fallocate,
	.unlocked_ioctl		= pkramfs_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
};
