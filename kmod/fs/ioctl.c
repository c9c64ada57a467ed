// SPDX-License-Identifier: GPL-2.0
/*
 * pkramfs: the ioctls of a regular file. Rules and errors are in the uapi header.
 */

#include <linux/file.h>
#include <linux/math64.h>
#include <linux/pkram.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "compat/fs.h"
#include "fs/attr.h"
#include "fs/fs.h"
#include "store/extents.h"
#include "store/lost.h"
#include "store/objects.h"
#include "store/opens.h"
#include "store/store.h"

/* Find the alignment at which a mapping gets the largest leaves. */
static u64 ioctl_best_align(struct pkram_object *obj)
{
	u64 unit, end = DIV_ROUND_UP_ULL(obj->rec.size, PKRAM_UNIT);
	struct pkram_span span;

	for (unit = 0; unit < end; unit += PKRAM_GIB_UNITS) {
		pkram_store_find(obj, unit, &span);
		if (span.region && span.whole_gib)
			return PKRAM_GIB;
		if (!span.region)
			unit = round_down(unit + span.nr_units - 1,
					  PKRAM_GIB_UNITS);
		cond_resched();
	}
	return PKRAM_UNIT;
}

union ioctl_arg {
	struct pkram_ioc_info info;
	struct pkram_ioc_leaves leaves;
	struct pkram_ioc_claim claim;
	struct pkram_ioc_seal seal;
	struct pkram_ioc_alloc alloc;
	struct pkram_ioc_bad bad;
	struct pkram_ioc_resume_all resume_all;
};

/* Who may change its mode may see what its resume needs */
static bool ioctl_is_owner(const struct inode *inode)
{
	return uid_eq(current_fsuid(), inode->i_uid) || capable(CAP_FOWNER);
}

static int ioctl_info(const struct inode *inode, struct pkram_object *obj,
		      struct pkram_ioc_info *arg)
{
	struct pkram_seal seal;

	if (arg->flags)
		return -EINVAL;
	down_read(&obj->map_sem);
	arg->object_id = obj->rec.id;
	arg->bytes = obj->rec.size;
	arg->nr_extents = obj->rec.nr_extents;
	arg->align = ioctl_best_align(obj);
	up_read(&obj->map_sem);
	pkram_object_seal(obj, &seal);
	arg->generation = seal.generation;
	memcpy(arg->vm_uuid, seal.vm_uuid, sizeof(arg->vm_uuid));
	if (ioctl_is_owner(inode))
		memcpy(arg->cookie, seal.cookie, sizeof(arg->cookie));
	else
		memset(arg->cookie, 0, sizeof(arg->cookie));
	arg->allocated = pkram_object_allocated(obj);
	arg->state = pkram_object_state(obj);
	arg->nr_bad_pages = pkram_object_nr_bad_pages(obj);
	pkram_store_pool_uuid(arg->pool_uuid);
	return 0;
}

static int ioctl_leaves(struct pkram_object *obj, struct pkram_ioc_leaves *arg)
{
	u64 n4k, n2m, n1g;
	int err;

	if (arg->flags)
		return -EINVAL;
	err = pkramfs_count_leaves(obj, &n4k, &n2m, &n1g);
	if (err)
		return err;
	arg->leaves_4k = n4k;
	arg->leaves_2m = n2m;
	arg->leaves_1g = n1g;
	return 0;
}

static int ioctl_seal(struct pkram_open *open, struct pkram_ioc_seal *arg)
{
	u64 generation;
	int err;

	if (arg->flags)
		return -EINVAL;
	err = pkram_open_seal(open, arg->cookie, arg->vm_uuid, &generation);
	if (!err)
		arg->generation = generation;
	return err;
}

static int ioctl_resume(struct pkram_open *open, struct pkram_ioc_seal *arg)
{
	u64 generation;
	int err;

	if (arg->flags & ~PKRAM_RESUME_CHECK)
		return -EINVAL;
	err = pkram_open_resume(open, arg->cookie,
				arg->flags & PKRAM_RESUME_CHECK, &generation);
	if (!err)
		arg->generation = generation;
	return err;
}

static int ioctl_claim(struct pkram_open *open, struct pkram_ioc_claim *arg)
{
	u64 generation;
	int err;

	err = pkram_open_claim(open, arg->flags, arg->vm_uuid, arg->bytes,
			       &generation);
	if (!err)
		arg->generation = generation;
	return err;
}

/* What ftruncate(2) does, except that no memory is taken */
static int ioctl_extend(struct file *file, u64 end)
{
	struct inode *inode = file_inode(file);
	int err;

	if (end <= i_size_read(inode))
		return 0;
	err = inode_newsize_ok(inode, end) ?: file_remove_privs(file) ?: pkramfs_touch(inode);
	return err ?: pkram_store_resize_sparse(pkramfs_object(inode), end);
}

static int ioctl_alloc(struct file *file, const struct pkram_ioc_alloc *arg)
{
	struct pkram_open *open = file->private_data;
	bool sparse = arg->flags & PKRAM_ALLOC_SPARSE;
	struct pkram_place place = {
		.node = arg->node,
		.strict = arg->flags & PKRAM_ALLOC_STRICT,
	};
	u64 end;
	int err;

	if (arg->flags & ~(PKRAM_ALLOC_STRICT | PKRAM_ALLOC_SPARSE) || arg->reserved ||
	    arg->node >= MAX_NUMNODES || !arg->bytes ||
	    (sparse && (place.strict || place.node)))
		return -EINVAL;
	if (check_add_overflow(arg->offset, arg->bytes, &end))
		return -EFBIG;
	err = pkram_open_may_change(open->obj, open);
	if (!err && sparse)
		err = ioctl_extend(file, end);
	else if (!err)
		err = pkram_store_allocate(open->obj, arg->offset, arg->bytes,
					   &place);
	pkramfs_refresh(file_inode(file));
	return err;
}

static int ioctl_bad(struct pkram_object *obj, struct pkram_ioc_bad *arg)
{
	if (arg->flags)
		return -EINVAL;
	return pkram_object_next_bad(obj, &arg->offset, &arg->bytes) ? 0 : -ENODATA;
}

static int ioctl_resume_one(struct file *file, struct pkram_resume *r,
			    const struct pkram_resume_one *one)
{
	if (one->reserved)
		return -EINVAL;
	if (!file || file->f_op != &pkramfs_file_fops || !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	r->open = file->private_data;
	memcpy(r->cookie, one->cookie, sizeof(r->cookie));
	return 0;
}

/* The other inodes are not locked: the store's lock is enough to change a seal. */
static int ioctl_resume_all(const struct pkram_ioc_resume_all *arg)
{
	struct pkram_resume_one *one;
	struct pkram_resume *r;
	struct file **files;
	int err = 0;
	u32 i;

	if (arg->flags || arg->reserved || !arg->nr || arg->nr > PKRAM_RESUME_MAX)
		return -EINVAL;
	one = memdup_user(u64_to_user_ptr(arg->objects), arg->nr * sizeof(*one));
	if (IS_ERR(one))
		return PTR_ERR(one);
	files = kcalloc(arg->nr, sizeof(*files), GFP_KERNEL);
	r = kcalloc(arg->nr, sizeof(*r), GFP_KERNEL);
	if (!files || !r)
		err = -ENOMEM;
	for (i = 0; !err && i < arg->nr; i++) {
		files[i] = fget(one[i].fd);
		err = ioctl_resume_one(files[i], &r[i], &one[i]);
	}
	if (!err)
		err = pkram_open_resume_all(r, arg->nr);
	for (i = 0; files && i < arg->nr; i++)
		if (files[i])
			fput(files[i]);
	kfree(r);
	kfree(files);
	kfree(one);
	return err;
}

/*
 * The number identifies an ioctl. The size in the command is that of the caller's
 * struct, whose first field has it too.
 */
static const struct {
	u32 min_size;	/* everything that is read */
	u32 size;
	bool change;
} ioctl_table[] = {
	[_IOC_NR(PKRAM_IOC_INFO)] = {
		offsetofend(struct pkram_ioc_info, flags),
		sizeof(struct pkram_ioc_info), false
	},
	[_IOC_NR(PKRAM_IOC_LEAVES)] = {
		offsetofend(struct pkram_ioc_leaves, flags),
		sizeof(struct pkram_ioc_leaves), false
	},
	[_IOC_NR(PKRAM_IOC_CLAIM)] = {
		offsetofend(struct pkram_ioc_claim, bytes),
		sizeof(struct pkram_ioc_claim), true
	},
	[_IOC_NR(PKRAM_IOC_SEAL)] = {
		offsetofend(struct pkram_ioc_seal, vm_uuid),
		sizeof(struct pkram_ioc_seal), true
	},
	[_IOC_NR(PKRAM_IOC_RESUME)] = {
		offsetofend(struct pkram_ioc_seal, vm_uuid),
		sizeof(struct pkram_ioc_seal), true
	},
	[_IOC_NR(PKRAM_IOC_ALLOC)] = {
		sizeof(struct pkram_ioc_alloc),
		sizeof(struct pkram_ioc_alloc), true
	},
	[_IOC_NR(PKRAM_IOC_BAD)] = {
		offsetofend(struct pkram_ioc_bad, offset),
		sizeof(struct pkram_ioc_bad), false
	},
	[_IOC_NR(PKRAM_IOC_RESUME_ALL)] = {
		sizeof(struct pkram_ioc_resume_all),
		sizeof(struct pkram_ioc_resume_all), true
	},
};

static int ioctl_run(struct file *file, unsigned int nr, union ioctl_arg *arg)
{
	struct pkram_open *open = file->private_data;

	switch (nr) {
	case _IOC_NR(PKRAM_IOC_INFO):
		return ioctl_info(file_inode(file), open->obj, &arg->info);
	case _IOC_NR(PKRAM_IOC_LEAVES):
		return ioctl_leaves(open->obj, &arg->leaves);
	case _IOC_NR(PKRAM_IOC_CLAIM):
		return ioctl_claim(open, &arg->claim);
	case _IOC_NR(PKRAM_IOC_SEAL):
		return ioctl_seal(open, &arg->seal);
	case _IOC_NR(PKRAM_IOC_RESUME):
		return ioctl_resume(open, &arg->seal);
	case _IOC_NR(PKRAM_IOC_BAD):
		return ioctl_bad(open->obj, &arg->bad);
	case _IOC_NR(PKRAM_IOC_RESUME_ALL):
		return ioctl_resume_all(&arg->resume_all);
	default:
		return ioctl_alloc(file, &arg->alloc);
	}
}

long pkramfs_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	struct inode *inode = file_inode(file);
	void __user *user = (void __user *)uarg;
	unsigned int nr = _IOC_NR(cmd);
	union ioctl_arg arg;
	u32 size;
	int err;

	if (_IOC_TYPE(cmd) != PKRAM_IOC_MAGIC ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE) ||
	    nr >= ARRAY_SIZE(ioctl_table))
		return -ENOTTY;
	if (ioctl_table[nr].change && !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < ioctl_table[nr].min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&arg, ioctl_table[nr].size, user, size);
	if (err)
		return err;

	if (ioctl_table[nr].change) {
		inode_lock(inode);
		err = ioctl_run(file, nr, &arg);
		inode_unlock(inode);
	} else {
		inode_lock_shared(inode);
		err = ioctl_run(file, nr, &arg);
		inode_unlock_shared(inode);
	}
	if (err)
		return err;
	/* The first field keeps the caller's size; bytes beyond our struct are zero. */
	if (copy_to_user(user, &arg, min(size, ioctl_table[nr].size)))
		return -EFAULT;
	return 0;
}
